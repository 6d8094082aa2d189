# SPDX-License-Identifier: GPL-2.0-or-later
"""What must be the same on the host after the demo as before."""
import os
import re
import subprocess
import time

# Counters and the like, that change by themselves.
RESTLESS = re.compile(
    r"^(fs\.(dentry-state|inode-|file-nr|aio-nr)|kernel\.(random\.|ns_last_pid"
    r"|pty\.nr|perf_|sched_domain)|net\.netfilter\.nf_conntrack_count"
    r"|vm\.(stat|nr_|lowmem)|dev\.cdrom|sunrpc\.)")
UNIT_FOLDERS = ["/etc/systemd/system", "/lib/systemd/system",
                "/usr/lib/systemd/system", "/etc/init.d", "/etc/rc2.d",
                "/run/systemd/system"]
# Tests that run at the same time have labs of their own.
OTHER_LAB = re.compile(r"^gh\d+-")
OTHER_MOUNT = re.compile(r"^(/run/netns/gh\d+-|/tmp/gatehouse-root\.)")


def output(*args):
    try:
        return subprocess.run(
            args, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, errors="replace", check=False).stdout.splitlines()
    except FileNotFoundError:
        return []


def nft():
    """Rules without their counters."""
    return [re.sub(r"packets \d+ bytes \d+", "packets N bytes N", line)
            for line in output("nft", "list", "ruleset")]


def sysctls():
    return {line.split(" = ")[0]: line for line in output("sysctl", "-a")
            if not RESTLESS.match(line)}


def units():
    found = []
    for folder in UNIT_FOLDERS:
        for where, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(where, name)
                target = os.readlink(path) if os.path.islink(path) else ""
                found.append(path + " " + target)
    return sorted(found)


def mounts():
    with open("/proc/self/mounts", encoding="utf-8") as file:
        return sorted(line.split(" ")[1] for line in file)


def first_words(lines, index=0):
    return sorted(line.split()[index] for line in lines if line.strip())


class Snapshot:
    """Taken once before and once after."""

    def __init__(self):
        links = [line.split(": ")[1] for line in output("ip", "-o", "link")]
        names = first_words(output("ip", "netns"))
        self.parts = {
            "nftables": nft(),
            "packages": [line for line in output("dpkg", "-l")
                         if line[:2] != "||"],
            "units": units(),
            "running units": first_words(output(
                "systemctl", "list-units", "--plain", "--no-legend",
                "--state=active", "--type=service,socket,timer")),
            "interfaces": sorted(links),
            "addresses and routes": [
                re.sub(r"\b(expires|valid_lft|preferred_lft) \S+", "", line)
                for line in output("ip", "-o", "addr") +
                output("ip", "route", "show", "table", "all")],
            "policy rules": output("ip", "rule"),
            "namespaces": [n for n in names if not OTHER_LAB.match(n)],
            "users": sorted(output("getent", "passwd")),
            "mounts": [m for m in mounts() if not OTHER_MOUNT.match(m)],
        }
        self.sysctls = sysctls()
        time.sleep(0.3)
        again = sysctls()
        # What changes within a moment says nothing.
        self.restless = {k for k, v in self.sysctls.items()
                         if again.get(k) != v}

    def differences(self, later):
        """[(what, removed lines, added lines)]"""
        found = []
        for what, before in self.parts.items():
            after = later.parts[what]
            gone = [x for x in before if x not in after]
            new = [x for x in after if x not in before]
            if gone or new:
                found.append((what, gone, new))
        restless = self.restless | later.restless
        keys = (set(self.sysctls) | set(later.sysctls)) - restless
        gone = sorted(self.sysctls[k] for k in keys if k in self.sysctls and
                      self.sysctls[k] != later.sysctls.get(k))
        new = sorted(later.sysctls[k] for k in keys if k in later.sysctls and
                     later.sysctls[k] != self.sysctls.get(k))
        if gone or new:
            found.append(("sysctls", gone, new))
        return found


NETNS = "/run/netns"


class NetnsFolder:
    """
    The first "ip netns add" on a machine makes this folder and mounts it on
    itself; who was the first takes it away again.
    """

    def __init__(self):
        self.there = os.path.isdir(NETNS)
        self.mounted = NETNS in mounts()

    def restore(self):
        if os.path.isdir(NETNS) and os.listdir(NETNS):
            return  # somebody else needs it by now
        if not self.mounted and NETNS in mounts():
            subprocess.run(["umount", NETNS], check=False)
        if not self.there and os.path.isdir(NETNS):
            os.rmdir(NETNS)
