//! A round with the station because somebody asks for it: by the daemon's thread that does all its
//! rounds or, when no daemon runs, in this process. Either way the officers' service decides what comes into
//! force, and who asked hears it.

use super::Reply;
use super::service::{Answer, OfficerService};
use crate::config::Config;
use crate::lists::{Change, ListState, Round, Sync};
use crate::store::Key;
use crate::transfer::HttpsLink;
use plated_core::clock::Clock;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::signing::Trust;
use plated_core::text::count;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};

/// What the daemon's thread of lists that come by themselves has to say, and hears.
#[derive(Debug)]
pub struct UpdaterHandle {
    /// How each list is getting on.
    pub states: watch::Receiver<Vec<ListState>>,
    /// Asks for a round; the answer is what became of it. None without a station.
    pub rounds: Option<mpsc::Sender<oneshot::Sender<Round>>>,
}

impl UpdaterHandle {
    /// Has a round done, and waits for its end. Not on a thread that serves futures.
    pub(super) fn round(&self) -> Result<Round> {
        let stops = || Error::new(Kind::Network, "the daemon is stopping; ask again when it runs");
        let (tell, told) = oneshot::channel();
        self.rounds.as_ref().ok_or_else(no_station)?.blocking_send(tell).map_err(|_| stops())?;
        told.blocking_recv().map_err(|_| stops())
    }
}

/// The way to the station's lists, and whose signature counts; none where the configuration names
/// no station for lists.
///
/// # Errors
/// `Config` or `Missing` when the key can't be used.
pub fn station(config: &Config, link: Option<&HttpsLink>) -> Result<Option<(HttpsLink, Trust)>> {
    let (Some(sync), Some(link)) = (&config.hotlist_sync, link) else { return Ok(None) };
    Ok(Some((link.clone(), Trust::load(&sync.key)?)))
}

/// A round of this process, which has the store.
pub(super) fn round(config: &Config, clock: Arc<dyn Clock>, service: &Arc<OfficerService>) -> Result<Round> {
    let key = Key::load(&config.store)?;
    let link = config.transfer.as_ref().map(|t| HttpsLink::of_vehicle(config, t, &key, clock.clone())).transpose()?;
    let (link, trust) = station(config, link.as_ref())?.ok_or_else(no_station)?;
    let folder = config.hotlist_folder();
    service.follow(&folder);
    let service = service.clone();
    let mut sync = Sync::new(link, folder, trust, clock, Arc::new(move |change: &Change| service.take(change)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    Ok(runtime.context(Kind::Internal, || "could not start the runtime".into())?.block_on(sync.round()))
}

/// Says of each list what became of it.
///
/// # Errors
/// The first failure of the round, with how many there were.
pub(super) fn tell(round: Round, answer: Answer<'_>) -> Result<()> {
    let (of, mut failed) = (round.lists.len(), Vec::new());
    for (list, outcome) in round.lists {
        let outcome = outcome.map_err(|e| {
            let message = e.chain();
            failed.push((list.clone(), e.kind(), message.clone()));
            message
        });
        answer(Reply::Synced { list, outcome })?;
    }
    match (round.error.or(round.findings), failed.first()) {
        (Some(e), _) => Err(e),
        (None, None) => Ok(()),
        (None, Some((list, kind, message))) => {
            let message = format!(
                "of {}, {} not brought up to date; the first, {list}: {message}",
                count(of as u64, "list"),
                failed.len()
            );
            Err(Error::new(*kind, message))
        }
    }
}

/// Nobody hands out lists.
pub(super) fn no_station() -> Error {
    Error::new(Kind::Config, "there is no [hotlist_sync] in the configuration, so no lists come from the station")
}
