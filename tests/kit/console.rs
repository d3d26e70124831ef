//! A console over a real store, and a browser without a window.

use super::store::Place;
use plated_access::{Actor, Grants, LoginName, NewUser, Password, Reason, Role};
use plated_core::clock::SystemClock;
use plated_core::runtime::Runtime;
use plated_core::shutdown::Shutdown;
use plated_core::tls::authority::Authority;
use plated_core::user::SystemUser;
use plated_vehicle::announcement::{Announcement, Published};
use plated_vehicle::config::Config;
use plated_vehicle::console::{self, AimState, CameraAccess, Parts, Running};
use plated_vehicle::control::OfficerService;
use plated_vehicle::events::Hub;
use plated_vehicle::health::Health;
use plated_vehicle::store::{NewRead, Store};
use plated_vision::frame::Frame;
use reqwest::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub const PASSWORD: &str = "walnut gravel tuesday";
const PATIENCE: Duration = Duration::from_secs(60);

/// A vehicle's store, its officers' service and its console.
pub struct Desk {
    running: Option<Running>,
    pub service: Arc<OfficerService>,
    pub store: Store,
    pub events: Hub<Published>,
    pub health: Arc<Health>,
    /// What the one camera sees.
    pub newest: Arc<Mutex<Option<Frame>>>,
    /// How often it was said to be aimed anew.
    pub learned_anew: Arc<AtomicU32>,
    pub place: Place,
    ca: PathBuf,
    stop: Shutdown,
    runtime: Arc<Runtime>,
}

impl Desk {
    pub fn new() -> Self {
        Self::with("", "")
    }

    /// The same with these keys of `[access.accounts]`, and this at the end of its configuration.
    pub fn with(accounts: &str, more: &str) -> Self {
        let place = Place::new();
        place.clock.jump_to(jiff::Timestamp::now());
        let (dir, clock) = (place.dir.path(), SystemClock::new());
        let authority = Authority::create(&dir.join("authority"), &clock).unwrap();
        let issued = authority.issue_console(&["localhost".into(), "127.0.0.1".into()], dir, &clock).unwrap();
        let text = format!(
            "vehicle = \"unit-7\"\nsources = [{{ name = \"a\", kind = \"video\", path = \"a\" }}]\n\
             [store]\npath = \"store.db\"\nkey_file = \"store.key\"\n\
             [console]\nlisten = \"127.0.0.1:0\"\ncertificate = \"console.crt\"\nkey = \"console.key\"\n\
             [access.accounts]\nargon2_memory_kib = 19456\nargon2_passes = 2\n{accounts}\n{more}"
        );
        std::fs::write(dir.join("plated.toml"), text).unwrap();
        let config = Config::load(&dir.join("plated.toml")).unwrap();
        let (store, _) = place.open();
        let service = Arc::new(OfficerService::open(&config, store.clone(), place.clock.clone()));
        let (events, health, stop) = (Hub::default(), Arc::new(Health::default()), Shutdown::new());
        service.tell_events(events.clone());
        service.tell_health(health.clone());
        let (newest, learned_anew) = (Arc::<Mutex<Option<Frame>>>::default(), Arc::<AtomicU32>::default());
        let (seen, count) = (newest.clone(), learned_anew.clone());
        let parts = Parts {
            officers: service.clone(),
            store: store.clone(),
            events: events.clone(),
            health: health.clone(),
            cameras: CameraAccess {
                status: Box::new(Vec::new),
                newest: Box::new(move |_, _| seen.lock().unwrap().clone()),
                aim: Box::new(|_| AimState::default()),
                learn_anew: Box::new(move |_| {
                    count.fetch_add(1, Ordering::Relaxed);
                }),
            },
            clock: place.clock.clone(),
        };
        let runtime = Arc::new(Runtime::start().unwrap());
        let running = console::start(&config, parts, runtime.handle(), &stop);
        assert!(running.is_some(), "{:?}", health.parts());
        Self { running, service, store, events, health, newest, learned_anew, place, ca: issued.ca, stop, runtime }
    }

    pub fn routes(&self) -> Vec<console::Route> {
        self.running.as_ref().unwrap().routes().to_vec()
    }

    /// Somebody of this role, trained yesterday, who sees every list.
    pub fn hire(&self, name: &str, role: Role) {
        self.hire_with(name, role, |_| {});
    }

