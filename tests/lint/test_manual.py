#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The manual pages know every key, command and option, and are well formed."""
import glob
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SRC = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(HERE, "..", "lab"))
from tap import Tap  # noqa: E402

KEY_TABLE = re.compile(
    r"^(?:static )?const struct conf_key \w+\[\w*\] = \{(.*?)\n\};", re.S | re.M)
# What several tables share is written in a header.
SHARED = re.compile(r"#define \w+_KEYS\b(?:[^\n]*\\\n)+[^\n]*")
KEY = re.compile(r"\{\s*(?:\.name = )?\"([a-z0-9-]+)\"")


def read(*parts):
    with open(os.path.join(SRC, *parts), encoding="utf-8") as file:
        return file.read()


def keys():
    """Of all schemas: what a configuration may say."""
    found = set()
    for pattern in ("agent/*.c", "modules/*/*.c", "modules/*/agent/*.c"):
        for name in glob.glob(os.path.join(SRC, pattern)):
            for table in KEY_TABLE.findall(read(name)):
                found.update(KEY.findall(table))
    for name in glob.glob(os.path.join(SRC, "modules/*/agent/*.h")):
        for macro in SHARED.findall(read(name)):
            found.update(KEY.findall(macro.replace("\\", "")))
    return found


def documented(page):
    """What .Cm WORD and .It Fl -WORD items explain."""
    words = set()
    for line in read("etc", "man", page).splitlines():
        if line.startswith(".It "):
            words.update(re.findall(r"Cm ([a-z0-9-]+(?: [a-z]+)?)", line))
            words.update(re.findall(r"Fl Fl ([a-z-]+)", line))
    return {w for word in words for w in (word, word.split(" ")[0])}


def options(*source):
    return set(re.findall(r"\{\"([a-z-]+)\", (?:no|required)_argument",
                          read(*source)))


def commands():
    return {first + (" " + second if second else "")
            for first, second in re.findall(
                r"\{\"([a-z-]+)\", (?:\"([a-z]+)\"|NULL), WORD_",
                read("agent", "ctl", "main.c"))}


def main():
    with Tap() as tap:
        found = keys()
        tap.ok({"mode", "mac", "allow", "key", "mark", "shared-mac", "binding",
                "log-group"} <= found, "(keys are found)", found)
        tap.equal(found - documented("gatehouse.conf.5"), set(),
                  "every key is in gatehouse.conf(5)")
        tap.ok({"status", "self-test", "config diff"} <= commands(),
               "(commands are found)", commands())
        tap.equal(commands() - documented("gatehouse.8"), set(),
                  "every command is in gatehouse(8)")
        tap.equal(options("agent", "ctl", "main.c") -
                  documented("gatehouse.8"), set(),
                  "and so is every option")
        tap.equal(options("agent", "main.c") - documented("gatehoused.8"),
                  set(), "every option is in gatehoused(8)")
        if not shutil.which("groff"):
            tap.skip("groff reads the pages", "there is no groff")
            return
        for page in sorted(os.listdir(os.path.join(SRC, "etc", "man"))):
            done = subprocess.run(
                ["groff", "-mandoc", "-Tutf8", "-ww",
                 os.path.join(SRC, "etc", "man", page)], text=True,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
            tap.equal(done.stderr, "", "groff finds nothing in " + page)


if __name__ == "__main__":
    main()
