"""Trace lines of agents' runs, as docs/traces.md describes them, for questions that need more of them than a gateway
writes while a test lasts, and such as are a week old."""

import datetime
import itertools
import json

_ids = itertools.count(1)


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def monday_of_this_week():
    today = now().replace(hour=0, minute=0, second=0, microsecond=0)
    return today - datetime.timedelta(days=today.weekday())


def line(event, time, **members):
    number = next(_ids)
    return {"time": time.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "schema": 1, "event": event, "trace_id": f"{number:032x}",
            "span_id": f"{number:016x}", "request_id": f"req_{number}"} | members


def request(time, cost, **members):
    return line("request", time, **({
        "endpoint": "chat", "stream": False, "model": "demo", "route": "demo", "key": "web", "group": "acme/search",
        "provider": "up", "upstream_model": "m", "attempts": 1, "status": 200, "outcome": "ok", "finish_reason": "stop",
        "usage": {"input": 10, "output": 5, "cached": 0, "cache_write": 0, "reasoning": 0, "source": "reported"},
        "cost_usd": cost, "duration_us": 1000, "gateway_us": 50, "provider_us": 900, "ledger_us": {"accept": 10},
    } | members))


def tool_call(time, tool, duration_us, failed=False, retries=0, **members):
    return line("tool_call", time, **({
        "key": "web", "group": "acme/search", "route": "demo", "tool": tool, "tool_call_id": "call_1",
        "arguments_hash": "0123456789abcdef", "duration_us": duration_us, "failed": failed, "retries": retries,
        "asked_by": "req_0",
    } | members))


def guard(time, run, cap, limit, used, result="refused", **members):
    return line("guard", time, **({
        "run_id": run, "key": "web", "group": "acme/search", "route": "demo", "result": result, "cap": cap, "limit": limit,
        "used": used,
    } | members))


def write(path, lines):
    path.write_text("".join(json.dumps(one) + "\n" for one in lines))
