#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# run: timeout 120
"""gatehouse discover: what the devices of captures are that this test makes,
hostile ones too. They show that rules lead to answers; they claim nothing
about how many real devices are recognised."""
import json
import os
import subprocess
import sys
import tempfile

SRC = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(SRC, "tests", "lab"))
import pcap  # noqa: E402
from tap import Tap  # noqa: E402

STAGE = os.environ.get("GATEHOUSE_STAGE",
                       os.path.join(SRC, "build", "stage"))
HUE, PLUG, PHONE = "ec:b5:fa:00:00:01", "50:c7:bf:00:00:02", \
    "da:a1:19:00:00:03"
BELKIN, EVIL = "ec:1a:59:00:00:04", "02:00:00:00:00:66"
VENDORS = "MA-L,ECB5FA,Philips Lighting BV,x\n" \
    "MA-L,EC1A59,\"Belkin, International\",x\n"


class Discover:
    def __init__(self, folder):
        self.folder = folder
        self.write("oui.csv", VENDORS.encode())

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, data):
        with open(self.path(name), "wb") as file:
            file.write(data)
        os.chmod(self.path(name), 0o600)  # of its caller alone

    def command(self, *words):
        """As people use it."""
        return subprocess.run(
            [os.path.join(STAGE, "usr/bin/gatehouse"), "discover", *words],
            capture_output=True, check=False, timeout=60,
            env=dict(os.environ, LC_ALL="C.UTF-8", TZ="UTC"))

    def worker(self, *words, **how):
        return subprocess.run(
            [os.path.join(STAGE,
                          "usr/libexec/gatehouse/gatehouse-discover"),
             "--products", os.path.join(SRC, "etc", "products.conf"),
             "--vendors", self.folder, *words],
            capture_output=True, check=False, timeout=60, **how)

    def devices(self, data, *words):
        """MAC -> its part of the report."""
        self.write("x.pcap", data)
        done = self.worker(*words, self.path("x.pcap"))
        report = json.loads(done.stdout)
        return {d["mac"]: d for d in report["devices"]}, report


def evidence(device, kind):
    return [e["value"] for e in device["evidence"] if e["kind"] == kind]


def products(device):
    return [m["product"] for m in device["match"]]


def home():
    return [
        pcap.dhcp(HUE, (12, b"Philips-hue"), (55, b"\1\3\6\x0c\x0f\x1c"),
                  (60, b"udhcp 1.21.1")),
        pcap.service(HUE, "_hue._tcp", "Hue Bridge - 000001",
                     b"modelid=BSB002", b"room=Anna's"),
        pcap.dhcp(PLUG, (12, b"HS110")),
        pcap.hello(PHONE, "www.example.org", cut=60),
        pcap.hello(BELKIN, "api.xbcs.net"),
        pcap.ssdp(BELKIN, NT="upnp:rootdevice", SERVER="Unspecified, UPnP"),
    ]


