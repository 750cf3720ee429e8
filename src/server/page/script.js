// The page itself: asks /admin/live again and again, and shows what has changed.

const EVERY = 1000; // ms
const PATIENCE = 5000; // ms for one answer
const KEPT = 121; // looks that rates and lines are made from
const SPEND_EVERY = 10; // looks
const PERIODS = [["1d", "24 h"], ["7d", "7 d"], ["30d", "30 d"]];

let looks = []; // the oldest first
let since = PERIODS[0][0];
let turn = 0;
let timer = 0;
let paused = false;
let reached = 0; // when the last answer came, of performance.now()

const sum = (numbers) => numbers.reduce((all, one) => all + one, 0);
const served = (look) => sum(Object.values(look.requests));
const failed = (look) => served(look) - sum(GOOD.map((name) => look.requests[name]));
const at = (back) => looks[Math.max(0, looks.length - 1 - back)];
const now = () => looks[looks.length - 1];

// Of a counter, per second, between two looks.
function growth(from, to, of) {
  const passed = (to.uptime_us - from.uptime_us) / 1e6;
  return passed > 0 ? (of(to) - of(from)) / passed : 0;
}
const speed = (of) => growth(at(5), now(), of);
const history = (of) => looks.slice(1).map((look, i) => growth(looks[i], look, of));

function tile(id, value, unit, under, values) {
  const card = $(id);
  if (!card.querySelector(".value")) {
    card.append(el("p", "value", el("span"), el("small")), el("p", "under"),
      svg("svg", { class: "spark", viewBox: "0 0 120 34", preserveAspectRatio: "none", "aria-hidden": "true" },
        svg("path", { class: "area" }), svg("path", { class: "line" })));
  }
  say(card.querySelector(".value span"), value);
  say(card.querySelector(".value small"), unit ? ` ${unit}` : "");
  say(card.querySelector(".under"), under);
  spark(card.querySelector(".spark"), values);
}

// Streams of the last minute, or of all time where there were none.
function firstTokens() {
  const newest = now().ttft;
  const before = at(60).ttft.counts;
  const recent = newest.counts.map((value, i) => value - before[i]);
  return sum(recent) > 0 ? [recent, "last minute"] : [newest.counts, "since start"];
}

function showTiles(look) {
  const quiet = served(look) === served(at(60));
  const asked = served(look) - (quiet ? 0 : served(at(60)));
  const wrong = failed(look) - (quiet ? 0 : failed(at(60)));
  const hits = look.requests.cache_hit;
  tile("tile-requests", rate(speed(served)), "/s", `${count(served(look))} since start`, history(served));
  tile("tile-failures", asked > 0 ? `${rate((100 * wrong) / asked)}` : "0", "%",
    `${count(wrong)} of ${count(asked)}, ${quiet ? "since start" : "last minute"}`, history(failed));
  const [counts, when] = firstTokens();
  const bounds = look.ttft.bounds_s;
  const part = (share) => seconds(quantile(share, bounds, counts), bounds.at(-1));
  const mean = looks.slice(1).map((one, i) => {
    const streams = one.ttft.streams - looks[i].ttft.streams;
    return streams > 0 ? (one.ttft.sum_s - looks[i].ttft.sum_s) / streams : 0;
  });
  const any = sum(counts) > 0;
  tile("tile-ttft", part(0.5), any ? "p50" : "", any ? `p95 ${part(0.95)}, ${when}` : "no streams yet", mean);
  const running = many(look.running.requests, "request").split(" ");
  tile("tile-running", running[0], running[1], many(look.running.streams, "stream"), looks.map((one) => one.running.requests));
  const tokens = (one) => one.input_tokens + one.output_tokens;
  tile("tile-tokens", rate(speed(tokens)), "/s", `${count(look.input_tokens)} in, ${count(look.output_tokens)} out`, history(tokens));
  const money = (one) => one.cost_usd;
  const saved = look.saved_usd > 0 ? `, ${dollars(look.saved_usd)} saved` : hits > 0 ? `, ${count(hits)} from the cache` : "";
  tile("tile-cost", dollars(look.cost_usd), "", `${dollars(speed(money) * 3600)} per hour${saved}`, history(money));
}

const STATUS = { ok: "ok", degraded: "warn", warming: "warn", draining: "bad" };

function showHead(look) {
  $("status").className = `chip ${STATUS[look.status]}`;
  say($("status"), look.status);
  say($("version"), look.version);
  say($("uptime"), span(look.uptime_us));
  say($("workers"), count(look.workers));
  say($("connections"), count(look.connections));
  say($("config"), look.config);
}

