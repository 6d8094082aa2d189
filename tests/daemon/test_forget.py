#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# run: timeout 120
"""gatehouse forget: a search of every file that gatehouse wrote finds nothing
of the device afterwards, and the receipt names what is the owner's."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
import desk as desks  # noqa: E402
import test_registry as devices  # noqa: E402
sys.path.insert(0, os.path.join(desks.SRC, "tests", "lab"))
from tap import Tap  # noqa: E402

LAMP, NAME, ADDRESS = "02:4c:41:4d:50:01", "attic-lamp", "192.0.2.71"
HEATER = "02:4c:41:4d:50:02"
PINNED = """
[device attic-fan]
mac = 02:4c:41:4d:50:03
"""


def forms(mac, *words):
    """All that a device may be found by, as bytes, small letters."""
    raw = bytes.fromhex(mac.replace(":", ""))
    digits = raw.hex()
    return [raw] + [text.encode() for text in (
        mac, mac.replace(":", "-"), digits,
        ".".join(digits[i:i + 4] for i in (0, 4, 8)), *words)]


def traces(place, needles):
    """Files of gatehouse's own in which one of them is."""
    found = []
    for part in ("state", "run", "etc"):
        for where, _, names in os.walk(place.path(part, "x")[:-2]):
            for name in names:
                path = os.path.join(where, name)
                if os.path.isfile(path) and name != "gatehouse.conf":
                    with open(path, "rb") as file:
                        text = file.read()
                    if any(n in text or n in text.lower() for n in needles):
                        found.append(os.path.relpath(path, place.dir))
    return found


def command(place, *words, user="root"):
    return place.run(
        user, place.program("usr/bin/gatehouse"), "--config",
        place.path("etc", "gatehouse.conf"), "--state", place.path("state"),
        "--run", place.path("run"), *words, stdin=subprocess.DEVNULL,
        env={"SSH_CONNECTION": ""})


def know(tap, place):
    """A stranger that was approved, named and pinned by its owner."""
    for mac, address in ((LAMP, ADDRESS), (HEATER, "192.0.2.72")):
        devices.seen(place, mac, address)
    devices.decide(place, HEATER, "Approve", "su", "internet", "0")
    done = devices.decide(place, LAMP, "Approve", "su", "internet", "0")
    tap.equal(done.returncode, 0, "a device is approved " + done.stderr)
    done = devices.decide(place, LAMP, "Rename", "s", NAME)
    tap.equal(done.returncode, 0, "and named " + done.stderr)
    needles = forms(LAMP, NAME, ADDRESS)
    found = traces(place, needles)
    tap.ok("state/registry/registry.db" in "".join(found) or
           "state/registry/registry.db-wal" in found,
           "its traces are found before: " + " ".join(found))
    old = place.path("state", "registry", "registry.db.20260101T000000Z")
    with open(old, "wb") as file:
        file.write(b"damaged " + needles[0])
    return needles


def forget(tap, place, needles):
    done = command(place, "forget", NAME)
    tap.ok(done.returncode == 1 and "--yes" in done.stderr,
           "it asks first", done.stderr)
    done = command(place, "forget", NAME, "--yes", user="member")
    tap.ok(done.returncode == 1 and "sudo" in done.stderr,
           "and is root's alone", done.stderr)
    done = command(place, "forget", NAME, "--yes")
    tap.equal(done.returncode, 0, "forgotten " + done.stderr)
    tap.ok("Erased:" in done.stdout and "registry" in done.stdout and
           "maker's cloud" in done.stdout, "with a receipt", done.stdout)
    tap.equal(traces(place, needles), [], "no file has anything of it")
    tap.ok("still has something" not in done.stdout,
           "the receipt says so, too", done.stdout)
    tap.ok(traces(place, forms(HEATER)), "its neighbour is known still")


def backup(place, *words):
    with open(place.path("words"), "w", encoding="ascii") as file:
        file.write("correct horse battery staple\n")
    return command(place, *words, "--passphrase-file", place.path("words"))


def restore(tap, place):
    """A backup of before does not bring it back unnoticed."""
    place.stop_daemon()
    done = backup(place, "restore", place.path("kept"))
    tap.ok(done.returncode == 1 and LAMP + " was forgotten" in
           " ".join(done.stderr.split()), "an older backup is not restored",
           done.stdout + done.stderr)
    tap.ok(HEATER not in done.stderr, "only the one is told", done.stderr)
    named = [NAME.encode()]
    tap.equal(traces(place, named), [], "and it stays forgotten")
    done = backup(place, "restore", place.path("kept"), "--yes")
    tap.equal(done.returncode, 0, "unless the owner insists")
    tap.ok(traces(place, named), "then it is back (the control)")


def owners(tap, place):
    """What the owner wrote is named, and left alone."""
    conf = place.path("etc", "gatehouse.conf")
    with open(conf, "rb") as file:
        before = file.read()
    own = place.config("[device attic-fan]\nmode = observe\naddress = "
                       "192.0.2.73\n", "gatehouse.conf.d/90-mode.conf")
    place.call("root", "Reload")
    done = command(place, "forget", "attic-fan", "--yes", "--json")
    said = json.loads(done.stdout or "{}")
    tap.ok(any("mode and pins" in line for line in said["erased"]) and
           b"attic-fan" not in open(own, "rb").read(),
           "modes and pins that a command wrote are erased", done.stdout)
    tap.ok(any(line.startswith(conf + ":") and "02:4c:41:4d:50:03" in line
               for line in said["yours"]), "lines of the owner's are named",
           done.stdout)
    with open(conf, "rb") as file:
        tap.equal(file.read(), before, "and not touched")
    tap.ok(any("still has something" in line for line in said["left"]),
           "and so is what follows from them", done.stdout)


def main():
    desks.hide("bus", "isolation", "registry")
    with Tap() as tap, desks.Desk() as place:
        place.start_bus()
        subprocess.run(["ip", "link", "set", "far-things0", "up"], check=True)
        place.start_daemon(devices.CONFIG + PINNED)
        place.wait_name(15)
        needles = know(tap, place)
        has_seal = os.path.exists(place.program(
            "usr/libexec/gatehouse/gatehouse-seal"))
        if has_seal:
            tap.equal(backup(place, "backup", place.path("kept")).returncode,
                      0, "a backup, while the registry runs")
        forget(tap, place, needles)
        owners(tap, place)
        if has_seal:
            restore(tap, place)


if __name__ == "__main__":
    main()
