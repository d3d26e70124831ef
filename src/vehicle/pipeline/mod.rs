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

mod aims;
mod attention;
mod cameras;
mod collector;
mod counters;
mod expiry;
mod gps;
mod live;
mod metrics;
mod monitor;
mod recorder;
mod transfer;
mod webhooks;
pub mod updater;
mod watchdog;
mod worker;
mod workers;

pub use counters::{Counters, Totals};
pub use live::{LiveGate, LiveView};

pub use crate::announcement::{Announcement, Published};

use crate::alert::{Chime, ChimeStatus, Started};
use crate::config::Config;
use crate::console;
use crate::control::{OfficerService, Secret, Server};
use crate::events::Hub;
use crate::health::{ClockWatch, Health, Level};
use crate::lists::ListState;
use crate::power::{self, Pressure};
use crate::provision::{self, Provisioning};
use crate::purge::Purger;
use crate::store::{Key, Options, Stats, Store};
use crate::subscribers;
use crate::transfer::StoreOutbox;
use attention::Attention;
use collector::Collector;
use crossbeam_channel::bounded;
use monitor::Monitor;
use plated_access::audit::LogReport;
use plated_access::{Breach, Case, Purpose};
use plated_core::clock::{Clock, TrustedClock};
use plated_core::error::{Error, Kind, Result};
use plated_core::record::MadeBy;
use plated_core::runtime::{Runtime, Task};
use plated_core::service;
use plated_core::shutdown::Shutdown;
use plated_core::text::count;
use plated_core::thread::Thread;
use plated_vision::capture::{Capture, SourceState, SourceStatus};
use plated_vision::capture::{Input, Pace};
use plated_vision::recognition::Recognizer;
use recorder::{Keeper, Maker, Matching, Places, Recorder, Reserve, VehicleLook, Waiting};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use worker::Worker;
use workers::Workers;

/// Events that may wait for the recorder; each holds a frame of some MiB.
const EVENTS: usize = 8;
/// Frames recognised but not yet tracked, for each worker.
const SEEN_PER_WORKER: usize = 2;

/// How long recordings wait for the lists.
const LISTS_TIMEOUT: Duration = Duration::from_secs(60);
/// The whole end takes so long at most; `TimeoutStopSec` of the unit is more. What the parts between
/// need, if each hangs, is half a minute: as much is left for the store to close.
pub(crate) const STOP_TIMEOUT: Duration = Duration::from_secs(120);
/// Of that, what was read when the end was asked for may take so long into the store; a disk that hangs
/// holds the end up no longer.
const EMPTY_TIMEOUT: Duration = Duration::from_secs(60);
/// Whatever else hangs holds the end up for so long.
const END_TIMEOUT: Duration = Duration::from_secs(5);

/// The running daemon.
///
/// It ends in the order of the data ([`Daemon::stop`]): what makes work first, then, when the queues are
/// empty, what does it. The fields are in that order too, for a start that fails half way.
pub struct Daemon {
    /// Ends what goes on beside capture and after it; first, so that nothing is waited for that was not
    /// asked to end.
    rest: RequestAtEnd,
    capture: Arc<Capture>,
    workers: Arc<Workers>,
    /// Collector, recorder, keeper.
    threads: Vec<Thread>,
    /// Requested when the last of them has ended.
    finished: Shutdown,
    counters: Arc<Counters>,
    events: Hub<Published>,
    live: Arc<LiveGate>,
    /// Ends capture, and with it what follows; a child of the request to end the program.
    intake: Shutdown,
    server: Option<Server>,
    console: Option<console::Running>,
    hotlists: updater::Running,
    transfer: Option<transfer::Running>,
    provisioning: Option<Task>,
    gps: Option<Task>,
    webhooks: Vec<Task>,
    metrics: Option<Task>,
    /// Expiry, ages of lists, purge, monitor, clock, temperature and supply, where cameras point.
    beside: Vec<Thread>,
    store: Store,
    chime: Arc<Chime>,
    clock: Arc<dyn Clock>,
    /// After all that runs on it.
    runtime: Runtime,
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
        crate::memory::settle();
        let key = Key::load(&config.store)?;
        let config = &*provision::in_force(config, &key);
        let trusted = TrustedClock::over(clock);
        let clock: Arc<dyn Clock> = trusted.clone();
        let (store, opened) = Store::open(Options::from(config), &key, clock.clone())?;
        store.date(&trusted);
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
        let runtime = Runtime::start()?;
        let (intake, rest, finished) = (stop.child(), Shutdown::new(), Shutdown::new());
        let officers = Arc::new(OfficerService::open(config, store.clone(), clock.clone()));
        let health = Arc::new(Health::default());
        officers.tell_health(health.clone());
        officers.tell_stop(rest.clone());
        let link = config.transfer.as_ref().map(|t| transfer::prepare(config, t, &key, clock.clone())).transpose()?;
        let way = link.as_ref().map(|link| link.link());
        let hotlists = updater::from(config, clock.clone(), &officers, way, runtime.handle(), &rest)?;
        // Also of a start that fails from here on.
        let rest_ends = RequestAtEnd(rest.clone());

