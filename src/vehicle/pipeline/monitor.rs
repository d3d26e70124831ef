//! Looks once a second at what can't report by itself: cameras and the way of their frames, matching,
//! the way into the store, the chime. It touches no disk, so that it can tell of one that hangs.

use super::watchdog::{Busy, Watchdog};
use super::workers::Workers;
use super::{Counters, Totals};
use crate::alert::{Chime, ChimeStatus};
use crate::health::{Health, Level};
use plated_core::clock::Clock;
use plated_core::error::Result;
use plated_core::record::CameraPosition;
use plated_core::shutdown::Shutdown;
use plated_core::text::count;
use plated_core::thread::{Thread, guarded};
use plated_vision::capture::{Capture, SourceState, SourceStatus};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// How often it looks.
const INTERVAL: Duration = Duration::from_secs(1);
/// How often memory that nobody uses goes back to the system.
const TIDY_INTERVAL: Duration = Duration::from_secs(60);
/// A camera that gives no frame for this long is not well, nor is one whose frames give no result.
const SILENT_AFTER: Duration = Duration::from_secs(10);

/// Neither a match nor a write takes so long.
const HUNG_AFTER: Duration = Duration::from_secs(10);
/// So many reads wait in memory only when the store has trouble.
const MANY_WAITING: u64 = 16;

/// Frames of a camera that may come before the first of them is read.
const FIRST_FRAMES: u64 = 300;

/// What the monitor looks at.
pub struct Monitor {
    /// Where it reports.
    pub health: Arc<Health>,
    /// Cameras and files.
    pub capture: Arc<Capture>,
    /// Recognition threads.
    pub workers: Arc<Workers>,
    /// When the last result of each source came.
    pub counters: Arc<Counters>,
    /// The chime.
    pub chime: Arc<Chime>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// All parts of the daemon have been started.
    pub started: Arc<AtomicBool>,
}

impl Monitor {
    /// Starts it; it ends with `stop`.
    ///
    /// # Errors
    /// `Internal` when the thread can't be started.
    pub fn start(self, stop: Shutdown) -> Result<Thread> {
        Thread::start("health", "The thread that looks after the others", move || {
            let mut tidied = self.clock.awake();
            let mut watchdog = Watchdog::new(self.started.clone(), tidied);
            loop {
                // One that can't look any more does not feed either.
                guarded("How the parts are was not looked at", || self.look(&mut watchdog));
                if self.clock.awake().saturating_sub(tidied) >= TIDY_INTERVAL {
                    crate::memory::tidy();
                    tidied = self.clock.awake();
                }
                if stop.wait_timeout(INTERVAL) {
                    return;
                }
            }
        })
    }

    fn look(&self, watchdog: &mut Watchdog) {
        let now = self.clock.awake();
        self.workers.keep_up(now);
        let (sources, totals, chime) = (self.capture.status(), self.counters.totals(), self.chime.status());
        for (index, source) in sources.iter().enumerate() {
            let (level, text) = camera(source, self.counters.last_result(index), now);
            let fault = self.counters.picture_fault(index).map(|fault| fault.text());
            let fault = fault.or_else(|| self.counters.moved(index).map(|moved| moved.text()));
            let (level, text) = pictured((level, text), fault);
            let text = placed(source, text);
            let worse = self.report(&format!("camera {}", source.name), (level, text.clone()));
            // What keeps it from being opened is logged where it is opened.
            if worse && level == Level::Degraded && source.state == SourceState::Running {
                tracing::warn!(source = %source.name, "{}", plated_core::text::sentence(&text));
            } else if worse && source.state == SourceState::Running {
                tracing::error!(source = %source.name, "The camera is not read: {}", plated_core::text::sentence(&text));
            }
        }
        let is_running = sources.iter().any(|source| !matches!(source.state, SourceState::Ended { .. }));
        let workers = (self.workers.running(), self.workers.wanted(), self.workers.hung());
        self.report("recognition", recognition(workers, is_running, &totals));
        self.report("chime", heard(&chime));
        let hangs = self.report("matching", matching(self.counters.matching.busy_for(now)));
        if hangs {
            tracing::error!("The thread that matches and alerts hangs. Restart the daemon.");
        }
        self.store(&totals, self.counters.storing.busy_for(now));
        self.report("log", log(plated_core::logging::lost_lines()));
        let last_results: Vec<_> = (0..sources.len()).map(|index| self.counters.last_result(index)).collect();
        let (matching, writing) = (self.counters.matching.busy_for(now), self.counters.storing.busy_for(now));
        let busy = Busy { workers, matching, writing };
        watchdog.look(&sources, &totals, &self.health.parts(), &last_results, &busy, now);
    }

