#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Each recipe opens what it says, both ways and discovery, between the two
who are named, and nothing else."""
import contextlib

from isolation_lab import Lab, all_cut, all_open, put, run
from test_discovery_reflect import ready
from mdns import PTR, Peer, name, question, record, answer

# recipe: a port there, one back (None: none), what is found
RECIPES = {
    "cast": (("tcp", 8009), ("udp", 40000), "_googlecast._tcp.local"),
    "airplay": (("tcp", 7000), ("udp", 319), "_airplay._tcp.local"),
    "print": (("tcp", 631), None, "_ipps._tcp.local"),
    "sonos": (("tcp", 1400), ("tcp", 3401), "_sonos._tcp.local"),
    "home-assistant": (("tcp", 8123), None, "_home-assistant._tcp.local"),
    "matter": (("udp", 5540), ("udp", 5550), "_matter._tcp.local"),
}
NEVER = ("tcp", 22)


def config(lab, recipe, partner="device:tv"):
    more = {"phone": "address = %s %s\nallow = recipe:%s %s" % (
                lab.phone.ip, lab.phone.ip6, recipe, partner),
            "tv": "address = %s %s" % (lab.tv.ip, lab.tv.ip6)}
    return lab.base_config("enforce", ("phone", "sensor", "tv"), more)


def ways(lab, source, target, *ports):
    node = lab.node(target)
    return [(source, ip, kind, port) for ip in (node.ip, node.ip6)
            for kind, port in ports if (kind, port)]


def one(tap, lab, recipe):
    there, back, service = RECIPES[recipe]
    put(lab, config(lab, recipe))
    ready(lab)
    wanted = ways(lab, "phone", "tv", there)
    if back:
        wanted += ways(lab, "tv", "phone", back)
    all_open(tap, lab, wanted, recipe + ": its ports are open")
    if recipe in ("cast", "sonos", "print"):  # the others are alike
        closed(tap, lab, recipe)
    found(tap, lab, recipe, service)


def closed(tap, lab, recipe):
    there, back, _ = RECIPES[recipe]
    wrong = ways(lab, "phone", "tv", NEVER) + ways(
        lab, "tv", "phone", NEVER, there) + ways(lab, "sensor", "tv", there)
    wrong += ways(lab, "sensor", "phone", back or there)
    all_cut(tap, lab, wrong, recipe + ": no others are, nor for others")


def found(tap, lab, recipe, service):
    with contextlib.ExitStack() as stack:
        phone, tv, sensor = [stack.enter_context(Peer(lab, n))
                             for n in ("phone", "tv", "sensor")]
        sensor.say(question(("nobody." + service, PTR)))
        phone.say(question((service, PTR)))
        data, _ = tv.hear(name(service)[:8])
        tap.ok(data and b"nobody" not in data,
               recipe + ": it is asked by its partner only", data)
        tv.say(answer(record(service, PTR, name("Living." + service))))
        data, who = phone.hear(b"Living")
        tap.ok(data and who[0] == "192.168.50.1",
               recipe + ": and found", (data, who))
        tap.ok(not any(b"Living" in d for d in sensor.drain()),
               recipe + ": by nobody else")


def at_home(tap, lab):
    """The owner's computers reach it anyway; now they find it, too."""
    put(lab, config(lab, "cast", "zone:home"))
    ready(lab)
    service = RECIPES["cast"][2]
    with Peer(lab, "owner") as owner, Peer(lab, "phone") as phone:
        owner.say(question((service, PTR)))
        tap.ok(phone.hear(b"_googlecast")[0], "from home it is asked")
        phone.say(answer(record(service, PTR, name("Here." + service))))
        tap.ok(owner.hear(b"Here")[0], "and found")
    all_cut(tap, lab, ways(lab, "phone", "owner", RECIPES["cast"][0]),
            "it reaches nobody there")


def recipes(tap):
    with Lab(devices=("phone", "sensor"), second=("tv", )) as lab:
        if "discovery" not in lab.workers_built():
            tap.skip("recipes", "discovery was left out of this build")
            return
        ports = {NEVER} | {p for r in RECIPES.values() for p in r[:2] if p}
        for node in ("phone", "tv", "owner"):
            for kind, port in ports:
                (lab.serve_tcp if kind == "tcp" else lab.serve_udp)(
                    node, port)
        for recipe in RECIPES:
            one(tap, lab, recipe)
        at_home(tap, lab)


if __name__ == "__main__":
    run(recipes)
