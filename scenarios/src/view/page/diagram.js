// The space-time diagram: time to the right, a lane for each node, arrows for messages.
// A lane's bar is thick for a leader, striped for a candidate, thin for a follower; its colour is the term.
//
// With `view.down` time runs down instead. All is laid out and drawn as before, x along time and y across lanes; the canvas mirrors it
// at its diagonal, texts are turned along time or set upright, and the mouse is mirrored back.

const FAULT_ROW = 15, CLIENT_LANE = 24;
const diagram = { height: 0, width: 0, gutter: GUTTER, axis: 22, lanes: [], tracks: 0, point: null };

const xOf = (time) => diagram.gutter + ((time - view.from) / (view.to - view.from)) * (diagram.width - diagram.gutter);
const timeOf = (x) => view.from + ((x - diagram.gutter) / (diagram.width - diagram.gutter)) * (view.to - view.from);
const yOf = (lane) => diagram.lanes[lane]?.y ?? -100;

/** Where the lanes lie: as high as the room allows, clients below. */
function layOut(width, room) {
  const { data } = view;
  const shownNodes = [], shownClients = [];
  data.lanes.forEach((_, lane) => { if (!view.hiddenLanes.has(lane)) (lane < data.nodes ? shownNodes : shownClients).push(lane); });
  const withOperations = new Set(data.operations.map((operation) => operation.lane));
  const clients = shownClients.filter((lane) => withOperations.has(lane) || !view.hiddenFamilies.has(FAMILY.client));
  diagram.bands = placedBands();
  diagram.tracks = diagram.bands.reduce((most, band) => Math.max(most, band.track + 1), 0);
  [diagram.gutter, diagram.axis] = view.down ? [38, 66] : [GUTTER, 22];
  const top = diagram.axis + diagram.tracks * FAULT_ROW + 6;
  diagram.gap = 0;
  const left = room - top - clients.length * CLIENT_LANE - (data.compared ? 24 : 14);
  const height = Math.min(Math.max(left / Math.max(shownNodes.length, 1), 38), view.down ? 240 : 96);
  diagram.lanes = [];
  let y = top;
  for (const lane of shownNodes) {
    // Between two traces there is a gap.
    if (data.compared && lane === data.compared.nodes && lane !== shownNodes[0]) { diagram.gap = y + 5; y += 10; }
    diagram.lanes[lane] = { y: y + height / 2, height };
    y += height;
  }
  y += clients.length ? 8 : 0;
  diagram.clientsFrom = y;
  for (const lane of clients) { diagram.lanes[lane] = { y: y + CLIENT_LANE / 2, height: CLIENT_LANE }; y += CLIENT_LANE; }
  diagram.top = top;
  diagram.width = width;
  diagram.height = Math.max(y + 4, room);
}

/** The faults in sight, each in the first track that is free. */
function placedBands() {
  const free = [];
  const placed = [];
  for (const band of view.data.bands) {
    if (band.to < view.from || band.from > view.to) continue;
    // A fault of a moment takes the room of its label. Where there is no room left, the last track has bars without labels.
    const to = Math.max(band.to, band.from + (view.to - view.from) * 0.07);
    let track = free.findIndex((until) => until <= band.from);
    const isCrowded = track < 0 && free.length >= 5;
    if (track < 0) track = isCrowded ? 5 : free.length;
    if (!isCrowded) free[track] = to;
    placed.push({ ...band, track, isCrowded });
  }
  return placed;
}

function drawDiagram() {
  const box = byId("diagram");
  box.classList.toggle("down", view.down);
  const canvas = byId("diagram-canvas");
  if (view.down) layOut(box.clientHeight, box.clientWidth); else layOut(box.clientWidth, box.clientHeight);
  const size = view.down ? [diagram.height, diagram.width] : [diagram.width, diagram.height];
  const pen = canvasOf(canvas, ...size);
  canvas.style.width = view.down ? `${size[0]}px` : "";
  if (view.down) pen.transform(0, 1, 1, 0, 0, 0);
  pen.font = `11px ${colours.sans}`;
  pen.textBaseline = "middle";
  pen.save();
  pen.beginPath();
  pen.rect(diagram.gutter, 0, diagram.width - diagram.gutter, diagram.height);
  pen.clip();
  drawAxis(pen);
  drawBands(pen);
  drawLives(pen);
  drawMessages(pen);
  drawTicks(pen);
  drawChain(pen);
  drawOperations(pen);
  drawStandLabels(pen);
  drawCursor(pen);
  drawParting(pen);
  pen.restore();
  drawGutter(pen);
}

