"""The gateway and its scripted upstream, on ports the system chose."""

import contextlib
import dataclasses
import os
import pathlib
import re
import select
import subprocess
import sys
import time

from . import suites

START_SECONDS = 30
STOP_SECONDS = 15
REPORTS = re.compile(r"(Address|Leak|Thread|Memory|UndefinedBehavior)Sanitizer|runtime error:")
UPSTREAM_KEY = "sk-upstream-canary-5f1c"  # may appear nowhere but at the upstream
PROMPT = "canary prompt 83d0"  # every test's prompt; may appear in no log and no trace

CONFIG = """\
server: {{listen: "127.0.0.1:0", admin: "127.0.0.1:0", workers: 1, drain_grace: 0s, drain_timeout: 2s}}
trace: {{path: "{work}/trace.jsonl"}}
# What an upstream is scripted to do is done as often as it is asked, and it is asked by nobody but the SDK.
routing: {{retries: 0, breaker: {{consecutive_failures: 0, error_rate: 0%}}}}
providers:
{accounts}
  up: {{dialect: openai, base_url: "{upstream}/v1", api_keys: ["${{UP_KEY}}"]}}
  house: {{dialect: static, answer: "We are busy; please try again soon.", word_delay: 5ms}}
models:
  demo: house/demo
  "org/model-with-slash": up/ok
  cached-ok: {{target: up/ok, cache: {{policy: all}}}}
  cached-stream: {{target: up/stream-20, cache: {{policy: all}}}}
  cached-tools: {{target: up/tools, cache: {{policy: all, tool_calls: true, finish_reasons: [stop, tool_calls]}}}}
  cached-embed: {{target: up/embed, cache: {{policy: all}}}}
{models}
"""
# Not "*": a name that nobody knows has to exist.
MODELS = ["ok", "tools", "structured", "stream-*", "slow-stream", "stall", "hang", "error-*", "reset-mid", "truncate",
          "embed*"]
# An account that was refused or limited rests, so each test that has this done to it asks for a model with an account
# of its own.
RESTING = {"error-401": "error-401", "error-401-once": "error-401", "error-403": "error-403", "error-429": "error-429",
           "error-429-wait": "error-429", "error-429-stream": "error-429", "flaky-429-*": "*"}


@dataclasses.dataclass
class Pair:
    work: pathlib.Path
    sluice: pathlib.Path = pathlib.Path()
    upstream_url: str = ""
    gateway_url: str = ""
    admin_url: str = ""
    exit_codes: dict = dataclasses.field(default_factory=dict)

    def log(self, name):
        file = self.work / f"{name}.stderr"
        return file.read_text(errors="replace") if file.exists() else ""

    def environment(self):
        """For a suite: nothing of the caller's that an SDK would obey."""
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith("OPENAI_") and not name.lower().endswith("_proxy")}
        return kept | {"SLUICE_URL": self.gateway_url, "UPSTREAM_URL": self.upstream_url, "PROMPT": PROMPT,
                       "TRACE": str(self.work / "trace.jsonl"), "SLUICE_BINARY": str(self.sluice), "WORK": str(self.work)}


def stop(process):
    if process.poll() is None:
        process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        return process.wait(STOP_SECONDS)
    process.kill()
    process.wait()
    return "killed"


@contextlib.contextmanager
def started(name, command, pair, **options):
    with open(pair.work / f"{name}.stderr", "wb") as log:
        process = subprocess.Popen(command, stderr=log, **options)
    try:
        yield process
    finally:
        pair.exit_codes[name] = stop(process)


def gateway_urls(process, pair):
    limit = time.monotonic() + START_SECONDS
    while time.monotonic() < limit and process.poll() is None:
        log = pair.log("gateway")
        found = [re.search(rf"{word} on (http://127\.0\.0\.1:\d+)\s", log) for word in ("listening", "admin")]
        if all(found):
            return [match.group(1) for match in found]
        time.sleep(0.02)
    sys.exit(f"the gateway did not start:\n{pair.log('gateway')}")


def upstream_url(process):
    ready, _, _ = select.select([process.stdout], [], [], START_SECONDS)
    line = process.stdout.readline().decode().strip() if ready else ""
    if not line.startswith("http://"):
        sys.exit("the scripted upstream did not start")
    return line


@contextlib.contextmanager
def running(sluice, upstream, work):
    """Both servers; they are stopped, by pid, when the block ends."""
    pair = Pair(work, sluice)
    (work / "trace.jsonl").unlink(missing_ok=True)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with started("upstream", [upstream], pair, **pipes) as far:
        pair.upstream_url = upstream_url(far)
        accounts = "\n".join(f'  a{n}: {{base_url: "{pair.upstream_url}/v1", api_keys: ["${{UP_KEY}}"]}}'
                             for n in range(len(RESTING)))
        models = [f'  "{name}": a{n}/{asked}' for n, (name, asked) in enumerate(RESTING.items())]
        models += [f'  "{name}": up/*' for name in MODELS]
        config = work / "gateway.yaml"
        config.write_text(CONFIG.format(work=work, upstream=pair.upstream_url, accounts=accounts, models="\n".join(models)))
        environment = os.environ | {"UP_KEY": UPSTREAM_KEY}
        with started("gateway", [sluice, "serve", "--config", config], pair, env=environment,
                     stdin=subprocess.DEVNULL) as near:
            pair.gateway_url, pair.admin_url = gateway_urls(near, pair)
            yield pair


def verdict(pair):
    """What can be judged once both have ended."""
    trace = pair.work / "trace.jsonl"
    written = pair.log("gateway") + (trace.read_text(errors="replace") if trace.exists() else "")
    counts = suites.Counts()
    for name, code in pair.exit_codes.items():
        counts.check(f"{name} ends by itself, with exit code 0", code == 0, f"exit code {code}")
        counts.check(f"{name} has no sanitizer report", not REPORTS.search(pair.log(name)), pair.log(name))
    counts.check("the trace has lines", trace.exists() and trace.stat().st_size > 0, str(trace))
    counts.check("no log and no trace holds the upstream key", UPSTREAM_KEY not in written, str(pair.work))
    counts.check("no log and no trace holds a prompt", PROMPT not in written, str(pair.work))
    return counts
