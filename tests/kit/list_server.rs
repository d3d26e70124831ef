//! A server of lists on loopback, as an agency's source is: HTTPS with basic authentication and tags.

use plated_core::clock::SystemClock;
use plated_core::tls::authority::Authority;
use plated_core::tls::{Identity, page_server};
use rustls::{ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// What it says next.
#[derive(Clone, Debug, Default)]
pub struct Saying {
    /// Its file.
    pub body: Vec<u8>,
    /// Further fields of the head, each with `\r\n`.
    pub fields: String,
    /// It says this, whatever it is asked.
    pub status: Option<&'static str>,
    /// It stops after so many bytes of the body.
    pub cut: Option<usize>,
    /// `NAME:PASSWORD` in base 64; whoever shows nothing else gets nothing.
    pub login: Option<&'static str>,
}

pub struct ListServer {
    pub address: SocketAddr,
    /// The authority that signed its certificate.
    pub ca: PathBuf,
    saying: Arc<Mutex<Saying>>,
    seen: Arc<Mutex<Vec<String>>>,
}

impl ListServer {
    /// With its files in `dir`.
    pub fn start(dir: &Path) -> Self {
        let clock = SystemClock::new();
        let authority = Authority::create(dir, &clock).unwrap();
        let own = authority.issue_station(&["localhost".into(), "127.0.0.1".into()], &clock).unwrap();
        let mut config = page_server(&Identity::load_for_pages(&own.certificate, &own.key).unwrap()).unwrap();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
        let address = listener.local_addr().unwrap();
        let (saying, seen): (Arc<Mutex<Saying>>, Arc<Mutex<Vec<String>>>) = Default::default();
        let (says, sees) = (saying.clone(), seen.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut tls = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream);
                let saying = says.lock().unwrap().clone();
                // Whoever does not trust it goes away.
                let _ = answer(&mut tls, &saying, &sees);
            }
        });
        Self { address, ca: own.ca, saying, seen }
    }

    /// From now on it says this.
    pub fn say(&self, saying: Saying) {
        *self.saying.lock().unwrap() = saying;
    }

    /// Heads of the requests since this was asked last, in small letters.
    pub fn seen(&self) -> Vec<String> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

fn answer(stream: &mut (impl Read + Write), saying: &Saying, seen: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let etag = saying.fields.lines().find_map(|line| line.strip_prefix("ETag: "));
    let has_it =
        etag.is_some_and(|tag| head.to_lowercase().contains(&format!("if-none-match: {}", tag.to_lowercase())));
    let status = match saying.login {
        _ if saying.status.is_some() => saying.status.unwrap_or_default(),
        Some(login) if !head.contains(&format!("Basic {login}")) => "401 Unauthorized",
        _ if has_it => "304 Not Modified",
        _ => "200 OK",
    };
    seen.lock().unwrap().push(head.to_lowercase());
    let body: &[u8] = if status == "200 OK" { &saying.body } else { b"" };
    let fields = &saying.fields;
    write!(stream, "HTTP/1.1 {status}\r\n{fields}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
    stream.write_all(&body[..saying.cut.unwrap_or(body.len())])?;
    stream.flush()
}
