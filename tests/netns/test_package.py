#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# run: timeout 600
# run: alone
"""The Debian package in a disposable root with a real systemd and dpkg:
installed, enforcing, upgraded by a signed update, removed, purged.

GATEHOUSE_PACKAGES=DIR keeps the packages that it builds, and uses them again.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SRC = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(HERE, "..", "lab"))
from root import NoRoot, Root, make_tar  # noqa: E402
from tap import Tap  # noqa: E402

BUILD = os.environ.get("GATEHOUSE_BUILD", os.path.join(SRC, "build"))
UNIT = "gatehouse.service"
EARLY = "gatehouse-early.service"
WORKERS = ["isolation", "proxy", "support", "update", "bus",
           "discovery", "registry"]
STAGE = "/var/lib/gatehouse/update"
INSTALL = "/usr/libexec/gatehouse/gatehouse-install"
CLOUD = "10.99.0.2"
CAMERA_MAC = "02:00:00:00:77:02"

ENFORCE = """
[gateway]
mode = enforce
[zone iot]
interface = br-iot
role = devices
[zone internet]
interface = wan0
role = uplink
[device camera]
mac = %s
allow = tcp/80 %s
[upgrade web]
protocol = http
port = 80
upstream-port = 443
[proxy]
authorities = /root/ca.pem
""" % (CAMERA_MAC, CLOUD)

NETWORK = """
set -e
ip link add br-iot type bridge
ip addr add 10.77.0.1/24 dev br-iot
ip link set br-iot up
for name in cam other cloud; do ip netns add $name; done
plug() { # namespace, our end, its address
	ip link add $2 type veth peer name eth0 netns $1
	ip -n $1 link set lo up
	ip -n $1 link set eth0 address $4 up
	ip -n $1 addr add $3 dev eth0
	ip link set $2 up
}
plug cam p-cam 10.77.0.2/24 %s
plug other p-other 10.77.0.3/24 02:00:00:00:77:03
plug cloud wan0 10.99.0.2/24 02:00:00:00:99:02
ip link set p-cam master br-iot
ip link set p-other master br-iot
ip addr add 10.99.0.1/24 dev wan0
for name in cam other; do ip -n $name route add default via 10.77.0.1; done
ip -n cloud route add default via 10.99.0.1
""" % CAMERA_MAC

# Looks all the time whether the rules are there and the camera is blocked.
SAMPLER = """
n=0
while [ ! -e /root/stop ]; do
	n=$((n + 1))
	nft list table inet gatehouse >/dev/null 2>&1 || echo gone
	nft list table bridge gatehouse >/dev/null 2>&1 || echo gone
	ip netns exec cam ping -c 1 -W 0.1 10.99.0.2 >/dev/null 2>&1 &&
		echo leaked
	sleep 0.02
