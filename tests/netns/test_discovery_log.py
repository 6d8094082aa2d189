#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What was denied is told: in the journal, on the bus, by the command; a
device that scans does not fill the log, and nobody else's group is taken.
What devices say of themselves is kept."""
import glob
import re
import socket
import sqlite3
import struct
import time

from isolation_lab import Lab, all_cut, counter, everywhere, put, run, wait
from isolation_lab import ways
import frames
import pcap

FLOOD_SECONDS = 1.5
RECORDS_A_SECOND = 10  # of one device, promised
NETLINK_NETFILTER = 12


def lines(lab, who):
    return [line for line in lab.daemon.log().splitlines()
            if who + " tried " in line]


def told(lab, who, *words):
    return wait(lambda: any(all(w in line for w in words)
                            for line in lines(lab, who)), 20)


def journal(tap, lab):
    all_cut(tap, lab, ways(lab, "camera", "cloud") +
            ways(lab, "stranger", "cloud", kinds=("udp",)) +
            ways(lab, "camera", "sensor", kinds=("udp",)),
            "enforced: all of it is denied")
    tap.ok(told(lab, "camera", "tcp/7 " + lab.cloud.ip, ": denied"),
           "what was denied is told", lab.daemon.log())
    tap.ok(told(lab, lab.stranger.mac, "udp/7 " + lab.cloud.ip, "quarantine"),
           "also of a stranger", lab.daemon.log())
    tap.ok(told(lab, "camera", "arp " + lab.sensor.ip, "another device"),
           "and between neighbours", lab.daemon.log())
    tap.ok(not lines(lab, "sensor"), "nothing of who tried nothing",
           lines(lab, "sensor"))


def on_the_bus(tap, lab):
    if "bus" not in lab.workers_built():
        tap.skip("when it was", "the bus was left out of this build")
        return
    def when():
        found = {d["mac"]: d for d in lab.ctl_json("device", "list")}
        return found.get(lab.camera.mac, {}).get("last_denied")
    tap.ok(wait(lambda: when() and abs(when_seconds(when()) - time.time()) <
                600), "the record says when", when())
    tap.contains(lab.ctl("device", "show", "camera").stdout, "Last denied",
                 "and the command, too")


def when_seconds(text):
    import datetime
    return datetime.datetime.fromisoformat(
        text.replace("Z", "+00:00")).timestamp() if isinstance(
            text, str) else text


def recorded(lab, who, after):
    """How many records the lines about one device stand for."""
    total = 0
    for line in lines(lab, who)[after:]:
        what = line.split(" tried ")[1].rsplit(":", 1)[0]
        others = re.search(r" and (\d+) others", what)
        times = [int(n) for n in re.findall(r"\((\d+) times\)", what)]
        named = len(what.split(", "))
        total += named - len(times) + sum(times)
        total += int(others.group(1)) if others else 0
    return total


def counted(lab):
    """Denied by the allow-list, or by the rate of new connections."""
    return (counter(lab, "denied") or 0) + (counter(lab, "limited") or 0)


def flood(tap, lab):
    """Every port of the cloud, as fast as this machine sends."""
    before, count = len(lines(lab, "camera")), counted(lab)
    ends = time.monotonic() + FLOOD_SECONDS
    sent = 0
    to_gateway = "02:00:00:00:50:01"
    packets = [frames.udp(lab.camera.mac, lab.camera.ip, lab.cloud.ip,
                          (1000, port), b"flood", to_gateway)
               for port in range(1, 2001)]
    with lab.socket("camera", socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind(("eth0", 0))
        while time.monotonic() < ends:
            for packet in packets:
                sock.send(packet)
            sent += len(packets)
    tap.note("%d packets a second" % (sent / FLOOD_SECONDS))
    tap.ok(sent > 100 * FLOOD_SECONDS * RECORDS_A_SECOND, "it is a flood",
           sent)
    tap.ok(wait(lambda: len(lines(lab, "camera")) > before, 20),
           "the flood is told", lab.daemon.log())
    time.sleep(2.5)  # the last report
    got = recorded(lab, "camera", before)
    # Its burst, then its rate; a second more for the ends.
    tap.ok(0 < got <= RECORDS_A_SECOND * (FLOOD_SECONDS + 1),
           "of it a few records only", (got, lines(lab, "camera")[before:]))
    tap.ok(len(lines(lab, "camera")) - before <= 3, "in very few lines",
           lines(lab, "camera")[before:])
    tap.ok(counted(lab) - count > sent * 0.9,
           "the kernel has counted it", (counted(lab), sent))


def take_group(lab, group):
    """Another program binds the group; the socket keeps it."""
    sock = lab.socket("gateway", socket.AF_NETLINK, socket.SOCK_RAW,
                      NETLINK_NETFILTER)
    attr = struct.pack("=HHB3x", 5, 1, 1)  # command: bind
    body = struct.pack("=BBH", 0, 0, socket.htons(group)) + attr
    sock.send(struct.pack("=IHHII", 16 + len(body), 4 << 8 | 1, 5, 1, 0) +
              body)
    answer = sock.recv(4096)
    if struct.unpack_from("=i", answer, 16)[0]:
        raise OSError("group %d: %r" % (group, answer))
    return sock


def groups(tap, lab):
    tap.contains(lab.rules(), "group 5", "the rules log to group 5")
    put(lab, lab.base_config("enforce", extra="[discovery]\n"
                             "log-group = none\n"))
    tap.ok(" group " not in lab.rules() and "gatehouse denied" not in
           lab.rules(), "none: no rule logs", lab.rules())
    with take_group(lab, 77):
        put(lab, lab.base_config("enforce", extra="[discovery]\n"
                                 "log-group = 77\n"))
        tap.ok(" group " not in lab.rules(),
               "a group of another program's is left to it")
        if "bus" in lab.workers_built():
            tap.ok(wait(lambda: [w for w in lab.ctl_json("warnings") if
                                 w["code"] == "discovery.log-group"]),
                   "which is told")
    before = len(lines(lab, "camera"))
    put(lab, lab.base_config("enforce", extra="[discovery]\n"
                             "log-group = 78\n"))
    tap.contains(lab.rules(), "group 78", "another group")
    lab.attempts(ways(lab, "camera", "cloud", kinds=("udp",)), timeout=0.3)
    tap.ok(wait(lambda: len(lines(lab, "camera")) > before, 20),
           "works as well", lab.daemon.log())


def observed(tap, lab):
    put(lab, lab.base_config("observe"))
    before = len(lines(lab, "camera"))
    lab.attempts(ways(lab, "camera", "cloud", kinds=("udp",)))
    tap.ok(wait(lambda: len(lines(lab, "camera")) > before, 20) and
           "only observed" in lines(lab, "camera")[-1],
           "observed: told that it passed", lines(lab, "camera"))
    old = lab.daemon.kill_worker("discovery")
    lab.daemon.wait_worker("discovery", but=old)
    wait(lambda: lab.daemon.log().count("discovery: process") == 2)
    before = len(lines(lab, "camera"))
    lab.attempts(ways(lab, "camera", "cloud", kinds=("tcp",)))
    tap.ok(wait(lambda: len(lines(lab, "camera")) > before, 20),
           "a new worker goes on", lab.daemon.log())


def kept(lab):
    """{MAC: {(key, value)}} of the registry's database."""
    found = {}
    for name in glob.glob(lab.path("state", "*", "registry.db")):
        with sqlite3.connect(name) as base:
            for mac, key, value in base.execute(
                    "SELECT mac, key, value FROM evidence JOIN devices "
                    "ON devices.id = evidence.device"):
                text = mac.hex(":") if isinstance(mac, bytes) else mac
                found.setdefault(text, set()).add(
                    (key.split("/")[0], bytes(value).decode()
                     if isinstance(value, bytes) else value))
    return found


