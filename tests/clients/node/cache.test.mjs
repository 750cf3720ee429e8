// The exact cache: the same question again, in the same form and in the other one.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Marker, MESSAGES, client, collect, textOf } from "./support.mjs";

const openai = client();

async function ask(model, marker, more = {}) {
  const call = openai.chat.completions.create({ model, messages: MESSAGES, ...marker.extra, ...more });
  const { data, response } = await call.withResponse();
  return [response.headers.get("x-sluice-cache").split(";")[0], more.stream ? await collect(data) : data];
}

test("the same question is asked once", async () => {
  const marker = new Marker();
  const [what, first] = await ask("cached-ok", marker);
  const [again, second] = await ask("cached-ok", marker);
  assert.deepEqual([what, again], ["miss", "hit"]);
  assert.deepEqual(second, first);
  await marker.request();
});

test("a body is given as a stream", async () => {
  const marker = new Marker();
  const [, whole] = await ask("cached-ok", marker);
  const [what, chunks] = await ask("cached-ok", marker, { stream: true, stream_options: { include_usage: true } });
  assert.equal(what, "hit");
  assert.equal(textOf(chunks), whole.choices[0].message.content);
  assert.equal(chunks.at(-1).usage.total_tokens, whole.usage.total_tokens);
  await marker.request();
});

test("a stream is given as a body", async () => {
  const marker = new Marker();
  const [, chunks] = await ask("cached-stream", marker, { stream: true });
  const [what, whole] = await ask("cached-stream", marker);
  assert.equal(what, "hit");
  assert.equal(whole.object, "chat.completion");
  assert.equal(whole.choices[0].message.content, textOf(chunks));
  assert.equal(whole.usage.total_tokens, 19);
  await marker.request();
});

test("the accumulating helper reads a stream that was a body", async () => {
  const marker = new Marker();
  const [, whole] = await ask("cached-ok", marker);
  const stream = openai.chat.completions.stream({ model: "cached-ok", messages: MESSAGES, ...marker.extra });
  assert.equal(await stream.finalContent(), whole.choices[0].message.content);
  await marker.request();
});
