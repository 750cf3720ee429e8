"""An upstream that answers with prepared bytes: the model that is asked for names them."""

import os
import re
import selectors
import socket
import threading

_LENGTH = re.compile(rb"content-length: *(\d+)", re.I)
_MODEL = re.compile(rb'"model": *"([\w-]*)"')


class Answer:
    """`head` once, then `piece` until `total` bytes of pieces are out, then `tail`. Forever, in practice: total huge."""

    def __init__(self, head, piece=b"", total=0, tail=b"", close=False):
        self.head, self.piece, self.total, self.tail, self.close = head, piece, total, tail, close

    def size(self):
        return len(self.head) + self.total + len(self.tail)


def whole(body, status="200 OK", fields=""):
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n{fields}\r\n"
    return Answer(head.encode() + body)


def stream(pieces):
    """Event-stream text in chunks, as one answer."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    return Answer(head + b"".join(chunk(piece) for piece in pieces) + b"0\r\n\r\n")


def flood(piece, total):
    """An endless stream of the same event."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    return Answer(head, chunk(piece) * max(1, 65536 // len(piece)), total)


def chunk(data):
    return b"%x\r\n" % len(data) + data + b"\r\n"


class _Connection:
    def __init__(self, sock):
        self.sock, self.received, self.answer, self.out, self.left = sock, b"", None, memoryview(b""), 0


class Upstream(threading.Thread):
    """Runs until stop(). `answers`: model name (bytes) to Answer; may grow while it runs. `idle`: only when nobody else
    wants the CPU."""

    def __init__(self, send_buffer=0, idle=False):
        super().__init__(daemon=True)
        self._idle = idle
        self.answers = {}
        self._send_buffer = send_buffer
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._stopping = False

    def stop(self):
        self._stopping = True
        self.join()

    def run(self):
        if self._idle:
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        while not self._stopping:
            for key, events in self._selector.select(0.1):
                if key.data is None:
                    self._accept()
                else:
                    self._serve(key.data, events)
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()

    def _accept(self):
        try:
            sock, _ = self._listener.accept()
        except BlockingIOError:
            return
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._send_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._send_buffer)
        self._selector.register(sock, selectors.EVENT_READ, _Connection(sock))

    def _serve(self, connection, events):
        try:
            if events & selectors.EVENT_READ and not self._receive(connection):
                return self._close(connection)
            if events & selectors.EVENT_WRITE and not self._send(connection):
                self._close(connection)
        except BlockingIOError:
            pass
        except OSError:
            self._close(connection)

    def _receive(self, connection):
        data = connection.sock.recv(1 << 20)
        if not data:
            return False
        if connection.answer:
            return True
        connection.received += data
        head, _, body = connection.received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not length or len(body) < int(length.group(1)):
            return True
        connection.answer = self.answers.get(_MODEL.search(body).group(1), self.answers[b"ok"])
        connection.received = b""
        connection.out, connection.left = memoryview(connection.answer.head), connection.answer.total
        self._selector.modify(connection.sock, selectors.EVENT_READ | selectors.EVENT_WRITE, connection)
        return True

    def _send(self, connection):
        answer = connection.answer
        connection.out = connection.out[connection.sock.send(connection.out):]
        if connection.out:
            return True
        if connection.left > 0:
            connection.out = memoryview(answer.piece)
            connection.left -= len(answer.piece)
        elif connection.left > -1 and answer.tail:
            connection.out, connection.left = memoryview(answer.tail), -1
        else:
            connection.answer = None
            self._selector.modify(connection.sock, selectors.EVENT_READ, connection)
            return not answer.close
        return True

    def _close(self, connection):
        self._selector.unregister(connection.sock)
        connection.sock.close()
