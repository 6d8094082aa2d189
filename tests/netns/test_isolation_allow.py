#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Allow lines: exactly what they say, in both families, and not a port or
an address more."""
from isolation_lab import NAME_SERVER, Lab, all_cut, all_open, counter
from isolation_lab import everywhere, put, run

PORTS = (7, 80, 5000, 5005, 5010, 5011, 9)


def world(lab, family):
    return [lab.cloud_ip(i, family) for i in range(8)]


def families(lab):
    for family in (4, 6):
        yield family, world(lab, family)


def lines(*words):
    return "\n".join("allow = " + word for word in words)


def exact(tap, lab):
    for family, ip in families(lab):
        put(lab, lab.base_config("enforce", ("camera", "sensor"), {
            "camera": lines("tcp/7 " + ip[0], "udp/80 " + ip[1])}))
        word = "IPv%d, one address and port: " % family
        all_open(tap, lab, [("camera", ip[0], "tcp", 7),
                            ("camera", ip[1], "udp", 80)],
                 word + "what it says")
        all_cut(tap, lab, [
            ("camera", ip[0], "udp", 7), ("camera", ip[0], "tcp", 80),
            ("camera", ip[1], "tcp", 7), ("camera", ip[1], "tcp", 80),
            ("camera", ip[1], "udp", 7), ("camera", ip[2], "tcp", 7),
            ("camera", ip[0], "icmp", 0), ("sensor", ip[0], "tcp", 7)],
            word + "nothing else, and for nobody else")


def wide(tap, lab):
    for family, ip in families(lab):
        # .10 to .17: a prefix of four addresses is .12 to .15
        net = "203.0.113.12/30" if family == 4 else "2001:db8:113::14/126"
        inside = ip[2] if family == 4 else "2001:db8:113::15"
        outside = ip[0] if family == 4 else "2001:db8:113::10"
        put(lab, lab.base_config("enforce", ("camera", "sensor"), {
            "camera": lines(
                "tcp/7 " + net, "udp/5000-5010 " + net,
                # Overlapping: the kernel would refuse these as they are.
                "udp/5005-5011 " + inside, "udp/5005 " + net),
            "sensor": lines("any " + inside)}))
        word = "IPv%d, prefixes and ranges: " % family
        all_open(tap, lab, [
            ("camera", inside, "tcp", 7), ("camera", inside, "udp", 5000),
            ("camera", inside, "udp", 5005), ("camera", inside, "udp", 5010),
            ("camera", inside, "udp", 5011), ("sensor", inside, "tcp", 9),
            ("sensor", inside, "udp", 9), ("sensor", inside, "icmp", 0)],
            word + "what they say")
        all_cut(tap, lab, [
            ("camera", outside, "tcp", 7), ("camera", outside, "udp", 5005),
            ("camera", inside, "tcp", 5005), ("camera", inside, "udp", 9),
            ("camera", inside, "icmp", 0), ("camera", inside, "udp", 7),
            ("sensor", outside, "tcp", 9), ("sensor", outside, "icmp", 0)],
            word + "nothing else")


def anywhere(tap, lab):
    put(lab, lab.base_config("enforce", ("camera", "sensor"), {
        "camera": lines("tcp/7 any", "icmp any", "udp/5000-5010 any"),
        "sensor": lines("any any")}))
    opened, closed = [], []
    for _, ip in families(lab):
        opened += [("camera", ip[0], "tcp", 7), ("camera", ip[3], "tcp", 7),
                   ("camera", ip[0], "icmp", 0),
                   ("camera", ip[0], "udp", 5005),
                   ("sensor", ip[1], "udp", 9), ("sensor", ip[1], "tcp", 9)]
        closed += [("camera", ip[0], "tcp", 80),
                   ("camera", ip[0], "udp", 5011),
                   ("camera", ip[0], "tcp", 5005)]
    all_open(tap, lab, opened, "any address: what the lines say")
    all_cut(tap, lab, closed, "any address: nothing else")
    here = [(name, ip, kind, 7) for name in ("camera", "sensor")
            for ip in ("192.168.50.1", "fd00:50::1", "203.0.113.1")
            for kind in ("tcp", "udp")]
    all_cut(tap, lab, here, "any address is not the gateway itself")
    put(lab, lab.base_config("enforce", ("camera", "sensor"), {
        "camera": lines("tcp/7 192.168.50.1", "tcp/7 fd00:50::1")}))
    all_open(tap, lab, [("camera", "192.168.50.1", "tcp", 7),
                        ("camera", "fd00:50::1", "tcp", 7)],
             "the gateway itself, when a line names it")
    all_cut(tap, lab, [("sensor", "192.168.50.1", "tcp", 7),
                       ("camera", "192.168.50.1", "udp", 7)],
            "the gateway: nothing else")


def name_servers(tap, lab):
    """Port 53 leads to the name server, whatever the lines say."""
    wanted = [("camera", NAME_SERVER, kind, 53) for kind in ("tcp", "udp")]
    others = [("camera", ip, kind, 53)
              for ip in (lab.cloud_ip(0), lab.cloud_ip(0, 6), "192.168.50.1")
              for kind in ("tcp", "udp")]
    all_open(tap, lab, wanted + others, "port 53: open without rules")
    put(lab, lab.base_config("enforce", ("camera", "sensor"), {
        "camera": lines("any any", "udp/1-100 any",
                        "any " + lab.cloud_ip(0),
                        "tcp/50-60 192.168.50.1")}))
    all_open(tap, lab, wanted, "port 53: the name server answers")
    all_cut(tap, lab, others, "port 53: nobody else does, lines or not")
    all_cut(tap, lab, [("camera", lab.cloud_ip(0), "tcp", 53)],
            "port 53: not even the name server's neighbour")
    put(lab, lab.base_config("enforce").replace(
        "name-server = " + NAME_SERVER,
        "name-server = 192.168.50.1 2001:db8:113::10"))
    all_open(tap, lab, [("sensor", "192.168.50.1", kind, 53)
                        for kind in ("tcp", "udp")] +
             [("sensor", lab.cloud_ip(0, 6), "udp", 53)],
             "port 53: the gateway and IPv6 can be name servers")
    all_cut(tap, lab, wanted, "port 53: the former one no longer")


def in_observe(tap, lab):
    """What is allowed is not counted as denied, observed or not."""
    put(lab, lab.base_config("observe", ("camera", "sensor"), {
        "camera": lines("tcp/7 any")}))
    before = counter(lab, "denied")
    all_open(tap, lab, [("camera", lab.cloud_ip(0), "tcp", 7)] * 3,
             "observed and allowed")
    tap.equal(counter(lab, "denied"), before, "is not counted as denied")
    all_open(tap, lab, [("camera", lab.cloud_ip(0), "tcp", 80)],
             "observed and not allowed")
    tap.ok(counter(lab, "denied") > before, "is counted as denied")


def lists(tap):
    with Lab() as lab:
        everywhere(lab, *PORTS, 53, nodes=["cloud"])
        for port in (7, 53):
            lab.serve_tcp("gateway", port)
            lab.serve_udp("gateway", port)
        all_open(tap, lab, [(name, ip, kind, port)
                            for name in ("camera", "sensor")
                            for ip in (lab.cloud_ip(0), lab.cloud_ip(0, 6))
                            for kind in ("tcp", "udp") for port in PORTS],
                 "without rules all is open")
        lab.cloud.run("ip", "addr", "add", "2001:db8:113::15/64", "dev",
                      "eth0", "nodad", check=False)
        name_servers(tap, lab)
        exact(tap, lab)
        wide(tap, lab)
        anywhere(tap, lab)
        in_observe(tap, lab)


if __name__ == "__main__":
    run(lists)
