# SPDX-License-Identifier: GPL-2.0-or-later
"""A daemon, a bus of its own and users of all kinds, hidden from the host.

    desk.hide()                 # first of all: own mounts, own network
    with Desk() as desk:
        desk.start_bus()
        desk.start_daemon()
        desk.call("member", "Attempts")

The test runs again in namespaces of its own, where /etc/passwd and
/etc/group have the users of gatehouse and three more: root, "member" of the
group gatehouse, and "nobody2", who is in no group. Nothing of it is seen
outside, and all of it ends with the test.
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SRC = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.environ.get("GATEHOUSE_BUILD", "")
sys.path.insert(0, os.path.join(SRC, "tests", "lab"))
from buspolicy import BUS, SYSTEM  # noqa: E402

NAME = "org.gatehouse1"
ROOT = "/org/gatehouse1"
MANAGER = "org.gatehouse1.Manager"
DEVICE = "org.gatehouse1.Device"
WORKERS = ["isolation", "proxy", "support", "update", "bus",
           "discovery", "registry"]
GROUP = 64100
# Of the workers; another one per test: a user may have one process only.
WORKERS_FROM = 300000 + os.getpid() % 20000 * 10
USERS = {"member": (64101, [GROUP]), "nobody2": (64102, []), "root": (0, [])}

# Root may own all names here, not only what the shipped policy gives.
OF_ROOT = """<policy user="root">
    <allow own="*"/>
  </policy>
"""

# What a careless system would have: everybody may call.
OPEN = """<policy context="mandatory">
    <allow own="*"/>
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
  </policy>"""

CONFIG = """[gateway]
mode = observe

[zone things]
interface = things0
role = devices

[zone home]
interface = home0
role = owner

[device camera]
mac = 02:00:00:00:00:01

