# SPDX-License-Identifier: GPL-2.0-or-later
"""Frames out of nowhere: the kernel runs a small XDP program of ours on each
and lets it in as if an interface had received it (BPF_PROG_TEST_RUN with
live frames). One system call for many packets, so what it takes is the
gateway's own work and nobody else's."""
import ctypes
import os
import platform
import socket
import struct
import time

from net import entered

LIBC = ctypes.CDLL(None, use_errno=True)
BPF = {"x86_64": 321, "aarch64": 280, "riscv64": 280}
PROG_LOAD, TEST_RUN, LINK_CREATE = 5, 10, 28
TYPE_XDP, ATTACH_XDP = 6, 37
LIVE_FRAMES = 2
RANDOM = 7  # bpf_get_prandom_u32()
R0, R1, R2, R3, R4, R5, R6, R7, R8, R9 = range(10)


def bpf(command, attributes):
    buffer = ctypes.create_string_buffer(attributes.ljust(160, b"\0"), 160)
    result = LIBC.syscall(BPF[platform.machine()], command, buffer, 160)
    if result < 0:
        raise OSError(ctypes.get_errno(), "bpf(%d): %s" % (
            command, os.strerror(ctypes.get_errno())))
    return result


class Program:
    """A few instructions; see Documentation/bpf/standardization."""

    SIZES = {1: 0x10, 2: 0x08, 4: 0x00}

    def __init__(self):
        self.code = b""

    def add(self, code, to=0, source=0, offset=0, value=0):
        if value >= 1 << 31:
            value -= 1 << 32
        self.code += struct.pack(
            "<BBhi", code, source << 4 | to, offset, value)

    def load(self, to, source, offset):  # 32 bits
        self.add(0x61, to, source, offset)

    def copy(self, to, source):
        self.add(0xbf, to, source)

    def plus(self, to, source):
        self.add(0x0f, to, source)

    def number(self, operation, to, value):
        codes = {"=": 0xb7, "+": 0x07, "%": 0x97, "&": 0x57, ">>": 0x77,
                 "^": 0xa7}
        self.add(codes[operation], to, value=value)

    def network_order(self, to):  # 16 bits
        self.add(0xdc, to, value=16)

    def store(self, offset, size, register):
        self.add(0x63 | self.SIZES[size], R6, register, offset)

    def store_bytes(self, offset, data):
        while data:
            size = 4 if len(data) >= 4 else 2 if len(data) >= 2 else 1
            value = int.from_bytes(data[:size], "little")
            self.add(0x62 | self.SIZES[size], R6, offset=offset, value=value)
            offset, data = offset + size, data[size:]

    def call(self, function):
        self.add(0x85, value=function)

    def leave(self, verdict):
        self.number("=", R0, verdict)
        self.add(0x95)

    def fd(self):
        code = ctypes.create_string_buffer(self.code)
        licence = ctypes.create_string_buffer(b"GPL")
        return bpf(PROG_LOAD, struct.pack(
            "<IIQQ", TYPE_XDP, len(self.code) // 8,
            ctypes.addressof(code), ctypes.addressof(licence)))


DROP, PASS = 1, 2


def attach(netns, interface, verdict=PASS):
    """A veth takes live frames only where XDP is on; off when closed."""
    always = Program()
    always.leave(verdict)
    with entered(netns):
        index = socket.if_nametoindex(interface)
        program = always.fd()
        try:
            return bpf(LINK_CREATE, struct.pack(
                "<IIII", program, index, ATTACH_XDP, 0))
        finally:
            os.close(program)


def words(data):
    return sum(struct.unpack("!%dH" % (len(data) // 2), data))


class Flow:
    """UDP of device k of so many, k by chance in each packet: its MAC ends
    in k, its address is 10.100.0.0 + k. back: the server's answer, to
    10.101.0.0 + k if the gateway translates addresses."""

    def __init__(self, devices, server, port, gateway_mac, back=False,
                 any_port=False, ttl=64, nat=False):
        net = socket.inet_aton("10.10%d.0.0" % bool(nat and back))
        far = socket.inet_aton(server)
        self.back = back
        ports = (port, 40000) if back else (40000, port)
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 46, 0, 0x4000, ttl, 17, 0)
        ip += far + net if back else net + far
        self.frame = (bytes(12) + b"\x08\x00" + ip +
                      struct.pack("!HHHH", *ports, 26, 0) + bytes(18))
        self.fd = self.program(devices, gateway_mac, any_port, words(ip), ttl)

    def program(self, devices, gateway_mac, any_port, checksum, ttl):
        """The stack has changed what comes round again: all is written."""
        p = Program()
        p.load(R6, R1, 0)
        p.load(R7, R1, 4)
        p.copy(R2, R6)
        p.number("+", R2, len(self.frame))
        p.add(0x3d, R7, R2, 2)  # if the frame ends behind it: go on
        p.leave(DROP)
        p.call(RANDOM)
        p.copy(R8, R0)
        p.number("%", R8, devices)
        p.copy(R9, R8)
        p.network_order(R9)
        p.store_bytes(0, bytes.fromhex(gateway_mac.replace(":", "")))
        p.store_bytes(6, b"\x02\x10\x00\x00")
        p.store(10, 2, R9)
        p.store_bytes(22, bytes([ttl]))
        p.store_bytes(26, self.frame[26:38])  # addresses and ports
        p.number("+", R8, checksum)
        for _ in range(2):
            p.copy(R2, R8)
            p.number(">>", R2, 16)
            p.number("&", R8, 0xffff)
            p.plus(R8, R2)
        p.number("^", R8, 0xffff)
        p.network_order(R8)
        p.store(24, 2, R8)
        p.store(32 if self.back else 28, 2, R9)
        if any_port:
            p.call(RANDOM)
            p.store(34, 2, R0)
        p.leave(PASS)
        return p.fd()

    def inject(self, netns, interface, count):
        """Returns ns of CPU per packet."""
        data = ctypes.create_string_buffer(self.frame, len(self.frame))
        with entered(netns):
            index = socket.if_nametoindex(interface)
            context = ctypes.create_string_buffer(struct.pack(
                "<6I", 0, len(self.frame), 0, index, 0, 0), 24)
            started = time.thread_time_ns()
            bpf(TEST_RUN, struct.pack(
                "<IIIIQQIIIIQQIII", self.fd, 0, len(self.frame), 0,
                ctypes.addressof(data), 0, count, 0, 24, 0,
                ctypes.addressof(context), 0, LIVE_FRAMES, 0, 64))
            return (time.thread_time_ns() - started) / count

    def close(self):
        os.close(self.fd)