def check_home(tap, run):
    """The same in each form of the format."""
    first = None
    for order in "<>":
        for nano in (False, True):
            found, report = run.devices(
                pcap.capture(*home(), order=order, nano=nano))
            first = first or found
            tap.equal((found, report["frames"]), (first, 6),
                      "byte order %s, %s" % (order, "nano" if nano else
                                             "micro"))
    tap.equal(products(found[HUE]), ["hue-bridge"], "a bridge")
    tap.ok(found[HUE]["match"][0]["confidence"] > 40 and
           "mac.vendor" in str(found[HUE]["match"][0]["because"]),
           "by whom it was made and what it offers, and why",
           str(found[HUE]))
    tap.equal((evidence(found[HUE], "dhcp.parameters"),
               evidence(found[HUE], "mdns.txt")),
              (["1,3,6,12,15,28"], ["_hue._tcp modelid=BSB002"]),
              "what it asks for; of its texts what is about the product")
    tap.equal(products(found[PLUG]), ["tplink-plug"], "a plug")
    tap.equal((found[PHONE]["randomised"], evidence(found[PHONE],
                                                    "mac.vendor"),
               evidence(found[PHONE], "tls.version")),
              (True, [], ["1.2 or higher (partial)"]),
              "a randomised address has no maker; a hello that was cut")
    tap.equal((sorted(products(found[BELKIN])), found[BELKIN]["question"]),
              (["belkin-netcam", "wemo"], True), "which of these is it?")
    found, _ = run.devices(pcap.capture(*home()), "--device", PLUG)
    tap.equal(list(found), [PLUG], "one device alone")
    found, _ = run.devices(pcap.capture(
        pcap.dhcp(PLUG, (12, b"HS110")), pcap.dhcp(PLUG, (12, b"Annas-Phone")),
        pcap.service(PLUG, "_hue._tcp", "x")))
    tap.ok(found[PLUG]["match"][0]["confidence"] < 40 and
           found[PLUG]["contradiction"] == "dhcp.hostname" and
           found[PLUG]["against"][0]["product"] == "hue-bridge",
           "what contradicts itself makes it less sure", str(found[PLUG]))


def hostile():
    loop = pcap.udp(EVIL, 5353, 5353, b"\0\0\x84\0\0\0\0\1" + bytes(4) +
                    b"\xc0\x0c\0\x0c\0\1\0\0\0\x78\0\2\xc0\x0c")
    lying = pcap.dhcp(EVIL, (12, b"short"))
    return [
        pcap.dhcp(EVIL, (12, b"\x1b]0;owned\x07\x1b[2J\r\n"),
                  (60, b"\xe2\x80\xaegpj.exe\xc2\x9b1m\xff\0x"),
                  (161, b"https://x/\x1b[2J")),
        pcap.service(EVIL, "_x\x1b[1m._tcp", "a\x1b[31mb", b"md=\x1b[5m"),
        loop, lying[:-7] + b"\xff" + lying[-6:],
        pcap.ethernet(EVIL, 0x800, b"\x4f" + bytes(30)),
        pcap.ethernet(EVIL, 0x86dd, b"\x60\0\0\0\xff\xff\0\xff" + bytes(40)),
        pcap.ethernet(EVIL, 0x88cc, b"\x02\xff\x04"),
        pcap.dhcp(EVIL, (12, b"framed"), card=HUE),
        b"\0" * 14, b"x", b"",
    ]


def check_hostile(tap, run):
    found, report = run.devices(pcap.capture(*hostile()))
    tap.ok(list(found) == [EVIL] and report["unread"] == 6,
           "nothing is told of another card; what makes no sense is counted",
           str(report)[:300])
    tap.equal(evidence(found[EVIL], "dhcp.mud-url"), [],
              "a URL with escapes is none")
    out = run.command(run.path("x.pcap")).stdout
    text = out.decode()
    tap.ok(all(c == "\n" or c >= " " for c in text) and "\x7f" not in text
           and "\u202e" not in text and "\x9b" not in text,
           "nothing that a terminal obeys", repr(text))
    tap.ok("\\x1b]0;owned\\x07" in text and "\\u202egpj.exe" in text,
           "it is shown for what it is", text)
    done = run.command(run.path("x.pcap"), "--json")
    tap.ok(b"\x1b" not in done.stdout and
           json.loads(done.stdout)["devices"][0]["mac"] == EVIL,
           "nor in JSON")
    many = [pcap.dhcp("02:00:00:00:%02x:%02x" % (i >> 8, i & 255),
                      (12, b"n%d" % i)) for i in range(3000)]
    many += [pcap.dhcp(EVIL, (12, b"n%d" % i)) for i in range(300)]
    found, _ = run.devices(pcap.capture(*many))
    tap.equal((len(found), len(evidence(found[EVIL], "dhcp.hostname")),
               found[EVIL]["left_out"]), (3000, 8, 292),
              "of one kind it keeps eight of each device")


