#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Somebody flushes nftables: until our tables are back, nothing of a device
is forwarded, because the routing guard knows no way for packets that did not
come by our rules. Everybody else's policy routing stays in force."""
import os
import signal
import time

from isolation_lab import Lab, all_cut, all_open, everywhere, put, run
from isolation_lab import wait, ways
from test_isolation_survives import Flood, arrived, ends, targets

ALLOW = {"camera": "allow = any any", "lamp": "allow = any any"}
FLUSHES = 20


def guard(lab, family="-4"):
    """The guard's rules, as ip prints them."""
    return [line for line in lab.gateway.run(
        "ip", family, "rule", "list").stdout.splitlines()
        if "unreachable" in line and "0/0x" in line]


def without_guard(lab):
    """Nobody is left to put them back."""
    for family in ("-4", "-6"):
        while guard(lab, family):
            lab.gateway.run("ip", family, "rule", "del", "pref", 90)


def back(lab):
    return wait(lambda: "table inet gatehouse" in lab.rules() and
                "table bridge gatehouse" in lab.rules(), 15)


def routed(lab):
    """What is bridged never meets a routing rule: not the guard's subject."""
    return [(name, ip) for name, ip in targets(lab)
            if ip not in (lab.sensor.ip, lab.sensor.ip6)]


def flood_targets(lab):
    """Denied ones, also from one bridge to the other."""
    return routed(lab) + [("camera", lab.lamp.ip), ("camera", lab.lamp.ip6),
                           ("stranger", lab.lamp.ip),
                           ("stranger", lab.lamp.ip6),
                           ("stranger", lab.owner.ip6)]


def flushed(tap):
    with Lab(second=["lamp"]) as lab:
        servers = ends(lab) + [lab.serve_udp("lamp", 7)]
        daemon = put(lab, lab.base_config(
            "enforce", ("camera", "sensor", "lamp"),
            {"lamp": "allow = any any"}))
        tap.equal(len(guard(lab)) + len(guard(lab, "-6")), 4,
                  "two bridges, two families: four rules")
        before = len(daemon.log())
        with Flood(lab, flood_targets(lab)) as flood:
            time.sleep(0.2)
            sent = flood.sent
            for _ in range(FLUSHES):
                lab.gateway.run("nft", "flush", "ruleset")
                time.sleep(0.05)
            tap.ok(flood.sent > sent + 1000, "flooded all the time",
                   flood.sent)
            tap.equal(arrived(servers), 0,
                      "%d flushes: not one packet passed" % FLUSHES)
            tap.ok(back(lab), "the tables are back")
            time.sleep(0.2)
            tap.equal(arrived(servers), 0, "nor when they were back")
            tap.contains(daemon.log()[before:], "changed from outside by nft "
                         "(pid ", "the owner learns who did it")
            alone(tap, lab, daemon, servers)
        all_open(tap, lab, ways(lab, "owner", "camera", 7, ["icmp"]),
                 "the owner reaches devices as ever")


def alone(tap, lab, daemon, servers):
    """Tables and daemon gone: the guard holds as long as it takes."""
    os.kill(daemon.pid, signal.SIGKILL)
    daemon.process.wait()
    lab.gateway.run("nft", "flush", "ruleset")
    time.sleep(0.5)
    tap.equal(arrived(servers), 0, "no daemon, no tables: nothing passes")
    tap.equal(lab.attempt("camera", "192.168.50.1", "icmp"), "yes",
              "the gateway itself still answers")
    without_guard(lab)
    tap.ok(wait(lambda: all(any(data == b"flood" for _, data in s.seen)
                            for s in servers if s is not servers[2])),
           "without the guard the same packets pass (control)",
           [len(s.seen) for s in servers])


def fought(tap):
    """ip rule flush, as systemd-networkd does it to rules not its own."""
    with Lab() as lab:
        servers = ends(lab)
        daemon = put(lab, lab.base_config("enforce"))
        before = len(daemon.log())
        for family in ("-4", "-6"):
            for _ in range(2):
                lab.gateway.run("ip", family, "rule", "del", "pref", 90,
                                check=False)
                tap.ok(wait(lambda: len(guard(lab, family)) == 1),
                       "ip %s rule del: put back" % family)
        lab.gateway.run("ip", "rule", "add", "pref", 32000, "fwmark",
                        "0/0x800000", "iif", "wan0", "unreachable")
        tap.ok(daemon.wait_log("routing rules", 5, before), "and told")
        with Flood(lab, routed(lab)):
            lab.gateway.run("ip", "rule", "del", "pref", 90)
            tap.ok(wait(lambda: len([r for r in guard(lab)
                                     if r.startswith("90:")]) == 1),
                   "in time")
            lab.gateway.run("nft", "flush", "ruleset")
            time.sleep(0.3)
        tap.equal(arrived(servers), 0, "nothing passed meanwhile")
        tap.ok(any(r.startswith("32000:") for r in guard(lab)),
               "a rule like ours by somebody else stays", guard(lab))
        daemon.stop()
        tap.equal(len(guard(lab, "-6")), 1, "it outlives the daemon")
        clear = lab.program("usr/libexec/gatehouse/gatehouse-isolation")
        done = lab.gateway.run(clear, "--clear")
        tap.contains(done.stdout, "routing rules: removed", "clear says so")
        tap.equal(len(guard(lab)) + len(guard(lab, "-6")), 1,
                  "and leaves only the other's")


