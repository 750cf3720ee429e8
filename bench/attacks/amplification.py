"""What each class of bad input costs: memory per byte sent, and CPU beside that of ordinary input as large."""

import selectors
import socket
import time

from . import inputs, upstream
from .gateway import Gateway

AT_ONCE = 16  # bodies
AT_ONCE_HEADS = 256
CPU_BYTES = 12 << 20  # sent one after the other, for the CPU figure
WANTED, BOUND = 10, 20


class _Client:
    """Sends one request, keeps its last bytes back until told, and reads whatever comes."""

    def __init__(self, port, request, leaves):
        self.sock = socket.create_connection(("127.0.0.1", port))
        self.sock.setblocking(False)
        self.left, self.kept = memoryview(request)[:-16], memoryview(request)[-16:]
        self.over, self.leaves = False, leaves  # once all is sent: the request has no end

    def step(self, events):
        try:
            if events & selectors.EVENT_WRITE and self.left:
                self.left = self.left[self.sock.send(self.left):]
                self.over = not self.left and not self.kept and self.leaves
            if events & selectors.EVENT_READ and not self.sock.recv(1 << 18):
                self.over = True
        except BlockingIOError:
            pass
        except OSError:
            self.over = True  # refused before everything was sent


def drive(clients, until, seconds=20):
    """Lets them send and read until `until(client)` holds for each."""
    with selectors.DefaultSelector() as selector:
        waiting = {client for client in clients if not until(client)}
        for client in waiting:
            selector.register(client.sock, selectors.EVENT_READ | selectors.EVENT_WRITE, client)
        end = time.monotonic() + seconds
        while waiting and time.monotonic() < end:
            for key, events in selector.select(0.5):
                client = key.data
                client.step(events)
                if client in waiting and until(client):
                    waiting.discard(client)
                    selector.unregister(client.sock)
                elif not client.left and client in waiting:
                    selector.modify(client.sock, selectors.EVENT_READ, client)
    if waiting:
        raise RuntimeError(f"{len(waiting)} exchanges did not end within {seconds} s")


def exchange(port, one, count):
    """All at once. Calls back, so to speak, between the two halves: yields once when all but the last bytes are sent."""
    clients = [_Client(port, one.request, one.endless) for _ in range(count)]
    drive(clients, lambda client: client.over or not client.left)
    yield
    for client in clients:
        client.left, client.kept = client.kept, b""
    drive(clients, lambda client: client.over)
    for client in clients:
        client.sock.close()


def memory(gateway, one):
    """Bytes of growth per byte that the attacker sent."""
    count = AT_ONCE_HEADS if one.group == "head" else AT_ONCE
    before = gateway.settle()
    gateway.forget_peak()
    for _ in exchange(gateway.port, one, count):
        time.sleep(0.1)
    return max(0, gateway.rss("VmHWM") - before) / (one.bytes() * count)


def cpu(gateway, one):
    """Nanoseconds per byte that the attacker sent."""
    count = max(1, CPU_BYTES // one.bytes())
    before = gateway.cpu_ns()
    for _ in range(count):
        for _ in exchange(gateway.port, one, 1):
            pass
    return (gateway.cpu_ns() - before) / (one.bytes() * count)


def measure(program, programs, folder, options):
    """[(input, memory, CPU relative to the ordinary one)], a fresh gateway for each. Prints the table as it goes."""
    hostile = upstream.Upstream()
    hostile.answers[b"ok"] = upstream.whole(
        b'{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
        b'{"role":"assistant","content":"a"},"finish_reason":"stop"}]}')
    hostile.start()
    results, usual = [], {}
    print(_HEADING)
    try:
        for one in inputs.everything():
            if options.only and options.only not in f"{one.group}: {one.name}" and one.name != "ordinary":
                continue
            hostile.answers[b"bad"] = one.answer
            grown, spent = _measure_one(program, programs, folder, options, hostile, one)
            usual.setdefault(one.group, spent)
            results.append((one, grown, spent / usual[one.group]))
            print(_row(one, grown, spent, spent / usual[one.group]), flush=True)
    finally:
        hostile.stop()
    return results


def _measure_one(program, programs, folder, options, hostile, one):
    gateway = Gateway(program, folder, options.gateway_cpu)
    gateway.start(programs.upstream_port, hostile.port)
    try:
        for _ in exchange(gateway.port, inputs.Input("body", "small", inputs.chat("1")), 1):
            pass
        grown = memory(gateway, one)
        return grown, min(cpu(gateway, one) for _ in range(options.repeat))
    finally:
        gateway.stop()


_HEADING = f"{'':46}{'memory per byte':>16}{'CPU, ns per byte':>18}{'x ordinary':>12}"


def _row(one, grown, spent, ratio):
    mark = "  over" if max(grown, ratio) > WANTED else ""
    return f"{one.group + ': ' + one.name:46}{grown:>16.2f}{spent:>18.2f}{ratio:>12.2f}{mark}"


def beyond(results):
    """The classes that must not be."""
    return [f"{one.group}: {one.name}: {grown:.1f} x memory, {ratio:.1f} x CPU"
            for one, grown, ratio in results if max(grown, ratio) >= BOUND]
