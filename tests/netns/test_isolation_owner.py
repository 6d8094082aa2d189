#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The owner reaches every device and is never cut; nobody outside does, and
devices do not reach the owner."""
import threading
import time

from isolation_lab import Lab, all_cut, all_open, counter, everywhere, put
from isolation_lab import run, ways

NAMES = ("camera", "sensor", "stranger")


def talk(sock):
    sock.sendall(b"hello")
    return sock.recv(5) == b"hello"


def owner(tap):
    with Lab() as lab:
        servers = everywhere(lab, 7)
        lab.serve_tcp("gateway", 7)
        for ip in (lab.camera.ip, lab.camera.ip6):
            lab.serve_tcp("camera", 8, ip=ip, handle=slow_echo)
        out = [w for n in NAMES for w in ways(lab, "owner", n)]
        back = [w for n in NAMES for w in ways(lab, n, "owner")]
        world = [w for n in NAMES for w in ways(lab, "cloud", n)]
        all_open(tap, lab, out + back + world, "without rules all is open")
        live = [lab.tcp_connect("owner", lab.node(n).ip, 7) for n in NAMES]
        live.append(lab.tcp_connect("owner", lab.camera.ip6, 7))

        put(lab, lab.base_config("observe"))
        all_open(tap, lab, out + back + world, "observed: all is open")
        tap.ok(counter(lab, "denied") > 0,
               "observed: what comes from outside is counted")

        put(lab, lab.base_config("enforce"))
        all_open(tap, lab, out, "enforced: the owner reaches all devices")
        all_cut(tap, lab, back, "enforced: no device reaches the owner")
        for server in servers.values():
            server.seen.clear()
        all_cut(tap, lab, world, "enforced: nobody outside reaches a device")
        came = {key: server.seen for key, server in servers.items()
                if key[0] in NAMES and server.seen}
        tap.ok(not came, "not even one way", came)
        tap.ok(all(talk(s) for s in live),
               "the owner's connections of before go on")
        for number in range(3):
            put(lab, lab.base_config("enforce", more={
                "camera": "allow = tcp/%d any" % (1000 + number)}))
            tap.ok(all(talk(s) for s in live),
                   "and go on after reload %d" % number)
        device_speaks_first(tap, lab)
        tap.ok(lab.reaches("owner", "192.168.60.1", "tcp", 7),
               "the owner reaches the gateway")
        tap.ok(lab.reaches("owner", lab.cloud.ip, "tcp", 7),
               "the owner reaches the world")
        for sock in live:
            sock.close()


def slow_echo(server):
    """Answers after a second."""
    connection, _ = server.sock.accept()
    threading.Thread(target=answer_late, args=(connection,),
                     daemon=True).start()


def answer_late(connection):
    with connection:
        data = connection.recv(100)
        time.sleep(1)
        connection.sendall(data)
        connection.recv(100)


def device_speaks_first(tap, lab):
    """After a reload the first packet may be the device's answer."""
    socks = [lab.tcp_connect("owner", ip, 8)
             for ip in (lab.camera.ip, lab.camera.ip6)]
    for sock in socks:
        sock.sendall(b"hello")
    time.sleep(0.3)
    put(lab, lab.base_config("enforce", more={
        "camera": "allow = tcp/2000 any"}))
    for sock in socks:
        with sock:
            sock.settimeout(5)
            tap.equal(receive(sock), b"hello",
                      "an answer under way during a reload arrives")


def receive(sock):
    try:
        return sock.recv(5)
    except OSError as error:
        return error


def any_is_not_the_owner(tap):
    """A line that says any means the world outside."""
    with Lab() as lab:
        everywhere(lab, 7)
        home = ways(lab, "camera", "owner")
        outside = ways(lab, "camera", "cloud")
        put(lab, lab.base_config("enforce", more={
            "camera": "allow = any any\nallow = tcp/7 any"}))
        all_open(tap, lab, outside, "any: the world outside is open")
        all_cut(tap, lab, home, "any: the owner's network is not")
        put(lab, lab.base_config("enforce", more={
            "camera": "allow = any 192.168.60.0/24\n"
                      "allow = any " + lab.owner.ip6}))
        all_open(tap, lab, home, "named, the owner's network is open")
        all_cut(tap, lab, outside, "and nothing else")


def admin(tap):
    """An owner who sits among the devices keeps the gateway."""
    with Lab() as lab:
        lab.serve_tcp("gateway", 22)
        everywhere(lab, 7)
        text = lab.base_config("enforce").replace(
            "[gateway]", "[gateway]\nadmin = %s %s" % (
                lab.stranger.ip, lab.stranger.ip6))
        wanted = [("stranger", "192.168.50.1", "tcp", 22),
                  ("stranger", "fd00:50::1", "tcp", 22)]
        put(lab, lab.base_config("enforce"))
        all_cut(tap, lab, wanted, "a stranger does not log in")
        put(lab, text)
        all_open(tap, lab, wanted, "an admin address does")
        all_cut(tap, lab, ways(lab, "stranger", "cloud"),
                "which opens nothing else")


def outsiders(tap):
    """Interfaces that no zone names are not touched."""
    with Lab() as lab:
        everywhere(lab, 7)
        lab.serve_tcp("gateway", 7)
        put(lab, lab.base_config("enforce").replace(
            "[zone home]\ninterface = lan0\nrole = owner\n", ""))
        all_open(tap, lab, ways(lab, "owner", "cloud") +
                 ways(lab, "cloud", "owner") +
                 [("owner", "192.168.60.1", "tcp", 7),
                  ("cloud", "203.0.113.1", "tcp", 7)],
                 "an interface of no zone is not touched")
        all_cut(tap, lab, ways(lab, "owner", "camera"),
                "but it is nobody's way to the devices")


if __name__ == "__main__":
    run(owner, any_is_not_the_owner, admin, outsiders)
