#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Permitted exceptions: device to device, zone to zone, device to gateway.
Exactly what a line says, in both families, one way round."""
from isolation_lab import SOON, Lab, all_cut, all_open, elements, everywhere, \
    put, run, wait, ways

BR0, BR1 = "02:00:00:00:50:01", "02:00:00:00:51:01"
NAMES = ("camera", "sensor", "lamp")


def detour(lab, *names):
    """On one bridge by way of the gateway, as with proxy ARP."""
    for name in names:
        for other in names:
            for ip in (lab.node(other).ip, lab.node(other).ip6):
                if other != name:
                    lab.node(name).run("ip", "neigh", "replace", ip, "lladdr",
                                       BR0, "dev", "eth0", "nud", "permanent")
    for name in ("all", "br0"):
        lab.gateway.sysctl("ipv4/conf/%s/send_redirects" % name, 0)


def address(lab, name, more=""):
    node = lab.node(name)
    return "address = %s %s\n%s" % (node.ip, node.ip6, more)


def zones(lab, mode="enforce", more=None, things="", lamps=""):
    """br0 and br1 as two zones."""
    text = lab.base_config(mode, NAMES, {
        name: address(lab, name, (more or {}).get(name, ""))
        for name in NAMES})
    return text.replace(
        "interface = br0 br1\n", "interface = br0\n%s\n[zone lamps]\n"
        "interface = br1\n%s\n" % (things, lamps))


def device_to_device(tap, lab):
    go = [w for w in ways(lab, "camera", "lamp", 7, ("tcp",))]
    rest = ways(lab, "camera", "lamp", 7, ("udp", "icmp")) + \
        ways(lab, "camera", "lamp", 80) + ways(lab, "lamp", "camera") + \
        ways(lab, "sensor", "lamp") + ways(lab, "stranger", "lamp") + \
        ways(lab, "camera", "sensor")
    all_open(tap, lab, go + rest, "without rules all is open")
    put(lab, zones(lab))
    all_cut(tap, lab, go + rest, "without a line all is cut")
    put(lab, zones(lab, more={"camera": "allow = tcp/7 device:lamp"}))
    all_open(tap, lab, go, "device:lamp: what the line says")
    all_cut(tap, lab, rest, "device:lamp: nothing else, nor back")
    socks = [lab.tcp_connect(*w[:2], 7) for w in go]
    put(lab, zones(lab, more={"camera": "allow = tcp/7 device:lamp\n"
                                        "allow = tcp/9 any"}))
    tap.ok(all(talk(s) for s in socks), "connections go on after a reload")
    put(lab, zones(lab, more={"camera": "allow = any any"}))
    tap.ok(not any(talk(s) for s in socks),
           "and end with the line, also if any is allowed")
    all_cut(tap, lab, go, "any is not the other device")
    for sock in socks:
        sock.close()
    put(lab, zones(lab, more={"camera": "allow = any device:lamp",
                              "lamp": "allow = udp/7-9 device:camera"}))
    all_open(tap, lab, ways(lab, "camera", "lamp") +
             ways(lab, "lamp", "camera", 7, ("udp",)),
             "all of a device, a range of ports")
    all_cut(tap, lab, ways(lab, "lamp", "camera", 7, ("tcp",)) +
            ways(lab, "camera", "sensor"), "and no more")


def talk(sock):
    try:
        sock.settimeout(0.7)
        sock.sendall(b"hello")
        return sock.recv(5) == b"hello"
    except OSError:
        return False


def on_one_bridge(tap, lab):
    detour(lab, "camera", "sensor")
    put(lab, zones(lab, more={"camera": "allow = tcp/7 device:sensor"}))
    all_open(tap, lab, ways(lab, "camera", "sensor", 7, ("tcp",)),
             "on one bridge, by way of the gateway: what the line says")
    all_cut(tap, lab, ways(lab, "camera", "sensor", 7, ("udp", "icmp")) +
            ways(lab, "sensor", "camera"), "and nothing else")


def zone_to_zone(tap, lab):
    there = ways(lab, "camera", "lamp") + ways(lab, "sensor", "lamp")
    back = ways(lab, "lamp", "camera") + ways(lab, "lamp", "sensor")
    strangers = ways(lab, "stranger", "lamp")
    put(lab, zones(lab, lamps="allow-from = things"))
    all_open(tap, lab, there, "a zone opened to a zone")
    all_cut(tap, lab, back + strangers, "not back, and not to strangers")
    put(lab, zones(lab, lamps="allow-from = device:camera home"))
    all_open(tap, lab, there[:6], "a zone opened to a device")
    all_cut(tap, lab, there[6:] + back, "to no other")
    put(lab, zones(lab, more={"lamp": "allow-from = things"}))
    all_open(tap, lab, there, "a device opened to a zone")
    all_cut(tap, lab, back + strangers, "not back, and not to strangers")
    put(lab, zones(lab, more={"lamp": "allow-from = device:sensor"}))
    all_open(tap, lab, there[6:], "a device opened to a device")
    all_cut(tap, lab, there[:6] + back, "to no other")
    put(lab, zones(lab, more={"lamp": "allow = tcp/7 zone:things"}))
    all_open(tap, lab, [w for w in back if w[2] == "tcp"],
             "zone:things: what the line says")
    all_cut(tap, lab, [w for w in back if w[2] != "tcp"] + there,
            "zone:things: nothing else")


def by_device(tap, lab):
    """The sensor is where the camera is, and in a zone of its own."""
    def conf(phones="", lamps="", lamp="", things="", mode="enforce"):
        text = zones(lab, mode, {"sensor": "zone = phones", "lamp": lamp},
                     things, lamps)
        return text + "\n[zone phones]\n%s\n" % phones
    lab.serve_tcp("cloud", 7)
    camera = ways(lab, "camera", "lamp", 7, ("tcp",))
    sensor = ways(lab, "sensor", "lamp", 7, ("tcp",))
    to_camera = ways(lab, "lamp", "camera", 7, ("tcp",))
    to_sensor = ways(lab, "lamp", "sensor", 7, ("tcp",))
    outside = [("sensor", ip, "tcp", 7) for ip in (lab.cloud.ip,
                                                   lab.cloud.ip6)]
    put(lab, conf(lamps="allow-from = things"))
    all_open(tap, lab, camera, "zone =: who is behind the interface")
    all_cut(tap, lab, sensor + ways(lab, "sensor", "camera"),
            "zone =: but not who is in another zone")
    socks = [lab.tcp_connect(*w[:2], 7) for w in camera]
    put(lab, conf(lamps="allow-from = phones"))
    all_open(tap, lab, sensor, "zone =: that zone's devices")
    all_cut(tap, lab, camera, "zone =: and not who is around them")
    tap.ok(not any(talk(s) for s in socks), "what was open ends")
    for sock in socks:
        sock.close()
    put(lab, conf(lamp="allow = tcp/7 zone:things"))
    all_open(tap, lab, to_camera, "zone:things leads to those there")
    all_cut(tap, lab, to_sensor, "and not to who is in another zone")
    put(lab, conf(lamp="allow = tcp/7 zone:phones"))
    all_open(tap, lab, to_sensor, "zone:phones leads to its devices")
    all_cut(tap, lab, to_camera + outside, "and to nobody else")
    put(lab, conf("mode = enforce", mode="observe"))
    all_cut(tap, lab, outside, "the zone's mode counts: enforced")
    all_open(tap, lab, [("camera",) + w[1:] for w in outside], "or observed")
    put(lab, conf("role = guest"))
    all_open(tap, lab, outside, "guests reach the world outside")
    all_cut(tap, lab, [("camera",) + w[1:] for w in outside] + sensor +
            ways(lab, "sensor", "owner"), "and nobody inside")
    put(lab, conf(things="role = guest"))
    all_cut(tap, lab, outside + ways(lab, "sensor", "camera"),
            "where guests are, who is in another zone is none")
    for word in ("block", "quarantine"):
        put(lab, zones(lab, more={"sensor": "decision = " + word},
                       things="role = guest", lamps="allow-from = things"))
        all_cut(tap, lab, outside + sensor,
                "decision = %s: nothing by where it is" % word)
    put(lab, zones(lab, things="role = guest", lamps="allow-from = things"))
    all_open(tap, lab, outside + sensor, "which it has without")


def peers(lab, name, family="4"):
    """Addresses that single ports are opened to for this device."""
    return [key[1] for key, _ in elements(lab, "peers" + family)
            if key[0] == lab.node(name).mac]


def speaks(lab, name, *sources):
    """As every device does now and then, from all of its addresses."""
    node = lab.node(name)
    for ip in sources or (node.ip, node.ip6):
        node.run("ping", "-c1", "-W1", "-I", ip,
                 "fd00:51::1" if ":" in ip else "192.168.51.1", check=False)


def follows(tap, lab):
    """Lines to a device without an address in its section."""
    lamp, owner = lab.lamp, lab.owner
    go = ways(lab, "camera", "lamp", 7, ("tcp",))
    rest = ways(lab, "sensor", "lamp") + \
        ways(lab, "camera", "lamp", 7, ("udp", "icmp"))
    text = zones(lab, more={"camera": "allow = tcp/7 device:lamp"}).replace(
        "address = %s %s" % (lamp.ip, lamp.ip6), "")
    put(lab, text)

    def opened(wanted, *sources):
        speaks(lab, "lamp", *sources)
        return lab.attempts(wanted, timeout=SOON) == ["yes", "yes"]
    tap.ok(wait(lambda: opened(go), 20),
           "device:lamp is found where it was used")
    all_cut(tap, lab, rest, "nothing else is opened there")
    moved = [("camera", "192.168.51.99", "tcp", 7),
             ("camera", "fd00:51::99", "tcp", 7)]
    lamp.run("ip", "addr", "add", "192.168.51.99/24", "dev", "eth0")
    lamp.run("ip", "addr", "add", "fd00:51::99/64", "dev", "eth0", "nodad")
    tap.ok(wait(lambda: opened(moved, "192.168.51.99", "fd00:51::99"), 20),
           "and where it is from then on")
    lamp.run("ip", "addr", "add", owner.ip + "/32", "dev", "eth0")
    speaks(lab, "lamp", owner.ip)
    put(lab, text + "\n# again\n")
    tap.ok("192.168.51.99" in peers(lab, "camera") and
           "fd00:51::99" in peers(lab, "camera", "6"),
           "also right after a reload", peers(lab, "camera"))
    tap.ok(owner.ip not in peers(lab, "camera") and
           owner.ip in str(elements(lab, "bound4", "bridge")),
           "not to an address that leads elsewhere")
    all_cut(tap, lab, ways(lab, "camera", "owner", 7, ("tcp",)),
            "nor does a packet get there")
    for ip in (owner.ip + "/32", "192.168.51.99/24", "fd00:51::99/64"):
        lamp.run("ip", "addr", "del", ip, "dev", "eth0")
    lab.gateway.run("ip", "neigh", "flush", "dev", "br1")


def into_enforced(tap, lab):
    """Who may anything, but is only observed, does not get in."""
    text = zones(lab, "observe", {"camera": "allow = any any"},
                 lamps="mode = enforce")
    put(lab, text)
    all_cut(tap, lab, ways(lab, "camera", "lamp"),
            "observed, any allowed: not into a zone that enforces")
    put(lab, zones(lab, "observe", {"camera": "allow = tcp/7 device:lamp"},
                   lamps="mode = enforce"))
    all_open(tap, lab, ways(lab, "camera", "lamp", 7, ("tcp",)),
             "but where a line leads")


def sent_on(tap, lab):
    """What somebody's rules send on to a device is judged there."""
    lab.gateway.run("nft", "-f", "-", stdin="""
        table inet other { chain prerouting {
            type nat hook prerouting priority -100
            iifname br0 ip daddr { 203.0.113.99, 192.168.50.1 } \
                tcp dport 7 dnat ip to %s
            iifname br0 ip6 daddr { 2001:db8:113::99, fd00:50::1 } \
                tcp dport 7 dnat ip6 to %s
        }
        }""" % (lab.lamp.ip, lab.lamp.ip6))
    wanted = [("camera", ip, "tcp", 7) for ip in (
        "203.0.113.99", "2001:db8:113::99", "192.168.50.1", "fd00:50::1")]
    put(lab, zones(lab, "observe", {"camera": "allow = any any"}))
    all_open(tap, lab, wanted, "sent on to another device, observed: open")
    socks = [lab.tcp_connect("camera", w[1], 7) for w in wanted]
    put(lab, zones(lab, more={"camera": "allow = any any\n"
                                        "allow = tcp/7 gateway"}))
    all_cut(tap, lab, wanted, "enforced: any is not what it is sent on to")
    tap.ok(not any(talk(s) for s in socks), "connections of before end")
    put(lab, zones(lab, more={"camera": "allow = any any\n"
                                        "allow = tcp/7 device:lamp"}))
    all_open(tap, lab, wanted[:2], "with a line for where it ends: open")
    lab.gateway.run("nft", "delete", "table", "inet", "other")
    for sock in socks:
        sock.close()


