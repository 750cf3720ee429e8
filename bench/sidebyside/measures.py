"""The measures: each drives one contender for one round and returns {figure: value}."""

import json
import os
import subprocess
import time

from . import process

EVENTS = 40  # content events of a stream
INTERVAL_MS = 50


class Bench:
    """The load programs and where they run."""

    def __init__(self, programs, proxy_cpu, load_cpu):
        self.driver = os.path.join(programs, "load_driver")
        self.upstream_program = os.path.join(programs, "fake_upstream")
        self.proxy_cpu = proxy_cpu
        self.load_cpu = load_cpu
        self.upstream = None
        self.upstream_port = 0
        self.drop_runs = 0
        self.running = None
        self.others = []  # per drive: the share of our CPUs that went to something else

    def start(self):
        argv = [self.upstream_program, "--events", str(EVENTS), "--interval-ms", str(INTERVAL_MS)]
        self.upstream = process.start(argv, self.load_cpu, stdout=subprocess.PIPE, text=True)
        self.upstream_port = json.loads(self.upstream.stdout.readline())["port"]

    def stop(self):
        for child in (self.running, self.upstream):
            if child:
                process.stop(child, patience=1)

    def drive(self, mode, contender, cpu, **options):
        """Runs the load driver; returns its result and what the contender used between the driver's two marks."""
        argv = [self.driver, "--mode", mode, "--port", str(contender.port)]
        for name, value in options.items():
            argv += ["--" + name.replace("_", "-"), str(value)]
        os.sched_setaffinity(self.upstream.pid, {cpu})
        self.running = process.start(argv, cpu, stdout=subprocess.PIPE, text=True)
        result, marks = {}, {}
        for line in self.running.stdout:
            said = json.loads(line)
            if "phase" in said:
                marks[said["phase"]] = self.mark(contender, {self.proxy_cpu, cpu}, said["count"])
            result = said.get("result", result)
        status = self.running.wait()
        self.running = None
        if status != 0 or not result or result["errors"]:
            raise RuntimeError(f"{contender.name}, {mode}: {result.get('errors', '?')} failures, status {status}: "
                               f"{result.get('first_error', 'no result')}")
        return result, self.used(marks) if marks else {}

    def mark(self, contender, cpus, count):
        ours = process.cpu_ns([self.running.pid, self.upstream.pid])
        return {"cpu": process.cpu_ns(contender.pids), "others": (process.busy_ns(cpus) - ours) / len(cpus),
                "time": time.monotonic_ns(), "rss": process.rss_mib(contender.pids), "cpus": len(cpus), "count": count}

    def used(self, marks):
        before, after = marks["measure"], marks["measured"]
        cpu = after["cpu"] - before["cpu"]
        others = after["others"] - before["others"] - cpu / after["cpus"]
        self.others.append(max(0.0, others / (after["time"] - before["time"])))
        return {"ns_per_count": cpu / after["count"], "rss": max(before["rss"], after["rss"])}


def one_connection(bench, contender, lengths):
    result, _ = bench.drive("requests", contender, bench.proxy_cpu, warm_up_ms=300, measure_ms=lengths["one"])
    return {"one_p50": result["latency"]["p50_us"], "one_p99": result["latency"]["p99_us"]}


def sixty_four(bench, contender, lengths, name, body_bytes):
    result, used = bench.drive("requests", contender, bench.load_cpu, connections=64, body_bytes=body_bytes,
                               warm_up_ms=300, measure_ms=lengths["many"])
    figures = {f"{name}_rps": result["per_second"], f"{name}_p99": result["latency"]["p99_us"]}
    if contender.pids:
        figures[f"{name}_cpu"] = used["ns_per_count"] / 1000
    return figures


def streams(bench, contender, lengths):
    result, used = bench.drive("streams", contender, bench.load_cpu, streams=lengths["streams"], events=EVENTS,
                               interval_ms=INTERVAL_MS, measure_ms=lengths["steady"])
    figures = {}
    for name in ("ttft", "delay", "gap"):
        for rank in ("p50", "p99"):
            figures[f"{name}_{rank}"] = result[name][f"{rank}_us"]
    if contender.pids:
        figures["event_cpu"] = used["ns_per_count"] * 100_000 / 1e9
        figures["rss_streams"] = used["rss"]
    return figures


def drops(bench, contender, lengths):
    bench.drop_runs += 1
    result, _ = bench.drive("drops", contender, bench.load_cpu, upstream=bench.upstream_port, drops=lengths["drops"],
                            label=f"drop-{bench.drop_runs}")
    unseen = float("inf") if result["unseen"] else 0.0
    return {"drop_p50": result["flowing"]["p50_us"] / 1000,
            "drop_silent_p50": result["silent"]["p50_us"] / 1000,
            "drop_max": max(unseen, result["flowing"]["max_us"] / 1000, result["silent"]["max_us"] / 1000)}


ALL = (
    ("one connection, one CPU", one_connection),
    ("64 connections, 1.5 KB", lambda b, c, n: sixty_four(b, c, n, "small", 1500)),
    ("64 connections, 32 KB", lambda b, c, n: sixty_four(b, c, n, "large", 32000)),
    ("streams", streams),
    ("drops", drops),
)
