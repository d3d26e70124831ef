//! The agency's own login: a provider of OpenID Connect on loopback (tests/browser/provider.mjs), and somebody who logs in
//! there. `.ci/browser` brings what that needs.

use super::process::until;
use plated_core::runtime::Runtime;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Method};
use std::collections::BTreeMap;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

const SECRET: &str = "of-the-station-at-the-provider-0123456789";

/// Where the packages are; without them it says so and gives none.
pub fn installed() -> Option<PathBuf> {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/browser/node_modules");
    let ready = modules.join("oidc-provider").is_dir() && Command::new("node").arg("--version").output().is_ok();
    if !ready {
        let _ = writeln!(std::io::stderr(), "SKIPPED: no provider of OpenID Connect; .ci/browser installs it");
    }
    ready.then_some(modules)
}

/// A provider that runs until it is dropped.
pub struct Provider {
    child: Child,
    client: Client,
    runtime: Arc<Runtime>,
    port: u16,
}

impl Provider {
    /// On this port, for a station whose pages are there; both have the certificate in this folder.
    pub fn start(modules: &Path, dir: &Path, at: SocketAddr, station: SocketAddr) -> Self {
        let child = Command::new("node")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/provider.mjs"))
            .env("MODULES", modules)
            .env("PORT", at.port().to_string())
            .env("STATION", format!("https://localhost:{}", station.port()))
            .env("CERT", dir.join("console.crt"))
            .env("KEY", dir.join("console.key"))
            .env("SECRET", SECRET)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        until("the provider", || TcpStream::connect(at).ok());
        let runtime = Arc::new(Runtime::start().unwrap());
        // It is the station that has to look at the provider's certificate.
        let tls = plated_core::tls::client_without_certificate(&dir.join("ca.crt")).unwrap();
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self { child, client, runtime, port: at.port() }
    }

    /// `[pages.oidc]` of a station for it, and the file with its secret.
    pub fn table(dir: &Path, at: SocketAddr, station: SocketAddr, more: &str) -> String {
        let file = dir.join("oidc.secret");
        if !file.exists() {
            plated_core::tls::write_new(&file, format!("{SECRET}\n").as_bytes(), 0o400).unwrap();
        }
        format!(
            "[pages.oidc]\nagency = \"Springfield PD\"\nissuer = \"https://localhost:{}\"\nclient_id = \"plated\"\n\
             client_secret_file = \"oidc.secret\"\nca = \"ca.crt\"\naddress = \"https://localhost:{}\"\n{more}\n",
            at.port(),
            station.port()
        )
    }

    /// From now on it forges tokens in this way; nothing: it does not.
    pub fn forge(&self, mode: &str) {
        let url = format!("https://localhost:{}/test?{mode}", self.port);
        self.runtime.handle().block_on(async { self.client.get(url).send().await.unwrap() });
    }

    /// Somebody who is led to this address logs in by this name; where they are led back to.
    pub fn log_in(&self, to: &str, name: &str) -> String {
        let here = format!("https://localhost:{}", self.port);
        let (mut cookies, mut url, mut form) = (BTreeMap::new(), to.to_owned(), None);
        for _ in 0..12 {
            let Some(path) = url.strip_prefix(&here) else { return station_path(&url) };
            let jar: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let method = if form.is_some() { Method::POST } else { Method::GET };
            let request = self.client.request(method, format!("{here}{path}")).header(COOKIE, jar.join("; "));
            let request = match form.take() {
                Some(body) => request.header("content-type", "application/x-www-form-urlencoded").body::<String>(body),
                None => request,
            };
            let (next, text) = self.runtime.handle().block_on(async {
                let answer = request.send().await.unwrap();
                for set in answer.headers().get_all(SET_COOKIE) {
                    let (name, value) = set.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
                    cookies.insert(name.to_owned(), value.to_owned());
                }
                let next = answer.headers().get(LOCATION).map(|to| to.to_str().unwrap().to_owned());
                (next, answer.text().await.unwrap())
            });
            url = match next {
                Some(next) if next.starts_with('/') => format!("{here}{next}"),
                Some(next) => next,
                None => {
                    let action = text.split("action=\"").nth(1).and_then(|rest| rest.split('"').next());
                    form = Some(format!("prompt=login&login={name}&password=any"));
                    let action = action.unwrap_or_else(|| panic!("no form of the provider: {text}"));
                    if action.starts_with('/') { format!("{here}{action}") } else { action.to_owned() }
                }
            };
        }
        panic!("the provider leads round and round")
    }
}

/// What stands behind the station's host.
fn station_path(url: &str) -> String {
    let rest = url.strip_prefix("https://localhost:").unwrap_or_else(|| panic!("led to {url}"));
    rest[rest.find('/').unwrap()..].to_owned()
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
