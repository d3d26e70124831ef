import { assert, open_window, log_in, enter_plate, examine, shot, scenario } from "./kit.mjs";

await scenario("not_this_vehicle", async () => {
  const page = await open_window();
  await log_in(page, "jdoe");
  await enter_plate("7ABC123");
  const card = page.locator(".alert:visible");
  await card.waitFor();
  await card.getByRole("link", { name: "Not this vehicle" }).click();
  await page.waitForURL((url) => url.pathname.endsWith("/finding"));
  await page.keyboard.press("Escape"); // The alert waits over this page, too.
  await examine(page, "the form");
  await shot(page, "finding-propose");
  await page.getByLabel("How do you know?").fill("same plate of Nevada, owner identified");
  await page.getByRole("button", { name: "Propose" }).click();
  await page.waitForURL((url) => url.pathname === "/findings");
  const standing = (window, text) => window.locator("main .cards").getByText(text).first().waitFor();
  await standing(page, "Waits for a supervisor");
  assert((await page.locator("main").getByText("Approve", { exact: false }).filter({ has: page.locator("a") }).count()) === 0, "an officer does not approve");

  const chair = await open_window();
  await log_in(chair, "sarge");
  await chair.keyboard.press("Escape");
  await chair.goto("/findings");
  await chair.keyboard.press("Escape");
  await examine(chair, "the findings");
  await shot(chair, "findings");
  await chair.getByRole("link", { name: /^Approve/ }).click();
  await chair.waitForURL((url) => url.pathname.endsWith("/approve"));
  await chair.keyboard.press("Escape");
  await chair.getByLabel("Reason").fill("seen the registration");
  await chair.getByRole("button", { name: "Approve" }).click();
  await chair.waitForURL((url) => url.pathname === "/findings");
  await standing(chair, "Approved by sarge");

  // Another entry of the plate still alerts.
  await chair.goto("/alerts");
  const before = await chair.locator("[data-alert]").count();
  await enter_plate("7ABC123", { category: "missing_person" });
  await chair.waitForFunction((n) => document.querySelectorAll("[data-alert]").length > n, before);
  assert(/missing person/i.test(await chair.locator("[data-cards]").first().innerHTML()), "with what the other entry says");
});