done
echo looked $n times
"""


def sh(*args, **options):
    return subprocess.run([str(a) for a in args], check=True, text=True,
                          stdout=subprocess.PIPE, **options).stdout


class Publisher:
    """A key on the spot, and what it signs."""

    def __init__(self, folder, name, kind):
        self.private = os.path.join(folder, name + ".key")
        self.public = os.path.join(folder, name + ".pem")
        how = (["-algorithm", "ed25519"] if kind == "ed25519" else
               ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"])
        sh("openssl", "genpkey", "-out", self.private, *how)
        sh("openssl", "pkey", "-in", self.private, "-pubout", "-out",
           self.public)

    def sign(self, package):
        return sh(os.path.join(SRC, "packaging", "sign-release"),
                  self.private, package)


class Packages:
    """Two real packages, and others made from them."""

    def __init__(self, folder):
        self.folder = folder
        keep = os.environ.get("GATEHOUSE_PACKAGES")
        self.keep = os.path.abspath(keep) if keep else folder
        os.makedirs(self.keep, exist_ok=True)
        if not os.path.exists(os.path.join(self.keep, "ours.key")):
            Publisher(self.keep, "ours", "ed25519")
        self.ours = Publisher.__new__(Publisher)
        self.ours.private = os.path.join(self.keep, "ours.key")
        self.ours.public = os.path.join(self.keep, "ours.pem")
        self.second = Publisher(folder, "second", "ecdsa")
        self.foreign = Publisher(folder, "foreign", "ed25519")

    def build(self, version):
        arch = sh("dpkg", "--print-architecture").strip()
        path = os.path.join(
            self.keep, "gatehouse_%s_%s.deb" % (version, arch))
        if not os.path.exists(path):
            sh(os.path.join(SRC, "packaging", "build-deb"), "--fast",
               "--version", version, "--update-key", self.ours.public,
               self.keep)
        return path

    def pretend(self, package, name, preinst=None, **fields):
        """The same package with other words in its control file."""
        tree = os.path.join(self.folder, name)
        sh("dpkg-deb", "-R", package, tree)
        control = os.path.join(tree, "DEBIAN", "control")
        with open(control, encoding="utf-8") as file:
            text = file.read()
        for key, value in fields.items():
            text = re.sub(r"(?m)^%s: .*$" % key, "%s: %s" % (key, value),
                          text)
        with open(control, "w", encoding="utf-8") as file:
            file.write(text)
        if preinst:
            path = os.path.join(tree, "DEBIAN", "preinst")
            with open(path, "w", encoding="utf-8") as file:
                file.write("#!/bin/sh\n" + preinst)
            os.chmod(path, 0o755)
        out = os.path.join(self.folder, name + ".deb")
        sh("dpkg-deb", "-Znone", "--root-owner-group", "-b", tree, out)
        shutil.rmtree(tree)
        return out


class Gateway:
    """The root with gatehouse in it, as its owner sees it."""

    def __init__(self, root):
        self.root = root

    def network(self):
        self.root.sysctl("ipv4/ip_forward", 1)
        self.root.run("sh", "-c", NETWORK)

    def pings(self, namespace="cam", to=CLOUD):
        return self.root.run("ip", "netns", "exec", namespace, "ping", "-c",
                             "1", "-W", "1", to, check=False).returncode == 0

    def wait(self, condition, seconds=20):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                return False
            time.sleep(0.1)
        return True

    def show(self, *names):
        text = self.root.run("systemctl", "show", UNIT, "-p",
                             ",".join(names)).stdout
        return dict(line.split("=", 1) for line in text.splitlines())

    def active(self):
        return self.show("ActiveState")["ActiveState"] == "active"

    def version(self):
        return self.root.run("dpkg-query", "-W", "-f", "${Version}",
                             "gatehouse", check=False).stdout

    def tables(self):
        return self.root.run("nft", "list", "tables").stdout

    def journal(self, unit="gatehouse"):
        return self.root.run("journalctl", "-b", "--no-pager", "-n", "60",
                             "-u", unit, check=False).stdout

    def user_names(self):
        text = self.root.run("getent", "passwd").stdout + self.root.run(
            "getent", "group").stdout
        return sorted({line.split(":")[0] for line in text.splitlines()
                       if line.startswith("gatehouse")})

    def on_bus(self):
        return self.root.run("gatehouse", "status", check=False
                             ).returncode == 0

    def update(self, verb, package, statement, seconds=60):
        """gatehouse update check|apply; (exit status, what it said). It
        waits for a new version: those that only pretend never come."""
        folder = self.root.outside("/root/update")
        shutil.rmtree(folder, ignore_errors=True)
        os.mkdir(folder)
        name = os.path.basename(package)
        shutil.copyfile(package, os.path.join(folder, name))
        with open(os.path.join(folder, name + ".statement"), "w",
                  encoding="utf-8", newline="\n") as file:
            file.write(statement)
        done = self.root.run("timeout", seconds, "gatehouse", "update", verb,
                             "/root/update/" + name, check=False)
        return done.returncode, " ".join(done.stdout.split())


def installs(tap, gate, package):
    root = gate.root
    root.put(package, "/root/first.deb")
    root.run("dpkg", "-i", "/root/first.deb")
    tap.ok(gate.wait(gate.active), "after dpkg -i the daemon is ready",
           gate.journal())
    tap.equal(gate.user_names(),
              sorted(["gatehouse"] + ["gatehouse-" + w for w in WORKERS]),
              "sysusers made the group and a user for each process")
    tap.equal(root.run("gatehoused", "--version").stdout.splitlines()[0],
              "gatehoused 0.1.0", "it is the version of the package")
    tap.equal(root.run("systemctl", "is-enabled", UNIT).stdout.strip(),
              "enabled", "it starts at every boot")
    tap.equal(root.run("systemctl", "is-enabled", EARLY).stdout.strip(),
              "enabled", "and so do the last rules, before it")
    workers = root.run("ps", "-eo", "user:32=,args=").stdout
    for name in WORKERS:
        tap.ok(re.search(r"(?m)^gatehouse-%s +%s " % (name, name), workers),
               "the worker %s runs as gatehouse-%s" % (name, name), workers)
    tap.ok(gate.pings() and gate.pings("cam", "10.77.0.3"),
           "the shipped configuration observes: everything passes")
    tap.ok(gate.wait(gate.on_bus), "gatehouse status reaches it on the bus",
           root.run("gatehouse", "status", check=False).stdout +
           gate.journal())
    exposure = root.run("systemd-analyze", "security", "--no-pager", UNIT,
                        check=False).stdout.splitlines()
    score = re.search(r"(\d+\.\d+)", exposure[-1] if exposure else "")
    tap.ok(score and float(score.group(1)) < 5.0,
           "systemd calls the unit's exposure below 5.0",
           "\n".join(exposure))


def enforces(tap, gate):
    root = gate.root
    root.write("/etc/gatehouse/gatehouse.conf.d/50-test.conf", ENFORCE)
    root.run("systemctl", "reload", UNIT)
    tap.ok(gate.wait(lambda: not gate.pings()),
           "enforcing, the camera reaches nothing", gate.journal())
    tap.ok(not gate.pings("cam", "10.77.0.3"),
           "enforcing, it does not reach its neighbour either")
    tables = gate.tables()
    tap.ok("table inet gatehouse" in tables and
           "table bridge gatehouse" in tables, "both tables are there",
           tables)
    root.write("/etc/gatehouse/gatehouse.conf.d/60-bad.conf",
               "[gateway]\nmode = nonsense\n")
    root.run("systemctl", "reload", UNIT, check=False)
    time.sleep(0.5)
    tap.ok(gate.active() and not gate.pings(),
           "a bad reload changes nothing", gate.journal())
    os.unlink(root.outside("/etc/gatehouse/gatehouse.conf.d/60-bad.conf"))
    root.run("systemctl", "restart", UNIT)
    tap.ok(gate.active() and not gate.pings(),
           "after a restart the camera is still blocked")


def make_certificates(root, folder):
    """An authority, and a certificate for cloud.example of it."""
    def path(name):
        return os.path.join(folder, name)
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-days", "2"]
    quiet = {"stderr": subprocess.DEVNULL}
    sh("openssl", "req", "-x509", *curve, "-subj", "/CN=test authority",
       "-keyout", path("ca.key"), "-out", path("ca.pem"), **quiet)
    sh("openssl", "req", *curve, "-subj", "/CN=cloud.example", "-keyout",
       path("cloud.key"), "-out", path("cloud.csr"), **quiet)
    with open(path("names"), "w", encoding="ascii") as file:
        file.write("subjectAltName=DNS:cloud.example\n")
    sh("openssl", "x509", "-req", "-in", path("cloud.csr"), "-CA",
       path("ca.pem"), "-CAkey", path("ca.key"), "-CAcreateserial", "-days",
       "2", "-extfile", path("names"), "-out", path("cloud.pem"), **quiet)
    for name in ("ca.pem", "cloud.pem", "cloud.key"):
        root.put(path(name), "/root/" + name)


def carries_into_tls(tap, gate):
    """The whole job inside the unit's walls."""
    root = gate.root
    server = root.popen(
        "ip", "netns", "exec", "cloud", "openssl", "s_server", "-quiet",
        "-accept", "443", "-cert", "/root/cloud.pem", "-key",
        "/root/cloud.key", "-www", stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)

    def get(host):
        return root.run(
            "ip", "netns", "exec", "cam", "nc", "-w", "5", CLOUD, "80",
            stdin="GET / HTTP/1.0\r\nHost: %s\r\n\r\n" % host,
            check=False).stdout
    tap.ok(gate.wait(lambda: "200 ok" in get("cloud.example"), 10),
           "the camera's plain HTTP arrives at a TLS server",
           get("cloud.example") + gate.journal())
    tap.ok("200 ok" not in get("other.example"),
           "a wrong name is refused")
    root.run("pkill", "-x", "openssl")
    server.wait(10)


