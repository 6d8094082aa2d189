# SPDX-License-Identifier: GPL-2.0-or-later
"""Peers that speak multicast DNS and SSDP: just enough to ask and to offer."""
import socket
import struct
import time

PTR, TXT, SRV, A, AAAA = 12, 16, 33, 1, 28
GROUP, GROUP6, PORT = "224.0.0.251", "ff02::fb", 5353
SSDP = ("239.255.255.250", 1900)


def name(text):
    return b"".join(bytes([len(l)]) + l.encode()
                    for l in text.split(".")) + b"\0"


def question(*asked):
    """asked: (name, type)"""
    return struct.pack("!6H", 0, 0, len(asked), 0, 0, 0) + b"".join(
        name(n) + struct.pack("!HH", kind, 1) for n, kind in asked)


def record(owner, kind, data, ttl=120):
    return name(owner) + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data


def answer(*records):
    return struct.pack("!6H", 0, 0x8400, 0, len(records), 0, 0) + b"".join(
        records)


def offer(service, instance, host, ip, port=631):
    """All that a service says of itself."""
    full = instance + "." + service
    return answer(
        record(service, PTR, name(full)),
        record(full, SRV, struct.pack("!HHH", 0, 0, port) + name(host)),
        record(full, TXT, b"\x03a=b"),
        record(host, A, socket.inet_aton(ip)))


class Peer:
    """A node's socket on 5353 (or on SSDP's port), in its group."""

    def __init__(self, lab, node, port=PORT, group=GROUP, family=4):
        kind = socket.AF_INET6 if family == 6 else socket.AF_INET
        self.sock = lab.socket(node, kind, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        link = "lan0" if node == "gateway" else "eth0"
        index = int(lab.node(node).run(
            "cat", "/sys/class/net/%s/ifindex" % link).stdout)
        self.there = (group, port)
        if family == 6:
            self.sock.bind(("::", port))
            self.there = (GROUP6, port, 0, index)
            self.sock.setsockopt(
                socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                socket.inet_pton(kind, GROUP6) + struct.pack("=I", index))
            self.sock.setsockopt(socket.IPPROTO_IPV6,
                                 socket.IPV6_MULTICAST_IF, index)
            self.sock.setsockopt(socket.IPPROTO_IPV6,
                                 socket.IPV6_MULTICAST_LOOP, 0)
        else:
            self.sock.bind(("0.0.0.0", port))
            member = struct.pack("=4s4si", socket.inet_aton(group),
                                 bytes(4), index)
            self.sock.setsockopt(socket.IPPROTO_IP,
                                 socket.IP_ADD_MEMBERSHIP, member)
            self.sock.setsockopt(socket.IPPROTO_IP,
                                 socket.IP_MULTICAST_IF, member)
            self.sock.setsockopt(socket.IPPROTO_IP,
                                 socket.IP_MULTICAST_LOOP, 0)
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.sock.close()

    def say(self, data, there=None):
        self.sock.sendto(data, there or self.there)

    def hear(self, part, timeout=8.0):
        """The first message with these bytes in it, and who sent it."""
        end = time.monotonic() + timeout
        while True:
            left = end - time.monotonic()
            if left <= 0:
                return None, None
            self.sock.settimeout(left)
            try:
                data, who = self.sock.recvfrom(65536)
            except socket.timeout:
                return None, None
            if part in data:
                return data, who

    def drain(self):
        """All that has come, without waiting."""
        self.sock.settimeout(0)
        got = []
        try:
            while True:
                got.append(self.sock.recvfrom(65536)[0])
        except OSError:
            return got


def search(target):
    return ("M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n"
            'MAN: "ssdp:discover"\r\nMX: 1\r\nST: %s\r\n\r\n' %
            target).encode()


def found(target):
    return ("HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=60\r\n"
            "LOCATION: http://192.168.50.11/d.xml\r\nST: %s\r\n"
            "USN: uuid:1::%s\r\n\r\n" % (target, target)).encode()
