# SPDX-License-Identifier: GPL-2.0-or-later
"""Three ways in which devices hang on a gateway, for the attack suite.

camera is the hostile one, it may open tcp/443 to the cloud's first address;
sensor is its neighbour, with the same right to the second; stranger is
nobody's. All names, MAC and IP addresses are the lab's.
"""
from isolation_lab import Lab

HOSTILE, NEIGHBOUR, STRANGER = "camera", "sensor", "stranger"


class Bridge(Lab):
    """All on the ports of one bridge."""
    title = "one bridge"
    shares_link = True  # frames may reach a neighbour without the gateway

    def device_interfaces(self):
        return ["br0"]

    def gateway_of(self, node):
        """The gateway's address in the node's network."""
        return node.ip.rsplit(".", 1)[0] + ".1", \
            node.ip6.rsplit("::", 1)[0] + "::1"

    def gateway_mac(self, node):
        return self.interface_mac(self.interface_of(node))

    def interface_of(self, node):
        return "br0"

    def interface_mac(self, name):
        return self.gateway.run(
            "cat", "/sys/class/net/%s/address" % name).stdout.strip()

    def conf(self, mode, more=None, extra=""):
        allow = {HOSTILE: self.cloud_ip(0), NEIGHBOUR: self.cloud_ip(1)}
        allow6 = {HOSTILE: self.cloud_ip(0, 6), NEIGHBOUR: self.cloud_ip(1, 6)}
        lines = ["[gateway]", "mode = " + mode, "name-server = 203.0.113.53",
                 "[zone things]",
                 "interface = " + " ".join(self.device_interfaces()),
                 "[zone home]", "interface = lan0", "role = owner",
                 "[zone internet]", "interface = wan0", "role = uplink"]
        for name in (HOSTILE, NEIGHBOUR):
            node = self.node(name)
            lines += ["[device %s]" % name, "mac = " + node.mac,
                      "allow = tcp/443 " + allow[name],
                      "allow = tcp/443 " + allow6[name],
                      (more or {}).get(name, "")]
        return "\n".join(lines) + "\n" + extra


class Routed(Bridge):
    """Each on an interface of its own, without a bridge."""
    title = "routed interfaces"
    shares_link = False

    def plan(self):
        Lab.plan(self)
        for index, name in enumerate(self.bridges["br0"]):
            node = self.node(name)
            node.ip = "192.168.%d.11" % (80 + index)
            node.ip6 = "fd00:%d::11" % (80 + index)

    def cable(self):
        self.device_names, self.bridges = self.bridges["br0"], {}
        Lab.cable(self)
        from lab import ip_batch
        ip_batch([line for name in self.device_names
                  for line in self.pair(self.node(name))],
                 self.gateway.netns)

    def device_interfaces(self):
        return [self.node(name).port for name in self.device_names]

    def gateway_interfaces(self):
        return self.device_interfaces() + ["lan0", "wan0"]

    def interface_of(self, node):
        return node.port

    def gateway_addressing(self):
        lines = Lab.gateway_addressing(self)
        for name in self.device_names:
            node = self.node(name)
            ip, ip6 = self.gateway_of(node)
            lines += ["link set %s up" % self.interface_of(node),
                      "addr add %s/24 dev %s" % (ip, self.interface_of(node)),
                      "addr add %s/64 dev %s nodad" % (
                          ip6, self.interface_of(node))]
        return lines


class Vlans(Routed):
    """Behind a switch, each in a VLAN of its own, on one trunk."""
    title = "VLANs on one trunk"

    def plan(self):
        Routed.plan(self)
        self.add_node("switch")

    def interface_of(self, node):
        return "trunk.%d" % self.vlan(node)

    def vlan(self, node):
        return int(node.ip.split(".")[2])

    def device_interfaces(self):
        return [self.interface_of(self.node(n)) for n in self.device_names]

    def cable(self):
        self.device_names, self.bridges = self.bridges["br0"], {}
        Lab.cable(self)
        from lab import ip_batch
        switch, nodes = self.node("switch"), [
            self.node(name) for name in self.device_names]
        ip_batch(["link add trunk type veth peer name trunk netns " +
                  switch.netns, "link set trunk up"] +
                 ["link add link trunk name %s type vlan id %d" % (
                     self.interface_of(n), self.vlan(n)) for n in nodes],
                 self.gateway.netns)
        ip_batch(["link add sw type bridge vlan_filtering 1 "
                  "vlan_default_pvid 0 mcast_snooping 0", "link set sw up",
                  "link set trunk master sw", "link set trunk up"] +
                 [line for n in nodes for line in
                  self.pair(n) + ["link set %s master sw" % n.port,
                                  "link set %s up" % n.port]],
                 switch.netns)
        for node in nodes:
            vid = str(self.vlan(node))
            switch.run("bridge", "vlan", "add", "dev", "trunk", "vid", vid)
            switch.run("bridge", "vlan", "add", "dev", node.port, "vid", vid,
                       "pvid", "untagged")

    def addressing(self, node):
        if node.name == "switch":
            return ["link set lo up"]
        return Routed.addressing(self, node)
