#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What comes from outside: published ports, packets in the name of somebody
inside, another address of the gateway; and a VPN, which has no MACs."""
import contextlib
import fcntl
import os
import select
import struct
import threading
import time

from isolation_lab import Lab, all_cut, all_open, counter, elements, put
from isolation_lab import everywhere, run, wait, ways
from net import entered, family_of

NAMES = ("camera", "sensor")


def config(lab, mode="enforce", **more):
    return lab.base_config(mode, NAMES, {
        name: "address = %s %s\n%s" % (lab.node(name).ip, lab.node(name).ip6,
                                       more.get(name, "")) for name in NAMES})


def talk(sock):
    sock.sendall(b"hello")
    return sock.recv(5) == b"hello"


def publish(tap, lab):
    lab.gateway.run("nft", "-f", "-", stdin="""
        table inet other { chain prerouting {
            type nat hook prerouting priority -100
            iifname wan0 tcp dport 8443 dnat ip to %s:7
            iifname wan0 tcp dport 8443 dnat ip6 to [%s]:7
            iifname wan0 tcp dport 8080 dnat ip to %s:7
            iifname wan0 tcp dport 8080 dnat ip6 to [%s]:7
        }
        }""" % (lab.camera.ip, lab.camera.ip6, lab.owner.ip, lab.owner.ip6))
    go = ways(lab, "cloud", "camera", 7, ("tcp",)) + \
        [("cloud", ip, "tcp", 8443) for ip in ("203.0.113.1",
                                               "2001:db8:113::1")]
    rest = ways(lab, "cloud", "camera", 7, ("udp", "icmp")) + \
        ways(lab, "cloud", "camera", 80) + ways(lab, "cloud", "sensor") + \
        ways(lab, "cloud", "stranger")
    forwards = [("cloud", ip, "tcp", 8080) for ip in ("203.0.113.1",
                                                      "2001:db8:113::1")]
    all_open(tap, lab, go + rest + forwards, "without rules all is open")
    put(lab, config(lab))
    all_cut(tap, lab, go + rest, "nothing is published by itself")
    all_open(tap, lab, forwards, "the owner's own forwards are left alone")
    put(lab, config(lab, camera="publish = tcp/7"))
    all_open(tap, lab, go, "publish: what it says")
    all_cut(tap, lab, rest, "publish: nothing else")
    sock = lab.tcp_connect("cloud", lab.camera.ip, 7)
    put(lab, config(lab, camera="publish = tcp/7-9 udp/9",
                    sensor="allow = tcp/7 any"))
    tap.ok(talk(sock), "a published connection goes on after a reload")
    sock.close()
    put(lab, config(lab, "observe", camera="mode = enforce"))
    all_cut(tap, lab, ways(lab, "cloud", "camera"),
            "an enforced device of an observed zone is not reached")
    all_open(tap, lab, ways(lab, "cloud", "sensor"), "the others are")
    put(lab, config(lab, sensor="mode = observe"))
    all_open(tap, lab, ways(lab, "cloud", "sensor"),
             "an observed device of an enforced zone is")
    all_cut(tap, lab, ways(lab, "cloud", "camera"), "the others are not")
    lab.gateway.run("nft", "delete", "table", "inet", "other")


def pretend(lab, server, *sources):
    """UDP from the cloud in these names; how many arrived at the owner."""
    before = len(server.seen)
    for ip in sources:
        family = family_of(ip)
        lab.cloud.run("ip", "addr", "add", ip, "dev", "eth0",
                      *(["nodad"] if ":" in ip else []))
        with lab.socket("cloud", family, 2) as sock:
            sock.bind((ip, 0))
            sock.sendto(b"hello", (lab.owner.ip6 if ":" in ip
                                   else lab.owner.ip, 7))
        lab.cloud.run("ip", "addr", "del", ip, "dev", "eth0")
    wait(lambda: len(server.seen) - before == len(sources), 1)
    return len(server.seen) - before


def spoofed(tap, lab, server):
    names = ("192.168.50.77", "fd00:50::77", "192.168.60.77", "fd00:60::77",
             "fd00:60::1")
    for name in ("all", "wan0"):
        lab.gateway.sysctl("ipv4/conf/%s/rp_filter" % name, 0)
    put(lab, config(lab, "observe"))
    tap.equal(pretend(lab, server, *names), len(names),
              "observed: what is sent in the name of those inside arrives")
    before = counter(lab, "spoofed")
    put(lab, config(lab))
    tap.equal(pretend(lab, server, *names), 0, "enforced: it does not")
    tap.ok(counter(lab, "spoofed") >= before + len(names), "and is counted")
    all_open(tap, lab, ways(lab, "cloud", "owner") +
             ways(lab, "owner", "cloud"), "whoever says who it is does")
    lab.gateway.run("ip", "addr", "add", "fd00:57::1/64", "dev", "br0",
                    "nodad")
    tap.equal(pretend(lab, server, "fd00:57::77"), 0,
              "a new prefix inside counts at once")


def uplinks(lab):
    return sorted(key for key, _ in elements(lab, "uplinks"))


def follows(tap, lab, *wanted):
    return tap.ok(wait(lambda: uplinks(lab) == sorted(wanted), 10),
                  "uplinks: %s" % (" ".join(wanted) or "none"), uplinks(lab))


def unnamed(tap, lab, server):
    """Nobody named an uplink: the default routes say which there are."""
    def ip(*words):
        lab.gateway.run("ip", *words)
    names = ("192.168.50.77", "fd00:50::77")
    put(lab, config(lab).replace(
        "[zone internet]\ninterface = wan0\nrole = uplink\n", ""))
    for route in (("-4",), ("-6",)):  # the lab may have them
        lab.gateway.run("ip", *route, "route", "del", "default", check=False)
    follows(tap, lab)
    tap.equal(pretend(lab, server, *names), len(names),
              "without a default route it is not known what is outside")
    ip("route", "add", "default", "via", lab.cloud.ip, "dev", "wan0")
    follows(tap, lab, "wan0")
    tap.equal(pretend(lab, server, *names), 0,
              "with one, nobody outside is somebody inside")
    for name in ("wan1", "wan2"):
        ip("link", "add", name, "type", "bridge")
        ip("link", "set", name, "up")
    ip("-6", "route", "add", "default", "via", "fe80::1", "dev", "wan1",
       "metric", "9")
    follows(tap, lab, "wan0", "wan1")
    ip("route", "replace", "default", "nexthop", "dev", "wan1", "nexthop",
       "dev", "wan2")
    follows(tap, lab, "wan1", "wan2")
    ip("link", "del", "wan2")
    ip("route", "replace", "default", "via", lab.cloud.ip, "dev", "wan0")
    follows(tap, lab, "wan0", "wan1")
    ip("link", "del", "wan1")
    ip("tuntap", "add", "tun7", "mode", "tun")
    ip("link", "set", "tun7", "up")
    ip("addr", "add", "10.77.0.1/24", "dev", "tun7")
    ip("route", "add", "default", "dev", "tun7", "metric", "5")
    ip("route", "add", "default", "dev", "lan0", "metric", "6")
    ip("route", "add", "0.0.0.0/1", "dev", "br0")
    ip("route", "add", "default", "dev", "br0", "table", "77")
    follows(tap, lab, "wan0")
    ip("route", "del", "default", "via", lab.cloud.ip, "dev", "wan0")
    follows(tap, lab)
    ip("link", "del", "tun7")
    ip("route", "del", "default", "dev", "lan0")
    ip("route", "del", "0.0.0.0/1", "dev", "br0")
    ip("route", "flush", "table", "77")


def delegated(tap, lab):
    """Another prefix on the devices' side."""
    camera = lab.camera
    put(lab, config(lab, camera="allow = tcp/7 any").replace(camera.ip6, ""))
    lab.gateway.run("ip", "addr", "add", "2001:db8:99::1/64", "dev", "br0",
                    "nodad")
    lab.cloud.run("ip", "route", "add", "2001:db8:99::/64", "via",
                  "2001:db8:113::1")
    camera.run("ip", "addr", "add", "2001:db8:99::5/64", "dev", "eth0",
               "nodad", "preferred_lft", "forever")
    camera.run("ip", "-6", "route", "replace", "default", "via",
               "2001:db8:99::1", "dev", "eth0", "src", "2001:db8:99::5")
    to = [("camera", lab.cloud.ip6, "tcp", 7)]
    tap.ok(wait(lambda: lab.attempts(to) == ["yes"], 20),
           "with another prefix inside traffic goes on")
    lab.gateway.run("ip", "addr", "del", "2001:db8:99::1/64", "dev", "br0")
    camera.run("ip", "addr", "del", "2001:db8:99::5/64", "dev", "eth0")
    camera.run("ip", "-6", "route", "replace", "default", "via",
               "fd00:50::1", "dev", "eth0")
    tap.ok(wait(lambda: lab.attempts(to) == ["yes"], 20),
           "and with the old one again")


