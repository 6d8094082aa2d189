#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Nobody is somebody else: each attack arrives without rules, arrives and is
counted when observed, and does not arrive when enforced. What honest hosts
say always arrives."""
import os
import socket
import struct
import time

from isolation_lab import Lab, counter, put, run, until, wait
import frames  # finds the lab by the line above
from frames import link_local

GATEWAY = "192.168.50.1"
GATEWAY6 = "fd00:50::1"
GATEWAY_MAC = "02:00:00:00:50:01"
GATEWAY_LINK = "fe80::ff:fe00:5001"
FREE, FREE6 = "192.168.50.77", "fd00:50::77"
PRIVATE6 = "fd00:50::1c5e:77f3:9d21:4a6b"


class Wire:
    """Sends frames from nodes, listens on the gateway's bridge."""

    def __init__(self, lab, interface="br0"):
        self.lab = lab
        self.ears = lab.socket("gateway", socket.AF_PACKET, socket.SOCK_RAW,
                               socket.htons(3))
        self.ears.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.ears.bind((interface, 3))
        lab.closers.append(self.ears.close)
        self.mouths = {}

    def send(self, node, frame):
        if node not in self.mouths:
            sock = self.lab.socket(node, socket.AF_PACKET, socket.SOCK_RAW)
            sock.bind(("eth0", 0))
            self.lab.closers.append(sock.close)
            self.mouths[node] = sock
        self.mouths[node].send(frame)

    def marker(self, name):
        """What anybody may say, and so the end of what was said before."""
        tag, mac = os.urandom(7).hex().encode(), self.lab.node(name).mac
        self.send(name, frames.arp(mac, 1, mac, "0.0.0.0", FREE, tag))
        return tag

    def arrive(self, cases, times=1):
        """{name: (node, maker of a frame from a tag)}: those that came."""
        waiting = {}
        for name, (node, maker) in cases.items():
            tag = os.urandom(7).hex().encode()
            waiting[tag] = name
            for _ in range(times):
                self.send(node, maker(tag))
        ends = {self.marker(node) for node, _ in cases.values()}
        came, end = set(), time.monotonic() + 3
        while time.monotonic() < end and len(came) < len(cases):
            self.ears.settimeout(0.1)
            try:
                data = self.ears.recv(65536)
            except socket.timeout:
                continue
            for tag in {tag for tag in ends if tag in data}:
                ends.remove(tag)
                if not ends:  # another processor may be a moment behind
                    end = min(end, time.monotonic() + 0.1)
            for tag, name in waiting.items():
                if tag in data:
                    came.add(name)
        return came


def spoofed(lab):
    counts = [counter(lab, "spoofed", family) for family in
              ("inet", "bridge")]
    return sum(c or 0 for c in counts)


def arp_attacks(lab):
    own, camera = lab.stranger, lab.camera
    mac = own.mac

    def says(operation, says_mac, ip, tags=()):
        return ("stranger", lambda tag: frames.arp(
            mac, operation, says_mac, ip, own.ip, tag, tags))
    return {
        "ARP request as the gateway": says(1, mac, GATEWAY),
        "ARP reply as the gateway": says(2, mac, GATEWAY),
        "ARP reply as the camera": says(2, mac, camera.ip),
        "ARP by another's MAC address": says(2, camera.mac, FREE),
        "ARP as the gateway in a tag of VLAN 0": says(2, mac, GATEWAY, [0]),
        "ARP as the gateway below two tags": says(2, mac, GATEWAY, [0, 0]),
        "ARP of the camera for no address of its own": (
            "camera", lambda tag: frames.arp(
                camera.mac, 1, camera.mac, FREE, FREE, tag)),
    }