        let workers = match config.recognition.workers {
            0 => std::thread::available_parallelism().map_or(2, usize::from),
            n => n,
        };
        let models = provision::models(config, &key)?;
        let first = Recognizer::open(&models)?;
        let (detector, reader) = first.versions();
        let made_by =
            MadeBy { plated: env!("CARGO_PKG_VERSION").into(), detector: detector.into(), reader: reader.into() };

        let look = Arc::new(VehicleLook::new(models.vehicle_model()));

        let (chime, silent) = Chime::start(&config.alert, clock.clone());
        if let Some(why) = silent {
            tracing::warn!("{}", plated_core::text::sentence(&why));
        }
        let chime = Arc::new(chime);
        officers.tell_chime(chime.clone());
        let counters = Arc::new(Counters::default());
        let corrected = counters.clone();
        officers.tell_count(Box::new(move |hits, alerts| {
            corrected.change(|t| (t.hits, t.alerts) = (t.hits + hits, t.alerts + alerts));
        }));
        let outbox = officers.take_transfer_permit().map(|permit| StoreOutbox::new(store.clone(), permit));
        let provisioning = match &link {
            Some(link) => {
                let parts = provision::Parts {
                    link: link.link().clone(),
                    options: link.options().clone(),
                    officers: officers.clone(),
                    store: store.clone(),
                    health: health.clone(),
                    clock: clock.clone(),
                };
                Provisioning::new(config, &key, parts)?
            }
            None => None,
        };
        let provisioning = provisioning.map(|provisioning| {
            let what = "The provisioning from the station";
            let run = move || provisioning.clone().run();
            Task::start(runtime.handle(), what, &rest, transfer::again_after_defects(what, transfer::AFTER_DEFECT, run))
        });
        let transfer = link
            .zip(outbox)
            .map(|(link, outbox)| link.start(outbox, store.clone(), health.clone(), runtime.handle(), &rest));
        if let Some(transfer) = &transfer {
            officers.tell_link(transfer.progress().clone(), transfer.send_now());
        }

