#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# run: timeout 300
"""The gatehouse command against a real daemon, on terminals and without."""
import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import threading
import time
import unicodedata

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
import desk  # noqa: E402
from desk import CONFIG, NAME, wait  # noqa: E402
from rawbus import SERVICE, RawBus  # noqa: E402
sys.path.insert(0, os.path.join(desk.SRC, "tests", "lab"))
from tap import Tap  # noqa: E402

CONFIGURED = CONFIG + """
[zone cellar]
interface = cellar0

[device x-%s]
mac = 02:00:00:00:00:77
""" % ("long" * 7)
MACS = ["02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:00:77"]
FAR = "203.0.113.10"


class Command:
    """Runs the command as somebody."""

    def __init__(self, place):
        self.place = place
        self.path = place.program("usr/bin/gatehouse")
        self.conf = place.path("etc", "gatehouse.conf")
        self.options = ["--config", self.conf, "--state",
                        place.path("state"), "--run", place.path("run")]

    def __call__(self, *words, user="root", env=None):
        env = dict({"SSH_CONNECTION": ""}, **(env or {}))
        return self.place.run(user, self.path, *self.options, *words, env=env,
                              stdin=subprocess.DEVNULL)

    def json(self, *words):
        done = self(*words, "--json")
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise RuntimeError("no JSON: %r %r" % (done.stdout, done.stderr)) \
                from None

    def terminal(self, columns, *words, answer=None):
        """(exit status, text) on a terminal of that width."""
        pid, master = pty.fork()
        if pid == 0:
            size = struct.pack("HHHH", 24, columns, 0, 0)
            fcntl.ioctl(0, termios.TIOCSWINSZ, size)
            os.environ.update(
                DBUS_SYSTEM_BUS_ADDRESS=self.place.address,
                LC_ALL="C.UTF-8", SSH_CONNECTION="")
            try:
                os.execv(self.path, [self.path] + self.options + list(words))
            finally:
                os._exit(127)
        text = b""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if not select.select([master], [], [], 1)[0]:
                continue
            try:
                chunk = os.read(master, 65536)
            except OSError:
                break
            if not chunk:
                break
            text += chunk
            if answer is not None and b"[y/N]" in text:
                os.write(master, answer.encode() + b"\n")
                answer = None
        os.close(master)  # whoever still waits for an answer gets none
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return status, text.decode().replace("\r\n", "\n")


def columns_of(line):
    return sum(0 if unicodedata.combining(c) else
               2 if unicodedata.east_asian_width(c) in "WF" else 1
               for c in line)


def squeezed(text):
    return "".join(text.split())


# Without a daemon

def alone(tap, place, run):
    done = run("status")
    tap.equal(done.returncode, 1, "without a bus it fails")
    tap.ok("bus cannot be reached" in done.stderr and
           "systemctl start dbus" in done.stderr,
           "says so, and what to do", done.stderr)
    place.start_bus()
    done = run("status")
    tap.equal(done.returncode, 1, "without the daemon it fails")
    tap.ok("not running" in done.stderr and
           "systemctl start gatehouse" in done.stderr,
           "says so, and what to do", done.stderr)
    done = run("--version")
    tap.ok(done.returncode == 0 and "supported until 2028-11-30" in
           done.stdout, "--version states the end of support", done.stdout)
    tap.contains(run("--help").stdout, "enforce [ZONE|DEVICE]", "--help")
    for words in ([], ["bogus"], ["device"], ["device", "show"],
                  ["status", "now"], ["--bogus", "status"]):
        tap.equal(run(*words).returncode, 2,
                  "usage: gatehouse " + " ".join(words))


# Reading

