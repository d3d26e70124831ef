//! The archive on one machine: crashes, a full disk, other processes, files that lose their place.

use super::{Place, add, at, batch, durable, ids, pictures, purge, read, search};
use crate::kit::store::permit;
use plated_core::digest::Sha256;
use plated_core::durable::Step;
use plated_core::durable::fault::{Faults, NAMES};
use plated_core::error::Kind;
use plated_station::archive::{Archive, Class, NewHold, Options, Query, Retention, SqliteArchive};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => all.extend(files(&path)),
            path => all.push(path),
        }
    }
    all
}

fn packs(place: &Place) -> Vec<PathBuf> {
    let mut all = files(&place.data());
    all.retain(|path| path.extension().is_some_and(|e| e == "pack"));
    all
}

// policy: P-25
#[test]
fn no_file_of_the_archive_holds_a_plate_or_a_picture_in_clear_and_another_key_opens_nothing() {
    let mut place = Place::new(Retention::default());
    let new = read(at("2026-11-26T12:00:00Z"), "7ABC123", Class::NoHit, &[b"what a camera saw"]);
    add(place.sqlite(), vec![new.clone()], pictures(&[b"what a camera saw"]));
    place
        .sqlite()
        .hold(&permit(), &NewHold { case: "26-1".into(), reads: vec![new.id] }, at("2026-11-26T12:00:00Z"))
        .unwrap();
    for open in [true, false] {
        if !open {
            place.close();
        }
        for file in files(&place.data()) {
            let bytes = fs::read(&file).unwrap();
            for secret in [&b"7ABC123"[..], b"camera saw", b"unit-7", b"SQLite format"] {
                assert!(!bytes.windows(secret.len()).any(|w| w == secret), "{}", file.display());
            }
        }
    }
    let other = plated_station::ArchiveKey::create_file(&place.dir.path().join("other.key")).unwrap();
    place.key = other;
    assert_eq!(place.try_open().unwrap_err().kind(), Kind::Damaged);
}

#[test]
fn a_second_process_is_kept_out() {
    let place = Place::new(Retention::default());
    let refused = place.try_open().unwrap_err();
    assert!(refused.kind() == Kind::Refused && refused.chain().contains("stop it first"), "{refused}");
}

// policy: P-12
#[test]
fn power_that_fails_at_any_step_of_an_ingest_loses_nothing_that_was_receipted_and_leaves_no_orphans() {
    let moment = at("2026-11-26T12:00:00Z");
    for names in NAMES {
        for step in 0.. {
            let mut place = Place::new(Retention::default());
            let before = read(moment, "7ABC123", Class::NoHit, &[b"before"]);
            add(place.sqlite(), vec![before.clone()], pictures(&[b"before"]));
            let (hit, no_hit) =
                (read(moment, "7ABC124", Class::Hit, &[b"a"]), read(moment, "7ABC125", Class::NoHit, &[b"a"]));
            let sent = || batch(vec![hit.clone(), no_hit.clone()], pictures(&[b"a"]));
            let faults = Faults::in_folder(&place.data());
            faults.cut_power_after(step, names);
            let outcome = place.sqlite().ingest(sent());
            let cut = faults.power_is_cut();
            place.close();
            faults.restore_power();
            drop(faults);
            let archive = place.open();
            if let Ok(outcome) = &outcome {
                assert_eq!(*outcome, durable(2));
                assert_eq!(ids(archive, &Query::default()).len(), 3, "{step}");
            }
            // What is there is whole, and each pack has its rows.
            assert_eq!(archive.check().unwrap().problems, [""; 0], "{step}");
            assert!(archive.read(&search(), before.id).unwrap().is_some());
            let named = ids(archive, &Query::default()).len();
            assert!(packs(&place).len() <= named, "{step}: {:?}", packs(&place));
            assert_eq!(place.sqlite().ingest(sent()).unwrap(), durable(2));
            assert_eq!(ids(place.sqlite(), &Query::default()).len(), 3);
            assert_eq!(place.sqlite().check().unwrap().problems, [""; 0]);
            if !cut {
                break;
            }
        }
    }
}

