import { assert, open_window, log_in, scenario, totp, PASSWORD } from "./kit.mjs";

await scenario("second_factor", async () => {
  const page = await open_window();
  await log_in(page, "jdoe", { purpose: false });
  await page.goto("/account/second-factor");
  await page.getByLabel("Password now").fill(PASSWORD);
  await page.getByRole("button", { name: "Go on" }).click();
  const text = await page.locator("main").innerText();
  const secret = text.match(/(?:\b[A-Z2-7]{4} ){7}[A-Z2-7]{4}\b/)?.[0].replaceAll(" ", "");
  assert(secret, `the secret stands on the page as text: ${text}`);
  assert(await page.locator("main svg[role=img], main svg.qr, main .qr svg").count() > 0, "and as a QR code");
  await page.getByLabel("Code that the app shows now").fill(totp(secret));
  await page.getByRole("button", { name: "Confirm" }).click();
  const codes = await page.locator("main").innerText();
  assert(/recovery codes/i.test(codes), "recovery codes are shown once");

  const other = await open_window();
  await other.goto("/login");
  await other.getByLabel("Name").fill("jdoe");
  await other.getByLabel("Password").fill(PASSWORD);
  await other.getByRole("button", { name: "Log in" }).click();
  await other.getByLabel(/Code/).fill("000000");
  await other.locator("main form button[type=submit]").click();
  await other.getByRole("alert").first().waitFor();
  // A code counts once; the next step of 30 s is taken early.
  await other.getByLabel(/Code/).fill(totp(secret, 1));
  await other.locator("main form button[type=submit]").click();
  await other.waitForURL((url) => !url.pathname.startsWith("/login"));
});
