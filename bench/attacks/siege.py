"""Healthy traffic, alone and while thousands of slow connections stand around it."""

import json
import os
import statistics
import subprocess
import threading
import time

from sidebyside import process

from . import slow, upstream
from .gateway import Gateway

EVENTS, INTERVAL_MS = 40, 50  # of the fake upstream's streams
_EVENT = ('data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,'
          '"delta":{"role":"assistant","content":"%s"},"finish_reason":null}]}\n\n')
_ANSWER = ('{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
           '{"role":"assistant","content":"%s"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,'
           '"completion_tokens":2,"total_tokens":3}}')


def hostile_upstream():
    """Streams that never end, and answers of 32 KiB. It holds little itself, so that the kernel holds little."""
    up = upstream.Upstream(send_buffer=32768, idle=True)
    up.answers[b"flood"] = upstream.flood((_EVENT % ("x" * 200)).encode(), 200 << 20)
    up.answers[b"long"] = upstream.whole((_ANSWER % ("x" * 32768)).encode())
    up.answers[b"ok"] = upstream.whole((_ANSWER % "x").encode())
    up.start()
    return up


class Programs:
    """The load driver and the fake upstream, all on one CPU."""

    def __init__(self, folder, cpu):
        self._driver = os.path.join(folder, "load_driver")
        self._cpu = cpu
        argv = [os.path.join(folder, "fake_upstream"), "--events", str(EVENTS), "--interval-ms", str(INTERVAL_MS)]
        self._upstream = process.start(argv, cpu, stdout=subprocess.PIPE, text=True)
        self.upstream_port = json.loads(self._upstream.stdout.readline())["port"]
        self._running = []

    def stop(self):
        for child in [*self._running, self._upstream]:
            process.stop(child, patience=1)

    def healthy(self, port, options):
        """Requests at a steady rate beside some streams. {figure: value}; latencies in microseconds, the medians of
        some windows: whatever else the machine does for a moment spoils one of them."""
        windows = [self._window(port, options.seconds) for _ in range(options.windows)]
        figures = {name: statistics.median(window[name] for window in windows) for name in ("p50", "p99", "delay_p99")}
        first_error = next((window["first_error"] for window in windows if window["first_error"]), "")
        return {**figures, "errors": sum(window["errors"] for window in windows), "first_error": first_error}

    def _window(self, port, seconds, rate=400, streams=20):
        ms = str(int(seconds * 1000))
        common = ["--port", str(port), "--measure-ms", ms]
        requests = self._drive(["--mode", "paced", "--rate", str(rate), *common])
        events = self._drive(["--mode", "streams", "--streams", str(streams), "--events", str(EVENTS),
                              "--interval-ms", str(INTERVAL_MS), *common])
        done, relayed = self._result(requests), self._result(events)
        return {"p50": done["latency"]["p50_us"], "p99": done["latency"]["p99_us"],
                "delay_p99": relayed["delay"]["p99_us"], "errors": done["errors"] + relayed["errors"],
                "first_error": done["first_error"] or relayed["first_error"]}

    def _drive(self, options):
        child = process.start([self._driver, *options], self._cpu, stdout=subprocess.PIPE, text=True)
        self._running.append(child)
        return child

    def _result(self, child):
        said, _ = child.communicate(timeout=120)
        self._running.remove(child)
        return json.loads(said.splitlines()[-1])["result"]


class _Watch(threading.Thread):
    """The most memory while it runs. Listing thousands of descriptors would hold the CPU of those who measure."""

    def __init__(self, gateway):
        super().__init__(daemon=True)
        self._gateway, self._over = gateway, threading.Event()
        self.rss = 0

    def run(self):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        while not self._over.wait(0.25):
            self.rss = max(self.rss, self._gateway.rss())

    def stop(self):
        self._over.set()
        self.join()


def besiege(gateway, programs, mode, options):
    """One mode against a gateway that has just been started."""
    alone = programs.healthy(gateway.port, options)
    before = gateway.settle()
    watch = _Watch(gateway)
    attackers = slow.Siege(gateway.port, mode, options.connections, options.rate)
    watch.start()
    attackers.start()
    try:
        process.wait_until(lambda: attackers.open() >= options.connections * 0.99, 120, "the attackers to be connected")
        time.sleep(1)
        attacked = programs.healthy(gateway.port, options)
        held = gateway.sum("sluice_client_connections")
        descriptors = gateway.descriptors()
    finally:
        attackers.stop()
        watch.stop()
    return {"mode": mode.name, "held": held, "alone": alone, "attacked": attacked, "rss": watch.rss - before,
            "descriptors": descriptors, "cut": attackers.cut, "statuses": dict(attackers.statuses)}


def run(program, programs, folder, options):
    """All modes, each against a fresh gateway."""
    hostile = hostile_upstream()
    results = []
    try:
        for mode in slow.MODES:
            if options.only and options.only not in mode.name:
                continue
            gateway = Gateway(program, folder, options.gateway_cpu)
            gateway.start(programs.upstream_port, hostile.port)
            try:
                results.append(besiege(gateway, programs, mode, options))
            finally:
                gateway.stop()
    finally:
        hostile.stop()
    return results


def table(results, connections):
    lines = [f"{connections} connections of each kind; latencies of healthy requests in µs, alone → besieged",
             f"{'':17}{'p50':>14}{'p99':>16}{'ratio':>7}{'event p99':>16}{'errors':>8}{'RSS, MiB':>10}{'fds':>7}{'cut':>7}"]
    for one in results:
        alone, attacked = one["alone"], one["attacked"]
        pair = {key: f"{alone[key]:.0f} → {attacked[key]:.0f}" for key in ("p50", "p99", "delay_p99")}
        lines.append(f"{one['mode']:17}{pair['p50']:>14}{pair['p99']:>16}{attacked['p99'] / alone['p99']:>7.2f}"
                     f"{pair['delay_p99']:>16}{alone['errors'] + attacked['errors']:>8}{one['rss'] / 2**20:>+10.1f}"
                     f"{one['descriptors']:>7}{one['cut']:>7}  {one['statuses'] or ''}")
    return "\n".join(lines)


def misses(results):
    """What the targets of the fault matrix say no to."""
    found = []
    for one in results:
        ratio = one["attacked"]["p99"] / one["alone"]["p99"]
        if ratio > 2:
            found.append(f"{one['mode']}: p99 is {ratio:.1f} times as long")
        if one["rss"] > 64 << 20:
            found.append(f"{one['mode']}: {one['rss'] / 2**20:.0f} MiB more, at most 64 were wanted")
    return found


def errors(results):
    return [f"{one['mode']}, {when}: {one[when]['errors']} errors: {one[when]['first_error']}"
            for one in results for when in ("alone", "attacked") if one[when]["errors"]]