    /// One that fails is logged by who meets that; one that hangs tells nobody.
    fn store(&self, totals: &Totals, busy_for: Duration) {
        if self.report("store", kept(totals, busy_for)) && busy_for > HUNG_AFTER {
            tracing::error!(
                "The disk has not taken a read for {} s: reads wait in memory, and are lost if the power goes. Alerts \
                 sound all the same. Look after the disk.",
                busy_for.as_secs()
            );
        }
    }

    /// True when it is worse than before.
    fn report(&self, name: &str, (level, text): (Level, String)) -> bool {
        self.health.report(name, level, text, self.clock.wall())
    }
}

/// The recognition threads.
fn recognition(workers: (usize, usize, usize), is_running: bool, totals: &Totals) -> (Level, String) {
    let (running, wanted, hung) = workers;
    let replaced = count(hung as u64, "worker");
    match (running, hung, totals.failed_trackers) {
        (0, _, _) if is_running => {
            (Level::Failed, "no worker reads pictures; one is started as soon as that can be done".into())
        }
        (_, 0, _) if is_running && running < wanted => {
            (Level::Degraded, format!("{running} of {} at work; the log says why", count(wanted as u64, "worker")))
        }
        (_, 0, 0) => (Level::Ok, count(running as u64, "worker")),
        (_, 0, n) => {
            let times = count(n, "time");
            (Level::Degraded, format!("following plates failed {times} by a defect of the program; please report it"))
        }
        _ => (
            Level::Degraded,
            format!("{replaced} hung and had to be replaced; restart the daemon when it can be spared"),
        ),
    }
}

/// Whether alerts can be heard.
fn heard(chime: &ChimeStatus) -> (Level, String) {
    match (&chime.error, &chime.instead) {
        (Some(why), None) => (Level::Failed, format!("alerts can't be heard: {why}")),
        (Some(why), Some(device)) => (Level::Degraded, format!("alerts sound on {device}, since {why}")),
        (None, _) => (Level::Ok, "alerts can be heard".to_owned()),
    }
}

/// What comes out of recognition and has to be matched.
fn matching(busy_for: Duration) -> (Level, String) {
    match busy_for > HUNG_AFTER {
        true => {
            (Level::Failed, format!("it hangs for {} s: nobody is alerted; restart the daemon", busy_for.as_secs()))
        }
        false => (Level::Ok, "each plate is matched as it is read".into()),
    }
}

/// Lines of the log that nobody will see.
fn log(lost: u64) -> (Level, String) {
    match lost {
        0 => (Level::Ok, "nothing was lost".into()),
        n => (Level::Degraded, format!("{} lost, since the terminal or the journal stood still", count(n, "line"))),
    }
}

/// How reads get into the store: whether it takes them, how many wait in memory for it, and how many were
/// lost.
fn kept(totals: &Totals, busy_for: Duration) -> (Level, String) {
    let waiting = count(totals.waiting, "read");
    match (totals.waiting, totals.lost_reads) {
        _ if busy_for > HUNG_AFTER => {
            let seconds = busy_for.as_secs();
            (Level::Failed, format!("the disk has not taken a read for {seconds} s; {waiting} in memory behind it"))
        }
        (_, lost) if lost > 0 => {
            let lost = count(lost, "read");
            (Level::Failed, format!("{lost} lost, since the store could not write; {} in memory", totals.waiting))
        }
        (0..MANY_WAITING, _) if !totals.store_fails => (Level::Ok, "reads are kept as they come".into()),
        _ => (Level::Degraded, format!("{waiting} in memory, since the store can't write them")),
    }
}

