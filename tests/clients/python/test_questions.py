"""The questions of docs/traces.md, asked of the real DuckDB over what the gateway has traced so far."""

import collections
import datetime
import json
import os
import pathlib
import re
import tempfile
import time
import unittest
import uuid

import duckdb
import openai
import trace_lines
from support import GatewayTest, MESSAGES, client
from test_chat import TOOLS

TRACE = os.environ["TRACE"]
DOCS = pathlib.Path(__file__).resolve().parents[3] / "docs" / "traces.md"


def documented():
    """The queries by the question above each; the view that they need has none."""
    blocks = re.findall(r"```sql\n(.*?)```", DOCS.read_text(), re.S)
    return {re.match(r"-- (.*)", block).group(1) if block.startswith("--") else "": block for block in blocks}


class Asking:
    """Somebody who has opened a trace in DuckDB as docs/traces.md says."""

    def open(self, path):
        self.asked = documented()
        self.database = duckdb.connect()
        self.addCleanup(self.database.close)
        self.database.execute(self.asked[""].replace("traces/sluice.jsonl*", str(path)))

    def answer(self, question, change=lambda block: block):
        block = next(text for title, text in self.asked.items() if title.startswith(question))
        cursor = self.database.execute(change(block))
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row)) for row in cursor.fetchall()]


class Questions(Asking, GatewayTest):
    def setUp(self):
        super().setUp()
        for _ in self.stream("stream-3"):
            pass
        for _ in range(2):
            self.client.chat.completions.create(model="cached-ok", messages=MESSAGES, extra_body=self.marker.extra)
        self.lines = self.wait_for_lines()
        self.open(TRACE)

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

    def test_every_question_can_be_asked(self):
        self.assertGreaterEqual(len(self.asked), 14)
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


class QuestionsAboutRuns(Asking, unittest.TestCase):
    def ask_of(self, lines):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = pathlib.Path(folder.name) / "sluice.jsonl"
        trace_lines.write(path, lines)
        self.open(path)

    def test_which_tool_fails_most(self):
        at = trace_lines.now()
        calls = [trace_lines.tool_call(at, "search", 1000, failed=n % 4 == 0, retries=n % 2) for n in range(100)]
        calls += [trace_lines.tool_call(at, "mail", 1000, failed=True) for _ in range(3)]
        self.ask_of(calls + [trace_lines.request(at, 1)])
        self.assertEqual(self.answer("Which tool fails most"), [
            {"tool": "search", "calls": 100, "failures": 25, "failed_percent": 25.0, "repeated": 50},
            {"tool": "mail", "calls": 3, "failures": 3, "failed_percent": 100.0, "repeated": 0}])

    def test_latency_of_one_tool(self):
        at = datetime.datetime(2026, 11, 20, 12, tzinfo=datetime.timezone.utc)
        calls = [trace_lines.tool_call(at, "search", n * 1000) for n in range(1, 101)]
        self.ask_of(calls + [trace_lines.tool_call(at, "mail", 9_000_000)])
        day, = self.answer("How long does one tool take")
        self.assertEqual(day["calls"], 100)
        self.assertAlmostEqual(day["p50_ms"], 50.5, 1)
        self.assertAlmostEqual(day["p95_ms"], 95.05, delta=0.06)
        other, = self.answer("How long does one tool take", lambda block: block.replace("'search'", "'mail'"))
        self.assertEqual(other["p95_ms"], 9000)

    def test_runs_stopped_last_week(self):
        this = trace_lines.monday_of_this_week()
        second, day = datetime.timedelta(seconds=1), datetime.timedelta(days=1)
        self.ask_of([
            trace_lines.guard(this, "this week", "turns", 10, 11),
            trace_lines.guard(this - 7 * day - second, "the week before", "turns", 10, 11),
            trace_lines.guard(this - second, "late", "cost_usd", 2.5, 2.75),
            trace_lines.guard(this - 7 * day, "early", "turns", 10, 11),
            trace_lines.guard(this - 6 * day, "early", "tokens", 1000, 1001),
            trace_lines.guard(this - day, "observed", "turns", 10, 11, result="observed"),
            trace_lines.request(this - 2 * second, 0.5, run_id="late"),
            trace_lines.request(this - 8 * day, 0.25, run_id="late"),
        ])
        rows = {row["run_id"]: row for row in self.answer("Which runs did the guard stop")}
        self.assertEqual(rows.keys(), {"late", "early"})
        late, early = rows["late"], rows["early"]
        self.assertEqual((late["stopped_by"], late["cap_limit"], late["used"]), ("cost_usd", 2.5, 2.75))
        self.assertEqual((late["requests"], late["cost_usd"]), (2, 0.75))
        self.assertEqual((early["stopped_by"], early["refused"], early["cost_usd"]), ("tokens", 2, None))

    def test_the_same_input_twelve_times(self):
        at = datetime.datetime(2026, 11, 20, 12, tzinfo=datetime.timezone.utc)
        same = [trace_lines.request(at, 0.25, input_hash="a" * 32, run_id=f"run {n % 2}") for n in range(12)]
        fewer = [trace_lines.request(at, 0.25, input_hash="b" * 32) for _ in range(11)]
        self.ask_of(same + fewer + [trace_lines.request(at, 0.25) for _ in range(12)])
        row, = self.answer("Which inputs were sent again")
        self.assertEqual((row["input_hash"], row["requests"], row["runs"], row["cost_usd"]), ("a" * 32, 12, 2, 3.0))

    def test_cost_of_each_end_user(self):
        at = trace_lines.now()
        self.ask_of([trace_lines.request(at, 0.25, user="ann", run_id="r"), trace_lines.request(at, 0.5, user="bob"),
                     trace_lines.request(at, 0.5, user="ann", run_id="r"), trace_lines.request(at, 9)])
        rows = self.answer("What did each end user cost")
        self.assertEqual([(row["user"], row["team"], row["requests"], row["runs"], row["cost_usd"]) for row in rows],
                         [("ann", "acme", 2, 1, 0.75), ("bob", "acme", 1, 0, 0.5)])

    def test_cost_of_each_feature_and_team(self):
        at = trace_lines.now()
        self.ask_of([trace_lines.request(at, 1, tags={"feature": "find"}), trace_lines.request(at, 2, group="acme/web")])
        rows = {(row["team"], row["feature"]): row["cost_usd"] for row in self.answer("What did each team and feature")}
        self.assertEqual(rows, {("acme", "find"): 1.0, ("acme", None): 2.0})

    def test_every_question_can_be_asked_of_every_line(self):
        at = trace_lines.now()
        feedback = trace_lines.line("feedback", at, of="req_1", key="web", name="rating", value=0.5, comment="good")
        self.ask_of([trace_lines.request(at, 1, user="ann", input="hi", output="ho"), trace_lines.tool_call(at, "t", 1),
                     trace_lines.guard(at, "r", "turns", 10, 11), feedback])
        for title, block in self.asked.items():
            if title:
                with self.subTest(title):
                    self.database.execute(block).fetchall()
        row = self.database.execute("""SELECT "of", "name", "value", comment FROM trace WHERE event = 'feedback'""")
        self.assertEqual(row.fetchall(), [("req_1", "rating", 0.5, "good")])


