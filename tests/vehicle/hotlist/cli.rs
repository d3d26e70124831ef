//! `plated hotlist` as its user meets it.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

fn plated(args: &[&str]) -> Output {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vehicle/hotlist/golden");
    Command::new(env!("CARGO_BIN_EXE_plated")).arg("hotlist").args(args).current_dir(golden).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn detect_names_the_format_and_why() {
    let found = plated(&["detect", "svs.tbl"]);
    assert!(found.status.success(), "{}", err(&found));
    assert!(out(&found).starts_with("svs.tbl: ca_doj:svs\n  - California DOJ"), "{}", out(&found));
    let found = plated(&["detect", "--json", "ncic_12.csv"]);
    let line: Value = serde_json::from_str(&out(&found)).unwrap();
    assert_eq!(line["format"], "ncic_csv_12");
    assert!(line["why"].as_array().unwrap().len() >= 2);
}

#[test]
fn detect_says_what_to_do_about_a_file_of_no_known_format() {
    let found = plated(&["detect", "texas.csv"]);
    assert_eq!(found.status.code(), Some(65));
    let message = err(&found);
    assert!(
        message.contains("texas.csv") && message.contains("8 fields between commas") && message.contains("column map")
    );
    let missing = plated(&["detect", "nothing.txt"]);
    assert_eq!(missing.status.code(), Some(66));
}

#[test]
fn check_counts_names_mistakes_and_says_whether_the_list_would_be_accepted() {
    let checked = plated(&["check", "svs.tbl"]);
    assert!(checked.status.success(), "{}", err(&checked));
    let message = out(&checked);
    for expected in [
        &format!("Date of the file: {}", plated_core::text::local("2026-11-21T16:00:00Z".parse().unwrap())),
        "Footer: counts 5 records",
        "5 lines: 4 entries, 1 set aside, 0 with mistakes",
        "4  stolen_vehicle",
        "line 4, plate: it is a word for no plate",
        "It would be accepted, with 4 entries.",
    ] {
        assert!(message.contains(expected), "{expected} is not in {message}");
    }
    let refused = plated(&["check", "--map", "texas.toml", "--json", "texas.csv"]);
    assert!(refused.status.success(), "{}", err(&refused));
    let line: Value = serde_json::from_str(&out(&refused)).unwrap();
    assert_eq!((&line["format"], &line["accepted"]), (&"map".into(), &true.into()));
    assert_eq!(line["summary"]["report"]["bad_lines"][0]["line"], 4);
}

#[test]
fn check_of_a_list_that_would_be_refused_fails_and_shows_no_plate() {
    let refused = plated(&["check", "--format", "ncic", "ncic_odd.txt"]);
    assert_eq!(refused.status.code(), Some(65));
    let message = out(&refused) + &err(&refused);
    assert!(
        message.contains("would be refused: 3 of its 6 lines have mistakes")
            && message.contains("line 3, line: it ends"),
        "{message}"
    );
    assert_eq!(message.matches("line 3, line: it ends").count(), 1, "each mistake is told once: {message}");
    assert!(!message.contains("accepted") && !message.contains("7ABC") && !message.contains("JFJ"), "{message}");
    let json = plated(&["check", "--json", "--format", "ncic", "ncic_odd.txt"]);
    let line: Value = serde_json::from_str(&out(&json)).unwrap();
    assert_eq!((json.status.code(), &line["accepted"]), (Some(65), &false.into()));
}

#[test]
fn a_wrong_format_or_map_is_said_with_what_there_is() {
    let unknown = plated(&["check", "--format", "ncic_tsv", "ncic.txt"]);
    assert_eq!(unknown.status.code(), Some(78));
    assert!(err(&unknown).contains("the formats are csv, ca_doj, ncic"), "{}", err(&unknown));
    let no_map = plated(&["check", "--map", "svs.tbl", "svs.tbl"]);
    assert_eq!(no_map.status.code(), Some(78));
    assert!(err(&no_map).contains("svs.tbl line 1"), "{}", err(&no_map));
    let other = plated(&["check", "--format", "csv", "svs.tbl"]);
    assert_eq!(other.status.code(), Some(65));
    assert!(err(&other).contains("svs.tbl: line 1 is no header"), "{}", err(&other));
}

#[test]
fn a_pipe_a_folder_or_a_device_is_refused_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("pipe.csv");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for (path, message) in [(pipe.to_str().unwrap(), "a named pipe"), (".", "a folder"), ("/dev/null", "a device")] {
        for command in ["check", "detect"] {
            let refused = plated(&[command, path]);
            assert!(!refused.status.success() && err(&refused).contains(message), "{}", err(&refused));
        }
    }
}

#[test]
fn a_packed_list_is_checked_as_it_is_and_a_password_comes_from_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let list =
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vehicle/hotlist/golden/svs.tbl")).unwrap();
    let packed = dir.path().join("svs.tbl.gz");
    let mut gzip = flate2::write::GzEncoder::new(std::fs::File::create(&packed).unwrap(), Default::default());
    std::io::Write::write_all(&mut gzip, &list).unwrap();
    gzip.finish().unwrap();
    let checked = plated(&["check", packed.to_str().unwrap()]);
    assert!(out(&checked).contains("It would be accepted, with 4 entries."), "{}", err(&checked));
    std::fs::write(&packed, &std::fs::read(&packed).unwrap()[..60]).unwrap();
    let cut = plated(&["check", packed.to_str().unwrap()]);
    assert_eq!(cut.status.code(), Some(65), "{}", err(&cut));
    let password = dir.path().join("password");
    std::fs::write(&password, "secret").unwrap();
    let open = plated(&["check", "--password-file", password.to_str().unwrap(), "svs.tbl"]);
    assert!(err(&open).contains("chmod 0400"), "{}", err(&open));
}

#[test]
fn a_list_of_a_header_only_or_of_the_future_would_be_refused() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    for (name, text, message) in [
        ("a.csv", "plate,state\n", "it has no entries"),
        ("svs.tbl", "DATE11/21/2099 08:00\n7ABC123 CA0120261102\nTOTAL RECORD 0000001\n", "dated in the future"),
    ] {
        let refused = plated(&["check", &write(name, text)]);
        assert!(refused.status.code() == Some(65) && err(&refused).contains(message), "{}", err(&refused));
    }
}
