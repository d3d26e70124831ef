//! The store under kill -9, full disk, wrong key, damage and a second daemon.

use crate::kit::store::*;
use plated_core::clock::SystemClock;
use plated_core::digest::Sha256;
use plated_core::error::Kind;
use plated_core::record::ImageRole;
use plated_vehicle::store::{Key, NewImage, Options, Store, check};
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;

const CHILD: &str = "PLATED_TEST_STORE_CHILD";

/// Not a test by itself: the process that `kill_9_…` starts and kills. Says the id of each read
/// once `put_read` has returned.
#[test]
fn child_that_writes_reads() {
    let Some(dir) = std::env::var_os(CHILD).map(std::path::PathBuf::from) else { return };
    let config = plated_vehicle::store::Settings {
        path: dir.join("store.db"),
        key_file: Some(dir.join("store.key")),
        max_mib: 0,
        reserve_mib: 0,
    };
    let key = Key::load(&config).unwrap();
    let options = Options { path: config.path, max_bytes: None, vehicle: "unit-7".into() };
    let (store, _) = Store::open(options, &key, Arc::new(SystemClock::new())).unwrap();
    let mut out = std::io::stdout();
    for n in 0u64.. {
        let mut new = read("7KIL009");
        if n % 3 == 0 {
            new.record.hits.push(hit("svs"));
            new.open = true; // announced early, as an alert is
        }
        new.images.push(NewImage { role: ImageRole::Overview, jpeg: picture(n, 1_000 << (n % 8)) });
        store.put_read(&new).unwrap();
        writeln!(out, "announced {}", new.record.id).unwrap();
        if n % 6 == 0 {
            new.open = false;
            new.record.looks += 1;
            store.put_read(&new).unwrap();
        }
    }
}

