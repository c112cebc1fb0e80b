// The panels of text: the head, the inspector of one event, the logs at the cursor, the tip under the mouse.

function fillHead() {
  const bar = byId("verdict");
  bar.classList.add(head.verdict === "PASS" ? "pass" : "fail");
  byId("badge").textContent = head.verdict;
  byId("signature").textContent = head.verdict === "PASS" ? head.scenario : head.signature;
  const facts = [head.verdict === "PASS" ? "" : head.scenario.slice(0, 60), head.bug ? `bug ${head.bug}` : "", `seed ${head.seed}`, `digest ${head.digest.slice(0, 8)}`, `${view.data.total.toLocaleString("en")} events`,
    seconds(view.data.end, 1e10)];
  byId("facts").textContent = facts.filter(Boolean).join("  ·  ");
  byId("facts").title = `${head.tool}\ndigest ${head.digest}`;
  byId("message").textContent = head.message || view.data.linearizability || "";
  byId("replay").textContent = head.replay ? `$ ${head.replay}` : "";
  byId("copy-replay").hidden = !head.replay;
  if (head.compared) fillComparison();
  const notice = byId("notice");
  if (view.data.count < view.data.total) {
    notice.hidden = false;
    notice.textContent = `${view.data.count.toLocaleString("en")} of ${view.data.total.toLocaleString("en")} events are here, to keep the page small: changes of role, faults, ` +
      "clients' operations, what led to the failure, and all that happened shortly before it. `squall view --max-size` makes room for more.";
  }
}

/** Of two traces: what each came to, and where they part. */
function fillComparison() {
  const { a, b, equal, differs, open, t, seq } = head.compared;
  byId("badge").textContent = differs ? "DIFFERENT" : open ? "INCONCLUSIVE" : "SAME";
  byId("signature").textContent = `${a}   ↔   ${b} ′`;
  byId("message").textContent = differs
    ? `${equal.toLocaleString("en")} equal events, then they part at ${seconds(t, 1e6)} with event #${seq}. Lanes with a prime (′) are the second trace's.`
    : `${open ? "One is cut short: the" : "All"} ${equal.toLocaleString("en")} events${open ? " that both have" : ""} are equal. Lanes with a prime (′) are the second trace's.`;
}

const eventTitle = (data, row) => [data.names[data.kind[row]], data.sort[row] >= 0 ? data.names[data.sort[row]] : ""].filter(Boolean).join(" ");

/** In a few words what an event says, for a line of a list. */
function eventWords(data, row) {
  const kind = data.names[data.kind[row]];
  const peer = data.peer[row] >= 0 ? data.lanes[data.peer[row]] : "";
  const title = eventTitle(data, row);
  if (kind === "send") return `${title} → ${peer}`;
  if (peer) return `${title} ← ${peer}`;
  const own = data.detail[row];
  return own ? `${title} ${own.replace(/^\{|\}$/g, "").replaceAll("\"", "").replaceAll(",", " ").slice(0, 60)}` : title;
}

function eventLine(data, row, reference) {
  const line = element("button", row === view.selected ? "here" : "");
  line.type = "button";
  const before = data.t[reference] - data.t[row];
  line.append(
    element("span", "when", before === 0 ? "·" : `${before > 0 ? "−" : "+"}${span(Math.abs(before))}`),
    element("span", "", data.lane[row] >= 0 ? data.lanes[data.lane[row]] : "–"),
    element("span", "what", eventWords(data, row)),
  );
  line.title = `#${numberOf(data, row)} at ${seconds(data.t[row], 1)}`;
  line.addEventListener("click", () => select(row));
  return element("li", "", null, line);
}

function section(panel, title, ...content) {
  panel.append(element("h3", "", title), ...content);
}

