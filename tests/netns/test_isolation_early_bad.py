#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# run: timeout 120
"""A boot at which no saved rules can be used is closed all the same, by the
configuration alone, and the owner's ways stay open."""
import os

from isolation_lab import Lab, all_cut, all_open, everywhere, put, run, ways
from test_isolation_early import ALLOW, BEFORE, Boot, spoil


def early(boot, lab, *more):
    return lab.gateway.run(boot.program, "--early",
                           os.path.dirname(boot.saved()), "", *more,
                           check=False)


def bad(tap):
    with Lab() as lab:
        everywhere(lab, 7)
        lab.serve_tcp("gateway", 22)
        boot = Boot(lab)
        text = lab.base_config("enforce", more={
            "camera": ALLOW, "sensor": "mode = observe"}).replace(
            "[gateway]", "[gateway]\nadmin = " + lab.stranger.ip)
        put(lab, text)
        put(lab, text.replace(ALLOW, ALLOW + "\nallow = tcp/9 any"))
        conf = lab.path("etc", "gatehouse.conf")
        boot.down()
        for name in ("isolation.wanted", BEFORE):
            spoil(boot.saved(name))
        done = early(boot, lab, lab.path("etc", "missing.conf"))
        tap.ok(done.returncode == 1 and "nothing is enforced" in done.stderr,
               "without a configuration nothing can be said",
               done.stdout + done.stderr)
        done = early(boot, lab, conf)
        tap.ok(done.returncode == 0 and "nothing is allowed until" in
               done.stdout and "damaged" in done.stderr,
               "damaged rules: it says so and denies all",
               done.stdout + done.stderr)
        boot.up()
        all_cut(tap, lab, ways(lab, "stranger", "cloud") + ways(
            lab, "camera", "cloud") + ways(lab, "camera", "owner"),
            "strangers and devices reach nothing")
        all_open(tap, lab, ways(lab, "sensor", "cloud"),
                 "who is only observed is not dropped")
        all_open(tap, lab, ways(lab, "owner", "camera") + ways(
            lab, "owner", "cloud") + [("stranger", "192.168.50.1", "tcp", 22)],
            "the owner's ways are open")
        put(lab, text)
        all_open(tap, lab, [("camera", lab.cloud.ip, "tcp", 7)],
                 "the daemon takes over")
        trial(tap, lab, boot, conf)


def trial(tap, lab, boot, conf):
    """In the middle of a trial it is the configuration before that counts."""
    lab.daemon.stop()
    state = os.path.dirname(boot.saved())
    with open(os.path.join(state, "confirmed.conf"), "w",
              encoding="ascii") as file, open(conf, encoding="utf-8") as old:
        file.write(old.read())
    open(os.path.join(state, "confirm.pending"), "w",
         encoding="ascii").close()
    boot.down()
    spoil(boot.saved())  # the one before is spoilt already
    done = early(boot, lab)
    tap.ok(done.returncode == 0 and "nothing is allowed until" in done.stdout,
           "of a trial, the configuration before it", done.stderr)


if __name__ == "__main__":
    run(bad)
