#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The test runner itself: a program that fails, crashes, hangs, says less
than it planned or leaves something behind must never count as passed."""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lab"))
from tap import Tap  # noqa: E402

CASES = [
    # what, program, closing line, part of the report
    ("good", "print('ok 1 - a\\n1..1')", "1 passed, 0 failed, 0 skipped", ""),
    ("bad", "print('ok 1 - a\\nnot ok 2 - b\\n1..2')",
     "1 passed, 1 failed, 0 skipped", "failed: b"),
    ("skipping", "print('ok 1 - a\\nok 2 - b # SKIP no such part\\n1..2')",
     "1 passed, 0 failed, 1 skipped", "skipped: b: no such part"),
    ("skipping as cmocka does", "print('ok 1 - a\\nnot ok 2 # SKIP b\\n1..2')",
     "1 passed, 0 failed, 1 skipped", "skipped: b"),
    ("failing on stderr", "import sys; print('1..1'); "
     "print('not ok 1 - a', file=sys.stderr)",
     "0 passed, 1 failed, 0 skipped", "failed: a"),
    ("without a plan", "print('ok 1 - a')",
     "1 passed, 1 failed, 0 skipped", "printed no plan"),
    ("saying less than planned", "print('ok 1 - a\\n1..2')",
     "1 passed, 1 failed, 0 skipped", "planned 2 tests, told of 1"),
    ("crashing after its tests", "import os; "
     "print('ok 1 - a\\n1..1', flush=True); os.kill(os.getpid(), 11)",
     "1 passed, 1 failed, 0 skipped", "killed by SIGSEGV"),
    ("exiting badly after its tests",
     "print('ok 1 - a\\n1..1'); raise SystemExit(3)",
     "1 passed, 1 failed, 0 skipped", "exit status 3"),
    ("hanging", "# run: timeout 1\nimport time; print('1..0', flush=True)\n"
     "time.sleep(60)", "0 passed, 1 failed, 1 skipped", "timed out"),
    ("leaving a process", "import subprocess; print('ok 1 - a\\n1..1')\n"
     "subprocess.Popen(['sleep', '60'])",
     "1 passed, 1 failed, 0 skipped", "left processes behind"),
    ("running nothing", "print('1..0 # SKIP not here')",
     "0 passed, 0 failed, 1 skipped", "not here"),
]


def main():
    with Tap() as tap, tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "test_case.py")
        for what, program, closing, part in CASES:
            with open(path, "w", encoding="ascii") as file:
                file.write(program + "\n")
            done = subprocess.run(
                [sys.executable, os.path.join(HERE, "..", "run"), path],
                stdout=subprocess.PIPE, text=True, check=False)
            last = done.stdout.splitlines()[-1]
            good = closing.endswith("0 failed, 0 skipped") or (
                " 0 failed" in closing and not closing.startswith("0 passed"))
            tap.ok(last == closing and part in done.stdout and
                   (done.returncode == 0) == good,
                   "a program " + what, done.stdout)
        recorded(tap, folder)


def recorded(tap, folder):
    """Only what is between the marks is replaced, and only tests/long."""
    page = os.path.join(folder, "page.md")
    os.mkdir(os.path.join(folder, "long"))
    with open(page, "w", encoding="ascii") as file:
        file.write("# mine\n")
    for place, words in (("long/test_a.py", "ok 1 - a"),
                         ("long/test_a.py", "not ok 1 - a"),
                         ("test_b.py", "ok 1 - b")):
        path = os.path.join(folder, place)
        with open(path, "w", encoding="ascii") as file:
            file.write("print('%s\\n1..1')\n" % words)
        subprocess.run(
            [sys.executable, os.path.join(HERE, "..", "run"), "--duration",
             "3", "--record", page, path], stdout=subprocess.DEVNULL,
            check=False)
        with open(page, encoding="ascii") as file:
            text = file.read()
        rows = [line for line in text.splitlines() if "test_" in line]
        good = text.startswith("# mine\n") and text.count("endurance: 3") == 1
        if place.startswith("long"):
            good = good and len(rows) == 1 and (
                "| 1 | 0 | 0 |" if words.startswith("ok") else
                "| 0 | 1 | 0 |") in rows[0]
        else:
            good = good and not rows
        tap.ok(good, "the page after %s: %s" % (place, words), text)


if __name__ == "__main__":
    main()
