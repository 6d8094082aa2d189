#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What real DHCP servers acknowledge binds addresses: dnsmasq and udhcpd on a
bridge, dnsmasq on a routed interface. The server's word goes before whoever
was first, but takes nothing away from who uses its lease."""
import os
import re
import shutil

from isolation_lab import Lab, elements, put, run, wait
from test_isolation_bind import conf, own, uses
from test_isolation_spoof import Wire

POOL = "192.168.50.1%02d"


def missing(tap):
    for program in ("dnsmasq", "busybox"):
        if not shutil.which(program):
            tap.skip("leases", "%s is not installed" % program)
            return True
    return False


def dnsmasq(lab, *hosts):
    """hosts: 'mac,address' that the server gives for sure."""
    words = ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null",
             "--port=0", "--user=root", "--no-ping", "--log-facility=-",
             "--log-dhcp",
             "--pid-file=" + lab.path("dnsmasq.pid"),
             "--dhcp-leasefile=" + lab.path("leases"),
             "--dhcp-authoritative", "--dhcp-range=192.168.50.100,"
             "192.168.50.150,1h", "--dhcp-range=192.168.60.100,"
             "192.168.60.150,1h"]
    words += ["--dhcp-host=" + host for host in hosts]
    server = lab.start("gateway", words, "dnsmasq.log")
    if not server.wait_log("IP range"):
        raise RuntimeError("no dnsmasq:\n" + server.log())
    return server


def udhcpd(lab):
    config = lab.path("udhcpd.conf")
    with open(config, "w", encoding="ascii") as file:
        file.write("start 192.168.50.120\nend 192.168.50.130\n"
                   "interface br0\nlease_file %s\npidfile %s\n"
                   "opt lease 3600\nopt subnet 255.255.255.0\n" % (
                       lab.path("udhcpd.leases"), lab.path("udhcpd.pid")))
    with open(lab.path("udhcpd.leases"), "w", encoding="ascii"):
        pass
    return lab.start("gateway", ["busybox", "udhcpd", "-f", config],
                     "udhcpd.log")


def lease(lab, name, *options):
    """Asks for a lease and does not use it; the address."""
    done = lab.node(name).run(
        "busybox", "udhcpc", "-f", "-q", "-n", "-i", "eth0", "-t", "10",
        "-T", "1", "-s", "/bin/true", *options, check=False)
    found = re.search(r"lease of (\S+) obtained", done.stdout + done.stderr)
    return found.group(1) if found else None


def followed(lab, ip):
    """Does the camera's line lead there?"""
    return (lab.camera.mac, ip, "udp", 9) in [
        key for key, _ in elements(lab, "peers4")]


def leased(lab, ip, family="bridge"):
    """The MACs that hold a lease of the address."""
    return [key[1] for key, _ in elements(lab, "leased4", family)
            if key[0] == ip]


def on_a_bridge(tap):
    if missing(tap):
        return
    with Lab() as lab:
        wire = Wire(lab)
        first = POOL % 1
        camera, sensor, thief = lab.camera, lab.sensor, lab.stranger
        server = dnsmasq(lab, camera.mac + "," + first)
        put(lab, conf(lab, "enforce", more={
            "camera": "allow = udp/9 device:stranger"},
            devices=("camera", "sensor", "stranger")))
        squat = uses(thief, first)
        tap.equal(set(squat) - wire.arrive(squat), set(),
                  "an address that nobody has may be anybody's")
        tap.equal(wire.arrive(uses(camera, first)), set(),
                  "also before the one for whom it is meant")
        tap.equal(lease(lab, "camera"), first, "dnsmasq gives it to another")
        tap.equal(leased(lab, first), [camera.mac], "which is seen")
        good = uses(camera, first)
        tap.equal(set(good) - wire.arrive(good), set(), "and counts")
        tap.ok(wait(lambda: not wire.arrive(squat)),
               "more than who was first, whose packets end within seconds")
        tap.equal(lease(lab, "camera", "-r", first), first, "a renewal")
        tap.equal(set(good) - wire.arrive(good), set(), "changes nothing")
        stolen_by_id(tap, lab, wire)
        handed_on(tap, lab, wire, server).stop()
        strict(tap, lab, wire)
        own_words(tap, lab, wire)
        tap.equal(sensor.mac in str(elements(lab, "leased4", "bridge")),
                  True, "all through reloads")


