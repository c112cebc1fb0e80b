// Mouse and keys.

const HELP = [
  ["← →", "previous, next event of the lane"], ["Shift ← →", "previous, next event anywhere"], ["[ ]", "the other end of the message: back, on"], ["w", "why: to the cause"],
  ["f", "to the failure"], ["n N", "next, previous fault"], ["/", "search; Enter and Shift Enter go through what was found"], ["+ - 0", "zoom in, out, the whole run"],
  ["a d", "move the window"], ["1 … 9", "follow one node: step along its lane"], ["p o", "only the past of the selection, only what followed from it"], ["t", "time to the right, time down (then ↑ ↓ step too)"], ["h", "heartbeats"], ["c", "messages of clients"], ["Esc", "let go"], ["?", "this"],
  ["drag, wheel", "move, zoom; on the strip above too"],
];

/** What is under the mouse: an event, an operation, a message or a fault. */
function under(x, y) {
  const { data } = view;
  if (y > diagram.axis && y < diagram.top) {
    const band = diagram.bands.find((one) => y >= diagram.axis + one.track * FAULT_ROW && y < diagram.axis + (one.track + 1) * FAULT_ROW && x >= xOf(one.from) - 2 && x <= Math.max(xOf(one.to), xOf(one.from) + 60));
    if (band) return { band, row: band.row };
  }
  const operation = operationAt(x, y);
  if (operation) return { operation, row: operation.part === PART.stuck || operation.back === null ? operation.back ?? operation.call : operation.call };
  let best = 90, row = -1;
  eachEvent((candidate) => {
    const dx = xOf(data.t[candidate]) - x, dy = yOf(data.lane[candidate]) - y;
    const weight = dx * dx + dy * dy - data.ranks[candidate] * 12 - (kindIs(data, candidate, "violation") ? 200 : 0);
    if (weight < best) { best = weight; row = candidate; }
  });
  if (row >= 0) return { row };
  let nearest = 5, message = -1;
  eachMessage((index) => {
    const distance = toLine(x, y, lineOf(index));
    if (distance < nearest) { nearest = distance; message = index; }
  });
  return message >= 0 ? { message, row: data.messages.sent[message] } : null;
}

function toLine(x, y, [x0, y0, x1, y1]) {
  const length = (x1 - x0) ** 2 + (y1 - y0) ** 2;
  const share = length ? Math.min(Math.max(((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length, 0), 1) : 0;
  return Math.hypot(x - x0 - share * (x1 - x0), y - y0 - share * (y1 - y0));
}

function watchDiagram() {
  const canvas = byId("diagram-canvas");
  let drag = null;
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    return view.down ? [y, x] : [x, y];
  };
  canvas.addEventListener("pointerdown", (event) => {
    const [x] = at(event);
    drag = { x, from: view.from, to: view.to, moved: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = at(event);
    if (drag) {
      if (Math.abs(x - drag.x) > 3) drag.moved = true;
      const by = ((drag.x - x) / (diagram.width - diagram.gutter)) * (drag.to - drag.from);
      if (drag.moved) { hideTip(); setWindow(drag.from + by, drag.to + by); }
      return;
    }
    const found = x > diagram.gutter ? under(x, y) : null;
    const operation = view.hovered?.operation;
    view.hovered = found;
    if (found) showTip(event.clientX, event.clientY, tipOf(found)); else hideTip();
    if (operation !== found?.operation) changed();
  });
  canvas.addEventListener("pointerup", (event) => {
    const [x, y] = at(event), wasMoved = drag?.moved;
    drag = null;
    if (wasMoved || x < diagram.gutter) return;
    const found = under(x, y);
    if (found) select(found.row, false);
    else { view.selected = -1; view.cursor = timeOf(x); setCone(""); }
  });
  canvas.addEventListener("pointerleave", () => { hideTip(); if (view.hovered?.operation) { view.hovered = null; changed(); } });
  canvas.addEventListener("dblclick", (event) => zoom(0.4, timeOf(at(event)[0])));
  canvas.addEventListener("wheel", (event) => {
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) { event.preventDefault(); pan(((event.deltaX || event.deltaY) / diagram.width) * (view.to - view.from)); return; }
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.2 : 1 / 1.2, timeOf(at(event)[0]));
  }, { passive: false });
}

