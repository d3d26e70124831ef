import { open_window, log_in, examine, shot, scenario, CAR, DESK } from "./kit.mjs";

const officer = ["/", "/alerts", "/findings", "/search", "/reads", "/entries", "/canvass", "/shift", "/account", "/purpose", "/performance"];
const chief = ["/users", "/users/new", "/users/jdoe", "/review", "/lists", "/cameras", "/cameras/front", "/purposes", "/shift"];

await scenario("pages", async () => {
  for (const [size, theme] of [[CAR, "light"], [CAR, "dark"], [DESK, "light"]]) {
    for (const [name, paths] of [["jdoe", officer], ["chief", chief]]) {
      const page = await open_window({ size, theme, touch: size === CAR });
      await page.goto("/login");
      await examine(page, "/login");
      await log_in(page, name);
      let read;
      for (const path of paths) {
        await page.goto(path === "/reads" ? read : path);
        if (path === "/") {
          await page.locator(".read").first().waitFor();
          read = await page.locator(".read a").first().getAttribute("href");
        }
        await examine(page, `${path} at ${size.width} by ${theme}`);
        await shot(page, `${path.replaceAll("/", "-").replace(/^-$/, "-live").slice(1)}-${size.width}-${theme === "light" ? "day" : "night"}`);
      }
    }
  }
});