/// How a source is, by its own state and by the results of its frames.
fn camera(source: &SourceStatus, last_result: Option<Duration>, now: Duration) -> (Level, String) {
    let silent = |then: Option<Duration>| then.is_none_or(|then| now.saturating_sub(then) > SILENT_AFTER);
    let seconds = |then: Option<Duration>| then.map_or(0, |then| now.saturating_sub(then).as_secs());
    match &source.state {
        SourceState::Opening if now > SILENT_AFTER && silent(source.last_frame) => {
            (Level::Degraded, "it is being opened and gives no picture yet".into())
        }
        SourceState::Opening => (Level::Ok, "it is being opened".into()),
        SourceState::Waiting { error } => (Level::Failed, format!("it gives no picture and is tried again: {error}")),
        SourceState::Ended { error: Some(error) } => (Level::Failed, format!("it ended with an error: {error}")),
        SourceState::Ended { error: None } => (Level::Ok, "it is at its end".into()),
        SourceState::Running if silent(source.last_frame) => {
            (Level::Failed, format!("no picture for {} s", seconds(source.last_frame)))
        }
        SourceState::Running if last_result.is_none() && source.captured < FIRST_FRAMES => {
            (Level::Ok, "its first pictures are being read".into())
        }
        SourceState::Running if silent(last_result) => {
            (Level::Failed, format!("its pictures have not been read for {} s", seconds(last_result)))
        }
        SourceState::Running => match &source.note {
            Some(note) => (Level::Degraded, note.clone()),
            None => (Level::Ok, frames(source)),
        },
    }
}

fn frames(source: &SourceStatus) -> String {
    let lost = if source.lost == 0 { String::new() } else { format!(", {} lost on their way here", source.lost) };
    let damaged = if source.skipped == 0 { String::new() } else { format!(", {} damaged", source.skipped) };
    let packets = source.packets.filter(|packets| *packets != Default::default());
    let packets = packets.map_or_else(String::new, |packets| {
        format!(", {} sent again, {} missing", count(packets.resent, "packet"), packets.missing)
    });
    format!("{}, {} dropped for newer ones{lost}{damaged}{packets}", count(source.captured, "frame"), source.dropped)
}

/// The same with what its pictures look like, where it is well otherwise.
fn pictured((level, text): (Level, String), fault: Option<String>) -> (Level, String) {
    match fault {
        Some(fault) if level == Level::Ok => (Level::Degraded, fault),
        _ => (level, text),
    }
}

