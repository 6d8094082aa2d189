#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Flowtables, where the kernel has them: answers from an uplink take the
short way, whatever a device sends is judged as ever, and a connection that is
cut ends on both ways. What must not take the short way does not."""
import contextlib
import socket
import threading
import time

from isolation_lab import Lab, counter, put, run, until
import frames

PORT = 7000
COUNT = 50
ANY = "allow = udp any\nallow = tcp any\n"
WATCH = """table inet watch {
 chain c {
  type filter hook forward priority 10
  iifname "wan0" counter name "from_wan"
  iifname "br0" counter name "from_devices"
 }
 counter from_wan { }
 counter from_devices { }
}
"""


def watched(lab, name):
    """Packets that a table of somebody else has seen, each way."""
    text = lab.gateway.run(
        "nft", "list", "counter", "inet", "watch", name).stdout
    return int(text.split("packets ")[1].split()[0])


def short_ways(lab, *words):
    """Connections that the kernel forwards by itself, as it lists them."""
    lines = lab.gateway.run(
        "cat", "/proc/net/nf_conntrack").stdout.splitlines()
    return [line for line in lines if "[OFFLOAD]" in line and
            all(word in line for word in words)]


@contextlib.contextmanager
def pair(lab, name, server, ip):
    """Two UDP sockets that have spoken with each other."""
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    with lab.socket(name, family, socket.SOCK_DGRAM) as near, \
            lab.socket(server, family, socket.SOCK_DGRAM) as far:
        for sock in (near, far):
            sock.settimeout(3)
        far.bind((ip, 0))
        near.connect(far.getsockname()[:2])
        for _ in range(3):
            near.send(b"hello")
            far.connect(far.recvfrom(10)[1][:2])
            far.send(b"hello")
            near.recv(10)
        yield near, far


def talk(sender, receiver):
    """How many of COUNT packets arrive."""
    found = 0
    receiver.settimeout(1)
    for _ in range(COUNT):
        sender.send(b"x")
        with contextlib.suppress(socket.timeout):
            found += len(receiver.recv(10))
    return found


class Stream:
    """The cloud speaks to the device, whether that answers or not."""

    def __init__(self, lab, name, ip, tcp):
        family = socket.AF_INET6 if ":" in ip else socket.AF_INET
        kind = socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM
        listener = lab.socket("cloud", family, kind)
        listener.settimeout(10)
        listener.bind((ip, 0))
        self.near = lab.socket(name, family, kind)
        self.near.settimeout(10)
        if tcp:
            listener.listen(1)
        self.near.connect(listener.getsockname()[:2])
        if tcp:
            self.far = listener.accept()[0]
            listener.close()
        else:
            self.near.send(b"hello")
            self.far = listener
            self.far.connect(listener.recvfrom(10)[1][:2])
        self.near.send(b"again")
        self.far.recv(10)
        self.got = self.last = 0
        self.ends = False
        self.threads = [threading.Thread(target=f, daemon=True)
                        for f in (self.speak, self.hear)]
        for thread in self.threads:
            thread.start()

    def speak(self):
        while not self.ends:
            with contextlib.suppress(OSError):
                self.far.send(bytes(500), socket.MSG_DONTWAIT)
            time.sleep(0.01)

    def hear(self):
        """Answers now and then, as somebody who plays music does."""
        self.near.settimeout(0.2)
        while not self.ends:
            with contextlib.suppress(OSError):
                data = self.near.recv(65536)
                if not data:
                    return
                self.got += len(data)
                self.last = time.monotonic()
                if self.got % 16 == 0:
                    self.near.send(b"more")

    def goes_on(self):
        before = self.got
        return until(lambda: self.got > before + 2000, 10) is not None

    def close(self):
        self.ends = True
        for thread in self.threads:
            thread.join()
        self.near.close()
        self.far.close()


def config(lab, camera=ANY, gateway="", sensor=ANY, mode="enforce", more=""):
    text = lab.base_config(mode, ("camera", "sensor"), {
        "camera": camera, "sensor": sensor})
    put(lab, text.replace("\n[zone things]",
                          gateway + "\n[zone things]").replace(
        "interface = wan0", "interface = wan0 wan1") + more)


def both_ways(tap, lab, offloads):
    word = "the short way" if offloads else "the long way"
    for ip in (lab.cloud.ip, lab.cloud.ip6):
        with pair(lab, "camera", "cloud", ip) as (near, far):
            before = watched(lab, "from_wan")
            came = talk(far, near)
            seen = watched(lab, "from_wan") - before
            tap.ok(came == COUNT and (seen < 5 if offloads else
                                      seen >= COUNT),
                   "%s: answers take %s" % (ip, word), (came, seen))
            before = watched(lab, "from_devices")
            came = talk(near, far)
            seen = watched(lab, "from_devices") - before
            tap.ok(came == COUNT and seen >= COUNT,
                   "what the device sends takes the long way", (came, seen))


def attack(tap, lab, passes):
    """The neighbour uses the addresses and ports of a live connection."""
    with pair(lab, "camera", "cloud", lab.cloud.ip) as (near, far):
        ports = near.getsockname()[1], far.getsockname()[1]
        frame = frames.udp(
            lab.sensor.mac, lab.camera.ip, lab.cloud.ip, ports, b"attack",
            lab.gateway.run("cat", "/sys/class/net/br0/address").stdout
            .strip())
        with lab.socket("sensor", socket.AF_PACKET, socket.SOCK_RAW) as raw:
            raw.bind(("eth0", 0))
            raw.send(frame)
            far.settimeout(1)
            found = b""
            with contextlib.suppress(socket.timeout):
                found = far.recv(10)
        tap.equal(found, b"attack" if passes else b"",
                  "who steals a live connection's addresses and ports %s" % (
                      "gets through without rules" if passes else
                      "gets nothing through"))


def not_these(tap, lab):
    config(lab, sensor=ANY + "bandwidth = 8mbit")
    with pair(lab, "sensor", "cloud", lab.cloud.ip), \
            pair(lab, "camera", "cloud", lab.cloud.ip):
        tap.ok(short_ways(lab, "src=" + lab.camera.ip),
               "an ordinary connection takes the short way")
        tap.ok(not short_ways(lab, "src=" + lab.sensor.ip),
               "one whose bytes are limited does not")
    config(lab, "address = %s\npublish = udp/%d" % (
        lab.camera.ip, PORT), sensor="")
    with lab.socket("camera", socket.AF_INET, socket.SOCK_DGRAM) as near, \
            lab.socket("cloud", socket.AF_INET, socket.SOCK_DGRAM) as far:
        near.bind((lab.camera.ip, PORT))
        far.connect((lab.camera.ip, PORT))
        for sock in (near, far):
            sock.settimeout(3)
        for _ in range(3):
            far.send(b"hello")
            near.sendto(b"hello", near.recvfrom(10)[1])
            far.recv(10)
        tap.ok(not short_ways(lab, "dport=%d " % PORT),
               "what the world outside opens does not")
    config(lab, camera="", mode="observe")
    with pair(lab, "camera", "cloud", lab.cloud.ip) as (near, far):
        before = counter(lab, "denied")
        came = talk(near, far)
        denied = counter(lab, "denied") - before
        tap.ok(came == COUNT and denied >= COUNT,
               "what passes only because nothing is enforced is counted",
               (came, denied))
        tap.ok(not short_ways(lab, "src=" + lab.camera.ip),
               "and takes the long way")


def block(tap, lab, what, camera):
    """A stream of each kind, and one of the neighbour's beside them."""
    config(lab)
    streams = [(ip, kind, Stream(lab, "camera", ip, kind == "TCP"))
               for ip in (lab.cloud.ip, lab.cloud.ip6)
               for kind in ("TCP", "UDP")]
    beside = Stream(lab, "sensor", lab.cloud.ip, True)
    try:
        tap.ok(all(s.goes_on() for _, _, s in streams) and beside.goes_on(),
               "streams from the cloud")
        tap.equal(len(short_ways(lab)), len(streams) + 1,
                  "take the short way")
        config(lab, camera=camera)
        after = time.monotonic()
        time.sleep(2)
        for ip, kind, stream in streams:
            tap.ok(stream.last <= after + 0.5,
                   "%s: the %s stream from %s stops" % (what, kind, ip),
                   stream.last - after)
        tap.equal(len(short_ways(lab)), 1,
                  "%s: only its neighbour's is left in the flowtable" % what)
        tap.ok(beside.goes_on(), "%s: its neighbour's goes on" % what)
    finally:
        for _, _, stream in streams:
            stream.close()
        beside.close()