[device sensor]
mac = 02:00:00:00:00:02
"""


def hide(*needed):
    """
    Runs this script again in own mount and network namespaces. Without the
    workers that it needs, all of it is skipped.
    """
    for name in needed:
        if not os.path.exists(os.path.join(
                os.environ.get("GATEHOUSE_STAGE", ""),
                "usr/libexec/gatehouse/gatehouse-" + name)):
            print("1..0 # SKIP built without " + name)
            sys.exit(0)
    if os.environ.get("GATEHOUSE_HIDDEN"):
        return
    os.environ["GATEHOUSE_HIDDEN"] = "1"
    os.execvp("unshare", ["unshare", "--mount", "--net", "--propagation",
                          "private", sys.executable] + sys.argv)


def wait(condition, timeout=10):
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value or time.monotonic() > end:
            return value
        time.sleep(0.02)


class Desk:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="gatehouse-desk-")
        self.processes = []
        self.bus = None
        self.daemon = None
        self.counter = 0
        self.stage = os.environ.get("GATEHOUSE_STAGE", "")

    def __enter__(self):
        # Leaves nothing behind when it is stopped, either.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        os.chmod(self.dir, 0o755)
        try:
            self.make_users()
            self.make_links()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind, error, trace):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def path(self, *parts):
        path = os.path.join(self.dir, *parts)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def program(self, path):
        return os.path.join(self.stage, path)

    # The place

    def make_users(self):
        with open("/etc/passwd", encoding="utf-8") as file:
            passwd = [x for x in file if not x.startswith("gatehouse")]
        with open("/etc/group", encoding="utf-8") as file:
            group = [x for x in file if not x.startswith("gatehouse")]
        for number, name in enumerate(WORKERS):
            uid = WORKERS_FROM + number
            passwd.append("gatehouse-%s:x:%d:%d::/nonexistent:/bin/false\n"
                          % (name, uid, uid))
            group.append("gatehouse-%s:x:%d:\n" % (name, uid))
        for name, (uid, _) in USERS.items():
            if uid:
                passwd.append("%s:x:%d:%d::/:/bin/sh\n" % (name, uid, uid))
                group.append("%s:x:%d:\n" % (name, uid))
        group.append("gatehouse:x:%d:member\n" % GROUP)
        for name, lines in (("passwd", passwd), ("group", group)):
            with open(self.path(name), "w", encoding="utf-8") as file:
                file.writelines(lines)
            subprocess.run(["mount", "--bind", self.path(name),
                            "/etc/" + name], check=True)

    def make_links(self):
        """Interfaces of the zones, in our own network."""
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        for name, address in (("things0", "192.0.2.1/24"),
                              ("cellar0", "192.0.3.1/24"),
                              ("home0", "198.51.100.1/24")):
            subprocess.run(["ip", "link", "add", name, "type", "veth",
                            "peer", "name", "far-" + name], check=True)
            subprocess.run(["ip", "addr", "add", address, "dev", name],
                           check=True)
            subprocess.run(["ip", "link", "set", name, "up"], check=True)

    # The bus

    @property
    def bus_path(self):
        return os.path.join(self.dir, "bus")

    @property
    def address(self):
        return "unix:path=" + self.bus_path

    def start_bus(self, policy=None):
        """policy: text instead of the shipped file."""
        if policy is None:
            policy = "<include>%s</include>" % self.program(
                "usr/share/dbus-1/system.d/org.gatehouse1.conf")
        config = self.path("bus.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(BUS.format(socket=self.bus_path,
                                  policy=SYSTEM + OF_ROOT + policy))
        if os.path.exists(self.bus_path):
            os.unlink(self.bus_path)
        with open(self.path("bus.log"), "ab") as log:
            self.bus = subprocess.Popen(
                ["dbus-daemon", "--config-file=" + config, "--nofork",
                 "--nosyslog", "--nopidfile"], stdout=log, stderr=log)
        self.processes.append(self.bus)
        if not wait(lambda: os.path.exists(self.bus_path)):
            with open(self.path("bus.log"), encoding="utf-8") as log:
                raise RuntimeError("no bus: " + log.read())

    def stop_bus(self):
        self.bus.terminate()
        self.bus.wait(10)

    # The daemon

    def config(self, text, name="gatehouse.conf"):
        path = self.path("etc", name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def start_daemon(self, text=CONFIG, ready=True):
        self.counter += 1
        if text is not None:
            self.config(text)
        for name in ("state", "run"):
            self.path(name, "x")
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify_path = self.path("notify%d" % self.counter)
        notify.bind(notify_path)
        self.log_path = self.path("gatehoused%d.log" % self.counter)
        with open(self.log_path, "wb") as log:
            self.daemon = subprocess.Popen(
                [self.program("usr/sbin/gatehoused"), "-d",
                 "-f", self.path("etc", "gatehouse.conf"),
                 "--workers", self.program("usr/libexec/gatehouse"),
                 "--state", self.path("state"), "--run", self.path("run"),
                 "--bus", self.bus_path],
                stdout=log, stderr=log,
                env=dict(os.environ, NOTIFY_SOCKET=notify_path))
        self.processes.append(self.daemon)
        if not ready:
            return
        notify.settimeout(20)
        try:
            while b"READY=1" not in notify.recv(4096):
                pass
        except socket.timeout:
            raise RuntimeError("never ready:\n" + self.log()) from None
        finally:
            notify.close()

    def stop_daemon(self, number=signal.SIGTERM):
        self.daemon.send_signal(number)
        return self.daemon.wait(15)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def worker(self, name="bus"):
        """The pid of a worker; None when there is none."""
        pid = self.daemon.pid
        try:
            with open("/proc/%d/task/%d/children" % (pid, pid),
                      encoding="ascii") as file:
                children = file.read().split()
            for child in children:
                if os.path.basename(os.readlink("/proc/%s/exe" % child)) == \
                        "gatehouse-" + name:
                    return int(child)
        except OSError:
            pass
        return None

    # Users

    def run(self, user, *words, timeout=30, env=None, **options):
        """A program as that user, with this bus as the system's."""
        uid, groups = USERS[user]
        return subprocess.run(
            [str(word) for word in words], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, timeout=timeout, user=uid,
            group=uid, extra_groups=groups, check=False, errors="replace",
            env=dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=self.address,
                     LC_ALL="C.UTF-8", **(env or {})), **options)

    def busctl(self, user, *words, **options):
        return self.run(user, "busctl", "--address=" + self.address,
                        "--json=short", "--no-pager", *words, **options)

    def call(self, user, member, *arguments, interface=MANAGER, path=ROOT):
        return self.busctl(user, "call", NAME, path, interface, member,
                           *arguments)

    def get(self, name, path=ROOT, interface=MANAGER, user="root"):
        """A property's value, or None."""
        done = self.busctl(user, "get-property", NAME, path, interface, name)
        if done.returncode:
            return None
        return json.loads(done.stdout)["data"]

    def objects(self, user="root"):
        """{path: {interface: {property: value}}}, or None."""
        done = self.call(user, "GetManagedObjects",
                         interface="org.freedesktop.DBus.ObjectManager")
        if done.returncode:
            return None
        return {path: {interface: {name: value["data"]
                                   for name, value in properties.items()}
                       for interface, properties in interfaces.items()}
                for path, interfaces in
                json.loads(done.stdout)["data"][0].items()}

    def wait_name(self, timeout=10):
        """The unique name of whoever is org.gatehouse1."""
        def owner():
            done = self.busctl(
                "root", "call", "org.freedesktop.DBus",
                "/org/freedesktop/DBus", "org.freedesktop.DBus",
                "GetNameOwner", "s", NAME)
            if done.returncode:
                return None
            return json.loads(done.stdout)["data"][0]
        return wait(owner, timeout)
