// What is looked at: the window of time, the selected event, the filters; and the link that says so.

const view = {
  data: null,
  from: 0, to: 1,
  // Whether time runs down the diagram, and not to the right.
  down: false,
  cursor: 0, selected: -1, hovered: null,
  hiddenFamilies: new Set(), hiddenLanes: new Set(),
  // Only what led to the selection (`past`), or only what followed from it (`future`); and which events those are.
  cone: "", past: null,
  query: "", matches: [], isMatch: null,
  logShift: 0,
};

const GUTTER = 88;
const listeners = [];
let frame = 0;

/** Calls everybody who draws, once before the next picture. */
function changed() {
  if (frame) return;
  frame = requestAnimationFrame(() => { frame = 0; drawAll(); });
}

function drawAll() {
  const start = performance.now();
  for (const listener of listeners) listener();
  // For whoever measures: how long the last picture took, in milliseconds.
  document.documentElement.dataset.drawn = (performance.now() - start).toFixed(1);
}

function setWindow(from, to) {
  const { data } = view;
  const least = 1000;
  let length = Math.max(to - from, least);
  const whole = Math.max(data.end, least), margin = whole * 0.02;
  length = Math.min(length, whole + 2 * margin);
  view.from = Math.min(Math.max(from, -margin), whole + margin - length);
  view.to = view.from + length;
  saveLink();
  changed();
}

function zoom(factor, around = view.cursor) {
  const centre = Math.min(Math.max(around, view.from), view.to);
  setWindow(centre - (centre - view.from) * factor, centre + (view.to - centre) * factor);
}

function pan(by) {
  setWindow(view.from + by, view.to + by);
}

/** Brings a time into sight, without zooming. */
function reveal(time) {
  const length = view.to - view.from;
  if (time < view.from + length * 0.04 || time > view.to - length * 0.04) setWindow(time - length / 2, time + length / 2);
}

function select(row, show = true) {
  const { data } = view;
  if (!(row >= 0 && row < data.count)) { view.selected = -1; setCone(""); return; }
  view.selected = row;
  view.cursor = data.t[row];
  view.past = coneOf(data, row);
  if (show) reveal(data.t[row]);
  saveLink();
  changed();
}

const coneOf = (data, row) => (view.cone === "past" ? pastOf(data, row) : view.cone === "future" ? futureOf(data, row) : null);

/** Shows `past`, `future` or, with an empty name, everything. */
function setCone(name) {
  view.cone = view.selected >= 0 ? name : "";
  view.past = coneOf(view.data, view.selected);
  saveLink();
  changed();
}

/** Whether an event is to be seen, as far as the filters go. */
function isShown(row) {
  const { data } = view;
  return !(data.lane[row] >= 0 && view.hiddenLanes.has(data.lane[row])) && (!view.past || view.past[row] === 1);
}

function setDown(down) {
  view.down = down;
  saveLink();
  changed();
}

// --- the first window ---

/** The window that the page opens with: what led to the failure, or the first election of a run that passed. */
function firstWindow(data) {
  if (data.count === 0) return [0, Math.max(data.end, 1000)];
  const last = data.focus >= 0 ? data.focus : data.leaders.length ? rowAt(data, data.leaders[0].from) : Math.min(data.count - 1, 200);
  let first = last, told = 0;
  const wanted = data.focus >= 0 ? 110 : 60;
  while (first > 0 && told < wanted) {
    first--;
    if (data.lane[first] >= 0 && data.lane[first] < data.nodes && data.ranks[first] > 0) told++;
  }
  // What contradicts the operation that cannot be placed belongs into the picture, if it is near.
  let from = data.t[first];
  const near = data.t[last] - 5 * Math.max(data.t[last] - from, 1e6);
  for (const { part, from: call } of data.operations) if (part > 0 && call > near) from = Math.min(from, call);
  const length = Math.max(data.t[last] - from, 1e6);
  return [from - length * 0.02, data.t[last] + length * (data.focus >= 0 ? 0.12 : 0.6)];
}

// --- search ---

/** Words must all be found; `kind:`, `type:`, `node:`, `term:` and `key:` look at one thing each. */
function search(query) {
  const { data } = view;
  view.query = query;
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  view.matches = [];
  view.isMatch = null;
  if (words.length) {
    const tests = words.map(tester);
    view.isMatch = new Uint8Array(data.count);
    for (let row = 0; row < data.count; row++) {
      if (isShown(row) && tests.every((test) => test(row))) { view.matches.push(row); view.isMatch[row] = 1; }
    }
  }
  saveLink();
  changed();
}

