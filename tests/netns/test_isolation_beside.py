#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Other firewalls on the same gateway: isolation holds, theirs stays as it
is to the last rule, the owner's port forwards work, and "gatehouse why" names
whoever else drops."""
import shutil

from isolation_lab import Lab, all_cut, all_open, everywhere, put, run
from isolation_lab import wait, ways

# As OpenWrt's fw4 prints it: the zones iot, lan, wan; a port forward.
FW4 = """
table inet fw4
flush table inet fw4
table inet fw4 {
  set iot_hosts { type ipv4_addr; flags interval; auto-merge;
    elements = { 192.168.50.0/24 } }
  chain input {
    type filter hook input priority filter; policy drop;
    iif "lo" accept comment "!fw4: Accept traffic from loopback"
    ct state vmap { established : accept, related : accept }
    iifname { "br0", "lan0" } accept
    meta l4proto { icmp, ipv6-icmp } accept
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state vmap { established : accept, related : accept }
    iifname "br0" jump forward_iot comment "!fw4: Handle iot"
    iifname "lan0" jump forward_lan
    iifname "wan0" jump forward_wan
    jump handle_reject
  }
  chain handle_reject {
    meta l4proto tcp reject with tcp reset
    reject with icmpx port-unreachable
  }
  chain forward_iot {
    meta l4proto { tcp, udp } th dport { 7, 53 } counter jump accept_to_wan
    ip saddr @iot_hosts icmp type echo-request limit rate 1000/second \
counter jump accept_to_wan
    jump handle_reject
  }
  chain forward_lan {
    jump accept_to_wan
    oifname "br0" accept
  }
  chain forward_wan {
    ct status dnat accept comment "!fw4: Accept port forwards"
  }
  chain accept_to_wan {
    oifname "wan0" counter accept
  }
  chain mangle_forward {
    type filter hook forward priority mangle; policy accept;
    oifname "wan0" tcp flags & (fin | syn | rst) == syn \
tcp option maxseg size set rt mtu
  }
  chain dstnat {
    type nat hook prerouting priority dstnat; policy accept;
    iifname "wan0" tcp dport 8080 dnat ip to 192.168.60.10:7
  }
}
"""

# As dockerd leaves it, but in nft's words.
DOCKER = """
table ip filter {
  chain DOCKER { }
  chain DOCKER-USER { counter return
  }
  chain DOCKER-ISOLATION-STAGE-1 {
    iifname "docker0" oifname != "docker0" counter \
jump DOCKER-ISOLATION-STAGE-2
    counter return
  }
  chain DOCKER-ISOLATION-STAGE-2 {
    oifname "docker0" counter drop
    counter return
  }
  chain FORWARD {
    type filter hook forward priority filter; policy drop;
    counter jump DOCKER-USER
    counter jump DOCKER-ISOLATION-STAGE-1
    oifname "docker0" ct state established,related counter accept
    oifname "docker0" counter jump DOCKER
    iifname "docker0" counter accept
  }
}
table ip nat {
  chain DOCKER {
    iifname != "docker0" tcp dport 8080 counter dnat to 192.168.60.10:7
  }
  chain PREROUTING {
    type nat hook prerouting priority dstnat; policy accept;
    fib daddr type local counter jump DOCKER
  }
}
"""
USER = "insert rule ip filter DOCKER-USER %s accept"
IPTABLES = """
-P FORWARD DROP
-N DOCKER-USER
-A DOCKER-USER -j RETURN
-A FORWARD -j DOCKER-USER
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i lan0 -j ACCEPT
-A FORWARD -i br0 -p tcp -m tcp --dport 9 -m comment --comment no -j REJECT
-A FORWARD -i br0 -p udp --dport 9 -j DROP
-A FORWARD -i br0 -o wan0 -j ACCEPT
"""
GATEWAY = "203.0.113.1"


def theirs(lab):
    """All tables that are not ours, without what is counted."""
    kept, ours = [], False
    for line in lab.rules().splitlines():
        if line.startswith("table "):
            ours = line.split()[2] == "gatehouse"
        if not ours:
            words = line.split()
            kept.append([w for w in words if not w.isdigit()])
    return kept


def foreign(lab, service, where):
    """Who else drops it, as "why" says."""
    wait(lambda: any(d["mac"] == lab.camera.mac and d.get("interface")
                     for d in lab.ctl_json("device", "list")))
    return lab.ctl_json("why", lab.camera.mac, service, where)[
        "answers"][0].get("foreign", "")


def enforced(lab):
    """It may do anything: only the others stand in its way."""
    lab.dbus()
    daemon = put(lab, lab.base_config("enforce", more={
        "camera": "allow = any any"}))
    wait(lambda: lab.ctl("status", check=False).returncode == 0)
    return daemon


def forwards(lab):
    """The owner's port forward, from outside."""
    return lab.attempt("cloud", GATEWAY, "tcp", 8080) == "yes"


def isolated(tap, lab, who):
    all_cut(tap, lab, ways(lab, "stranger", "cloud") + ways(
        lab, "camera", "sensor") + ways(lab, "camera", "owner"),
        who + ": isolation holds")