def modes(tap):
    """Where nothing is enforced nothing is guarded; marks as configured."""
    with Lab() as lab:
        everywhere(lab, 7)
        put(lab, lab.base_config("observe"))
        tap.equal(guard(lab), [], "who only observes has no guard")
        lab.gateway.run("nft", "flush", "ruleset")
        all_open(tap, lab, ways(lab, "stranger", "cloud"),
                 "and loses nothing by a flush")
        put(lab, lab.base_config("observe", more={
            "camera": "mode = enforce"}))
        tap.equal(len(guard(lab)), 1, "one enforced device: guarded")
        text = lab.base_config("enforce", more=ALLOW).replace(
            "[gateway]", "[gateway]\nmark = 0x40000000\n"
            "connection-mark = 0x0000ff00\nrule-priority = 77")
        put(lab, text)
        rules = guard(lab)
        tap.ok(len(rules) == 1 and rules[0].startswith("77:") and
               "0/0x40000000" in rules[0], "mark and priority as configured",
               rules)
        all_open(tap, lab, ways(lab, "camera", "cloud"),
                 "what is allowed passes")
        all_cut(tap, lab, ways(lab, "stranger", "cloud"), "no more")
        put(lab, lab.base_config("observe"))
        tap.equal(guard(lab), [], "back to observing: gone")


FOREIGN = """
table inet vpn {
  chain pick {
    type filter hook prerouting priority -140; policy accept;
    iifname "br0" udp dport 7 meta mark set meta mark | 0x64
  }
}
"""


def policy_routes(tap):
    """A VPN's routes, chosen by mark or source, are those that are taken."""
    with Lab() as lab:
        there = "198.51.100.1"
        lab.owner.run("ip", "addr", "add", there + "/32", "dev", "lo")
        lab.cloud.run("ip", "addr", "add", there + "/32", "dev", "lo")
        vpn, cloud = (lab.serve_udp(name, 7, there)
                      for name in ("owner", "cloud"))
        gateway = lab.gateway
        gateway.run("ip", "route", "add", there, "via", lab.cloud.ip)
        gateway.run("ip", "route", "add", there, "via", lab.owner.ip,
                    "table", 100)
        rules = (["fwmark", "0x64/0xff"], ["from", lab.camera.ip])
        put(lab, lab.base_config("enforce", more={
            "camera": "allow = udp/7 " + there}))
        tap.equal(lab.attempt("camera", there, "udp", 7), "yes", "main")
        tap.ok(cloud.seen and not vpn.seen, "without a VPN: the cloud's")
        for pref, rule in enumerate(rules, 1000):
            if "fwmark" in rule:
                gateway.run("nft", "-f", "-", stdin=FOREIGN)
            gateway.run("ip", "rule", "add", "pref", pref, *rule, "lookup",
                        100)
            del vpn.seen[:], cloud.seen[:]
            tap.equal(lab.attempt("camera", there, "udp", 7), "yes",
                      "ip rule %s: passes" % " ".join(rule))
            tap.ok(vpn.seen and not cloud.seen, "by the VPN's table")
            gateway.run("ip", "rule", "del", "pref", pref)
        gateway.run("ip", "rule", "add", "pref", 1000, *rules[1], "lookup",
                    100)
        gateway.run("nft", "flush", "ruleset")
        tap.ok(back(lab), "after a flush")
        del vpn.seen[:], cloud.seen[:]
        tap.equal(lab.attempt("camera", there, "udp", 7), "yes", "passes")
        tap.ok(vpn.seen and not cloud.seen, "by the VPN's table again")


