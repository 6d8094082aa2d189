# SPDX-License-Identifier: GPL-2.0-or-later
"""gatehoused under test, inside the lab's gateway."""
import json
import os
import signal
import socket
import subprocess
import time

WORKERS = ["isolation", "proxy", "support", "update", "bus",
           "discovery", "registry"]


class Gatehoused:
    """A running daemon; kill, reload and stop it, read what it says."""

    def __init__(self, lab, process, log_path, notify, options):
        self.lab = lab
        self.process = process
        self.log_path = log_path
        self.notify = notify
        self.options = options
        self.said = []  # sd_notify messages

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait_log(self, text, timeout=15, after=0):
        """Waits until text is in the log past the offset; True or False."""
        return wait(lambda: text in self.log()[after:], timeout)

    def wait_notify(self, word, timeout):
        end = time.monotonic() + timeout
        while time.monotonic() < end and self.process.poll() is None:
            self.notify.settimeout(0.1)
            try:
                message = self.notify.recv(4096).decode("utf-8", "replace")
            except socket.timeout:
                continue
            self.said.append(message)
            if word in message.splitlines():
                return True
        return False

    def wait_ready(self, timeout=30):
        if not self.wait_notify("READY=1", timeout):
            raise RuntimeError("gatehoused was never ready (%s):\n%s" % (
                self.process.poll(), self.log()))
        return self

    def workers(self):
        """{name: pid} of the daemon's children, by what they execute."""
        found = {}
        for pid in children(self.pid):
            name = os.path.basename(program_of(pid))
            if name.startswith("gatehouse-"):
                found[name[len("gatehouse-"):]] = pid
        return found

    def wait_worker(self, name, but=None, timeout=10):
        """The pid of a worker other than the one given; None: not back."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            pid = self.workers().get(name)
            if pid and pid != but:
                return pid
            time.sleep(0.01)
        return None

    def kill_worker(self, name, number=signal.SIGKILL):
        """Kills one worker; returns the pid it had."""
        pid = self.workers()[name]
        os.kill(pid, number)
        return pid

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def stop(self, number=signal.SIGTERM, timeout=15):
        """Ends the daemon; returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(timeout)
        self.notify.close()
        return status


class DaemonPart:
    def __init__(self):
        self.daemons = 0
        self.daemon = None

    def uid_base(self):
        """Another one per lab: limits on processes count by user."""
        return 200000 + (os.getpid() % 20000) * 10

    def program(self, path):
        """An installed program of the stage, e.g. usr/sbin/gatehoused."""
        return os.path.join(self.stage, path)

    def workers_built(self):
        """Those in the stage; the user of the first is uid_base() + 1."""
        return [name for name in WORKERS if os.path.exists(
            self.program("usr/libexec/gatehouse/gatehouse-" + name))]

    def config(self, text, name="gatehouse.conf"):
        """Writes a configuration (or conf.d/x.conf); returns its path."""
        path = self.path("etc", name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def base_config(self, mode="enforce", devices=("camera", "sensor"),
                    more=None, extra=""):
        """
        Zones for the lab and a section per device; more: {device: lines};
        extra goes to the end.
        """
        lines = ["[gateway]", "mode = " + mode]
        if "isolation" in self.workers_built():
            lines.append("name-server = 203.0.113.53")
        lines += ["", "[zone things]", "interface = " + " ".join(self.bridges),
                 "role = devices", "",
                 "[zone home]", "interface = lan0", "role = owner", "",
                 "[zone internet]", "interface = wan0", "role = uplink"]
        for name in devices:
            lines += ["", "[device %s]" % name,
                      "mac = " + self.nodes[name].mac,
                      (more or {}).get(name, "")]
        return "\n".join(lines) + "\n" + extra

    def gatehoused(self, config=None, ready=True, args=(), env=None,
                   command=()):
        """
        Starts the stage's daemon in the gateway. config: a path, default
        etc/gatehouse.conf. command: what to put before it (strace ...).
        """
        self.daemons += 1
        config = config or os.path.join(self.dir, "etc", "gatehouse.conf")
        options = {
            "-f": config,
            "--workers": self.program("usr/libexec/gatehouse"),
            "--state": os.path.dirname(self.path("state", "x")),
            "--run": os.path.dirname(self.path("run", "x")),
            "--uids": str(self.uid_base()),
            "--bus": self.bus_path or os.path.join(self.dir, "no-bus"),
        }
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify_path = self.path("notify%d" % self.daemons)
        notify.bind(notify_path)
        log_path = self.path("gatehoused%d.log" % self.daemons)
        words = list(command) + [self.program("usr/sbin/gatehoused"), "-d"]
        for option, value in options.items():
            words += [option, value]
        with open(log_path, "wb") as log:
            process = self.gateway.popen(
                *words, *args, stdout=log, stderr=subprocess.STDOUT,
                env=dict(os.environ, NOTIFY_SOCKET=notify_path,
                         **(env or {})))
        self.daemon = Gatehoused(self, process, log_path, notify, options)
        return self.daemon.wait_ready() if ready else self.daemon

    def ctl(self, *args, check=True, timeout=60, stdin=None, env=None):
        """The gatehouse command against this lab's bus and daemon."""
        options = []
        if self.daemon:
            for name, of_daemon in (("--config", "-f"),
                                    ("--state", "--state"),
                                    ("--run", "--run")):
                options += [name, self.daemon.options[of_daemon]]
        return self.gateway.run(
            self.program("usr/bin/gatehouse"), *options, *args, check=check,
            timeout=timeout, stdin=stdin, env=dict(
                os.environ, DBUS_SYSTEM_BUS_ADDRESS=self.bus_address or
                "unix:path=/nonexistent", **(env or {})))

    def ctl_json(self, *args, **options):
        return json.loads(self.ctl(*args, "--json", **options).stdout)

    def rules(self):
        """The gateway's nftables rules as text."""
        return self.gateway.run("nft", "list", "ruleset").stdout


def wait(condition, timeout=10):
    """Polls until the condition holds; its last value."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value or time.monotonic() > end:
            return value
        time.sleep(0.02)


def children(pid):
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid),
                  encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def program_of(pid):
    """The file a process executes; empty when it is gone."""
    try:
        return os.readlink("/proc/%d/exe" % pid)
    except OSError:
        return ""
