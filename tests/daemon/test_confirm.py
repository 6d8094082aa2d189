#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# run: timeout 120
"""A configuration on trial: it stays if it is confirmed, and what was before
returns if it is not, whatever happens to the daemon in between."""
import os
import signal
import stat
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import desk as desks  # noqa: E402
sys.path.insert(0, os.path.join(desks.SRC, "tests", "lab"))
from tap import Tap  # noqa: E402
from test_ctl import Command  # noqa: E402

OLD = desks.CONFIG
NEW = OLD.replace("mode = observe", "mode = enforce")


def marker(desk):
    return os.path.exists(desk.path("state", "confirm.pending"))


def codes(desk):
    """Of warnings about the configuration; processes have their own."""
    return [w[4] for w in desk.get("Warnings") or []
            if w[4].startswith("config.")]


def mode(desk):
    return desk.get("Mode")


def wanted(desk):
    """What the next boot would load first."""
    with open(desk.path("state", "isolation.wanted"), "rb") as file:
        return file.read()


def on_disk(desk):
    with open(desk.path("etc", "gatehouse.conf"), encoding="ascii") as file:
        return file.read()


def begin(tap, desk, run, seconds, text=NEW):
    desk.config(text)
    done = run("config", "apply", "--confirm-within", str(seconds))
    tap.ok(done.returncode == 0 and "ON TRIAL" in done.stdout,
           "a trial of %s begins" % seconds, done.stdout + done.stderr)


def confirmed(tap, desk, run):
    before = wanted(desk)
    begin(tap, desk, run, "5m")
    tap.equal((mode(desk), marker(desk), codes(desk)),
              ("enforce", True, ["config.unconfirmed"]),
              "it is in force, and the disk and the bus say that it is a "
              "trial")
    kept = os.stat(desk.path("state", "confirmed.conf"))
    tap.equal((stat.S_IMODE(kept.st_mode), kept.st_uid), (0o600, 0),
              "what was before is kept for root alone")
    tap.equal(wanted(desk), before,
              "if the power goes now, the next boot loads what was before")
    tap.ok(desk.get("ConfirmUntil") > 0, "the bus says until when")
    tap.contains(run("status").stdout, "ON TRIAL until", "so does status")
    for who in ("member", "nobody2"):
        tap.ok(desk.call(who, "Confirm").returncode != 0 and
               desk.call(who, "Apply", "u", "60").returncode != 0,
               who + " may neither begin nor confirm one")
    tap.ok(marker(desk), "(it is still a trial)")
    tap.equal(run("config", "confirm").returncode, 0, "root confirms it")
    tap.equal((mode(desk), marker(desk), codes(desk),
               desk.get("ConfirmUntil"), os.path.exists(
                   desk.path("state", "confirmed.conf"))),
              ("enforce", False, [], 0, False), "and it stays")
    tap.ok(wanted(desk) != before, "also for the next boot")
    done = run("config", "confirm")
    tap.ok(done.returncode == 1 and "too late" in done.stderr,
           "nothing is left to confirm", done.stderr)


def too_late(tap, desk, run):
    begin(tap, desk, run, 1, OLD)
    tap.contains(desk.log(), "is in force for 1 seconds",
                 "(it was in force)")
    tap.ok(desks.wait(lambda: "config.returned" in codes(desk)) and
           mode(desk) == "enforce",
           "unconfirmed, what was before returns", desk.log())
    tap.equal((codes(desk), marker(desk), desk.get("Returned"),
               desk.get("ConfirmUntil")),
              (["config.returned"], True, True, 0), "and it is told")
    tap.equal(on_disk(desk), OLD, "the file is as the owner wrote it")
    tap.contains(repr(desk.get("Warnings")), "NOT in force: gatehouse.conf.",
                 "the warning names it")
    tap.contains(run("status").stdout, "NOT AS IN THE FILES",
                 "the status is loud")
    tap.contains(desk.log(), "not in force: " + desk.path(
        "etc", "gatehouse.conf"), "so is the journal")
    desk.stop_daemon()
    desk.start_daemon(None)
    desk.wait_name()
    tap.equal((mode(desk), codes(desk)), ("enforce", ["config.returned"]),
              "after a restart it is the same")
    desk.daemon.send_signal(signal.SIGHUP)
    tap.ok(desks.wait(lambda: mode(desk) == "observe"),
           "a plain reload takes the files at once", desk.log())
    tap.equal((marker(desk), codes(desk), desk.get("Returned")),
              (False, [], False), "and ends it")