const cells = (...names) => el("tr", "", ...names.map((name) => el("td", name)));

// A text, and a smaller one below it.
function sayTwo(cell, text, below) {
  if (!cell.firstChild) cell.append(el("span"), el("small"));
  say(cell.firstChild, text);
  say(cell.lastChild, below);
}

// What was asked for, and below it the entry that it came to where that is another word.
function nameCell(cell, name, below) {
  sayTwo(cell, name, below === name ? "" : below);
  cell.title = name;
}

function showRunning(look) {
  const { oldest, requests, streams } = look.running;
  const rows = $("running").tBodies[0];
  keyed(rows, oldest, (one) => one.request_id,
    (one) => {
      const row = cells("name", "opt", "opt", "", "num", "num opt", "num");
      row.title = one.request_id;
      row.children[3].append(el("span", "chip"));
      return row;
    },
    (row, one) => {
      const [model, key, provider, phase, age, first, sent] = row.children;
      nameCell(model, one.model || "not known yet", one.route);
      say(key, one.key || "–");
      say(provider, one.provider || "–");
      say(phase.firstChild, words(one.phase));
      phase.firstChild.className = one.phase === "stream" ? "chip ok" : "chip";
      say(age, span(one.age_us));
      say(first, span(one.ttft_us));
      sayTwo(sent, one.stream ? `${count(one.events)} events` : bytes(one.bytes), one.stream ? bytes(one.bytes) : "");
    });
  show($("running-empty"), oldest.length === 0);
  show($("running"), oldest.length > 0);
  const more = requests > oldest.length ? `, the ${count(oldest.length)} oldest are shown` : "";
  say($("running-note"), requests > 0 ? `${many(requests, "request")}, ${many(streams, "stream")}${more}` : "");
}

const BREAKER = { closed: "ok", half_open: "warn", open: "bad" };

function showTargets(look) {
  const { targets, credentials } = look.upstreams;
  keyed($("targets").tBodies[0], targets, (one) => `${one.provider}/${one.model}`,
    () => {
      const row = cells("name", "reason", "num", "num opt", "num opt");
      row.children[1].append(el("span", "chip"), el("small"));
      return row;
    },
    (row, one) => {
      const [name, breaker, running, faults, first] = row.children;
      nameCell(name, one.model === "*" ? "any model" : one.model, one.provider);
      say(breaker.firstChild, words(one.breaker));
      breaker.firstChild.className = `chip ${BREAKER[one.breaker]}`;
      const until = one.out_for_ms ? `, ${span(one.out_for_ms * 1000)} more` : "";
      const part = one.share < 1 ? `at ${Math.round(one.share * 100)} %` : "";
      const why = one.reason && one.reason !== "none";
      say(breaker.lastChild, why ? `${words(one.reason)}${until}` : part);
      say(running, count(one.in_flight));
      say(faults, `${count(one.window_faults)} / ${count(one.window_requests)}`);
      say(first, one.first_token_ms === undefined ? "–" : span(Math.round(one.first_token_ms * 1000)));
    });
  const out = targets.filter((one) => one.breaker !== "closed").length;
  say($("targets-note"), targets.length > 0 ? (out === 0 ? "all in use" : `${out} of ${targets.length} not in use`) : "");
  show($("targets"), targets.length > 0);
  show($("targets-empty"), targets.length === 0);
  keyed($("credentials"), credentials.filter((one) => !one.usable), (one) => `${one.provider} ${one.index}`,
    () => el("li", "", el("span", "chip bad"), " ", el("span")),
    (item, one) => {
      say(item.firstChild, words(one.reason));
      say(item.lastChild, `key ${one.index + 1} of ${one.provider}${one.out_for_ms ? `, ${span(one.out_for_ms * 1000)} more` : ""}`);
    });
}

