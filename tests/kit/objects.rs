//! S3-compatible object storage on loopback, over a folder: the calls that the archive needs, as Amazon describes them
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/>). A crate would do more and take minutes to build.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use plated_core::digest::Sha256;
use plated_core::tls::{Identity, page_server};
use plated_station::StationConfig;
use plated_station::archive::ObjectOptions;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

const KEY_ID: &str = "AKTEST";
const SECRET: &str = "a secret of tests";
/// Objects in one page of a list: few, so that there are several pages.
const PAGE: usize = 3;
const MAX_BODY: usize = 128 << 20;

/// A storage. It ends with the program.
pub struct Objects {
    inner: Arc<Inner>,
    address: SocketAddr,
    scheme: &'static str,
}

struct Inner {
    dir: TempDir,
    /// So many requests it answers; then it answers 503 to everything.
    answers: AtomicU64,
    refused: AtomicU64,
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
static SHARED: LazyLock<Objects> = LazyLock::new(Objects::start);

impl Objects {
    /// The one for all tests of this program.
    pub fn shared() -> &'static Self {
        &SHARED
    }

    /// One that a test has for itself.
    pub fn start() -> Self {
        let (objects, listener, router) = Self::make("http");
        RUNTIME.spawn(async move {
            axum::serve(tokio::net::TcpListener::from_std(listener).unwrap(), router).await.unwrap();
        });
        objects
    }

    /// The same over TLS, with the certificate of this station.
    pub fn start_tls(config: &StationConfig) -> Self {
        let (objects, listener, router) = Self::make("https");
        let identity = Identity::load_for_pages(&config.certificate, &config.key).unwrap();
        let tls = page_server(&identity).unwrap();
        RUNTIME.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(TlsListener(listener, Arc::new(tls).into()), router).await.unwrap();
        });
        objects
    }

    fn make(scheme: &'static str) -> (Self, std::net::TcpListener, Router) {
        let (answers, refused) = (AtomicU64::new(u64::MAX), AtomicU64::new(0));
        let inner = Arc::new(Inner { dir: tempfile::tempdir().unwrap(), answers, refused });
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(inner.clone());
        (Self { inner, address, scheme }, listener, router)
    }

    /// From now on, or not any more, it answers 503.
    pub fn be_busy(&self, is_busy: bool) {
        self.answer(if is_busy { 0 } else { u64::MAX });
    }

    /// Answers so many more requests, and then 503.
    pub fn answer(&self, requests: u64) {
        self.inner.answers.store(requests, Ordering::Relaxed);
    }

    /// How many requests it refused.
    pub fn refused(&self) -> u64 {
        self.inner.refused.load(Ordering::Relaxed)
    }

    /// A new bucket, and how it is reached.
    pub fn bucket(&self) -> ObjectOptions {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let bucket = format!("bucket-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        std::fs::create_dir(self.inner.dir.path().join(&bucket)).unwrap();
        ObjectOptions {
            bucket,
            endpoint: Some(format!("{}://{}", self.scheme, self.address)),
            region: "us-east-1".into(),
            key_id: KEY_ID.into(),
            secret: SECRET.into(),
            ca: None,
        }
    }

    /// The packs in a bucket, as files.
    pub fn packs(&self, bucket: &str) -> Vec<PathBuf> {
        let mut all = files(&self.inner.dir.path().join(bucket));
        all.retain(|path| path.extension().is_some_and(|e| e == "pack"));
        all
    }
}

/// Takes those connections whose handshake goes well, one after the other.
struct TlsListener(tokio::net::TcpListener, TlsAcceptor);

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<tokio::net::TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, address)) = self.0.accept().await else { continue };
            if let Ok(stream) = self.1.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

async fn answer(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let one_less = |answers: u64| if answers == u64::MAX { Some(answers) } else { answers.checked_sub(1) };
    if inner.answers.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_err() {
        inner.refused.fetch_add(1, Ordering::Relaxed);
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, MAX_BODY).await.unwrap();
    if !is_signed(&parts.headers, &body) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let path = parts.uri.path().trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let root = inner.dir.path().join(bucket);
    let place = root.join(key);
    let query = parts.uri.query().unwrap_or_default();
    match (parts.method, key.is_empty()) {
        (Method::GET, true) => list(&root, query),
        (Method::POST, true) => delete(&root, &body),
        (Method::PUT, false) => {
            std::fs::create_dir_all(place.parent().unwrap()).unwrap();
            // Whole or not at all, as there.
            let part = place.with_extension("part");
            std::fs::write(&part, &body).unwrap();
            std::fs::rename(&part, &place).unwrap();
            ([(header::ETAG, etag(&body))], "").into_response()
        }
        (Method::GET | Method::HEAD, false) => get(&place, &parts.headers),
        (Method::DELETE, false) => {
            let _ = std::fs::remove_file(place);
            StatusCode::NO_CONTENT.into_response()
        }
        _ => StatusCode::NOT_IMPLEMENTED.into_response(),
    }
}

