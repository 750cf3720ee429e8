"""What is compared: each starts in front of the fake upstream and answers on a loopback port."""

import getpass
import os
import re
import socket
import subprocess
import urllib.error
import urllib.request

from . import process

NGINX_CONF = """\
daemon off;
{user}
worker_processes 1;
worker_rlimit_nofile 16384;
pid nginx.pid;
error_log error.log warn;
events {{
  worker_connections 8192;
  multi_accept on;
}}
http {{
  access_log off;
  tcp_nodelay on;
  keepalive_requests 1000000000;
  client_max_body_size 64m;
  client_body_buffer_size 64k;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  upstream up {{
    server 127.0.0.1:{upstream};
    keepalive 2048;
    keepalive_requests 1000000000;
  }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://up;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_read_timeout 10m;
    }}
  }}
}}
"""

SLUICE_YAML = """\
server: {{listen: "127.0.0.1:{port}", admin: "127.0.0.1:{admin}", workers: 1}}
{extra}
providers: {{up: {{dialect: openai, base_url: "http://127.0.0.1:{upstream}/v1", pool: {{max_idle: 2048}}}}}}
models: {{bench: up/bench}}
"""


# A key, three levels of limits and a budget, all far away; with what every request pays for them.
ADMISSION_YAML = """\
trace: {{path: {folder}/trace.jsonl}}
{books}
prices: {{rows: [{{model: bench, input: 1 USD, output: 2 USD}}]}}
groups:
  acme: {{limits: {{requests: 100M/min, tokens: 1000000M/min, budget: 1000000 USD/month}}}}
  acme/search: {{limits: {{requests: 100M/min, concurrency: 100k}}}}
keys:
  - {{name: bench, group: acme/search, limits: {{requests: 100M/min, tokens: 1000000M/min}},
     hash: "sluice1:bench0000001:00112233445566778899aabbccddeeff:2103cb848ba26180686fb7cf10fa71ffd695ca58258f452682b1e1430eae04c6"}}
"""


EMBEDDED = ADMISSION_YAML.replace("{books}", "state: {{path: {folder}/sluice.db}}")
SHARED = ADMISSION_YAML.replace("{books}", 'redis: {{url: "redis://127.0.0.1:{redis}"}}')


class Contender:
    """A proxy under test, or none: pids is empty for direct."""

    def __init__(self, name, folder):
        self.name = name
        self.folder = os.path.join(folder, re.sub(r"\W+", "-", name))
        self.port = 0
        self.child = None
        self.pids = []
        os.mkdir(self.folder)

    def stop(self):
        if self.child:
            process.stop(self.child, patience=2)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def launch(self, argv, cpu):
        with open(os.path.join(self.folder, "stderr"), "wb") as stderr:
            self.child = process.start(argv, cpu, cwd=self.folder, stdout=stderr, stderr=stderr)

    def wait_ready(self, ready):
        def check():
            if self.child.poll() is not None:
                with open(os.path.join(self.folder, "stderr"), errors="replace") as stderr:
                    raise RuntimeError(f"{self.name} ended with {self.child.returncode}: {stderr.read()[-2000:]}")
            return ready()

        process.wait_until(check, 10, f"{self.name} to be ready")
        self.pids = process.tree(self.child.pid)


class Direct(Contender):
    def start(self, upstream, _cpu):
        self.port = upstream


class Nginx(Contender):
    def __init__(self, name, folder, program):
        super().__init__(name, folder)
        self.program = program

    def start(self, upstream, cpu):
        self.port = process.free_port()
        # As root, workers would change to a user who may not enter our folder.
        user = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""
        conf = self.write("nginx.conf", NGINX_CONF.format(port=self.port, upstream=upstream, user=user))
        self.launch([self.program, "-p", self.folder, "-c", conf, "-e", os.path.join(self.folder, "error.log")], cpu)
        self.wait_ready(lambda: accepts(self.port))


class Sluice(Contender):
    redis_port = 0

    def __init__(self, name, folder, program, extra="trace: {{path: {folder}/trace.jsonl}}"):
        super().__init__(name, folder)
        self.program = program
        self.extra = extra

    def start(self, upstream, cpu):
        self.port, admin = process.free_port(), process.free_port()
        extra = self.extra.format(folder=self.folder, redis=self.redis_port)
        config = self.write("sluice.yaml",
                            SLUICE_YAML.format(port=self.port, admin=admin, upstream=upstream, extra=extra))
        self.launch([self.program, "serve", "--config", config], cpu)
        self.wait_ready(lambda: answers_200(f"http://127.0.0.1:{admin}/readyz") and accepts(self.port))


class SluiceWithRedis(Sluice):
    """What it shares is in a redis-server of its own, which shares the other side's CPU."""

    def __init__(self, name, folder, program, extra=SHARED):
        super().__init__(name, folder, program, extra)
        self.redis = None

    def start(self, upstream, cpu):
        self.redis_port = process.free_port()
        argv = ["redis-server", "--port", str(self.redis_port), "--save", "", "--appendonly", "no"]
        self.redis = process.start(argv, min(os.sched_getaffinity(0)), cwd=self.folder, stdout=subprocess.DEVNULL)
        process.wait_until(lambda: accepts(self.redis_port), 10, "redis-server to answer")
        super().start(upstream, cpu)

    def stop(self):
        super().stop()
        if self.redis:
            process.stop(self.redis, patience=2)


def accepts(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def answers_200(url):
    try:
        with urllib.request.urlopen(url, timeout=1) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False
