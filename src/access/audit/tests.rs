//! What verification and redaction promise.

use super::*;
use crate::record::Outcome;
use jiff::Timestamp;
use plated_core::digest::Sha256;
use plated_core::signing::{Purpose, Signer, Trust};
use proptest::prelude::*;
use uuid::Uuid;

const GOLDEN: &str = include_str!("../../../tests/golden/audit.jsonl");
const GOLDEN_REDACTED: &str = include_str!("../../../tests/golden/audit_redacted.jsonl");

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn start() -> Head {
    let log = Uuid::parse_str("0192f0c1-2345-7000-8000-000000000001").unwrap();
    Head::start("car-12", log, at("2026-11-26T06:00:00Z"))
}

fn signer() -> Signer {
    Signer::derived(&[7; 32], Purpose::AUDIT_HEAD).unwrap()
}

fn trust() -> Trust {
    Trust::only([signer().public_key()])
}

fn jdoe() -> Who {
    let (agency, role) = (Some("Example Police Department".into()), Some("officer".into()));
    Who { kind: WhoKind::User, name: "jdoe".into(), uid: None, agency, role }
}

fn entry(n: usize) -> Entry {
    Entry {
        at: at("2026-11-26T06:10:00.25Z") + std::time::Duration::from_secs(n as u64),
        clock_trusted: true,
        actor: jdoe(),
        action: Action::new("plate_shown").unwrap(),
        reason: format!("traffic stop {n}"),
        purpose: Some("locate_vehicle".into()),
        case: Some("26-1234".into()),
        elements: [("plate".to_owned(), format!("7ABC12{}", n % 10)), ("list".to_owned(), "svs".to_owned())].into(),
        rows: None,
        about: None,
        outcome: Outcome::Done,
    }
}

/// A log of these entries, and its head behind each row.
fn log(entries: impl IntoIterator<Item = Entry>) -> (Vec<Row>, Vec<Head>) {
    let (mut head, mut rows, mut heads) = (start(), Vec::new(), Vec::new());
    for (n, entry) in entries.into_iter().enumerate() {
        let (row, next) = head.next_with(entry, Salt::new([n as u8 + 1; 32]));
        rows.push(row);
        heads.push(next.clone());
        head = next;
    }
    (rows, heads)
}

fn some(rows: usize) -> (Vec<Row>, Vec<Head>) {
    log((1..=rows).map(entry))
}

fn check(rows: &[Row], heads: &[Head]) -> Report {
    verify(start(), rows.iter().cloned(), heads.iter().cloned()).unwrap()
}

/// The rows of the golden file: a query, its number of rows, a login refused by an untrusted clock.
fn golden() -> (Vec<Row>, Vec<Head>) {
    let who = Who { kind: WhoKind::Machine, name: "accounts".into(), uid: None, agency: None, role: None };
    let plain = Entry { reason: "wrong name or password".into(), purpose: None, case: None, ..entry(3) };
    log([
        entry(1),
        Entry {
            action: Action::new("rows_shown").unwrap(),
            elements: Default::default(),
            rows: Some(3),
            about: Some(1),
            ..entry(2)
        },
        Entry {
            actor: who,
            clock_trusted: false,
            action: Action::new("login_failed").unwrap(),
            elements: [("user".to_owned(), "jdoe".to_owned())].into(),
            outcome: Outcome::Refused,
            ..plain
        },
        Entry {
            actor: Who { kind: WhoKind::SystemUser, name: "root".into(), uid: Some(0), agency: None, role: None },
            ..entry(4)
        },
    ])
}

