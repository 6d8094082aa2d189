# SPDX-License-Identifier: GPL-2.0-or-later
"""What all measurements share: several labs side by side, rounds that are
interleaved, and what a process has used."""
import statistics
import time

from lab import Lab


class BenchLab(Lab):
    """A lab among others of the same process; each has its own users."""

    made = 0

    def __init__(self, **options):
        Lab.__init__(self, **options)
        self.number = BenchLab.made
        BenchLab.made += 1
        self.prefix = "%s%d-" % (self.prefix[:-1], self.number)

    def base_config(self, *args, **options):
        """One device does here what many do: without a limit."""
        return Lab.base_config(self, *args, **options).replace(
            "[gateway]\n", "[gateway]\nrate = unlimited\n")

    def uid_base(self):
        return Lab.uid_base(self) + 500000 * self.number


def policy(devices, entries, address=None):
    """Sections for so many devices; entries(k): the k-th's allow lines,
    address(k): its own address."""
    return "".join(
        "\n[device d%d]\nmac = %s\n%s%s" % (
            k, mac(k), "address = %s\n" % address(k) if address else "",
            "".join("allow = %s\n" % entry for entry in entries(k)))
        for k in range(devices))


def mac(k):
    return "02:10:00:%02x:%02x:%02x" % (k >> 16 & 255, k >> 8 & 255, k & 255)


def cpu(*pids):
    """Seconds these processes have computed, with threads that are gone:
    clock_getcpuclockid(3), exact to the nanosecond."""
    return sum(time.clock_gettime(~pid << 3 | 2) for pid in pids)


def memory(pid, what="Pss", file="smaps_rollup"):
    """KB; or what="VmHWM", file="status": the most it ever had."""
    with open("/proc/%d/%s" % (pid, file), encoding="ascii") as lines:
        for line in lines:
            if line.startswith(what + ":"):
                return int(line.split()[1])
    return 0


class Samples:
    """{subject: {figure: [values of the rounds]}}"""

    def __init__(self):
        self.all = {}

    def add(self, subject, **figures):
        for figure, value in figures.items():
            self.all.setdefault(subject, {}).setdefault(
                figure, []).append(value)

    def median(self, subject, figure):
        values = self.all.get(subject, {}).get(figure)
        return statistics.median(values) if values else None

    def ratio(self, figure, subject, other):
        """Median of the rounds' own ratios: the noise of a round is in
        both of its halves."""
        return statistics.median(
            a / b for a, b in zip(self.all[subject][figure],
                                  self.all[other][figure]))

    def table(self, figures):
        """figures: {name: format}"""
        print("%-24s" % "" + "".join("%16s" % f for f in figures))
        for subject in self.all:
            print("%-24s" % subject + "".join(
                "%16s" % self.cell(subject, name, form)
                for name, form in figures.items()))

    def cell(self, subject, figure, form):
        value = self.median(subject, figure)
        return "-" if value is None else form % value


def ratio(text, value, form="%.2f"):
    print("%-60s %sx" % (text, form % value))
