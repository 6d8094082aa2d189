#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# run: timeout 180
"""Safe mode: a file on the boot partition opens everything and says so, and
is forgotten with the file; nobody but root can put it there."""
import os

from isolation_lab import Lab, all_cut, all_open, everywhere, put, run, wait
from isolation_lab import ways


def tried(lab):
    return ways(lab, "stranger", "cloud") + ways(lab, "camera", "sensor")


def start(lab, boot, text):
    if lab.daemon and lab.daemon.process.poll() is None:
        lab.daemon.stop()
    daemon = lab.gatehoused(lab.config(text), args=("--boot", boot))
    wait(lambda: lab.ctl("status", check=False).returncode == 0)
    return daemon


def early(lab, boot):
    return lab.gateway.run(
        lab.program("usr/libexec/gatehouse/gatehouse-isolation"), "--early",
        os.path.dirname(lab.path("state", "x")), boot, check=False)


def safe(tap):
    with Lab() as lab:
        everywhere(lab, 7)
        lab.dbus()
        boot = os.path.dirname(lab.path("boot", "x"))
        sign = os.path.join(boot, "gatehouse-safe-mode")
        text = lab.base_config(
            "enforce", more={"camera": "mode = enforce"})
        start(lab, boot, text)
        all_cut(tap, lab, tried(lab), "without the file it is enforced")
        tap.ok(not lab.ctl_json("status")["safe_mode"], "and not called safe")
        saved = lab.path("state", "isolation.wanted")
        with open(saved, "rb") as file:
            before = file.read()

        open(sign, "w", encoding="ascii").close()
        daemon = start(lab, boot, text)
        all_open(tap, lab, tried(lab), "with it all is open")
        status = lab.ctl_json("status")
        tap.ok(status["safe_mode"] and status["observed"], "the bus says so",
               status)
        tap.equal([(w["code"], w["severity"]) for w in status["warnings"]
                   if w["code"].startswith("gateway.")],
                  [("gateway.safe-mode", "critical")], "a critical warning")
        tap.ok(lab.ctl("status").stdout.startswith("SAFE MODE"),
               "the first word of the status")
        tap.contains(daemon.log(), "SAFE MODE by " + sign, "the journal")
        done = lab.ctl("enforce", "--yes", check=False)
        tap.ok(done.returncode == 1 and "safe mode" in done.stderr,
               "enforce does not pretend", done.stderr)
        put(lab, text)
        all_open(tap, lab, tried(lab), "a reload changes nothing of it")
        with open(saved, "rb") as file:
            tap.equal(file.read(), before,
                      "what is saved for the next boot is as before")

        lab.daemon.stop()
        done = early(lab, boot)
        tap.ok(done.returncode == 0 and "SAFE MODE by " + sign in
               done.stderr and "gatehouse" not in lab.gateway.run(
                   "nft", "list", "tables").stdout,
               "the early load takes rules away instead",
               done.stdout + done.stderr)
        os.chown(sign, lab.uid_base(), lab.uid_base())
        start(lab, boot, text)
        all_cut(tap, lab, tried(lab), "a file of somebody else is none")
        os.unlink(sign)
        os.symlink("/etc/passwd", sign)
        start(lab, boot, text)
        all_cut(tap, lab, tried(lab), "nor is a link")
        lab.daemon.stop()
        for family in ("inet", "bridge"):
            lab.gateway.run("nft", "delete", "table", family, "gatehouse",
                            check=False)
        os.unlink(sign)
        done = early(lab, boot)
        tap.ok(done.returncode == 0 and "in force" in done.stdout,
               "without it the last rules are loaded", done.stderr)
        all_cut(tap, lab, tried(lab), "and hold")


def failsafe(tap):
    """OpenWrt's word in the environment."""
    with Lab() as lab:
        everywhere(lab, 7)
        lab.config(lab.base_config("enforce"))
        lab.gatehoused(env={"FAILSAFE": "true"})
        tap.contains(lab.daemon.log(), "SAFE MODE by OpenWrt's failsafe",
                     "failsafe is safe mode")
        all_open(tap, lab, tried(lab), "all is open")


if __name__ == "__main__":
    run(safe, failsafe)
