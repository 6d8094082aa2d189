#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Updates through a running daemon: who is judged, what is staged, and how
the installer is started. A script that only takes notes stands in for the
installer; the real one is tried in tests/netns/test_package.py.
"""
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
import desk  # noqa: E402
from desk import CONFIG, MANAGER, NAME, ROOT, wait  # noqa: E402
from rawbus import RETURN, RawBus  # noqa: E402
sys.path.insert(0, os.path.join(desk.SRC, "tests", "lab"))
from tap import Tap  # noqa: E402

PACKAGE = bytes(range(256)) * 300
NOTES = """#!/bin/sh
# Takes notes and installs nothing.
{ for word; do echo "$word"; done; } >%(notes)s/argv
env | cut -d= -f1 | sort >%(notes)s/env
cp "$3/statement" "$3/package" %(notes)s/
stat -c '%%a %%U' "$3" "$3/statement" "$3/package" >%(notes)s/modes
cat /proc/self/cgroup >%(notes)s/cgroup
touch %(notes)s/done
"""


def sh(*words):
    return subprocess.run(words, check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE).stdout


class Publisher:
    def __init__(self, place, name, kind):
        self.private = place.path("keys", name + ".key")
        self.public = place.path("keys", name + ".pem")
        self.kind = kind
        how = (["-algorithm", "ed25519"] if kind == "ed25519" else
               ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"])
        sh("openssl", "genpkey", "-out", self.private, *how)
        sh("openssl", "pkey", "-in", self.private, "-pubout", "-out",
           self.public)

    def sign(self, package=PACKAGE, name="gatehouse", version="99.0",
             architecture=None):
        text = ("gatehouse-statement 1\nname %s\nversion %s\n"
                "architecture %s\nlength %d\nsha256 %s\n" % (
                    name, version, architecture or ARCHITECTURE,
                    len(package), hashlib.sha256(package).hexdigest()))
        facts = self.private + ".facts"
        with open(facts, "w", encoding="ascii") as file:
            file.write(text)
        if self.kind == "ed25519":
            made = sh("openssl", "pkeyutl", "-sign", "-inkey", self.private,
                      "-rawin", "-in", facts)
        else:
            made = sh("openssl", "dgst", "-sha256", "-sign", self.private,
                      facts)
        return ("%ssignature %s %s\n" % (text, self.kind, made.hex())
                ).encode()


ARCHITECTURE = sh("dpkg", "--print-architecture").decode().strip() \
    if shutil.which("dpkg") else "amd64"


def memory(data):
    fd = os.memfd_create("test")
    os.write(fd, data)
    return fd


def ask(place, verb, statement, package=PACKAGE):
    """(good, what was said)"""
    fds = [memory(statement), memory(package)]
    with RawBus(place.bus_path) as bus:
        answer = bus.call(NAME, ROOT, MANAGER, verb, signature="hh",
                          arguments=[0, 1], fds=fds)
    for fd in fds:
        os.close(fd)
    if answer is None:
        return False, "no answer"
    return answer.kind == RETURN, str(answer.body[0])


def with_key(path):
    return CONFIG + "\n[update]\nkey = %s\n" % path


def replace_installer(place):
    """Only this test's own mounts see it."""
    notes = os.path.dirname(place.path("notes", "x"))
    script = place.path("fake-install")
    with open(script, "w", encoding="ascii") as file:
        file.write(NOTES % {"notes": notes})
    os.chmod(script, 0o755)
    sh("mount", "--bind", script,
       place.program("usr/libexec/gatehouse/gatehouse-install"))
    if os.path.isdir("/run/systemd"):
        sh("mount", "-t", "tmpfs", "none", "/run/systemd")
    return notes


def no_publisher(tap, place, ours):
    for verb in ("UpdateCheck", "UpdateApply"):
        good, said = ask(place, verb, ours.sign())
        tap.ok(not good and "no publisher configured" in said,
               verb + " without a key says so", said)


def judges(tap, place, ours, foreign):
    good, said = ask(place, "UpdateCheck", ours.sign())
    tap.ok(good and "99.0" in said, "a good %s one is good" % ours.kind, said)
    changed = bytearray(PACKAGE)
    changed[40000] ^= 4
    for what, statement, package, why in (
            ("older", ours.sign(version="0.0.1"), PACKAGE, "older than"),
            ("foreign", foreign.sign(), PACKAGE, "somebody else"),
            ("for another machine", ours.sign(architecture="vax"), PACKAGE,
             "made for vax"),
            ("of another name", ours.sign(name="doorhouse"), PACKAGE,
             "a package of doorhouse"),
            ("changed", ours.sign(), bytes(changed), "was changed"),
            ("cut", ours.sign(), PACKAGE[:-1], "shorter"),
            ("lengthened", ours.sign(), PACKAGE + b"x", "longer"),
            ("without a statement", b"", PACKAGE, "line 1"),
            ("with a huge statement", ours.sign() + b"x" * 100000, PACKAGE,
             "too long")):
        for verb in ("UpdateCheck", "UpdateApply"):
            good, said = ask(place, verb, statement, package)
            tap.ok(not good and why in said,
                   "%s: one %s is refused" % (verb, what), said)


