#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Between two devices of one bridge, one port or one interface: what a line permits
goes through the gateway, which answers for both; all else stays cut."""
import json
import os
import signal

from isolation_lab import Lab, all_cut, all_open, counter, elements
from isolation_lab import everywhere, put, run, wait, ways

NAMES = ("camera", "sensor")
SETTINGS = ("ipv4/conf/%s/proxy_arp_pvlan", "ipv4/neigh/%s/proxy_delay",
            "ipv6/conf/%s/proxy_ndp", "ipv6/neigh/%s/proxy_delay")
LINE = {"camera": "allow = tcp/7 device:sensor"}


def config(lab, mode="enforce", more=None):
    return lab.base_config(mode, NAMES, {
        name: "address = %s %s\n%s" % (
            lab.node(name).ip, lab.node(name).ip6, (more or {}).get(name, ""))
        for name in NAMES})


def settings(lab, name="br0"):
    return [lab.gateway.run("cat", "/proc/sys/net/" + path % name)
            .stdout.strip() for path in SETTINGS]


def proxies(lab):
    shown = json.loads(lab.gateway.run(
        "ip", "-j", "-6", "neigh", "show", "proxy").stdout or "[]")
    return sorted(entry["dst"] for entry in shown)


def forget(lab):
    """Who was whose neighbour before does not count."""
    for node in lab.devices():
        node.run("ip", "neigh", "flush", "dev", "eth0")
        node.run("ip", "-6", "neigh", "flush", "dev", "eth0")


def redirects(node):
    """How many redirects somebody got, in both families."""
    names, values = [
        line.split() for line in node.run("cat", "/proc/net/snmp")
        .stdout.splitlines() if line.startswith("Icmp:")]
    six = dict(line.split() for line in node.run("cat", "/proc/net/snmp6")
               .stdout.splitlines())
    return int(values[names.index("InRedirects")]) + \
        int(six["Icmp6InRedirects"])


def go(lab):
    return ways(lab, "camera", "sensor", 7, ("tcp",))


def rest(lab):
    return ways(lab, "camera", "sensor", 7, ("udp", "icmp")) + \
        ways(lab, "camera", "sensor", 80, ("tcp",)) + \
        ways(lab, "sensor", "camera") + \
        ways(lab, "camera", "stranger", 7, ("tcp",)) + \
        ways(lab, "stranger", "sensor", 7, ("tcp",))


def probes(lab):
    """Whether an address is free is answered by its owner only."""
    done = lab.stranger.run("arping", "-D", "-c", "1", "-w", "1", "-I",
                            "eth0", lab.sensor.ip, check=False)
    lab.stranger.sysctl("ipv6/conf/eth0/accept_dad", 1)
    lab.stranger.sysctl("ipv6/conf/eth0/dad_transmits", 1)
    lab.stranger.run("ip", "addr", "add", lab.sensor.ip6 + "/128",
                     "dev", "eth0")

    def state():
        return lab.stranger.run("ip", "-6", "addr", "show", "dev", "eth0",
                                "to", lab.sensor.ip6).stdout

    wait(lambda: "tentative" not in state() or "dadfailed" in state(), 10)
    taken = "dadfailed" in state()
    lab.stranger.run("ip", "addr", "del", lab.sensor.ip6 + "/128",
                     "dev", "eth0")
    return done.returncode == 0, not taken


def restored(tap, lab, before, name="br0"):
    lab.daemon.stop()
    done = lab.gateway.run(
        lab.program("usr/libexec/gatehouse/gatehouse-isolation"),
        "--clear", os.path.dirname(lab.path("state", "x")))
    tap.equal((settings(lab, name), proxies(lab)), (before, []),
              "rules clear puts all of it back")
    tap.contains(done.stdout, "setting ipv4/conf/%s/proxy_arp_pvlan: put back"
                 % name, "and says so")
    tap.contains(done.stdout, "neighbour %s%%%s: put back" % (
        lab.sensor.ip6, name), "of neighbours as well")


def works(tap, lab, where):
    forget(lab)
    denied = counter(lab, "denied")
    all_open(tap, lab, go(lab), where + ": what the line says, with answers")
    all_cut(tap, lab, rest(lab), where + ": nothing else, nor back")
    tap.ok(counter(lab, "denied") > denied, where + ": it is counted")
    tap.ok(any(lab.sensor.mac in key and lab.camera.ip in key
               for key, _ in elements(lab, "attempts4")),
           where + ": and by whom it was tried", elements(lab, "attempts4"))
    tap.equal([redirects(node) for node in lab.devices()], [0, 0, 0],
              where + ": nobody is told of a shorter way")


def on_a_bridge(tap):
    with Lab() as lab:
        everywhere(lab, 7, 80)
        before = settings(lab)
        put(lab, config(lab, "observe", LINE))
        tap.equal((settings(lab), proxies(lab)), (before, []),
                  "observed: nothing is changed on the host")
        put(lab, config(lab))
        forget(lab)
        all_cut(tap, lab, go(lab) + rest(lab), "without a line all is cut")
        tap.equal((settings(lab), proxies(lab)), (before, []),
                  "without a line: nothing is changed on the host")
        put(lab, config(lab, more=LINE))
        tap.ok(wait(lambda: settings(lab) == ["1", "0", "1", "0"] and
                    proxies(lab) == [lab.camera.ip6, lab.sensor.ip6]),
               "the gateway answers for both", (settings(lab), proxies(lab)))
        works(tap, lab, "one bridge")
        tap.equal(probes(lab), (True, True),
                  "who asks whether an address is free hears nobody else")
        os.kill(lab.daemon.pid, signal.SIGKILL)
        lab.daemon.process.wait()
        wait(lambda: not lab.daemon.workers())
        forget(lab)
        all_open(tap, lab, go(lab), "without the daemon it goes on")
        all_cut(tap, lab, rest(lab)[:2], "and what was cut stays so")
        put(lab, config(lab))
        tap.ok(wait(lambda: settings(lab) == before and not proxies(lab)),
               "without the line it is as before, also after a crash",
               (settings(lab), proxies(lab)))
        put(lab, config(lab, more=LINE))
        tap.ok(wait(lambda: proxies(lab)), "again")
        restored(tap, lab, before)


def behind_one(lab):
    """A switch of its own, w1, which keeps the devices apart; w0 to it."""
    run_ip = lab.gateway.run
    run_ip("ip", "link", "add", "air", "type", "bridge", "stp_state", "0",
           "forward_delay", "0", "mcast_snooping", "0")
    run_ip("ip", "link", "add", "w0", "type", "veth", "peer", "name", "w1")
    for name in ["w1"] + [node.port for node in lab.devices()]:
        lab.gateway.link(name, "master", "air", "up")
    for node in lab.devices():
        run_ip("bridge", "link", "set", "dev", node.port, "isolated", "on")
    lab.gateway.link("air", "up")
    lab.gateway.link("w0", "up")


def reflected(tap, lab):
    """A port that sends frames back where they came from is no way around."""
    def hairpin(to):
        lab.gateway.run("bridge", "link", "set", "dev", "w0", "hairpin", to)

    def learning(to):
        for name in ["w1"] + [node.port for node in lab.devices()]:
            lab.gateway.run("bridge", "link", "set", "dev", name,
                            "learning", to)
            lab.gateway.run("ip", "link", "set", "dev", name, "type",
                            "bridge_slave", "fdb_flush")

    learning("off")
    hairpin("on")
    all_open(tap, lab, go(lab), "hairpin: the bridge sends back (control)")
    put(lab, config(lab))
    forget(lab)
    all_cut(tap, lab, go(lab), "hairpin: enforced, it does not")
    lab.daemon.stop()
    hairpin("off")
    learning("on")


def one_port(tap, lab):
    lab.gateway.link("w0", "master", "br0")
    reflected(tap, lab)
    before = settings(lab)
    put(lab, config(lab, more=LINE))
    tap.ok(wait(lambda: len(proxies(lab)) == 2), "the gateway answers")
    works(tap, lab, "one port of a bridge")
    restored(tap, lab, before)


def one_interface(tap, lab):
    """Without a bridge neither table sees ARP: it has one of its own."""
    run_ip = lab.gateway.run
    run_ip("ip", "link", "set", "w0", "nomaster")
    run_ip("ip", "addr", "flush", "dev", "br0")
    run_ip("ip", "addr", "add", "192.168.50.1/24", "dev", "w0")
    run_ip("ip", "addr", "add", "fd00:50::1/64", "dev", "w0", "nodad")
    lab.gateway.sysctl("ipv6/conf/w0/forwarding", 1)
    before = settings(lab, "w0")
    put(lab, config(lab, more=LINE).replace(
        "interface = br0", "interface = w0"))
    tap.ok(wait(lambda: len(proxies(lab)) == 2), "the gateway answers")
    works(tap, lab, "one interface")
    tap.equal(probes(lab), (True, True),
              "one interface: who asks whether an address is free")
    flushed(tap, lab)
    restored(tap, lab, before, "w0")
    tap.ok("arp gatehouse" not in lab.rules(), "the table for ARP goes, too")


def flushed(tap, lab):
    """While our tables are gone the gateway answers for nobody."""
    def asked():
        forget(lab)
        lab.camera.run("ping", "-c", "1", "-W", "1", lab.sensor.ip,
                       check=False)
        return "lladdr" in lab.camera.run(
            "ip", "neigh", "show", lab.sensor.ip).stdout

    worker = lab.daemon.workers()["isolation"]
    tap.ok(asked(), "asked by ARP, the gateway answers")
    os.kill(worker, signal.SIGSTOP)
    lab.gateway.run("nft", "flush", "ruleset")
    tap.ok(not asked(), "with all tables flushed it does not")
    os.kill(worker, signal.SIGCONT)
    tap.ok(wait(lambda: "arp gatehouse" in lab.rules()),
           "the tables come back, also that for ARP")
    lab.gateway.run("nft", "delete", "table", "arp", "gatehouse")
    tap.ok(wait(lambda: "arp gatehouse" in lab.rules()),
           "and if it alone is deleted")
    tap.ok(asked(), "then it answers again")


def behind(tap):
    with Lab() as lab:
        behind_one(lab)
        everywhere(lab, 7, 80)
        one_port(tap, lab)
        one_interface(tap, lab)


if __name__ == "__main__":
    run(on_a_bridge, behind)
