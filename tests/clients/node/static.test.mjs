// The provider that answers by itself.

import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";
import { MESSAGES, client, collect, textOf } from "./support.mjs";

const ANSWER = "We are busy; please try again soon.";
const openai = client();
const chat = (more = {}) => openai.chat.completions.create({ model: "demo", messages: MESSAGES, ...more });

test("static chat", async () => {
  const answer = await chat();
  assert.deepEqual([answer.choices[0].message.content, answer.model], [ANSWER, "demo"]);
  assert.equal(answer.usage.completion_tokens, 7);
  const [cut] = (await chat({ max_completion_tokens: 2 })).choices;
  assert.deepEqual([cut.message.content, cut.finish_reason], ["We are", "length"]);
});

test("static stream", async () => {
  const chunks = await collect(await chat({ stream: true }));
  assert.equal(textOf(chunks), ANSWER);
  assert.ok(chunks.length >= 7 && chunks.every((chunk) => chunk.choices.length === 1));
  const last = (await collect(await chat({ stream: true, stream_options: { include_usage: true } }))).at(-1);
  assert.deepEqual([last.choices, last.usage.completion_tokens], [[], 7]);
  assert.equal(await openai.chat.completions.stream({ model: "demo", messages: MESSAGES }).finalContent(), ANSWER);
});

test("static completions", async () => {
  assert.equal((await openai.completions.create({ model: "demo", prompt: "x" })).choices[0].text, ANSWER);
  const chunks = await collect(await openai.completions.create({ model: "demo", prompt: "x", stream: true }));
  assert.equal(chunks.map((chunk) => chunk.choices[0].text).join(""), ANSWER);
});

test("static embeddings", async () => {
  const embed = async (more) => {
    const answer = await openai.embeddings.create({ model: "demo", input: ["a", "b"], ...more });
    return answer.data.map((item) => [...item.embedding]);
  };
  const packed = await embed({});
  const plain = await embed({ encoding_format: "float" });
  assert.deepEqual(packed.map((vector) => vector.length), [256, 256]);
  // The decimals are the shortest ones of a float32, so they round to the same float32.
  assert.deepEqual(packed, plain.map((vector) => vector.map(Math.fround)));
  assert.notDeepEqual(plain[0], plain[1]);
  assert.deepEqual((await embed({ dimensions: 8 })).map((vector) => vector.length), [8, 8]);
});

test("static responses", async () => {
  assert.equal((await openai.responses.create({ model: "demo", input: "x" })).output_text, ANSWER);
  const final = await openai.responses.stream({ model: "demo", input: "x" }).finalResponse();
  assert.deepEqual([final.status, final.output_text], ["completed", ANSWER]);
});

test("static moderations are refused", async () => {
  const call = openai.moderations.create({ model: "demo", input: "x" });
  await assert.rejects(call, (error) => error instanceof OpenAI.APIError && error.status < 500);
});
