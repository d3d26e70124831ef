//! Entries by officers, list sets and searches: what they do, and that each is on record.
mod canvass;
mod corrections;
mod dispositions;
mod findings;
mod fuzzing;
mod in_force;
mod lists;
mod looks;
mod performance;
mod socket;

use crate::kit::store::{Event, Place, events as kit_events, gate, matching, read, start};
use plated_access::{Actor, Case};
use plated_core::clock::{Clock, ManualClock};
use plated_core::digest::Sha256;
use plated_core::error::{Kind, Result};
use plated_core::plate::PlateText;
use plated_core::plate::{ALPHABET, CLASSES, Slots};
use plated_core::record::{EntryRecord, Priority, ReadRecord, Rule};
use plated_core::user::SystemUser;
use plated_core::wire::ListVersion;
use plated_hotlist::{Pattern, Query};
use plated_vehicle::config::Config;
use plated_vehicle::control::{Expires, OfficerService, Reply, Request};
use plated_vehicle::health::{Health, Level};
use plated_vehicle::lists::Change;
use plated_vehicle::store::{By, Finding, Looks, Reason, Search, Staleness, Store, Wanted, What, check};
use proptest::prelude::*;
use std::path::PathBuf;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

fn officer() -> Actor {
    Actor::SystemUser(SystemUser { user: "jdoe".into(), uid: 1007 })
}

fn reason(text: &str) -> Reason {
    Reason::new(text).unwrap()
}

fn by(text: &str) -> By {
    By { who: officer(), reason: reason(text) }
}

/// Begins a search past the officers' service.
fn begin(wanted: Wanted, from: jiff::Timestamp) -> Search {
    let by = by("test");
    Search::begin(gate(), &by.who, &by.reason, &Case::none(), wanted, from).unwrap()
}

fn add(plate: &str) -> Request {
    Request::Add {
        plate: plate.into(),
        state: "CA".into(),
        category: "bolo".into(),
        priority: Priority::High,
        reason: reason("robbery at 5th and Main"),
        case: "26-1234".into(),
        expires: None,
        search_back: None,
    }
}

fn show(plate: &str) -> Request {
    Request::Show { plate: plate.into(), reason: reason("traffic stop"), case: String::new() }
}

fn search(plate: &str, window: Duration) -> Request {
    let (plate, case) = (plate.into(), "26-1234".into());
    Request::Search {
        plate,
        canvass: None,
        looks: Looks::default(),
        window: window.as_secs(),
        reason: reason("witness saw it"),
        case,
    }
}

/// What a reader says that is sure of this text.
fn sure(text: &str) -> Slots {
    let at = |c: char| {
        let mut position = [0.0; CLASSES];
        position[ALPHABET.iter().position(|a| char::from(*a) == c).unwrap()] = 1.0;
        position
    };
    Slots::new(text.chars().map(at).collect())
}

/// A vehicle's store with an officers' service over it.
struct Vehicle {
    place: Place,
    store: Store,
    service: OfficerService,
}

impl Vehicle {
    fn new(lists: &str) -> Self {
        Self::at(Place::new(), lists)
    }

    fn at(place: Place, lists: &str) -> Self {
        let config = place.dir.path().join("plated.toml");
        let rest =
            "[[sources]]\nname = \"front\"\nkind = \"v4l2\"\ndevice = \"/dev/video0\"\n[store]\npath = \"store.db\"\n";
        std::fs::write(&config, format!("vehicle = \"unit-7\"\n{rest}{lists}")).unwrap();
        let (store, _) = place.open();
        let service = OfficerService::open(&Config::load(&config).unwrap(), store.clone(), place.clock.clone());
        service.arm().unwrap();
        Self { place, store, service }
    }

    /// Ends and starts again.
    fn again(self, lists: &str) -> Self {
        let Self { place, store, service } = self;
        drop(service);
        store.close().unwrap();
        Self::at(place, lists)
    }

    fn ask(&self, request: Request) -> Result<Vec<Reply>> {
        let mut replies = Vec::new();
        self.service.answer(request, &officer(), None, &mut |reply| {
            replies.push(reply);
            Ok(())
        })?;
        Ok(replies)
    }

