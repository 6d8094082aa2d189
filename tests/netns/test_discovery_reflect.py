#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Discovery passes between zones where the owner says so: some services, of
known devices, to who may reach them; and nothing else does."""
import contextlib
import itertools
import socket
import struct
import time

from isolation_lab import SOON, Lab, counter, put, run, wait
import mdns
from mdns import A, PTR, SRV, Peer, answer, name, offer, question, record

IPP, SSH = "_ipp._tcp.local", "_ssh._tcp.local"
DIAL = "urn:dial-multiscreen-org:service:dial"
REFLECT = """
[reflect printers]
from = zone:things
to = zone:home zone:things
services = _ipp._tcp
[reflect cast]
from = device:camera
to = zone:home
protocol = ssdp
services = """ + DIAL + """
[reflect bulbs]
from = zone:things
to = zone:home
protocol = udp/56700
"""
MORE = {"sensor": "allow = tcp/631 device:camera",
        "camera": "address = 192.168.50.11"}


def config(devices=("camera", "sensor", "hub"), extra=REFLECT):
    lab_more = dict(MORE)
    return lambda lab: lab.base_config("enforce", devices, lab_more, extra)


MARKS = itertools.count()


def until_mark(listener, mark):
    """All that came before it; None: it did not come."""
    came = []
    while True:
        data, _ = listener.hear(b"")
        if data is None:
            return None
        if mark in data:
            return came
        came.append(data)


def silent(speaker, listener, part, asks=False):
    """
    Nothing with these bytes came before a message that may pass, which the
    speaker says now. asks: it is a question.
    """
    mark = b"mark%d" % next(MARKS)
    full = "%s.%s" % (mark.decode(), IPP)
    speaker.say(question((full, SRV)) if asks else
                answer(record(IPP, PTR, name(full))))
    came = until_mark(listener, mark)
    return came is not None and not any(part in data for data in came)


def unsaid(listener, part):
    """Without a mark: for who may hear nothing at all."""
    return listener.hear(part, SOON)[0] is None


def questions(tap, lab, owner, camera):
    owner.say(question((IPP, PTR), (SSH, PTR)))
    data, who = camera.hear(b"_ipp")
    tap.ok(data and who == ("192.168.50.1", 5353),
           "a question reaches who may answer it", (data, who))
    tap.ok(data and b"_ssh" not in data, "without what is not listed", data)
    camera.drain()
    owner.say(question((SSH, PTR), ("_services._dns-sd._udp.local", PTR)))
    tap.ok(silent(owner, camera, b"_services", True) and
           silent(owner, camera, b"_ssh", True),
           "a question about nothing listed does not")
    owner.drain()
    camera.say(question(("backwards." + IPP, SRV)))
    tap.ok(silent(camera, owner, b"backwards"),
           "nor does one in the other direction")
    with Peer(lab, "owner", family=6) as owner6, Peer(
            lab, "camera", family=6) as camera6:
        owner6.say(question(("six." + IPP, SRV)))
        tap.ok(camera6.hear(b"six")[0], "IPv6 as well")
    owner.drain()


def answers(tap, lab, owner, camera):
    camera.say(answer(record(SSH, PTR, name("x." + SSH)),
                      record("a.local", A, socket.inet_aton("192.0.2.9"))))
    tap.ok(silent(camera, owner, b"_ssh"), "an answer about nothing listed")
    full = offer(IPP, "Office", "printer.local", lab.camera.ip)
    more = answer(record(SSH, PTR, name("x." + SSH)),
                  record(IPP, PTR, name("Office." + IPP)),
                  record("other.local", A, socket.inet_aton("192.0.2.9")))
    camera.say(full)
    data, who = owner.hear(b"Office")
    tap.ok(data and who == ("192.168.60.1", 5353) and
           socket.inet_aton(lab.camera.ip) in data,
           "an answer, with the host's address", (data, who))
    camera.say(more)
    data, _ = owner.hear(b"Office")
    tap.ok(data and b"_ssh" not in data and
           socket.inet_aton("192.0.2.9") not in data,
           "of another only what is listed", data)
    owner.say(question(("printer.local", A), ("other.local", A)))
    data, _ = camera.hear(b"\x07printer")
    tap.ok(data and b"other" not in data,
           "a host is asked for that offers the service", data)
    owner.drain()


def strangers(tap, lab, owner, camera):
    fake = offer(IPP, "Fake", "fake.local", lab.stranger.ip)
    with Peer(lab, "stranger") as stranger:
        stranger.say(fake)
        tap.ok(silent(camera, owner, b"Fake"),
               "a stranger's answer stays with it")
        put(lab, config(("camera", "sensor", "hub", "stranger"))(lab))
        ready(lab)
        stranger.say(fake)
        tap.ok(owner.hear(b"Fake")[0], "once it has a name it is passed on")
    put(lab, config()(lab))
    ready(lab)
    owner.drain()


def ready(lab):
    """The worker has its sockets: it is in the groups of both sides."""
    def joined():
        return lab.gateway.run("cat", "/proc/net/igmp").stdout.count(
            "FB0000E0") >= 2
    if not wait(joined):
        raise RuntimeError("nothing is reflected:\n" + lab.daemon.log())
    wait(lambda: lab.gateway.run(
        "ss", "-Hunl").stdout.count(":5353") >= 4)
    time.sleep(0.2)


def neighbours(tap, lab, camera):
    """On one bridge, whose ports are kept apart."""
    with Peer(lab, "sensor") as sensor, Peer(lab, "hub") as hub:
        sensor.say(question((IPP, PTR)))
        hub.say(question(("y." + IPP, SRV)))
        tap.ok(camera.hear(b"_ipp")[0], "a neighbour's question")
        sensor.drain(), hub.drain()
        camera.say(offer(IPP, "Near", "near.local", lab.camera.ip))
        data, who = sensor.hear(b"Near")
        tap.ok(data and who == ("192.168.50.1", 5353),
               "is answered to who may reach it", (data, who))
        tap.ok(unsaid(hub, b"Near"), "and to no other who asked")
        put(lab, lab.base_config(
            "enforce", ("camera", "sensor", "hub"),
            dict(MORE, hub="allow = tcp/631 " + lab.camera.ip), REFLECT))
        ready(lab)
        hub.say(question((IPP, PTR)))
        camera.hear(b"_ipp")
        hub.drain()
        camera.say(offer(IPP, "Next", "near.local", lab.camera.ip))
        tap.ok(hub.hear(b"Next")[0], "unless it may, too")
    camera.drain()


def flood(tap, lab, owner, camera):
    owner.drain()
    for number in range(1000):
        camera.say(answer(record(IPP, PTR, name("n%d.%s" % (number, IPP)))))
    with Peer(lab, "sensor") as sensor:
        sensor.say(answer(record(IPP, PTR, name("calm." + IPP))))
        got = until_mark(owner, b"calm")
    tap.ok(got is not None, "others are heard as before")
    # Its burst, and its rate for as long as that took.
    tap.ok(got and len(got) <= 30 + 10 * 5, "of a flood little is passed on",
           got and len(got))
    time.sleep(1)  # it may speak again


def broken(tap, lab, owner, camera):
    before = lab.daemon.workers()["discovery"]
    head = struct.pack("!6H", 0, 0x8400, 0, 1, 0, 0)
    for data in (head + b"\xc0\x0c" + bytes(10), head, b"", b"\0" * 11,
                 head + b"\x3f" * 1400, head[:4] + b"\xff" * 1300,
                 head + name("x." + IPP)[:-1] + b"\xc0\xff",
                 head + b"\xc0\x10\xc0\x0e\xc0\x0c" + bytes(9)):
        camera.say(data)
    tap.ok(silent(camera, owner, b""), "nothing broken is passed on")
    tap.ok(lab.daemon.workers()["discovery"] == before,
           "the worker has survived it", lab.daemon.log())


def loops(tap, lab, owner, camera):
    """Somebody says our own words again, on both sides."""
    text = offer(IPP, "Loop", "loop.local", lab.camera.ip)
    camera.say(text)
    data, _ = owner.hear(b"Loop")
    for _ in range(5):
        camera.say(data)
        owner.say(data)
    tap.ok(silent(camera, owner, b"Loop") and
           silent(owner, camera, b"Loop", True),
           "what came back is not said again")
    asked = question(("again." + IPP, SRV))
    owner.say(asked)
    data, _ = camera.hear(b"again")
    owner.say(data)
    owner.say(asked)
    tap.ok(silent(owner, camera, b"again", True), "questions, too")


def ssdp(tap, lab):
    with Peer(lab, "camera", *reversed(mdns.SSDP)) as camera, Peer(
            lab, "sensor", *reversed(mdns.SSDP)) as sensor, Peer(
                lab, "owner", 0, mdns.SSDP[0]) as owner:
        before = counter(lab, "denied")
        owner.say(mdns.search("upnp:rootdevice"), mdns.SSDP)
        owner.say(mdns.search("ssdp:all"), mdns.SSDP)
        owner.say(mdns.search(DIAL + ":1"), mdns.SSDP)
        data, who = camera.hear(b"M-SEARCH")
        tap.ok(data and DIAL.encode() in data,
               "of searches only one for what is listed comes", data)
        tap.ok(who and who[0] == "192.168.50.1", "from the gateway", who)
        if not data:
            return
        sensor.say(mdns.found(DIAL + ":1"), who)
        camera.say(mdns.found("upnp:rootdevice"), who)
        camera.say(mdns.found(DIAL + ":2"), who)
        data, who = owner.hear(b"200 OK")
        tap.ok(data and (DIAL + ":2").encode() in data and
               who[0] == "192.168.60.1", "of answers only one about that, of "
               "who may offer it", (data, who))
        tap.equal(counter(lab, "denied"), before, "and is no attempt")


def broadcasts(tap, lab):
    there = ("255.255.255.255", 56700)
    with Peer(lab, "camera", 56700) as camera, Peer(
            lab, "owner", 0) as owner, Peer(lab, "camera", 56701) as other:
        owner.say(b"other port", ("255.255.255.255", 56701))
        owner.say(b"who is a bulb?", there)
        data, who = camera.hear(b"bulb")
        tap.ok(data, "a maker's broadcast", who)
        camera.say(b"I am", who or there)
        tap.equal(owner.hear(b"I am")[0], b"I am", "and its answer")
        tap.equal(other.drain(), [], "no other port")


def off(tap, lab, owner, camera):
    put(lab, config(extra="")(lab))
    owner.say(question((IPP, PTR)))
    camera.say(offer(IPP, "Off", "off.local", lab.camera.ip))
    tap.ok(unsaid(camera, b"_ipp") and not any(
        b"Off" in data for data in owner.drain()),
        "without [reflect] nothing passes")
    tap.ok("gatehouse heard" not in lab.rules(), "nor is it heard")


def reflect(tap):
    with Lab(devices=("camera", "sensor", "hub", "stranger")) as lab:
        if "discovery" not in lab.workers_built():
            tap.skip("reflect", "discovery was left out of this build")
            return
        put(lab, config()(lab))
        ready(lab)
        with contextlib.ExitStack() as stack:
            owner, camera = [stack.enter_context(Peer(lab, n))
                             for n in ("owner", "camera")]
            questions(tap, lab, owner, camera)
            answers(tap, lab, owner, camera)
            ssdp(tap, lab)
            broadcasts(tap, lab)
            strangers(tap, lab, owner, camera)
            loops(tap, lab, owner, camera)
            broken(tap, lab, owner, camera)
            flood(tap, lab, owner, camera)
            neighbours(tap, lab, camera)
            off(tap, lab, owner, camera)


if __name__ == "__main__":
    run(reflect)
