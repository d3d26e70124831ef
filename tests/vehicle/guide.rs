//! The operator's guide says what is so.
use plated_vision::optics::{plate_pixels, smear_pixels};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

fn guide() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide/operator.md")).unwrap()
}

/// The number in a cell, without its unit.
fn number(cell: &str) -> f32 {
    cell.trim().trim_end_matches([' ', 'm', 's', '°']).trim_start_matches("1/").parse().unwrap()
}

#[test]
fn the_table_of_lenses_has_the_pixels_that_a_plate_will_have_and_shutters_short_enough() {
    let guide = guide();
    let table = guide.split("| distance | angle of view |").nth(1).unwrap();
    let rows: Vec<Vec<f32>> = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(number).collect())
        .collect();
    assert!(rows.len() >= 6, "{rows:?}");
    for row in rows {
        let [metres, degrees, lens, small, large, slow, fast] = row[..] else { panic!("{row:?}") };
        let focal = 5.6 / 2.0 / (degrees.to_radians() / 2.0).tan();
        assert_eq!(focal.round(), lens, "{row:?}");
        for (columns, pixels) in [(1280, small), (1920, large)] {
            assert_eq!(plate_pixels(columns, metres, degrees).round(), pixels, "{row:?}");
        }
        for (speed, shutter) in [(30.0, slow), (60.0, fast)] {
            let smear = smear_pixels(large, speed, 10.0, 1.0 / shutter);
            assert!((1.8..=2.12).contains(&smear), "{row:?}: {smear} pixels at {speed} m/s");
        }
    }
}

/// The commands of both programs that stand in the guide, in its text and in its blocks.
fn commands() -> BTreeSet<String> {
    let guide = guide().replace("\\\n", " ");
    let mut found = BTreeSet::new();
    let mut in_block = false;
    for line in guide.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
            continue;
        }
        let spans: Vec<&str> = if in_block { vec![line] } else { line.split('`').skip(1).step_by(2).collect() };
        for span in spans {
            let command = span.trim().trim_start_matches("$ ").trim_start_matches("sudo ");
            if ["plated ", "plated-station "].iter().any(|program| command.starts_with(program)) {
                found.insert(
                    command.split([';', '#', '>', '&']).next().unwrap().split(" | ").next().unwrap().to_owned(),
                );
            }
        }
    }
    found
}

/// Its words; one for each of the alternatives in a word such as `list|show`.
fn meant(command: &str) -> Vec<Vec<String>> {
    let mut all = vec![Vec::new()];
    // What stands in quotes is one word, whichever.
    let quoted: Vec<&str> = command.split('\'').collect();
    let plain = quoted
        .iter()
        .enumerate()
        .map(|(n, part)| if n % 2 == 1 { part.replace(' ', "_") } else { (*part).to_owned() })
        .collect::<String>();
    for word in plain.split_whitespace() {
        let word = match word {
            "DAY" => "2026-11-26",
            "ROLE" => "officer",
            "…" => "why",
            other => other,
        };
        let ways: Vec<&str> = word.split('|').collect();
        all =
            all.iter().flat_map(|before| ways.iter().map(|way| [&before[..], &[(*way).to_owned()]].concat())).collect();
    }
    all
}

#[test]
fn every_command_in_the_guide_is_one_that_the_programs_know_with_every_option_that_is_named() {
    let commands = commands();
    assert!(commands.len() > 60, "{commands:?}");
    let mut unknown = Vec::new();
    for words in commands.iter().flat_map(|command| meant(command)) {
        let program = match words[0].as_str() {
            "plated" => env!("CARGO_BIN_EXE_plated"),
            _ => env!("CARGO_BIN_EXE_plated-station"),
        };
        // Parsed up to here, and then nothing is done.
        let done = Command::new(program).args(&words[1..]).arg("--help").output().unwrap();
        if !done.status.success() {
            unknown.push(format!("{}: {}", words.join(" "), String::from_utf8_lossy(&done.stderr)));
        }
    }
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
}
