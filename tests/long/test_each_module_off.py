#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# run: timeout 900
"""Each capability can be left out alone; the unit tests of the rest pass."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lab"))
from building import MODULES, Building  # noqa: E402
from tap import Tap  # noqa: E402


def main():
    with Tap() as tap:
        for name in MODULES:
            with Building("--disable-" + name) as build:
                what = "without " + name
                tap.ok(build.configure() and build.make("all") and
                       build.stage(), what + ": builds", build.output)
                tap.ok(not build.staged("usr/libexec/gatehouse/gatehouse-" +
                                        name), what + ": has no worker")
                tap.ok(build.make("check"), what + ": the tests pass",
                       build.output)


if __name__ == "__main__":
    main()
