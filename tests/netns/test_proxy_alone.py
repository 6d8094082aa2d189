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


def without_isolation(tap):
    with Lab() as lab:
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



def taken_port(tap):
    """Somebody else has a port: the proxy is refused, isolation is not."""
    with Lab() as lab:
        other = lab.serve_tcp("gateway", 18101)
        lab.config(upgrades(lab))
        daemon = lab.gatehoused()
        tap.ok(daemon.wait_log("[upgrade http] has nothing to listen on"),
               "a taken port is told")
        tap.contains(lab.rules(), "table bridge gatehouse",
                     "isolation is in force")
        tap.ok(lab.is_cut("sensor", lab.camera.ip, "icmp"),
               "and isolates")
        came = came_of(lab, "sensor", lab.cloud.ip, 80)
        tap.ok(came in ("reset", "[Errno 111] Connection refused"),
               "the upgraded port leads nowhere", came)
        tap.equal(other.seen, [], "least of all to who has the port")
        other.close()
        lab.closers.remove(other.close)
        tap.ok(daemon.wait_log("3 upgrades, 2 devices"),
               "it is tried again by itself")
        tap.ok(daemon.wait_log("is in force"), "and isolation is told")
        lab.nginx()
        done = lab.sensor.run(
            "curl", "-sS", "--max-time", "20", "--resolve",
            "www.example:80:" + lab.cloud.ip, "http://www.example/",
            check=False)
        tap.equal(done.stdout, "hello from the cloud\n",
                  "then the upgraded port works (%s)" % done.stderr.strip())
        if tap.failed:
            tap.note(daemon.log())


def main():
    with Tap() as tap:
        without_isolation(tap)
        taken_port(tap)


main()