    pub fn hire_with(&self, name: &str, role: Role, change: impl Fn(&mut NewUser)) {
        let yesterday = (jiff::Zoned::now().date()).yesterday().unwrap();
        let mut user = NewUser {
            name: LoginName::new(name).unwrap(),
            full_name: "Robin Vale".into(),
            title: "Sergeant".into(),
            agency: "Springfield PD".into(),
            role,
            trained: Some(yesterday),
            grants: Grants { every_list: true, clets: true, ..Grants::default() },
            must_change_password: false,
        };
        change(&mut user);
        let why = Reason::new("hired").unwrap();
        self.service.accounts().unwrap().add(&root(), user, &Password::new(PASSWORD), &why).unwrap();
    }

    /// A browser that has never been here.
    pub fn browser(&self) -> Browser {
        Browser::new(self.running.as_ref().unwrap().address().port(), &self.ca, self.runtime.clone())
    }

    /// One in which this officer has logged in, and said why.
    pub fn watching(&self, name: &str) -> Browser {
        let browser = self.logged_in(name);
        let done = browser.submit("/purpose", &[("purpose", "locate_vehicle"), ("case", "26-1234")]);
        assert_eq!((done.status, done.to.as_str()), (StatusCode::SEE_OTHER, "/"), "{}", done.body);
        browser
    }

    pub fn logged_in(&self, name: &str) -> Browser {
        let browser = self.browser();
        let done = browser.log_in(name, PASSWORD);
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
        browser
    }

    /// Keeps a read and makes it known, as the daemon does.
    pub fn read(&self, new: &NewRead) {
        self.store.put_read(new).unwrap();
        let shown = new.record.clone();
        for hit in &shown.hits {
            let hit = Box::new(hit.clone());
            let (read, captured) = (Box::new(shown.clone()), Duration::ZERO);
            self.publish(Announcement::Hit { read, hit, captured, pictures: Vec::new() });
        }
        self.publish(Announcement::Read { read: Box::new(shown), pictures: Vec::new() });
    }

    /// Makes something known.
    pub fn publish(&self, announcement: Announcement) {
        self.events.publish(Published::new(announcement, self.service.settings().clone()), 1);
    }

    /// From now on nothing can be put on record.
    pub fn break_record(&self) {
        self.break_record_where("1");
    }

    /// The same for rows of this action.
    pub fn break_record_of(&self, action: &str) {
        self.break_record_where(&format!("NEW.action = '{action}'"));
    }

    fn break_record_where(&self, which: &str) {
        let fault = format!(
            "CREATE TRIGGER fault BEFORE INSERT ON audit WHEN {which} BEGIN SELECT raise(ABORT, 'fault'); END;"
        );
        let hex = std::fs::read_to_string(self.place.dir.path().join("store.key")).unwrap();
        let conn = rusqlite::Connection::open(self.place.path()).unwrap();
        conn.execute_batch(&format!("PRAGMA key = \"x'{}'\";", hex.trim())).unwrap();
        conn.execute_batch(&fault).unwrap();
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.events.close();
        self.stop.request();
        self.running.take();
    }
}

pub fn root() -> Actor {
    Actor::SystemUser(SystemUser { user: "root".into(), uid: 0 })
}

/// What a browser got.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    /// Where it is led to; empty for nowhere.
    pub to: String,
    pub headers: HeaderMap,
    pub body: String,
}

/// A browser: it keeps cookies and the token of the last page, and follows nothing by itself.
pub struct Browser {
    client: Client,
    base: String,
    runtime: Arc<Runtime>,
    cookies: Mutex<BTreeMap<String, String>>,
}

impl Browser {
    /// For the console at this port, which trusts this authority.
    pub fn new(port: u16, ca: &Path, runtime: Arc<Runtime>) -> Self {
        use rustls::pki_types::{CertificateDer, pem::PemObject};
        let mut authorities = rustls::RootCertStore::empty();
        authorities.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(authorities)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .build()
            .unwrap();
        Self { client, base: format!("https://localhost:{port}"), runtime, cookies: Mutex::default() }
    }

