#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules about the source tree that a program can check."""
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SRC = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(HERE, "..", "lab"))
from tap import Tap  # noqa: E402

FOLDERS = ["agent", "modules", "etc", "packaging", "tests", ".ci"]
TOP = ["configure.ac", "Makefile.am", "autogen.sh", "README.md",
       "SECURITY.md", "HACKING.md", "NEWS"]
NO_COMMENTS = (".json", ".xml.in")  # and the corpora
FORBIDDEN = re.compile(
    r"\b(strcpy|strcat|sprintf|vsprintf|atoi|atol|strtok|alloca|system|popen"
    r"|gets)\s*\(")
KEY = re.compile(r"-----BEGIN[A-Z ]* PRIVATE KEY-----\s*\n\s*[A-Za-z0-9+/=]")
LINES_MAX = 700


def files():
    for name in TOP:
        yield name
    for folder in FOLDERS:
        for where, folders, names in os.walk(os.path.join(SRC, folder)):
            folders[:] = [f for f in folders if f != "__pycache__"]
            for name in names:
                yield os.path.relpath(os.path.join(where, name), SRC)


def read(name):
    with open(os.path.join(SRC, name), "rb") as file:
        return file.read().decode("utf-8", "replace")


def without_comments(text):
    """C without comments and string contents; keeps the lines."""
    def blank(match):
        word = match.group(0)
        return '""' if word[0] == '"' else "\n" * word.count("\n")
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, text,
                  flags=re.S)


def is_corpus(name):
    return "/corpus/" in name or name.startswith("tests/unit/conf/")


def spdx(names):
    return [n for n in names if not is_corpus(n) and
            not n.endswith(NO_COMMENTS) and
            "SPDX-License-Identifier" not in read(n)[:400] and
            not n.endswith(("/copyright", "/changelog", "/format",
                            ".install", ".dirs", ".docs"))]


def foreign_includes(names):
    """A module sees agent/lib and, of another module, its *_proto.h."""
    bad = []
    for name in names:
        parts = name.split("/")
        if not name.endswith((".c", ".h")) or parts[0] == "tests":
            continue
        for path in re.findall(r'#include\s+"([^"]+)"', read(name)):
            if "/" not in path:
                continue
            to = path.split("/")
            if parts[0] == "modules":
                good = (path.startswith("agent/lib/") or
                        to[:2] == parts[:2] or
                        to[0] == "modules" and path.endswith("_proto.h"))
            elif parts[:2] == ["agent", "lib"]:
                good = path.startswith("agent/lib/")
            else:
                good = to[0] == "agent" or path.endswith("_proto.h")
            if not good:
                bad.append("%s includes %s" % (name, path))
    return bad


def forbidden_calls(names):
    bad = []
    for name in names:
        if not name.endswith((".c", ".h")) or name.startswith("tests/"):
            continue
        text = without_comments(read(name))
        bad += ["%s: %s()" % (name, word) for word in FORBIDDEN.findall(text)]
    return bad


def private_keys(names):
    return [n for n in names if KEY.search(read(n))]


def long_files(names):
    return ["%s: %d lines" % (n, read(n).count("\n")) for n in names
            if n.endswith((".c", ".h", ".py")) and
            read(n).count("\n") > LINES_MAX]


def unformatted(names):
    sources = [n for n in names if n.endswith((".c", ".h"))]
    if not sources:
        return []
    done = subprocess.run(
        ["clang-format", "--dry-run", "-Werror"] + sources, cwd=SRC,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False)
    return sorted({line.split(":")[0] for line in done.stdout.splitlines()
                   if "error:" in line})


def unheaded(names):
    """A .c file says first what it does, may touch, must never do."""
    return [n for n in names if n.endswith(".c") and
            not n.startswith("tests/") and
            not re.match(r"/\* SPDX[^\n]*\*/\n/\*|// SPDX[^\n]*\n/\*",
                         read(n))]


def main():
    names = sorted(files())
    with Tap() as tap:
        for check, what in (
                (spdx, "every file names its licence"),
                (foreign_includes, "dependencies point one way"),
                (forbidden_calls, "no call that the style rules out"),
                (private_keys, "no private key in the tree"),
                (long_files, "no file of over %d lines" % LINES_MAX),
                (unheaded, "every source file says what it does")):
            bad = check(names)
            tap.ok(not bad, what, "\n".join(bad))
        if shutil.which("clang-format"):
            bad = unformatted(names)
            tap.ok(not bad, "clang-format finds nothing", "\n".join(bad))
        else:
            tap.skip("clang-format finds nothing", "it is not installed")
        planted = "-----BEGIN " + "PRIVATE KEY-----\nMC4CAQAwBQ\n"
        tap.ok(KEY.search(planted), "a planted private key would be found")
        tap.ok(FORBIDDEN.search("x = atoi(y)"),
               "a planted atoi() would be found")


if __name__ == "__main__":
    main()