def check_files(tap, run):
    whole = pcap.capture(*home())
    for cut, why in ((len(whole) - 9, "within a frame"),
                     (len(pcap.capture(home()[0])) + 7, "within the head")):
        found, report = run.devices(whole[:cut])
        tap.ok(HUE in found and why in report["cut"],
               "what was there before it ends %s" % why, str(report)[:200])
    found, report = run.devices(whole + b"\0" * 8 + b"\xff" * 8)
    tap.ok(BELKIN in found and "damaged" in report["cut"],
           "a frame of 4 GB is not believed", str(report)[:200])
    for data, words in ((pcap.capture(link=113), "Ethernet"),
                        (b"\x0a\x0d\x0d\x0a" + bytes(30), "pcapng"),
                        (b"", "not a capture"), (b"x" * 100, "not a capture")):
        run.write("bad.pcap", data)
        done = run.command(run.path("bad.pcap"))
        tap.ok(done.returncode == 1 and words in
               " ".join(done.stderr.decode().split()),
               "told apart: %s" % words, str(done))
    tap.equal(run.command(run.path("none")).returncode, 1, "no such file")
    tap.equal(run.command(run.path("x.pcap"), "--device", "x").returncode, 2,
              "no such device")
    with open(run.path("x.pcap"), "rb") as file:
        done = run.worker("-", stdin=file)
    tap.equal(done.returncode, 0, "from standard input")
    run.write("own.conf", b"[product mine]\nname = Mine\n"
              b"all-of = dhcp.hostname \"HS110\", mac.address "
              b"\"50:c7:bf:00:00:02\"\nkind-of = tplink-plug\n")
    found, _ = run.devices(whole, "--own", run.path("own.conf"))
    tap.equal(products(found[PLUG]), ["mine"], "a rule of the owner's")
    run.write("own.conf", b"[product mine]\nname = Mine\nall-of = x\n")
    done = run.worker("--own", run.path("own.conf"), run.path("x.pcap"))
    tap.ok(done.returncode == 1 and b"own.conf:3:" in done.stderr,
           "a mistake in it is told with its line", str(done))


def check_rights(tap, run):
    """While it waits for the capture it is nobody, in a sandbox."""
    read, write = os.pipe()
    with subprocess.Popen(
            [os.path.join(STAGE, "usr/libexec/gatehouse/gatehouse-discover"),
             "--products", os.path.join(SRC, "etc", "products.conf"), "-"],
            stdin=read, stdout=subprocess.DEVNULL) as child:
        os.close(read)
        status = ""
        for _ in range(200):
            with open("/proc/%d/status" % child.pid,
                      encoding="ascii") as file:
                status = file.read()
            if "Seccomp:\t2" in status:
                break
            try:
                child.wait(0.05)
            except subprocess.TimeoutExpired:
                pass
        fields = dict(line.split(":\t", 1) for line in status.splitlines()
                      if ":\t" in line)
        tap.ok(fields["Seccomp"].strip() == "2" and
               fields["NoNewPrivs"].strip() == "1" and
               "0" not in fields["Uid"].split() and
               int(fields["CapEff"], 16) == 0 and
               not fields["Groups"].strip(),
               "no rights before the first byte", status)
        os.close(write)


def main():
    with Tap() as tap, tempfile.TemporaryDirectory() as folder:
        if not os.path.exists(os.path.join(
                STAGE, "usr/libexec/gatehouse/gatehouse-discover")):
            tap.skip("captures", "discovery was left out of this build")
            return
        run = Discover(folder)
        check_home(tap, run)
        check_hostile(tap, run)
        check_files(tap, run)
        if os.geteuid() == 0:
            check_rights(tap, run)
        else:
            tap.skip("no rights before the first byte", "only root has any")


if __name__ == "__main__":
    main()
