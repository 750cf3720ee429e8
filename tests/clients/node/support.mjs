// Clients of the gateway, and what its upstream saw of them.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import OpenAI from "openai";

export const GATEWAY = process.env.SLUICE_URL;
export const MESSAGES = [{ role: "user", content: process.env.PROMPT }];
export const WORDS = words(20);
const UPSTREAM = process.env.UPSTREAM_URL;
const CLOSE_MS = 50; // what the gateway promises between a client's close and its own
const WAIT_MS = 5000;

export function words(count) {
  return Array.from({ length: count }, (_, i) => `word${i} `).join("");
}

export function client(options = {}) {
  return new OpenAI({ baseURL: `${GATEWAY}/v1`, apiKey: "sk-client", maxRetries: 0, timeout: 10_000, ...options });
}

// The clock that the upstream's times are of.
export function monotonicMs() {
  return Number(process.hrtime.bigint()) / 1e6;
}

async function observed() {
  return (await fetch(`${UPSTREAM}/_observed`, { signal: AbortSignal.timeout(WAIT_MS) })).json();
}

// A member that nobody knows, by which a test finds its own requests at the upstream.
export class Marker {
  value = randomUUID();
  extra = { x_marker: this.value };

  async requests() {
    return (await observed()).requests.filter((request) => request.body.includes(this.value));
  }

  // The only one.
  async request() {
    const found = await this.requests();
    assert.equal(found.length, 1);
    return found[0];
  }

  async body() {
    return JSON.parse((await this.request()).body);
  }

  // The upstream connection of the last request.
  async connection() {
    const seen = await observed();
    const last = seen.requests.filter((request) => request.body.includes(this.value)).at(-1);
    return last && seen.connections[last.connection];
  }

  // Polls connection() until the condition holds of it; fails after a while.
  async waitFor(condition = () => true) {
    const limit = monotonicMs() + WAIT_MS;
    while (monotonicMs() < limit) {
      const connection = await this.connection();
      if (connection && condition(connection)) return connection;
      await sleep(5);
    }
    assert.fail(`not seen within ${WAIT_MS} ms`);
  }
}

// `closeOne(marker)` opens an exchange, closes it and returns when it began to close, by monotonicMs(). The best of
// three counts: a busy machine may delay any single one.
export async function assertClosesInTime(closeOne) {
  let best = Infinity;
  for (let tries = 0; tries < 3 && best > CLOSE_MS; ++tries) {
    const marker = new Marker();
    const since = await closeOne(marker);
    const connection = await marker.waitFor((seen) => "closed_at_ms" in seen);
    best = Math.min(best, connection.closed_at_ms - since);
  }
  assert.ok(best >= 0 && best <= CLOSE_MS, `closed after ${best} ms`);
}

export async function collect(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

export function textOf(chunks) {
  return chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
}

// The error, once it is of exactly this class and has every member that applications read.
export async function raised(call, kind) {
  const error = await call().then(() => assert.fail("nothing was thrown"), (thrown) => thrown);
  assert.equal(error.constructor, kind, `${error}`);
  assert.ok(error.requestID);
  assert.equal(error.requestID, error.headers.get("x-request-id"));
  assert.deepEqual(Object.keys(error.error).sort(), ["code", "message", "param", "type"]);
  assert.ok(error.error.message);
  assert.equal(error.message, `${error.status} ${error.error.message}`);
  return error;
}