def reading(tap, place, run):
    done = run("status")
    tap.equal(done.returncode, 0, "status")
    first = done.stdout.splitlines()[0]
    tap.ok(first.startswith("OBSERVING: nothing is blocked yet"),
           "begins with what matters", done.stdout)
    status = run.json("status")
    tap.equal((status["mode"], status["observed"],
               status["devices"]["total"], status["devices"]["approved"]),
              ("observe", True, 3, 3), "status --json")
    tap.ok(set(status) >= {
        "version", "state", "support_ends", "security_contact", "generation",
        "rules_generation", "denied", "bridged_denied", "quarantined",
        "strangers", "started", "tls", "warnings"}, "has its stable keys")
    tap.equal(run("status", user="member").returncode, 0,
              "a member of the group may read")
    done = run("status", user="nobody2")
    tap.ok(done.returncode == 1 and "Try sudo" in done.stderr,
           "others are told to try sudo", done.stderr)
    tap.equal([d["mac"] for d in run.json("device", "list")], MACS,
              "device list --json")
    for word in ("camera", "CAMERA"[:0] + "cam", "02:00:00:00:00:01"):
        tap.equal(run.json("device", "show", word)["name"], "camera",
                  "device show " + word)
    done = run("device", "show", "02:")
    tap.ok(done.returncode == 1 and "Several devices" in done.stderr,
           "an ambiguous beginning is refused", done.stderr)
    done = run("device", "show", "toaster\x1b[31m")
    tap.ok(done.returncode == 1 and "toaster\\x1b[31m" in done.stderr and
           "\x1b" not in done.stderr, "an unknown one is said, escaped",
           repr(done.stderr))
    tap.equal(run.json("warnings"), [], "no warnings")
    place.config(CONFIGURED.replace("01\n", "01\nsupport-ends = 2020\n", 1))
    if has_support(place):
        place.call("root", "Reload")
        wait(lambda: run.json("warnings"), 5)
        tap.equal([(w["device"], w["severity"])
                   for w in run.json("warnings")], [("camera", "warning")],
                  "warnings --json")
        text = run("warnings").stdout
        tap.ok("warning: camera: support" in text, "warnings", text)
        tap.equal(len(run.json("device", "show", "camera")["warnings"]), 1,
                  "device show has them, too")
    place.config(CONFIGURED)
    place.call("root", "Reload")


def has_support(place):
    return os.path.exists(
        place.program("usr/libexec/gatehouse/gatehouse-support"))


def widths(tap, run):
    for columns in (40, 120):
        for words in (["status"], ["device", "list"],
                      ["device", "show", "x-"], ["warnings"]):
            status, text = run.terminal(columns, *words)
            what = "%s on %d columns" % (" ".join(words), columns)
            tap.equal(status, 0, what)
            wide = [x for x in text.splitlines() if columns_of(x) > columns]
            tap.equal(wide, [], "fits")
        _, text = run.terminal(columns, "device", "list")
        tap.ok(all(mac in text for mac in MACS) and
               "x-" + "long" * 7 in squeezed(text),
               "and nothing is cut off", text)
        one_line = any("camera" in line and MACS[0] in line
                       for line in text.splitlines())
        tap.equal(one_line, columns == 120, "columns where there is room, "
                  "blocks where there is none")


# Deciding

def traffic(place):
    """The camera sends; what would be denied is counted."""
    camera = subprocess.Popen(["unshare", "--net", "sleep", "1000"])
    place.processes.append(camera)
    time.sleep(0.3)
    inside = ["nsenter", "--net=/proc/%d/ns/net" % camera.pid]

    def ip(*words, at=()):
        subprocess.run([*at, "ip", *words], check=True)

    ip("link", "set", "far-things0", "netns", str(camera.pid))
    ip("link", "set", "far-things0", "address", MACS[0], at=inside)
    ip("addr", "add", "192.0.2.10/24", "dev", "far-things0", at=inside)
    ip("link", "set", "far-things0", "up", at=inside)
    ip("route", "add", "default", "via", "192.0.2.1", at=inside)
    ip("link", "set", "far-home0", "up")
    ip("neigh", "add", "198.51.100.9", "lladdr", "02:00:00:00:09:09",
       "dev", "home0", "nud", "permanent")
    ip("route", "add", "203.0.113.0/24", "via", "198.51.100.9")
    with open("/proc/sys/net/ipv4/ip_forward", "w", encoding="ascii") as file:
        file.write("1")

    def send():
        subprocess.run([*inside, "bash", "-c",
                        "echo x >/dev/udp/%s/4444" % FAR], check=False)
    return send


