//! What is kept of a store that is damaged, removed, moved or replaced, at rest and while it is open.

use crate::kit::process::until;
use crate::kit::store::*;
use jiff::Timestamp;
use plated_access::{Actor, Reason};
use plated_core::clock::{Clock, ManualClock};
use plated_core::error::Kind;
use plated_core::record::{ClockMark, Priority, ReadRecord};
use plated_core::user::SystemUser;
use plated_vehicle::store::{By, NewManual, NewRead, Options, Store, check};
use std::collections::HashSet;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use uuid::Uuid;

fn flip(path: &Path, page: u64) {
    let mut file = std::fs::File::options().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(page * 4096 + 200)).unwrap();
    file.write_all(b"damage").unwrap();
}

fn by() -> By {
    By {
        who: Actor::SystemUser(SystemUser { user: "jdoe".into(), uid: 1007 }),
        reason: Reason::new("robbery").unwrap(),
    }
}

fn entry(plate: &str) -> NewManual {
    NewManual {
        plate: plate.into(),
        state: "CA".into(),
        category: "bolo".into(),
        priority: Priority::High,
        case: "26-1234".into(),
        expires: start() + std::time::Duration::from_secs(8 * 3600),
        is_span: true,
    }
}

/// 60 reads, every third with a hit, the first ten of them at the station; an entry.
fn filled(place: &Place) -> Vec<Uuid> {
    let (store, _) = place.open();
    let mut all = Vec::new();
    for n in 0..60 {
        let mut new = read(&format!("7SAL{n:03}"));
        new.record.hits.extend((n % 3 == 0).then(|| hit("svs")));
        all.push(store.put_read(&new).unwrap());
    }
    let sent: Vec<_> = all[..10].iter().map(|s| (s.id, s.sha256)).collect();
    assert_eq!(store.apply_receipt(&receipt(&sent)).unwrap().transferred, 10);
    store.add_manual(entry("7ABC123"), &by()).unwrap();
    store.close().unwrap();
    all[10..].iter().map(|s| s.id).collect()
}

fn waiting(store: &Store) -> HashSet<Uuid> {
    store.outbox(transfer(), usize::MAX).unwrap().iter().map(|r| r.sealed.id).collect()
}

/// Every read of the outbox can be sent: each picture is there.
fn assert_sendable(store: &Store) {
    for read in store.outbox(transfer(), usize::MAX).unwrap() {
        for image in &read.images {
            assert!(store.image(transfer(), &image.sha256).unwrap().is_some());
        }
    }
}

// policy: P-12
#[test]
fn whatever_page_is_damaged_every_unsent_read_that_is_whole_comes_over_with_its_pictures() {
    let place = Place::new();
    let unsent = filled(&place);
    let whole = std::fs::read(place.path()).unwrap();
    let (mut most, mut lost, mut sent_again) = (0, 0, 0);
    for page in (1..whole.len() as u64 / 4096).step_by(7) {
        let other = Place { key: place.key.clone(), ..Place::new() };
        let damaged = other.beside(".damaged-20260301T070000Z");
        std::fs::write(&damaged, &whole).unwrap();
        flip(&damaged, page);
        let before = std::fs::read(&damaged).unwrap();
        let (store, opened) = other.open();
        assert_eq!(opened.damaged, std::slice::from_ref(&damaged));
        let salvaged = store.salvage(&damaged).unwrap();
        let here = waiting(&store);
        // Where it was noted that the station holds them, they are sent again; that does no harm.
        sent_again += usize::from(!here.is_subset(&unsent.iter().copied().collect()));
        // The store begins with it by itself.
        assert_eq!(salvaged.reads + salvaged.present, here.len() as u64, "page {page}: {salvaged}");
        assert_sendable(&store);
        // Twice brings nothing twice.
        let again = store.salvage(&damaged).unwrap();
        assert_eq!((again.reads, again.rows, again.present), (0, 0, here.len() as u64), "page {page}");
        store.close().unwrap();
        assert!(std::fs::read(&damaged).unwrap() == before, "page {page}: the old one was touched");
        // Rows of the old audit log that can't be read are missing in it, and the check names them.
        let report = check(&other.path(), &other.key).unwrap();
        let wrong = report.checked.iter().filter(|checked| checked.wrong > 0);
        let others: Vec<_> = wrong.filter(|checked| !checked.what.starts_with("audit log")).collect();
        assert!(others.is_empty(), "page {page}: {others:?}");
        let missing = unsent.iter().filter(|id| !here.contains(*id)).count();
        most = most.max(unsent.len() - missing);
        lost += missing;
        let message = salvaged.unreadable > 0 || salvaged.unreadable_tables;
        assert!(missing == 0 || message, "page {page}: lost and not said: {salvaged}");
    }
    assert!(sent_again <= 2, "the pages of one small table, not {sent_again}");
    assert!(most == unsent.len() && lost > 0, "{most} at most, {lost} lost in all");
}

