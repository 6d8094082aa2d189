#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# run: timeout 400
# run: alone
"""What tests/bench measures still can be measured, and grows as it should:
ceilings on the order of growth, wide enough for a noisy machine."""
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lab"))
from lab import SRC, Lab  # noqa: E402
from tap import Tap  # noqa: E402

# Growing with each device a packet would cost 1,000 times as much.
CEILINGS = {
    "engine": {"add_us_p50, 10,000 to 100 devices": 10,
               "remove_us_p50, 10,000 to 100 devices": 10},
    "load": {"agent_cpu_ms, 10,000 to 1,000 devices": 30,
             "worker_cpu_ms, 10,000 to 1,000 devices": 30},
    "packets": {"established, gatehouse at 10,000 devices to 10": 3,
                "new flow, gatehouse at 10,000 devices to 10": 3,
                "denied, gatehouse at 10,000 devices to 10": 3},
    "streams": {},
    "tls": {},
}
ROW = re.compile(r"^(.*?)(?: \(.*\))? +([0-9.]+)x$", re.M)


def measure(tap, name, ceilings):
    done = subprocess.run(
        [sys.executable, os.path.join(SRC, "tests/bench/run"), "--build",
         Lab().build, "--rounds", "1", name], stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False, timeout=300)
    found = {text: float(value) for text, value in ROW.findall(done.stdout)}
    tap.ok(done.returncode == 0, "%s can be measured" % name, done.stdout)
    for what, most in ceilings.items():
        tap.ok(what in found and found[what] <= most,
               "%s: %s, at most %d" % (what, found.get(what), most),
               done.stdout)


def main():
    with Tap() as tap:
        if not {"isolation", "proxy"} <= set(Lab().workers_built()):
            tap.skip("measurements", "a module is left out of this build")
            return
        for name, ceilings in CEILINGS.items():
            measure(tap, name, ceilings)


main()
