// A provider of OpenID Connect on loopback (node-oidc-provider, certified), over TLS, for the tests of the agency's own
// login. Whoever logs in gives any name; `jdoe~2` is somebody else whom it calls jdoe too. `/test?MODE` makes it forge the
// next ID tokens in some way, or change its key.
import { createHmac } from "node:crypto";
import fs from "node:fs";
import https from "node:https";
import path from "node:path";
import { pathToFileURL } from "node:url";

const { MODULES, PORT, STATION, CERT, KEY, SECRET } = process.env;
const load = (file) => import(pathToFileURL(path.join(MODULES, file)));
const { default: Provider } = await load("oidc-provider/lib/index.js");
const { generateKeyPair, exportJWK, importJWK, SignJWT, decodeJwt, decodeProtectedHeader } =
  await load("jose/dist/node/esm/index.js");

const issuer = `https://localhost:${PORT}`;
let number = 0;
let mode = "";
let key;
let callback;

async function new_key() {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  return { ...(await exportJWK(privateKey)), kid: `key-${++number}`, use: "sig", alg: "RS256" };
}

const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/// The token as somebody forges it.
async function forged(token) {
  const [claims, header] = [decodeJwt(token), decodeProtectedHeader(token)];
  const signed = async (changed, by = key) =>
    new SignJWT({ ...claims, ...changed }).setProtectedHeader(header).sign(await importJWK(by, "RS256"));
  const now = Math.floor(Date.now() / 1000);
  switch (mode) {
    case "none": return `${encoded({ alg: "none" })}.${encoded(claims)}.`;
    case "hmac": {
      const text = `${encoded({ alg: "HS256" })}.${encoded(claims)}`;
      return `${text}.${createHmac("sha256", SECRET).update(text).digest("base64url")}`;
    }
    case "foreign": return signed({}, await new_key());
    case "expired": return signed({ iat: now - 7200, exp: now - 3600 });
    case "audience": return signed({ aud: "another-program" });
    case "issuer": return signed({ iss: "https://evil.example" });
    case "nonce": return signed({ nonce: "of-another-login" });
    case "stale": return signed({ auth_time: now - 7200 });
    case "somebody": return signed({ sub: "somebody-else" });
    default: return token;
  }
}

async function begin() {
  key = await new_key();
  const provider = new Provider(issuer, {
    clients: [{
      client_id: "plated",
      client_secret: SECRET,
      redirect_uris: [`${STATION}/login/agency/back`],
      post_logout_redirect_uris: [`${STATION}/login`],
    }],
    jwks: { keys: [key] },
    cookies: { keys: ["of this test"] },
    pkce: { methods: ["S256"], required: () => true },
    claims: { openid: ["sub"], profile: ["preferred_username"] },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, preferred_username: id.split("~")[0] }),
    }),
    // Nobody is asked whether the station may know them.
    async loadExistingGrant(ctx) {
      const { client, session } = ctx.oidc;
      const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope("openid profile");
      await grant.save();
      return grant;
    },
  });
  provider.use(async (ctx, next) => {
    await next();
    if (mode && ctx.oidc?.route === "token" && ctx.body?.id_token) {
      ctx.body = { ...ctx.body, id_token: await forged(ctx.body.id_token) };
    }
  });
  callback = provider.callback();
}

await begin();
const tls = { cert: fs.readFileSync(CERT), key: fs.readFileSync(KEY) };
https.createServer(tls, async (request, answer) => {
  if (request.url.startsWith("/test?")) {
    mode = request.url.slice("/test?".length);
    if (mode === "rotate") {
      mode = "";
      await begin();
    }
    answer.end("ok");
    return;
  }
  callback(request, answer);
}).listen(Number(PORT), "127.0.0.1", () => console.log("ready"));
