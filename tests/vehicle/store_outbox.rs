//! What waits for transfer, what receipts change, and that nothing is lost or sent twice.

use crate::kit::store::*;
use plated_core::digest::Sha256;
use plated_core::error::Kind;
use plated_vehicle::store::{Applied, NewRead, check};
use proptest::prelude::*;
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;
use uuid::Uuid;

#[test]
fn a_read_comes_out_as_the_bytes_whose_hash_was_given() {
    let place = Place::new();
    let (store, opened) = place.open();
    assert!(opened.created);
    let new = read("7OOL123");
    let stored = store.put_read(&new).unwrap();
    let out = store.outbox(transfer(), 10).unwrap().pop().unwrap();
    assert_eq!((out.sealed.id, out.sealed.sha256), (new.record.id, stored.sha256));
    assert_eq!(Sha256::of(&out.sealed.record), stored.sha256);
    let record: plated_core::record::ReadRecord = serde_json::from_slice(&out.sealed.record).unwrap();
    assert_eq!(record.images, out.images);
    for (image, named) in new.images.iter().zip(&out.images) {
        assert_eq!(store.image(transfer(), &named.sha256).unwrap().unwrap(), *image.jpeg);
    }
    assert_eq!(store.image(transfer(), &Sha256::of(b"another")).unwrap(), None);
    assert_eq!(reads(&store, 10), [record]);
}

#[test]
fn hits_go_first_from_the_newest_on_then_the_older_read_whatever_the_clock_says() {
    let place = Place::new();
    let (store, _) = place.open();
    let first = store.put_read(&read("7AAA111")).unwrap().id;
    place.clock.jump_to("2020-01-01T00:00:00Z".parse().unwrap());
    let second = store.put_read(&read("7AAA222")).unwrap().id;
    let mut wanted = read("7AAA333");
    wanted.record.hits.push(hit("svs"));
    // Which makes no difference among hits.
    wanted.record.canvass = Some("26-1234".into());
    store.put_read(&wanted).unwrap();
    let mut news = read("7AAA444");
    news.record.hits.push(hit("svs"));
    let mut canvass = read("7AAA555");
    canvass.record.canvass = Some("26-1234".into());
    store.put_read(&news).unwrap();
    store.put_read(&canvass).unwrap();
    let order: Vec<_> = store.outbox(transfer(), 10).unwrap().iter().map(|r| r.sealed.id).collect();
    assert_eq!(order, [news.record.id, wanted.record.id, canvass.record.id, first, second]);
    assert_eq!(store.outbox(transfer(), 1).unwrap().len(), 1);
    let newest: Vec<_> = reads(&store, 2).iter().map(|r| r.id).collect();
    assert_eq!(newest, [canvass.record.id, news.record.id]);
}

// policy: P-12
#[test]
fn a_receipt_marks_exactly_the_content_it_names_and_is_kept() {
    let place = Place::new();
    let (store, _) = place.open();
    let a = store.put_read(&read("7REC001")).unwrap();
    let b = store.put_read(&read("7REC002")).unwrap();
    let held = store.put_read(&open_read("7REC003")).unwrap();
    let wrong = [(a.id, b.sha256), (Uuid::now_v7(), a.sha256), (a.id, Sha256::of(b"else")), (held.id, held.sha256)];
    let message = store.apply_receipt(&receipt(&wrong)).unwrap();
    assert_eq!(message, Applied { unknown: 4, ..Applied::default() });
    assert_eq!(store.outbox(transfer(), 10).unwrap().len(), 2);

    let right = receipt(&[(a.id, a.sha256)]);
    assert_eq!(store.apply_receipt(&right).unwrap(), Applied { transferred: 1, ..Applied::default() });
    assert_eq!(store.apply_receipt(&right).unwrap(), Applied { already: 1, ..Applied::default() });
    store.close().unwrap();
    let (store, _) = place.open();
    let stats = store.stats().unwrap();
    assert_eq!((stats.transferred, stats.pending, stats.receipts, stats.reads), (1, 2, 2, 3));
    assert!(store.outbox(transfer(), 10).unwrap().iter().all(|r| r.sealed.id != a.id));
    // A receipt that says nothing about a read is no proof of anything and is not kept.
    store.apply_receipt(&receipt(&[])).unwrap();
    assert_eq!(store.stats().unwrap().receipts, 2);
}

