// The page of `squall view` in a real browser: `make test-page`, which installs what this needs.
//
// usage: node test.mjs SQUALL FOLDER     (CHROMIUM: the browser, /usr/bin/chromium if not set)

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createWriteStream } from "node:fs";
import { once } from "node:events";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [squall, folder] = process.argv.slice(2).map((path) => resolve(path));
const { chromium } = createRequire(`${folder}/package.json`)("playwright-core");
const EVIL = `</script><script>window.hurt=1</script><img src=x onerror="window.hurt=1">`;

/** Writes a trace of five nodes with so many messages, all between two elections, and a violation at its end. */
async function writeTrace(path, messages, text = "calm") {
  const out = createWriteStream(path);
  const header = { schema: "squall-trace/2", tool: text, scenario: text, seed: "0x0000000000000001", nodes: 5, clients: 1, clock: "ns", rng: text, run: { name: text, toml: text, set: [], bug: null } };
  out.write(`${JSON.stringify(header)}\n`);
  let seq = 0, events = 0;
  const line = (event) => { events++; return out.write(`${JSON.stringify(event)}\n`); };
  const time = (index) => 1e6 + index * 100_000;
  for (let node = 0; node < 5; node++) line({ seq: ++seq, t: 0, node, kind: "boot" });
  line({ seq: ++seq, t: 10, node: 0, kind: "role", role: "leader", term: 1 });
  line({ seq: ++seq, t: 500_000, kind: "cut", id: 1, from: ["n1"], to: ["n0", "n2"], note: text });
  line({ seq: ++seq, t: 600_000, client: 0, kind: "invoke", process: 0, operation: { op: "write", key: 0, value: text } });
  const waiting = [];
  for (let index = 0; index < messages; index++) {
    const from = index % 5, to = (index * 7 + 1) % 5 === from ? (from + 1) % 5 : (index * 7 + 1) % 5;
    while (waiting.length && waiting[0].t <= time(index)) line({ seq: ++seq, ...waiting.shift() });
    const ends = { from: `n${from}`, to: `n${to}`, type: text === EVIL && index % 2 ? EVIL : "append-entries" };
    const body = { term: 1, body: { kind: "append-entries", commit: index, prev: { index, term: 1 }, entries: [], note: index === 50 ? text : "" } };
    line({ seq: ++seq, t: time(index), node: from, kind: "send", ...ends, message: body });
    waiting.push({ t: time(index) + 350_000, node: to, kind: index % 97 ? "deliver" : "drop", cause: seq, ...ends, message: body, ...(index % 97 ? {} : { reason: text }) });
    if (index % 1000 === 0) await new Promise(setImmediate);
  }
  for (const end of waiting) line({ seq: ++seq, ...end });
  const end = time(messages) + 1e6;
  line({ seq: seq + 1, t: end, node: 0, kind: "role", role: "leader", term: 2, cause: seq });
  line({ seq: seq + 2, t: end, node: 0, kind: "violation", property: text, message: `broken: ${text}` });
  out.end(`${JSON.stringify({ verdict: `broken/${text}`, digest: text, events, end, counts: { [text]: 1 } })}\n`);
  await once(out, "finish");
  return { violation: seq + 2, cause: seq + 1 };
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
const page = await context.newPage();
const complaints = [];
page.on("console", (message) => { if (["error", "warning"].includes(message.type())) complaints.push(message.text()); });
page.on("pageerror", (error) => complaints.push(String(error)));
page.on("dialog", (dialog) => { complaints.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
page.on("request", (request) => { if (!/^(file|data):/.test(request.url())) complaints.push(`asked for ${request.url()}`); });

const heading = () => page.locator("#inspector h2").textContent();
const where = () => page.locator("#inspector .where").textContent();
const drawn = () => page.evaluate(() => Number(document.documentElement.dataset.drawn));
async function open(html, hash = "") {
  await page.goto("about:blank");
  await page.goto(`file://${html}${hash}`);
  await page.waitForFunction(() => document.documentElement.dataset.ready);
}
async function press(...keys) {
  for (const key of keys) await page.keyboard.press(key);
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}
const steps = [];
async function test(name, body) {
  await body();
  assert.deepEqual(complaints, [], name);
  steps.push(name);
  console.log(`ok  ${name}`);
}

const [large, evil, other] = [`${folder}/large`, `${folder}/evil`, `${folder}/other`];
const seqs = await writeTrace(`${large}.jsonl`, 100_000);
await writeTrace(`${evil}.jsonl`, 200, EVIL);
await writeTrace(`${other}.jsonl`, 300, EVIL);
for (const name of [large, evil]) console.log(execFileSync(squall, ["view", `${name}.jsonl`]).toString().trim());

await test("opens at the failure with nothing on the console", async () => {
  await open(`${large}.html`);
  assert.equal(await page.locator("#badge").textContent(), "FAIL");
  assert.equal(await heading(), "violation");
  assert.match(await where(), new RegExp(`#${seqs.violation} `));
});
await test("100,000 messages are drawn in less than a second", async () => {
  await press("0");
  assert.match(await page.locator('[data-family="append"]').getAttribute("title"), /^100,000 messages/);
  const whole = await drawn();
  await press("+");
  console.log(`    all of them ${whole} ms, zoomed in ${await drawn()} ms`);
  assert.ok(whole > 0 && whole < 1000, `${whole} ms`);
});
await test("keys: cause, faults, steps, zoom, failure, past", async () => {
  await press("f", "w");
  assert.equal(await heading(), "role", "w goes to the cause");
  await press("]");
  assert.equal(await heading(), "violation", "] goes on to the effect");
  await press("N");
  assert.equal(await heading(), "cut", "N goes to the fault before");
  await press("ArrowRight");
  assert.notEqual(await heading(), "cut", "an arrow goes on");
  await press("f", "p");
  assert.equal(await page.locator("#past").getAttribute("aria-pressed"), "true");
  await press("o");
  assert.equal(await page.locator("#past").getAttribute("aria-pressed"), "false", "one or the other");
  assert.equal(await page.locator("#future").getAttribute("aria-pressed"), "true");
  await page.waitForFunction(() => location.hash.endsWith("f=future"));
  await press("o", "Escape");
  assert.equal(await page.locator("#future").isDisabled(), true, "of no event there is no future");
  assert.equal(await heading(), "No event selected");
  await press("2");
  assert.match(await where(), / n1 /);
  await press("?");
  assert.equal(await page.locator("#help").evaluate((dialog) => dialog.open), true);
  await press("Escape");
});
await test("time runs down at a key, the mouse finds what it shows, and a link remembers it", async () => {
  await open(`${large}.html`, "#e=5000&w=249000000-253000000");
  const canvas = page.locator("#diagram-canvas");
  const placeOf = async () => {
    const [box, at] = [await canvas.boundingBox(), (await canvas.getAttribute("data-selected")).split(" ").map(Number)];
    return [box.x + at[0], box.y + at[1]];
  };
  const right = await placeOf();
  await press("t");
  assert.equal(await page.locator("#down").getAttribute("aria-pressed"), "true");
  const down = await placeOf();
  assert.ok(Math.hypot(down[0] - right[0], down[1] - right[1]) > 20, "the picture is another");
  await press("Escape");
  await page.mouse.click(...down);
  assert.match(await where(), /#5000 /, "the event lies where it is drawn");
  await press("ArrowDown");
  assert.doesNotMatch(await where(), /#5000 /, "down is onwards");
  await press("ArrowUp");
  assert.match(await where(), /#5000 /);
  await page.waitForFunction(() => location.hash.endsWith("&d=down"));
  const link = await page.evaluate(() => location.hash);
  await press("t");
  await page.waitForFunction(() => !location.hash.includes("d=down"));
  await page.mouse.click(...right);
  assert.match(await where(), /#5000 /, "as before");
  await open(`${large}.html`, link);
  assert.equal(await page.locator("#down").getAttribute("aria-pressed"), "true");
  await page.screenshot({ path: `${folder}/down.png` });
});
await test("search finds by word and by field", async () => {
  await press("/");
  await page.keyboard.type("kind:role term:2");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.getElementById("matches").textContent === "1 of 1");
  assert.match(await where(), new RegExp(`#${seqs.cause} `));
  await page.locator("#search").fill("no such thing");
  await page.waitForFunction(() => document.getElementById("matches").textContent === "nothing found");
  await page.locator("#search").fill("");
  await press("Escape");
});
await test("a link brings back event, window, filters and search", async () => {
  await open(`${large}.html`, "#e=5000&w=200000000-260000000&f=-append,-n3&q=kind%3Adrop");
  assert.match(await where(), /#5000 /);
  assert.equal(await page.locator('[data-family="append"]').getAttribute("aria-pressed"), "false");
  assert.equal(await page.locator("#lanes >> text=n3").getAttribute("aria-pressed"), "false");
  assert.equal(await page.locator("#search").inputValue(), "kind:drop");
  await press("d", "a");
  await page.waitForFunction(() => location.hash === "#e=5000&w=200000000-260000000&f=-append,-n3&q=kind%3Adrop");
  await open(`${large}.html`, `#e=${encodeURIComponent(EVIL)}&w=x&f=,,-&q=%E0%A4%A`);
  assert.equal(await heading(), "violation", "a damaged link opens the page as no link does");
});
await test("a hostile trace stays text", async () => {
  await open(`${evil}.html`);
  assert.equal(await page.evaluate(() => document.scripts.length), 3);
  assert.equal(await page.locator("img").count(), 0);
  assert.ok((await page.locator("#message").textContent()).includes(EVIL));
  await press("0", "n", "w", "Escape");
  await page.mouse.move(500, 400);
  await press("/");
  await page.keyboard.type(EVIL.slice(0, 20));
  await page.keyboard.press("Enter");
  await press("Escape");
  assert.equal(await page.evaluate(() => window.hurt), undefined);
  assert.equal(await page.locator("img").count(), 0);
});
await test("two traces stand beside each other from where they part on", async () => {
  const compared = `${folder}/compared`;
  execFileSync(squall, ["view", `${evil}.jsonl`, "--compare", `${other}.jsonl`, "-o", `${compared}.html`]);
  await open(`${compared}.html`);
  assert.equal(await page.locator("#badge").textContent(), "DIFFERENT");
  assert.match(await page.locator("#message").textContent(), /equal events, then they part at .* with event #\d+/);
  const parted = /#(\d+)/.exec(await page.locator("#message").textContent())[1];
  assert.match(await where(), new RegExp(`#${parted} `), "it opens where they part");
  assert.deepEqual(await page.locator("#lanes .chip").allTextContents(), ["n0", "n1", "n2", "n3", "n4", "n0′", "n1′", "n2′", "n3′", "n4′", "clients"]);
  await open(`${compared}.html`, `#e=${encodeURIComponent("9′")}&w=0-10000000`);
  assert.match(await where(), /^#9′  ·  n0′/, "a link names the trace of its event");
  await page.waitForFunction(() => location.hash.startsWith("#e=9%E2%80%B2&"));
  await open(`${compared}.html`, "#e=9&w=0-10000000");
  assert.match(await where(), /^#9  ·  n0 /);
  assert.match(await page.locator('[data-family="append"]').getAttribute("title"), /^250 messages/, "those of both, under one name");
  assert.equal(await page.evaluate(() => window.hurt), undefined);
  await page.screenshot({ path: `${folder}/compared.png` });
});
await test("prints on one sheet, in light colours", async () => {
  await page.emulateMedia({ colorScheme: "dark" });
  await open(`${large}.html`);
  const pdf = (await page.pdf({ landscape: true, printBackground: true })).toString("latin1");
  assert.equal((pdf.match(/\/Type\s*\/Page\b/g) || []).length, 1);
});
await page.emulateMedia({ colorScheme: "light" });
await open(`${large}.html`);
await page.screenshot({ path: `${folder}/page.png` });
await browser.close();
console.log(`${steps.length} passed; ${folder}/page.png is worth a look`);
