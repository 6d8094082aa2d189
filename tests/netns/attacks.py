# SPDX-License-Identifier: GPL-2.0-or-later
"""What a hostile device can send, as data: for each attack who sends it, a
maker of frames from a tag, and where they arrive when nobody stops them.
Nothing here knows how it is stopped."""
import collections
import contextlib
import os
import socket
import struct
import time

import frames
from frames import ICMP, ICMP6, UDP, packed

TCP = 6
LAST = 0x3fff  # no port of anybody
Attack = collections.namedtuple("Attack", "sender maker target")


class Ears:
    """Hears all that comes in at the nodes, and knows tags again."""

    def __init__(self, lab, names):
        self.lab = lab
        self.ears = {name: self.listen(name) for name in names}
        self.mouths = {}

    def listen(self, name):
        sock = self.lab.socket(name, socket.AF_PACKET, socket.SOCK_RAW,
                               socket.htons(3))
        sock.setsockopt(socket.SOL_SOCKET, 33, 1 << 23)  # SO_RCVBUFFORCE
        sock.bind(("eth0", 3))
        sock.setblocking(False)
        self.lab.closers.append(sock.close)
        return sock

    def send(self, node, frame):
        if node not in self.mouths:
            sock = self.lab.socket(node, socket.AF_PACKET, socket.SOCK_RAW)
            sock.bind(("eth0", 0))
            self.lab.closers.append(sock.close)
            self.mouths[node] = sock
        self.mouths[node].send(frame)

    def drain(self, waiting, sent, came):
        """True when a tag was heard again, wherever."""
        fresh = False
        for name, sock in self.ears.items():
            while True:
                try:
                    data, where = sock.recvfrom(65536)
                except BlockingIOError:
                    break
                if where[2] == socket.PACKET_OUTGOING:
                    continue
                for tag, attack in waiting.items():
                    if tag in data and name != sent[attack]:
                        came[attack].add(name)
                        fresh = True
        return fresh

    def numbers(self, node, port):
        """What TCP from that port says next, and hears next."""
        found = None
        with contextlib.suppress(BlockingIOError):
            while True:
                data = self.ears[node].recv(65536)[14:]
                head = 40 if data[0] >> 4 == 6 else (data[0] & 15) * 4
                if data[6 if head == 40 else 9] != TCP or \
                        data[head:head + 2] != port.to_bytes(2, "big"):
                    continue
                total = struct.unpack_from("!H", data, 4 if head == 40 else 2)
                length = total[0] + (40 if head == 40 else 0) - head - (
                    data[head + 12] >> 4) * 4
                said, heard = struct.unpack_from("!II", data, head + 4)
                found = said + length, heard
        return found

    def arrive(self, attacks, sinks=(), quiet=0.7, most=6):
        """
        {attack: names of the nodes where it came in}; an error that quotes
        it to its own sender is none.
        """
        waiting, came = {}, {name: set() for name in attacks}
        sent = {name: attack.sender for name, attack in attacks.items()}
        for name, attack in attacks.items():
            tag = os.urandom(7).hex().encode()
            waiting[tag] = name
            for frame in as_list(attack.maker(tag)):
                self.send(attack.sender, frame)
        end, still = time.monotonic() + most, time.monotonic() + quiet
        while time.monotonic() < min(end, still):
            if self.drain(waiting, sent, came):
                still = time.monotonic() + quiet
            time.sleep(0.02)
        for sink in sinks:
            for _, data in list(sink.seen):
                for tag, name in waiting.items():
                    if tag in data:
                        came[name].add("gateway")
        return came


def as_list(frames_or_one):
    return frames_or_one if isinstance(frames_or_one, list) else [
        frames_or_one]


def tcp(source, says_ip, to, ports, tag, flags=2, target=None, number=1000):
    data = struct.pack("!HHIIBBHHH", ports[0], ports[1], number, 0, 5 << 4,
                       flags, 8192, 0, 0) + tag
    v6 = ":" in says_ip
    pseudo = packed(says_ip) + packed(to) + (
        struct.pack("!II", len(data), TCP) if v6 else
        struct.pack("!BBH", 0, TCP, len(data)))
    data = data[:16] + struct.pack("!H", frames.checksum(pseudo + data)) + \
        data[18:]
    make = frames.ip6 if v6 else frames.ip4
    return make(source, says_ip, to, TCP, data, target)


def pieces4(source, says_ip, to, target, parts):
    """IPv4 fragments of one datagram: parts are (offset, more, bytes)."""
    out = []
    for offset, more, data in parts:
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(data), 77,
                           (0x2000 if more else 0) | offset // 8, 64, UDP, 0)
        head += packed(says_ip) + packed(to)
        head = head[:10] + struct.pack(
            "!H", frames.checksum(head)) + head[12:]
        out.append(frames.ether(source, 0x800, head + data, target))
    return out


def pieces6(source, says_ip, to, target, parts):
    return [frames.ip6(source, says_ip, to, 44, data, target, struct.pack(
        "!BxHI", UDP, offset | (1 if more else 0), 77))
        for offset, more, data in parts]