def address_attacks(lab):
    own, camera = lab.stranger, lab.camera
    here = link_local(own.mac)

    def advertise(ip):
        return ("stranger", lambda tag: frames.advertisement(
            own.mac, here, ip, tag))

    def source(ip, node=own):
        to = GATEWAY6 if ":" in ip else GATEWAY
        return (node.name, lambda tag: frames.udp(
            node.mac, ip, to, (4000, 9), tag, GATEWAY_MAC))
    return {
        "advertisement of the gateway": advertise(GATEWAY6),
        "advertisement of its link address": advertise(GATEWAY_LINK),
        "advertisement of the camera": advertise(camera.ip6),
        "IPv4 from the gateway's address": source(GATEWAY),
        "IPv4 from the camera's address": source(camera.ip),
        "IPv6 from the gateway's address": source(GATEWAY6),
        "IPv6 from its link address": source(GATEWAY_LINK),
        "IPv6 from the camera's address": source(camera.ip6),
        "IPv4 of the camera, not its own": source(FREE, camera),
        "IPv6 of the camera, not its own": source(FREE6, camera),
        "advertisement of the camera, not its own": (
            "camera", lambda tag: frames.advertisement(
                camera.mac, link_local(camera.mac), FREE6, tag)),
    }


def server_attacks(lab):
    own = lab.camera  # has an address, is allowed everything
    here = link_local(own.mac)
    hops = struct.pack("!BB6x", frames.ICMP6, 0)
    piece = struct.pack("!BxHI", frames.ICMP6, 0, 7)

    def redirect4(tag):
        data = struct.pack("!BBH4s", 5, 1, 0, frames.packed(own.ip)) + tag
        return frames.ip4(own.mac, own.ip, GATEWAY, frames.ICMP, data)

    def redirect6(tag):
        body = bytes(4) + frames.packed(here) + frames.packed(FREE6)
        return frames.icmp6(own.mac, here, "ff02::1", 137,
                            body + b"\xfd\x02" + tag)
    cases = {
        "router advertisement": lambda tag: frames.router(
            own.mac, here, tag),
        "router advertisement behind options": lambda tag: frames.router(
            own.mac, here, tag, hops, 60),
        "router advertisement as a fragment": lambda tag: frames.router(
            own.mac, here, tag, piece, 44),
        "ICMP redirect": redirect4,
        "ICMPv6 redirect": redirect6,
        "DHCP server": lambda tag: frames.udp(
            own.mac, own.ip, "255.255.255.255", (67, 68), tag),
        "DHCPv6 server": lambda tag: frames.udp(
            own.mac, here, "ff02::1:2", (547, 546), tag),
    }
    return {name: (own.name, maker) for name, maker in cases.items()}


def honest(lab, node, port=None, own=True):
    """What a host says of itself; port: the node whose cable it uses."""
    mac, here = node.mac, link_local(node.mac)
    cases = {
        "DHCP client": lambda t: frames.udp(
            mac, "0.0.0.0", "255.255.255.255", (68, 67), t),
        "DHCPv6 client": lambda t: frames.udp(
            mac, here, "ff02::1:2", (546, 547), t),
        "ARP probe": lambda t: frames.arp(
            mac, 1, mac, "0.0.0.0", FREE, t),
        "ARP announcement": lambda t: frames.arp(
            mac, 1, mac, node.ip, node.ip, t),
        "gratuitous ARP reply": lambda t: frames.arp(
            mac, 2, mac, node.ip, node.ip, t),
        "DAD": lambda t: frames.solicitation(mac, "::", node.ip6, t),
        "DAD of the link address": lambda t: frames.solicitation(
            mac, "::", here, t),
        "neighbour solicitation": lambda t: frames.solicitation(
            mac, here, GATEWAY6, t),
        "advertisement of itself": lambda t: frames.advertisement(
            mac, node.ip6, node.ip6, t),
        "advertisement of the link address": lambda t: frames.advertisement(
            mac, here, here, t),
        "router solicitation": lambda t: frames.icmp6(
            mac, here, "ff02::2", 133, bytes(4) + b"\xfd\x02" + t),
        "listener report": lambda t: frames.icmp6(
            mac, here, "ff02::16", 143, bytes(4) + t),
        "IPv4": lambda t: frames.udp(mac, node.ip, GATEWAY, (4000, 9), t),
        "IPv6": lambda t: frames.udp(mac, node.ip6, GATEWAY6, (4000, 9), t),
    }
    if not own:
        cases.update({
            "another free IPv4 address": lambda t: frames.arp(
                mac, 1, mac, FREE, FREE, t),
            "privacy address": lambda t: frames.udp(
                mac, PRIVATE6, GATEWAY6, (4000, 9), t),
            "DAD of a privacy address": lambda t: frames.solicitation(
                mac, "::", PRIVATE6, t),
            "advertisement of a privacy address":
                lambda t: frames.advertisement(mac, PRIVATE6, PRIVATE6, t),
        })
    return {"%s of %s" % (name, node.name): ((port or node).name, maker)
            for name, maker in cases.items()}


