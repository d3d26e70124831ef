use super::*;
use plated_core::clock::SystemClock;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A wait after which a test has failed.
const LONGER_THAN_ANY_TEST: Duration = Duration::from_secs(3600);

/// What a device does when it is asked to play.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Does {
    Plays,
    Fails,
    Panics,
    Hangs,
    /// Takes its time, until the test says what it does.
    Waits,
    FailsOnceThenPlays,
}

/// Sound devices of which each has the fault that the test gives it.
#[derive(Clone, Default)]
pub(super) struct Faulty {
    faults: Arc<Mutex<HashMap<String, Does>>>,
    played: Arc<Mutex<Vec<String>>>,
    tried: Arc<AtomicUsize>,
    listing_hangs: Arc<AtomicBool>,
    listings: Arc<AtomicUsize>,
}

impl Faulty {
    fn with(faults: &[(&str, Does)]) -> Self {
        let faulty = Self::default();
        faults.iter().for_each(|(device, does)| faulty.set(device, *does));
        faulty
    }

    fn set(&self, device: &str, does: Does) {
        self.faults.lock().unwrap().insert(device.into(), does);
    }

    fn does(&self, device: &str) -> Result<()> {
        self.tried.fetch_add(1, Ordering::Relaxed);
        let does = || self.faults.lock().unwrap().get(device).copied();
        while does() == Some(Does::Waits) {
            std::thread::sleep(Duration::from_millis(1));
        }
        match does() {
            Some(Does::Plays) => Ok(()),
            Some(Does::Panics) => panic!("the fault of the test"),
            Some(Does::Hangs) => loop {
                std::thread::park();
            },
            Some(Does::FailsOnceThenPlays) => {
                self.set(device, Does::Plays);
                Err(Error::new(Kind::Missing, "no such device"))
            }
            _ => Err(Error::new(Kind::Missing, "no such device")),
        }
    }
}

impl Devices for Faulty {
    fn probe(&self, device: &str) -> Result<()> {
        self.does(device)
    }

    fn others(&self) -> Vec<String> {
        self.listings.fetch_add(1, Ordering::Relaxed);
        while self.listing_hangs.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(1));
        }
        let mut all: Vec<String> = self.faults.lock().unwrap().keys().cloned().collect();
        all.sort();
        all
    }

    fn play(&self, device: &str, _: Priority, started: &Sender<Duration>, _: &Shutdown) -> Result<()> {
        self.does(device)?;
        started.send(Duration::ZERO).unwrap();
        self.played.lock().unwrap().push(device.into());
        Ok(())
    }
}

fn chime(devices: &Faulty) -> (Chime, Option<String>) {
    chime_with_retry(devices, FIRST_RETRY)
}

fn chime_with_retry(devices: &Faulty, first_retry: Duration) -> (Chime, Option<String>) {
    let config = Settings { device: "card".into(), ..Settings::default() };
    Chime::start_on(&config, Arc::new(SystemClock::new()), Box::new(devices.clone()), first_retry)
}

/// The one who plays, without its thread.
fn player(devices: &Faulty) -> (Player, Arc<Shared>) {
    let shared = Arc::new(Shared {
        state: Mutex::default(),
        devices: Box::new(devices.clone()),
        device: "card".into(),
        clock: Arc::new(SystemClock::new()),
        started: bounded(64).0,
        first_retry: FIRST_RETRY,
    });
    (Player::new(Arc::clone(&shared), Shutdown::new()), shared)
}

