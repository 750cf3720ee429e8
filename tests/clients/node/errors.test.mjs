// Every error class, its members, and how often the SDK tries.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import OpenAI from "openai";
import { Marker, MESSAGES, client, monotonicMs, raised } from "./support.mjs";

const openai = client();
const chat = (model, more = {}, options = {}) =>
  openai.chat.completions.create({ model, messages: MESSAGES, ...more }, options);

const fromUpstream = [
  ["error-400", OpenAI.BadRequestError, 400, "invalid_request_error", "context_length_exceeded"],
  ["error-404", OpenAI.NotFoundError, 404, "invalid_request_error", "model_not_found"],
  ["error-409", OpenAI.ConflictError, 409, "server_error", "internal_error"],
  ["error-422", OpenAI.UnprocessableEntityError, 422, "invalid_request_error", "unprocessable_entity"],
  ["error-429", OpenAI.RateLimitError, 429, "requests", "rate_limit_exceeded"],
  ["error-500", OpenAI.InternalServerError, 502, "server_error", "internal_error"],
  ["error-503", OpenAI.InternalServerError, 503, "server_error", "overloaded"],
];
for (const [model, kind, status, type, code] of fromUpstream) {
  test(`${model} becomes ${kind.name} ${status}`, async () => {
    const error = await raised(() => chat(model), kind);
    assert.deepEqual([error.status, error.type, error.code], [status, type, code]);
  });
}

for (const model of ["error-401", "error-403"]) {
  test(`${model}: the gateway's credential is not the client's fault`, async () => {
    const error = await raised(() => chat(model), OpenAI.InternalServerError);
    assert.deepEqual([error.status, error.code], [502, "upstream_auth_failed"]);
    assert.equal(error.headers.get("x-should-retry"), "false");
    assert.ok(!JSON.stringify(error.error).includes("sk-up"));
  });
}

test("the wait of a rate limit", async () => {
  const error = await raised(() => chat("error-429-wait"), OpenAI.RateLimitError);
  assert.equal(error.headers.get("retry-after"), "1");
  assert.equal(error.headers.get("retry-after-ms"), "1000");
});

test("an unknown model", async () => {
  const error = await raised(() => chat("nobody-knows"), OpenAI.NotFoundError);
  assert.deepEqual([error.code, error.type, error.param], ["model_not_found", "invalid_request_error", "model"]);
  assert.match(error.message, /nobody-knows/);
});

test("a bad parameter is named", async () => {
  const marker = new Marker();
  const error = await raised(() => chat("ok", { max_tokens: 0, ...marker.extra }), OpenAI.BadRequestError);
  assert.deepEqual([error.code, error.param], ["invalid_value", "max_tokens"]);
  assert.deepEqual(await marker.requests(), []);
});

test("an unknown route and a wrong method", async () => {
  await raised(() => openai.get("/nothing/here"), OpenAI.NotFoundError);
  const error = await raised(() => openai.get("/chat/completions"), OpenAI.APIError);
  assert.deepEqual([error.status, error.code], [405, "method_not_allowed"]);
  assert.match(error.headers.get("allow"), /POST/);
});

test("a rate limit passes", async () => {
  const marker = new Marker();
  const answer = await chat(`flaky-429-${randomUUID()}`, marker.extra, { maxRetries: 2 });
  assert.equal(answer.choices[0].message.content, "Hello there.");
  const times = (await marker.requests()).map((request) => request.at_ms);
  assert.equal(times.length, 2);
  // retry-after-ms says 50, where retry-after says a second. Timers may fire a millisecond early.
  assert.ok(times[1] - times[0] >= 48 && times[1] - times[0] < 900, `${times[1] - times[0]} ms`);
});

for (const model of ["error-400", "error-401-once", "error-404", "error-422"]) {
  test(`${model} is tried once`, async () => {
    const marker = new Marker();
    await assert.rejects(chat(model, marker.extra, { maxRetries: 2 }), OpenAI.APIError);
    assert.equal((await marker.requests()).length, 1);
  });
}

test("an overload is tried again", async () => {
  const marker = new Marker();
  await assert.rejects(chat("error-503", marker.extra, { maxRetries: 1 }), OpenAI.InternalServerError);
  assert.equal((await marker.requests()).length, 2);
});

test("the client's timeout", async () => {
  const marker = new Marker();
  const begun = monotonicMs();
  await assert.rejects(chat("hang", marker.extra, { timeout: 300 }), OpenAI.APIConnectionTimeoutError);
  assert.ok(monotonicMs() - begun < 3000);
  assert.equal((await marker.requests()).length, 1);
});
