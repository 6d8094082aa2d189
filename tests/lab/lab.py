# SPDX-License-Identifier: GPL-2.0-or-later
"""A small network of namespaces to try gatehouse in.

    camera  sensor  stranger          owner        cloud
       |       |       |                |            |
      [p-...  bridge br0 ]            lan0         wan0
       +------------------- gateway ------------------+

    with Lab() as lab:
        lab.serve_tcp("cloud", 80)
        assert lab.reaches("camera", lab.cloud.ip, "tcp", 80)

Everything has a name that begins with gh<pid>- and is removed at the end,
also after an exception or SIGTERM. Runs as root. The parts: net.py opens
sockets in namespaces, pki.py makes certificates, services.py starts
mosquitto, nginx and a bus, daemon.py the daemon under test.
"""
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from daemon import DaemonPart  # noqa: E402
from net import NetPart, entered  # noqa: E402
from services import ServicesPart  # noqa: E402

SRC = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))


class Node:
    """One namespace; ip/ip6 are its main addresses, in no prefix."""

    def __init__(self, lab, name, ip=None, ip6=None, mac=None, port=None):
        self.lab = lab
        self.name = name
        self.netns = lab.prefix + name
        self.ip = ip
        self.ip6 = ip6
        self.mac = mac
        self.port = port  # the gateway's interface it hangs on

    def command(self, args):
        return ["ip", "netns", "exec", self.netns] + [str(a) for a in args]

    def run(self, *args, check=True, timeout=30, stdin=None, env=None):
        """Runs a command inside; returns a CompletedProcess with text."""
        done = subprocess.run(
            self.command(args), stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, timeout=timeout, input=stdin,
            env=env, check=False, errors="replace")
        if check and done.returncode:
            raise RuntimeError("%s: %s: exit status %d\n%s%s" % (
                self.name, " ".join(map(str, args)), done.returncode,
                done.stdout, done.stderr))
        return done

    def popen(self, *args, **options):
        """Starts a command inside; the lab ends it."""
        return self.lab.track(subprocess.Popen(
            self.command(args), stdin=subprocess.DEVNULL, **options))

    def sysctl(self, path, value):
        """sysctl("ipv4/ip_forward", 1): below /proc/sys/net."""
        with entered(self.netns):
            with open("/proc/sys/net/" + path, "w", encoding="ascii") as file:
                file.write(str(value))

    def link(self, *args):
        """ip link set ... inside."""
        return self.run("ip", "link", "set", *args)


