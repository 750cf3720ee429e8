// Chat streams: their text, their pace, usage, tools, and every way they can break.

import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";
import { Marker, MESSAGES, WORDS, client, collect, textOf, words } from "./support.mjs";

const openai = client();
const stream = (model, more = {}, options = {}) =>
  openai.chat.completions.create({ model, messages: MESSAGES, stream: true, ...more }, options);
const accumulate = (model) => openai.chat.completions.stream({ model, messages: MESSAGES });

test("all text of a stream arrives", async () => {
  const chunks = await collect(await stream("stream-200"));
  assert.equal(textOf(chunks), words(200));
  assert.equal(chunks[0].choices[0].delta.role, "assistant");
  const finished = chunks.filter((chunk) => chunk.choices[0].finish_reason);
  assert.deepEqual(finished.map((chunk) => chunk.choices[0].finish_reason), ["stop"]);
});

test("text arrives while the upstream still sends", async () => {
  const marker = new Marker();
  const chunks = [];
  let sentBefore;
  for await (const chunk of await stream("slow-stream", marker.extra)) {
    chunks.push(chunk);
    if (sentBefore === undefined && chunk.choices[0].delta.content) sentBefore = (await marker.connection()).bytes_out;
  }
  assert.equal(textOf(chunks), WORDS);
  const sentAfter = (await marker.connection()).bytes_out;
  assert.ok(sentAfter - sentBefore > 10 * JSON.stringify(chunks[1]).length, `${sentBefore} to ${sentAfter}`);
});

test("usage is shown to those who ask", async () => {
  const chunks = await collect(await stream("stream-3", { stream_options: { include_usage: true } }));
  const last = chunks.pop();
  assert.deepEqual(last.choices, []);
  assert.equal(last.usage.total_tokens, 19);
  assert.ok(chunks.every((chunk) => !chunk.usage));
});

test("usage is hidden from others though the upstream was asked", async () => {
  const marker = new Marker();
  const chunks = await collect(await stream("stream-3", marker.extra));
  assert.ok(chunks.every((chunk) => chunk.choices.length === 1 && !chunk.usage));
  assert.deepEqual((await marker.body()).stream_options, { include_usage: true });
});

test("tool arguments come together", async () => {
  const calls = (await collect(await stream("tools"))).flatMap((chunk) => chunk.choices[0].delta.tool_calls ?? []);
  assert.ok(calls.every((call) => call.index === 0));
  assert.equal(calls.map((call) => call.function.name ?? "").join(""), "get_weather");
  assert.deepEqual(JSON.parse(calls.map((call) => call.function.arguments).join("")), { city: "Paris" });
});

test("the accumulating helper ends with the whole message", async () => {
  const [{ message }] = (await accumulate("tools").finalChatCompletion()).choices;
  assert.equal(message.tool_calls[0].function.arguments, '{"city":"Paris"}');
  assert.equal(await accumulate("stream-20").finalContent(), WORDS);
});

test("the head of a stream", async () => {
  const { data, response, request_id } = await stream("ok").withResponse();
  assert.ok(request_id);
  assert.match(response.headers.get("content-type"), /^text\/event-stream/);
  assert.equal(response.headers.get("x-accel-buffering"), "no");
  assert.equal(textOf(await collect(data)), "Hello there.");
});

// The error that had to come after the text, and the text.
async function broken(model, more = {}) {
  const chunks = [];
  try {
    for await (const chunk of await stream(model, more, { maxRetries: 2 })) chunks.push(chunk);
  } catch (error) {
    assert.ok(chunks.every((chunk) => !chunk.choices[0].finish_reason));
    return { error, text: textOf(chunks) };
  }
  assert.fail(`${model} ended as if all were well`);
}

for (const model of ["reset-mid", "truncate"]) {
  test(`${model} throws, and nothing is tried again`, async () => {
    const marker = new Marker();
    const { error, text } = await broken(model, marker.extra);
    assert.equal(text, "Hello there");
    assert.ok(error instanceof OpenAI.APIError);
    assert.equal(error.code, "upstream_stream_truncated");
    assert.equal(error.type, "server_error");
    assert.equal((await marker.requests()).length, 1);
  });

  test(`${model} throws from the accumulating helper`, async () => {
    await assert.rejects(accumulate(model).finalContent(), OpenAI.APIError);
  });
}

test("an error after text throws", async () => {
  const { error, text } = await broken("error-stream");
  assert.equal(text, "Hello there");
  assert.match(error.message, /overloaded/);
});

test("an error before text has a real status", async () => {
  await assert.rejects(stream("error-429-stream"), OpenAI.RateLimitError);
});
