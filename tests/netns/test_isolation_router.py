#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A device may tell of routes if the owner says so; nobody becomes the
gateway's router that way."""
import socket
import struct

from isolation_lab import SOON, Lab, counter, put, run
import frames

TAG = b"gh-router"


def advertisement(node, says, lifetime):
    body = struct.pack("!BBHII", 64, 0, lifetime, 0, 0)
    body += b"\xfd\x02" + TAG.ljust(14)
    return frames.icmp6(node.mac, says, "ff02::1", 134, body)


def arrives(lab, name, lifetime, says="fe80::7"):
    """Does the gateway's own stack get it?"""
    node = lab.node(name)
    with lab.socket("gateway", socket.AF_INET6, socket.SOCK_RAW,
                    socket.IPPROTO_ICMPV6) as ear, lab.socket(
                        name, socket.AF_PACKET, socket.SOCK_RAW) as mouth:
        ear.settimeout(SOON)
        mouth.bind(("eth0", 0))
        mouth.send(advertisement(node, says, lifetime))
        try:
            while TAG not in ear.recv(2048):
                pass
            return True
        except socket.timeout:
            return False


def routes(tap):
    with Lab(devices=("border", "camera", "stranger")) as lab:
        tap.ok(arrives(lab, "camera", 1800), "without rules it arrives")
        put(lab, lab.base_config("enforce", ("border", "camera"), {
            "border": "router-advertisements = routes"}))
        tap.ok(arrives(lab, "border", 0), "routes of who may tell of them")
        before = counter(lab, "spoofed", "bridge")
        tap.ok(not arrives(lab, "border", 1800), "not itself as the router")
        tap.ok(not arrives(lab, "border", 1), "nor for a second")
        tap.ok(not arrives(lab, "camera", 0), "nobody else's routes")
        tap.ok(not arrives(lab, "stranger", 0), "no stranger's")
        tap.ok(counter(lab, "spoofed", "bridge") >= before + 4,
               "which is counted", counter(lab, "spoofed", "bridge"))
        put(lab, lab.base_config("enforce", ("border", "camera")))
        tap.ok(not arrives(lab, "border", 0), "and none unless allowed")


if __name__ == "__main__":
    run(routes)
