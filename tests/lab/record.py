# SPDX-License-Identifier: GPL-2.0-or-later
"""The last result of the long tests, kept in a page beside what people wrote:
only what stands between two marks is replaced."""
import datetime
import os
import platform

BEGIN = "<!-- last run: begin -->"
END = "<!-- last run: end -->"


def table(programs, minutes):
    """programs: of tests/run; those of tests/long count."""
    now = datetime.datetime.now(datetime.timezone.utc)
    lines = ["%s, Linux %s, %s, %d processors, load %.0f, minutes of "
             "endurance: %g" % (
                 now.strftime("%Y-%m-%d %H:%M UTC"), platform.release(),
                 platform.machine(), os.cpu_count() or 0, os.getloadavg()[0],
                 minutes),
             "", "| program | passed | failed | skipped | seconds |",
             "|---|---|---|---|---|"]
    for p in sorted(programs, key=lambda p: p.name):
        if "long/" in p.name:
            lines.append("| `%s` | %d | %d | %d | %.0f |" % (
                p.name, p.passed, len(p.failed), len(p.skipped), p.seconds))
    return lines


def write(path, programs, minutes):
    lines = [BEGIN, ""] + table(programs, minutes) + ["", END]
    text = ""
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            text = file.read()
    head, begun, rest = text.partition(BEGIN)
    tail = rest.partition(END)[2] if begun else "\n"
    if not begun and head:
        head = head.rstrip("\n") + "\n\n"
    with open(path, "w", encoding="utf-8") as file:
        file.write(head + "\n".join(lines) + tail)
