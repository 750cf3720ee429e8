"""Whole chat answers, tools and structured output."""

import json
import unittest

import openai
import pydantic
from support import GATEWAY, GatewayTest, MESSAGES, client

TOOLS = [{"type": "function",
          "function": {"name": "get_weather",
                       "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}]


class Person(pydantic.BaseModel):
    name: str
    age: int


class Chat(GatewayTest):
    def test_answers(self):
        answer = self.chat()
        self.assertEqual(answer.choices[0].message.content, "Hello there.")
        self.assertEqual(answer.choices[0].finish_reason, "stop")
        self.assertEqual(answer.object, "chat.completion")
        self.assertEqual(answer.usage.total_tokens, 19)
        self.assertEqual(answer.usage.prompt_tokens_details.cached_tokens, 4)

    def test_a_model_with_a_slash_is_asked_by_its_upstream_name(self):
        self.assertEqual(self.chat("org/model-with-slash").choices[0].message.content, "Hello there.")
        self.assertEqual(self.marker.body()["model"], "ok")

    def test_calls_a_tool(self):
        choice = self.chat("tools", tools=TOOLS).choices[0]
        self.assertEqual(choice.finish_reason, "tool_calls")
        self.assertEqual(choice.message.tool_calls[0].id, "call_9xZ")
        self.assertEqual(choice.message.tool_calls[0].function.name, "get_weather")
        self.assertEqual(json.loads(choice.message.tool_calls[0].function.arguments), {"city": "Paris"})
        self.assertEqual(self.marker.body()["tools"], TOOLS)

    def test_parses_structured_output(self):
        answer = self.client.chat.completions.parse(model="structured", messages=MESSAGES, response_format=Person,
                                                    extra_body=self.marker.extra)
        self.assertEqual(answer.choices[0].message.parsed, Person(name="Ada", age=36))
        sent = self.marker.body()["response_format"]
        self.assertEqual(sent["type"], "json_schema")
        self.assertEqual(set(sent["json_schema"]["schema"]["properties"]), {"name", "age"})

    def test_gives_the_request_id_in_headers_and_on_the_answer(self):
        raw = self.client.chat.completions.with_raw_response.create(model="ok", messages=MESSAGES)
        self.assertTrue(raw.headers["x-request-id"])
        self.assertEqual(raw.headers["x-request-id"], raw.headers["request-id"])
        self.assertNotEqual(raw.headers["x-request-id"], "req_upstream")
        self.assertEqual(raw.headers["x-upstream-request-id"], "req_upstream")
        self.assertEqual(raw.parse()._request_id, raw.headers["x-request-id"])
        again = self.client.chat.completions.with_raw_response.create(model="ok", messages=MESSAGES)
        self.assertNotEqual(again.headers["x-request-id"], raw.headers["x-request-id"])

    def test_every_byte_of_the_body_arrives(self):
        sent = []
        http = openai.DefaultHttpxClient(event_hooks={"request": [lambda request: sent.append(request.content)]})
        with client(http_client=http) as careful:
            odd = {"x_big": 9007199254740993, "x_float": 1.0, "x_small": 1e-9, "top_k": 3,
                   "z": {"b": [1, None, {}], "a": "é☕😀"}}
            careful.chat.completions.create(model="ok", messages=MESSAGES, seed=2**60,
                                            extra_body=odd | self.marker.extra)
        self.assertEqual(len(sent), 1)
        self.assertIn(b"9007199254740993", sent[0])
        self.assertEqual(self.marker.request()["body"], sent[0].decode())

    def test_the_clients_key_stays_here(self):
        self.chat()
        headers = dict(self.marker.request()["headers"])
        sent = {name.lower(): value for name, value in headers.items()}["authorization"]
        self.assertTrue(sent.startswith("Bearer sk-upstream-"))

    def test_base_urls_of_every_spelling(self):
        for base in (f"{GATEWAY}/v1", f"{GATEWAY}/v1/", GATEWAY, f"{GATEWAY}/"):
            with self.subTest(base=base), client(base_url=base) as one:
                answer = one.chat.completions.create(model="ok", messages=MESSAGES)
                self.assertEqual(answer.choices[0].message.content, "Hello there.")
                self.assertIn("demo", [model.id for model in one.models.list()])


class AsyncChat(unittest.IsolatedAsyncioTestCase):
    async def test_answers_and_streams(self):
        async with client(openai.AsyncOpenAI) as one:
            answer = await one.chat.completions.create(model="ok", messages=MESSAGES)
            self.assertEqual(answer.choices[0].message.content, "Hello there.")
            text = ""
            async for chunk in await one.chat.completions.create(model="stream-20", messages=MESSAGES, stream=True):
                text += chunk.choices[0].delta.content or ""
            self.assertEqual(text, "".join(f"word{i} " for i in range(20)))