function tester(word) {
  const { data } = view;
  const [, field, value] = /^(kind|type|node|term|key):(.*)$/.exec(word) || [null, "", word];
  const named = (text) => { const fit = data.names.map((name) => name.toLowerCase().includes(text)); return (index) => index >= 0 && fit[index]; };
  if (field === "kind") { const fits = named(value); return (row) => fits(data.kind[row]); }
  if (field === "type") { const fits = named(value); return (row) => fits(data.sort[row]); }
  if (field === "node") return (row) => data.lane[row] >= 0 && data.lanes[data.lane[row]] === value;
  if (field === "term") {
    const term = Number(value);
    return (row) => {
      const life = data.lives[data.lane[row]];
      const at = life ? lifeAt(life, row) : -1;
      return at >= 0 && life.term[at] === term;
    };
  }
  if (field === "key") {
    const key = value.replace(/^k/, "");
    return (row) => detailOf(data, row).includes(`"key":${key}`) && !detailOf(data, row).includes(`"key":${key}0`);
  }
  const fits = named(word);
  return (row) => fits(data.kind[row]) || fits(data.sort[row]) || detailOf(data, row).toLowerCase().includes(word);
}

/** The next or previous match from the selection on. */
function toMatch(step) {
  const { matches } = view;
  if (!matches.length) return;
  const at = lowerBound(matches, view.selected);
  const next = step > 0 ? (matches[at] === view.selected ? at + 1 : at) : at - 1;
  select(matches[(next + matches.length) % matches.length]);
}

// --- links ---

function linkNow() {
  const { data } = view;
  const parts = [];
  if (view.selected >= 0) parts.push(`e=${encodeURIComponent(numberOf(data, view.selected))}`);
  parts.push(`w=${Math.round(view.from)}-${Math.round(view.to)}`);
  const filters = [];
  const families = FAMILIES.filter((family, index) => view.hiddenFamilies.has(index) !== Boolean(family.off));
  for (const family of families) filters.push(`${view.hiddenFamilies.has(FAMILY[family.id]) ? "-" : "+"}${family.id}`);
  for (const lane of view.hiddenLanes) filters.push(`-${data.lanes[lane]}`);
  if (view.cone) filters.push(view.cone);
  if (filters.length) parts.push(`f=${filters.join(",")}`);
  if (view.down) parts.push("d=down");
  if (view.query) parts.push(`q=${encodeURIComponent(view.query)}`);
  return `#${parts.join("&")}`;
}

let saving = 0;
function saveLink() {
  clearTimeout(saving);
  saving = setTimeout(() => {
    try { history.replaceState(null, "", linkNow()); } catch { /* a page in a frame may not: the button still copies */ }
  }, 120);
}

/** A part of a link as text; of a damaged one nothing. */
function plainly(part) {
  try { return decodeURIComponent(part); } catch { return ""; }
}

/** Takes what a link says; whether it said anything. */
function loadLink() {
  const { data } = view;
  const parts = new Map(location.hash.slice(1).split("&").map((part) => { const at = part.indexOf("="); return [part.slice(0, at), part.slice(at + 1)]; }));
  view.hiddenFamilies = new Set(FAMILIES.flatMap((family, index) => (family.off ? [index] : [])));
  view.hiddenLanes = new Set();
  view.down = parts.get("d") === "down";
  let cone = "";
  for (const filter of (parts.get("f") || "").split(",").filter(Boolean)) {
    const name = filter.slice(1);
    if (filter === "past" || filter === "future") cone = filter;
    else if (name in FAMILY) view.hiddenFamilies[filter[0] === "-" ? "add" : "delete"](FAMILY[name]);
    else if (data.lanes.includes(name)) view.hiddenLanes.add(data.lanes.indexOf(name));
  }
  const window = /^(-?\d+)-(\d+)$/.exec(parts.get("w") || "");
  const row = rowOf(data, plainly(parts.get("e") || ""));
  const found = row >= 0;
  const [from, to] = window ? [Number(window[1]), Number(window[2])] : firstWindow(data);
  setWindow(from, to);
  if (found) select(row, !window);
  else if (data.focus >= 0 && !window) select(data.focus, false);
  if (!found && !view.cursor) view.cursor = view.to;
  setCone(cone);
  if (parts.has("q")) {
    const query = plainly(parts.get("q"));
    byId("search").value = query;
    search(query);
  }
  return found || Boolean(window);
}
