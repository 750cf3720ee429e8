"""Child processes: started pinned to a CPU, measured through /proc, stopped by pid."""

import ctypes
import os
import signal
import socket
import subprocess
import time

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)
niceness = 0  # of every child


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(argv, cpu, **popen):
    """Starts argv on one CPU, in its own session; it ends with us even if we are killed."""

    def prepare():
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        os.sched_setaffinity(0, {cpu})
        if niceness:
            _be_urgent()

    return subprocess.Popen(argv, preexec_fn=prepare, start_new_session=True, stdin=subprocess.DEVNULL, **popen)


def _be_urgent():
    os.setpriority(os.PRIO_PROCESS, 0, niceness)
    # Where sessions are scheduled as groups, a nice value counts within the session only, and each child has its own.
    if os.path.exists("/proc/self/autogroup"):
        with open("/proc/self/autogroup", "w") as autogroup:
            autogroup.write(str(niceness))


def stop(child, patience):
    """SIGTERM, then SIGKILL for what is left of its tree after `patience` seconds."""
    pids = tree(child.pid)
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(patience)
        except subprocess.TimeoutExpired:
            pass
    for pid in pids:
        if pid == child.pid and child.poll() is not None:
            continue
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    child.wait()


def tree(pid):
    """pid and all its descendants that are alive."""
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as stat:
                parents[int(name)] = int(stat.read().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = [pid] if pid in parents else []
    for known in found:
        found.extend(child for child, parent in parents.items() if parent == known)
    return found


def cpu_ns(pids):
    """Nanoseconds that all threads of these processes have run, user and kernel."""
    total = 0
    for process in pids:
        for thread in os.listdir(f"/proc/{process}/task"):
            with open(f"/proc/{process}/task/{thread}/schedstat") as schedstat:
                total += int(schedstat.read().split()[0])
    return total


def busy_ns(cpus):
    """Nanoseconds that these CPUs have not been idle, by the kernel's ticks."""
    ticks = 0
    with open("/proc/stat") as stat:
        for line in stat:
            name, *counts = line.split()
            if name in {f"cpu{cpu}" for cpu in cpus}:
                user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, counts[:8])
                ticks += user + nice + system + irq + softirq + steal
    return ticks * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def rss_mib(pids):
    """Resident memory; pages that the processes share are counted for each of them."""
    kib = 0
    for process in pids:
        with open(f"/proc/{process}/status") as status:
            kib += sum(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
    return kib / 1024


def wait_until(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"{what}: not within {seconds} s")
        time.sleep(0.02)
