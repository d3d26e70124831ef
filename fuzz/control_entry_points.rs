//! Where what officers type, what comes over the daemon's socket, what gpsd says, and labels of a test set
//! enter; one function for each fuzz target.
//!
//! `tests/vehicle/officers/fuzzing.rs` runs them too, over the corpus and changes of it.

use plated_core::clock::Moment;
use plated_core::plate::PlateText;
use plated_hotlist::Pattern;
use plated_vehicle::control::{Call, Reply, Request};
use plated_vehicle::gps::{self, Judge, Message};
use plated_vehicle::performance;
use plated_vehicle::store::Wanted;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Takes any bytes.
pub type EntryPoint = fn(&[u8]);

/// The entry points by name.
pub const TARGETS: [(&str, EntryPoint); 4] =
    [("control", control), ("officer_text", officer_text), ("gpsd", gpsd), ("labels", labels)];

/// A request, alone or in a session, or one of the replies.
pub fn control(bytes: &[u8]) {
    reads_back::<Call>(bytes);
    reads_back::<Request>(bytes);
    reads_back::<Reply>(bytes);
}

/// What is read can be written, and is the same when it is read again.
fn reads_back<T: Serialize + DeserializeOwned>(bytes: &[u8]) {
    let Ok(read) = serde_json::from_slice::<T>(bytes) else { return };
    let written = serde_json::to_vec(&read).expect("what was read can be written");
    let again: T = serde_json::from_slice(&written).expect("what was written can be read");
    assert_eq!(serde_json::to_vec(&again).expect("as before"), written);
}

/// Lines of gpsd, one after the other: what is used of them is a place on the earth.
pub fn gpsd(bytes: &[u8]) {
    let wall = "2026-11-26T12:00:00Z".parse().expect("a time");
    for (trusted, synchronised) in [(false, false), (true, false), (true, true)] {
        let mut judge = Judge::default();
        for (n, line) in (0..).zip(bytes.split(|b| *b == b'\n')) {
            let now = Moment { wall, monotonic: Duration::from_secs(n), trusted };
            let Some(Message::Report(report)) = gps::parse(line) else { continue };
            match judge.judge(&report, now, synchronised) {
                Ok(fix) => assert!(report.mode > 1 && fix.position.is_plausible()),
                Err(doubt) => assert!(!doubt.to_string().is_empty()),
            }
        }
    }
}

/// Labels of a test set, in either form: what is taken is plates, and what is not is refused with its line.
pub fn labels(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for labels in [performance::of_csv(&text), performance::of_pictures(&text)] {
        match labels {
            Ok(labels) => {
                assert!(labels.values().flatten().all(|l| l.plate == PlateText::normalise(&l.plate).as_str()))
            }
            Err(why) => assert!(why.starts_with("line ")),
        }
    }
}

/// A plate or partial plate, as somebody types it.
pub fn officer_text(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let plate = PlateText::normalise(&text);
    assert_eq!(PlateText::normalise(&plate.display()), plate);
    let wanted = Wanted::parse(&text).is_ok();
    let Ok(pattern) = Pattern::parse(&text) else { return };
    assert!(wanted, "what can be entered can be searched for");
    let one = PlateText::normalise(&text.replace('?', "0").replace('*', "")).key();
    assert!(pattern.fits(one.as_str()), "a partial plate fits a plate that was made by it");
}