#[test]
fn kill_9_at_any_moment_loses_no_read_that_was_announced() {
    let place = Place::new();
    let mut announced = HashSet::new();
    for round in 0..12usize {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store_faults::child_that_writes_reads", "--nocapture"])
            .env(CHILD, place.dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut wanted = 1 + (round * 7) % 23;
        // The kill falls somewhere into the reads after the last one heard of; what was said
        // until then is still in the pipe and counts.
        while let Some(line) = lines.next().transpose().unwrap() {
            let Some((_, id)) = line.split_once("announced ") else { continue };
            announced.insert(id.parse::<uuid::Uuid>().unwrap());
            wanted = wanted.saturating_sub(1);
            if wanted == 0 {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        let (store, opened) = place.open();
        assert_eq!(opened.set_aside, None);
        let kept: HashSet<_> = reads(&store, usize::MAX).into_iter().map(|r| r.id).collect();
        assert!(
            announced.is_subset(&kept),
            "{} of {} are there",
            announced.intersection(&kept).count(),
            announced.len()
        );
        let stats = store.stats().unwrap();
        assert_eq!((stats.open, stats.pending), (0, stats.reads), "every read waits for transfer");
        store.close().unwrap();
    }
    assert!(announced.len() > 100);
    assert_eq!(check(&place.path(), &place.key).unwrap().problems(), 0);
}

#[test]
fn a_full_store_says_so_loses_nothing_and_goes_on_when_there_is_room() {
    let place = Place::new();
    let (store, _) = place.open_limited(&place.key, Some(2 << 20)).unwrap();
    let mut kept = Vec::new();
    let failed = loop {
        let new = read("7FUL000");
        match store.put_read(&new) {
            Ok(stored) => kept.push((stored.id, stored.sha256)),
            Err(e) => {
                let message = e.chain();
                assert_eq!(e.kind(), Kind::Storage, "{message}");
                assert!(
                    message.contains("at most 2.0 MiB") && message.contains(&format!("{} reads wait", kept.len())),
                    "{message}"
                );
                assert!(message.contains("store.max_mib") && !message.contains("7FUL000"), "{message}");
                break new;
            }
        }
    };
    assert!(kept.len() > 50, "{}", kept.len());
    assert!(std::fs::metadata(place.path()).unwrap().len() <= 2 << 20);
    // Nothing of the read that failed is there, and the others can be sent and receipted.
    let stats = store.stats().unwrap();
    assert_eq!(
        (stats.reads, stats.pending, stats.images),
        (kept.len() as u64, kept.len() as u64, 2 * kept.len() as u64)
    );
    assert_eq!(store.image(transfer(), &Sha256::of(&failed.images[0].jpeg)).unwrap(), None);
    assert_eq!(store.apply_receipt(&receipt(&kept)).unwrap().transferred, kept.len());
    store.close().unwrap();

    let (store, opened) = place.open_limited(&place.key, Some(4 << 20)).unwrap();
    assert!(!opened.created);
    let stored = store.put_read(&failed).unwrap();
    assert_eq!(store.outbox(transfer(), 10).unwrap()[0].sealed.id, stored.id);
    assert_eq!(store.stats().unwrap().reads, kept.len() as u64 + 1);
    store.close().unwrap();
    assert_eq!(check(&place.path(), &place.key).unwrap().problems(), 0);
}

#[test]
fn a_wrong_key_is_refused_and_nothing_is_touched() {
    let place = Place::new();
    let (store, _) = place.open();
    store.put_read(&read("7KEY123")).unwrap();
    store.close().unwrap();
    let before = place.files();
    let other = Key::create_file(&place.dir.path().join("other")).unwrap();
    std::fs::remove_file(place.dir.path().join("other")).unwrap();
    let err = place.try_open(&other).err().unwrap();
    assert_eq!(err.kind(), Kind::Damaged);
    assert!(err.chain().contains("key is not the one") && err.chain().contains("nothing was touched"), "{err}");
    assert_eq!(check(&place.path(), &other).unwrap_err().kind(), Kind::Damaged);
    assert!(before == place.files());
    // Without the file that tells wrong key from damage, nothing is set aside on a guess.
    std::fs::remove_file(place.beside(".keyid")).unwrap();
    let before = place.files();
    assert_eq!(place.try_open(&other).err().unwrap().kind(), Kind::Damaged);
    assert!(before == place.files());
    // The right key still opens it, and is known again from then on.
    assert_eq!(place.open().0.stats().unwrap().reads, 1);
    assert!(place.beside(".keyid").exists());
}

/// Writes some reads, ends without closing cleanly (so that a log is there), lets `harm` loose.
fn harmed(harm: impl Fn(&mut std::fs::File)) -> Place {
    let place = Place::new();
    let (store, _) = place.open();
    for _ in 0..40 {
        store.put_read(&read("7DMG123")).unwrap();
    }
    store.close().unwrap();
    harm(&mut std::fs::File::options().read(true).write(true).open(place.path()).unwrap());
    place
}

fn flip(file: &mut std::fs::File, at: u64) {
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(b"damage").unwrap();
}

#[test]
fn a_damaged_store_is_set_aside_byte_for_byte_and_a_fresh_one_begun() {
    type Harm = (&'static str, fn(&mut std::fs::File));
    let harms: &[Harm] = &[
        ("first page", |f| flip(f, 100)),
        ("salt", |f| flip(f, 3)),
        ("emptied", |f| f.set_len(0).unwrap()),
        ("cut in the middle of the first page", |f| f.set_len(1000).unwrap()),
        ("written over with text", |f| f.write_all(&b"hello ".repeat(5000)).unwrap()),
        ("another database", |f| {
            f.set_len(0).unwrap();
            f.write_all(b"SQLite format 3\0\x10\x00\x01\x01\x00\x40\x20\x20").unwrap();
            f.set_len(8192).unwrap();
        }),
    ];
    for (name, harm) in harms {
        let place = harmed(harm);
        std::fs::write(place.beside("-wal"), b"a log that belongs to it").unwrap();
        let before = std::fs::read(place.path()).unwrap();
        let (store, opened) = place.open();
        let aside = opened.set_aside.clone().unwrap_or_else(|| panic!("{name}: not noticed"));
        assert!(opened.created, "{name}");
        assert_eq!(aside.path, place.beside(".damaged-20260301T080000Z"), "{name}");
        assert!(std::fs::read(&aside.path).unwrap() == before, "{name}: not byte for byte");
        let log = std::path::PathBuf::from(format!("{}-wal", aside.path.display()));
        assert_eq!(std::fs::read(log).unwrap(), b"a log that belongs to it", "{name}");
        store.put_read(&read("7NEW123")).unwrap();
        store.close().unwrap();
        // It is spoken of until somebody takes it away; a second one does not replace it.
        let (store, opened) = place.open();
        assert_eq!((opened.set_aside, opened.damaged), (None, vec![aside.path.clone()]), "{name}");
        store.close().unwrap();
        flip(&mut std::fs::File::options().write(true).open(place.path()).unwrap(), 50);
        let (_store, opened) = place.open();
        assert_eq!(opened.damaged, [aside.path.clone(), place.beside(".damaged-20260301T080000Z.2")], "{name}");
        assert!(std::fs::read(&aside.path).unwrap() == before, "{name}");
    }
}

#[test]
fn one_bad_picture_costs_neither_the_other_reads_nor_the_store() {
    // Flip a byte in each page in turn until a page that only holds a part of a picture is hit.
    let place = harmed(|_| {});
    let whole = std::fs::read(place.path()).unwrap();
    let mut seen = 0;
    for page in (2..whole.len() as u64 / 4096).step_by(5) {
        std::fs::write(place.path(), &whole).unwrap();
        flip(&mut std::fs::File::options().write(true).open(place.path()).unwrap(), page * 4096 + 200);
        let (store, opened) = place.open();
        if opened.set_aside.is_some() {
            // The first page of a table. Another test is about those.
            store.close().unwrap();
            std::fs::remove_file(&opened.damaged[0]).unwrap();
            continue;
        }
        assert!(check(&place.path(), &place.key).unwrap().problems() > 0, "page {page}: nobody noticed");
        let Ok(out) = store.outbox(transfer(), usize::MAX) else {
            store.close().unwrap();
            continue;
        };
        let results: Vec<_> = out.iter().flat_map(|r| &r.images).map(|i| store.image(transfer(), &i.sha256)).collect();
        let bad: Vec<_> = results.iter().filter_map(|r| r.as_ref().err()).collect();
        assert!(bad.iter().all(|e| e.kind() == Kind::Damaged));
        if bad.len() == 1 && out.len() == 40 {
            seen += 1;
            assert_eq!(results.iter().flatten().flatten().count(), results.len() - 1);
            store.put_read(&read("7AFT123")).unwrap();
            assert_eq!(store.stats().unwrap().reads, 41);
        }
        store.close().unwrap();
    }
    assert!(seen > 0);
}

#[test]
fn a_second_daemon_is_refused_and_told_which_process_has_the_store() {
    let place = Place::new();
    let (store, _) = place.open();
    let err = place.try_open(&place.key).err().unwrap();
    assert_eq!(err.kind(), Kind::Busy);
    assert!(err.chain().contains(&format!("process {}", std::process::id())), "{err}");
    store.put_read(&read("7TWO222")).unwrap();
    // The last handle gives the store back, closed or not.
    let other = store.clone();
    drop(store);
    assert!(place.try_open(&place.key).is_err());
    drop(other);
    place.open();
}

#[test]
fn a_store_of_a_newer_program_is_refused_and_left_alone() {
    let place = Place::new();
    place.open().0.close().unwrap();
    let hex = std::fs::read_to_string(place.dir.path().join("store.key")).unwrap();
    let conn = rusqlite::Connection::open(place.path()).unwrap();
    conn.execute_batch(&format!("PRAGMA key = \"x'{}'\"; PRAGMA user_version = 99;", hex.trim())).unwrap();
    drop(conn);
    let before = std::fs::read(place.path()).unwrap();
    let err = place.try_open(&place.key).err().unwrap();
    assert_eq!(err.kind(), Kind::Refused);
    assert!(err.chain().contains("99"), "{err}");
    assert_eq!(check(&place.path(), &place.key).unwrap_err().kind(), Kind::Refused);
    assert!(before == std::fs::read(place.path()).unwrap());
    // Having looked leaves a log of no bytes at most.
    assert!(std::fs::metadata(place.beside("-wal")).map_or(0, |m| m.len()) == 0);
}

#[test]
fn a_missing_folder_is_an_error_that_says_what_to_do() {
    let place = Place::new();
    let options = Options { path: place.dir.path().join("not/there.db"), max_bytes: None, vehicle: "unit-7".into() };
    let err = Store::open(options, &place.key, place.clock.clone()).err().unwrap();
    assert_eq!(err.kind(), Kind::Storage);
    assert!(err.chain().contains("make it"), "{err}");
}

// policy: P-25
#[test]
fn no_file_of_the_store_shows_anything_in_clear() {
    let place = Place::new();
    let (store, _) = place.open();
    let mut new = read("7CLR999");
    new.record.hits.push(hit("special-list"));
    let stored = store.put_read(&new).unwrap();
    store.put_read(&open_read("7CLR998")).unwrap();
    store.apply_receipt(&receipt(&[(stored.id, stored.sha256)])).unwrap();
    let key = std::fs::read(place.dir.path().join("store.key")).unwrap();
    let raw_key = hex::decode(key.trim_ascii()).unwrap();
    let words: [&[u8]; 11] = [
        b"SQLite format 3",
        b"7CLR99",
        b"front-left-camera",
        b"special-list",
        b"station-1",
        b"CREATE TABLE",
        b"JFIF",
        &new.images[0].jpeg[100..120],
        new.record.id.as_bytes(),
        key.trim_ascii(),
        &raw_key,
    ];
    let look = |when: &str| {
        let files = place.files();
        for (path, content) in &files {
            for word in words {
                assert!(!content.windows(word.len()).any(|w| w == word), "{when}: {} shows {word:?}", path.display());
            }
        }
        files.len()
    };
    assert_eq!(look("with a log"), 4); // database, log, its index, key fingerprint
    store.close().unwrap();
    assert_eq!(look("closed"), 2);
    flip(&mut std::fs::File::options().write(true).open(place.path()).unwrap(), 50);
    let (_store, opened) = place.open();
    assert!(opened.set_aside.is_some());
    look("damaged");
}

/// SQLCipher becomes ready once in a process; so each try is a process of its own.
#[test]
fn the_first_stores_of_a_process_can_all_be_made_at_once() {
    for _ in 0..8 {
        let mut test = std::process::Command::new(std::env::current_exe().unwrap());
        let made = test.args(["--exact", "store_faults::make_stores_at_once", "--ignored"]).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stdout));
    }
}

#[test]
#[ignore = "the test before this one runs it, in a fresh process"]
fn make_stores_at_once() {
    const STORES: usize = 16;
    let start = std::sync::Barrier::new(STORES);
    let make = || {
        let place = Place::new();
        start.wait();
        place.open();
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..STORES).map(|_| scope.spawn(make)).collect();
        // The scope alone waits for what they do, not for what OpenSSL does as a thread ends; the process
        // must not end beside that.
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}
