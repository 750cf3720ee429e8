// The last requests, each with its ledger.

const GOOD = ["ok", "cache_hit"];
const MILD = ["rejected", "rate_limited", "shed", "client_abort", "client_stalled"];

// Whose time it is: the provider's in three parts.
const KINDS = [["client", "client"], ["gateway", "gateway"], ["queue", "queue"], ["connect", "connect to the provider"],
  ["waiting", "wait for the first token"], ["generation", "generation"]];
const OF_STAGE = { retry: "connect", connect: "connect", tls: "connect", first_byte: "waiting", first_token: "waiting",
  generation: "generation" };
let stages = []; // [name, kind] in order

const isGood = (outcome) => GOOD.includes(outcome);
const resultClass = (outcome) => (isGood(outcome) ? "chip ok" : MILD.includes(outcome) ? "chip warn" : "chip bad");
const clock = (time) => new Date(time).toLocaleTimeString("en-GB");

// A stage of the ledger is the client's, the gateway's or the queue's, or one of three parts of the provider's time.
function nameStages(look) {
  stages = look.stages.map(({ name, share }) => [name, OF_STAGE[name] || share]);
  if ($("legend").children.length === 0) $("legend").append(...KINDS.map(([kind, name]) => el("li", kind, name)));
}

const spentIn = (record) => stages.map(([name, kind]) => [name, kind, record.ledger_us[name] || 0]).filter(([, , us]) => us > 0);

// Stages of one kind that follow each other are one piece.
function ledger(record) {
  const bar = el("div", "ledger");
  for (const [name, kind, us] of spentIn(record)) {
    let piece = bar.lastChild;
    if (piece?.className !== kind) bar.append((piece = el("i", kind)));
    piece.style.flexGrow = Number(piece.style.flexGrow) + us;
    piece.title += `${piece.title && ", "}${words(name)} ${span(us)}`;
  }
  bar.setAttribute("role", "img");
  bar.setAttribute("aria-label", spentIn(record).map(([name, , us]) => `${words(name)} ${span(us)}`).join(", "));
  return bar;
}

function stageList(record) {
  const list = el("div", "stages");
  const all = spentIn(record);
  const top = Math.max(...all.map(([, , us]) => us), 1);
  for (const [name, kind, us] of all) {
    const piece = el("i", kind);
    piece.style.width = `${(100 * us) / top}%`;
    list.append(el("div", "", words(name)), el("span", "", piece), el("b", "", span(us)));
  }
  return list;
}

function facts(record) {
  const tokens = `${whole.format(record.input_tokens)} in, ${whole.format(record.output_tokens)} out (${record.tokens_from})`;
  const used = record.tokens_from === "none" ? "" : tokens;
  const attempts = record.attempts.map((one) => {
    return `${one.target}: ${words(one.result)} after ${span(one.duration_us)}${one.hedge ? ", a hedge" : ""}`;
  });
  const rows = [
    ["request id", record.request_id], ["time", record.time], ["endpoint", record.endpoint + (record.stream ? ", stream" : "")],
    ["asked for", record.model], ["entry", record.route], ["answered by", [record.provider, record.upstream_model].filter(Boolean).join(" / ")],
    ["key", record.key], ["group", record.group], ["cache", record.cache && words(record.cache)], ["finish reason", record.finish_reason],
    ["error", record.error], ["detail", record.detail], ["limit", record.limit], ["copy of", record.mirror_of], ["renews", record.refresh_of],
    ["tokens", used], ["cost", record.cost_usd === undefined ? "" : `$${record.cost_usd}`],
    ["sent", `${bytes(record.bytes_out)}${record.stream ? `, ${count(record.events)} events` : ""}`], ["attempts", attempts.join("\n")],
    ["gateway, provider", `${span(record.gateway_us)}, ${span(record.provider_us)}`],
  ];
  const list = el("dl");
  for (const [name, value] of rows) {
    if (!value) continue;
    list.append(el("dt", "", name), ...value.split("\n").map((line, i) => {
      const cell = el("dd", name === "request id" ? "id" : "", line);
      if (i > 0) cell.style.gridColumn = "2";
      return cell;
    }));
  }
  return list;
}

