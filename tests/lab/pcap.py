# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes frames of devices and capture files of them, byte by byte."""
import struct

GROUP = b"\xff" * 6
GATEWAY = bytes([2, 0, 0, 0, 0, 0xfe])


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def ethernet(source, kind, load, to=GROUP, tag=None):
    tags = b"" if tag is None else struct.pack(">HH", 0x8100, tag)
    return to + mac(source) + tags + struct.pack(">H", kind) + load


def ip4(protocol, load, source="10.0.0.2", to="10.0.0.1"):
    return struct.pack(">BBHIBBH", 0x45, 0, 20 + len(load), 0, 64, protocol,
                       0) + bytes(int(x) for x in
                                  (source + "." + to).split(".")) + load


def udp(source, port, to_port, load, **how):
    head = struct.pack(">HHHH", port, to_port, 8 + len(load), 0)
    return ethernet(source, 0x800, ip4(17, head + load), **how)


def tcp(source, to_port, load):
    head = struct.pack(">HHIIHHHH", 40000, to_port, 0, 0, 0x5018, 0, 0, 0)
    return ethernet(source, 0x800, ip4(6, head + load), to=GATEWAY)


def dhcp(source, *options, card=None):
    """options: (code, bytes)"""
    text = b"".join(bytes([code, len(value)]) + value
                    for code, value in options)
    return udp(source, 68, 67, b"\1\1\6\0" + bytes(24) +
               mac(card or source) + bytes(202) + b"\x63\x82\x53\x63" +
               text + b"\xff")


def name(text):
    return b"".join(bytes([len(label)]) + label.encode()
                    for label in text.split(".")) + b"\0"


def record(owner, kind, data):
    return name(owner) + struct.pack(">HHIH", kind, 0x8001, 120,
                                     len(data)) + data


def mdns(source, *records):
    return udp(source, 5353, 5353, b"\0\0\x84\0\0\0" +
               struct.pack(">H", len(records)) + bytes(4) +
               b"".join(records))


def service(source, kind, instance, *texts):
    """Its announcement, as devices make it."""
    kind += ".local"
    txt = b"".join(bytes([len(t)]) + t for t in texts) or b"\0"
    return mdns(source, record(kind, 12, name(instance + "." + kind)),
                record(instance + "." + kind, 33, bytes(6) + name("h.local")),
                record(instance + "." + kind, 16, txt))


def ssdp(source, **headers):
    lines = ["NOTIFY * HTTP/1.1"] + ["%s: %s" % pair
                                     for pair in headers.items()]
    return udp(source, 1900, 1900, ("\r\n".join(lines) + "\r\n\r\n").encode())


def hello(source, host, cut=None):
    """A ClientHello of TLS 1.3; cut: only so many of its bytes."""
    def vector(size, data):
        return len(data).to_bytes(size, "big") + data
    host = host.encode()
    extensions = b"\0\0" + vector(2, vector(2, b"\0" + vector(2, host))) + \
        b"\0\x2b" + vector(2, vector(1, b"\3\4\3\3"))
    body = b"\3\3" + bytes(32) + vector(1, b"") + vector(2, b"\x13\1") + \
        vector(1, b"\0") + vector(2, extensions)
    return tcp(source, 443,
               (b"\x16\3\1" + vector(2, b"\1" + vector(3, body)))[:cut])


def capture(*frames, order="<", nano=False, link=1, start=1700000000):
    """The file as bytes; a frame a second."""
    out = struct.pack(order + "IHHiIII", 0xa1b23c4d if nano else 0xa1b2c3d4,
                      2, 4, 0, 0, 262144, link)
    for i, frame in enumerate(frames):
        out += struct.pack(order + "IIII", start + i, 5, len(frame),
                           len(frame)) + frame
    return out