def flip(text, at):
    """The statement with one digit changed into another."""
    return text[:at] + ("1" if text[at] == "0" else "0") + text[at + 1:]


def bad_updates(packages, new):
    """(what is wrong with it, package, statement, part of the reason)"""
    ours, foreign = packages.ours, packages.foreign
    good = ours.sign(new)
    with open(new, "rb") as file:
        data = bytearray(file.read())
    data[len(data) // 2] ^= 1
    changed = os.path.join(packages.folder, "changed.deb")
    with open(changed, "wb") as file:
        file.write(data)
    older = packages.pretend(new, "older", Version="0.0.9")
    same = packages.pretend(new, "same", Version="0.1.0")
    arm = packages.pretend(new, "arm", Architecture="riscv64")
    other = packages.pretend(new, "other", Package="gatehose")
    at = good.index("version 0.1.1") + len("version 0.")
    return [
        ("a tampered version", new, flip(good, at), "somebody else"),
        ("a tampered signature", new, flip(good, len(good) - 9),
         "somebody else"),
        ("a tampered package", changed, good,
         "changed after it was signed"),
        ("an older version", older, ours.sign(older),
         "older than what runs here (0.1.0)"),
        ("the same version", same, ours.sign(same), "already"),
        ("another architecture", arm, ours.sign(arm), "made for riscv64"),
        ("another package", other, ours.sign(other), "a package of gatehose"),
        ("another signer", new, foreign.sign(new), "somebody else"),
        ("no signature", new, good[:good.index("signature")], "line 7"),
        ("nothing stated", new, "", "line 1"),
    ]


def installer_judges_itself(tap, gate, cases):
    """Whoever could write to the staging folder gains nothing."""
    root = gate.root
    for what, package, statement, why in cases:
        root.put(package, STAGE + "/package")
        root.write(STAGE + "/statement", statement)
        done = root.run(INSTALL, STAGE, check=False)
        result = root.read(STAGE + "/result")
        tap.ok(done.returncode != 0 and result.startswith("refused: ") and
               why in result and gate.version() == "0.1.0" and
               not root.exists(STAGE + "/package"),
               "the installer by itself refuses " + what,
               done.stdout + result)
    done = root.run(INSTALL, STAGE, check=False)
    tap.ok(done.returncode != 0 and
           "no update is staged" in root.read(STAGE + "/result"),
           "without a staged update it does nothing", done.stdout)


def refuses_bad_updates(tap, gate, cases):
    before = gate.show("MainPID")
    for what, package, statement, why in cases:
        for verb in ("check", "apply"):
            status, said = gate.update(verb, package, statement)
            tap.ok(status != 0 and why in said and
                   gate.version() == "0.1.0",
                   "update %s refuses %s and says why" % (verb, what),
                   "exit status %d: %s" % (status, said))
    tap.equal(gate.show("MainPID"), before, "the daemon ran on meanwhile")


def upgrades(tap, gate, packages, new):
    root = gate.root
    statement = packages.ours.sign(new)
    before = gate.show("MainPID")
    status, said = gate.update("check", new, statement)
    tap.ok(status == 0 and "0.1.1" in said, "update check likes a good one",
           said)
    tap.equal(gate.version(), "0.1.0", "update check installs nothing")
    with tempfile.TemporaryFile("w+") as log:
        sampler = root.popen("sh", "-c", SAMPLER, stdout=log)
        status, said = gate.update("apply", new, statement)
        tap.ok(status == 0 and "installing 0.1.1" in said,
               "update apply starts to install a good one", said)
        tap.ok(gate.wait(lambda: root.read(STAGE + "/result").startswith(
            "installed")), "the installer says that it is done",
               root.read(STAGE + "/result") +
               gate.journal("gatehouse-install"))
        tap.ok(gate.wait(lambda: gate.active() and
                         gate.show("MainPID") != before),
               "the daemon came back", gate.journal())
        time.sleep(0.5)
        root.write("/root/stop", "")
        sampler.wait(20)
        log.seek(0)
        seen = log.read()
    tap.equal(gate.version(), "0.1.1", "dpkg has the new version")
    tap.equal(root.run("gatehoused", "--version").stdout.splitlines()[0],
              "gatehoused 0.1.1", "the daemon is the new version")
    tap.ok("gone" not in seen and "leaked" not in seen and
           re.search(r"looked \d{2,} times", seen),
           "all the time both tables were there and the camera blocked",
           seen)
    tap.ok(gate.wait(gate.on_bus), "it is on the bus again", gate.journal())
    version = json.loads(root.run("gatehouse", "status", "--json").stdout)
    tap.contains(json.dumps(version), "0.1.1", "and says who it is")
    tap.ok(not root.exists(STAGE + "/package"), "nothing stays staged")
    status, said = gate.update("apply", new, statement)
    tap.ok(status != 0 and "already" in said,
           "the same update once more is refused", said)


def installs_outside_the_daemon(tap, gate, packages, new):
    """Also where no systemd could start the installer."""
    root = gate.root
    record = "cat /proc/self/cgroup >/root/cgroup-$$; mv /root/cgroup-$$ " \
        "/root/cgroup\n"
    next_one = packages.pretend(new, "next", record, Version="0.1.2")
    said = gate.update("apply", next_one,
                       packages.ours.sign(next_one), 4)[1]
    tap.ok(gate.wait(lambda: gate.version() == "0.1.2") and
           "/gatehouse-install.service" in root.read("/root/cgroup"),
           "systemd runs the installer as a unit of its own", said)
    gate.wait(lambda: root.read(STAGE + "/result") == "installed 0.1.2\n")
    os.unlink(root.outside("/root/cgroup"))

    root.run("systemctl", "stop", UNIT)
    daemon = root.popen(
        "unshare", "--mount", "sh", "-c",
        "mkdir /sys/fs/cgroup/daemon && "
        "echo 0 >/sys/fs/cgroup/daemon/cgroup.procs && "
        "mount -t tmpfs none /run/systemd && exec gatehoused -d",
        stderr=subprocess.DEVNULL)
    gate.wait(gate.on_bus)
    last = packages.pretend(new, "last", record, Version="0.1.3")
    said = gate.update("apply", last, packages.ours.sign(last), 4)[1]
    tap.ok(gate.wait(
        lambda: gate.version() == "0.1.3" and
        root.read(STAGE + "/result") == "installed 0.1.3\n"),
           "without systemd the installer does it too",
           said + root.read(STAGE + "/result"))
    tap.equal(root.read("/root/cgroup").split()[-1], "0::/",
              "and has left the daemon's cgroup then")
    root.run("pkill", "-x", "gatehoused")
    daemon.wait(20)
    root.run("systemctl", "start", UNIT)


def takes_another_key(tap, gate, packages, new):
    """[update] key replaces the built-in one; ECDSA this time."""
    root = gate.root
    newer = packages.pretend(new, "newer", Version="0.2.0~rc1")
    root.put(packages.second.public, "/etc/gatehouse/publisher.pem")
    root.write("/etc/gatehouse/gatehouse.conf.d/70-key.conf",
               "[update]\nkey = /etc/gatehouse/publisher.pem\n")
    root.run("systemctl", "restart", UNIT)
    gate.wait(gate.on_bus)
    status, said = gate.update("check", newer, packages.second.sign(newer))
    tap.ok(status == 0, "an ECDSA key from the configuration is believed",
           said)
    status, said = gate.update("check", newer, packages.ours.sign(newer))
    tap.ok(status != 0 and "somebody else" in said,
           "the built-in one is not believed any more", said)
    root.run("systemctl", "stop", UNIT)
    root.put(newer, STAGE + "/package")
    root.write(STAGE + "/statement", packages.ours.sign(newer))
    root.run(INSTALL, "--key", "/etc/gatehouse/publisher.pem", STAGE,
             check=False)
    tap.contains(root.read(STAGE + "/result"), "somebody else",
                 "nor by the installer with that key")
    os.unlink(root.outside("/etc/gatehouse/gatehouse.conf.d/70-key.conf"))
    root.run("systemctl", "start", UNIT)


def removes(tap, gate):
    root = gate.root
    tap.ok(not gate.pings(), "before the removal the camera is blocked")
    root.run("dpkg", "-r", "gatehouse")
    tap.equal(gate.tables().strip(), "", "dpkg -r leaves no table")
    tap.ok(gate.pings() and gate.pings("cam", "10.77.0.3"),
           "after dpkg -r the network works", gate.tables())
    tap.ok(not root.exists("/var/lib/gatehouse/isolation.wanted"),
           "nor any rules for the next boot")
    links = root.run("bridge", "-d", "link").stdout
    tap.ok("isolated on" not in links, "no port stays isolated", links)
    tap.ok("gatehouse" not in root.run("ps", "-eo", "args=").stdout,
           "no process stays")
    rules = root.run("ip", "rule").stdout + root.run("ip", "-6", "rule").stdout
    tap.ok(all(line.split(":")[0] in ("0", "32766", "32767")
               for line in rules.splitlines()), "no routing rule stays",
           rules)
    tap.ok(root.exists("/etc/gatehouse/gatehouse.conf"),
           "dpkg -r keeps the configuration")
    root.reboot()
    gate.network()
    tap.equal(gate.tables().strip(), "", "nor is there one after a reboot")
    tap.ok(gate.pings(), "the network works after a reboot")


def comes_back(tap, gate, new):
    """Installed again over what a removal left; then a reboot."""
    root = gate.root
    root.put(new, "/root/again.deb")
    root.run("dpkg", "-i", "/root/again.deb")
    tap.ok(gate.wait(lambda: not gate.pings()),
           "installed again, it enforces as before", gate.journal())
    root.reboot()
    gate.network()
    tap.ok(gate.wait(lambda: gate.active() and not gate.pings()),
           "it enforces after a reboot", gate.journal())


def is_early(tap, gate):
    """A boot without the daemon: the last rules are there."""
    root = gate.root
    time.sleep(1.5)  # the ports of the bridge are saved
    root.run("systemctl", "mask", UNIT)
    root.reboot()
    tables = gate.tables()
    tap.ok("table inet gatehouse" in tables and
           "table bridge gatehouse" in tables and not gate.active(),
           "without the daemon the last rules are there after a reboot",
           tables + gate.journal(EARLY))
    times = [int(root.run("systemctl", "show", unit, "--value", "-p",
                          name).stdout) for unit, name in (
             (EARLY, "ExecMainExitTimestampMonotonic"),
             ("network-pre.target", "ActiveEnterTimestampMonotonic"))]
    tap.ok(0 < times[0] < times[1], "they were before any network", times)
    gate.network()
    tap.ok(not gate.pings() and not gate.pings("cam", "10.77.0.3") and
           not gate.pings("other", "10.77.0.2"),
           "without the daemon the camera is blocked, from the neighbour, too")
    exposure = root.run("systemd-analyze", "security", "--no-pager", EARLY,
                        check=False).stdout.splitlines()
    score = re.search(r"(\d+\.\d+)", exposure[-1] if exposure else "")
    tap.ok(score and float(score.group(1)) < 5.0,
           "systemd calls its exposure below 5.0", "\n".join(exposure))
    root.run("systemctl", "unmask", UNIT)
    root.run("systemctl", "start", UNIT)
    tap.ok(gate.wait(gate.active) and not gate.pings(),
           "the daemon takes over", gate.journal())


def purges(tap, gate):
    root = gate.root
    root.run("dpkg", "-P", "gatehouse")
    tap.equal(gate.tables().strip(), "", "dpkg -P leaves no table")
    tap.ok(gate.pings(), "after dpkg -P the network works")
    for path in ("/var/lib/gatehouse", "/etc/gatehouse", "/run/gatehouse"):
        done = root.run("ls", "-A", path, check=False)
        tap.ok(done.returncode != 0, "dpkg -P erases " + path, done.stdout)
    tap.equal(gate.user_names(), [], "dpkg -P removes users and groups")
    tap.equal(root.run("systemctl", "--failed", "--plain", "--no-legend"
                       ).stdout.strip(), "", "no unit has failed")


def main():
    with Tap() as tap, tempfile.TemporaryDirectory() as folder:
        try:
            tar = make_tar(os.path.join(BUILD, "lab-root.tar"))
        except NoRoot as error:
            tap.skip("the package in a root of its own", str(error))
            return
        packages = Packages(folder)
        first, new = packages.build("0.1.0"), packages.build("0.1.1")
        with Root(tar, folder) as root:
            gate = Gateway(root.boot())
            gate.network()
            tap.ok(gate.pings(), "the network works before gatehouse")
            installs(tap, gate, first)
            make_certificates(root, folder)
            enforces(tap, gate)
            carries_into_tls(tap, gate)
            cases = bad_updates(packages, new)
            installer_judges_itself(tap, gate, cases)
            refuses_bad_updates(tap, gate, cases)
            upgrades(tap, gate, packages, new)
            installs_outside_the_daemon(tap, gate, packages, new)
            takes_another_key(tap, gate, packages, new)
            removes(tap, gate)
            comes_back(tap, gate, new)
            is_early(tap, gate)
            purges(tap, gate)


if __name__ == "__main__":
    main()