def mode_file(run):
    try:
        with open(run.conf + ".d/90-mode.conf", encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


def deciding(tap, place, run):
    send = traffic(place)
    seen = wait(lambda: send() or '"%s"' % FAR in place.call(
        "root", "Attempts").stdout, 15)
    tap.ok(seen, "(the camera's attempt was seen)", place.log())
    text = run("device", "show", "camera").stdout
    tap.ok("Would be denied:" in text and
           "allow = udp/4444 " + FAR in text,
           "device show says what it tried", text)
    tap.ok(FAR in [a["address"] for a in run.json(
        "device", "show", "camera")["attempts"]], "in JSON, too")
    done = run("enforce")
    tap.ok(done.returncode == 1 and "--yes" in done.stderr,
           "without a terminal enforce wants --yes", done.stderr)
    tap.ok("camera (02:00:00:00:00:01)" in done.stdout and
           "allow = udp/4444 " + FAR in done.stdout,
           "it lists what would stop and how to keep it", done.stdout)
    status, text = run.terminal(80, "enforce", answer="n")
    tap.ok(status == 0 and "Nothing was changed" in text,
           "a no changes nothing", text)
    status, text = run.terminal(80, "enforce", answer="")
    tap.equal((mode_file(run), place.get("Mode")), (None, "observe"),
              "an empty answer is a no")
    status, text = run.terminal(40, "enforce", "things", answer="y")
    tap.equal((status, [x for x in text.splitlines()
                        if columns_of(x) > 40]), (0, []),
              "a yes for the zone, on 40 columns")
    tap.contains(mode_file(run) or "", "[zone things]\nmode = enforce\n",
                 "is written down")
    tap.ok(wait(lambda: run.json("device", "show", "camera")["isolation"] ==
                "unverified", 5), "and in force")
    tap.ok(wait(lambda: run("status").stdout.startswith("PARTLY OBSERVING"),
                5), "the rest observes")
    done = run("enforce", "--yes")
    tap.ok(done.returncode == 0 and "ENFORCING" in done.stdout,
           "enforce --yes", done.stdout + done.stderr)
    text = mode_file(run)
    tap.ok("[gateway]\nmode = enforce\n" in text and
           "[zone things]\nmode = enforce\n" in text,
           "keeps what was decided before", text)
    tap.ok(wait(lambda: run("status").stdout.startswith("ENFORCING"), 5),
           "status says so", run("status").stdout)
    done = run("observe", "camera")
    tap.equal(done.returncode, 0, "observe camera")
    tap.ok(wait(lambda: run.json("device", "show", "camera")["isolation"] ==
                "observed", 5), "it is only watched")
    tap.equal(run.json("device", "show", "sensor")["mode"], "enforce",
              "the other is not")
    done = run("enforce", "attic", "--yes")
    tap.ok(done.returncode == 1 and "attic" in done.stderr,
           "an unknown zone or device is refused", done.stderr)
    done = run("enforce", "--yes", user="member")
    tap.ok(done.returncode == 1 and "sudo" in done.stderr,
           "a member may not decide", done.stderr)


def way_in(tap, place, run):
    os.unlink(run.conf + ".d/90-mode.conf")
    place.config(CONFIGURED.replace("[gateway]\n",
                                "[gateway]\nadmin = 192.0.2.99\n"))
    done = run("enforce", "--yes", env={
        "SSH_CONNECTION": "198.51.100.7 50000 198.51.100.1 22"})
    tap.ok("198.51.100.7 through the zone home" in done.stdout,
           "a login through the owner's zone is seen", done.stdout)
    tap.ok("admin" not in mode_file(run), "and needs nothing")
    done = run("enforce", "--yes", env={
        "SSH_CONNECTION": "192.0.2.7 50000 192.0.2.1 22"})
    tap.ok("192.0.2.7 through the zone things" in done.stdout,
           "one through the devices' zone, too", done.stdout)
    tap.contains(mode_file(run), "admin = 192.0.2.7\n", "is kept open")
    done = run("enforce", "--yes", env={
        "SSH_CONNECTION": "192.0.2.9 50000 198.51.100.1 22"})
    tap.contains(mode_file(run), "admin = 192.0.2.9\n",
                 "also if it dialled an address of the owner's zone")
    subprocess.run(["ip", "addr", "add", "192.0.4.1/24", "dev", "things0",
                    "label", "things0:1"], check=True)
    run("enforce", "--yes", env={
        "SSH_CONNECTION": "192.0.4.9 50000 192.0.4.1 22"})
    tap.contains(mode_file(run), "admin = 192.0.4.9\n",
                 "also through an address with a label")
    os.unlink(run.conf + ".d/90-mode.conf")
    run("enforce", "--yes", env={
        "SSH_CONNECTION": "192.0.2.7 50000 192.0.2.1 22"})
    run("enforce", "--yes", env={
        "SSH_CONNECTION": "192.0.2.7 50001 192.0.2.1 22"})
    tap.equal(mode_file(run).count("admin"), 1, "once")
    run("enforce", "--yes", env={
        "SSH_CONNECTION": "192.0.2.8 50001 192.0.2.1 22"})
    kept = rules_text()
    tap.ok(all(x in kept for x in ("192.0.2.7", "192.0.2.8", "192.0.2.99")),
           "beside those that the owner wrote", kept)
    run("observe")


def failing(tap, place, run):
    before = mode_file(run)
    bad = place.config("[gateway]\nmoed = enforce\n",
                       "gatehouse.conf.d/50-bad.conf")
    done = run("enforce", "--yes")
    tap.equal(done.returncode, 1, "a broken configuration stops it")
    tap.ok("moed" in done.stderr and "old file is back" in done.stderr,
           "says where, and that nothing changed", done.stderr)
    tap.equal(mode_file(run), before, "the old file is back")
    place.run("root", "sh", "-c", '"$@" 2>&1 | :', "sh", run.path,
              *run.options, "enforce", "--yes", env={"SSH_CONNECTION": ""},
              stdin=subprocess.DEVNULL)
    tap.equal(mode_file(run), before, "also if nobody reads what is said")
    done = run("config", "check")
    tap.ok(done.returncode != 0 and "moed" in done.stdout + done.stderr,
           "config check says it, too", done.stdout + done.stderr)
    done = run("config", "check", "--json")
    tap.ok(any("moed" in json.dumps(x) for x in
               [json.loads(done.stdout)]), "and in JSON", done.stdout)
    os.unlink(bad)
    tap.equal(run("config", "check").returncode, 0,
              "a good one passes")
    late = place.config("[gateway]\nmode = observe\n",
                        "gatehouse.conf.d/95-late.conf")
    done = run("enforce", "--yes")
    tap.contains(done.stdout, "later file", "a later file that counts more "
                 "is named")
    os.unlink(late)
    run("observe")


# Updates and rules

def updates(tap, place, run):
    folder = place.path("updates", "x")[:-2]
    done = run("update", "check", folder)
    tap.contains(done.stderr, "no update in", "an empty folder")
    for name in ("gatehouse_0.1.9_all.deb", "gatehouse_0.1.10_all.deb"):
        for end in ("", ".statement"):
            with open(os.path.join(folder, name + end), "wb") as file:
                file.write(b"nonsense")
    done = run("update", "check", os.path.join(folder, "x.deb"))
    tap.contains(done.stderr, "Cannot read", "a file that is not there")
    done = run("update", "check", folder)
    tap.ok("0.1.10" in done.stdout and done.returncode == 1,
           "the newest of a folder is taken, said and judged",
           done.stdout + done.stderr)
    done = run("update", "check", folder, "--json")
    said = json.loads(done.stdout or "{}")
    tap.ok(said.get("good") is False and "refused" in said["report"],
           "a refusal is told to programs, too", done.stdout + done.stderr)
    done = run("update", "apply", folder, user="member")
    tap.ok(done.returncode == 1 and "Try sudo" in done.stderr,
           "only root applies", done.stderr)
    return folder


def rules(tap, place, run):
    done = run("rules", "clear")
    tap.ok(done.returncode == 1 and "systemctl stop" in done.stderr,
           "rules clear refuses while the daemon runs", done.stderr)
    tap.equal(run("rules", "clear", user="member").returncode, 1,
              "and is root's alone")
    place.stop_daemon()
    tap.contains(tables(), "gatehouse", "the rules stay after the daemon")
    done = run("rules", "clear")
    tap.equal(done.returncode, 0, "rules clear")
    tap.ok("gatehouse" not in tables(), "and they are gone", tables())


def tables():
    return subprocess.run(["nft", "list", "tables"], stdout=subprocess.PIPE,
                          text=True, check=True).stdout


def rules_text():
    return subprocess.run(["nft", "list", "ruleset"], stdout=subprocess.PIPE,
                          text=True, check=True).stdout


class Pretender(threading.Thread):
    """Is org.gatehouse1 and becomes another version when told to update."""

    def __init__(self, place, becomes, result=None):
        super().__init__(daemon=True)
        self.bus = RawBus(place.bus_path)
        self.bus.call(SERVICE, "/org/freedesktop/DBus", SERVICE,
                      "RequestName", signature="su", arguments=[NAME, 0])
        self.version, self.becomes = "0.1.0", becomes
        self.result = result
        self.path = place.path("state", "update", "result")
        self.change_at = None
        self.over = False
        self.start()

    def run(self):
        while not self.over:
            try:
                self.bus.read(0.1)
            except (RuntimeError, OSError):
                return
            if self.change_at and time.monotonic() > self.change_at:
                self.version = self.becomes
                if self.result:
                    with open(self.path, "w", encoding="utf-8") as file:
                        file.write(self.result + "\n")
            while self.bus.calls:
                call = self.bus.calls.pop(0)
                if call.member == "Get":
                    self.bus.answer(call, "v", [("s", self.version)])
                else:
                    self.change_at = time.monotonic() + 0.5
                    self.bus.answer(call, "s", ["installing"])

    def end(self):
        self.over = True
        self.join()
        self.bus.socket.close()


def applying(tap, place, run, folder):
    other = Pretender(place, "0.1.1")
    done = run("update", "apply", folder)
    tap.ok(done.returncode == 0 and "gatehouse 0.1.0 -> 0.1.1" in
           done.stdout, "apply waits for the new version",
           done.stdout + done.stderr)
    other.end()
    other = Pretender(place, "0.1.1")
    tap.equal(run.json("update", "apply", folder),
              {"before": "0.1.0", "version": "0.1.1"}, "and says it as JSON")
    other.end()
    other = Pretender(place, "0.1.0", "failed: dpkg ended with status 1")
    done = run("update", "apply", folder)
    tap.ok(done.returncode == 1 and "dpkg ended" in done.stderr,
           "a failed installation is told", done.stdout + done.stderr)
    other.end()


def main():
    desk.hide("bus", "isolation")
    with Tap() as tap, desk.Desk() as place:
        run = Command(place)
        place.config(CONFIGURED)
        alone(tap, place, run)
        place.start_daemon(None)
        place.wait_name(15)
        reading(tap, place, run)
        widths(tap, run)
        deciding(tap, place, run)
        way_in(tap, place, run)
        failing(tap, place, run)
        folder = updates(tap, place, run)
        rules(tap, place, run)
        applying(tap, place, run, folder)


if __name__ == "__main__":
    main()
