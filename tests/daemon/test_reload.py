#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# run: timeout 120
"""Reloads at awkward moments, and what a new configuration changes besides
the rules: how much is logged, and whether anything is only watched."""
import os
import shutil
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import desk as desks  # noqa: E402
sys.path.insert(0, os.path.join(HERE, "..", "lab"))
from tap import Tap  # noqa: E402

PARTING = "debug: the agent is gone"


def config(gateway="enforce", things="", home="", camera="", level="info"):
    """Modes as given; an empty one is left out."""
    def mode(value):
        return "mode = %s\n" % value if value else ""
    return ("[gateway]\nlog-level = " + level + "\n" + mode(gateway) +
            "[zone things]\ninterface = things0\n" + mode(things) +
            "[zone home]\ninterface = home0\nrole = owner\n" + mode(home) +
            "[device camera]\nmac = 02:00:00:00:00:01\n" + mode(camera))


# Is something that should be isolated only watched?
OBSERVED = [
    (dict(), False),
    (dict(gateway=""), True),
    (dict(gateway="observe"), True),
    (dict(gateway="observe", things="enforce"), False),
    (dict(gateway="enforce", things="observe"), True),
    (dict(gateway="enforce", home="observe"), False),
    (dict(gateway="enforce", camera="observe"), True),
    (dict(gateway="enforce", things="observe", camera="enforce"), True),
]


def workers(desk):
    """{name: pid} by what the daemon's children execute."""
    pid, found = desk.daemon.pid, {}
    with open("/proc/%d/task/%d/children" % (pid, pid),
              encoding="ascii") as file:
        children = file.read().split()
    for child in children:
        try:
            name = os.path.basename(os.readlink("/proc/%s/exe" % child))
        except OSError:
            continue
        if name.startswith("gatehouse-"):
            found[name[len("gatehouse-"):]] = int(child)
    return found


def generation(desk):
    return desk.get("Generation") or 0


def observed(tap, desk):
    for modes, expected in OBSERVED:
        desk.config(config(**modes))
        done = desk.call("root", "Reload")
        tap.equal((done.returncode, desk.get("Observed")), (0, expected),
                  "observed is %s with %s" % (expected, modes))


def in_force(desk, expected):
    """The last configuration, in every part; Mode tells which it is."""
    return desks.wait(lambda: desk.get("State") == "running" and
                      desk.get("Mode") == expected, 15)


def spin(condition, timeout=10):
    """Waits without a pause: what comes next must come at once."""
    end = time.monotonic() + timeout
    while not condition() and time.monotonic() < end:
        pass


def while_restarting(tap, desk):
    """A reload must not be lost because one worker is being brought back."""
    for name in ("support", "update"):
        for turn in range(8):
            mode = "observe" if turn % 2 else "enforce"
            pid = workers(desk).get(name)
            mark = len(desk.log())
            desk.config(config(gateway=mode))
            os.kill(pid, signal.SIGKILL)
            # Before it is noticed, the reload may be refused instead.
            spin(lambda: "process ended" in desk.log()[mark:])
            if turn < 6:  # while it is told what is in force
                spin(lambda: ", uid " in desk.log()[mark:])
            else:
                time.sleep(0.02 * (turn - 6))
            desk.daemon.send_signal(signal.SIGHUP)
            if not in_force(desk, mode):
                tap.ok(False, "no reload is lost while %s restarts" % name,
                       desk.log())
                return
        tap.ok(True, "no reload is lost while %s restarts" % name)


def many(tap, desk):
    for turn in range(30):
        desk.config(config(gateway="observe" if turn % 2 else "enforce"))
        desk.daemon.send_signal(signal.SIGHUP)
        time.sleep(0.001 * (turn % 5))
    tap.ok(in_force(desk, "observe"), "the last of many reloads wins",
           desk.log())