def conf(lab, mode, more=""):
    """One sender plays many here: roaming is free."""
    return lab.base_config(mode, ("camera", "sensor"), {
        "camera": "address = %s %s\nallow = any any" % (
            lab.camera.ip, lab.camera.ip6)}).replace(
                "role = devices", "role = devices\nroaming = free") + more


def on_a_bridge(tap):
    with Lab() as lab:
        wire = Wire(lab)
        attacks = {**arp_attacks(lab), **address_attacks(lab),
                   **server_attacks(lab)}
        good = {**honest(lab, lab.stranger, own=False),
                **honest(lab, lab.camera),
                **{"roamed: " + name: case for name, case in
                   honest(lab, lab.camera, port=lab.sensor).items()}}
        tap.equal(set(attacks) - wire.arrive(attacks), set(),
                  "without rules all attacks arrive (%d)" % len(attacks))
        tap.equal(set(good) - wire.arrive(good), set(),
                  "and all honest frames (%d)" % len(good))
        put(lab, conf(lab, "observe"))
        before = spoofed(lab)
        tap.equal(set(good) - wire.arrive(good), set(),
                  "observed: honest frames arrive")
        tap.equal(spoofed(lab), before, "and none is counted")
        each(tap, lab, wire, attacks, arrives=True)
        put(lab, conf(lab, "enforce"))
        before = spoofed(lab)
        tap.ok(before >= len(attacks), "a reload goes on counting")
        tap.equal(set(good) - wire.arrive(good), set(),
                  "enforced: honest frames arrive")
        tap.equal(spoofed(lab), before, "and none is counted")
        each(tap, lab, wire, attacks, arrives=False)
        own_mode(tap, lab, wire, attacks)


def each(tap, lab, wire, attacks, arrives):
    """One after the other, so that each is counted for itself."""
    word = "observed: arrives" if arrives else "enforced: does not arrive"
    came = wire.arrive(attacks)
    for name, case in attacks.items():
        before = spoofed(lab)
        wire.send(case[0], case[1](b"a tag of no one"))
        counted = until(lambda b=before: spoofed(lab) > b, 2) is not None
        tap.ok((name in came) == arrives and counted,
               "%s, is counted: %s" % (word, name),
               "arrived: %s, counted: %s" % (name in came, counted))


def own_mode(tap, lab, wire, attacks):
    """A device's own mode goes first, and so does its zone's for others."""
    put(lab, conf(lab, "enforce").replace(
        "[device camera]", "[device camera]\nmode = observe"))
    mine = {n: c for n, c in attacks.items() if c[0] == "camera"}
    others = {n: c for n, c in attacks.items() if c[0] != "camera"}
    tap.equal(set(mine) - wire.arrive(mine), set(),
              "an observed device in an enforced zone is not stopped")
    tap.equal(wire.arrive(others), set(), "strangers there are")


