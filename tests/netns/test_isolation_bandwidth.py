#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How many bytes a device may send and receive: also of connections that it
has, in both families, to the world and to the gateway; nobody else is
slowed, and who is only observed is only counted."""
import contextlib
import socket
import time

from isolation_lab import Lab, counter, elements, put, run

SIZE = 1000
COUNT = 500
BYTES = 100000  # a second: 800kbit
AT_ONCE = (BYTES + 65536) // (SIZE + 28)
ANY = "allow = udp any\nallow = udp 192.168.50.1\n"
SO_RCVBUFFORCE = 33


@contextlib.contextmanager
def pair(lab, name, server, ip):
    """Two sockets that have spoken with each other, and where they are."""
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    with lab.socket(name, family, socket.SOCK_DGRAM) as near, \
            lab.socket(server, family, socket.SOCK_DGRAM) as far:
        for sock in (near, far):
            sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
            sock.settimeout(2)
        far.bind((ip, 0))
        near.connect(far.getsockname()[:2])
        near.send(b"hello")
        far.connect(far.recvfrom(10)[1][:2])
        far.send(b"hello")
        near.recv(10)
        yield near, far


def blast(sender, receiver):
    """Packets that arrive of COUNT at once, and of as many as may now; what
    it had a moment ago counts, also over a reload."""
    start = time.monotonic()
    for _ in range(COUNT):
        with contextlib.suppress(PermissionError):  # dropped on its way out
            sender.send(bytes(SIZE))
    most = AT_ONCE + (time.monotonic() - start) * BYTES / SIZE + 3
    found = 0
    receiver.settimeout(0.25)
    with contextlib.suppress(socket.timeout):
        while found < COUNT:
            receiver.recv(2 * SIZE)
            found += 1
    return found, most


def config(lab, mode, camera):
    put(lab, lab.base_config(mode, ("camera", "sensor"), {
        "camera": ANY + camera, "sensor": ANY}))


def ways(lab):
    return (("IPv4", "cloud", lab.cloud.ip), ("IPv6", "cloud", lab.cloud.ip6),
            ("the gateway", "gateway", "192.168.50.1"))


def dropped(lab):
    """Both ways together."""
    return counter(lab, "limited") + counter(lab, "limited", "bridge")


def limited(tap, lab):
    for what, server, ip in ways(lab):
        config(lab, "enforce", "bandwidth = 800kbit")
        before = dropped(lab)
        with pair(lab, "camera", server, ip) as (near, far):
            for word, one, other in (("sends", near, far),
                                     ("receives", far, near)):
                found, most = blast(one, other)
                tap.ok(10 < found <= most,
                       "%s, a connection that was there: it %s what it may" %
                       (what, word), "%d, at most %d" % (found, most))
        tap.ok(dropped(lab) - before > COUNT / 2,
               "%s: what was more is counted" % what)
        with pair(lab, "sensor", server, ip) as (near, far):
            tap.equal([blast(near, far)[0], blast(far, near)[0]],
                      [COUNT, COUNT], "%s: its neighbour has no limit" % what)
    tap.equal([[key for key, _ in elements(lab, "over_bandwidth", family)]
               for family in ("inet", "bridge")], [[lab.camera.mac]] * 2,
              "the kernel notes who it was")


def one_way(tap, lab):
    for way in ("up", "down"):
        config(lab, "enforce", "bandwidth = %s 800kbit" % way)
        with pair(lab, "camera", "cloud", lab.cloud.ip) as (near, far):
            sent, received = blast(near, far)[0], blast(far, near)[0]
        tap.equal([sent == COUNT, received == COUNT],
                  [way == "down", way == "up"], "%s only" % way)


def observed(tap, lab):
    for mode, camera in (("observe", ""), ("enforce", "mode = observe\n")):
        config(lab, mode, camera + "bandwidth = 800kbit")
        before = dropped(lab)
        with pair(lab, "camera", "cloud", lab.cloud.ip) as (near, far):
            tap.equal([blast(near, far)[0], blast(far, near)[0]],
                      [COUNT, COUNT], "%s, observed device: all passes" % mode)
        tap.ok(dropped(lab) - before > COUNT / 2,
               "%s: and is counted" % mode)


LAN = "192.168.60.10 fd00:60::10"


def lan_config(lab, mode, lamp, other=""):
    """The lamp is behind an interface that is no bridge."""
    allow = "allow = udp any\nallow = udp 192.168.60.1\n"
    put(lab, "[gateway]\nmode = %s\n[zone things]\ninterface = lan0\n"
        "[device lamp]\nmac = %s\n%s%s\n[device other]\n"
        "mac = 02:00:00:00:60:66\n%s%s\n" % (
            mode, lab.owner.mac, allow, lamp, allow, other))


def received(lab, server="cloud", ip=None):
    """What arrives of COUNT that the lamp receives, and the most it may."""
    with pair(lab, "owner", server, ip or lab.cloud.ip) as (near, far):
        return blast(far, near)


def routed_limited(tap, lab):
    for what, lamp in (("its address is held", ""),
                       ("it is pinned", "address = %s\n" % LAN)):
        for server, ip in (("cloud", lab.cloud.ip), ("cloud", lab.cloud.ip6),
                           ("gateway", "192.168.60.1")):
            lan_config(lab, "enforce", lamp + "bandwidth = down 800kbit")
            before = counter(lab, "limited")
            found, most = received(lab, server, ip)
            tap.ok(10 < found <= most,
                   "no bridge, %s: it receives what it may from %s" % (
                       what, ip), "%d, at most %d" % (found, most))
            tap.ok(counter(lab, "limited") - before > COUNT / 2,
                   "what was more is counted")
    tap.equal([key for key, _ in elements(lab, "over_bandwidth")],
              [lab.owner.mac], "the kernel notes who it was")
    lan_config(lab, "enforce", "bandwidth = up 800kbit")
    tap.equal(received(lab)[0], COUNT, "what it sends alone is limited")
    lan_config(lab, "enforce", "", "bandwidth = 800kbit")
    tap.equal(received(lab)[0], COUNT, "one without limit has none")


def routed(tap):
    """In a zone that is no bridge: found by the address."""
    with Lab() as lab:
        tap.equal(received(lab)[0], COUNT, "no bridge: without rules all passes")
        routed_limited(tap, lab)
        for mode, lamp in (("observe", ""), ("enforce", "mode = observe\n")):
            lan_config(lab, mode, lamp + "bandwidth = 800kbit")
            before = counter(lab, "limited")
            tap.equal(received(lab)[0], COUNT,
                      "no bridge, %s, observed device: all passes" % mode)
            tap.ok(counter(lab, "limited") - before > COUNT / 2,
                   "and is counted")
        lan_config(lab, "enforce", "bandwidth = 800kbit")
        received(lab)
        lan_config(lab, "enforce", "bandwidth = 800kbit\n",
                   "address = " + LAN)
        lab.owner.link("eth0", "address", "02:00:00:00:60:66")
        tap.equal(received(lab)[0], COUNT,
                  "an address pinned to another is not the old holder's")


def bandwidth(tap):
    with Lab() as lab:
        with pair(lab, "camera", "cloud", lab.cloud.ip) as (near, far):
            tap.equal([blast(near, far)[0], blast(far, near)[0]],
                      [COUNT, COUNT], "without rules all passes")
        limited(tap, lab)
        one_way(tap, lab)
        observed(tap, lab)


if __name__ == "__main__":
    run(routed, bandwidth)