/** The next event in a direction: in the lane of the selection, or anywhere. */
function step(by, anywhere) {
  const { data } = view;
  let row = view.selected >= 0 ? view.selected : rowAt(data, view.cursor) + (by > 0 ? 0 : 1);
  const lane = view.selected >= 0 ? data.lane[view.selected] : -1;
  for (row += by; row >= 0 && row < data.count; row += by) {
    const isOurs = anywhere || lane < 0 || data.lane[row] === lane;
    if (isOurs && isShown(row) && isSeen(row)) { select(row); return; }
  }
}

/** Whether an event has a mark or a line that is not switched off. */
function isSeen(row) {
  const { data } = view;
  if (data.ranks[row] === 2) return true;
  if (data.ranks[row] === 0) return false;
  const sent = kindIs(data, row, "send") ? row : data.cause[row];
  const list = data.messages, index = sent >= 0 ? lowerBound(list.sent, sent) : -1;
  return index < 0 || list.sent[index] !== sent || !view.hiddenFamilies.has(list.family[index]);
}

function toFailure() {
  if (view.data.focus < 0) return;
  const [from, to] = firstWindow(view.data);
  setWindow(from, to);
  select(view.data.focus, false);
}

function toFault(by) {
  const { bands } = view.data;
  const here = view.selected >= 0 ? view.selected : rowAt(view.data, view.cursor);
  const found = by > 0 ? bands.find((band) => band.row > here) : bands.findLast((band) => band.row < here);
  if (found) select(found.row);
}

function toOtherEnd(by) {
  const { data, selected } = view;
  if (selected < 0) return;
  if (by > 0) { const next = effects(data, selected); if (next.length) select(next[0]); }
  else if (data.cause[selected] >= 0) select(data.cause[selected]);
}

function follow(number) {
  const { data } = view;
  const lane = number - 1;
  if (lane >= data.nodes) return;
  let row = rowAt(data, view.cursor);
  while (row >= 0 && !(data.lane[row] === lane && data.ranks[row] > 0)) row--;
  if (row >= 0) select(row);
}

const KEYS = {
  "w": () => toOtherEnd(-1), "[": () => toOtherEnd(-1), "]": () => toOtherEnd(1), "f": toFailure, "n": () => toFault(1), "N": () => toFault(-1),
  "+": () => zoom(0.6), "=": () => zoom(0.6), "-": () => zoom(1 / 0.6), "0": () => setWindow(0, view.data.end),
  "a": () => pan((view.from - view.to) * 0.3), "d": () => pan((view.to - view.from) * 0.3),
  "p": () => toggleCone("past"), "o": () => toggleCone("future"), "t": () => setDown(!view.down), "h": () => toggleFamily("heartbeat"), "c": () => toggleFamily("client"),
  "/": () => { byId("search").focus(); byId("search").select(); }, "?": () => byId("help").showModal(),
};

const toggleCone = (name) => setCone(view.cone === name ? "" : name);

function toggleFamily(id) {
  const index = FAMILY[id];
  if (!view.hiddenFamilies.delete(index)) view.hiddenFamilies.add(index);
  saveLink();
  changed();
}

function watchKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
    const isTyping = event.target instanceof HTMLInputElement;
    if (event.key === "Escape") { if (isTyping) event.target.blur(); else select(-1); return; }
    if (isTyping) return;
    const by = { ArrowLeft: -1, ArrowRight: 1, ...(view.down ? { ArrowUp: -1, ArrowDown: 1 } : {}) }[event.key];
    if (by) { event.preventDefault(); step(by, event.shiftKey); return; }
    if (/^[1-9]$/.test(event.key)) { follow(Number(event.key)); return; }
    const act = Object.hasOwn(KEYS, event.key) ? KEYS[event.key] : null;
    if (act) { event.preventDefault(); act(); }
  });
  const box = byId("search");
  let waiting = 0;
  box.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(() => search(box.value), 150); });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    clearTimeout(waiting);
    if (view.query !== box.value) search(box.value);
    toMatch(event.shiftKey ? -1 : 1);
  });
}
