//! What an administrator does with the archive from the command line.

use super::{add, at, id_at, pictures, read};
use crate::kit::Depot;
use crate::kit::process::Station;
use plated_station::ArchiveKey;
use plated_station::archive::{Class, SqliteArchive};
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use uuid::Uuid;

/// What a command prints, or says when it fails.
fn station(depot: &Depot, args: &[&str]) -> Result<String, String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plated-station"));
    let config = depot.dir.path().join("station.toml");
    let output = command.args(args).arg("--config").arg(config).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr) + &text(output.stdout)) }
}

/// A station's archive with a read of long ago and one of now.
fn filled(depot: &Depot) -> (Uuid, Uuid) {
    depot.file();
    let key = ArchiveKey::load(&depot.config.archive_key).unwrap();
    let archive = SqliteArchive::open(&depot.config.archive(key)).unwrap();
    let old = read(at("2020-01-02T12:00:00Z"), "7ABC123", Class::NoHit, &[b"old"]);
    let new = read(jiff::Timestamp::now(), "7ABC124", Class::Hit, &[b"new"]);
    let ids = (old.id, new.id);
    add(&archive, vec![old, new], pictures(&[b"old", b"new"]));
    ids
}

// policy: P-14
// policy: P-15
#[test]
fn holds_and_purges_are_commands_beside_a_running_station_or_without_one() {
    let depot = Depot::new();
    let (old, new) = filled(&depot);
    let (old, new) = (old.to_string(), new.to_string());
    let hold = ["hold", "add", "--case", "26-1", "--reason", "homicide, evidence", &old];
    let held = station(&depot, &hold).unwrap();
    let id = held.split_whitespace().nth(1).unwrap().to_owned();
    assert_eq!(station(&depot, &["purge", "--dry-run"]).unwrap(), "2020-01-02 no_hit: 1 read\n");
    let certificate = station(&depot, &["purge"]).unwrap();
    assert!(certificate.contains("\"held\":1") && !certificate.contains("7ABC123"), "{certificate}");
    assert_eq!(station(&depot, &["purge"]).unwrap(), "nothing is due\n");
    assert_eq!(station(&depot, &["certificates"]).unwrap(), certificate);
    let file = depot.dir.path().join("certificate.json");
    fs::write(&file, &certificate).unwrap();
    let verify = ["certificates", "--verify", file.to_str().unwrap()];
    assert!(station(&depot, &verify).unwrap().contains("counts: 1 read deleted"));
    fs::write(&file, certificate.replace("\"held\":1", "\"held\":0")).unwrap();
    assert!(station(&depot, &verify).unwrap_err().contains("changed after it was signed"));

    let (_station, _) = Station::start(&depot);
    assert!(station(&depot, &["purge"]).unwrap_err().contains("purges by itself"));
    let another = ["hold", "add", "--case", "26-2", "--reason", "robbery, evidence", &new];
    station(&depot, &another).unwrap();
    let none = id_at(at("2020-01-02T12:00:00Z")).to_string();
    let missing = ["hold", "add", "--case", "26-2", "--reason", "robbery, evidence", &none];
    assert!(station(&depot, &missing).unwrap_err().contains("there is no read"));
    let list = station(&depot, &["hold", "list", "--reason", "review"]).unwrap();
    assert!(list.contains("case 26-1, 1 read") && list.contains("case 26-2, 1 read"), "{list}");
    station(&depot, &["hold", "release", &id, "--reason", "case closed"]).unwrap();
    let list = station(&depot, &["hold", "list", "--reason", "review"]).unwrap();
    assert!(list.contains("released") && list.contains("case closed"), "{list}");
    let check = station(&depot, &["check"]).unwrap();
    assert!(check.contains("everything fits its hash"), "{check}");
}

