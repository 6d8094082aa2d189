# SPDX-License-Identifier: GPL-2.0-or-later
"""Ethernet frames as bytes: what a device on the link can say, honestly or
not. Each ends with a tag by which it is known again."""
import ipaddress
import struct

from net import checksum

BROADCAST = "ff:ff:ff:ff:ff:ff"
ALL_NODES = "33:33:00:00:00:01"
UDP, ICMP, ICMP6 = 17, 1, 58


def packed(text):
    if text.count(":") == 5 and len(text) == 17:
        return bytes.fromhex(text.replace(":", ""))
    return ipaddress.ip_address(text).packed


def link_local(mac):
    b = bytearray(packed(mac))
    b[0] ^= 2
    return "fe80::%02x%02x:%02xff:fe%02x:%02x%02x" % tuple(b)


def ether(source, kind, payload, target=BROADCAST, tags=()):
    """tags: of VLANs, outermost first."""
    head = packed(target) + packed(source)
    for tag in tags:
        head += struct.pack("!HH", 0x8100, tag)
    return head + struct.pack("!H", kind) + payload


def arp(source, operation, says_mac, says_ip, about, tag, tags=()):
    payload = struct.pack("!HHBBH", 1, 0x800, 6, 4, operation)
    payload += packed(says_mac) + packed(says_ip) + bytes(6) + packed(about)
    return ether(source, 0x806, payload + tag, tags=tags)


def ip4(source, says_ip, to, protocol, payload, target=BROADCAST):
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0, 64,
                       protocol, 0) + packed(says_ip) + packed(to)
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return ether(source, 0x800, head + payload, target)


def ip6(source, says_ip, to, protocol, payload, target=ALL_NODES, between=b""):
    """between: extension headers; protocol is then the first one's."""
    head = struct.pack("!IHBB", 6 << 28, len(between) + len(payload),
                       protocol, 255) + packed(says_ip) + packed(to)
    return ether(source, 0x86dd, head + between + payload, target)


def icmp6(source, says_ip, to, kind, body, target=ALL_NODES, between=b"",
          first=ICMP6):
    message = struct.pack("!BBH", kind, 0, 0) + body
    pseudo = packed(says_ip) + packed(to) + struct.pack(
        "!II", len(message), ICMP6)
    message = message[:2] + struct.pack(
        "!H", checksum(pseudo + message)) + message[4:]
    return ip6(source, says_ip, to, first, message, target, between)


def advertisement(source, says_ip, about, tag, to="ff02::1",
                  target=ALL_NODES):
    """Of a neighbour: about is here, at my link address."""
    body = struct.pack("!I", 0x20000000) + packed(about)
    body += b"\x02\x01" + packed(source) + b"\xfd\x02" + tag[:14].ljust(14)
    return icmp6(source, says_ip, to, 136, body, target)


def solicitation(source, says_ip, about, tag):
    """Says :: when it looks whether the address is free."""
    body = bytes(4) + packed(about) + b"\xfd\x02" + tag[:14].ljust(14)
    return icmp6(source, says_ip, "ff02::1", 135, body)


def router(source, says_ip, tag, between=b"", first=ICMP6):
    body = struct.pack("!BBHII", 64, 0, 1800, 0, 0)
    body += b"\xfd\x02" + tag[:14].ljust(14)
    return icmp6(source, says_ip, "ff02::1", 134, body, between=between,
                 first=first)


def udp(source, says_ip, to, ports, tag, target=None):
    data = struct.pack("!HHHH", ports[0], ports[1], 8 + len(tag), 0) + tag
    if ":" not in says_ip:
        return ip4(source, says_ip, to, UDP, data, target or BROADCAST)
    pseudo = packed(says_ip) + packed(to) + struct.pack("!II", len(data), UDP)
    data = data[:6] + struct.pack("!H", checksum(pseudo + data)) + tag
    return ip6(source, says_ip, to, UDP, data, target or ALL_NODES)