def flush(tap, lab):
    """While nobody puts the rules back."""
    config(lab)
    with pair(lab, "camera", "cloud", lab.cloud.ip) as (near, far):
        worker = lab.daemon.workers()["isolation"]
        tap.ok(short_ways(lab, "src=" + lab.camera.ip), "the short way again")
        lab.gateway.run("kill", "-STOP", worker)
        try:
            lab.gateway.run("nft", "delete", "table", "inet", "gatehouse")
            near.send(b"leak")
            far.settimeout(1)
            with contextlib.suppress(socket.timeout):
                tap.ok(not far.recv(10), "a flushed table leaks nothing")
        finally:
            lab.gateway.run("kill", "-CONT", worker)
        tap.ok(until(lambda: "wan0" in lab.gateway.run(
            "nft", "list", "flowtables").stdout, 20),
            "the flowtable comes back with the rules")
        tap.equal(talk(near, far), COUNT, "so does the connection")
        before = watched(lab, "from_wan")
        came = talk(far, near)
        seen = watched(lab, "from_wan") - before
        tap.ok(came == COUNT and seen < 5, "and takes the short way",
               (came, seen))


def interfaces(tap, lab):
    """Uplinks come and go; the rules stay as they are."""
    def listed(name):
        return name in lab.gateway.run("nft", "list", "flowtables").stdout

    tap.ok(not listed("wan1"), "an uplink that is not there is not named")
    lab.gateway.run("ip", "link", "add", "wan1", "type", "dummy")
    tap.ok(until(lambda: listed("wan1"), 20), "it is when it comes")
    lab.gateway.run("ip", "link", "del", "wan1")
    tap.ok(until(lambda: not listed("wan1"), 20), "and is not when it goes")
    lab.gateway.run("ip", "link", "add", "wan1", "type", "dummy")
    tap.ok(until(lambda: listed("wan1"), 20), "and again")
    tap.ok(not listed("br0") and not listed("lan0"),
           "where devices or the owner's computers are it looks at nothing")


def offload(tap):
    with Lab() as lab:
        done = lab.gateway.run("nft", "add table inet probe; add flowtable "
                               "inet probe f { hook ingress priority 0; }",
                               check=False)
        if done.returncode:
            tap.skip("flowtables", "this kernel has none")
            return
        lab.gateway.run("nft", "delete", "table", "inet", "probe")
        lab.gateway.run("nft", "-f", "-", stdin=WATCH)
        attack(tap, lab, True)
        config(lab, gateway="\noffload = no\n")
        tap.ok("flowtable" not in lab.rules(), "offload = no: no flowtable")
        both_ways(tap, lab, False)
        config(lab)
        both_ways(tap, lab, True)
        attack(tap, lab, False)
        not_these(tap, lab)
        block(tap, lab, "its lines are taken away", "")
        block(tap, lab, "its hours end", ANY + "when = " + never())
        flush(tap, lab)
        interfaces(tap, lab)


def never():
    """Hours that are not now, nor a minute from now."""
    hour = (time.localtime().tm_hour + 12) % 24
    return "daily %02d:00-%02d:30" % (hour, hour)


if __name__ == "__main__":
    run(offload)
