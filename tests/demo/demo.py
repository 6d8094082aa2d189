#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Plays gatehouse's whole job on real traffic and says what came of it.

Called by packaging/bootstrap demo, as root, with GATEHOUSE_STAGE. Everything
happens in network namespaces and in one folder, and is removed at the end;
that the host is as it was before is the last step. Exits non-zero if
anything is not as it should be.
"""
import contextlib
import os
import re
import socket
import subprocess
import sys
import threading
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lab")]
from daemon import wait  # noqa: E402
from host import NetnsFolder, Snapshot  # noqa: E402
from lab import Lab  # noqa: E402
from reach import reachable  # noqa: E402
from stage import Stage  # noqa: E402
from updates import Updates  # noqa: E402

PICTURE = r"""
     camera      sensor     stranger         you           the cloud
    .50.11       .50.12      .50.13        .60.10       203.0.113.10 ...
       |            |           |             |       mosquitto, TLS only
       +---- br0 ---+-----------+             |         nginx, HTTPS only
               |                              |                |
        192.168.50.1                    192.168.60.1      203.0.113.1
       [                 the gateway, with gatehouse                 ]
"""
CONFIG = """
[gateway]
name-server = 203.0.113.53

[zone things]
interface = br0
role = devices
[zone home]
interface = lan0
role = owner
[zone internet]
interface = wan0
role = uplink

[device camera]
mac = %(camera)s
allow = tcp/80 203.0.113.0/24
allow = tcp/80 2001:db8:113::/64
support-ends = 2024-06
[device sensor]
mac = %(sensor)s
allow = tcp/1883 203.0.113.0/24
allow = tcp/1883 2001:db8:113::/64
support-ends = 2039-12

[upgrade mqtt]
protocol = mqtt
port = 1883
upstream-port = 8883
upstream-name = broker.example
[upgrade web]
protocol = http
port = 80
upstream-port = 443

