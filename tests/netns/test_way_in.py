#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# run: timeout 180
"""The owner's way in stays open whatever is decided, with and without a
daemon, and a device does not get it by taking the owner's address."""
import os

from isolation_lab import Lab, all_cut, all_open, everywhere, put, run, wait
from isolation_lab import ways
from test_isolation_early import Boot

DOORS = ("192.168.50.1", "fd00:50::1")


def doors(who):
    return [(who, ip, "tcp", 22) for ip in DOORS]


def text(lab, device=None, more=""):
    """The owner's computer, "stranger", sits among the devices."""
    devices = ("camera", "sensor") + (("stranger",) if device else ())
    return lab.base_config("enforce", devices, {
        "stranger": device or "", "camera": more}).replace(
        "[gateway]", "[gateway]\nadmin = %s %s" % (
            lab.stranger.ip, lab.stranger.ip6))


def codes(lab):
    return [w["code"] for w in lab.ctl_json("warnings")]


def decisions(tap, lab):
    own = "address = %s %s" % (lab.stranger.ip, lab.stranger.ip6)
    put(lab, text(lab))
    all_open(tap, lab, doors("stranger"), "a stranger with an admin's address")
    all_cut(tap, lab, ways(lab, "stranger", "cloud") + doors("camera"),
            "which opens nothing else, and to nobody else")
    tap.ok(wait(lambda: "isolation.admin-not-bound" in codes(lab)),
           "that others could take this address is told", codes(lab))
    for device in (own, own + "\nmode = enforce", own + "\nrate = 1/s",
                   own + "\nallow = tcp/9 203.0.113.99",
                   own + "\nwhen = mon 00:00-00:01\nallow = tcp/9 any"):
        put(lab, text(lab, device))
        all_open(tap, lab, doors("stranger") * 3,
                 "as a device with %r" % device.split("\n")[1:])
    tap.ok("isolation.admin-not-bound" not in codes(lab),
           "with an address of its own there is no warning", codes(lab))
    done = lab.ctl("enforce", "stranger", "--yes")
    tap.equal(done.returncode, 0, "it is enforced by itself")
    all_open(tap, lab, doors("stranger"), "and still reaches the gateway")
    os.unlink(lab.path("etc", "gatehouse.conf.d", "90-mode.conf"))


def stolen(tap, lab):
    """camera takes the owner's addresses."""
    lab.stranger.link("eth0", "down")
    lab.camera.run("ip", "addr", "add", lab.stranger.ip + "/24", "dev", "eth0")
    lab.camera.run("ip", "addr", "add", lab.stranger.ip6 + "/64", "dev",
                   "eth0", "nodad")
    for ip, door in zip((lab.stranger.ip, lab.stranger.ip6), DOORS):
        lab.camera.run("ip", "route", "replace", door, "dev", "eth0", "src",
                       ip)
    put(lab, text(lab, "address = %s %s" % (lab.stranger.ip,
                                            lab.stranger.ip6)))
    all_cut(tap, lab, doors("camera"),
            "bound to the owner's computer it does not")
    for ip in (lab.stranger.ip + "/24", lab.stranger.ip6 + "/64"):
        lab.camera.run("ip", "addr", "del", ip, "dev", "eth0")
    for door in DOORS:
        lab.camera.run("ip", "route", "del", door, "dev", "eth0", check=False)
    lab.stranger.link("eth0", "up")
    if lab.ipv6:
        lab.stranger.run("ip", "addr", "replace", lab.stranger.ip6 + "/64",
                         "dev", "eth0", "nodad")


def without_daemon(tap, lab):
    boot = Boot(lab)
    put(lab, text(lab))
    boot.ports_saved()
    done = boot.again()
    tap.ok(done.returncode == 0, "(the early load)", done.stderr)
    all_open(tap, lab, doors("stranger"), "the early load leaves the way in")
    all_cut(tap, lab, ways(lab, "stranger", "cloud", kinds=("tcp",)),
            "and opens nothing else")


def way_in(tap):
    with Lab() as lab:
        lab.serve_tcp("gateway", 22)
        everywhere(lab, 7, nodes=["cloud"])
        lab.dbus()
        decisions(tap, lab)
        stolen(tap, lab)
        without_daemon(tap, lab)


if __name__ == "__main__":
    run(way_in)
