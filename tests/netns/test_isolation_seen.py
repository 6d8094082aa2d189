#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What isolation tells the owner: who is there, what was tried, what is
missing, who took the rules away."""
import socket
import struct

from isolation_lab import Lab, counter, everywhere, put, run, wait, ways


def devices(lab):
    return {d["mac"]: d for d in lab.ctl_json("device", "list")}


def warnings(lab, code):
    return [w for w in lab.ctl_json("warnings") if w["code"] == code]


def seen(tap):
    with Lab() as lab:
        if "bus" not in lab.workers_built():
            tap.skip("what is told", "the bus was left out of this build")
            return
        everywhere(lab, 7)
        lab.dbus()
        put(lab, lab.base_config("observe"))
        wait(lambda: lab.ctl("status", check=False).returncode == 0)
        lab.attempts(ways(lab, "stranger", "cloud") +
                     ways(lab, "camera", "cloud"))
        who(tap, lab)
        tried(tap, lab)
        modes(tap, lab)
        interfaces(tap, lab)
        restored(tap, lab)
        many_strangers(tap, lab)


def who(tap, lab):
    tap.ok(wait(lambda: lab.stranger.mac in devices(lab)),
           "a stranger is on record")
    one = devices(lab)[lab.stranger.mac]
    tap.equal((one["decision"], one["isolation"], one["zone"],
               one["interface"]),
              ("quarantine", "observed", "things", "p-stranger"),
              "with its port and zone")
    tap.equal([w["code"] for w in one["warnings"]], ["device.new"],
              "and a warning")
    tap.contains(one["warnings"][0]["text"], "only observed",
                 "which says that nothing is blocked yet")
    camera = devices(lab)[lab.camera.mac]
    tap.equal((camera["decision"], camera["interface"], camera["zone"]),
              ("approved", "p-camera", "things"), "a known device")
    tap.ok(wait(lambda: devices(lab)[lab.camera.mac]["denied"] >= 6 and
                devices(lab)[lab.stranger.mac]["denied"] >= 6),
           "what they tried is counted", devices(lab))


def tried(tap, lab):
    text = lab.ctl("device", "show", "camera").stdout
    tap.contains(text, "allow = tcp/7 " + lab.cloud.ip6,
                 "what it tried is listed as an allow line")


def modes(tap, lab):
    put(lab, lab.base_config("enforce", more={"sensor": "mode = observe"}))
    tap.ok(wait(lambda: devices(lab)[lab.stranger.mac]["isolation"] ==
                "unverified"), "a reload changes the record of a stranger")
    found = devices(lab)
    tap.equal((found[lab.camera.mac]["isolation"],
               found[lab.sensor.mac]["isolation"]),
              ("unverified", "observed"), "and those of devices")
    tap.contains(warnings(lab, "device.new")[0]["text"], "quarantine",
                 "the warning says so, too")
    put(lab, lab.base_config("enforce",
                             ("camera", "sensor", "stranger")))
    tap.ok(wait(lambda: devices(lab)[lab.stranger.mac]["decision"] ==
                "approved"), "a stranger that got a name is one no more")
    tap.equal(warnings(lab, "device.new"), [], "its warning is gone")


def interfaces(tap, lab):
    text = lab.base_config("enforce")
    put(lab, text.replace("interface = br0", "interface = br0 later0"))
    tap.ok(wait(lambda: warnings(lab, "zone.interface-missing")),
           "an interface that is missing")
    lab.gateway.run("ip", "link", "add", "later0", "type", "veth",
                    "peer", "name", "later1")
    tap.ok(wait(lambda: not warnings(lab, "zone.interface-missing")),
           "the warning goes when it comes")
    lab.gateway.link("later0", "master", "br0")
    tap.ok(wait(lambda: warnings(lab, "zone.interface-is-port")),
           "a port instead of its bridge is told")
    lab.gateway.run("ip", "link", "del", "later0")
    tap.ok(wait(lambda: warnings(lab, "zone.interface-missing")),
           "an interface that went away is told")
    put(lab, text)
    tap.ok(wait(lambda: not warnings(lab, "zone.interface-missing") and
                not warnings(lab, "zone.interface-is-port")),
           "and no longer once no zone names it")


def restored(tap, lab):
    lab.gateway.run("nft", "flush", "ruleset")
    tap.ok(wait(lambda: warnings(lab, "isolation.restored")),
           "a flush by somebody else is told")


def many_strangers(tap, lab):
    """One device that invents addresses fills no list and stops nothing."""
    kind = socket.SOCK_RAW
    with lab.socket("camera", socket.AF_PACKET, kind) as sock:
        sock.bind(("eth0", 0))
        for number in range(13000):
            mac = b"\x02\xee" + struct.pack("!I", number)
            sock.send(b"\xff" * 6 + mac + b"\x88\xb5" + bytes(46))
    tap.ok(wait(lambda: warnings(lab, "device.flood"), 10),
           "a flood of addresses is told once")
    tap.ok(len(devices(lab)) <= 12288 + 3, "the list is bounded",
           len(devices(lab)))
    tap.equal(len(warnings(lab, "device.flood")), 1, "one warning")
    before = counter(lab, "bridged", "bridge")
    lab.attempts(ways(lab, "camera", "sensor"), timeout=0.5)
    tap.ok(counter(lab, "bridged", "bridge") > before, "isolation goes on")


if __name__ == "__main__":
    run(seen)
