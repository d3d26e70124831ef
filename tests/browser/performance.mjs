import { assert, open_window, log_in, examine, shot, scenario, DESK } from "./kit.mjs";

/// Until the camera has seen each of its four plates once more.
async function seen_again(page) {
  await page.goto("/");
  await page.locator(".read").first().waitFor();
  const before = await page.locator(".read").evaluateAll((reads) => reads.map((read) => read.id));
  await page.waitForFunction(
    (ids) => [...document.querySelectorAll(".read")].filter((read) => !ids.includes(read.id)).length >= 5, before);
  await page.goto("/performance");
}

async function begin(page, note) {
  await page.goto("/performance");
  await page.getByLabel("Camera").first().selectOption("front");
  await page.getByLabel("Note").fill(note);
  await page.getByRole("button", { name: "Begin the test" }).click();
  await page.getByText("The test has begun").waitFor();
}

async function enter(page, plate, state = "") {
  assert(await page.getByLabel("Plate").evaluate((field) => field === document.activeElement), "one types at once");
  await page.keyboard.type(plate);
  await page.getByLabel("State").fill(state);
  await page.keyboard.press("Enter");
  await page.waitForURL(/done=entered/);
}

await scenario("performance", async () => {
  const page = await open_window({ touch: true });
  await log_in(page, "jdoe");
  await page.goto("/performance");
  await page.getByText("No test yet").waitFor();
  await examine(page, "no test");
  await begin(page, "light rain");
  await seen_again(page);
  await enter(page, "7abc123");
  await enter(page, "9WWW333", "NV");
  await page.getByText("2 plates entered").waitFor();
  assert(!(await page.locator("body").innerText()).includes("9WWW333"), "what was entered is not shown again");
  await examine(page, "a drive goes on");
  await shot(page, "performance-drive-1024-day");
  await page.getByRole("button", { name: "End the test" }).click();
  const missed = page.getByRole("table", { name: /missed or misread/i });
  await missed.waitFor();
  assert((await missed.innerText()).includes("Not read"), "the plate that no camera saw");
  const first = await page.locator("table").last().innerText();
  assert(first.includes("50.0 %") && first.includes("100.0 %") && first.includes("jdoe"), first);
  assert((await page.locator("svg.chart").count()) === 0, "one test is no history");
  await examine(page, "a drive is over");
  // Another one, in which all is read: the chart shows both.
  await begin(page, "dry");
  await seen_again(page);
  await enter(page, "4XYZ987");
  await page.getByRole("button", { name: "End the test" }).click();
  await page.getByText("every plate was read exactly").waitFor();
  assert((await page.locator("svg.chart circle").count()) === 6, "three rates of two tests");
  assert((await page.locator("table tbody tr").count()) === 2, "two results");
  await examine(page, "two results");
  await shot(page, "performance-1024-day");
  const other = await open_window({ size: DESK, theme: "dark" });
  await log_in(other, "sarge");
  await other.goto("/performance");
  await examine(other, "results by night");
  await shot(other, "performance-1920-night");
});
