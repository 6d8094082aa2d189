#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""No false promise: two devices behind one port are not called isolated."""
import os
import socket

from isolation_lab import Lab, put, run, wait

OTHER = "02:ee:00:00:00:07"


def devices(lab):
    return {d["mac"]: d for d in lab.ctl_json("device", "list")}


def speak(lab, name, mac):
    """A frame of that MAC by the node's cable, as from behind a switch."""
    with lab.socket(name, socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind(("eth0", 0))
        sock.send(b"\xff" * 6 + bytes.fromhex(mac.replace(":", "")) +
                  b"\x88\xb5" + bytes(46))


def judged(lab, mac, wanted):
    """Reloads until it is so: each reload judges at once."""
    def is_so():
        put(lab, lab.base_config("enforce"))
        return devices(lab).get(mac, {}).get("isolation") == wanted
    return wait(is_so, 15)


def honest(tap):
    with Lab() as lab:
        if "bus" not in lab.workers_built():
            tap.skip("what is told", "the bus was left out of this build")
            return
        lab.dbus()
        put(lab, lab.base_config("enforce"))
        wait(lambda: lab.ctl("status", check=False).returncode == 0)
        speak(lab, "camera", lab.camera.mac)
        speak(lab, "sensor", lab.sensor.mac)
        tap.ok(judged(lab, lab.camera.mac, "unverified"),
               "enforced by rules that nobody tried: unverified",
               devices(lab))
        wait(lambda: devices(lab)[lab.camera.mac]["interface"])
        put(lab, lab.base_config("enforce"))
        tap.contains(devices(lab)[lab.camera.mac]["isolation_reason"],
                     "self-test", "which says how to try")
        speak(lab, "camera", OTHER)
        tap.ok(wait(lambda: OTHER in devices(lab)), "another one came")
        tap.ok(judged(lab, lab.camera.mac, "partial"),
               "two behind one port: partial", devices(lab))
        reason = devices(lab)[lab.camera.mac]["isolation_reason"]
        tap.ok("p-camera" in reason and OTHER in reason,
               "naming the port and the neighbour", reason)
        tap.equal(devices(lab)[lab.sensor.mac]["isolation"], "unverified",
                  "the one on another port is not meant")
        told = [w for w in lab.ctl_json("warnings")
                if w["code"] == "isolation.shared-port"]
        tap.ok(len(told) == 1 and "client isolation" in told[0]["text"],
               "one warning that says what to change", told)
        tap.contains(lab.ctl("device", "show", "camera").stdout,
                     "partial: behind p-camera", "device show tells it")
        probed(tap, lab)


def probed(tap, lab):
    """The result of a self-test counts, if only root could write it."""
    path = lab.path("state", "selftest.result")
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        boot = file.read().strip()
    with open(path, "w", encoding="ascii") as file:
        file.write("gatehouse-probe 1\n%s 4000000000\nzone things held\n"
                   % boot)
    os.chmod(path, 0o666)
    put(lab, lab.base_config("enforce"))
    tap.equal(devices(lab)[lab.sensor.mac]["isolation"], "unverified",
              "a result that anybody could have written is none")
    os.chmod(path, 0o600)
    tap.ok(judged(lab, lab.sensor.mac, "enforced"),
           "tried and held: enforced", devices(lab))
    put(lab, lab.base_config("observe"))
    one = devices(lab)[lab.camera.mac]
    tap.equal((one["isolation"], one["isolation_reason"]), ("observed", ""),
              "observed: no promise, nothing to judge")


if __name__ == "__main__":
    run(honest)