let inspected = null;
function drawInspector() {
  const { data, selected } = view;
  if (inspected === selected) return;
  inspected = selected;
  const panel = byId("inspector");
  panel.replaceChildren();
  panel.scrollTop = 0;
  if (selected < 0) {
    panel.append(element("h2", "", "No event selected"), element("p", "hint", "Click an event or a message, or press f for the failure, n for the next fault, ? for all keys."));
    if (data.refusal) section(panel, "No linearization", element("pre", "refusal", data.refusal));
    section(panel, "This run", countsTable());
    if (head.toml) section(panel, "Scenario", element("pre", "", head.toml));
    return;
  }
  const lane = data.lane[selected];
  panel.append(element("h2", "", eventTitle(data, selected)));
  const where = [`#${numberOf(data, selected)}`, lane >= 0 ? data.lanes[lane] : "the world", seconds(data.t[selected], 1)];
  const peer = data.peer[selected];
  if (peer >= 0) where.splice(2, 0, kindIs(data, selected, "send") ? `to ${data.lanes[peer]}` : `from ${data.lanes[peer]}`);
  panel.append(element("div", "where", where.join("  ·  ")));
  if ((kindIs(data, selected, "violation") || (selected === data.focus && !data.passed && !data.refusal)) && head.message) panel.append(element("p", "refusal", head.message));
  if (data.refusal && !kindIs(data, selected, "violation") && selected === data.focus) section(panel, "No linearization", element("pre", "refusal", data.refusal));
  if (data.lives[lane]) section(panel, `${data.lanes[lane]} before and after`, changeTable(data.lives[lane], selected));
  const chain = chainOf(data, selected, 25);
  section(panel, "Why: cause by cause", listOf(chain, selected));
  const next = Array.from(effects(data, selected).subarray(0, 12));
  if (next.length) section(panel, "What it led to", listOf(next, selected));
  const detail = detailOf(data, selected);
  if (detail) section(panel, "What it says", element("pre", "", detail.split("\n").map(pretty).join("\n")));
}

const listOf = (rows, reference) => element("ul", "chain", null, ...rows.map((row) => eventLine(view.data, row, reference)));

function changeTable(life, row) {
  const at = lifeAt(life, row), here = at >= 0 && life.row[at] === row;
  const before = here ? at - 1 : at;
  const columns = [["role", "stand"], ["term", "term"], ["vote", "vote"], ["commit", "commit"], ["applied", "applied"], ["last entry", "last"], ["snapshot", "snapshot"]];
  const text = (column, index) => {
    if (index < 0) return "–";
    const value = life[column][index];
    if (column === "stand") return STANDS[value];
    if (column === "vote") return value === null ? "–" : `n${value}`;
    return String(value);
  };
  const table = element("table");
  for (const [name, column] of columns) {
    const [was, is] = [text(column, before), text(column, at)];
    const line = element("tr", was === is ? "" : "changed", null, element("td", "", name), element("td", "", was), element("td", "", was === is ? "" : `→ ${is}`));
    table.append(line);
  }
  return table;
}

function countsTable() {
  const table = element("table");
  for (const [name, count] of head.counts.filter(([, count]) => count > 0)) table.append(element("tr", "", null, element("td", "", name), element("td", "", count.toLocaleString("en"))));
  return table;
}

// --- the logs ---

/** The term of the entry at `index`, or 0. */
function termIn(log, index) {
  const found = log.find(([, last]) => index <= last);
  return found ? found[0] : 0;
}

function drawMatrix() {
  const { data } = view;
  const row = rowAtCursor();
  byId("matrix-when").textContent = `at ${seconds(Math.max(view.cursor, 0), view.to - view.from)}`;
  const nodes = data.lives.map((life, node) => ({ node, life, at: lifeAt(life, row), log: logAt(life, row) }));
  const last = nodes.reduce((most, { log }) => Math.max(most, log.length ? log[log.length - 1][1] : 0), 0);
  const room = Math.max(Math.floor((byId("matrix").clientWidth - 28 - 180) / 27), 4);
  view.logShift = Math.min(Math.max(view.logShift, 0), Math.max(last - room, 0));
  const until = Math.max(last - view.logShift, Math.min(last, room)), from = Math.max(until - room + 1, 1);
  // Who has committed most says what is right; of two traces each for itself.
  const sideOf = (node) => (data.compared && node >= data.compared.nodes ? 1 : 0);
  const best = (some) => some.reduce((most, one) => ((one.life.commit[one.at] || 0) > (most ? most.life.commit[most.at] || 0 : -1) ? one : most), null);
  const judges = [0, 1].map((side) => best(nodes.filter((one) => sideOf(one.node) === side)));
  const rows = byId("matrix-rows");
  rows.replaceChildren();
  if (last === 0) { rows.append(element("div", "hint", "All logs are empty here.")); return; }
  const header = element("div", "logrow head", null, element("span", "logname", ""));
  for (let index = from; index <= until; index++) header.append(element("span", "cell", (index % 5 === 0 || index === from) ? String(index) : ""));
  rows.append(header);
  for (const one of nodes) if (!view.hiddenLanes.has(one.node)) rows.append(logRow(one, judges[sideOf(one.node)], from, until));
}

