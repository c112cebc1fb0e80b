// The lanes of clients: a bar from call to return for each operation, and where it took effect.
// Red: the first operation that cannot be placed; ringed: what is impossible together with it.

const PART = { stuck: 1, core: 2, context: 3 };

function operationsInSight() {
  return view.data.operations.filter((operation) => {
    const until = operation.to ?? view.data.end;
    return diagram.lanes[operation.lane] && until >= view.from && operation.from <= view.to;
  });
}

/** What a bar says. */
function operationText({ asked, answer, outcome }) {
  return outcome === 0 && answer && answer !== "done" ? `${asked} = ${answer}` : asked;
}

function drawOperations(pen) {
  const list = operationsInSight();
  const hovered = view.hovered?.operation;
  pen.font = `10px ${colours.mono}`;
  for (const operation of list) drawOperation(pen, operation, hovered);
  if (list.length < 600) for (const operation of list) drawPoint(pen, operation, hovered);
  pen.font = `11px ${colours.sans}`;
}

/** Whether an operation belongs to the longest order that leads to the one under the mouse. */
const leadsTo = (operation, hovered) => hovered && operation.key === hovered.key && operation.number > 0 && operation.number <= hovered.number;

function drawOperation(pen, operation, hovered) {
  const { y } = diagram.lanes[operation.lane];
  const x = xOf(operation.from), end = xOf(operation.to ?? view.data.end), width = Math.max(end - x, 2);
  const half = CLIENT_LANE / 2 - 4;
  const isBad = operation.part === PART.stuck, isCore = operation.part === PART.core;
  pen.fillStyle = isBad ? colours.fail : operation.outcome === 0 ? colours.families[FAMILY.client] : colours.hatch;
  pen.globalAlpha = isBad ? 0.9 : hovered && !leadsTo(operation, hovered) ? 0.12 : operation.outcome === 0 ? 0.3 : 0.22;
  pen.fillRect(x, y - half, width, half * 2);
  pen.globalAlpha = 1;
  if (operation.outcome !== 0) {
    pen.strokeStyle = colours.hatch;
    pen.setLineDash([3, 2]);
    pen.strokeRect(x, y - half, width, half * 2);
    pen.setLineDash([]);
  }
  if (isBad || isCore || operation.part === PART.context) {
    pen.strokeStyle = colours.fail;
    pen.lineWidth = operation.part === PART.context ? 1 : 2;
    pen.strokeRect(x, y - half, width, half * 2);
    pen.lineWidth = 1;
  }
  const left = Math.max(x, diagram.gutter) + 4, room = Math.min(end, diagram.width) - left - 4;
  if (room > 22) {
    pen.fillStyle = isBad ? colours.page : colours.ink;
    along(pen, fitted(pen, operationText(operation) + (operation.outcome === 1 ? " ?" : ""), room), left, y + 0.5);
  }
}

/** A linearization point: a diamond on the upper edge of the bar, with its number where there is room. */
function drawPoint(pen, operation, hovered) {
  if (!operation.number || (hovered && !leadsTo(operation, hovered))) return;
  const { y } = diagram.lanes[operation.lane];
  const x = xOf(operation.point), top = y - CLIENT_LANE / 2 + 4;
  if (x < diagram.gutter - 4 || x > diagram.width) return;
  pen.fillStyle = colours.accent;
  pen.beginPath();
  pen.moveTo(x, top - 4); pen.lineTo(x + 4, top); pen.lineTo(x, top + 4); pen.lineTo(x - 4, top);
  pen.fill();
  if (hovered) { pen.fillStyle = colours.ink; along(pen, String(operation.number), x + 6, top - 1); }
}

function operationAt(x, y) {
  return operationsInSight().find((operation) => {
    const place = diagram.lanes[operation.lane];
    const end = xOf(operation.to ?? view.data.end);
    return Math.abs(place.y - y) <= CLIENT_LANE / 2 - 2 && x >= xOf(operation.from) - 2 && x <= Math.max(end, xOf(operation.from) + 3);
  });
}
