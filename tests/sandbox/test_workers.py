#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# run: timeout 240
"""Each worker of the running daemon: who it is, what it may do, what it
holds; and that a killed one is back while the others live on."""
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lab"))
import proc  # noqa: E402
from daemon import wait  # noqa: E402
from lab import Lab  # noqa: E402
from tap import Tap  # noqa: E402

NET_ADMIN = proc.CAPABILITIES["net_admin"]
SYS_CHROOT = proc.CAPABILITIES["sys_chroot"]
BACK_WITHIN = 10.0  # promised: one second; the machine may be busy
CONFIG = """
[upgrade mqtt]
protocol = mqtt
port = 1883
upstream-port = 8883
upstream-name = broker.example
[proxy]
authorities = %s
"""
# Beyond 0-2, the link and the epoll: kind -> how many, at most.
EXTRA = {
    # Two for routes: what is asked, and what is heard.
    "isolation": {"netlink": 11, "anon_inode:[timerfd]": 1},
    "proxy": {"tcp listening": 2, "anon_inode:[timerfd]": 1},
    "support": {},
    "update": {},
    "bus": {"unix stream": 1, "anon_inode:[timerfd]": 1},
    # Of packets: one for each interface of a zone of devices.
    "discovery": {"netlink": 1, "family 17 3": 1,
                  "anon_inode:[timerfd]": 1},
    "registry": {"registry.db": 1, "registry.db-wal": 1,
                 "anon_inode:[timerfd]": 1},
}
NEEDED = {"isolation": ["netlink"], "proxy": ["tcp listening"],
          "bus": ["unix stream"], "discovery": ["netlink", "family 17 3"],
          "registry": ["registry.db"]}
# A folder of its own, which is nobody else's; the others have an empty one.
FOLDERS = {"registry": ["registry.db", "registry.db-wal"]}


def identity(tap, name, pid, uid):
    about = proc.status(pid)
    tap.equal(about["Uid"].split(), [str(uid)] * 4, name + ": its own user")
    tap.equal(about["Gid"].split(), [str(uid)] * 4, name + ": its own group")
    tap.equal(about["Groups"].split(), [], name + ": in no other group")
    tap.equal(about["NoNewPrivs"], "1", name + ": no new privileges")
    tap.equal(about["Seccomp"], "2", name + ": system calls are filtered")
    tap.equal(about["Threads"], "1", name + ": one thread")


def privileges(tap, name, pid):
    wanted = {NET_ADMIN} if name == "isolation" else set()
    for which in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
        tap.equal(proc.capabilities(pid, which), wanted,
                  "%s: %s is what it was given" % (name, which))
    # The bounding set cannot be narrowed by who lacks CAP_SETPCAP; with no
    # new privileges nothing can be gained from it.
    tap.ok(proc.capabilities(pid, "CapBnd") <= wanted | {SYS_CHROOT},
           name + ": CapBnd holds nothing more",
           proc.capabilities(pid, "CapBnd"))


def folder(tap, name, pid):
    tap.ok(os.readlink("/proc/%d/root" % pid) != "/",
           name + ": its root is not the root")
    tap.equal(sorted(proc.root_entries(pid)), FOLDERS.get(name, []),
              name + ": its root has nothing but its own")
    tap.equal(os.readlink("/proc/%d/cwd" % pid),
              os.readlink("/proc/%d/root" % pid), name + ": it is inside")
    about = os.stat("/proc/%d/root/" % pid)
    if name in FOLDERS:
        tap.ok(about.st_uid == os.stat("/proc/%d" % pid).st_uid or
               not about.st_mode & 0o077,
               name + ": nobody else comes there", oct(about.st_mode))
    else:
        tap.ok(about.st_uid == 0 and not about.st_mode & 0o022,
               name + ": it cannot write there", oct(about.st_mode))


def limits(tap, name, pid):
    all_limits = proc.limits(pid)
    tap.equal(all_limits["Max core file size"], ("0", "0"),
              name + ": leaves no core")
    tap.equal(all_limits["Max processes"], ("1", "1"), name + ": cannot fork")
    soft, hard = all_limits["Max open files"]
    tap.ok(soft == hard and int(hard) <= 16384,
           name + ": a limit of open files", all_limits["Max open files"])


