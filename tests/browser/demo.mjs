// `make demo` without a terminal: a picture of the console with an alert, and one of what a search at the station finds
// of the drive.
import { assert, open_window, give_purpose, scenario, shot, PASSWORD } from "./kit.mjs";

const { STATION } = process.env;
/// A plate of the drive.
const PLATE = "6KOJ318";

/// The first login asks for an own password.
async function begin(page) {
  await page.goto("/login");
  await page.getByLabel("Name").fill("officer");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL((url) => url.pathname !== "/login");
  const own = PASSWORD.split("").reverse().join("");
  await page.locator("input[name=old]").fill(PASSWORD);
  await page.locator("input[name=new]").fill(own);
  await page.locator("input[name=again]").fill(own);
  await page.locator("main form button[type=submit]").first().click();
  await page.waitForURL((url) => url.pathname !== "/account/password");
}

await scenario("demo", async () => {
  const page = await open_window();
  await begin(page);
  await give_purpose(page);
  await page.locator(".alert:visible").waitFor();
  await page.locator(".alert:visible .figure-overview img").evaluate((img) => img.decode());
  await shot(page, "alert");

  const station = await open_window({ address: STATION, size: { width: 1366, height: 768 } });
  await begin(station);
  await give_purpose(station);
  await station.getByLabel("Plate", { exact: true }).fill(PLATE);
  await station.getByRole("button", { name: "Search" }).click();
  await station.waitForURL((url) => /^\/search\/./.test(url.pathname));
  assert((await station.locator(".read").count()) >= 1, `the station did not find ${PLATE}, which the drive read`);
  await station.locator(".read img").first().evaluate((img) => img.decode());
  await shot(station, "station");
});
