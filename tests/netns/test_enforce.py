#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# run: timeout 120
"""Before it enforces, the command names what would stop working: what a
device does outside, and what devices do among each other."""
from isolation_lab import Lab, everywhere, put, run, wait, ways


def preview(tap):
    with Lab() as lab:
        everywhere(lab, 7, nodes=["cloud", "sensor"])
        lab.dbus()
        daemon = put(lab, lab.base_config("observe"))
        tap.ok(wait(lambda: lab.ctl("status", check=False).returncode == 0),
               "the command finds the daemon", daemon.log())
        lab.attempts([("camera", lab.cloud.ip, "tcp", 7)] +
                     ways(lab, "camera", "sensor"))
        # The counters are read every five seconds.
        tap.ok(wait(lambda: lab.ctl_json("status")["bridged_denied"] > 0, 30),
               "what stays on the bridge is counted")
        said = lab.ctl("--config", daemon.options["-f"], "enforce",
                       "--yes").stdout
        tap.contains(said, "allow = tcp/7 " + lab.cloud.ip,
                     "what would stop outside is named, with what keeps it")
        tap.contains(said, "Between devices on one bridge",
                     "and that devices will not reach each other")
        tap.contains(said, "ENFORCING", "then it is in force")
        tap.equal(lab.attempts([("camera", lab.cloud.ip, "tcp", 7)])[0] ==
                  "yes", False, "as the camera finds out")


if __name__ == "__main__":
    run(preview)
