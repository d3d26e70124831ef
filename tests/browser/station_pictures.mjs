// The pictures of the station's pages in docs/images; docs/images/take starts what they show.
import { open_window, give_purpose, scenario, shot, PASSWORD } from "./kit.mjs";

const DESK = { width: 1366, height: 768 };

/// The first login asks for an own password.
async function begin(name, theme) {
  const page = await open_window({ size: DESK, theme });
  await page.goto("/login");
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL((url) => url.pathname !== "/login");
  const own = PASSWORD.split("").reverse().join("");
  await page.locator("input[name=old]").fill(PASSWORD);
  await page.locator("input[name=new]").fill(own);
  await page.locator("input[name=again]").fill(own);
  await page.locator("main form button[type=submit]").first().click();
  await page.waitForURL((url) => url.pathname !== "/account/password");
  return page;
}

async function picture(page, path, name) {
  if (path) await page.goto(path);
  await page.evaluate(() => Promise.all([...document.images].map((image) => image.decode())));
  await shot(page, `station-${name}`);
}

await scenario("station pictures", async () => {
  const clerk = await begin("clerk", "light");
  await give_purpose(clerk, "26-048113");
  await clerk.goto("/search");
  await clerk.getByRole("button", { name: "Search" }).click();
  await clerk.waitForURL((url) => /^\/search\/./.test(url.pathname));
  await picture(clerk, "", "search");
  await clerk.locator(".read a").first().click();
  await clerk.getByRole("heading", { name: "Chain of custody" }).waitFor();
  await picture(clerk, "", "read");
  await clerk.getByLabel("Case number").fill("26-048113");
  await clerk.getByLabel("Why").fill("Evidence for the district attorney");
  await clerk.getByRole("button", { name: "Keep as evidence" }).click();
  await clerk.getByText("under an evidence hold").first().waitFor();
  await picture(clerk, "/holds", "holds");
  await picture(clerk, "/policy", "policy");

  const auditor = await begin("audit", "dark");
  await picture(auditor, "/fleet", "fleet-night");
  await picture(auditor, "/statistics", "statistics-night");
  await auditor.goto("/audits");
  await auditor.getByRole("button", { name: "Draw" }).click();
  await auditor.waitForURL((url) => /^\/audits\/./.test(url.pathname));
  await picture(auditor, "", "audit-night");
});
