// The pictures of the console's pages in docs/images. docs/images/take starts it.
import { open_window, give_purpose, scenario, shot, CAR, PASSWORD } from "./kit.mjs";

const OWN = "gravel walnut tuesday";

/// The first login asks for an own password.
async function first_login(page, name) {
  await page.goto("/login");
  await shot(page, "login");
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL((url) => url.pathname === "/account/password");
  await page.locator("input[name=old]").fill(PASSWORD);
  await page.locator("input[name=new]").fill(OWN);
  await page.locator("input[name=again]").fill(OWN);
  await page.locator("main form button[type=submit]").first().click();
  await page.waitForURL((url) => url.pathname !== "/account/password");
}

async function take(page, path, name) {
  await page.goto(path);
  for (const image of await page.locator("main img:visible").all()) await image.evaluate((img) => img.decode()).catch(() => {});
  await shot(page, name);
}

await scenario("pictures", async () => {
  const officer = await open_window({ size: CAR });
  await first_login(officer, "dlopez");
  await take(officer, "/purpose", "purpose");
  await give_purpose(officer, "26-048113");
  for (const path of ["/shift", "/account", "/entries", "/canvass", "/findings", "/performance"]) {
    await take(officer, path, path.slice(1));
  }
  await officer.goto("/search");
  await officer.getByLabel("Plate", { exact: true }).fill("*1*");
  await officer.getByRole("button", { name: "Search" }).first().click();
  await officer.locator(".read").first().waitFor();
  await take(officer, officer.url(), "search");
  await officer.locator(".read a").first().click();
  await officer.waitForURL((url) => url.pathname.startsWith("/reads/"));
  await take(officer, officer.url(), "read");
  // An alert fills the page until it is closed; then the newest reads are there.
  await officer.goto("/");
  await officer.locator(".alert:visible").waitFor();
  await officer.keyboard.press("Escape");
  await officer.locator(".read").first().waitFor();
  await shot(officer, "live");
  await take(officer, "/alerts", "alerts");

  const night = await open_window({ size: CAR, theme: "dark" });
  await first_login(night, "mlee");
  await give_purpose(night, "26-048113");
  await night.locator(".alert:visible").waitFor();
  await night.locator(".alert:visible .figure-overview img").evaluate((img) => img.decode());
  await shot(night, "alert-night");

  const chief = await open_window({ size: CAR });
  await first_login(chief, "chief");
  for (const path of ["/users", "/users/new", "/review", "/lists", "/cameras", "/purposes"]) {
    await take(chief, path, path.slice(1).replace("/", "-"));
  }
});