#[test]
fn a_store_set_aside_at_the_start_is_brought_over_by_itself_with_entries_first() {
    let place = Place::new();
    let unsent = filled(&place);
    // The first page of a table is read when the store is opened. Which one is found by trying.
    let whole = std::fs::read(place.path()).unwrap();
    let mut tried = 0;
    for page in 1..whole.len() as u64 / 4096 {
        let other = Place { key: place.key.clone(), ..Place::new() };
        std::fs::copy(place.beside(".keyid"), other.beside(".keyid")).unwrap();
        std::fs::write(other.path(), &whole).unwrap();
        flip(&other.path(), page);
        let (store, opened) = other.open();
        let Some(aside) = opened.set_aside else { continue };
        tried += 1;
        let done = format!("{}.salvaged", aside.path.display());
        let note = until("the end of the salvage", || std::fs::read_to_string(&done).ok());
        assert!(note.contains("brought over"), "{note}");
        let here = waiting(&store);
        assert!(here.is_subset(&unsent.iter().copied().collect()));
        if store.manual_entries(matching()).unwrap().iter().any(|e| e.entry.plate == "7ABC123") && here.len() == 50 {
            // It is done once.
            store.close().unwrap();
            let (store, opened) = other.open();
            assert_eq!((opened.damaged, waiting(&store)), (vec![aside.path], here));
            return;
        }
    }
    panic!("no page of {tried} that set the store aside left everything else to be read");
}

#[test]
fn damage_found_in_the_background_sets_the_store_aside_and_brings_over_what_can_be_read() {
    let place = Place::new();
    let unsent = filled(&place);
    let whole = std::fs::read(place.path()).unwrap();
    let mut found = 0;
    for page in (1..whole.len() as u64 / 4096).step_by(3) {
        std::fs::write(place.path(), &whole).unwrap();
        flip(&place.path(), page);
        let (store, opened) = place.open();
        if opened.set_aside.is_none() {
            store.check_in_background();
            // A damaged record page: it ends with a store in which everything can be read.
            let aside = place.beside(".damaged-20260301T080000Z");
            let reads_fail = store.search_page(search_all()).is_err();
            if reads_fail {
                until("the damaged store to be set aside", || aside.exists().then_some(()));
                let done = place.beside(".damaged-20260301T080000Z.salvaged");
                until("the end of the salvage", || done.exists().then_some(()));
                let here = waiting(&store);
                assert!(here.is_subset(&unsent.iter().copied().collect()), "page {page}");
                store.put_read(&read("7NEW123")).unwrap();
                // All is lost with the page from which the others are found.
                found += u32::from(!here.is_empty());
            }
        }
        store.close().unwrap();
        for left in std::fs::read_dir(place.dir.path()).unwrap().map(|e| e.unwrap().path()) {
            if left.to_string_lossy().contains(".damaged-") {
                std::fs::remove_file(left).unwrap();
            }
        }
        if found == 2 {
            return;
        }
    }
    panic!("no page was damaged that reads are in");
}

