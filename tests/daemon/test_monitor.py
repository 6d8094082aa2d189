#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# run: timeout 180
"""gatehouse monitor: what a daemon tells, who else talks, and the daemon
going away and coming back."""
import json
import os
import signal
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
import desk  # noqa: E402
from desk import CONFIG, MANAGER, NAME, ROOT, USERS, wait  # noqa: E402
from rawbus import SERVICE, RawBus  # noqa: E402
sys.path.insert(0, os.path.join(desk.SRC, "tests", "lab"))
from tap import Tap  # noqa: E402

MISSING = """
[zone cellar]
interface = nowhere0

[device lamp]
mac = 02:00:00:00:00:03
"""
HOSTILE = "it says \x1b[31mred\x1b[0m and \u202eturns"


class Watcher:
    """A running gatehouse monitor and the lines that it said."""

    def __init__(self, place, *options, user="member"):
        uid, groups = USERS[user]
        self.lines, self.errors = [], []
        self.process = subprocess.Popen(
            [place.program("usr/bin/gatehouse"), "monitor", *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            user=uid, group=uid, extra_groups=groups,
            env=dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=place.address,
                     LC_ALL="C.UTF-8"))
        place.processes.append(self.process)
        for pipe, lines in ((self.process.stdout, self.lines),
                            (self.process.stderr, self.errors)):
            threading.Thread(target=self.read, args=(pipe, lines),
                             daemon=True).start()

    @staticmethod
    def read(pipe, lines):
        for line in pipe:
            lines.append(line)

    def events(self):
        return [json.loads(line) for line in self.lines]

    def wait_event(self, event, where=lambda e: True):
        def find():
            for one in self.events():
                if one["event"] == event and where(one):
                    return one
            return None
        return wait(find, 30)

    def wait_text(self, text):
        return wait(lambda: any(text in line for line in self.lines), 30)

    def all(self):
        return "".join(self.lines + self.errors)


def told(tap, place, words, objects):
    """What changes in the daemon."""
    place.config(CONFIG.replace("observe", "enforce") + MISSING)
    tap.equal(place.call("root", "Reload").returncode, 0, "a reload")
    new = objects.wait_event("device.new")
    tap.ok(new and new["name"] == "lamp" and
           new["mac"] == "02:00:00:00:00:03" and
           new["time"].endswith("Z"), "a new device is told", objects.all())
    mode = objects.wait_event(
        "device.changed", lambda e: (e["name"], e["property"]) ==
        ("camera", "mode"))
    tap.ok(mode and (mode["from"], mode["to"]) == ("observe", "enforce"),
           "a decision is told, from what to what", objects.all())
    warning = objects.wait_event(
        "warning.raised", lambda e: "nowhere0" in e["text"])
    tap.ok(warning and warning["severity"] == "warning",
           "a warning is told", objects.all())
    tap.ok(objects.wait_event("config.applied"), "and that it is in force")
    tap.ok(words.wait_text("  new device: lamp (02:00:00:00:00:03)") and
           words.wait_text("  camera is to be enforced: ") and
           words.wait_text("nowhere0"), "all of it in words", words.all())
    tap.ok(all(line[:2] == "20" and line[19:21] == "  "
               for line in words.lines), "time first, a line each",
           words.all())
    place.config(CONFIG)
    place.call("root", "Reload")
    tap.ok(objects.wait_event("warning.cleared",
                              lambda e: e["id"] == warning["id"]),
           "that it is over, too", objects.all())
    tap.ok(objects.wait_event("device.gone", lambda e: e["name"] == "lamp"),
           "and who is gone", objects.all())


