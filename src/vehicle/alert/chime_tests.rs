use super::*;
use plated_core::clock::SystemClock;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a device does when it is asked to play.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Does {
    Plays,
    Fails,
    Panics,
    Hangs,
}

/// Sound devices of which each has the fault that the test gives it.
#[derive(Clone, Default)]
pub(super) struct Faulty {
    faults: Arc<Mutex<HashMap<String, Does>>>,
    played: Arc<Mutex<Vec<String>>>,
    tried: Arc<AtomicUsize>,
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
        let does = self.faults.lock().unwrap().get(device).copied();
        match does {
            Some(Does::Plays) => Ok(()),
            Some(Does::Panics) => panic!("the fault of the test"),
            Some(Does::Hangs) => loop {
                std::thread::park();
            },
            _ => Err(Error::new(Kind::Missing, "no such device")),
        }
    }
}

impl Devices for Faulty {
    fn probe(&self, device: &str) -> Result<()> {
        self.does(device)
    }

    fn others(&self) -> Vec<String> {
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
    let config = Settings { device: "card".into(), ..Settings::default() };
    Chime::start_on(&config, Arc::new(SystemClock::new()), Box::new(devices.clone()))
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
fn a_lost_device_that_comes_back_plays_again_and_nothing_is_said_to_be_wrong() {
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
    let (chime, _) = chime(&devices);
    chime.sound(Priority::High);
    // Until the wait is more than a second.
    while devices.tried.load(Ordering::Relaxed) < 2 + 2 * 5 {
        std::thread::sleep(Duration::from_millis(2));
    }
    devices.set("card", Does::Plays);
    chime.sound(Priority::High);
    until(&chime, |s| s.played == 2);
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