def renumbered(tap, lab):
    put(lab, config(lab, camera="allow = tcp/7 any"))
    all_open(tap, lab, ways(lab, "camera", "cloud", 7, ("tcp",)), "before")
    gateway, cloud = lab.gateway, lab.cloud
    for old, new, net in (("203.0.113.1/24", "203.0.113.2/24",
                           "192.168.0.0/16"),
                          ("2001:db8:113::1/64", "2001:db8:113::2/64",
                           "fd00::/16")):
        gateway.run("ip", "addr", "del", old, "dev", "wan0")
        gateway.run("ip", "addr", "add", new, "dev", "wan0",
                    *(["nodad"] if ":" in new else []))
        cloud.run("ip", "route", "replace", net, "via", new.split("/")[0])
    all_open(tap, lab, ways(lab, "camera", "cloud", 7, ("tcp",)),
             "with another address outside all goes on")
    all_cut(tap, lab, ways(lab, "cloud", "camera") +
            [("camera", "203.0.113.2", "tcp", 7)], "and nothing is open")


def open_tun(node):
    with entered(node.netns):
        fd = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
        fcntl.ioctl(fd, 0x400454ca, struct.pack("16sH22x", b"tun0", 0x1001))
    return fd


def carry(fds, stop):
    while not stop.is_set():
        for fd in select.select(fds, [], [], 0.1)[0]:
            with contextlib.suppress(OSError):
                os.write(fds[fd == fds[0]], os.read(fd, 65536))