#[test]
fn a_backup_made_beside_a_running_station_comes_back_whole_and_only_with_its_key_and_as_it_was_written() {
    let depot = Depot::new();
    let (old, new) = filled(&depot);
    let ids = [old.to_string(), new.to_string()];
    let hold = ["hold", "add", "--case", "26-1", "--reason", "homicide, evidence", &ids[0]];
    station(&depot, &hold).unwrap();
    let backup = depot.dir.path().join("backup");
    let to = backup.to_str().unwrap();
    let (running, _) = Station::start(&depot);
    station(&depot, &["backup", to]).unwrap();
    assert!(station(&depot, &["backup", to]).unwrap_err().contains("is not empty"));
    assert!(station(&depot, &["restore", to]).unwrap_err().contains("is not empty"));
    drop(running);

    let data = &depot.config.data;
    fs::remove_dir_all(data).unwrap();
    let restored = station(&depot, &["restore", to]).unwrap();
    assert!(restored.contains("everything fits its hash"), "{restored}");
    assert!(depot.image(b"new").is_some());
    assert!(station(&depot, &["hold", "list", "--reason", "review"]).unwrap().contains("case 26-1"));

    let manifest = fs::read_to_string(backup.join("backup.json")).unwrap();
    let pack = manifest.lines().find(|line| line.contains(".pack")).unwrap().split('"').nth(3).unwrap();
    fs::write(backup.join(pack), "changed").unwrap();
    fs::remove_dir_all(data).unwrap();
    assert!(station(&depot, &["restore", to]).unwrap_err().contains("does not fit its hash"));
    assert!(!data.exists(), "nothing is left of it");
    other_key(&depot.config.archive_key);
    assert!(station(&depot, &["restore", to]).unwrap_err().contains("another key"));
}

fn other_key(path: &Path) {
    fs::remove_file(path).unwrap();
    ArchiveKey::create_file(path).unwrap();
}

/// Files and folders below `folder`, and itself, that do not belong to `user`.
fn not_of(user: u32, folder: &Path) -> Vec<PathBuf> {
    let mut all = vec![folder.to_owned()];
    for entry in fs::read_dir(folder).unwrap() {
        match entry.unwrap().path() {
            path if path.is_dir() => all.extend(not_of(user, &path)),
            path => all.push(path),
        }
    }
    all.retain(|path| fs::metadata(path).unwrap().uid() != user);
    all
}

// policy: P-15
#[test]
fn what_root_holds_purges_or_restores_belongs_to_the_stations_user() {
    const STATION_USER: u32 = 65_534;
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        eprintln!("skipped: only root can give files away");
        return;
    }
    let depot = Depot::new();
    let (old, new) = filled(&depot);
    let data = &depot.config.data;
    for path in not_of(STATION_USER, data) {
        chown(path, Some(STATION_USER), Some(STATION_USER)).unwrap();
    }
    let (old, new) = (old.to_string(), new.to_string());
    let held = station(&depot, &["hold", "add", "--case", "26-1", "--reason", "homicide, evidence", &old]).unwrap();
    assert_eq!(not_of(STATION_USER, data), [""; 0].map(PathBuf::from));
    station(&depot, &["purge"]).unwrap();
    assert_eq!(not_of(STATION_USER, data), [""; 0].map(PathBuf::from));
    station(&depot, &["hold", "add", "--case", "26-2", "--reason", "robbery, evidence", &new]).unwrap();
    let id = held.split_whitespace().nth(1).unwrap();
    station(&depot, &["hold", "release", id, "--reason", "case closed"]).unwrap();
    assert_eq!(not_of(STATION_USER, data), [""; 0].map(PathBuf::from));

    let backup = depot.dir.path().join("backup");
    let to = backup.to_str().unwrap();
    station(&depot, &["backup", to]).unwrap();
    for file in fs::read_dir(data).unwrap() {
        match file.unwrap().path() {
            path if path.is_dir() => fs::remove_dir_all(path).unwrap(),
            path => fs::remove_file(path).unwrap(),
        }
    }
    station(&depot, &["restore", to]).unwrap();
    assert_eq!(not_of(STATION_USER, data), [""; 0].map(PathBuf::from));
}