#[test]
fn a_store_keeps_its_installation_id_and_another_store_has_another() {
    let (place, other) = (Place::new(), Place::new());
    let (store, _) = place.open();
    let installation = store.installation().unwrap();
    store.close().unwrap();
    assert_eq!(place.open().0.installation().unwrap(), installation);
    assert_ne!(other.open().0.installation().unwrap(), installation);
}

#[test]
fn a_refused_read_is_kept_rests_an_hour_and_is_offered_again() {
    let place = Place::new();
    let (store, _) = place.open();
    let a = store.put_read(&read("7REF001")).unwrap();
    assert_eq!(store.apply_receipt(&refusal(a.id, Sha256::of(b"else"))).unwrap().unknown, 1);
    assert_eq!(store.apply_receipt(&refusal(a.id, a.sha256)).unwrap().refused, 1);
    let stats = store.stats().unwrap();
    assert_eq!((stats.refused, stats.pending, stats.oldest_pending), (1, 0, Some(start())));
    assert!(store.outbox(transfer(), 10).unwrap().is_empty());
    place.clock.advance(Duration::from_secs(3599));
    assert!(store.outbox(transfer(), 10).unwrap().is_empty());
    place.clock.advance(Duration::from_secs(1));
    assert_eq!(store.outbox(transfer(), 10).unwrap().len(), 1);
    // A clock that was set back does not hide it for years.
    store.apply_receipt(&refusal(a.id, a.sha256)).unwrap();
    place.clock.jump_to("2020-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(store.outbox(transfer(), 10).unwrap().len(), 1);
    assert_eq!(store.apply_receipt(&receipt(&[(a.id, a.sha256)])).unwrap().transferred, 1);
    assert_eq!(store.stats().unwrap().oldest_pending, None);
}

#[test]
fn an_open_read_is_kept_but_not_sent_until_it_is_sealed_and_keeps_its_hits() {
    let place = Place::new();
    let (store, _) = place.open();
    let mut new = open_read("7OPN001");
    let early = hit("svs");
    new.record.hits.push(early.clone());
    let first = store.put_read(&new).unwrap();
    assert!(!first.sealed);
    assert_eq!((store.outbox(transfer(), 10).unwrap().len(), reads(&store, 10).len()), (0, 1));
    assert_eq!(reads(&store, 10)[0].hits, std::slice::from_ref(&early));

    // The final content has other pictures and another hit, and forgot the first one.
    let late = hit("local");
    let mut last = NewRead { open: false, images: read("x").images, ..new.clone() };
    last.record.text = "7OPN002".into();
    last.record.hits = vec![late.clone()];
    let sealed = store.put_read(&last).unwrap();
    assert!(sealed.sealed && sealed.sha256 != first.sha256);
    let kept = &reads(&store, 10)[0];
    assert_eq!((kept.text.as_str(), &kept.hits[..]), ("7OPN002", &[early, late][..]));
    assert_eq!(store.outbox(transfer(), 10).unwrap()[0].sealed.sha256, sealed.sha256);
    assert_eq!(store.image(transfer(), &Sha256::of(&new.images[0].jpeg)).unwrap(), None, "pictures replaced are gone");
    let stats = store.stats().unwrap();
    assert_eq!((stats.reads, stats.hits, stats.images), (1, 2, 2));

    // Sealed: the same again does nothing, another content is an error.
    assert_eq!(store.put_read(&last).unwrap(), sealed);
    last.record.looks += 1;
    assert_eq!(store.put_read(&last).unwrap_err().kind(), Kind::Internal);
    assert_eq!(store.outbox(transfer(), 10).unwrap()[0].sealed.sha256, sealed.sha256);
    store.close().unwrap();
    assert_eq!(check(&place.path(), &place.key).unwrap().problems(), 0);
}

#[test]
fn a_picture_shared_by_two_reads_stays_while_one_of_them_needs_it() {
    let place = Place::new();
    let (store, _) = place.open();
    let mut a = open_read("7SHR001");
    let mut b = read("7SHR002");
    b.images[1] = a.images[1].clone();
    store.put_read(&a).unwrap();
    store.put_read(&b).unwrap();
    assert_eq!(store.stats().unwrap().images, 3);
    let overview = Sha256::of(&a.images[1].jpeg);
    a.images.truncate(1);
    store.put_read(&a).unwrap();
    assert!(store.image(transfer(), &overview).unwrap().is_some());
    store.close().unwrap();
    assert_eq!(check(&place.path(), &place.key).unwrap().problems(), 0);
}

#[test]
fn a_record_that_names_other_pictures_or_no_number_is_refused() {
    let place = Place::new();
    let (store, _) = place.open();
    let good = read("7BAD001");
    store.put_read(&good).unwrap();
    let mut bad = read("7BAD002");
    bad.record.images = reads(&store, 1)[0].images.clone();
    assert_eq!(store.put_read(&bad).unwrap_err().kind(), Kind::Internal);
    let mut nan = read("7BAD003");
    nan.record.confidence = f32::NAN;
    assert_eq!(store.put_read(&nan).unwrap_err().kind(), Kind::Internal);
    assert_eq!(store.stats().unwrap().reads, 1);
}

#[test]
fn check_finds_what_does_not_fit_and_runs_beside_the_daemon() {
    let place = Place::new();
    let (store, _) = place.open();
    let a = store.put_read(&read("7CHK001")).unwrap();
    let b = store.put_read(&read("7CHK002")).unwrap();
    store.apply_receipt(&receipt(&[(a.id, a.sha256)])).unwrap();
    let beside = check(&place.path(), &place.key).unwrap();
    assert!(beside.beside_daemon && beside.problems() == 0, "{beside:?}");
    store.put_read(&read("7CHK003")).unwrap(); // the writer goes on
    store.close().unwrap();
    let alone = check(&place.path(), &place.key).unwrap();
    assert!(!alone.beside_daemon && alone.problems() == 0, "{alone:?}");
    assert_eq!(alone.checked.len(), beside.checked.len() + 1);
    let reads = alone.checked.iter().find(|c| c.what.starts_with("reads: content")).unwrap();
    assert_eq!(reads.count, 3);

    let config = place.dir.path().join("plated.toml");
    let text = "vehicle = \"unit-7\"\nsources = [{ name = \"a\", kind = \"video\", path = \"a\" }]\n\
                [store]\npath = \"store.db\"\nkey_file = \"store.key\"\n";
    std::fs::write(&config, text).unwrap();
    let plated_check = || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_plated"));
        command.args(["check", "--config"]).arg(&config).output().unwrap().status.code()
    };
    assert_eq!(plated_check(), Some(0));

    let whole = std::fs::read(place.path()).unwrap();
    let id = hex::encode(b.id.as_bytes());
    let harms = [
        ("an outbox row gone", format!("DELETE FROM outbox WHERE read = (SELECT number FROM read WHERE id = x'{id}')")),
        ("text changed", format!("UPDATE read SET text = '8XYZ999' WHERE id = x'{id}'")),
        ("record changed", format!("UPDATE read SET record = CAST(replace(record, 'CHK', 'CHX') AS BLOB) WHERE id = x'{id}'")),
        ("picture changed", "UPDATE image SET jpeg = x'00' WHERE rowid = 1".into()),
        ("picture without read", "INSERT INTO image VALUES (zeroblob(32), x'00')".into()),
        ("read gone", format!("DELETE FROM read WHERE id = x'{id}'")),
        ("receipt changed", "UPDATE receipt SET body = x'7b7d'".into()),
        ("marked without receipt", "UPDATE outbox SET state = 'open'; INSERT INTO transferred SELECT read, 1, 0 FROM outbox; DELETE FROM outbox".into()),
        ("index gone", "DROP INDEX outbox_order".into()),
        ("column added", "ALTER TABLE hit ADD COLUMN more TEXT".into()),
    ];
    for (name, sql) in harms {
        std::fs::write(place.path(), &whole).unwrap();
        harm(&place, &sql);
        let report = check(&place.path(), &place.key).unwrap();
        assert!(report.problems() > 0, "{name}: not found");
        assert_eq!(plated_check(), Some(65), "{name}");
        let message: Vec<_> = report.checked.iter().flat_map(|c| &c.problems).collect();
        assert!(!message.iter().any(|p| p.contains("CHK") || p.contains("8XYZ")), "{name}: shows a plate: {message:?}");
    }
}