def datagram(tag, port=9, length=64):
    """A UDP head and bytes with the tag in the first and in the last part."""
    body = tag.ljust(length - 8 - len(tag), b".") + tag
    return struct.pack("!HHHH", 4000, port, length, 0) + body


def fragments(tag):
    whole = datagram(tag)
    return [(0, True, whole[:32]), (32, False, whole[32:])]


def overlapping(tag):
    """The second piece would write another port over the first one's."""
    whole = datagram(tag, 443)
    return [(0, True, whole[:32]), (0, True, datagram(tag)[:32]),
            (24, False, whole[24:])]


def source_routed(own, to, via, target, tag):
    """Loose source route: to the gateway, and from there on."""
    option = bytes((131, 7, 4)) + packed(to) + b"\0"
    data = datagram(tag)
    head = struct.pack("!BBHHHBBH", 0x47, 0, 28 + len(data), 1, 0, 64, UDP, 0)
    head += packed(own.ip) + packed(via) + option
    head = head[:10] + struct.pack("!H", frames.checksum(head)) + head[12:]
    return frames.ether(own.mac, 0x800, head + data, target)


def on_the_link(lab, own, other):
    """Only where a neighbour hears frames without the gateway."""
    here = frames.link_local(own.mac)

    def kind(ethertype, target=other.mac):
        return lambda t: frames.ether(own.mac, ethertype, t.ljust(46), target)

    def to(ip, target, says=None):
        return lambda t: frames.udp(
            own.mac, says or (here if ip.startswith("ff") else own.ip6
                              if ":" in ip else own.ip), ip, (4000, 9), t,
            target)
    makers = {
        "IPv4 to a neighbour": to(other.ip, other.mac),
        "IPv6 to a neighbour": to(other.ip6, other.mac),
        "IPv6 to its link address": to(
            frames.link_local(other.mac), other.mac, here),
        "IPv4 for a neighbour by broadcast": to(other.ip, frames.BROADCAST),
        "IPv4 broadcast": to("255.255.255.255", frames.BROADCAST),
        "IPv4 broadcast of the network": to(
            own.ip.rsplit(".", 1)[0] + ".255", frames.BROADCAST),
        "mDNS": to("224.0.0.251", "01:00:5e:00:00:fb"),
        "mDNS, IPv6": to("ff02::fb", "33:33:00:00:00:fb"),
        "SSDP": to("239.255.255.250", "01:00:5e:7f:ff:fa"),
        "ARP for a neighbour": lambda t: frames.arp(
            own.mac, 1, own.mac, own.ip, other.ip, t),
        "neighbour solicitation": lambda t: frames.solicitation(
            own.mac, here, other.ip6, t),
        "as the gateway": lambda t: frames.udp(
            lab.gateway_mac(own), lab.gateway_of(own)[0], other.ip,
            (53, 4000), t, other.mac),
        "another ethertype": kind(0x88b5),
        "PPPoE": kind(0x8863, frames.BROADCAST),
        "MPLS": kind(0x8847),
        "EAPOL to a neighbour": kind(0x888e),
        "an LLC frame": lambda t: packed(other.mac) + packed(own.mac) +
        struct.pack("!H", 3 + len(t)) + b"\xaa\xaa\x03" + t,
        "in a VLAN tag": lambda t: frames.ether(
            own.mac, 0x88b5, t.ljust(46), other.mac, [5]),
        "below two VLAN tags": lambda t: frames.ether(
            own.mac, 0x800, frames.udp(own.mac, own.ip, other.ip, (1, 9),
                                       t)[14:], other.mac, [5, 6]),
        "in a service tag": lambda t: packed(other.mac) + packed(own.mac) +
        struct.pack("!HHHH", 0x88a8, 5, 0x8100, 6) + b"\x08\x00" + t,
    }
    return {name: Attack(own.name, maker, other.name)
            for name, maker in makers.items()}