def at_start(tap, desk):
    """The first workers have not said HELLO yet."""
    desk.config(config(gateway="enforce"))
    desk.start_daemon(None, ready=False)
    spin(lambda: workers(desk))
    desk.config(config(gateway="observe"))
    for _ in range(20):
        desk.daemon.send_signal(signal.SIGHUP)
        time.sleep(0.001)
    desk.wait_name()
    tap.ok(in_force(desk, "observe"), "reloads while starting", desk.log())
    tap.ok("makes no sense" not in desk.log() and
           "process ended" not in desk.log(),
           "and no worker was told something out of turn", desk.log())


def levels(tap, desk):
    desk.config(config(level="debug"))
    desk.call("root", "Reload")
    desk.stop_daemon()
    tap.contains(desk.log(), "support: " + PARTING,
                 "a new log level reaches the workers at once")


def refused_level(tap, desk):
    """A configuration that is refused leaves the level as it was."""
    desk.start_daemon(config())
    desk.wait_name()
    desk.config(config(level="debug") + "[device x]\nmac = y\n")
    tap.ok(desk.call("root", "Reload").returncode != 0, "refused")
    desk.stop_daemon()
    tap.ok(PARTING not in desk.log(), "and so is its log level", desk.log())


def one_missing(tap, desk):
    """A part that does not start is no other part's failure."""
    broken = desk.path("stage")
    shutil.copytree(desk.stage, broken, symlinks=True)
    shutil.copy("/bin/false",
                os.path.join(broken, "usr/libexec/gatehouse",
                             "gatehouse-isolation"))
    whole, desk.stage = desk.stage, broken
    desk.start_daemon(config() + "support-ends = 2001\n")
    desk.stage = whole
    desk.wait_name()
    tap.ok(desks.wait(lambda: "support.ended" in repr(desk.get("Warnings"))),
           "the others work without isolation", desk.log())
    tap.equal(desk.get("State"), "degraded", "and the state says so")
    os.kill(workers(desk)["support"], signal.SIGKILL)
    time.sleep(0.3)
    desk.config(config() + "support-ends = 2002\n")
    tap.equal(desk.call("root", "Reload").returncode, 0, "they reload, too")
    tap.ok(desks.wait(lambda: "2002-12-31" in repr(desk.get("Warnings"))),
           "and it reaches them", desk.log())
    tap.ok("cannot pass on" not in desk.log() and
           "ending the" not in desk.log(), "none was ended for it",
           desk.log())
    desk.stop_daemon()


def many_devices(tap, desk):
    """Seconds would be minutes if each device were looked for among all."""
    text = config() + "".join(
        "[device d%d]\nmac = 02:00:00:01:%02x:%02x\nsupport-ends = 2150\n"
        "allow = tcp/443 203.0.113.10\n" % (i, i // 256, i % 256)
        for i in range(12000))
    start = time.monotonic()
    desk.start_daemon(text)
    took = time.monotonic() - start
    tap.ok(took < 10, "starts with 12000 devices", "%.1f s" % took)
    desk.wait_name()
    mark, start = len(desk.log()), time.monotonic()
    desk.daemon.send_signal(signal.SIGHUP)
    tap.ok(desks.wait(lambda: "is in force" in desk.log()[mark:], 10),
           "and reloads them", desk.log()[mark:])
    desk.stop_daemon()


def main():
    with Tap() as tap:
        with desks.Desk() as desk:
            for name in ("isolation", "support", "update", "bus"):
                if not os.path.exists(desk.program(
                        "usr/libexec/gatehouse/gatehouse-" + name)):
                    tap.skip("reloads", name + " is not built")
                    return
            desk.start_bus()
            desk.start_daemon(config())
            desk.wait_name()
            observed(tap, desk)
            while_restarting(tap, desk)
            many(tap, desk)
            levels(tap, desk)
            at_start(tap, desk)
            desk.stop_daemon()
            refused_level(tap, desk)
            one_missing(tap, desk)
            many_devices(tap, desk)


if __name__ == "__main__":
    desks.hide()
    main()
