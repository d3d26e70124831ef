//! The keeper alone, over a store that the test makes up.

use super::*;

fn keeper_by(put: Put, reserve: Reserve) -> Keeper {
    keeper(put, Arc::new(ListSettings::new(&[], TimeZone::UTC)), Arc::new(SystemClock::new()), reserve)
}

#[test]
fn a_pass_with_a_hit_that_the_store_fails_at_alone_lets_the_others_through() {
    let dir = tempfile::tempdir().unwrap();
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
    let keeper = keeper_by(put, Reserve::beside(&dir.path().join("store.db"), 0));
    let (counters, waiting) = (keeper.counters.clone(), keeper.waiting.clone());
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
    let file = dir.path().join("store.db.reserve");
    let room = Arc::new(AtomicBool::new(false));
    // A disk on which there is room only while nothing is set aside, until somebody makes more.
    let (there, more) = (file.clone(), room.clone());
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
    let keeper = keeper_by(put, Reserve::beside(&dir.path().join("store.db"), 1000));
    let (counters, waiting) = (keeper.counters.clone(), keeper.waiting.clone());
    assert!(file.exists());
    waiting.push(pending(Uuid::now_v7(), false, false));
    waiting.push(pending(Uuid::now_v7(), true, false));
    let thread = std::thread::spawn(move || keeper.run());
    until("the hit", || counters.totals().reads == 1);
    assert_eq!(waiting.len(), 1, "the read without a hit leaves hits the room");
    room.store(true, Ordering::Relaxed);
    std::fs::remove_dir_all(&file).unwrap();
    until("the other", || counters.totals().reads == 2);
    assert_eq!(std::fs::metadata(&file).unwrap().len(), 1000);
    waiting.end();
    thread.join().unwrap();
}

#[test]
fn a_store_that_takes_a_hit_at_the_second_try_lacks_no_room_and_nothing_set_aside_is_freed_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("store.db.reserve");
    let (tries, freed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let (there, tried, was_freed) = (file.clone(), tries.clone(), freed.clone());
    // As one whose files were moved away, and that lies in a new place from then on.
    let put: Put = Box::new(move |read: &NewRead| -> Result<_> {
        was_freed.fetch_or(!there.exists(), Ordering::Relaxed);
        if tried.fetch_add(1, Ordering::Relaxed) == 0 {
            return Err(Error::new(Kind::Storage, "the store was moved away"));
        }
        let sha256 = plated_core::digest::Sha256::of(b"");
        Ok(crate::store::Stored { id: read.record.id, sha256, sealed: true })
    });
    let keeper = keeper_by(put, Reserve::beside(&dir.path().join("store.db"), 1000));
    let (counters, waiting) = (keeper.counters.clone(), keeper.waiting.clone());
    waiting.push(pending(Uuid::now_v7(), true, false));
    let thread = std::thread::spawn(move || keeper.run());
    until("the hit", || counters.totals().reads == 1);
    assert_eq!((tries.load(Ordering::Relaxed), freed.load(Ordering::Relaxed)), (2, false));
    assert!(file.exists());
    waiting.end();
    thread.join().unwrap();
}
