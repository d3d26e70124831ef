import { assert, open_window, log_in, scenario } from "./kit.mjs";

await scenario("two_officers", async () => {
  const page = await open_window();
  for (const name of ["jdoe", "mlee"]) {
    await log_in(page, name);
    await page.locator(".read").first().waitFor();
    await page.goto("/account");
    assert((await page.locator("body").innerText()).includes(`Officer ${name}`), `${name}'s own account`);
    await page.getByRole("button", { name: /log out/i }).click();
    await page.waitForURL((url) => url.pathname === "/login");
    await page.goBack();
    assert((await page.locator(".read").count()) === 0, "the way back shows nothing of before");
    await page.goto("/");
    assert(new URL(page.url()).pathname === "/login", "the session is over");
  }
});