function logRow({ node, life, at, log }, judge, from, until) {
  const { data } = view;
  const stand = at < 0 ? "absent" : life.paused[at] ? "paused" : STANDS[life.stand[at]];
  const name = element("span", "logname", null, element("b", "", data.lanes[node]), ` ${stand}${at < 0 ? "" : ` T${life.term[at]} c${life.commit[at]}`}`);
  name.title = at < 0 ? "" : `term ${life.term[at]}, commit ${life.commit[at]}, applied ${life.applied[at]}, last entry ${life.last[at]}, snapshot ${life.snapshot[at]}`;
  const line = element("div", "logrow", null, name);
  const last = log.length ? log[log.length - 1][1] : 0;
  const certain = judge ? judge.life.commit[judge.at] || 0 : 0;
  for (let index = from; index <= Math.min(until, last); index++) {
    const term = termIn(log, index);
    const cell = element("span", "cell", term ? String(term) : "·");
    const colour = term ? termColour(term) : colours.hatch;
    cell.style.background = colour;
    cell.style.borderColor = colour;
    cell.style.color = colours.page;
    if (index > life.commit[at]) cell.classList.add("uncommitted");
    else if (index <= life.applied[at]) cell.classList.add("applied");
    if (index <= life.snapshot[at]) cell.classList.add("snapshot");
    const right = judge && index <= certain ? termIn(judge.log, index) : 0;
    // Two that have committed different entries have diverged; who has not committed its own has it overwritten yet.
    const differs = right && term && right !== term;
    if (differs) cell.classList.add(index <= life.commit[at] ? "diverges" : "conflicts");
    const more = differs ? `; ${data.lanes[judge.node]} has committed one of term ${right} there` : "";
    cell.title = `entry ${index} of ${term ? `term ${term}` : "a term that only the snapshot knew"} on ${data.lanes[node]}${more}`;
    line.append(cell);
  }
  return line;
}

function fillMatrixKey() {
  const key = byId("matrix-key");
  for (const [name, className] of [["committed", ""], ["applied", "applied"], ["not committed", "uncommitted"], ["in the snapshot", "snapshot"], ["another one is committed elsewhere", "conflicts"], ["committed, and another one elsewhere", "diverges"]]) {
    const cell = element("span", `cell sample ${className}`, "3");
    cell.style.background = cell.style.borderColor = termColour(3);
    cell.style.color = colours.page;
    key.append(element("span", "", null, cell, name));
  }
}

// --- the tip ---

function showTip(x, y, lines) {
  const tip = byId("tip");
  tip.replaceChildren(...lines.map((line) => element("div", "", line)));
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(x + 14, innerWidth - width - 6))}px`;
  tip.style.top = `${y + 16 + height > innerHeight ? Math.max(4, y - height - 10) : y + 16}px`;
}

const hideTip = () => { byId("tip").hidden = true; };

function tipOf({ row, message, operation, band }) {
  const { data } = view;
  if (operation) {
    const took = operation.to === null ? "never answered" : `took ${span(operation.to - operation.from)}`;
    const ends = operation.outcome === 1 ? "nobody knows whether it took effect" : operation.outcome === 2 ? "under way at the end" : "";
    const parts = ["", "the first operation that cannot be placed", "impossible together with the red one", "context of the contradiction"];
    return [operationText(operation), `${data.lanes[operation.lane]}  ${seconds(operation.from, 1e9)}  ${took}`,
      operation.number ? `takes effect as number ${operation.number} of ${operation.key}` : "", ends, parts[operation.part]].filter(Boolean);
  }
  if (band) return [band.label, `${band.kind}  ${seconds(band.from, 1e9)}${band.to > band.from ? `  for ${span(band.to - band.from)}` : ""}`];
  if (message !== undefined) {
    const list = data.messages, sent = list.sent[message];
    const fate = list.lost[message] ? `lost: ${(/"reason":"([^"]*)"/.exec(data.detail[list.ended[message]] || "") || [])[1] || "dropped"}`
      : list.ended[message] < 0 ? "still under way at the end" : `took ${span(list.to[message] - list.from[message])}`;
    return [`${data.names[data.sort[sent]] || "message"}  ${data.lanes[data.lane[sent]]} → ${data.lanes[data.peer[sent]]}`, `sent ${seconds(list.from[message], view.to - view.from)}, ${fate}`,
      (data.detail[sent] || "").slice(0, 220)].filter(Boolean);
  }
  return [`#${numberOf(data, row)} ${eventTitle(data, row)}`, `${data.lane[row] >= 0 ? data.lanes[data.lane[row]] : "the world"}  ${seconds(data.t[row], view.to - view.from)}`,
    (data.detail[row] || "").slice(0, 220)].filter(Boolean);
}
