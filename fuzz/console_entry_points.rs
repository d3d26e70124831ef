//! Where requests of browsers and programs enter the console; one function for each fuzz target.
//!
//! `tests/vehicle/console/fuzzing.rs` runs them too, over the corpus and changes of it.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use plated_access::{Actor, Grants, LoginName, NewUser, Password, Reason, Role};
use plated_core::clock::{Clock, SystemClock};
use plated_core::runtime::Runtime;
use plated_core::shutdown::Shutdown;
use plated_core::tls::authority::Authority;
use plated_core::user::SystemUser;
use plated_vehicle::config::Config;
use plated_vehicle::console::{self, AimState, CameraAccess, Parts, Running};
use plated_vehicle::control::OfficerService;
use plated_vehicle::events::Hub;
use plated_vehicle::health::Health;
use plated_vehicle::store::{AlertMark, Key, NewRead, Options, Store};
use plated_web::bearer::{self, Credentials};
use plated_web::sse;
use std::sync::{Arc, LazyLock};
use tower::ServiceExt;

/// Takes any bytes.
pub type EntryPoint = fn(&[u8]);

/// The entry points by name.
pub const TARGETS: [(&str, EntryPoint); 2] = [("console", console), ("program", program)];

/// A plate in the store that no page may show to whoever is not logged in.
const PLATE: &str = "9QZX731";
/// A read as its golden file has it.
const READ: &str = include_str!("../tests/golden/read_record.json");

/// A console over a store, and somebody who looks.
struct Desk {
    running: Running,
    runtime: Runtime,
    /// Cookie and token of forms of an officer who has said why.
    session: (String, String),
    _folder: tempfile::TempDir,
}

static DESK: LazyLock<Desk> = LazyLock::new(Desk::new);

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (dir, clock) = (folder.path(), SystemClock::new());
        let authority = Authority::create(&dir.join("authority"), &clock).expect("an authority");
        authority.issue_console(&["localhost".into()], dir, &clock).expect("a certificate");
        let text = "vehicle = \"unit-7\"\nsources = [{ name = \"a\", kind = \"video\", path = \"a\" }]\n\
                    [store]\npath = \"store.db\"\nkey_file = \"store.key\"\n\
                    [console]\nlisten = \"127.0.0.1:0\"\ncertificate = \"console.crt\"\nkey = \"console.key\"\n\
                    [access.accounts]\nargon2_memory_kib = 19456\nargon2_passes = 2\n";
        std::fs::write(dir.join("plated.toml"), text).expect("a file");
        let config = Config::load(&dir.join("plated.toml")).expect("a configuration");
        let key = Key::create_file(&dir.join("store.key")).expect("a key");
        let clock: Arc<dyn Clock> = Arc::new(clock);
        let (store, _) = Store::open(Options::from(&config), &key, clock.clone()).expect("a store");
        let officers = Arc::new(OfficerService::open(&config, store.clone(), clock.clone()));
        let mut record: plated_core::record::ReadRecord = serde_json::from_str(READ).expect("a read");
        (record.text, record.images, record.last_seen) = (PLATE.into(), Vec::new(), clock.wall());
        record.hits.iter_mut().for_each(|hit| (hit.text, hit.at) = (PLATE.into(), clock.wall()));
        store.put_read(&NewRead { record, images: Vec::new(), open: false }).expect("kept");
        let token = log_in(&officers, &clock);
        let parts = Parts {
            officers,
            store,
            events: Hub::default(),
            health: Arc::new(Health::default()),
            cameras: CameraAccess {
                status: Box::new(Vec::new),
                newest: Box::new(|_, _| None),
                aim: Box::new(|_| AimState::default()),
                learn_anew: Box::new(|_| ()),
            },
            clock,
        };
        let runtime = Runtime::start().expect("a runtime");
        let running = console::start(&config, parts, runtime.handle(), &Shutdown::new()).expect("a console");
        let mut desk =
            Self { running, runtime, session: (format!("__Host-session={token}"), String::new()), _folder: folder };
        let page = desk
            .answer(Request::get("/purpose").header("cookie", &desk.session.0).body(Body::empty()).expect("a request"));
        desk.session.1 = form_token(&page.1);
        let why = Request::post("/purpose")
            .header("cookie", &desk.session.0)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("x-csrf-token", &desk.session.1)
            .body(Body::from("purpose=locate_vehicle&case=26-1234"))
            .expect("a request");
        assert_eq!(desk.answer(why).0.status(), StatusCode::SEE_OTHER);
        desk
    }

    /// The answer and, unless it never ends, its body.
    fn answer(&self, request: Request) -> (Response, String) {
        let router = self.running.router();
        self.runtime.handle().block_on(async move {
            let answer = router.oneshot(request).await.expect("an answer");
            if answer.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream") {
                return (answer, String::new());
            }
            let (parts, body) = answer.into_parts();
            let bytes = to_bytes(body, 8 << 20).await.expect("a body");
            (Response::from_parts(parts, Body::empty()), String::from_utf8_lossy(&bytes).into_owned())
        })
    }
}