/** A text along time. */
function along(pen, text, x, y, how = "fillText") {
  if (!view.down) { pen[how](text, x, y); return; }
  pen.save();
  pen.translate(x, y);
  pen.scale(1, -1);
  pen[how](text, 0, 0);
  pen.restore();
}

/** Draws around a point as if nothing were mirrored. */
function upright(pen, x, y, draw) {
  pen.save();
  pen.translate(x, y);
  if (view.down) pen.transform(0, 1, 1, 0, 0, 0);
  draw();
  pen.restore();
}

function drawAxis(pen) {
  const room = (view.to - view.from) / Math.max((diagram.width - diagram.gutter) / 110, 1);
  const power = 10 ** Math.floor(Math.log10(room));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= room);
  pen.fillStyle = colours.dim;
  pen.strokeStyle = colours.faint;
  pen.lineWidth = 1;
  for (let time = Math.max(0, Math.ceil(view.from / step) * step); time <= view.to; time += step) {
    const x = Math.round(xOf(time)) + 0.5;
    pen.beginPath();
    pen.moveTo(x, diagram.axis - 4);
    pen.lineTo(x, diagram.height);
    pen.stroke();
    const label = seconds(time, step * 8);
    if (view.down) upright(pen, x + 8, 4, () => pen.fillText(label, 0, 0)); else pen.fillText(label, x + 3, diagram.axis / 2);
  }
}

const BAND_COLOUR = { cut: "cut", crash: "dim", pause: "accent", network: "cut", clock: "dim" };

function drawBands(pen) {
  for (const band of diagram.bands) {
    const x = xOf(band.from), width = Math.max(xOf(band.to) - x, 3);
    const colour = colours[BAND_COLOUR[band.kind] || "cut"];
    const y = diagram.axis + band.track * FAULT_ROW;
    const left = Math.max(x, diagram.gutter);
    pen.globalAlpha = 0.22;
    pen.fillStyle = colour;
    pen.fillRect(x, y, width, FAULT_ROW - 2);
    pen.globalAlpha = 1;
    pen.fillRect(x, y, 2, FAULT_ROW - 2);
    const room = band.to > band.from ? Math.min(xOf(band.to), diagram.width) - left - 8 : (diagram.width - diagram.gutter) * 0.07 - 6;
    pen.fillStyle = colours.ink;
    if (room > 30 && !band.isCrowded) along(pen, fitted(pen, band.kind === "cut" ? `cut ${band.label}` : band.label, room), left + 5, y + FAULT_ROW / 2 - 0.5);
    for (const lane of band.lanes) {
      const place = diagram.lanes[lane];
      if (!place || band.to === band.from) continue;
      const inset = lane < view.data.nodes ? 3 : 1;
      pen.fillStyle = band.kind === "crash" ? hatched(pen, colours.hatch) : colour;
      pen.globalAlpha = band.kind === "crash" ? 0.8 : 0.12;
      pen.fillRect(x, place.y - place.height / 2 + inset, width, place.height - 2 * inset);
      pen.globalAlpha = 1;
    }
  }
}

/** The bars of the nodes. */
function drawLives(pen) {
  const { data } = view;
  diagram.labels = [];
  data.lives.forEach((life, node) => {
    const place = diagram.lanes[node];
    if (!place) return;
    pen.fillStyle = colours.line;
    pen.fillRect(diagram.gutter, place.y - 0.5, diagram.width, 1);
    let index = Math.max(lifeAt(life, rowAt(data, view.from)), 0);
    while (index < life.row.length) {
      let next = index + 1;
      const same = (at) => life.stand[at] === life.stand[index] && life.term[at] === life.term[index] && life.paused[at] === life.paused[index];
      while (next < life.row.length && same(next)) next++;
      const from = data.t[life.row[index]], to = next < life.row.length ? data.t[life.row[next]] : data.end;
      if (from > view.to) break;
      drawStand(pen, place.y, from, to, life, index);
      index = next;
    }
  });
}

