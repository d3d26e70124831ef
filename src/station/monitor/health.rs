//! Whether all is well, part by part.

use super::Look;
use crate::contacts::Standing;
use crate::hotlists::Staleness;
use jiff::Timestamp;
use plated_core::text::count;
use serde_json::json;
use std::time::Duration;

/// With less room on the disk nothing can be relied on.
const LITTLE_ROOM: u64 = 1 << 30;
/// And with less than this nothing is taken.
const NO_ROOM: u64 = 64 << 20;

/// How a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Well.
    Ok,
    /// It does its work, and somebody has to look at it.
    Degraded,
    /// It does not.
    Failed,
}

/// A part of the station.
#[derive(Clone, Debug)]
pub struct Part {
    pub name: String,
    pub level: Level,
    /// A sentence without a full stop.
    pub text: String,
    /// Without it nothing can be taken from vehicles.
    pub is_needed: bool,
}

pub fn parts(look: &Look, hangs: Option<Duration>, unwritten: Option<(Timestamp, String)>) -> Vec<Part> {
    let part = |name: &str, level, text: String, is_needed| Part { name: name.to_owned(), level, text, is_needed };
    let archive = match (&look.failed, hangs) {
        (_, Some(since)) => {
            part("archive", Level::Failed, format!("it gives no answer for {} s", since.as_secs()), true)
        }
        (Some(why), None) => part("archive", Level::Failed, why.clone(), true),
        (None, None) => part("archive", Level::Ok, count(look.statistics.reads, "read"), true),
    };
    let mut parts = vec![archive];
    if let Some((since, why)) = unwritten {
        // Not needed for readiness: where no vehicle is let in any more, nobody would notice that there is room again.
        let text = format!("batches can't be written since {since:.0}, and vehicles keep their reads: {why}");
        parts.push(part("intake", Level::Failed, text, false));
    }
    if let Some(free) = look.free_bytes {
        let level = match free {
            free if free < NO_ROOM => Level::Failed,
            free if free < LITTLE_ROOM => Level::Degraded,
            _ => Level::Ok,
        };
        parts.push(part("disk", level, format!("{} MiB free", free >> 20), true));
    }
    let late = look.contacts.iter().filter(|(_, standing)| *standing >= Standing::Critical).count() as u64;
    let level = if late > 0 { Level::Degraded } else { Level::Ok };
    let text = match late {
        0 => "each brings its reads in time".to_owned(),
        _ => format!("to come at once: {}; plated-station vehicles", count(late, "vehicle")),
    };
    parts.push(part("vehicles", level, text, false));
    for list in &look.lists {
        let level = match list.staleness {
            Staleness::Critical => Level::Failed,
            _ if list.is_wrong() => Level::Degraded,
            _ => Level::Ok,
        };
        parts.push(part(&format!("list {}", list.name), level, list.to_string(), false));
    }
    let upstream = look.forward.iter().map(|(waiting, progress)| ("forward".to_owned(), waiting, progress));
    let push = look.push.iter().map(|(name, waiting, progress)| (format!("push {name}"), waiting, progress));
    for (name, waiting, progress) in upstream.chain(push) {
        let (level, text) = match &progress.failing {
            Some((why, since)) => (Level::Degraded, format!("it fails since {since:.0}: {why}")),
            None if waiting.refused > 0 => {
                (Level::Degraded, format!("{} of them refused; the log says why", waiting.refused))
            }
            None => (Level::Ok, "it works".to_owned()),
        };
        let to = if name == "forward" { "the upstream station" } else { "the receiver" };
        parts.push(part(&name, level, format!("{} for {to}; {text}", count(waiting.reads, "read")), false));
    }
    let open = look.signs.iter().filter(|sign| sign.is_open()).count() as u64;
    let level = if open > 0 { Level::Degraded } else { Level::Ok };
    let text = match open {
        0 => "no open sign of a breach".to_owned(),
        _ => format!("{}; plated-station security list", count(open, "open sign")),
    };
    parts.push(part("security", level, text, false));
    parts
}

/// All of them, and how it is as a whole.
pub fn as_json(parts: &[Part]) -> String {
    let word = |level| match level {
        Level::Ok => "ok",
        Level::Degraded => "degraded",
        Level::Failed => "failed",
    };
    let whole = parts.iter().map(|part| part.level).max().unwrap_or(Level::Ok);
    let all: Vec<_> =
        parts.iter().map(|part| json!({"name": part.name, "level": word(part.level), "text": part.text})).collect();
    format!("{}\n", json!({"status": word(whole), "parts": all}))
}