        store.check_in_background();
        look_at_the_past(config, &store, &health, &clock);
        let (to_recorder, from_collector) = bounded(EVENTS);
        let (to_collector, seen) = bounded(SEEN_PER_WORKER * workers);
        // A recording that is played as fast as it can be would be over before; a camera waits for nothing.
        if config.sources.iter().any(|s| has_own_time(&s.input)) {
            let until = clock.monotonic() + LISTS_TIMEOUT;
            while !officers.wait_for_lists(Duration::from_millis(100)) && !stop.is_requested() {
                if clock.monotonic() >= until {
                    tracing::warn!("Recordings are read before all lists are in force.");
                    break;
                }
            }
        }
        let capture = Arc::new(Capture::start(&config.sources, clock.clone())?);
        let pressure = Arc::new(Pressure::default());
        let mut threads = Vec::new();
        let make = {
            let (capture, counters, clock) = (capture.clone(), counters.clone(), clock.clone());
            let attention = Arc::new(Attention::new(
                config.sources.iter().map(|source| has_own_time(&source.input)).collect(),
                Duration::from_secs_f64(config.recognition.still_s),
                pressure.clone(),
            ));
            let views: Arc<[_]> = config.sources.iter().map(|source| source.view.clone()).collect();
            let first = Mutex::new(Some(first));
            move |post| {
                let ready = first.lock().unwrap_or_else(|e| e.into_inner()).take();
                let recognizer = ready.map_or_else(|| Recognizer::open(&models), Ok)?;
                let (capture, counters, clock) = (capture.clone(), counters.clone(), clock.clone());
                let (models, views, attention) = (models.clone(), views.clone(), attention.clone());
                let worker = Worker { capture, recognizer, models, views, attention, post, clock, counters };
                Ok(Box::new(move || worker.run()) as Box<dyn FnOnce() + Send>)
            }
        };
        let workers = Workers::start(workers, to_collector, Box::new(make), || !stop.is_requested())?;
        let collector =
            Collector::new(&config.sources, &config.recognition, clock.clone(), to_recorder, counters.clone());
        threads.push(Thread::start("collector", "The thread that follows plates", move || collector.run(&seen))?);
        let started = Arc::new(AtomicBool::new(false));
        let monitor = Monitor {
            health: health.clone(),
            capture: capture.clone(),
            workers: workers.clone(),
            counters: counters.clone(),
            chime: chime.clone(),
            clock: clock.clone(),
            started: started.clone(),
        };
        let monitor = monitor.start(rest.clone())?;
        let power = power::start(config.power.clone(), pressure, health.clone(), clock.clone(), rest.clone())?;
        let names = config.sources.iter().map(|source| source.name.clone()).collect();
        let aims = aims::start(&config.store.path, names, counters.clone(), rest.clone())?;
        let watch = ClockWatch::new(trusted, health.clone(), store.clone()).start(rest.clone())?;
        let live = Arc::new(LiveGate::new(officers.clone()));
        let [expiry, ages] = expiry::start(officers.clone(), clock.clone(), rest.clone())?;
        let (gate, shift) = (officers.gate().clone(), config.shift.hours);
        let purger = Purger::new(store.clone(), gate, clock.clone(), config.purge, shift);
        let purge = purger.start(health.clone(), rest.clone())?;
        let settings = officers.settings().clone();
        let arming = officers.clone();
        let gps = config.gps.as_ref().map(|gps| gps::start(gps, &health, &clock, runtime.handle(), &rest));
        let (gps, fixes) = gps.unzip();
        let own_time = config.sources.iter().filter(|s| has_own_time(&s.input));
        let recordings = own_time.map(|s| s.name.as_str().into()).collect();
        let matching = Matching {
            lists: officers.lists().clone(),
            are_ready: Box::new(move || arming.wait_for_lists(Duration::ZERO)),
            settings: settings.clone(),
            muted: officers.muted().clone(),
            alert: config.alert.clone(),
            places: Places::new(fixes, recordings),
            findings: officers.findings().clone(),
            clock: clock.clone(),
        };
        let waiting = Arc::new(Waiting::new(counters.clone(), config.sources.iter().all(|s| has_own_time(&s.input))));
        let events = Hub::default();
        officers.tell_events(events.clone());
        let (to_store, activity, now) = (store.clone(), counters.clone(), clock.clone());
        let keeper = Keeper {
            put: Box::new(move |read| activity.storing.during(now.monotonic(), || to_store.put_read(read))),
            waiting: waiting.clone(),
            settings,
            events: events.clone(),
            counters: counters.clone(),
            stop: intake.clone(),
            clock: clock.clone(),
            reserve: Reserve::beside(&config.store.path, config.store.reserve_mib << 20),
            look: look.clone(),
        };
        let recorder = {
            let (vehicle, canvass) = (config.vehicle.clone(), officers.canvass().clone());
            let maker = Maker { vehicle, made_by, sites: config.site_of_cameras() };
            Recorder::new(maker, matching, chime.clone(), counters.clone(), waiting.clone(), canvass, look)
        };
        let no_more = EndOfReads(waiting);
        threads.push(Thread::start("recorder", "The thread that matches and alerts", move || {
            let _no_more = no_more;
            recorder.run(&from_collector);
        })?);
        let all_kept = RequestAtEnd(finished.clone());
        threads.push(Thread::start("keeper", "The thread that keeps reads", move || {
            let _all_kept = all_kept;
            keeper.run();
        })?);
        // Last, so that nobody is answered by a daemon that did not start. Without it reading goes on.
        let server =
            Server::start(&config.control_socket(), officers.clone(), runtime.handle(), &rest).inspect_err(|e| {
                tracing::error!("Lists and entries can't be changed while the daemon runs: {}", e.chain());
                health.report("control", Level::Failed, e.chain(), clock.wall());
            });
        let subscribers = subscribers::Parts {
            officers: officers.clone(),
            store: store.clone(),
            events: events.clone(),
            health: health.clone(),
            clock: clock.clone(),
        };
        let webhooks = webhooks::start(&config.webhooks, &subscribers, runtime.handle(), &rest);
        let metrics = config
            .metrics
            .map(|settings| metrics::start(settings, &health, &capture, &counters, &clock, runtime.handle(), &rest));
        let parts = console::Parts {
            officers,
            store: store.clone(),
            events: events.clone(),
            health,
            cameras: cameras::access(&capture, &counters),
            clock: clock.clone(),
        };
        let console = console::start(config, parts, runtime.handle(), &rest);
        started.store(true, Ordering::Relaxed);
        Ok(Self {
            rest: rest_ends,
            capture,
            workers,
            threads,
            finished,
            counters,
            events,
            live,
            intake,
            server: server.ok(),
            console,
            hotlists,
            transfer,
            provisioning,
            gps,
            webhooks,
            metrics,
            beside: vec![expiry, ages, purge, monitor, watch, power, aims],
            store,
            chime,
            clock,
            runtime,
        })
    }

    /// True once every source has ended and every read is stored.
    pub fn is_done(&self) -> bool {
        self.finished.is_requested()
    }

    /// Waits until every source has ended and every read is stored; false when `enough` is asked for before.
    pub fn wait_done(&self, enough: &Shutdown) -> bool {
        crossbeam_channel::select! {
            recv(self.finished.channel()) -> _ => true,
            recv(enough.channel()) -> _ => self.is_done(),
        }
    }

    /// Why nothing is read any more although a source goes on; `None` while all is read, and once all
    /// sources have ended.
    pub fn ended_early(&self) -> Option<Error> {
        if self.is_done() { unread(&self.capture.status()) } else { None }
    }

    /// Lets reads and hits be shown as they are made to whoever has this session, for this purpose and case,
    /// once that is on record. Without a session to the system user, as long as logins are not required.
    pub fn live(&self, session: Option<Secret>, purpose: Option<Purpose>, case: Case) -> Arc<LiveGate> {
        self.live.ask_for(session, purpose, case);
        self.live.clone()
    }

    /// What is made known, once it is durable; who sees what of it, a [`LiveView`] says. [`Hub::resume`]
    /// after 0 gives all since the start.
    pub fn events(&self) -> &Hub<Published> {
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
            transfer: self.transfer.as_ref().map(|t| t.progress().borrow().clone()),
            hotlists: self.hotlists.states(),
        })
    }

    /// Lets a running transfer go on until the outbox is empty, `patience` is over, or `enough`
    /// is asked for; true when it is empty.
    ///
    /// # Errors
    /// `Storage` when the store can't be read.
    pub fn drain(&self, patience: Duration, enough: &Shutdown) -> Result<bool> {
        let until = tokio::time::Instant::now() + patience;
        let mut progress = self.transfer.as_ref().map(|t| t.progress().clone());
        loop {
            // Before the count, so that what changes after it wakes.
            progress.iter_mut().for_each(|p| drop(p.borrow_and_update()));
            if self.store.stats()?.pending == 0 {
                return Ok(true);
            }
            let Some(progress) = &mut progress else { return Ok(false) };
            let changed = self.runtime.handle().block_on(async {
                tokio::select! {
                    changed = progress.changed() => changed.is_ok(),
                    () = enough.requested() => false,
                    () = tokio::time::sleep_until(until) => false,
                }
            });
            if !changed {
                return Ok(false);
            }
        }
    }

    /// Stops capture, closes open passes, keeps and publishes their reads, then stops the rest and closes
    /// the store. Whatever hangs is left behind after a while.
    ///
    /// # Errors
    /// `Storage` when reads were lost because the store could not write, or when the disk hangs.
    pub fn stop(self) -> Result<()> {
        let begun = Instant::now();
        service::stopping();
        self.intake.request();
        self.capture.stop();
        let until = begun + EMPTY_TIMEOUT;
        self.workers.join(&*self.clock, until);
        let ended = self.threads.into_iter().map(|t| t.end_within(until.saturating_duration_since(Instant::now())));
        let kept = ended.filter(|ended| !ended).count() == 0;
        let totals = self.counters.totals();
        if kept && Arc::strong_count(&self.live) > 1 && totals.reads + totals.hits > 0 {
            // What was published may be shown after the store is closed: it goes on record now.
            let (live, events) = (self.live.clone(), self.events.clone());
            let rest = move || live.admit_rest(&events);
            if let Ok(thread) = Thread::start("live", "The record of who looks", rest) {
                thread.end_within(END_TIMEOUT);
            }
        }
        self.events.close();
        self.rest.0.request();
        drop((self.server, self.console, self.hotlists, self.transfer, self.provisioning));
        drop((self.gps, self.webhooks, self.metrics));
        for thread in self.beside {
            thread.end_within(END_TIMEOUT);
        }
        drop(self.runtime);
        let closed = self.store.close_by(begun + STOP_TIMEOUT);
        match self.counters.totals() {
            _ if !kept => Err(Error::new(
                Kind::Storage,
                "reads that waited are lost: the disk does not answer, or a thread hangs, and the log says which",
            )),
            totals if totals.lost_reads > 0 => Err(Error::new(
                Kind::Storage,
                format!("{} lost: the store could not write", count(totals.lost_reads, "read")),
            )),
            _ => closed,
        }
    }
}