    fn refusal(&self, request: Request) -> String {
        self.ask(request).unwrap_err().chain()
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.place.dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn import(&self, list: &str, text: &str, force: bool, why: &str) -> Result<Reply> {
        let file = self.file("new.csv", text);
        let request = Request::Import {
            list: list.into(),
            file: "new.csv".into(),
            bytes: text.len() as u64,
            modified: Some(self.place.clock.wall()),
            force,
            reason: reason(why),
        };
        let mut replies = Vec::new();
        self.service.answer(request, &officer(), Some(&file), &mut |reply| {
            replies.push(reply);
            Ok(())
        })?;
        Ok(replies.remove(0))
    }

    fn events(&self) -> Vec<Event> {
        kit_events(&self.store)
    }

    /// What a read of this plate matches now.
    fn matches(&self, plate: &str) -> Vec<(Rule, String)> {
        let (text, slots) = (PlateText::normalise(plate), sure(plate));
        let query = Query { text: &text, state: "CA", candidates: &[], slots: &slots, now: self.place.clock.wall() };
        let found = self.service.lists().matches(&query);
        found.iter().flat_map(|m| m.entries.iter().map(|e| (m.rule, e.entry.list.clone()))).collect()
    }

    fn keep(&self, plate: &str) -> ReadRecord {
        let mut new = read(plate);
        (new.record.first_seen, new.record.last_seen) = (self.place.clock.wall(), self.place.clock.wall());
        self.store.put_read(&new).unwrap();
        new.record
    }

    /// The store's file, opened past the program.
    fn raw(&self) -> rusqlite::Connection {
        let hex = std::fs::read_to_string(self.place.dir.path().join("store.key")).unwrap();
        let conn = rusqlite::Connection::open(self.place.path()).unwrap();
        conn.execute_batch(&format!("PRAGMA key = \"x'{}'\";", hex.trim())).unwrap();
        conn
    }
}

fn id(replies: &[Reply]) -> i64 {
    let Reply::Added(entry) = &replies[0] else { panic!("{replies:?}") };
    entry.id
}

fn found(replies: &[Reply]) -> Vec<String> {
    let text = |r: &Reply| if let Reply::Read(read) = r { Some(read.text.clone()) } else { None };
    replies.iter().filter_map(text).collect()
}

fn whats(events: &[Event]) -> Vec<What> {
    events.iter().map(|e| e.what).collect()
}

// policy: P-04
#[test]
fn the_101st_partial_plate_is_refused_and_removing_one_makes_room() {
    let vehicle = Vehicle::new("");
    let first = id(&vehicle.ask(add("00*AB")).unwrap());
    for n in 1..100 {
        vehicle.ask(add(&format!("{n:02}*AB"))).unwrap();
    }
    let message = vehicle.refusal(add("7A?C*"));
    assert!(message.contains("100 partial plates are in force") && message.contains("remove one first"), "{message}");
    assert_eq!(vehicle.events().len(), 100, "nothing was changed, so nothing is on record");
    vehicle.ask(add("7ABC123")).unwrap();
    vehicle.ask(Request::Remove { id: first, reason: reason("found") }).unwrap();
    vehicle.ask(add("7A?C*")).unwrap();
    assert_eq!(vehicle.matches("7AXC99"), [(Rule::Wildcard, "officers".to_owned())]);
}

// policy: P-04
#[test]
fn partial_plates_that_fit_nearly_everything_and_plates_that_are_none_are_refused() {
    let vehicle = Vehicle::new("");
    for none in ["", "*", "**", "?", "A*", "?A?", "7É*", "A", "7ABC123;", "1234567890123", "NOT A PLATE AT ALL"] {
        let err = vehicle.ask(add(none)).unwrap_err();
        assert_eq!(err.kind(), Kind::Input, "{none}: {err}");
    }
    let Request::Add { plate, reason, .. } = add("7ABC123") else { panic!() };
    let state = |state: &str| Request::Add {
        plate: plate.clone(),
        state: state.into(),
        category: String::new(),
        priority: Priority::Low,
        reason: reason.clone(),
        case: String::new(),
        expires: Some(Expires::At(vehicle.place.clock.wall() - HOUR)),
        search_back: None,
    };
    assert!(vehicle.refusal(state("California")).contains("two letters"));
    assert!(vehicle.refusal(state("ZZ")).contains("no state ZZ"));
    assert!(vehicle.refusal(state("CA")).contains("over before it begins"));
    assert!(vehicle.events().is_empty());
}

// policy: P-04
#[test]
fn an_entry_matches_at_once_and_is_over_at_the_end_of_the_shift() {
    let vehicle = Vehicle::new("[shift]\nhours = 8\n");
    vehicle.ask(add("7ABC123")).unwrap();
    vehicle.ask(add("9X*")).unwrap();
    assert_eq!(vehicle.matches("7ABC123"), [(Rule::Exact, "officers".to_owned())]);
    vehicle.place.clock.advance(8 * HOUR - Duration::from_secs(1));
    vehicle.service.expire().unwrap();
    assert_eq!((vehicle.matches("7ABC123").len(), vehicle.matches("9XYZ").len()), (1, 1));
    vehicle.place.clock.advance(Duration::from_secs(1));
    vehicle.service.expire().unwrap();
    assert_eq!((vehicle.matches("7ABC123").len(), vehicle.matches("9XYZ").len()), (0, 0));
    assert!(vehicle.store.manual_entries(matching()).unwrap().is_empty());
}

#[test]
fn a_jump_of_the_wall_clock_ends_no_search_for_a_vehicle() {
    let vehicle = Vehicle::new("");
    vehicle.ask(add("7ABC123")).unwrap();
    for jumped in [start() + 24 * 365 * HOUR, start() - 24 * 365 * HOUR, start() + 1000 * HOUR] {
        vehicle.place.clock.jump_to(jumped);
        vehicle.service.expire().unwrap();
        assert_eq!(vehicle.matches("7ABC123").len(), 1);
        let status = vehicle.service.status().unwrap();
        assert_eq!(status.officers.len(), 1, "what is matched is counted");
        assert_eq!(status.officers[0].expires, jumped + 12 * HOUR, "and is over when it is");
    }
    assert!(vehicle.service.lists().in_force().sources()[0].entries("7ABC123")[0].expires.is_none());
    vehicle.place.clock.advance(12 * HOUR);
    vehicle.service.expire().unwrap();
    assert_eq!(vehicle.matches("7ABC123").len(), 0);
}

#[test]
fn entries_are_in_force_again_after_a_restart_and_removed_ones_are_not() {
    let vehicle = Vehicle::new("");
    vehicle.ask(add("7ABC123")).unwrap();
    let gone = id(&vehicle.ask(add("6DEF128")).unwrap());
    vehicle.ask(add("9X*")).unwrap();
    vehicle.ask(Request::Remove { id: gone, reason: reason("found") }).unwrap();
    let vehicle = vehicle.again("");
    assert_eq!(vehicle.matches("7ABC123").len(), 1);
    assert_eq!(vehicle.matches("9XYZ").len(), 1);
    assert_eq!(vehicle.matches("6DEF128").len(), 0);
    let message = vehicle.refusal(Request::Remove { id: gone, reason: reason("again") });
    assert!(message.contains("no entry"), "{message}");
}

#[test]
fn an_entry_without_a_near_end_is_refused_and_one_with_an_impossible_end_takes_no_other_out_of_force() {
    let vehicle = Vehicle::new("");
    let mut endless = add("6DEF128");
    let Request::Add { expires, .. } = &mut endless else { panic!() };
    *expires = Some(Expires::At(jiff::Timestamp::MAX));
    assert!(vehicle.refusal(endless).contains("within 20 years"));
    vehicle.ask(add("7ABC123")).unwrap();
    let odd = id(&vehicle.ask(add("6DEF128")).unwrap());
    vehicle.raw().execute("UPDATE manual_entry SET expires = ?1 WHERE id = ?2", [i64::MAX, odd]).unwrap();
    let vehicle = vehicle.again("");
    assert_eq!((vehicle.matches("7ABC123").len(), vehicle.matches("6DEF128").len()), (1, 1));
    vehicle.ask(Request::Remove { id: odd, reason: reason("never ends") }).unwrap();
    assert_eq!((vehicle.matches("7ABC123").len(), vehicle.matches("6DEF128").len()), (1, 0));
}

#[test]
fn entries_that_cannot_be_read_are_told_by_the_status_and_are_in_force_once_they_can() {
    let mut vehicle = Vehicle::new("");
    vehicle.ask(add("7ABC123")).unwrap();
    vehicle.raw().execute_batch("ALTER TABLE manual_entry RENAME COLUMN reason TO other").unwrap();
    let config = Config::load(&vehicle.place.dir.path().join("plated.toml")).unwrap();
    vehicle.service = OfficerService::open(&config, vehicle.store.clone(), vehicle.place.clock.clone());
    let health = std::sync::Arc::new(Health::default());
    vehicle.service.tell_health(health.clone());
    vehicle.service.arm().unwrap();
    let level = || {
        vehicle.service.report_parts();
        health.parts().into_iter().find(|part| part.name == "officers' entries").unwrap().level
    };
    assert_eq!(level(), Level::Failed);
    vehicle.raw().execute_batch("ALTER TABLE manual_entry RENAME COLUMN other TO reason").unwrap();
    vehicle.service.expire().unwrap();
    assert_eq!((level(), vehicle.matches("7ABC123").len()), (Level::Ok, 1));
}

#[test]
fn every_change_and_every_look_says_who_when_and_why() {
    let vehicle = Vehicle::new("[[hotlists]]\nname = \"svs\"\n");
    let entry = id(&vehicle.ask(add("7ABC123")).unwrap());
    vehicle.ask(add("7A?C*")).unwrap();
    vehicle.place.clock.advance(HOUR);
    vehicle.ask(Request::Remove { id: entry, reason: reason("vehicle found") }).unwrap();
    vehicle.ask(show("7ABC123")).unwrap();
    vehicle.ask(search("7ABC123", 24 * HOUR)).unwrap();
    vehicle.import("svs", "plate\n7ABC123\n", false, "morning list").unwrap();
    vehicle
        .ask(Request::Export { list: "svs".into(), reason: reason("for the station"), case: String::new() })
        .unwrap();
    let events = vehicle.events();
    let expected = [
        (What::EntryAdded, "robbery at 5th and Main", "plate", "7ABC123"),
        (What::PatternAdded, "robbery at 5th and Main", "plate", "7A?C*"),
        (What::EntryRemoved, "vehicle found", "plate", "7ABC123"),
        (What::PlateShown, "traffic stop", "plate", "7ABC123"),
        (What::SearchBack, "witness saw it", "case", "26-1234"),
        (What::ListImported, "morning list", "list", "svs"),
        (What::ListExported, "for the station", "list", "svs"),
    ];
    assert_eq!(events.len(), expected.len());
    assert!(events.windows(2).all(|pair| pair[0].number < pair[1].number));
    for (n, (event, (what, why, key, value))) in events.iter().zip(expected).enumerate() {
        assert_eq!((event.what, &*event.reason), (what, why));
        assert_eq!((&event.who, event.subject[key].as_str()), (&officer().author(), Some(value)));
        assert_eq!(event.at, if n < 2 { start() } else { start() + HOUR });
    }
}

#[test]
fn a_change_whose_event_cannot_be_written_is_not_made() {
    let vehicle = Vehicle::new("[[hotlists]]\nname = \"svs\"\n");
    let entry = id(&vehicle.ask(add("7ABC123")).unwrap());
    vehicle.import("svs", "plate\n6DEF128\n", false, "first").unwrap();
    let before = vehicle.store.list_states().unwrap();
    vehicle
        .raw()
        .execute_batch("CREATE TRIGGER fault BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'fault'); END;")
        .unwrap();
    vehicle.ask(add("9ZZZ999")).unwrap_err();
    vehicle.ask(Request::Remove { id: entry, reason: reason("found") }).unwrap_err();
    vehicle.import("svs", "plate\n6DEF129\n", false, "second").unwrap_err();
    for look in [
        show("7ABC123"),
        search("7ABC123", HOUR),
        Request::Export { list: "svs".into(), reason: reason("x"), case: String::new() },
    ] {
        let mut seen = 0;
        let err = vehicle.service.answer(look, &officer(), None, &mut |_| {
            seen += 1;
            Ok(())
        });
        assert!(err.unwrap_err().chain().contains("nothing is shown"));
        assert_eq!(seen, 0);
    }
    assert_eq!(vehicle.store.list_states().unwrap(), before);
    let vehicle = vehicle.again("[[hotlists]]\nname = \"svs\"\n");
    assert_eq!((vehicle.matches("7ABC123").len(), vehicle.matches("9ZZZ999").len()), (1, 0));
    assert_eq!((vehicle.matches("6DEF128").len(), vehicle.matches("6DEF129").len()), (1, 0));
    assert_eq!(vehicle.events().len(), 2);
}

#[test]
fn rows_of_the_audit_log_are_neither_changed_nor_removed_and_a_gap_is_found() {
    let vehicle = Vehicle::new("");
    (0..3).for_each(|n| drop(vehicle.ask(add(&format!("7ABC12{n}"))).unwrap()));
    let raw = vehicle.raw();
    for change in ["UPDATE audit SET entry = '{}'", "DELETE FROM audit", "DELETE FROM audit_log"] {
        assert!(raw.execute_batch(change).unwrap_err().to_string().contains("are not"));
    }
    let problems = || check(&vehicle.place.path(), &vehicle.place.key).unwrap().problems();
    assert_eq!(problems(), 0);
    raw.execute_batch("DROP TRIGGER audit_is_not_removed; DELETE FROM audit WHERE number = 2;").unwrap();
    assert_eq!(problems(), 2, "the trigger is gone, and so is a row");
}

// policy: P-04
#[test]
fn a_search_finds_what_was_read_before_the_entry_was_made_and_its_reason_is_on_record() {
    let vehicle = Vehicle::new("");
    vehicle.keep("7ABC123");
    vehicle.place.clock.advance(20 * HOUR);
    vehicle.keep("7AXC999");
    vehicle.keep("6DEF128");
    vehicle.place.clock.advance(5 * HOUR);
    let with_search = |plate: &str| match add(plate) {
        Request::Add { state, category, priority, reason, case, .. } => Request::Add {
            plate: plate.into(),
            state,
            category,
            priority,
            reason,
            case,
            expires: None,
            search_back: Some(24 * 3600),
        },
        other => other,
    };
    let replies = vehicle.ask(with_search("7A?C*")).unwrap();
    assert_eq!(found(&replies), ["7AXC999"], "the other was 25 hours ago");
    assert_eq!(whats(&vehicle.events()), [What::PatternAdded, What::SearchBack]);
    let event = &vehicle.events()[1];
    assert_eq!((&*event.reason, &event.who), ("robbery at 5th and Main", &officer().author()));
    assert_eq!((event.subject["plate"].as_str(), event.subject["case"].as_str()), (Some("7A?C*"), Some("26-1234")));
    assert_eq!(found(&vehicle.ask(search("7a?c*", 26 * HOUR)).unwrap()), ["7AXC999", "7ABC123"]);
    // The letter O and zero are one.
    vehicle.keep("70OL234");
    assert_eq!(found(&vehicle.ask(search("7O0L234", HOUR)).unwrap()), ["70OL234"]);
    assert!(found(&vehicle.ask(search("9ZZZ999", 1000 * HOUR)).unwrap()).is_empty());
}

// policy: P-01
#[test]
fn no_request_can_be_made_without_a_reason() {
    for request in [
        r#"{"do":"show","plate":"7ABC123","case":""}"#,
        r#"{"do":"show","plate":"7ABC123","case":"","reason":"  "}"#,
        r#"{"do":"search","plate":"7ABC123","window":60,"case":"","reason":"-"}"#,
        r#"{"do":"hits","window":60,"case":""}"#,
        r#"{"do":"disposition","hit":"9f3a21c4","finding":"misread","case":"","reason":""}"#,
        r#"{"do":"export","list":"svs","reason":""}"#,
        r#"{"do":"remove","id":1,"reason":""}"#,
    ] {
        assert!(serde_json::from_str::<Request>(request).is_err(), "{request}");
    }
}

#[test]
fn show_gives_every_entry_of_every_list_and_of_officers_with_the_age_of_its_list() {
    let lists = "[[hotlists]]\nname = \"svs\"\n[[hotlists]]\nname = \"quiet\"\ncovert = true\n";
    let vehicle = Vehicle::new(lists);
    vehicle.import("svs", "plate,reason\n7ABC123,stolen\n7abc-123,felony\n6DEF128,x\n", false, "list").unwrap();
    vehicle.import("quiet", "plate\n7ABC123\n", false, "list").unwrap();
    vehicle.ask(add("7ABC123")).unwrap();
    vehicle.ask(add("7A*")).unwrap();
    vehicle.place.clock.advance(2 * HOUR);
    let replies = vehicle.ask(show("7abc 123")).unwrap();
    let shown: Vec<_> = replies
        .iter()
        .filter_map(|r| match r {
            Reply::Entry(s) => Some((&*s.entry.list, &*s.entry.reason, s.list_age_s)),
            Reply::LeftOut { .. } => None,
            other => panic!("{other:?}"),
        })
        .collect();
    let why = "robbery at 5th and Main";
    assert_eq!(shown.len(), 4);
    for expected in [("svs", "stolen", Some(7200)), ("svs", "felony", Some(7200)), ("officers", why, None)] {
        assert!(shown.contains(&expected), "{shown:?}");
    }
    assert!(vehicle.refusal(show("7A*")).contains("whole plate"));
}

/// The definition of a partial plate, part by part.
fn fits(pattern: &[u8], key: &[u8]) -> bool {
    match pattern.split_first() {
        None => key.is_empty(),
        Some((b'*', rest)) => (0..=key.len()).any(|n| fits(rest, &key[n..])),
        Some((b'?', rest)) => key.split_first().is_some_and(|(_, k)| fits(rest, k)),
        Some((c, rest)) => key.split_first().is_some_and(|(d, k)| c == d && fits(rest, k)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]
    #[test]
    fn a_search_in_pages_gives_what_a_look_at_every_read_gives(
        reads in proptest::collection::vec(("[AB0O]{2,5}", 0..3u64), 1..130),
        patterns in proptest::collection::vec("[AB0?*]{2,6}", 4),
        back in 0..200u64,
    ) {
        let vehicle = Vehicle::new("");
        let mut kept = Vec::new();
        for (text, later) in &reads {
            vehicle.place.clock.advance(Duration::from_secs(*later));
            kept.push((vehicle.place.clock.wall(), vehicle.keep(text)));
        }
        let from = vehicle.place.clock.wall() - Duration::from_secs(back);
        for pattern in patterns.iter().chain([&"AB".to_owned(), &"A0*".to_owned()]) {
            let whole = !pattern.contains(['?', '*']);
            if !whole && Pattern::parse(pattern).is_err() {
                continue;
            }
            let mut got = Vec::new();
            let mut next = Some(begin(Wanted::parse(pattern).unwrap(), from));
            while let Some(search) = next {
                let (page, more) = vehicle.store.search_page(search).unwrap();
                got.extend(page.into_iter().map(|f| f.id));
                next = more;
            }
            let key = |text: &str| PlateText::normalise(text).key().as_str().to_owned();
            let wanted = pattern.replace('O', "0");
            let expected: Vec<_> = kept.iter().rev()
                .filter(|(at, r)| *at >= from && fits(wanted.as_bytes(), key(&r.text).as_bytes()))
                .map(|(_, r)| r.id).collect();
            prop_assert_eq!(got, expected);
        }
    }
}
