"""Embeddings, completions, responses, moderations and models."""

import httpx2
import openai
from support import GatewayTest

VECTOR = [0.5, -1.25, 3.0]


class Embeddings(GatewayTest):
    def vectors(self, model, **options):
        answer = self.client.embeddings.create(model=model, **({"input": "one"} | options))
        return [item.embedding for item in answer.data]

    def test_the_vector_is_the_same_in_every_form(self):
        for model in ("embed", "embed-float", "embed-base64"):
            for options in ({}, {"encoding_format": "float"}):
                with self.subTest(model=model, options=options):
                    self.assertEqual(self.vectors(model, **options), [VECTOR])

    def test_explicit_base64_is_base64(self):
        for model in ("embed-float", "embed-base64"):
            with self.subTest(model=model):
                self.assertEqual(self.vectors(model, encoding_format="base64"), ["AAAAPwAAoL8AAEBA"])

    def test_dimensions_and_lists(self):
        for model in ("embed-float", "embed-base64"):
            with self.subTest(model=model):
                self.assertEqual(self.vectors(model, dimensions=6, input=["a", "b"]), [VECTOR * 2, VECTOR * 2])

    def test_tokens_and_usage(self):
        answer = self.client.embeddings.create(model="embed-float", input=[[1, 2], [3]], extra_body=self.marker.extra)
        self.assertEqual([item.index for item in answer.data], [0, 1])
        self.assertEqual(answer.usage.total_tokens, 5)
        self.assertEqual(self.marker.body()["input"], [[1, 2], [3]])


class Completions(GatewayTest):
    def test_whole_and_streamed(self):
        answer = self.client.completions.create(model="ok", prompt="Say hello")
        self.assertEqual((answer.object, answer.choices[0].text), ("text_completion", "Hello there."))
        chunks = list(self.client.completions.create(model="ok", prompt="Say hello", stream=True))
        self.assertEqual("".join(chunk.choices[0].text for chunk in chunks), "Hello there.")
        self.assertEqual(chunks[-1].choices[0].finish_reason, "stop")

    def test_usage_on_demand(self):
        chunks = list(self.client.completions.create(model="ok", prompt="x", stream=True,
                                                     stream_options={"include_usage": True}))
        self.assertEqual((chunks[-1].choices, chunks[-1].usage.total_tokens), ([], 19))


class Responses(GatewayTest):
    def test_whole(self):
        answer = self.client.responses.create(model="ok", input="Say hello", extra_body=self.marker.extra)
        self.assertEqual((answer.status, answer.output_text), ("completed", "Hello there."))
        self.assertEqual(answer.usage.total_tokens, 19)
        self.assertTrue(self.marker.request()["target"].endswith("/v1/responses"))

    def test_streamed(self):
        events = list(self.client.responses.create(model="ok", input="Say hello", stream=True))
        self.assertEqual([event.sequence_number for event in events], list(range(len(events))))
        self.assertEqual((events[0].type, events[-1].type), ("response.created", "response.completed"))
        text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
        self.assertEqual((text, events[-1].response.output_text), ("Hello there.", "Hello there."))

    def test_the_accumulating_helper(self):
        with self.client.responses.stream(model="ok", input="Say hello") as stream:
            self.assertEqual(stream.get_final_response().output_text, "Hello there.")

    def test_errors(self):
        with self.assertRaises(openai.BadRequestError) as raised:
            self.client.responses.create(model="error-400", input="x")
        self.assertEqual(raised.exception.code, "context_length_exceeded")


class BrokenResponses(GatewayTest):
    def test_a_cut_stream_ends_in_a_failure(self):
        for model in ("reset-mid", "truncate"):
            with self.subTest(model=model):
                events = []
                with self.assertRaises(Exception) as raised:  # the connection ends without a last chunk
                    for event in self.client.responses.create(model=model, input="x", stream=True):
                        events.append(event)
                self.assertIsInstance(raised.exception, (openai.APIError, httpx2.RemoteProtocolError))
                self.assertEqual([event.sequence_number for event in events], list(range(6)))
                self.assertEqual(events[-2].delta, " there")
                last = events[-1]
                self.assertEqual((last.type, last.response.status), ("response.failed", "failed"))
                self.assertEqual(last.response.error.code, "upstream_stream_truncated")
                self.assertEqual(last.response.id, events[0].response.id)

    def test_the_accumulating_helper_finds_no_whole_response(self):
        with self.client.responses.stream(model="reset-mid", input="x") as stream:
            self.assertRaises((openai.APIError, httpx2.RemoteProtocolError), stream.get_final_response)


class Moderations(GatewayTest):
    def test_verdict(self):
        answer = self.client.moderations.create(model="ok", input="x")
        self.assertTrue(answer.results[0].flagged)
        self.assertEqual(answer.results[0].category_scores.violence, 0.9)


class Models(GatewayTest):
    def test_list(self):
        models = {model.id: model for model in self.client.models.list()}
        self.assertLessEqual({"demo", "org/model-with-slash", "ok"}, set(models))
        self.assertEqual((models["demo"].object, models["demo"].owned_by), ("model", "house"))
        self.assertIsInstance(models["demo"].created, int)
        self.assertFalse([name for name in models if "*" in name])

    def test_retrieve(self):
        self.assertEqual(self.client.models.retrieve("demo").id, "demo")
        self.assertEqual(self.client.models.retrieve("org/model-with-slash").id, "org/model-with-slash")
        raw_slash = self.client.get("/models/org/model-with-slash", cast_to=dict)
        self.assertEqual(raw_slash["id"], "org/model-with-slash")

    def test_retrieve_of_an_unknown_model(self):
        with self.assertRaises(openai.NotFoundError) as raised:
            self.client.models.retrieve("nobody/knows")
        self.assertEqual(raised.exception.code, "model_not_found")
