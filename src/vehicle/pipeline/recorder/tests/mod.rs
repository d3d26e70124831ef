//! Recorder and keeper over a real store, with faults where a test wants them.

mod faults;
mod held;
mod keeping;
mod looks;
mod times;

use super::keeper::Put;
use super::*;
use crate::events::{Hub, Next, Subscription};
use crate::pipeline::{Announcement, Published};
use crate::store::{Key, NewRead, Options, Store};
use crossbeam_channel::{Sender, unbounded};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use opencv::core::{CV_8UC3, Mat, Scalar};
use plated_core::clock::{Clock, SystemClock};
use plated_core::error::{Error, Kind, Result};
use plated_core::plate::Slots;
use plated_core::record::*;
use plated_core::shutdown::Shutdown;
use plated_hotlist::settings::Hotlist;
use plated_hotlist::{Lists, Rules, Source};
use plated_vision::frame::Frame;
use plated_vision::picture::Picture;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;
use tempfile::TempDir;
use uuid::Uuid;

const LONG: Duration = Duration::from_secs(60);
const WANTED: &str = "7ABC123";

fn at() -> Timestamp {
    "2026-11-26T08:00:00Z".parse().unwrap()
}

fn look(text: &str) -> Look {
    let corners = [[10.0, 10.0], [90.0, 10.0], [90.0, 50.0], [10.0, 50.0]];
    Look { frame: 1, at: at(), text: text.into(), confidence: 0.99, bounds: [10.0, 10.0, 80.0, 40.0], corners }
}

/// A track that was read as `text`, surely.
fn track(id: Uuid, text: &str) -> TrackRead {
    let image = Mat::new_rows_cols_with_default(64, 128, CV_8UC3, Scalar::all(90.0)).unwrap();
    let picture = Picture::Pixels(Arc::new(image));
    let frame = Frame {
        source: "front".into(),
        sequence: 1,
        at: at(),
        clock_trusted: true,
        recorded: false,
        monotonic: Duration::ZERO,
        picture,
    };
    TrackRead {
        id,
        source: "front".into(),
        text: text.into(),
        confidence: 0.99,
        candidates: vec![Candidate { text: text.into(), confidence: 0.99 }],
        slots: Slots::reading(text, 0.999),
        state: "CA".into(),
        looks: 3,
        agreeing: 3,
        first_seen: at(),
        last_seen: at(),
        clock_trusted: true,
        in_view: Duration::ZERO,
        stood: Duration::ZERO,
        captured: Duration::ZERO,
        best: look(text),
        frame,
        sightings: vec![look(text)],
        ready: true,
    }
}

fn entry(plate: &str, list: &str, priority: Priority) -> EntryRecord {
    EntryRecord { list: list.into(), plate: plate.into(), priority, ..EntryRecord::default() }
}

pub fn hit(text: &str) -> HitRecord {
    HitRecord {
        id: Uuid::now_v7(),
        at: at(),
        text: text.into(),
        confidence: 0.9,
        rule: Rule::Exact,
        listed: WANTED.into(),
        differs: Vec::new(),
        probability: 0.9,
        alert: Alerting::Sounded,
        kept_late: false,
        position: None,
        correction: None,
        entries: vec![HitEntry {
            state: StateAgreement::Unknown,
            priority: Priority::High,
            age_days: None,
            finding: None,
            vehicle_differs: Vec::new(),
            entry: entry(WANTED, "svs", Priority::High),
        }],
    }
}

/// A read on its way into the store.
pub fn pending(id: Uuid, has_hit: bool, open: bool) -> Pending {
    let read = track(id, WANTED);
    let hits = if has_hit { vec![hit(WANTED)] } else { Vec::new() };
    let record = ReadRecord {
        id,
        vehicle: "unit-7".into(),
        camera: "front".into(),
        text: WANTED.into(),
        state: String::new(),
        confidence: 0.9,
        candidates: Vec::new(),
        looks: 1,
        agreeing: 1,
        first_seen: at(),
        last_seen: at(),
        clock: None,
        stood_s: None,
        position: None,
        appearance: None,
        canvass: None,
        site: None,
        best: look(WANTED),
        sightings: Vec::new(),
        images: Vec::new(),
        hits,
        made_by: made_by(),
    };
    Pending::new(record, &read, Vec::new(), !open)
}

