//! A vehicle with a console, and Debian's Chromium that trusts it, driven by playwright-core. What is done in the
//! browser stands in tests/browser. `.ci/browser` brings what that needs.

use super::process::{self, Daemon, until};
use super::vehicle::{Settings, Vehicle};
use plated_access::{Actor, Grants, LoginName, NewUser, Password, Reason, Role};
use plated_core::clock::SystemClock;
use plated_core::tls::authority::Authority;
use plated_core::user::SystemUser;
use plated_vehicle::config::Config;
use plated_vehicle::control::OfficerService;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

/// Of everybody here.
pub const PASSWORD: &str = "walnut gravel tuesday";

/// Where `.ci/browser` put what the scripts need; `None` when it is not there.
pub fn installed() -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/browser");
    let runs = |program: &str, arg: &str| Command::new(program).arg(arg).output().is_ok();
    let ready = target.join("node_modules/playwright-core").is_dir()
        && runs("chromium", "--version")
        && runs("node", "--version")
        && runs("certutil", "-H");
    ready.then_some(target)
}

/// A daemon with a console, its officers hired, and a home in which Chromium trusts it.
pub struct Cab {
    pub vehicle: Vehicle,
    /// Taken by who ends it.
    pub daemon: Option<Daemon>,
    address: SocketAddr,
    browser: PathBuf,
}

impl Cab {
    /// Starts it in this vehicle's folder; `tables` are the sources and what else is to stand in its configuration.
    pub fn start(browser: PathBuf, vehicle: Vehicle, tables: &[String]) -> Self {
        let clock = SystemClock::new();
        let authority = Authority::create(&vehicle.path("authority"), &clock).unwrap();
        let issued = authority.issue_console(&["localhost".into()], vehicle.dir.path(), &clock).unwrap();
        let address = process::address();
        let console = format!(
            "[console]\nlisten = \"{address}\"\ncertificate = \"console.crt\"\nkey = \"console.key\"\ntones_again_s = 3\n\
             [access.accounts]\nargon2_memory_kib = 19456\nargon2_passes = 2\n"
        );
        vehicle.configure(&Settings::default(), &[tables, &[console]].concat());
        let store = vehicle.store();
        let config = Config::load(&vehicle.path("plated.toml")).unwrap();
        let service = OfficerService::open(&config, store.clone(), Arc::new(clock));
        hire(&service, "chief", Role::Administrator, 1);
        hire(&service, "jdoe", Role::Officer, 1);
        hire(&service, "mlee", Role::Officer, 1);
        hire(&service, "late", Role::Officer, 500);
        hire(&service, "sarge", Role::Supervisor, 1);
        drop(service);
        store.close().unwrap();
        let daemon = Some(vehicle.start(&[]));
        until("the console", || TcpStream::connect(address).ok());
        let cab = Self { vehicle, daemon, address, browser };
        trust(&cab.home(), &issued.ca);
        cab
    }

    fn home(&self) -> PathBuf {
        self.vehicle.path("home")
    }

    /// `node tests/browser/<name>.mjs`, which learns by its environment where everything is.
    pub fn script(&self, name: &str) -> Command {
        let mut node = node(&self.browser, &self.home(), name, self.address);
        node.env("PLATED", env!("CARGO_BIN_EXE_plated")).env("CONFIG", self.vehicle.path("plated.toml"));
        node
    }
}

/// The authority goes where Chromium looks for those that its user trusts: no warning may appear.
pub fn trust(home: &Path, ca: &Path) {
    let trusted = home.join(".pki/nssdb");
    std::fs::create_dir_all(&trusted).unwrap();
    let database = format!("sql:{}", trusted.display());
    let ca = ca.to_str().unwrap();
    for args in [&["-N", "--empty-password"][..], &["-A", "-t", "C,,", "-n", "agency", "-i", ca]] {
        let done = Command::new("certutil").args(["-d", &database]).args(args).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

/// `node tests/browser/<name>.mjs` for pages at this address.
pub fn node(browser: &Path, home: &Path, name: &str, address: SocketAddr) -> Command {
    let mut node = Command::new("node");
    node.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser").join(format!("{name}.mjs")))
        .env("HOME", home)
        .env("CONSOLE", format!("https://localhost:{}", address.port()))
        .env("MODULES", browser.join("node_modules"))
        .env("SHOTS", browser.join("shots"))
        .env("PASSWORD", PASSWORD)
        .env("XDG_RUNTIME_DIR", home)
        .stdin(Stdio::null());
    node
}

/// Somebody of this role, trained so many days ago, who sees every list.
pub fn hire(service: &OfficerService, name: &str, role: Role, trained_days_ago: i64) {
    let today = jiff::Zoned::now().date();
    let user = NewUser {
        name: LoginName::new(name).unwrap(),
        full_name: format!("{} {name}", if role == Role::Officer { "Officer" } else { "Robin" }),
        title: role.as_str().into(),
        agency: "Springfield PD".into(),
        role,
        trained: Some(today.saturating_sub(jiff::Span::new().days(trained_days_ago))),
        grants: Grants { every_list: true, clets: true, ..Grants::default() },
        must_change_password: false,
    };
    let root = Actor::SystemUser(SystemUser { user: "root".into(), uid: 0 });
    let why = Reason::new("hired").unwrap();
    service.accounts().unwrap().add(&root, user, &Password::new(PASSWORD), &why).unwrap();
}
