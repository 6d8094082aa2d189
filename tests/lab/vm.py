# SPDX-License-Identifier: GPL-2.0-or-later
"""A virtual machine with Debian's own kernel, for what the kernel at hand
does not have: VLANs, WireGuard, flowtables, the bridge family's matches.

    with VM(folder) as vm:
        vm.boot()
        done = vm.run("python3 /gatehouse/tests/netns/test_lab.py")
        print(done.status, done.output)

The source tree and the staged install are in it as /gatehouse and
/gatehouse/build/stage; nothing that is written inside survives. The processor
is emulated: it is some ten times slower than the machine around it. The
folder comes from packaging/vm-root.
"""
import collections
import os
import shutil
import signal
import subprocess
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
SRC = os.path.dirname(os.path.dirname(HERE))
MEMORY_MB = 3072
MODULES = ("bridge br_netfilter nf_tables nft_chain_nat nf_conntrack_bridge "
           "nft_meta_bridge nft_reject_bridge nft_flow_offload veth dummy "
           "8021q vrf wireguard tun macvlan nfnetlink_log virtio_rng "
           # The kernel judges a transaction anew for each one it has to load.
           "nft_limit nft_connlimit nft_reject_inet nft_log nft_redir nft_ct "
           "nft_fib_inet nft_fib_ipv4 nft_fib_ipv6").split()
Done = collections.namedtuple("Done", "status output")
INIT = """#!/bin/sh
# The first process: what the tests need, then commands from the console.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root TERM=dumb LC_ALL=C.UTF-8
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts pts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t cgroup2 cgroup /sys/fs/cgroup
mount -t securityfs security /sys/kernel/security
mount -t tmpfs run /run
mkdir -p /run/lock /run/dbus /var/lib/gatehouse
for module in %(modules)s; do modprobe -q $module; done
ip link set lo up
exec </dev/ttyS0 >/dev/ttyS0 2>&1
stty raw -echo
echo "vm: up"
while read -r command; do
	sh -c "$command" </dev/null
	echo "vm: status $?"
done
echo o >/proc/sysrq-trigger
sleep 60
"""


class NoVM(Exception):
    """It cannot be made here, and why."""


def make_folder(folder):
    """Kernel and root, unless they are there. NoVM: no mirror or no qemu."""
    if not shutil.which("qemu-system-x86_64"):
        raise NoVM("qemu-system-x86_64 is not installed")
    done = subprocess.run(
        [os.path.join(SRC, "packaging", "vm-root"), folder],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False)
    if done.returncode == 3:
        raise NoVM(done.stdout.strip().splitlines()[-1])
    if done.returncode:
        raise RuntimeError("packaging/vm-root: " + done.stdout)
    return folder


class VM:
    def __init__(self, folder, stage):
        self.folder = folder
        self.stage = stage
        self.work = tempfile.mkdtemp(prefix="gatehouse-vm.")
        self.process = None
        self.log = ""

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        shutil.rmtree(self.work)

    def pack(self):
        """The root, and behind it what is of this test: one initramfs."""
        more = os.path.join(self.work, "more")
        image = os.path.join(self.work, "image")
        tree = os.path.join(more, "gatehouse")
        shutil.copytree(os.path.join(SRC, "tests"),
                        os.path.join(tree, "tests"),
                        ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(os.path.join(SRC, "etc"), os.path.join(tree, "etc"))
        shutil.copytree(self.stage, os.path.join(tree, "build", "stage"),
                        symlinks=True)
        with open(os.path.join(more, "init"), "w", encoding="ascii") as file:
            file.write(INIT % {"modules": " ".join(MODULES)})
        os.chmod(os.path.join(more, "init"), 0o755)
        shutil.copy(os.path.join(self.folder, "root.cpio.gz"), image)
        subprocess.run("find . | cpio -o -H newc 2>/dev/null | gzip -1 >>%s"
                       % image, shell=True, cwd=more, check=True)
        return image

    def boot(self, timeout=300):
        image = self.pack()
        self.process = subprocess.Popen(
            ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max",
             "-m", str(MEMORY_MB), "-smp", "2", "-nic", "none", "-display",
             "none", "-monitor", "none", "-serial", "stdio", "-no-reboot",
             "-kernel", os.path.join(self.folder, "vmlinuz"), "-initrd", image,
             "-append", "console=ttyS0 rdinit=/init quiet loglevel=1 "
             "panic=-1"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            errors="replace", start_new_session=True)
        self.wait("vm: up", timeout)
        return self

    def wait(self, sign, timeout):
        """Reads the console up to a line that begins so; that line and what
        came before it."""
        timer = threading.Timer(
            timeout, os.killpg, (self.process.pid, signal.SIGKILL))
        timer.start()
        said = []
        try:
            for line in self.process.stdout:
                line = line.rstrip("\r\n")
                self.log += line + "\n"
                if line.startswith(sign):
                    return line, "\n".join(said)
                said.append(line)
        finally:
            timer.cancel()
        raise RuntimeError("the virtual machine ended or took longer than "
                           "%d s:\n%s" % (timeout, self.log[-3000:]))

    def run(self, command, timeout=600):
        """A line of shell inside."""
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        line, output = self.wait("vm: status ", timeout)
        return Done(int(line.split()[-1]), output)
