//! `plated run`: the parts put together.
//!
//! ```text
//! capture ─► workers (detect, read) ─► collector (order, track) ─► recorder (match, sound)
//!  1 frame a source    2 a worker               32 events             │ 256 reads
//!                                  transfer ◄─ store ◄─ keeper (write, publish) ◄┘
//! ```
//!
//! Every queue is bounded. Frames give way to newer frames. Matching and sounding wait for nothing:
//! reads that the store can't take wait in memory with their pictures, up to 256, and past that
//! those without a hit give way, counted and told of. What is durable is published in [`Hub`].

mod collector;
mod counters;
mod live;
mod recorder;
mod transfer;
mod worker;
mod workers;

pub use counters::{Counters, Totals};
pub use live::LiveGate;
pub use workers::Workers;

use crate::alert::{Chime, ChimeStatus, Started};
use crate::config::Config;
use crate::control::{OfficerService, Server};
use crate::events::Hub;
use crate::health::{Health, Monitor};
use crate::lists::{ListState, expiry, updater};
use crate::store::{Key, NewImage, Options, Stats, Store};
use crate::transfer::StoreOutbox;
use collector::Collector;
use crossbeam_channel::bounded;
use plated_access::Gate;
use plated_core::clock::Clock;
use plated_core::error::{Error, Kind, Result};
use plated_core::record::{HitRecord, MadeBy, ReadRecord};
use plated_core::shutdown::Shutdown;
use plated_core::thread::spawn;
use plated_vision::capture::{Capture, SourceStatus};
use plated_vision::capture::{Input, Pace};
use plated_vision::recognition::{Models, Recognizer};
use recorder::{Keeper, Matching, Recorder, Reserve, Waiting};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use worker::Worker;

/// Events that may wait for the recorder; each holds a frame of some MiB.
const EVENTS: usize = 32;
/// Frames recognised but not yet tracked, for each worker.
const SEEN_PER_WORKER: usize = 2;

/// How long recordings wait for the lists.
const LISTS_TIMEOUT: Duration = Duration::from_secs(60);

/// Something that is durable and may be shown.
#[derive(Debug)]
pub enum Announcement {
    /// The vehicle pass is over; this is the read.
    Read {
        /// What was stored.
        read: Box<ReadRecord>,
        /// Its pictures.
        pictures: Vec<NewImage>,
    },
    /// The plate matched an entry. A lead, not a fact, until somebody verified it.
    Hit {
        /// The read as it is so far.
        read: Box<ReadRecord>,
        /// The match, and whether it sounded.
        hit: Box<HitRecord>,
        /// Monotonic time at which the frame that decided it was captured.
        captured: Duration,
        /// Pictures of the read as it is so far.
        pictures: Vec<NewImage>,
    },
}

/// The running daemon.
pub struct Daemon {
    capture: Arc<Capture>,
    counters: Arc<Counters>,
    store: Store,
    chime: Arc<Chime>,
    events: Hub<Announcement>,
    transfer: Option<transfer::Running>,
    hotlists: updater::Running,
    /// Ends before the store closes.
    officers: (Option<Server>, expiry::Running),
    stopping: Arc<AtomicBool>,
    shutdown: Shutdown,
    workers: Arc<Workers>,
    monitor: JoinHandle<()>,
    gate: Arc<Gate>,
    clock: Arc<dyn Clock>,
    threads: Vec<JoinHandle<()>>,
}

/// Everything at a glance.
#[derive(Clone, Debug)]
pub struct Status {
    /// Cameras and files.
    pub sources: Vec<SourceStatus>,
    /// Frames, reads and alerts since the start.
    pub totals: Totals,
    /// The store.
    pub store: Stats,
    /// The chime.
    pub chime: ChimeStatus,
    /// The transfer, if a station is configured.
    pub transfer: Option<crate::transfer::Progress>,
    /// Lists that come from the station and from folders.
    pub hotlists: Vec<ListState>,
}

