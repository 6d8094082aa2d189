#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# run: timeout 300
"""org.gatehouse1 on a real bus, as different users see it."""
import os
import signal
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
import desk  # noqa: E402
from desk import CONFIG, DEVICE, MANAGER, NAME, ROOT, wait  # noqa: E402
from rawbus import ERROR, NO_REPLY, RETURN, SERVICE, RawBus  # noqa: E402
sys.path.insert(0, os.path.join(desk.SRC, "tests", "lab"))
from tap import Tap  # noqa: E402

PROPERTIES = "org.freedesktop.DBus.Properties"
CAMERA = ROOT + "/device/1"
CALLS_MAX = 32  # BUS_CALLS_MAX
ENDED = CONFIG.replace("mac = 02:00:00:00:00:01",
                       "mac = 02:00:00:00:00:01\nsupport-ends = 2020")
THIRD = CONFIG + "\n[device third]\nmac = 02:00:00:00:00:03\n"


def bus_of(place, user="root"):
    uid, groups = desk.USERS[user]
    return RawBus(place.bus_path, uid, groups)


def get(bus, name, timeout=20):
    return bus.call(NAME, ROOT, PROPERTIES, "Get", signature="ss",
                    arguments=[MANAGER, name], timeout=timeout)


def reload(bus, **options):
    return bus.call(NAME, ROOT, MANAGER, "Reload", **options)


# The contract

def shape(text, interface):
    """What an introspection says of an interface, in one set."""
    found = set()
    for node in ElementTree.fromstring(text).iter("interface"):
        if node.get("name") != interface:
            continue
        for member in node:
            if member.tag == "annotation":
                continue
            args = tuple(
                (a.get("name"), a.get("type"),
                 a.get("direction", "in" if member.tag == "method" else None)
                 if member.tag == "method" else None)
                for a in member.iter("arg"))
            emits = [a.get("value") for a in member.iter("annotation")
                     if a.get("name").endswith("EmitsChangedSignal")]
            found.add((member.tag, member.get("name"), member.get("type"),
                       member.get("access"), args, tuple(emits)))
    return found


def shipped(place, interface):
    with open(place.program("usr/share/dbus-1/interfaces/%s.xml" % interface),
              encoding="utf-8") as file:
        return file.read()


def contract(tap, place):
    for path, interface in ((ROOT, MANAGER), (CAMERA, DEVICE)):
        done = place.run("root", "busctl", "--address=" + place.address,
                         "introspect", "--xml-interface", NAME, path)
        written = shape(shipped(place, interface), interface)
        tap.ok(len(written) > 10, "the XML of %s can be read" % interface)
        tap.equal(shape(done.stdout, interface) ^ written, set(),
                  "%s is on the bus as the XML says" % interface)


def values(tap, place):
    objects = place.objects()
    tap.equal(sorted(objects), [CAMERA, ROOT + "/device/2"],
              "the object manager has the two devices")
    camera = objects[CAMERA][DEVICE]
    tap.equal((camera["Id"], camera["Name"], camera["Mac"], camera["Zone"]),
              (1, "camera", "02:00:00:00:00:01", "things"),
              "the camera is as configured")
    tap.equal((camera["Decision"], camera["Mode"], camera["Support"]),
              ("approved", "observe", "unknown"),
              "enumerations are words")
    tap.equal([place.get(x) for x in ("Mode", "Observed", "SupportEnds")],
              ["observe", True, "2028-11-30"], "the gateway observes")
    tap.ok(place.get("State") in ("running", "degraded"), "it runs")
    tap.ok(abs(place.get("Started") - time.time()) < 120,
           "it was started just now")
    with bus_of(place) as bus:
        owner = place.wait_name()
        uid = bus.call(SERVICE, "/org/freedesktop/DBus", SERVICE,
                       "GetConnectionUnixUser", signature="s",
                       arguments=[owner]).body[0]
    tap.equal(uid, desk.WORKERS_FROM + 4,
              "the name is owned by the user gatehouse-bus")


