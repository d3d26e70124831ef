//! Where each camera's plates usually are outlives the daemon: a camera that is knocked at night is noticed the next
//! day. A small file beside the store holds three numbers for each camera, and nothing of any plate.

use super::Counters;
use crate::health::Usual;
use plated_core::durable;
use plated_core::error::Result;
use plated_core::shutdown::Shutdown;
use plated_core::thread::{Thread, guarded};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How often it is looked whether there is something to write.
const INTERVAL: Duration = Duration::from_secs(10);

type Known = BTreeMap<String, Usual>;

/// Goes on with what is in the file beside the store, and keeps that up to date until `stop`.
///
/// # Errors
/// `Internal` when the thread can't be started.
pub fn start(store: &Path, names: Vec<String>, counters: Arc<Counters>, stop: Shutdown) -> Result<Thread> {
    let file = durable::beside(store, ".aims");
    let mut written = read(&file);
    for (index, name) in names.iter().enumerate() {
        counters.aimed(index, written.get(name).copied());
    }
    Thread::start("aims", "The thread that keeps where cameras point", move || {
        let mut failed = false;
        loop {
            let ended = stop.wait_timeout(INTERVAL);
            guarded("Where cameras point was not kept", || {
                let known: Known =
                    names.iter().enumerate().filter_map(|(i, name)| Some((name.clone(), counters.usual(i)?))).collect();
                if known != written {
                    failed = !keep(&file, &known, failed);
                    written = known;
                }
            });
            if ended {
                return;
            }
        }
    })
}

/// A file that is not there, or not whole, is one of a vehicle that learns anew.
fn read(file: &Path) -> Known {
    let text = match std::fs::read(file) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => return Known::default(),
        Err(e) => {
            tracing::warn!(path = %file.display(), "Where cameras point is learned anew: {e}.");
            return Known::default();
        }
    };
    serde_json::from_slice(&text).unwrap_or_else(|e| {
        tracing::warn!(path = %file.display(), "Where cameras point is learned anew: {e}.");
        Known::default()
    })
}

fn keep(file: &Path, known: &Known, failed: bool) -> bool {
    let kept = serde_json::to_vec(known).map_err(Into::into).and_then(|text| durable::write(file, &text));
    match kept {
        Ok(()) => true,
        Err(e) => {
            if !failed {
                tracing::warn!(path = %file.display(), "Where cameras point is not kept: {e}.");
            }
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::PlatePlace;
    use jiff::Timestamp;

    fn pass(counters: &Counters, count: u32, lower: f32) {
        for n in 0..count {
            let height = 0.03 + n as f32 % 7.0 * 0.01;
            let place = PlatePlace { row: 0.3 + 6.0 * height + lower, height, lean: 0.0 };
            counters.passed(0, place, Timestamp::UNIX_EPOCH);
        }
    }

    #[test]
    fn a_camera_knocked_while_the_daemon_did_not_run_is_told_and_one_that_is_said_to_be_right_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store.db");
        let run = |counters: &Arc<Counters>, work: &dyn Fn()| {
            let stop = Shutdown::new();
            let thread = start(&store, vec!["front".into()], counters.clone(), stop.clone()).unwrap();
            work();
            stop.request();
            assert!(thread.end_within(Duration::from_secs(60)));
        };
        let before = Arc::new(Counters::default());
        run(&before, &|| pass(&before, 200, 0.0));
        let after = Arc::new(Counters::default());
        run(&after, &|| pass(&after, 60, 0.2));
        assert!(after.moved(0).unwrap().text().contains("20 % of the picture lower"));
        let again = Arc::new(Counters::default());
        run(&again, &|| {
            pass(&again, 60, 0.2);
            again.aimed(0, None);
            pass(&again, 300, 0.2);
        });
        assert_eq!(again.moved(0), None);
        std::fs::write(durable::beside(&store, ".aims"), "{").unwrap();
        let damaged = Arc::new(Counters::default());
        run(&damaged, &|| assert!(damaged.usual(0).is_none()));
    }
}
