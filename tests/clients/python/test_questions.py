"""The questions of docs/traces.md, asked of the real DuckDB over what the gateway has traced so far."""

import collections
import json
import os
import pathlib
import re
import time

import duckdb
from support import GatewayTest, MESSAGES

TRACE = os.environ["TRACE"]
DOCS = pathlib.Path(__file__).resolve().parents[3] / "docs" / "traces.md"


def blocks():
    return re.findall(r"```sql\n(.*?)```", DOCS.read_text(), re.S)


class Questions(GatewayTest):
    @classmethod
    def setUpClass(cls):
        cls.asked = {re.match(r"-- (.*)", block).group(1) if block.startswith("--") else "": block for block in blocks()}

    def setUp(self):
        super().setUp()
        for _ in self.stream("stream-3"):
            pass
        for _ in range(2):
            self.client.chat.completions.create(model="cached-ok", messages=MESSAGES, extra_body=self.marker.extra)
        self.lines = self.wait_for_lines()
        self.database = duckdb.connect()
        self.database.execute(self.asked[""].replace("traces/sluice.jsonl*", TRACE))

    def wait_for_lines(self):
        """All lines about requests, once those just asked are among them."""
        limit = time.monotonic() + 10
        while time.monotonic() < limit:
            lines = [json.loads(line) for line in pathlib.Path(TRACE).read_text().splitlines(keepends=True)
                     if line.endswith("\n")]
            requests = [line for line in lines if line["event"] == "request"]
            if requests and requests[-1].get("cache") == "hit":
                return requests
            time.sleep(0.02)
        raise AssertionError("the trace is not written")

    def answer(self, question):
        block = next(text for title, text in self.asked.items() if title.startswith(question))
        cursor = self.database.execute(block)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row)) for row in cursor.fetchall()]

    def test_every_question_can_be_asked(self):
        self.assertGreaterEqual(len(self.asked), 9)
        for title, block in self.asked.items():
            if title:
                with self.subTest(title):
                    self.database.execute(block).fetchall()

    def test_nothing_is_lost_in_reading(self):
        count, = self.database.execute("SELECT count(*) FROM trace WHERE event = 'request'").fetchone()
        self.assertGreaterEqual(count, len(self.lines))
        rows = self.answer("What did each team")
        self.assertGreaterEqual(sum(row["requests"] for row in rows), len(self.lines))

    def test_time_to_first_token(self):
        rows = {row["model"]: row for row in self.answer("Time to first token")}
        mine = rows["stream-*"]
        self.assertGreaterEqual(mine["streams"], 1)
        self.assertLessEqual(mine["p50_ms"], mine["p95_ms"])
        self.assertLessEqual(mine["p95_ms"], mine["p99_ms"])

    def test_cache_savings(self):
        rows = [row for row in self.answer("What has the cache saved") if row["cache"] == "hit"]
        hits = [line for line in self.lines if line.get("cache") == "hit"]
        saved = sum(line["saved"]["input"] + line["saved"]["output"] for line in hits)
        self.assertGreaterEqual(sum(row["saved_tokens"] for row in rows), saved)
        self.assertGreater(saved, 0)

    def test_finish_reasons(self):
        rows = {(row["model"], row["finish_reason"]): row["answers"] for row in self.answer("How do answers end")}
        counted = collections.Counter((line["route"], line["finish_reason"]) for line in self.lines
                                      if "finish_reason" in line)
        for what, count in counted.items():
            self.assertGreaterEqual(rows[what], count)

    def test_where_latency_comes_from(self):
        rows = {row["stage"]: row["mean_ms"] for row in self.answer("Where does latency come from")}
        self.assertLessEqual({"accept", "parse", "route", "generation", "relay", "settle"}, rows.keys())
        stages = sum(rows.values())
        whole = sum(line["duration_us"] for line in self.lines) / len(self.lines) / 1000
        self.assertGreater(stages, 0)
        self.assertLess(abs(stages - whole) / whole, 0.5, "the same, but for lines written since")
