#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Connections that were judged take a short way. It is their own device's
alone: not that of somebody else who knows their addresses and ports, and not
any more when their device was changed."""
import os
import signal
import socket

from isolation_lab import SOON, Lab, put, run
from frames import udp

PORT = 5000


class Flow:
    """camera asked, was answered, and asked again."""

    def __init__(self, lab, target, port):
        self.lab, self.port = lab, port
        node = lab.node(target)
        self.ends = [(node.ip, lab.camera.ip), (node.ip6, lab.camera.ip6)]
        self.there = [self.bound(target, ip, PORT) for ip, _ in self.ends]
        self.here = [self.bound("camera", ip, port) for _, ip in self.ends]

    def bound(self, name, ip, port):
        family = socket.AF_INET6 if ":" in ip else socket.AF_INET
        sock = self.lab.socket(name, family, socket.SOCK_DGRAM)
        self.lab.closers.append(sock.close)
        sock.bind((ip, port))
        sock.settimeout(SOON)
        return sock

    def begin(self):
        for word in (b"first", b"second", b"third"):
            if not all(self.say(word, again=5)):
                return False
            for (_, mine), there, here in zip(self.ends, self.there,
                                              self.here):
                there.sendto(b"answer", (mine, self.port))
                here.recv(64)
        return True

    def say(self, word, again=1):
        """Which of the two, IPv4 and IPv6, is heard?"""
        heard = []
        for (ip, _), there, here in zip(self.ends, self.there, self.here):
            ok = False
            for _ in range(again):
                if ok:
                    break
                try:
                    here.sendto(word, (ip, PORT))
                except OSError:  # refused before
                    here.sendto(word, (ip, PORT))
                ok = self.heard(there, word)
            heard.append(ok)
        return heard

    @staticmethod
    def heard(there, word):
        try:
            while there.recv(64) != word:
                pass
            return True
        except OSError:
            return False

    def forged(self, name, mac, gateway):
        """The same addresses and ports from somewhere else."""
        with self.lab.socket(name, socket.AF_PACKET, socket.SOCK_RAW) as raw:
            raw.bind(("eth0", 0))
            for ip, mine in self.ends:
                raw.send(udp(mac, mine, ip, (self.port, PORT), b"forged",
                             gateway))
        return [self.heard(there, b"forged") for there in self.there]


def marks(lab, flow):
    """The bytes of both connections' marks that are ours."""
    found = {}
    for line in lab.gateway.run("cat", "/proc/net/nf_conntrack") \
            .stdout.splitlines():
        words = dict(w.split("=") for w in reversed(line.split()) if "=" in w)
        if words["sport"] == str(flow.port):
            found[socket.getaddrinfo(words["dst"], 0)[0][4][0]] = int(
                words["mark"]) >> 16 & 0xff
    return [found.get(ip, 0) for ip, _ in flow.ends]


def both(lab, port, *nodes):
    return "".join("allow = udp/%d %s\n" % (port, ip)
                   for node in nodes for ip in (node.ip, node.ip6))


def mac_of(lab, name):
    return lab.gateway.run(
        "cat", "/sys/class/net/%s/address" % name).stdout.strip()


def attacks(lab):
    """Who, with which MAC, by which of the gateway's: to whom."""
    return [("sensor", lab.camera.mac, "br0", "cloud"),
            ("sensor", lab.sensor.mac, "br0", "cloud"),
            ("cloud", lab.cloud.mac, "wan0", "lamp")]


def settled(tap):
    with Lab(second=["lamp"]) as lab:
        flows = {name: Flow(lab, name, port)
                 for name, port in (("cloud", 40000), ("lamp", 40001))}
        for name, mac, way, to in attacks(lab):
            tap.equal(flows[to].forged(name, mac, mac_of(lab, way)),
                      [True, True], "no rules: what %s forges for %s gets "
                      "there (control)" % (name, to))
        text = lab.base_config("enforce", ("camera", "sensor", "lamp"), {
            "camera": both(lab, PORT, lab.cloud) +
                      "allow = udp/%d device:lamp\n" % PORT,
            "sensor": both(lab, PORT + 2, lab.cloud),
            "lamp": "address = %s %s" % (lab.lamp.ip, lab.lamp.ip6)})
        # Who comes by the uplink in somebody's name gets further there.
        daemon = put(lab, text.replace("= uplink", "= uplink\nmode = observe"))
        tap.ok(all([f.begin() for f in flows.values()]), "connections begin")
        tap.ok(all(m & 8 for f in flows.values() for m in marks(lab, f)),
               "they are settled", [marks(lab, f) for f in flows.values()])
        for name, mac, way, to in attacks(lab):
            tap.equal(flows[to].forged(name, mac, mac_of(lab, way)),
                      [False, False], "%s does not get there by them" % name)
        tap.equal([flows[n].say(b"mine") for n in flows], [[True] * 2] * 2,
                  "camera does")
        changed(tap, lab, daemon, flows["cloud"])


def changed(tap, lab, daemon, flow):
    """Nobody is there to cut anything: what holds is in the kernel."""
    os.kill(daemon.pid, signal.SIGKILL)
    daemon.process.wait()
    for family, (ip, _) in zip("46", flow.ends):
        lab.gateway.run("nft", "delete element inet gatehouse allow%s "
                        "{ %s . %s . udp . %d }" % (
                            family, lab.camera.mac, ip, PORT))
    tap.equal(flow.say(b"on"), [True] * 2, "what was settled goes on (control)")
    lab.gateway.run("nft", "add element inet gatehouse again { %s }" %
                    lab.camera.mac)
    tap.equal(flow.say(b"off"), [False] * 2, "until its device is changed")
    tap.ok(not any(marks(lab, flow)), "and it is judged no more",
           marks(lab, flow))


if __name__ == "__main__":
    run(settled)
