#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# run: timeout 120
"""gatehouse backup and restore: there and back, and all that must not get
in. Nothing runs here but the command itself."""
import fcntl
import os
import pty
import select
import shutil
import subprocess
import sys
import tempfile
import time

SRC = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
STAGE = os.environ.get("GATEHOUSE_STAGE", "")
sys.path.insert(0, os.path.join(SRC, "tests", "lab"))
from tap import Tap  # noqa: E402

GATEHOUSE = os.path.join(STAGE, "usr/bin/gatehouse")
SEAL = os.path.join(STAGE, "usr/libexec/gatehouse/gatehouse-seal")
CONF = "[gateway]\nmode = observe\n\n[zone things]\ninterface = t0\n"
PIN = "[device camera]\nmac = 02:00:00:00:00:01\n"
WORDS = "correct horse battery staple"


class Place:
    """A configuration and a state folder, and the command on them."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="gatehouse-backup-")
        for name in ("etc/gatehouse.conf.d", "state/registry", "state/keys",
                     "run"):
            os.makedirs(os.path.join(self.dir, name))
        self.put("words", WORDS + "\n")

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def put(self, name, text):
        with open(self.path(name), "wb") as file:
            file.write(text.encode() if isinstance(text, str) else text)
        return self.path(name)

    def get(self, name):
        try:
            with open(self.path(name), "rb") as file:
                return file.read()
        except OSError:
            return None

    def words(self, *words):
        return [GATEHOUSE, "--config", self.path("etc/gatehouse.conf"),
                "--state", self.path("state"), "--run", self.path("run"),
                *words]

    def run(self, *words, secret="words"):
        return subprocess.run(
            self.words(*words, "--passphrase-file", self.path(secret)),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            stdin=subprocess.DEVNULL, check=False, timeout=60)

    def everything(self):
        """All files but the backups: what nothing may have changed."""
        return {os.path.relpath(os.path.join(where, name), self.dir):
                self.get(os.path.join(where, name))
                for part in ("etc", "state")
                for where, _, names in os.walk(self.path(part))
                for name in names}


def fill(place):
    place.put("etc/gatehouse.conf", CONF)
    place.put("etc/gatehouse.conf.d/90-mode.conf", PIN)
    place.put("etc/gatehouse.conf.d/README", "not ours")
    place.put("state/registry/registry.db", b"\0database" * 9000)
    place.put("state/registry/registry.db-wal", b"log")
    place.put("state/keys/ca.key", b"secret key")


def there_and_back(tap, place):
    backup = place.path("backup")
    done = place.run("backup", backup)
    tap.equal(done.returncode, 0, "a backup")
    tap.contains(" ".join(done.stdout.split()), "the configuration (2 files), "
                 "the decisions, the keys", "says what is in it")
    raw = place.get("backup")
    tap.ok(b"camera" not in raw and b"secret" not in raw and
           b"database" not in raw, "nobody can read it")
    tap.equal(os.stat(backup).st_mode & 0o777, 0o600, "only root has it")
    tap.ok(place.run("backup", backup).returncode == 1 and
           place.get("backup") == raw, "it replaces no file")
    before = place.everything()
    for name in before:
        place.put(name, "[broken")
    os.unlink(place.path("state/keys/ca.key"))
    place.put("etc/gatehouse.conf.d/99-later.conf", "[gateway]\n")
    os.chown(place.path("state/registry"), 64321, 64321)
    done = place.run("restore", backup)
    tap.equal(done.returncode, 0, "a restore " + done.stderr)
    after = place.everything()
    changed = [n for n in before if after.get(n) != before[n]]
    tap.equal(changed, ["etc/gatehouse.conf.d/README"],
              "all is what it was")
    tap.ok("etc/gatehouse.conf.d/99-later.conf" not in after,
           "what came later is gone")
    tap.ok(after.get("etc/gatehouse.conf.d.before-restore/99-later.conf") and
           after.get("etc/gatehouse.conf.before-restore") == b"[broken",
           "and kept beside it")
    tap.equal([(s.st_uid, s.st_mode & 0o777) for s in (
        os.stat(place.path("state/registry", n)) for n in
        (".", "registry.db"))], [(64321, 0o700), (64321, 0o600)],
        "the decisions are the registry's")
    tap.ok(not [n for n in after if "restoring" in n], "nothing lies about")


def hostile(tap, place):
    """Files that somebody changed, and wrong passphrases."""
    good = place.get("backup")
    before = place.everything()
    place.put("wrong", "correct horse battery stable")
    bad = {
        "one bit": good[:5000] + bytes([good[5000] ^ 1]) + good[5001:],
        "cut at the end of a chunk": good[:48 + 65536 + 16],
        "cut": good[:-1],
        "with something behind it": good + b"x",
        "of nothing": b"",
        "of something else": b"PK\3\4" * 1000,
        "that asks for 1 TB": good[:18] + b"\x1e" + good[19:],
        "of another version": good[:16] + b"\2" + good[17:],
    }
    for what, data in bad.items():
        done = place.run("restore", place.put("bad", data))
        tap.ok(done.returncode == 1 and done.stderr.startswith("gatehouse:"),
               "refused: a backup " + what, done.stdout + done.stderr)
    done = place.run("restore", place.path("backup"), secret="wrong")
    tap.ok(done.returncode == 1 and "not the passphrase" in done.stderr,
           "refused: another passphrase", done.stderr)
    tap.equal(place.everything(), before, "none of them changed anything")


def sealed(place, name, text):
    """An archive of somebody who knows the passphrase."""
    out = place.path(name)
    with open(out, "wb") as file, open(place.put("plain", text), "rb") as \
            plain, open(place.put("secret", WORDS), "rb") as secret:
        fd = secret.fileno()
        done = subprocess.run(
            ["sh", "-c", 'exec "$0" seal 3<&%d' % fd, SEAL], stdin=plain,
            stdout=file, pass_fds=[fd], check=False)
    if done.returncode:
        raise RuntimeError("gatehouse-seal: %d" % done.returncode)
    return out


def archive(*files):
    head = b"gatehouse-archive 1\ncreated 1700000000\nversion 0.1.0\n"
    return head + b"".join(
        b"%s %d\n%s\n" % (name.encode(), len(text), text.encode())
        for name, text in files) + b"end\n"


def inside(tap, place):
    """What a genuine container may hold all the same."""
    before = place.everything()
    for name in ("conf.d/../../escaped.conf", "keys/../escaped",
                 "../escaped", "/tmp/gatehouse-escaped"):
        done = place.run("restore", sealed(
            place, "evil", archive(("conf", CONF), (name, "x"))))
        tap.ok(done.returncode == 1 and "makes no sense" in done.stderr,
               "refused: a file called " + name, done.stderr)
    done = place.run("restore", sealed(place, "evil", archive(
        ("conf", "[gateway]\nmoed = observe\n"))))
    tap.ok(done.returncode == 1 and "moed" in done.stderr and
           "Nothing was changed" in " ".join(done.stderr.split()),
           "refused: a configuration that is wrong", done.stderr)
    done = place.run("restore", sealed(place, "evil", archive(
        ("conf.d/a.conf", CONF))))
    tap.equal(done.returncode, 1, "refused: no configuration at all")
    tap.equal(place.everything(), before, "nothing was changed")
    tap.ok(not os.path.exists("/tmp/gatehouse-escaped") and
           not os.path.exists(place.path("escaped")), "or made elsewhere")
    os.symlink(place.put("theirs", "theirs"),
               place.path("etc/gatehouse.conf.restoring"))
    place.put("state/keys/ca.key", "newer")
    done = place.run("restore", sealed(
        place, "good", archive(("conf", CONF))))
    tap.ok(done.returncode == 0 and place.get("theirs") == b"theirs",
           "a link in the way is not followed", done.stderr)
    tap.equal(place.get("state/keys/ca.key"), b"newer",
              "what a backup has nothing of stays")


def running(tap, place):
    with open(place.path("run/gatehoused.pid"), "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = place.run("restore", place.path("good"))
        tap.ok(done.returncode == 1 and "systemctl stop" in done.stderr,
               "not while the daemon runs", done.stderr)


def typed(place, words, answers):
    """On a terminal; (exit status, what was shown)."""
    pid, master = pty.fork()
    if pid == 0:
        try:
            os.execv(GATEHOUSE, place.words(*words))
        finally:
            os._exit(127)
    text, asked, end = b"", 0, time.monotonic() + 30
    while time.monotonic() < end:
        if not select.select([master], [], [], 1)[0]:
            continue
        try:
            text += os.read(master, 4096)
        except OSError:
            break
        if answers and text.count(b": ") > asked and text.endswith(b": "):
            asked = text.count(b": ")
            time.sleep(0.05)  # until it no longer echoes
            os.write(master, answers.pop(0).encode() + b"\n")
    os.close(master)
    return (os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]),
            text.decode(errors="replace"))


def terminal(tap, place):
    status, text = typed(place, ["backup", place.path("typed")],
                         [WORDS, WORDS])
    tap.ok(status == 0 and WORDS not in text,
           "typed twice, and never shown", text)
    status, text = typed(place, ["restore", place.path("typed")], [WORDS])
    tap.ok(status == 0 and WORDS not in text, "typed once to restore", text)
    status, text = typed(place, ["backup", place.path("other")],
                         [WORDS, WORDS + "!"])
    tap.ok(status == 1 and not os.path.exists(place.path("other")),
           "two that differ", text)
    place.put("short", "seven77\n")
    tap.contains(place.run("backup", place.path("other"),
                           secret="short").stderr, "8 to 1024",
                 "one that is too short")


def main():
    if not os.path.exists(SEAL):
        print("1..0 # SKIP built without backup")
        return
    place = Place()
    try:
        with Tap() as tap:
            fill(place)
            there_and_back(tap, place)
            hostile(tap, place)
            inside(tap, place)
            running(tap, place)
            terminal(tap, place)
    finally:
        shutil.rmtree(place.dir, ignore_errors=True)


if __name__ == "__main__":
    main()
