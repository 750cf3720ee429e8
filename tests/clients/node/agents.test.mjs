// Agents: the run guard ends a loop, and the SDK does not try again.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { Marker, MESSAGES, client } from "./support.mjs";

test("a run that has used up its turns is not tried again", async () => {
  const marker = new Marker();
  const run = `run-${randomUUID()}`;
  const agent = client({ maxRetries: 3, defaultHeaders: { "x-sluice-run-id": run } });
  const turn = () => agent.chat.completions.create({ model: "ok", messages: MESSAGES, ...marker.extra });
  for (let i = 0; i < 3; i += 1) await turn();
  const began = Date.now();
  await assert.rejects(turn(), (error) => {
    assert.equal(error.status, 429);
    assert.equal(error.code, "run_stopped");
    assert.deepEqual(error.error.run_guard, { run_id: run, cap: "turns", limit: 3, used: 3 });
    return true;
  });
  assert.ok(Date.now() - began < 400, "the SDK's first pause before a retry is longer");
  assert.equal((await marker.requests()).length, 3);
});
