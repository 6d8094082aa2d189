#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How much a device may: new connections in a time and connections at once.
Whoever takes more is refused, its neighbours notice nothing, and who is only
observed is only counted."""
import contextlib
import select
import socket

from isolation_lab import Lab, all_open, counter, elements, put, run, wait

RATE = 20  # a minute, so that none comes back while the test looks
MANY = 60
AT_ONCE = 1024  # RULESET_CONNECTIONS_MAX
EXTRA = AT_ONCE + 300
ANY = "allow = udp/7 any\nallow = tcp/7 any\n"


@contextlib.contextmanager
def flows(lab, name, ip, count):
    """So many connected UDP sockets, each a connection of its own."""
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(
            lab.socket(name, family, socket.SOCK_DGRAM))
            for _ in range(count)]
        for sock in sockets:
            sock.setblocking(False)
            sock.connect((ip, 7))
        yield sockets


def say(sockets, quiet=1.0):
    """Each sends once; those that were answered."""
    for sock in sockets:
        with contextlib.suppress(OSError):
            sock.send(b"hello")
    left, answered = set(sockets), []
    while left:
        ready = select.select(left, [], [], quiet)[0]
        if not ready:
            break
        for sock in ready:
            left.discard(sock)
            with contextlib.suppress(OSError):
                if sock.recv(16) == b"hello":
                    answered.append(sock)
    return answered


def came(lab, name, ip, count=MANY):
    with flows(lab, name, ip, count) as sockets:
        return len(say(sockets))


def config(lab, mode, camera, gateway="", zone=""):
    text = lab.base_config(mode, ("camera", "sensor"), {
        "camera": ANY + camera, "sensor": ANY})
    text = text.replace("\n[zone things]", gateway + "\n[zone things]")
    put(lab, text.replace("role = devices\n", "role = devices\n" + zone))


def own_rate(tap, lab):
    config(lab, "enforce", "rate = %d/m" % RATE)
    with flows(lab, "camera", lab.cloud.ip, MANY) as sockets:
        first = say(sockets)
        tap.ok(RATE <= len(first) <= RATE + 3,
               "%d of %d connections at once, as its rate says" % (
                   len(first), MANY))
        tap.equal(len(say(first)), len(first),
                  "those it has go on, also when it is over its rate")
    before = counter(lab, "limited")
    tap.ok(before >= MANY - RATE - 3, "the others are counted", before)
    more = came(lab, "camera", lab.cloud.ip6)
    tap.ok(more <= 3, "IPv6 has the same rate, not another one", more)
    tap.equal(lab.attempt("camera", lab.cloud.ip, "tcp", 7, 1), "dropped",
              "what is too much gets no answer")
    tap.equal(came(lab, "sensor", lab.cloud.ip), MANY,
              "its neighbour has a rate of its own")
    tap.equal([key for key, _ in elements(lab, "over_rate")],
              [lab.camera.mac], "the kernel notes who it was")


def told(tap, lab):
    def warnings():
        return [w["text"] for w in lab.ctl_json("warnings")
                if w["code"] == "device.rate"]
    if "bus" not in lab.workers_built():
        tap.skip("the warning", "the bus is left out of this build")
        return
    tap.ok(wait(warnings, 20), "a warning")
    text = warnings()[0]
    tap.contains(text, "camera opened more than %d connections a minute" %
                 RATE, "that names the device and its limit")
    tap.contains(text, "refused", "and says what became of it")
    tap.equal(len(warnings()), 1, "one for all of it")
    tap.contains(lab.ctl("why", "camera", "udp/7", lab.cloud.ip).stdout,
                 "over its connections now", "gatehouse why tells it as well")


def nearest(tap, lab):
    """The device's line goes before its zone's, and that before all."""
    for what, camera, zone, gateway, wanted in (
            ("the gateway's rate", "", "", "rate = 25/m", 25),
            ("the zone's goes before it", "", "rate = 30/m\n",
             "rate = %d/m" % RATE, 30),
            ("the device's goes before both", "rate = unlimited",
             "rate = 30/m\n", "rate = %d/m" % RATE, MANY)):
        config(lab, "enforce", camera, gateway, zone)
        found = came(lab, "camera", lab.cloud.ip)
        tap.ok(wanted <= found <= wanted + 3, what, found)


def to_the_gateway(tap, lab):
    config(lab, "enforce", "rate = %d/m\nallow = udp/7 192.168.50.1" % RATE)
    found = came(lab, "camera", "192.168.50.1")
    tap.ok(RATE <= found <= RATE + 3,
           "connections to the gateway itself count, too", found)


def observed(tap, lab):
    config(lab, "observe", "rate = %d/m" % RATE)
    before = counter(lab, "limited")
    tap.equal(came(lab, "camera", lab.cloud.ip), MANY,
              "observed: all passes")
    tap.ok(counter(lab, "limited") - before >= MANY - RATE - 3,
           "and is counted")
    config(lab, "enforce", "mode = observe\nrate = %d/m" % RATE)
    tap.equal(came(lab, "camera", lab.cloud.ip), MANY,
              "an observed device in a zone that enforces: all passes")


def tracked(lab):
    return int(lab.gateway.run(
        "cat", "/proc/sys/net/netfilter/nf_conntrack_count").stdout)


def flood(lab, name, first, count):
    """As many connections as it can get, by one socket after the other."""
    for port in range(first, first + count):
        with lab.socket(name, socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(("", port))
            sock.sendto(b"x", (lab.cloud.ip, 9))


def without_limit(tap, lab):
    before = tracked(lab)
    flood(lab, "camera", 10000, EXTRA)
    tap.ok(tracked(lab) - before >= EXTRA, "without a limit %d of %d are "
           "tracked" % (tracked(lab) - before, EXTRA))


def at_once(tap, lab):
    """Before the gateway tracks more of one device than it can."""
    put(lab, lab.base_config("enforce", ("camera", "sensor"), {
        "camera": ANY + "allow = udp/9 any\nrate = 1000000/s",
        "sensor": ANY}))
    before = tracked(lab)
    flood(lab, "camera", 20000, EXTRA)
    found = tracked(lab) - before
    tap.ok(AT_ONCE - 50 <= found <= AT_ONCE + 10,
           "enforced: no more than %d" % AT_ONCE, found)
    put(lab, lab.base_config("enforce", ("camera", "sensor"), {
        "camera": ANY + "allow = udp/9 any\nrate = 1000000/s",
        "sensor": ANY + "allow = udp/9 any\nrate = unlimited"}))
    before = tracked(lab)
    flood(lab, "sensor", 30000, EXTRA)
    tap.ok(tracked(lab) - before >= EXTRA, "unlimited means this, too",
           tracked(lab) - before)
    all_open(tap, lab, [("sensor", ip, kind, 7)
                        for ip in (lab.cloud.ip, lab.cloud.ip6)
                        for kind in ("tcp", "udp")],
             "its neighbour connects all the same")
    tap.equal(lab.attempt("camera", lab.cloud.ip, "tcp", 7, 1), "dropped",
              "it does not")


def limits(tap):
    with Lab() as lab:
        for node in ("cloud", "gateway"):
            lab.serve_udp(node, 7)
            lab.serve_tcp(node, 7)
        lab.gateway.run("nft", "add", "table", "inet", "track")
        lab.gateway.run("nft", "add chain inet track c { type filter hook "
                        "forward priority 0; } ; add rule inet track c "
                        "ct state established accept")
        if "bus" in lab.workers_built():
            lab.dbus()
        tap.equal(came(lab, "camera", lab.cloud.ip), MANY,
                  "without rules all pass")
        without_limit(tap, lab)
        own_rate(tap, lab)
        told(tap, lab)
        nearest(tap, lab)
        to_the_gateway(tap, lab)
        observed(tap, lab)
        at_once(tap, lab)


if __name__ == "__main__":
    run(limits)