function drawStand(pen, y, from, to, life, index) {
  const stand = life.stand[index], term = life.term[index];
  if (stand === STAND.absent || stand === STAND.crashed) return;
  const x = Math.max(xOf(from), diagram.gutter - 4), width = Math.max(xOf(to) - x, 1);
  const half = stand === STAND.leader ? 9 : stand === STAND.follower ? 2.5 : 6;
  pen.globalAlpha = life.paused[index] ? 0.35 : stand === STAND.follower ? 0.75 : 1;
  pen.fillStyle = stand === STAND.candidate || stand === STAND["pre-candidate"] ? hatched(pen, termColour(term), 4) : termColour(term);
  pen.fillRect(x, y - half, width, half * 2);
  if (stand === STAND.candidate || stand === STAND["pre-candidate"]) {
    pen.strokeStyle = termColour(term);
    pen.lineWidth = 1;
    pen.strokeRect(x, y - half, width, half * 2);
  }
  pen.globalAlpha = 1;
  const left = Math.max(x, diagram.gutter);
  diagram.labels.push({ x: left, y, half, room: Math.min(x + width, diagram.width) - left - 8, isLeader: stand === STAND.leader, term,
    text: `${stand === STAND.follower ? "" : `${STANDS[stand]} `}T${term}` });
}

/** What the bars mean, on top of the arrows. */
function drawStandLabels(pen) {
  pen.font = `600 10px ${colours.sans}`;
  pen.lineWidth = 3;
  for (const { x, y, half, room, isLeader, term, text } of diagram.labels) {
    const width = pen.measureText(text).width;
    if (room < width) continue;
    if (isLeader) {
      pen.fillStyle = termColour(term);
      pen.fillRect(x + 1, y - half, width + 7, half * 2);
      pen.fillStyle = colours.page;
      along(pen, text, x + 4, y + 0.5);
    } else {
      pen.strokeStyle = colours.page;
      along(pen, text, x + 4, y - half - 7, "strokeText");
      pen.fillStyle = termColour(term);
      along(pen, text, x + 4, y - half - 7);
    }
  }
  pen.font = `11px ${colours.sans}`;
}

/** Calls back for each message in sight that no filter hides. */
function eachMessage(visit) {
  const { data } = view, list = data.messages;
  const until = (() => { let low = 0, high = list.count; while (low < high) { const m = (low + high) >> 1; if (list.from[m] <= view.to) low = m + 1; else high = m; } return low; })();
  for (let index = 0; index < until; index++) {
    if ((index & 255) === 0 && list.blocks[index >> 8] < view.from) { index += 255; continue; }
    if (list.to[index] < view.from || view.hiddenFamilies.has(list.family[index])) continue;
    const row = list.sent[index], end = list.ended[index];
    if (view.past && !(view.past[row] && (end < 0 || view.past[end]))) continue;
    if (!diagram.lanes[data.lane[row]] || !diagram.lanes[data.peer[row]]) continue;
    visit(index);
  }
}

/** The two ends of a message's line: what is lost at once dies on the way. */
function lineOf(index) {
  const { data } = view, list = data.messages;
  const from = yOf(data.lane[list.sent[index]]), to = yOf(data.peer[list.sent[index]]);
  const x0 = xOf(list.from[index]);
  if (!list.lost[index]) return [x0, from, xOf(list.to[index]), to];
  const atOnce = list.to[index] === list.from[index];
  const share = atOnce ? 0.45 : 0.86;
  const x1 = atOnce ? x0 + Math.min(14, Math.abs(to - from) * 0.2) : x0 + (xOf(list.to[index]) - x0) * share;
  return [x0, from, x1, from + (to - from) * share];
}

function drawMessages(pen) {
  const list = view.data.messages;
  const lines = FAMILIES.map(() => [[], [], []]);
  let total = 0;
  eachMessage((index) => { lines[list.family[index]][list.lost[index] ? 2 : list.reply[index]].push(index); total++; });
  const isSparse = total < 900;
  const strength = total < 300 ? 1 : total < 1200 ? 0.6 : total < 4000 ? 0.36 : total < 15000 ? 0.22 : 0.14;
  const faded = view.isMatch ? 0.25 : 1;
  FAMILIES.forEach((family, number) => lines[number].forEach((some, style) => {
    if (!some.length) return;
    pen.strokeStyle = pen.fillStyle = colours.families[number];
    pen.lineWidth = family.id === "heartbeat" || family.id === "client" ? 0.7 : style === 1 ? 0.9 : 1.3;
    pen.globalAlpha = strength * faded * (style === 1 ? 0.75 : 1);
    pen.setLineDash(style === 2 && isSparse ? [4, 3] : []);
    pen.beginPath();
    for (const index of some) {
      const [x0, y0, x1, y1] = lineOf(index);
      pen.moveTo(x0, y0);
      pen.lineTo(x1, y1);
    }
    pen.stroke();
    pen.setLineDash([]);
    if (isSparse && style < 2) some.forEach((index) => { if (list.ended[index] >= 0) arrowHead(pen, lineOf(index)); });
  }));
  pen.globalAlpha = strength * faded;
  if (total < 6000) drawLosses(pen, lines.flatMap((styles) => styles[2]), isSparse ? 3.5 : 2);
  pen.globalAlpha = 1;
  diagram.messagesShown = total;
}

