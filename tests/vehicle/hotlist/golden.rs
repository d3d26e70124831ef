//! A golden file for each format: the bytes of a list, and the rows it must become.
//!
//! `PLATED_GOLDEN=write cargo test --test hotlist golden` writes the expected rows anew; look at
//! the difference before it is committed.

use plated_hotlist::format::{Detected, ImportSettings, Row, Spec, detect, open};
use plated_hotlist::import;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vehicle/hotlist/golden")
}

fn imported(bytes: &[u8], spec: &Spec) -> Value {
    let time_zone = matches!(spec, Spec::Csv | Spec::JsonLines).then(|| "America/Los_Angeles".to_owned());
    let settings = ImportSettings { time_zone, ..ImportSettings::named("golden") };
    let mut importer = open(bytes, spec, &settings).unwrap();
    let row = |row| match row {
        Row::Entry(entry, line) => json!({ "line": line, "entry": entry }),
        Row::SetAside(problem) => json!({ "set_aside": problem }),
        Row::Bad(problem) => json!({ "bad": problem }),
    };
    let rows: Vec<Value> = importer.by_ref().map(|r| row(r.unwrap())).collect();
    let summary = importer.summary();
    let report = &summary.report;
    assert_eq!(report.lines, report.entries + report.set_aside + report.bad);
    assert_eq!(report.lines, rows.len() as u64);
    let refused: Vec<String> =
        import::refusals(&summary, &Default::default(), &Default::default()).iter().map(ToString::to_string).collect();
    json!({
        "format": spec.to_string(),
        "date": summary.date,
        "footer": summary.footer,
        "noted": report.noted_lines,
        "refused": refused,
        "rows": rows,
    })
}

fn golden(file: &str) {
    golden_as(file, None);
}

fn golden_as(file: &str, format: Option<&str>) {
    let path = folder().join(file);
    let bytes = std::fs::read(&path).unwrap();
    let map = path.with_extension("toml");
    let spec = if let Some(format) = format {
        Spec::named(format, file).unwrap()
    } else if map.exists() {
        Spec::load_map(&map).unwrap()
    } else {
        let Detected { spec, why } = detect(&bytes, file).unwrap();
        assert!(why.len() >= 2, "{why:?}");
        spec
    };
    let got = imported(&bytes, &spec);
    let expected = path.with_extension("json");
    if std::env::var_os("PLATED_GOLDEN").is_some() {
        std::fs::write(&expected, serde_json::to_string_pretty(&got).unwrap() + "\n").unwrap();
    }
    let expected: Value = serde_json::from_slice(&std::fs::read(&expected).unwrap()).unwrap();
    for (got, expected) in got["rows"].as_array().unwrap().iter().zip(expected["rows"].as_array().unwrap()) {
        assert_eq!(got, expected, "{file}");
    }
    assert_eq!(got, expected, "{file}");
}

#[test]
fn the_project_s_own_csv() {
    golden("own.csv");
}

#[test]
fn a_california_doj_list() {
    golden("svs.tbl");
}

#[test]
fn ncic_in_fixed_columns() {
    golden("ncic.txt");
    golden_as("ncic_odd.txt", Some("ncic"));
}

#[test]
fn ncic_as_csv_with_11_and_with_12_columns() {
    golden("ncic_11.csv");
    golden("ncic_12.csv");
}

#[test]
fn json_lines() {
    golden("lines.jsonl");
}

#[test]
fn state_lists_by_column_maps_fixed_and_delimited() {
    golden("washington.txt");
    golden("texas.csv");
}

#[test]
fn a_department_s_export_in_latin_1_with_title_names_and_count() {
    golden("semicolons.txt");
}

#[test]
fn free_text_with_commas_and_without_quotes() {
    golden("free_text.csv");
}

#[test]
fn records_between_blanks_that_go_on_in_further_lines() {
    golden("blanks.txt");
}

#[test]
fn the_maps_in_the_documentation_are_maps() {
    let text = include_str!("../../../docs/reference/hotlist-formats.md");
    let blocks = text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let maps: Vec<&str> = blocks.filter(|b| b.contains("layout = ")).collect();
    assert!(maps.len() >= 2, "no maps found");
    for map in maps {
        Spec::parse_map(map, Path::new("hotlist-formats.md")).unwrap();
    }
}