fn made_by() -> MadeBy {
    MadeBy { plated: "0".into(), detector: "0".into(), reader: "0".into() }
}

/// The reads of the store, by a gate whose records lie nowhere.
fn reads(store: &Store, limit: usize) -> Vec<ReadRecord> {
    use plated_access::{AccessRecord, Actor, AuditLog, Case, Gate, Reason, Settings};
    struct Nowhere;
    impl AuditLog for Nowhere {
        fn append(&self, _: AccessRecord) -> Result<i64> {
            Ok(1)
        }
    }
    let (gate, _) = Gate::new(Arc::new(Nowhere), Settings::default());
    let who = Actor::of_this_process();
    let permit = gate.open(&who, &Reason::new("test").unwrap(), &Case::none(), serde_json::json!({})).unwrap();
    store.reads(&permit, limit).unwrap()
}

/// What the store does, as the test sets it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Does {
    Works,
    Fails(Kind),
    Panics,
    Hangs,
}

/// Recorder and keeper at work, over a real store in which the test puts faults, and lists of the
/// test's own.
struct Bench {
    dir: TempDir,
    tracker: Option<Sender<Event>>,
    lists: Arc<Lists>,
    /// Whether all lists are in the matching.
    lists_ready: Arc<AtomicBool>,
    chime: Arc<Chime>,
    counters: Arc<Counters>,
    events: Subscription<Published>,
    hub: Hub<Published>,
    store: Store,
    fault: Arc<std::sync::Mutex<Does>>,
    /// Reads that the fault met.
    met: Arc<AtomicU64>,
    stop: Shutdown,
    threads: Vec<JoinHandle<()>>,
}

impl Bench {
    fn new() -> Self {
        Self::with(&[], 0)
    }

    fn with(settings: &[Hotlist], reserve: u64) -> Self {
        Self::by(Arc::new(SystemClock::new()), settings, reserve)
    }

    /// With something that looks at vehicles.
    fn looking(model: impl Describes + 'static) -> Self {
        let look = Arc::new(VehicleLook::new(Some(model)));
        Self::by_looking(Arc::new(SystemClock::new()), &[], 0, look)
    }

    /// By this clock.
    fn by(clock: Arc<dyn Clock>, settings: &[Hotlist], reserve: u64) -> Self {
        Self::by_looking(clock, settings, reserve, Arc::default())
    }

    fn by_looking(clock: Arc<dyn Clock>, settings: &[Hotlist], reserve: u64, look: Arc<VehicleLook>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = Key::create_file(&dir.path().join("store.key")).unwrap();
        let options = Options { path: dir.path().join("store.db"), max_bytes: None, vehicle: "unit-7".into() };
        let (store, _) = Store::open(options, &key, clock.clone()).unwrap();
        // What counts here is that the chime is asked for; that it is heard is tested at the chime.
        let chime = Arc::new(Chime::without_devices(clock.clone()));
        let lists = Arc::new(Lists::default());
        let settings = Arc::new(ListSettings::new(settings, TimeZone::UTC));
        let fault = Arc::new(std::sync::Mutex::new(Does::Works));
        let met = Arc::new(AtomicU64::new(0));
        let reserve = Reserve::beside(&dir.path().join("store.db"), reserve);
        let put = faulty(store.clone(), fault.clone(), met.clone());
        let keeper = Keeper { look: look.clone(), ..keeper(put, settings.clone(), clock.clone(), reserve) };
        let (hub, stop) = (keeper.events.clone(), keeper.stop.clone());
        let (counters, waiting) = (keeper.counters.clone(), keeper.waiting.clone());
        let lists_ready = Arc::new(AtomicBool::new(true));
        let matching = matching(&lists, &lists_ready, settings, clock);
        let recorder = Recorder::new(
            Maker { vehicle: "unit-7".into(), made_by: made_by(), sites: HashMap::new() },
            matching,
            chime.clone(),
            counters.clone(),
            waiting,
            Arc::default(),
            look,
        );
        let (tracker, from_tracker) = unbounded();
        let threads =
            vec![std::thread::spawn(move || keeper.run()), std::thread::spawn(move || recorder.run(&from_tracker))];
        let events = hub.resume(0);
        let bench = Self {
            dir,
            tracker: Some(tracker),
            lists,
            lists_ready,
            chime,
            counters,
            events,
            hub,
            store,
            fault,
            met,
            stop,
            threads,
        };
        bench.list("svs", &[WANTED], Priority::High);
        bench
    }

