#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What gatehoused --check-config says of whole configurations: exactly."""
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lab"))
from tap import Tap  # noqa: E402

SRC = os.path.dirname(os.path.dirname(HERE))
PROGRAM = os.path.join(os.environ.get("GATEHOUSE_BUILD", "build"),
                       "agent", "gatehoused")
MAC = "02:00:00:00:00:01"
GOOD = """[gateway]
mode = observe
[zone things]
interface = br0
[zone home]
interface = lan0 lan1
role = owner
[device camera]
mac = 02:00:00:00:00:01
[device sensor]
mac = 02:00:00:00:00:02
mode = enforce
"""

# Beside every bad file, as devices must be somewhere.
ZONE = {"00-zone.conf": "[zone main]\ninterface = things0\n"}

# name: (the main file, {drop-in: text}, what is said with F for the file)
BAD = {
    "one MAC twice": (
        "[device a]\nmac = 02:00:00:00:00:0a\n"
        "[device b]\nmac = 02-00-00-00-00-0A\n", {}, [
            "F:4: 02:00:00:00:00:0a is the address of [device a] already; "
            "expected each device with a MAC address of its own"]),
    "one MAC in two files": (
        "[device a]\nmac = %s\n" % MAC,
        {"b.conf": "[device b]\n\nmac = %s\n" % MAC}, [
            "F.d/b.conf:3: %s is the address of [device a] already; expected "
            "each device with a MAC address of its own" % MAC]),
    "an interface in two zones": (
        "[zone a]\ninterface = br0 br1\n"
        "[zone b]\ninterface = eth0, br1\n", {}, [
            "F:4: br1 is an interface of [zone a] already; expected each "
            "interface in one zone"]),
    "what must be there": (
        "[zone a]\nrole = owner\n[device b]\nmode = observe\n", {}, [
            "F:1: [zone a] has no interface; expected a line such as "
            "'interface = br0' or, for devices and guests, 'zone = a' in a "
            "[device]",
            "F:3: [device b] needs a line such as "
            "'mac = 02:00:00:00:00:01'"]),
    "a wrong value is not a missing one": (
        "[zone a]\ninterface = br/0\n[device b]\nmac = x\n", {}, [
            "F:2: interface = br/0: expected names of network interfaces, "
            "such as br0 or eth1",
            "F:4: mac = x: expected a device's MAC address, such as "
            "02:00:00:00:00:01"]),
    "values of the core": (
        "[gateway]\nmode = off\nlog-level = loud\n"
        "[zone a]\ninterface = br0\nrole = device\nmode = enforced\n", {}, [
            "F:2: mode = off: expected observe or enforce",
            "F:3: log-level = loud: expected error, warning, notice, info or "
            "debug",
            "F:6: role = device: expected devices, "
            "guest, owner or uplink",
            "F:7: mode = enforced: expected observe or enforce"]),
    "all files at once": (
        "mode = observe\n",
        {"10.conf": "[gateway]\nmdoe = observe\n",
         "9.conf": "[zoen a]\n",
         "A.conf": "[device a]\nmac = %s\n" % MAC,
         "b.conf": "[device b]\nmac = %s\n" % MAC}, [
             "F:1: the key \"mode\" belongs to no section; expected a line "
             "such as [gateway] before it",
             "F.d/10.conf:2: unknown key \"mdoe\" in [gateway]; did you mean "
             "\"mode\"?",
             "F.d/9.conf:1: unknown section [zoen]; did you mean \"zone\"?",
             "F.d/b.conf:2: %s is the address of [device a] already; "
             "expected each device with a MAC address of its own" % MAC]),
    "the tail of a long comment": (
        "[gateway]\nmode = enforce\n#" + "x" * 198 + "mode = observe\n", {}, [
            "F:3: the line has 213 bytes; expected at most 199: put a long "
            "comment on several lines"]),
    "no file": (None, {}, ["F: cannot be read: No such file or directory"]),
}