class QuestionsAboutAgents(Asking, GatewayTest):
    """The same of a run that the gateway has put down itself."""

    def setUp(self):
        super().setUp()
        self.run_id = f"run-{uuid.uuid4().hex}"
        agent = client(default_headers={"x-sluice-run-id": self.run_id})
        self.addCleanup(agent.close)
        messages = list(MESSAGES)
        with self.assertRaises(openai.RateLimitError):
            for _ in range(10):  # the guard lets three pass
                message = agent.chat.completions.create(model="tools", messages=messages, tools=TOOLS).choices[0].message
                messages.append(message.to_dict())
                messages += [{"role": "tool", "tool_call_id": call.id, "content": "Error: no such city"}
                             for call in message.tool_calls]
        self.wait_for_guard()
        self.open(TRACE)

    def wait_for_guard(self):
        limit = time.monotonic() + 10
        while time.monotonic() < limit:
            if any(self.run_id in line and '"event":"guard"' in line for line in pathlib.Path(TRACE).read_text().splitlines()):
                return
            time.sleep(0.02)
        raise AssertionError("the guard's line is not written")

    def test_its_tool_failed(self):
        row = next(row for row in self.answer("Which tool fails most") if row["tool"] == "get_weather")
        self.assertGreaterEqual(row["failures"], 1)
        self.assertGreaterEqual(row["repeated"], 1)
        day = self.answer("How long does one tool take", lambda block: block.replace("'search'", "'get_weather'"))[-1]
        self.assertGreaterEqual(day["p95_ms"], day["p50_ms"])

    def test_it_was_stopped(self):
        in_a_week = lambda block: block.replace("now()", "now() + INTERVAL 7 DAY")
        row = next(row for row in self.answer("Which runs did the guard stop", in_a_week) if row["run_id"] == self.run_id)
        self.assertEqual((row["stopped_by"], row["cap_limit"], row["used"]), ("turns", 3, 3))
        self.assertEqual(row["requests"], 4)
