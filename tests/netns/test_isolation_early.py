#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The rules of last time are there before the network is, without a daemon;
the daemon takes over and nothing slips through."""
import os
import socket
import stat
import time

from isolation_lab import Lab, all_cut, all_open, counter, elements
from isolation_lab import everywhere, put, run, wait, ways
import frames
from test_isolation_survives import Flood, arrived, ends, targets

LAST, BEFORE = "isolation.wanted", "isolation.wanted.before"
ALLOW = "allow = tcp/7 203.0.113.10"


class Boot:
    """The gateway's way down and up again."""

    def __init__(self, lab):
        self.lab = lab
        self.gateway = lab.gateway
        self.gateway.sysctl("ipv6/conf/all/keep_addr_on_down", 1)
        self.program = lab.program("usr/libexec/gatehouse/gatehouse-isolation")
        self.took = None

    def links(self):
        lab = self.lab
        return (["p-" + name for names in lab.bridges.values()
                 for name in names] + list(lab.bridges) + ["lan0", "wan0"])

    def down(self):
        """No daemon, no rules, no interface: as in the moment of a boot."""
        if self.lab.daemon and self.lab.daemon.process.poll() is None:
            self.lab.daemon.stop()
        for family in ("inet", "bridge"):
            self.gateway.run("nft", "delete", "table", family, "gatehouse",
                             check=False)
        for family in ("-4", "-6"):
            while not self.gateway.run("ip", family, "rule", "del", "pref",
                                       90, check=False).returncode:
                pass
        for name in self.links():
            self.gateway.link(name, "down")
            self.gateway.run("bridge", "link", "set", "dev", name, "isolated",
                             "off", check=False)

    def up(self):
        for name in self.links():
            self.gateway.link(name, "up")

    def saved(self, name=LAST):
        return self.lab.path("state", name)

    def early(self):
        start = time.monotonic()
        done = self.gateway.run(self.program, "--early",
                                os.path.dirname(self.saved()), check=False)
        self.took = time.monotonic() - start
        return done

    def again(self):
        """Down, the early load, up."""
        self.down()
        done = self.early()
        self.up()
        return done

    def ports_saved(self):
        """The worker's report of the bridge's ports is in the file."""
        def there():
            with open(self.saved(), "rb") as file:
                return b"p-stranger" in file.read()
        return wait(there)

    def tables(self):
        return self.gateway.run("nft", "list", "tables").stdout.split("\n")


def all_closed(tap, lab, what):
    all_cut(tap, lab, ways(lab, "stranger", "cloud") + ways(
        lab, "stranger", "owner") + ways(lab, "stranger", "sensor"),
        what + ": a stranger reaches nothing")
    all_cut(tap, lab, ways(lab, "camera", "cloud", kinds=("udp", "icmp")) +
            [("camera", lab.cloud_ip(1), "tcp", 7)] +
            ways(lab, "camera", "owner", kinds=("tcp", "udp")),
            what + ": a device reaches no more than it may")
    all_cut(tap, lab, ways(lab, "camera", "sensor") + ways(
        lab, "sensor", "camera"), what + ": nor its neighbour")


def guarded(tap, lab, boot):
    """Whoever flushes before the daemon runs does not open anything."""
    lab.gateway.run("nft", "flush", "ruleset")
    all_cut(tap, lab, ways(lab, "stranger", "cloud"),
            "flushed before the daemon runs: nothing is forwarded")
    boot.early()


def claims(tap, lab):
    """Nobody is the gateway before the daemon runs."""
    mouth = lab.socket("stranger", socket.AF_PACKET, socket.SOCK_RAW)
    mouth.bind(("eth0", 0))

    def claim():
        """ARP and ND in its name: how many are caught."""
        before, mac = counter(lab, "spoofed", "bridge"), lab.stranger.mac
        mouth.send(frames.arp(mac, 2, mac, "192.168.50.1", "192.168.50.1",
                              b"early"))
        mouth.send(frames.advertisement(
            mac, frames.link_local(mac), "fd00:50::1", b"early"))
        wait(lambda: counter(lab, "spoofed", "bridge") >= before + 2, 1)
        return counter(lab, "spoofed", "bridge") - before
    tap.ok(["192.168.50.1", "fd00:50::1"] == sorted(
        key for family in "46"
        for key, _ in elements(lab, "gateway" + family, "bridge")
        if not str(key).startswith("fe80")),
        "the gateway's addresses are known without any daemon")
    tap.equal(claim(), 2, "without any daemon: nobody claims them")
    mouth.close()


