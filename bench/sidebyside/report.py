"""The table: medians over the rounds, then the ratios against nginx beside the targets."""

import statistics

# (heading or None, figure, label, format, how): "added" is the difference to direct in the same round, "max" the
# worst of all rounds, "median" the median.
ROWS = (
    ("Non-stream, one connection, all on one CPU", "one_p50", "added p50, µs", "{:.1f}", "added"),
    (None, "one_p99", "added p99, µs", "{:.1f}", "added"),
    ("64 connections, 1.5 KB bodies", "small_cpu", "CPU per request, µs", "{:.1f}", "median"),
    (None, "small_rps", "requests per second", "{:.0f}", "median"),
    ("64 connections, 32 KB bodies", "large_cpu", "CPU per request, µs", "{:.1f}", "median"),
    (None, "large_rps", "requests per second", "{:.0f}", "median"),
    ("{streams} streams, an event each 50 ms", "event_cpu", "CPU per 100,000 events, s", "{:.2f}", "median"),
    (None, "ttft_p50", "added TTFT p50, µs", "{:.0f}", "added"),
    (None, "ttft_p99", "added TTFT p99, µs", "{:.0f}", "added"),
    (None, "delay_p50", "added per event p50, µs", "{:.0f}", "added"),
    (None, "delay_p99", "added per event p99, µs", "{:.0f}", "added"),
    (None, "gap_p99", "added between events p99, µs", "{:.0f}", "added"),
    ("Memory, MiB", "rss_idle", "RSS idle", "{:.1f}", "median"),
    (None, "rss_streams", "RSS with {streams} streams", "{:.1f}", "max"),
    ("Client gone → upstream connection closed", "drop_p50", "p50, ms", "{:.2f}", "median"),
    (None, "drop_silent_p50", "p50 while the stream is silent, ms", "{:.2f}", "median"),
    (None, "drop_max", "max, ms", "{:.2f}", "max"),
)

# (label, figure, how, limit, format); "ratio" is against nginx.
TARGETS = (
    ("CPU per request, 1.5 KB", "small_cpu", "ratio", 2.0, "{:.2f} x nginx"),
    ("CPU per request, 32 KB", "large_cpu", "ratio", 2.0, "{:.2f} x nginx"),
    ("CPU per event", "event_cpu", "ratio", 1.2, "{:.2f} x nginx"),
    ("added p99, one connection", "one_p99", "added", 90, "{:.0f} µs"),
    ("added TTFT p99", "ttft_p99", "added", 500, "{:.0f} µs"),
    ("RSS idle", "rss_idle", "median", 20, "{:.1f} MiB"),
    ("RSS with {streams} streams", "rss_streams", "max", 60, "{:.1f} MiB"),
    ("upstream closed after a drop", "drop_max", "max", 5, "{:.2f} ms"),
)


def reduce(rounds, name, figure, how):
    """One value of contender `name`; None when it has none. rounds: [{contender: {figure: value}}]."""
    values = [each[name].get(figure) for each in rounds if figure in each.get(name, {})]
    if not values:
        return None
    if how == "added" and name != "direct":
        values = [each[name][figure] - each["direct"][figure] for each in rounds if figure in each.get(name, {})]
    return max(values) if how == "max" else statistics.median(values)


def noise(others):
    """others: shares of our CPUs that something else took while we measured."""
    if not others:
        return "other work on these CPUs: unknown"
    worst, usual = max(others), statistics.median(others)
    remark = "  (a busy machine: latencies and ratios are not to be trusted)" if usual > 0.05 else ""
    return f"other work on these CPUs: {usual:.0%}, at worst {worst:.0%}{remark}"


def table(rounds, names, streams):
    width = max(12, *(len(name) + 2 for name in names))
    lines = [" " * 40 + "".join(name.rjust(width) for name in names)]
    title = None  # of the group, until its first line is out
    for heading, figure, label, form, how in ROWS:
        title = heading or title
        cells = []
        for name in names:
            value = reduce(rounds, name, figure, how)
            text = "-" if value is None else form.format(value)
            cells.append((f"({text})" if how == "added" and name == "direct" else text).rjust(width))
        if all(cell.strip(" ()") == "-" for cell in cells):
            continue
        if title:
            lines.append(title.format(streams=streams))
            title = None
        lines.append(f"  {label.format(streams=streams)}".ljust(40) + "".join(cells))
    lines.append("Direct adds nothing: in brackets stands its own figure, which the others have on top.")
    return "\n".join(lines)


def targets(rounds, names, streams):
    lines = []
    for name in (name for name in names if name.startswith("sluice")):
        lines.append(f"Targets: {name}")
        for label, figure, how, limit, form in TARGETS:
            value = reduce(rounds, name, figure, "median" if how == "ratio" else how)
            base = reduce(rounds, "nginx", figure, "median") if how == "ratio" else 1
            if value is None or not base:
                continue
            value /= base
            lines.append(f"  {label.format(streams=streams)}".ljust(34) + form.format(value).rjust(16) +
                         f"   at most {limit:<5}" + ("ok" if value <= limit else "MISS"))
    return "\n".join(lines)