def by_the_gateway(lab, own, other):
    """What the gateway would forward."""
    gate, cloud = lab.gateway_mac(own), lab.cloud
    theirs = (lab.cloud_ip(1), lab.cloud_ip(1, 6))
    hop = struct.pack("!BB6x", UDP, 0)
    routing = struct.pack("!BBBBI", UDP, 0, 4, 0, 0)

    def udp(ip, port=9, says=None, sport=4000):
        says = says or (own.ip6 if ":" in ip else own.ip)
        return lambda t: frames.udp(own.mac, says, ip, (sport, port), t, gate)

    def raw(protocol, ip, data=b""):
        make, says = (frames.ip6, own.ip6) if ":" in ip else (
            frames.ip4, own.ip)
        return lambda t: make(own.mac, says, ip, protocol, data + t, gate)

    def behind(between, first):
        return lambda t: frames.ip6(
            own.mac, own.ip6, cloud.ip6, first, datagram(t), gate, between)
    to_other = {
        "routed to a neighbour": udp(other.ip),
        "routed to a neighbour, IPv6": udp(other.ip6),
    }
    to_cloud = {
        "a port that is not allowed": udp(cloud.ip),
        "a port that is not allowed, IPv6": udp(cloud.ip6),
        "what the neighbour may": lambda t: tcp(
            own.mac, own.ip, theirs[0], (4000, 443), t, target=gate),
        "what the neighbour may, IPv6": lambda t: tcp(
            own.mac, own.ip6, theirs[1], (4000, 443), t, target=gate),
        "by the neighbour's address": lambda t: tcp(
            own.mac, other.ip, theirs[0], (4001, 443), t, target=gate),
        "by the neighbour's IPv6 address": lambda t: tcp(
            own.mac, other.ip6, theirs[1], (4001, 443), t, target=gate),
        "by an address from nowhere": udp(cloud.ip, says="198.51.100.9"),
        "by an IPv6 address from nowhere": udp(
            cloud.ip6, says="2001:db8:5::9"),
        "in fragments": lambda t: pieces4(
            own.mac, own.ip, cloud.ip, gate, fragments(t)),
        "in fragments, IPv6": lambda t: pieces6(
            own.mac, own.ip6, cloud.ip6, gate, fragments(t)),
        "in overlapping fragments": lambda t: pieces4(
            own.mac, own.ip, cloud.ip, gate, overlapping(t)),
        "in overlapping fragments, IPv6": lambda t: pieces6(
            own.mac, own.ip6, cloud.ip6, gate, overlapping(t)),
        "a last fragment alone": lambda t: pieces4(
            own.mac, own.ip, cloud.ip, gate, fragments(t)[1:]),
        "behind hop-by-hop options": behind(hop, 0),
        "behind destination options": behind(hop, 60),
        "behind a routing header": behind(routing, 43),
        "no next header": raw(59, cloud.ip6),
        "a protocol of no one": raw(253, cloud.ip),
        "GRE": raw(47, cloud.ip, struct.pack("!HH", 0, 0x800)),
        "SCTP": raw(132, cloud.ip6, struct.pack("!HHII", 1, 443, 0, 0)),
        "ICMP echo": raw(ICMP, cloud.ip, struct.pack("!BBHI", 8, 0, 0, 1)),
        "ICMPv6 echo": lambda t: frames.icmp6(
            own.mac, own.ip6, cloud.ip6, 128, struct.pack("!I", 1) + t, gate),
        "an answer nobody asked for": lambda t: tcp(
            own.mac, own.ip, cloud.ip, (443, 4000), t, 0x12, gate),
        "the middle of a connection": lambda t: tcp(
            own.mac, own.ip, cloud.ip, (4002, 80), t, 0x18, gate),
        "an ICMP error about nothing": raw(
            ICMP, cloud.ip, struct.pack("!BBHI", 3, 1, 0, 0)),
        "port 53 of a server that is no name server": udp(cloud.ip, 53),
        "TCP to port 53": lambda t: tcp(
            own.mac, own.ip, cloud.ip, (4003, 53), t, target=gate),
        "NTP": udp(cloud.ip6, 123),
        "from port 53": udp(cloud.ip, 9, sport=53),
        "from the DHCP client's port": udp(cloud.ip, 67, sport=68),
    }
    to_owner = {
        "to the owner": udp(lab.owner.ip),
        "to the owner, IPv6": udp(lab.owner.ip6),
        "source routed to the owner": lambda t: source_routed(
            own, lab.owner.ip, lab.gateway_of(own)[0], gate, t),
    }
    out = {}
    for target, makers in ((other.name, to_other), ("cloud", to_cloud),
                           ("owner", to_owner)):
        out.update({name: Attack(own.name, maker, target)
                    for name, maker in makers.items()})
    return out


def theft(lab, own, other):
    """As the neighbour altogether; a bridge then sends it what is theirs."""
    gate = lab.gateway_mac(own)
    return {what: Attack(own.name, lambda t, ip=ip, to=to: tcp(
        other.mac, ip, to, (4005, 443), t, target=gate), "cloud")
        for what, ip, to in (
            ("by the neighbour's MAC and address", other.ip,
             lab.cloud_ip(1)),
            ("by the neighbour's MAC and IPv6 address", other.ip6,
             lab.cloud_ip(1, 6)))}


def on_the_gateway(lab, own):
    """Its services, whichever of its addresses is dialled."""
    gate = lab.gateway_mac(own)
    ip, ip6 = lab.gateway_of(own)
    wanted = {"its address": ip, "its IPv6 address": ip6,
              "its link address": frames.link_local(gate),
              "its address in the owner's network": "192.168.60.1",
              "the IPv6 one there": "fd00:60::1",
              "its address outside": "203.0.113.1",
              "the IPv6 one outside": "2001:db8:113::1"}
    out = {}
    for name, to in wanted.items():
        says = frames.link_local(own.mac) if to.startswith("fe80") else (
            own.ip6 if ":" in to else own.ip)
        out["a service at " + name] = Attack(
            own.name, lambda t, to=to, says=says: frames.udp(
                own.mac, says, to, (4000, 9), t, gate), "gateway")
    out["a service at 127.0.0.1"] = Attack(
        own.name, lambda t: frames.udp(
            own.mac, own.ip, "127.0.0.1", (4000, 9), t, gate), "gateway")
    return out