def killed(tap, desk, run):
    before = wanted(desk)
    begin(tap, desk, run, 600)
    desk.daemon.kill()
    desk.daemon.wait()
    desk.stop_bus()
    tap.equal(wanted(desk), before, "(the early load is of before)")
    desk.start_bus()
    desk.start_daemon(None)
    desk.wait_name()
    tap.equal((mode(desk), codes(desk), on_disk(desk) == NEW),
              ("observe", ["config.returned"], True),
              "killed in a trial, it starts with what was before")
    tap.contains(desk.log(), "not confirmed before gatehoused ended",
                 "the journal says why")
    tap.equal(wanted(desk), before, "and so will the next boot")
    begin(tap, desk, run, 600)
    tap.equal((mode(desk), codes(desk)),
              ("enforce", ["config.unconfirmed"]), "a second trial")
    desk.daemon.kill()
    desk.daemon.wait()
    desk.config(OLD)
    desk.start_daemon(None)
    desk.wait_name()
    tap.equal((mode(desk), codes(desk), marker(desk)),
              ("observe", [], False),
              "with the old text back in the files there is nothing to tell")


def not_readable(tap, desk, run):
    """Never the unconfirmed ones because the others cannot be read."""
    begin(tap, desk, run, 600)
    desk.daemon.kill()
    desk.daemon.wait()
    path = desk.path("state", "confirmed.conf")
    with open(path, "a", encoding="ascii") as file:
        file.write("nonsense\n")
    desk.start_daemon(None, ready=False)
    tap.equal(desk.daemon.wait(20), 78, "a damaged copy: it does not start")
    tap.contains(desk.log(), "remove " + desk.path(
        "state", "confirm.pending"), "and says what to do")
    os.unlink(desk.path("state", "confirm.pending"))
    desk.start_daemon(OLD)
    desk.wait_name()
    tap.equal(codes(desk), [], "that helps")


def refused(tap, desk, run):
    desk.config(NEW + "[device x]\nmac = y\n")
    done = run("config", "apply", "--confirm-within", "60")
    tap.ok(done.returncode == 1 and "mac" in done.stderr,
           "a mistake is found before a trial begins", done.stderr)
    tap.ok(desk.call("root", "Apply", "u", "60").returncode != 0 and
           not marker(desk) and mode(desk) == "observe" and
           codes(desk) == [], "and by the daemon, too", desk.log())
    for bad in ("0", "86401"):
        tap.ok(desk.call("root", "Apply", "u", bad).returncode != 0,
               "%s seconds are refused" % bad)
    tap.equal(run("config", "apply", "--confirm-within",
                  "soon").returncode, 2, "so are words")
    begin(tap, desk, run, 600)
    desk.config(NEW + "[device x]\nmac = y\n")
    tap.ok(desk.call("root", "Apply", "u", "60").returncode != 0 and
           marker(desk) and codes(desk) == ["config.unconfirmed"],
           "a mistake in a second one leaves the first on trial")
    desk.config(NEW)
    tap.ok(desk.call("root", "Reload").returncode == 0 and marker(desk),
           "a reload in a trial confirms nothing")
    tap.equal(run("config", "confirm").returncode, 0, "(confirmed)")


def decisions(tap, desk, run):
    """enforce and observe may be on trial, too."""
    done = run("observe", "--confirm-within", "1")
    tap.ok(done.returncode == 0 and "ON TRIAL" in done.stdout,
           "a decision on trial", done.stdout + done.stderr)
    tap.ok(desks.wait(lambda: "config.returned" in codes(desk)) and
           mode(desk) == "enforce", "returns as well")
    with open(desk.path("etc", "gatehouse.conf.d", "90-mode.conf"),
              encoding="utf-8") as file:
        tap.contains(file.read(), "mode = observe", "its file stays")
    tap.contains(repr(desk.get("Warnings")), "gatehouse.conf.d/90-mode.conf",
                 "and is named")
    tap.equal(run("config", "apply").returncode, 0, "apply takes it for good")
    tap.equal((mode(desk), marker(desk)), ("observe", False), "it is so")


def main():
    with Tap() as tap:
        with desks.Desk() as desk:
            desk.start_bus()
            desk.start_daemon(OLD)
            desk.wait_name()
            run = Command(desk)
            confirmed(tap, desk, run)
            too_late(tap, desk, run)
            killed(tap, desk, run)
            not_readable(tap, desk, run)
            refused(tap, desk, run)
            decisions(tap, desk, run)
            desk.stop_daemon()


if __name__ == "__main__":
    desks.hide("isolation", "bus")
    main()
