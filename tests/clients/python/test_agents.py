"""Agents: a loop of tool calls as the SDK's users write it, the run guard that ends it, feedback."""

import json
import os
import pathlib
import time
import uuid

import openai
from support import GatewayTest, MESSAGES, client
from test_chat import TOOLS

TRACE = pathlib.Path(os.environ["TRACE"])


def lines_of(run):
    found = []
    for line in TRACE.read_text().splitlines(keepends=True):
        if run in line and line.endswith("\n"):
            found.append(json.loads(line))
    return found


def wait_for(run, event, count):
    limit = time.monotonic() + 10
    while time.monotonic() < limit:
        found = [line for line in lines_of(run) if line["event"] == event]
        if len(found) >= count:
            return found
        time.sleep(0.02)
    raise AssertionError(f"fewer than {count} lines of {event}")


class Agents(GatewayTest):
    def setUp(self):
        super().setUp()
        self.run_id = f"run-{uuid.uuid4().hex}"
        # Retries are what a runaway agent would have.
        self.agent = client(max_retries=3, default_headers={"x-sluice-run-id": self.run_id})
        self.addCleanup(self.agent.close)

    def turn(self, messages, model="tools", **options):
        return self.agent.chat.completions.create(model=model, messages=messages, tools=TOOLS,
                                                  extra_body=self.marker.extra, **options)

    def loop(self):
        """Until the model stops asking for tools, which it never does."""
        messages = list(MESSAGES)
        while True:
            message = self.turn(messages).choices[0].message
            messages.append(message.to_dict())
            for call in message.tool_calls:
                messages.append({"role": "tool", "tool_call_id": call.id, "content": "Error: no such city"})

    def test_a_runaway_loop_ends_by_itself(self):
        with self.assertRaises(openai.RateLimitError) as raised:
            self.loop()
        error = raised.exception
        self.assertEqual((error.status_code, error.code, error.type), (429, "run_stopped", "rate_limit_error"))
        self.assertEqual(error.body["run_guard"], {"run_id": self.run_id, "cap": "turns", "limit": 3, "used": 3})
        self.assertIn("cap turns: limit 3, used 3", error.message)
        self.assertEqual(len(self.marker.requests()), 3)
        # The SDK, which may try three times more, has asked once.
        self.assertEqual(len(wait_for(self.run_id, "guard", 1)), 1)
        self.assertEqual(len(wait_for(self.run_id, "request", 4)), 4)

    def test_each_tool_call_is_told_once(self):
        with self.assertRaises(openai.RateLimitError):
            self.loop()
        calls = wait_for(self.run_id, "tool_call", 1)
        for call in calls:
            self.assertEqual((call["tool"], call["failed"], call["route"]), ("get_weather", True, "tools"))
            self.assertGreaterEqual(call["duration_us"], 0)
        requests = {line["request_id"] for line in wait_for(self.run_id, "request", 4)}
        self.assertTrue({call["asked_by"] for call in calls} <= requests)
        self.assertGreater(calls[-1]["retries"], 0)

    def test_metadata_names_a_run(self):
        plain = client(max_retries=0)
        self.addCleanup(plain.close)
        for _ in range(3):
            plain.chat.completions.create(model="ok", messages=MESSAGES, metadata={"run_id": self.run_id})
        with self.assertRaises(openai.RateLimitError) as raised:
            plain.chat.completions.create(model="ok", messages=MESSAGES, metadata={"run_id": self.run_id})
        self.assertEqual(raised.exception.body["run_guard"]["run_id"], self.run_id)

    def test_a_client_lowers_a_cap(self):
        careful = {"x-sluice-run-max-turns": "1"}
        self.turn(MESSAGES, "ok", extra_headers=careful)
        with self.assertRaises(openai.RateLimitError):
            self.turn(MESSAGES, "ok", extra_headers=careful)

    def test_feedback(self):
        answer = self.chat("ok")
        told = self.client.post("/feedback", cast_to=object,
                                body={"request_id": answer._request_id, "value": 1, "run_id": self.run_id})
        self.assertEqual(told["object"], "feedback")
        event, = wait_for(self.run_id, "feedback", 1)
        self.assertEqual((event["of"], event["value"], event["name"]), (answer._request_id, 1, "rating"))
        with self.assertRaises(openai.BadRequestError) as raised:
            self.client.post("/feedback", cast_to=object, body={"value": 1})
        self.assertEqual(raised.exception.param, "request_id")
