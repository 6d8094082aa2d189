#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# run: timeout 120
"""Decisions over the bus: in force, on the disk, and there after whatever
happens to the daemon or the registry."""
import os
import signal
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import desk as desks  # noqa: E402
sys.path.insert(0, os.path.join(desks.SRC, "tests", "lab"))
from tap import Tap  # noqa: E402
from test_ctl import Command  # noqa: E402

CONFIG = desks.CONFIG.replace("mode = observe", "mode = enforce") + """
[profile printing]
allow = tcp/631 192.0.2.77
"""
LAMP = "02:00:00:00:09:01"
HEATER = "02:00:00:00:09:02"


def arrive(mac, address):
    """A device is there: it asks who the gateway is, as all do."""
    own = bytes.fromhex(mac.replace(":", ""))
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind(("far-things0", 0))
        sock.send(b"\xff" * 6 + own + struct.pack("!HHHBBH", 0x0806, 1, 0x0800,
                                                  6, 4, 1) +
                  own + socket.inet_aton(address) + bytes(6) +
                  socket.inet_aton("192.0.2.1"))
        sock.send(b"\xff" * 6 + own + b"\x08\x00" + ip_packet(address))


def ip_packet(address):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28, 1, 0, 64, 17, 0,
                       socket.inet_aton(address),
                       socket.inet_aton("192.0.2.1"))
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xffff) + (total >> 16)
    head = head[:10] + struct.pack("!H", ~(total + (total >> 16)) & 0xffff) \
        + head[12:]
    return head + struct.pack("!HHHH", 4000, 4000, 8, 0)


def find(desk, mac):
    """(path, properties) of a device, or None."""
    for path, interfaces in (desk.objects() or {}).items():
        device = interfaces.get(desks.DEVICE)
        if device and device["Mac"] == mac:
            return path, device
    return None


def decide(desk, mac, member, *arguments, user="root"):
    path, _ = find(desk, mac)
    return desk.call(user, member, *arguments, interface=desks.DEVICE,
                     path=path)


def seen(desk, mac, address):
    def look():
        arrive(mac, address)
        return find(desk, mac)
    return desks.wait(look)


def is_(desk, mac, **wanted):
    def look():
        found = find(desk, mac)
        return found and all(found[1][k] == v for k, v in wanted.items())
    return desks.wait(look)


def main():
    desks.hide("bus", "isolation", "registry")
    with Tap() as tap, desks.Desk() as desk:
        desk.start_bus()
        desk.start_daemon(CONFIG)
        desk.wait_name()
        for words in (["link", "set", "far-things0", "up"],
                      ["link", "set", "far-home0", "up"],
                      ["route", "add", "203.0.113.0/24", "via",
                       "198.51.100.9"]):
            subprocess.run(["ip", *words], check=True)
        run(tap, desk)


def show(run, word):
    return run.json("device", "show", word)


def first_decision(tap, desk, run):
    tap.ok(seen(desk, LAMP, "192.0.2.50"), "an unknown device is seen",
           desk.log())
    tap.ok(is_(desk, LAMP, Decision="quarantine", Name=LAMP, DecidedBy=""),
           "nobody decided about it")
    for user in ("member", "nobody2"):
        tap.ok(decide(desk, LAMP, "Approve", "su", "internet", "0",
                      user=user).returncode != 0,
               user + " may not approve it")
    done = run("device", "approve", LAMP)
    tap.ok(done.returncode == 1 and "--yes" in done.stderr,
           "without a terminal the command wants --yes", done.stderr)
    tap.contains(" ".join(done.stdout.split()),
                 "may reach anything anywhere outside",
                 "it says first what that opens")
    tap.ok(is_(desk, LAMP, Decision="quarantine"), "(nothing was changed)")
    begun = time.monotonic()
    done = decide(desk, LAMP, "Approve", "su", "internet", "0")
    took = time.monotonic() - begun
    tap.ok(done.returncode == 0 and "approved" in done.stdout,
           "root approves it", done.stderr + desk.log())
    tap.note("%.0f ms, with starting busctl twice" % (took * 1000))
    tap.ok(is_(desk, LAMP, Decision="approved", Name="device-000901",
               DecidedBy="registry: uid 0", Profile="internet"),
           "it is in force, and the bus says by whom", find(desk, LAMP))
    text = run("why", LAMP[:17], "tcp/443", "203.0.113.5").stdout
    tap.contains(text, "profile:internet", "why names the profile")


def by_command(tap, desk, run):
    done = run("device", "rename", LAMP, "lamp")
    tap.ok(done.returncode == 0 and is_(desk, LAMP, Name="lamp"),
           "rename", done.stdout + done.stderr)
    done = run("device", "rename", "lamp", "camera")
    tap.ok(done.returncode == 1 and "already" in done.stderr,
           "not to the name of another", done.stderr)
    done = run("device", "rename", "lamp", "no spaces")
    tap.equal(done.returncode, 1, "nor to what is no name")
    done = run("device", "set-profile", "lam", "printing")
    tap.ok(done.returncode == 0 and is_(desk, LAMP, Profile="printing"),
           "set-profile to one of the configuration; the beginning of a name "
           "is enough", done.stderr)
    done = run("device", "set-profile", "lamp", "nonsense")
    tap.ok(done.returncode == 1 and "no profile" in done.stderr,
           "not to one that nobody has", done.stderr)
    text = run("device", "approve", "lamp", "--profile", "local-only",
               "--yes").stdout
    tap.contains(" ".join(text.split()), "reaches nobody by itself",
                 "a profile that opens nothing is told as that")
    done = run("device", "approve", "camera", "--yes")
    tap.ok(done.returncode == 1 and "gatehouse.conf:" in done.stderr,
           "what the files decide is theirs, with the line", done.stderr)
    tap.contains(show(run, "camera")["decided_by"], "gatehouse.conf:",
                 "device show says so, too")
    done = run("device", "block", "lamp")
    tap.ok(done.returncode == 0 and is_(desk, LAMP, Decision="blocked"),
           "block", done.stderr)
    done = run("device", "approve", "lamp", "--yes", user="member")
    tap.ok(done.returncode == 1 and "sudo" in done.stderr,
           "only root decides", done.stderr)