#[test]
fn a_pack_without_rows_is_removed_at_the_start() {
    let mut place = Place::new(Retention::default());
    let new = read(at("2026-11-26T12:00:00Z"), "7ABC123", Class::NoHit, &[b"a"]);
    add(place.sqlite(), vec![new], pictures(&[b"a"]));
    let real = packs(&place);
    let orphan = real[0].with_file_name("0193500000007000800000000000abcd.pack");
    fs::copy(&real[0], &orphan).unwrap();
    place.open();
    assert_eq!(packs(&place), real);
}

// policy: P-14
#[test]
fn a_purge_that_is_cut_off_anywhere_is_finished_by_the_next_one_with_its_certificate() {
    let now = at("2026-12-24T12:00:00Z");
    for names in NAMES {
        for step in 0.. {
            let mut place = Place::new(Retention { no_hit: 10, ..Retention::default() });
            let old = read(at("2026-11-26T12:00:00Z"), "7ABC123", Class::NoHit, &[b"a"]);
            let kept = read(at("2026-11-26T12:00:00Z"), "7ABC124", Class::Hit, &[b"b"]);
            add(place.sqlite(), vec![old.clone(), kept.clone()], pictures(&[b"a", b"b"]));
            let faults = Faults::in_folder(&place.data());
            faults.cut_power_after(step, names);
            let _ = place.sqlite().purge(&purge(), now);
            let cut = faults.power_is_cut();
            place.close();
            faults.restore_power();
            drop(faults);
            place.open().purge(&purge(), now).unwrap();
            let archive = place.sqlite();
            assert_eq!(ids(archive, &Query::default()), [kept.id], "{step}");
            let trust = super::Engine::trust(&place);
            let parts: Vec<_> =
                archive.certificates().unwrap().iter().flat_map(|c| c.open(&trust).unwrap().parts).collect();
            assert_eq!(parts.iter().map(|part| part.reads).collect::<Vec<_>>(), [1], "{step} {names:?}");
            assert_eq!(archive.check().unwrap().problems, [""; 0]);
            assert!(files(&place.data().join("doomed")).is_empty());
            if !cut {
                break;
            }
        }
    }
}

#[test]
fn a_full_disk_receipts_nothing_and_the_batch_is_taken_when_there_is_room() {
    let place = Place::new(Retention::default());
    let new = read(at("2026-11-26T12:00:00Z"), "7ABC123", Class::NoHit, &[b"a"]);
    let sent = || batch(vec![new.clone()], pictures(&[b"a"]));
    let faults = Faults::in_folder(&place.data());
    faults.fail_each(Step::Write, ErrorKind::StorageFull);
    assert_eq!(place.sqlite().ingest(sent()).unwrap_err().kind(), Kind::Storage);
    drop(faults);
    assert!(ids(place.sqlite(), &Query::default()).is_empty());
    assert_eq!(place.sqlite().ingest(sent()).unwrap(), durable(1));
}

#[test]
fn damage_is_found_by_the_check_and_shown_as_such() {
    let mut place = Place::new(Retention::default());
    let new = read(at("2026-11-26T12:00:00Z"), "7ABC123", Class::NoHit, &[b"a picture"]);
    add(place.sqlite(), vec![new.clone()], pictures(&[b"a picture"]));
    let pack = packs(&place).remove(0);
    let mut bytes = fs::read(&pack).unwrap();
    bytes[12] ^= 1;
    fs::write(&pack, bytes).unwrap();
    let problems = place.sqlite().check().unwrap().problems;
    assert!(problems.len() == 1 && problems[0].contains(&new.id.to_string()), "{problems:?}");
    let refused = place.sqlite().picture(&search(), new.id, &Sha256::of(b"a picture")).unwrap_err();
    assert_eq!(refused.kind(), Kind::Damaged);
    place.close();
    let database = pack.with_file_name("reads.db");
    let mut bytes = fs::read(&database).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&database, bytes).unwrap();
    assert!(place.try_open().is_err() || place.open().check().unwrap().problems.len() > 1);
}

