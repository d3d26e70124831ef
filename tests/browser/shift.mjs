// A shift at the page of live reads: each alert is answered as it comes, until standard input ends. Each line of
// standard output is JSON: when an alert could be seen, or how much memory the page has in use.
import { open_window, log_in, scenario } from "./kit.mjs";

const MEMORY_EVERY_MS = 5_000;
const LOOK_EVERY_MS = 100;
// On a busy machine a button takes a while until it holds still.
const ANSWER_WITHIN_MS = 5_000;

let over = false;
process.stdin.on("end", () => (over = true)).resume();
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

await scenario("shift", async () => {
  const page = await open_window();
  await log_in(page, "jdoe");
  const tools = await page.context().newCDPSession(page);
  await tools.send("Performance.enable");
  await page.exposeFunction("seen", (hit, at) => say({ hit, at }));
  // Seen is what was drawn: the second frame after it stands in the page.
  await page.evaluate(() => {
    const known = new Set([...document.querySelectorAll("[data-chip]")].map((part) => part.dataset.chip));
    const look = () => {
      for (const part of document.querySelectorAll("[data-chip]")) {
        const hit = part.dataset.chip;
        if (known.has(hit) || !part.checkVisibility({ checkVisibilityCSS: true })) continue;
        known.add(hit);
        requestAnimationFrame(() => requestAnimationFrame(() => window.seen(hit, Date.now())));
      }
    };
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true, attributes: true });
  });
  say({ watching: Date.now() });
  let measured = 0;
  while (!over) {
    const answer = page.locator(".alert:visible button[value=dismissed]");
    if (await answer.isVisible()) await answer.click({ timeout: ANSWER_WITHIN_MS }).catch(() => {});
    if (Date.now() - measured > MEMORY_EVERY_MS) {
      measured = Date.now();
      await tools.send("HeapProfiler.collectGarbage");
      const { metrics } = await tools.send("Performance.getMetrics");
      const of = (name) => metrics.find((metric) => metric.name === name).value;
      say({ heap: of("JSHeapUsedSize"), nodes: of("Nodes"), listeners: of("JSEventListeners"), waiting: await page.locator("[data-alert]").count() });
    }
    await page.waitForTimeout(LOOK_EVERY_MS);
  }
});
