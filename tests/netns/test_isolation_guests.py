#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Those whom nobody approved: guests, zones that let strangers in, zones
that block them."""
from isolation_lab import NAME_SERVER, Lab, all_cut, all_open, counter
from isolation_lab import everywhere, put, run, wait, ways

NEW = ("stranger", "visitor")  # on br1, nobody's [device]


def zones(lab, lamps, mode="enforce", more=None):
    """br0 as ever, br1 with these lines."""
    return lab.base_config(mode, ("camera",), more).replace(
        "[zone things]\ninterface = br0 br1\n",
        "[zone lamps]\ninterface = br1\n%s\n[zone things]\n"
        "interface = br0\n" % lamps)


def gateway(kind, port, name="stranger"):
    return [(name, ip, kind, port) for ip in ("192.168.51.1", "fd00:51::1")]


def inward(lab, name="stranger"):
    """All that a guest has no business with."""
    return [w for n in ("camera", "owner") for w in ways(lab, name, n)] + \
        [(name, ip, kind, 7) for kind in ("tcp", "udp") for ip in (
            "192.168.51.1", "fd00:51::1", "192.168.50.1", "203.0.113.1",
            "192.168.60.1")] + \
        ways(lab, "stranger", "visitor") + ways(lab, "visitor", "stranger") + \
        [w for w in ways(lab, "camera", name)]


def guests(tap, lab):
    world = ways(lab, "stranger", "cloud") + \
        [("visitor", ip, kind, 53) for ip in (NAME_SERVER, lab.cloud.ip6)
         for kind in ("tcp", "udp")]
    all_open(tap, lab, world + inward(lab), "without rules all is open")
    put(lab, zones(lab, "role = guest", "observe"))
    all_open(tap, lab, world + inward(lab), "guests, observed: all is open")
    denied = counter(lab, "denied"), counter(lab, "quarantined")
    put(lab, zones(lab, "role = guest", more={"camera": "allow = any any"}))
    all_open(tap, lab, world, "guests reach the world outside")
    all_open(tap, lab, gateway("icmp", 0), "and ping the gateway")
    all_cut(tap, lab, inward(lab),
            "but no device, owner, gateway, nor each other")
    tap.ok(counter(lab, "quarantined") > denied[1], "which is counted")
    all_open(tap, lab, ways(lab, "owner", "stranger"),
             "the owner reaches guests")
    sock = lab.tcp_connect("stranger", lab.cloud.ip, 7)
    put(lab, zones(lab, "role = guest"))
    tap.ok(talk(sock), "their connections go on after a reload")
    put(lab, zones(lab, "role = guest\nallow = udp/7 any"))
    tap.ok(not talk(sock), "and end when a line no longer lets them")
    sock.close()
    put(lab, zones(lab, "role = guest").replace(
        "name-server = " + NAME_SERVER,
        "name-server = 192.168.51.1 fd00:51::1"))
    all_open(tap, lab, gateway("udp", 53) + gateway("tcp", 53),
             "the gateway's name server answers guests, if it has one")
    put(lab, zones(lab, "role = guest", more={
        "camera": "address = %s %s\nallow-from = lamps" % (
            lab.camera.ip, lab.camera.ip6)}))
    all_open(tap, lab, ways(lab, "stranger", "camera"),
             "a device may be opened to guests")
    all_cut(tap, lab, ways(lab, "camera", "stranger"), "not back")
    put(lab, zones(lab, "role = guest") + "\n[device guest]\nmac = %s\n"
        % lab.stranger.mac)
    all_open(tap, lab, ways(lab, "stranger", "cloud"),
             "a guest with a name is a guest")
    all_cut(tap, lab, ways(lab, "stranger", "camera") +
            gateway("tcp", 7), "and no more than that")


def talk(sock):
    try:
        sock.settimeout(0.7)
        sock.sendall(b"hello")
        return sock.recv(5) == b"hello"
    except OSError:
        return False


def let_in(tap, lab):
    put(lab, zones(lab, "default = allow\nallow = tcp/7 %s\n"
                        "allow = udp/7 any\nallow = tcp/7 gateway" %
                   lab.cloud.ip))
    all_open(tap, lab, [("stranger", lab.cloud.ip, "tcp", 7),
                        ("stranger", lab.cloud.ip, "udp", 7),
                        ("stranger", lab.cloud.ip6, "udp", 7)] +
             gateway("tcp", 7), "default = allow: what the lines say")
    all_cut(tap, lab, [("stranger", lab.cloud.ip6, "tcp", 7),
                       ("stranger", lab.cloud.ip, "icmp", 0),
                       ("stranger", lab.owner.ip, "udp", 7)] +
            gateway("udp", 7) + ways(lab, "stranger", "camera"),
            "default = allow: nothing else")
    put(lab, zones(lab, "default = allow"))
    all_open(tap, lab, ways(lab, "stranger", "cloud"),
             "default = allow without lines: the world outside")
    all_cut(tap, lab, inward(lab), "and nobody inside")
    put(lab, zones(lab, ""))
    all_cut(tap, lab, ways(lab, "stranger", "cloud") + inward(lab) +
            gateway("icmp", 0), "the default is quarantine")


def neighbour(lab, name):
    """Does the gateway answer neighbour discovery?"""
    lab.node(name).run("ip", "neigh", "flush", "dev", "eth0")
    lab.node(name).run("ping", "-c", "1", "-W", "1", "fd00:51::1",
                       check=False)
    return "lladdr" in lab.node(name).run(
        "ip", "neigh", "show", "fd00:51::1").stdout


def blocked(tap, lab):
    tap.ok(neighbour(lab, "stranger"), "in quarantine: neighbours are found")
    put(lab, zones(lab, "default = block", "observe"))
    tap.ok(neighbour(lab, "stranger"), "block, observed: they are, too")
    put(lab, zones(lab, "default = block"))
    tap.ok(wait(lambda: not neighbour(lab, "stranger"), 5),
           "default = block: not even neighbour discovery")
    all_cut(tap, lab, ways(lab, "stranger", "cloud") + gateway("icmp", 0),
            "and nothing else")
    put(lab, zones(lab, "default = block") + "\n[device guest]\nmac = %s\n"
        "allow = tcp/7 any\n" % lab.stranger.mac)
    all_open(tap, lab, ways(lab, "stranger", "cloud", 7, ("tcp",)),
             "a device with a name is none")


def strangers(tap):
    with Lab(devices=["camera"], second=NEW) as lab:
        everywhere(lab, 7, 53)
        for port in (7, 53):
            lab.serve_tcp("gateway", port)
            lab.serve_udp("gateway", port)
        guests(tap, lab)
        let_in(tap, lab)
        blocked(tap, lab)


if __name__ == "__main__":
    run(strangers)
