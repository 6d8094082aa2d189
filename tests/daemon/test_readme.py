#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What README.md tells people to type exists and is right: the first
configuration, the commands, the bootstrap's words."""
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SRC = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(HERE, "..", "lab"))
from tap import Tap  # noqa: E402

STAGE = os.environ.get("GATEHOUSE_STAGE", os.path.join(SRC, "build/stage"))


def output(*args):
    return subprocess.run(args, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, check=False)


def blocks(text):
    """The indented blocks, each a list of lines."""
    found = re.findall(r"(?:^    .*\n)+", text, re.M)
    return [[line[4:] for line in block.splitlines()] for block in found]


def first_configuration(tap, all_blocks):
    lines = [b for b in all_blocks if b[0].startswith("[")]
    tap.equal(len(lines), 1, "one configuration is shown")
    tap.equal(len(lines[0]), 10, "in ten lines")
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write("\n".join(lines[0]) + "\n")
        file.flush()
        done = output(os.path.join(STAGE, "usr/sbin/gatehoused"),
                      "--check-config", "-f", file.name)
    tap.equal(done.returncode, 0, "it is accepted")
    tap.note(done.stdout)


def commands(tap, all_blocks):
    usage = output(os.path.join(STAGE, "usr/bin/gatehouse"), "--help").stdout
    bootstrap = output(os.path.join(SRC, "packaging/bootstrap"),
                       "--help").stdout
    lines = [line.split("#")[0] for block in all_blocks for line in block]
    words = [re.findall(r"\b(?:sudo )?gatehouse ((?:[a-z]+ ?)+)", line)
             for line in lines if not line.startswith("git")]
    named = {" ".join(w[0].split()[:2]) for w in words if w}
    tap.ok(len(named) >= 5, "several commands are named", named)
    for name in sorted(named):
        first = name.split()[0]
        tap.ok(re.search(r"^  %s\b" % re.escape(first), usage, re.M),
               "gatehouse %s exists" % first)
    named = {w for line in lines
             for w in re.findall(r"packaging/bootstrap ([a-z-]+)", line)}
    tap.ok({"demo", "check"} <= named, "the two commands are named", named)
    for name in sorted(named):
        tap.ok(re.search(r"^  %s\b" % name, bootstrap, re.M),
               "bootstrap %s exists" % name)


def main():
    with open(os.path.join(SRC, "README.md"), encoding="utf-8") as file:
        all_blocks = blocks(file.read())
    with Tap() as tap:
        first_configuration(tap, all_blocks)
        commands(tap, all_blocks)


if __name__ == "__main__":
    main()
