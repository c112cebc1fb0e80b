// The data of the page: decoded once, then looked up by row (the number of an event on this page) or by time.
// Texts of a trace are only ever drawn or put into text nodes.

const byId = (id) => document.getElementById(id);
const head = JSON.parse(byId("head").textContent);

/** An element with a class, a text, and children. */
function element(name, className, text, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined && text !== null) made.textContent = text;
  made.append(...children);
  return made;
}

async function unpacked() {
  const base64 = JSON.parse(byId("data").textContent);
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

/** First position whose value is not below `value` in an ascending array. */
function lowerBound(array, value, count = array.length) {
  let low = 0, high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (array[middle] < value) low = middle + 1; else high = middle;
  }
  return low;
}

/** The families of messages: what a chip switches, and one colour each. */
const FAMILIES = [
  { id: "append", name: "append", types: ["append-entries", "append-accepted", "append-rejected"] },
  { id: "heartbeat", name: "heartbeat", types: ["heartbeat"], off: true },
  { id: "vote", name: "vote", types: ["request-vote", "vote-reply"] },
  { id: "prevote", name: "pre-vote", types: ["pre-vote", "pre-vote-reply"] },
  { id: "snapshot", name: "snapshot", types: ["install-snapshot", "snapshot-progress"] },
  { id: "read", name: "read index", types: ["read-index", "read-index-reply"] },
  { id: "transfer", name: "transfer", types: ["timeout-now"] },
  { id: "client", name: "request", types: [], off: true },
  { id: "other", name: "other", types: [] },
];
const FAMILY = Object.fromEntries(FAMILIES.map((family, index) => [family.id, index]));
const REPLIES = new Set(["append-accepted", "append-rejected", "vote-reply", "pre-vote-reply", "snapshot-progress", "read-index-reply"]);
const STANDS = ["absent", "follower", "pre-candidate", "candidate", "leader", "crashed"];
const STAND = Object.fromEntries(STANDS.map((stand, index) => [stand, index]));

function sums(differences) {
  const out = new Float64Array(differences.length);
  let sum = 0;
  for (let i = 0; i < out.length; i++) out[i] = sum += differences[i];
  return out;
}

/** Everything that the page knows, as columns. */
function decode(raw) {
  const { events } = raw;
  const count = events.seq.length;
  const cause = new Int32Array(count);
  for (let row = 0; row < count; row++) cause[row] = events.cause[row] ? row - events.cause[row] : -1;
  const data = {
    count, cause,
    lanes: raw.lanes, nodes: raw.nodes, end: raw.end, total: raw.total, passed: raw.passed,
    focus: raw.focus === null || count === 0 ? -1 : raw.focus,
    names: events.names,
    seq: sums(events.seq), t: sums(events.t),
    lane: Int32Array.from(events.lane), peer: Int32Array.from(events.peer),
    kind: Int32Array.from(events.kind), sort: Int32Array.from(events.sort),
    detail: events.detail,
    lives: raw.lives, refusal: raw.refusal, linearizability: raw.linearizability,
    bands: raw.bands.map(([kind, label, row, from, to, lanes]) => ({ kind, label, row, from, to, lanes })),
    operations: raw.operations.map(([lane, call, back, from, to, asked, answer, outcome, number, point, part]) =>
      ({ lane, call, back, from, to, asked, answer, outcome, number, point, part, key: keyOf(asked) })),
    compared: raw.compared ? { ...raw.compared, side: Uint8Array.from(raw.compared.side) } : null,
  };
  // The second trace's operations have an order of their own.
  if (data.compared) for (const operation of data.operations) if (data.compared.side[operation.call]) operation.key += "′";
  if (data.compared) uniteNames(data);
  data.kinds = Object.fromEntries(data.names.map((name, index) => [name, index]));
  data.messages = messages(data);
  data.ranks = ranks(data);
  data.leaders = leaders(data);
  return data;
}

/** Two traces bring their names each: equal ones become one. */
function uniteNames(data) {
  const first = new Map();
  const place = data.names.map((name, index) => { if (!first.has(name)) first.set(name, index); return first.get(name); });
  for (let row = 0; row < data.count; row++) {
    data.kind[row] = place[data.kind[row]];
    if (data.sort[row] >= 0) data.sort[row] = place[data.sort[row]];
  }
  data.names = data.names.map((name, index) => (place[index] === index ? name : ""));
}

/** The number of an event as it is shown and linked to: those of a second trace have a prime. */
const numberOf = (data, row) => `${data.seq[row]}${data.compared?.side[row] ? "′" : ""}`;

