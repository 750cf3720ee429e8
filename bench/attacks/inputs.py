"""The classes of bad input. Each is compared with the ordinary input of its group, which comes first and is as large."""

import base64
import gzip
import struct

from . import upstream

HEAD_BYTES = 60_000  # just below limits.header_bytes
BODY_BYTES = 1 << 20

_HEAD = "POST /v1/{} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\n"
_CHUNKED = _HEAD.format("chat/completions") + "transfer-encoding: chunked\r\n\r\n"
_TALK = "It was a bright cold day in April,\\nand nobody had asked the model for anything yet. "
_EVENT = ('data: {{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{{"index":0,'
          '"delta":{{"content":"{}"}},"finish_reason":null}}]}}\n\n')


class Input:
    """`request` as the client sends it, or a small one that `answer` is given to: then the upstream is the attacker."""

    def __init__(self, group, name, request, answer=None):
        self.group, self.name, self.request, self.answer = group, name, request, answer
        self.endless = name == "never complete" and not answer

    def bytes(self):
        return self.answer.size() if self.answer else len(self.request)


def fill(piece, size, join=""):
    """`piece`, which may hold {i}, again and again: about `size` bytes."""
    if "{i}" not in piece:
        return join.join([piece] * (size // (len(piece) + len(join))))
    return join.join(piece.replace("{i}", f"{i:06d}") for i in range(size // (len(piece) + 3 + len(join))))


def post(body, fields="", path="chat/completions"):
    body = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    return (_HEAD.format(path) + fields + f"content-length: {len(body)}\r\n\r\n").encode() + body


def chat(value, model="ok"):
    """A request that is sound but for an unknown member with that value."""
    return post('{"model":"%s","messages":[{"role":"user","content":"hi"}],"x":%s}' % (model, value))


def heads():
    def get(fields, target="/v1/models"):
        return f"GET {target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{fields}\r\n".encode()

    value = "v" * 900
    yield "ordinary", get(fill("x-field-{i}: " + value + "\r\n", HEAD_BYTES))
    yield "long target", get("", "/v1/models?" + "a" * HEAD_BYTES)
    yield "one long field", get("x: " + "v" * HEAD_BYTES + "\r\n")
    yield "thousands of fields", get(fill("a:b\r\n", HEAD_BYTES))
    yield "bad byte at the end", get("x: " + "v" * HEAD_BYTES + "\0\r\n")
    yield "list of connection options", get("connection: " + fill("a", HEAD_BYTES, ",") + "\r\n")
    yield "never complete", get("x: " + "v" * HEAD_BYTES)[:-4]


def bodies():
    size = BODY_BYTES
    message = '{"role":"user","content":"' + _TALK * 12 + '"}'
    yield "ordinary", post('{"model":"ok","messages":[' + fill(message, size, ",") + "]}")
    yield "tiny messages", post('{"model":"ok","messages":[' + fill('{"role":"user","content":"a"}', size, ",") + "]}")
    yield "empty messages", post('{"model":"ok","messages":[' + fill("{}", size, ",") + "]}")
    yield "tiny content parts", post('{"model":"ok","messages":[{"role":"user","content":['
                                     + fill('{"type":"text","text":""}', size, ",") + "]}]}")
    yield "many keys", chat("{" + fill('"k{i}":1', size, ",") + "}")
    yield "long keys alike", chat("{" + fill('"' + "k" * 40 + '{i}":1', size, ",") + "}")
    yield "escaped keys", chat("{" + fill('"\\u006b{i}":1', size, ",") + "}")
    yield "outermost keys", post('{"model":"ok","messages":[{"role":"user","content":"hi"}],'
                                 + fill('"k{i}":1', size, ",") + "}")
    yield "small objects", chat("[" + fill('{"a":1,"b":2,"c":3}', size, ",") + "]")
    yield "empty objects", chat("[" + fill("{}", size, ",") + "]")
    yield "nesting", chat("[" + fill("[" * 60 + "]" * 60, size, ",") + "]")
    yield "nested objects", chat("[" + fill('{"a":' * 60 + "1" + "}" * 60, size, ",") + "]")
    yield "nesting too deep", chat("[" * size)
    yield "empty strings", chat("[" + fill('""', size, ",") + "]")
    yield "escapes \\u0041", chat('"' + fill("\\u0041", size) + '"')
    yield "escapes \\n", chat('"' + fill("\\n", size) + '"')
    yield "surrogate pairs", chat('"' + fill("\\ud83d\\ude00", size) + '"')
    yield "long characters", chat('"' + fill("\U0001f600", size // 4) + '"')
    yield "whitespace", chat("1" + " \n\t\r" * (size // 4))
    yield "one number", chat("1" * size)
    yield "small numbers", chat("[" + fill("1", size, ",") + "]")
    yield "odd numbers", chat("[" + fill("-1.5e-300", size, ",") + "]")
    yield "literals", chat("[" + fill("true,false,null", size, ",") + "]")
    yield "one key", chat('{"' + "k" * size + '":1}')
    yield "long model", chat("1", "m" * size)
    yield "repeated key at the end", chat("{" + fill('"k{i}":1', size, ",") + ',"k000000":1}')
    yield "bad UTF-8 at the end", chat('"' + "a" * size + '"')[:-3] + b'\xff"}'
    yield "cut", chat('"' + "a" * size)
    yield "gzip", post(gzip.compress(b" " * (size * 1000)), "content-encoding: gzip\r\n")
    yield "not JSON", post("a" * size).replace(b"application/json", b"text/plain")
    yield "announced too long", post("a" * size).replace(f"content-length: {size}".encode(),
                                                         b"content-length: 999999999999")


def chunked():
    size = BODY_BYTES
    text = b'{"model":"ok","messages":[{"role":"user","content":"' + b"a" * size + b'"}]}'
    head = _CHUNKED.encode()

    def in_chunks(each):
        return head + b"".join(upstream.chunk(text[i:i + each]) for i in range(0, len(text), each)) + b"0\r\n\r\n"

    yield "ordinary", in_chunks(65536)
    yield "chunks of 6 bytes", in_chunks(6)
    yield "chunks of 1 byte", in_chunks(1)
    yield "extensions", head + b"1;" + b"e" * size
    yield "trailers", head + b"1\r\n \r\n0\r\n" + b"x: y\r\n" * (size // 6)


def streams():
    size = BODY_BYTES
    role, end = _EVENT.format("a"), _EVENT.format("z").replace("null", '"stop"') + "data: [DONE]\n\n"

    def wrapped(text, each=16384):
        data = (role + text + end).encode()
        return upstream.stream([data[i:i + each] for i in range(0, len(data), each)])

    yield "ordinary", wrapped(fill(_EVENT.format(" word" * 8), size))
    yield "tiny events", wrapped(fill('data: {"choices":[]}\n\n', size))
    yield "empty lines", wrapped("\n" * size)
    yield "comments", wrapped(fill(":\n", size))
    yield "ids and retries", wrapped(fill("id: 1\nretry: 1\n", size))
    yield "pings", wrapped(fill("event: ping\ndata: {}\n\n", size))
    yield "events without data", wrapped(fill("event: a\n\n", size))
    yield "tiny lines of one event", wrapped(fill("data:\n", size) + "\n")
    yield "one line without an end", wrapped("data: " + "a" * size)
    yield "one event", wrapped(_EVENT.format("a" * size))
    yield "line ends CR", wrapped(fill(_EVENT.format("a").replace("\n", "\r"), size))
    yield "chunks of 1 byte", wrapped(fill(_EVENT.format("a"), size // 6), 1)
    yield "many choices", wrapped(_EVENT.format("a").replace("null}]", "null}," + fill('{"index":1}', size, ",") + "]"))
    yield "escapes", wrapped(fill(_EVENT.format("\\u0041" * 40), size))
    yield "event of many keys", wrapped(_EVENT.format("a").replace('"id":', fill('"k{i}":1', size, ",") + ',"id":'))


def answers():
    size = BODY_BYTES
    text = ('{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":'
            '"assistant","content":"%s"},"finish_reason":"stop"}],"x":%s}')
    yield "ordinary", upstream.whole((text % (_TALK * (size // len(_TALK)), "1")).encode())
    yield "many keys", upstream.whole((text % ("a", "{" + fill('"k{i}":1', size, ",") + "}")).encode())
    yield "nesting", upstream.whole((text % ("a", "[" + fill("[" * 60 + "]" * 60, size, ",") + "]")).encode())
    yield "escapes", upstream.whole((text % (fill("\\u0041", size), "1")).encode())
    yield "whitespace", upstream.whole((text % ("a", "1" + " " * size)).encode())
    yield "many choices", upstream.whole((text % ("a", "1")).replace("}]", "}," + fill("{}", size, ",") + "]").encode())
    yield "never complete", upstream.Answer((text % (fill("a", size), "1")).encode().join(
        [b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9999999\r\n\r\n", b""]), close=True)
    yield "error of 1 MiB", upstream.whole(b"<html>" + b"a" * size, "500 Oops")
    yield "error of JSON", upstream.whole(b'{"error":{"message":"' + b"a" * size + b'"}}', "400 Bad")
    yield "compressed", upstream.whole(gzip.compress(b" " * (size * 100)), fields="content-encoding: gzip\r\n")
    yield "long head", upstream.Answer(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * (size // 6) + b"\r\n", close=True)
    yield "interim answers", upstream.Answer(b"HTTP/1.1 103 Early\r\n\r\n" * (size // 22), close=True)


def embeddings():
    """What is asked for is turned into the other form: the lists are read and written again."""
    def answer(value):
        item = '{"object":"embedding","index":0,"embedding":%s}' % value
        return upstream.whole(('{"object":"list","data":[' + fill(item, BODY_BYTES, ",")
                               + '],"model":"m","usage":{"prompt_tokens":1,"total_tokens":1}}').encode())

    floats = [(i * 37 % 1000 - 500) / 1e4 for i in range(1536)]
    yield "ordinary", answer("[" + ",".join(f"{value:.8f}" for value in floats) + "]")
    yield "short numbers", answer("[" + fill("1", 20_000, ",") + "]")
    yield "base64", answer('"' + base64.b64encode(struct.pack("<1536f", *floats)).decode() + '"')
    yield "tiny lists", answer("[1]")


def everything():
    for group, make in (("head", heads), ("body", bodies), ("chunks", chunked)):
        for name, request in make():
            yield Input(group, name, request)
    for group, make, members in (("stream", streams, '"stream":true,'), ("answer", answers, "")):
        for name, answer in make():
            body = '{"model":"bad",%s"messages":[{"role":"user","content":"hi"}]}' % members
            yield Input(group, name, post(body), answer)
    for name, answer in embeddings():
        for form in ("float", "base64"):
            body = '{"model":"bad","input":"hi","encoding_format":"%s"}' % form
            yield Input(f"to {form}", name, post(body, path="embeddings"), answer)
