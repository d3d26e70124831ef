// The pictures of the console's pages in docs/images. docs/images/take starts it.
import { open_window, give_purpose, scenario, shot, CAR, PASSWORD } from "./kit.mjs";

/// The drawn drive is over by then.
const DRIVE_MS = 26_000;
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

/// Alerts fill every page until somebody closes them; they go on waiting.
async function close_alerts(page) {
  const alert = page.locator("dialog[open] .alert");
  if ((await alert.count()) === 0) return;
  await page.keyboard.press("Escape");
  await page.locator("dialog[open]").waitFor({ state: "detached" });
}

async function take(page, path, name) {
  await page.goto(path);
  await close_alerts(page);
  for (const image of await page.locator("main img:visible").all()) await image.evaluate((img) => img.decode()).catch(() => {});
  await shot(page, name);
}

await scenario("pictures", async () => {
  const officer = await open_window({ size: CAR });
  await first_login(officer, "dlopez");
  await take(officer, "/purpose", "purpose");
  await give_purpose(officer, "26-048113");
  await officer.waitForTimeout(DRIVE_MS); // Else an alert may open over any page.
  for (const path of ["/shift", "/account", "/entries", "/canvass", "/findings", "/performance"]) {
    await take(officer, path, path.slice(1));
  }
  await officer.goto("/search");
  await close_alerts(officer);
  await officer.getByRole("button", { name: "Search" }).first().click();
  await officer.locator(".read").first().waitFor();
  await take(officer, officer.url(), "search");
  await close_alerts(officer);
  await officer.locator(".read a").first().click();
  await officer.waitForURL((url) => url.pathname.startsWith("/reads/"));
  await take(officer, officer.url(), "read");
  await take(officer, "/", "live");
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
