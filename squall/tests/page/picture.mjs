// The picture in README: `make picture`, which shrinks a failure of a planted bug anew and shows its page, near its end.
//
// usage: node picture.mjs PAGE FOLDER PNG     (CHROMIUM: the browser, /usr/bin/chromium if not set)

import { createRequire } from "node:module";
import { resolve } from "node:path";

const [html, folder, png] = process.argv.slice(2).map((path) => resolve(path));
const { chromium } = createRequire(`${folder}/package.json`)("playwright-core");
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: "light" })).newPage();
await page.goto(`file://${html}`);
await page.waitForFunction(() => document.documentElement.dataset.ready);
for (let zoom = 0; zoom < 3; zoom++) await page.keyboard.press("+");
await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
await page.screenshot({ path: png });
await browser.close();
console.log(png);