// policy: P-12
#[test]
fn a_part_that_is_removed_or_moved_under_the_station_gives_no_receipt() {
    for way in ["removed", "moved", "replaced"] {
        let place = Place::new(Retention::default());
        let moment = at("2026-11-26T12:00:00Z");
        add(place.sqlite(), vec![read(moment, "7ABC123", Class::NoHit, &[])], Vec::new());
        let database = place.data().join("reads/2026-11-26.no_hit/reads.db");
        let elsewhere = place.dir.path().join("elsewhere.db");
        match way {
            "removed" => fs::remove_file(&database).unwrap(),
            "moved" => fs::rename(&database, &elsewhere).unwrap(),
            _ => {
                fs::copy(&database, &elsewhere).unwrap();
                fs::rename(&elsewhere, &database).unwrap();
            }
        }
        let after = read(moment, "7ABC124", Class::NoHit, &[]);
        let refused = place.sqlite().ingest(batch(vec![after.clone()], Vec::new())).unwrap_err();
        assert_eq!(refused.kind(), Kind::Missing, "{way}");
        let again = place.sqlite().ingest(batch(vec![after.clone()], Vec::new()));
        assert_eq!(again.unwrap_err().kind(), Kind::Missing, "{way}");
        let copy = database.with_file_name("reads.db.rescued-1");
        assert!(copy.exists(), "{way}");
        if way == "moved" {
            fs::rename(&elsewhere, &database).unwrap();
            assert_eq!(place.sqlite().ingest(batch(vec![after], Vec::new())).unwrap(), durable(1), "it is back");
            assert_eq!(ids(place.sqlite(), &Query::default()).len(), 2);
        }
    }
}

#[test]
fn a_part_or_hold_that_is_gone_or_an_older_copy_of_it_is_found_by_the_check_until_it_is_back() {
    let moment = at("2026-11-26T12:00:00Z");
    for way in ["its database removed", "its folder removed", "an older copy", "what a hold keeps removed"] {
        let mut place = Place::new(Retention::default());
        let first = read(moment, "7ABC123", Class::NoHit, &[]);
        add(place.sqlite(), vec![first.clone()], Vec::new());
        let hold = NewHold { case: "26-1".into(), reads: vec![first.id] };
        let hold = place.sqlite().hold(&permit(), &hold, moment).unwrap().id;
        place.close();
        let part = place.data().join("reads/2026-11-26.no_hit");
        let database = part.join("reads.db");
        let (older, newer) = (place.dir.path().join("older.db"), place.dir.path().join("newer.db"));
        fs::copy(&database, &older).unwrap();
        add(place.open(), vec![read(moment, "7ABC124", Class::NoHit, &[])], Vec::new());
        assert_eq!(place.sqlite().check().unwrap().problems, [""; 0]);
        place.close();
        fs::copy(&database, &newer).unwrap();
        let kept = place.data().join(format!("holds/{}", hold.simple()));
        match way {
            "its database removed" => fs::remove_file(&database).unwrap(),
            "its folder removed" => fs::remove_dir_all(&part).unwrap(),
            "an older copy" => drop(fs::copy(&older, &database).unwrap()),
            _ => fs::remove_file(kept.join("reads.db")).unwrap(),
        }
        let named = if way == "what a hold keeps removed" { kept } else { part.clone() };
        let found = |place: &Place| {
            let problems = place.sqlite().check().unwrap().problems;
            assert!(problems.len() == 1 && problems[0].contains(named.to_str().unwrap()), "{way}: {problems:?}");
        };
        place.open();
        found(&place);
        if named == part {
            // What comes of that day is taken in all the same, and the loss stays in sight.
            add(place.sqlite(), vec![read(moment, "7ABC125", Class::NoHit, &[])], Vec::new());
            if way != "an older copy" {
                found(&place);
            }
            place.close();
            fs::copy(&newer, &database).unwrap();
            // The last read is not in the copy; its vehicle has the receipt.
            assert_eq!(place.open().check().unwrap().reads, 3, "two and the one that is held");
        }
    }
}

