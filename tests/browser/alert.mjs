import { assert, open_window, log_in, enter_plate, examine, shot, scenario, DESK } from "./kit.mjs";

await scenario("alert", async () => {
  const page = await open_window();
  await log_in(page, "jdoe");
  const other = await open_window({ size: DESK, theme: "dark" });
  await log_in(other, "mlee");
  await enter_plate("7ABC123");
  for (const [window, name] of [[page, "alert-1024-day"], [other, "alert-1920-night"]]) {
    const card = window.locator(".alert:visible");
    await card.waitFor();
    const text = await card.innerText();
    assert(/unverified/i.test(text), `a lead until it is verified: ${text}`);
    assert(!/\bconfirmed\b/i.test(text), "nothing calls it confirmed before");
    for (const part of [".figure-crop img", ".figure-overview img"]) {
      assert(await card.locator(part).evaluate((img) => img.decode().then(() => img.naturalWidth > 0)), `${part} is there`);
    }
    await examine(window, name);
    await shot(window, name);
  }
  // What was just opened takes no answer for a moment: a finger may have meant what was there before.
  const card = page.locator(".alert:visible");
  await card.locator("form.answers button[value=correct]").click({ delay: 20, timeout: 5000 }).catch(() => {});
  await page.waitForFunction(() => document.querySelector(".alert")?.dataset.step === "dispatch", null, { polling: 200, timeout: 3000 })
    .catch(() => card.locator("form.answers button[value=correct]").click());
  await page.waitForFunction(() => document.querySelector(".alert")?.dataset.step === "dispatch");
  assert(/dispatch answer/i.test(await card.innerText()), "then dispatch is asked");
  await page.waitForTimeout(1000); // Shorter than that and the script takes the press for one of before.
  await card.locator("form.answers button[value=confirmed]").click();
  // The other officer's window lets go of it.
  await other.locator(".alert:visible").waitFor({ state: "hidden" });
  await page.goto("/alerts");
  await page.getByText(/confirmed/i).first().waitFor();
});
