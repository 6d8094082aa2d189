# SPDX-License-Identifier: GPL-2.0-or-later
"""The demo's updates: in a disposable Debian root with a systemd of its own.

Packages are built and signed with keys made on the spot, while the rest of
the demo plays; the root is gone at the end.
"""
import os
import shutil
import subprocess
import tempfile
import threading
import time

from root import Root, make_tar

HERE = os.path.dirname(os.path.abspath(__file__))
SRC = os.path.dirname(os.path.dirname(HERE))
OLD, NEW = "0.0.9", "0.1.1"
CONFIG = "[gateway]\nmode = observe\n[update]\nkey = /etc/gatehouse/demo.pem\n"


def run(*args, **options):
    done = subprocess.run(
        [str(a) for a in args], stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
        check=False, **options)
    if done.returncode:
        raise RuntimeError("%s:\n%s" % (
            " ".join(map(str, args)), done.stdout))
    return done.stdout


class Updates:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="gatehouse-demo-")
        self.build = os.environ["GATEHOUSE_BUILD"]
        self.root = None
        self.error = None
        self.thread = None
        self.packages = {}
        with open(os.path.join(SRC, "VERSION"), encoding="ascii") as file:
            self.version = file.read().strip()

    # In the background

    def prepare(self):
        self.thread = threading.Thread(target=self.prepare_all)
        self.thread.start()

    def prepare_all(self):
        try:
            self.make_packages()
            self.make_root()
        except Exception as error:  # shown by show()
            self.error = error

    def path(self, name):
        return os.path.join(self.dir, name)

    def make_packages(self):
        for key in ("publisher", "somebody"):
            run("openssl", "genpkey", "-algorithm", "ed25519", "-out",
                self.path(key + ".key"))
        run("openssl", "pkey", "-in", self.path("publisher.key"), "-pubout",
            "-out", self.path("publisher.pem"))
        for version in (self.version, NEW):
            self.packages[version] = run(
                os.path.join(SRC, "packaging", "build-deb"), "--fast",
                "--version", version, self.path("built")).split()[-1]
        self.packages[OLD] = self.repack(self.packages[self.version], OLD)

    def repack(self, package, version):
        """The same files with another version on the label."""
        folder = self.path("repack")
        run("dpkg-deb", "-R", package, folder)
        control = os.path.join(folder, "DEBIAN", "control")
        run("sed", "-i", "s/^Version:.*/Version: " + version + "/", control)
        out = self.path("gatehouse_%s.deb" % version)
        run("dpkg-deb", "--root-owner-group", "-Zgzip", "-b", folder, out)
        return out

    def make_root(self):
        self.root = Root(make_tar(os.path.join(self.build, "lab-root.tar")),
                         self.dir)
        self.root.__enter__()
        self.root.boot()
        self.root.put(self.packages[self.version], "/root/first.deb")
        self.root.put(self.path("publisher.pem"), "/etc/gatehouse/demo.pem")
        self.root.write("/etc/gatehouse/gatehouse.conf.d/demo.conf", CONFIG)
        self.root.run("dpkg", "-i", "/root/first.deb")
        end = time.monotonic() + 30
        while self.root.run("gatehouse", "status", check=False).returncode:
            if time.monotonic() > end:
                raise RuntimeError("not running in the root:\n" + self.root.run(
                    "journalctl", "-u", "gatehouse", "--no-pager",
                    check=False).stdout)
            time.sleep(0.2)

    # On the stage

    def offer(self, name, version, key="publisher", harm=None):
        """Puts a package and its statement into the root; its path there."""
        package = self.path(name + ".deb")
        shutil.copyfile(self.packages[version], package)
        statement = run(os.path.join(SRC, "packaging", "sign-release"),
                        self.path(key + ".key"), package)
        if harm == "package":
            with open(package, "r+b") as file:
                file.seek(-100, os.SEEK_END)
                byte = file.read(1)
                file.seek(-100, os.SEEK_END)
                file.write(bytes([byte[0] ^ 1]))
        elif harm == "statement":
            statement = statement.replace("version " + version,
                                          "version 9.9.9")
        place = "/root/%s.deb" % name
        self.root.put(package, place)
        self.root.write(place + ".statement", statement)
        return place

    def show(self, stage):
        stage.step("Updates of gatehouse itself, in a disposable Debian")
        began = time.monotonic()
        self.thread.join()
        waited = time.monotonic() - began
        if self.error:
            stage.verdict(False, "the disposable root is there", self.error)
            return
        stage.came("gatehouse %s runs there, under a systemd of its own "
                   "(waited %d s for it)" % (self.version, waited))
        for what, name, options in (
                ("a package with one bit changed", "changed",
                 {"version": NEW, "harm": "package"}),
                ("a changed statement", "restated",
                 {"version": NEW, "harm": "statement"}),
                ("an older version, rightly signed", "older",
                 {"version": OLD}),
                ("a new version, signed by somebody else", "foreign",
                 {"version": NEW, "key": "somebody"})):
            self.refused(stage, what, self.offer(name, **options))
        self.good(stage, self.offer("good", NEW))

    def refused(self, stage, what, place):
        stage.tried("gatehouse update apply: " + what)
        before = self.daemon_pid()
        done = self.root.run("gatehouse", "update", "apply", place,
                             check=False, timeout=150)
        stage.came(" ".join(done.stdout.split()))
        stage.verdict(
            done.returncode != 0 and done.stdout.strip() and
            self.installed() == self.version and
            self.daemon_pid() == before, "refused, and nothing changed",
            done.stdout)

    def good(self, stage, place):
        stage.tried("gatehouse update apply: version %s, by its publisher" %
                    NEW)
        done = self.root.run("gatehouse", "update", "apply", place,
                             check=False, timeout=150)
        stage.came(" ".join(done.stdout.split()))
        running = self.root.run("gatehouse", "status", check=False).stdout
        stage.verdict(
            done.returncode == 0 and self.installed() == NEW and
            NEW in running, "installed, and it runs as the new version",
            done.stdout + running + self.root.run(
                "journalctl", "--no-pager", "-n", "40", check=False).stdout)

    def installed(self):
        return self.root.run("dpkg-query", "-W", "-f", "${Version}",
                             "gatehouse").stdout.strip()

    def daemon_pid(self):
        return self.root.run("systemctl", "show", "-p", "MainPID",
                             "gatehouse").stdout.strip()

    def close(self):
        if self.thread:
            self.thread.join()
        if self.root:
            self.root.__exit__(None, None, None)
            self.root = None
        shutil.rmtree(self.dir, ignore_errors=True)
