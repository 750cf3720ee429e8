// A client that goes away takes its upstream connection with it.

import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";
import { MESSAGES, Marker, WORDS, assertClosesInTime, client, collect, monotonicMs, textOf } from "./support.mjs";

const openai = client();
const chat = (model, more, options) => openai.chat.completions.create({ model, messages: MESSAGES, ...more }, options);
const stream = (model, marker, options = {}) => chat(model, { stream: true, ...marker.extra }, options);

async function abortAfter(model, chunks, marker) {
  const controller = new AbortController();
  let since;
  try {
    for await (const _ of await stream(model, marker, { signal: controller.signal })) {
      if (--chunks > 0) continue;
      since = monotonicMs();
      controller.abort();
    }
  } catch (error) {
    assert.ok(error instanceof OpenAI.APIUserAbortError || error.name === "AbortError", `${error}`);
  }
  return since;
}

test("abort() while text flows", () => assertClosesInTime((marker) => abortAfter("slow-stream", 5, marker)));

test("abort() while the upstream is silent", () => assertClosesInTime((marker) => abortAfter("stall", 3, marker)));

test("leaving the loop", () =>
  assertClosesInTime(async (marker) => {
    let since;
    for await (const _ of await stream("slow-stream", marker)) {
      since = monotonicMs();
      break;
    }
    return since;
  }));

test("abort() before the answer", () =>
  assertClosesInTime(async (marker) => {
    const controller = new AbortController();
    const call = chat("hang", marker.extra, { signal: controller.signal });
    const refused = assert.rejects(call, OpenAI.APIUserAbortError);
    await marker.waitFor();
    const since = monotonicMs();
    controller.abort();
    await refused;
    return since;
  }));

test("the client's timeout", () =>
  assertClosesInTime(async (marker) => {
    const begun = monotonicMs();
    // The SDK tells how long it waits, and the gateway would give up first where it is the quicker one.
    const patient = { timeout: 200, headers: { "x-stainless-timeout": "60" } };
    await assert.rejects(chat("hang", marker.extra, patient), OpenAI.APIConnectionTimeoutError);
    return begun + 195; // timers may fire a little early
  }));

test("others go on", async () => {
  const marker = new Marker();
  const other = stream("slow-stream", marker).then(collect);
  await marker.waitFor();
  await abortAfter("stall", 1, new Marker());
  assert.equal(textOf(await other), WORDS);
});
