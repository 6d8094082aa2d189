#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# run: timeout 120
"""gatehouse config diff: the files against what is in force, also where the
two come from different places."""
import os
import stat
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import desk as desks  # noqa: E402
sys.path.insert(0, os.path.join(desks.SRC, "tests", "lab"))
from tap import Tap  # noqa: E402
from test_ctl import Command  # noqa: E402

OLD = desks.CONFIG.replace(
    "02:00:00:00:00:01\n",
    "02:00:00:00:00:01\nallow = tcp/443 any\n")
NEW = desks.CONFIG.replace("mode = observe", "mode = enforce")


def flat(done):
    return " ".join(done.stdout.split())


def main():
    with Tap() as tap:
        with desks.Desk() as desk:
            desk.start_bus()
            run = Command(desk)
            desk.config(OLD)
            tap.equal(run("config", "diff").returncode, 2,
                      "without a daemon there is nothing to compare with")
            desk.start_daemon(OLD)
            desk.wait_name()
            kept = os.stat(desk.path("run", "in-force.conf"))
            tap.equal((stat.S_IMODE(kept.st_mode), kept.st_uid), (0o600, 0),
                      "what is in force lies there for root alone")
            done = run("config", "diff")
            tap.ok(done.returncode == 0 and "what is in force" in flat(done),
                   "nothing was changed", done.stdout + done.stderr)
            tap.equal(run.json("config", "diff"),
                      {"same": True, "changes": []}, "as JSON")
            desk.config(OLD, "gatehouse.conf")
            os.mkdir(desk.path("etc", "gatehouse.conf.d"))
            desk.config("[gateway]\nmode = observe\n",
                        "gatehouse.conf.d/50-same.conf")
            tap.equal(run("config", "diff").returncode, 0,
                      "the same in another file is the same")
            desk.config("[gateway]\nmode = enforce\n",
                        "gatehouse.conf.d/50-same.conf")
            desk.config(NEW)
            done = run("config", "diff")
            tap.ok(done.returncode == 1 and "Closes" in done.stdout and
                   "camera may no longer reach tcp/443 anywhere outside" in
                   flat(done) and "strangers in zone things will be cut" in
                   flat(done), "what it closes, in words", done.stdout)
            rows = run.json("config", "diff")["changes"]
            tap.ok({"effect": "closes", "section": "device camera",
                    "text": "camera may no longer reach tcp/443 anywhere "
                    "outside"} in rows, "and as JSON", rows)
            desk.config(NEW + "[device x]\nmac = y\n")
            done = run("config", "diff")
            tap.ok(done.returncode == 2 and "mac" in done.stderr,
                   "a mistake is told", done.stderr)
            desk.config(NEW)
            tap.equal(run("config", "apply").returncode, 0, "(applied)")
            tap.equal(run("config", "diff").returncode, 0,
                      "then they say the same again")
            desk.config(OLD)
            os.unlink(desk.path("etc", "gatehouse.conf.d", "50-same.conf"))
            run("config", "apply", "--confirm-within", "1")
            tap.ok(desks.wait(lambda: desk.get("Returned")), "(returned)")
            done = run("config", "diff")
            tap.ok(done.returncode == 1 and "Opens" in done.stdout,
                   "after a return it shows what is not in force",
                   done.stdout)
            tap.equal(run("config", "diff", user="member").returncode, 2,
                      "others than root see nothing of it")
            desk.stop_daemon()


if __name__ == "__main__":
    desks.hide("isolation", "bus")
    main()