def speak(lab, who, *out):
    with lab.socket(who, socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind(("eth0", 0))
        for frame in out:
            sock.send(frame)


def listening(lab):
    """Packet sockets of the gateway."""
    return len(lab.gateway.run("cat", "/proc/net/packet")
               .stdout.splitlines()) - 1


def evidence(tap, lab):
    camera, sensor = lab.camera.mac, lab.sensor.mac
    put(lab, lab.base_config("enforce", extra="[discovery]\nlisten = no\n"))
    tap.ok(wait(lambda: listening(lab) == 0), "listen = no: nobody listens",
           listening(lab))
    put(lab, lab.base_config("enforce"))
    tap.ok(wait(lambda: listening(lab) >= 1), "each zone of devices is heard")
    for who in lab.camera, lab.sensor:
        speak(lab, who.name, frames.arp(who.mac, 1, who.mac, who.ip,
                                        lab.cloud.ip, b""))
    speak(lab, "camera",
          pcap.dhcp(camera, (12, b"cam\x1b[2J"), (60, b"udhcp 1.21.1")),
          pcap.service(camera, "_hue._tcp", "Bridge", b"modelid=BSB002"),
          pcap.ethernet(camera, 0x800, b"\x4f\0"),
          pcap.tcp(camera, 80, b"GET / HTTP/1.1\r\nHost: tcp\r\n\r\n"),
          pcap.dhcp(sensor, (12, b"framed")))
    time.sleep(4)  # what is heard waits for its device to be told of
    lab.daemon.stop()
    found = kept(lab)
    tap.ok({("dhcp.hostname", "cam\\x1b[2J"),
            ("dhcp.vendor-class", "udhcp 1.21.1"),
            ("mdns.service", "_hue._tcp"),
            ("mdns.txt", "_hue._tcp modelid=BSB002")} <=
           found.get(camera, set()), "what a device said is kept", found)
    tap.ok("arp.address" in {k for k, _ in found.get(sensor, set())},
           "an address that it used, as a hint", found)
    tap.ok("framed" not in str(found),
           "nothing that was said in another's name", found)
    tap.ok("http.host" not in str(found),
           "conversations are not listened to", found)


def log(tap):
    with Lab() as lab:
        if "discovery" not in lab.workers_built():
            tap.skip("log", "discovery was left out of this build")
            return
        everywhere(lab, 7)
        lab.dbus()
        put(lab, lab.base_config("enforce"))
        journal(tap, lab)
        on_the_bus(tap, lab)
        flood(tap, lab)
        groups(tap, lab)
        observed(tap, lab)
        if "registry" in lab.workers_built():
            evidence(tap, lab)
        else:
            tap.skip("evidence", "there is no registry in this build")


if __name__ == "__main__":
    run(log)