class Lab(NetPart, ServicesPart, DaemonPart):
    """devices: names on br0; second: names on a second bridge br1."""

    def __init__(self, devices=("camera", "sensor", "stranger"), second=(),
                 ipv6=True, cloud_addresses=8, keep=False):
        self.prefix = "gh%d-" % os.getpid()
        self.ipv6 = ipv6
        self.keep = keep
        self.src = SRC
        self.build = os.environ.get(
            "GATEHOUSE_BUILD", os.path.join(SRC, "build"))
        self.stage = os.environ.get(
            "GATEHOUSE_STAGE", os.path.join(self.build, "stage"))
        self.cloud_addresses = cloud_addresses
        self.processes = []
        self.closers = []
        self.nodes = {}
        self.dir = None
        self.old_handler = None
        self.bridges = {"br0": list(devices)}
        if second:
            self.bridges["br1"] = list(second)
        NetPart.__init__(self)
        ServicesPart.__init__(self)
        DaemonPart.__init__(self)

    # Life

    def __enter__(self):
        self.old_handler = signal.signal(signal.SIGTERM, self.terminated)
        self.dir = tempfile.mkdtemp(prefix=self.prefix, dir="/tmp")
        os.chmod(self.dir, 0o755)
        try:
            self.make_nodes()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind, error, trace):
        self.close()

    @staticmethod
    def terminated(number, frame):
        sys.exit(128 + number)

    def close(self):
        """Ends and removes everything; may be called twice."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while self.closers:
            with contextlib.suppress(Exception):
                self.closers.pop()()
        for process in reversed(self.processes):
            end_process(process)
        self.processes.clear()
        names = [node.netns for node in self.nodes.values()
                 if os.path.exists("/run/netns/" + node.netns)]
        ip_batch(["netns del " + name for name in names], force=True)
        self.nodes.clear()
        if self.dir and not self.keep:
            shutil.rmtree(self.dir, ignore_errors=True)
        if self.old_handler is not None:
            signal.signal(signal.SIGTERM, self.old_handler)
            self.old_handler = None

    def track(self, process):
        self.processes.append(process)
        return process

    def path(self, *parts):
        """A path in the lab's own folder; its parents are made."""
        path = os.path.join(self.dir, *parts)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    # Nodes: lab.camera, lab.gateway ... or lab.node("camera")

    def node(self, name):
        return self.nodes[name]

    ns = node

    def __getattr__(self, name):
        nodes = self.__dict__.get("nodes", {})
        if name in nodes:
            return nodes[name]
        raise AttributeError(name)

    def devices(self):
        return [self.nodes[name] for names in self.bridges.values()
                for name in names]

    def cloud_ip(self, index, family=4):
        """The cloud's addresses, from 0."""
        return ("203.0.113.%d" if family == 4 else "2001:db8:113::%d") % (
            10 + index)

    # Building

    def make_nodes(self):
        self.plan()
        ip_batch(["netns add " + n.netns for n in self.nodes.values()])
        for node in self.nodes.values():
            self.quieten(node)
        self.cable()
        for node in self.nodes.values():
            ip_batch(self.addressing(node), node.netns)
        self.gateway.sysctl("ipv4/ip_forward", 1)
        if self.ipv6:
            self.gateway.sysctl("ipv6/conf/all/forwarding", 1)
            for name in self.gateway_interfaces():
                self.gateway.sysctl("ipv6/conf/%s/forwarding" % name, 1)

    def plan(self):
        self.add_node("gateway")
        self.add_node("owner", "192.168.60.10", "fd00:60::10",
                      "02:00:00:00:60:10", "lan0")
        self.add_node("cloud", "203.0.113.10", "2001:db8:113::10",
                      "02:00:00:00:71:10", "wan0")
        for number, names in enumerate(self.bridges.values()):
            for index, name in enumerate(names):
                self.add_node(
                    name, "192.168.%d.%d" % (50 + number, 11 + index),
                    "fd00:%d::%d" % (50 + number, 11 + index),
                    "02:00:00:00:%02x:%02x" % (0x50 + number, 0x11 + index),
                    ("p-" + name)[:15])

    def add_node(self, name, *more):
        self.nodes[name] = Node(self, name, *more)
        if not self.ipv6:
            self.nodes[name].ip6 = None

    def quieten(self, node):
        """No DAD delays, no bridged frames in iptables' way."""
        with entered(node.netns):
            for path, value in (
                    ("ipv6/conf/default/accept_dad", 0),
                    ("ipv6/conf/default/dad_transmits", 0),
                    ("ipv6/conf/default/router_solicitations", 0),
                    ("ipv6/conf/all/disable_ipv6", int(not self.ipv6)),
                    ("ipv6/conf/default/disable_ipv6", int(not self.ipv6)),
                    ("bridge/bridge-nf-call-iptables", 0),
                    ("bridge/bridge-nf-call-ip6tables", 0),
                    ("bridge/bridge-nf-call-arptables", 0)):
                with contextlib.suppress(FileNotFoundError):
                    with open("/proc/sys/net/" + path, "w",
                              encoding="ascii") as file:
                        file.write(str(value))

    def cable(self):
        gateway = self.gateway.netns
        lines = []
        for number, (bridge, names) in enumerate(self.bridges.items()):
            lines.append(
                "link add %s address 02:00:00:00:%02x:01 type bridge "
                "stp_state 0 forward_delay 0 mcast_snooping 0" % (
                    bridge, 0x50 + number))
            for name in names:
                node = self.nodes[name]
                lines += self.pair(node)
                lines.append("link set %s master %s" % (node.port, bridge))
        for node in (self.owner, self.cloud):
            lines += self.pair(node)
        ip_batch(lines, gateway)

    @staticmethod
    def pair(node):
        return ["link add %s type veth peer name eth0 address %s netns %s" % (
            node.port, node.mac, node.netns)]

    def gateway_interfaces(self):
        return list(self.bridges) + ["lan0", "wan0"]

    def addressing(self, node):
        """Lines for ip -batch inside the node."""
        if node is self.gateway:
            return self.gateway_addressing()
        lines = ["link set lo up", "link set eth0 up"]
        if node is self.cloud:
            lines += self.cloud_addressing()
            return lines
        net = node.ip.rsplit(".", 1)[0]
        lines.append("addr add %s/24 dev eth0" % node.ip)
        lines.append("route add default via %s.1" % net)
        if self.ipv6:
            net6 = node.ip6.rsplit("::", 1)[0]
            lines.append("addr add %s/64 dev eth0 nodad" % node.ip6)
            lines.append("route add default via %s::1" % net6)
        return lines

    def gateway_addressing(self):
        lines = ["link set lo up"]
        for number, (bridge, names) in enumerate(self.bridges.items()):
            lines.append("link set %s up" % bridge)
            lines += ["link set %s up" % self.nodes[name].port
                      for name in names]
            lines.append("addr add 192.168.%d.1/24 dev %s" % (
                50 + number, bridge))
            if self.ipv6:
                lines.append("addr add fd00:%d::1/64 dev %s nodad" % (
                    50 + number, bridge))
        for name, ip, ip6 in (
                ("lan0", "192.168.60.1/24", "fd00:60::1/64"),
                ("wan0", "203.0.113.1/24", "2001:db8:113::1/64")):
            lines += ["link set %s up" % name,
                      "addr add %s dev %s" % (ip, name)]
            if self.ipv6:
                lines.append("addr add %s dev %s nodad" % (ip6, name))
        return lines

    def cloud_addressing(self):
        lines = []
        for index in range(self.cloud_addresses):
            lines.append("addr add %s/24 dev eth0" % self.cloud_ip(index))
            if self.ipv6:
                lines.append("addr add %s/64 dev eth0 nodad" % (
                    self.cloud_ip(index, 6)))
        lines.append("addr add 203.0.113.53/24 dev eth0")
        lines.append("route add 192.168.0.0/16 via 203.0.113.1")
        if self.ipv6:
            lines.append("route add fd00::/16 via 2001:db8:113::1")
        return lines


def ip_batch(lines, netns=None, force=False):
    if not lines:
        return
    command = ["ip"] + (["-n", netns] if netns else [])
    command += (["-force"] if force else []) + ["-batch", "-"]
    done = subprocess.run(
        command, input="\n".join(lines) + "\n", text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode and not force:
        raise RuntimeError("%s:\n%s\n%s" % (
            " ".join(command), "\n".join(lines), done.stdout))


def end_process(process):
    """TERM, then KILL; waits."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()
