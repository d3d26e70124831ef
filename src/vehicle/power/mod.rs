//! The computer under the daemon. Recognition slows while the computer is too hot or its supply is weak: fewer frames, and a smaller picture for the
//! detector. It is told of in the health and the log, and taken back once it is well for a minute.
//!
//! A processor that gets too hot slows itself, for everything on it; the kernel switches off what gets hotter still. A
//! read less is better than either.

mod ignition;
mod logind;
mod reading;
mod settings;

pub use ignition::{IGNITION, INTERVAL as IGNITION_INTERVAL, Ignition, Shown, ignition_part, ignition_state};
pub use logind::{Lock, Word, follow};
pub use settings::Settings;

use crate::health::{Health, Level};
use plated_core::clock::Clock;
use plated_core::error::Result;
use plated_core::shutdown::Shutdown;
use plated_core::text::sentence;
use plated_core::thread::{Thread, guarded};
use reading::{Reading, Supply};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

/// The name of the part.
const POWER: &str = "power";
/// How often it is looked at.
const INTERVAL: Duration = Duration::from_secs(2);
/// It must be well for so long before recognition is faster again,
const RECOVERED_AFTER: Duration = Duration::from_secs(60);
/// and cooler by so many degrees than where it slowed.
const COOLER: f64 = 5.0;

/// How much the computer is to be spared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Strain {
    #[default]
    None,
    Some,
    Much,
}

/// How much recognition is slowed now. Shared with the workers.
#[derive(Debug, Default)]
pub struct Pressure(AtomicU8);

impl Pressure {
    /// The least time between two recognised frames of a camera.
    pub fn pace(&self) -> Duration {
        Duration::from_millis(match self.0.load(Ordering::Relaxed) {
            0 => 0,
            1 => 100,
            _ => 250,
        })
    }

    /// Whether the detector is given a smaller picture.
    pub fn is_high(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 1
    }

    fn set(&self, strain: Strain) {
        self.0.store(strain as u8, Ordering::Relaxed);
    }
}

/// Starts the watch; it ends with `stop`.
///
/// # Errors
/// `Internal` when the thread can't be started.
pub fn start(
    settings: Settings,
    pressure: Arc<Pressure>,
    health: Arc<Health>,
    clock: Arc<dyn Clock>,
    stop: Shutdown,
) -> Result<Thread> {
    let mut judge = Judge::new(settings);
    Thread::start(POWER, "The thread that watches temperature and supply", move || {
        loop {
            guarded("Temperature and supply were not looked at", || {
                let reading = Reading::of(&judge.settings.folder);
                let before = judge.strain;
                let (level, text) = judge.judge(&reading, clock.monotonic());
                pressure.set(judge.strain);
                health.report(POWER, level, text.clone(), clock.wall());
                if judge.strain > before {
                    tracing::warn!("The computer is spared: {}", sentence(&text));
                } else if judge.strain < before {
                    tracing::info!("Recognition is faster again: {}.", text);
                }
            });
            if stop.wait_timeout(INTERVAL) {
                return;
            }
        }
    })
}

/// What readings come to.
struct Judge {
    settings: Settings,
    strain: Strain,
    /// Why it is what it is.
    why: String,
    /// Since when it could be less, monotonic time.
    better_since: Option<Duration>,
    throttled: Option<u64>,
}

impl Judge {
    fn new(settings: Settings) -> Self {
        Self { settings, strain: Strain::None, why: String::new(), better_since: None, throttled: None }
    }

    fn judge(&mut self, reading: &Reading, now: Duration) -> (Level, String) {
        let throttled = self.throttled.replace(reading.throttled).is_some_and(|before| reading.throttled > before);
        let (strain, why) = self.strain_of(reading, throttled);
        if strain >= self.strain {
            (self.strain, self.better_since) = (strain, None);
            self.why = why;
        } else if now.saturating_sub(*self.better_since.get_or_insert(now)) >= RECOVERED_AFTER {
            (self.strain, self.why, self.better_since) = (strain, why, None);
        }
        match self.strain {
            Strain::None => {
                let warmest = reading.warmest.map_or("its temperature is not known".into(), |t| format!("{t:.0} °C"));
                (Level::Ok, format!("{warmest}, nothing is slowed"))
            }
            Strain::Some => (Level::Degraded, format!("recognition is slowed to 10 pictures a second: {}", self.why)),
            Strain::Much => {
                let how = "recognition is slowed to 4 smaller pictures a second";
                (Level::Degraded, format!("{how}, and plates far away are missed: {}", self.why))
            }
        }
    }

