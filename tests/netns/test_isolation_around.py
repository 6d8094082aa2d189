#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Ways around the rules that are not the straight ones."""
import contextlib
import socket
import threading
import time

from isolation_lab import SOON, Lab, all_cut, all_open, everywhere, put, run
from isolation_lab import wait
from lab import ip_batch
from net import family_of

WEB = """
[upgrade web]
protocol = http
port = 80
upstream-port = 443
"""


def busy_port(tap):
    """The proxy's trouble is not isolation's: walls first."""
    with Lab() as lab:
        if "proxy" not in lab.workers_built():
            tap.skip("a busy port", "the proxy was left out of this build")
            return
        cloud = everywhere(lab, 7, 80, nodes=["cloud"])
        taken = lab.serve_tcp("gateway", 18100)
        put(lab, lab.base_config("enforce", ("camera", "sensor"), {
            "camera": "allow = tcp/7 any\nallow = tcp/80 any"}, extra=WEB))
        tap.contains(lab.daemon.log(), "cannot listen on port 18100",
                     "somebody else has the proxy's port")
        all_cut(tap, lab, [("sensor", ip, kind, 7) for kind in ("tcp", "udp")
                           for ip in (lab.cloud.ip, lab.cloud.ip6)],
                "isolation is in force all the same")
        all_open(tap, lab, [("camera", lab.cloud.ip, "tcp", 7),
                            ("camera", lab.cloud.ip6, "tcp", 7)],
                 "and so are the allow lines")
        lab.attempts([("camera", lab.cloud.ip, "tcp", 80)], timeout=1)
        tap.equal(cloud["cloud", "tcp", 80].seen, [],
                  "a port that is for TLS only stays shut")
        taken.close()
        tap.ok(lab.daemon.wait_log("proxy: info: 1 upgrades", timeout=35),
               "the proxy comes up when the port is free")


def idle_proxy(tap):
    """The proxy's ports are shut although no device uses it yet."""
    with Lab() as lab:
        if "proxy" not in lab.workers_built():
            tap.skip("an idle proxy", "the proxy was left out of this build")
            return
        more = WEB.replace("web", "more").replace("= 80", "= 8080")
        wanted = [(name, ip, "tcp", port) for name, ip in (
            ("cloud", "203.0.113.1"), ("cloud", "2001:db8:113::1"),
            ("owner", "192.168.60.1"), ("stranger", "192.168.50.1"),
            ("stranger", "fd00:50::1"), ("gateway", "127.0.0.1"))
            for port in (18100, 18101)]
        for mode in ("observe", "enforce"):
            put(lab, lab.base_config(mode, (), extra=WEB + more))
            tap.equal(set(lab.attempts(wanted, timeout=SOON)), {"dropped"},
                      mode + ": not even a connection comes about")


def arrived(sock, word):
    """All that comes to a raw socket and holds the word."""
    found = []
    sock.settimeout(0.7)
    with contextlib.suppress(OSError):
        while True:
            data = sock.recv(65536)
            found += [data] if word in data else []
    return found


def echo(lab, ip):
    """An echo request to the gateway, which answers to whoever asked."""
    here = "fd00:50::1" if ":" in ip else "192.168.50.1"
    lab.camera.run("ping", "-c", "1", "-W", "0.1", "-I", ip, "-p",
                   b"a secret word".hex(), "-s", "64", here, check=False)


def named_another(tap):
    """What a device says does not come out as an answer to somebody else."""
    with Lab() as lab:
        lab.gateway.sysctl("ipv4/conf/all/rp_filter", 0)
        lab.gateway.sysctl("ipv4/conf/br0/rp_filter", 0)
        put(lab, lab.base_config("enforce"))
        lab.attempts([("camera", "192.168.50.1", "icmp"),
                      ("camera", "fd00:50::1", "icmp")])
        for node in (lab.cloud, lab.owner):
            for ip, other in ((node.ip, lab.cloud_ip(5)),
                              (node.ip6, lab.cloud_ip(5, 6))):
                family = family_of(ip)
                heard = lab.socket(node.name, socket.AF_PACKET,
                                   socket.SOCK_RAW, socket.htons(3))
                sock = lab.socket("camera", family, socket.SOCK_DGRAM)
                lab.camera.run("ip", "addr", "add", ip, "dev", "eth0",
                               *(["nodad"] if ":" in ip else []))
                with heard, sock:
                    sock.bind((ip, 0))
                    sock.sendto(b"a secret word", (other, 9))
                    echo(lab, ip)
                    tap.equal(arrived(heard, b"a secret word"), [],
                              "%s hears nothing as %s" % (node.name, ip))
                lab.camera.run("ip", "addr", "del", ip, "dev", "eth0")
        for ip in (lab.cloud.ip, lab.cloud.ip6):
            came = lab.attempt("camera", ip, "tcp", 9)
            tap.equal(came, "refused", "who says who it is gets an answer")