fn until(chime: &Chime, what: impl Fn(&ChimeStatus) -> bool) -> ChimeStatus {
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    loop {
        let status = chime.status();
        if what(&status) {
            return status;
        }
        assert!(std::time::Instant::now() < deadline, "{status:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn whatever_is_wrong_with_the_configured_device_the_alert_sounds_on_another() {
    for fault in [Does::Fails, Does::Panics, Does::Hangs] {
        for (other, name) in [("", "default"), ("second", "second")] {
            let devices = Faulty::with(&[("card", fault), (other, Does::Plays)]);
            let (chime, warning) = chime(&devices);
            assert!(warning.is_some());
            chime.sound(Priority::High);
            let status = until(&chime, |s| s.played == 1);
            assert_eq!(*devices.played.lock().unwrap(), [other], "{fault:?}");
            assert_eq!(status.instead.as_deref(), Some(name));
            assert!(status.error.is_some(), "the state is visible");
        }
    }
}

#[test]
fn a_lost_device_that_comes_back_plays_again_and_its_error_is_gone() {
    let devices = Faulty::with(&[("card", Does::Plays)]);
    let (chime, warning) = chime(&devices);
    assert_eq!(warning, None);
    devices.set("card", Does::Fails);
    chime.sound(Priority::High);
    until(&chime, |s| s.error.is_some());
    devices.set("card", Does::Plays);
    let status = until(&chime, |s| s.played == 1);
    assert_eq!((status.error, status.instead, status.dropped), (None, None, 0));
}

#[test]
fn a_new_alert_is_tried_at_once_however_long_the_wait_after_failures_has_become() {
    let devices = Faulty::default();
    let (chime, _) = chime_with_retry(&devices, LONGER_THAN_ANY_TEST);
    let probed = devices.tried.load(Ordering::Relaxed);
    chime.sound(Priority::High);
    // Both devices there are.
    until(&chime, |_| devices.tried.load(Ordering::Relaxed) >= probed + 2);
    devices.set("card", Does::Plays);
    chime.sound(Priority::High);
    until(&chime, |s| s.played == 2);
}

#[test]
fn an_alert_that_comes_during_an_attempt_that_fails_is_tried_at_once() {
    let devices = Faulty::default();
    let (chime, _) = chime_with_retry(&devices, LONGER_THAN_ANY_TEST);
    let probed = devices.tried.load(Ordering::Relaxed);
    devices.set("card", Does::Waits);
    chime.sound(Priority::High);
    until(&chime, |_| devices.tried.load(Ordering::Relaxed) > probed);
    chime.sound(Priority::High);
    devices.set("card", Does::FailsOnceThenPlays);
    until(&chime, |s| s.played == 2);
}

#[test]
fn while_the_list_of_devices_hangs_no_second_one_is_asked_for_and_it_counts_once_it_is_there() {
    let devices = Faulty::with(&[("second", Does::Plays)]);
    devices.listing_hangs.store(true, Ordering::Relaxed);
    let (mut player, _) = player(&devices);
    (0..5).for_each(|_| assert!(player.others().is_empty()));
    assert_eq!(devices.listings.load(Ordering::Relaxed), 1);
    devices.listing_hangs.store(false, Ordering::Relaxed);
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while player.others() != ["second"] {
        assert!(std::time::Instant::now() < deadline);
    }
    assert_eq!(devices.listings.load(Ordering::Relaxed), 1);
}

/// Counts messages that are logged while the state is locked.
struct Watch {
    shared: Arc<Shared>,
    logged: Arc<AtomicUsize>,
    while_locked: Arc<AtomicUsize>,
}

impl tracing::Subscriber for Watch {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn event(&self, _: &tracing::Event<'_>) {
        self.logged.fetch_add(1, Ordering::Relaxed);
        self.while_locked.fetch_add(usize::from(self.shared.state.try_lock().is_err()), Ordering::Relaxed);
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[test]
fn a_log_that_stands_still_does_not_keep_the_next_alert_from_being_asked_for() {
    let (player, shared) = player(&Faulty::default());
    let (logged, while_locked) = (Arc::default(), Arc::default());
    let watch = Watch { shared, logged: Arc::clone(&logged), while_locked: Arc::clone(&while_locked) };
    let error = Error::new(Kind::Missing, "no such device");
    tracing::subscriber::with_default(watch, || {
        player.failed(Priority::High, Duration::ZERO, &error);
        player.worked(Some(("second".into(), &error)));
        player.worked(None);
    });
    assert_eq!((logged.load(Ordering::Relaxed), while_locked.load(Ordering::Relaxed)), (3, 0));
}

#[test]
fn after_its_thread_ended_the_next_alert_starts_another_and_both_sound() {
    let devices = Faulty::with(&[("card", Does::Plays)]);
    let (chime, _) = chime(&devices);
    *chime.ended.lock().unwrap() = bounded(0).1;
    chime.sound(Priority::High);
    chime.sound(Priority::High);
    until(&chime, |s| s.played == 2);
}