/// A store with this done to it, past the program.
fn harm(place: &Place, sql: &str) {
    let hex = std::fs::read_to_string(place.dir.path().join("store.key")).unwrap();
    let conn = rusqlite::Connection::open(place.path()).unwrap();
    conn.execute_batch(&format!("PRAGMA key = \"x'{}'\"; PRAGMA foreign_keys = OFF;", hex.trim())).unwrap();
    conn.execute_batch(sql).unwrap();
    conn.close().unwrap();
}

#[test]
fn a_read_in_the_outbox_that_is_not_what_was_written_is_kept_and_named_and_all_others_are_transferred() {
    let harms = [
        ("no JSON", "record = x'00'"),
        ("not UTF-8", "record = CAST(x'ff' || record AS BLOB)"),
        ("JSON of something else", "record = CAST('{\"id\":1}' AS BLOB)"),
        ("empty", "record = x''"),
        ("another content", "record = CAST(replace(record, 'HIT', 'HAT') AS BLOB)"),
    ];
    for (name, change) in harms {
        let place = Place::new();
        let (store, _) = place.open();
        // It would be the first to be sent.
        let mut first = read("7HIT001");
        first.record.hits = vec![hit("svs")];
        let damaged = store.put_read(&first).unwrap().id;
        let others: HashSet<Uuid> = (0..5).map(|n| store.put_read(&read(&format!("7OK00{n}"))).unwrap().id).collect();
        store.close().unwrap();
        harm(&place, &format!("UPDATE read SET {change} WHERE id = x'{}'", hex::encode(damaged.as_bytes())));

        let (store, opened) = place.open();
        assert!(opened.set_aside.is_none(), "{name}");
        let mut sent = HashSet::new();
        while let [next] = &store.outbox(transfer(), 1).unwrap()[..] {
            assert_eq!(store.apply_receipt(&receipt(&[(next.sealed.id, next.sealed.sha256)])).unwrap().transferred, 1);
            sent.insert(next.sealed.id);
        }
        assert_eq!(sent, others, "{name}");
        assert_eq!(store.stats().unwrap().pending, 1, "{name}: it is kept");
        store.close().unwrap();
        let report = check(&place.path(), &place.key).unwrap();
        let problems: Vec<_> = report.checked.iter().flat_map(|c| &c.problems).collect();
        let named = problems.iter().any(|p| p.contains(&damaged.to_string()));
        assert!(named && !problems.iter().any(|p| p.contains("7HIT001")), "{name}: {problems:?}");
    }
}

