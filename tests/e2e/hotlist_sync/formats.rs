//! The station takes lists in every format, packed or not, and says for how long they are known to be the newest.

use super::bench::{Bench, entries};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const CSV: &str = "plate,state,category,reason\n7ABC123,CA,stolen_vehicle,for the test\n8ABC124,NV,felony,\n";

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn printed(done: &Output) -> String {
    assert!(done.status.success(), "{}", text(&done.stderr));
    text(&done.stdout)
}

impl Bench {
    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.depot.dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// The bytes of the list that is handed out.
    fn handed_out(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.files(name, "jsonl").pop().unwrap()).unwrap()
    }
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vehicle/hotlist/golden").join(name)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

#[test]
fn every_format_of_the_vehicle_becomes_a_list_that_vehicles_take() {
    let bench = Bench::new();
    let formats = [
        ("csv", "own.csv", vec![]),
        ("ncic", "ncic.txt", vec!["--format", "ncic"]),
        ("svs", "svs.tbl", vec!["--format", "ca_doj:svs"]),
        ("lines", "lines.jsonl", vec!["--format", "json_lines"]),
        ("map", "semicolons.txt", vec!["--map", "MAP"]),
    ];
    let map = golden("semicolons.toml");
    for (name, file, args) in &formats {
        let mut args: Vec<&str> =
            args.iter().map(|arg| if *arg == "MAP" { map.to_str().unwrap() } else { arg }).collect();
        // The files hold mistakes of every sort, which is what they are for.
        args.extend(["--force", "--reason", "the test's files hold mistakes"]);
        let said = printed(&bench.import(&golden(file), name, &args));
        assert!(said.contains(&format!("published {name} version 1: ")) && said.contains(" lines: "), "{said}");
    }
    tokio::runtime::Runtime::new().unwrap().block_on(async { bench.sync().round().await });
    assert_eq!(bench.in_force().len(), formats.len());
}

#[test]
fn a_packed_list_is_the_same_list_also_with_a_password_out_of_a_file() {
    let bench = Bench::new();
    printed(&bench.import(&bench.file("svs.csv", CSV.as_bytes()), "svs", &[]));
    let plain = bench.handed_out("svs");
    assert_eq!(plain.iter().filter(|b| **b == b'\n').count(), 2);
    printed(&bench.import(&bench.file("gz.csv.gz", &gzip(CSV.as_bytes())), "gz", &[]));
    assert_eq!(text(&bench.handed_out("gz")), text(&plain).replace("\"list\":\"svs\"", "\"list\":\"gz\""));
    // Into one with a password.
    let made = bench.depot.dir.path().join("locked.zip");
    let script = "import sys,zlib,zipfile;zipfile.ZipFile(sys.argv[1],'w',8).writestr('svs.csv',sys.argv[2])";
    let zip = Command::new("python3").args(["-c", script, made.to_str().unwrap(), CSV]).status().unwrap();
    assert!(zip.success());
    printed(&bench.import(&made, "zip", &[]));
    assert_eq!(text(&bench.handed_out("zip")), text(&plain).replace("\"list\":\"svs\"", "\"list\":\"zip\""));
    // A bomb: more than it may become.
    let bomb = bench.file("bomb.csv.gz", &gzip(&vec![b'\n'; 80 << 20]));
    let refused = bench.import(&bomb, "bomb", &[]);
    assert_eq!(refused.status.code(), Some(65), "{}", text(&refused.stderr));
    // A password file that others may read is none.
    let password = bench.file("password", b"secret\n");
    std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o644)).unwrap();
    let refused = bench.import(&made, "zip", &["--password-file", password.to_str().unwrap()]);
    assert!(text(&refused.stderr).contains("chmod 0400"), "{}", text(&refused.stderr));
}

#[test]
fn standard_input_is_taken_and_nothing_of_it_is_left_behind() {
    let bench = Bench::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_plated-station"));
    let config = bench.depot.dir.path().join("station.toml");
    command.args(["hotlist", "import", "-", "--name", "svs", "--config"]).arg(config);
    command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(CSV.as_bytes()).unwrap();
    assert!(text(&child.wait_with_output().unwrap().stdout).starts_with("published svs version 1: 2 entries"));
    let left = std::fs::read_dir(&bench.depot.config.data).unwrap().flatten();
    assert!(left.map(|f| f.file_name()).all(|name| !name.to_string_lossy().starts_with("incoming-")));
}

#[test]
fn the_same_content_with_a_newer_date_is_confirmed_and_no_vehicle_fetches_it_again() {
    let bench = Bench::new();
    let file = bench.file("svs.jsonl", entries(0..10).as_bytes());
    let import = |date: &str| printed(&bench.import(&file, "svs", &["--file-date", date]));
    import("2026-11-20T06:00:00Z");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut sync = bench.sync();
    runtime.block_on(sync.round());
    assert_eq!(bench.held("svs").0.confirmed.to_string(), "2026-11-20T06:00:00Z");
    let said = import("2026-11-25T06:00:00Z");
    assert!(said.starts_with("svs is the same as version 1, which is known to be the newest at 2026-11-25"), "{said}");
    bench.way.seen();
    runtime.block_on(sync.round());
    assert_eq!(bench.held("svs").0.confirmed.to_string(), "2026-11-25T06:00:00Z");
    let fetched: Vec<String> = bench.way.seen().into_iter().map(|seen| seen.path).collect();
    assert_eq!(fetched, ["v1/hotlists"], "the manifest only");
    assert!(import("2026-11-25T06:00:00Z").contains("nothing was changed"));
    // An older file does not come back unless somebody says so.
    std::fs::write(&file, entries(0..11)).unwrap();
    let older = bench.import(&file, "svs", &["--file-date", "2026-11-21T06:00:00Z"]);
    assert!(text(&older.stderr).contains("older than the list in force"), "{}", text(&older.stderr));
}

// policy: P-22
#[test]
fn who_imported_or_withdrew_a_list_and_why_is_in_the_stations_audit_log() {
    let bench = Bench::new();
    let file = bench.file("svs.csv", CSV.as_bytes());
    printed(&bench.import(&file, "svs", &["--reason", "brought on a medium"]));
    assert!(bench.station(&["withdraw", "svs", "--reason", "a test list"]).status.success());
    let database = bench.depot.database();
    let mut find = database.prepare("SELECT entry FROM station_audit ORDER BY number").unwrap();
    let rows: Vec<String> = find.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let rows: Vec<serde_json::Value> = rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect();
    let said = |n: usize, key: &str| rows[n][key].as_str().unwrap().to_owned();
    assert_eq!((said(0, "action"), said(0, "reason")), ("hotlist_published".into(), "brought on a medium".into()));
    assert_eq!((said(1, "action"), said(1, "reason")), ("hotlist_withdrawn".into(), "a test list".into()));
    assert_eq!(rows[0]["elements"]["list"], "svs");
    let verify = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plated-station"));
        let config = bench.depot.dir.path().join("station.toml");
        command.args(["audit-verify", "--config"]).arg(config).output().unwrap()
    };
    assert!(printed(&verify()).contains("2 rows, as it was written"));
    database.execute("UPDATE station_audit SET entry = replace(entry, 'medium', 'paper')", []).unwrap();
    assert_eq!(verify().status.code(), Some(65));
}
