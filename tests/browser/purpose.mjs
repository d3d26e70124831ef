import { assert, open_window, log_in, give_purpose, scenario } from "./kit.mjs";

await scenario("purpose", async () => {
  const page = await open_window();
  await log_in(page, "jdoe", { purpose: false });
  await page.goto("/");
  assert(new URL(page.url()).pathname === "/purpose", "the purpose comes first");
  await page.getByRole("button", { name: "Go on" }).click();
  await page.getByText(/authorised purpose nothing is shown/).first().waitFor();
  assert((await page.locator(".read").count()) === 0, "nothing is shown without");
  await give_purpose(page);
  // The camera goes on reading: a read comes by itself.
  await page.locator(".read").first().waitFor();
  const first = await page.locator(".read").first().getAttribute("id");
  await page.waitForFunction((id) => document.querySelector(".read").id !== id, first);
  await page.locator(".read .read-crop img").first().waitFor();
  const loaded = await page.locator(".read .read-crop img").first().evaluate((img) => img.decode().then(() => img.naturalWidth > 0));
  assert(loaded, "with the picture of the plate");
});