#[derive(Clone, Debug)]
enum Step {
    Put {
        hit: bool,
    },
    Open {
        hit: bool,
    },
    /// Puts the n-th read again, sealed.
    Seal(usize),
    Receipt(Vec<usize>),
    /// A receipt with the wrong content for the n-th read.
    Wrong(usize),
    Refuse(usize),
    Pass(u64),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => any::<bool>().prop_map(|hit| Step::Put { hit }),
        3 => any::<bool>().prop_map(|hit| Step::Open { hit }),
        3 => any::<usize>().prop_map(Step::Seal),
        3 => proptest::collection::vec(any::<usize>(), 0..4).prop_map(Step::Receipt),
        1 => any::<usize>().prop_map(Step::Wrong),
        2 => any::<usize>().prop_map(Step::Refuse),
        1 => (0u64..5000).prop_map(Step::Pass),
        1 => Just(Step::Reopen),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Is {
    Open,
    Pending,
    RefusedAt(u64),
    Transferred,
}

struct Known {
    new: NewRead,
    sha256: Sha256,
    is: Is,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    // policy: P-12
    #[test]
    fn every_sealed_read_is_either_pending_or_transferred_once(steps in proptest::collection::vec(step(), 1..40)) {
        let place = Place::new();
        let (mut store, _) = place.open();
        let mut model: Vec<Known> = Vec::new();
        let mut now = 0;
        let mut transferred = 0;
        for step in steps {
            let at = |n: usize| n.checked_rem(model.len());
            match step {
                Step::Put { hit: with } | Step::Open { hit: with } => {
                    let mut new = read("7MDL001");
                    new.open = matches!(step, Step::Open { .. });
                    new.record.hits.extend(with.then(|| hit("svs")));
                    let stored = store.put_read(&new).unwrap();
                    let is = if new.open { Is::Open } else { Is::Pending };
                    model.push(Known { new, sha256: stored.sha256, is });
                }
                Step::Seal(n) => if let Some(n) = at(n) {
                    let known = &mut model[n];
                    if known.is == Is::Open {
                        known.new.open = false;
                        known.new.record.looks += 1;
                        known.is = Is::Pending;
                    }
                    let stored = store.put_read(&known.new).unwrap();
                    prop_assert!(stored.sealed);
                    known.sha256 = stored.sha256;
                },
                Step::Receipt(these) => {
                    let these: HashSet<usize> = these.into_iter().filter_map(at).collect();
                    let names: Vec<_> = these.iter().map(|&n| (model[n].new.record.id, model[n].sha256)).collect();
                    let applied = store.apply_receipt(&receipt(&names)).unwrap();
                    transferred += applied.transferred;
                    for n in these {
                        if model[n].is != Is::Open {
                            model[n].is = Is::Transferred;
                        }
                    }
                }
                Step::Wrong(n) => if let Some(n) = at(n) {
                    let applied = store.apply_receipt(&receipt(&[(model[n].new.record.id, Sha256::of(b"else"))])).unwrap();
                    prop_assert_eq!(applied.unknown, 1);
                },
                Step::Refuse(n) => if let Some(n) = at(n) {
                    let known = &mut model[n];
                    store.apply_receipt(&refusal(known.new.record.id, known.sha256)).unwrap();
                    if matches!(known.is, Is::Pending | Is::RefusedAt(_)) {
                        known.is = Is::RefusedAt(now);
                    }
                },
                Step::Pass(seconds) => {
                    place.clock.advance(Duration::from_secs(seconds));
                    now += seconds;
                }
                Step::Reopen => {
                    drop(store); // not closed: as a crash leaves it, but for the log
                    store = place.open().0;
                    for known in model.iter_mut().filter(|k| k.is == Is::Open) {
                        known.is = Is::Pending;
                        known.new.open = false;
                    }
                }
            }
            let due = |k: &&Known| match k.is {
                Is::Pending => true,
                Is::RefusedAt(t) => now >= t + 3600,
                Is::Open | Is::Transferred => false,
            };
            let expected: Vec<_> = model.iter().filter(due).collect();
            // Hits from the newest on, then the others in the order written.
            let (mut hits, others): (Vec<_>, Vec<_>) = expected.into_iter().partition(|k| !k.new.record.hits.is_empty());
            hits.reverse();
            hits.extend(others);
            let expected = hits;
            let expected: Vec<_> = expected.iter().map(|k| (k.new.record.id, k.sha256)).collect();
            let out: Vec<_> = store.outbox(transfer(), usize::MAX).unwrap().iter().map(|r| (r.sealed.id, r.sealed.sha256)).collect();
            prop_assert_eq!(out, expected);
            let mut counts = BTreeMap::new();
            for known in &model {
                let name = match known.is { Is::Open => "h", Is::Pending => "p", Is::RefusedAt(_) => "r", Is::Transferred => "t" };
                *counts.entry(name).or_insert(0u64) += 1;
            }
            let count = |name| counts.get(name).copied().unwrap_or(0);
            let stats = store.stats().unwrap();
            prop_assert_eq!(
                (stats.open, stats.pending, stats.refused, stats.transferred, stats.reads),
                (count("h"), count("p"), count("r"), count("t"), model.len() as u64)
            );
            prop_assert_eq!(stats.transferred, transferred as u64, "no read is transferred twice");
        }
        store.close().unwrap();
        prop_assert_eq!(check(&place.path(), &place.key).unwrap().problems(), 0);
    }
}
