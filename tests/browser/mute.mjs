import { assert, open_window, log_in, enter_plate, examine, shot, scenario } from "./kit.mjs";

await scenario("mute", async () => {
  const page = await open_window();
  await log_in(page, "jdoe");
  const card = page.locator(".alert:visible");
  await enter_plate("7ABC123");
  await card.waitFor();
  assert((await card.getByRole("button", { name: /mute/i }).count()) === 0, "a high alert can't be muted");
  await page.waitForTimeout(1000); // Shorter than that and the script takes the press for one of before.
  await card.locator("form.answers button[value=misread]").click();
  await card.waitFor({ state: "hidden" });

  await enter_plate("4XYZ987", { priority: "normal" });
  await card.waitFor();
  await page.waitForTimeout(1000);
  await card.getByRole("button", { name: "Mute for this shift" }).click();
  await card.getByText("Muted for this shift").waitFor();
  assert((await card.getByRole("button", { name: "Stop tone" }).count()) === 0, "its tone has stopped, too");
  await examine(page, "a muted alert");
  await shot(page, "alert-muted");
  assert((await card.locator("form.answers button").count()) === 5, "it still waits for an answer");
  await page.waitForTimeout(1000);
  await card.getByRole("button", { name: "Alert again" }).click();
  await card.getByRole("button", { name: "Mute for this shift" }).waitFor();
});
