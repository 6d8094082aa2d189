#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# run: timeout 120
"""A proxy gone bad: with the proxy's user one reaches only where a device was
sent on to the proxy, at the port it was sent on for; and it is told."""
import subprocess
import sys

from isolation_lab import Lab, counter, everywhere, put, run, wait

UPGRADE = """
[upgrade mqtt]
protocol = mqtt
port = 1883
upstream-port = 8883
upstream-name = broker.example
"""
ALLOW = "allow = tcp/1883 any"
PORTS = (7, 1883, 8883)
# What a worker that was broken into would do, without its sandbox.
DIAL = """
import os, socket, sys
os.setgroups([]); os.setgid(int(sys.argv[1])); os.setuid(int(sys.argv[1]))
for where in sys.argv[2:]:
    kind, ip, port = where.split("/")
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else
                      socket.SOCK_DGRAM)
    s.settimeout(0.7)
    try:
        s.connect((ip, int(port)))
        s.send(b"ping!")
        print(where, "yes" if s.recv(5) else "no")
    except OSError:
        print(where, "no")
"""


def dial(lab, uid, wanted):
    done = subprocess.run(
        lab.gateway.command([sys.executable, "-c", DIAL, str(uid)] + wanted),
        capture_output=True, text=True, timeout=100, check=True)
    return dict(line.split() for line in done.stdout.splitlines())


def everything(lab):
    there = [lab.cloud.ip, lab.cloud.ip6, lab.owner.ip, lab.owner.ip6,
             lab.sensor.ip, lab.sensor.ip6]
    return ["%s/%s/%d" % (kind, ip, port) for ip in there
            for kind in ("tcp", "udp") for port in PORTS]


def reached(answers):
    return sorted(where for where, came in answers.items() if came == "yes")


def fence(tap):
    with Lab() as lab:
        if "proxy" not in lab.workers_built():
            tap.skip("the fence", "the proxy was left out of this build")
            return
        everywhere(lab, *PORTS, nodes=["cloud", "owner", "sensor"])
        bad = lab.uid_base() + 1 + lab.workers_built().index("proxy")
        wanted = everything(lab)
        tap.equal(len(reached(dial(lab, bad, wanted))), len(wanted),
                  "without rules that user reaches all of it")
        lab.dbus()
        daemon = put(lab, lab.base_config("enforce", more={"camera": ALLOW},
                                          extra=UPGRADE))
        tap.equal(reached(dial(lab, bad, wanted)), [],
                  "fenced in: it reaches nothing")
        tap.ok(counter(lab, "fenced") >= len(wanted), "and that is counted",
               counter(lab, "fenced"))
        tap.ok(wait(lambda: "isolation.fenced" in lab.ctl("warnings").stdout,
                    20), "and told to the owner", daemon.log())
        lab.tcp_connect("camera", lab.cloud.ip, 1883).close()
        tap.equal(reached(dial(lab, bad, wanted)),
                  ["tcp/%s/8883" % lab.cloud.ip],
                  "after a device was sent on: there, and nowhere else")
        tap.equal(len(reached(dial(lab, bad + 1000, wanted))), len(wanted),
                  "other users of the gateway are not fenced in")
        tap.equal(len(reached(dial(lab, 0, wanted))), len(wanted),
                  "nor is root")


if __name__ == "__main__":
    run(fence)
