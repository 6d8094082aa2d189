#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# run: timeout 300
# run: alone
"""10,000 devices with 10 lines each are loaded and changed one by one for
minutes: the memory of process and kernel stays flat. GATEHOUSE_LONG_MINUTES
(tests/run --duration) says for how long; ten are what is promised."""
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lab"))
from lab import Lab  # noqa: E402
from tap import Tap  # noqa: E402

DEVICES = 10000
ROW = re.compile(r"rss_kb (\d+) kernel_kb (\d+)")
KERNEL_KB = 32768  # all of this machine's kernel memory moves, not ours alone


def main():
    with Tap() as tap:
        if os.geteuid() != 0 or "isolation" not in Lab().workers_built():
            tap.skip("the engine's memory", "needs root and isolation")
            return
        minutes = float(os.environ.get("GATEHOUSE_LONG_MINUTES", "1"))
        build = Lab().build
        subprocess.run(["make", "-C", build, "tests/bench/engine"],
                       stdout=subprocess.DEVNULL, check=True)
        done = subprocess.run(
            [os.path.join(build, "tests/bench/engine"), "churn",
             str(DEVICES), str(int(60 * minutes))], stdout=subprocess.PIPE,
            text=True, check=False)
        rows = [tuple(map(int, row)) for row in ROW.findall(done.stdout)]
        tap.ok(done.returncode == 0 and len(rows) > 4, "it ran",
               done.stdout)
        early, late = rows[len(rows) // 4], rows[-1]
        tap.ok(late[0] < early[0] * 1.1 + 1024,
               "the process' memory is flat (%d, %d KB)" % (
                   early[0], late[0]), done.stdout)
        tap.ok(late[1] < early[1] + KERNEL_KB,
               "the kernel's, too (%d, %d KB)" % (early[1], late[1]),
               done.stdout)


main()
