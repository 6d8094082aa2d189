#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A lab that is ended from outside or by an exception removes itself."""
import os
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lab"))
from tap import Tap  # noqa: E402

PROGRAM = """
import sys, time
sys.path.insert(0, %r)
from lab import Lab
with Lab(devices=["camera"], ipv6=False) as lab:
    sleeper = lab.camera.popen("sleep", "300")
    print(lab.prefix, lab.dir, sleeper.pid, flush=True)
    if sys.argv[1] == "raise":
        raise RuntimeError("on purpose")
    time.sleep(300)
""" % os.path.join(HERE, "..", "lab")


def one(tap, how):
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, how], stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True)
    prefix, folder, sleeper = process.stdout.readline().split()
    if how == "terminate":
        process.send_signal(signal.SIGTERM)
    status = process.wait(30)
    process.stdout.close()
    tap.ok(status != 0, "%s: ends with an error" % how, status)
    left = [n for n in os.listdir("/run/netns") if n.startswith(prefix)]
    tap.equal(left, [], "%s: no namespace is left" % how)
    tap.ok(not os.path.exists(folder), "%s: no file is left" % how)
    tap.ok(not os.path.exists("/proc/" + sleeper),
           "%s: no process is left" % how)


def main():
    with Tap() as tap:
        one(tap, "terminate")
        one(tap, "raise")


if __name__ == "__main__":
    main()
