//! Lists come in while the daemon runs: on a thread of their own, between station, folders and
//! whoever brings them into force.

use crate::clock::Clock;
use crate::config::{Config, ListKind};
use crate::control::Desk;
use crate::error::{Context, Error, Kind, Result};
use crate::hotlist;
use crate::hotlist::sync::{Accept, Change, ListState, Origin, Remote, Sync, Watched, Watcher};
use crate::signing::Trust;
use crate::transfer::{HttpsLink, backoff};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{oneshot, watch};

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
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Starts what the configuration asks for, if it does: the station, folders, or both. What comes is
/// brought into force by the desk, as is what `plated hotlist sync` fetched, after every look at
/// the station.
pub(super) fn from(config: &Config, clock: Arc<dyn Clock>, desk: &Arc<Desk>) -> Result<Option<Running>> {
    let options = Options::of(config);
    let station = match (&config.hotlist_sync, &config.transfer) {
        (Some(sync), Some(transfer)) => {
            let link = HttpsLink::new(&config.vehicle, transfer, clock.clone())?;
            Some((link, Trust::load(&sync.key)?))
        }
        _ if options.watched.is_empty() => return Ok(None),
        _ => None,
    };
    let (folder, follower, taker) = (options.folder.clone(), desk.clone(), desk.clone());
    if station.is_some() {
        desk.follow(&folder);
    }
    let after = move || follower.follow(&folder);
    let running = start(station, options, clock, Arc::new(move |change: &Change| taker.take(change)), after)?;
    desk.tell_of(running.states.clone());
    Ok(Some(running))
}

/// Lets a list in when every line of it is an entry: for `plated hotlist sync`. The daemon decides
/// whether it comes into force, after its own next look at the station.
pub fn accept(change: &Change) -> Result<String> {
    match change {
        Change::Station { version, path } => {
            let entries = hotlist::read_entries(path, |_| Ok(()))?;
            if entries != version.entries {
                let said = format!("it has {entries} entries, and {} by the manifest", version.entries);
                return Err(Error::new(Kind::Input, said));
            }
            Ok(format!("{entries} entries"))
        }
        Change::Withdrawn { .. } => Ok("withdrawn".into()),
        Change::File { .. } => Err(Error::new(Kind::Config, "files from folders are not taken")),
    }
}

/// Starts it: the first looks are at once. Without a station there are only folders. `after` is
/// called when a look at the station is over.
pub fn start<R: Remote>(
    station: Option<(R, Trust)>,
    options: Options,
    clock: Arc<dyn Clock>,
    accept: Arc<Accept>,
    after: impl FnMut() + Send + 'static,
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
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context(Kind::Internal, failed)?;
    let thread = std::thread::Builder::new().name("hotlists".into()).spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                () = fetch(sync, options.interval, &publish, after) => {}
                () = look(watcher, options.poll, &publish) => {}
                _ = stopped => {}
            }
        });
        // A list may be on its way into force; that survives being cut off.
        runtime.shutdown_timeout(Duration::from_secs(1));
    });
    Ok(Running { states, stop: Some(stop), thread: Some(thread.context(Kind::Internal, failed)?) })
}

async fn fetch<R: Remote>(
    sync: Option<Sync<R>>,
    interval: Duration,
    publish: &watch::Sender<Vec<ListState>>,
    mut after: impl FnMut() + Send + 'static,
) {
    let Some(mut sync) = sync else { return std::future::pending().await };
    let mut failures = 0;
    loop {
        let round = sync.round().await;
        put(publish, Origin::Station, sync.states());
        let at_work = tokio::task::spawn_blocking(move || {
            after();
            after
        });
        match at_work.await {
            Ok(back) => after = back,
            Err(_) => {
                tracing::error!("Lists from the station come into force no more: a defect. Restart the daemon.");
                return std::future::pending().await;
            }
        }
        failures = if round.again_soon() { failures + 1 } else { 0 };
        let random = getrandom::u32().unwrap_or(u32::MAX);
        tokio::time::sleep(match failures {
            0 => interval,
            n => backoff(n, FIRST_BACKOFF.min(interval), interval, random),
        })
        .await;
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

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("The synchronisation of hotlists ended by a defect.");
        }
    }
}
