# SPDX-License-Identifier: GPL-2.0-or-later
"""What /proc tells of a process: who it is, what it may, what it holds."""
import os
import re

CAPABILITIES = {"net_admin": 12, "sys_chroot": 18}


def status(pid):
    """/proc/PID/status as a dictionary."""
    with open("/proc/%d/status" % pid, encoding="ascii",
              errors="replace") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file
                    if ":\t" in line)


def capabilities(pid, which):
    """The set CapEff, CapPrm, CapInh, CapBnd or CapAmb, as numbers."""
    mask = int(status(pid)[which], 16)
    return {n for n in range(64) if mask >> n & 1}


def limits(pid):
    """{name: (soft, hard)} of /proc/PID/limits, as text."""
    found = {}
    with open("/proc/%d/limits" % pid, encoding="ascii") as file:
        for line in file.readlines()[1:]:
            words = re.split(r"\s{2,}", line.strip())
            found[words[0]] = (words[1], words[2])
    return found


def root_entries(pid):
    """What the process would see in its root folder."""
    return os.listdir("/proc/%d/root/" % pid)


def sockets(pid):
    """{inode: kind} of all sockets in the process's network namespace."""
    found = {}
    for name, column, state, kind in (
            ("tcp", 9, 3, "tcp"), ("tcp6", 9, 3, "tcp"),
            ("udp", 9, 3, "udp"), ("udp6", 9, 3, "udp"),
            ("raw", 9, 3, "raw"), ("raw6", 9, 3, "raw"),
            ("netlink", 9, 1, "netlink"), ("packet", 8, 2, "packet"),
            ("unix", 6, 4, "unix")):
        try:
            with open("/proc/%d/net/%s" % (pid, name), encoding="ascii",
                      errors="replace") as file:
                lines = file.readlines()[1:]
        except FileNotFoundError:
            continue
        for words in map(str.split, lines):
            if len(words) > column:
                found[words[column]] = socket_kind(kind, words[state])
    return found


def socket_kind(kind, detail):
    if kind == "tcp":
        return "tcp listening" if detail == "0A" else "tcp"
    if kind == "unix":
        return "unix " + {"0001": "stream", "0002": "datagram",
                          "0005": "seqpacket"}.get(detail, detail)
    return kind


def descriptors(pid):
    """{number: kind}; files by their path."""
    folder = "/proc/%d/fd" % pid
    known = sockets(pid)
    found = {}
    for name in os.listdir(folder):
        try:
            target = os.readlink(os.path.join(folder, name))
        except FileNotFoundError:
            continue
        match = re.match(r"socket:\[(\d+)\]", target)
        if match:
            target = known.get(match.group(1), "socket of another kind")
        found[int(name)] = target
    return found