# What only a module knows; left out when it is not built.
OF_MODULES = {
    "support": (
        "[device a]\nmac = %s\nsupport-ends = 2027-02-29\n" % MAC, {}, [
            "F:3: support-ends = 2027-02-29: expected a day (2027-06-30), a "
            "month (2027-06) or a year (2027) from 2000 to 2199"]),
    "isolation": (
        "[gateway]\nname-server = dns.example\n"
        "[device a]\nmac = %s\n"
        "allow = tcp/0 any\nallow = xtp any\nallow = udp/9 192.0.2.1/24\n"
        "allow = tcp/53 any\n" % MAC, {}, [
            "F:2: name-server = dns.example: expected addresses of name "
            "servers, such as 192.168.1.1",
            "F:5: allow = tcp/0 any: '0' is no port; ports are 1 to 65535",
            "F:6: allow = xtp any: 'xtp' is no protocol known here; expected "
            "tcp, udp, icmp or any",
            "F:7: allow = udp/9 192.0.2.1/24: '192.0.2.1/24' is no address; "
            "expected one such as 203.0.113.10, 2001:db8::/32 (no bits "
            "behind the prefix), any, gateway, device:NAME or zone:NAME",
            "F:8: allow = tcp/53 any: port 53 leads to the name servers "
            "only; give them in [gateway] as name-server"]),
    "proxy": (
        "[upgrade one]\nprotocol = http\nport = 80\n"
        "[upgrade two]\nprotocol = tcp\nport = 80\nupstream-port = 443\n"
        "upstream-name = web.example\n"
        "[upgrade three]\nprotocol = mqtt\nupstream-name = a..b\n"
        "[device a]\nmac = 02:00:00:00:00:01\nupgrade = on\n"
        "[device b]\nmac = 02:00:00:00:00:02\nupgrade = one tow\n"
        "[device c]\nmac = 02:00:00:00:00:03\nupgrade = two one\n", {}, [
            "F:11: upstream-name = a..b: expected a host name such as "
            "broker.example, or an address",
            "F:14: there is no [upgrade on]; did you mean 'one'?",
            "F:17: there is no [upgrade tow]; did you mean 'two'?",
            "F:20: [device c] would have two upgrades for port 80, one and "
            "two: name the one it uses with 'upgrade ='"]),
    "update": (
        "[update]\nkey = /nonexistent/key.pem\n", {}, [
            "F:2: key: cannot read /nonexistent/key.pem: No such file or "
            "directory"]),
}


def run(*args):
    done = subprocess.run([PROGRAM, "--check-config"] + list(args),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=20, check=False)
    return done.returncode, done.stdout, done.stderr


class Place:
    """One configuration in a folder of its own."""

    def __init__(self, folder, main, drop_ins):
        self.file = os.path.join(folder, "g.conf")
        if main is not None:
            self.write(self.file, main)
        os.mkdir(self.file + ".d")
        for name, text in drop_ins.items():
            self.write(os.path.join(self.file + ".d", name), text)

    @staticmethod
    def write(path, text):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def expected(self, lines):
        lines = [self.file + line[1:] for line in lines]
        return lines + ["%s: %d problem%s" % (
            self.file, len(lines), "" if len(lines) == 1 else "s")]


def as_text(problem):
    where = problem["file"]
    if problem["line"]:
        where += ":%d" % problem["line"]
    return where + ": " + problem["text"]


def check_bad(tap, name, main, drop_ins, lines):
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder, main, dict(ZONE, **drop_ins))
        expected = place.expected(lines)
        status, out, err = run("-f", place.file)
        tap.equal((status, out.splitlines(), err), (78, expected, ""), name)
        status, out, err = run("-f", place.file, "--json")
        said = json.loads(out)
        tap.equal((status, said["ok"], err), (78, False, ""),
                  name + ": refused in JSON")
        tap.equal([as_text(p) for p in said["problems"]], expected[:-1],
                  name + ": the same in JSON")


def check_good(tap):
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder, GOOD, {"x.conf": "[gateway]\nmode = enforce\n",
                                     "x.conf.bak": "nonsense\n"})
        tap.equal(run("-f", place.file),
                  (0, place.file + ": no problems\n", ""), "nothing is wrong")
        status, out, _ = run("-f", place.file, "--json")
        tap.equal((status, json.loads(out)),
                  (0, {"file": place.file, "ok": True, "problems": []}),
                  "nothing is wrong, in JSON")


def check_json_text(tap):
    """Quotes, a backslash and other scripts come through JSON unharmed."""
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder, "[gateway]\nmode = \"\\caf\u00e9\t\u20ac\"\n",
                      {})
        _, out, _ = run("-f", place.file, "--json")
        tap.equal(json.loads(out)["problems"][0]["text"],
                  "mode = \"\\caf\u00e9\t\u20ac\": expected observe or "
                  "enforce", "odd values in JSON")


def check_shipped(tap):
    path = os.path.join(SRC, "etc", "gatehouse.conf")
    if not os.path.exists(path):
        tap.skip("the shipped configuration", "there is none")
        return
    status, out, err = run("-f", path)
    tap.equal((status, err), (0, ""), "the shipped configuration is right")
    tap.equal(out, path + ": no problems\n", "and nothing is said of it")


def main():
    with Tap() as tap:
        check_good(tap)
        for name, (text, drop_ins, lines) in BAD.items():
            check_bad(tap, name, text, drop_ins, lines)
        for name, (text, drop_ins, lines) in OF_MODULES.items():
            worker = os.path.join(os.path.dirname(PROGRAM), "..", "modules",
                                  name, "gatehouse-" + name)
            if os.path.exists(worker):
                check_bad(tap, name, text, drop_ins, lines)
            else:
                tap.skip(name, "not built")
        check_json_text(tap)
        check_shipped(tap)


if __name__ == "__main__":
    main()
