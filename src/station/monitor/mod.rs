//! What a monitoring system and the administrator's log are told of the station: numbers, and whether all is well.
//! `[metrics]` has the address. No plate is in any of it, and no name of a person.

mod health;
mod text;

use crate::archive::{Engine, Statistics};
use crate::contacts::{Contact, Overdue, Standing};
use crate::forward::{Forwarder, UPSTREAM, Waiting};
use crate::hotlists::{ListAge, Source, Staleness, ages};
use crate::push::Pusher;
use crate::security_command::Sign;
use crate::sending::Progress;
use health::{Level, Part};
use jiff::Timestamp;
use jiff::civil::Date;
use plated_core::clock::Clock;
use plated_core::error::{Context, Kind, Result};
use plated_core::plain_http::{self, Answer};
use serde::Deserialize;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// How often it is looked.
const INTERVAL: Duration = Duration::from_secs(15);
/// A look that is so old says that the station hangs.
const HANGS: Duration = Duration::from_secs(120);

/// The endpoint; without the section there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where it listens; on this computer alone unless another address is given. Port 0 takes a free one.
    #[serde(default = "here")]
    pub listen: SocketAddr,
}

fn here() -> SocketAddr {
    plain_http::here(9465)
}

/// What was taken in since the start.
#[derive(Debug, Default)]
pub struct Counts {
    pub batches: AtomicU64,
    pub batch_bytes: AtomicU64,
    pub reads: AtomicU64,
    pub documents: AtomicU64,
    pub audit_rows: AtomicU64,
    pub refused: AtomicU64,
    pub failures: AtomicU64,
    /// Since when batches can't be written, and why; none once one could be.
    unwritten: Mutex<Option<(Timestamp, String)>>,
}

impl Counts {
    /// Adds to one of them.
    pub fn add(of: &AtomicU64, more: usize) {
        of.fetch_add(more as u64, Ordering::Relaxed);
    }

