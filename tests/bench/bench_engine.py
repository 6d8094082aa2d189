# SPDX-License-Identifier: GPL-2.0-or-later
"""The isolation engine by itself, without agent and messages (engine.c): the
load of 100 and of 10,000 devices with 10 lines each, one more device and one
less, each acknowledged and read back; all back after "nft flush ruleset" of
somebody else; an address that a name led to; and a device that is cut among 100,000
connections, 100 of which are its own."""
import os
import subprocess

from common import Samples, ratio

CHANGES = 100
FLOWS = 100000
LEARNED = 1000
RESTORES = 5  # more within ten seconds are not answered at once


def engine(*words):
    """{figure: value} of one run of the program."""
    build = os.environ["GATEHOUSE_BUILD"]
    path = os.path.join(build, "tests/bench/engine")
    subprocess.run(["make", "-C", build, "tests/bench/engine"], check=True,
                   stdout=subprocess.DEVNULL)
    done = subprocess.run([path, *map(str, words)], stdout=subprocess.PIPE,
                          text=True, check=True, timeout=300)
    return {name: float(value) for name, value in (
        line.split() for line in done.stdout.splitlines())}


def run(rounds):
    samples = Samples()
    for _ in range(rounds):
        for devices in (1000, 10000):
            samples.add("%d x 10" % devices,
                        **engine("restore", devices, RESTORES))
        for devices in (100, 10000):
            samples.add("%d x 10" % devices,
                        **engine("change", devices, CHANGES),
                        **engine("learn", devices, LEARNED))
        samples.add("100,000 connections", **engine("revoke", FLOWS, 5))
    samples.table({name: "%.0f" for name in (
        "load_ms", "restore_ms_p50", "restore_cpu_ms_p50",
        "loader_peak_kb", "kernel_kb", "add_us_p50", "add_us_p99",
        "remove_us_p50", "remove_us_p99", "add_cpu_us_p50",
        "remove_cpu_us_p50", "compare_and_add_us_p50",
        "learn_us_p50", "learn_us_p99",
        "revoke4_ms_p50", "revoke6_ms_p50", "revoke4_cpu_ms_p50",
        "revoke6_cpu_ms_p50")})
    for figure in ("add_us_p50", "remove_us_p50"):
        ratio("%s, 10,000 to 100 devices" % figure,
              samples.ratio(figure, "10000 x 10", "100 x 10"), "%.1f")
