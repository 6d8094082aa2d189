# SPDX-License-Identifier: GPL-2.0-or-later
"""Many devices at once: how long until each is known on the bus."""
import os
import re
import select
import socket
import statistics
import struct
import sys
import threading
import time

from common import BenchLab

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "daemon"))
from rawbus import RawBus  # noqa: E402

SENDERS = 10
NEW = 10000
SILENCE = 3  # seconds after which nothing more will come


def burst(lab, sent):
    """One frame of each, from ten ports in turn; notes when."""
    socks = []
    for node in lab.devices():
        sock = lab.socket(node.name, socket.AF_PACKET, socket.SOCK_RAW)
        sock.bind(("eth0", 0))
        socks.append((sock, node.port))
    for number in range(NEW):
        mac = b"\x02\xee" + struct.pack("!I", number)
        sock, port = socks[number % len(socks)]
        sent[mac.hex(":")] = (time.monotonic(), port)
        sock.send(b"\xff" * 6 + mac + b"\x88\xb5" + bytes(46))
    for sock, _ in socks:
        sock.close()


def listen(bus, chunks, most):
    """What the bus says, as it came, until it has been silent; decoding it
    at once would take longer than what is measured."""
    end = time.monotonic() + most
    while time.monotonic() < end and select.select(
            [bus.socket], [], [], SILENCE)[0]:
        chunks.append((bus.socket.recv(1 << 20), time.monotonic()))


def first_heard(chunks):
    """{mac: when the bus named it}"""
    heard, text, ends = {}, b"".join(c for c, _ in chunks), []
    at = 0
    for chunk, when in chunks:
        at += len(chunk)
        ends.append((at, when))
    place = 0
    for match in re.finditer(rb"02:ee:[0-9a-f:]{11}", text):
        while ends[place][0] < match.end():
            place += 1
        heard.setdefault(match[0].decode(), ends[place][1])
    return heard


def one_round():
    with BenchLab(devices=["d%d" % n for n in range(SENDERS)]) as lab:
        lab.dbus()
        lab.gatehoused(lab.config(lab.base_config("enforce", ())))
        sent, chunks = {}, []
        with RawBus(lab.bus_path) as bus:
            bus.listen("type='signal',member='InterfacesAdded'")
            hearing = threading.Thread(target=listen,
                                       args=(bus, chunks, 60))
            hearing.start()
            burst(lab, sent)
            hearing.join()
        ports = {d["mac"]: d["interface"]
                 for d in lab.ctl_json("device", "list")}
        return sent, first_heard(chunks), ports


def run(rounds):
    rows = []
    for _ in range(rounds):
        sent, heard, ports = one_round()
        order = list(sent)
        late = {mac: 1000 * (heard[mac] - sent[mac][0])
                for mac in order if mac in heard}
        times = sorted(late.values())
        rows.append((
            len(order) - len(late),
            sum(ports.get(mac) != sent[mac][1] for mac in order),
            late.get(order[0], 0), late.get(order[-1], 0),
            times[len(times) // 2], times[len(times) * 99 // 100],
            1000 * (sent[order[-1]][0] - sent[order[0]][0])))
    names = ("not heard", "port wrong or none", "first, ms", "last, ms",
             "p50, ms", "p99, ms", "the burst itself, ms")
    for name, values in zip(names, zip(*rows)):
        print("%-22s %8.1f  (%s)" % (name, statistics.median(values),
                                     " ".join("%.1f" % v for v in values)))
