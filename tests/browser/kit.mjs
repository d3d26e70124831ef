// What the scenarios share: the browser, logging in, axe, pictures, and the command line.
//
// tests/e2e/browser.rs starts a daemon with a console and then a scenario, which learns by the
// environment where both are. A scenario that ends with an error fails the test, with its picture
// in target/browser/shots.
import { spawnSync } from "node:child_process";
import { createHmac } from "node:crypto";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

export const { PASSWORD } = process.env;
const { CONSOLE, MODULES, PLATED, CONFIG, SHOTS, CHROMIUM = "/usr/bin/chromium" } = process.env;
const require = createRequire(path.join(MODULES, "x.js"));
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

/// Longer than anything takes on a busy machine; nothing waits for it when all goes well.
export const PATIENCE_MS = 60_000;
/// The patrol car's screen.
export const CAR = { width: 1024, height: 600 };
export const DESK = { width: 1920, height: 1080 };

export function assert(what, message) {
  if (!what) throw new Error(message);
}

/// `plated ARGS` with the configuration of the test, and how it ended.
export function tried(...args) {
  const { input } = typeof args.at(-1) === "object" ? args.pop() : {};
  const { status, stdout, stderr } = spawnSync(PLATED, [...args, "--config", CONFIG], { encoding: "utf8", input });
  return { status, stdout, stderr };
}

let browser;
let open = [];

/// A window of a browser of its own: another computer, another officer.
export async function open_window({ size = CAR, theme = "light", touch = false, address = CONSOLE } = {}) {
  browser ??= await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
  const context = await browser.newContext({
    viewport: size, colorScheme: theme, reducedMotion: "reduce", hasTouch: touch, baseURL: address,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  context.setDefaultNavigationTimeout(PATIENCE_MS);
  const page = await context.newPage();
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(`the script failed: ${error}`));
  page.on("console", (message) => {
    // A refused form or a lost connection is a line there, too; those are looked at by what the page says.
    if (message.type() === "error" && !/Failed to load resource|ERR_/.test(message.text())) {
      page.faults.push(`the browser says: ${message.text()}`);
    }
  });
  open.push(page);
  return page;
}

/// Logs in and gives the purpose, as an officer at the beginning of a shift.
export async function log_in(page, name, { purpose = true } = {}) {
  await page.goto("/login");
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL((url) => url.pathname !== "/login");
  if (purpose) await give_purpose(page);
}

/// Says what the shift's look is for, if that is asked for.
export async function give_purpose(page, case_number = "26-1234") {
  await page.goto("/");
  if (new URL(page.url()).pathname !== "/purpose") return;
  await page.locator(".choice").first().click();
  await page.getByLabel(/case/i).fill(case_number);
  await page.getByRole("button", { name: "Go on" }).click();
  await page.waitForURL((url) => url.pathname !== "/purpose");
}

/// An officer enters a plate by the command line; the camera sees it within seconds.
export async function enter_plate(plate, { priority = "high", category = "stolen_vehicle" } = {}) {
  const session = tried("login", "jdoe", "--password-stdin", { input: `${PASSWORD}\n` });
  const entered = tried("hotlist", "add", plate, "--priority", priority, "--category", category, "--reason", "robbery");
  assert(entered.status === 0, `${plate} was not entered: ${entered.stderr} ${session.stderr}`);
}

/// What an authenticator app shows, so many steps of 30 s ahead (RFC 6238).
export function totp(secret, ahead = 0) {
  const bits = [...secret].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + ahead));
  const hash = createHmac("sha1", key).update(step).digest();
  const at = hash[hash.length - 1] & 15;
  return String((hash.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

/// A picture of the window, for docs/images or for whoever looks why a test failed.
export async function shot(page, name) {
  fs.mkdirSync(SHOTS, { recursive: true });
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: path.join(SHOTS, `${name}.png`) });
}

/// Lets axe look for faults, and looks itself whether the page fits into the window and its targets are
/// large enough for a finger.
export async function examine(page, name) {
  await page.evaluate(axe);
  const result = await page.evaluate(() =>
    axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  const found = result.violations.map((v) =>
    `${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => `${n.target} ${n.any[0]?.message ?? ""}`).join(" | ")}`);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (over > 0) found.push(`${over} px wider than the window`);
  const small = await page.evaluate(() =>
    [...document.querySelectorAll("a, button, input:not([type=hidden]), select, textarea")]
      .filter((e) => e.checkVisibility({ checkVisibilityCSS: true }) && !e.closest(".sr-only, p, .skip, .choice") && !e.matches(".skip"))
      .map((e) => [e, e.getBoundingClientRect()]).filter(([, r]) => r.width > 0 && (r.height < 43.5 || r.width < 43.5))
      .map(([e, r]) => `${e.tagName} "${e.textContent.trim().slice(0, 20)}" is ${Math.round(r.width)} x ${Math.round(r.height)} px`));
  found.push(...small.slice(0, 4));
  assert(found.length === 0, `${name}:\n  ${found.join("\n  ")}`);
}

/// Runs a scenario; its error, with a picture of each window, is the error of the process.
export async function scenario(name, steps) {
  let failed;
  try {
    await steps();
    const faults = open.flatMap((page) => page.faults);
    assert(faults.length === 0, faults.join("\n"));
  } catch (error) {
    failed = error;
    for (const [n, page] of open.entries()) {
      await shot(page, `failed-${name}-${n}`).catch(() => {});
      console.error(`window ${n}: ${page.url()}`);
      console.error(await page.locator("main").innerText({ timeout: 1000 }).catch(() => "(no text)"));
    }
  }
  await browser?.close();
  if (failed) {
    console.error(failed.stack ?? String(failed));
    process.exit(1);
  }
}
