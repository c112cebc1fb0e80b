// Puts the page together.

function drawFamilyChips() {
  const place = byId("families");
  if (!place.childElementCount) {
    FAMILIES.forEach((family, index) => {
      if (!view.data.messages.tally[index]) return;
      const swatch = element("canvas");
      const chip = element("button", "chip", null, swatch, family.name);
      chip.type = "button";
      chip.dataset.family = family.id;
      chip.title = `${view.data.messages.tally[index].toLocaleString("en")} messages: ${family.types.join(", ") || family.name}`;
      chip.addEventListener("click", () => toggleFamily(family.id));
      place.append(chip);
    });
  }
  for (const chip of place.children) {
    const index = FAMILY[chip.dataset.family];
    chip.setAttribute("aria-pressed", String(!view.hiddenFamilies.has(index)));
    const pen = canvasOf(chip.firstChild, 18, 8);
    pen.strokeStyle = pen.fillStyle = colours.families[index];
    pen.lineWidth = chip.dataset.family === "heartbeat" || chip.dataset.family === "client" ? 1 : 2;
    pen.beginPath(); pen.moveTo(0, 4); pen.lineTo(13, 4); pen.stroke();
    pen.beginPath(); pen.moveTo(18, 4); pen.lineTo(11, 1); pen.lineTo(11, 7); pen.fill();
  }
}

function drawLaneChips() {
  const place = byId("lanes");
  const { data } = view;
  if (!place.childElementCount) {
    const clients = data.lanes.map((_, lane) => lane).filter((lane) => lane >= data.nodes);
    if (clients.length) place.append(clientsChip(clients));
    data.lanes.slice(0, Math.min(data.nodes, 40)).reverse().forEach((name, reversed, shown) => {
      const lane = shown.length - 1 - reversed;
      const chip = element("button", "chip", name);
      chip.type = "button";
      chip.dataset.lane = String(lane);
      chip.title = `Show or hide ${name}; double click: this one alone`;
      chip.addEventListener("click", () => { if (!view.hiddenLanes.delete(lane)) view.hiddenLanes.add(lane); saveLink(); changed(); });
      chip.addEventListener("dblclick", () => {
        const isNode = lane < data.nodes;
        view.hiddenLanes = new Set(data.lanes.keys().filter((other) => other !== lane && (other < data.nodes) === isNode));
        saveLink();
        changed();
      });
      place.prepend(chip);
    });
  }
  for (const chip of place.children) chip.setAttribute("aria-pressed", String(!view.hiddenLanes.has(Number(chip.dataset.lane))));
}

/** All clients' lanes are switched together. */
function clientsChip(clients) {
  const chip = element("button", "chip", "clients");
  chip.type = "button";
  chip.dataset.lane = String(clients[0]);
  chip.title = "Show or hide the lanes of clients";
  chip.addEventListener("click", () => {
    const hide = !view.hiddenLanes.has(clients[0]);
    for (const lane of clients) view.hiddenLanes[hide ? "add" : "delete"](lane);
    saveLink();
    changed();
  });
  return chip;
}

function drawToolbar() {
  drawFamilyChips();
  drawLaneChips();
  for (const cone of ["past", "future"]) {
    byId(cone).setAttribute("aria-pressed", String(view.cone === cone));
    byId(cone).disabled = view.selected < 0;
  }
  byId("down").setAttribute("aria-pressed", String(view.down));
  const { matches, query, selected } = view;
  const place = matches.indexOf(selected);
  byId("matches").textContent = !query ? "" : matches.length === 0 ? "nothing found" : place >= 0 ? `${(place + 1).toLocaleString("en")} of ${matches.length.toLocaleString("en")}` : `${matches.length.toLocaleString("en")} found`;
}

async function copy(text, button) {
  const said = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "copied";
  } catch {
    button.textContent = "not allowed: select it";
  }
  setTimeout(() => { button.textContent = said; }, 1200);
}

function fillHelp() {
  const table = element("table");
  for (const [keys, what] of HELP) {
    const cell = element("td");
    for (const key of keys.split(" ")) cell.append(key === "…" ? " … " : element("kbd", "", key), " ");
    table.append(element("tr", "", null, cell, element("td", "", what)));
  }
  const marks = "Marks on a lane: ▏above append, ▲ below commit, ◆ vote, ┬ truncation, □ snapshot, red bar crash, green bar restart. " +
    "Diamonds on clients' bars are linearization points; hover a bar for the order that leads to it.";
  const close = element("button", "", "close");
  close.type = "button";
  close.addEventListener("click", () => byId("help").close());
  byId("help").append(element("h2", "", "Keys"), table, element("p", "hint", marks), close);
}

function watchButtons() {
  const on = (id, act) => byId(id).addEventListener("click", act);
  on("copy-replay", () => copy(head.replay, byId("copy-replay")));
  on("copy-link", () => copy(location.href.split("#")[0] + linkNow(), byId("copy-link")));
  on("help-open", () => byId("help").showModal());
  on("zoom-in", () => zoom(0.6));
  on("zoom-out", () => zoom(1 / 0.6));
  on("zoom-all", () => setWindow(0, view.data.end));
  on("to-failure", toFailure);
  on("down", () => setDown(!view.down));
  on("past", () => toggleCone("past"));
  on("future", () => toggleCone("future"));
  on("matrix-back", () => { view.logShift += 20; changed(); });
  on("matrix-on", () => { view.logShift -= 20; changed(); });
}

/** On paper the page is light, whatever the screen is. */
function watchSurroundings() {
  const themed = () => { readColours(); byId("matrix-key").replaceChildren(); fillMatrixKey(); drawAll(); };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", themed);
  addEventListener("beforeprint", () => { document.documentElement.dataset.theme = "light"; themed(); });
  addEventListener("afterprint", () => { delete document.documentElement.dataset.theme; themed(); });
  addEventListener("resize", changed);
  addEventListener("hashchange", () => { if (location.hash !== linkNow()) loadLink(); });
}

async function main() {
  view.data = decode(await unpacked());
  readColours();
  fillHead();
  fillMatrixKey();
  fillHelp();
  if (view.data.focus < 0) byId("to-failure").hidden = true;
  listeners.push(drawOverview, drawDiagram, drawToolbar, drawInspector, drawMatrix);
  loadLink();
  watchOverview();
  watchDiagram();
  watchKeys();
  watchButtons();
  watchSurroundings();
  drawAll();
  document.documentElement.dataset.ready = "yes";
}

main().catch((error) => {
  byId("message").textContent = `This page could not be drawn: ${error.message}`;
  throw error;
});