/** The event with a number, as `numberOf` gives it; -1 if there is none. */
function rowOf(data, number) {
  const found = /^(\d+)(′?)$/.exec(number);
  if (!found) return -1;
  const seq = Number(found[1]);
  if (data.compared) return data.seq.findIndex((one, row) => one === seq && data.compared.side[row] === (found[2] ? 1 : 0));
  const row = lowerBound(data.seq, seq);
  return row < data.count && data.seq[row] === seq ? row : -1;
}

function keyOf(asked) {
  const found = /^\S+ (k\d+)/.exec(asked);
  return found ? found[1] : "";
}

const kindIs = (data, row, ...names) => names.includes(data.names[data.kind[row]]);

/** Every copy of every message as columns; `blocks` has the latest end of each 256, to skip what is not in sight. */
function messages(data) {
  const send = data.kinds.send, drop = data.kinds.drop;
  const isEnd = new Set(["deliver", "request", "response", "drop"].map((name) => data.kinds[name]));
  const sent = [], ended = [], open = new Uint8Array(data.count);
  for (let row = 0; row < data.count; row++) if (data.kind[row] === send) open[row] = 1;
  for (let row = 0; row < data.count; row++) {
    const from = data.cause[row];
    if (isEnd.has(data.kind[row]) && from >= 0 && data.kind[from] === send) {
      sent.push(from); ended.push(row); open[from] = 0;
    }
  }
  for (let row = 0; row < data.count; row++) if (open[row]) { sent.push(row); ended.push(-1); }
  const order = Array.from(sent.keys()).sort((a, b) => sent[a] - sent[b]);
  const count = order.length;
  const list = {
    count,
    sent: new Int32Array(count), ended: new Int32Array(count), family: new Uint8Array(count), lost: new Uint8Array(count), reply: new Uint8Array(count),
    from: new Float64Array(count), to: new Float64Array(count), blocks: new Float64Array(Math.ceil(count / 256)),
    tally: new Array(FAMILIES.length).fill(0),
  };
  const families = data.names.map((name) => FAMILIES.findIndex((family) => family.types.includes(name)));
  const replies = data.names.map((name) => REPLIES.has(name));
  order.forEach((place, index) => {
    const row = sent[place], end = ended[place];
    list.sent[index] = row;
    list.ended[index] = end;
    list.lost[index] = end >= 0 && data.kind[end] === drop ? 1 : 0;
    list.family[index] = familyOf(data, row, families);
    list.reply[index] = data.sort[row] >= 0 && replies[data.sort[row]] ? 1 : 0;
    list.from[index] = data.t[row];
    list.to[index] = end >= 0 ? data.t[end] : data.end;
    list.tally[list.family[index]]++;
    const block = index >> 8;
    list.blocks[block] = Math.max(list.blocks[block], list.to[index]);
  });
  return list;
}

function familyOf(data, row, families) {
  if (data.lane[row] >= data.nodes || data.peer[row] >= data.nodes) return FAMILY.client;
  const family = data.sort[row] < 0 ? -1 : families[data.sort[row]];
  if (family < 0) return FAMILY.other;
  if (family === FAMILY.append && data.names[data.sort[row]] !== "append-entries") {
    // The answer to a heartbeat is part of the heartbeat.
    const cause = data.cause[row];
    if (cause >= 0 && data.sort[cause] >= 0 && data.names[data.sort[cause]] === "heartbeat") return FAMILY.heartbeat;
  }
  return family;
}

/** For each event how much it matters to a person who steps through them: 2 changes of state, 1 messages, 0 the rest. */
function ranks(data) {
  const high = new Set(["role", "vote", "append", "truncate", "commit", "crash", "restart", "pause", "resume", "cut", "mend", "network", "heal", "clock",
    "violation", "install", "snapshot", "boot", "configuration", "compact", "torn", "lost", "invoke", "return", "order", "ordered"]);
  const low = new Set(["timer", "write", "discard", "sync", "sync-start", "apply", "duplicate", "kept", "skip"]);
  const rank = data.names.map((name) => (high.has(name) ? 2 : low.has(name) ? 0 : 1));
  return Uint8Array.from(data.kind, (kind) => rank[kind]);
}

/** Who led, from when to when, in which term. */
function leaders(data) {
  const spans = [];
  data.lives.forEach((life, node) => {
    life.row.forEach((row, index) => {
      if (life.stand[index] !== STAND.leader) return;
      const from = data.t[row];
      const to = index + 1 < life.row.length ? data.t[life.row[index + 1]] : data.end;
      const last = spans[spans.length - 1];
      if (last && last.node === node && last.term === life.term[index] && last.to === from) last.to = to;
      else spans.push({ node, term: life.term[index], from, to });
    });
  });
  return spans.sort((a, b) => a.from - b.from);
}

/** The place in a node's life just after the event `row`; -1 before its first. */
const lifeAt = (life, row) => lowerBound(life.row, row + 1) - 1;

