//! Lets go of entries that are over; and beside it, says when a list is stale, and puts down how lists, disk and
//! transfer are. Each on a thread of its own: a look at a disk that hangs must keep no entry in force.

use crate::control::OfficerService;
use plated_core::clock::Clock;
use plated_core::error::Result;
use plated_core::shutdown::Shutdown;
use plated_core::thread::{Thread, guarded};
use std::sync::Arc;
use std::time::Duration;

/// How often entries are looked at.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// How often the ages of lists, the disk and the outbox are looked at.
const SLOW_TICK: Duration = Duration::from_secs(60);

/// Starts both; they end with `stop`.
///
/// # Errors
/// `Internal` when a thread can't be started.
pub fn start(service: Arc<OfficerService>, clock: Arc<dyn Clock>, stop: Shutdown) -> Result<[Thread; 2]> {
    let (entries, expiry_stop) = (service.clone(), stop.clone());
    let expiry = Thread::start("expiry", "The thread that ends officers' entries", move || {
        loop {
            let expired = guarded("Entries that are over are still in force", || entries.expire());
            if let Some(Err(e)) = expired {
                tracing::error!("Partial plates are not in force: {}", e.chain());
            }
            if expiry_stop.wait_timeout(POLL_INTERVAL) {
                return;
            }
        }
    })?;
    let ages = Thread::start("ages", "The thread that looks at ages of lists and at the disk", move || {
        let begun = clock.monotonic();
        let mut next = begun;
        while !stop.wait_timeout(POLL_INTERVAL) {
            guarded("Ages of lists were not looked at", || {
                // Not before the lists are there, unless that takes long.
                let ready = service.wait_for_lists(Duration::ZERO) || clock.monotonic() >= begun + SLOW_TICK;
                if ready && clock.monotonic() >= next {
                    next = clock.monotonic() + SLOW_TICK;
                    if let Err(e) = service.warn_stale() {
                        tracing::error!("The ages of the hotlists can't be looked at: {}", e.chain());
                    }
                    service.report_parts();
                }
            });
        }
    })?;
    Ok([expiry, ages])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::control::{Expires, Request};
    use crate::store::{Key, Options, Reason, Store};
    use jiff::Timestamp;
    use plated_access::Actor;
    use plated_core::clock::{ManualClock, Moment};
    use plated_core::record::Priority;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// Whoever looks at ages hangs, as with a disk that does not answer.
    struct Hangs {
        clock: ManualClock,
        hangs: Arc<AtomicBool>,
        /// Somebody hangs.
        met: Arc<AtomicBool>,
    }

    impl Clock for Hangs {
        fn wall(&self) -> Timestamp {
            while std::thread::current().name() == Some("ages") && self.hangs.load(Ordering::Relaxed) {
                self.met.store(true, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(2));
            }
            self.clock.wall()
        }
        fn monotonic(&self) -> Duration {
            self.clock.monotonic()
        }
        fn moment(&self) -> Moment {
            self.clock.moment()
        }
    }

    #[test]
    fn a_look_at_a_disk_that_hangs_keeps_no_entry_in_force() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("plated.toml");
        let text = "vehicle = \"unit-7\"\n[[sources]]\nname = \"front\"\nkind = \"v4l2\"\ndevice = \"/dev/video0\"\n\
                    [store]\npath = \"store.db\"\n";
        std::fs::write(&path, text).unwrap();
        let config = Config::load(&path).unwrap();
        let (hangs, met) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(false)));
        let manual = ManualClock::at("2026-11-26T08:00:00Z".parse().unwrap());
        let clock = Arc::new(Hangs { clock: manual, hangs: hangs.clone(), met: met.clone() });
        let key = Key::create_file(&dir.path().join("store.key")).unwrap();
        let (store, _) = Store::open(Options::from(&config), &key, clock.clone()).unwrap();
        let service = Arc::new(OfficerService::open(&config, store, clock.clone()));
        service.arm().unwrap();
        let request = Request::Add {
            plate: "7ABC123".into(),
            state: String::new(),
            category: "bolo".into(),
            priority: Priority::High,
            reason: Reason::new("test").unwrap(),
            case: String::new(),
            expires: Some(Expires::InSeconds(60)),
            search_back: None,
        };
        service.answer(request, &Actor::of_this_process(), None, &mut |_| Ok(())).unwrap();
        let stop = Shutdown::new();
        let threads = start(service.clone(), clock.clone(), stop.clone()).unwrap();
        let wait = |what: &str, is: &dyn Fn() -> bool| {
            let deadline = std::time::Instant::now() + Duration::from_secs(60);
            while !is() {
                assert!(std::time::Instant::now() < deadline, "waited too long for {what}");
                std::thread::sleep(Duration::from_millis(2));
            }
        };
        let in_force = || service.lists().in_force().sources().iter().any(|s| !s.entries("7ABC123").is_empty());
        assert!(in_force());
        wait("the look that hangs", &|| met.load(Ordering::Relaxed));
        clock.clock.advance(Duration::from_secs(61));
        wait("the end of the entry", &|| !in_force());
        hangs.store(false, Ordering::Relaxed);
        stop.request();
        threads.into_iter().for_each(|t| assert!(t.end_within(Duration::from_secs(60))));
    }
}