fn search_all() -> plated_vehicle::store::Search {
    let who = Actor::of_this_process();
    let wanted = plated_vehicle::store::Wanted::parse("7S*").unwrap();
    let from = start() - std::time::Duration::from_secs(3600);
    let (why, case) = (Reason::new("test").unwrap(), plated_access::Case::none());
    plated_vehicle::store::Search::begin(gate(), &who, &why, &case, wanted, from).unwrap()
}

/// Keeps a read as the daemon does: again until it is taken.
fn keep(store: &Store, new: &NewRead) -> Uuid {
    until("the read to be kept", || match store.put_read(new) {
        Ok(stored) => Some(stored.id),
        Err(e) if e.kind() == Kind::Storage => None,
        Err(e) => panic!("{}", e.chain()),
    })
}

// policy: P-12
#[test]
fn a_store_that_is_removed_moved_or_replaced_while_it_is_open_loses_nothing() {
    type Harm = (&'static str, fn(&Place));
    let harms: &[Harm] = &[
        ("database removed", |p| std::fs::remove_file(p.path()).unwrap()),
        ("database moved", |p| std::fs::rename(p.path(), p.beside(".elsewhere")).unwrap()),
        ("log removed", |p| std::fs::remove_file(p.beside("-wal")).unwrap()),
        ("all removed", |p| {
            ["", "-wal", "-shm", ".lock", ".keyid"].iter().for_each(|s| std::fs::remove_file(p.beside(s)).unwrap())
        }),
        ("replaced by another file", |p| {
            std::fs::remove_file(p.path()).unwrap();
            std::fs::write(p.path(), b"another").unwrap();
        }),
        ("replaced by a store of before", |p| std::fs::rename(p.beside(".before"), p.path()).unwrap()),
    ];
    for (name, harm) in harms {
        let place = Place::new();
        let mut all: HashSet<Uuid> = filled(&place).into_iter().collect();
        std::fs::copy(place.path(), place.beside(".before")).unwrap();
        let (store, _) = place.open();
        all.insert(keep(&store, &read("7BEF001")));
        harm(&place);
        let refused = store.put_read(&read("7LOST00")).unwrap_err();
        assert_eq!(refused.kind(), Kind::Storage, "{name}");
        let message = refused.chain();
        assert!(message.contains("a new one was begun") && !message.contains("7LOST00"), "{name}: {message}");
        all.insert(keep(&store, &read("7AFT001")));
        assert!(place.path().exists(), "{name}");
        // Entries are there at once, reads in their turn.
        assert_eq!(store.manual_entries(matching()).unwrap().len(), 1, "{name}");
        until("the reads to be brought over", || (waiting(&store) == all).then_some(()));
        assert_sendable(&store);
        store.close().unwrap();
        let (store, opened) = place.open();
        assert!(opened.set_aside.is_none() && waiting(&store) == all, "{name}: durable");
        store.close().unwrap();
        assert_eq!(check(&place.path(), &place.key).unwrap().problems(), 0, "{name}");
        let aside = place.beside(".displaced-20260301T080000Z");
        if name.starts_with("replaced") {
            assert!(aside.exists(), "{name}: what lay there is kept");
        }
        if aside.exists() {
            let note = std::fs::read_to_string(place.beside(".displaced-20260301T080000Z.salvaged")).unwrap();
            assert!(note.contains("brought over"), "{name}: it is done once: {note}");
        }
    }
}

#[test]
fn a_store_that_is_removed_and_closed_at_once_loses_nothing() {
    let place = Place::new();
    let all: HashSet<Uuid> = filled(&place).into_iter().collect();
    let (store, _) = place.open();
    std::fs::remove_file(place.path()).unwrap();
    store.put_read(&read("7LOST00")).unwrap_err();
    store.close().unwrap();
    assert_eq!(waiting(&place.open().0), all);
}

/// A clock by which the store's thread fails once, after the file at the path went, when there is a new one.
struct FailsOnce {
    clock: Arc<ManualClock>,
    path: PathBuf,
    armed: AtomicBool,
}

impl Clock for FailsOnce {
    fn wall(&self) -> Timestamp {
        let fails = self.armed.load(Ordering::SeqCst) && self.path.exists() && self.armed.swap(false, Ordering::SeqCst);
        assert!(!fails, "a defect, as a test of it wants it");
        self.clock.wall()
    }

    fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }
}