def into_enforced(tap):
    """A zone that enforces is shut for devices that are only observed."""
    with Lab(second=["lamp"]) as lab:
        servers = everywhere(lab, 7, nodes=["camera", "sensor", "lamp"])
        heard = {name: servers[name, "udp", 7].seen
                 for name in ("camera", "sensor", "lamp")}
        text = lab.base_config("observe", ("camera", "sensor", "lamp"))
        two = text.replace("interface = br0 br1\n",
                           "interface = br0\n[zone lamps]\n"
                           "mode = enforce\ninterface = br1\n")
        for ip in (lab.sensor.ip, lab.sensor.ip6):
            lab.camera.run("ip", "neigh", "replace", ip, "lladdr",
                           "02:00:00:00:50:01", "dev", "eth0", "nud",
                           "permanent")
        put(lab, text)
        shout(lab)
        tap.ok(wait(lambda: len(heard["lamp"]) == len(heard["sensor"]) == 2),
               "observed: a single word arrives, v4 and v6")
        put(lab, two)
        shout(lab)
        tap.ok(wait(lambda: len(heard["sensor"]) == 4),
               "observed beside an enforced zone: it arrives")
        tap.equal(len(heard["lamp"]), 2, "but not in that zone")
        put(lab, lab.base_config("enforce", ("camera", "sensor", "lamp"),
                                 {"camera": "mode = observe"}))
        shout(lab)
        time.sleep(0.5)
        tap.equal([len(heard["lamp"]), len(heard["sensor"])], [2, 4],
                  "nor from an observed device in an enforced one")


def shout(lab):
    for ip in (lab.lamp.ip, lab.lamp.ip6, lab.sensor.ip, lab.sensor.ip6):
        lab.udp_send("camera", ip, 7)


class Broadcasts:
    """Frames to all, thousands a second; .came is who heard them."""

    def __init__(self, lab, source, target):
        self.came = 0
        self.stopping = False
        self.out = lab.socket(source, socket.AF_PACKET, socket.SOCK_RAW)
        self.out.bind(("eth0", 0))
        self.into = lab.socket(target, socket.AF_PACKET, socket.SOCK_RAW,
                               socket.htons(0x88b5))
        self.into.settimeout(0.05)
        mac = bytes.fromhex(lab.node(source).mac.replace(":", ""))
        self.frame = b"\xff" * 6 + mac + b"\x88\xb5" + b"hello" * 12
        self.threads = [threading.Thread(target=one, daemon=True)
                        for one in (self.send, self.hear)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, kind, error, trace):
        self.stopping = True
        for thread in self.threads:
            thread.join()
        self.out.close()
        self.into.close()

    def send(self):
        while not self.stopping:
            with contextlib.suppress(OSError):
                self.out.send(self.frame)
            time.sleep(0.0003)

    def hear(self):
        while not self.stopping:
            with contextlib.suppress(OSError):
                self.into.recv(100)
                self.came += 1


def move(lab, *words):
    ip_batch(["link set p-%s %s" % (name, " ".join(words))
              for name in ("camera", "sensor")], lab.gateway.netns)


def ports_return(tap):
    """An access point that starts again takes its ports off and back on."""
    with Lab() as lab:
        put(lab, lab.base_config("enforce", ("camera", "sensor")))
        with Broadcasts(lab, "camera", "sensor") as frames:
            for _ in range(4):
                move(lab, "nomaster")
                time.sleep(0.1)
                move(lab, "master", "br0")
                time.sleep(0.1)
            tap.equal(frames.came, 0, "ports that come back are guarded "
                      "from their first frame on")
            lab.gateway.run("ip", "link", "add", "other", "type", "bridge",
                            "stp_state", "0", "forward_delay", "0")
            lab.gateway.link("other", "up")
            move(lab, "nomaster")
            time.sleep(0.1)
            move(lab, "master", "other")
            tap.ok(wait(lambda: frames.came > 100),
                   "on a bridge that is no zone's nothing is cut")


if __name__ == "__main__":
    run(ports_return, busy_port, idle_proxy, named_another, into_enforced)
