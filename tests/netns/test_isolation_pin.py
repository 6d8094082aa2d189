#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A fixed address is told with the command that pins it; the command makes it
the device's for good, and takes it back."""
import os

from isolation_lab import Lab, put, run, wait
from test_isolation_bind import conf, own, uses
from test_isolation_spoof import Wire

OTHER = "192.168.50.77"


def told(lab, code):
    return [w["text"] for w in lab.ctl_json("warnings") if w["code"] == code]


def pin(tap):
    with Lab() as lab:
        if "bus" not in lab.workers_built():
            tap.skip("pin", "the bus was left out of this build")
            return
        lab.dbus()
        put(lab, conf(lab, "enforce"))
        wire = Wire(lab)
        wait(lambda: lab.ctl("status", check=False).returncode == 0)
        wire.arrive(own(lab.camera))
        command = "gatehouse pin camera " + lab.camera.ip
        tap.ok(wait(lambda: any(
            command in t for t in told(lab, "device.static-address")), 30),
            "a fixed address is told, with a command",
            lab.ctl_json("warnings"))
        stolen(tap, lab, wire)
        path = os.path.join(lab.dir, "etc", "gatehouse.conf.d",
                            "90-mode.conf")
        said = lab.ctl("pin", "camera", lab.camera.ip).stdout
        tap.contains(said, "belongs to camera for good", "the command works")
        with open(path, encoding="utf-8") as file:
            tap.contains(file.read(), "[device camera]\naddress = " +
                         lab.camera.ip, "and writes it down")
        good = uses(lab.camera, lab.camera.ip)
        tap.equal(set(good) - wire.arrive(good), set(), "it stays its own")
        tap.ok(wait(lambda: not wire.arrive(uses(lab.camera, OTHER))),
               "and the only one")
        tap.ok(wait(lambda: not told(lab, "device.static-address"), 30),
               "and is not offered again", lab.ctl_json("warnings"))
        refused(tap, lab, path)
        said = lab.ctl("unpin", "camera", lab.camera.ip).stdout
        tap.contains(said, "no longer pinned", "it can be taken back")
        other = uses(lab.camera, OTHER)
        tap.equal(set(other) - wire.arrive(other), set(),
                  "then another address is welcome again")
        tap.equal(wire.arrive(uses(lab.sensor, lab.camera.ip)), set(),
                  "and the old one bound as before")
        again = lab.ctl("unpin", "camera", lab.camera.ip, check=False)
        tap.equal(again.returncode, 1, "it was taken back already")
        tap.contains(again.stderr, "was not pinned", "as is said")


def stolen(tap, lab, wire):
    """Who takes what, and at which port, is told, too."""
    wire.arrive(uses(lab.sensor, lab.camera.ip))
    tap.ok(wait(lambda: any(
        "sensor" in t and lab.camera.ip + ", which camera has" in t
        for t in told(lab, "device.spoof")), 30), "a theft is told",
        lab.ctl_json("warnings"))
    wire.arrive(uses(lab.camera, lab.camera.ip, lab.stranger))
    tap.ok(wait(lambda: any(
        "camera" in t and "p-stranger" in t
        for t in told(lab, "device.two-ports")), 30),
        "and who uses another one's MAC, by the port",
        lab.ctl_json("warnings"))


def refused(tap, lab, path):
    with open(path, encoding="utf-8") as file:
        before = file.read()
    for words, why in ((("camera", "192.168.50"), "is no address"),
                       (("nobody", OTHER), "No device"),
                       ((lab.stranger.mac, OTHER), "not in the config"),
                       (("sensor", lab.camera.ip), lab.camera.ip),
                       (("sensor", "192.168.50.1"), "192.168.50.1")):
        done = lab.ctl("pin", *words, check=False)
        tap.ok(done.returncode == 1 and why in done.stderr + done.stdout,
               "refused: pin " + " ".join(words), done.stderr)
    with open(path, encoding="utf-8") as file:
        tap.equal(file.read(), before, "and nothing of it is left")


if __name__ == "__main__":
    run(pin)