function showFirstTokens(look) {
  const [counts, when] = firstTokens();
  const bounds = look.ttft.bounds_s;
  const total = sum(counts);
  show($("ttft-chart"), total > 0);
  show($("ttft-empty"), total === 0);
  say($("ttft-note"), total > 0 ? `${many(total, "stream")}, ${when}` : "");
  if (total === 0) return;
  const top = Math.max(...counts);
  const chart = svg("svg", { viewBox: "0 0 340 132" }, svg("line", { x1: 0, x2: 340, y1: 112.5, y2: 112.5 }));
  counts.forEach((value, i) => {
    const high = value === 0 ? 0 : Math.max(2, (value / top) * 104);
    const below = i < bounds.length ? `up to ${span(bounds[i] * 1e6)}` : `more than ${span(bounds.at(-1) * 1e6)}`;
    chart.append(svg("rect", { x: i * 20 + 2, y: 112 - high, width: 16, height: high, rx: 2 },
      svg("title", {}, `${count(value)} ${below}`)));
  });
  for (const [i, bound] of bounds.entries()) {
    if (i % 4 === 3 || i === 0) chart.append(svg("text", { x: (i + 1) * 20, y: 127 }, bound < 1 ? `${bound * 1000} ms` : `${bound} s`));
  }
  $("ttft-chart").replaceChildren(chart);
}

// One line each: a name, a note, a number, and how large that is beside the largest.
function bars(list, items, keyOf) {
  const top = Math.max(...items.map((item) => item.size), 1e-12);
  keyed(list, items, keyOf,
    () => el("li", "", el("div", "text", el("span"), el("span", "quiet"), el("b")), el("div", "bar", el("i"))),
    (item, one) => {
      const [name, note, value] = item.firstChild.children;
      item.className = one.kind || "";
      say(name, one.name);
      say(note, one.note);
      say(value, one.value);
      item.lastChild.firstChild.style.width = `${Math.max(1, (100 * one.size) / top)}%`;
    });
}

function showErrors(look) {
  const errors = look.errors.toSorted((a, b) => b.count - a.count);
  bars($("errors"), errors.map((one) => ({ name: words(one.error), note: one.origin, kind: one.origin, value: count(one.count), size: one.count })),
    (one) => one.name);
  show($("errors-empty"), errors.length === 0);
}

async function showSpend(look) {
  const empty = $("spend-empty");
  let rows = [];
  if (look.keeps_spend) ({ rows } = await ask(`/admin/spend?by=team&since=${since}`));
  const items = rows.map((row) => ({ key: row.group, name: row.group || "no team", note: many(row.requests, "request"),
    value: dollars(row.cost_usd), size: row.cost_usd }));
  bars($("spend"), items, (one) => one.key);
  show(empty, rows.length === 0);
  say(empty, look.keeps_spend ? "Nothing has been spent in this time." : "No spend is kept: there are neither prices nor budgets.");
}

function ask(path) {
  return fetch(path, { signal: AbortSignal.timeout(PATIENCE), cache: "no-store" }).then((answer) => {
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    return answer.json();
  });
}

function tellGone() {
  const quiet = reached ? ` Its last answer came ${span(Math.round(performance.now() - reached) * 1000)} ago; what is shown is from then.` : "";
  say($("gone"), `The gateway cannot be reached.${quiet} Trying again each second.`);
  show($("gone"), true);
  $("main").classList.add("stale");
  $("status").className = "chip bad";
  say($("status"), "not reached");
}

async function look() {
  try {
    const look = await ask("/admin/live");
    if (looks.length > 0 && look.uptime_us < now().uptime_us) looks = []; // it was started anew
    looks = [...looks, look].slice(-KEPT);
    reached = performance.now();
    show($("gone"), false);
    $("main").classList.remove("stale");
    for (const part of [showHead, showTiles, showRunning, showTargets, showFirstTokens, showErrors, showRecent]) part(look);
    if (turn++ % SPEND_EVERY === 0) await showSpend(look);
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof DOMException || error.message.startsWith("status"))) console.error(error);
    tellGone();
  }
}

// Nobody looks at a hidden page, so it does not ask.
async function go() {
  clearTimeout(timer);
  if (paused || document.hidden) return;
  const began = performance.now();
  await look();
  clearTimeout(timer);
  timer = setTimeout(go, Math.max(100, EVERY - (performance.now() - began)));
}

function choosePeriods() {
  for (const [value, name] of PERIODS) {
    const button = el("button", "", name);
    button.type = "button";
    button.setAttribute("aria-pressed", String(value === since));
    button.addEventListener("click", () => {
      since = value;
      for (const other of $("spend-since").children) other.setAttribute("aria-pressed", String(other === button));
      if (looks.length > 0) showSpend(now()).catch(tellGone);
    });
    $("spend-since").append(button);
  }
}

$("pause").addEventListener("click", () => {
  paused = !paused;
  $("pause").setAttribute("aria-pressed", String(paused));
  say($("pause"), paused ? "Go on" : "Pause");
  go();
});
document.addEventListener("visibilitychange", go);
choosePeriods();
listenToFilter();
go();
