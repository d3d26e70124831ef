import { assert, open_window, log_in, examine, shot, scenario, CAR, DESK } from "./kit.mjs";
import fs from "node:fs";

async function give(page, purpose, number) {
  await page.locator(".choice").nth(purpose).click();
  await page.getByLabel(/case/i).fill(number);
}

await scenario("search", async () => {
  const page = await open_window({ size: CAR });
  await log_in(page, "jdoe", { purpose: false });
  // Purpose first.
  await page.goto("/search");
  assert(new URL(page.url()).pathname === "/purpose", "the purpose comes first");
  await page.getByRole("button", { name: "Go on" }).click();
  await page.getByText(/authorised purpose nothing is shown/).first().waitFor();
  await give(page, 0, "26-048113");
  await page.getByRole("button", { name: "Go on" }).click();
  await page.waitForURL((url) => url.pathname === "/search");
  assert(/26-048113/.test(await page.locator(".purpose").innerText()), "purpose and case stand above the search");

  // What is no pattern is told at its field.
  await page.getByLabel("Plate", { exact: true }).fill("7*");
  await page.getByRole("button", { name: "Search" }).click();
  await page.locator("#plate-error").waitFor();
  assert((await page.getByLabel("Plate", { exact: true }).inputValue()) === "7*", "what was entered stays");
  await examine(page, "search with an error");
  await shot(page, "search-error-1024-day");

  // The camera sees it again and again.
  await page.getByLabel("Plate", { exact: true }).fill("7ab?1*");
  for (let tries = 0; ; tries += 1) {
    await page.getByRole("button", { name: "Search" }).first().click();
    await page.waitForURL((url) => /^\/search\/./.test(url.pathname));
    if ((await page.locator(".read").count()) > 0) break;
    assert(tries < 60, "nothing was found");
    await page.waitForTimeout(1000);
    await page.locator(".folded > summary").click();
  }
  // An id alone, which may hold any hex digits.
  const { pathname, search } = new URL(page.url());
  assert(/^\/search\/[0-9a-f-]{36}$/.test(pathname) && search === "", "no plate stands in the address");
  assert(/7 A B C 1 2 3/.test(await page.locator(".read .plate").first().getAttribute("aria-label")), "the read that fits");
  await examine(page, "search");
  await shot(page, "search-1024-day");
  assert((await page.getByRole("link", { name: "Export" }).count()) === 0, "an officer exports nothing");
  await page.locator(".read a").first().click();
  await page.waitForURL((url) => url.pathname.startsWith("/reads/"));
  await page.getByRole("heading", { name: "Correct a misread" }).waitFor();

  // A supervisor takes it out of the system, for another purpose.
  const other = await open_window({ size: DESK, theme: "dark" });
  await log_in(other, "sarge");
  await other.goto("/search");
  await other.getByLabel("Plate", { exact: true }).fill("*123");
  await other.keyboard.press("Enter");
  await other.locator(".read").first().waitFor();
  await examine(other, "search by night");
  await shot(other, "search-1920-night");
  await other.getByRole("link", { name: "Export" }).click();
  await other.getByRole("button", { name: "Export" }).click();
  await other.locator("#purpose-error").waitFor();
  await examine(other, "export");
  await shot(other, "export-1920-night");
  await give(other, 1, "26-048200");
  await other.getByLabel(/who gets it/i).fill("District attorney, People v. Doe");
  const [file] = await Promise.all([other.waitForEvent("download"), other.getByRole("button", { name: "Export" }).click()]);
  assert(/^reads-.*\.csv$/.test(file.suggestedFilename()), file.suggestedFilename());
  const text = fs.readFileSync(await file.path(), "utf8");
  assert(text.startsWith("read,first_seen") && text.includes("7ABC123"), text.slice(0, 300));
});