/// Whether the request is signed in the name of the key, and the body is the one that was signed.
fn is_signed(headers: &HeaderMap, body: &[u8]) -> bool {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let hash = header("x-amz-content-sha256");
    header("authorization").starts_with(&format!("AWS4-HMAC-SHA256 Credential={KEY_ID}/"))
        && (hash == Sha256::of(body).to_string() || hash == "UNSIGNED-PAYLOAD")
}

fn etag(bytes: &[u8]) -> String {
    format!("\"{}\"", &Sha256::of(bytes).to_string()[..32])
}

fn get(place: &Path, headers: &HeaderMap) -> Response {
    let Ok(bytes) = std::fs::read(place) else { return StatusCode::NOT_FOUND.into_response() };
    let common = [(header::ETAG, etag(&bytes)), (header::LAST_MODIFIED, "Thu, 26 Nov 2026 12:00:00 GMT".into())];
    let range = headers.get(header::RANGE).and_then(|value| value.to_str().ok()?.strip_prefix("bytes="));
    let Some((start, end)) = range.and_then(|range| range.split_once('-')) else {
        return (common, Body::from(bytes)).into_response();
    };
    let (start, end): (usize, usize) = (start.parse().unwrap(), end.parse().unwrap());
    if start >= bytes.len() {
        return StatusCode::RANGE_NOT_SATISFIABLE.into_response();
    }
    let end = (end + 1).min(bytes.len());
    let range = [(header::CONTENT_RANGE, format!("bytes {start}-{}/{}", end - 1, bytes.len()))];
    (StatusCode::PARTIAL_CONTENT, common, range, Bytes::copy_from_slice(&bytes[start..end])).into_response()
}

fn list(root: &Path, query: &str) -> Response {
    let asked = |name: &str| {
        let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
        Some(value.replace("%2F", "/"))
    };
    let (prefix, after) = (asked("prefix").unwrap_or_default(), asked("continuation-token").unwrap_or_default());
    let name = |path: &PathBuf| path.strip_prefix(root).unwrap().display().to_string();
    let mut keys: Vec<String> = files(root).iter().map(name).collect();
    keys.retain(|key| key.starts_with(&prefix) && *key > after);
    let more = keys.len() > PAGE;
    keys.truncate(PAGE);
    let object = |key: &String| {
        let size = std::fs::metadata(root.join(key)).map_or(0, |meta| meta.len());
        format!(
            "<Contents><Key>{key}</Key><LastModified>2026-11-26T12:00:00.000Z</LastModified><ETag>\"x\"</ETag>\
             <Size>{size}</Size></Contents>"
        )
    };
    let next = match keys.last().filter(|_| more) {
        Some(last) => format!("<NextContinuationToken>{last}</NextContinuationToken>"),
        None => String::new(),
    };
    let all: String = keys.iter().map(object).collect();
    xml(&format!("<ListBucketResult><IsTruncated>{more}</IsTruncated>{all}{next}</ListBucketResult>"))
}

fn delete(root: &Path, body: &[u8]) -> Response {
    let text = std::str::from_utf8(body).unwrap();
    let keys = text.split("<Key>").skip(1).map(|rest| rest.split("</Key>").next().unwrap());
    let one = |key: &str| {
        let _ = std::fs::remove_file(root.join(key));
        format!("<Deleted><Key>{key}</Key></Deleted>")
    };
    xml(&format!("<DeleteResult>{}</DeleteResult>", keys.map(one).collect::<String>()))
}

fn xml(text: &str) -> Response {
    ([(header::CONTENT_TYPE, "application/xml")], format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>{text}"))
        .into_response()
}

/// All files below a folder, in their order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => all.extend(files(&path)),
            path => all.push(path),
        }
    }
    all.sort();
    all
}
