// The whole run in one strip: who led in which term, which faults lasted how long, where it failed. Dragging moves the window.

const OVERVIEW_ROWS = ["leader", "cut", "crash", "pause", "clock, net"];
const overview = { width: 0, height: 78, rows: OVERVIEW_ROWS, drag: null };

const overviewX = (time) => GUTTER + (time / Math.max(view.data.end, 1)) * (overview.width - GUTTER - 8);
const overviewTime = (x) => ((x - GUTTER) / (overview.width - GUTTER - 8)) * view.data.end;

function drawOverview() {
  const canvas = byId("overview-canvas");
  if (view.data.compared) { overview.rows = ["leader", "leader ′", ...OVERVIEW_ROWS.slice(1)]; overview.height = 91; }
  overview.width = byId("overview").clientWidth;
  const pen = canvasOf(canvas, overview.width, overview.height);
  pen.textBaseline = "middle";
  pen.font = `10px ${colours.sans}`;
  const top = 6, row = 12.5;
  pen.textAlign = "right";
  pen.fillStyle = colours.dim;
  overview.rows.forEach((name, index) => pen.fillText(name, GUTTER - 9, top + index * row + 6));
  pen.textAlign = "left";
  pen.fillStyle = colours.faint;
  overview.rows.forEach((_, index) => pen.fillRect(GUTTER, top + index * row + 1, overview.width - GUTTER - 8, row - 3));
  drawLeaders(pen, top, row);
  drawOverviewBands(pen, top, row);
  drawFailure(pen);
  drawWindow(pen);
}

function drawLeaders(pen, top, row) {
  for (const { node, term, from, to } of view.data.leaders) {
    const x = overviewX(from), width = Math.max(overviewX(to) - x, 1.5);
    const y = top + (view.data.compared && node >= view.data.compared.nodes ? row : 0);
    pen.fillStyle = termColour(term);
    pen.fillRect(x, y + 1, width, row - 3);
    const label = `${view.data.lanes[node]} T${term}`;
    if (width > pen.measureText(label).width + 6) {
      pen.fillStyle = colours.page;
      pen.fillText(label, x + 3, y + row / 2);
    }
  }
}

function drawOverviewBands(pen, top, row) {
  const faults = overview.rows.indexOf("cut");
  const rows = { cut: faults, crash: faults + 1, pause: faults + 2 };
  for (const band of view.data.bands) {
    const line = rows[band.kind] ?? faults + 3;
    const x = overviewX(band.from);
    pen.globalAlpha = band.to > band.from ? 0.6 : 1;
    pen.fillStyle = colours[BAND_COLOUR[band.kind] || "cut"];
    pen.fillRect(x, top + line * row + 1, Math.max(overviewX(band.to) - x, 1.5), row - 3);
  }
  pen.globalAlpha = 1;
}

function drawFailure(pen) {
  const { data } = view;
  if (data.focus < 0 || data.passed) return;
  const x = overviewX(data.t[data.focus]);
  pen.fillStyle = colours.fail;
  pen.fillRect(x - 1, 3, 2, overview.height - 8);
  pen.beginPath(); pen.moveTo(x - 6, 0); pen.lineTo(x + 6, 0); pen.lineTo(x, 8); pen.fill();
}

function drawWindow(pen) {
  const from = Math.max(overviewX(view.from), GUTTER), to = Math.min(Math.max(overviewX(view.to), from + 4), overview.width - 6);
  pen.fillStyle = colours.panel;
  pen.globalAlpha = 0.35;
  pen.fillRect(GUTTER, 2, from - GUTTER, overview.height - 6);
  pen.fillRect(to, 2, overview.width - 8 - to, overview.height - 6);
  pen.globalAlpha = 1;
  pen.strokeStyle = colours.select;
  pen.lineWidth = 1.5;
  pen.strokeRect(from, 2.5, to - from, overview.height - 6);
  pen.fillStyle = colours.select;
  for (const x of [from, to]) pen.fillRect(x - 2, overview.height / 2 - 9, 4, 18);
}

function watchOverview() {
  const canvas = byId("overview-canvas");
  const at = (event) => event.clientX - canvas.getBoundingClientRect().left;
  canvas.addEventListener("pointerdown", (event) => {
    const x = at(event), from = overviewX(view.from), to = overviewX(view.to);
    const edge = Math.abs(x - from) < 7 ? "from" : Math.abs(x - to) < 7 ? "to" : null;
    const inside = x > from && x < to;
    if (!edge && !inside) {
      const half = (view.to - view.from) / 2, centre = overviewTime(x);
      setWindow(centre - half, centre + half);
    }
    overview.drag = { edge: to - from < 12 ? null : edge, x, from: view.from, to: view.to };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const { drag } = overview;
    if (!drag) return;
    const by = overviewTime(at(event)) - overviewTime(drag.x);
    if (drag.edge === "from") setWindow(Math.min(drag.from + by, drag.to - 1000), drag.to);
    else if (drag.edge === "to") setWindow(drag.from, Math.max(drag.to + by, drag.from + 1000));
    else setWindow(drag.from + by, drag.to + by);
  });
  const release = () => { overview.drag = null; };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("wheel", (event) => { event.preventDefault(); zoom(event.deltaY > 0 ? 1.25 : 0.8, (view.from + view.to) / 2); }, { passive: false });
}
