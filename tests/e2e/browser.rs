//! The console in a real browser: Debian's Chromium, driven by playwright-core. What is done in it stands in
//! tests/browser, a file for each scenario. `.ci/browser` brings what they need; without it they are skipped.

use crate::kit::process::{self, Daemon, until};
use crate::kit::vehicle::{Settings, Vehicle};
use plated_access::{Actor, Grants, LoginName, NewUser, Password, Reason, Role};
use plated_core::clock::SystemClock;
use plated_core::tls::authority::Authority;
use plated_core::user::SystemUser;
use plated_vehicle::config::Config;
use plated_vehicle::control::OfficerService;
use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

/// Of everybody here.
const PASSWORD: &str = "walnut gravel tuesday";

/// Plates that the camera sees, one after the other, again and again.
const PLATES: [&str; 4] = ["7ABC123", "4XYZ987", "6QRS455", "8TUV016"];

/// A browser takes much of a small machine: one at a time.
static ONE: Mutex<()> = Mutex::new(());

/// Where `.ci/browser` put what the scripts need; `None`, said where it is seen, when it is not there.
fn browser() -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/browser");
    let runs = |program: &str, arg: &str| Command::new(program).arg(arg).output().is_ok();
    let ready = target.join("node_modules/playwright-core").is_dir()
        && runs("chromium", "--version")
        && runs("node", "--version")
        && runs("certutil", "-H");
    if !ready {
        // Not by `eprintln`, which the test runner keeps to itself.
        let _ = writeln!(std::io::stderr(), "SKIPPED: no browser for the console's tests; .ci/browser installs it");
    }
    ready.then_some(target)
}

/// Somebody of this role, trained so many days ago, who sees every list.
fn hire(service: &OfficerService, name: &str, role: Role, trained_days_ago: i64) {
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

/// Does what is written in `tests/browser/<name>.mjs` with a vehicle whose camera sees [`PLATES`].
fn scenario(name: &str) {
    let Some(browser) = browser() else { return };
    let _one = ONE.lock().unwrap_or_else(|e| e.into_inner());
    let vehicle = Vehicle::new();
    vehicle.pictures("street", &PLATES.map(String::from));
    let clock = SystemClock::new();
    let authority = Authority::create(&vehicle.path("authority"), &clock).unwrap();
    let issued = authority.issue_console(&["localhost".into()], vehicle.dir.path(), &clock).unwrap();
    let address = process::address();
    let street = "[[sources]]\nname = \"front\"\nkind = \"images\"\npath = \"street\"\npace = \"realtime\"\n\
                  rate = 2.0\nrepeat = 0\n";
    let console = format!(
        "[console]\nlisten = \"{address}\"\ncertificate = \"console.crt\"\nkey = \"console.key\"\ntones_again_s = 3\n\
         [access.accounts]\nargon2_memory_kib = 19456\nargon2_passes = 2\n"
    );
    vehicle.configure(&Settings::default(), &[street.into(), console]);
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
    let mut daemon = vehicle.start(&[]);
    until("the console", || TcpStream::connect(address).ok());

    // The authority goes where Chromium looks for those that its user trusts: no warning may appear.
    let home = vehicle.path("home");
    let trusted = home.join(".pki/nssdb");
    std::fs::create_dir_all(&trusted).unwrap();
    let database = format!("sql:{}", trusted.display());
    for args in
        [&["-N", "--empty-password"][..], &["-A", "-t", "C,,", "-n", "agency", "-i", issued.ca.to_str().unwrap()]]
    {
        let done = Command::new("certutil").args(["-d", &database]).args(args).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser").join(format!("{name}.mjs"));
    let done = Command::new("node")
        .arg(script)
        .env("HOME", &home)
        .env("CONSOLE", format!("https://localhost:{}", address.port()))
        .env("MODULES", browser.join("node_modules"))
        .env("SHOTS", browser.join("shots"))
        .env("PLATED", env!("CARGO_BIN_EXE_plated"))
        .env("CONFIG", vehicle.path("plated.toml"))
        .env("PASSWORD", PASSWORD)
        .env("XDG_RUNTIME_DIR", &home)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        done.status.success(),
        "{}\n{}\nthe daemon's log:\n{}",
        said(&done.stdout),
        said(&done.stderr),
        daemon.log()
    );
    let ended: process::Ended = Daemon::terminate(daemon);
    ended.well();
}

// policy: P-20
#[test]
fn five_wrong_passwords_lock_the_account_and_the_page_says_so() {
    scenario("wrong_password");
}

// policy: P-20
#[test]
fn a_second_factor_is_set_up_and_asked_for() {
    scenario("second_factor");
}

// policy: P-07
#[test]
fn lapsed_training_shows_the_own_status_and_nothing_else() {
    scenario("training");
}

// policy: P-01
#[test]
fn without_a_purpose_nothing_is_shown_and_with_one_the_live_reads_come() {
    scenario("purpose");
}

// policy: P-06
#[test]
fn an_alert_fills_the_screen_and_is_answered_in_two_steps() {
    scenario("alert");
}

#[test]
fn two_officers_take_turns_and_each_sees_their_own_name() {
    scenario("two_officers");
}

#[test]
fn a_shift_is_possible_with_the_keyboard_alone() {
    scenario("keyboard");
}

#[test]
fn the_page_goes_on_by_itself_after_a_lost_connection_and_says_so_meanwhile() {
    scenario("lost_connection");
}

#[test]
fn every_page_fits_the_screen_by_day_and_night_and_axe_finds_nothing() {
    scenario("pages");
}
