# SPDX-License-Identifier: GPL-2.0-or-later
"""Sockets inside namespaces, opened from this very process.

A socket belongs to the namespace its thread was in when it was made, so a
thread steps in, opens, steps out: no helper processes, nothing to wait for.
"""
import concurrent.futures
import contextlib
import ctypes
import os
import socket
import struct
import threading
import time

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)
SOON = 0.7  # a packet that has not arrived by then was dropped
LATER = 8.0  # a busy machine is no failure


@contextlib.contextmanager
def entered(netns):
    """This thread is inside the namespace for the duration of the block."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    there = os.open("/run/netns/" + netns, os.O_RDONLY | os.O_CLOEXEC)
    try:
        set_netns(there)
        try:
            yield
        finally:
            set_netns(home)
    finally:
        os.close(home)
        os.close(there)


def set_netns(fd):
    if LIBC.setns(fd, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def family_of(ip):
    return socket.AF_INET6 if ":" in ip else socket.AF_INET


class Server:
    """Answers on one address; .seen is what arrived, in order."""

    def __init__(self, sock, handle):
        self.sock = sock
        self.seen = []
        self.handle = handle
        self.stopping = False
        self.thread = threading.Thread(target=self.loop, daemon=True)
        self.thread.start()

    def loop(self):
        self.sock.settimeout(0.2)
        while not self.stopping:
            try:
                self.handle(self)
            except socket.timeout:
                continue
            except OSError:
                if self.stopping:
                    return

    def close(self):
        self.stopping = True
        self.thread.join()
        self.sock.close()


def echo_tcp(server):
    connection, peer = server.sock.accept()
    server.seen.append(peer)
    threading.Thread(
        target=echo_one, args=(connection,), daemon=True).start()


def echo_one(connection):
    with connection, contextlib.suppress(OSError):
        connection.settimeout(30)
        while True:
            data = connection.recv(65536)
            if not data:
                return
            connection.sendall(data)


def echo_udp(server):
    """Answers from the address that was asked, whichever it was."""
    data, about, _, peer = server.sock.recvmsg(65536, 256)
    server.seen.append((peer, data))
    server.sock.sendmsg([data], about, 0, peer)


class NetPart:
    """The part of the lab that talks: tcp, udp and icmp, IPv4 and IPv6."""

    def __init__(self):
        self.servers = {}

    def socket(self, name, family, kind, protocol=0):
        """A socket inside the node; the caller closes it."""
        with entered(self.nodes[name].netns):
            return socket.socket(family, kind, protocol)

    # Servers

    def serve_tcp(self, name, port, ip=None, handle=echo_tcp):
        """An echo server on all addresses of both families, or on one."""
        return self.serve(name, port, ip, socket.SOCK_STREAM, handle)

    def serve_udp(self, name, port, ip=None, handle=echo_udp):
        return self.serve(name, port, ip, socket.SOCK_DGRAM, handle)

    def serve(self, name, port, ip, kind, handle):
        if ip is None:
            ip = "::" if self.ipv6 else "0.0.0.0"
        sock = self.socket(name, family_of(ip), kind)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if ip == "::":
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        if kind == socket.SOCK_DGRAM and family_of(ip) == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        sock.bind((ip, port))
        if kind == socket.SOCK_STREAM:
            sock.listen(128)
        server = Server(sock, handle)
        self.closers.append(server.close)
        return server

    # Clients

    def tcp_connect(self, name, ip, port, timeout=LATER, source=None):
        """A connected socket; OSError (socket.timeout when dropped)."""
        sock = self.socket(name, family_of(ip), socket.SOCK_STREAM)
        try:
            sock.settimeout(timeout)
            if source:
                sock.bind((source, 0))
            sock.connect((ip, port))
        except BaseException:
            sock.close()
            raise
        return sock

    def udp_send(self, name, ip, port, data=b"hello"):
        with self.socket(name, family_of(ip), socket.SOCK_DGRAM) as sock:
            sock.sendto(data, (ip, port))

    # What came of an attempt: "yes", "refused", "unreachable", "dropped"

    def attempt(self, name, ip, protocol, port=0, timeout=LATER):
        """One try of a round trip; needs an echo server for tcp and udp."""
        try:
            if protocol == "tcp":
                return self.attempt_tcp(name, ip, port, timeout)
            if protocol == "udp":
                return self.attempt_udp(name, ip, port, timeout)
            return self.attempt_icmp(name, ip, timeout)
        except socket.timeout:
            return "dropped"
        except ConnectionError:
            return "refused"
        except OSError as error:
            return "unreachable (%s)" % error.strerror

    def attempt_tcp(self, name, ip, port, timeout):
        with self.tcp_connect(name, ip, port, timeout) as sock:
            sock.sendall(b"hello")
            return "yes" if sock.recv(5) else "refused"

    def attempt_udp(self, name, ip, port, timeout):
        with self.socket(name, family_of(ip), socket.SOCK_DGRAM) as sock:
            sock.connect((ip, port))
            return ask(sock, lambda: sock.send(b"hello"),
                       lambda: sock.recv(5), timeout)

    def attempt_icmp(self, name, ip, timeout):
        family = family_of(ip)
        v6 = family == socket.AF_INET6
        protocol = socket.IPPROTO_ICMPV6 if v6 else socket.IPPROTO_ICMP
        number = os.urandom(2)
        packet = struct.pack("!BBH", 128 if v6 else 8, 0, 0) + number
        packet += b"\0\1gatehouse-lab"
        if not v6:
            packet = packet[:2] + struct.pack(
                "!H", checksum(packet)) + packet[4:]

        def is_answer():
            data, peer = sock.recvfrom(2048)
            if not v6:
                data = data[(data[0] & 15) * 4:]
            return (data[0] == (129 if v6 else 0) and peer[0] == ip and
                    data[4:6] == number)
        with self.socket(name, family, socket.SOCK_RAW, protocol) as sock:
            return ask(sock, lambda: sock.sendto(packet, (ip, 0)),
                       is_answer, timeout)

    def reaches(self, name, ip, protocol="tcp", port=0):
        """True when the round trip succeeds; patient."""
        return self.attempt(name, ip, protocol, port) == "yes"

    def is_cut(self, name, ip, protocol="tcp", port=0, timeout=SOON):
        """True when nothing comes back; not patient."""
        return self.attempt(name, ip, protocol, port, timeout) != "yes"

    def attempts(self, wanted, timeout=LATER):
        """
        Many attempts at once: a list of (name, ip, protocol, port). Returns
        what came of each, in the same order.
        """
        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            return list(pool.map(
                lambda one: self.attempt(*one, timeout=timeout), wanted))


def ask(sock, send, is_answer, timeout):
    """
    Sends, and again each second, until the answer comes; socket.timeout
    when it does not. One lost datagram says nothing.
    """
    end = time.monotonic() + timeout
    again = 0.0
    while True:
        now = time.monotonic()
        if now >= end:
            raise socket.timeout()
        if now >= again:
            again = now + 1
            send()
        sock.settimeout(max(0.001, min(again, end) - now))
        try:
            if is_answer():
                return "yes"
        except socket.timeout:
            continue


def checksum(packet):
    if len(packet) % 2:
        packet += b"\0"
    total = sum(struct.unpack("!%dH" % (len(packet) // 2), packet))
    total = (total >> 16) + (total & 0xffff)
    return ~(total + (total >> 16)) & 0xffff