def enforced(tap):
    with Lab() as lab:
        everywhere(lab, 7)
        boot = Boot(lab)
        put(lab, lab.base_config("enforce", more={"camera": ALLOW}))
        mode = os.stat(boot.saved())
        tap.ok(stat.S_IMODE(mode.st_mode) == 0o600 and mode.st_uid == 0,
               "what is wanted is saved, for root alone")
        tap.ok(boot.ports_saved(), "the ports of the bridge with it")
        boot.down()
        boot.up()
        all_open(tap, lab, ways(lab, "stranger", "cloud") + ways(
            lab, "camera", "sensor"), "after a boot without it all is open")
        done = boot.again()
        tap.ok(done.returncode == 0 and "2 devices" in done.stdout,
               "the early load says what it did", done.stdout + done.stderr)
        tap.ok(boot.took < 1, "and is quick", boot.took)
        print("# it took %.0f ms" % (1000 * boot.took))
        all_closed(tap, lab, "without any daemon")
        claims(tap, lab)
        guarded(tap, lab, boot)
        all_open(tap, lab, [("camera", lab.cloud.ip, "tcp", 7)] + ways(
            lab, "owner", "camera") + ways(lab, "owner", "cloud"),
            "without any daemon: what is allowed passes")
        rules = elements(lab, "generation")
        done = boot.early()
        tap.ok(done.returncode == 0 and "already" in done.stdout and
               elements(lab, "generation") == rules,
               "once more it leaves the rules that are there alone",
               done.stdout)
        wrong = lab.config("[gateway]\nmode = nonsense\n", "wrong.conf")
        daemon = lab.gatehoused(wrong, ready=False)
        tap.equal(daemon.process.wait(15), 78,
                  "a daemon with a bad configuration does not start")
        all_closed(tap, lab, "and all stays closed")


def taken_over(tap):
    with Lab() as lab:
        servers = ends(lab)
        boot = Boot(lab)
        lab.serve_tcp("cloud", 7)
        text = lab.base_config("enforce", more={"camera": ALLOW})
        put(lab, text)
        boot.ports_saved()
        boot.down()
        boot.up()
        with Flood(lab, targets(lab)):
            tap.ok(wait(lambda: arrived(servers) > 20),
                   "without rules the flood arrives")
        boot.again()
        time.sleep(0.3)
        before = arrived(servers)
        first = elements(lab, "generation")
        alive = lab.socket("camera", socket.AF_INET, socket.SOCK_STREAM)
        alive.settimeout(8)
        alive.connect((lab.cloud.ip, 7))
        with Flood(lab, targets(lab)) as flood:
            time.sleep(0.3)
            put(lab, text)
            time.sleep(0.5)
        tap.ok(flood.sent > 1000, "the flood went on", flood.sent)
        tap.equal(arrived(servers), before,
                  "while the daemon took over nothing of it arrived")
        tap.ok(first and elements(lab, "generation") not in ([], first),
               "it judges all anew", (first, elements(lab, "generation")))
        alive.sendall(b"still here")
        tap.equal(alive.recv(64), b"still here",
                  "an allowed connection lives through it")
        alive.close()
        ports_come_late(tap, lab, boot, text)


