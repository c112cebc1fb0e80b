// Colours, taken from the style sheet so that light, dark and paper are told apart in one place; and how a canvas is sized.

const colours = {};

function readColours() {
  const style = getComputedStyle(document.documentElement);
  const get = (name) => style.getPropertyValue(`--${name}`).trim();
  for (const name of ["page", "panel", "line", "ink", "dim", "faint", "accent", "fail", "pass", "band", "cut", "hatch", "select"]) colours[name] = get(name);
  colours.terms = Array.from({ length: 8 }, (_, term) => get(`term${term}`));
  colours.families = FAMILIES.map((family) => get(`m-${family.id}`));
  colours.sans = get("sans");
  colours.mono = get("mono");
  colours.patterns = {};
}

const termColour = (term) => colours.terms[term % colours.terms.length];

/** A pattern of slanted lines: what is not there. */
function hatched(context, colour, gap = 7) {
  const key = `${colour}/${gap}`;
  if (!colours.patterns[key]) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = gap * 2;
    const pen = tile.getContext("2d");
    pen.strokeStyle = colour;
    pen.lineWidth = 1.4;
    pen.beginPath();
    for (const shift of [-gap * 2, 0, gap * 2]) { pen.moveTo(shift, gap * 2); pen.lineTo(shift + gap * 2, 0); }
    pen.stroke();
    colours.patterns[key] = context.createPattern(tile, "repeat");
    colours.patterns[key].setTransform(new DOMMatrix().scale(1 / pixelRatio()));
  }
  return colours.patterns[key];
}

const pixelRatio = () => Math.min(window.devicePixelRatio || 1, 2.5);

/** Sizes a canvas to so many CSS pixels and gives its context, cleared. */
function canvasOf(canvas, width, height) {
  const ratio = pixelRatio();
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/** A text cut to a width. */
function fitted(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  let low = 0, high = Math.min(text.length, 400);
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (context.measureText(`${text.slice(0, middle)}…`).width <= width) low = middle; else high = middle - 1;
  }
  return low > 0 ? `${text.slice(0, low)}…` : "";
}
