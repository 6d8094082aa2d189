#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The rules stay whatever happens to the processes, and come back when
somebody else takes them away. Not one denied packet passes meanwhile."""
import os
import signal
import socket
import threading
import time

from isolation_lab import Lab, all_cut, all_open, counter, elements
from isolation_lab import everywhere, put, run, until, wait, ways

FOREIGN = """
table inet others {
  counter seen { }
  set things { type ipv4_addr; elements = { 192.0.2.1 } }
  chain watch {
    type filter hook forward priority 5; policy accept;
    counter name "seen" accept
  }
}
table ip gatehouse {
  chain namesake {
  }
}
table bridge others {
  chain nothing {
  }
}
"""


class Flood:
    """Packets that must not arrive, as fast as they go, until the end."""

    def __init__(self, lab, wanted):
        self.lab = lab
        self.wanted = wanted
        self.sent = 0
        self.stopping = False
        self.thread = threading.Thread(target=self.loop, daemon=True)

    def __enter__(self):
        self.socks = []
        for name, ip in self.wanted:
            family = socket.AF_INET6 if ":" in ip else socket.AF_INET
            sock = self.lab.socket(name, family, socket.SOCK_DGRAM)
            sock.setblocking(False)
            self.socks.append((sock, (ip, 7)))
        self.thread.start()
        return self

    def loop(self):
        while not self.stopping:
            for sock, there in self.socks:
                try:
                    sock.sendto(b"flood", there)
                    self.sent += 1
                except OSError:
                    pass  # forbidden, or too much for the moment
            time.sleep(0.0005)

    def __exit__(self, kind, error, trace):
        self.stopping = True
        self.thread.join()
        for sock, _ in self.socks:
            sock.close()


def arrived(servers, word=b"flood"):
    return sum(data == word for server in servers
               for _, data in server.seen)


def ends(lab):
    """Where nothing may arrive: one server per target."""
    return [lab.serve_udp(name, 7) for name in ("cloud", "owner", "sensor")]


def targets(lab):
    """The neighbour's MAC is known: broadcasts are cut anyway."""
    for name, ip in (("camera", lab.sensor.ip), ("stranger", lab.sensor.ip6)):
        lab.node(name).run("ip", "neigh", "replace", ip, "lladdr",
                           lab.sensor.mac, "dev", "eth0", "nud", "permanent")
    return [("stranger", lab.cloud.ip), ("stranger", lab.cloud.ip6),
            ("camera", lab.cloud.ip), ("camera", lab.cloud.ip6),
            ("camera", lab.owner.ip), ("camera", lab.sensor.ip),
            ("stranger", lab.sensor.ip6)]


def killed(tap):
    with Lab() as lab:
        servers = ends(lab)
        with Flood(lab, targets(lab)):
            open_once = wait(lambda: arrived(servers) > 20)
        tap.ok(open_once, "without rules the flood arrives")
        daemon = put(lab, lab.base_config("enforce"))
        time.sleep(0.3)
        before = arrived(servers)
        generation = elements(lab, "generation")
        with Flood(lab, targets(lab)) as flood:
            for name, pid in sorted(daemon.workers().items()):
                start = time.monotonic()
                os.kill(pid, signal.SIGKILL)
                back = daemon.wait_worker(name, but=pid)
                took = time.monotonic() - start
                tap.ok(back and took < 1, "%s is back within a second" % name,
                       took)
            tap.ok(wait(lambda: elements(lab, "generation") not in (
                [], generation)), "the new worker loads its own rules")
            time.sleep(0.5)
            all_of_it_dies(tap, lab, daemon, servers)
            time.sleep(0.5)
        tap.ok(flood.sent > 1000, "the flood went on", flood.sent)
        tap.equal(arrived(servers), before, "not one of its packets arrived")
        tap.ok(counter(lab, "denied") > 100, "they were counted")


