"""Runs one suite as a process and counts its tests."""

import dataclasses
import os
import re
import signal
import subprocess

SUITE_SECONDS = 300
COUNTS = {name: re.compile(rf"^(?:#|ℹ|\S) {name} (\d+)\s*$", re.MULTILINE) for name in ("pass", "fail", "cancelled")}


@dataclasses.dataclass
class Counts:
    passed: int = 0
    failed: int = 0

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed

    def check(self, what, good, detail):
        print(f"{'ok' if good else 'FAILED'}: {what}" + ("" if good else f"\n{detail}"))
        self.add(Counts(1, 0) if good else Counts(0, 1))


def number(output, name):
    found = COUNTS[name].search(output)
    return int(found.group(1)) if found else 0


def run(name, command, pair):
    """A suite that dies, hangs or counts nothing is one failure at least."""
    print(f"--- {name}", flush=True)
    process = subprocess.Popen(command, env=pair.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, start_new_session=True)
    try:
        output = process.communicate(timeout=SUITE_SECONDS)[0].decode(errors="replace")
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output = process.communicate()[0].decode(errors="replace") + f"\nstopped after {SUITE_SECONDS} s\n"
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    print(output, flush=True)
    counts = Counts(number(output, "pass"), number(output, "fail") + number(output, "cancelled"))
    if counts.failed == 0 and (process.returncode != 0 or counts.passed == 0):
        counts.check(f"the {name} suite ran to its end", False, f"exit code {process.returncode}")
    return counts
