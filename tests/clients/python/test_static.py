"""The provider that answers by itself."""

import time

import openai
from support import GatewayTest, text_of

ANSWER = "We are busy; please try again soon."


class Static(GatewayTest):
    def test_chat(self):
        answer = self.chat("demo")
        self.assertEqual((answer.choices[0].message.content, answer.model), (ANSWER, "demo"))
        self.assertEqual(answer.usage.completion_tokens, 7)
        self.assertLess(abs(answer.created - time.time()), 60)

    def test_chat_is_cut_at_the_limit(self):
        choice = self.chat("demo", max_completion_tokens=2).choices[0]
        self.assertEqual((choice.message.content, choice.finish_reason), ("We are", "length"))

    def test_stream(self):
        chunks = list(self.stream("demo"))
        self.assertEqual(text_of(chunks), ANSWER)
        self.assertGreaterEqual(len(chunks), 7)
        self.assertTrue(all(chunk.choices for chunk in chunks))
        chunks = list(self.stream("demo", stream_options={"include_usage": True}))
        self.assertEqual((chunks[-1].choices, chunks[-1].usage.completion_tokens), ([], 7))

    def test_completions(self):
        self.assertEqual(self.client.completions.create(model="demo", prompt="x").choices[0].text, ANSWER)
        chunks = self.client.completions.create(model="demo", prompt="x", stream=True)
        self.assertEqual("".join(chunk.choices[0].text for chunk in chunks), ANSWER)

    def test_embeddings(self):
        as_base64 = self.client.embeddings.create(model="demo", input=["a", "b"]).data
        as_float = self.client.embeddings.create(model="demo", input=["a", "b"], encoding_format="float").data
        self.assertEqual([len(item.embedding) for item in as_base64], [256, 256])
        for packed, plain in zip(as_base64, as_float, strict=True):
            for left, right in zip(packed.embedding, plain.embedding, strict=True):
                self.assertAlmostEqual(left, right, places=6)
        self.assertNotEqual(as_float[0].embedding, as_float[1].embedding)
        short = self.client.embeddings.create(model="demo", input="a", dimensions=8)
        self.assertEqual(len(short.data[0].embedding), 8)

    def test_responses(self):
        self.assertEqual(self.client.responses.create(model="demo", input="x").output_text, ANSWER)
        with self.client.responses.stream(model="demo", input="x") as stream:
            final = stream.get_final_response()
        self.assertEqual((final.output_text, final.status), (ANSWER, "completed"))

    def test_moderations_are_refused(self):
        with self.assertRaises(openai.APIStatusError) as raised:
            self.client.moderations.create(model="demo", input="x")
        self.assertLess(raised.exception.status_code, 500)
