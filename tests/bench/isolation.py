#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Measures isolation: how long a configuration takes to be in force, and
what it costs a device's packets. Prints a table; see README.md beside it.

GATEHOUSE_STAGE=DIR tests/bench/isolation.py [ROUNDS]
"""
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "netns"))
from isolation_lab import Lab, put  # noqa: E402

SIZES = (10, 1000, 10000)


def many(lab, mode, count):
    """count devices with ten allow lines each, the lab's among them."""
    text = lab.base_config(mode, more={
        "camera": "rate = unlimited\nallow = tcp/5201 any"})
    parts = []
    for number in range(count):
        parts.append("[device d%d]\nmac = 02:01:00:%02x:%02x:%02x" % (
            number, number >> 16, number >> 8 & 255, number & 255))
        parts += ["allow = tcp/%d 198.51.%d.%d" % (
            443 + i, number >> 8 & 255, number & 255) for i in range(10)]
    return text + "\n".join(parts) + "\n"


def transfer(lab, backwards=False):
    """Gbit/s of one TCP connection between the camera and the cloud."""
    words = ["iperf3", "-c", lab.cloud.ip, "-t", "2", "-J"]
    done = lab.camera.run(*words, *(["-R"] if backwards else []))
    return json.loads(done.stdout)["end"]["sum_received"][
        "bits_per_second"] / 1e9


def connections(lab, count=1500):
    """New connections per second, one after the other."""
    start = time.monotonic()
    for _ in range(count):
        lab.tcp_connect("camera", lab.cloud.ip, 5202).close()
    return count / (time.monotonic() - start)


def measure(lab, name, rounds, results):
    for _ in range(rounds):
        results.setdefault((name, "Gbit/s"), []).append(transfer(lab))
        results.setdefault((name, "connections/s"), []).append(
            connections(lab))


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    results, loads = {}, {}
    with Lab() as lab:
        lab.cloud.popen("iperf3", "-s", stdout=-3)
        lab.serve_tcp("cloud", 5202, handle=lambda s: s.sock.accept()[0]
                      .close())
        time.sleep(0.5)
        measure(lab, "no rules", rounds, results)
        put(lab, many(lab, "observe", 10))
        measure(lab, "observe, 10 devices", rounds, results)
        for size in SIZES:
            for number in range(rounds):
                text = many(lab, "enforce", size).replace(
                    "tcp/5201 any", "tcp/5201-5202 any") + (
                        "allow = tcp/%d any\n" % (1 + number))
                start = time.monotonic()
                put(lab, text)
                loads.setdefault(size, []).append(
                    time.monotonic() - start)
            measure(lab, "enforce, %d devices" % size, rounds, results)
    for size, times in loads.items():
        print("reload, %6d devices: %.2f s (least of %d)" % (
            size, min(times), len(times)))
    for (name, unit), values in results.items():
        print("%-24s %8.1f %s (best of %d)" % (
            name, max(values), unit, len(values)))


if __name__ == "__main__":
    main()
