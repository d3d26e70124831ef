//! What the service manager's watchdog is fed by: that every thread that matters gets on. What hangs is not
//! cured by waiting, so the feeding stops, and the manager starts the daemon anew. What is only not there, a
//! camera that is unplugged or a station out of reach, is no reason to.

use super::Totals;
use crate::health::{Level, Part};
use plated_core::service;
use plated_core::text::count;
use plated_vision::capture::{SourceState, SourceStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Nothing that a driver does takes so long; several cameras that do not answer are opened one after the other,
/// at 15 s each.
const DRIVER: Duration = Duration::from_secs(180);
/// Frames come in, and no result comes out of them.
const RESULT: Duration = Duration::from_secs(60);
/// A picture or a result that is not older came just now.
const NEW: Duration = Duration::from_secs(10);
/// One read being matched, and alerted of.
const MATCH: Duration = Duration::from_secs(60);
/// One read being written. Longer than the rest: what waits in memory is lost with the daemon, and alerts go on
/// meanwhile.
const WRITE: Duration = Duration::from_secs(180);
/// Without a picture the daemon is ready after so long all the same: lists, transfer and console work.
const FIRST_PICTURE: Duration = Duration::from_secs(10);
/// How often the state is told anew.
const TELL: Duration = Duration::from_secs(10);

/// How long the threads beside the cameras have been at what they do.
#[derive(Clone, Copy, Debug, Default)]
pub struct Busy {
    /// Recognition threads at work, wanted, hung.
    pub workers: (usize, usize, usize),
    /// For how long the same read has been matched.
    pub matching: Duration,
    /// For how long the same read has been written.
    pub writing: Duration,
}

/// What hangs at monotonic time `now`, as a sentence without a full stop. `unread` is since when pictures of each
/// source come in without a result.
fn stuck(sources: &[SourceStatus], unread: &[Option<Duration>], busy: &Busy, now: Duration) -> Option<String> {
    let longer = |since: Option<Duration>, limit| since.is_some_and(|since| now.saturating_sub(since) > limit);
    for (source, unread) in sources.iter().zip(unread) {
        let name = &source.name;
        if longer(source.in_driver_since, DRIVER) {
            return Some(format!("the camera {name} hangs in its driver"));
        }
        if longer(*unread, RESULT) {
            return Some(format!("pictures of the camera {name} come in and are not read"));
        }
    }
    let (running, wanted, hung) = busy.workers;
    let is_running = sources.iter().any(|source| !matches!(source.state, SourceState::Ended { .. }));
    if is_running && running == 0 && wanted > 0 && hung > 0 {
        return Some("all recognition threads hang".into());
    }
    match busy {
        busy if busy.matching > MATCH => Some("the thread that matches and alerts hangs".into()),
        busy if busy.writing > WRITE => Some("the store hangs: the disk does not take a read".into()),
        _ => None,
    }
}

/// A picture is there, and no result as new as that.
fn is_unread(source: &SourceStatus, result: Option<Duration>, now: Duration) -> bool {
    let is_new = |then: Option<Duration>| then.is_some_and(|then| now.saturating_sub(then) <= NEW);
    source.state == SourceState::Running && is_new(source.last_frame) && !is_new(result)
}

/// What the manager has been told.
#[derive(Debug)]
pub struct Watchdog {
    started: Arc<AtomicBool>,
    begun: Duration,
    is_ready: bool,
    is_stuck: bool,
    /// Since when the pictures of each source are not read.
    unread: Vec<Option<Duration>>,
    told: Option<Duration>,
}

impl Watchdog {
    /// Nothing yet, at this monotonic time. `started` says when all parts of the daemon have been started.
    pub fn new(started: Arc<AtomicBool>, now: Duration) -> Self {
        Self { started, begun: now, is_ready: false, is_stuck: false, unread: Vec::new(), told: None }
    }

    /// Tells it how all is, and feeds the watchdog unless something hangs.
    pub fn look(
        &mut self,
        sources: &[SourceStatus],
        totals: &Totals,
        parts: &[Part],
        last_results: &[Option<Duration>],
        busy: &Busy,
        now: Duration,
    ) {
        if !service::is_told() {
            return;
        }
        self.unread.resize(sources.len(), None);
        for ((source, result), unread) in sources.iter().zip(last_results).zip(&mut self.unread) {
            *unread = is_unread(source, *result, now).then(|| unread.unwrap_or(now));
        }
        let stuck = stuck(sources, &self.unread, busy, now);
        let stuck = stuck.as_deref();
        if !self.is_ready
            && self.started.load(Ordering::Relaxed)
            && (has_picture(sources) || now.saturating_sub(self.begun) >= FIRST_PICTURE)
        {
            self.is_ready = true;
            service::ready();
        }
        if self.told.is_none_or(|told| now.saturating_sub(told) >= TELL) || stuck.is_some() != self.is_stuck {
            self.told = Some(now);
            service::status(&status(sources, totals, parts, stuck));
        }
        if stuck.is_some() && !self.is_stuck && service::watchdog().is_some() {
            tracing::error!("The daemon is to be started anew, since {}.", stuck.unwrap_or_default());
        }
        self.is_stuck = stuck.is_some();
        if !self.is_stuck {
            service::alive();
        }
    }
}

fn has_picture(sources: &[SourceStatus]) -> bool {
    sources.iter().any(|source| matches!(source.state, SourceState::Running | SourceState::Ended { .. }))
}

/// One line for everybody on this computer: numbers only.
fn status(sources: &[SourceStatus], totals: &Totals, parts: &[Part], stuck: Option<&str>) -> String {
    if let Some(stuck) = stuck {
        return format!("To be started anew: {stuck}");
    }
    let running = sources.iter().filter(|source| source.state == SourceState::Running).count();
    let wrong = parts.iter().filter(|part| part.level > Level::Ok).count() as u64;
    let all = count(sources.len() as u64, "camera");
    let verdict = match wrong {
        0 => "all parts are well".to_owned(),
        n => format!("{} not well, see plated status", count(n, "part")),
    };
    format!("{running} of {all} at work, {}; {verdict}", count(totals.reads, "read"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    const NOW: Duration = Duration::from_secs(1000);

    fn at(seconds: u64) -> Option<Duration> {
        Some(Duration::from_secs(seconds))
    }

    fn source(state: SourceState, last_frame: Option<Duration>, in_driver_since: Option<Duration>) -> SourceStatus {
        let (captured, dropped, skipped, lost, restarts) = (100, 0, 0, 0, 0);
        let (name, note) = ("front".into(), None);
        SourceStatus {
            name,
            position: None,
            state,
            captured,
            dropped,
            skipped,
            lost,
            packets: None,
            restarts,
            last_frame,
            in_driver_since,
            note,
        }
    }

    const WELL: Busy = Busy { workers: (2, 2, 0), matching: Duration::ZERO, writing: Duration::ZERO };

    fn found(source: SourceStatus) -> Option<String> {
        stuck(&[source], &[None], &WELL, NOW)
    }

    #[test]
    fn a_camera_that_is_unplugged_or_out_of_reach_is_no_reason_to_start_the_daemon_anew() {
        let unplugged = SourceState::Waiting { error: "it is not plugged in".into() };
        // And a folder in which no picture has appeared for long.
        for state in [unplugged, SourceState::Ended { error: None }, SourceState::Running] {
            let source = source(state, at(3), None);
            assert!(!is_unread(&source, at(3), NOW));
            assert_eq!(found(source), None);
        }
        assert_eq!(found(source(SourceState::Opening, None, at(990))), None);
    }

    #[test]
    fn a_thread_that_hangs_in_a_driver_stops_the_feeding_in_whatever_state_its_camera_is() {
        for state in [SourceState::Opening, SourceState::Running] {
            let why = found(source(state, at(700), at(700))).unwrap();
            assert!(why.contains("front hangs in its driver"), "{why}");
        }
    }

    #[test]
    fn frames_that_nobody_reads_workers_that_all_hang_and_a_store_that_hangs_stop_the_feeding() {
        let running = source(SourceState::Running, at(999), at(999));
        assert!(
            is_unread(&running, at(900), NOW) && is_unread(&running, None, NOW) && !is_unread(&running, at(995), NOW)
        );
        let since = |since| stuck(std::slice::from_ref(&running), &[since], &WELL, NOW);
        assert!(since(at(900)).unwrap().contains("are not read"));
        assert_eq!((since(at(990)), since(None)), (None, None), "one that was plugged in again");
        let of = |busy| stuck(std::slice::from_ref(&running), &[None], &busy, NOW);
        let second = Duration::from_secs(1);
        assert!(of(Busy { workers: (0, 2, 17), ..WELL }).unwrap().contains("recognition"));
        assert_eq!(of(Busy { workers: (2, 2, 3), ..WELL }), None, "those that hang were replaced");
        assert!(of(Busy { matching: 61 * second, ..WELL }).unwrap().contains("matches"));
        assert!(of(Busy { writing: 181 * second, ..WELL }).unwrap().contains("store"));
        assert_eq!(of(Busy { writing: 100 * second, ..WELL }), None, "what waits in memory would be lost");
    }

    #[test]
    fn the_state_that_everybody_on_the_computer_sees_names_no_list() {
        let part = Part {
            name: "list covert-77".into(),
            level: Level::Failed,
            since: Timestamp::UNIX_EPOCH,
            text: "gone".into(),
        };
        let running = source(SourceState::Running, at(999), None);
        let text = status(&[running], &Totals { reads: 3, ..Totals::default() }, &[part], None);
        assert_eq!(text, "1 of 1 camera at work, 3 reads; 1 part not well, see plated status");
    }
}