def descriptors(tap, name, pid, log_path):
    found = proc.descriptors(pid)
    tap.equal(found.pop(0, None), "/dev/null", name + ": 0 is /dev/null")
    tap.equal([found.pop(1, None), found.pop(2, None)], [log_path] * 2,
              name + ": 1 and 2 are the log")
    tap.equal(found.pop(3, None), "unix seqpacket", name + ": 3 is the link")
    kinds = {}
    for kind in found.values():
        if name in FOLDERS and kind.startswith("/"):
            kind = os.path.basename(kind)
        kinds[kind] = kinds.get(kind, 0) + 1
    tap.equal(kinds.pop("anon_inode:[eventpoll]", 0), 1,
              name + ": one epoll")
    most = EXTRA[name]
    tap.ok(all(kinds[kind] <= most.get(kind, 0) for kind in kinds),
           name + ": nothing else is open", (kinds, most))
    missing = [kind for kind in NEEDED.get(name, []) if kind not in kinds]
    tap.equal(missing, [], name + ": has what it works with")


def layers(tap, daemon, name, pid):
    """The agent says at start which layers are on; Landlock has no other
    witness. Here: chroot and seccomp always, Landlock where it exists."""
    lines = [line for line in daemon.log().splitlines()
             if "%s: process %d," % (name, pid) in line]
    tap.ok(lines and "chroot" in lines[0] and "seccomp" in lines[0],
           name + ": the daemon names its layers", lines)
    if landlock_exists():
        tap.ok(lines and "landlock" in lines[0],
               name + ": Landlock is on", lines)
    else:
        tap.skip(name + ": Landlock is on", "this kernel has no Landlock")


def landlock_exists():
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.syscall(444, None, 0, 1) > 0  # ask for the version


def killed(tap, daemon, name):
    others = {k: v for k, v in daemon.workers().items() if k != name}
    before = len(daemon.log())
    began = time.monotonic()
    old = daemon.kill_worker(name)
    new = daemon.wait_worker(name, but=old, timeout=BACK_WITHIN)
    in_force = wait(lambda: "Seccomp" in proc.status(new) and
                    proc.status(new)["Seccomp"] == "2",
                    BACK_WITHIN) if new else False
    took = time.monotonic() - began
    tap.ok(new and in_force and took < BACK_WITHIN,
           "%s: killed, it is back in its sandbox" % name, took)
    tap.note("%s was back after %.2f s" % (name, took))
    now = {k: v for k, v in daemon.workers().items() if k != name}
    tap.equal(now, others, name + ": the others did not notice")
    tap.contains(daemon.log()[before:], name + " process ended",
                 name + ": its end is told")


def configuration(lab, built):
    """One that gives each worker something to hold."""
    if "isolation" not in built or "proxy" not in built:
        return "[gateway]\nmode = observe\n"
    return lab.base_config(
        more={"camera": "support-ends = 2024"}, extra=CONFIG % lab.pki().ca)


def main():
    with Tap() as tap, Lab() as lab:
        lab.dbus()
        built = lab.workers_built()
        lab.config(configuration(lab, built))
        daemon = lab.gatehoused()
        workers = wait(lambda: len(daemon.workers()) == len(built) and
                       daemon.workers(), 10)
        if not tap.ok(workers, "every worker runs", daemon.log()):
            return
        if "bus" in built:
            wait(lambda: "unix stream" in
                 proc.descriptors(workers["bus"]).values(), 5)
        for number, name in enumerate(built):
            pid = workers[name]
            identity(tap, name, pid, lab.uid_base() + number + 1)
            privileges(tap, name, pid)
            folder(tap, name, pid)
            limits(tap, name, pid)
            descriptors(tap, name, pid, daemon.log_path)
            layers(tap, daemon, name, pid)
        for name in built:
            killed(tap, daemon, name)
        agent = proc.capabilities(daemon.pid, "CapBnd")
        tap.ok(not agent & {16, 17, 19, 21}, "the agent has no CAP_SYS_MODULE,"
               " _RAWIO, _PTRACE, _ADMIN", agent)
        tap.equal(daemon.stop(), 0, "stops in order")
        tap.ok(all(not os.path.exists("/proc/%d" % pid)
                   for pid in workers.values()), "no worker outlives it")


if __name__ == "__main__":
    main()