// policy: P-12
#[test]
fn a_defect_while_a_removed_store_is_brought_over_loses_nothing_of_it() {
    let place = Place::new();
    let all: HashSet<Uuid> = filled(&place).into_iter().collect();
    let clock = FailsOnce { clock: place.clock.clone(), path: place.path(), armed: AtomicBool::new(false) };
    let clock = Arc::new(clock);
    let options = Options { path: place.path(), max_bytes: None, vehicle: "unit-7".into() };
    let (store, _) = Store::open(options, &place.key, clock.clone()).unwrap();
    ["", "-wal", "-shm"].iter().for_each(|suffix| std::fs::remove_file(place.beside(suffix)).unwrap());
    clock.armed.store(true, Ordering::SeqCst);
    store.put_read(&read("7LOST00")).unwrap_err();
    until("the defect", || (!clock.armed.load(Ordering::SeqCst)).then_some(()));
    store.close().unwrap();
    assert_eq!(waiting(&place.open().0), all);
}

// policy: P-12
#[test]
fn a_store_that_was_displaced_is_brought_over_at_the_next_start_if_a_power_cut_came_before_its_end() {
    let place = Place::new();
    let unsent: HashSet<Uuid> = filled(&place).into_iter().collect();
    // As a power cut leaves it right after the new store was begun.
    let aside = place.beside(".displaced-20260301T070000Z");
    std::fs::rename(place.path(), &aside).unwrap();
    let (store, opened) = place.open();
    assert_eq!(opened.damaged, std::slice::from_ref(&aside));
    assert_eq!(store.manual_entries(matching()).unwrap().len(), 1);
    until("the reads to be brought over", || (waiting(&store) == unsent).then_some(()));
    assert_sendable(&store);
    let note = format!("{}.salvaged", aside.display());
    until("the note of it", || std::fs::read_to_string(&note).ok().filter(|note| note.contains("50 brought over")));
    store.close().unwrap();
}

/// Waits until a read was brought over, and gives it.
fn brought_over(store: &Store, id: Uuid) -> ReadRecord {
    until("the read to be brought over", || reads(store, usize::MAX).into_iter().find(|r| r.id == id))
}

// policy: P-12
#[test]
fn a_pass_that_goes_on_while_its_store_is_given_up_ends_in_the_new_store() {
    let place = Place::new();
    filled(&place);
    let (store, _) = place.open();
    let mut pass = open_read("7PASS01");
    pass.record.hits = vec![hit("svs")];
    keep(&store, &pass);
    let closed = keep(&store, &read("7DONE01"));
    std::fs::remove_file(place.path()).unwrap();
    store.put_read(&read("7LOST00")).unwrap_err();
    assert_eq!(brought_over(&store, pass.record.id).text, "7PASS01");
    until("the others", || waiting(&store).contains(&closed).then_some(()));
    assert!(!waiting(&store).contains(&pass.record.id), "it is not sent before it is over");
    // The vehicle has gone, and the plate was read better meanwhile.
    pass.record.text = "7PASS07".into();
    pass.open = false;
    assert!(store.put_read(&pass).unwrap().sealed);
    let kept = brought_over(&store, pass.record.id);
    assert_eq!((kept.text.as_str(), &kept.hits), ("7PASS07", &pass.record.hits));
    assert!(waiting(&store).contains(&pass.record.id));
    assert_sendable(&store);
    store.close().unwrap();
    assert_eq!(check(&place.path(), &place.key).unwrap().problems(), 0);
}

