#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The shipped configuration: right, harmless, and its examples are right."""
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SRC = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(HERE, "..", "lab"))
from tap import Tap  # noqa: E402

BUILD = os.environ.get("GATEHOUSE_BUILD", os.path.join(SRC, "build"))
SHIPPED = os.path.join(SRC, "etc", "gatehouse.conf")


def check(path):
    done = subprocess.run(
        [os.path.join(BUILD, "agent", "gatehoused"), "--check-config", "-f",
         path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False)
    return done.returncode, done.stdout


def main():
    with Tap() as tap, tempfile.TemporaryDirectory() as folder:
        with open(SHIPPED, encoding="utf-8") as file:
            text = file.read()
        status, said = check(SHIPPED)
        tap.ok(status == 0, "the shipped configuration is right", said)
        live = [line for line in text.splitlines()
                if line and not line.startswith("#")]
        tap.equal(live, ["[gateway]", "mode = observe"],
                  "it observes and names no zone")

        examples = os.path.join(folder, "examples.conf")
        key = os.path.join(folder, "publisher.pem")
        with open(key, "w", encoding="ascii") as file:
            file.write("-----BEGIN PUBLIC KEY-----\nAAAA\n"
                       "-----END PUBLIC KEY-----\n")
        opened, lines = re.subn(r"(?m)^#([a-z[])", r"\1", text)
        opened = opened.replace("/etc/gatehouse/publisher.pem", key)
        with open(examples, "w", encoding="utf-8") as file:
            file.write(opened)
        status, said = check(examples)
        tap.ok(status == 0 and lines > 20,
               "with every example in force it is right as well", said)
        with open(examples, "w", encoding="utf-8") as file:
            file.write(opened.replace("tcp/443 any", "tcp/443 nowhere"))
        status, said = check(examples)
        tap.ok(status != 0 and "nowhere" in said,
               "a mistake in it would be found", said)


if __name__ == "__main__":
    main()
