# SPDX-License-Identifier: GPL-2.0-or-later
"""What /proc tells of a process: who it is, what it may, what it holds."""
import ctypes
import os
import re
import socket

LIBC = ctypes.CDLL(None, use_errno=True)
PIDFD_GETFD = 438
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


def descriptors(pid):
    """{number: kind}; files by their path, sockets by what they speak."""
    folder = "/proc/%d/fd" % pid
    found = {}
    for name in os.listdir(folder):
        try:
            target = os.readlink(os.path.join(folder, name))
        except FileNotFoundError:
            continue
        if target.startswith("socket:"):
            target = socket_kind(pid, int(name))
        found[int(name)] = target
    return found


def socket_kind(pid, number):
    """As "netlink 12", "unix seqpacket", "tcp listening"."""
    with borrowed(pid, number) as sock:
        domain = sock.getsockopt(socket.SOL_SOCKET, socket.SO_DOMAIN)
        kind = sock.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE)
        protocol = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL)
        listening = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if domain == socket.AF_NETLINK:
        return "netlink"
    name = {socket.SOCK_STREAM: "stream", socket.SOCK_DGRAM: "datagram",
            socket.SOCK_SEQPACKET: "seqpacket"}.get(kind, str(kind))
    if domain == socket.AF_UNIX:
        return "unix " + name
    if domain in (socket.AF_INET, socket.AF_INET6):
        if protocol == socket.IPPROTO_TCP:
            return "tcp listening" if listening else "tcp"
        return "ip %s %d" % (name, protocol)
    return "family %d %s" % (domain, name)


def borrowed(pid, number):
    """A copy of another process's socket."""
    pidfd = os.pidfd_open(pid)
    try:
        fd = LIBC.syscall(PIDFD_GETFD, pidfd, number, 0)
        if fd < 0:
            raise OSError(ctypes.get_errno(), "pidfd_getfd")
        return socket.socket(fileno=fd)
    finally:
        os.close(pidfd)