/** The terms of a node's log just after the event `row`: [term, last index] pairs. */
function logAt(life, row) {
  let low = 0, high = life.logs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (life.logs[middle][0] <= row) low = middle + 1; else high = middle;
  }
  return low === 0 ? [] : life.logs[low - 1][1];
}

/** The last event at or before a time; -1 before the first. */
const rowAt = (data, time) => {
  let low = 0, high = data.count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (data.t[middle] <= time) low = middle + 1; else high = middle;
  }
  return low - 1;
};

/** The events that an event made happen, through an index that is built when first asked for. */
function effects(data, row) {
  if (!data.children) {
    const starts = new Int32Array(data.count + 2);
    for (let i = 0; i < data.count; i++) if (data.cause[i] >= 0) starts[data.cause[i] + 2]++;
    for (let i = 2; i < starts.length; i++) starts[i] += starts[i - 1];
    const list = new Int32Array(starts[starts.length - 1]);
    for (let i = 0; i < data.count; i++) if (data.cause[i] >= 0) list[starts[data.cause[i] + 1]++] = i;
    data.children = { starts, list };
  }
  return data.children.list.subarray(data.children.starts[row], data.children.starts[row + 1]);
}

/** The events from one back to its first cause. */
function chainOf(data, row, most = 1000) {
  const chain = [];
  for (let at = row; at >= 0 && chain.length < most; at = data.cause[at]) chain.push(at);
  return chain;
}

/** All that led to an event: causes, and what happened before at the same places (happened-before). */
function pastOf(data, row) {
  const inside = new Uint8Array(data.count);
  const until = new Int32Array(data.lanes.length).fill(-1);
  inside[row] = 1;
  if (data.lane[row] >= 0) until[data.lane[row]] = row;
  for (let at = row; at >= 0; at--) {
    const lane = data.lane[at];
    if (!inside[at] && !(lane >= 0 && lane < data.nodes && at < until[lane])) continue;
    inside[at] = 1;
    const cause = data.cause[at];
    if (cause >= 0) {
      inside[cause] = 1;
      const other = data.lane[cause];
      if (other >= 0 && other < data.nodes) until[other] = Math.max(until[other], cause);
    }
  }
  return inside;
}

/** All that followed from an event, cause by cause. */
function futureOf(data, row) {
  const inside = new Uint8Array(data.count);
  inside[row] = 1;
  for (let at = row + 1; at < data.count; at++) if (data.cause[at] >= 0 && inside[data.cause[at]]) inside[at] = 1;
  return inside;
}

/** What an event says, as text: its own, or that of what was sent. */
function detailOf(data, row) {
  const own = data.detail[row];
  const cause = data.cause[row];
  if (cause >= 0 && kindIs(data, cause, "send") && kindIs(data, row, "deliver", "request", "response", "drop")) {
    const sent = data.detail[cause] || "";
    return own ? `${own}\n${sent}` : sent;
  }
  return own || "";
}

/** JSON spread over lines without reading its numbers: those of 64 bits would suffer. */
function pretty(json) {
  let out = "", depth = 0, inText = false;
  for (let i = 0; i < json.length; i++) {
    const c = json[i];
    if (inText) {
      out += c;
      if (c === "\\") out += json[++i] ?? "";
      else if (c === "\"") inText = false;
    } else if (c === "\"") { inText = true; out += c; }
    else if (c === "{" || c === "[") {
      const close = /^(?:"(?:[^"\\]|\\.)*"|[^"{}[\]]){0,12}[}\]]/.exec(json.slice(i + 1, i + 80));
      if (close && depth > 0) { out += c + close[0]; i += close[0].length; }
      else out += `${c}\n${"  ".repeat(++depth)}`;
    } else if (c === "}" || c === "]") out += `\n${"  ".repeat(depth = Math.max(0, depth - 1))}${c}`;
    else if (c === ",") out += `,\n${"  ".repeat(depth)}`;
    else if (c === ":") out += ": ";
    else out += c;
  }
  return out;
}

/** Nanoseconds as seconds, with the digits that a span of `window` nanoseconds needs. */
function seconds(ns, window = 1e9) {
  const digits = window > 1e11 ? 0 : window > 2e9 ? 2 : window > 2e7 ? 4 : window > 2e5 ? 6 : 9;
  return `${(ns / 1e9).toFixed(digits)} s`;
}

/** A span in its natural unit. */
function span(ns) {
  if (ns >= 1e9) return `${(ns / 1e9).toFixed(3)} s`;
  if (ns >= 1e6) return `${(ns / 1e6).toFixed(2)} ms`;
  if (ns >= 1e3) return `${(ns / 1e3).toFixed(1)} µs`;
  return `${ns} ns`;
}
