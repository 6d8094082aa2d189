#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Hours of a device: its allow-list holds in them only, by local time, also
after a restart and at a boot. At their end live connections are cut."""
import os
import time

from isolation_lab import Lab, all_cut, all_open, run, until

ANY = "allow = tcp/7 any\n"


def zone(hour, minute, second):
    """A time zone in which it is that late now."""
    now = int(time.time()) % 86400
    behind = (now - (hour * 3600 + minute * 60 + second)) % 86400
    if behind > 43200:
        behind -= 86400
    sign = "-" if behind < 0 else ""
    behind = abs(behind)
    return "GHT%s%d:%02d:%02d" % (sign, behind // 3600, behind // 60 % 60,
                                  behind % 60)


DAY = "when = daily 07:00-22:00\n"
NIGHT = "when = fri-thu 22:00-07:00\n"
NAMES = ("camera", "sensor", "stranger")


def config(lab, mode="enforce"):
    """By day, by night, always."""
    return lab.config(lab.base_config(mode, NAMES, {
        "camera": ANY + DAY, "sensor": ANY + NIGHT, "stranger": ANY}))


def ways(lab, name):
    return [(name, ip, "tcp", 7) for ip in (lab.cloud.ip, lab.cloud.ip6)]


def start(lab, *at):
    return lab.gatehoused(config(lab), env={"TZ": zone(*at)})


def alive(sock):
    """Does an answer come back?"""
    try:
        sock.sendall(b"x")
        return sock.recv(1) == b"x"
    except OSError:
        return False


def are(tap, lab, opened, closed, what):
    all_open(tap, lab, [w for name in opened for w in ways(lab, name)],
             what + ": open")
    all_cut(tap, lab, [w for name in closed for w in ways(lab, name)],
            what + ": closed")


def at_the_hour(tap, lab):
    """It strikes with nobody doing anything, and half a file on the disk."""
    daemon = start(lab, 21, 59, 51)
    with lab.tcp_connect("camera", lab.cloud.ip, 7) as sock, \
            lab.tcp_connect("stranger", lab.cloud.ip, 7) as other:
        sock.settimeout(1)
        tap.ok(alive(sock), "in its hours a device speaks")
        are(tap, lab, ("camera", "stranger"), ("sensor",), "by day")
        lab.config("[gateway]\nmode = \n")
        tap.ok(daemon.wait_log("camera: its hours have ended", 60) and
               daemon.wait_log("sensor: its hours have begun", 5) and
               daemon.wait_log("configuration 2 is in force", 20),
               "ten o'clock", daemon.log())
        tap.ok(until(lambda: not alive(sock), 20) is not None,
               "what it was saying is cut")
        tap.ok(alive(other), "a device without hours goes on speaking")
    are(tap, lab, ("sensor", "stranger"), ("camera",), "by night")


def restarted(tap, lab):
    """The moment counts, not what it was before."""
    before = lab.daemon.kill_worker("isolation")
    lab.daemon.wait_worker("isolation", but=before)
    are(tap, lab, ("sensor", "stranger"), ("camera",), "after a crash")
    lab.daemon.stop()
    start(lab, 12, 0, 0)
    are(tap, lab, ("camera", "stranger"), ("sensor",),
        "a restart in the middle of the day")


def booted(tap, lab):
    """What was open when it was saved may be closed at a boot."""
    lab.daemon.stop()
    lab.gateway.run("nft", "flush", "ruleset")
    done = lab.gateway.run(
        lab.program("usr/libexec/gatehouse/gatehouse-isolation"), "--early",
        os.path.dirname(lab.path("state", "x")))
    tap.contains(done.stdout, "in force", "the saved rules are loaded")
    are(tap, lab, ("stranger",), ("camera", "sensor"),
        "until the daemon knows the time")


def observed(tap, lab):
    config(lab, "observe")
    lab.gatehoused(env={"TZ": zone(12, 0, 0)})
    all_open(tap, lab, [w for name in NAMES for w in ways(lab, name)],
             "observed: outside of its hours, too")


def hours(tap):
    with Lab() as lab:
        lab.serve_tcp("cloud", 7)
        all_open(tap, lab, [w for name in NAMES for w in ways(lab, name)],
                 "without rules all is open")
        at_the_hour(tap, lab)
        restarted(tap, lab)
        booted(tap, lab)
        observed(tap, lab)


if __name__ == "__main__":
    run(hours)