impl Daemon {
    /// Starts everything. Once `stop` is asked for, no more models are loaded; what has been started ends
    /// with [`Daemon::stop`].
    ///
    /// # Errors
    /// What can't be worked without: models, the key, the store. A missing sound card, camera or
    /// station is a warning.
    pub fn start(config: &Config, clock: Arc<dyn Clock>, stop: &Shutdown) -> Result<Self> {
        let key = Key::load(&config.store)?;
        let (store, opened) = Store::open(Options::from(&config.store), &key, clock.clone())?;
        if let Some(aside) = &opened.set_aside {
            tracing::error!(
                path = %aside.path.display(), why = aside.why,
                "The store was damaged. It was set aside and a new one begun; what can still be read of it is being \
                 brought over. Keep the file, and tell the administrator that `plated store salvage` does it again by \
                 hand."
            );
        }
        if opened.released > 0 {
            tracing::warn!(reads = opened.released, "Reads of an interrupted run were closed as they were.");
        }
        let desk = Arc::new(OfficerService::open(config, store.clone(), clock.clone()));
        let hotlists = updater::from(config, clock.clone(), &desk)?;
        let link = config.transfer.as_ref().map(|t| transfer::prepare(config, t, clock.clone())).transpose()?;

        let workers = match config.recognition.workers {
            0 => std::thread::available_parallelism().map_or(2, usize::from),
            n => n,
        };
        let models = Models::find(&config.recognition)?;
        let first = Recognizer::open(&models)?;
        let (detector, reader) = first.versions();
        let made_by =
            MadeBy { plated: env!("CARGO_PKG_VERSION").into(), detector: detector.into(), reader: reader.into() };

        let (chime, silent) = Chime::start(&config.alert, clock.clone());
        if let Some(why) = silent {
            tracing::warn!("{why}.");
        }
        let chime = Arc::new(chime);
        let counters = Arc::new(Counters::default());
        let stopping = Arc::new(AtomicBool::new(false));
        let outbox = desk.take_transfer_permit().map(|permit| StoreOutbox::new(store.clone(), permit));
        let transfer = link.zip(outbox).map(|(link, outbox)| link.start(outbox)).transpose()?;

        store.check_in_background();
        let (to_recorder, from_collector) = bounded(EVENTS);
        let (to_collector, seen) = bounded(SEEN_PER_WORKER * workers);
        // A recording that is played as fast as it can be would be over before; a camera waits for nothing.
        if config.sources.iter().any(|s| has_own_time(&s.input)) {
            let until = clock.monotonic() + LISTS_TIMEOUT;
            while !desk.wait_for_lists(Duration::from_millis(100)) && !stop.is_requested() {
                if clock.monotonic() >= until {
                    tracing::warn!("Recordings are read before all lists are in force.");
                    break;
                }
            }
        }
        let capture = Arc::new(Capture::start(&config.sources, clock.clone())?);
        let mut threads = Vec::new();
        let make = {
            let (capture, counters, clock) = (capture.clone(), counters.clone(), clock.clone());
            let first = Mutex::new(Some(first));
            move |post| {
                let ready = first.lock().unwrap_or_else(|e| e.into_inner()).take();
                let recognizer = ready.map_or_else(|| Recognizer::open(&models), Ok)?;
                let (capture, counters, clock) = (capture.clone(), counters.clone(), clock.clone());
                let worker = Worker { capture, recognizer, models: models.clone(), post, clock, counters };
                Ok(Box::new(move || worker.run()) as Box<dyn FnOnce() + Send>)
            }
        };
        let workers = Workers::start(workers, to_collector, Box::new(make), || !stop.is_requested())?;
        let collector =
            Collector::new(&config.sources, &config.recognition, clock.clone(), to_recorder, counters.clone());
        threads.push(spawn("collector", move || collector.run(&seen))?);
        let health = Arc::new(Health::default());
        desk.tell_health(health.clone());
        let monitor = Monitor {
            health: health.clone(),
            capture: capture.clone(),
            workers: workers.clone(),
            counters: counters.clone(),
            chime: chime.clone(),
            clock: clock.clone(),
        };
        let shutdown = stop.child();
        let monitor = monitor.start(shutdown.clone())?;
        let gate = desk.gate().clone();
        let expiry = expiry::start(desk.clone(), clock.clone())?;
        let settings = desk.settings().clone();
        let matching = Matching {
            lists: desk.lists().clone(),
            settings: settings.clone(),
            muted: desk.quiet().clone(),
            repeat_after: Duration::from_secs(config.alert.repeat_after_s),
            clock: clock.clone(),
        };
        let waiting = Arc::new(Waiting::new(counters.clone(), config.sources.iter().all(|s| has_own_time(&s.input))));
        let events = Hub::default();
        let to_store = store.clone();
        let keeper = Keeper {
            put: Box::new(move |read| to_store.put_read(read)),
            waiting: waiting.clone(),
            settings,
            events: events.clone(),
            counters: counters.clone(),
            stopping: stopping.clone(),
            reserve: Reserve::beside(&config.store.path, config.store.reserve_mib << 20),
        };
        threads.push(spawn("keeper", move || keeper.run())?);
        let recorder =
            Recorder::new(config.vehicle.clone(), made_by, matching, chime.clone(), counters.clone(), waiting);
        threads.push(spawn("recorder", move || recorder.run(&from_collector))?);
        // Last, so that nobody is answered by a daemon that did not start. Without it reading goes on.
        let server = Server::start(&config.control_socket(), desk).inspect_err(|e| {
            tracing::error!("Lists and entries can't be changed while the daemon runs: {}", e.chain())
        });
        let officers = (server.ok(), expiry);
        Ok(Self {
            capture,
            counters,
            store,
            chime,
            events,
            transfer,
            hotlists,
            officers,
            stopping,
            shutdown,
            workers,
            monitor,
            gate,
            clock,
            threads,
        })
    }