def reports(tap, place, ours, notes):
    state = os.path.join(place.dir, "state", "update")
    statement = ours.sign()
    tap.ok(not os.path.exists(os.path.join(state, "package")),
           "nothing was staged so far")
    good, said = ask(place, "UpdateApply", statement)
    tap.ok(good and "installing 99.0" in said, "a good one is installed",
           said)
    tap.ok(wait(lambda: os.path.exists(os.path.join(notes, "done"))),
           "the installer was started", place.log())

    def note(name):
        with open(os.path.join(notes, name), "rb") as file:
            return file.read()
    tap.equal(note("argv").decode().split("\n")[:-1],
              ["--key", ours.public, state],
              "it was told the key and the folder, and nothing else")
    tap.ok(set(note("env").decode().split()) <=
           {"PATH", "LC_ALL", "PWD", "SHLVL", "OLDPWD", "_"},
           "it got an environment of its own", note("env").decode())
    tap.equal(note("statement"), statement, "the staged statement is ours")
    tap.equal(note("package"), PACKAGE, "so is the staged package")
    tap.equal(note("modes").decode().split("\n")[:-1],
              ["700 root", "600 root", "600 root"], "only root reads them")
    os.unlink(os.path.join(notes, "done"))


def busy(tap, place, ours, notes):
    state = os.path.join(place.dir, "state", "update")
    folder = os.open(state, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    good, said = ask(place, "UpdateApply", ours.sign())
    tap.ok(not good and "under way" in said,
           "while an installer works, there is no second one", said)
    os.close(folder)
    tap.ok(not os.path.exists(os.path.join(notes, "done")),
           "and none was started")
    good, said = ask(place, "UpdateApply", ours.sign())
    tap.ok(good and wait(lambda: os.path.exists(
        os.path.join(notes, "done"))), "after it there is", said)


def survives_its_worker(tap, place, ours):
    pid = place.worker("update")
    os.kill(pid, signal.SIGSTOP)
    fds = [memory(ours.sign()), memory(PACKAGE)]
    with RawBus(place.bus_path) as bus:
        serial = bus.send(NAME, ROOT, MANAGER, "UpdateCheck", signature="hh",
                          arguments=[0, 1], fds=fds)
        bus.read(0.5)
        os.kill(pid, signal.SIGKILL)
        answer = bus.wait_reply(serial)
    for fd in fds:
        os.close(fd)
    tap.ok(answer is not None and answer.kind != RETURN and
           # It may have been asked before it was killed, or not any more.
           ("interrupted" in answer.body[0] or
            "not running" in answer.body[0]),
           "whoever waits for a killed worker is told so",
           answer and answer.body)
    tap.ok(wait(lambda: place.worker("update") not in (None, pid)),
           "it comes back")
    tap.ok(wait(lambda: ask(place, "UpdateCheck", ours.sign())[0]),
           "and knows its key again", place.log())


def bad_keys(tap, place, ours):
    bad = place.path("keys", "bad.pem")
    with open(bad, "w", encoding="ascii") as file:
        file.write("-----BEGIN PUBLIC KEY-----\nQUFBQQ==\n"
                   "-----END PUBLIC KEY-----\n")
    for what, path, why in (
            ("that is none", bad, "not an Ed25519 or ECDSA"),
            ("that is not there", "/nonexistent.pem", "/nonexistent.pem"),
            ("that is private", ours.private, "not a public key")):
        place.config(with_key(path))
        done = place.call("root", "Reload")
        tap.ok(done.returncode != 0 and why in done.stdout + done.stderr,
               "a key %s is refused on reload" % what,
               done.stdout + done.stderr)
    tap.ok(ask(place, "UpdateCheck", ours.sign())[0],
           "the old key stays in force")


def warns(tap, place, ours):
    result = os.path.join(place.dir, "state", "update", "result")
    place.config(with_key(ours.public))
    for line, expected in (("failed: dpkg ended with status 1", True),
                           ("installed 99.0", False),
                           ("refused: signed by somebody else", True),
                           ("installed 99.1", False),
                           ("installing 99.2 over 99.1", True)):
        with open(result, "w", encoding="ascii") as file:
            file.write(line + "\n")
        place.call("root", "Reload")
        told = wait(lambda: (line in str(place.get("Warnings"))) == expected
                    and ("update.failed" in str(place.get("Warnings"))
                         ) == expected, 5)
        tap.ok(told, "\"%s\" is %s warning" % (
            line, "a" if expected else "no"), place.get("Warnings"))
    folder = os.open(os.path.dirname(result), os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    place.call("root", "Reload")
    tap.ok(wait(lambda: "update.failed" not in str(place.get("Warnings")), 5),
           "nor is that one while it is installed", place.get("Warnings"))
    os.close(folder)


def main():
    desk.hide()
    with Tap() as tap:
        if not shutil.which("openssl") or not shutil.which("dbus-daemon"):
            tap.skip("updates", "openssl or dbus-daemon is missing")
            return
        with desk.Desk() as place:
            notes = replace_installer(place)
            ours = Publisher(place, "ours", "ed25519")
            second = Publisher(place, "second", "ecdsa-p256")
            place.start_bus()
            place.start_daemon()
            place.wait_name()
            no_publisher(tap, place, ours)
            for publisher, other in ((ours, second), (second, ours)):
                place.config(with_key(publisher.public))
                place.call("root", "Reload")
                judges(tap, place, publisher, other)
            place.config(with_key(ours.public))
            place.call("root", "Reload")
            reports(tap, place, ours, notes)
            busy(tap, place, ours, notes)
            survives_its_worker(tap, place, ours)
            bad_keys(tap, place, ours)
            warns(tap, place, ours)


if __name__ == "__main__":
    main()
