# SPDX-License-Identifier: GPL-2.0-or-later
"""A disposable Debian root with a real systemd, dpkg and bus.

    with Root(tar) as root:
        root.boot()
        root.put(package, "/tmp/gatehouse.deb")
        root.run("dpkg", "-i", "/tmp/gatehouse.deb")
        root.reboot()

Everything of it lives in namespaces and one folder and is gone at the end.
The tar file comes from packaging/lab-root. Runs as root; no virtual machine.
"""
import os
import shutil
import signal
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SRC = os.path.dirname(os.path.dirname(HERE))
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class NoRoot(Exception):
    """The root cannot be made here, and why."""


def make_tar(tar):
    """Makes the tar file unless it is there. NoRoot: no mirror."""
    done = subprocess.run(
        [os.path.join(SRC, "packaging", "lab-root"), tar],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False)
    if done.returncode == 3:
        raise NoRoot(done.stdout.strip().splitlines()[-1])
    if done.returncode:
        raise RuntimeError("packaging/lab-root: " + done.stdout)
    return tar


class Root:
    def __init__(self, tar, folder=None):
        self.tar = tar
        self.under = tempfile.mkdtemp(prefix="gatehouse-root.", dir=folder)
        self.path = os.path.join(self.under, "root")
        self.cgroups = os.path.join(self.under, "cgroup")
        self.cgroup = os.path.join(self.cgroups, "gh%d-root" % os.getpid())
        self.shell = None  # unshare; the namespace's init is its child
        self.pid = None  # that init, as seen from outside
        self.mounted = False

    def __enter__(self):
        try:
            os.mkdir(self.path)
            subprocess.run(
                ["tar", "-xf", self.tar, "-C", self.path,
                 "--exclude=./dev/*"], check=True)
            os.mkdir(self.cgroups)
            subprocess.run(["mount", "-t", "cgroup2", "none", self.cgroups],
                           check=True)
            self.mounted = True
            os.mkdir(self.cgroup)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind, error, trace):
        self.kill()
        if self.mounted:
            self.drop_cgroup()
            subprocess.run(["umount", self.cgroups], check=True)
            self.mounted = False
        shutil.rmtree(self.under)

    def drop_cgroup(self):
        end = time.monotonic() + 5
        while os.path.isdir(self.cgroup):
            for where, _, _ in os.walk(self.cgroup, topdown=False):
                try:
                    os.rmdir(where)
                except OSError:
                    pass
            if time.monotonic() > end:
                raise RuntimeError("%s stays" % self.cgroup)
            time.sleep(0.02)

    # --- life -------------------------------------------------------------

    def boot(self, timeout=60):
        """Starts it and waits until systemd has started everything."""
        assert self.shell is None
        log = open(os.path.join(self.under, "console"), "ab")

        def enter_cgroup():
            with open(os.path.join(self.cgroup, "cgroup.procs"), "w",
                      encoding="ascii") as file:
                file.write("0")
        with log:
            self.shell = subprocess.Popen(
                ["unshare", "--fork", "--kill-child", "--pid", "--mount",
                 "--uts", "--ipc", "--net", "--cgroup",
                 os.path.join(HERE, "nsboot"), self.path],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=enter_cgroup)
        end = time.monotonic() + timeout
        while True:
            if self.shell.poll() is not None or time.monotonic() > end:
                raise RuntimeError("does not boot: " + self.console())
            self.pid = self.pid or self.find_init()
            if self.pid:
                done = self.run("systemctl", "is-system-running",
                                check=False)
                if done.stdout.strip() in ("running", "degraded"):
                    return self
            time.sleep(0.1)

    def find_init(self):
        """systemd, once nsboot has become it and the root is its own."""
        path = "/proc/%d/task/%d/children" % (self.shell.pid, self.shell.pid)
        try:
            with open(path, encoding="ascii") as file:
                children = file.read().split()
            if not children:
                return None
            with open("/proc/%s/comm" % children[0],
                      encoding="ascii") as file:
                if file.read().strip() != "systemd":
                    return None
            return int(children[0])
        except OSError:
            return None

    def console(self):
        with open(os.path.join(self.under, "console"),
                  encoding="utf-8", errors="replace") as file:
            return file.read()

    def kill(self):
        """As if the power went; also what remains after a power-off."""
        if self.shell is None:
            return
        if self.pid:
            try:
                os.kill(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.shell.kill()
        self.shell.wait()
        self.shell = self.pid = None

    def power_off(self, timeout=30):
        """In order, as a person would."""
        self.run("systemctl", "poweroff", "--no-block", check=False)
        try:
            self.shell.wait(timeout)
        except subprocess.TimeoutExpired:
            pass
        self.kill()

    def reboot(self):
        self.power_off()
        return self.boot()

    # --- inside -----------------------------------------------------------

    def command(self, args):
        return ["nsenter", "-t", str(self.pid), "-a", "env", "-i",
                "PATH=" + PATH, "LC_ALL=C.UTF-8", "HOME=/root",
                "DEBIAN_FRONTEND=noninteractive"] + [str(a) for a in args]

    def run(self, *args, check=True, timeout=60, stdin=None):
        """Runs a command inside; a CompletedProcess with text."""
        done = subprocess.run(
            self.command(args), stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace",
            timeout=timeout, check=False,
            **({"stdin": subprocess.DEVNULL} if stdin is None
               else {"input": stdin}))
        if check and done.returncode:
            raise RuntimeError("%s: exit status %d\n%s" % (
                " ".join(map(str, args)), done.returncode, done.stdout))
        return done

    def popen(self, *args, **options):
        """Starts a command inside; it ends with the root at the latest."""
        return subprocess.Popen(
            self.command(args), stdin=subprocess.DEVNULL, **options)

    def outside(self, path):
        """The same file as the host sees it."""
        return os.path.join(self.path, path.lstrip("/"))

    def put(self, source, path):
        """Copies a file in; not below /run or /tmp, which are its own."""
        os.makedirs(os.path.dirname(self.outside(path)), exist_ok=True)
        shutil.copyfile(source, self.outside(path))
        return path

    def write(self, path, text):
        os.makedirs(os.path.dirname(self.outside(path)), exist_ok=True)
        with open(self.outside(path), "w", encoding="utf-8") as file:
            file.write(text)

    def read(self, path):
        with open(self.outside(path), encoding="utf-8",
                  errors="replace") as file:
            return file.read()

    def exists(self, path):
        return os.path.lexists(self.outside(path))

    def sysctl(self, path, value):
        """Below /proc/sys/net, of its own network namespace."""
        subprocess.run(
            ["nsenter", "-t", str(self.pid), "-n", "sh", "-c",
             'echo "$1" >/proc/sys/net/"$2"', "-", str(value), path],
            check=True)
