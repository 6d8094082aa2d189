#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# run: timeout 200
"""The agent itself: how it starts and stops, what a reload may and may not
do, and what it does about workers that die, hang or were tampered with."""
import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lab"))
import proc  # noqa: E402
from daemon import WORKERS, wait  # noqa: E402
from lab import Lab  # noqa: E402
from tap import Tap  # noqa: E402

EX_CONFIG = 78


def start_of(lab, *args, env=None):
    """The daemon with just these options; its exit status and words."""
    done = subprocess.run([lab.program("usr/sbin/gatehoused"), *args],
                          capture_output=True, text=True, timeout=20, env=env)
    return done.returncode, done.stdout + done.stderr


def options(tap, lab):
    status, said = start_of(lab, "--version")
    tap.ok(status == 0 and said.startswith("gatehoused ") and
           "supported until 20" in said and "report" in said,
           "--version says what runs, until when, and whom to tell", said)
    status, said = start_of(lab, "--help")
    tap.ok(status == 0 and "--check-config" in said, "--help", said)
    for wrong in (["--no-such"], ["surplus"], ["--uids", "0"],
                  ["--uids", "12x"]):
        status, said = start_of(lab, *wrong)
        tap.ok(status == 2 and said, "refused: " + " ".join(wrong), said)
    good = lab.config("[gateway]\nmode = observe\n", "good.conf")
    bad = lab.config("[gateway]\nmode = maybe\n", "bad.conf")
    tap.equal(start_of(lab, "-c", "-f", good)[0], 0, "-c likes a good one")
    status, said = start_of(lab, "-c", "-f", bad)
    tap.ok(status == EX_CONFIG and "bad.conf:2" in said, "-c names the line",
           said)
    status, said = start_of(lab, "-d", "-f", bad, "--uids", "64000",
                            "--run", lab.path("r"), "--state", lab.path("s"))
    tap.ok(status == EX_CONFIG and "not started" in said,
           "does not start with a bad configuration", said)
    tap.ok(not os.path.exists(lab.path("r")), "and has touched nothing")
    status, said = start_of(lab, "-d", "-f", good, "--run", lab.path("r2"),
                            "--state", lab.path("s2"))
    tap.ok(status == 1 and "user gatehouse-" in said and "package" in said,
           "says which user is missing", said)
    os.makedirs(lab.path("open"), exist_ok=True)
    os.chmod(lab.path("open"), 0o777)
    status, said = start_of(lab, "-d", "-f", good, "--run", lab.path("open"),
                            "--state", lab.path("s3"), "--uids", "64000")
    tap.ok(status == 1 and "only root can write" in said,
           "no run folder that others can write to", said)


def nobody(tap, lab):
    done = subprocess.run(
        ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
         lab.program("usr/sbin/gatehoused"), "-d"],
        capture_output=True, text=True, timeout=20)
    tap.ok(done.returncode == 1 and "root" in done.stderr,
           "only root may start it", done.stderr)


def second(tap, lab, daemon):
    config = lab.config("[gateway]\nmode = observe\n", "second.conf")
    status, said = start_of(lab, "-d", "-f", config, "--uids", "64000",
                            "--run", daemon.options["--run"],
                            "--state", daemon.options["--state"])
    tap.ok(status == 1 and "another gatehoused is running" in said,
           "a second one does not start", said)


def reload_good(tap, lab, daemon):
    mark = len(daemon.log())
    lab.config(lab.base_config(mode="observe", devices=("camera",)))
    daemon.reload()
    tap.ok(daemon.wait_notify("READY=1", 20), "a reload is announced as done")
    tap.ok("RELOADING=1" in daemon.said, "and as begun", daemon.said)
    tap.ok(daemon.wait_log("configuration 2 is in force", after=mark),
           "SIGHUP brings a new configuration", daemon.log()[mark:])


def reload_bad(tap, lab, daemon):
    mark, before = len(daemon.log()), daemon.workers()
    lab.config("[gateway]\nmode = obsrve\n[device x]\nmac = zz\n")
    daemon.reload()
    tap.ok(daemon.wait_log("the old one stays in force", after=mark),
           "a bad one is refused", daemon.log()[mark:])
    said = daemon.log()[mark:]
    tap.ok(":2:" in said and ":4:" in said, "with all its problems", said)
    tap.equal(daemon.workers(), before, "no worker was disturbed")
    mark = len(daemon.log())
    lab.config(lab.base_config(mode="observe"))
    daemon.reload()
    tap.ok(daemon.wait_log("is in force", after=mark),
           "the next good one is taken", daemon.log()[mark:])


