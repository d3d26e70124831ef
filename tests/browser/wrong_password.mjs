import { assert, open_window, log_in, scenario, PASSWORD } from "./kit.mjs";

await scenario("wrong_password", async () => {
  const page = await open_window();
  await page.goto("/");
  assert(new URL(page.url()).pathname === "/login", "without a session the console shows the login");
  for (let n = 1; n <= 5; n += 1) {
    await page.getByLabel("Name").fill("jdoe");
    await page.getByLabel("Password").fill(`not the password ${n}`);
    await Promise.all([page.waitForResponse((r) => r.request().method() === "POST"), page.getByRole("button", { name: "Log in" }).click()]);
    await page.waitForLoadState();
    assert((await page.getByLabel("Password").inputValue()) === "", "the password is not sent back");
  }
  // The right one does not help any more.
  await page.getByLabel("Name").fill("jdoe");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("alert").filter({ hasText: /locked/i }).first().waitFor();
  // Another account goes on.
  await log_in(await open_window(), "mlee");
});