    /// True once every source has ended and every read is stored.
    pub fn is_done(&self) -> bool {
        self.workers.is_done() && self.threads.iter().all(JoinHandle::is_finished)
    }

    /// Lets reads and hits be shown as they are made, once that is on record.
    pub fn live(&self) -> LiveGate {
        LiveGate::new(self.gate.clone())
    }

    /// What is made known, once it is durable. [`Hub::resume`] after 0 gives all since the start.
    pub fn events(&self) -> &Hub<Announcement> {
        &self.events
    }

    /// The chimes as they start.
    pub fn chimes(&self) -> crossbeam_channel::Receiver<Started> {
        self.chime.started().clone()
    }

    /// How everything is.
    pub fn status(&self) -> Result<Status> {
        Ok(Status {
            sources: self.capture.status(),
            totals: self.counters.totals(),
            store: self.store.stats()?,
            chime: self.chime.status(),
            transfer: self.transfer.as_ref().map(transfer::Running::progress),
            hotlists: self.hotlists.states(),
        })
    }

    /// Lets a running transfer go on until the outbox is empty, `patience` is over, or `enough`
    /// is asked for; true when it is empty.
    pub fn drain(&self, patience: Duration, enough: &Shutdown, clock: &dyn Clock) -> Result<bool> {
        let until = clock.monotonic() + patience;
        loop {
            let stats = self.store.stats()?;
            if stats.pending == 0 {
                return Ok(true);
            }
            if self.transfer.is_none() || enough.is_requested() || clock.monotonic() >= until {
                return Ok(false);
            }
            std::thread::sleep(Duration::from_millis(50)); // The outbox can only be counted.
        }
    }

    /// Stops capture, closes open passes, keeps and publishes their reads, then closes the store.
    ///
    /// # Errors
    /// `Storage` when reads were lost because the store could not write.
    pub fn stop(self) -> Result<()> {
        self.stopping.store(true, Ordering::Relaxed);
        self.shutdown.request();
        self.capture.stop();
        self.workers.join(&*self.clock);
        for thread in self.threads.into_iter().chain([self.monitor]) {
            if thread.join().is_err() {
                tracing::error!("A thread ended by a defect; the reads it held may be lost.");
            }
        }
        self.events.close();
        drop((self.officers, self.hotlists, self.transfer));
        self.store.close()?;
        match self.counters.totals().lost_reads {
            0 => Ok(()),
            n => Err(Error::new(
                Kind::Storage,
                format!("{} lost: the store could not write", plated_core::text::count(n, "read")),
            )),
        }
    }
}

/// A file that is played as fast as it can be has its own time.
fn has_own_time(input: &Input) -> bool {
    matches!(input, Input::Video { pace: Pace::EveryFrame, .. } | Input::Images { pace: Pace::EveryFrame, .. })
}
