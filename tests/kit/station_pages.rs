//! A station with pages, and browsers without a window in front of it.

use super::console::{Browser, PASSWORD};
use super::{Batch, Depot, VEHICLE, batch, body, pictures, post, seal};
use plated_core::clock::SystemClock;
use plated_core::digest::Sha256;
use plated_core::officers::Correction;
use plated_core::record::ReadRecord;
use plated_core::runtime::Runtime;
use plated_core::wire::batch::SealedDocument;
use plated_portal::Route;
use plated_station::pages::{Policy, Settings};
use plated_station::{StationConfig, StationServer};
use reqwest::StatusCode;
use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

/// What somebody chooses in place of their first password.
pub const CHOSEN: &str = "granite tuesday walnut";

/// A running station with pages.
pub struct Hall {
    pub depot: Depot,
    pub vehicles: SocketAddr,
    pub pages: SocketAddr,
    pub routes: Vec<Route>,
    runtime: Arc<Runtime>,
}

impl Hall {
    pub fn new() -> Self {
        Self::with("")
    }

    /// The same with these lines at the end of its configuration.
    pub fn with(more: &str) -> Self {
        Self::on(Depot::new(), more)
    }

    /// The same with an archive of another kind.
    pub fn on(depot: Depot, more: &str) -> Self {
        Self::at(depot, SocketAddr::from(([127, 0, 0, 1], 0)), more)
    }

    /// The same with pages that listen there.
    pub fn at(depot: Depot, listen: SocketAddr, more: &str) -> Self {
        let names = ["localhost".into(), "127.0.0.1".into()];
        depot.authority.issue_console(&names, depot.dir.path(), &SystemClock::new()).unwrap();
        let file = depot.file();
        let text = std::fs::read_to_string(&file).unwrap();
        let pages = format!(
            "[pages]\nlisten = \"{listen}\"\ncertificate = \"console.crt\"\nkey = \"console.key\"\n\
             [access.accounts]\nargon2_memory_kib = 19456\nargon2_passes = 2\n"
        );
        std::fs::write(&file, format!("{text}{pages}{more}")).unwrap();
        let mut config = StationConfig::load(&file).unwrap();
        config.pages = config.pages.map(|pages| {
            let (agency, custodian) = ("Springfield PD".into(), "Ann Smith".into());
            let policy = Policy { agency, custodian, published: pages.policy.published, ..Policy::default() };
            Settings { policy, ..pages }
        });
        let runtime = Arc::new(Runtime::start().unwrap());
        let server = runtime.handle().block_on(StationServer::bind(&config, Arc::new(SystemClock::new()))).unwrap();
        let (vehicles, pages) = (server.address(), server.pages_address().unwrap());
        let routes = server.page_routes().to_vec();
        runtime.handle().spawn(server.run(std::future::pending()));
        Self { depot, vehicles, pages, routes, runtime }
    }

    /// Another station with the same configuration and a data folder of its own; where its pages are.
    pub fn another(&self) -> SocketAddr {
        let mut config = StationConfig::load(&self.depot.dir.path().join("station.toml")).unwrap();
        config.data = self.depot.dir.path().join("other");
        let bind = StationServer::bind(&config, Arc::new(SystemClock::new()));
        let server = self.runtime.handle().block_on(bind).unwrap();
        let pages = server.pages_address().unwrap();
        self.runtime.handle().spawn(server.run(std::future::pending()));
        pages
    }

    /// `plated-station ARGS` with its configuration.
    pub fn command(&self, args: &[&str], input: &str) -> Output {
        let mut program = Command::new(env!("CARGO_BIN_EXE_plated-station"));
        program.args(args).arg("--config").arg(self.depot.dir.path().join("station.toml"));
        let piped = program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// Somebody of this role who sees every list, trained yesterday, with a first password of their own.
    pub fn hire(&self, name: &str, role: &str) {
        let yesterday = jiff::Zoned::now().date().yesterday().unwrap().to_string();
        let args = ["user", "add", name, "--full-name", "Robin Vale", "--agency", "Springfield PD", "--role", role];
        let more = ["--trained", &yesterday, "--every-list", "--clets", "--reason", "hired", "--password-stdin"];
        let done = self.command(&[&args[..], &more].concat(), &format!("{PASSWORD}\n"));
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    pub fn browser(&self) -> Browser {
        Browser::new(self.pages.port(), &self.depot.config.ca, self.runtime.clone())
    }

    /// One in which this person has logged in for the first time and changed their password.
    pub fn logged_in(&self, name: &str) -> Browser {
        let browser = self.browser();
        let done = browser.log_in(name, PASSWORD);
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
        let fields = [("old", PASSWORD), ("new", CHOSEN), ("again", CHOSEN)];
        let changed = browser.submit("/account/password", &fields);
        assert_eq!(changed.status, StatusCode::SEE_OTHER, "{}", changed.body);
        browser
    }

    /// The same with a purpose.
    pub fn looking(&self, name: &str) -> Browser {
        let browser = self.logged_in(name);
        let done = browser.submit("/purpose", &[("purpose", "locate_vehicle"), ("case", "26-1234")]);
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
        browser
    }

    /// A vehicle sends this read with these pictures.
    pub fn receive(&self, record: &ReadRecord, images: &[Vec<u8>]) {
        let mut sent = batch(VEHICLE, vec![seal(record)]);
        sent.pictures = pictures(images);
        let link = self.depot.link(self.vehicles);
        let answer = self.runtime.handle().block_on(post(&link, body(&sent))).unwrap();
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    }

    /// A vehicle sends what an officer corrected.
    pub fn receive_correction(&self, correction: &Correction) {
        let body = serde_json::to_vec(correction).unwrap();
        let document = SealedDocument { id: correction.id, sha256: Sha256::of(&body), kind: "correction".into(), body };
        let sent = Batch { documents: vec![document], ..batch(VEHICLE, Vec::new()) };
        let link = self.depot.link(self.vehicles);
        let answer = self.runtime.handle().block_on(post(&link, super::body(&sent))).unwrap();
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    }

    /// Rows of the station's audit log of this action, as JSON.
    pub fn on_record(&self, action: &str) -> Vec<serde_json::Value> {
        let database = self.depot.database();
        let mut find = database.prepare("SELECT entry FROM audit WHERE action = ?1 ORDER BY log, number").unwrap();
        let rows = find.query_map([action], |row| row.get::<_, String>(0)).unwrap();
        rows.map(|row| serde_json::from_str(&row.unwrap()).unwrap()).collect()
    }
}