#[test]
fn a_pass_of_an_earlier_run_is_sealed_as_it_was_when_its_store_is_brought_over() {
    let before = Place::new();
    let (store, _) = before.open();
    let pass = store.put_read(&open_read("7PASS01")).unwrap().id;
    store.close().unwrap();
    let place = Place { key: before.key.clone(), ..Place::new() };
    std::fs::copy(before.path(), place.beside(".damaged-20260301T070000Z")).unwrap();
    let (store, _) = place.open();
    until("the read to be brought over", || waiting(&store).contains(&pass).then_some(()));
}

#[test]
fn a_sealed_read_that_comes_again_late_or_with_corrected_times_or_without_pictures_is_taken_as_kept() {
    let place = Place::new();
    let (store, _) = place.open();
    let mut new = read("7LATE01");
    new.record.hits = vec![hit("svs")];
    let sealed = store.put_read(&new).unwrap();
    new.record.hits[0].kept_late = true;
    assert_eq!(store.put_read(&new).unwrap(), sealed);
    let right = start() + Duration::from_secs(3600);
    let record = &mut new.record;
    (record.clock, record.first_seen, record.last_seen) = (Some(ClockMark::Corrected), right, right);
    (record.best.at, record.hits[0].at) = (right, right);
    record.sightings.iter_mut().for_each(|look| look.at = right);
    assert_eq!(store.put_read(&new).unwrap(), sealed, "the clock was set right meanwhile");
    new.images.clear();
    new.record.images.clear();
    assert_eq!(store.put_read(&new).unwrap(), sealed, "its pictures gave way meanwhile");
    let kept = &reads(&store, 1)[0];
    assert!(!kept.hits[0].kept_late && kept.first_seen == start(), "what is sealed stays as it is");
    assert!(!kept.images.is_empty());
    new.record.text = "7LATE02".into();
    assert_eq!(store.put_read(&new).unwrap_err().kind(), Kind::Internal);
}

#[test]
fn a_store_begun_by_another_process_at_the_same_path_is_left_alone() {
    let place = Place::new();
    let (store, _) = place.open();
    for suffix in ["", "-wal", "-shm", ".lock"] {
        std::fs::remove_file(place.beside(suffix)).unwrap();
    }
    let (other, _) = place.open();
    let theirs = other.put_read(&read("7OTH001")).unwrap();
    let refused = store.put_read(&read("7LOST00")).unwrap_err();
    assert_eq!(refused.kind(), Kind::Storage);
    assert!(refused.chain().contains("in use by"), "{}", refused.chain());
    assert_eq!(waiting(&other), HashSet::from([theirs.id]));
}

#[test]
fn the_command_brings_over_what_lies_beside_the_store_and_says_the_counts() {
    let place = Place::new();
    filled(&place);
    let config = place.dir.path().join("plated.toml");
    let text = "vehicle = \"unit-7\"\nsources = [{ name = \"a\", kind = \"video\", path = \"a\" }]\n\
                [store]\npath = \"store.db\"\nkey_file = \"store.key\"\n";
    std::fs::write(&config, text).unwrap();
    let salvage = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plated"));
        let done = command.args(["store", "salvage", "--config"]).arg(&config).args(more).output().unwrap();
        (done.status.code(), String::from_utf8(done.stdout).unwrap(), String::from_utf8(done.stderr).unwrap())
    };
    let (code, message, _) = salvage(&[]);
    assert!(code == Some(0) && message.contains("No store was set aside"), "{message}");
    std::fs::rename(place.path(), place.beside(".damaged-20260301T070000Z")).unwrap();
    let (code, message, _) = salvage(&[]);
    assert!(
        code == Some(0) && message.contains("50 brought over, 0 were here already, 10 are at the station"),
        "{message}"
    );
    assert!(!message.contains("7SAL"), "{message}");
    let (code, _, message) = salvage(&["/nowhere"]);
    assert!(code == Some(66) && message.contains("there is no store at /nowhere"), "{message}");
    let (store, _) = place.open();
    let (code, _, message) = salvage(&[]);
    assert!(code == Some(75) && message.contains("in use by the process"), "{message}");
    store.close().unwrap();
}
