//! Reads a list from CSV; `docs/reference/hotlist-csv.md` describes the format for its writers.
//!
//! A list that loses records silently is the classic defect of importers, so every line is
//! accounted for, and a list with too many mistakes is refused whole.

use super::entry::{List, Problem, Report};
use super::line::{Line, decode, fields, next_line};
use crate::config::Hotlist;
use crate::error::{Context, Error, Kind, Result};
use crate::plate::{MAX_LENGTH, PlateText};
use crate::wire::{EntryRecord, Priority};
use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::sync::Arc;

const COLUMNS: [&str; 9] = ["plate", "state", "category", "priority", "reason", "make", "colour", "source", "date"];

/// Words that stand for "no plate" in real lists.
const JUNK: [&str; 7] = ["0", "00", "000", "190", "NOTAG", "UNKNOWN", "NONE"];

/// One bad line in so many is a slip; more is a broken file.
const LINES_PER_SLIP: u64 = 1000;

/// Opens and reads a list.
///
/// # Errors
/// `Missing` or `Storage` when the file can't be read, `Input` when it is no list or has too many
/// mistakes; the sentence names file, line and column.
pub fn load(list: &Hotlist) -> Result<List> {
    let fail = || format!("could not open the hotlist {}", list.path.display());
    let file = File::open(&list.path).context(Kind::Missing, fail)?;
    let what = format!("the hotlist {}", list.path.display());
    read(BufReader::new(file), &what, &list.name, list.priority)
}

/// Reads a list from `input`. `what` names it in errors, `name` in hits; entries that name no
/// priority get `priority`.
///
/// # Errors
/// As [`load`].
pub fn read(mut input: impl BufRead, what: &str, name: &str, priority: Priority) -> Result<List> {
    let refuse = |why: &dyn std::fmt::Display| Error::new(Kind::Input, format!("{what} was refused: {why}"));
    let mut buffer = Vec::new();
    let mut number = 0;
    let mut next = |buffer: &mut Vec<u8>| {
        number += 1;
        let line = next_line(&mut input, buffer).context(Kind::Storage, || format!("could not read {what}"))?;
        Ok::<_, Error>((number, line))
    };

    let columns = match next(&mut buffer)? {
        (_, Line::End) => return Err(refuse(&"it is empty")),
        (_, Line::TooLong) => return Err(refuse(&"line 1 is no header; is it a CSV file?")),
        (_, Line::Whole) => header(&buffer).map_err(|why| refuse(&why))?,
    };
    let mut list = List { name: name.to_owned(), entries: Vec::new(), report: Report::default() };
    loop {
        let outcome = match next(&mut buffer)? {
            (_, Line::End) => break,
            (line, Line::TooLong) => {
                Outcome::Bad(Problem { line, field: "line", reason: "it is longer than 64 KiB".into() })
            }
            (line, Line::Whole) => {
                let text = decode(&buffer);
                if text.trim().is_empty() {
                    continue;
                }
                entry(&text, line, &columns, name, priority)
            }
        };
        list.report.lines += 1;
        match outcome {
            Outcome::Entry(entry) => list.entries.push(Arc::new(entry)),
            Outcome::Junk(problem) => list.report.add_junk(problem),
            Outcome::Bad(problem) => list.report.add_bad(problem),
        }
    }
    list.report.entries = list.entries.len() as u64;
    let report = &list.report;
    // One slip is allowed in a short list too, as long as anything is right.
    let too_many = report.bad > (report.lines / LINES_PER_SLIP).max(1) || report.bad == report.lines;
    if report.bad > 0 && too_many {
        let first: Vec<String> = report.bad_lines.iter().take(5).map(Problem::to_string).collect();
        let Report { bad, lines, .. } = report;
        return Err(refuse(&format!("{bad} of its {lines} lines have mistakes. The first: {}", first.join("; "))));
    }
    Ok(list)
}

/// Index into [`COLUMNS`] of each field of a line.
fn header(line: &[u8]) -> Result<Vec<usize>, String> {
    if line.starts_with(&[0xFF, 0xFE]) || line.starts_with(&[0xFE, 0xFF]) {
        return Err("it is UTF-16; save it as UTF-8".into());
    }
    let text = decode(line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line));
    let (mut columns, mut unknown) = (Vec::new(), None);
    for name in fields(&text).map_err(|why| format!("line 1, the header: {why}"))? {
        let lower = name.to_ascii_lowercase();
        let lower = if lower == "color" { "colour" } else { &lower };
        let Some(column) = COLUMNS.iter().position(|c| *c == lower) else {
            unknown.get_or_insert_with(|| name.chars().take(32).collect::<String>());
            continue;
        };
        if columns.contains(&column) {
            return Err(format!("line 1 names the column {lower} twice"));
        }
        columns.push(column);
    }
    if columns.is_empty() {
        // The line may hold a plate, so nothing of it is shown.
        return Err(format!("line 1 is no header; it must name columns out of {}", COLUMNS.join(", ")));
    }
    if let Some(unknown) = unknown {
        return Err(format!("line 1 names an unknown column {unknown:?}; known are {}", COLUMNS.join(", ")));
    }
    if !columns.contains(&0) {
        return Err("line 1 names no column plate".into());
    }
    Ok(columns)
}