# Who may what

def policy(tap, place):
    reads = [("a property", lambda b: get(b, "Version")),
             ("the objects", lambda b: b.call(
                 NAME, ROOT, "org.freedesktop.DBus.ObjectManager",
                 "GetManagedObjects")),
             ("the introspection", lambda b: b.call(
                 NAME, ROOT, "org.freedesktop.DBus.Introspectable",
                 "Introspect"))]
    with bus_of(place, "nobody2") as nobody, \
            bus_of(place, "member") as member, bus_of(place) as root:
        for what, read in reads:
            tap.equal(read(nobody).error,
                      "org.freedesktop.DBus.Error.AccessDenied",
                      "a user outside the group may not read " + what)
            tap.equal(read(member).kind, RETURN,
                      "a member of the group may read " + what)
        attempts = member.call(NAME, ROOT, MANAGER, "Attempts")
        tap.ok(attempts.kind == RETURN or "Failed" in attempts.error,
               "a member may ask for the attempts", attempts.error)
        for who, bus in (("member", member), ("outsider", nobody)):
            tap.equal(reload(bus).error,
                      "org.freedesktop.DBus.Error.AccessDenied",
                      "the bus keeps a %s from Reload" % who)
        tap.equal(nobody.call(NAME, ROOT, MANAGER, "Attempts").error,
                  "org.freedesktop.DBus.Error.AccessDenied",
                  "an outsider may not ask for the attempts")
        tap.equal(reload(root).kind, RETURN, "root may reload")


def signals_are_private(tap, place):
    with bus_of(place, "nobody2") as nobody, \
            bus_of(place, "member") as member, bus_of(place) as root:
        for bus in (nobody, member):
            bus.listen("type='signal',path_namespace='%s'" % ROOT)
        reload(root)
        tap.ok(member.wait_signal("PropertiesChanged", 5),
               "a member hears what changes")
        nobody.read(0.5)
        tap.equal([m.member for m in nobody.signals if m.path and
                   m.path.startswith(ROOT)], [], "an outsider hears nothing")


def worker_looks_too(tap, place):
    """The policy lets everybody call, as if the file were wrong."""
    with bus_of(place, "nobody2") as nobody:
        tap.equal(get(nobody, "Version").kind, RETURN,
                  "(the bus is wide open now)")
        for member, options in (("Reload", {}),
                                ("UpdateApply", two_files())):
            answer = nobody.call(NAME, ROOT, MANAGER, member, **options)
            tap.equal(answer.error, "org.gatehouse1.Error.NotAllowed",
                      "the worker itself keeps an outsider from " + member)
    with bus_of(place) as root:
        tap.equal(reload(root).kind, RETURN, "and lets root")


def two_files():
    files = [tempfile.TemporaryFile() for _ in range(2)]
    two_files.kept = files
    for file in files:
        file.write(b"no statement at all")
        file.flush()
    return {"signature": "hh", "arguments": [0, 1],
            "fds": [file.fileno() for file in files]}


# What changes

def changes(tap, place):
    has_support = os.path.exists(
        place.program("usr/libexec/gatehouse/gatehouse-support"))
    with bus_of(place) as bus:
        bus.listen("type='signal',sender='%s'" % NAME)
        place.config(THIRD)
        reload(bus)
        added = bus.wait_signal("InterfacesAdded", 5)
        tap.ok(added and added.body[0] == ROOT + "/device/3" and
               added.body[1][DEVICE]["Name"] == "third",
               "a new device is announced with its properties")
        changed = bus.wait_signal(
            "PropertiesChanged", 5, lambda m: m.path == ROOT and
            "Generation" in m.body[1])
        tap.ok(changed, "a new generation is announced")
        place.config(CONFIG)
        reload(bus)
        gone = bus.wait_signal("InterfacesRemoved", 5)
        tap.equal(gone and gone.body, [ROOT + "/device/3", [DEVICE]],
                  "and so is its end")
        tap.equal(sorted(place.objects()), [CAMERA, ROOT + "/device/2"],
                  "the object is gone, too")
        if not has_support:
            tap.skip("warnings", "built without support")
            return
        warnings(tap, place, bus)


