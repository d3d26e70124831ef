//! Lists come in while the daemon runs: on a thread of their own, between station, folders and
//! whoever brings them into force.

use crate::config::Config;
use crate::control::{OfficerService, UpdaterHandle, station};
use crate::lists::{Accept, Change, ListState, Origin, Remote, Round, Sync, Watched, Watcher};
use plated_core::clock::Clock;
use plated_core::error::{Context, Kind, Result};
use plated_core::retry::Backoff;
use plated_core::signing::Trust;
use plated_core::thread::Service;
use plated_hotlist::settings::ListKind;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// Wait after the first round that failed; it doubles with each further one.
const FIRST_BACKOFF: Duration = Duration::from_secs(5);

/// How lists are looked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// Folder of the lists in the vehicle.
    pub folder: PathBuf,
    /// Time between looks at the station.
    pub interval: Duration,
    /// Folders into which files are dropped.
    pub watched: Vec<Watched>,
    /// Time between looks at them.
    pub poll: Duration,
}

impl Options {
    /// As the configuration says.
    pub fn of(config: &Config) -> Self {
        let folders = config.hotlists.iter().filter(|list| list.kind == ListKind::Folder);
        Self {
            folder: config.hotlist_folder(),
            interval: Duration::from_secs_f64(config.hotlist_sync.as_ref().map_or(900.0, |sync| sync.interval_s)),
            watched: folders.map(|list| Watched { list: list.name.clone(), folder: list.path.clone() }).collect(),
            poll: Duration::from_secs(2),
        }
    }
}

/// The synchronisation at work; dropping it ends it.
pub struct Running {
    states: watch::Receiver<Vec<ListState>>,
    rounds: mpsc::Sender<oneshot::Sender<Round>>,
    _service: Service<oneshot::Sender<()>>,
}

/// Starts what the configuration asks for, if it does: the station, folders, or both. What comes is
/// brought into force by the desk.
pub fn from(config: &Config, clock: Arc<dyn Clock>, desk: &Arc<OfficerService>) -> Result<Option<Running>> {
    let options = Options::of(config);
    let station = station(config, &clock)?;
    let has_station = station.is_some();
    if has_station {
        desk.follow(&options.folder);
    } else if options.watched.is_empty() {
        return Ok(None);
    }
    let taker = desk.clone();
    let running = start(station, options, clock, Arc::new(move |change: &Change| taker.take(change)))?;
    desk.tell_of(UpdaterHandle { states: running.states.clone(), rounds: has_station.then(|| running.rounds.clone()) });
    Ok(Some(running))
}

/// Starts it: the first looks are at once. Without a station there are only folders.
pub fn start<R: Remote>(
    station: Option<(R, Trust)>,
    options: Options,
    clock: Arc<dyn Clock>,
    accept: Arc<Accept>,
) -> Result<Running> {
    let failed = || "could not start the synchronisation of hotlists".to_string();
    let folder = options.folder.clone();
    let sync = station.map(|(remote, trust)| Sync::new(remote, folder, trust, clock.clone(), accept.clone()));
    let watcher = match options.watched.is_empty() {
        true => None,
        false => Some(Watcher::new(options.watched, options.folder.join("spool"), clock, accept)?),
    };
    let mut states = Vec::new();
    states.extend(sync.iter().flat_map(Sync::states).chain(watcher.iter().flat_map(Watcher::states)).cloned());
    let (publish, states) = watch::channel(states);
    let (stop, stopped) = oneshot::channel::<()>();
    let (rounds, asked) = mpsc::channel(1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context(Kind::Internal, failed)?;
    let service = Service::start("hotlists", "The synchronisation of hotlists", stop, move || {
        runtime.block_on(async {
            tokio::select! {
                () = fetch(sync, options.interval, &publish, asked) => {}
                () = look(watcher, options.poll, &publish) => {}
                _ = stopped => {}
            }
        });
        // A list may be on its way into force; that survives being cut off.
        runtime.shutdown_timeout(Duration::from_secs(1));
    })?;
    Ok(Running { states, rounds, _service: service })
}

async fn fetch<R: Remote>(
    sync: Option<Sync<R>>,
    interval: Duration,
    publish: &watch::Sender<Vec<ListState>>,
    mut asked: mpsc::Receiver<oneshot::Sender<Round>>,
) {
    let Some(mut sync) = sync else { return std::future::pending().await };
    let mut backoff = Backoff::new(FIRST_BACKOFF, interval);
    let mut waits: Option<oneshot::Sender<Round>> = None;
    loop {
        let round = sync.round().await;
        put(publish, Origin::Station, sync.states());
        let pause = if round.again_soon() {
            backoff.fail_after(round.retry_after())
        } else {
            backoff.reset();
            interval
        };
        if let Some(tell) = waits.take() {
            let _ = tell.send(round); // The caller may have gone away.
        }
        waits = tokio::select! {
            () = tokio::time::sleep(pause) => None,
            // Also who asked while a round was under way: that one may have missed what is new.
            Some(tell) = asked.recv() => Some(tell),
        };
    }
}

async fn look(mut watcher: Option<Watcher>, poll: Duration, publish: &watch::Sender<Vec<ListState>>) {
    while let Some(mut at_work) = watcher.take() {
        let looked = tokio::task::spawn_blocking(move || {
            at_work.look();
            at_work
        });
        match looked.await {
            Ok(at_work) => {
                put(publish, Origin::Folder, at_work.states());
                watcher = Some(at_work);
            }
            Err(_) => tracing::error!("Folders of hotlists are watched no more: a defect. Restart the daemon."),
        }
        tokio::time::sleep(poll).await;
    }
    std::future::pending().await
}

fn put<'a>(publish: &watch::Sender<Vec<ListState>>, origin: Origin, states: impl Iterator<Item = &'a ListState>) {
    publish.send_modify(|all| {
        all.retain(|state| state.origin != origin);
        all.extend(states.cloned());
    });
}

impl Running {
    /// How each list is getting on.
    pub fn states(&self) -> Vec<ListState> {
        self.states.borrow().clone()
    }
}
