"""Thousands of clients that send or read next to nothing, from one thread."""

import collections
import heapq
import os
import select
import socket
import threading
import time

_HEAD = "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"


def _request(model, members=""):
    body = '{"model":"%s",%s"messages":[{"role":"user","content":"%s"}]}' % (model, members, "x" * 400)
    return (_HEAD + f"content-length: {len(body)}\r\n\r\n" + body).encode()


class Mode:
    """`opening` at once; then `piece` is sent, or `reads` bytes are read, each `gap` seconds."""

    def __init__(self, name, opening, piece=b"", reads=0, gap=1.0, small_window=False):
        self.name, self.opening, self.piece, self.reads, self.gap = name, opening, piece, reads, gap
        self.small_window = small_window


MODES = (
    Mode("slow heads", _HEAD.encode() + b"x-0: ", piece=b"y", gap=4.0),
    Mode("slow bodies", _HEAD.encode() + b'content-length: 1000000\r\n\r\n{"model":"bench","messages":[', piece=b" " * 10,
         gap=2.0),
    Mode("stalled streams", _request("flood", '"stream":true,'), gap=4.0, small_window=True),
    Mode("slow readers", _request("long"), reads=16, gap=4.0, small_window=True),
)


class Siege(threading.Thread):
    """Keeps `count` connections of a mode open, opened at `rate` per second and again when they are cut."""

    def __init__(self, port, mode, count, rate):
        super().__init__(daemon=True)
        self._port, self._mode, self._count, self._pause = port, mode, count, 1 / rate
        self._epoll = select.epoll()
        self._open = {}  # by descriptor
        self._due = [(time.monotonic() + i * self._pause, i, None) for i in range(count)]  # None: to be opened
        self._serial = count
        self._stopping = False
        self._reopened = 0.0  # when the last of those that were cut is opened again
        self.statuses = collections.Counter()  # of what cut connections were told
        self.cut = 0

    def open(self):
        return len(self._open)

    def stop(self):
        self._stopping = True
        self.join()

    def run(self):
        # What is measured is what the attack costs the gateway, not what it costs those who measure on the same CPU.
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        heapq.heapify(self._due)
        while not self._stopping:
            self._act(time.monotonic())
            wait = self._due[0][0] - time.monotonic() if self._due else 0.05
            for descriptor, _ in self._epoll.poll(min(0.05, max(0.0, wait))):
                if descriptor in self._open:
                    self._look(self._open[descriptor])
        for sock in self._open.values():
            sock.close()
        self._epoll.close()

    def _act(self, now):
        while self._due and self._due[0][0] <= now:
            _, _, sock = heapq.heappop(self._due)
            if sock is None:
                sock = self._connect()
            elif sock.fileno() < 0:
                continue
            else:
                self._go_on(sock)
            self._later(now + self._mode.gap, sock)

    def _later(self, when, sock):
        self._serial += 1
        heapq.heappush(self._due, (when, self._serial, sock))

    def _connect(self):
        sock = socket.socket()
        if self._mode.small_window:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(("127.0.0.1", self._port))
        sock.setblocking(False)
        sock.send(self._mode.opening)
        self._open[sock.fileno()] = sock
        # Who does not read learns of a reset all the same.
        self._epoll.register(sock, 0 if self._mode.small_window else select.EPOLLIN)
        return sock

    def _go_on(self, sock):
        try:
            if self._mode.piece:
                sock.send(self._mode.piece)
            elif self._mode.reads and not sock.recv(self._mode.reads):
                self._ended(sock)
        except BlockingIOError:
            pass
        except OSError:
            self._ended(sock)

    def _look(self, sock):
        try:
            answer = sock.recv(65536)
            if answer.startswith(b"HTTP/1.1 "):
                self.statuses[answer[9:12].decode()] += 1
            if not answer or b"connection: close" in answer:
                self._ended(sock)
        except BlockingIOError:
            pass
        except OSError:
            self._ended(sock)

    def _ended(self, sock):
        if self._open.pop(sock.fileno(), None) is None:
            return
        self.cut += 1
        sock.close()  # and so out of the epoll set
        self._reopened = max(time.monotonic() + 1, self._reopened + self._pause)
        self._later(self._reopened, None)