def gateway(tap, lab):
    for port in (7, 9):
        lab.serve_tcp("gateway", port)
        lab.serve_udp("gateway", port)
    lab.gateway.run("nft", "-f", "-", stdin="""
        table inet other { chain prerouting {
            type nat hook prerouting priority -100
            fib daddr type local tcp dport 8123 dnat ip to %s:7
            fib daddr type local tcp dport 8123 dnat ip6 to [%s]:7
        }
        }""" % (lab.owner.ip, lab.owner.ip6))
    here = ("192.168.50.1", "fd00:50::1")
    go = [("camera", ip, "tcp", 7) for ip in here]
    published = [("camera", ip, "tcp", 8123) for ip in here]
    rest = [("camera", ip, kind, port) for ip in here
            for kind, port in (("udp", 7), ("tcp", 9), ("udp", 9))] + \
        [("sensor", ip, "tcp", 7) for ip in here] + \
        [("camera", ip, "tcp", 7) for ip in (
            "203.0.113.1", "192.168.60.1", "fd00:60::1")]
    all_open(tap, lab, go + rest + published, "without rules all is open")
    put(lab, zones(lab))
    all_cut(tap, lab, go + published, "without a line all is cut")
    put(lab, zones(lab, more={"camera": "allow = tcp/7 gateway"}))
    all_open(tap, lab, go, "gateway: what the line says")
    all_cut(tap, lab, rest + published + [
        ("stranger", ip, "tcp", 7) for ip in here],
        "gateway: nothing else, and none of its other addresses")
    put(lab, zones(lab, more={"camera": "allow = tcp/8000-8999 gateway"}))
    all_open(tap, lab, published, "gateway: what it publishes for another")
    all_cut(tap, lab, [("camera", lab.owner.ip, "tcp", 7),
                       ("camera", lab.owner.ip6, "tcp", 7)],
            "gateway: not the other by its own address")
    lab.gateway.run("nft", "delete", "table", "inet", "other")


def without_rules(lab):
    lab.daemon.stop()
    lab.gateway.run(lab.program("usr/libexec/gatehouse/gatehouse-isolation"),
                    "--clear", lab.daemon.options["--state"])


def between(tap):
    with Lab(second=["lamp"]) as lab:
        everywhere(lab, 7, 80, nodes=["camera", "sensor", "lamp", "owner"])
        device_to_device(tap, lab)
        on_one_bridge(tap, lab)
        zone_to_zone(tap, lab)
        follows(tap, lab)
        by_device(tap, lab)
        into_enforced(tap, lab)
        sent_on(tap, lab)
        without_rules(lab)
        gateway(tap, lab)


if __name__ == "__main__":
    run(between)
