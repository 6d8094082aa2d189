#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The proxy by itself, with isolation away and no rule that guards its
ports: it serves nobody who was not redirected, and nobody whom nobody
knows. Somebody else's redirect stands in for ours."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lab"))
from lab import Lab  # noqa: E402
from tap import Tap  # noqa: E402
from upgrades import upgrades  # noqa: E402

RULES = """
table inet theirs {
  chain redirects {
    type nat hook prerouting priority dstnat;
    tcp dport 1883 redirect to :18100
  }
  chain tracked {
    type filter hook input priority filter;
    ct state invalid drop
  }
}
"""


def only_proxy(lab):
    """A folder of workers without isolation."""
    there = lab.program("usr/libexec/gatehouse")
    for name in ("proxy", "support", "update", "bus"):
        os.symlink(os.path.join(there, "gatehouse-" + name),
                   lab.path("workers", "gatehouse-" + name))
    return lab.path("workers")


def came_of(lab, name, ip, port):
    """reset: taken and thrown out; anything else is told as it is."""
    try:
        with lab.tcp_connect(name, ip, port) as sock:
            sock.sendall(b"hello")
            return sock.recv(10)
    except ConnectionError as error:
        return "reset" if isinstance(
            error, ConnectionResetError) else str(error)


def main():
    with Tap() as tap, Lab() as lab:
        lab.gateway.run("nft", "-f", "-", stdin=RULES)
        seen = lab.serve_tcp("cloud", 8883)
        lab.config(upgrades(lab))
        daemon = lab.gatehoused(args=("--workers", only_proxy(lab)))
        tap.ok("isolation" not in daemon.workers() and
               "proxy" in daemon.workers(), "isolation is away")
        for name, ip in (("sensor", "192.168.50.1"),
                         ("sensor", "fd00:50::1"),
                         ("cloud", "203.0.113.1")):
            before = len(daemon.log())
            tap.equal(came_of(lab, name, ip, 18100), "reset",
                      "%s dials the proxy at %s: thrown out" % (name, ip))
            tap.ok(daemon.wait_log("it dialled the proxy", after=before),
                   "and it is said why")
        for ip in ("192.168.50.1", "fd00:50::1"):
            before = len(daemon.log())
            tap.equal(came_of(lab, "sensor", ip, 1883), "reset",
                      "redirected, but for the gateway (%s)" % ip)
            tap.ok(daemon.wait_log("meant for the gateway", after=before),
                   "and it is said why")
        for ip in (lab.cloud.ip, lab.cloud.ip6):
            before = len(daemon.log())
            tap.equal(came_of(lab, "sensor", ip, 1883), "reset",
                      "redirected, but nobody knows it (%s)" % ip)
            tap.ok(daemon.wait_log("does not know this device",
                                   after=before), "and it is said why")
        tap.equal(seen.seen, [], "the cloud was never dialled")
        if tap.failed:
            tap.note(daemon.log())


main()