def reverse_path(tap):
    """The kernel's own check of sources does not take the guard for one."""
    with Lab(second=["lamp"]) as lab:
        everywhere(lab, 7)
        put(lab, lab.base_config("enforce", ("camera", "sensor", "lamp"),
                                 ALLOW))
        wanted = (ways(lab, "camera", "cloud") + ways(lab, "owner", "lamp") +
                  ways(lab, "owner", "cloud"))
        for mode in (1, 2):
            for name in ("wan0", "lan0", "br0"):
                lab.gateway.sysctl("ipv4/conf/%s/rp_filter" % name, mode)
            all_open(tap, lab, wanted, "rp_filter = %d: all as ever" % mode)
        all_cut(tap, lab, ways(lab, "stranger", "cloud"), "and no more")
        for name in ("wan0", "lan0", "br0"):
            lab.gateway.sysctl("ipv4/conf/%s/rp_filter" % name, 0)
        lab.gateway.sysctl("ipv4/conf/all/rp_filter", 1)
        all_open(tap, lab, wanted, "and with that of all interfaces")
        lab.cloud.run("ip", "addr", "add", "192.168.60.77/32", "dev", "lo")
        hurt = lab.serve_udp("owner", 9)
        lab.cloud.run("ip", "route", "add", lab.owner.ip, "via",
                      "203.0.113.1", "src", "192.168.60.77")
        lab.udp_send("cloud", lab.owner.ip, 9)
        time.sleep(0.2)
        tap.equal(hurt.seen, [], "the check itself is still made")
        lab.daemon.stop()
        for name in ("wan0", "lan0"):
            lab.gateway.sysctl("ipv4/conf/%s/src_valid_mark" % name, 0)
        tap.ok(lab.attempt("camera", lab.cloud.ip, "udp", 7, 1) != "yes",
               "without looking at marks it would stop answers (control)")


def warnings(lab):
    return [w["text"] for w in lab.ctl_json("warnings")
            if w["code"] == "isolation.marks"]


def collisions(tap):
    """Who else uses our bits is named, and forgotten when it ends."""
    with Lab() as lab:
        lab.dbus()
        put(lab, lab.base_config("enforce"))
        wait(lambda: lab.ctl("status", check=False).returncode == 0)
        rule = ["ip", "rule", "add", "pref", 500, "fwmark", "0x64"]
        lab.gateway.run(*rule[:-1], "0x64/0xff", "lookup", 100)
        time.sleep(0.2)
        tap.equal(warnings(lab), [], "a rule with a mask is no collision")
        lab.gateway.run("ip", "rule", "del", "pref", 500)
        lab.gateway.run(*rule, "lookup", 100)
        tap.ok(wait(lambda: warnings(lab)), "one without is")
        tap.contains(warnings(lab)[0], "routing rule 500", "and is named")
        lab.gateway.run("ip", "rule", "del", "pref", 500)
        tap.ok(wait(lambda: not warnings(lab)), "gone when it is gone")
        lab.gateway.run("nft", "-f", "-", stdin=FOREIGN)
        put(lab, lab.base_config("enforce", more=ALLOW))
        tap.equal(warnings(lab), [], "bits of their own are theirs")
        lab.gateway.run("nft", "insert", "rule", "inet", "vpn", "pick",
                        "iifname", "x", "meta", "mark", "set", "0x64")
        tap.ok(wait(lambda: warnings(lab)) and "table inet vpn, chain pick"
               in warnings(lab)[0],
               "who writes the whole mark is named, also later")
        lab.gateway.run("nft", "delete", "table", "inet", "vpn")
        tap.ok(wait(lambda: not warnings(lab)),
               "and forgotten when the rule is gone")


def answers_for_others(tap):
    """Proxy ARP asks the routing rules, too: ARP has the mark."""
    with Lab(second=["lamp"]) as lab:
        put(lab, lab.base_config("enforce", ("camera", "lamp")))
        lab.gateway.sysctl("ipv4/conf/br0/proxy_arp", 1)
        lab.gateway.sysctl("ipv4/neigh/br0/proxy_delay", 0)
        lab.camera.run("ip", "route", "add", lab.lamp.ip, "dev", "eth0")

        def found():
            lab.camera.run("ip", "neigh", "flush", "dev", "eth0")
            lab.udp_send("camera", lab.lamp.ip, 7)
            return wait(lambda: "lladdr" in lab.camera.run(
                "ip", "neigh", "show", lab.lamp.ip).stdout, 2)

        tap.ok(found(), "the gateway answers for a device behind it")
        lab.daemon.stop()
        lab.gateway.run("nft", "flush", "chain", "bridge", "gatehouse",
                        "prerouting")
        tap.ok(not found(), "without the mark it would not (control)")


if __name__ == "__main__":
    run(flushed, fought, modes, policy_routes, reverse_path,
        collisions, answers_for_others)
