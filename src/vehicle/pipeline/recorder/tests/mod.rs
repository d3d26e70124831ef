//! From a growing track to the chime, with a fault at every step between.

mod held;

use super::keeper::Put;
use super::*;
use crate::events::{Hub, Next, Subscription};
use crate::pipeline::Announcement;
use crate::store::{Key, NewRead, Options, Store};
use crossbeam_channel::{Sender, unbounded};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use opencv::core::{CV_8UC3, Mat, Scalar};
use plated_core::clock::{Clock, ManualClock, Moment, SystemClock, TrustedClock};
use plated_core::error::{Error, Kind, Result};
use plated_core::plate::Slots;
use plated_core::record::*;
use plated_core::shutdown::Shutdown;
use plated_hotlist::settings::{Hotlist, MatchRules};
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
        entries: vec![HitEntry {
            state: StateAgreement::Unknown,
            priority: Priority::High,
            age_days: None,
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
    events: Subscription<Announcement>,
    hub: Hub<Announcement>,
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

    /// By this clock.
    fn by(clock: Arc<dyn Clock>, settings: &[Hotlist], reserve: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = Key::create_file(&dir.path().join("store.key")).unwrap();
        let options = Options { path: dir.path().join("store.db"), max_bytes: None, vehicle: "unit-7".into() };
        let (store, _) = Store::open(options, &key, clock.clone()).unwrap();
        // What counts here is that the chime is asked for; that it is heard is tested at the chime.
        let chime = Arc::new(Chime::without_devices(clock.clone()));
        let counters = Arc::new(Counters::default());
        let lists = Arc::new(Lists::default());
        let settings = Arc::new(ListSettings::new(settings, TimeZone::UTC));
        let waiting = Arc::new(Waiting::new(counters.clone(), false));
        let (hub, stop) = (Hub::default(), Shutdown::new());
        let fault = Arc::new(std::sync::Mutex::new(Does::Works));
        let met = Arc::new(AtomicU64::new(0));
        let keeper = Keeper {
            put: faulty(store.clone(), fault.clone(), met.clone()),
            waiting: waiting.clone(),
            settings: settings.clone(),
            events: hub.clone(),
            counters: counters.clone(),
            stop: stop.clone(),
            clock: clock.clone(),
            reserve: Reserve::beside(&dir.path().join("store.db"), reserve),
        };
        let lists_ready = Arc::new(AtomicBool::new(true));
        let matching = matching(&lists, &lists_ready, settings, clock);
        let recorder = Recorder::new("unit-7".into(), made_by(), matching, chime.clone(), counters.clone(), waiting);
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
            Next::Event(_, event) => event,
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

fn matching(
    lists: &Arc<Lists>,
    ready: &Arc<AtomicBool>,
    settings: Arc<ListSettings>,
    clock: Arc<dyn Clock>,
) -> Matching {
    let (lists, ready) = (lists.clone(), ready.clone());
    let are_ready = Box::new(move || ready.load(Ordering::Relaxed));
    Matching { lists, are_ready, settings, muted: Arc::default(), repeat_after: Duration::from_secs(600), clock }
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

const FAULTS: [Does; 7] = [
    Does::Fails(Kind::Storage),
    Does::Fails(Kind::Damaged),
    Does::Fails(Kind::Internal),
    Does::Fails(Kind::Refused),
    Does::Fails(Kind::Missing),
    Does::Panics,
    Does::Hangs,
];

#[test]
fn whatever_the_store_does_the_alert_sounds_is_not_shown_before_it_is_kept_and_then_is() {
    for fault in FAULTS {
        let mut bench = Bench::new();
        bench.store_does(fault);
        let id = Uuid::now_v7();
        bench.grow(id, WANTED);
        bench.wait_sounded(1);
        until("the fault", || bench.met.load(Ordering::Relaxed) > 0);
        bench.close(id, WANTED);
        bench.pass("4KLM567");
        bench.wait_taken();
        assert_eq!(bench.events.next(Duration::ZERO), Next::TimedOut, "{fault:?}");
        bench.store_does(Does::Works);
        let shown = loop {
            match &*bench.next() {
                Announcement::Hit { hit, read, .. } if read.id == id => break HitRecord::clone(hit),
                Announcement::Read { read, .. } => assert_ne!(read.id, id, "the hit comes first"),
                _ => {}
            }
        };
        assert_eq!((shown.alert, shown.kept_late), (Alerting::Sounded, fault != Does::Hangs), "{fault:?}");
        let read = loop {
            let read = bench.next_read();
            if read.id == id {
                break read;
            }
        };
        assert_eq!(read.hits, [shown]);
        let (_dir, counters, store) = bench.end();
        let kept = reads(&store, 10);
        assert!(kept.contains(&read), "what is shown is in the store: {fault:?}");
        assert_eq!(counters.totals().lost_reads, 0);
    }
}

impl PartialEq for Announcement {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

#[test]
fn a_store_that_was_closed_or_whose_file_is_damaged_silences_nobody() {
    let bench = Bench::new();
    bench.pass("4KLM567");
    until("a read", || bench.counters.totals().reads == 1);
    let file = bench.dir.path().join("store.db");
    let size = std::fs::metadata(&file).unwrap().len();
    std::fs::write(&file, vec![7; size as usize]).unwrap();
    bench.grow(Uuid::now_v7(), WANTED);
    bench.wait_sounded(1);
    bench.store.clone().close().ok();
    bench.list("svs", &[WANTED, "6DEF128"], Priority::High);
    bench.grow(Uuid::now_v7(), "6DEF128");
    bench.wait_sounded(2);
    let (_dir, counters, _) = bench.end();
    assert!(counters.totals().lost_reads <= 2);
}

#[test]
fn an_hour_of_reads_on_a_full_disk_silences_nobody_and_keeps_the_hits() {
    let bench = Bench::new();
    bench.store_does(Does::Fails(Kind::Storage));
    let wanted: Vec<String> = (0..40).map(|n| format!("9WAN{n:03}")).collect();
    bench.list("svs", &wanted.iter().map(String::as_str).collect::<Vec<_>>(), Priority::High);
    // 1,000 reads an hour, 40 of them wanted.
    for n in 0..1000 {
        match n % 25 {
            0 => bench.pass(&wanted[n / 25]),
            _ => bench.pass(&format!("1AAA{n:03}")),
        }
    }
    bench.wait_sounded(40);
    until("all reads", || {
        let t = bench.counters.totals();
        t.lost_reads + t.waiting >= 999
    });
    bench.store_does(Does::Works);
    until("all that waited", || bench.counters.totals().reads + bench.counters.totals().lost_reads == 1000);
    let (_dir, counters, store) = bench.end();
    let kept = reads(&store, usize::MAX);
    assert_eq!(kept.iter().filter(|r| r.hits.iter().any(|h| h.alert == Alerting::Sounded)).count(), 40);
    // One more than can wait, if the store was at one just then.
    assert!((256..=257).contains(&kept.len()), "{}", kept.len());
    assert_eq!(counters.totals().lost_reads as usize, 1000 - kept.len());
}

#[test]
fn when_nothing_but_hits_wait_alerts_still_sound() {
    let bench = Bench::new();
    bench.store_does(Does::Fails(Kind::Storage));
    let wanted: Vec<String> = (0..400).map(|n| format!("9WAN{n:03}")).collect();
    bench.list("svs", &wanted.iter().map(String::as_str).collect::<Vec<_>>(), Priority::High);
    wanted.iter().for_each(|plate| bench.pass(plate));
    bench.wait_sounded(400);
    until("what is lost", || bench.counters.totals().lost_reads >= 400 - 257);
}

#[test]
fn a_blocked_subscriber_and_a_hanging_store_leave_matching_at_work() {
    let bench = Bench::new();
    // Subscribes, and never reads.
    let _blocked = bench.hub.subscribe();
    bench.store_does(Does::Hangs);
    let wanted: Vec<String> = (0..50).map(|n| format!("9WAN{n:03}")).collect();
    bench.list("svs", &wanted.iter().map(String::as_str).collect::<Vec<_>>(), Priority::High);
    for plate in &wanted {
        (0..10).for_each(|n| bench.pass(&format!("1AA{n}{}", &plate[4..])));
        bench.pass(plate);
    }
    bench.wait_sounded(50);
    bench.store_does(Does::Works);
    until("all reads", || bench.counters.totals().reads + bench.counters.totals().lost_reads == 550);
}

#[test]
fn a_plate_that_is_listed_while_the_vehicle_stands_in_view_alerts_without_another_frame() {
    let mut bench = Bench::new();
    let id = Uuid::now_v7();
    bench.grow(id, "6DEF128");
    // An officer enters it, or a list comes.
    bench.list("officers", &["6DEF128"], Priority::High);
    bench.wait_sounded(1);
    let Announcement::Hit { read, .. } = &*bench.next() else { panic!("no hit") };
    assert_eq!(read.id, id);
    // The list is exchanged under way for one with the same entry: nothing new.
    (0..20).for_each(|_| bench.list("officers", &["6DEF128"], Priority::High));
    bench.close(id, "6DEF128");
    assert_eq!(bench.next_read().hits.len(), 1);
    assert_eq!(bench.sounded(), 1);
}

#[test]
fn hits_of_a_pass_whose_version_gives_way_while_the_store_is_stuck_are_shown_all_the_same() {
    let mut bench = Bench::new();
    bench.store_does(Does::Fails(Kind::Storage));
    let wanted: Vec<String> = (0..300).map(|n| format!("9WAN{n:03}")).collect();
    bench.list("svs", &wanted.iter().map(String::as_str).collect::<Vec<_>>(), Priority::High);
    let id = Uuid::now_v7();
    bench.grow(id, &wanted[0]);
    bench.wait_sounded(1);
    wanted[1..].iter().for_each(|plate| bench.pass(plate));
    bench.wait_sounded(300);
    until("reads that gave way", || bench.counters.totals().lost_reads > 0);
    bench.close(id, &wanted[0]);
    bench.wait_taken();
    bench.store_does(Does::Works);
    let mut shown = 0;
    loop {
        match &*bench.next() {
            Announcement::Hit { read, .. } if read.id == id => shown += 1,
            Announcement::Read { read, .. } if read.id == id => break assert_eq!(read.hits.len(), 1),
            _ => {}
        }
    }
    assert_eq!(shown, 1);
}

#[test]
fn lists_exchanged_under_way_cost_no_alert() {
    let bench = Bench::new();
    let (lists, stop) = (bench.lists.clone(), Arc::new(AtomicBool::new(false)));
    let stopped = stop.clone();
    let exchange = std::thread::spawn(move || {
        let entries = || [entry(WANTED, "svs", Priority::High), entry("6DEF128", "svs", Priority::High)];
        while !stopped.load(Ordering::Relaxed) {
            lists.put(Source::memory("svs", entries(), Rules::default()));
        }
    });
    bench.grow(Uuid::now_v7(), WANTED);
    bench.grow(Uuid::now_v7(), "6DEF128");
    bench.wait_sounded(2);
    stop.store(true, Ordering::Relaxed);
    exchange.join().unwrap();
}

#[test]
fn a_track_that_flickers_between_two_texts_of_one_listed_plate_alerts_once() {
    let mut bench = Bench::new();
    let rules = MatchRules { keep_probability: 0.0, alert_probability: 0.0, ..MatchRules::default() };
    let wanted = [entry(WANTED, "svs", Priority::High)];
    bench.lists.put(Source::memory("svs", wanted, Rules::new(&rules)));
    let id = Uuid::now_v7();
    for text in [WANTED, "7A8C123", WANTED, "7A8C123"] {
        bench.grow(id, text);
    }
    bench.close(id, WANTED);
    let alerts: Vec<_> = bench.next_read().hits.iter().map(|hit| (hit.text.clone(), hit.alert)).collect();
    assert_eq!(alerts, [(WANTED.into(), Alerting::Sounded), ("7A8C123".into(), Alerting::Repeat)]);
    assert_eq!(bench.sounded(), 1);
}

// policy: P-05
#[test]
fn covert_entries_never_choose_the_chime_whether_the_store_writes_or_not() {
    let covert: Hotlist = toml::from_str("name = \"watch\"\ncovert = true\n").unwrap();
    for fault in [Does::Works, Does::Fails(Kind::Storage), Does::Fails(Kind::Damaged)] {
        let bench = Bench::with(std::slice::from_ref(&covert), 0);
        bench.list("svs", &[WANTED], Priority::Low);
        bench.list("watch", &[WANTED, "6DEF128"], Priority::High);
        bench.store_does(fault);
        bench.grow(Uuid::now_v7(), "6DEF128");
        bench.grow(Uuid::now_v7(), WANTED);
        bench.wait_sounded(1);
        until("the chime that no sound card plays", || !bench.chime.waiting().is_empty());
        assert_eq!(bench.chime.waiting(), [Priority::Low], "{fault:?}");
        assert_eq!(bench.counters.totals().alerts, 1);
    }
}

#[test]
fn a_pass_with_a_hit_that_the_store_fails_at_alone_lets_the_others_through() {
    let dir = tempfile::tempdir().unwrap();
    let counters = Arc::new(Counters::default());
    let waiting = Arc::new(Waiting::new(counters.clone(), false));
    let bad = Uuid::now_v7();
    let tries = Arc::new(AtomicU64::new(0));
    let counted = tries.clone();
    let put: Put = Box::new(move |read: &NewRead| -> Result<_> {
        if read.record.id == bad {
            counted.fetch_add(1, Ordering::Relaxed);
            return Err(Error::new(Kind::Internal, "the fault of the test"));
        }
        let sha256 = plated_core::digest::Sha256::of(b"");
        Ok(crate::store::Stored { id: read.record.id, sha256, sealed: true })
    });
    let keeper = Keeper {
        put,
        waiting: waiting.clone(),
        settings: Arc::new(ListSettings::new(&[], TimeZone::UTC)),
        events: Hub::default(),
        counters: counters.clone(),
        stop: Shutdown::new(),
        clock: Arc::new(SystemClock::new()),
        reserve: Reserve::beside(&dir.path().join("store.db"), 0),
    };
    waiting.push(pending(bad, true, false));
    (0..50).for_each(|_| waiting.push(pending(Uuid::now_v7(), false, false)));
    let thread = std::thread::spawn(move || keeper.run());
    until("the others", || counters.totals().reads == 50);
    assert_eq!(counters.totals().lost_reads, 0, "it is tried again");
    until("the end of patience with it", || counters.totals().lost_reads == 1);
    assert!(tries.load(Ordering::Relaxed) >= 5);
    waiting.end();
    thread.join().unwrap();
}

#[test]
fn on_a_full_disk_the_room_set_aside_is_freed_for_hits_and_taken_again_when_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let reserve = dir.path().join("store.db.reserve");
    let counters = Arc::new(Counters::default());
    let waiting = Arc::new(Waiting::new(counters.clone(), false));
    let room = Arc::new(AtomicBool::new(false));
    // A disk on which there is room only while nothing is set aside, until somebody makes more.
    let (there, more) = (reserve.clone(), room.clone());
    let put: Put = Box::new(move |read: &NewRead| -> Result<_> {
        if there.exists() && !more.load(Ordering::Relaxed) {
            return Err(Error::new(Kind::Storage, "no room"));
        }
        // What is set aside can't be made again yet.
        if !more.load(Ordering::Relaxed) {
            std::fs::create_dir_all(&there).unwrap();
            std::fs::write(there.join("full"), "").unwrap();
        }
        let sha256 = plated_core::digest::Sha256::of(b"");
        Ok(crate::store::Stored { id: read.record.id, sha256, sealed: true })
    });
    let keeper = Keeper {
        put,
        waiting: waiting.clone(),
        settings: Arc::new(ListSettings::new(&[], TimeZone::UTC)),
        events: Hub::default(),
        counters: counters.clone(),
        stop: Shutdown::new(),
        clock: Arc::new(SystemClock::new()),
        reserve: Reserve::beside(&dir.path().join("store.db"), 1000),
    };
    assert!(reserve.exists());
    waiting.push(pending(Uuid::now_v7(), false, false));
    waiting.push(pending(Uuid::now_v7(), true, false));
    let thread = std::thread::spawn(move || keeper.run());
    until("the hit", || counters.totals().reads == 1);
    assert_eq!(waiting.len(), 1, "the read without a hit leaves hits the room");
    room.store(true, Ordering::Relaxed);
    std::fs::remove_dir_all(&reserve).unwrap();
    until("the other", || counters.totals().reads == 2);
    assert_eq!(std::fs::metadata(&reserve).unwrap().len(), 1000);
    waiting.end();
    thread.join().unwrap();
}

/// A pass by this clock: what it was at its begin, and what it is now.
fn timed(id: Uuid, began: Moment, now: Moment) -> Box<TrackRead> {
    let mut read = track(id, WANTED);
    (read.first_seen, read.last_seen) = (began.wall, now.wall);
    (read.best.at, read.sightings[0].at) = (began.wall, now.wall);
    read.clock_trusted = began.trusted && now.trusted;
    Box::new(read)
}

#[test]
fn a_read_of_before_the_clock_was_set_right_gets_its_time_unless_it_is_sealed_and_says_so_either_way() {
    let second = Duration::from_secs(1);
    let system = Arc::new(ManualClock::at("1970-01-01T00:00:00Z".parse().unwrap()));
    let clock = TrustedClock::over(system.clone());
    let mut bench = Bench::by(clock.clone(), &[], 0);
    let send = |event| bench.tracker.as_ref().unwrap().send(event).unwrap();
    let began = clock.moment();
    let [sealed, open, waits] = [0; 3].map(|_| plated_core::clock::id_at(began.wall));
    system.advance(second);
    send(Event::Closed(timed(sealed, began, clock.moment())));
    send(Event::Growing(timed(open, began, clock.moment())));
    let first = bench.next_read();
    assert_eq!((first.id, first.clock), (sealed, Some(ClockMark::NotTrusted)));
    assert!(first.first_seen >= plated_core::clock::BUILT && first.last_seen == first.first_seen + second);
    bench.store_does(Does::Fails(Kind::Storage));
    let met = bench.met.load(Ordering::Relaxed);
    bench.tracker.as_ref().unwrap().send(Event::Closed(timed(waits, began, clock.moment()))).unwrap();
    until("the read that waits", || bench.met.load(Ordering::Relaxed) > met);
    let right: Timestamp = "2027-03-01T12:00:10Z".parse().unwrap();
    system.advance(9 * second);
    system.jump_to(right);
    assert_eq!(clock.check().unwrap().doubt, None);
    bench.store_does(Does::Works);
    bench.tracker.as_ref().unwrap().send(Event::Closed(timed(open, began, clock.moment()))).unwrap();
    for _ in 0..2 {
        let read = bench.next_read();
        let last = if read.id == open { right } else { right - 9 * second };
        assert_eq!((read.first_seen, read.last_seen), (right - 10 * second, last));
        assert_eq!((read.best.at, read.sightings[0].at), (read.first_seen, read.last_seen));
        assert!(read.hits.iter().all(|hit| hit.at >= read.first_seen && hit.at <= read.last_seen), "{read:?}");
        assert_eq!(read.clock, Some(ClockMark::Corrected));
    }
    bench.tracker.as_ref().unwrap().send(Event::Closed(timed(Uuid::now_v7(), clock.moment(), clock.moment()))).unwrap();
    assert_eq!(bench.next_read().clock, None, "one that was made since needs no mark");
    let of_its_own = Moment { wall: "2020-01-01T00:00:00Z".parse().unwrap(), trusted: false, ..clock.moment() };
    bench.tracker.as_ref().unwrap().send(Event::Closed(timed(Uuid::now_v7(), of_its_own, of_its_own))).unwrap();
    let read = bench.next_read();
    let unchanged = (of_its_own.wall, Some(ClockMark::NotTrusted));
    assert_eq!((read.first_seen, read.clock), unchanged, "the mark stays where no time was corrected");
    let (_dir, _, store) = bench.end();
    let kept = reads(&store, 10).into_iter().find(|read| read.id == sealed).unwrap();
    assert_eq!(kept, first, "what is sealed stays as it is");
}