def vpn(tap, lab):
    """Both ends of a tunnel; what comes out has no Ethernet header."""
    if not os.path.exists("/dev/net/tun"):
        tap.skip("a VPN", "this machine has no /dev/net/tun")
        return
    fds, stop = [open_tun(lab.gateway), open_tun(lab.stranger)], \
        threading.Event()
    thread = threading.Thread(target=carry, args=(fds, stop), daemon=True)
    thread.start()
    target = lab.cloud_ip(3)
    for node, ip in ((lab.gateway, "10.9.0.1"), (lab.stranger, "10.9.0.2")):
        node.run("ip", "addr", "add", ip + "/24", "dev", "tun0")
        node.link("tun0", "up")
    for ip in (target, lab.camera.ip, "192.168.60.0/24"):
        lab.stranger.run("ip", "route", "add", ip, "dev", "tun0")
    lab.cloud.run("ip", "route", "add", "10.9.0.0/24", "dev", "eth0", "via",
                  "203.0.113.2")
    world = [("stranger", target, kind, 7) for kind in ("tcp", "udp")]
    inside = [("stranger", ip, "tcp", 7)
              for ip in (lab.camera.ip, lab.owner.ip, "10.9.0.1")]
    text = config(lab) + "\n[zone vpn]\ninterface = tun0\n"
    put(lab, text + "role = guest\n")
    all_open(tap, lab, world, "a VPN of guests reaches the world outside")
    all_cut(tap, lab, inside, "and nobody inside")
    put(lab, text)
    all_cut(tap, lab, world + inside, "a VPN of devices is in quarantine")
    put(lab, text + "mode = observe\n")
    all_open(tap, lab, world, "and observed, if it is only observed")
    stop.set()
    thread.join()
    for fd in fds:
        os.close(fd)
    time.sleep(0)


def outside(tap):
    with Lab() as lab:
        servers = everywhere(lab, 7, 80)
        lab.serve_tcp("gateway", 7)
        publish(tap, lab)
        spoofed(tap, lab, servers["owner", "udp", 7])
        unnamed(tap, lab, servers["owner", "udp", 7])
        delegated(tap, lab)
        renumbered(tap, lab)
        vpn(tap, lab)


if __name__ == "__main__":
    run(outside)