    /// Takes note of whether a batch could be written: a disk that is full, be it that of the database, is seen only so.
    pub fn note_written<T>(&self, result: &Result<T>, at: Timestamp) {
        let mut unwritten = self.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(_) => *unwritten = None,
            Err(e) if e.kind() == Kind::Storage => {
                let since = unwritten.as_ref().map_or(at, |(since, _)| *since);
                *unwritten = Some((since, e.chain()));
            }
            Err(_) => {}
        }
    }

    fn unwritten(&self) -> Option<(Timestamp, String)> {
        self.unwritten.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What a look found.
#[derive(Clone, Debug, Default)]
struct Look {
    statistics: Statistics,
    lists: Vec<ListAge>,
    signs: Vec<Sign>,
    /// What is known of each vehicle, and how it is with it.
    contacts: Vec<(Contact, Standing)>,
    findings_waiting: u64,
    holds: (u64, u64),
    due_reads: u64,
    last_purge: Option<Timestamp>,
    /// What came on media: batches, the reads in them, and when the last of them came.
    media: (u64, u64, Option<Timestamp>),
    free_bytes: Option<u64>,
    /// Where reads are shared with an upstream station.
    forward: Option<(Waiting, Progress)>,
    /// By the name of the receiver.
    push: Vec<(String, Waiting, Progress)>,
    /// Why there is none.
    failed: Option<String>,
}

/// What sends reads on.
#[derive(Clone, Default)]
pub struct Senders {
    /// To the upstream station.
    pub upstream: Option<Arc<Forwarder>>,
    /// To receivers.
    pub push: Vec<Arc<Pusher>>,
}

/// What it looks at, and what it found.
pub struct Monitor {
    archive: Arc<dyn Engine>,
    data: PathBuf,
    sources: Vec<Source>,
    overdue: Overdue,
    clock: Arc<dyn Clock>,
    counts: Arc<Counts>,
    senders: Senders,
    started: Timestamp,
    found: Mutex<(Duration, Look)>,
    told: Mutex<HashMap<String, Staleness>>,
}

/// The tasks; they end with this value.
pub struct Running(Vec<JoinHandle<()>>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

/// Takes the address of the endpoint.
///
/// # Errors
/// `Refused` when another program has it.
pub async fn bind(settings: Settings) -> Result<TcpListener> {
    let address = settings.listen;
    let failed = || format!("could not listen on {address} (metrics.listen); is another program running there?");
    TcpListener::bind(address).await.context(Kind::Refused, failed)
}

impl Monitor {
    pub fn new(
        archive: Arc<dyn Engine>,
        data: PathBuf,
        sources: Vec<Source>,
        overdue: Overdue,
        clock: Arc<dyn Clock>,
        counts: Arc<Counts>,
        senders: Senders,
    ) -> Arc<Self> {
        let (started, now) = (clock.wall(), clock.monotonic());
        let (found, told) = (Mutex::new((now, Look::default())), Mutex::default());
        Arc::new(Self { archive, data, sources, overdue, clock, counts, senders, started, found, told })
    }

    /// Looks again and again, and answers what comes to `listener`.
    pub fn start(self: &Arc<Self>, listener: Option<TcpListener>) -> Running {
        let looking = self.clone();
        let mut tasks = vec![tokio::spawn(async move {
            loop {
                let at_work = looking.clone();
                if tokio::task::spawn_blocking(move || at_work.look()).await.is_err() {
                    tracing::error!("A defect in what watches the station was caught; it looks again");
                }
                tokio::time::sleep(INTERVAL).await;
            }
        })];
        if let Some(listener) = listener {
            let this = self.clone();
            tasks.push(tokio::spawn(plain_http::serve(listener, Arc::new(move |path| this.respond(path)))));
        }
        Running(tasks)
    }

    fn respond(&self, path: &str) -> Answer {
        let (at, look) = self.found.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let age = self.clock.monotonic().saturating_sub(at);
        let parts = || health::parts(&look, (age > HANGS).then_some(age), self.counts.unwritten());
        match path {
            "/metrics" => Answer::metrics(text::metrics(&look, &self.counts, self.started)),
            // Whether it takes what vehicles bring.
            "/readyz" => {
                let parts: Vec<Part> = parts().into_iter().filter(|part| part.is_needed).collect();
                Answer::json(parts.iter().all(|part| part.level < Level::Failed), health::as_json(&parts))
            }
            // Whether it lives: another start mends nothing else.
            "/healthz" => Answer::json(age <= HANGS, health::as_json(&parts())),
            _ => Answer::not_found("/metrics, /healthz or /readyz"),
        }
    }

    fn look(&self) {
        let now = self.clock.wall();
        let look = self.found(now).unwrap_or_else(|e| Look { failed: Some(e.chain()), ..Look::default() });
        self.tell(&look.lists);
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = (self.clock.monotonic(), look);
    }

    fn found(&self, now: Timestamp) -> Result<Look> {
        let statistics = self.archive.statistics(Date::MIN, Date::MIN)?;
        let due_reads = self.archive.due(now)?.iter().map(|due| due.reads).sum();
        let (lists, signs, contacts, findings_waiting, (holds, held_reads, last_purge), (to_forward, push), media) = {
            let mut database = self.archive.database().lock().unwrap_or_else(PoisonError::into_inner);
            database.read(|rows| {
                let waiting = rows.findings_waiting(now)?;
                let archive = rows.holds_and_purges()?;
                let to_forward = rows.forward_waiting(UPSTREAM)?;
                let push =
                    self.senders.push.iter().map(|pusher| {
                        Ok((pusher.name().to_owned(), rows.forward_waiting(pusher.name())?, pusher.how()))
                    });
                let push = push.collect::<Result<Vec<_>>>()?;
                let lists = ages(rows, &self.sources, now)?;
                let media = rows.medium_imports()?;
                Ok((lists, rows.signs()?, rows.contacts()?, waiting, archive, (to_forward, push), media))
            })?
        };
        let free = rustix::fs::statvfs(&self.data).ok().map(|fs| fs.f_bavail.saturating_mul(fs.f_frsize));
        Ok(Look {
            statistics,
            lists,
            signs,
            contacts: contacts.into_iter().map(|c| (c.clone(), c.standing(now, &self.overdue))).collect(),
            findings_waiting,
            holds: (holds, held_reads),
            due_reads,
            last_purge,
            media,
            free_bytes: free,
            forward: self.senders.upstream.as_ref().map(|forwarder| (to_forward, forwarder.how())),
            push,
            failed: None,
        })
    }

    /// Logs once that a list has become stale, and once more when critical.
    fn tell(&self, lists: &[ListAge]) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        for list in lists {
            let before = told.insert(list.name.clone(), list.staleness).unwrap_or(Staleness::Fresh);
            match list.staleness {
                level if level <= before => {}
                Staleness::Critical => tracing::error!("Nobody may rely on a list any more: {list}"),
                _ => tracing::warn!("A list is older than it should be: {list}"),
            }
        }
    }
}
