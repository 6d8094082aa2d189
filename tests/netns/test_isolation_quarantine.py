#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A device nobody knows reaches nothing: no name server, no clock, no
neighbour, no gateway. It may ask for an address, and that is all."""
import socket
import time

from isolation_lab import NAME_SERVER, Lab, all_cut, all_open, counter
from isolation_lab import elements, everywhere, put, run, wait, ways

PORTS = (7, 53, 123)


def tried(lab):
    wanted = [("stranger", ip, kind, port)
              for ip in (lab.cloud.ip, lab.cloud.ip6, NAME_SERVER)
              for kind in ("tcp", "udp") for port in PORTS]
    wanted += [("stranger", ip, "icmp", 0)
               for ip in (lab.cloud.ip, lab.cloud.ip6)]
    return wanted + ways(lab, "stranger", "owner")


def at_gateway():
    return [("stranger", ip, kind, port)
            for ip in ("192.168.50.1", "fd00:50::1", "203.0.113.1")
            for kind in ("tcp", "udp") for port in (7, 53)] + [
                ("stranger", "192.168.50.1", "icmp", 0),
                ("stranger", "fd00:50::1", "icmp", 0)]


def dhcp(lab, family):
    """True when a client's question arrives at the gateway."""
    v6 = family == socket.AF_INET6
    server = lab.socket("gateway", family, socket.SOCK_DGRAM)
    client = lab.socket("stranger", family, socket.SOCK_DGRAM)
    with server, client:
        server.settimeout(3)
        server.bind(("::" if v6 else "0.0.0.0", 547 if v6 else 67))
        if v6:
            index = int(lab.gateway.run(
                "cat", "/sys/class/net/br0/ifindex").stdout)
            server.setsockopt(
                socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                socket.inet_pton(family, "ff02::1:2") +
                index.to_bytes(4, "little"))
            client.bind(("::", 546))
            there = ("ff02::1:2", 547, 0, 0)
            index = int(lab.stranger.run(
                "cat", "/sys/class/net/eth0/ifindex").stdout)
            client.setsockopt(socket.IPPROTO_IPV6,
                              socket.IPV6_MULTICAST_IF, index)
        else:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE,
                              b"eth0")
            client.bind(("0.0.0.0", 68))
            there = ("255.255.255.255", 67)
        client.sendto(b"discover", there)
        try:
            return server.recv(100) == b"discover"
        except socket.timeout:
            return False


def quarantine(tap):
    with Lab() as lab:
        lab.dbus()
        everywhere(lab, *PORTS)
        for port in (7, 53):
            lab.serve_tcp("gateway", port)
            lab.serve_udp("gateway", port)
        wanted = tried(lab) + at_gateway()
        wanted += ways(lab, "stranger", "camera")
        all_open(tap, lab, wanted, "without rules all is open")
        put(lab, lab.base_config("observe"))
        all_open(tap, lab, wanted, "observed: all is open")
        tap.ok(counter(lab, "quarantined") > 0, "observed: it is counted")
        put(lab, lab.base_config("enforce"))
        before = counter(lab, "quarantined")
        all_cut(tap, lab, wanted, "enforced: nothing is open")
        tap.ok(counter(lab, "quarantined") > before,
               "enforced: it is counted")
        keys = [key for key, _ in elements(lab, "attempts4")]
        tap.ok((lab.stranger.mac, lab.cloud.ip, "udp", 123) in keys,
               "what it tried is on the list", keys)
        keys = [key for key, _ in elements(lab, "attempts6")]
        tap.ok((lab.stranger.mac, lab.cloud.ip6, "tcp", 7) in keys,
               "with IPv6 as well", keys)
        tap.ok(dhcp(lab, socket.AF_INET), "DHCP reaches the gateway")
        tap.ok(dhcp(lab, socket.AF_INET6), "DHCPv6 reaches the gateway")
        if "registry" in lab.workers_built():
            decided(tap, lab, wanted)
        admitted(tap, lab, wanted)


def echoes(sock):
    try:
        sock.settimeout(0.7)
        sock.sendall(b"hello")
        return sock.recv(5) == b"hello"
    except OSError:
        return False


def decided(tap, lab, wanted):
    """The same by a decision, and its end: without touching a file."""
    outside = [w for w in wanted
               if w[1] in (lab.cloud.ip, lab.cloud.ip6) and w[3] != 53]
    mac = lab.stranger.mac
    began = time.monotonic()
    done = lab.ctl("device", "approve", mac, "--yes", check=False)
    took = time.monotonic() - began
    tap.ok(done.returncode == 0, "approved by the command", done.stderr +
           lab.daemon.log())
    all_open(tap, lab, outside[:1], "it passes when the command is back")
    tap.note("%.0f ms, all of the command" % (took * 1000))
    all_open(tap, lab, outside, "an approved device reaches the world outside")
    all_cut(tap, lab, ways(lab, "stranger", "camera") +
            ways(lab, "stranger", "owner"), "and nobody inside")
    sock = lab.tcp_connect("stranger", lab.cloud.ip, 7)
    tap.ok(echoes(sock), "(a connection of its own)")
    lab.ctl("device", "block", mac)
    tap.ok(not echoes(sock), "blocked: its connection ends")
    sock.close()
    all_cut(tap, lab, outside, "and it reaches nothing")
    lab.ctl("pause", mac, "5m")
    all_open(tap, lab, outside[:1], "paused: nothing of it is blocked")
    lab.ctl("pause", mac, "0")
    lab.ctl("device", "approve", mac, "--yes", "--for", "2")
    all_open(tap, lab, outside[:1], "approved for a time")
    tap.ok(wait(lambda: "decision\": \"blocked" in lab.ctl(
        "device", "show", mac, "--json").stdout, 15),
           "which ends by itself")
    all_cut(tap, lab, outside[:1], "then it is blocked, as before")
    lab.ctl("device", "forget", mac)


def admitted(tap, lab, wanted):
    """The same packets pass once the device has a name and allow lines."""
    put(lab, lab.base_config(
        "enforce", ("camera", "sensor", "stranger"), {
            "stranger": "allow = any any"}))
    outside = [w for w in wanted
               if w[1] in (lab.cloud.ip, lab.cloud.ip6) and w[3] != 53]
    all_open(tap, lab, outside, "a named device reaches what it may")


def gateway_without_daemon(tap):
    """What is not bridged is judged on a routed interface as well."""
    with Lab() as lab:
        everywhere(lab, 7)
        lab.gateway.link("p-stranger", "nomaster")
        lab.gateway.run("ip", "addr", "add", "192.168.70.1/24", "dev",
                        "p-stranger")
        lab.stranger.run("ip", "addr", "flush", "dev", "eth0")
        lab.stranger.run("ip", "addr", "add", "192.168.70.2/24", "dev",
                         "eth0")
        lab.stranger.run("ip", "route", "replace", "default", "via",
                         "192.168.70.1")
        wanted = [("stranger", ip, kind, 7)
                  for ip in (lab.cloud.ip, lab.camera.ip)
                  for kind in ("tcp", "udp")]
        all_open(tap, lab, wanted, "routed interface: open without rules")
        text = lab.base_config("enforce").replace(
            "interface = br0", "interface = br0 p-stranger")
        put(lab, text)
        all_cut(tap, lab, wanted, "routed interface: cut with rules")
        tap.ok(wait(lambda: (lab.stranger.mac, ) in [
            (key, ) for key, _ in elements(lab, "strangers")]),
            "its tally is kept")


if __name__ == "__main__":
    run(quarantine, gateway_without_daemon)
