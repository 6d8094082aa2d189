#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""An address belongs to who had it first, or to whom DHCP gave it, and a MAC
to one port at a time: taking one away does not work, what is honest does."""
import os
import stat
import time

from isolation_lab import Lab, elements, put, run, until, wait
from test_isolation_early import Boot
from test_isolation_spoof import Wire, link_local, neighbour, spoofed
import frames  # finds the lab by the lines above

GATEWAY, GATEWAY6 = "192.168.50.1", "fd00:50::1"
GATEWAY_MAC = "02:00:00:00:50:01"
OTHER, OTHER6 = "192.168.50.77", "fd00:50::77"
PRIVATE6 = "fd00:50::1c5e:77f3:9d21:4a6b"
DELEGATED = "2001:db8:77:1::5"  # in a prefix that it was given
MANY = 16  # new addresses of one MAC at once


def conf(lab, mode, zone="", more=None, devices=("camera", "sensor")):
    return lab.base_config(mode, devices, more).replace(
        "role = devices", "role = devices\n" + zone)


def uses(node, ip, port=None, mac=None):
    """{name: case}: all by which somebody says that it has an address."""
    mac, sender = mac or node.mac, (port or node).name
    here = link_local(node.mac)
    if ":" in ip:
        return {
            "IPv6 from " + ip: (sender, lambda t: frames.udp(
                mac, ip, GATEWAY6, (4000, 9), t, GATEWAY_MAC)),
            "solicitation from " + ip: (sender, lambda t:
                                        frames.solicitation(
                                            mac, ip, GATEWAY6, t)),
            "advertisement of " + ip: (sender, lambda t:
                                       frames.advertisement(
                                           mac, here, ip, t)),
        }
    return {
        "IPv4 from " + ip: (sender, lambda t: frames.udp(
            mac, ip, GATEWAY, (4000, 9), t, GATEWAY_MAC)),
        "ARP request from " + ip: (sender, lambda t: frames.arp(
            mac, 1, mac, ip, GATEWAY, t)),
        "gratuitous ARP of " + ip: (sender, lambda t: frames.arp(
            mac, 2, mac, ip, ip, t)),
    }


def own(node):
    return {**uses(node, node.ip), **uses(node, node.ip6),
            **uses(node, link_local(node.mac))}


def theft(thief, owner):
    return {**uses(thief, owner.ip), **uses(thief, owner.ip6),
            **uses(thief, link_local(owner.mac))}


def poison(lab, wire, tag=b"poison"):
    """Whom the gateway believes to be the sensor afterwards."""
    thief, owner = lab.stranger, lab.sensor
    lab.gateway.sysctl("ipv4/neigh/br0/locktime", 0)
    for ip in (owner.ip6, owner.ip):
        lab.gateway.run("ip", "neigh", "replace", ip, "lladdr", owner.mac,
                        "dev", "br0", "nud", "stale")
    time.sleep(0.05)  # what is newer than a tick is not replaced
    wire.send(thief.name, frames.advertisement(
        thief.mac, link_local(thief.mac), owner.ip6, tag, GATEWAY6,
        GATEWAY_MAC))
    wire.send(thief.name, frames.arp(
        thief.mac, 2, thief.mac, owner.ip, GATEWAY, tag))
    mark = {"mark": (thief.name, lambda t: frames.udp(
        thief.mac, thief.ip, GATEWAY, (4000, 9), t))}
    wire.arrive(mark)
    return [mac for ip in (owner.ip6, owner.ip)
            for mac in (thief.mac, owner.mac)
            if mac in neighbour(lab, ip, "br0")]


def first_come(tap):
    with Lab() as lab:
        wire = Wire(lab)
        attack, good = theft(lab.stranger, lab.sensor), own(lab.sensor)
        tap.equal(set(attack) - wire.arrive(attack), set(),
                  "without rules all thefts arrive (%d)" % len(attack))
        tap.equal(poison(lab, wire), [lab.stranger.mac] * 2,
                  "and the gateway believes them")
        put(lab, conf(lab, "observe"))
        tap.equal(set(good) - wire.arrive(good), set(),
                  "observed: the first one's frames arrive")
        before = spoofed(lab)
        tap.equal(set(attack) - wire.arrive(attack), set(),
                  "observed: thefts arrive")
        tap.ok(spoofed(lab) >= before + len(attack), "and are counted")
        put(lab, conf(lab, "enforce"))
        enforced(tap, lab, wire, attack, good)
        lasting(tap, lab, wire, attack)
        flood(tap, lab, wire)
        storm(tap, lab, wire)
        rebooted(tap, lab)


def enforced(tap, lab, wire, attack, good):
    tap.equal(wire.arrive(attack), set(),
              "enforced: no theft arrives, before the owner said a word")
    tap.equal(poison(lab, wire), [lab.sensor.mac] * 2,
              "the gateway goes on believing the owner")
    before = spoofed(lab)
    tap.equal(set(good) - wire.arrive(good), set(),
              "enforced: the owner's frames arrive")
    new = {**uses(lab.sensor, PRIVATE6), **uses(lab.sensor, OTHER),
           **uses(lab.sensor, DELEGATED)}
    tap.equal(set(new) - wire.arrive(new), set(),
              "and those of its new addresses, a host's behind it as well")
    tap.equal(spoofed(lab), before, "and none is counted")
    taken = {**uses(lab.camera, PRIVATE6), **uses(lab.camera, OTHER)}
    tap.equal(wire.arrive(taken), set(), "nobody takes these, either")
    probe = {
        "ARP probe": ("camera", lambda t: frames.arp(
            lab.camera.mac, 1, lab.camera.mac, "0.0.0.0", OTHER, t)),
        "DAD": ("camera", lambda t: frames.solicitation(
            lab.camera.mac, "::", PRIVATE6, t))}
    tap.equal(set(probe) - wire.arrive(probe), set(),
              "asking whether an address is free is no theft")


def lasting(tap, lab, wire, attack):
    """Whatever happens to us, what was bound stays bound."""
    before = len(lab.daemon.log())
    lab.gateway.run("nft", "flush", "ruleset")
    tap.ok(lab.daemon.wait_log("put back", after=before) and
           not wire.arrive(attack), "after a foreign flush no theft arrives")
    old = lab.daemon.kill_worker("isolation")
    lab.daemon.wait_worker("isolation", but=old)
    put(lab, conf(lab, "enforce", more={"sensor": "allow = icmp any"}))
    tap.equal(wire.arrive(attack), set(),
              "nor after a kill of the worker and a reload")


def flood(tap, lab, wire):
    """Who uses many addresses gets some; others are not in want of one."""
    mac = lab.stranger.mac
    for n in range(300):
        wire.send("stranger", frames.udp(
            mac, "fd00:50::f:%x" % n, GATEWAY6, (4000, 9), b"flood",
            GATEWAY_MAC))
    bound = [k for k, _ in elements(lab, "bound6", "bridge") if mac in k]
    tap.ok(3 <= len(bound) <= MANY + 1, "a flood of addresses is cut off",
           bound)
    last = uses(lab.stranger, "fd00:50::f:ff")
    tap.equal(wire.arrive(last), set(), "what is not bound is not let in")
    fresh = uses(lab.camera, "fd00:50::ca:1")
    tap.equal(set(fresh) - wire.arrive(fresh), set(),
              "another device gets a new address all the same")


def storm(tap, lab, wire):
    thief, owner = lab.stranger, lab.sensor
    lab.gateway.run("ip", "neigh", "replace", owner.ip, "lladdr", owner.mac,
                    "dev", "br0", "nud", "stale")
    before = spoofed(lab)
    for n in range(2000):
        wire.send("stranger", frames.arp(
            thief.mac, 1 + n % 2, thief.mac, owner.ip, owner.ip, b"storm"))
    tap.ok(spoofed(lab) >= before + 1900, "a storm of ARP is counted")
    tap.contains(neighbour(lab, owner.ip, "br0"), owner.mac,
                 "and believed by nobody")


def rebooted(tap, lab):
    """Who speaks first after a boot is not who has the address."""
    text, boot = conf(lab, "enforce"), Boot(lab)
    attack = {**uses(lab.stranger, lab.sensor.ip),
              **uses(lab.stranger, lab.sensor.ip6)}
    file = boot.saved("isolation.bound")
    tap.ok(wait(lambda: os.path.exists(file)) and
           stat.S_IMODE(os.stat(file).st_mode) == 0o600,
           "whose addresses are is saved, for root alone")
    done = boot.again()
    tap.ok(done.returncode == 0 and "addresses are known" in done.stdout,
           "the early load says that it knows them", done)
    wire = Wire(lab)
    tap.equal(wire.arrive(attack), set(),
              "after a boot no theft arrives, though the owner is silent")
    good = {**uses(lab.sensor, lab.sensor.ip),
            **uses(lab.sensor, lab.sensor.ip6)}
    tap.equal(set(good) - wire.arrive(good), set(), "and the owner is heard")
    put(lab, text)
    tap.equal(wire.arrive(attack), set(), "nor when the daemon runs")
    boot.down()
    boot.up()
    put(lab, text)
    wire = Wire(lab)
    tap.equal(wire.arrive(attack), set(),
              "nor when it started without the early load")
    boot.down()
    lab.gateway.run("sed", "-i", "s/./x/60", file)
    done = boot.early()
    tap.ok(done.returncode == 0 and "damaged" in done.stderr,
           "a damaged file is told, the rules are in force", done)
    boot.down()
    os.unlink(file)
    boot.again()
    tap.equal(set(attack) - Wire(lab).arrive(attack), set(),
              "without the file the thief has them")


def ports(tap):
    """A MAC at one port is not taken over by another port."""
    with Lab() as lab:
        wire = Wire(lab)
        victim, thief = lab.camera, lab.stranger
        moved = {**uses(victim, victim.ip, thief),
                 **uses(victim, victim.ip6, thief),
                 "a frame of no kind": (thief.name, lambda t: frames.ether(
                     victim.mac, 0x88b5, t.ljust(46)))}

        def port_of():
            out = lab.gateway.run("bridge", "fdb", "show", "br", "br0").stdout
            return [line.split()[2] for line in out.splitlines()
                    if line.startswith(victim.mac) and "permanent" not in line]
        tap.equal(set(moved) - wire.arrive(moved), set(),
                  "without rules a MAC may be at another port")
        tap.ok(until(lambda: wire.arrive({"x": moved["a frame of no kind"]})
                     and port_of() == [thief.port]) is not None,
               "which takes over what is sent to it", port_of())
        wire.arrive(own(victim))
        put(lab, conf(lab, "observe"))
        tap.equal(set(own(victim)) - wire.arrive(own(victim)), set(),
                  "observed: the owner is where it is")
        before = spoofed(lab)
        tap.equal(set(moved) - wire.arrive(moved), set(),
                  "observed: its MAC at another port is let through")
        tap.ok(spoofed(lab) > before, "and counted")
        wire.arrive(own(victim))
        put(lab, conf(lab, "enforce"))
        tap.equal(wire.arrive(moved), set(),
                  "enforced: it is not, after a reload, too")
        tap.equal(port_of(), [victim.port],
                  "and the bridge goes on sending to the owner")
        tap.equal(set(own(victim)) - wire.arrive(own(victim)), set(),
                  "which is heard as before")
        put(lab, conf(lab, "enforce", "roaming = free"))
        tap.equal(set(moved) - wire.arrive(moved), set(),
                  "with roaming = free it may move at once")


def ends(tap):
    """What a zone or a device may be excepted from."""
    with Lab() as lab:
        wire = Wire(lab)
        put(lab, conf(lab, "enforce", "binding = off"))
        wire.arrive(own(lab.sensor))
        attack = theft(lab.stranger, lab.sensor)
        tap.equal(set(attack) - wire.arrive(attack), set(),
                  "binding = off: an address is anybody's")
        put(lab, conf(lab, "enforce", "binding = strict"))
        wire.arrive(own(lab.sensor))
        tap.equal(wire.arrive(own(lab.sensor)),
                  {n for n in own(lab.sensor) if "fd00" in n or "fe80" in n},
                  "strict: IPv4 without DHCP does not come in, IPv6 does")
        put(lab, conf(lab, "enforce", "binding = strict", {
            "sensor": "address = " + lab.sensor.ip}))
        tap.equal(set(own(lab.sensor)) - wire.arrive(own(lab.sensor)), set(),
                  "strict: a pin is as good as a lease")
        put(lab, conf(lab, "enforce", more={"camera": "shared-mac = yes"}))
        wire.arrive(own(lab.sensor))
        behind = {}
        for n in range(40):
            behind.update(uses(lab.camera, "192.168.50.%d" % (200 + n)))
        tap.equal(set(behind) - wire.arrive(behind), set(),
                  "shared-mac: many may be behind an extender")
        lie = uses(lab.camera, GATEWAY)
        tap.equal(wire.arrive(lie), set(), "but not the gateway")


def routed(tap):
    """An interface without a bridge: IP and ND, where no ARP is seen."""
    with Lab() as lab:
        sink = lab.serve_udp("gateway", 9)
        wire = Wire(lab, "lan0")
        lab.gateway.sysctl("ipv4/conf/all/rp_filter", 0)
        lab.gateway.sysctl("ipv4/conf/lan0/rp_filter", 0)
        target = lab.gateway.run(
            "cat", "/sys/class/net/lan0/address").stdout.strip()
        first, thief = lab.owner.mac, "02:00:00:00:60:66"
        mine, mine6 = "192.168.60.10", "fd00:60::10"

        def config(mode):
            return ("[gateway]\nmode = %s\n[zone things]\ninterface = lan0\n"
                    "[device lamp]\nmac = %s\nallow = udp/9 192.168.60.1\n"
                    "allow = udp/9 fd00:60::1\n[device other]\nmac = %s\n"
                    "allow = udp/9 192.168.60.1\nallow = udp/9 fd00:60::1\n"
                    % (mode, first, thief))

        def heard(mac):
            """Which packets of the MAC came in, with the others' address."""
            tags = {}
            for ip, to in ((mine, "192.168.60.1"), (mine6, "fd00:60::1")):
                tag = os.urandom(8).hex().encode()
                tags[tag] = ip
                wire.send("owner", frames.udp(
                    mac, ip, to, (4000, 9), tag, target))
            wait(lambda: set(tags) <= {d for _, d in sink.seen}, 0.7)
            return sorted(tags[d] for _, d in sink.seen if d in tags)

        def cache():
            """Whom the gateway takes for the first one."""
            lab.gateway.run("ip", "neigh", "replace", mine6, "lladdr", first,
                            "dev", "lan0", "nud", "stale")
            wire.send("owner", frames.advertisement(
                thief, link_local(thief), mine6, b"x", "fd00:60::1", target))
            heard(first)
            return thief in neighbour(lab, mine6)
        both = [mine, mine6]
        tap.equal((heard(first), heard(thief), cache()), (both, both, True),
                  "routed, without rules: an address is anybody's")
        put(lab, config("observe"))
        before = spoofed(lab)
        tap.equal((heard(first), heard(thief), cache()), (both, both, True),
                  "routed, observed: it is, too")
        tap.ok(spoofed(lab) >= before + 3, "but counted")
        put(lab, config("enforce"))
        tap.equal((heard(thief), heard(first), cache()), ([], both, False),
                  "routed, enforced: it is the first one's")
        tap.ok(until(lambda: not heard(thief), 2) is not None,
               "and stays so")


if __name__ == "__main__":
    run(first_come, ports, ends, routed)
