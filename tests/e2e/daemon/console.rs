//! The console of the running daemon.

use crate::kit::console::{Browser, PASSWORD};
use crate::kit::process::until;
use crate::kit::reading::plates;
use crate::kit::store::reads;
use crate::kit::vehicle::{Settings, Vehicle, images};
use plated_core::clock::SystemClock;
use plated_core::runtime::Runtime;
use plated_core::tls::authority::Authority;
use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::Arc;

const OWN: &str = "onion ladder harbour";

/// A road that goes on for ever, and a console at this port.
fn vehicle(port: u16) -> Vehicle {
    let vehicle = Vehicle::new();
    vehicle.pictures("road", &plates(5));
    let clock = SystemClock::new();
    let authority = Authority::create(&vehicle.path("authority"), &clock).unwrap();
    authority.issue_console(&["localhost".into()], vehicle.dir.path(), &clock).unwrap();
    let source = images("front", "road", 0).replace("every_frame", "realtime");
    let console = format!(
        "[console]\nlisten = \"127.0.0.1:{port}\"\ncertificate = \"console.crt\"\nkey = \"console.key\"\n\
         [access]\nlogins_required = false\n[access.accounts]\nargon2_memory_kib = 19456\nargon2_passes = 2\n"
    );
    vehicle.configure(&Settings::default(), &[source, console]);
    vehicle
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn hire(vehicle: &Vehicle, name: &str) {
    let trained = jiff::Zoned::now().date().yesterday().unwrap().to_string();
    let mut add = Command::new(env!("CARGO_BIN_EXE_plated"))
        .args(["user", "add", name, "--full-name", "Robin Vale", "--agency", "Example PD", "--role", "officer"])
        .args(["--trained", &trained, "--every-list", "--reason", "hired", "--password-stdin", "--config"])
        .arg(vehicle.path("plated.toml"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    writeln!(add.stdin.take().unwrap(), "{PASSWORD}").unwrap();
    assert!(add.wait().unwrap().success());
}

// policy: P-21
#[test]
fn what_the_consoles_page_is_told_of_is_in_the_store_though_the_daemon_is_killed_at_that_moment() {
    let port = free_port();
    let vehicle = vehicle(port);
    hire(&vehicle, "jdoe");
    let daemon = {
        let mut daemon = vehicle.start(&[]);
        daemon.wait_reads(1);
        daemon
    };
    let browser = Browser::new(port, &vehicle.path("ca.crt"), Arc::new(Runtime::start().unwrap()));
    assert_eq!(browser.log_in("jdoe", PASSWORD).to, "/shift");
    let changed = browser.submit("/account/password", &[("old", PASSWORD), ("new", OWN), ("again", OWN)]);
    assert_eq!(changed.to, "/", "{}", changed.body);
    assert_eq!(browser.submit("/purpose", &[("purpose", "locate_vehicle"), ("case", "")]).to, "/");
    let page = browser.get("/");
    assert!(page.body.contains("1 camera reading") && page.body.contains("frames"), "{}", page.body);
    let mut events = browser.listen(&page.events());
    let read = std::iter::from_fn(|| events.next_of(&["put"])).find(|event| event.data.contains("id=\"read-")).unwrap();
    daemon.kill();
    let id = read.data.split("id=\"read-").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let store = vehicle.store();
    assert!(reads(&store, usize::MAX).iter().any(|read| read.id.to_string() == id));
}

#[test]
fn a_daemon_ends_in_order_though_pages_listen() {
    let port = free_port();
    let vehicle = vehicle(port);
    hire(&vehicle, "jdoe");
    let mut daemon = vehicle.start(&[]);
    daemon.wait_reads(1);
    let browser = Browser::new(port, &vehicle.path("ca.crt"), Arc::new(Runtime::start().unwrap()));
    browser.log_in("jdoe", PASSWORD);
    browser.submit("/account/password", &[("old", PASSWORD), ("new", OWN), ("again", OWN)]);
    browser.submit("/purpose", &[("purpose", "locate_vehicle"), ("case", "")]);
    let mut events = browser.listen(&browser.get("/").events());
    assert!(events.next_of(&["put"]).is_some());
    let ended = daemon.terminate().well();
    assert!(std::iter::from_fn(|| events.next_of(&["leave"])).next().is_none(), "nobody is logged out by it");
    assert!(!ended.log.contains("hangs") && !ended.log.contains("defect"), "{}", ended.log);
}

#[test]
fn a_console_that_can_not_start_is_told_of_and_plates_are_read_all_the_same() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let vehicle = vehicle(taken.local_addr().unwrap().port());
    let mut daemon = vehicle.start(&[]);
    daemon.wait_reads(3);
    daemon.wait_log("There is no console");
    until("the status to tell of it", || {
        let (message, code) = vehicle.status();
        let told = message.lines().any(|l| l.starts_with("CRITICAL") && l.contains("console: could not listen on"));
        (told && code != Some(0)).then_some(())
    });
    daemon.terminate().well();
}
