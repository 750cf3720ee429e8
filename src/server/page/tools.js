"use strict";
// Small tools: elements, numbers as people read them, charts. Text only ever becomes a text node: names are the clients'.

const $ = (id) => document.getElementById(id);

function el(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function svg(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// Written only where it changes, so that a selection survives.
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function show(element, visible) {
  element.hidden = !visible;
}

// Rows are kept from one look to the next, with whatever is open, focused or selected in them.
function keyed(parent, items, keyOf, create, update) {
  const wanted = new Set(items.map(keyOf));
  for (const child of [...parent.children]) if (!wanted.has(child.dataset.key)) child.remove();
  const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    const child = old.get(key) || create(item);
    child.dataset.key = key;
    update(child, item);
    if (child === place) place = place.nextElementSibling;
    else parent.insertBefore(child, place);
  }
}

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const count = (value) => (value < 10000 ? whole.format(value) : compact.format(value));

const many = (value, what) => `${count(value)} ${what}${value === 1 ? "" : "s"}`;

function rate(value) {
  if (value >= 1000) return compact.format(value);
  return value === 0 || value >= 100 ? whole.format(value) : value.toFixed(value < 10 ? 2 : 1);
}

const three = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));

// Microseconds.
function span(us) {
  if (us === undefined) return "–";
  if (us < 1000) return `${us}\u00a0µs`;
  if (us < 999500) return `${three(us / 1000)}\u00a0ms`;
  if (us < 60e6) return `${three(us / 1e6)}\u00a0s`;
  const seconds = Math.floor(us / 1e6);
  const parts = [[86400, "d"], [3600, "h"], [60, "m"], [1, "s"]];
  const first = parts.findIndex(([size]) => seconds >= size);
  return parts.slice(first, first + 2).map(([size, unit], i) => {
    const above = i === 0 ? Infinity : parts[first][0];
    return `${Math.floor((seconds % above) / size)}\u00a0${unit}`;
  }).join("\u00a0");
}

function dollars(value) {
  if (value === undefined) return "–";
  if (value === 0) return "$0";
  if (value >= 10000) return `$${compact.format(value)}`;
  const digits = Math.min(9, Math.max(2, 2 - Math.floor(Math.log10(value))));
  return `$${value.toFixed(digits).replace(/(\.\d\d\d*?)0+$/, "$1")}`;
}

const bytes = (value) => (value < 1000 ? `${value} B` : value < 1e6 ? `${three(value / 1e3)} kB` : `${three(value / 1e6)} MB`);
const words = (name) => name.replaceAll("_", " ");

// A line with its area, newest at the right: of half a minute at first, and of all that is kept later.
function spark(element, values) {
  const top = Math.max(...values, 1e-9);
  const most = Math.max(values.length, 31);
  const x = (i) => ((most - values.length + i) * 120) / (most - 1);
  const y = (value) => 33 - (value / top) * 30;
  const points = values.map((value, i) => `${x(i).toFixed(1)} ${y(value).toFixed(1)}`);
  const line = values.length > 1 ? `M${points.join("L")}` : "";
  element.querySelector(".line").setAttribute("d", line);
  element.querySelector(".area").setAttribute("d", line && `${line}L120 34L${x(0).toFixed(1)} 34Z`);
}

// The value that so large a part of what was observed does not exceed; undefined: nothing was, Infinity: beyond the bounds.
function quantile(part, bounds, counts) {
  const total = counts.reduce((sum, one) => sum + one, 0);
  if (total === 0) return undefined;
  let rest = part * total;
  for (let i = 0; i < bounds.length; ++i) {
    const low = i === 0 ? 0 : bounds[i - 1];
    if (rest <= counts[i] && counts[i] > 0) return low + (bounds[i] - low) * (rest / counts[i]);
    rest -= counts[i];
  }
  return Infinity;
}

const seconds = (value, last) => (value === undefined ? "–" : value === Infinity ? `> ${last} s` : span(Math.round(value * 1e6)));