def stolen_by_id(tap, lab, wire):
    """The client identifier of another makes the server give its lease."""
    thief, victim = lab.stranger, lab.sensor
    client = "0x3d:01" + victim.mac.replace(":", "")
    got = lease(lab, "sensor")
    good = uses(victim, got)
    tap.equal(set(good) - wire.arrive(good), set(), "a lease that is used")
    tap.equal(lease(lab, "stranger", "-C", "-x", client, "-r", got), got,
              "dnsmasq gives it to a liar as well")
    tap.equal(leased(lab, got), [victim.mac], "which does not count")
    tap.equal(wire.arrive(uses(thief, got)), set(),
              "so the liar does not pass for the other")
    tap.equal(set(good) - wire.arrive(good), set(), "who goes on using it")


def handed_on(tap, lab, wire, server):
    """A lease that nobody uses goes to whom the server gives it next."""
    address = lease(lab, "stranger", "-r", POOL % 2)
    tap.equal(address, POOL % 2, "a lease that is not used")
    tap.ok(wait(lambda: followed(lab, address), 20),
           "a line to device:stranger leads there")
    server.stop()
    os.unlink(lab.path("leases"))
    server = dnsmasq(lab, lab.sensor.mac + "," + address)
    tap.equal(lease(lab, "sensor"), address, "is another's when it has ended")
    tap.equal(leased(lab, address), [lab.sensor.mac], "and only that one's")
    tap.ok(wait(lambda: not followed(lab, address), 20),
           "the line does not lead to who has it now")
    tap.equal(wire.arrive(uses(lab.stranger, address)), set(),
              "who had it before has it no more")
    good = uses(lab.sensor, address)
    tap.equal(set(good) - wire.arrive(good), set(), "who has it now does")
    return server


def strict(tap, lab, wire):
    put(lab, conf(lab, "enforce", "binding = strict"))
    good = uses(lab.camera, POOL % 1)
    tap.equal(set(good) - wire.arrive(good), set(),
              "strict: a lease from before the reload counts")
    fixed = {n: c for n, c in own(lab.camera).items()
             if lab.camera.ip in n}
    tap.equal(wire.arrive(fixed), set(), "strict: a fixed address does not")


def own_words(tap, lab, wire):
    """A server that writes its answers to the wire by itself."""
    udhcpd(lab)
    got = None

    def asked():
        nonlocal got
        got = got or lease(lab, "sensor")
        return got
    tap.ok(wait(asked), "udhcpd gives a lease", got)
    tap.equal(leased(lab, got), [lab.sensor.mac], "which is seen as well")
    good = uses(lab.sensor, got)
    tap.equal(set(good) - wire.arrive(good), set(), "and counts in strict")


def routed(tap):
    if missing(tap):
        return
    with Lab() as lab:
        put(lab, "[gateway]\nmode = enforce\n[zone things]\n"
            "interface = lan0\nbinding = strict\n[device lamp]\nmac = %s\n"
            "allow = udp/9 192.168.60.1\n" % lab.owner.mac)
        sink = lab.serve_udp("gateway", 9)
        dnsmasq(lab)
        got = lease(lab, "owner")
        tap.equal(leased(lab, got, "inet"), [lab.owner.mac],
                  "routed: a lease of dnsmasq is seen")
        lab.owner.run("ip", "addr", "add", got + "/24", "dev", "eth0")

        def heard(source):
            tag = os.urandom(8).hex().encode()
            with lab.socket("owner", 2, 2) as sock:
                sock.bind((source, 0))
                sock.sendto(tag, ("192.168.60.1", 9))
            return wait(lambda: tag in [d for _, d in sink.seen], 0.7)
        tap.ok(heard(got), "routed, strict: the lease counts")
        tap.ok(not heard(lab.owner.ip), "a fixed address does not")


if __name__ == "__main__":
    run(on_a_bridge, routed)
