#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""One device is changed, removed or added: its connections follow at once,
also those in which only the other side speaks, and nobody else notices."""
import socket

from isolation_lab import SOON, Lab, counter, elements, put, run, wait

PORTS = (5000, 5002)


class Push:
    """A device asked once; from then on only the other side speaks."""
    servers = {}
    count = 0

    def __init__(self, lab, name, port, family=socket.AF_INET):
        ip = lab.cloud.ip if family == socket.AF_INET else lab.cloud.ip6
        self.there = self.server(lab, ip, port, family)
        self.here = lab.socket(name, family, socket.SOCK_DGRAM)
        self.here.connect((ip, port))
        self.peer = None
        self.word = 0
        Push.count += 1
        self.begin = b"begin %d" % self.count
        for _ in range(10):
            self.here.send(self.begin)
            self.peer = self.heard(self.begin)
            if self.peer:
                break

    @classmethod
    def server(cls, lab, ip, port, family):
        if (ip, port) not in cls.servers:
            sock = lab.socket("cloud", family, socket.SOCK_DGRAM)
            sock.bind((ip, port))
            sock.settimeout(SOON)
            lab.closers.append(sock.close)
            cls.servers[ip, port] = sock
        return cls.servers[ip, port]

    def heard(self, word):
        """Who sent it; None when it has not come."""
        try:
            while True:
                data, peer = self.there.recvfrom(64)
                if data == word:
                    return peer
        except socket.timeout:
            return None

    def alive(self):
        """Does what the other side says arrive?"""
        self.word += 1
        word = b"push %d" % self.word
        self.here.settimeout(SOON)
        for _ in range(3):
            self.there.sendto(word, self.peer)
            try:
                while self.here.recv(64) != word:
                    pass
                return True
            except OSError:
                continue
        return False

    def cut(self):
        """Neither way; the device speaks last."""
        if self.alive():
            return False
        try:
            self.here.send(b"still there?")
        except OSError:
            pass
        return not self.heard(b"still there?")

    def close(self):
        self.here.close()


def allow(lab, *ports):
    return "\n".join("allow = udp/%d %s" % (port, ip) for port in ports
                     for ip in (lab.cloud.ip, lab.cloud.ip6))


def config(lab, mode="enforce", **lines):
    return lab.base_config(mode, tuple(lines), lines)


def began(tap, pushes, what):
    tap.ok(all(p.peer and p.alive() for p in pushes), what)


def one_of_two(tap, lab):
    both = allow(lab, *PORTS)
    put(lab, config(lab, camera=both, sensor=both))
    mine = [Push(lab, "camera", 5000), Push(lab, "camera", 5000,
                                            socket.AF_INET6)]
    kept = Push(lab, "camera", 5002)
    other = Push(lab, "sensor", 5000)
    began(tap, mine + [kept, other], "connections begin")
    before = elements(lab, "generation")
    put(lab, config(lab, camera=allow(lab, 5002), sensor=both))
    tap.equal(elements(lab, "generation"), before,
              "one device changed: no other is judged again")
    tap.equal([key for key, _ in elements(lab, "again")], [lab.camera.mac],
              "it is")
    tap.ok(all(p.cut() for p in mine),
           "what it may no longer is cut, IPv4 and IPv6")
    tap.ok(kept.alive(), "what it still may goes on")
    tap.ok(other.alive(), "what others may goes on")
    for push in mine + [kept, other]:
        push.close()


def forgotten(tap, lab):
    """The gateway's neighbour table has lost the address long ago."""
    both = allow(lab, *PORTS)
    put(lab, config(lab, camera=both, sensor=both))
    push = Push(lab, "sensor", 5000)
    began(tap, [push], "a connection begins")
    lab.gateway.run("ip", "neigh", "flush", "dev", "br0")
    put(lab, config(lab, camera=both, sensor=allow(lab, 5002)))
    tap.ok(push.cut(), "it is cut though nobody knows the address any more")
    push.close()


def removed_and_added(tap, lab):
    both = allow(lab, *PORTS)
    put(lab, config(lab, camera=both, sensor=both))
    push = Push(lab, "camera", 5000)
    other = Push(lab, "sensor", 5000)
    began(tap, [push, other], "connections begin")
    before = elements(lab, "generation")
    put(lab, config(lab, sensor=both))
    tap.ok(push.cut(), "who is no device any more is cut")
    tap.ok(lab.camera.mac not in [k for k, _ in elements(lab, "known")],
           "and known no more")
    put(lab, config(lab, sensor=both, camera=both))
    again = Push(lab, "camera", 5002)
    began(tap, [again], "who is one again gets through")
    tap.ok(other.alive(), "the other noticed nothing")
    tap.equal(elements(lab, "generation"), before, "and was not judged again")
    for one in (push, other, again):
        one.close()


def only_observed(tap, lab):
    both = allow(lab, *PORTS)
    put(lab, config(lab, "observe", camera=both, sensor=both))
    push = Push(lab, "camera", 5000)
    began(tap, [push], "observed: a connection begins")
    put(lab, config(lab, "observe", camera=allow(lab, 5002), sensor=both))
    before = counter(lab, "denied")
    tap.ok(push.alive(), "observed: what it may no longer goes on")
    push.here.send(b"more")
    tap.ok(push.heard(b"more"), "observed: in both directions")
    tap.ok(wait(lambda: counter(lab, "denied") > before),
           "observed: and is counted")
    push.close()


def changes(tap):
    with Lab() as lab:
        one_of_two(tap, lab)
        forgotten(tap, lab)
        removed_and_added(tap, lab)
        only_observed(tap, lab)


if __name__ == "__main__":
    run(changes)
