//! How everything is, in one line of plain words.

use super::Console;
use crate::control::{ListLine, OfficerService, StatusReport};
use crate::health::{Level, Part};
use crate::store::Staleness;
use crate::transfer::{Progress, State};
use jiff::Timestamp;
use plated_access::{Duty, Role};
use plated_core::text::{age, count};
use plated_core::thread::{guarded, spawn};
use plated_web::ui::{Health, StatusItem, StatusLine};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A look at how all is, younger than this, is not repeated: it counts rows of the store.
const FRESH: Duration = Duration::from_secs(10);
/// One that is older is not shown; between the two it is shown while another look is taken.
const STALE: Duration = Duration::from_secs(60);

/// The last look at how all is.
#[derive(Default)]
pub struct Glance {
    last: Mutex<Option<(Instant, Arc<StatusReport>)>>,
    /// Somebody looks.
    looking: AtomicBool,
}

impl Glance {
    fn last(&self) -> MutexGuard<'_, Option<(Instant, Arc<StatusReport>)>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Console {
    /// How all is: the parts now, lists and store as of some seconds ago. Blocks.
    pub fn status(&self) -> Arc<StatusReport> {
        let last = self.glance.last().clone();
        let report = match last {
            Some((at, report)) if at.elapsed() < FRESH => report,
            Some((at, report)) if at.elapsed() < STALE => {
                self.look_beside();
                report
            }
            _ => look(&self.officers, &self.glance, self.clock.wall()),
        };
        Arc::new(StatusReport { parts: self.health.parts(), at: self.clock.wall(), ..StatusReport::clone(&report) })
    }

    /// Looks on a thread of its own, unless one does already.
    fn look_beside(&self) {
        if self.glance.looking.swap(true, Ordering::AcqRel) {
            return;
        }
        let (officers, glance, now) = (self.officers.clone(), self.glance.clone(), self.clock.wall());
        let started = spawn("console-status", move || {
            guarded("How all is was not looked at", || look(&officers, &glance, now));
            glance.looking.store(false, Ordering::Release);
        });
        if started.is_err() {
            self.glance.looking.store(false, Ordering::Release);
        }
    }
}

fn look(officers: &OfficerService, glance: &Glance, now: Timestamp) -> Arc<StatusReport> {
    let report = Arc::new(officers.status().unwrap_or_else(|e| unknown(now, e.chain())));
    *glance.last() = Some((Instant::now(), report.clone()));
    report
}

fn unknown(at: Timestamp, text: String) -> StatusReport {
    let clock = crate::control::ClockLine { trusted: true, synchronised: None, last_jump: None };
    let parts = vec![Part { name: "store".into(), level: Level::Failed, since: at, text }];
    StatusReport { at, daemon: true, parts, clock, lists: Vec::new(), officers: Vec::new(), canvass: None, store: None }
}

/// As a page shows it.
pub fn health(level: Level) -> Health {
    match level {
        Level::Ok => Health::Good,
        Level::Degraded => Health::Warning,
        Level::Failed => Health::Bad,
    }
}

/// As a page shows it.
pub fn freshness(staleness: Staleness) -> Health {
    match staleness {
        Staleness::Fresh => Health::Good,
        Staleness::Warn => Health::Warning,
        Staleness::Critical => Health::Bad,
    }
}

/// The line of a page; the number of a canvass is for whoever may enter one.
pub fn line(console: &Console, report: &StatusReport, role: Role) -> StatusLine {
    let link = console.officers.link();
    let enters = Duty::Enter.roles().contains(&role);
    let canvass = console.officers.canvass().incident().filter(|_| enters);
    let mut items: Vec<_> = canvass.map(|incident| canvass_item(&incident)).into_iter().collect();
    items.extend([cameras(&report.parts), lists(&report.lists, report.clock.trusted), outbox(report)]);
    items.push(station(link.as_ref(), report.at));
    items.extend(others(&report.parts));
    items.sort_by_key(|item| std::cmp::Reverse(if item.health.needs_somebody() { item.health } else { Health::Good }));
    StatusLine { items }
}

fn item(health: Health, icon: &'static str, text: impl Into<String>) -> StatusItem {
    StatusItem { health, icon, text: text.into(), href: "/shift".into() }
}

fn canvass_item(incident: &str) -> StatusItem {
    StatusItem { href: "/canvass".into(), ..item(Health::Info, "canvass", format!("Canvass {incident}")) }
}

