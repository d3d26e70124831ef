//! What three open consoles cost recognition: frames a second of one worker at the drive, with and without them, in
//! turn.

use super::support::{figure, millis, stolen, vehicle};
use crate::kit::browser::{PASSWORD, hire};
use crate::kit::console::Browser;
use crate::kit::process;
use plated_access::Role;
use plated_core::clock::{Clock, SystemClock};
use plated_core::runtime::Runtime;
use plated_core::thread::give_way;
use plated_core::tls::authority::Authority;
use plated_vehicle::config::Config;
use plated_vehicle::control::OfficerService;
use plated_vehicle::pipeline::Daemon;
use plated_vehicle::store::{Key, Options, Store};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const CONSOLES: usize = 3;
const TURNS: usize = 5;
const TURN: Duration = Duration::from_secs(8);

pub fn run() {
    let dir = tempfile::tempdir().unwrap();
    let clock = SystemClock::new();
    let authority = Authority::create(&dir.path().join("authority"), &clock).unwrap();
    let issued = authority.issue_console(&["localhost".into()], dir.path(), &clock).unwrap();
    let address = process::address();
    let more = format!(
        "[console]\nlisten = \"{address}\"\ncertificate = \"console.crt\"\nkey = \"console.key\"\n\
         [access.accounts]\nargon2_memory_kib = 19456\nargon2_passes = 2\n"
    );
    vehicle(dir.path(), "pace = \"every_frame\"\nrepeat = 0", &more);
    // One core recognises; the other has the consoles, and here also those who look at them.
    let file = dir.path().join("plated.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("[recognition]", "[recognition]\nworkers = 1")).unwrap();
    let config = Config::load(&file).unwrap();
    officers(&config);
    let clock: Arc<dyn Clock> = Arc::new(clock);
    let daemon = Daemon::start(&config, clock, &Default::default()).unwrap();
    process::until("the console", || std::net::TcpStream::connect(address).ok());
    let stolen_before = stolen();
    // Those who look have computers of their own in a vehicle: here they give way, and what the daemon does for them is left.
    let (alone, watched) = give_way("officers", || Ok(turns(&daemon, address.port(), &issued.ca))).unwrap();
    daemon.stop().unwrap();
    let loss = 100.0 * (1.0 - watched / alone);
    figure("speed lost to three consoles", loss, "%", loss <= 3.0, "<= 3");
    println!(
        "    {alone:.1} frames/s alone, {watched:.1} with them, best of {TURNS} turns each; stolen by the host: {:.0} ms",
        millis(stolen() - stolen_before)
    );
}

/// Frames a second without and with consoles, the best of all turns each.
fn turns(daemon: &Daemon, port: u16, ca: &Path) -> (f64, f64) {
    let runtime = Arc::new(Runtime::start().unwrap());
    let (mut alone, mut watched) = (0.0_f64, 0.0_f64);
    for _ in 0..TURNS {
        alone = alone.max(rate(daemon));
        let consoles: Vec<_> = (0..CONSOLES).map(|n| watch(n, port, ca, &runtime)).collect();
        watched = watched.max(rate(daemon));
        // Each ends with its next event.
        consoles.iter().for_each(|console| console.over.store(true, Ordering::Release));
        for console in consoles {
            let (events, pictures) = console.thread.join().unwrap();
            assert!(events > 0 && pictures > 0, "a console that shows nothing costs nothing");
        }
    }
    (alone, watched)
}

fn officers(config: &Config) {
    let key = Key::load(&config.store).unwrap();
    let (store, _) = Store::open(Options::from(config), &key, Arc::new(SystemClock::new())).unwrap();
    let service = OfficerService::open(config, store.clone(), Arc::new(SystemClock::new()));
    (0..CONSOLES).for_each(|n| hire(&service, &format!("officer{n}"), Role::Officer, 1));
    drop(service);
    store.close().unwrap();
}

fn rate(daemon: &Daemon) -> f64 {
    let frames = || daemon.status().unwrap().totals.frames;
    let (from, before) = (Instant::now(), frames());
    std::thread::sleep(TURN);
    (frames() - before) as f64 / from.elapsed().as_secs_f64()
}

struct Console {
    over: Arc<AtomicBool>,
    thread: JoinHandle<(usize, usize)>,
}

/// An officer at the page of live reads: takes its events, and gets each picture that they name.
fn watch(n: usize, port: u16, ca: &Path, runtime: &Arc<Runtime>) -> Console {
    let browser = Browser::new(port, ca, runtime.clone());
    browser.log_in(&format!("officer{n}"), PASSWORD);
    browser.submit("/purpose", &[("purpose", "locate_vehicle"), ("case", "26-1234")]);
    let mut events = browser.listen(&browser.get("/").events());
    let over = Arc::new(AtomicBool::new(false));
    let told = over.clone();
    let thread = std::thread::spawn(move || {
        let (mut taken, mut pictures) = (0, 0);
        while !told.load(Ordering::Acquire) {
            let Some(event) = events.next_of(&["put", "alert", "alive", "reload"]) else { break };
            taken += 1;
            for source in event.data.split("src=\"").skip(1) {
                browser.get(source.split('"').next().unwrap());
                pictures += 1;
            }
        }
        (taken, pictures)
    });
    Console { over, thread }
}
