// Whole chat answers, tools and structured output.

import assert from "node:assert/strict";
import { test } from "node:test";
import { GATEWAY, Marker, MESSAGES, client } from "./support.mjs";

const parameters = { type: "object", properties: { city: { type: "string" } } };
const tools = [{ type: "function", function: { name: "get_weather", parameters } }];
const openai = client();
const chat = (model, more = {}) => openai.chat.completions.create({ model, messages: MESSAGES, ...more });

test("chat answers", async () => {
  const answer = await chat("ok");
  assert.equal(answer.choices[0].message.content, "Hello there.");
  assert.equal(answer.choices[0].finish_reason, "stop");
  assert.equal(answer.object, "chat.completion");
  assert.equal(answer.usage.total_tokens, 19);
});

test("a model with a slash is asked by its upstream name", async () => {
  const marker = new Marker();
  const answer = await chat("org/model-with-slash", marker.extra);
  assert.equal(answer.choices[0].message.content, "Hello there.");
  assert.equal((await marker.body()).model, "ok");
});

test("a tool is called", async () => {
  const marker = new Marker();
  const answer = await chat("tools", { tools, ...marker.extra });
  const [choice] = answer.choices;
  assert.equal(choice.finish_reason, "tool_calls");
  assert.equal(choice.message.tool_calls[0].function.name, "get_weather");
  assert.deepEqual(JSON.parse(choice.message.tool_calls[0].function.arguments), { city: "Paris" });
  assert.deepEqual((await marker.body()).tools, tools);
});

test("structured output is parsed", async () => {
  const marker = new Marker();
  const schema = {
    type: "object",
    properties: { name: { type: "string" }, age: { type: "integer" } },
    required: ["name", "age"],
    additionalProperties: false,
  };
  const response_format = { type: "json_schema", json_schema: { name: "person", strict: true, schema } };
  const request = { model: "structured", messages: MESSAGES, response_format, ...marker.extra };
  const answer = await openai.chat.completions.parse(request);
  assert.deepEqual(answer.choices[0].message.parsed, { name: "Ada", age: 36 });
  assert.deepEqual((await marker.body()).response_format, response_format);
});

test("the request id stands in the headers and on the answer", async () => {
  const create = () => chat("ok").withResponse();
  const { data, response, request_id } = await create();
  assert.ok(request_id);
  assert.equal(response.headers.get("x-request-id"), request_id);
  assert.equal(response.headers.get("request-id"), request_id);
  assert.equal(response.headers.get("x-upstream-request-id"), "req_upstream");
  assert.equal(data._request_id, request_id);
  assert.notEqual((await create()).request_id, request_id);
  const raw = await chat("ok").asResponse();
  assert.match(raw.headers.get("content-type"), /^application\/json/);
  assert.equal((await raw.json()).choices[0].message.content, "Hello there.");
});

test("every byte of the body arrives", async () => {
  const marker = new Marker();
  const sent = [];
  const careful = client({ fetch: (url, init) => (sent.push(init.body), fetch(url, init)) });
  const odd = { x_small: 1e-9, x_large: 1e300, z: { b: [1, null, {}], a: "é☕😀\u2028" }, top_k: 3 };
  await careful.chat.completions.create({ model: "ok", messages: MESSAGES, ...odd, ...marker.extra });
  assert.equal(sent.length, 1);
  assert.equal((await marker.request()).body, sent[0]);
});

test("the client's key stays here", async () => {
  const marker = new Marker();
  await chat("ok", marker.extra);
  const headers = new Headers((await marker.request()).headers);
  assert.match(headers.get("authorization"), /^Bearer sk-upstream-/);
});

for (const baseURL of [`${GATEWAY}/v1`, `${GATEWAY}/v1/`, GATEWAY, `${GATEWAY}/`]) {
  test(`the base URL ${baseURL.slice(GATEWAY.length) || "without a path"}`, async () => {
    const one = client({ baseURL });
    const answer = await one.chat.completions.create({ model: "ok", messages: MESSAGES });
    assert.equal(answer.choices[0].message.content, "Hello there.");
    assert.ok((await one.models.list()).data.some((model) => model.id === "demo"));
  });
}
