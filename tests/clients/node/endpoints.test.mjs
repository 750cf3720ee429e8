// Embeddings, completions, responses, moderations and models.

import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";
import { Marker, client, collect } from "./support.mjs";

const VECTOR = [0.5, -1.25, 3.0];
const openai = client();

const codeIs = (kind, code) => (error) => error instanceof kind && error.code === code;

async function vectors(model, more = {}) {
  const answer = await openai.embeddings.create({ model, input: "one", ...more });
  return answer.data.map((item) => [...item.embedding]);
}

for (const model of ["embed", "embed-float", "embed-base64"]) {
  test(`${model}: the vector is the same in every form`, async () => {
    assert.deepEqual(await vectors(model), [VECTOR]);
    assert.deepEqual(await vectors(model, { encoding_format: "float" }), [VECTOR]);
    const longer = [...VECTOR, ...VECTOR];
    assert.deepEqual(await vectors(model, { dimensions: 6, input: ["a", "b"] }), [longer, longer]);
  });

  test(`${model}: explicit base64 is base64`, async () => {
    const answer = await openai.embeddings.create({ model, input: "one", encoding_format: "base64" });
    assert.equal(answer.data[0].embedding, "AAAAPwAAoL8AAEBA");
  });
}

test("embeddings of tokens", async () => {
  const marker = new Marker();
  const answer = await openai.embeddings.create({ model: "embed-float", input: [[1, 2], [3]], ...marker.extra });
  assert.deepEqual(answer.data.map((item) => item.index), [0, 1]);
  assert.equal(answer.usage.total_tokens, 5);
  assert.deepEqual((await marker.body()).input, [[1, 2], [3]]);
});

test("completions, whole and streamed", async () => {
  const request = { model: "ok", prompt: "Say hello" };
  const answer = await openai.completions.create(request);
  assert.deepEqual([answer.object, answer.choices[0].text], ["text_completion", "Hello there."]);
  const chunks = await collect(await openai.completions.create({ ...request, stream: true }));
  assert.equal(chunks.map((chunk) => chunk.choices[0].text).join(""), "Hello there.");
  assert.equal(chunks.at(-1).choices[0].finish_reason, "stop");
});

test("usage of streamed completions on demand", async () => {
  const request = { model: "ok", prompt: "x", stream: true, stream_options: { include_usage: true } };
  const chunks = await collect(await openai.completions.create(request));
  assert.deepEqual([chunks.at(-1).choices, chunks.at(-1).usage.total_tokens], [[], 19]);
});

test("responses, whole", async () => {
  const marker = new Marker();
  const answer = await openai.responses.create({ model: "ok", input: "Say hello", ...marker.extra });
  assert.deepEqual([answer.status, answer.output_text], ["completed", "Hello there."]);
  assert.equal(answer.usage.total_tokens, 19);
  assert.match((await marker.request()).target, /\/v1\/responses$/);
});

test("responses, streamed", async () => {
  const events = await collect(await openai.responses.create({ model: "ok", input: "Say hello", stream: true }));
  assert.deepEqual(events.map((event) => event.sequence_number), [...events.keys()]);
  assert.deepEqual([events[0].type, events.at(-1).type], ["response.created", "response.completed"]);
  const deltas = events.filter((event) => event.type === "response.output_text.delta").map((event) => event.delta);
  assert.equal(deltas.join(""), "Hello there.");
});

test("responses, accumulated", async () => {
  const final = await openai.responses.stream({ model: "ok", input: "Say hello" }).finalResponse();
  assert.deepEqual([final.status, final.output_text], ["completed", "Hello there."]);
});

for (const model of ["reset-mid", "truncate"]) {
  test(`responses: ${model} ends in a failure`, async () => {
    const events = [];
    const read = async () => {
      for await (const event of await openai.responses.create({ model, input: "x", stream: true })) events.push(event);
    };
    await assert.rejects(read(), /terminated/); // the connection ends without a last chunk
    assert.deepEqual(events.map((event) => event.sequence_number), [0, 1, 2, 3, 4, 5]);
    assert.equal(events.at(-2).delta, " there");
    const { type, response } = events.at(-1);
    assert.deepEqual([type, response.status], ["response.failed", "failed"]);
    assert.equal(response.error.code, "upstream_stream_truncated");
    assert.equal(response.id, events[0].response.id);
  });

  test(`responses: ${model} is no success for the accumulating helper`, async () => {
    await assert.rejects(openai.responses.stream({ model, input: "x" }).finalResponse(), OpenAI.OpenAIError);
  });
}

test("errors of responses", async () => {
  const call = openai.responses.create({ model: "error-400", input: "x" });
  await assert.rejects(call, codeIs(OpenAI.BadRequestError, "context_length_exceeded"));
});

test("moderations", async () => {
  const answer = await openai.moderations.create({ model: "ok", input: "x" });
  assert.equal(answer.results[0].flagged, true);
  assert.equal(answer.results[0].category_scores.violence, 0.9);
});

test("the list of models", async () => {
  const models = new Map((await collect(openai.models.list())).map((model) => [model.id, model]));
  for (const id of ["demo", "org/model-with-slash", "ok"]) assert.ok(models.has(id), id);
  assert.deepEqual([models.get("demo").object, models.get("demo").owned_by], ["model", "house"]);
  assert.ok(Number.isInteger(models.get("demo").created));
  assert.ok([...models.keys()].every((id) => !id.includes("*")));
});

test("one model", async () => {
  assert.equal((await openai.models.retrieve("demo")).id, "demo");
  assert.equal((await openai.models.retrieve("org/model-with-slash")).id, "org/model-with-slash");
  assert.equal((await openai.get("/models/org/model-with-slash")).id, "org/model-with-slash");
  const unknown = openai.models.retrieve("nobody/knows");
  await assert.rejects(unknown, codeIs(OpenAI.NotFoundError, "model_not_found"));
});