[proxy]
authorities = %(ca)s
"""
# The cloud's servers, by the place of their address.
GOOD, WRONG_NAME, EXPIRED, UNTRUSTED = 0, 1, 2, 3
BAD = [(WRONG_NAME, "a certificate for another name", "name"),
       (EXPIRED, "an expired certificate", "expired"),
       (UNTRUSTED, "a certificate of an unknown authority", "")]


class Demo:
    def __init__(self, stage, lab):
        self.stage = stage
        self.lab = lab
        self.daemon = None
        self.broker = None
        self.web_server = None

    # The network, and observing

    def network(self):
        lab, stage = self.lab, self.stage
        stage.step("The network, made of namespaces")
        stage.say(PICTURE)
        listeners = {}
        for index, kind in ((GOOD, "good"), (WRONG_NAME, "wrong-name"),
                            (EXPIRED, "expired"), (UNTRUSTED, "untrusted")):
            listeners.update(lab.both_families(index, kind))
        self.broker = lab.mosquitto(listeners=listeners)
        self.web_server = lab.nginx(listeners=listeners)
        for name in ("sensor", "stranger", "gateway", "owner"):
            lab.serve_tcp(name, 7)
            lab.serve_udp(name, 7)
        lab.serve_tcp("cloud", 7)
        stage.tried("without gatehouse: the camera to the sensor, by TCP, "
                    "UDP and ping; a plain mosquitto_pub of the sensor")
        came = lab.attempts(self.east_west("camera", "sensor"))
        done = self.publish(GOOD, "unprotected", 3)
        stage.came("camera to sensor: %s; MQTT: %s" % (
            self.count(came), last_line(done.stderr)))
        stage.verdict(
            set(came) == {"yes"} and done.returncode != 0,
            "it reaches everything, and the TLS-only broker refuses it",
            came)

    def observe(self):
        lab, stage = self.lab, self.stage
        stage.step("gatehouse starts, and only observes")
        lab.dbus(shipped_policy=True)
        lab.config(CONFIG % {"camera": lab.camera.mac, "ca": lab.pki().ca,
                             "sensor": lab.sensor.mac})
        began = time.monotonic()
        self.daemon = lab.gatehoused()
        stage.tried("gatehoused with the shipped mode; then the camera and "
                    "the stranger do as they like")
        took = time.monotonic() - began
        came = lab.attempts(self.east_west("camera", "sensor") + [
            ("camera", lab.cloud.ip, "tcp", 7),
            ("stranger", lab.cloud.ip, "tcp", 7)])
        stage.came("ready after %.1f s; %s" % (took, self.count(came)))
        stage.verdict(set(came) == {"yes"}, "nothing is dropped yet", came)
        status = self.status()
        stage.show(status)
        stage.verdict(status.startswith("OBSERVING: nothing is blocked"),
                      "status says loudly that nothing is blocked")

    def enforce(self):
        lab, stage = self.lab, self.stage
        stage.step("Enforcing, after seeing what would stop")
        stage.tried("gatehouse enforce --yes")
        done = lab.ctl("enforce", "--yes", check=False)
        stage.show(done.stdout + done.stderr)
        stage.verdict(done.returncode == 0, "the rules are in force")
        stage.verdict(
            "camera" in done.stdout and lab.stranger.mac in done.stdout and
            "tcp/7 to " + lab.cloud.ip in done.stdout,
            "it named what the camera and the stranger did and will not do "
            "any more")
        stage.verdict(
            wait(lambda: self.status().startswith("ENFORCING"), 5),
            "status says so too", self.status())

    # Plaintext into TLS

    def mqtt(self):
        lab, stage = self.lab, self.stage
        stage.step("The sensor's plain MQTT arrives at the TLS broker")
        for ip in (lab.cloud_ip(GOOD), lab.cloud_ip(GOOD, 6)):
            words = "21.5 degrees from %s" % os.urandom(3).hex()
            listener = self.subscribe()
            stage.tried("sensor: mosquitto_pub -h %s -p 1883 -t home/sensor "
                        "-m '%s'" % (ip, words))
            done = self.publish(ip, words)
            heard = listener.communicate(timeout=20)[0]
            stage.came("a subscriber at the broker's TLS port heard: " +
                       (heard.strip() or last_line(done.stderr)))
            stage.verdict(words in heard and "home/sensor" in
                          self.broker.log(), "carried in TLS, verified",
                          done.stderr + self.daemon.log()[-2000:])

    def web(self):
        lab, stage = self.lab, self.stage
        stage.step("The camera's plain HTTP is answered through TLS")
        for ip in (lab.cloud_ip(GOOD), lab.cloud_ip(GOOD, 6)):
            stage.tried("camera: curl http://www.example/ (at %s)" % ip)
            done = self.get(ip)
            stage.came(done.stdout.strip() or last_line(done.stderr))
            stage.verdict("hello from the cloud" in done.stdout,
                          "the HTTPS-only server answered",
                          self.daemon.log()[-2000:])

    def bad_servers(self):
        stage = self.stage
        stage.step("A server that cannot prove who it is gets nothing")
        for index, what, word in BAD:
            for protocol in ("MQTT", "HTTP"):
                self.bad_server(index, what, word, protocol)
        warned = {w["device"] for w in self.lab.ctl_json("warnings")
                  if "refused" in w["text"]}
        stage.verdict(warned == {"camera", "sensor"},
                      "gatehouse warnings tells of both devices",
                      self.lab.ctl("warnings").stdout)

    def bad_server(self, index, what, word, protocol):
        lab, stage = self.lab, self.stage
        ip = lab.cloud_ip(index)
        before = len(self.daemon.log())
        secret = "secret-%s" % os.urandom(4).hex()
        stage.tried("plain %s to %s, which has %s" % (protocol, ip, what))
        if protocol == "MQTT":
            done = self.publish(ip, "21.5", topic=secret)
            sender = "sensor"
        else:
            done = self.get(ip, "/" + secret)
            sender = "camera"
        reasons = wait(lambda: [
            line for line in self.daemon.log()[before:].splitlines()
            if ip in line and sender in line], 5) or []
        stage.came(" ".join(reasons[:1]) or "no reason was logged")
        with open(self.web_server.access_path, encoding="utf-8") as file:
            arrived = self.broker.log() + file.read()
        got = secret in arrived or "hello" in done.stdout
        stage.verdict(not got, "refused: not a byte of it arrived",
                      done.stdout + done.stderr)
        stage.verdict(
            bool(reasons) and word in " ".join(reasons).lower(),
            "the reason is told", self.daemon.log()[before:])

    # Isolation

    def devices_apart(self):
        lab, stage = self.lab, self.stage
        stage.step("The camera cannot reach its neighbours on the bridge")
        for target in ("sensor", "stranger"):
            wanted = self.east_west("camera", target)
            stage.tried("camera to %s: %s" % (target, self.ways(wanted)))
            came = lab.attempts(wanted, timeout=1)
            stage.came(self.count(came))
            stage.verdict("yes" not in came, "none gets through", came)
        stage.tried("the same to the sensor over the gateway's own MAC")
        gateway_mac = lab.gateway.run(
            "cat", "/sys/class/net/br0/address").stdout.strip()
        lab.camera.run("ip", "neigh", "replace", lab.sensor.ip, "lladdr",
                       gateway_mac, "dev", "eth0", "nud", "permanent")
        came = lab.attempt("camera", lab.sensor.ip, "tcp", 7, 1)
        lab.camera.run("ip", "neigh", "del", lab.sensor.ip, "dev", "eth0")
        stage.came(came)
        stage.verdict(came != "yes", "nor by way of the gateway")

    def allow_list(self):
        lab, stage = self.lab, self.stage
        stage.step("The camera reaches what is allowed, and only that")
        wanted = [("camera", lab.cloud.ip, "tcp", 7),
                  ("camera", lab.cloud.ip6, "tcp", 7),
                  ("camera", lab.cloud.ip, "tcp", 443),
                  ("camera", lab.owner.ip, "tcp", 7),
                  ("camera", lab.owner.ip6, "tcp", 7),
                  ("camera", "192.168.50.1", "tcp", 7),
                  ("camera", "192.168.60.1", "tcp", 7)]
        stage.tried("camera to other ports of the cloud, to your laptop, to "
                    "the gateway itself")
        came = lab.attempts(wanted, timeout=1)
        stage.came(self.count(came))
        stage.verdict("yes" not in came, "none of that", list(
            zip(wanted, came)))
        stage.tried("your laptop to the cloud and to the camera's zone")
        came = lab.attempts([("owner", lab.cloud.ip, "tcp", 7),
                             ("owner", lab.cloud.ip6, "tcp", 7),
                             ("owner", lab.sensor.ip, "tcp", 7),
                             ("owner", "192.168.60.1", "tcp", 7)])
        stage.came(self.count(came))
        stage.verdict(set(came) == {"yes"}, "you are not in its way", came)

    def quarantine(self):
        lab, stage = self.lab, self.stage
        stage.step("A device nobody named is in quarantine")
        wanted = [("stranger", lab.cloud.ip, "tcp", 7),
                  ("stranger", lab.cloud.ip6, "tcp", 7),
                  ("stranger", lab.cloud.ip, "tcp", 80),
                  ("stranger", "203.0.113.53", "tcp", 53),
                  ("stranger", lab.cloud.ip, "icmp", 0),
                  ("stranger", lab.owner.ip, "tcp", 7),
                  ("stranger", "192.168.50.1", "tcp", 7)]
        stage.tried("stranger: %s" % self.ways(wanted))
        came = lab.attempts(wanted, timeout=1)
        stage.came(self.count(came))
        stage.verdict("yes" not in came, "it reaches nothing",
                      list(zip(wanted, came)))
        stage.tried("gatehouse device list")
        text = lab.ctl("device", "list").stdout
        stage.show(text)
        found = [device for device in lab.ctl_json("device", "list")
                 if device["mac"] == lab.stranger.mac]
        stage.verdict(found and found[0]["decision"] == "quarantine" and
                      found[0]["isolation"] in ("enforced", "unverified"),
                      "it is listed as a device to be decided on", found)
        new = [w for w in lab.ctl_json("warnings")
               if w["code"] == "device.new"]
        stage.verdict(new, "and you are warned of it",
                      lab.ctl("warnings").stdout)

    # Failing

    def killed(self):
        lab, stage = self.lab, self.stage
        stage.step("Each process is killed: the rules stay, it comes back")
        heard = lab.serve_udp("sensor", 9).seen
        for name in list(self.daemon.workers()):
            rules = stable_rules(lab)
            with Flood(lab, "camera", lab.sensor.ip, 9) as flood:
                began = time.monotonic()
                old = self.daemon.kill_worker(name)
                same = stable_rules(lab) == rules
                new = self.daemon.wait_worker(name, but=old)
                took = time.monotonic() - began
                time.sleep(0.2)
            stage.tried("kill -9 %d (%s), while the camera sends to the "
                        "sensor all the time" % (old, name))
            stage.came("%d of %d packets arrived; a new process after "
                       "%.2f s" % (len(heard), flood.sent, took))
            stage.verdict(not heard and flood.sent and same and new,
                          "closed all the while, and back", (same, new))
        wait(lambda: lab.ctl_json("status")["state"] == "running", 10)
        stage.tried("MQTT once more, now that all are new")
        words = os.urandom(4).hex()
        listener = self.subscribe()
        wait(lambda: self.publish(GOOD, words, 5).returncode == 0, 15)
        heard = listener.communicate(timeout=20)[0]
        stage.came(heard.strip() or "nothing")
        stage.verdict(words in heard, "all is in force again")

    def daemon_killed(self):
        lab, stage = self.lab, self.stage
        stage.step("The daemon itself is killed: still closed")
        stage.tried("kill -9 of gatehoused; camera to sensor and to the "
                    "cloud's other ports")
        self.daemon.stop(9)
        came = lab.attempts(self.east_west("camera", "sensor") + [
            ("camera", lab.cloud.ip, "tcp", 7),
            ("stranger", lab.cloud.ip, "tcp", 7)], timeout=1)
        owner = lab.attempt("owner", lab.cloud.ip, "tcp", 7)
        stage.came("%s; you to the cloud: %s" % (self.count(came), owner))
        stage.verdict("yes" not in came and owner == "yes",
                      "the devices are still closed in, you are not", came)
        stage.tried("a new daemon; MQTT and HTTP through it")
        self.daemon = lab.gatehoused()
        works = wait(lambda: self.publish(GOOD, "again").returncode == 0 and
                     "hello" in self.get(lab.cloud_ip(GOOD)).stdout, 15)
        stage.came("both arrive" if works else "not both arrive")
        stage.verdict(works, "it took over what it found", self.daemon.log())

    # Support, and the end

    def support(self):
        lab, stage = self.lab, self.stage
        stage.step("A device past the end of its support")
        stage.tried("gatehouse warnings")
        wait(lambda: self.support_warnings("camera"), 10)
        stage.show(lab.ctl("warnings").stdout)
        stage.verdict(len(self.support_warnings("camera")) == 1,
                      "the camera's end of support is told")
        stage.verdict(not self.support_warnings("sensor"),
                      "the sensor's, years away, is not")

    def support_warnings(self, device):
        return [w for w in self.lab.ctl_json("warnings")
                if w["device"] == device and w["code"].startswith("support")]

    def final_status(self):
        self.stage.step("What gatehouse says of all this")
        self.stage.tried("gatehouse status")
        self.lab.is_cut("stranger", self.lab.cloud.ip, "tcp", 7)
        wait(lambda: self.lab.ctl_json("status")["tls"]["bytes_up"] and
             self.lab.ctl_json("status")["quarantined"], 20)
        text = self.status()
        self.stage.show(text)
        status = self.lab.ctl_json("status")
        self.stage.verdict(
            status["state"] == "running" and status["tls"]["bytes_up"] and
            status["quarantined"], "it runs, and has counted that", status)

    # Helpers

    def status(self):
        return self.lab.ctl("status").stdout

    def publish(self, to, words, timeout=8, topic="home/sensor"):
        ip = self.lab.cloud_ip(to) if isinstance(to, int) else to
        return self.lab.sensor.run(
            "timeout", timeout, "mosquitto_pub", "-h", ip, "-p", "1883",
            "-t", topic, "-q", "1", "-m", words, check=False)

    def subscribe(self):
        """One message, heard at the broker's TLS port inside the cloud."""
        before = self.broker.log().count("Sending SUBACK")
        process = self.lab.cloud.popen(
            "timeout", "15", "mosquitto_sub", "-h", self.lab.cloud_ip(GOOD),
            "-p", "8883", "--cafile", self.lab.pki().ca, "--insecure",
            "-t", "home/sensor", "-C", "1", stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        wait(lambda: self.broker.log().count("Sending SUBACK") > before, 10)
        return process

    def get(self, ip, path="/"):
        host = "[%s]" % ip if ":" in ip else ip
        return self.lab.camera.run(
            "curl", "-sS", "-m", "8", "--resolve", "www.example:80:" + host,
            "http://www.example" + path, check=False)

    def east_west(self, source, target):
        node = self.lab.node(target)
        return [(source, ip, protocol, 7) for ip in (node.ip, node.ip6)
                for protocol in ("tcp", "udp", "icmp")]

    @staticmethod
    def ways(wanted):
        return ", ".join(sorted({"%s%s to %s" % (
            p, "/%d" % port if port and p != "icmp" else "", ip)
            for _, ip, p, port in wanted}))

    @staticmethod
    def count(came):
        kinds = {"yes": "got through"}
        return ", ".join("%d %s" % (came.count(kind), kinds.get(kind, kind))
                         for kind in sorted(set(came)))


def last_line(text):
    lines = text.strip().splitlines()
    return lines[-1] if lines else "nothing"


def stable_rules(lab):
    """The chains, without counters, elements and the generation's mark."""
    text = lab.gateway.run("nft", "-t", "-s", "list", "ruleset").stdout
    return re.sub(r"0x00[0-9a-f]{2}0000\b", "GENERATION", text)


class Flood:
    """Sends UDP packets, a thousand a second, for the time of a block."""

    def __init__(self, lab, source, ip, port):
        self.sock = lab.socket(source, socket.AF_INET, socket.SOCK_DGRAM)
        self.to = (ip, port)
        self.sent = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.send)

    def send(self):
        while not self.over.wait(0.001):
            with contextlib.suppress(OSError):
                self.sock.sendto(b"hello", self.to)
            self.sent += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, error, trace):
        self.over.set()
        self.thread.join()
        self.sock.close()


