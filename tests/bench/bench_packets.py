# SPDX-License-Identifier: GPL-2.0-or-later
"""What a packet costs the gateway, in ns of CPU, from a device's bridge port
to the uplink: established, a new flow, denied. Four gateways side by side:
no rules, a plain stateful firewall, gatehouse with 10 and with 10,000
devices of 10 allow lines. Each packet is of a device by chance; the first
two gateways see as many addresses as the third and the fourth."""
import os
import socket
import struct

from common import BenchLab, Samples, policy, ratio
from net import entered
from xdp import DROP, Flow, attach

MANY, FEW = 10000, 10
SERVER = "198.18.0.1"
BRIDGE_MAC = "02:00:00:00:50:01"
STATEFUL = """
table inet firewall {
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    iifname "br0" oifname "sink0" udp dport 5000 accept
  }
}
"""


def entries(k):
    return ["udp/5000 " + SERVER] + [
        "udp/%d 198.18.%d.%d" % (5000 + n, k % 251, (k * 7 + n) % 251)
        for n in range(1, 10)]


class Gateway:
    """Devices behind p-camera on br0; what goes out is dropped behind sink0."""

    def __init__(self, name):
        self.name = name
        self.lab = BenchLab(devices=("camera",), ipv6=False)

    def __enter__(self):
        self.lab.__enter__()
        gateway = self.lab.gateway
        gateway.run("ip", "-batch", "-", stdin="\n".join((
            "link add sink0 type veth peer name sink1",
            "link set sink0 arp off up", "link set sink1 arp off up",
            "addr add 10.100.255.1/16 dev br0",
            "route add 198.18.0.0/15 dev sink0")) + "\n")
        for path in ("ipv4/conf/all/rp_filter", "ipv4/conf/br0/rp_filter",
                     "ipv4/conf/sink0/rp_filter"):
            gateway.sysctl(path, 0)
        self.links = [attach(gateway.netns, "p-camera"),
                      attach(gateway.netns, "sink0"),
                      attach(gateway.netns, "sink1", DROP)]
        return self

    def __exit__(self, kind, error, trace):
        for link in self.links:
            os.close(link)
        self.lab.close()

    def enforce(self, devices):
        text = self.lab.base_config(devices=()) + policy(devices, entries)
        self.lab.config(text.replace("= wan0", "= wan0 sink0"))
        self.lab.gatehoused()

    def inject(self, flow, count):
        return flow.inject(self.lab.gateway.netns, "sink0" if flow.back
                           else "p-camera", count)

    def sent(self):
        """Packets that went out to the cloud."""
        with entered(self.lab.gateway.netns):
            with open("/proc/thread-self/net/dev", encoding="ascii") as file:
                for line in file:
                    if line.strip().startswith("sink0:"):
                        return int(line.split()[10])
        return 0

    def forget_flows(self):
        """All of conntrack, by its netlink."""
        with entered(self.lab.gateway.netns):
            sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
        with sock:
            sock.send(struct.pack("=IHHIIBBH", 20, 1 << 8 | 2, 5, 1, 0,
                                  socket.AF_INET, 0, 0))
            sock.recv(4096)


def flows(devices):
    def make(**options):
        port = options.pop("port", 5000)
        return Flow(devices, SERVER, port, BRIDGE_MAC, **options)
    return {"established": make(), "answer": make(back=True, ttl=1),
            "new flow": make(any_port=True),
            "denied": make(any_port=True, port=6000)}


def check(gateway, flow, wanted, what, count=1000):
    """The packets do what they are meant to do."""
    before = gateway.sent()
    gateway.inject(flow, count)
    passed = gateway.sent() - before
    if passed != (count if wanted else 0):
        raise RuntimeError("%s, %s: %d of %d packets passed" % (
            gateway.name, what, passed, count))


def measure(gateway, name, devices, kinds, samples):
    warm = 15 * devices + 1000
    gateway.forget_flows()
    gateway.inject(kinds["established"], warm)
    gateway.inject(kinds["answer"], warm)
    figures = {"established": gateway.inject(kinds["established"], 200000),
               "new flow": gateway.inject(kinds["new flow"], 50000),
               "denied": gateway.inject(kinds["denied"], 50000)}
    if gateway.name == "no rules":
        del figures["denied"]
    samples.add(name, **figures)


def run(rounds):
    samples = Samples()
    few, many = flows(FEW), flows(MANY)
    with Gateway("no rules") as none, Gateway("stateful") as stateful, \
            Gateway("gatehouse") as small, \
            Gateway("gatehouse") as big:
        stateful.lab.gateway.run("nft", "-f", "-", stdin=STATEFUL)
        small.enforce(FEW)
        big.enforce(MANY)
        plan = [(none, FEW, few), (stateful, FEW, few), (small, FEW, few),
                (none, MANY, many), (stateful, MANY, many),
                (big, MANY, many)]
        for gateway, _, kinds in plan:
            check(gateway, kinds["new flow"], True, "allowed")
            check(gateway, kinds["denied"], gateway is none, "denied")
        for _ in range(rounds):
            for gateway, devices, kinds in plan:
                measure(gateway, "%s, %d addresses" % (
                    gateway.name, devices), devices, kinds,
                        samples)
    tell(samples)


def tell(samples):
    kinds = ("established", "new flow", "denied")
    samples.table({kind: "%.0f" for kind in kinds})
    for kind in kinds:
        ratio("%s, gatehouse at 10,000 devices to 10" % kind,
              samples.ratio(kind, "gatehouse, 10000 addresses",
                            "gatehouse, 10 addresses"))
        for n in (FEW, MANY):
            ratio("%s, gatehouse to stateful, %d addresses" % (kind, n),
                  samples.ratio(kind, "gatehouse, %d addresses" % n,
                                "stateful, %d addresses" % n))
    ratio("established, stateful at 10,000 addresses to 10", samples.ratio(
        "established", "stateful, 10000 addresses", "stateful, 10 addresses"))
