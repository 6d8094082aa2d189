#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Observing changes nothing and sees everything; enforcing then cuts what
was open, also connections that live."""
import contextlib
import socket
import time

from isolation_lab import Lab, all_cut, all_open, counter, elements
from isolation_lab import everywhere, put, run, ways


def attempts(lab, family=4):
    return dict(elements(lab, "attempts%d" % family))


def listed(tap):
    with Lab() as lab:
        everywhere(lab, 7)
        put(lab, lab.base_config("observe"))
        tried = [("camera", lab.cloud.ip, "tcp", 7),
                 ("camera", lab.cloud.ip, "udp", 7),
                 ("camera", lab.cloud.ip6, "tcp", 7),
                 ("camera", lab.cloud.ip6, "udp", 7),
                 ("stranger", lab.owner.ip, "tcp", 7)]
        all_open(tap, lab, tried, "observed: nothing is dropped")
        for name, ip, kind, port in tried:
            found = attempts(lab, 6 if ":" in ip else 4)
            key = (lab.node(name).mac, ip, kind, port)
            tap.equal(found.get(key), 1, "listed once: %s %s" % (name, key))
        all_open(tap, lab, tried[:1] * 4, "the same again")
        tap.equal(attempts(lab)[(lab.camera.mac, lab.cloud.ip, "tcp", 7)], 5,
                  "one line counts them all")
        all_open(tap, lab, [("camera", lab.cloud.ip, "icmp", 0),
                            ("camera", lab.cloud.ip6, "icmp", 0)],
                 "ICMP passes")
        found = list(attempts(lab)) + list(attempts(lab, 6))
        tap.ok((lab.camera.mac, lab.cloud.ip, "icmp", 0x800) in found,
               "listed: an echo with its type", found)
        tap.ok(counter(lab, "denied") >= 12, "all of it is counted")
        tally = dict(elements(lab, "tally"))
        tap.ok(tally[lab.camera.mac] >= 10 and
               tally[lab.sensor.mac] == 0, "by device", tally)
        scan_is_bounded(tap, lab)
        carried_over(tap, lab)


def scan_is_bounded(tap, lab):
    """One device cannot fill the list that is for all."""
    sock = lab.socket("sensor", socket.AF_INET, socket.SOCK_DGRAM)
    with sock:
        for port in range(20000, 21000):
            sock.sendto(b"x", (lab.cloud.ip, port))
    mine = [k for k in attempts(lab) if k[0] == lab.sensor.mac]
    tap.ok(200 <= len(mine) <= 300, "a scan takes a bounded place",
           len(mine))
    tap.ok(dict(elements(lab, "tally"))[lab.sensor.mac] >= 1000,
           "but all of it is counted")
    lab.attempts([("camera", lab.cloud_ip(3), "tcp", 7)])
    tap.ok((lab.camera.mac, lab.cloud_ip(3), "tcp", 7) in attempts(lab),
           "others are listed after it")


def carried_over(tap, lab):
    before, denied = attempts(lab), counter(lab, "denied")
    put(lab, lab.base_config("observe", more={
        "camera": "allow = tcp/9 any"}))
    after = attempts(lab)
    tap.ok(all(after.get(k) == n for k, n in before.items()),
           "a reload keeps the list")
    tap.ok(counter(lab, "denied") >= denied, "and the counters")


def talk(sock, word=b"hello"):
    """True when the echo comes back."""
    try:
        sock.settimeout(1.5)
        sock.sendall(word)
        return sock.recv(len(word)) == word
    except OSError:
        return False


def live_flows(tap):
    with Lab() as lab:
        everywhere(lab, 7)
        # Modules of conntrack see it from the start, as on any gateway.
        put(lab, lab.base_config("observe"))
        ips = (lab.cloud.ip, lab.cloud.ip6)
        denied = [lab.tcp_connect("camera", ip, 7) for ip in ips]
        strange = [lab.tcp_connect("stranger", ip, 7) for ip in ips]
        kept = [lab.tcp_connect("sensor", ip, 7) for ip in ips]
        datagrams = []
        for ip in ips:
            sock = lab.socket("camera", socket.AF_INET6 if ":" in ip else
                              socket.AF_INET, socket.SOCK_DGRAM)
            sock.connect((ip, 7))
            datagrams.append(sock)
        everyone = denied + strange + kept + datagrams
        tap.ok(all(talk(s) for s in everyone),
               "observed: connections live")
        put(lab, lab.base_config("enforce", more={
            "sensor": "allow = tcp/7 any"}))
        tap.ok(not any(talk(s) for s in denied),
               "enforced: a live TCP connection is cut, v4 and v6")
        tap.ok(not any(talk(s) for s in strange),
               "enforced: a stranger's, too")
        tap.ok(not any(talk(s) for s in datagrams),
               "enforced: a live UDP flow is cut")
        tap.ok(all(talk(s) for s in kept),
               "enforced: what is allowed goes on")
        tighten(tap, lab, kept)
        for sock in everyone:
            sock.close()


def stream(server):
    """Sends to whoever asked, for as long as it is asked to."""
    _, _, _, peer = server.sock.recvmsg(100)
    server.seen.append(peer)
    end = time.monotonic() + 30
    while time.monotonic() < end and not server.stopping:
        with contextlib.suppress(OSError):
            server.sock.sendto(b"more", peer)
        time.sleep(0.02)


def still_comes(sock):
    """True if something arrives that was sent from now on."""
    sock.setblocking(False)
    with contextlib.suppress(OSError):
        while True:
            sock.recv(100)
    sock.settimeout(0.7)
    try:
        return sock.recv(100) == b"more"
    except OSError:
        return False


def one_sided(tap):
    """A stream that the device started and then only listens to."""
    with Lab() as lab:
        put(lab, lab.base_config("enforce", more={
            "camera": "allow = udp/9000-9010 any",
            "sensor": "allow = udp/9000-9010 any"}))
        socks = []
        for port, (name, ip) in enumerate((
                ("camera", lab.cloud.ip), ("camera", lab.cloud.ip6),
                ("sensor", lab.cloud.ip), ("sensor", lab.cloud.ip6)), 9000):
            lab.serve_udp("cloud", port, ip=ip, handle=stream)
            sock = lab.socket(name, socket.AF_INET6 if ":" in ip else
                              socket.AF_INET, socket.SOCK_DGRAM)
            lab.closers.append(sock.close)
            sock.connect((ip, port))
            sock.send(b"start")
            socks.append(sock)
        tap.ok(all(still_comes(s) for s in socks), "a stream comes in")
        put(lab, lab.base_config("enforce", more={
            "sensor": "allow = udp/9000-9010 any"}))
        tap.ok(not any(still_comes(s) for s in socks[:2]),
               "it ends when it is no longer allowed, v4 and v6")
        tap.ok(all(still_comes(s) for s in socks[2:]),
               "another's goes on, without a word of the device")
        put(lab, lab.base_config("enforce", ("camera", )))
        tap.ok(not any(still_comes(s) for s in socks),
               "a device that is a stranger now loses its own")
        tap.contains(lab.daemon.log(), "were cut", "which is in the log")


def tighten(tap, lab, kept):
    """The same between two enforced policies."""
    put(lab, lab.base_config("enforce", more={
        "sensor": "allow = tcp/7 " + lab.cloud.ip}))
    tap.ok(talk(kept[0]), "tightened: what is still allowed goes on")
    tap.ok(not talk(kept[1]), "tightened: what is not is cut")


def zone_modes(tap):
    """A zone's mode, and a device's own before it."""
    with Lab(second=["lamp"]) as lab:
        everywhere(lab, 7)
        text = lab.base_config("observe", ("camera", "sensor", "lamp"), {
            "sensor": "mode = observe"})
        text = text.replace("interface = br0 br1\n",
                            "interface = br0\nmode = enforce\n"
                            "[zone lamps]\ninterface = br1\n")
        put(lab, text)
        all_cut(tap, lab, ways(lab, "camera", "cloud"),
                "an enforced zone in an observing gateway")
        all_open(tap, lab, ways(lab, "sensor", "cloud"),
                 "an observed device in it")
        all_open(tap, lab, ways(lab, "lamp", "cloud"),
                 "the other zone is observed")


if __name__ == "__main__":
    run(listed, live_flows, one_sided, zone_modes)
