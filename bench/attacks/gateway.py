"""The gateway under attack: a fresh one for each measurement, with limits as they come."""

import os
import re
import tempfile
import time
import urllib.request

from sidebyside import process

_CONFIG = """\
server: {{listen: "127.0.0.1:{port}", admin: "127.0.0.1:{admin}", workers: 1, drain_grace: 0s, drain_timeout: 1s}}
log: {{level: error, requests: false}}
providers:
  up: {{base_url: "http://127.0.0.1:{healthy}/v1", pool: {{max_idle: 2048}}}}
  bad: {{base_url: "http://127.0.0.1:{hostile}/v1"}}
models: {{bench: up/bench, "*": bad/*}}
"""


class Gateway:
    def __init__(self, program, folder, cpu):
        self._program, self._cpu = program, cpu
        self._folder = tempfile.mkdtemp(dir=folder)
        self._child = None

    def start(self, healthy, hostile):
        self.port, self._admin = process.free_port(), process.free_port()
        path = os.path.join(self._folder, "sluice.yaml")
        with open(path, "w") as file:
            file.write(_CONFIG.format(port=self.port, admin=self._admin, healthy=healthy, hostile=hostile))
        with open(os.path.join(self._folder, "log"), "wb") as log:
            self._child = process.start([self._program, "serve", "--config", path], self._cpu, stdout=log, stderr=log)
        process.wait_until(self._ready, 20, "the gateway to be ready")

    def _ready(self):
        if self._child.poll() is not None:
            with open(os.path.join(self._folder, "log"), errors="replace") as log:
                raise RuntimeError("the gateway ended:\n" + log.read()[-2000:])
        try:
            return self.metrics() is not None
        except OSError:
            return False

    def stop(self):
        if self._child:
            process.stop(self._child, patience=5)
            self._child = None

    def metrics(self):
        """{series: value}"""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._admin}/metrics", timeout=10) as response:
            text = response.read().decode()
        return {name: float(value) for name, value in re.findall(r"^([^#\s].*) (\S+)$", text, re.M)}

    def sum(self, name, label=""):
        return sum(value for series, value in self.metrics().items()
                   if (series == name or series.startswith(name + "{")) and label in series)

    def cpu_ns(self):
        return process.cpu_ns([self._child.pid])

    def rss(self, field="VmRSS"):
        """Bytes. VmHWM is the most there was since forget_peak()."""
        with open(f"/proc/{self._child.pid}/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith(field + ":"))

    def forget_peak(self):
        with open(f"/proc/{self._child.pid}/clear_refs", "w") as file:  # proc(5)
            file.write("5")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self._child.pid}/fd"))

    def settle(self):
        """Until two looks half a second apart find the same memory."""
        last = 0
        for _ in range(10):
            now = self.rss()
            if now == last:
                break
            last = now
            time.sleep(0.5)
        return last
