// The patrol car's touch screen: no mouse, no keyboard but the one on the screen for text.
import { assert, open_window, enter_plate, examine, shot, scenario, CAR, PASSWORD } from "./kit.mjs";

await scenario("touch", async () => {
  const page = await open_window({ size: CAR, touch: true });
  await page.goto("/login");
  await page.getByLabel("Name").fill("jdoe");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).tap();
  await page.waitForURL((url) => url.pathname !== "/login");
  await page.getByRole("button", { name: /Start|live reads/ }).tap();
  await page.waitForURL((url) => url.pathname === "/purpose");
  await page.locator(".choice").first().tap();
  await examine(page, "/purpose by touch");
  await page.getByRole("button", { name: "Go on" }).tap();
  await page.locator(".read").first().waitFor();
  for (const [name, path] of [["Canvass", "/canvass"], ["Add plate", "/entries"], ["Alerts", "/alerts"]]) {
    await page.locator(".rail").getByRole("link", { name: new RegExp(`^${name}`) }).tap();
    await page.waitForURL((url) => url.pathname === path);
    await examine(page, `${path} by touch`);
  }
  await page.locator(".tabs").getByRole("link", { name: "Not this vehicle" }).tap();
  await page.waitForURL((url) => url.pathname === "/findings");

  // What a finger meets on the way to an answer.
  await page.locator(".rail").getByRole("link", { name: "Live" }).tap();
  await enter_plate("8TUV016", { priority: "normal" });
  const card = page.locator(".alert:visible");
  await card.waitFor();
  await examine(page, "an alert by touch");
  await shot(page, "alert-touch");
  await card.getByRole("button", { name: "Stop tone" }).tap();
  await card.getByRole("button", { name: "Stop tone" }).waitFor({ state: "hidden" });
  await page.waitForTimeout(1000); // Shorter than that and the script takes the touch for one of before.
  await card.locator("form.answers button[value=dismissed]").tap();
  await card.waitFor({ state: "hidden" });
  await page.locator(".rail").getByRole("link", { name: "Alerts" }).tap();
  await page.getByText(/Dismissed/).first().waitFor();
  assert((await page.evaluate(() => navigator.maxTouchPoints)) > 0, "the window has touch");
});