def openwrt(tap):
    with Lab() as lab:
        everywhere(lab, 7, 9)
        lab.gateway.run("nft", "-f", "-", stdin=FW4)
        before = theirs(lab)
        tap.ok(forwards(lab), "fw4: the port forward works (control)")
        all_open(tap, lab, ways(lab, "stranger", "cloud", 7, ["tcp"]),
                 "fw4 alone lets strangers out (control)")
        daemon = enforced(lab)
        tap.equal(theirs(lab), before, "fw4: its table is untouched")
        isolated(tap, lab, "fw4")
        all_open(tap, lab, ways(lab, "camera", "cloud", 7, ["tcp", "udp"]) +
                 ways(lab, "owner", "camera", 7, ["tcp"]),
                 "fw4: what both allow passes")
        tap.ok(forwards(lab), "fw4: the port forward still works")
        fw4_explained(tap, lab)
        log = len(daemon.log())
        lab.gateway.run("nft", "-f", "-", stdin=FW4)
        lab.gateway.run("nft", "delete", "table", "inet", "fw4")
        lab.gateway.run("nft", "-f", "-", stdin=FW4)
        isolated(tap, lab, "fw4 was restarted")
        tap.ok(forwards(lab), "the port forward works")
        tap.ok("put back" not in daemon.log()[log:],
               "its restart is no business of ours")
        lab.gateway.run("nft", "flush", "ruleset")
        lab.gateway.run("nft", "-f", "-", stdin=FW4)
        tap.ok(wait(lambda: "table inet gatehouse" in lab.rules()),
               "a restart with a flush of all")
        isolated(tap, lab, "fw4 flushed everything")
        tap.equal(theirs(lab), before, "and its table is as ever")


def fw4_explained(tap, lab):
    for service, where in (("tcp/9", lab.cloud.ip), ("udp/9", lab.cloud.ip6)):
        said = foreign(lab, service, where)
        tap.ok("firewall rejects it: table inet fw4, chain handle_reject, "
               "the rule with handle " in said, "why: " + service, said)
        kind, _, port = service.partition("/")
        tap.ok(lab.attempt("camera", where, kind, int(port), 1) != "yes",
               "and packets find the same")
    tap.equal(foreign(lab, "tcp/7", lab.cloud.ip), "",
              "why: nobody else drops what passes")
    said = foreign(lab, "icmp", lab.cloud.ip)
    tap.ok("perhaps rejects it" in said, "why: a limit is no certainty", said)


def docker(tap):
    with Lab() as lab:
        everywhere(lab, 7, 9)
        lab.gateway.run("nft", "-f", "-", stdin=DOCKER)
        for match in ('iifname "lan0"', "ct state established,related",
                      'oifname "lan0" tcp dport 7'):
            lab.gateway.run("nft", USER % match)
        before = theirs(lab)
        tap.ok(forwards(lab), "docker: a published port works (control)")
        enforced(lab)
        tap.equal(theirs(lab), before, "docker: its tables are untouched")
        isolated(tap, lab, "docker")
        tap.ok(forwards(lab), "docker: the published port still works")
        all_cut(tap, lab, [("camera", lab.cloud.ip, "tcp", 7)],
                "docker's policy drops what gatehouse allows")
        said = foreign(lab, "tcp/7", lab.cloud.ip)
        tap.contains(said, "firewall drops it: table ip filter, chain "
                     "FORWARD, its policy", "why names it")
        tap.equal(foreign(lab, "tcp/7", lab.cloud.ip6), "",
                  "why: IPv6 is none of its business")
        lab.gateway.run("nft", USER % 'iifname "br0" oifname "wan0"')
        tap.equal(foreign(lab, "tcp/7", lab.cloud.ip), "",
                  "why: nobody, once DOCKER-USER has a line for it")
        all_open(tap, lab, ways(lab, "camera", "cloud"), "and it passes")
        all_cut(tap, lab, ways(lab, "stranger", "cloud"), "but no stranger")


def iptables(tap):
    """The same by iptables-nft, whose matches are not nft's own."""
    program = shutil.which("iptables-nft")
    if not program:
        tap.skip("iptables", "iptables is not installed")
        return
    with Lab() as lab:
        everywhere(lab, 7, 9)
        for line in IPTABLES.strip().splitlines():
            lab.gateway.run(program, *line.split())
        rules = [program, "-S"]
        before = lab.gateway.run(*rules).stdout
        enforced(lab)
        tap.equal(lab.gateway.run(*rules).stdout, before,
                  "iptables: untouched")
        isolated(tap, lab, "iptables")
        all_open(tap, lab, ways(lab, "camera", "cloud", 7),
                 "iptables: what both allow passes")
        for service, verb in (("tcp/9", "rejects"), ("udp/9", "drops")):
            said = foreign(lab, service, lab.cloud.ip)
            tap.ok(("firewall %s it: table ip filter, chain FORWARD, the "
                    "rule with handle" % verb) in said,
                   "why: iptables " + service, said)
        tap.equal(foreign(lab, "tcp/7", lab.cloud.ip), "", "why: nobody")


if __name__ == "__main__":
    run(openwrt, docker, iptables)