/// The same with where the camera is, where its name does not say it.
fn placed(source: &SourceStatus, text: String) -> String {
    let shown = CameraPosition::label(&source.name, source.position);
    match source.position {
        Some(position) if *shown != *source.name => format!("{}: {text}", position.as_str()),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::Told;

    fn source(state: SourceState, last_frame: Option<u64>) -> SourceStatus {
        SourceStatus {
            name: "front".into(),
            position: None,
            state,
            captured: 100,
            dropped: 3,
            skipped: 0,
            lost: 0,
            packets: None,
            restarts: 0,
            last_frame: last_frame.map(Duration::from_secs),
            in_driver_since: None,
            note: None,
        }
    }

    #[test]
    fn a_store_that_does_not_write_is_told_and_so_are_reads_that_wait_or_were_lost() {
        let second = Duration::from_secs(1);
        let level = |waiting, lost_reads, store_fails, busy_for| {
            kept(&Totals { waiting, lost_reads, store_fails, ..Totals::default() }, busy_for).0
        };
        assert_eq!(level(3, 0, false, second), Level::Ok);
        assert_eq!(level(1, 0, true, second), Level::Degraded);
        assert_eq!(level(200, 0, false, second), Level::Degraded);
        assert_eq!(level(0, 1, false, second), Level::Failed);
        assert_eq!(level(0, 0, false, 30 * second), Level::Failed, "the disk hangs");
    }

    #[test]
    fn without_a_worker_nothing_is_read_while_a_source_runs_and_that_is_no_state_to_be_in() {
        let level = |running, hung, is_running| recognition((running, 2, hung), is_running, &Totals::default()).0;
        assert_eq!(level(0, 0, true), Level::Failed);
        assert_eq!(level(0, 0, false), Level::Ok, "all recordings are at their end");
        assert_eq!((level(2, 0, true), level(2, 1, true)), (Level::Ok, Level::Degraded));
        assert_eq!((level(1, 0, true), level(1, 0, false)), (Level::Degraded, Level::Ok), "one could not be started");
        let failed = Totals { failed_trackers: 1, ..Totals::default() };
        assert_eq!(recognition((2, 2, 0), true, &failed).0, Level::Degraded);
    }

    /// What is logged while this is done.
    fn logged(work: impl FnOnce()) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        let log = tracing_subscriber::fmt().with_ansi(false).with_writer(Arc::new(file.reopen().unwrap()));
        tracing::subscriber::with_default(log.finish(), work);
        std::fs::read_to_string(file.path()).unwrap()
    }

    #[test]
    fn a_store_that_hangs_is_logged_once_as_an_error() {
        let clock: Arc<dyn Clock> = Arc::new(plated_core::clock::SystemClock::new());
        let (out, _seen) = crossbeam_channel::bounded(1);
        let no_worker = Box::new(|_| Ok(Box::new(|| ()) as Box<dyn FnOnce() + Send>));
        let monitor = Monitor {
            health: Arc::default(),
            capture: Arc::new(Capture::start(&[], clock.clone()).unwrap()),
            workers: Workers::start(0, out, no_worker, || true).unwrap(),
            counters: Arc::default(),
            chime: Arc::new(Chime::without_devices(clock.clone())),
            clock,
            started: Arc::default(),
        };
        let (waiting, second) = (Totals { waiting: 20, ..Totals::default() }, Duration::from_secs(1));
        let of = |busy_for| logged(|| monitor.store(&waiting, busy_for));
        assert_eq!(of(second), "", "what fails is logged where that is met");
        let hangs = of(30 * second);
        assert!(hangs.contains("ERROR") && hangs.contains("not taken a read for 30 s"), "{hangs}");
        assert_eq!(of(31 * second), "");
    }

    #[test]
    fn a_network_camera_says_how_many_packets_were_sent_again_and_how_many_never_came() {
        let packets = Some(plated_vision::capture::Packets { resent: 12, missing: 1 });
        let text = frames(&SourceStatus { packets, ..source(SourceState::Running, Some(1)) });
        assert_eq!(text, "100 frames, 3 dropped for newer ones, 12 packets sent again, 1 missing");
    }

    #[test]
    fn matching_that_hangs_is_told() {
        assert_eq!(matching(Duration::from_secs(1)).0, Level::Ok);
        assert_eq!(matching(Duration::from_secs(30)).0, Level::Failed);
    }

    #[test]
    fn a_camera_whose_picture_is_blurred_says_what_to_do_and_one_without_a_picture_says_that_first() {
        let told = Told {
            fault: plated_vision::picture::PictureFault::Blurred,
            since: "2026-11-26T14:02:00Z".parse().unwrap(),
        };
        let fault = Some(told.text());
        let (level, text) = pictured((Level::Ok, "15 frames".into()), fault.clone());
        assert_eq!(level, Level::Degraded);
        assert!(
            text.starts_with("its picture looks blurred since ") && text.ends_with("clean or focus the lens"),
            "{text}"
        );
        let silent = (Level::Failed, "no picture for 12 s".to_owned());
        assert_eq!(pictured(silent.clone(), fault), silent);
        assert_eq!(pictured((Level::Ok, "15 frames".into()), None).0, Level::Ok);
    }

    #[test]
    fn a_camera_is_told_with_its_position_unless_its_name_says_it() {
        let text = |name: &str, position| {
            let source = source(SourceState::Running, Some(1));
            placed(&SourceStatus { name: name.into(), position, ..source }, "15 frames".into())
        };
        assert_eq!(text("cam2", Some(CameraPosition::Rear)), "rear: 15 frames");
        assert_eq!(text("rear-left", Some(CameraPosition::Rear)), "15 frames");
        assert_eq!(text("cam2", None), "15 frames");
    }

    #[test]
    fn a_camera_is_well_only_while_its_pictures_are_read() {
        let level = |state, frame, result: u64| {
            camera(&source(state, Some(frame)), Some(Duration::from_secs(result)), Duration::from_secs(100)).0
        };
        assert_eq!(level(SourceState::Running, 99, 99), Level::Ok);
        assert_eq!(level(SourceState::Running, 99, 80), Level::Failed, "frames come in, and nothing comes out");
        assert_eq!(level(SourceState::Running, 80, 80), Level::Failed);
        assert_eq!(level(SourceState::Waiting { error: "it is not plugged in".into() }, 99, 99), Level::Failed);
        assert_eq!(level(SourceState::Ended { error: None }, 1, 1), Level::Ok);
    }
}
