//! `plated-station forward`: reads that were here before `[forward]` was set are shared too, when somebody says so.

use crate::StationConfig;
use crate::archive::settings;
use crate::command::print;
use crate::hotlists::command::this_user;
use jiff::civil::Date;
use plated_access::{AccessRecord, Actor, AuditLog};
use plated_core::clock::{Clock, SystemClock};
use plated_core::error::{Error, Kind, Result};
use plated_core::text::count;
use serde_json::json;
use std::sync::{Arc, PoisonError};

/// Has all reads from a day on wait for the upstream station that are shared with it.
///
/// # Errors
/// `Config` where there is none.
pub fn forward(config: &StationConfig, since: Date, reason: &str) -> Result<()> {
    let Some(settings) = &config.forward else {
        return Err(Error::new(Kind::Config, "[forward] is not set in the station's configuration; it says where to"));
    };
    let clock = Arc::new(SystemClock::new());
    let archive = settings::beside(config)?;
    let (actor, subject) = (Actor::SystemUser(this_user()), json!({ "since": since, "classes": settings.classes }));
    let record = AccessRecord::done(&actor, "past_reads_shared", reason, subject)?;
    archive.audit_log(clock.clone())?.append(record)?;
    let (now, mut shared) = (clock.wall(), 0);
    archive.reads_since(since, &mut |reads| {
        let ids: Vec<_> = reads
            .iter()
            .filter(|read| settings.takes(read.class, &read.vehicle, read.site.as_deref()))
            .map(|read| (read.id, read.has_hit))
            .collect();
        shared += ids.len() as u64;
        let mut database = archive.database().lock().unwrap_or_else(PoisonError::into_inner);
        database.transaction(|rows| rows.forward(super::UPSTREAM, &ids, now))
    })?;
    print(&format!(
        "{} from {since} on for the upstream station; a running station sends them, and what it has already stays there once",
        count(shared, "read")
    ))
}