def owner_untouched(tap):
    with Lab() as lab:
        sink = lab.serve_udp("gateway", 9)
        lab.gateway.sysctl("ipv4/conf/all/rp_filter", 0)
        lab.gateway.sysctl("ipv4/conf/lan0/rp_filter", 0)
        put(lab, conf(lab, "enforce"))
        wire = Wire(lab, "lan0")
        owner, here = lab.owner, link_local(lab.owner.mac)
        target = lab.gateway.run(
            "cat", "/sys/class/net/lan0/address").stdout.strip()
        before = spoofed(lab)
        for frame in (
                frames.arp(owner.mac, 2, owner.mac, lab.camera.ip, owner.ip,
                           b"x"),
                frames.router(owner.mac, here, b"x"),
                frames.udp(owner.mac, owner.ip, "192.168.60.1", (67, 9),
                           b"as a server", target),
                frames.udp(owner.mac, lab.camera.ip, "192.168.60.1",
                           (4000, 9), b"as the camera", target)):
            wire.send("owner", frame)
        tap.ok(wait(lambda: {b"as a server", b"as the camera"} <= {
            data for _, data in sink.seen}),
            "the owner's zone is let alone", sink.seen)
        tap.equal(spoofed(lab), before, "and nothing of it counted")


def renumbered(tap):
    """The gateway's addresses of this moment count, not those of then."""
    with Lab() as lab:
        put(lab, conf(lab, "enforce"))
        wire = Wire(lab)
        own = lab.stranger
        here = link_local(own.mac)
        cases = {
            FREE: ("stranger", lambda t: frames.arp(
                own.mac, 2, own.mac, FREE, own.ip, t)),
            FREE6: ("stranger", lambda t: frames.advertisement(
                own.mac, here, FREE6, t)),
        }
        tap.equal(wire.arrive(cases), {FREE, FREE6},
                  "an address of nobody may be claimed")
        lab.gateway.run("ip", "addr", "add", FREE + "/24", "dev", "br0")
        lab.gateway.run("ip", "addr", "add", FREE6 + "/64", "dev", "br0",
                        "nodad")
        tap.ok(until(lambda: not wire.arrive(cases), 8) is not None,
               "not any more when it is the gateway's")
        lab.gateway.run("ip", "addr", "del", FREE + "/24", "dev", "br0")
        lab.gateway.run("ip", "addr", "del", FREE6 + "/64", "dev", "br0")
        tap.ok(until(lambda: len(wire.arrive(cases)) == 2, 8) is not None,
               "and again when it has gone")
        log = lab.daemon.log()
        tap.ok("put back" not in log, "no fight over the tables", log)


def neighbour(lab, ip, interface="lan0"):
    return lab.gateway.run(
        "ip", "neigh", "show", ip, "dev", interface).stdout


