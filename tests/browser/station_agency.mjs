import { assert, open_window, examine, shot, scenario } from "./kit.mjs";

const DESK = { width: 1366, height: 768 };
const PHONE = { width: 390, height: 844 };

await scenario("station_agency", async () => {
  const phone = await open_window({ size: PHONE });
  await phone.goto("/login");
  await examine(phone, "login with the agency's on a phone");

  const page = await open_window({ size: DESK });
  await page.goto("/fleet");
  assert(new URL(page.url()).pathname === "/login", "the fleet is behind the login");
  await examine(page, "login with the agency's");
  await shot(page, "station-login-agency");
  await page.getByRole("link", { name: "Sign in with Springfield PD" }).click();

  // At the provider; it is another origin, and leads back from there.
  await page.getByPlaceholder("Enter any login").fill("chief");
  await page.getByPlaceholder("and password").fill("any");
  await page.getByRole("button", { name: "Sign-in" }).click();
  await page.waitForURL((url) => url.pathname === "/fleet");
  await page.getByRole("heading", { name: "Fleet" }).first().waitFor();
  await examine(page, "fleet after the agency's login");
  const cookies = await page.context().cookies();
  const session = cookies.find((cookie) => cookie.name === "__Host-session");
  assert(session?.sameSite === "Strict" && session.httpOnly, "the session's cookie is sent by no other site");
  assert(!cookies.some((cookie) => cookie.name === "__Host-agency-login"), "a login that came back is forgotten");

  // Every place can be reached on a phone.
  await page.setViewportSize(PHONE);
  for (const place of await page.locator(".rail a").all()) {
    const box = await place.boundingBox();
    assert(box.x >= 0 && box.x + box.width <= PHONE.width && box.height >= 44 && box.width >= 44, "a place is out of reach");
  }
  await shot(page, "station-phone-places");
  await page.setViewportSize(DESK);

  // Out here, and then there.
  await page.goto("/account");
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByText("You are logged out here").waitFor();
  await examine(page, "logged out of the station");
  await page.getByRole("link", { name: "Log out there too" }).click();
  await page.getByRole("button", { name: "Yes, sign me out" }).click();
  await page.waitForURL((url) => url.pathname === "/login");
});
