#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The bridge itself keeps the ports of an enforced zone apart, so that a
foreign flush opens nothing between neighbours; what was before comes back."""
import json
import os
import signal

from isolation_lab import Lab, all_cut, all_open, counter, everywhere, put
from isolation_lab import run, wait, ways

PORTS = ["p-camera", "p-sensor", "p-stranger"]


def isolated(lab):
    """The bridge ports with the flag."""
    links = json.loads(lab.gateway.run(
        "ip", "-j", "-d", "link", "show").stdout)
    return sorted(
        link["ifname"] for link in links
        if link.get("linkinfo", {}).get("info_slave_data", {}).get("isolated"))


def know_each_other(lab):
    """Nobody has to ask by broadcast who is who."""
    for node in lab.devices():
        for other in lab.devices():
            for ip in (other.ip, other.ip6) if node is not other else ():
                node.run("ip", "neigh", "replace", ip, "lladdr", other.mac,
                         "dev", "eth0", "nud", "permanent")


def between(lab):
    return ways(lab, "camera", "sensor") + ways(lab, "stranger", "camera")


def ledger(lab):
    try:
        with open(lab.path("state", "isolation.host"),
                  encoding="ascii") as file:
            return sorted(line.split()[1] for line in file
                          if line.startswith("port "))
    except FileNotFoundError:
        return []


def kill_all(lab):
    os.kill(lab.daemon.pid, signal.SIGKILL)
    lab.daemon.process.wait()
    wait(lambda: not lab.daemon.workers())


def flush(tap):
    """The attack: somebody flushes all rules while no daemon runs."""
    with Lab() as lab:
        everywhere(lab, 7)
        know_each_other(lab)
        put(lab, lab.base_config("observe"))
        tap.equal(isolated(lab), [], "observed: no port is touched")
        kill_all(lab)
        lab.gateway.run("nft", "flush", "ruleset")
        all_open(tap, lab, between(lab),
                 "control: observed, a flush leaves all open")
        put(lab, lab.base_config("enforce"))
        tap.ok(wait(lambda: isolated(lab) == PORTS),
               "enforced: the bridge keeps all ports apart", isolated(lab))
        tap.equal(ledger(lab), PORTS, "each is written down")
        before = counter(lab, "bridged", "bridge")
        all_cut(tap, lab, between(lab), "enforced: neighbours are apart")
        tap.ok(counter(lab, "bridged", "bridge") > before,
               "and what was cut is counted", before)
        all_open(tap, lab, [("camera", "192.168.50.1", "icmp", 0),
                            ("camera", "fd00:50::1", "icmp", 0)],
                 "the gateway is reached")
        kill_all(lab)
        lab.gateway.run("nft", "flush", "ruleset")
        all_cut(tap, lab, between(lab),
                "without daemon and without rules they stay apart")
        after_a_crash(tap, lab)


def after_a_crash(tap, lab):
    """Nobody was there to put it back; whoever comes next does."""
    put(lab, lab.base_config("observe"))
    tap.ok(wait(lambda: isolated(lab) == [] and ledger(lab) == []),
           "observe after a crash puts the flags back", isolated(lab))
    all_open(tap, lab, between(lab), "and neighbours meet again")


def read_back(tap):
    """Flags that go missing come back; those of others stay."""
    with Lab() as lab:
        lab.gateway.run("bridge", "link", "set", "dev", "p-sensor",
                        "isolated", "on")
        put(lab, lab.base_config("enforce"))
        tap.ok(wait(lambda: isolated(lab) == PORTS), "all ports are apart")
        tap.equal(ledger(lab), ["p-camera", "p-stranger"],
                  "the owner's own flag is not taken for ours")
        lab.gateway.run("bridge", "link", "set", "dev", "p-camera",
                        "isolated", "off")
        tap.ok(wait(lambda: isolated(lab) == PORTS),
               "a flag that somebody cleared is set again")
        lab.gateway.link("p-camera", "nomaster")
        tap.ok(wait(lambda: ledger(lab) == ["p-stranger"]),
               "a port that left the bridge is forgotten", ledger(lab))
        lab.gateway.link("p-camera", "master", "br0")
        tap.ok(wait(lambda: isolated(lab) == PORTS),
               "one that comes back is apart again")
        pid = lab.daemon.kill_worker("isolation")
        lab.daemon.wait_worker("isolation", but=pid)
        put(lab, lab.base_config("observe"))
        tap.ok(wait(lambda: isolated(lab) == ["p-sensor"]),
               "observe puts back what was ours, and only that",
               isolated(lab))
        some_observed(tap, lab)


def some_observed(tap, lab):
    put(lab, lab.base_config("enforce", more={"camera": "mode = observe"}))
    tap.equal(isolated(lab), ["p-sensor"],
              "no flags while anybody is only observed")
    put(lab, lab.base_config("enforce"))
    tap.ok(wait(lambda: isolated(lab) == PORTS), "enforced again")
    lab.daemon.stop()
    tap.equal(isolated(lab), PORTS, "the flags outlive the daemon")
    done = lab.gateway.run(
        lab.program("usr/libexec/gatehouse/gatehouse-isolation"),
        "--clear", os.path.dirname(lab.path("state", "x")))
    tap.equal(isolated(lab), ["p-sensor"], "rules clear puts them back")
    tap.contains(done.stdout, "port p-camera: put back", "and says so")
    tap.equal(ledger(lab), [], "and nothing is owed any more")


if __name__ == "__main__":
    run(flush, read_back)
