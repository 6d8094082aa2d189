#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The end of support from the configuration to the bus, with dates that are
counted from today."""
import datetime
import os
import signal
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import desk as desks  # noqa: E402
sys.path.insert(0, os.path.join(HERE, "..", "lab"))
from tap import Tap  # noqa: E402

ENDED = "support.ended"
ENDING = "support.ending"


def day(distance):
    today = datetime.datetime.now(datetime.timezone.utc).date()
    return str(today + datetime.timedelta(days=distance))


# name: (days from today or None, support, code of the warning or None)
DEVICES = {
    "undated": (None, "unknown", None),
    "far": (181, "supported", None),
    "in180": (180, "ending", ENDING),
    "in91": (91, "ending", ENDING),
    "in30": (30, "ending", ENDING),
    "in7": (7, "ending", ENDING),
    "lastday": (0, "ending", ENDING),
    "dayafter": (-1, "ended", ENDED),
    "longago": (-4000, "ended", ENDED),
}
STAGES = {"in180": 180, "in91": 180, "in30": 30, "in7": 7, "lastday": 7}


def config(dates):
    """dates: {name: text or None}"""
    lines = ["[gateway]", "mode = observe", "[zone things]",
             "interface = things0"]
    for number, (name, ends) in enumerate(dates.items()):
        lines += ["[device %s]" % name, "mac = 02:00:00:00:01:%02x" % number]
        if ends:
            lines.append("support-ends = " + ends)
    return "\n".join(lines) + "\n"


def devices(desk):
    found = {}
    for interfaces in (desk.objects() or {}).values():
        if desks.DEVICE in interfaces:
            device = interfaces[desks.DEVICE]
            found[device["Name"]] = device
    return found


def warnings(desk):
    """{(device id, code): the whole warning}, only those of support."""
    found = {}
    for warning in desk.get("Warnings") or []:
        words = [w for w in warning if isinstance(w, str)]
        code = [w for w in words if w.startswith("support.")]
        if code:
            found[(warning[1], code[0])] = warning
    return found


def text_of(warning):
    return max((w for w in warning if isinstance(w, str)), key=len)


def expect(tap, desk, name, distance, support, code):
    device = devices(desk).get(name, {})
    tap.equal((device.get("Support"), device.get("SupportDays"),
               device.get("SupportEnds")),
              (support, distance or 0, day(distance) if distance is not None
               else ""), "%s: %s" % (name, support))
    mine = {c: w for (number, c), w in warnings(desk).items()
            if number == device.get("Id")}
    tap.equal(sorted(mine), [code] if code else [],
              "%s: warned with %s" % (name, code))
    if not code:
        return
    text = text_of(mine[code]) if code in mine else ""
    tap.ok(name in text and day(distance) in text and "replace it" in text,
           "%s: says who, when and what to do" % name, text)
    if name in STAGES:
        tap.contains(text, "in %d days or fewer" % STAGES[name],
                     "%s: says the stage" % name)


def at_start(tap, desk):
    desk.start_daemon(config({
        name: day(distance) if distance is not None else None
        for name, (distance, _, _) in DEVICES.items()}))
    desk.wait_name()
    desks.wait(lambda: len(warnings(desk)) >= 7)
    for name, (distance, support, code) in DEVICES.items():
        expect(tap, desk, name, distance, support, code)


def one(desk, code):
    """The id of the only warning of support if it has this code."""
    found = warnings(desk)
    if len(found) == 1 and list(found)[0][1] == code:
        return list(found.values())[0][0]
    return None


def worker(desk):
    """The pid of the worker by what it executes; None: there is none."""
    pid = desk.daemon.pid
    with open("/proc/%d/task/%d/children" % (pid, pid),
              encoding="ascii") as file:
        children = file.read().split()
    for child in children:
        try:
            path = os.readlink("/proc/%s/exe" % child)
        except OSError:
            continue
        if os.path.basename(path) == "gatehouse-support":
            return int(child)
    return None


def reload(desk, dates):
    desk.config(config(dates))
    desk.call("root", "Reload")


def over_reloads(tap, desk):
    reload(desk, {"far": day(20)})
    tap.ok(desks.wait(lambda: one(desk, ENDING)),
           "a new date warns; warnings of devices that went are gone",
           repr(warnings(desk)))
    before = one(desk, ENDING)
    pid = worker(desk)
    os.kill(pid, signal.SIGKILL)
    tap.ok(desks.wait(lambda: worker(desk) not in (None, pid)),
           "the worker is back")
    reload(desk, {"far": day(20)})
    tap.equal(one(desk, ENDING), before,
              "neither that nor a reload repeats the warning")
    reload(desk, {"far": day(5)})
    tap.ok(desks.wait(lambda: one(desk, ENDING) not in (None, before)),
           "the next stage is a new warning")
    reload(desk, {"far": day(-1)})
    tap.ok(desks.wait(lambda: one(desk, ENDED)),
           "past the end there is one warning, of the end")
    reload(desk, {"far": str(int(day(0)[:4]) + 3)})
    tap.ok(desks.wait(lambda: not warnings(desk)), "a later year ends it")
    device = devices(desk)["far"]
    tap.equal((device["Support"], device["SupportEnds"]),
              ("supported", str(int(day(0)[:4]) + 3)), "and shows it as given")
    reload(desk, {"far": None})
    tap.ok(desks.wait(lambda: devices(desk)["far"]["Support"] == "unknown"),
           "without a date nothing is known")


def main():
    with Tap() as tap:
        with desks.Desk() as desk:
            for name in ("support", "bus"):
                if not os.path.exists(desk.program(
                        "usr/libexec/gatehouse/gatehouse-" + name)):
                    tap.skip("the end of support", name + " is not built")
                    return
            desk.start_bus()
            at_start(tap, desk)
            over_reloads(tap, desk)
            tap.equal(desk.stop_daemon(), 0, "it stops in order")


if __name__ == "__main__":
    desks.hide()
    main()
