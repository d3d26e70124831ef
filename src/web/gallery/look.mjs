// Takes a picture of every page of the gallery in each size and theme, and lets axe look for faults.
//
//     cargo run -p plated-web --example gallery -- target/gallery --serve &
//     npm install --prefix target/look playwright-core axe-core
//     NODE_PATH=target/look/node_modules node src/web/gallery/look.mjs target/gallery [PAGE...]
//
// Chromium is the system's own (Debian: chromium). Ends with 1 when axe, the browser's console or the
// page's width finds a fault.
import { createRequire } from "node:module";
import fs from "node:fs";
import path from "node:path";

const require = createRequire(path.join(process.env.NODE_PATH || ".", "x.js"));
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const [folder, ...only] = process.argv.slice(2);
const address = "http://127.0.0.1:8214";
const pages = only.length ? only : fs.readFileSync(path.join(folder, "pages.txt"), "utf8").split("\n");
const sizes = [[1024, 600], [1920, 1080], [390, 844]];
const out = path.join(folder, "shots");
fs.mkdirSync(out, { recursive: true });

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox"] });
let faults = 0;
const fault = (text) => { faults += 1; console.log(text); };
for (const [width, height] of sizes) {
  for (const colorScheme of ["light", "dark"]) {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme, bypassCSP: false, reducedMotion: "reduce" });
    const page = await context.newPage();
    let name = "";
    page.on("console", (message) => {
      // The gallery has no live events.
      if (message.type() === "error" && !/\/events|404/.test(message.text() + message.location().url)) fault(`${name}: console: ${message.text()}`);
    });
    page.on("pageerror", (error) => fault(`${name}: ${error}`));
    for (name of pages) {
      await page.goto(`${address}/${name}`, { waitUntil: "load" });
      await page.evaluate(() => document.fonts.ready);
      const theme = colorScheme === "light" ? "day" : "night";
      await page.screenshot({ path: path.join(out, `${name}-${width}-${theme}.png`), fullPage: width < 500 });
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (over > 0) fault(`${name} at ${width}: ${over} px too wide`);
      // What is in the window of an alert has to fit without scrolling at the size of a patrol car.
      // The policy of the page lets no foreign script in, so axe comes by the browser's own door.
      await page.evaluate(axe);
      const result = await page.evaluate(() => axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
      for (const v of result.violations) {
        fault(`${name} at ${width} by ${theme}: ${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => `${n.target} ${n.any[0]?.message ?? ""}`).join(" | ")}`);
      }
      const small = await page.evaluate(() => [...document.querySelectorAll("a, button, input:not([type=hidden]), select, textarea")]
        .filter((e) => e.checkVisibility({ checkVisibilityCSS: true }) && !e.closest(".sr-only, p, .skip, .choice") && !e.matches(".skip"))
        .map((e) => [e, e.getBoundingClientRect()]).filter(([, r]) => r.width > 0 && (r.height < 43.5 || r.width < 43.5))
        .map(([e, r]) => `${e.tagName} ${e.className} "${e.textContent.trim().slice(0, 20)}" ${Math.round(r.width)}x${Math.round(r.height)}`));
      for (const s of small.slice(0, 4)) fault(`${name} at ${width}: target under 44 px: ${s}`);
    }
    await context.close();
  }
}
await browser.close();
console.log(`${pages.length} pages, ${faults} faults`);
process.exit(faults ? 1 : 0);
