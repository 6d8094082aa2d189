# SPDX-License-Identifier: GPL-2.0-or-later
"""Other programs that carry plaintext into verified TLS, one worker each, as
bench_tls starts them. Each listens on two ports: for the backend that gives
session tickets and for the one that does not."""
import os
import shutil

NGINX_STREAM = "/usr/lib/nginx/modules/ngx_stream_module.so"
NGINX = """
daemon off; user root; worker_processes 1; worker_rlimit_nofile 4096;
pid {folder}/nginx.pid; error_log stderr warn; load_module {module};
events {{ worker_connections 4000; }}
stream {{
  proxy_timeout 1h; proxy_ssl on; proxy_ssl_verify on;
  proxy_ssl_verify_depth 3; proxy_ssl_trusted_certificate {ca};
  proxy_ssl_server_name on; proxy_ssl_name {name};
  proxy_ssl_protocols TLSv1.2 TLSv1.3; tcp_nodelay on;
  {servers}
}}
"""
HAPROXY = """
global
  nbthread 1
  maxconn 4000
  log 127.0.0.1:9 local0 emerg
defaults
  mode tcp
  timeout connect 10s
  timeout client 1h
  timeout server 1h
{servers}
"""
STUNNEL = """
foreground = yes
pid =
syslog = no
debug = 3
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1
{servers}
"""


class Peer:
    """ports: {port to listen on: port of the backend}"""

    name, program, form, server = "", "", "", ""

    def __init__(self, first):
        self.ports = {first: 8884, first + 1: 8885}
        self.service = None

    def missing(self):
        return not shutil.which(self.program)

    def command(self, path):
        return [self.program, path]

    def start(self, lab, name):
        upstream = lab.cloud.ip
        servers = "".join(self.server.format(
            port=port, to=to, upstream=upstream, ca=lab.pki().ca, name=name)
                          for port, to in self.ports.items())
        folder = os.path.dirname(lab.path(self.name, "x"))
        path = os.path.join(folder, "conf")
        with open(path, "w", encoding="ascii") as file:
            file.write(self.form.format(
                folder=folder, module=NGINX_STREAM, ca=lab.pki().ca,
                name=name, servers=servers))
        self.service = lab.start(
            "gateway", self.command(path), self.name + ".log")
        for port in self.ports:
            lab.wait_listening("gateway", "192.168.50.1", port, self.service)

    def pids(self):
        """Itself and its workers."""
        pid = self.service.process.pid
        with open("/proc/%d/task/%d/children" % (pid, pid),
                  encoding="ascii") as file:
            return [pid] + [int(word) for word in file.read().split()]


class Nginx(Peer):
    name, program, form = "nginx", "nginx", NGINX
    server = "server {{ listen {port}; proxy_pass {upstream}:{to}; }}\n"

    def missing(self):
        return Peer.missing(self) or not os.path.exists(NGINX_STREAM)

    def command(self, path):
        return ["nginx", "-p", os.path.dirname(path), "-c", path,
                "-e", "stderr"]


class Haproxy(Peer):
    name, program, form = "haproxy", "haproxy", HAPROXY
    server = """
listen t{port}
  bind :{port}
  server s {upstream}:{to} ssl verify required ca-file {ca} sni str({name}) \
verifyhost {name} ssl-min-ver TLSv1.2
"""

    def command(self, path):
        return ["haproxy", "-db", "-f", path]


class Stunnel(Peer):
    name, program, form = "stunnel", "stunnel4", STUNNEL
    server = """
[t{port}]
client = yes
accept = {port}
connect = {upstream}:{to}
CAfile = {ca}
verifyChain = yes
checkHost = {name}
sni = {name}
sslVersionMin = TLSv1.2
"""


PEERS = [Nginx(2001), Haproxy(2003), Stunnel(2005)]
