import { assert, open_window, log_in, enter_plate, examine, shot, scenario, DESK } from "./kit.mjs";

await scenario("correction", async () => {
  const page = await open_window();
  await log_in(page, "jdoe");
  const other = await open_window({ size: DESK, theme: "dark" });
  await log_in(other, "mlee");
  await enter_plate("8TUV018");
  // The camera reads 8TUV016; the officer sees that it says 8.
  const misread = page.locator(".read", { has: page.locator('[aria-label^="8 T U V zero 1 6"]') }).first();
  await misread.waitFor();
  await page.goto(await misread.locator("a").getAttribute("href"));
  await page.getByLabel("What the plate really says").waitFor();
  await examine(page, "read");
  await page.getByLabel("What the plate really says").fill("8");
  await page.getByRole("button", { name: "Correct and match again" }).click();
  await page.locator("#text-error").waitFor();
  await page.getByLabel("What the plate really says").fill("8tuv018");
  await page.getByLabel("Why it was misread").fill("the last one is an 8");
  await page.getByRole("button", { name: "Correct and match again" }).click();
  // The alert comes to both, as an alert of a camera does.
  for (const [window, name] of [[page, "correction-1024-day"], [other, "correction-1920-night"]]) {
    const card = window.locator(".alert:visible");
    await card.waitFor();
    assert(/8 T U V zero 1 8/.test(await card.locator(".plate").first().getAttribute("aria-label")), "with the corrected plate");
    await shot(window, name);
  }
  await page.waitForTimeout(1000); // The script takes no answer for one that was meant before.
  await page.locator(".alert:visible form.answers button[value=misread]").click();
  await page.locator(".alert:visible").waitFor({ state: "hidden" });
  await page.getByText(/jdoe corrected 8TUV016/).waitFor();
  await page.getByText(/matched again: 1 hit/).waitFor();
  await examine(page, "corrected read");
  await shot(page, "read-corrected-1024-day");
});