function arrowHead(pen, [x0, y0, x1, y1]) {
  const angle = Math.atan2(y1 - y0, x1 - x0), back = 7;
  pen.beginPath();
  pen.moveTo(x1, y1);
  pen.lineTo(x1 - back * Math.cos(angle - 0.36), y1 - back * Math.sin(angle - 0.36));
  pen.lineTo(x1 - back * Math.cos(angle + 0.36), y1 - back * Math.sin(angle + 0.36));
  pen.fill();
}

function drawLosses(pen, indexes, size) {
  pen.strokeStyle = colours.fail;
  pen.lineWidth = 1.6;
  pen.beginPath();
  for (const index of indexes) {
    const [, , x, y] = lineOf(index);
    pen.moveTo(x - size, y - size); pen.lineTo(x + size, y + size);
    pen.moveTo(x - size, y + size); pen.lineTo(x + size, y - size);
  }
  pen.stroke();
}

/** Calls back for each event of a node in sight. */
function eachEvent(visit) {
  const { data } = view;
  const last = rowAt(data, view.to);
  for (let row = Math.max(rowAt(data, view.from), 0); row <= last; row++) {
    if (data.lane[row] >= 0 && diagram.lanes[data.lane[row]] && isShown(row)) visit(row);
  }
}

/** Marks of events on the lanes: what changed a node, and what a search found. */
function drawTicks(pen) {
  const { data } = view;
  const inSight = rowAt(data, view.to) - rowAt(data, view.from);
  const found = [];
  eachEvent((row) => {
    const kind = data.names[data.kind[row]], x = xOf(data.t[row]), y = yOf(data.lane[row]);
    if (view.isMatch?.[row]) found.push([x, y]);
    if (data.lane[row] >= data.nodes) return;
    if (kind === "violation") drawViolation(pen, x, y);
    else if (inSight < 4000) drawMark(pen, kind, x, y);
  });
  pen.strokeStyle = colours.accent;
  pen.lineWidth = 2;
  for (const [x, y] of found.slice(0, 5000)) { pen.beginPath(); pen.arc(x, y, 6, 0, 7); pen.stroke(); }
}

function drawMark(pen, kind, x, y) {
  pen.fillStyle = colours.ink;
  if (kind === "vote") { pen.beginPath(); pen.moveTo(x, y - 5); pen.lineTo(x + 4, y); pen.lineTo(x, y + 5); pen.lineTo(x - 4, y); pen.fill(); }
  else if (kind === "commit") { pen.beginPath(); pen.moveTo(x, y + 3); pen.lineTo(x + 3.5, y + 9); pen.lineTo(x - 3.5, y + 9); pen.fill(); }
  else if (kind === "append") pen.fillRect(x - 1, y - 9, 2, 5);
  else if (kind === "truncate") { pen.fillStyle = colours.fail; pen.fillRect(x - 1, y - 11, 2, 9); pen.fillRect(x - 4, y - 11, 8, 2); }
  else if (kind === "snapshot" || kind === "install") pen.strokeRect(x - 4, y - 4, 8, 8);
  else if (kind === "crash") { pen.fillStyle = colours.fail; pen.fillRect(x - 1, y - 14, 2, 28); }
  else if (kind === "restart") { pen.fillStyle = colours.pass; pen.fillRect(x - 1, y - 14, 2, 28); }
}

function drawViolation(pen, x, y) {
  pen.fillStyle = colours.fail;
  pen.globalAlpha = 0.25;
  pen.beginPath(); pen.arc(x, y, 17, 0, 7); pen.fill();
  pen.globalAlpha = 1;
  pen.beginPath(); pen.arc(x, y, 8, 0, 7); pen.fill();
  pen.fillStyle = colours.page;
  upright(pen, x, y, () => { pen.fillRect(-1.2, -5, 2.4, 6); pen.fillRect(-1.2, 2.4, 2.4, 2.4); });
}