/// An officer with an account, and the token of a session.
fn log_in(officers: &OfficerService, clock: &Arc<dyn Clock>) -> String {
    let today = clock.wall().to_zoned(jiff::tz::TimeZone::UTC).date();
    let user = NewUser {
        name: LoginName::new("jdoe").expect("a name"),
        full_name: "John Doe".into(),
        title: "Officer".into(),
        agency: "Example PD".into(),
        role: Role::Supervisor,
        trained: Some(today),
        grants: Grants { every_list: true, clets: true, ..Grants::default() },
        must_change_password: false,
    };
    let (password, why) = (Password::new("walnut gravel tuesday"), Reason::new("hired").expect("a reason"));
    let root = Actor::SystemUser(SystemUser { user: "root".into(), uid: 0 });
    let accounts = officers.accounts().expect("accounts");
    accounts.add(&root, user, &password, &why).expect("an account");
    accounts.login("jdoe", &password, None).expect("a session").token.to_hex().to_string()
}

fn form_token(page: &str) -> String {
    let at = page.find("name=\"csrf\" content=\"").expect("a token") + 21;
    page[at..].split('"').next().unwrap_or_default().to_owned()
}

/// A request: method and address on the first line, headers on the next ones, a blank line, the body. Whoever
/// is not logged in gets no page of data by it, and nobody a failure of the program.
pub fn console(bytes: &[u8]) {
    let Some(parsed) = Parsed::of(bytes) else { return };
    let (answer, body) = DESK.answer(parsed.request(None));
    assert!(!failed(answer.status()), "{}: {body}", answer.status());
    assert!(!body.contains(PLATE) || String::from_utf8_lossy(bytes).contains(PLATE), "data without a session");
    // Logged out, the officer would see nothing any more.
    if ["/logout", "/lock", "/account", "/purpose"].iter().any(|path| parsed.uri.path().starts_with(path)) {
        return;
    }
    let (answer, body) = DESK.answer(parsed.request(Some(&DESK.session)));
    assert!(!failed(answer.status()), "{}: {body}", answer.status());
}

/// A failure of the program, or a disk that is full, which this one is not.
fn failed(status: StatusCode) -> bool {
    status.is_server_error() && status != StatusCode::SERVICE_UNAVAILABLE
}

struct Parsed {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Parsed {
    /// What HTTP itself would refuse is no request.
    fn of(bytes: &[u8]) -> Option<Self> {
        let (head, body) = match bytes.windows(2).position(|two| two == b"\n\n") {
            Some(at) => (&bytes[..at], &bytes[at + 2..]),
            None => (bytes, &b""[..]),
        };
        let mut lines = head.split(|b| *b == b'\n');
        let mut first = lines.next()?.splitn(2, |b| *b == b' ');
        let method = Method::from_bytes(first.next()?).ok()?;
        let uri = Uri::try_from(first.next()?).ok().filter(|uri| uri.path().starts_with('/'))?;
        let mut headers = HeaderMap::new();
        for line in lines {
            let at = line.iter().position(|b| *b == b':')?;
            let name = HeaderName::from_bytes(&line[..at]).ok()?;
            headers.append(name, HeaderValue::from_bytes(line[at + 1..].trim_ascii()).ok()?);
        }
        Some(Self { method, uri, headers, body: body.to_vec() })
    }

    fn request(&self, session: Option<&(String, String)>) -> Request {
        let mut request = Request::new(Body::from(self.body.clone()));
        (*request.method_mut(), *request.uri_mut()) = (self.method.clone(), self.uri.clone());
        *request.headers_mut() = self.headers.clone();
        if let Some((cookie, csrf)) = session {
            let value = |text: &str| HeaderValue::from_str(text).expect("plain text");
            request.headers_mut().insert(header::COOKIE, value(cookie));
            request.headers_mut().insert(HeaderName::from_static("x-csrf-token"), value(csrf));
        }
        request
    }
}

/// `Authorization` and `Last-Event-ID` of a program, one on each line.
pub fn program(bytes: &[u8]) {
    let mut lines = bytes.split(|b| *b == b'\n');
    let mut headers = HeaderMap::new();
    for name in [header::AUTHORIZATION, HeaderName::from_static("last-event-id")] {
        let value = lines.next().and_then(|line| HeaderValue::from_bytes(line).ok());
        value.into_iter().for_each(|value| drop(headers.insert(name.clone(), value)));
    }
    if let Credentials::Bearer(token) = bearer::credentials(&headers) {
        assert!(!token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic()));
    }
    let last = sse::resume_after(&headers, &Uri::from_static("/subscribers/alerts"));
    if let Some(mark) = last.as_deref().and_then(AlertMark::parse) {
        assert!(mark.number >= 0);
        assert_eq!(AlertMark::parse(&mark.to_string()), Some(mark));
    }
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = Uri::from_static("/subscribers/alerts");
    *request.headers_mut() = headers;
    assert_eq!(DESK.answer(request).0.status(), StatusCode::UNAUTHORIZED, "nobody was given a token");
}