def warnings(tap, place, bus):
    place.config(ENDED)
    reload(bus)
    raised = bus.wait_signal("WarningRaised", 5)
    tap.ok(raised, "a new warning is signalled", place.log())
    if not raised:
        return
    number, device, severity, code, text = raised.body
    tap.equal((raised.path, device, severity), (ROOT, 1, "warning"),
              "with its device and severity")
    tap.ok("support" in code and "camera" in text, "and what it is about")
    mine = [w for w in place.get("Warnings") if w[0] == number]
    tap.equal([(w[1], w[2], w[4], w[5]) for w in mine],
              [(1, "warning", code, text)], "it is in Warnings as signalled")
    tap.ok(bus.wait_signal("PropertiesChanged", 5, lambda m:
                           "Warnings" in m.body[2]),
           "and Warnings is invalidated")
    tap.equal(place.get("Support", CAMERA, DEVICE), "ended",
              "the device says that its support has ended")
    reload(bus)
    bus.read(0.5)
    tap.equal(len([m for m in bus.signals if m.member == "WarningRaised"]), 1,
              "an old warning is not signalled again")
    place.config(CONFIG)
    reload(bus)
    cleared = bus.wait_signal("WarningCleared", 5)
    tap.equal(cleared and cleared.body, [number], "its end is signalled")


def coalesced(tap, place):
    with bus_of(place) as bus:
        bus.listen("type='signal',sender='%s',member='PropertiesChanged'"
                   % NAME)
        begun = time.monotonic()
        count = 0
        while time.monotonic() < begun + 2:
            reload(bus)
            count += 1
        bus.read(0.6)
        told = len([m for m in bus.signals if m.path == ROOT])
        seconds = time.monotonic() - begun
        tap.ok(count > 12, "%d reloads in two seconds" % count)
        tap.ok(0 < told <= seconds * 4 + 1,
               "cost at most four signals a second", "%d signals" % told)


# Failing

def bus_restarts(tap, place):
    worker, daemon = place.worker(), place.daemon.pid
    place.stop_bus()
    time.sleep(0.5)
    place.start_bus()
    tap.ok(place.wait_name(10), "the bus comes back, the name with it")
    tap.equal((place.worker(), place.daemon.poll()), (worker, None),
              "and nobody had to be started again")
    tap.equal(place.get("Version") is not None, True, "it answers")
    tap.equal(place.daemon.pid, daemon, "the daemon is the same")


def worker_dies(tap, place):
    pid = place.worker()
    os.kill(pid, signal.SIGKILL)
    begun = time.monotonic()
    wait(lambda: place.worker() not in (None, pid), 5)
    tap.ok(time.monotonic() - begun < 1, "a killed worker is back in a second",
           place.log())
    tap.ok(place.wait_name(5), "and the name soon after")
    tap.equal(sorted(place.objects() or []), [CAMERA, ROOT + "/device/2"],
              "with all devices")


