"""Every error class, its members, and how often the SDK tries."""

import time
import uuid

import openai
from support import GatewayTest, MESSAGES, SECRET, client

# model, class, status, type, code
FROM_UPSTREAM = [
    ("error-400", openai.BadRequestError, 400, "invalid_request_error", "context_length_exceeded"),
    ("error-404", openai.NotFoundError, 404, "invalid_request_error", "model_not_found"),
    ("error-409", openai.ConflictError, 409, "server_error", "internal_error"),
    ("error-422", openai.UnprocessableEntityError, 422, "invalid_request_error", "unprocessable_entity"),
    ("error-429", openai.RateLimitError, 429, "requests", "rate_limit_exceeded"),
    ("error-500", openai.InternalServerError, 502, "server_error", "internal_error"),
    ("error-503", openai.InternalServerError, 503, "server_error", "overloaded"),
]


class Errors(GatewayTest):
    def raised(self, call, kind):
        with self.assertRaises(kind) as raised:
            call()
        error = raised.exception
        self.assertIs(type(error), kind)
        self.assertTrue(error.request_id)
        self.assertEqual(error.request_id, error.response.headers["x-request-id"])
        self.assertEqual(set(error.body), {"message", "type", "param", "code"})
        self.assertTrue(error.body["message"])
        self.assertIn(error.body["message"], error.message)
        return error

    def test_those_of_the_upstream(self):
        for model, kind, status, error_type, code in FROM_UPSTREAM:
            with self.subTest(model=model):
                error = self.raised(lambda: self.chat(model), kind)
                self.assertEqual((error.status_code, error.type, error.code), (status, error_type, code))

    def test_the_gateways_credential_is_not_the_clients_fault(self):
        for model in ("error-401", "error-403"):
            with self.subTest(model=model):
                error = self.raised(lambda: self.chat(model), openai.InternalServerError)
                self.assertEqual((error.status_code, error.code), (502, "upstream_auth_failed"))
                self.assertEqual(error.response.headers["x-should-retry"], "false")
                self.assertNotIn(SECRET, error.response.text)

    def test_the_wait_of_a_rate_limit(self):
        error = self.raised(lambda: self.chat("error-429-wait"), openai.RateLimitError)
        self.assertEqual(error.response.headers["retry-after"], "1")
        self.assertEqual(error.response.headers["retry-after-ms"], "1000")

    def test_an_unknown_model(self):
        error = self.raised(lambda: self.chat("nobody-knows"), openai.NotFoundError)
        self.assertEqual((error.code, error.type, error.param), ("model_not_found", "invalid_request_error", "model"))
        self.assertIn("nobody-knows", error.message)
        self.assertEqual(self.marker.requests(), [])

    def test_a_bad_parameter_is_named(self):
        error = self.raised(lambda: self.chat(max_tokens=0), openai.BadRequestError)
        self.assertEqual((error.code, error.param), ("invalid_value", "max_tokens"))
        self.assertEqual(self.marker.requests(), [])

    def test_an_unknown_route_and_a_wrong_method(self):
        self.raised(lambda: self.client.get("/nothing/here", cast_to=object), openai.NotFoundError)
        error = self.raised(lambda: self.client.get("/chat/completions", cast_to=object), openai.APIStatusError)
        self.assertEqual((error.status_code, error.code), (405, "method_not_allowed"))
        self.assertIn("POST", error.response.headers["allow"])


class Retries(GatewayTest):
    def test_a_rate_limit_passes(self):
        self.client = self.client.with_options(max_retries=2)
        answer = self.chat(f"flaky-429-{uuid.uuid4().hex}")
        self.assertEqual(answer.choices[0].message.content, "Hello there.")
        first, second = self.marker.requests()
        self.assertLess(second["at_ms"] - first["at_ms"], 900)  # retry-after-ms: 50, where retry-after says a second
        self.assertGreaterEqual(second["at_ms"] - first["at_ms"], 50)

    def test_what_cannot_pass_is_tried_once(self):
        self.client = self.client.with_options(max_retries=2)
        for model in ("error-400", "error-401-once", "error-404", "error-422"):
            with self.subTest(model=model):
                self.marker = type(self.marker)()
                with self.assertRaises(openai.APIStatusError):
                    self.chat(model)
                self.assertEqual(len(self.marker.requests()), 1)

    def test_an_overload_is_tried_again(self):
        self.client = self.client.with_options(max_retries=1)
        with self.assertRaises(openai.InternalServerError):
            self.chat("error-503")
        self.assertEqual(len(self.marker.requests()), 2)

    def test_the_clients_timeout(self):
        begun = time.monotonic()
        with client(timeout=0.3) as hasty, self.assertRaises(openai.APITimeoutError):
            hasty.chat.completions.create(model="hang", messages=MESSAGES, extra_body=self.marker.extra)
        self.assertLess(time.monotonic() - begun, 3)
        self.assertEqual(len(self.marker.requests()), 1)
