#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# run: timeout 600
# run: first
"""The demo: every step is as it should be, in time; a wrong one would be
told by its exit status."""
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lab")]
from stage import Stage  # noqa: E402
from tap import Tap  # noqa: E402

PROMISED_S = 180
BUSY = 3  # a machine that does much else may take so many times longer


def main():
    with Tap() as tap:
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, os.path.join(HERE, "demo.py")],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False)
        took = time.monotonic() - began
        tap.equal(done.returncode, 0, "every step is as it should be")
        if done.returncode:
            tap.note(done.stdout)
        tap.contains(done.stdout, "Everything is as it should be.",
                     "and it says so")
        tap.ok("\n    NOT AS IT" not in done.stdout, "nothing is not")
        tap.ok(took < PROMISED_S * BUSY, "in %d s (%d are promised)" % (
            took, PROMISED_S))
        with open(os.devnull, "w", encoding="ascii") as nowhere:
            stage = Stage(nowhere)
            stage.step("a step")
            stage.verdict(True, "one that is right")
            tap.equal(stage.close(), 0, "right steps: exit status 0")
            stage.verdict(False, "one that is wrong")
            tap.equal(stage.close(), 1, "a wrong step: exit status 1")


if __name__ == "__main__":
    main()
