// `make demo` without a terminal: a picture of the console with an alert.
import { open_window, give_purpose, scenario, shot, PASSWORD } from "./kit.mjs";

await scenario("demo", async () => {
  const page = await open_window();
  await page.goto("/login");
  await page.getByLabel("Name").fill("officer");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL((url) => url.pathname !== "/login");
  // The first login asks for an own password.
  const own = PASSWORD.split("").reverse().join("");
  await page.locator("input[name=old]").fill(PASSWORD);
  await page.locator("input[name=new]").fill(own);
  await page.locator("input[name=again]").fill(own);
  await page.locator("main form button[type=submit]").first().click();
  await page.waitForURL((url) => url.pathname !== "/account/password");
  await give_purpose(page);
  await page.locator(".alert:visible").waitFor();
  await page.locator(".alert:visible .figure-overview img").evaluate((img) => img.decode());
  await shot(page, "alert");
});
