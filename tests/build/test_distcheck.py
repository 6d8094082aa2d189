#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# run: timeout 600
# run: first
"""The release archive builds, tests, installs and uninstalls by itself."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lab"))
from building import Building  # noqa: E402
from tap import Tap  # noqa: E402


def main():
    with Tap() as tap, Building() as build:
        tap.ok(build.configure(), "configures", build.output)
        tap.ok(build.make("distcheck", "XZ_OPT=-0"), "make distcheck passes",
               build.output)


if __name__ == "__main__":
    main()
