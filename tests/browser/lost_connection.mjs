import net from "node:net";
import { assert, open_window, log_in, scenario } from "./kit.mjs";

// A road to the console that can be cut.
function road(to) {
  const sockets = new Set();
  const server = net.createServer((near) => {
    const far = net.connect(to, "127.0.0.1");
    for (const [socket, other] of [[near, far], [far, near]]) {
      sockets.add(socket);
      socket.on("close", () => { sockets.delete(socket); other.destroy(); });
      socket.on("error", () => {});
    }
    near.pipe(far).pipe(near);
  });
  const listen = (port) => new Promise((ready) => server.listen(port, "127.0.0.1", () => ready(server.address().port)));
  const cut = () => new Promise((done) => {
    server.close(done);
    for (const socket of sockets) socket.destroy();
  });
  return { listen, cut };
}

await scenario("lost_connection", async () => {
  const { listen, cut } = road(Number(new URL(process.env.CONSOLE).port));
  const port = await listen(0);
  const page = await open_window({ address: `https://localhost:${port}` });
  await log_in(page, "jdoe");
  await page.locator(".read").first().waitFor();
  const connection = page.locator("[data-connection-text]");
  const said = (wanted) => page.waitForFunction(
    ([text, same]) => (document.querySelector("[data-connection-text]")?.innerText === text) === same, wanted);
  const well = await connection.innerText();
  await cut();
  await said([well, false]);
  const lost = await connection.innerText();
  assert(/lost|no connection|cut/i.test(lost), `it says that the connection is lost: ${lost}`);
  const seen = await page.locator(".read").first().getAttribute("id");
  await page.waitForTimeout(60_000); // The cut itself: far longer than a browser tries by itself.
  await listen(port);
  await said([well, true]);
  await page.waitForFunction((id) => document.querySelector(".read")?.id !== id, seen);
  const ids = await page.locator(".read").evaluateAll((all) => all.map((e) => e.id));
  assert(new Set(ids).size === ids.length, "no read is there twice");
  await page.close();
  await cut();
});