/// Puts on record whether the configuration changed, and verifies the audit log beside all else (controls P-22
/// and P-26). Neither keeps the daemon from starting.
fn look_at_the_past(config: &Config, store: &Store, health: &Arc<Health>, clock: &Arc<dyn Clock>) {
    if let Err(e) = store.note_configuration(&config.sections) {
        tracing::warn!("Whether the configuration changed is not on record: {}", e.chain());
    }
    let (records, health, clock) = (store.clone(), health.clone(), clock.clone());
    let told = move |reports: Vec<LogReport>| {
        let broken = reports.iter().filter_map(|log| Some((log, log.fault()?)));
        let mut level = (Level::Ok, "it is as it was written".to_owned());
        for (log, fault) in broken {
            tracing::error!(log = %log.log, "Security: the audit log is not as it was written: {fault}.");
            let breach = Breach::AuditChainBroken { fault: fault.clone() };
            if let Err(e) = records.raise(&breach) {
                tracing::error!("It is not on record: {}", e.chain());
            }
            let worse = if log.ended { Level::Degraded } else { Level::Failed };
            if worse > level.0 {
                level = (worse, format!("{fault}; make a copy of the store, and see plated audit verify"));
            }
        }
        health.report("audit log", level.0, level.1, clock.wall());
    };
    if let Err(e) = store.verify_audit_in_background(told) {
        tracing::warn!("The audit log is not verified: {}", e.chain());
    }
}