def reload_while_dying(tap, lab, daemon):
    """A worker that ends in the middle gets whatever is in force later."""
    for name in list(daemon.workers()):
        mark = len(daemon.log())
        old = daemon.workers()[name]
        os.kill(old, signal.SIGSTOP)
        daemon.reload()
        time.sleep(0.1)
        os.kill(old, signal.SIGKILL)
        back = daemon.wait_worker(name, but=old)
        tap.ok(back, "%s killed in a reload is back" % name, daemon.log())
        tap.ok(daemon.wait_log("ended while judging", after=mark),
               "%s: that reload is given up" % name, daemon.log()[mark:])
        mark = len(daemon.log())
        wait(lambda: proc.status(back).get("Seccomp") == "2", 5)
        daemon.reload()
        tap.ok(daemon.wait_log("is in force", after=mark),
               "%s: the next reload works" % name, daemon.log()[mark:])


def storm(tap, daemon):
    """Signals in any number do not confuse it."""
    for _ in range(50):
        daemon.reload()
        time.sleep(0.005)
    mark = len(daemon.log())
    time.sleep(0.5)
    daemon.reload()
    tap.ok(daemon.wait_log("is in force", after=mark), "after 50 reloads",
           daemon.log()[mark:])
    tap.equal(len(daemon.workers()), len(WORKERS), "all workers are there")


def hang(tap, daemon):
    """A worker that answers nothing is replaced: three pings of 5 s."""
    name = "support"
    time.sleep(1)  # let the last of the reloads end
    old = daemon.workers()[name]
    os.kill(old, signal.SIGSTOP)
    tap.ok(daemon.wait_worker(name, but=old, timeout=60),
           "a worker that hangs is replaced", daemon.log())
    tap.contains(daemon.log(), "it hangs", "and the log says why")


def crash_loop(tap, lab):
    """A worker that cannot start costs neither the agent nor the others."""
    broken = os.path.dirname(lab.path("workers", "x"))
    real = lab.program("usr/libexec/gatehouse")
    for name in os.listdir(real):
        if name != "gatehouse-support":
            os.symlink(os.path.join(real, name), os.path.join(broken, name))
    with open(os.path.join(broken, "gatehouse-support"), "w") as file:
        file.write("#!/bin/sh\nexit 3\n")
    os.chmod(file.name, 0o755)
    daemon = lab.gatehoused(args=["--workers", broken])
    tap.contains(daemon.log(), "not all parts are in force",
                 "starts without the part that fails")
    time.sleep(2)
    tries = daemon.log().count("support process ended (exit status 3)")
    tap.ok(2 <= tries <= 8, "the part is tried again, ever more slowly", tries)
    tap.equal(daemon.stop(), 0, "stops in order all the same")


def environment(tap, lab):
    """Workers inherit neither descriptors nor the environment."""
    leak = os.open("/etc/passwd", os.O_RDONLY)
    os.set_inheritable(leak, True)
    gateway, popen = lab.gateway, lab.gateway.popen
    gateway.popen = lambda *a, **o: popen(*a, pass_fds=(leak,), **o)
    daemon = lab.gatehoused(env={"LD_DEBUG_SECRET": "x"})
    gateway.popen = popen
    for name, pid in daemon.workers().items():
        held = proc.descriptors(pid).values()
        tap.ok("/etc/passwd" not in held, name + " holds no stray descriptor",
               held)
        with open("/proc/%d/environ" % pid, "rb") as file:
            tap.ok(b"SECRET" not in file.read(), name + ": nor environment")
    os.close(leak)
    tap.equal(daemon.stop(signal.SIGINT), 0, "Ctrl-C stops it in order")
    tap.contains(daemon.log(), "rules stay in place", "it says what stays")


def main():
    with Tap() as tap, Lab() as lab:
        options(tap, lab)
        nobody(tap, lab)
        lab.config(lab.base_config(mode="observe", devices=("camera",)))
        daemon = lab.gatehoused()
        wait(lambda: len(daemon.workers()) == len(WORKERS))
        second(tap, lab, daemon)
        reload_good(tap, lab, daemon)
        reload_bad(tap, lab, daemon)
        reload_while_dying(tap, lab, daemon)
        storm(tap, daemon)
        hang(tap, daemon)
        pids = daemon.workers()
        tap.equal(daemon.stop(), 0, "SIGTERM stops it in order")
        tap.ok(not any(os.path.exists("/proc/%d" % pid)
                       for pid in pids.values()), "no worker is left behind")
        crash_loop(tap, lab)
        environment(tap, lab)


if __name__ == "__main__":
    main()
