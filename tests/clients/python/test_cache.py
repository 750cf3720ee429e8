"""The exact cache: the same question again, in the same form and in the other one."""

import json

from support import GatewayTest, MESSAGES, text_of
from test_chat import TOOLS


class Cache(GatewayTest):
    def cached(self, model="cached-ok", **options):
        options = {"messages": MESSAGES, "extra_body": self.marker.extra} | options
        raw = self.client.chat.completions.with_raw_response.create(model=model, **options)
        return raw.headers["x-sluice-cache"].split(";")[0], raw.parse()

    def stream_of(self, model="cached-ok", **options):
        what, chunks = self.cached(model, stream=True, **options)
        return what, list(chunks)

    def test_the_same_question_is_asked_once(self):
        what, first = self.cached()
        again, second = self.cached()
        self.assertEqual((what, again), ("miss", "hit"))
        self.assertEqual(second.to_dict(), first.to_dict())
        self.marker.request()

    def test_a_body_is_given_as_a_stream(self):
        _, whole = self.cached()
        what, chunks = self.stream_of(stream_options={"include_usage": True})
        self.assertEqual(what, "hit")
        self.assertEqual(text_of(chunks), whole.choices[0].message.content)
        self.assertEqual({chunk.id for chunk in chunks}, {whole.id})
        self.assertEqual([c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason],
                         ["stop"])
        self.assertEqual(chunks[-1].usage.total_tokens, whole.usage.total_tokens)
        self.assertTrue(all(not chunk.usage for chunk in self.stream_of()[1]))
        self.marker.request()

    def test_a_stream_is_given_as_a_body(self):
        what, chunks = self.stream_of("cached-stream")
        again, whole = self.cached("cached-stream")
        self.assertEqual((what, again), ("miss", "hit"))
        self.assertEqual(whole.object, "chat.completion")
        self.assertEqual(whole.choices[0].message.content, text_of(chunks))
        self.assertEqual(whole.choices[0].message.role, "assistant")
        self.assertEqual(whole.choices[0].finish_reason, "stop")
        self.assertEqual(whole.usage.total_tokens, 19)
        self.assertEqual(text_of(self.stream_of("cached-stream")[1]), text_of(chunks))
        self.marker.request()

    def test_tool_calls_come_back_in_both_forms(self):
        what, chunks = self.stream_of("cached-tools", tools=TOOLS)
        self.assertEqual(what, "miss")
        again, whole = self.cached("cached-tools", tools=TOOLS)
        self.assertEqual(again, "hit")
        call = whole.choices[0].message.tool_calls[0]
        self.assertEqual((call.function.name, json.loads(call.function.arguments)), ("get_weather", {"city": "Paris"}))
        self.assertEqual(whole.choices[0].finish_reason, "tool_calls")
        with self.client.chat.completions.stream(model="cached-tools", messages=MESSAGES, tools=TOOLS,
                                                 extra_body=self.marker.extra) as stream:
            final = stream.get_final_completion()
        self.assertEqual(final.choices[0].message.tool_calls[0].id, call.id)
        self.assertTrue(chunks)

    def test_embeddings_come_back(self):
        def embed():
            raw = self.client.embeddings.with_raw_response.create(model="cached-embed", input="hi",
                                                                  extra_body=self.marker.extra)
            return raw.headers["x-sluice-cache"].split(";")[0], raw.parse()

        what, first = embed()
        again, second = embed()
        self.assertEqual((what, again), ("miss", "hit"))
        self.assertEqual(second.data[0].embedding, first.data[0].embedding)
        self.marker.request()

    def test_requests_say_what_they_want(self):
        self.cached()
        what, _ = self.cached(extra_headers={"cache-control": "no-cache"})
        self.assertEqual(what, "miss")
        what, _ = self.cached(extra_headers={"cache-control": "no-store"})
        self.assertEqual(what, "bypass")
        self.assertEqual(len(self.marker.requests()), 3)
