// An auditor's day with the keyboard alone: login, an audit drawn, each item looked at and judged, the report taken along.
import { assert, open_window, examine, shot, scenario, PASSWORD } from "./kit.mjs";

const { CHOSEN } = process.env;
const DESK = { width: 1366, height: 768 };

await scenario("station auditor", async () => {
  const page = await open_window({ size: DESK });
  const focused = () => page.evaluate(() => {
    const e = document.activeElement;
    return {
      name: e.getAttribute("name") ?? "", text: e.textContent.trim(), tag: e.tagName,
      outline: getComputedStyle(e).outlineStyle,
    };
  });
  const tab_to = async (what, wanted) => {
    for (let n = 0; n < 150; n += 1) {
      await page.keyboard.press("Tab");
      const now = await focused();
      if (wanted(now)) {
        assert(now.outline !== "none", `what has the focus is seen: ${what}`);
        return now;
      }
    }
    throw new Error(`the Tab key does not lead to ${what}`);
  };
  const named = (name) => tab_to(name, (e) => e.name === name);
  const button = (text) => tab_to(text, (e) => e.tag === "BUTTON" && e.text === text);
  const link = (text) => tab_to(text, (e) => e.tag === "A" && e.text === text);

  // The first field of the login has the focus.
  await page.goto("/login");
  await page.keyboard.type("audit");
  await page.keyboard.press("Tab");
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => url.pathname === "/account/password");
  for (const [name, text] of [["old", PASSWORD], ["new", CHOSEN], ["again", CHOSEN]]) {
    await named(name);
    await page.keyboard.type(text);
  }
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => url.pathname === "/review");

  await link("Audits");
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => url.pathname === "/audits");
  await examine(page, "audits");
  // The days are filled in; the sample is drawn.
  await button("Draw");
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => /^\/audits\/./.test(url.pathname));
  const items = await page.locator(".audit-item").count();
  assert(items >= 5, `five at least are looked at: ${items}`);
  await examine(page, "an audit");
  for (let n = 1; n <= items; n += 1) {
    await named(`finding-${n}`);
    await page.keyboard.press("ArrowDown"); // In order.
    await button("Keep");
    await page.keyboard.press("Enter");
    await page.waitForURL((url) => url.hash === `#item-${n + 1}`);
  }
  await named("conclusion");
  await page.keyboard.type("All accesses named a purpose, and all reads were right.");
  await button("Close");
  await page.keyboard.press("Enter");
  await page.getByText("Closed: all was in order.").waitFor();
  await examine(page, "an audit that is closed");
  await shot(page, "station-auditor-closed");
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    link("Signed report").then(() => page.keyboard.press("Enter")),
  ]);
  assert(/^audit-.*\.json$/.test(download.suggestedFilename()), download.suggestedFilename());
});