function toggle(row, record) {
  const button = row.querySelector(".expand");
  const open = !row.classList.contains("open");
  row.classList.toggle("open", open);
  button.setAttribute("aria-expanded", String(open));
  if (!open) return row.parentElement.querySelector(`[data-key="details ${row.dataset.key}"]`)?.remove();
  showRecent(now());
}

function recordRow(record) {
  const row = cells("", "name", "opt", "opt", "", "num opt", "num", "num opt", "num opt", "num opt", "");
  row.classList.add("row");
  const [time, model, key, provider, result, first, total, gateway, tokens, cost, bar] = row.children;
  const button = el("button", "expand", clock(record.time));
  button.type = "button";
  button.setAttribute("aria-expanded", "false");
  button.setAttribute("aria-label", `${clock(record.time)}, details`);
  time.append(button);
  nameCell(model, record.model || words(record.endpoint), record.route === "other" ? "" : record.route);
  say(key, record.key || "–");
  say(provider, record.provider || "–");
  result.append(el("span", resultClass(record.outcome), words(record.error || record.outcome)),
    el("span", "quiet opt", record.status ? ` ${record.status}` : ""));
  say(first, span(record.ttft_us));
  say(total, span(record.duration_us));
  say(gateway, span(record.gateway_us));
  say(tokens, ["none", "cached"].includes(record.tokens_from) ? "–" : `${count(record.input_tokens)} / ${count(record.output_tokens)}`);
  say(cost, dollars(record.cost_usd));
  bar.append(ledger(record));
  row.addEventListener("click", (event) => {
    if (event.target === button || getSelection().isCollapsed) toggle(row, record);
  });
  return row;
}

function detailRow(record) {
  const cell = el("td", "details", el("div", "sheet", facts(record), stageList(record)));
  cell.colSpan = 11;
  return el("tr", "", cell);
}

function wanted(record) {
  if ($("only-failed").checked && isGood(record.outcome)) return false;
  const text = $("filter").value.trim().toLowerCase();
  if (!text) return true;
  return [record.request_id, record.model, record.route, record.key, record.group, record.provider, record.outcome, record.error]
    .some((one) => one && one.toLowerCase().includes(text));
}

function showExample(look) {
  const key = look.needs_key ? " \\\n  -H \"authorization: Bearer $SLUICE_KEY\"" : "";
  const body = JSON.stringify({ model: look.example_model, messages: [{ role: "user", content: "Hello" }] });
  const head = `curl -s ${look.listen}/v1/chat/completions -H "content-type: application/json"`;
  say($("example"), `${head}${key} \\\n  -d '${body.replaceAll("'", "'\\''")}'`);
}

function showRecent(look) {
  nameStages(look);
  const rows = $("recent").tBodies[0];
  const open = new Set([...rows.querySelectorAll("tr.open")].map((row) => row.dataset.key));
  const shown = look.recent.filter(wanted);
  const items = shown.flatMap((record) => (open.has(record.request_id) ? [[record], [record, true]] : [[record]]));
  keyed(rows, items, ([record, details]) => (details ? `details ${record.request_id}` : record.request_id),
    ([record, details]) => (details ? detailRow(record) : recordRow(record)), () => {});
  const none = look.recent.length === 0;
  show($("recent").parentElement, shown.length > 0);
  show($("legend"), shown.length > 0);
  show($("recent-empty"), shown.length === 0);
  show($("example"), none && look.recent_records > 0);
  const why = none ? "No requests yet. Try:" : "None of the last requests is like that.";
  say($("recent-none"), look.recent_records === 0 ? "No requests are kept: server.recent_records is 0." : why);
  if (none) showExample(look);
  const some = shown.length < look.recent.length ? `${count(shown.length)} of ` : "";
  say($("recent-note"), none ? "" : `${some}the last ${count(look.recent.length)}`);
}

function listenToFilter() {
  for (const [id, event] of [["filter", "input"], ["only-failed", "change"]]) {
    $(id).addEventListener(event, () => looks.length > 0 && showRecent(now()));
  }
}
