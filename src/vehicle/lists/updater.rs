//! Lists come in while the daemon runs: on a thread of their own, between station, folders and
//! whoever brings them into force.

use crate::config::Config;
use crate::control::{OfficerService, UpdaterHandle, station};
use crate::lists::{Accept, Change, ListState, Origin, Remote, Round, Sync, Watched, Watcher, forget, settings_digest};
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
/// Longest wait until lists that could not be read are tried again.
const LONGEST_ARMING: Duration = Duration::from_secs(30);

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
            watched: folders
                .map(|list| Watched {
                    list: list.name.clone(),
                    folder: list.path.clone(),
                    settings: settings_digest(list),
                })
                .collect(),
            poll: Duration::from_secs(2),
        }
    }
}

/// The synchronisation at work; dropping it ends it.
pub struct Running {
    states: watch::Receiver<Vec<ListState>>,
    rounds: mpsc::Sender<oneshot::Sender<Round>>,
    /// Before the thread is waited for, which may be building an index.
    service: Option<StopOnDrop>,
    _thread: Service<oneshot::Sender<()>>,
}

/// Has no index built any more once the daemon ends.
struct StopOnDrop(Arc<OfficerService>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// Starts what brings lists into force: those that are already go into the matching first, then files
/// are looked at, the station is asked, and folders are watched. Nobody waits for any of that.
///
/// # Errors
/// What is wrong with the configuration of the way to the station.
pub fn from(config: &Config, clock: Arc<dyn Clock>, service: &Arc<OfficerService>) -> Result<Running> {
    let options = Options::of(config);
    let station = station(config, &clock)?;
    let (has_station, folder) = (station.is_some(), options.folder.clone());
    let lists: Vec<String> = options.watched.iter().map(|w| w.list.clone()).collect();
    let (taker, preparer) = (service.clone(), service.clone());
    let task = service.start_task();
    let prepare = move || {
        let _task = task;
        let mut backoff = Backoff::new(FIRST_BACKOFF, LONGEST_ARMING);
        while let Err(e) = preparer.arm() {
            tracing::error!("The lists in force can't be read, and nothing on them is found: {}", e.chain());
            if preparer.stops_within(backoff.fail()) {
                return;
            }
        }
        preparer.look_at_files_beside();
        lists.iter().filter(|list| !preparer.is_in_force(list)).for_each(|list| forget(&folder.join("spool"), list));
        if has_station {
            preparer.follow(&folder);
        }
    };
    let accept = Arc::new(move |change: &Change| taker.take(change));
    let mut running = start_after(prepare, station, options, clock, accept)?;
    running.service = Some(StopOnDrop(service.clone()));
    let rounds = has_station.then(|| running.rounds.clone());
    service.tell_of(UpdaterHandle { states: running.states.clone(), rounds });
    Ok(running)
}

/// Starts it: the first looks are at once. Without a station there are only folders.
pub fn start<R: Remote>(
    station: Option<(R, Trust)>,
    options: Options,
    clock: Arc<dyn Clock>,
    accept: Arc<Accept>,
) -> Result<Running> {
    start_after(|| (), station, options, clock, accept)
}

/// The same, once `prepare` is done.
fn start_after<R: Remote>(
    prepare: impl FnOnce() + Send + 'static,
    station: Option<(R, Trust)>,
    options: Options,
    clock: Arc<dyn Clock>,
    accept: Arc<Accept>,
) -> Result<Running> {
    let failed = || "could not start the synchronisation of hotlists".to_string();
    let folder = options.folder.clone();
    // One for each folder: a medium or a mount that hangs holds up its own list alone.
    let watcher = |w| Watcher::new(vec![w], folder.join("spool"), clock.clone(), accept.clone());
    let watchers = options.watched.into_iter().map(watcher).collect::<Result<Vec<_>>>()?;
    let (publish, states) = watch::channel(watchers.iter().flat_map(Watcher::states).cloned().collect::<Vec<_>>());
    let (stop, stopped) = oneshot::channel::<()>();
    let (rounds, asked) = mpsc::channel(1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context(Kind::Internal, failed)?;
    let thread = Service::start("hotlists", "The synchronisation of hotlists", stop, move || {
        prepare();
        // After that, since it begins with what was accepted.
        let sync = station.map(|(remote, trust)| Sync::new(remote, folder, trust, clock, accept));
        let publish = Arc::new(publish);
        runtime.block_on(async {
            for watcher in watchers {
                tokio::spawn(look(watcher, options.poll, publish.clone()));
            }
            tokio::select! {
                () = fetch(sync, options.interval, &publish, asked) => {}
                _ = stopped => {}
            }
        });
        // A list may be on its way into force; that survives being cut off.
        runtime.shutdown_timeout(Duration::from_secs(1));
    })?;
    Ok(Running { states, rounds, service: None, _thread: thread })
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
    put(publish, sync.states());
    loop {
        let round = sync.round().await;
        put(publish, sync.states());
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

async fn look(mut watcher: Watcher, poll: Duration, publish: Arc<watch::Sender<Vec<ListState>>>) {
    loop {
        let looked = tokio::task::spawn_blocking(move || {
            watcher.look();
            watcher
        });
        match looked.await {
            Ok(at_work) => watcher = at_work,
            Err(_) => {
                tracing::error!("A folder of hotlists is watched no more: a defect. Restart the daemon.");
                return;
            }
        }
        put(&publish, watcher.states());
        tokio::time::sleep(poll).await;
    }
}

/// Puts these in the place of those of the same lists; lists of the station that are gone, go.
fn put<'a>(publish: &watch::Sender<Vec<ListState>>, states: impl Iterator<Item = &'a ListState>) {
    let states: Vec<&ListState> = states.collect();
    publish.send_modify(|all| {
        let of_station = states.first().is_none_or(|s| s.origin == Origin::Station);
        let replaced = |old: &ListState| {
            (of_station && old.origin == Origin::Station)
                || states.iter().any(|new| new.origin == old.origin && new.name == old.name)
        };
        all.retain(|old| !replaced(old));
        all.extend(states.into_iter().cloned());
    });
}

impl Running {
    /// How each list is getting on.
    pub fn states(&self) -> Vec<ListState> {
        self.states.borrow().clone()
    }
}