def ports_come_late(tap, lab, boot, text):
    """As at a boot: the daemon is there before the bridge has ports."""
    names = ["p-" + name for name in lab.bridges["br0"]]
    boot.down()
    for name in names:
        lab.gateway.link(name, "name", "x" + name)
        lab.gateway.link("x" + name, "nomaster")
    boot.early()
    put(lab, text)
    known = sorted(key for key, _ in elements(lab, "ports", "bridge"))
    tap.equal(known, sorted(names),
              "ports that do not exist yet are closed before they do")
    for name in names:
        lab.gateway.link("x" + name, "name", name)
        lab.gateway.link(name, "master", "br0")
    boot.up()
    all_cut(tap, lab, ways(lab, "camera", "sensor", kinds=["icmp"]) + ways(
        lab, "stranger", "sensor", kinds=["icmp"]),
        "and when they come")
    lab.gateway.run("ip", "link", "add", "other", "type", "bridge")
    lab.gateway.link("p-stranger", "master", "other")
    lab.gateway.link("p-sensor", "nomaster")
    time.sleep(1.5)
    lab.daemon.stop()
    with open(boot.saved(), "rb") as file:
        saved = file.read()
    tap.ok(b"p-camera" in saved and b"p-sensor" in saved,
           "a port that left the bridge may come back")
    tap.ok(b"p-stranger" not in saved,
           "one that is on another is forgotten")


def observed(tap):
    with Lab() as lab:
        everywhere(lab, 7)
        boot = Boot(lab)
        put(lab, lab.base_config("observe"))
        boot.again()
        all_open(tap, lab, ways(lab, "stranger", "cloud") + ways(
            lab, "camera", "sensor") + ways(lab, "camera", "cloud"),
            "who only observes drops nothing at a boot either")
        tap.ok(counter(lab, "quarantined") > 0, "but it counts")


def spoil(path):
    with open(path, "r+b") as file:
        file.seek(os.path.getsize(path) // 2)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 4]))


def damaged(tap):
    with Lab() as lab:
        everywhere(lab, 7)
        boot = Boot(lab)
        done = boot.again()
        tap.ok(done.returncode == 0 and "no rules were saved" in done.stdout
               and "table inet gatehouse" not in boot.tables(),
               "a gateway that never enforced stays open", done.stdout)
        put(lab, lab.base_config("enforce", more={"camera": ALLOW}))
        tap.ok(not os.path.exists(boot.saved(BEFORE)), "there is one file")
        put(lab, lab.base_config("enforce"))
        tap.ok(os.path.exists(boot.saved(BEFORE)), "then the one before, too")
        done = boot.again()
        tap.ok(done.returncode == 0 and done.stderr == "",
               "the last one is taken", done.stderr)
        all_cut(tap, lab, ways(lab, "camera", "cloud"), "it holds")
        spoil(boot.saved())
        done = boot.again()
        tap.ok(done.returncode == 0 and "damaged" in done.stderr and
               "the rules before" in done.stderr,
               "a damaged one is told, the one before is taken", done.stderr)
        all_closed(tap, lab, "with the one before")
        all_open(tap, lab, [("camera", lab.cloud.ip, "tcp", 7)],
                 "with the one before: what that allowed passes")
        spoil(boot.saved(BEFORE))
        done = boot.again()
        tap.ok(done.returncode == 1 and done.stderr.count("damaged") == 2 and
               "nothing is enforced" in done.stderr and
               "table inet gatehouse" not in boot.tables(),
               "two damaged ones: an error that says so", done.stderr)
        os.unlink(boot.saved())
        os.rename(boot.saved(BEFORE), boot.saved())
        spoil(boot.saved())
        os.chmod(boot.saved(), 0o666)
        done = boot.again()
        tap.ok(done.returncode == 1 and "others than root" in done.stderr,
               "a file that anybody may write is not believed", done.stderr)


def cleared(tap):
    with Lab() as lab:
        boot = Boot(lab)
        put(lab, lab.base_config("enforce"))
        put(lab, lab.base_config("observe"))
        tap.ok(os.path.exists(boot.saved()) and
               os.path.exists(boot.saved(BEFORE)), "rules are saved")
        lab.daemon.stop()
        done = lab.ctl("rules", "clear")
        tap.ok("saved for the next boot: removed" in done.stdout,
               "rules clear says that they go, too", done.stdout)
        tap.ok(not os.path.exists(boot.saved()) and
               not os.path.exists(boot.saved(BEFORE)), "they are gone")
        done = lab.ctl("rules", "clear")
        tap.ok("saved for the next boot: were not there" in done.stdout,
               "once more there is nothing to remove", done.stdout)
        tap.contains(boot.again().stdout, "no rules were saved",
                     "nothing comes back at the next boot")


if __name__ == "__main__":
    run(enforced, taken_over, observed, damaged, cleared)
