#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices do not reach each other: not over one bridge, not by way of the
gateway, not with an allow line that says any."""
from isolation_lab import Lab, all_cut, all_open, counter, everywhere, put
from isolation_lab import run, wait, ways


def one_bridge(tap):
    with Lab(second=["lamp"]) as lab:
        everywhere(lab, 7)
        devices = ["camera", "sensor", "stranger"]
        same = [w for a in devices for b in devices if a != b
                for w in ways(lab, a, b)]
        routed = [w for a, b in (("camera", "lamp"), ("lamp", "sensor"),
                                 ("stranger", "lamp"))
                  for w in ways(lab, a, b)]
        more = {"camera": "allow = any any", "lamp": "allow = any any"}
        names = ("camera", "sensor", "lamp")
        all_open(tap, lab, same + routed, "without rules all are open")

        put(lab, lab.base_config("observe", names, more))
        all_open(tap, lab, same, "observed: open over one bridge")
        all_open(tap, lab, routed, "observed: open between two bridges")
        tap.ok(counter(lab, "bridged", "bridge") > len(same),
               "observed: what is bridged is counted")
        tap.ok(counter(lab, "denied") > 0,
               "observed: what is routed is counted")

        put(lab, lab.base_config("enforce", names, more))
        before = counter(lab, "bridged", "bridge")
        all_cut(tap, lab, same, "enforced: cut over one bridge")
        all_cut(tap, lab, routed, "enforced: cut between two bridges")
        tap.ok(counter(lab, "bridged", "bridge") > before,
               "enforced: what was cut is counted")
        all_open(tap, lab, ways(lab, "camera", "cloud"),
                 "the allow line itself is good for the world outside")

        through_the_gateway(tap, lab)


def through_the_gateway(tap, lab):
    """A device that sends for its neighbour to the gateway's MAC."""
    for name, other in (("camera", "sensor"), ("sensor", "camera")):
        node, target = lab.node(name), lab.node(other)
        node.run("ip", "neigh", "replace", target.ip, "lladdr",
                 "02:00:00:00:50:01", "dev", "eth0", "nud", "permanent")
        node.run("ip", "neigh", "replace", target.ip6, "lladdr",
                 "02:00:00:00:50:01", "dev", "eth0", "nud", "permanent")
    lab.gateway.sysctl("ipv4/conf/all/send_redirects", 0)
    lab.gateway.sysctl("ipv4/conf/br0/send_redirects", 0)
    detour = ways(lab, "camera", "sensor") + ways(lab, "sensor", "camera")
    all_cut(tap, lab, detour, "enforced: cut by way of the gateway, too")
    put(lab, lab.base_config("observe", ("camera", "sensor", "lamp")))
    all_open(tap, lab, detour, "observed: open by way of the gateway")


def modes_meet(tap):
    """One enforced device among observed ones is kept apart all the same."""
    with Lab() as lab:
        everywhere(lab, 7)
        put(lab, lab.base_config("observe", ("camera", "sensor"),
                                 {"camera": "mode = enforce"}))
        all_cut(tap, lab, ways(lab, "camera", "sensor") +
                ways(lab, "sensor", "camera") +
                ways(lab, "stranger", "camera"),
                "an enforced device in an observed zone is apart")
        all_open(tap, lab, ways(lab, "stranger", "sensor"),
                 "the others are not")
        put(lab, lab.base_config("enforce", ("camera", "sensor"),
                                 {"camera": "mode = observe",
                                  "sensor": "mode = observe"}))
        # They find each other by broadcast, which is for all and so is cut.
        for name, other in (("camera", "sensor"), ("sensor", "camera")):
            for ip in (lab.node(other).ip, lab.node(other).ip6):
                lab.node(name).run(
                    "ip", "neigh", "replace", ip, "lladdr",
                    lab.node(other).mac, "dev", "eth0", "nud", "permanent")
        all_open(tap, lab, ways(lab, "camera", "sensor"),
                 "two observed devices in an enforced zone talk")
        all_cut(tap, lab, ways(lab, "stranger", "sensor"),
                "a stranger does not join them")


def new_port(tap):
    """A port that is plugged in later is judged from its first frame."""
    with Lab() as lab:
        everywhere(lab, 7)
        put(lab, lab.base_config("enforce", ("camera", "sensor")))
        lab.gateway.link("p-sensor", "nomaster")
        lab.gateway.link("p-stranger", "nomaster")
        all_cut(tap, lab, ways(lab, "camera", "sensor"),
                "a port without a bridge leads nowhere")
        lab.gateway.link("p-sensor", "master", "br0")
        lab.gateway.link("p-stranger", "master", "br0")
        # Right after the change it may still be learning where things are.
        tap.ok(wait(lambda: lab.attempt("sensor", "192.168.50.1", "icmp", 0)
                    == "yes"), "a port that came back reaches the gateway")
        all_cut(tap, lab, ways(lab, "stranger", "sensor") +
                ways(lab, "sensor", "stranger") +
                ways(lab, "sensor", "camera"),
                "and nobody else, the other new port neither")


if __name__ == "__main__":
    run(one_bridge, modes_meet, new_port)
