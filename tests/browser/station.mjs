import { assert, open_window, examine, shot, scenario, PASSWORD } from "./kit.mjs";

const { CHOSEN } = process.env;
const DESK = { width: 1366, height: 768 };
const PHONE = { width: 390, height: 844 };

/// The first login: the first password is changed, then purpose and case are given where they are asked for.
async function begin(page, name, password = PASSWORD) {
  await page.goto("/login");
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL((url) => url.pathname !== "/login");
  await page.goto("/");
  if (new URL(page.url()).pathname === "/account/password") {
    await page.getByLabel("Password now").fill(password);
    await page.getByLabel("New password", { exact: false }).first().fill(CHOSEN);
    await page.getByLabel("New password once more").fill(CHOSEN);
    await page.getByRole("button", { name: "Change" }).click();
    await page.waitForURL((url) => url.pathname !== "/account/password");
  }
}

async function give_purpose(page) {
  await page.waitForURL((url) => url.pathname === "/purpose");
  await examine(page, "purpose at the station");
  await page.locator(".choice").first().click();
  await page.getByLabel(/case/i).fill("26-048113");
  await page.getByRole("button", { name: "Go on" }).click();
  await page.waitForURL((url) => url.pathname !== "/purpose");
}

async function look_at(page, path, name) {
  if (path) await page.goto(path);
  await examine(page, name);
  await shot(page, name.replaceAll(" ", "-"));
}

await scenario("station", async () => {
  // Everybody: the policy, without a login.
  const anybody = await open_window({ size: DESK });
  await look_at(anybody, "/policy", "station policy");
  await look_at(anybody, "/policy/figures", "station figures");
  await look_at(anybody, "/login", "station login");

  // An officer finds a read by a part of its plate.
  const officer = await open_window({ size: DESK });
  await begin(officer, "jdoe");
  await give_purpose(officer);
  await look_at(officer, "/search", "station search form");
  await officer.getByLabel("Plate", { exact: true }).fill("4h?u*");
  await officer.getByRole("button", { name: "Search" }).click();
  await officer.waitForURL((url) => /^\/search\/./.test(url.pathname));
  assert(!/4H/i.test(officer.url()), "no plate stands in the address");
  await officer.locator(".read").first().waitFor();
  assert((await officer.locator(".read").count()) === 1, "one read fits");
  await look_at(officer, "", "station search");
  await officer.locator(".read a").first().click();
  await officer.getByRole("heading", { name: "Chain of custody" }).waitFor();
  await officer.locator("img.alert-overview").evaluate((image) => image.decode());
  await look_at(officer, "", "station read");
  assert((await officer.getByRole("button", { name: "Keep as evidence" }).count()) === 0, "an officer holds nothing");
  const read = new URL(officer.url()).pathname;
  // Where else it was read, and a request of another agency.
  await look_at(officer, `${read}/track`, "station track");
  await look_at(officer, "/releases", "station releases");
  await look_at(officer, "/releases/new", "station release new");
  await look_at(officer, "/partners", "station partners");
  await look_at(officer, "/account", "station account");

  // A custodian keeps it as evidence, by night, with the keyboard alone, and releases it.
  const clerk = await open_window({ size: DESK, theme: "dark" });
  await begin(clerk, "clerk");
  await give_purpose(clerk);
  await clerk.goto(read);
  await clerk.getByLabel("Case number").focus();
  await clerk.keyboard.type("26-9");
  await clerk.keyboard.press("Tab");
  await clerk.keyboard.type("People v. Doe");
  await clerk.keyboard.press("Enter");
  await clerk.getByText("under an evidence hold").first().waitFor();
  await look_at(clerk, "", "station read held");
  await look_at(clerk, "/holds", "station holds");
  await clerk.getByLabel("Why it is released").fill("case closed");
  await clerk.getByRole("button", { name: "Release" }).click();
  await clerk.getByText("case closed").first().waitFor();

  // An administrator looks after vehicles and people; an auditor reviews them.
  const chief = await open_window({ size: DESK });
  await begin(chief, "chief");
  await look_at(chief, "/fleet", "station fleet");
  await look_at(chief, "/users", "station users");
  await look_at(chief, "/review", "station review");
  await look_at(chief, "/statistics", "station statistics");
  const auditor = await open_window({ size: DESK });
  await begin(auditor, "audit");
  assert(new URL(auditor.url()).pathname === "/review", "an auditor begins with the review");

  // On a phone.
  const phone = await open_window({ size: PHONE, touch: true });
  await begin(phone, "jdoe", CHOSEN);
  await give_purpose(phone);
  await look_at(phone, "/search", "station phone search");
  await look_at(phone, read, "station phone read");
  await look_at(phone, `${read}/track`, "station phone track");
  await look_at(phone, "/releases/new", "station phone release new");
  await look_at(phone, "/partners", "station phone partners");
});