/** Why the selected event happened: one thick line through its causes. */
function drawChain(pen) {
  const { data, selected } = view;
  if (selected < 0) return;
  const chain = chainOf(data, selected, 400).filter((row) => diagram.lanes[data.lane[row]]);
  pen.strokeStyle = colours.select;
  pen.lineWidth = 2.2;
  pen.globalAlpha = 0.75;
  pen.lineJoin = "round";
  pen.beginPath();
  chain.forEach((row, index) => (index ? pen.lineTo : pen.moveTo).call(pen, xOf(data.t[row]), yOf(data.lane[row])));
  pen.stroke();
  pen.globalAlpha = 1;
  if (chain[0] !== selected) return;
  const x = xOf(data.t[selected]), y = yOf(data.lane[selected]);
  // For whoever tests: where on the canvas it lies.
  byId("diagram-canvas").dataset.selected = (view.down ? [y, x] : [x, y]).map(Math.round).join(" ");
  pen.lineWidth = 2;
  pen.fillStyle = colours.page;
  pen.beginPath(); pen.arc(x, y, kindIs(data, selected, "violation") ? 12 : 6, 0, 7);
  if (!kindIs(data, selected, "violation")) pen.fill();
  pen.stroke();
}

function drawCursor(pen) {
  const x = Math.round(xOf(view.cursor)) + 0.5;
  pen.strokeStyle = colours.select;
  pen.globalAlpha = 0.55;
  pen.lineWidth = 1;
  pen.setLineDash([3, 3]);
  pen.beginPath(); pen.moveTo(x, diagram.axis - 6); pen.lineTo(x, diagram.height); pen.stroke();
  pen.setLineDash([]);
  pen.globalAlpha = 1;
}

/** Of two traces, where they part: up to there both are the same. */
function drawParting(pen) {
  const { compared } = view.data;
  if (!compared) return;
  pen.fillStyle = colours.line;
  if (diagram.gap) pen.fillRect(diagram.gutter, diagram.gap, diagram.width, 1.5);
  if (!compared.differs) return;
  const x = Math.round(xOf(compared.parts));
  pen.globalAlpha = 0.06;
  pen.fillStyle = colours.ink;
  pen.fillRect(diagram.gutter, diagram.axis, x - diagram.gutter, diagram.height);
  pen.globalAlpha = 1;
  pen.fillStyle = colours.fail;
  pen.fillRect(x - 1, diagram.axis - 6, 2, diagram.height);
  pen.font = `600 11px ${colours.sans}`;
  const label = "they part";
  along(pen, label, x + 5 + pen.measureText(label).width > diagram.width ? x - 5 - pen.measureText(label).width : x + 5, diagram.axis + 8);
  pen.font = `11px ${colours.sans}`;
}

/** Names at the beginning of the lanes, with what each node is at the cursor. */
function drawGutter(pen) {
  const { data } = view;
  pen.fillStyle = colours.page;
  pen.fillRect(0, 0, diagram.gutter, diagram.height);
  pen.fillStyle = colours.line;
  pen.fillRect(diagram.gutter - 1, diagram.axis, 1, diagram.height);
  // At the left a name stands above what its node is; at the top, in the middle of the lane.
  const name = (text, y, shift) => {
    if (view.down) upright(pen, diagram.gutter / 2 + shift, y, () => pen.fillText(text, 0, 0));
    else pen.fillText(text, diagram.gutter - 9, y + shift);
  };
  pen.textAlign = view.down ? "center" : "right";
  pen.fillStyle = colours.dim;
  if (diagram.tracks && !view.down) name("faults", diagram.axis + FAULT_ROW / 2, 0);
  diagram.lanes.forEach((place, lane) => {
    const life = data.lives[lane];
    pen.font = `600 12px ${colours.mono}`;
    pen.fillStyle = colours.ink;
    name(data.lanes[lane], place.y, life ? -6 : 0);
    if (!life) return;
    const at = lifeAt(life, rowAtCursor());
    pen.font = `10px ${colours.sans}`;
    pen.fillStyle = colours.dim;
    name(at < 0 ? "–" : life.paused[at] ? "paused" : STANDS[life.stand[at]], place.y, 8);
  });
  pen.textAlign = "left";
}

/** The last event that has happened at the cursor: the selected one, if the cursor is at its time. */
function rowAtCursor() {
  const { data, selected, cursor } = view;
  return selected >= 0 && data.t[selected] === cursor ? selected : rowAt(data, cursor);
}
