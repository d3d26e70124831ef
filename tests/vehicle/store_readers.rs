//! Readers beside the writer: neither waits for the other, and the log stays small.

use crate::kit::store::*;
use plated_access::{Actor, Case, Reason};
use plated_core::record::ImageRole;
use plated_core::user::SystemUser;
use plated_vehicle::store::{NewImage, Search, Wanted};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;

/// The size to which the log is emptied, and one read more.
const MAX_LOG: u64 = 20 << 20;

fn everything() -> Search {
    let who = Actor::SystemUser(SystemUser::of_this_process());
    let why = Reason::new("test").unwrap();
    let wanted = Wanted::parse("7R*").unwrap();
    Search::begin(gate(), &who, &why, &Case::none(), wanted, start() - Duration::from_secs(3600)).unwrap()
}

fn large(text: &str, seed: u64) -> plated_vehicle::store::NewRead {
    let mut new = read(text);
    new.images.push(NewImage { role: ImageRole::Overview, jpeg: picture(seed, 1 << 20) });
    new
}

#[test]
fn a_search_that_is_not_drained_keeps_no_read_from_the_store_and_the_log_from_growing() {
    let place = Place::new();
    let (store, _) = place.open();
    for n in 0..250 {
        store.put_read(&read(&format!("7RDR{n:03}"))).unwrap();
    }
    // Its consumer takes one page and is not heard of again.
    let (first, rest) = store.search_page(everything()).unwrap();
    assert_eq!(first.len(), 100);
    for n in 0..40 {
        store.put_read(&large("7RLG001", n)).unwrap();
        assert!(std::fs::metadata(place.beside("-wal")).unwrap().len() < MAX_LOG);
    }
    // It goes on where it was, and what came later is not in it.
    let mut found = first.len();
    let mut next = rest;
    while let Some(search) = next {
        let (page, more) = store.search_page(search).unwrap();
        assert!(page.iter().all(|read| read.text.starts_with("7RDR")));
        found += page.len();
        next = more;
    }
    assert_eq!(found, 250);
    store.close().unwrap();
}

#[test]
fn looks_that_never_pause_leave_the_log_small_and_the_writer_going() {
    let place = Place::new();
    let (store, _) = place.open();
    store.put_read(&read("7RDR000")).unwrap();
    let (stop, looks) = (AtomicBool::new(false), AtomicU64::new(0));
    let largest = std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    store.stats().unwrap();
                    store.search_page(everything()).unwrap();
                    looks.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let mut largest = 0;
        for n in 0..60 {
            store.put_read(&large("7RLG002", n)).unwrap();
            largest = largest.max(std::fs::metadata(place.beside("-wal")).unwrap().len());
        }
        stop.store(true, Ordering::Relaxed);
        largest
    });
    assert!(looks.load(Ordering::Relaxed) > 0);
    assert!(largest < MAX_LOG, "{largest} bytes");
    store.close().unwrap();
}

#[test]
fn a_reader_of_another_process_holds_up_no_write_and_the_log_shrinks_when_it_is_gone() {
    let place = Place::new();
    let (store, _) = place.open();
    store.put_read(&read("7RDR000")).unwrap();
    let hex = std::fs::read_to_string(place.dir.path().join("store.key")).unwrap();
    let other = rusqlite::Connection::open(place.path()).unwrap();
    other.execute_batch(&format!("PRAGMA key = \"x'{}'\"; BEGIN;", hex.trim())).unwrap();
    other.query_row("SELECT count(*) FROM read", [], |_| Ok(())).unwrap();
    for n in 0..40 {
        store.put_read(&large("7RLG003", n)).unwrap();
    }
    let log = || std::fs::metadata(place.beside("-wal")).unwrap().len();
    assert!(log() > 40 << 20, "it still sees the state before");
    other.execute_batch("COMMIT").unwrap();
    drop(other);
    for n in 0..4 {
        store.put_read(&large("7RLG004", 100 + n)).unwrap();
    }
    assert!(log() < MAX_LOG, "{}", log());
    store.close().unwrap();
}

#[test]
fn a_look_waits_for_no_write_under_way() {
    let place = Place::new();
    let (store, _) = place.open();
    store.put_read(&read("7RDR000")).unwrap();
    // Another process has the right to write, so the writer waits.
    let hex = std::fs::read_to_string(place.dir.path().join("store.key")).unwrap();
    let other = rusqlite::Connection::open(place.path()).unwrap();
    other.execute_batch(&format!("PRAGMA key = \"x'{}'\"; BEGIN IMMEDIATE;", hex.trim())).unwrap();
    std::thread::scope(|scope| {
        let (done, written) = mpsc::channel();
        let writer = store.clone();
        scope.spawn(move || done.send(writer.put_read(&read("7RDR001")).map(|_| ())).unwrap());
        for _ in 0..100 {
            assert_eq!(store.stats().unwrap().reads, 1);
            assert_eq!(store.search_page(everything()).unwrap().0.len(), 1);
        }
        assert!(written.try_recv().is_err(), "the write is still under way");
        other.execute_batch("ROLLBACK").unwrap();
        written.recv().unwrap().unwrap();
    });
    assert_eq!(store.stats().unwrap().reads, 2);
}

#[test]
fn a_store_that_is_closed_gives_no_looks() {
    let place = Place::new();
    let (store, _) = place.open();
    let other = store.clone();
    store.close().unwrap();
    assert!(other.stats().unwrap_err().chain().contains("the store is closed"));
    assert!(std::fs::metadata(place.beside("-wal")).is_err(), "nothing but the one file is left");
}
