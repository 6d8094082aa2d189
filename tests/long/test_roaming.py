#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# run: timeout 300
"""A device that was silent for 30 seconds may be at another port: it moved.
Its addresses go with it; where it was before, it is not any more."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "netns"))
# pylint: disable=wrong-import-position
from isolation_lab import Lab, elements, put, run, wait  # noqa: E402
from test_isolation_bind import conf, uses  # noqa: E402
from test_isolation_spoof import Wire  # noqa: E402


def roam(tap):
    with Lab() as lab:
        wire = Wire(lab)
        put(lab, conf(lab, "enforce"))
        device, there = lab.camera, lab.stranger
        # Its own kernel says nothing at the old port any more.
        device.link("eth0", "arp", "off")
        device.run("ip", "addr", "flush", "dev", "eth0")
        device.sysctl("ipv6/conf/eth0/disable_ipv6", 1)
        here = {**uses(device, device.ip), **uses(device, device.ip6)}
        moved = {**uses(device, device.ip, there),
                 **uses(device, device.ip6, there)}
        tap.equal(set(here) - wire.arrive(here), set(), "a device is heard")
        tap.equal(wire.arrive(moved), set(), "and at no other port at once")
        put(lab, conf(lab, "enforce", more={"sensor": "allow = icmp any"}))
        tap.equal(wire.arrive(moved), set(), "nor because of a reload")
        start = time.monotonic()
        tap.ok(wait(lambda: not any(
            device.mac in key for key, _ in elements(lab, "seats", "bridge")),
            60), "when it was silent for a while, its port is forgotten")
        tap.ok(time.monotonic() - start > 15, "which is no short while")
        tap.equal(set(moved) - wire.arrive(moved), set(),
                  "then it may be at another port, with its addresses")
        tap.equal(wire.arrive(here), set(), "where it is heard alone")


if __name__ == "__main__":
    run(roam)