def all_of_it_dies(tap, lab, daemon, servers):
    rules = lab.rules()
    os.kill(daemon.pid, signal.SIGKILL)
    daemon.process.wait()
    tap.ok(until(lambda: not daemon.workers()) is not None,
           "without gatehoused no worker stays")
    tap.ok("gatehouse" in rules and "table inet gatehouse" in lab.rules(),
           "the rules do")
    all_cut(tap, lab, ways(lab, "camera", "cloud", kinds=("tcp", "icmp")) +
            ways(lab, "stranger", "sensor", kinds=("tcp", "icmp")),
            "and they hold")
    unknown_port(tap, lab, servers)
    lab.gatehoused()
    tap.ok("table inet gatehouse" in lab.rules(), "a new daemon takes over")


def rename_port(lab, name, new):
    for words in ((name, "nomaster"), (name, "down"), (name, "name", new),
                  (new, "up"), (new, "master", "br0")):
        lab.gateway.link(*words)


def unknown_port(tap, lab, servers):
    """A port that nobody told the rules about, as in its first moments."""
    rename_port(lab, "p-stranger", "p-new")
    for ip in (lab.sensor.ip, lab.sensor.ip6):
        lab.stranger.run("ip", "neigh", "replace", ip, "lladdr",
                         lab.sensor.mac, "dev", "eth0", "nud", "permanent")
        lab.udp_send("stranger", ip, 7, b"one way")
    all_cut(tap, lab, ways(lab, "stranger", "sensor", kinds=["icmp"]) +
            ways(lab, "sensor", "stranger", kinds=["icmp"]),
            "a port that is not listed yet reaches no device")
    tap.equal(arrived(servers, b"one way"), 0, "not even one way")
    two = "two ports that are not listed do not reach each other"
    if "ibrname" not in lab.rules():
        tap.skip(two, "this kernel cannot tell the bridge of a port; "
                 "tests/long/test_vm.py has one that can")
        return
    rename_port(lab, "p-sensor", "p-newer")
    all_cut(tap, lab, ways(lab, "stranger", "sensor", kinds=["icmp", "udp"]) +
            ways(lab, "sensor", "stranger", kinds=["icmp", "udp"]), two)


def stopped(tap):
    """SIGTERM leaves the rules; the deliberate way takes them away."""
    with Lab() as lab:
        everywhere(lab, 7)
        clear = lab.program("usr/libexec/gatehouse/gatehouse-isolation")
        lab.gateway.run("nft", "-f", "-", stdin=FOREIGN)
        foreign = lab.rules()
        done = lab.gateway.run(clear, "--clear")
        tap.contains(done.stdout, "was not there", "clear without rules")
        wanted = ways(lab, "stranger", "cloud") + ways(
            lab, "camera", "sensor")
        daemon = put(lab, lab.base_config("enforce"))
        tap.equal(daemon.stop(), 0, "SIGTERM ends it")
        all_cut(tap, lab, wanted, "the rules stay after SIGTERM")
        done = lab.gateway.run(clear, "--clear", lab.path("state"))
        tap.ok(done.stdout.count(": removed") == 5, "clear says what it did",
               done.stdout)
        tap.equal(lab.rules(), foreign, "clear left the others alone")
        all_open(tap, lab, wanted, "and opened the way")


def flushed(tap):
    with Lab() as lab:
        servers = ends(lab)
        everywhere(lab, 9)
        daemon = put(lab, lab.base_config("enforce"))
        wanted = ways(lab, "stranger", "cloud", 9) + ways(
            lab, "camera", "sensor", 9)
        for words in (["flush", "ruleset"],
                      ["delete", "table", "inet", "gatehouse"],
                      ["delete", "table", "bridge", "gatehouse"],
                      ["flush", "chain", "inet", "gatehouse", "forward"],
                      ["flush", "set", "bridge", "gatehouse", "ports"]):
            denied = counter(lab, "denied")
            before = len(daemon.log())
            lab.gateway.run("nft", *words)
            what = "nft " + " ".join(words)
            tap.ok(daemon.wait_log("put back", 5, before),
                   what + ": noticed and put back")
            all_cut(tap, lab, wanted, what + ": cut as before")
            tap.ok(counter(lab, "denied") >= denied * (words[0] == "flush" and
                                                       "chain" in words),
                   what + ": counted on")
        with Flood(lab, targets(lab)) as flood:
            time.sleep(0.2)
            lab.gateway.run("nft", "flush", "ruleset")
            time.sleep(0.5)
            before = arrived(servers)
            sent = flood.sent
            time.sleep(0.5)
            tap.ok(flood.sent > sent + 100, "the flood goes on", flood.sent)
            tap.equal(arrived(servers), before,
                      "after a flush during a flood nothing arrives")


