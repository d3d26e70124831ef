import { assert, open_window, log_in, scenario } from "./kit.mjs";

await scenario("training", async () => {
  const page = await open_window();
  await log_in(page, "late", { purpose: false });
  await page.goto("/");
  await page.getByText(/training/i).first().waitFor();
  for (const path of ["/", "/alerts", "/shift", "/purpose"]) {
    await page.goto(path);
    assert(new URL(page.url()).pathname === "/refused", `${path} is refused`);
    assert((await page.locator(".read-list, .alert").count()) === 0, `${path} shows nothing`);
  }
  await page.goto("/account");
  await page.getByText(/training/i).first().waitFor();
});
