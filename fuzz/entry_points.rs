//! Where bytes from outside enter the import of lists; one function for each fuzz target.
//!
//! `tests/vehicle/hotlist/fuzzing.rs` runs them too, over the corpus and changes of it.

use plated_core::plate::PlateText;
use plated_hotlist::format::{self, Codes, Count, Dates, DojFile, ImportSettings, Packing, Row, Spec};
use std::io::{Cursor, Read};
use std::path::Path;

/// A name and an entry point.
pub type Target = (&'static str, fn(&[u8]));

/// The entry points by name.
pub const TARGETS: [Target; 12] = [
    ("csv", csv),
    ("ca_doj", ca_doj),
    ("ncic", ncic),
    ("ncic_csv", ncic_csv),
    ("json_lines", json_lines),
    ("delimited", delimited),
    ("fixed", fixed),
    ("map", map),
    ("detect", detect),
    ("dates", dates),
    ("states", states),
    ("unpack", unpack),
];

pub fn csv(bytes: &[u8]) {
    account(&Spec::Csv, 1, bytes);
}

pub fn ca_doj(bytes: &[u8]) {
    for file in [DojFile::Svs, DojFile::Sfr, DojFile::Slr] {
        account(&Spec::CaDoj(file), 1, bytes);
    }
}

pub fn ncic(bytes: &[u8]) {
    account(&Spec::Ncic, 0, bytes);
}

pub fn ncic_csv(bytes: &[u8]) {
    account(&Spec::NcicCsv, 0, bytes);
    account(&Spec::NcicCsv12, 0, bytes);
}

pub fn json_lines(bytes: &[u8]) {
    account(&Spec::JsonLines, 0, bytes);
}

pub fn delimited(bytes: &[u8]) {
    by_map(include_str!("../tests/vehicle/hotlist/golden/semicolons.toml"), bytes);
    by_map(include_str!("../tests/vehicle/hotlist/golden/free_text.toml"), bytes);
    by_map(include_str!("../tests/vehicle/hotlist/golden/blanks.toml"), bytes);
}

pub fn fixed(bytes: &[u8]) {
    by_map(include_str!("../tests/vehicle/hotlist/golden/washington.toml"), bytes);
}

/// A column map, a line with `---`, and a list.
pub fn map(bytes: &[u8]) {
    let mark = b"\n---\n";
    let at = bytes.windows(mark.len()).position(|w| w == mark).unwrap_or(bytes.len());
    let list = bytes.get(at + mark.len()..).unwrap_or_default();
    by_map(&String::from_utf8_lossy(&bytes[..at]), list);
}

pub fn detect(bytes: &[u8]) {
    for name in ["svs.tbl", "list.txt"] {
        if let Ok(found) = format::detect(bytes, name) {
            assert!(!found.why.is_empty());
            let opened = format::open(bytes, &found.spec, &ImportSettings::named("x"));
            assert!(opened.is_ok(), "{} was detected and does not open", found.spec);
        }
    }
}

/// Each line is a date, or none.
pub fn dates(bytes: &[u8]) {
    for formats in [&[][..], &["%d/%m/%y".to_owned()]] {
        let dates = Dates::new(formats, Some("America/Los_Angeles")).unwrap_or_else(|why| panic!("{why}"));
        for line in String::from_utf8_lossy(bytes).lines() {
            let (day, start, end) = (dates.day(line), dates.start(line), dates.end(line));
            if let Some(day) = day {
                assert!(dates.day(&day).is_some(), "what was read reads back: {day}");
            }
            assert!(start.is_none() || end.is_some(), "what is a start is an end too: {line}");
        }
    }
}

/// Each line is a state, or none.
pub fn states(bytes: &[u8]) {
    for line in String::from_utf8_lossy(bytes).lines() {
        for codes in [Codes::Postal, Codes::Ncic, Codes::NcicWorld] {
            let Some(code) = format::code_of(line, codes) else { continue };
            assert!(code.is_empty() || code.len() == 2);
            assert!(code.is_empty() || format::code_of(code, Codes::NcicWorld).is_some());
        }
    }
}

/// A packed file, or one that is not.
pub fn unpack(bytes: &[u8]) {
    for password in [None, Some("secret".to_owned().into())] {
        let packing = Packing { password, member: None };
        let _ = format::unpacked(Cursor::new(bytes), Path::new("list.zip"), &packing, |input, _| {
            let mut some = Vec::new();
            let _ = input.take(1 << 20).read_to_end(&mut some);
            Ok(some.len())
        });
    }
}

fn by_map(map: &str, bytes: &[u8]) {
    if let Ok(spec) = Spec::parse_map(map, Path::new("map.toml")) {
        let Spec::Map(map) = &spec else { unreachable!() };
        let header = map.header_lines();
        account(&spec, header as usize, bytes);
    }
}

/// Reads a list to its end and counts its lines by other means.
fn account(spec: &Spec, header: usize, bytes: &[u8]) {
    let Ok(mut importer) = format::open(bytes, spec, &ImportSettings::named("x")) else { return };
    let lines = split(bytes);
    let (mut entries, mut set_aside, mut bad, mut last) = (0, 0, 0, 0);
    for row in importer.by_ref() {
        let Ok(row) = row else { return };
        let line = match row {
            Row::Entry(entry, line) => {
                entries += 1;
                assert!(!PlateText::normalise(&entry.plate).is_empty());
                assert!(entry.state.is_empty() || entry.state.len() == 2);
                let shown = [&entry.plate, &entry.category, &entry.reason, &entry.make, &entry.id, &entry.remarks];
                let hidden = |c: char| c.is_control() || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}');
                assert!(shown.iter().all(|text| !text.contains(hidden)));
                line
            }
            Row::SetAside(problem) => {
                set_aside += 1;
                problem.line
            }
            Row::Bad(problem) => {
                bad += 1;
                let text = String::from_utf8_lossy(lines[problem.line as usize - 1]).into_owned();
                let words = text.split(|c: char| !c.is_ascii_alphanumeric());
                let plates = words.filter(|w| w.len() > 3 && w.bytes().any(|b| b.is_ascii_digit()));
                let mut told = plates.filter(|w| w.bytes().any(|b| b.is_ascii_uppercase()));
                assert!(told.all(|w| !problem.reason.contains(w)), "a plate is told: {}", problem.reason);
                problem.line
            }
        };
        assert!(line > last && line as usize <= lines.len(), "lines come in order, once");
        last = line;
    }
    let summary = importer.summary();
    let report = summary.report;
    assert_eq!((report.entries, report.set_aside, report.bad), (entries, set_aside, bad));
    assert_eq!(report.lines, entries + set_aside + bad);
    let holds = |line: &&&[u8]| !line.iter().all(|b| b.is_ascii_whitespace() || *b == 0x1A);
    let first: &[u8] = if header == 0 { lines[0].strip_prefix(b"\xEF\xBB\xBF").unwrap_or(lines[0]) } else { &[] };
    let rest = lines[1..].iter().skip(header.max(1) - 1);
    let records = [first].iter().filter(holds).count() + rest.filter(holds).count();
    let footer = u64::from(matches!(summary.footer, Count::Of(_)));
    assert_eq!(report.lines + report.continued + footer, records as u64, "a line is not accounted for");
}

/// Lines, which end with LF, CRLF or CR.
fn split(bytes: &[u8]) -> Vec<&[u8]> {
    let (mut lines, mut from, mut at) = (Vec::new(), 0, 0);
    while at < bytes.len() {
        let end = match (bytes[at], bytes.get(at + 1)) {
            (b'\r', Some(b'\n')) => 2,
            (b'\r' | b'\n', _) => 1,
            _ => 0,
        };
        if end > 0 {
            lines.push(&bytes[from..at]);
            from = at + end;
        }
        at += end.max(1);
    }
    lines.push(&bytes[from..]);
    lines
}
