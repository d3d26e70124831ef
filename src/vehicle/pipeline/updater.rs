//! Lists come in while the daemon runs: on a thread of their own, between station, folders and
//! whoever brings them into force. What comes over the network is driven by the daemon's runtime;
//! what is written to the disk for it holds up this thread alone.

use crate::config::Config;
use crate::control::{OfficerService, UpdaterHandle, station};
use crate::lists::{Accept, Change, ListState, Origin, Remote, Round, Sync, Watched, Watcher, forget, settings_digest};
use crate::transfer::HttpsLink;
use plated_core::clock::Clock;
use plated_core::error::Result;
use plated_core::retry::Backoff;
use plated_core::shutdown::Shutdown;
use plated_core::signing::Trust;
use plated_core::thread::{Thread, guarded};
use plated_hotlist::settings::ListKind;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};

/// Wait after the first round that failed; it doubles with each further one.
const FIRST_BACKOFF: Duration = Duration::from_secs(5);
/// Longest wait until lists that could not be read are tried again.
const LONGEST_ARMING: Duration = Duration::from_secs(30);
/// Wait after a defect before the lists of the station are looked for again.
const AFTER_DEFECT: Duration = Duration::from_secs(60);
/// A list that is being written or made ready delays the end for so long at most; that survives being
/// cut off.
const END_TIMEOUT: Duration = Duration::from_secs(5);

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
    stop: Shutdown,
    thread: Option<Thread>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.request();
        if let Some(thread) = self.thread.take() {
            thread.end_within(END_TIMEOUT);
        }
    }
}

/// Starts what brings lists into force: those that are already go into the matching first, then files
/// are looked at, the station is asked, and folders are watched. Nobody waits for any of that. It ends
/// with `stop`.
///
/// # Errors
/// What is wrong with the configuration of the way to the station.
pub fn from(
    config: &Config,
    clock: Arc<dyn Clock>,
    service: &Arc<OfficerService>,
    link: Option<&HttpsLink>,
    runtime: &Handle,
    stop: &Shutdown,
) -> Result<Running> {
    let options = Options::of(config);
    let station = station(config, link)?;
    let (has_station, folder) = (station.is_some(), options.folder.clone());
    let lists: Vec<String> = options.watched.iter().map(|w| w.list.clone()).collect();
    let (taker, preparer) = (service.clone(), service.clone());
    let task = service.start_task();
    let stop = stop.child();
    let stopped = stop.clone();
    let prepare = move || {
        let _task = task;
        let mut backoff = Backoff::new(FIRST_BACKOFF, LONGEST_ARMING);
        loop {
            match guarded("Lists in force are not in the matching yet", || preparer.arm()) {
                Some(Ok(())) => break,
                Some(Err(e)) => {
                    tracing::error!("The lists in force can't be read, and nothing on them is found: {}", e.chain());
                }
                None => {}
            }
            if stopped.wait_timeout(backoff.fail()) {
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
    let running = start_after(prepare, station, options, clock, accept, runtime, stop)?;
    let rounds = has_station.then(|| running.rounds.clone());
    service.tell_of(UpdaterHandle { states: running.states.clone(), rounds });
    Ok(running)
}

/// Starts it: the first looks are at once. Without a station there are only folders.
///
/// # Errors
/// What is wrong with the names of lists or the folder of the vehicle's copies.
pub fn start<R: Remote>(
    station: Option<(R, Trust)>,
    options: Options,
    clock: Arc<dyn Clock>,
    accept: Arc<Accept>,
    runtime: &Handle,
) -> Result<Running> {
    start_after(|| (), station, options, clock, accept, runtime, Shutdown::new())
}

/// The same, once `prepare` is done.
fn start_after<R: Remote>(
    prepare: impl FnOnce() + Send + 'static,
    station: Option<(R, Trust)>,
    options: Options,
    clock: Arc<dyn Clock>,
    accept: Arc<Accept>,
    runtime: &Handle,
    stop: Shutdown,
) -> Result<Running> {
    let folder = options.folder.clone();
    // One for each folder: a medium or a mount that hangs holds up its own list alone.
    let watcher = |w| Watcher::new(vec![w], folder.join("spool"), clock.clone(), accept.clone());
    let watchers = options.watched.into_iter().map(watcher).collect::<Result<Vec<_>>>()?;
    let (publish, states) = watch::channel(watchers.iter().flat_map(Watcher::states).cloned().collect::<Vec<_>>());
    let (rounds, mut asked) = mpsc::channel(1);
    let (runtime, stopped) = (runtime.clone(), stop.clone());
    let run = move || {
        guarded("Lists that come by themselves were not all brought into force at the start", prepare);
        for watcher in watchers {
            runtime.spawn(look(watcher, options.poll, publish.clone(), stopped.clone()));
        }
        let Some((remote, trust)) = station else { return };
        while !stopped.is_requested() {
            let ended = guarded("The lists of the station are not looked for, for a minute", || {
                // After what is prepared, since it begins with what was accepted.
                let (remote, folder, trust) = (remote.clone(), folder.clone(), trust.clone());
                let sync = Sync::new(remote, folder, trust, clock.clone(), accept.clone());
                runtime.block_on(async {
                    tokio::select! {
                        () = fetch(sync, options.interval, &publish, &mut asked) => {}
                        () = stopped.requested() => {}
                    }
                });
            });
            if ended.is_none() {
                stopped.wait_timeout(AFTER_DEFECT);
            }
        }
    };
    let thread = Thread::start("hotlists", "The thread that fetches hotlists", run)?;
    Ok(Running { states, rounds, stop, thread: Some(thread) })
}

async fn fetch<R: Remote>(
    mut sync: Sync<R>,
    interval: Duration,
    publish: &watch::Sender<Vec<ListState>>,
    asked: &mut mpsc::Receiver<oneshot::Sender<Round>>,
) {
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

/// Looks into a folder again and again until the daemon ends.
async fn look(mut watcher: Watcher, poll: Duration, publish: watch::Sender<Vec<ListState>>, stop: Shutdown) {
    while !stop.is_requested() {
        let looked = tokio::task::spawn_blocking(move || {
            guarded("A folder of hotlists was not looked at", || watcher.look());
            watcher
        });
        // It only fails when the runtime ends.
        let Ok(at_work) = looked.await else { return };
        watcher = at_work;
        put(&publish, watcher.states());
        tokio::select! {
            () = tokio::time::sleep(poll) => {}
            () = stop.requested() => {}
        }
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