/// An export with the head signed behind the last row.
fn export(rows: &[Row], redactor: Option<&Redactor>) -> String {
    let mut out = Vec::new();
    Line::Start(start()).write(&mut out).unwrap();
    for row in rows {
        let line =
            redactor.map_or_else(|| Line::Row(Box::new(row.clone())), |redactor| Line::Redacted(redactor.redact(row)));
        line.write(&mut out).unwrap();
    }
    let last = rows.last().unwrap();
    let head = Head { number: last.number, hash: last.hash, at: last.entry.at, ..start() };
    Line::head(head.sign(&signer()).unwrap()).unwrap().write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

// policy: P-22
#[test]
fn rows_heads_and_redacted_rows_are_written_as_the_golden_files_and_verified_from_them() {
    let (rows, _) = golden();
    assert_eq!(export(&rows, None), GOLDEN);
    assert_eq!(export(&rows, Some(&Redactor::new(&[5; 32]))), GOLDEN_REDACTED);
    for text in [GOLDEN, GOLDEN_REDACTED] {
        let report = verify_file(text.as_bytes(), Some(&trust())).unwrap();
        assert_eq!((report.rows, report.last, report.signed, report.is_whole()), (4, 4, 4, true));
        assert_eq!(report.to_string(), "4 rows, all as they were written");
        let unsigned = verify_file(text.as_bytes(), None).unwrap();
        assert_eq!(unsigned.to_string(), "4 rows, all follow each other; signed up to row 0");
    }
}

#[test]
fn a_published_log_shows_no_plate_name_reason_or_case_and_shows_what_was_done() {
    let shown = GOLDEN_REDACTED;
    for hidden in ["7ABC", "jdoe", "root", "traffic", "wrong name", "26-1234"] {
        assert!(GOLDEN.contains(hidden) && !shown.contains(hidden), "{hidden}");
    }
    for public in ["plate_shown", "officer", "Example Police Department", "locate_vehicle", "svs", "refused"] {
        assert!(shown.contains(public), "{public}");
    }
    let (rows, _) = golden();
    let all: Vec<String> = rows.iter().map(|row| String::from(row.salt)).collect();
    assert!(all.iter().all(|salt| !shown.contains(salt)), "the salt of a row opens all its fields");
    let keyed = Redactor::new(&[5; 32]).keyed("jdoe").to_string();
    assert_eq!(shown.matches(&keyed).count(), 3, "one person is the same one in each row");
}

#[test]
fn a_hidden_plate_is_not_found_by_trying_with_all_that_is_published() {
    let (rows, _) = golden();
    let redacted = Redactor::new(&[5; 32]).redact(&rows[0]);
    let salts = redacted.fields.iter().filter_map(|field| match field {
        RedactedField::Shown { salt, .. } => Some(*salt),
        RedactedField::Hidden { .. } => None,
    });
    let plate = |field: &RedactedField| match field {
        RedactedField::Hidden { name, commitment, keyed } if name == "element.plate" => Some((*commitment, *keyed)),
        _ => None,
    };
    let (commitment, keyed) = redacted.fields.iter().find_map(plate).unwrap();
    assert_eq!(rows[0].salt.of_field("element.plate").commitment("7ABC121"), commitment);
    for salt in salts {
        assert_ne!(salt.commitment("7ABC121"), commitment);
        assert_ne!(salt.of_field("element.plate").commitment("7ABC121"), commitment);
    }
    assert_ne!(Sha256::of(b"7ABC121"), keyed);
    assert_ne!(Redactor::new(&[6; 32]).keyed("7ABC121"), keyed, "another publication");
}

#[test]
fn a_signed_head_counts_for_its_log_only_and_only_by_the_vehicles_key() {
    let (rows, heads) = some(3);
    let text = heads[2].sign(&signer()).unwrap();
    assert_eq!(Head::open(text.as_bytes(), &trust()).unwrap(), heads[2]);
    let other = Signer::generate().unwrap();
    assert!(Head::open(heads[2].sign(&other).unwrap().as_bytes(), &trust()).is_err());
    assert!(Head::open(text.replace("\"number\":3", "\"number\":2").as_bytes(), &trust()).is_err());
    let foreign = Head { vehicle: "car-13".into(), ..heads[2].clone() };
    assert!(verify(start(), rows.clone(), [foreign]).unwrap_err().chain().contains("another audit log"));
    let anew = Head { log: Uuid::nil(), ..start() };
    assert!(Verifier::new(anew).is_err(), "the hash of a start is that of its log");
    let elsewhere = Head::start("car-13", start().log, start().at);
    assert_eq!(verify(elsewhere, rows, []).unwrap().faults, [Fault::Replaced { number: 1 }]);
}

#[test]
fn rows_that_were_deleted_after_their_time_are_not_missed_when_a_signed_head_stands_for_them() {
    let (rows, heads) = some(9);
    let report = verify(heads[3].clone(), rows[4..].iter().cloned(), [heads[8].clone()]).unwrap();
    assert_eq!((report.is_whole(), report.rows, report.last, report.signed), (true, 5, 9, 9));
    let mut text = format!("{{\"head\":{}}}\n", heads[3].sign(&signer()).unwrap());
    for row in &rows[4..] {
        text += &format!("{}\n", serde_json::to_string(&Line::Row(Box::new(row.clone()))).unwrap());
    }
    assert!(verify_file(text.as_bytes(), Some(&trust())).unwrap().is_whole());
    assert!(verify_file(text.as_bytes(), None).unwrap_err().chain().contains("public key"));
}

#[test]
fn a_file_that_is_no_log_or_has_a_line_that_is_none_is_named() {
    for none in ["", "\n", "{}\n", "plate,reason\n", "{\"row\":{}}\n"] {
        assert!(verify_file(none.as_bytes(), None).unwrap_err().chain().contains("no audit log"), "{none:?}");
    }
    let mut lines: Vec<&str> = GOLDEN.lines().collect();
    lines.insert(2, "{\"row\":7}");
    let report = verify_file(lines.join("\n").as_bytes(), Some(&trust())).unwrap();
    assert_eq!(report.faults, [Fault::Unreadable { line: 3 }]);
    assert_eq!(report.to_string(), "4 rows; line 3 is no row");
    let other = Signer::generate().unwrap();
    let foreign = verify_file(GOLDEN.as_bytes(), Some(&Trust::only([other.public_key()]))).unwrap_err();
    assert!(foreign.chain().contains("not trusted"), "{}", foreign.chain());
}

#[test]
fn what_the_gate_puts_on_record_is_a_row_with_all_that_the_law_asks_for() {
    use crate::{AccessRecord, Actor, Case, Purpose, Reason};
    let user = plated_core::user::SystemUser { user: "jdoe".into(), uid: 1007 };
    let record = AccessRecord {
        actor: Actor::SystemUser(user),
        what: "search_back",
        reason: Reason::new("BOLO").unwrap().for_purpose(Some(Purpose::new("arrest_warrant").unwrap())),
        case: Case::new("26-1").unwrap(),
        subject: serde_json::json!({"plate": "7ABC123", "limit": 50, "camera": null}),
        outcome: Outcome::Done,
        rows: Some(4),
        about: None,
    };
    let entry = Entry::of(&record, at("2026-11-26T06:10:00.123456789Z"), true).unwrap();
    assert_eq!(entry.at, at("2026-11-26T06:10:00.123456Z"), "as precise as it is kept");
    assert_eq!((entry.actor.name.as_str(), entry.actor.uid), ("jdoe", Some(1007)));
    assert_eq!((entry.purpose.as_deref(), entry.case.as_deref()), (Some("arrest_warrant"), Some("26-1")));
    let elements: Vec<_> = entry.elements.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!((elements, entry.rows), (vec![("limit", "50"), ("plate", "7ABC123")], Some(4)));
    for subject in [serde_json::json!({"a plate": 1}), serde_json::json!({"plate": "x".repeat(70_000)})] {
        let wrong = AccessRecord { subject, ..record.clone() };
        assert!(Entry::of(&wrong, start().at, true).is_err());
    }
}

/// Any entry that differs from this one.
fn changed(entry: &Entry, what: u8) -> Entry {
    let mut new = entry.clone();
    match what % 12 {
        0 => new.at += std::time::Duration::from_micros(1),
        1 => new.clock_trusted = !new.clock_trusted,
        2 => new.actor.name.push('x'),
        3 => new.actor.role = None,
        4 => new.action = Action::new("purged").unwrap(),
        5 => new.reason = new.reason.to_uppercase(),
        6 => new.purpose = None,
        7 => new.case = Some(String::new()),
        8 => drop(new.elements.insert("plate".into(), "1XYZ999".into())),
        9 => drop(new.elements.remove("list")),
        10 => new.rows = Some(0),
        _ => new.outcome = Outcome::Refused,
    }
    new
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_log_that_is_as_it_was_written_verifies_whole_and_redacted(rows in 0_usize..12, heads: u16) {
        let (rows, all) = some(rows);
        let heads: Vec<Head> = all.into_iter().filter(|h| heads >> h.number & 1 == 1).collect();
        let report = check(&rows, &heads);
        prop_assert!(report.is_whole(), "{:?}", report);
        prop_assert_eq!(report.signed, heads.last().map_or(0, |h| h.number));
        let redactor = Redactor::new(&[5; 32]);
        let mut verifier = Verifier::new(start()).unwrap();
        heads.into_iter().try_for_each(|h| verifier.head(h)).unwrap();
        rows.iter().for_each(|row| verifier.push(redactor.redact(row).link()));
        prop_assert_eq!(verifier.finish(), report);
    }

    // policy: P-22
    #[test]
    fn any_changed_row_is_named(rows in 1_usize..12, at: prop::sample::Index, what: u8) {
        let (mut rows, heads) = some(rows);
        let (at, last) = (at.index(rows.len()), rows.len() - 1);
        rows[at].entry = changed(&rows[at].entry, what);
        let number = at as i64 + 1;
        prop_assert_eq!(check(&rows, &heads[last..]).faults, [Fault::Changed { number }]);
        // Its own hash was made to fit.
        rows[at].hash = rows[at].computed();
        let faults = check(&rows, &heads[last..]).faults;
        if at == last {
            prop_assert_eq!(faults, [Fault::Rewritten { from: 1, to: number }]);
        } else {
            prop_assert_eq!(faults, [Fault::Replaced { number: number + 1 }]);
        }
        // And all that follow.
        let mut head = Head { number: at as i64, hash: rows[at].prev, ..start() };
        for row in &mut rows[at..] {
            (*row, head) = head.next_with(row.entry.clone(), row.salt);
        }
        let signed: Vec<Head> = heads.into_iter().filter(|h| h.number <= at as i64 || h.number == last as i64 + 1).collect();
        prop_assert_eq!(check(&rows, &signed).faults, [Fault::Rewritten { from: number, to: last as i64 + 1 }]);
    }

    // policy: P-22
    #[test]
    fn missing_and_cut_off_rows_are_named(rows in 1_usize..12, from: prop::sample::Index, some_of: prop::sample::Index) {
        let (mut rows, heads) = some(rows);
        let (from, count) = (from.index(rows.len()), rows.len());
        let to = from + some_of.index(count - from);
        rows.drain(from..=to);
        let expected = if to == count - 1 {
            Fault::CutOff { last: from as i64, signed: count as i64 }
        } else {
            Fault::Missing { from: from as i64 + 1, to: to as i64 + 1 }
        };
        prop_assert_eq!(check(&rows, &heads[count - 1..]).faults, [expected]);
    }

    // policy: P-22
    #[test]
    fn rows_that_changed_places_are_named(rows in 2_usize..12, a: prop::sample::Index, b: prop::sample::Index) {
        let (mut rows, _) = some(rows);
        let (a, b) = (a.index(rows.len()), b.index(rows.len()));
        prop_assume!(a != b);
        rows.swap(a, b);
        let faults = check(&rows, &[]).faults;
        let first = a.min(b) as i64 + 1;
        prop_assert!(faults.contains(&Fault::OutOfOrder { number: first, after: a.max(b) as i64 + 1 })
            || faults.iter().any(|f| matches!(f, Fault::OutOfOrder { number, .. } if *number == first)), "{:?}", faults);
        prop_assert!(faults.iter().all(|f| matches!(f, Fault::OutOfOrder { .. })), "none is missing or changed: {:?}", faults);
    }

    #[test]
    fn a_row_that_is_there_twice_is_named(rows in 1_usize..8, a: prop::sample::Index, to: prop::sample::Index) {
        let (mut rows, _) = some(rows);
        let copy = rows[a.index(rows.len())].clone();
        let to = (copy.number as usize..=rows.len()).nth(to.index(rows.len() + 1 - copy.number as usize)).unwrap();
        rows.insert(to, copy.clone());
        prop_assert_eq!(check(&rows, &[]).faults, [Fault::Repeated { number: copy.number }]);
    }

    // policy: P-22
    #[test]
    fn any_row_of_an_exported_file_that_is_taken_out_moved_doubled_or_cut_off_is_named_redacted_or_not(
        rows in 2_usize..12, a: prop::sample::Index, b: prop::sample::Index, redacted: bool, what in 0_u8..5,
    ) {
        let (rows, _) = some(rows);
        let text = export(&rows, redacted.then(|| Redactor::new(&[5; 32])).as_ref());
        let mut lines: Vec<&str> = text.lines().collect();
        // The first line is the start, the last one the signed head.
        let (a, b, last) = (1 + a.index(rows.len()), 1 + b.index(rows.len()), rows.len());
        let (from, to, signed) = (a as i64, a as i64, last as i64);
        let expected = match what {
            0 => {
                lines.remove(a);
                vec![if a == last { Fault::CutOff { last: from - 1, signed } } else { Fault::Missing { from, to } }]
            }
            1 => {
                lines.insert(a.max(b) + 1, lines[a]);
                vec![Fault::Repeated { number: from }]
            }
            2 => {
                lines.drain(a..=last);
                vec![Fault::CutOff { last: from - 1, signed }]
            }
            3 => {
                // With the head that was signed: what is left is not vouched for.
                lines.truncate(a + 1);
                vec![]
            }
            _ => {
                prop_assume!(a != b);
                lines.swap(a, b);
                let report = verify_file(lines.join("\n").as_bytes(), Some(&trust())).unwrap();
                let first = a.min(b) as i64;
                let named = |f: &Fault| matches!(f, Fault::OutOfOrder { number, .. } if *number == first);
                prop_assert!(report.faults.iter().any(named), "{:?}", report);
                return Ok(());
            }
        };
        let report = verify_file(lines.join("\n").as_bytes(), Some(&trust())).unwrap();
        prop_assert_eq!(&report.faults, &expected);
        prop_assert!(!expected.is_empty() || report.signed < report.last);
    }

    #[test]
    fn a_changed_value_of_a_published_row_is_named(at in 0_usize..4, field: prop::sample::Index, hides: bool) {
        let (rows, heads) = golden();
        let redactor = Redactor::new(&[5; 32]);
        let mut shown: Vec<RedactedRow> = rows.iter().map(|row| redactor.redact(row)).collect();
        let fields = &mut shown[at].fields;
        let which = field.index(fields.len());
        match &mut fields[which] {
            RedactedField::Shown { value, .. } => value.push('x'),
            RedactedField::Hidden { commitment, .. } => commitment.0[0] ^= 1,
        }
        if hides {
            fields.remove(which);
        }
        let mut verifier = Verifier::new(start()).unwrap();
        verifier.head(heads[3].clone()).unwrap();
        shown.iter().for_each(|row| verifier.push(row.link()));
        prop_assert_eq!(verifier.finish().faults, [Fault::Changed { number: at as i64 + 1 }]);
    }

    #[test]
    fn no_bytes_panic_and_a_changed_byte_never_passes_unnoticed(at: prop::sample::Index, byte: u8, redacted: bool) {
        let text = if redacted { GOLDEN_REDACTED } else { GOLDEN };
        let mut bytes = text.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        // Nothing changed for whoever reads it, or something that no hash is of.
        let same = |bytes: &[u8]| {
            let lines = |bytes: &[u8]| -> Vec<String> {
                bytes.split(|b| *b == b'\n').map(|line| match serde_json::from_slice::<Line>(line) {
                    Ok(Line::Redacted(mut row)) => {
                        for field in &mut row.fields {
                            if let RedactedField::Hidden { keyed, .. } = field { *keyed = Sha256([0; 32]); }
                        }
                        format!("{row:?}")
                    }
                    Ok(Line::Row(row)) => format!("{row:?} {}", String::from(row.salt)),
                    Ok(Line::Start(head)) => format!("{:?}", Head { at: start().at, ..head }),
                    _ => String::from_utf8_lossy(line).into_owned(),
                }).collect()
            };
            lines(bytes) == lines(text.as_bytes())
        };
        if let Ok(report) = verify_file(&bytes[..], Some(&trust())) {
            prop_assert!(!report.is_whole() || same(&bytes) || report.signed < 4, "{}", String::from_utf8_lossy(&bytes));
        }
    }
}
