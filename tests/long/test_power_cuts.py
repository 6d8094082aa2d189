#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The registry is killed a hundred times at any moment: each decision that
was acknowledged is there after that."""
import os
import subprocess
import sys

SRC = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(SRC, "tests", "lab"))
from tap import Tap  # noqa: E402


def main():
    program = os.path.join(os.environ.get("GATEHOUSE_BUILD", ""), "tests",
                           "unit", "test_registry_decisions")
    with Tap() as tap:
        if not os.path.exists(program):
            tap.skip("power cuts", "its program was not built")
            return
        done = subprocess.run(
            [program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=300, check=False,
            env=dict(os.environ, GATEHOUSE_POWER_CUTS="100"))
        tap.equal(done.returncode, 0, "every acknowledged decision is there "
                  "after each of 100")
        if done.returncode:
            tap.note(done.stdout)


if __name__ == "__main__":
    main()
