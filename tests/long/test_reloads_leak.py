#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# run: timeout 900
# run: alone
"""200 reloads, by turns of everything and of one device, while packets that
are denied come as fast as they can: not one of them arrives, and what is
allowed goes on."""
import os
import socket
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "netns"),
                os.path.join(HERE, "..", "lab")]
from isolation_lab import Lab, put, run, wait  # noqa: E402
from test_isolation_survives import Flood, arrived, ends, targets  # noqa: E402

RELOADS = 200


def flood_hard(lab, stop, sent):
    """What one process can send besides, from a stranger to the cloud."""
    with lab.socket("stranger", socket.AF_INET, socket.SOCK_DGRAM) as sock:
        while not stop.is_set():
            try:
                sock.sendto(b"flood", (lab.cloud.ip, 7))
                sent[0] += 1
            except OSError:
                pass


def config(lab, turn):
    """Odd turns differ from the last in one device, even ones in a zone."""
    port = 1000 + turn % 2
    servers = "203.0.113.53 203.0.113.%d" % (60 + turn // 2 % 2)
    text = lab.base_config("enforce", ("camera", "sensor"), {
        "sensor": "allow = tcp/9 any\nallow = udp/%d any" % port})
    return text.replace("name-server = 203.0.113.53",
                        "name-server = " + servers)


def reloads(tap):
    with Lab() as lab:
        servers = ends(lab)
        lab.serve_tcp("cloud", 9)
        with Flood(lab, targets(lab)):
            open_once = wait(lambda: arrived(servers) > 20)
        tap.ok(open_once, "without rules the flood arrives")
        put(lab, config(lab, 0))
        alive = lab.tcp_connect("sensor", lab.cloud.ip, 9)
        before, lost, stop, sent = arrived(servers), 0, threading.Event(), [0]
        hard = threading.Thread(target=flood_hard, args=(lab, stop, sent))
        hard.start()
        with Flood(lab, targets(lab)) as flood:
            for turn in range(1, RELOADS + 1):
                put(lab, config(lab, turn))
                alive.sendall(b"x")
                lost += alive.recv(1) != b"x"
            tap.ok(flood.sent + sent[0] > 10000,
                   "the flood went on: %d packets" % (flood.sent + sent[0]))
        stop.set()
        hard.join()
        alive.close()
        tap.equal(arrived(servers), before, "not one of them arrived")
        tap.equal(lost, 0, "what is allowed lived through %d" % RELOADS)


if __name__ == "__main__":
    run(reloads)