def routed(tap):
    """An interface without a bridge: all but ARP, which nobody shows us."""
    with Lab() as lab:
        own, victim = lab.owner, "fd00:60::66"
        sink = lab.serve_udp("gateway", 9)
        wire = Wire(lab, "lan0")
        mac, target = own.mac, lab.gateway.run(
            "cat", "/sys/class/net/lan0/address").stdout.strip()
        lab.gateway.sysctl("ipv4/conf/all/rp_filter", 0)
        lab.gateway.sysctl("ipv4/conf/lan0/rp_filter", 0)

        def config(mode):
            return (
                "[gateway]\nmode = %s\n[zone things]\ninterface = lan0\n"
                "[device lamp]\nmac = %s\nallow = udp/9 192.168.60.1\n"
                "[device other]\nmac = 02:00:00:00:60:66\n"
                "address = 192.168.60.66 %s\n" % (mode, mac, victim))

        def attack(what):
            """Did the packet and the advertisement have an effect?"""
            before, tag = spoofed(lab), os.urandom(7).hex().encode()
            lab.gateway.run("ip", "neigh", "replace", victim, "lladdr",
                            "02:00:00:00:60:66", "dev", "lan0", "nud",
                            "stale")
            wire.send("owner", frames.udp(
                mac, "192.168.60.66", "192.168.60.1", (4000, 9), tag,
                target))
            wire.send("owner", frames.advertisement(
                mac, link_local(mac), victim, tag, "fd00:60::1", target))
            wire.send("owner", frames.udp(
                mac, own.ip, "192.168.60.1", (4000, 9), b"own" + tag,
                target))
            wait(lambda: any(d == b"own" + tag for _, d in sink.seen))
            said = any(d == tag for _, d in sink.seen)
            honest_one = any(d == b"own" + tag for _, d in sink.seen)
            return (said, mac in neighbour(lab, victim), honest_one,
                    spoofed(lab) - before if what else 0)
        tap.equal(attack(False), (True, True, True, 0),
                  "routed, without rules: a foreign source and an "
                  "advertisement take effect")
        put(lab, config("observe"))
        tap.equal(attack(True), (True, True, True, 2),
                  "routed, observed: they do, and are counted")
        put(lab, config("enforce"))
        tap.equal(attack(True), (False, False, True, 2),
                  "routed, enforced: they do not, what is honest does")
        here = link_local(mac)
        for what, frame in (
                ("the gateway's address", frames.udp(
                    mac, "192.168.60.1", own.ip, (1, 9), b"x", target)),
                ("a router", frames.router(mac, here, b"x")),
                ("a DHCP server", frames.udp(
                    mac, own.ip, "255.255.255.255", (67, 68), b"x"))):
            before = spoofed(lab)
            wire.send("owner", frame)
            tap.ok(until(lambda b=before: spoofed(lab) == b + 1, 2)
                   is not None, "routed: " + what + " is counted")


def told(tap):
    with Lab() as lab:
        if "bus" not in lab.workers_built():
            tap.skip("what is told", "the bus was left out of this build")
            return
        lab.dbus()
        put(lab, conf(lab, "enforce"))
        wire = Wire(lab)
        own, camera = lab.stranger, lab.camera

        def texts():
            return [w["text"] for w in lab.ctl_json("warnings")
                    if w["code"] == "device.spoof"]
        wait(lambda: lab.ctl("status", check=False).returncode == 0)
        tap.equal(texts(), [], "nobody is suspected at first")
        wire.send("stranger", frames.arp(
            own.mac, 2, own.mac, GATEWAY, own.ip, b""))
        tap.ok(wait(lambda: any(
            own.mac in t and GATEWAY in t and "gateway" in t
            for t in texts())), "a claim of the gateway's address", texts())
        wire.send("stranger", frames.arp(
            own.mac, 2, own.mac, camera.ip, own.ip, b""))
        tap.ok(wait(lambda: any(
            own.mac in t and camera.ip in t and "camera" in t
            for t in texts())), "whose address was claimed", texts())
        wire.send("camera", frames.udp(
            camera.mac, camera.ip, "255.255.255.255", (67, 68), b"x"))
        tap.ok(wait(lambda: any(
            "camera" in t and camera.mac in t and "DHCP server" in t
            for t in texts())), "a device that plays DHCP server", texts())
        flood(tap, lab, wire, texts)


def flood(tap, lab, wire, texts):
    """Somebody who claims everything does not fill everything."""
    own = lab.stranger
    for n in range(3000):
        mac = "02:66:00:00:%02x:%02x" % (n >> 8, n & 255)
        wire.send("stranger", frames.arp(
            mac if n & 1 else own.mac, 2, mac, GATEWAY, own.ip, b""))
    before = spoofed(lab)
    tap.ok(before >= 2900, "a flood is counted", before)
    time.sleep(6)
    tap.ok(len(texts()) <= 6, "and warned of in few words", texts())
    tap.equal(wire.arrive({"x": ("stranger", lambda t: frames.arp(
        own.mac, 2, own.mac, GATEWAY, own.ip, t))}), set(),
        "with the lists full it is stopped as before")
    put(lab, conf(lab, "enforce"))
    tap.ok(spoofed(lab) >= before, "a reload with full lists succeeds")


if __name__ == "__main__":
    run(on_a_bridge, owner_untouched, renumbered, routed, told)