#[allow(clippy::large_enum_variant, reason = "one at a time, and nearly all are entries")]
enum Outcome {
    Entry(EntryRecord),
    Junk(Problem),
    Bad(Problem),
}

fn entry(text: &str, line: u64, columns: &[usize], list: &str, priority: Priority) -> Outcome {
    let bad = |field, reason: String| Outcome::Bad(Problem { line, field, reason });
    let cut = match fields(text) {
        Ok(cut) if cut.len() == columns.len() => cut,
        Ok(cut) => return bad("line", format!("it has {} fields where the header has {}", cut.len(), columns.len())),
        Err(why) => return bad("line", why.into()),
    };
    if text.contains('\0') {
        return bad("line", "it holds a zero byte".into());
    }
    let mut values: [Cow<'_, str>; 9] = Default::default();
    for (column, value) in columns.iter().zip(cut) {
        values[*column] = value;
    }
    let [plate, state, category, given, reason, make, colour, source, date] = values.map(Cow::into_owned);

    if let Err(why) = plate_characters(&plate) {
        return bad("plate", why);
    }
    let normal = PlateText::normalise(&plate);
    if normal.len() < 2 || JUNK.iter().any(|j| PlateText::normalise(j).key() == normal.key()) {
        let reason = if normal.len() < 2 { "it has under 2 characters" } else { "it is a word for no plate" };
        return Outcome::Junk(Problem { line, field: "plate", reason: reason.into() });
    }
    let priority = match given.to_ascii_lowercase().as_str() {
        "" => priority,
        "high" => Priority::High,
        "normal" => Priority::Normal,
        "low" => Priority::Low,
        _ => return bad("priority", "it is none of high, normal, low".into()),
    };
    let state = state.to_ascii_uppercase();
    let two_letters = state.len() == 2 && state.bytes().all(|b| b.is_ascii_uppercase());
    if !state.is_empty() && !two_letters {
        return bad("state", "it is not two letters".into());
    }
    let list = list.to_owned();
    let record = EntryRecord {
        list,
        plate,
        state,
        category,
        priority,
        reason,
        make,
        colour,
        source,
        date,
        ..Default::default()
    };
    Outcome::Entry(record)
}

/// Normalising leaves out what it does not know. In a list that would make another plate of it.
fn plate_characters(plate: &str) -> Result<(), String> {
    if plate.contains(['?', '*']) {
        return Err("wildcards (? and *) are not supported".into());
    }
    if plate.chars().any(|c| !c.is_ascii_alphanumeric() && !" -._/·".contains(c)) {
        return Err("it holds a character that no plate has".into());
    }
    let length = plate.bytes().filter(u8::is_ascii_alphanumeric).count();
    if length > MAX_LENGTH {
        return Err(format!("it has {length} characters; the most is {MAX_LENGTH}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn import(bytes: &[u8]) -> Result<List> {
        read(bytes, "the hotlist svs.csv", "svs", Priority::Normal)
    }

    fn refusal(bytes: &[u8]) -> String {
        import(bytes).unwrap_err().chain()
    }

    fn with_bad(good: usize, bad: usize) -> Vec<u8> {
        let mut text = String::from("plate,priority\n");
        (0..good).for_each(|i| text.push_str(&format!("AB{i:05},\n")));
        (0..bad).for_each(|_| text.push_str("7XYZ123,urgent\n"));
        text.into_bytes()
    }

    #[test]
    fn every_column_arrives_in_any_order() {
        let list = import(
            b"\xEF\xBB\xBFDate,colour,make,Reason,priority,category,state,plate,source\r\n\
              2026-11-02,red,\"Ford, US\",\"said \"\"stop\"\"\",HIGH,stolen_vehicle,ca,7abc-123,SVS\r\n",
        )
        .unwrap();
        let expected = EntryRecord {
            list: "svs".into(),
            plate: "7abc-123".into(),
            state: "CA".into(),
            category: "stolen_vehicle".into(),
            priority: Priority::High,
            reason: "said \"stop\"".into(),
            make: "Ford, US".into(),
            colour: "red".into(),
            source: "SVS".into(),
            date: "2026-11-02".into(),
            ..EntryRecord::default()
        };
        assert_eq!(*list.entries[0], expected);
    }

    #[test]
    fn latin_1_and_utf_8_both_read_and_the_list_gives_the_default_priority() {
        let list = import(b"plate,reason\n7ABC123,Mu\xF1oz\n8ABC123,Mu\xC3\xB1oz").unwrap();
        assert!(list.entries.iter().all(|e| e.reason == "Muñoz" && e.priority == Priority::Normal));
    }

    #[test]
    fn several_entries_for_one_plate_are_all_kept() {
        let list = import(b"plate,reason\n7ABC123,stolen\n7ABC123,felony\n7abc 123,stolen\n").unwrap();
        assert_eq!((list.entries.len(), list.report.lines), (3, 3));
    }

    #[test]
    fn an_unknown_or_missing_column_is_named() {
        assert!(refusal(b"plate,colr\n").contains("\"colr\""));
        assert!(refusal(b"plate,plate\n").contains("plate twice"));
        assert!(refusal(b"state,make\n").contains("no column plate"));
        let headless = refusal(b"7ABC123,CA\n");
        assert!(headless.contains("line 1 is no header") && !headless.contains("7ABC123"));
        assert!(refusal(b"").contains("svs.csv was refused: it is empty"));
        assert!(refusal(b"\xFF\xFEp\0l\0").contains("UTF-16"));
    }

    #[test]
    fn junk_plates_are_set_aside_and_are_no_mistakes() {
        let list = import(b"plate\n0\n00\n000\n190\nNOTAG\nno tag\nUnknown\nNONE\nX\n--\n1900\n7ABC123\n\n").unwrap();
        assert_eq!((list.report.junk, list.report.bad, list.report.lines), (10, 0, 12));
        assert_eq!(list.entries.iter().map(|e| e.plate.as_str()).collect::<Vec<_>>(), ["1900", "7ABC123"]);
        assert_eq!(list.report.junk_lines[0].to_string(), "line 2, plate: it has under 2 characters");
        assert_eq!(list.report.to_string(), "12 lines: 2 entries, 10 without a plate, 0 with mistakes");
    }

    #[test]
    fn each_mistake_is_reported_with_line_field_and_reason() {
        let cases: [(&[u8], &str); 8] = [
            (b"7ABC123,CA,urgent", "line 4, priority: it is none of"),
            (b"7ABC123,California,", "line 4, state: it is not two letters"),
            (b"7ABC123,CA", "line 4, line: it has 2 fields where the header has 3"),
            (b"7ABC123,CA,,", "line 4, line: it has 4 fields"),
            (b"7ABC123,CA,\"high", "line 4, line: a quote is not closed"),
            (b"7AB?123,CA,", "line 4, plate: wildcards"),
            (b"7AB\xC4123,CA,", "line 4, plate: it holds a character"),
            (b"7ABC1234567890,CA,", "line 4, plate: it has 14 characters"),
        ];
        for (line, expected) in cases {
            let text = [&b"plate,state,priority\n8ABC123,CA,low\n\n"[..], line, b"\n9ABC123,CA,\n"].concat();
            let list = import(&text).unwrap();
            assert_eq!((list.report.bad, list.entries.len()), (1, 2));
            let said = list.report.bad_lines[0].to_string();
            assert!(said.contains(expected), "{said}");
            assert!(!said.contains("7AB"), "a plate in a message that is logged: {said}");
        }
    }

    #[test]
    fn a_list_is_refused_whole_above_one_mistake_in_a_thousand() {
        assert_eq!(import(&with_bad(1998, 2)).unwrap().entries.len(), 1998);
        let said = refusal(&with_bad(1997, 3));
        assert!(said.contains("3 of its 2000 lines") && said.contains("line 1999, priority"), "{said}");
        assert!(import(&with_bad(5, 1)).is_ok(), "one slip in a short list");
        assert!(import(&with_bad(5, 2)).is_err());
        assert!(import(&with_bad(0, 1)).is_err(), "nothing is left of it");
        assert!(import(&with_bad(0, 0)).unwrap().entries.is_empty(), "an empty list is a list");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused_and_every_line_is_accounted_for(
            head in prop_oneof![Just(&b"plate,state,priority\n"[..]), Just(&b""[..])],
            body in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..400),
                "([A-C0-2?*\", \n\r]|low|high|é){0,120}".prop_map(String::into_bytes),
            ],
        ) {
            let bytes = [head, &body].concat();
            if let Ok(List { entries, report, .. }) = import(&bytes) {
                prop_assert_eq!(report.lines, report.entries + report.junk + report.bad);
                prop_assert_eq!(report.entries, entries.len() as u64);
                for e in &entries {
                    prop_assert!(PlateText::normalise(&e.plate).len() >= 2);
                }
            }
        }
    }
}