/// Why the sources are not read, when what reads them has ended and they have not.
fn unread(sources: &[SourceStatus]) -> Option<Error> {
    let goes_on = sources.iter().find(|source| !matches!(source.state, SourceState::Ended { .. }))?;
    let name = &goes_on.name;
    Some(Error::new(
        Kind::Internal,
        format!("the source {name} is not read any more, by a defect that the log tells of; start the daemon again"),
    ))
}

/// The recorder has ended, however: the keeper writes what waits, and ends too.
struct EndOfReads(Arc<Waiting>);

impl Drop for EndOfReads {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Requested when it is dropped, however that comes.
struct RequestAtEnd(Shutdown);

impl Drop for RequestAtEnd {
    fn drop(&mut self) {
        self.0.request();
    }
}

/// A file that is played as fast as it can be has its own time.
fn has_own_time(input: &Input) -> bool {
    matches!(input, Input::Video { pace: Pace::EveryFrame, .. } | Input::Images { pace: Pace::EveryFrame, .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_nothing_is_read_any_more_a_source_that_goes_on_is_an_error_and_one_at_its_end_is_not() {
        let source = |name: &str, state| SourceStatus {
            name: name.into(),
            state,
            captured: 1,
            dropped: 0,
            skipped: 0,
            lost: 0,
            packets: None,
            restarts: 0,
            last_frame: None,
            in_driver_since: None,
            note: None,
        };
        let file = source("drive", SourceState::Ended { error: None });
        assert!(unread(std::slice::from_ref(&file)).is_none());
        for state in [SourceState::Running, SourceState::Opening, SourceState::Waiting { error: String::new() }] {
            let error = unread(&[file.clone(), source("front", state)]).unwrap().chain();
            assert!(error.contains("front"), "{error}");
        }
    }
}
