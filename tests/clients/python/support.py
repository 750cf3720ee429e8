"""Clients of the gateway, and what its upstream saw of them."""

import json
import os
import time
import unittest
import urllib.parse
import urllib.request
import uuid

import openai

GATEWAY = os.environ["SLUICE_URL"]
UPSTREAM = os.environ["UPSTREAM_URL"]
MESSAGES = [{"role": "user", "content": os.environ["PROMPT"]}]
SECRET = "sk-up"  # how the upstream's error texts and the gateway's own key for it begin
CLOSE_MS = 50  # what the gateway promises between a client's close and its own
WAIT = 5.0  # seconds


def client(kind=openai.OpenAI, **options):
    return kind(**({"base_url": f"{GATEWAY}/v1", "api_key": "sk-client", "max_retries": 0, "timeout": 10} | options))


def observed():
    with urllib.request.urlopen(f"{UPSTREAM}/_observed", timeout=WAIT) as answer:
        return json.load(answer)


class Marker:
    """A member that nobody knows, by which a test finds its own requests at the upstream."""

    def __init__(self):
        self.value = uuid.uuid4().hex
        self.extra = {"x_marker": self.value}

    def requests(self):
        return [request for request in observed()["requests"] if self.value in request["body"]]

    def request(self):
        """The only one."""
        found = self.requests()
        assert len(found) == 1, f"{len(found)} requests"
        return found[0]

    def body(self):
        return json.loads(self.request()["body"])

    def connection(self):
        """The upstream connection of the last request."""
        seen = observed()
        numbers = [request["connection"] for request in seen["requests"] if self.value in request["body"]]
        return seen["connections"][numbers[-1]] if numbers else None

    def wait_for(self, condition):
        """Polls connection() until the condition holds of it; fails after a while."""
        limit = time.monotonic() + WAIT
        while time.monotonic() < limit:
            connection = self.connection()
            if connection and condition(connection):
                return connection
            time.sleep(0.005)
        raise AssertionError(f"not seen within {WAIT} s, last: {self.connection()}")

    def wait_for_request(self):
        self.wait_for(lambda connection: True)

    def closed_after_ms(self, since):
        """Milliseconds from `since`, of time.monotonic(), until the upstream saw its connection end."""
        return self.wait_for(lambda connection: "closed_at_ms" in connection)["closed_at_ms"] - since * 1000


class GatewayTest(unittest.TestCase):
    def setUp(self):
        self.client = client()
        self.addCleanup(self.client.close)
        self.marker = Marker()

    def chat(self, model="ok", **options):
        options = {"messages": MESSAGES, "extra_body": self.marker.extra} | options
        return self.client.chat.completions.create(model=model, **options)

    def stream(self, model, **options):
        return self.chat(model, stream=True, **options)

    def assert_closes_in_time(self, close_one):
        """`close_one(marker)` opens an exchange, closes it and returns when it began to close, of time.monotonic().
        The best of three counts: a busy machine may delay any single one."""
        delays = []
        while len(delays) < 3 and not (delays and min(delays) <= CLOSE_MS):
            marker = Marker()
            delays.append(marker.closed_after_ms(close_one(marker)))
        self.assertLessEqual(min(delays), CLOSE_MS)
        self.assertGreaterEqual(min(delays), 0)


def text_of(chunks):
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
