#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# run: timeout 300
"""All that a hostile device can send, on a bridge, on routed interfaces and
in VLANs, with and without br_netfilter: each attack arrives while nothing
stops it, and nowhere at all when isolation is enforced."""
import contextlib
import os
import struct
import subprocess

from isolation_lab import everywhere, put, run
from attack_lab import HOSTILE, NEIGHBOUR, STRANGER, Bridge, Routed, Vlans
import attacks
import frames

# What the kernel itself may refuse stands open, so that only rules stop it.
OPEN = (("ipv4/conf/all/rp_filter", 0), ("ipv4/conf/all/send_redirects", 0),
        ("ipv4/conf/all/accept_source_route", 1))
EACH = (("ipv4/conf/%s/rp_filter", 0), ("ipv4/conf/%s/route_localnet", 1),
        ("ipv4/conf/%s/accept_source_route", 1),
        ("ipv4/conf/%s/send_redirects", 0),
        ("ipv6/conf/%s/accept_source_route", 1))


def stand_open(lab, br_netfilter):
    for path, value in OPEN:
        lab.gateway.sysctl(path, value)
    for name in lab.gateway_interfaces():
        for path, value in EACH:
            lab.gateway.sysctl(path % name, value)
    for path in ("iptables", "ip6tables", "arptables"):
        with contextlib.suppress(FileNotFoundError):
            lab.gateway.sysctl("bridge/bridge-nf-call-" + path,
                               int(br_netfilter))


def warm(lab):
    """Everybody has spoken, as in a network that lives: link addresses are
    known, and whose addresses they are. Nobody believes old lies."""
    for node in (lab.gateway, lab.sensor, lab.camera, lab.stranger, lab.cloud,
                 lab.owner):
        node.run("ip", "neigh", "flush", "all")
        node.run("ip", "-6", "route", "flush", "cache")
    for node in (lab.sensor, lab.camera, lab.stranger):
        for ip in lab.gateway_of(node):
            node.run("ping", "-c1", "-W2", ip, check=False)
    for ip in (lab.owner.ip, lab.owner.ip6, lab.cloud.ip, lab.cloud.ip6,
               lab.cloud_ip(1), lab.cloud_ip(1, 6)):
        lab.gateway.run("ping", "-c1", "-W2", ip, check=False)


def collect(lab):
    own, other = lab.node(HOSTILE), lab.node(NEIGHBOUR)
    stranger = lab.node(STRANGER)
    all_of_them = {}
    for sender in (own, stranger):
        found = {**attacks.by_the_gateway(lab, sender, other),
                 **attacks.on_the_gateway(lab, sender)}
        if lab.shares_link:
            found.update(attacks.on_the_link(lab, sender, other))
        all_of_them.update({"%s: %s" % (sender.name, name): attack
                            for name, attack in found.items()})
    for name, attack in attacks.theft(lab, own, other).items():
        all_of_them["%s: %s" % (own.name, name)] = attack
    return all_of_them


def one_topology(tap, make, br_netfilter):
    with make() as lab:
        title = "%s, br_netfilter %s" % (
            lab.title, "on" if br_netfilter else "off")
        stand_open(lab, br_netfilter)
        warm(lab)
        sinks = [lab.serve_udp("gateway", 9)]
        everywhere(lab, 443, nodes=["cloud"])
        ears = attacks.Ears(lab, [NEIGHBOUR, STRANGER, "owner", "cloud"])
        wanted = collect(lab)
        came = ears.arrive(wanted, sinks)
        silent = [n for n, a in wanted.items() if a.target not in came[n]]
        tap.equal(silent, [], "%s: %d attacks arrive when nothing stops them"
                  % (title, len(wanted)))
        tap.equal(survives(lab, ears), [], title + ": forged resets, errors "
                  "and ARP kill a neighbour's connection")
        put(lab, lab.conf("enforce"))
        warm(lab)
        came = ears.arrive(wanted, sinks)
        leaks = {n: sorted(where) for n, where in came.items() if where}
        tap.equal(leaks, {}, title + ": none arrives anywhere when enforced")
        tap.equal(survives(lab, ears), [4, 6], title + ": it outlives them")


def survives(lab, ears):
    """IP versions in which the neighbour's live connection outlived it."""
    alive = []
    for family in (4, 6):
        to = lab.cloud_ip(1, family)
        with lab.tcp_connect(NEIGHBOUR, to, 443) as sock:
            port = sock.getsockname()[1]
            answers(sock)
            kill(lab, ears, to, port)
            if answers(sock):
                alive.append(family)
    return alive


def answers(sock):
    with contextlib.suppress(OSError):
        sock.settimeout(3)
        sock.sendall(b"still there?")
        return sock.recv(32) == b"still there?"
    return False


def kill(lab, ears, to, port):
    """By somebody who knows all its numbers."""
    own, other = lab.node(HOSTILE), lab.node(NEIGHBOUR)
    gate, v6 = lab.gateway_mac(own), ":" in to
    theirs = other.ip6 if v6 else other.ip
    said, heard = ears.numbers("cloud", port)
    for ports, says, at, number in (((443, port), to, theirs, heard),
                                    ((port, 443), theirs, to, said)):
        for flags in (4, 0x14):
            ears.send(HOSTILE, attacks.tcp(
                own.mac, says, at, ports, b"", flags, gate, number))
    inner = frames.ip6 if v6 else frames.ip4
    about = inner(other.mac, theirs, to, attacks.TCP, b"\0" * 8)[14:-8]
    about += struct.pack("!HHI", port, 443, said)
    if v6:
        ears.send(HOSTILE, frames.icmp6(
            own.mac, own.ip6, theirs, 1, bytes(4) + about, gate))
    else:
        body = b"\x03\x02\0\0" + bytes(4) + about
        body = body[:2] + frames.checksum(body).to_bytes(2, "big") + body[4:]
        ears.send(HOSTILE, frames.ip4(
            own.mac, own.ip, theirs, frames.ICMP, body, gate))
    for number in range(500):
        ears.send(HOSTILE, frames.arp(
            own.mac, 2, own.mac, (other.ip, lab.gateway_of(own)[0])
            [number & 1], own.ip, b"storm"))


def has_vlans():
    """Can this kernel make one? Tried in a namespace that goes at once."""
    return subprocess.run(
        ["unshare", "--net", "sh", "-c",
         "ip link add v1 type veth peer name v2 && ip "
         " link add link v1 name v1.5 type vlan id 5"],
        stderr=subprocess.DEVNULL, check=False).returncode == 0


def has_br_netfilter():
    return os.path.exists("/proc/sys/net/bridge/bridge-nf-call-iptables")


def bridge(tap):
    one_topology(tap, Bridge, False)


def bridge_filtered(tap):
    if has_br_netfilter():
        one_topology(tap, Bridge, True)
    else:
        tap.skip("br_netfilter on", "this kernel has none")


def routed(tap):
    one_topology(tap, Routed, False)


def vlans(tap):
    if not has_vlans():
        tap.skip("VLANs", "this kernel has none; tests/long/test_vm.py does")
        return
    one_topology(tap, Vlans, False)


if __name__ == "__main__":
    run(bridge, bridge_filtered, routed, vlans)