    /// What this reading alone asks for, and why.
    fn strain_of(&self, reading: &Reading, throttled: bool) -> (Strain, String) {
        let warmest = reading.warmest.unwrap_or(f64::NEG_INFINITY);
        // Once it is slowed it has to get cooler than where that began.
        let limit = |degrees: f64, from: Strain| if self.strain >= from { degrees - COOLER } else { degrees };
        let hot = || format!("the computer is at {warmest:.0} °C; let air to it, and take it out of the sun");
        let mut all = vec![(Strain::None, String::new())];
        if warmest >= limit(self.settings.very_hot_c, Strain::Much) || reading.nearly_critical {
            all.push((Strain::Much, hot()));
        } else if warmest >= limit(self.settings.hot_c, Strain::Some) {
            all.push((Strain::Some, hot()));
        } else if throttled {
            let why = "the processor slows itself for its heat; let air to the computer, and take it out of the sun";
            all.push((Strain::Some, why.into()));
        }
        match reading.supply {
            Supply::Outside => {}
            _ if !self.settings.battery => {}
            Supply::Battery => {
                all.push((Strain::Some, "the computer runs on its battery; look after its supply".into()));
            }
            Supply::NearlyEmpty => {
                all.push((Strain::Much, "the computer's battery is nearly empty; look after its supply".into()));
            }
        }
        if reading.low_voltage {
            let why = "the supply's voltage is too low; look after the vehicle's battery and the wiring";
            all.push((Strain::Some, why.into()));
        }
        // Of equal ones the first, which is the heat.
        all.into_iter().rev().max_by_key(|(strain, _)| *strain).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(degrees: f64) -> Reading {
        Reading { warmest: Some(degrees), ..Reading::default() }
    }

    /// Looks at this reading every other second for so long; gives what the last look said.
    fn during(judge: &mut Judge, from: &mut u64, seconds: u64, reading: &Reading) -> (Strain, Level, String) {
        let mut last = (Level::Ok, String::new());
        for _ in (0..seconds).step_by(2) {
            *from += 2;
            last = judge.judge(reading, Duration::from_secs(*from));
        }
        (judge.strain, last.0, last.1)
    }

    #[test]
    fn heat_slows_recognition_at_once_in_two_steps_and_a_minute_of_cool_takes_it_back() {
        let (mut judge, mut now) = (Judge::new(Settings::default()), 0);
        let (strain, level, text) = during(&mut judge, &mut now, 20, &at(70.0));
        assert_eq!((strain, level, &*text), (Strain::None, Level::Ok, "70 °C, nothing is slowed"));
        let (strain, level, text) = during(&mut judge, &mut now, 2, &at(90.0));
        assert_eq!((strain, level), (Strain::Some, Level::Degraded));
        assert!(text.contains("10 pictures a second") && text.contains("at 90 °C; let air to it"), "{text}");
        let (strain, _, text) = during(&mut judge, &mut now, 2, &at(96.0));
        assert!(strain == Strain::Much && text.contains("4 smaller pictures a second"), "{text}");
        assert_eq!(during(&mut judge, &mut now, 300, &at(91.0)).0, Strain::Much, "hardly cooler");
        assert_eq!(during(&mut judge, &mut now, 58, &at(80.0)).0, Strain::Much, "not yet");
        assert_eq!(during(&mut judge, &mut now, 10, &at(80.0)).0, Strain::None);
    }

    #[test]
    fn a_battery_a_low_voltage_and_a_processor_that_slows_itself_are_told_with_what_to_do() {
        let of = |reading: Reading| {
            let mut judge = Judge::new(Settings::default());
            judge.judge(&Reading::default(), Duration::ZERO);
            let (_, text) = judge.judge(&reading, Duration::from_secs(2));
            (judge.strain, text)
        };
        let supply = |supply| of(Reading { supply, ..Reading::default() });
        assert_eq!(supply(Supply::Outside).0, Strain::None);
        let (strain, text) = supply(Supply::Battery);
        assert!(strain == Strain::Some && text.ends_with("on its battery; look after its supply"), "{text}");
        assert_eq!(supply(Supply::NearlyEmpty).0, Strain::Much);
        let (strain, text) = of(Reading { low_voltage: true, ..Reading::default() });
        assert!(strain == Strain::Some && text.contains("the vehicle's battery"), "{text}");
        let (strain, text) = of(Reading { throttled: 3, ..Reading::default() });
        assert!(strain == Strain::Some && text.contains("slows itself"), "{text}");
        let mut judge = Judge::new(Settings { battery: false, ..Settings::default() });
        judge.judge(&Reading { supply: Supply::Battery, ..Reading::default() }, Duration::ZERO);
        assert_eq!(judge.strain, Strain::None, "an agency may have it so");
    }
}