def for_a_time(tap, desk, run):
    done = run("device", "approve", "lamp", "--yes", "--for", "1")
    tap.ok(done.returncode == 0 and is_(desk, LAMP, Decision="approved") and
           show(run, "lamp")["decision_until"],
           "approved for a time, which is shown", done.stderr)
    tap.ok(is_(desk, LAMP, Decision="blocked", DecisionUntil=0),
           "then it is blocked, as before")
    done = run("pause", "camera", "5m")
    tap.ok(done.returncode == 0 and
           show(run, "camera")["mode"] == "observe" and
           show(run, "camera")["paused_until"],
           "pause, also for a device of the files", done.stderr)
    tap.equal(show(run, "sensor")["mode"], "enforce", "the others are not")
    run("pause", "camera", "0")
    tap.equal((show(run, "camera")["mode"], show(run, "camera")
               ["paused_until"]), ("enforce", None), "its end")
    done = run("pause", "--all", "5m")
    tap.ok(done.returncode == 0 and desk.get("Mode") == "observe" and
           run("status").stdout.count("PAUSED until") == 1,
           "pause --all", done.stderr + run("status").stdout)


def survives(tap, desk, run):
    pid = desk.worker("registry")
    os.kill(pid, signal.SIGKILL)
    tap.ok(is_(desk, LAMP, Decision="blocked"),
           "the registry was killed: what was decided holds")
    tap.ok(desks.wait(lambda: desk.worker("registry") not in (None, pid)),
           "and it comes back")
    tap.equal(desk.stop_daemon(signal.SIGKILL), -signal.SIGKILL,
              "(all of it is killed)")
    desk.start_daemon(None)
    desk.wait_name()
    tap.ok(is_(desk, LAMP, Decision="blocked", Name="lamp"),
           "a decision is there after that", desk.log())
    tap.ok(desk.get("Mode") == "observe" and desk.get("PausedUntil"),
           "so is a pause")
    run("pause", "--all", "0")
    tap.equal(desk.get("Mode"), "enforce", "its end")
    with open(desk.path("run", "in-force.conf"), encoding="utf-8") as file:
        tap.ok(LAMP not in file.read(),
               "what was decided is in no file of a configuration")


def the_files_win(tap, desk, run):
    desk.config(CONFIG + "[device heater]\nmac = %s\n" % LAMP)
    tap.equal(run("config", "apply").returncode, 0,
              "the device gets a section")
    tap.ok(is_(desk, LAMP, Decision="approved", Name="heater"),
           "which wins", find(desk, LAMP))
    desk.config(CONFIG)
    run("config", "apply")
    tap.ok(is_(desk, LAMP, Decision="blocked", Name="lamp"),
           "without it the registry's word counts again")
    desk.config(CONFIG.replace("[profile", "[device x]\nmac = " + HEATER +
                               "\nallow = tcp/80 device:lamp\n[profile"))
    done = run("config", "apply")
    tap.ok(done.returncode == 1 and "no [device lamp]" in done.stderr,
           "files stand on their own: they name no device of the registry",
           done.stderr)
    desk.config(CONFIG)


def forgets(tap, desk, run):
    done = run("device", "forget", "lamp")
    tap.ok(done.returncode == 0, "forget", done.stderr)
    tap.ok(desks.wait(lambda: not find(desk, LAMP) or
                      find(desk, LAMP)[1]["Decision"] == "quarantine"),
           "nobody decided about it any more", find(desk, LAMP))
    folder = desk.path("state", "registry", "x")[:-1]
    held = b"".join(open(folder + name, "rb").read()
                    for name in os.listdir(folder))
    tap.ok(b"lamp" not in held, "its name is in no file of the registry")


def damage(tap, desk):
    tap.equal(desk.stop_daemon(), 0, "(it stops)")
    path = desk.path("state", "registry", "registry.db")
    with open(path, "r+b") as file:
        file.seek(4096)
        file.write(b"Z" * 4096)
    desk.start_daemon(None)
    desk.wait_name()
    tap.ok(desks.wait(lambda: "registry.rebuilt" in
                      [w[4] for w in desk.get("Warnings") or []]),
           "a damaged database is told", desk.log())
    tap.ok([name for name in os.listdir(os.path.dirname(path))
            if name.startswith("registry.db.2")], "and set aside")


def run(tap, desk):
    run = Command(desk)
    first_decision(tap, desk, run)
    by_command(tap, desk, run)
    for_a_time(tap, desk, run)
    survives(tap, desk, run)
    the_files_win(tap, desk, run)
    forgets(tap, desk, run)
    damage(tap, desk)


if __name__ == "__main__":
    main()