def malformed(tap, place):
    cases = [
        ("an unknown method", "UnknownMethod",
         (NAME, ROOT, MANAGER, "Explode"), {}),
        ("an unknown object", "UnknownObject",
         (NAME, ROOT + "/device/99", PROPERTIES, "GetAll"),
         {"signature": "s", "arguments": [DEVICE]}),
        ("an unknown property", "UnknownProperty",
         (NAME, ROOT, PROPERTIES, "Get"),
         {"signature": "ss", "arguments": [MANAGER, "Password"]}),
        ("wrong arguments", "InvalidArgs",
         (NAME, ROOT, MANAGER, "UpdateCheck"),
         {"signature": "ss", "arguments": ["a", "b"]}),
        ("too many arguments", "InvalidArgs",
         (NAME, ROOT, MANAGER, "Reload"),
         {"signature": "s", "arguments": ["now"]}),
        ("writing what is read-only", "PropertyReadOnly",
         (NAME, ROOT, PROPERTIES, "Set"),
         {"signature": "ssv", "arguments": [MANAGER, "Mode",
                                            ("s", "enforce")]}),
    ]
    pid = place.worker()
    with bus_of(place) as bus:
        for what, error, words, options in cases:
            answer = bus.call(*words, **options)
            tap.contains(answer.error or "", error, "answers to " + what)
        inside, outside = os.pipe()
        answer = bus.call(NAME, ROOT, MANAGER, "UpdateCheck", signature="hh",
                          arguments=[0, 1], fds=[inside, outside])
        tap.equal(answer.error, "org.gatehouse1.Error.Refused",
                  "a pipe is no package")
        os.close(inside)
        os.close(outside)
        answer = bus.call(NAME, ROOT, MANAGER, "UpdateCheck", **two_files())
        tap.ok(answer.error in ("org.gatehouse1.Error.Refused",
                                "org.gatehouse1.Error.Failed"),
               "nonsense is no update", answer.error)
    tap.equal(place.worker(), pid, "the worker lives")


def too_many(tap, place):
    """With the agent standing still, calls pile up to their limit."""
    pid = place.worker()
    os.kill(place.daemon.pid, signal.SIGSTOP)
    try:
        with bus_of(place) as bus:
            serials = [bus.send(NAME, ROOT, MANAGER, "Attempts")
                       for _ in range(CALLS_MAX + 8)]
            wait(lambda: bus.read(0.2) and len(bus.replies) >= 8, 5)
            bus.read(0.5)
            busy = [m.error for m in bus.replies.values()]
            tap.equal(busy, ["org.gatehouse1.Error.Busy"] * 8,
                      "%d calls wait, the next are told so" % CALLS_MAX)
            tap.equal(get(bus, "Version").kind, RETURN,
                      "reading goes on meanwhile")
            answer = bus.wait_reply(serials[0], 15)
            tap.equal(answer and answer.error, "org.gatehouse1.Error.Failed",
                      "a silent agent costs the caller an error")
    finally:
        os.kill(place.daemon.pid, signal.SIGCONT)
    with bus_of(place) as bus:
        tap.equal(reload(bus).kind, RETURN, "and then it goes on")
    tap.equal(place.worker(), pid, "in the same worker")


def flood(tap, place):
    pid = place.worker()
    with bus_of(place) as bus:
        data = b"".join(bus.build(NAME, ROOT, MANAGER, "Reload",
                                  flags=NO_REPLY)[0] for _ in range(10000))
        begun = time.monotonic()
        bus.socket.sendall(data)
        answer = get(bus, "Version", timeout=60)
        tap.ok(answer and answer.kind in (RETURN, ERROR),
               "10,000 calls at once, and it still answers (%.1f s)" %
               (time.monotonic() - begun))
    tap.equal(place.worker(), pid, "the worker lives")
    tap.equal(place.daemon.poll(), None, "and so does the agent")


def main():
    desk.hide("bus")
    with Tap() as tap, desk.Desk() as place:
        place.start_daemon()
        tap.ok(True, "the daemon is ready without a bus")
        place.start_bus()
        tap.ok(place.wait_name(15), "the name comes with the bus",
               place.log())
        contract(tap, place)
        values(tap, place)
        policy(tap, place)
        signals_are_private(tap, place)
        changes(tap, place)
        coalesced(tap, place)
        malformed(tap, place)
        bus_restarts(tap, place)
        worker_dies(tap, place)
        too_many(tap, place)
        flood(tap, place)
        place.stop_bus()
        place.start_bus(policy=desk.OPEN)
        place.wait_name(15)
        worker_looks_too(tap, place)
        tap.equal(place.stop_daemon(), 0, "it stops in order")


if __name__ == "__main__":
    main()
