"""Chat streams: their text, their pace, usage, tools, and every way they can break."""

import json

import openai
from support import GatewayTest, MESSAGES, text_of
from test_chat import TOOLS

WORDS = "".join(f"word{i} " for i in range(20))


class Stream(GatewayTest):
    def test_all_text_arrives(self):
        chunks = list(self.stream("stream-200"))
        self.assertEqual(text_of(chunks), "".join(f"word{i} " for i in range(200)))
        self.assertEqual(chunks[0].choices[0].delta.role, "assistant")
        self.assertEqual([c.choices[0].finish_reason for c in chunks if c.choices[0].finish_reason], ["stop"])
        self.assertEqual({(c.id, c.object) for c in chunks}, {("chatcmpl-AbC123", "chat.completion.chunk")})

    def test_text_arrives_while_the_upstream_still_sends(self):
        chunks = self.stream("slow-stream")
        first = next(chunk for chunk in chunks if chunk.choices[0].delta.content)
        sent_before = self.marker.connection()["bytes_out"]
        self.assertEqual(text_of([first, *chunks]), WORDS)
        sent_after = self.marker.connection()["bytes_out"]
        self.assertGreater(sent_after - sent_before, 10 * len(first.to_json(indent=None)))

    def test_usage_is_shown_to_those_who_ask(self):
        chunks = list(self.stream("stream-3", stream_options={"include_usage": True}))
        self.assertEqual(chunks[-1].choices, [])
        self.assertEqual(chunks[-1].usage.total_tokens, 19)
        self.assertEqual([c for c in chunks[:-1] if c.usage], [])

    def test_usage_is_hidden_from_others_though_the_upstream_was_asked(self):
        chunks = list(self.stream("stream-3"))
        self.assertTrue(all(chunk.choices and not chunk.usage for chunk in chunks))
        self.assertEqual(self.marker.body()["stream_options"], {"include_usage": True})

    def test_tool_arguments_come_together(self):
        name, arguments, finish = "", "", None
        for chunk in self.stream("tools", tools=TOOLS):
            for call in chunk.choices[0].delta.tool_calls or []:
                self.assertEqual(call.index, 0)
                name += call.function.name or ""
                arguments += call.function.arguments or ""
            finish = chunk.choices[0].finish_reason or finish
        self.assertEqual((name, json.loads(arguments), finish), ("get_weather", {"city": "Paris"}, "tool_calls"))

    def test_the_accumulating_helper_ends_with_the_whole_message(self):
        with self.client.chat.completions.stream(model="tools", messages=MESSAGES, tools=TOOLS) as stream:
            call = stream.get_final_completion().choices[0].message.tool_calls[0]
        self.assertEqual((call.function.name, call.function.arguments), ("get_weather", '{"city":"Paris"}'))
        with self.client.chat.completions.stream(model="stream-20", messages=MESSAGES) as stream:
            self.assertEqual(stream.get_final_completion().choices[0].message.content, WORDS)

    def test_raw_response_of_a_stream_has_the_head(self):
        with self.client.chat.completions.with_streaming_response.create(
                model="ok", messages=MESSAGES, stream=True) as raw:
            self.assertTrue(raw.headers["content-type"].startswith("text/event-stream"))
            self.assertTrue(raw.headers["x-request-id"])
            self.assertEqual(raw.headers["x-accel-buffering"], "no")
            self.assertEqual(text_of(raw.parse()), "Hello there.")


class BrokenStream(GatewayTest):
    def broken(self, model):
        """The text that came, and the error that had to come after it."""
        chunks = []
        with self.assertRaises(openai.APIError) as raised:
            for chunk in self.stream(model):
                chunks.append(chunk)
        self.assertEqual([c for c in chunks if c.choices and c.choices[0].finish_reason], [])
        return text_of(chunks), raised.exception

    def test_a_reset_raises(self):
        text, error = self.broken("reset-mid")
        self.assertEqual((text, error.code), ("Hello there", "upstream_stream_truncated"))
        self.assertEqual(error.type, "server_error")
        self.assertTrue(error.message)

    def test_an_early_end_raises(self):
        text, error = self.broken("truncate")
        self.assertEqual((text, error.code), ("Hello there", "upstream_stream_truncated"))

    def test_an_error_after_text_raises(self):
        text, error = self.broken("error-stream")
        self.assertEqual(text, "Hello there")
        self.assertIn("overloaded", error.message)

    def test_nothing_is_tried_again_after_text(self):
        self.client = self.client.with_options(max_retries=2)
        self.broken("reset-mid")
        self.assertEqual(len(self.marker.requests()), 1)

    def test_an_error_before_text_has_a_real_status(self):
        with self.assertRaises(openai.RateLimitError):
            self.stream("error-429-stream")