fn cameras(parts: &[Part]) -> StatusItem {
    let cameras: Vec<_> = parts.iter().filter_map(|p| Some((p.name.strip_prefix("camera ")?, p))).collect();
    let (all, bad) = (cameras.len(), cameras.iter().filter(|(_, p)| p.level > Level::Ok).count());
    let worst = cameras.iter().max_by_key(|(_, p)| p.level);
    match worst {
        None => item(Health::Info, "camera", "Cameras are being started"),
        Some((_, part)) if part.level == Level::Ok => {
            item(Health::Good, "camera", format!("{} reading", count(all as u64, "camera")))
        }
        Some((name, part)) if bad == 1 => item(health(part.level), "camera", format!("Camera {name} is not reading")),
        Some((_, part)) => item(health(part.level), "camera", format!("{bad} of {all} cameras are not reading")),
    }
}

fn lists(lists: &[ListLine], trusted: bool) -> StatusItem {
    let shown = || lists.iter().filter(|list| !list.covert);
    let worst = shown().max_by_key(|list| (list.staleness, list.age_s));
    let Some(worst) = worst else { return item(Health::Info, "list", "No lists") };
    let health = freshness(worst.staleness);
    match worst.age_s {
        None => item(health, "list", format!("{}: nothing in force", worst.name)),
        Some(_) if !trusted => item(Health::Warning, "list", "Ages of lists not known"),
        Some(old) if worst.staleness == Staleness::Fresh => item(health, "list", format!("Lists {} old", age(old))),
        Some(old) => item(health, "list", format!("{} is {} old", worst.name, age(old))),
    }
}

fn outbox(report: &StatusReport) -> StatusItem {
    let Some(store) = &report.store else { return item(Health::Bad, "outbox", "The store does not answer") };
    match (store.waiting, store.oldest_waiting_s) {
        (0, _) => item(Health::Good, "outbox", "All reads sent"),
        (waiting, _) if store.overdue > 0 => {
            let (overdue, waiting) = (super::words::number(store.overdue), super::words::number(waiting));
            let text = format!("{overdue} of {waiting} waiting reads overdue: bring them to the station");
            item(Health::Bad, "outbox", text)
        }
        (waiting, oldest) => {
            let oldest = oldest.filter(|s| *s >= 60).map_or_else(String::new, |s| format!(", oldest {}", age(s)));
            let health = freshness(store.staleness).max(Health::Info);
            let verb = if waiting == 1 { "waits" } else { "wait" };
            let one = if waiting == 1 { "read" } else { "reads" };
            item(health, "outbox", format!("{} {one} {verb}{oldest}", super::words::number(waiting)))
        }
    }
}

/// Out of reach of the station is how a vehicle is most of the day.
fn station(link: Option<&Progress>, now: Timestamp) -> StatusItem {
    match link {
        None => item(Health::Info, "nolink", "No station"),
        Some(Progress { state: State::BackingOff { since, .. }, operator_needed, .. }) => {
            let health = if *operator_needed { Health::Warning } else { Health::Info };
            let since = age(now.duration_since(*since).as_secs().max(0).unsigned_abs());
            item(health, "nolink", format!("No link for {since}"))
        }
        Some(Progress { state: State::Waiting(_), .. }) => item(Health::Info, "nolink", "Transfer waits"),
        Some(_) => item(Health::Good, "link", "Station reached"),
    }
}

/// What else does not work.
fn others(parts: &[Part]) -> impl Iterator<Item = StatusItem> {
    let said = |name: &str| {
        name.starts_with("camera ") || name.starts_with("list ") || matches!(name, "transfer" | "console" | "control")
    };
    parts.iter().filter(move |part| part.level > Level::Ok && !said(&part.name)).map(|part| {
        let (icon, text) = match part.name.as_str() {
            "chime" if part.level == Level::Failed => ("nosound", "Alerts can't be heard".to_owned()),
            "matching" => ("warning", "Nobody is alerted".to_owned()),
            "disk" => ("warning", "The disk is filling up".to_owned()),
            "clock" => ("clock", "The clock is not trusted".to_owned()),
            "gps" => ("state", "Position not known".to_owned()),
            "store" => ("warning", "Reads can't be kept".to_owned()),
            name => ("warning", format!("{} has trouble", super::words::capital(name))),
        };
        item(health(part.level), icon, text)
    })
}
