#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# run: timeout 300
"""gatehouse with every capability left out still builds, installs and
starts. Each one alone is tried by tests/long."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lab"))
from building import MODULES, Building  # noqa: E402
from tap import Tap  # noqa: E402


def main():
    options = ["--disable-" + name for name in MODULES]
    with Tap() as tap, Building(*options) as build:
        tap.ok(build.configure(), "configures", build.output)
        tap.ok(build.make("all"), "builds", build.output)
        tap.ok(build.stage(), "installs", build.output)
        for name in MODULES:
            tap.ok(not build.staged("usr/libexec/gatehouse/gatehouse-" +
                                    name), "no %s worker" % name)
        tap.ok(build.run(os.path.join(build.dir, "agent/gatehoused"),
                         "--version"), "it starts", build.output)


if __name__ == "__main__":
    main()
