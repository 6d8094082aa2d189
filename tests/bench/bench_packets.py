# SPDX-License-Identifier: GPL-2.0-or-later
"""What a packet costs the gateway, in ns of CPU, from a device's bridge port
to the uplink: established, a new flow, denied. Four gateways side by side:
no rules, a plain stateful firewall, gatehouse with 10 and with 10,000
devices of 10 allow lines. Each packet is of a device by chance; the first
two gateways see as many addresses as the third and the fourth. A fifth only
observes 10,000 devices, which do what is not allowed."""
import os
import socket
import struct

from common import BenchLab, Samples, policy, ratio
from net import entered
from xdp import DROP, Flow, attach

MANY, FEW = 10000, 10
TURNS = 4  # short ones in each round: neighbours come and go
COUNTS = {"established": 30000, "new flow": 10000, "denied": 10000}
LINEAR_NAME = "one rule per entry"
LINEAR_COUNT = 64  # a packet takes it milliseconds
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


LINEAR = """
table inet firewall {
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    %s
  }
}
"""
# As the owner has it on each gateway; one to one, so that answers are known.
NAT = """
table ip owner {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "sink0" snat ip prefix to ip saddr map { 10.100.0.0/16 : 10.101.0.0/16 }
  }
}
"""


def entries(k):
    return ["udp/5000 " + SERVER] + [
        "udp/%d 198.18.%d.%d" % (5000 + n, k % 251, (k * 7 + n) % 251)
        for n in range(1, 10)]


def address(k):
    """Pinned: one port may not bind so many new ones at once."""
    return "10.100.%d.%d" % (k >> 8, k & 255)


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
            "link set sink0 address %s arp off up" % BRIDGE_MAC,
            "link set sink1 arp off up",
            "addr add 10.100.255.1/16 dev br0",
            "route add 198.18.0.0/15 dev sink0")) + "\n")
        for path in ("ipv4/conf/all/rp_filter", "ipv4/conf/br0/rp_filter",
                     "ipv4/conf/sink0/rp_filter"):
            gateway.sysctl(path, 0)
        gateway.sysctl("netfilter/nf_conntrack_udp_timeout", 600)
        self.links = [attach(gateway.netns, "p-camera"),
                      attach(gateway.netns, "sink0"),
                      attach(gateway.netns, "sink1", DROP)]
        return self

    def __exit__(self, kind, error, trace):
        for link in self.links:
            os.close(link)
        self.lab.close()

    def guard(self, devices, mode="enforce"):
        text = self.lab.base_config(mode, devices=())
        text += policy(devices, entries, address)
        self.translate()
        self.lab.config(text.replace("= wan0", "= wan0 sink0"))
        self.lab.gatehoused()

    def line_up(self, devices):
        """One rule for each entry, as osMUD and fw4 have it."""
        rules = "".join(
            "ip saddr %s ip daddr %s udp dport %s accept\n" % (
                address(k), entry.split()[1],
                entry.split()[0].split("/")[1])
            for k in range(devices) for entry in entries(k))
        self.lab.gateway.run("nft", "-f", "-", stdin=LINEAR % rules,
                             timeout=120)
        self.translate()

    def translate(self):
        self.lab.gateway.run("nft", "-f", "-", stdin=NAT)

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


def flows(devices, allowed=5000, nat=True):
    def make(**options):
        port = options.pop("port", allowed)
        return Flow(devices, SERVER, port, BRIDGE_MAC, nat=nat, **options)
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


def warm(gateway, devices, kinds):
    """Every device has its flow, both ways seen; nobody else has one."""
    gateway.forget_flows()
    for kind in ("established", "answer"):
        gateway.inject(kinds[kind], 8 * devices + 1000)


def measure(gateway, name, kinds, samples):
    for kind in ("established", "new flow", "denied"):
        linear = gateway.name == LINEAR_NAME
        if kind == "denied" and gateway.name in ("no rules", "observing"):
            continue
        if kind != "established" or not linear:
            samples.add(name, **{kind: gateway.inject(
                kinds[kind], LINEAR_COUNT if linear else COUNTS[kind])})


def turn(plan, samples):
    """The first two gateways have their flows of both sizes in turn."""
    for size in (FEW, MANY):
        part = [one for one in plan if one[1] == size]
        for one in part:
            if one[0].name != LINEAR_NAME:
                warm(*one)
        for _ in range(TURNS):
            for gateway, devices, kinds in part:
                measure(gateway, "%s, %d addresses" % (
                    gateway.name, devices), kinds, samples)


def run(rounds):
    samples = Samples()
    few, many, not_allowed = flows(FEW), flows(MANY), flows(MANY, 6000)
    plain = {n: flows(n, nat=False) for n in (FEW, MANY)}
    with Gateway("no rules") as none, Gateway("stateful") as stateful, \
            Gateway("gatehouse") as small, \
            Gateway("gatehouse") as big, \
            Gateway(LINEAR_NAME) as linear, \
            Gateway("observing") as observing:
        stateful.lab.gateway.run("nft", "-f", "-", stdin=STATEFUL)
        small.guard(FEW)
        big.guard(MANY)
        observing.guard(MANY, "observe")
        stateful.translate()
        linear.line_up(MANY)
        plan = [(none, FEW, plain[FEW]), (stateful, FEW, few),
                (small, FEW, few), (none, MANY, plain[MANY]),
                (stateful, MANY, many), (big, MANY, many),
                (linear, MANY, many), (observing, MANY, not_allowed)]
        for gateway, _, kinds in plan:
            count = 100 if gateway is linear else 1000
            check(gateway, kinds["new flow"], True, "allowed", count)
            check(gateway, kinds["denied"], gateway in (none, observing),
                  "denied", count)
        for _ in range(rounds):
            turn(plan, samples)
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
    for kind in kinds[1:]:
        ratio("%s, one rule per entry to gatehouse, at 10,000" % kind,
              samples.ratio(kind, "%s, 10000 addresses" % LINEAR_NAME,
                            "gatehouse, 10000 addresses"), "%.0f")
    for kind in kinds[:2]:
        ratio("%s, not allowed but observed, to stateful" % kind,
              samples.ratio(kind, "observing, 10000 addresses",
                            "stateful, 10000 addresses"))
    ratio("established, stateful at 10,000 addresses to 10", samples.ratio(
        "established", "stateful, 10000 addresses", "stateful, 10 addresses"))