    fn list(&self, name: &str, plates: &[&str], priority: Priority) {
        let entries = plates.iter().map(|plate| entry(plate, name, priority));
        self.lists.put(Source::memory(name, entries, Rules::default()));
    }

    fn store_does(&self, does: Does) {
        *self.fault.lock().unwrap() = does;
    }

    fn grow(&self, id: Uuid, text: &str) {
        self.tracker.as_ref().unwrap().send(Event::Growing(Box::new(track(id, text)))).unwrap();
    }

    fn close(&self, id: Uuid, text: &str) {
        self.tracker.as_ref().unwrap().send(Event::Closed(Box::new(track(id, text)))).unwrap();
    }

    fn pass(&self, text: &str) {
        self.close(Uuid::now_v7(), text);
    }

    fn sounded(&self) -> u64 {
        self.chime.status().asked
    }

    /// Waits until so many alerts were sounded.
    fn wait_sounded(&self, count: u64) {
        until(&format!("{count} alerts"), || self.sounded() >= count);
        assert_eq!(self.sounded(), count);
    }

    /// Waits until the recorder has taken all there was, seen by a plate that is listed for that.
    fn wait_taken(&self) {
        let plate = format!("Z{:06}", self.counters.totals().alerts);
        self.list("marks", &[&plate], Priority::High);
        let before = self.sounded();
        self.grow(Uuid::now_v7(), &plate);
        until("the mark", || self.sounded() > before);
    }

    /// The next event, which there will be.
    fn next(&mut self) -> Arc<Announcement> {
        match self.events.next(LONG) {
            Next::Event(_, event) => event.whole(),
            other => panic!("{other:?}"),
        }
    }

    fn next_read(&mut self) -> ReadRecord {
        loop {
            if let Announcement::Read { read, .. } = &*self.next() {
                return ReadRecord::clone(read);
            }
        }
    }

    /// Ends it in order.
    fn end(mut self) -> (TempDir, Arc<Counters>, Store) {
        self.stop.request();
        self.tracker = None;
        self.threads.drain(..).for_each(|t| t.join().unwrap());
        self.hub.close();
        (self.dir, self.counters, self.store)
    }
}

/// A keeper that writes by `put`, with counters, queue and events of its own.
fn keeper(put: Put, settings: Arc<ListSettings>, clock: Arc<dyn Clock>, reserve: Reserve) -> Keeper {
    let counters = Arc::new(Counters::default());
    let waiting = Arc::new(Waiting::new(counters.clone(), false));
    let (events, stop) = (Hub::default(), Shutdown::new());
    Keeper { put, waiting, settings, events, counters, stop, clock, reserve, look: Arc::default() }
}

fn matching(
    lists: &Arc<Lists>,
    ready: &Arc<AtomicBool>,
    settings: Arc<ListSettings>,
    clock: Arc<dyn Clock>,
) -> Matching {
    let (lists, ready) = (lists.clone(), ready.clone());
    let are_ready = Box::new(move || ready.load(Ordering::Relaxed));
    Matching {
        lists,
        are_ready,
        settings,
        muted: Arc::default(),
        alert: crate::alert::Settings::default(),
        places: Places::default(),
        findings: Arc::default(),
        clock,
    }
}

fn faulty(store: Store, fault: Arc<std::sync::Mutex<Does>>, met: Arc<AtomicU64>) -> Put {
    Box::new(move |read: &NewRead| {
        let does = || *fault.lock().unwrap();
        met.fetch_add(u64::from(does() != Does::Works), Ordering::Relaxed);
        match does() {
            Does::Works => {}
            Does::Fails(kind) => return Err(Error::new(kind, "the fault of the test")),
            Does::Panics => panic!("the fault of the test"),
            Does::Hangs => {
                while does() == Does::Hangs {
                    std::thread::sleep(Duration::from_millis(2));
                }
            }
        }
        store.put_read(read)
    })
}

fn until(what: &str, mut is: impl FnMut() -> bool) {
    let deadline = Instant::now() + LONG;
    while !is() {
        assert!(Instant::now() < deadline, "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