#[test]
fn a_restore_that_is_cut_off_anywhere_leaves_nothing_that_looks_whole_and_the_next_one_does_it_all() {
    let moment = at("2026-11-26T12:00:00Z");
    let place = Place::new(Retention::default());
    let all = [read(moment, "7ABC123", Class::NoHit, &[b"a"]), read(moment, "7ABC124", Class::Hit, &[b"b"])];
    add(place.sqlite(), all.to_vec(), pictures(&[b"a", b"b"]));
    let backup = place.dir.path().join("backup");
    place.sqlite().backup(&backup, moment).unwrap();
    let data = place.dir.path().canonicalize().unwrap().join("restored");
    let options = Options { data: &data, key: place.key.clone(), station: "station-1", retention: place.retention };
    let whole = |archive: &SqliteArchive| {
        assert_eq!(ids(archive, &Query::default()).len(), 2);
        assert_eq!(archive.check().unwrap().problems, [""; 0]);
    };
    for names in NAMES {
        for step in 0.. {
            let faults = Faults::in_folder(&data);
            faults.cut_power_after(step, names);
            let done = SqliteArchive::restore(&options, &backup);
            let cut = faults.power_is_cut();
            faults.restore_power();
            drop((faults, done));
            match SqliteArchive::beside(&options) {
                Ok(archive) => whole(&archive),
                Err(e) => {
                    assert!([Kind::Missing, Kind::Refused].contains(&e.kind()), "{step} {names:?}: {}", e.chain());
                    whole(&SqliteArchive::restore(&options, &backup).unwrap());
                }
            }
            fs::remove_dir_all(&data).unwrap();
            if !cut {
                break;
            }
        }
    }
}

#[test]
fn a_part_of_which_only_pictures_are_left_is_found_by_the_check_though_nothing_else_knows_of_it() {
    let mut place = Place::new(Retention::default());
    place.close();
    let (database, older) = (place.data().join("station.db"), place.dir.path().join("older.db"));
    fs::copy(&database, &older).unwrap();
    let new = read(at("2026-11-26T12:00:00Z"), "7ABC123", Class::NoHit, &[b"a"]);
    add(place.open(), vec![new], pictures(&[b"a"]));
    place.close();
    fs::copy(&older, &database).unwrap();
    let part = place.data().join("reads/2026-11-26.no_hit");
    fs::remove_file(part.join("reads.db")).unwrap();
    let problems = place.open().check().unwrap().problems;
    let named = format!("{} is gone, and pictures lie beside it", part.join("reads.db").display());
    assert!(problems.len() == 1 && problems[0].starts_with(&named), "{problems:?}");
}

#[test]
fn parts_that_a_purge_deletes_beside_a_check_do_not_end_it_and_are_no_problem() {
    let place = Place::new(Retention { no_hit: 10, ..Retention::default() });
    for day in 10..30 {
        let made = at(&format!("2026-11-{day}T12:00:00Z"));
        add(place.sqlite(), vec![read(made, "7ABC123", Class::NoHit, &[b"a"])], pictures(&[b"a"]));
    }
    let data = place.data();
    let options =
        Options { data: &data, key: place.key.clone(), station: "station-1", retention: Retention::default() };
    let beside = SqliteArchive::beside(&options).unwrap();
    std::thread::scope(|scope| {
        let purging = scope.spawn(|| {
            for day in 1..31 {
                place.sqlite().purge(&purge(), at(&format!("2026-12-{day:02}T12:00:00Z"))).unwrap();
            }
        });
        while !purging.is_finished() {
            assert_eq!(beside.check().unwrap().problems, [""; 0]);
        }
    });
    let after = SqliteArchive::beside(&options).unwrap().check().unwrap();
    assert_eq!((after.reads, after.problems), (0, Vec::new()), "all of them went");
}
