#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The isolation worker alone, with the agent's part played by this test: a
wanted state that contradicts itself changes nothing, a message that makes no
sense ends the worker, and the rules stay in either case."""
import os
import signal
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lab"))
from lab import Lab  # noqa: E402
from tap import Tap  # noqa: E402

HELLO, BEGIN, COMMIT, VERDICT, APPLY, ABORT, PING, PONG = range(1, 9)
ZONE, DEVICE, ALLOW, REDIRECT, NAME_SERVER, ADMIN = range(64, 70)
WHO, GET_ATTEMPTS = 88, 89
LEARN, FORGET = 92, 93
SEEN, IS, ATTEMPT, ATTEMPTS_END, COUNTERS, TALLY, RULES, LINK = range(96, 104)
DEVICES, OWNER = 1, 2
OBSERVE, ENFORCE = 1, 2
TCP = 6


def mac(text):
    return bytes(int(part, 16) for part in text.split(":"))


def ip(text):
    if not text:
        return struct.pack("H16s", 0, b"")
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    return struct.pack("H16s", family, socket.inet_pton(family, text))


def zone(name, role=DEVICES, mode=ENFORCE, place=1):
    return ZONE, struct.pack("16sBBHI", name.encode(), role, mode, place, 0)


def device(number, address, mode=0):
    return DEVICE, struct.pack("I6sBBB3x", number, mac(address), mode, 0, 0)


def allow(number, to="", length=0, protocol=TCP, first=7, last=7):
    return ALLOW, struct.pack("I", number) + ip(to) + struct.pack(
        "BBHH", length, protocol, first, last)


def redirect(number, port, to_port):
    return REDIRECT, struct.pack("IHH", number, port, to_port)


class Worker:
    """One process of the worker, and our end of its link."""

    def __init__(self, lab):
        self.link, theirs = socket.socketpair(
            socket.AF_UNIX, socket.SOCK_SEQPACKET)
        folder = os.path.dirname(lab.path("empty", "x"))
        self.process = lab.track(subprocess.Popen(
            lab.gateway.command([
                "sh", "-c", 'exec 3<&%d "$0" "$1"' % theirs.fileno(),
                lab.program("usr/libexec/gatehouse/gatehouse-isolation"),
                folder]), pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True))
        theirs.close()
        self.generation = 0
        self.items = 0
        self.seen = []

    def send(self, kind, payload, flags=0, length=None):
        self.items += 1
        self.link.send(struct.pack(
            "HHI", kind, flags,
            len(payload) if length is None else length) + payload)

    def step(self, kind):
        items = self.items
        self.send(kind, struct.pack("QII", self.generation, 6, items))

    def wait(self, kind, timeout=5):
        """The next message of a kind; None when the link has ended."""
        end = time.monotonic() + timeout
        while True:
            self.link.settimeout(max(0.01, end - time.monotonic()))
            try:
                data = self.link.recv(4096)
            except (socket.timeout, ConnectionError):
                return None
            if not data:
                return None
            number = struct.unpack("HHI", data[:8])[0]
            self.seen.append((number, data[8:]))
            if number == kind:
                return data[8:]

    def verdict(self):
        data = self.wait(VERDICT)
        if data is None:
            return None
        error, = struct.unpack_from("i", data, 8)
        return error, data[16:].split(b"\0")[0].decode()

    def offer(self, *items):
        """BEGIN, the items, COMMIT; what the worker says to it."""
        self.generation += 1
        self.step(BEGIN)
        self.items = 0
        for item in items:
            self.send(*item)
        self.step(COMMIT)
        return self.verdict()

    def put(self, *items):
        """As above, and APPLY if it said yes."""
        answer = self.offer(*items)
        if answer and answer[0] == 0:
            self.step(APPLY)
            answer = self.verdict()
        return answer

    def state(self):
        """S: it waits for something to happen."""
        with open("/proc/%d/stat" % self.process.pid,
                  encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0]

    def ended(self, timeout=5):
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None


def generation(lab):
    text = lab.gateway.run("nft", "list", "set", "inet", "gatehouse",
                           "generation", check=False).stdout
    return text.split("elements = { ")[1].split()[0] if (
        "elements" in text) else None


def basic(lab):
    return [zone("br0"), zone("lan0", OWNER, place=2),
            device(1, lab.camera.mac), device(2, lab.sensor.mac, OBSERVE),
            allow(1, lab.cloud.ip, 32)]


def transaction(tap, lab, worker):
    tap.ok(worker.wait(HELLO), "it says hello once its sandbox is closed")
    worker.send(PING, struct.pack("Q", 77))
    tap.equal(worker.wait(PONG), struct.pack("Q", 77), "it answers a ping")
    tap.equal(worker.put(*basic(lab)), (0, ""), "a first wanted state")
    first = generation(lab)
    tap.ok(first is not None, "the rules are there")
    tap.equal(worker.put(*basic(lab)), (0, ""), "the same again")
    tap.equal(generation(lab), first, "judges nobody anew")
    worker.put(*basic(lab)[:-1])
    tap.equal(generation(lab), first, "one device changed: it alone")
    others = [item for item in basic(lab)
              if item != zone("lan0", OWNER, place=2)]
    worker.put(*others)
    second = generation(lab)
    tap.ok(second not in (None, first), "other zones: everybody")
    refused = {
        "two devices have the MAC": [device(3, lab.camera.mac)],
        "two devices have the number": [device(1, lab.stranger.mac)],
        "br0 is in two zones": [zone("br0", place=3)],
        "which does not exist": [allow(9)],
        "two upgrades want port 80": [redirect(1, 80, 18100),
                                      redirect(1, 80, 18101)],
    }
    for why, more in refused.items():
        error, reason = worker.put(*basic(lab), *more)
        tap.ok(error < 0 and why in reason, "refused: " + why, reason)
    tap.equal(generation(lab), second, "none of it changed the rules")
    worker.offer(*basic(lab))
    worker.step(ABORT)
    tap.equal(worker.put(*others), (0, ""), "ABORT, and again")
    tap.equal(generation(lab), second, "ABORT changed nothing")


def questions(tap, lab, worker):
    lab.attempts([("camera", "192.168.50.1", "icmp", 0),
                  ("stranger", "fd00:50::1", "icmp", 0),
                  ("camera", "fd00:50::1", "icmp", 0),
                  ("owner", "192.168.60.1", "icmp", 0)], timeout=0.5)
    for cookie, (address, number) in enumerate((
            (lab.camera.ip, 1), (lab.camera.ip6, 1), (lab.stranger.ip6, 0),
            (lab.owner.ip, 0), ("192.168.50.99", 0)), 5):
        worker.send(WHO, struct.pack("Q", cookie) + ip(address) +
                    bytes(6) + struct.pack("I", 0) + bytes(4))
        data = worker.wait(IS)
        tap.equal((data[:8], struct.unpack_from("I", data, 32)[0]),
                  (struct.pack("Q", cookie), number),
                  "who is %s" % address)
    lab.attempts([("camera", lab.cloud.ip, "tcp", 9)], timeout=0.5)
    worker.send(GET_ATTEMPTS, struct.pack("Q", 99))
    tap.equal(worker.wait(ATTEMPTS_END), struct.pack("Q", 99),
              "the list of attempts has an end")
    tried = [data for kind, data in worker.seen if kind == ATTEMPT]
    tap.ok(any(lab.camera.ip not in repr(d) and mac(lab.camera.mac) in d and
               ip(lab.cloud.ip) in d for d in tried),
           "and what the camera tried", tried)
    kinds = {kind for kind, _ in worker.seen}
    tap.ok({SEEN, COUNTERS, TALLY, RULES, LINK} <= kinds,
           "it told who is there, counters, rules and links", kinds)


def learned(number, to, first=7, last=7, ttl_ms=60000, kind=LEARN):
    return kind, ip(to) + struct.pack("=BBIHHI", TCP, 0, number, first, last,
                                      ttl_ms)


def learning(tap, lab, worker):
    """Where a name led: open while it lives, also after a flush."""
    for name in ("cloud", "owner"):
        lab.serve_tcp(name, 7)
        lab.serve_tcp(name, 80)
    worker.put(*basic(lab)[:-1])
    ways = [("camera", node, "tcp", 7) for node in (lab.cloud.ip,
                                                    lab.cloud.ip6)]
    tap.ok(all(lab.is_cut(*way) for way in ways), "not learned: cut")
    for to in (lab.cloud.ip, lab.cloud.ip6, lab.owner.ip):
        worker.send(*learned(1, to))
    worker.send(*learned(9, lab.cloud.ip))
    caught_up(worker)
    tap.ok(all(lab.reaches(*way) for way in ways), "learned: open")
    tap.ok(lab.is_cut("camera", lab.cloud.ip, "tcp", 80), "no other port")
    tap.ok(lab.is_cut("camera", lab.owner.ip, "tcp", 7),
           "a name does not lead into the owner's own network")
    before = lab.tcp_connect("camera", lab.cloud.ip, 7)
    lab.gateway.run("nft", "flush", "ruleset")
    worker.wait(RULES)
    tap.ok(all(lab.reaches(*way) for way in ways),
           "somebody flushed: open again")
    tap.ok(talks(before), "and what lived, lives")
    worker.send(*learned(1, lab.cloud.ip, ttl_ms=0, kind=FORGET))
    caught_up(worker)
    tap.ok(not talks(before), "forgotten: a live connection is cut")
    tap.ok(lab.is_cut(*ways[0]), "and a new one")
    tap.ok(lab.reaches(*ways[1]), "the other address stays")
    worker.send(*learned(1, "", ttl_ms=0, kind=FORGET))
    caught_up(worker)
    tap.ok(lab.is_cut(*ways[1]), "until all is forgotten")
    before.close()


def caught_up(worker):
    """It has done what came before; what it learned before it sleeps again,
    which may be after it has answered."""
    for _ in range(2):
        worker.send(PING, struct.pack("Q", 78))
        worker.wait(PONG)
    end = time.monotonic() + 5
    while worker.state() != "S" and time.monotonic() < end:
        time.sleep(0.001)


def talks(sock):
    try:
        sock.settimeout(1.5)
        sock.sendall(b"hello")
        return sock.recv(5) == b"hello"
    except OSError:
        return False


def nonsense(tap, lab, rules):
    """Each ends the worker at once; the rules are as they were."""
    good = {kind: payload for kind, payload in basic(lab)}
    messages = {
        "a type nobody knows": (200, b""),
        "a zone one byte short": (ZONE, good[ZONE][:-1]),
        "a zone one byte long": (ZONE, good[ZONE] + b"\0"),
        "a role that is none": zone("br0", 9),
        "a mode that is none": zone("br0", mode=3),
        "a device with a group's address": device(1, "03:00:00:00:00:01"),
        "a device without a number": device(0, lab.camera.mac),
        "a prefix that is too long": allow(1, "192.0.2.1", 33),
        "bits behind a prefix": allow(1, "192.0.2.1", 24),
        "ports that run backwards": allow(1, first=9, last=8),
        "an admin without an address": (ADMIN, ip("")),
        "a redirect to port 0": redirect(1, 80, 0),
        "a question without a family": (WHO, bytes(40)),
        "a forgotten address of no family": (FORGET, struct.pack(
            "H16sBBIHHI", 7, b"", TCP, 0, 1, 7, 7, 0)),
        "a length that is not true": (ZONE, good[ZONE], 0, 5),
        "flags that nobody set": (ZONE, good[ZONE], 1),
    }
    for what, message in messages.items():
        worker = Worker(lab)
        worker.wait(HELLO)
        worker.generation = 1
        worker.step(BEGIN)
        worker.send(*message)
        tap.ok(worker.ended() not in (None, 0), "ends it: " + what)
        worker.link.close()
    tap.equal(standing(lab), rules,
              "the rules are as they were")


def standing(lab):
    """The rules without what packets fill, which comes and goes."""
    text = lab.gateway.run("nft", "-s", "list", "ruleset").stdout
    return "\n\n".join(part for part in text.split("\n\n")
                       if "flags dynamic" not in part)


def leftover(tap, lab, worker):
    """The link ends, the process is killed: nothing of it opens the way."""
    rules = standing(lab)
    worker.link.close()
    tap.equal(worker.ended(), 0, "without the agent it ends")
    tap.equal(standing(lab), rules,
              "and leaves the rules")
    second = Worker(lab)
    second.wait(HELLO)
    os.kill(second.process.pid, signal.SIGKILL)
    second.ended()
    second.link.close()
    tap.equal(standing(lab), rules,
              "killed before its first state, it leaves them, too")
    return rules


def main():
    with Tap() as tap:
        if os.geteuid() != 0:
            tap.skip("the isolation worker", "needs root")
            return
        with Lab() as lab:
            if "isolation" not in lab.workers_built():
                tap.skip("the isolation worker", "left out of this build")
                return
            worker = Worker(lab)
            transaction(tap, lab, worker)
            questions(tap, lab, worker)
            learning(tap, lab, worker)
            nonsense(tap, lab, leftover(tap, lab, worker))


if __name__ == "__main__":
    main()