def forged(tap, place, objects):
    """Anybody may send a signal to anybody."""
    arguments = {"signature": "uusss",
                 "arguments": [4000, 0, "critical", "x.y", "FORGED"]}
    with RawBus(place.bus_path, *USERS["nobody2"]) as bus:
        bus.emit(ROOT, MANAGER, "WarningRaised", **arguments)
        for number in range(20):  # the monitor is one of the first
            bus.emit(ROOT, MANAGER, "WarningRaised",
                     destination=":1.%d" % number, **arguments)
        bus.call(SERVICE, "/org/freedesktop/DBus", SERVICE, "GetId")
    place.config(CONFIG + MISSING.replace("lamp", "oven"))
    place.call("root", "Reload")
    tap.ok(objects.wait_event("device.new", lambda e: e["name"] == "oven"),
           "what the daemon says after that is told")
    tap.ok("FORGED" not in objects.all(), "what others say is not",
           objects.all())


def gone_and_back(tap, place, words, objects):
    place.stop_daemon(signal.SIGKILL)
    tap.ok(objects.wait_event("daemon.gone") and
           words.wait_text("gatehouse is gone from the bus"),
           "that the daemon is gone is told", objects.all())
    count = len(objects.lines)
    place.start_daemon(CONFIG + MISSING.replace("lamp", "radio").
                       replace("00:03", "00:04"))
    tap.ok(objects.wait_event("daemon.back") and
           objects.wait_event("device.new", lambda e: e["name"] == "radio"),
           "that it is back, and what came in between", objects.all())
    after = [e for e in objects.events()[count:]
             if e["event"] == "device.new"]
    tap.equal([e["name"] for e in after], ["radio"],
              "and nobody else is new again")
    place.stop_daemon()
    wait(lambda: len([e for e in objects.events()
                      if e["event"] == "daemon.gone"]) == 2)


def hostile(tap, place, words, objects):
    """A daemon that passes on what a device says."""
    with RawBus(place.bus_path) as bus:
        bus.call(SERVICE, "/org/freedesktop/DBus", SERVICE, "RequestName",
                 signature="su", arguments=[NAME, 0])
        bus.emit(ROOT, MANAGER, "WarningRaised", signature="uusss",
                 arguments=[1, 0, "critical", "x.y", HOSTILE])
        for _ in range(3):  # it is asked by all three, and knows nothing
            while not bus.calls:
                bus.read(10)
            bus.answer(bus.calls.pop(0), "s", ["what?"])
        tap.ok(words.wait_text("it says \\x1b[31mred\\x1b[0m and \\u202e"),
               "control characters are shown, not obeyed", words.all())
        tap.ok(objects.wait_event("warning.raised",
                                  lambda e: e["text"].endswith(HOSTILE)),
               "programs get it as it is", objects.all())
        raw = "".join(words.lines + objects.lines)
        tap.ok("\x1b" not in raw, "and no line has an escape in it", raw)


def main():
    desk.hide("bus")
    with Tap() as tap, desk.Desk() as place:
        place.start_bus()
        early = Watcher(place, "--json")
        tap.ok(early.wait_event("monitor.started"),
               "it waits for a daemon that is not there", early.all())
        place.start_daemon(CONFIG)
        place.wait_name(15)
        tap.ok(early.wait_event("daemon.back"), "and sees it come",
               early.all())
        words, objects = Watcher(place), Watcher(place, "--json")
        tap.ok(words.wait_text("watching") and
               objects.wait_event("monitor.started"), "a member may watch",
               words.all() + objects.all())
        stranger = Watcher(place, user="nobody2")
        tap.equal(stranger.process.wait(20), 1, "others may not")
        told(tap, place, words, objects)
        forged(tap, place, objects)
        gone_and_back(tap, place, words, objects)
        hostile(tap, place, words, objects)
        objects.process.send_signal(signal.SIGINT)
        words.process.send_signal(signal.SIGTERM)
        tap.equal((objects.process.wait(10), words.process.wait(10)), (0, 0),
                  "Ctrl-C ends it well")
        place.stop_bus()
        tap.ok(early.wait_event("bus.gone"), "it survives the bus, too",
               early.all())
        place.start_bus()
        tap.ok(wait(lambda: len([e for e in early.events() if e["event"] ==
                                 "monitor.started"]) == 2, 30),
               "and watches on when that is back", early.all())


if __name__ == "__main__":
    main()