def fought_over(tap):
    """Who flushes all the time does not win, nor get the processor."""
    with Lab() as lab:
        everywhere(lab, 9)
        daemon = put(lab, lab.base_config("enforce"))
        pid = daemon.workers()["isolation"]
        began = time.monotonic()
        for _ in range(40):
            lab.gateway.run("nft", "flush", "ruleset")
        took = time.monotonic() - began
        tap.ok(daemon.log().count("put back") <= 12 + 2 * took,
               "not every flush is answered at once",
               daemon.log().count("put back"))
        tap.ok(wait(lambda: "inet gatehouse" in lab.rules(), 5),
               "but the rules are back when it is over")
        all_cut(tap, lab, ways(lab, "stranger", "cloud", 9), "and hold")
        tap.equal(daemon.workers().get("isolation"), pid,
                  "by the same process")


def foreign(tap):
    """What others have in nftables stays theirs, to the last counter."""
    with Lab() as lab:
        everywhere(lab, 7)
        lab.gateway.run("nft", "-f", "-", stdin=FOREIGN)
        before = lab.rules()
        lab.attempts(ways(lab, "owner", "cloud"))
        seen = passed(lab)
        tap.ok(seen > 0, "somebody else counts")
        daemon = put(lab, lab.base_config("enforce", more={
            "camera": "allow = any any"}))
        tap.equal(others(lab, before), others(lab, lab.rules()),
                  "gatehouse's start leaves the tables of others alone")
        tap.equal(passed(lab), seen, "and their counters")
        all_open(tap, lab, ways(lab, "camera", "cloud"), "traffic passes")
        tap.ok(passed(lab) > seen, "and is seen by the others")
        put(lab, lab.base_config("observe"))
        now = passed(lab)
        put(lab, lab.base_config("enforce"))
        tap.equal(passed(lab), now, "a reload leaves them alone, too")
        others_marks(tap, lab)
        daemon.stop()


def others_marks(tap, lab):
    """The bits of the connection mark that are not ours stay."""
    put(lab, lab.base_config("enforce", more={
        "camera": "allow = any any"}))
    lab.gateway.run("nft", "-f", "-", stdin="""
table inet marks {
  chain early {
    type filter hook prerouting priority -180; policy accept;
    iifname "br0" ct state new ct mark set 0x1200ab34
  }
  chain late {
    type filter hook forward priority 10; policy accept;
    iifname "br0" ct mark and 0xff00ffff != 0x1200ab34 drop
    iifname "br0" ct mark and 0x00ff0000 == 0 drop
  }
}
""")
    all_open(tap, lab, ways(lab, "camera", "cloud"),
             "the others' bits of the connection mark stay")


def passed(lab):
    text = lab.gateway.run("nft", "list", "counter", "inet", "others",
                           "seen").stdout
    return int(text.split("packets ")[1].split()[0])


def others(lab, rules):
    """The text of all tables that are not ours, without counts."""
    del lab
    kept, ours = [], False
    for line in rules.splitlines():
        if line.startswith("table "):
            ours = line.startswith(("table inet gatehouse ",
                                    "table bridge gatehouse ",
                                    "table arp gatehouse "))
        if not ours and "packets" not in line:
            kept.append(line)
    return kept


if __name__ == "__main__":
    run(killed, stopped, flushed, fought_over, foreign)
