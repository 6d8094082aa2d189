#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Ways around the rules that are not the straight ones."""
from isolation_lab import Lab, all_cut, all_open, everywhere, put, run

WEB = """
[upgrade web]
protocol = http
port = 80
upstream-port = 443
"""


def busy_port(tap):
    """The proxy's trouble is not isolation's: walls first."""
    with Lab() as lab:
        if "proxy" not in lab.workers_built():
            tap.skip("a busy port", "the proxy was left out of this build")
            return
        cloud = everywhere(lab, 7, 80, nodes=["cloud"])
        taken = lab.serve_tcp("gateway", 18100)
        put(lab, lab.base_config("enforce", ("camera", "sensor"), {
            "camera": "allow = tcp/7 any\nallow = tcp/80 any"}, extra=WEB))
        tap.contains(lab.daemon.log(), "cannot listen on port 18100",
                     "somebody else has the proxy's port")
        all_cut(tap, lab, [("sensor", ip, kind, 7) for kind in ("tcp", "udp")
                           for ip in (lab.cloud.ip, lab.cloud.ip6)],
                "isolation is in force all the same")
        all_open(tap, lab, [("camera", lab.cloud.ip, "tcp", 7),
                            ("camera", lab.cloud.ip6, "tcp", 7)],
                 "and so are the allow lines")
        lab.attempts([("camera", lab.cloud.ip, "tcp", 80)], timeout=1)
        tap.equal(cloud["cloud", "tcp", 80].seen, [],
                  "a port that is for TLS only stays shut")
        taken.close()
        tap.ok(lab.daemon.wait_log("proxy: info: 1 upgrades", timeout=35),
               "the proxy comes up when the port is free")


if __name__ == "__main__":
    run(busy_port)
