import { assert, open_window, log_in, examine, shot, scenario } from "./kit.mjs";

await scenario("partial_plate", async () => {
  const page = await open_window();
  await log_in(page, "jdoe");
  await page.locator(".read").first().waitFor();
  await page.getByRole("link", { name: "Add plate" }).click();
  await page.waitForURL((url) => url.pathname === "/entries");
  await page.getByLabel("Plate or partial plate").fill("6qr*4?5");
  await page.getByRole("button", { name: "Add" }).click();
  await page.getByText(/reason is missing/i).first().waitFor();
  assert((await page.getByLabel("Plate or partial plate").inputValue()) === "6QR*4?5", "what was typed stays");
  await page.getByLabel("Reason").fill("witness saw a part of the plate");
  await page.getByLabel("Priority").selectOption("normal");
  await page.getByRole("button", { name: "Add" }).click();
  await page.getByText(/6QR\*4\?5 counts until/).waitFor();
  // The vehicle passes again.
  const card = page.locator(".alert:visible");
  await card.waitFor();
  const text = await card.innerText();
  assert(/Fits a partial plate/.test(text) && /witness saw a part of the plate/.test(text), `it says why: ${text}`);
  await examine(page, "the alert of a partial plate");
  await page.keyboard.press("Escape");
  await examine(page, "the page of entries");
  await shot(page, "entries-found");
});