    /// Is led to another server by the same name, as by a load balancer.
    pub fn turn_to(&mut self, port: u16) {
        self.base = format!("https://localhost:{port}");
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path))
    }

    /// Opens a page and sends its form to the same address.
    pub fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let page = self.get(path);
        self.post(path, &page.token(), fields)
    }

    pub fn post(&self, path: &str, token: &str, fields: &[(&str, &str)]) -> Answer {
        let pairs = fields.iter().copied().chain([("csrf", token)]);
        let pairs: Vec<_> = pairs.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let request = self.request(Method::POST, path).body(pairs.join("&"));
        self.send(request.header("content-type", "application/x-www-form-urlencoded"))
    }

    /// A picture, or another file.
    pub fn fetch(&self, path: &str) -> (StatusCode, Vec<u8>) {
        let request = self.request(Method::GET, path);
        self.runtime.handle().block_on(async {
            let answer = request.send().await.unwrap();
            (answer.status(), answer.bytes().await.unwrap().to_vec())
        })
    }

    /// The same for an answer that is a file.
    pub fn download(&self, path: &str, token: &str, fields: &[(&str, &str)]) -> (StatusCode, Vec<u8>) {
        let pairs = fields.iter().copied().chain([("csrf", token)]);
        let pairs: Vec<_> = pairs.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let request = self.request(Method::POST, path).body(pairs.join("&"));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        self.runtime.handle().block_on(async {
            let answer = request.send().await.unwrap();
            (answer.status(), answer.bytes().await.unwrap().to_vec())
        })
    }

    pub fn log_in(&self, name: &str, password: &str) -> Answer {
        self.submit("/login", &[("name", name), ("password", password)])
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let cookies: Vec<_> =
            self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = self.client.request(method, format!("{}{path}", self.base)).header("accept", "text/html");
        if cookies.is_empty() { request } else { request.header(COOKIE, cookies.join("; ")) }
    }

    pub fn send(&self, request: RequestBuilder) -> Answer {
        self.runtime.handle().block_on(async {
            let answer = request.send().await.unwrap();
            self.keep(&answer);
            let to = answer.headers().get(LOCATION).map(|to| to.to_str().unwrap().to_owned()).unwrap_or_default();
            let (status, headers) = (answer.status(), answer.headers().clone());
            let body = String::from_utf8_lossy(&answer.bytes().await.unwrap()).into_owned();
            Answer { status, to, headers, body }
        })
    }

    fn keep(&self, answer: &Response) {
        let mut cookies = self.cookies.lock().unwrap();
        for set in answer.headers().get_all(SET_COOKIE) {
            let (pair, attributes) = set.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            assert!(name.starts_with("__Host-") && attributes.contains("Secure") && attributes.contains("HttpOnly"));
            if attributes.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// Listens to live events at this address, as an open page does.
    pub fn listen(&self, path: &str) -> Events {
        self.listen_to(self.request(Method::GET, path))
    }

    /// The same for a request that was made already.
    pub fn listen_to(&self, request: RequestBuilder) -> Events {
        let answer = self.runtime.handle().block_on(async { request.send().await.unwrap() });
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Events { answer, text: String::new(), runtime: self.runtime.clone() }
    }
}

fn encoded(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    text.bytes().map(|b| if plain(b) { (b as char).to_string() } else { format!("%{b:02X}") }).collect()
}

impl Answer {
    /// The page's token.
    pub fn token(&self) -> String {
        let at = self.body.find("name=\"csrf\" content=\"").map(|at| at + 21);
        at.map_or_else(String::new, |at| self.body[at..].split('"').next().unwrap().to_owned())
    }

    /// The address of the page's live events.
    pub fn events(&self) -> String {
        let at = self.body.find("data-events=\"").expect("a page without live events") + 13;
        self.body[at..].split('"').next().unwrap().to_owned()
    }
}

/// Live events as they come.
pub struct Events {
    answer: Response,
    text: String,
    runtime: Arc<Runtime>,
}

/// One of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    pub id: String,
    pub name: String,
    pub data: String,
}

impl Events {
    /// Of the answer.
    pub fn headers(&self) -> &HeaderMap {
        self.answer.headers()
    }

    /// The next one of these names; `None` at the end.
    pub fn next_of(&mut self, names: &[&str]) -> Option<Event> {
        loop {
            let event = self.next()?;
            if names.contains(&event.name.as_str()) {
                return Some(event);
            }
        }
    }

    fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                let mut event = Event::default();
                for line in block.lines() {
                    match line.split_once(": ") {
                        Some(("id", id)) => event.id = id.into(),
                        Some(("event", name)) => event.name = name.into(),
                        Some(("data", data)) => event.data += &format!("{data}\n"),
                        _ => {}
                    }
                }
                if !event.name.is_empty() {
                    event.data = event.data.trim_end().to_owned();
                    return Some(event);
                }
                continue;
            }
            let (runtime, answer) = (self.runtime.clone(), &mut self.answer);
            let chunk = runtime.handle().block_on(async { answer.chunk().await.ok().flatten() })?;
            self.text.push_str(&String::from_utf8_lossy(&chunk));
        }
    }
}