def play(stage, updates):
    with Lab() as lab:
        demo = Demo(stage, lab)
        try:
            demo.network()
            demo.observe()
            demo.enforce()
            demo.mqtt()
            demo.web()
            demo.bad_servers()
            demo.devices_apart()
            demo.allow_list()
            demo.quarantine()
            demo.killed()
            demo.daemon_killed()
            demo.support()
            updates.show(stage)
            demo.final_status()
        except Exception:
            if demo.daemon:
                stage.say("the daemon's log:")
                stage.show("\n".join(
                    demo.daemon.log().splitlines()[-60:]))
            raise
        status = demo.daemon.stop()
        stage.verdict(status == 0, "and stops in order when told to", status)


def main():
    stage = Stage()
    stage.say("gatehouse: the whole job, in namespaces of this machine")
    before = Snapshot()
    folder = NetnsFolder()
    updates = Updates()
    try:
        updates.prepare()
        with reachable(os.environ["GATEHOUSE_STAGE"]) as place:
            os.environ["GATEHOUSE_STAGE"] = place
            play(stage, updates)
    except Exception as error:  # the summary must come in any case
        stage.verdict(False, "stopped by an error: %s" % error,
                      traceback.format_exc())
    finally:
        updates.close()
        folder.restore()
    stage.step("This machine is as it was before")
    stage.tried("nftables, sysctls, packages, units, interfaces, routes, "
                "namespaces, users and mounts, before and after")
    found = before.differences(Snapshot())
    stage.came("; ".join(what for what, _, _ in found) or "no difference")
    stage.verdict(not found, "nothing was left behind", "\n".join(
        "%s: -%s +%s" % one for one in found))
    return stage.close()


if __name__ == "__main__":
    sys.exit(main())
