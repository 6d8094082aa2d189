#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""OpenWrt's init script, in the shells that could run it, with stand-ins for
rc.common and procd: what is called, in which order, and what when a part
fails. No OpenWrt is needed, and none has been asked."""
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SRC = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(SRC, "tests", "lab"))
from tap import Tap  # noqa: E402

SCRIPT = os.path.join(SRC, "packaging", "openwrt", "gatehouse.init")

COMMON = """
procd_open_instance() { echo open >>"$TRACE"; }
procd_set_param() { echo "param $*" >>"$TRACE"; }
procd_close_instance() { echo close >>"$TRACE"; }
procd_send_signal() { echo "signal $*" >>"$TRACE"; }
logger() { echo "log $*" >>"$TRACE"; }
start() { start_service "$@"; }
. "$1"
"$2"
"""


def shells():
    found = [["sh"]]
    for name in ("dash", "bash"):
        if shutil.which(name):
            found.append([name])
    if shutil.which("busybox"):
        found.append(["busybox", "ash"])
    return found


class Place:
    """A copy of the script that calls programs of ours."""

    def __init__(self, folder):
        self.folder = folder
        self.trace = os.path.join(folder, "trace")
        self.state = os.path.join(folder, "state")
        with open(SCRIPT, encoding="utf-8") as file:
            text = file.read()
        for path, name in (
                ("/usr/sbin/gatehoused", "gatehoused"),
                ("/usr/libexec/gatehouse/gatehouse-isolation", "isolation"),
                ("/etc/gatehouse/state", "state"),
                ("/etc/gatehouse/gatehouse.conf", "conf")):
            assert path in text, path
            text = text.replace(path, os.path.join(folder, name))
        self.script = os.path.join(folder, "gatehouse.init")
        with open(self.script, "w", encoding="utf-8") as file:
            file.write(text)

    def program(self, name, status, says=""):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\necho \"%s $*\" >>\"$TRACE\"\necho '%s'\n"
                       "exit %d\n" % (name, says, status))
        os.chmod(path, 0o755)

    def run(self, shell, action, **env):
        open(self.trace, "w", encoding="utf-8").close()
        done = subprocess.run(
            shell + ["-c", COMMON, "x", self.script, action], check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=dict(os.environ, TRACE=self.trace, **env))
        with open(self.trace, encoding="utf-8") as file:
            return done, file.read().replace(self.folder, "").splitlines()


def actions(tap, shell, place):
    name = " ".join(shell)
    place.program("isolation", 0)
    place.program("gatehoused", 0)
    done, trace = place.run(shell, "boot", FAILSAFE="")
    tap.equal((done.returncode, trace[:2]), (0, [
        "isolation --early /state",
        "gatehoused --check-config -f /conf"]),
        name + ": at boot the early load comes first")
    tap.ok("param command /gatehoused -d -f /conf --state /state" in trace and
           trace[-1] == "close" and trace.index("open") < trace.index(
               "close") and os.path.isdir(place.state),
           name + ": then the daemon, with lasting state", trace)
    tap.ok(not any("FAILSAFE" in line for line in trace),
           name + ": not as failsafe", trace)
    _, trace = place.run(shell, "boot", FAILSAFE="true")
    tap.ok("param env FAILSAFE=true" in trace,
           name + ": failsafe is passed on", trace)
    place.program("isolation", 1)
    done, trace = place.run(shell, "boot", FAILSAFE="")
    tap.ok(done.returncode == 0 and "close" in trace and any(
        "could not be loaded" in line for line in trace),
        name + ": the daemon starts also if the early load fails", trace)
    place.program("gatehoused", 78, "conf:3: nonsense")
    done, trace = place.run(shell, "boot", FAILSAFE="")
    tap.ok(done.returncode != 0 and "open" not in trace and any(
        "nonsense" in line for line in trace),
        name + ": a bad configuration is told and not tried", trace)
    _, trace = place.run(shell, "reload_service")
    tap.equal(trace, ["signal gatehouse * HUP"], name + ": reload")


def main():
    with Tap() as tap:
        with open(SCRIPT, encoding="utf-8") as file:
            text = file.read()
        tap.ok("\nSTART=19\n" in text and "\nUSE_PROCD=1\n" in text,
               "before the network, under procd")
        for shell in shells():
            done = subprocess.run(shell + ["-n", SCRIPT], check=False,
                                  stderr=subprocess.PIPE, text=True)
            tap.equal((done.returncode, done.stderr), (0, ""),
                      " ".join(shell) + " finds no mistake")
            with tempfile.TemporaryDirectory() as folder:
                actions(tap, shell, Place(folder))


if __name__ == "__main__":
    main()
