import { assert, open_window, enter_plate, scenario, PASSWORD } from "./kit.mjs";

await scenario("keyboard", async () => {
  const page = await open_window();
  await page.goto("/login");
  // The first field has the focus.
  await page.keyboard.type("jdoe");
  await page.keyboard.press("Tab");
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => url.pathname === "/purpose" || url.pathname === "/shift" || url.pathname === "/");
  await page.goto("/");
  const focused = () => page.evaluate(() => {
    const e = document.activeElement;
    return { name: e.getAttribute("name"), text: e.textContent.trim(), outline: getComputedStyle(e).outlineStyle };
  });
  const tab_to = async (wanted) => {
    for (let n = 0; n < 40; n += 1) {
      await page.keyboard.press("Tab");
      const now = await focused();
      if (wanted(now)) return now;
    }
    throw new Error("the Tab key does not lead there");
  };
  await tab_to((e) => e.name === "purpose");
  await page.keyboard.press("Space");
  const button = await tab_to((e) => e.text === "Go on");
  assert(button.outline !== "none", "what has the focus is seen");
  await page.keyboard.press("Enter");
  await page.locator(".read").first().waitFor();
  await enter_plate("4XYZ987");
  await page.locator(".alert:visible").waitFor();
  await page.waitForTimeout(1000); // The script takes no key for an answer before.
  await page.keyboard.press("3");
  await page.locator(".alert:visible").waitFor({ state: "hidden" });
  await page.goto("/alerts");
  await page.getByText(/misread/i).first().waitFor();
});
