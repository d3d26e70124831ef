//! Nobody is shown reads or entries by the station's commands, but behind the gate.

use crate::kit::process::Station;
use crate::kit::{Depot, VEHICLE, batch, body, record, seal};
use clap::CommandFactory;
use plated_core::record::EntryRecord;
use plated_station::command;
use std::collections::BTreeSet;
use std::process::Command;

/// An agency of the register.
const PARTNER: [&str; 16] = [
    "partner add",
    "Lodi PD",
    "--kind",
    "law_enforcement",
    "--jurisdiction",
    "CA",
    "--purpose",
    "theft",
    "--right-to-know",
    "agreement",
    "--need-to-know",
    "theft",
    "--review",
    "2099-01-01",
    "--reason",
    "test",
];

/// Names of all subcommands, such as `hotlist list`.
fn all(command: &clap::Command, before: &str) -> Vec<String> {
    let deeper = command.get_subcommands().filter(|c| c.get_name() != "help");
    let named = deeper.flat_map(|c| all(c, format!("{before} {}", c.get_name()).trim()));
    let named: Vec<String> = named.collect();
    if named.is_empty() { vec![before.to_owned()] } else { named }
}

// policy: P-21
#[tokio::test(flavor = "multi_thread")]
async fn no_command_of_the_station_shows_a_plate_without_a_permit() {
    let depot = Depot::new();
    let (station, address) = Station::start(&depot);
    let sent = body(&batch(VEHICLE, vec![seal(&record(&[]))]));
    let answer = crate::kit::post(&depot.link(address), sent).await.unwrap();
    assert_eq!(answer.status, 200);
    let config = depot.file();
    let config = config.to_str().unwrap();
    let entries = depot.dir.path().join("svs.jsonl");
    let entry = |plate: &str| {
        let record = EntryRecord { plate: plate.into(), category: "stolen_vehicle".into(), ..EntryRecord::default() };
        serde_json::to_string(&record).unwrap() + "\n"
    };
    let plates = ["7ABC234", "1ABC234", "8XYZ999"]; // of the read, of its hit, of the list
    std::fs::write(&entries, entry(plates[2])).unwrap();
    let faulty = depot.dir.path().join("faulty.jsonl");
    std::fs::write(&faulty, entry(plates[2]).replace('{', "")).unwrap();

    let path = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    let (entries, faulty) = (path(&entries), path(&faulty));
    let (init, out) = (path(&depot.dir.path().join("other")), path(&depot.dir.path().join("unit-9")));
    let other = depot.dir.path().join("unit-8");
    let other = depot.authority.issue_vehicle("unit-8", &other, &plated_core::clock::SystemClock::new()).unwrap();
    let other = path(&other.certificate);
    let agency = depot.dir.path().join("agency.toml");
    std::fs::write(&agency, "[access]\npurpose_required = true\n").unwrap();
    let models = depot.dir.path().join("new-models");
    std::fs::create_dir(&models).unwrap();
    crate::kit::reading::models(&models);
    let (agency, models) = (path(&agency), path(&models));
    let backup = path(&depot.dir.path().join("backup"));
    let own = path(&depot.dir.path().join("own.jsonl"));
    std::fs::write(&own, std::fs::read_to_string(&entries).unwrap()).unwrap();
    let manual = path(depot.dir.path());
    let (log, log_key) = (path(&depot.dir.path().join("audit.jsonl")), path(&depot.dir.path().join("audit.pub")));
    let mut program = Command::new(env!("CARGO_BIN_EXE_plated-station"));
    let key = program.args(["audit", "key", "--config", config]).output().unwrap();
    std::fs::write(&log_key, key.stdout).unwrap();
    let run: [&[&str]; 41] = [
        &["status", "--config", config],
        &["vehicles", "--config", config],
        &["vehicles", "--json", "--config", config],
        &["hotlist import", &entries, "--name", "svs", "--config", config],
        &["hotlist import", &faulty, "--name", "svs", "--config", config],
        &["hotlist list", "--config", config],
        &["hotlist list", "--json", "--config", config],
        &["hotlist withdraw", "svs", "--reason", "test", "--config", config],
        &["hotlist fetch", "--config", config],
        &["hotlist import", &own, "--name", "own", "--config", config],
        &["hotlist update", "own", "--base", "1", "--add", &own, "--config", config],
        &["security list", "--all", "--config", config],
        &["audit-verify", "--config", config],
        &["init", "--dir", &init],
        &["vehicle issue", "unit-9", "--out", &out, "--config", config],
        &["vehicle add", &other, "--reason", "test", "--config", config],
        &["vehicle list", "--all", "--config", config],
        &["vehicle revoke", "unit-9", "--reason", "test", "--config", config],
        &["provision publish", "--reason", "test", "--config", config],
        &["provision settings", &agency, "--reason", "test", "--config", config],
        &["provision models", &models, "--reason", "test", "--config", config],
        &["provision list", "--config", config],
        &["api"],
        &["completions", "bash"],
        &["man", &manual],
        &["purge", "--dry-run", "--config", config],
        &["medium key", "--config", config],
        &["medium import", &manual, "--reason", "test", "--config", config],
        &["certificates", "--config", config],
        &["audit export", &log, "--reason", "test", "--config", config],
        &["audit key", "--config", config],
        &["audit verify", &log, "--key", &log_key],
        &["check", "--config", config],
        &["backup", &backup, "--config", config],
        &["hold list", "--reason", "review", "--config", config],
        &["user list", "--config", config],
        &[&PARTNER[..], &["--config", config]].concat(),
        &["partner list", "--config", config],
        &["partner review", "Lodi PD", "--review", "2099-02-01", "--reason", "test", "--config", config],
        &["partner end", "Lodi PD", "--reason", "test", "--config", config],
        &["evidence key", "--config", config],
    ];
    // The first prints its addresses only, the others what is shown in `archive::commands` and `pages`.
    // What is behind the gate shows plates, once that is on record: shown.rs, security.rs, hotlist_sync/changes.rs, and
    // daemon/findings.rs.
    let elsewhere = [
        "run",
        "forward", // in forward.rs
        "hold add",
        "hold release",
        "restore",
        "archive move",
        "search",
        "corrections list",
        "dispositions list",
        "finding list",
        "finding approve",
        "finding refuse",
        "hotlist disable",
        "hotlist enable",
        "hotlist inactive",
        "security acknowledge",
        "user add",
        "user password",
        "user training",
        "user role",
        "user grant",
        "user disable",
        "user enable",
        "evidence verify",
    ];
    let mut tried: BTreeSet<String> = elsewhere.map(str::to_owned).into();
    for arguments in run {
        let (command, rest) = arguments.split_first().unwrap();
        tried.insert((*command).to_owned());
        let mut program = Command::new(env!("CARGO_BIN_EXE_plated-station"));
        let output = program.args(command.split(' ')).args(rest).output().unwrap();
        let shown = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() != rest.contains(&faulty.as_str()), "{arguments:?}: {shown}");
        assert!(plates.iter().all(|plate| !shown.contains(plate)), "{arguments:?} shows a plate: {shown}");
    }
    drop(station);
    // A new command belongs into the list above, or behind a gate of its own.
    assert_eq!(tried, all(&command::Command::command(), "").into_iter().collect());
}

#[test]
fn an_error_is_one_line_that_names_the_key_and_the_place() {
    let depot = Depot::new();
    let config = depot.file();
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("data = \"data\"\n", "")).unwrap();
    for arguments in [&["status"][..], &["run"], &["hotlist", "list"]] {
        let mut program = Command::new(env!("CARGO_BIN_EXE_plated-station"));
        let output = program.args(arguments).arg("--config").arg(&config).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(78), "{error}");
        assert!(error.starts_with("plated-station: ") && error.lines().count() == 1, "{error}");
        assert!(error.contains("station.toml") && error.contains("missing field `data`"), "{error}");
    }
}
