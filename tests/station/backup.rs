//! Backup and restore of an archive on PostgreSQL and object storage, by the commands of the guide. Those of an archive in
//! files are in `archive/commands.rs`.

use super::region::{region, well};
use crate::kit::objects::Objects;
use crate::kit::postgres::{Postgres, name_of};
use crate::kit::process::{Station, until};
use crate::kit::{Batch, Depot, VEHICLE, batch, body, pictures, pixels, post, receipt, record, seal};
use plated_station::ArchiveKey;
use plated_station::archive::ObjectOptions;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use uuid::Uuid;

const GUIDE: &str = include_str!("../../docs/guide/postgresql.md");
/// The folder of the backup in the guide.
const IN_GUIDE: &str = "/srv/backup/plated-2026-11-27";

/// The words of a command of the guide, with this folder, and without the configuration, which [`Depot::command`] names.
fn of_guide(command: &str, folder: &Path) -> Vec<String> {
    let section = GUIDE.split("## Backup").nth(1).unwrap();
    let mut lines = section.lines().filter(|line| line.starts_with(&format!("plated-station {command} ")));
    let line = lines.next().unwrap().strip_suffix(" --config station.toml").unwrap();
    assert!(line.contains(IN_GUIDE), "{line}");
    line.split(' ').skip(1).map(|word| word.replace(IN_GUIDE, folder.to_str().unwrap())).collect()
}

/// What a command says, and whether it went well.
fn run(depot: &Depot, words: &[String]) -> (bool, String) {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = tokio::task::block_in_place(|| depot.command(&words));
    let text = String::from_utf8([done.stdout, done.stderr].concat()).unwrap();
    (done.status.success(), text)
}

fn backup(depot: &Depot, folder: &Path) -> (bool, String) {
    run(depot, &of_guide("backup", folder))
}

fn restore(depot: &Depot, folder: &Path) -> (bool, String) {
    run(depot, &of_guide("restore", folder))
}

/// Puts the station's archive at a new and empty place; gives the name of the database.
async fn move_away(depot: &mut Depot) -> (String, ObjectOptions) {
    let server = Postgres::shared().unwrap();
    let url = tokio::task::block_in_place(|| server.database());
    let objects = Objects::shared().bucket();
    depot.on_postgres(&url, &objects);
    depot.file();
    (name_of(&url).to_owned(), objects)
}

/// Sends a read with a picture; gives its id.
async fn send(depot: &Depot, address: SocketAddr, seed: u32) -> Uuid {
    let images = vec![pixels(seed, 3000)];
    let read = record(&images);
    let sent = Batch { pictures: pictures(&images), ..batch(VEHICLE, vec![seal(&read)]) };
    let receipt = receipt(&post(&depot.link(address), body(&sent)).await.unwrap());
    assert_eq!(receipt.reads.durable.len(), 1);
    read.id
}

/// All files in a folder and below.
fn files(folder: &Path) -> Vec<PathBuf> {
    let all = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    all.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

// policy: P-15, P-25
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_database_and_bucket_comes_back_whole_at_an_empty_place_and_only_as_it_was_written() {
    let Some(mut depot) = region().await else { return };
    let folder = depot.dir.path().join("backup");
    let (station, address) = Station::start(&depot);
    let read = send(&depot, address, 1).await;
    send(&depot, address, 2).await;
    well(&depot, &["hold", "add", "--case", "26-1", "--reason", "homicide, evidence", &read.to_string()]);
    let plate = record(&[]).text;
    let search = ["search", &plate, "--reason", "witness named it"];
    let found = well(&depot, &search);

    let (is_well, said) = backup(&depot, &folder);
    assert!(is_well && said.contains("the key") && said.contains("is not in it"), "{said}");
    let (is_well, said) = backup(&depot, &folder);
    assert!(!is_well && said.contains("is not empty"), "{said}");
    for file in files(&folder) {
        let bytes = fs::read(&file).unwrap();
        assert!(!bytes.windows(plate.len()).any(|w| w == plate.as_bytes()), "{} has a plate in clear", file.display());
    }
    // What comes later is not in it.
    send(&depot, address, 3).await;
    drop(station);
    let (is_well, said) = restore(&depot, &folder);
    assert!(!is_well && said.contains("the database has tables already"), "{said}");
    let used = depot.config.archive.clone();

    let (_, objects) = move_away(&mut depot).await;
    let (is_well, said) = restore(&depot, &folder);
    // Two reads, and the copy that the hold keeps.
    assert!(is_well && said.contains("reads 3\n") && said.contains("everything fits its hash"), "{said}");
    assert_eq!(well(&depot, &search), found);
    assert!(well(&depot, &["hold", "list", "--reason", "review"]).contains("case 26-1, 1 read"));
    // Without the look that was made since, all rows of the log are there, and it goes on.
    assert!(well(&depot, &["audit-verify"]).contains("as it was written"));
    let (station, address) = Station::start(&depot);
    send(&depot, address, 4).await;
    drop(station);
    let (is_well, said) = run(&depot, &["check".into()]);
    assert!(is_well && said.contains("reads 4\n"), "{said}");

    // An empty database, and a bucket that is used.
    depot.on_postgres(&tokio::task::block_in_place(|| Postgres::shared().unwrap().database()), &objects);
    depot.file();
    let (is_well, said) = restore(&depot, &folder);
    assert!(!is_well && said.contains("the bucket has packs of this archive already"), "{said}");
    assert_ne!(used.bucket, depot.config.archive.bucket);

    let (name, objects) = move_away(&mut depot).await;
    let packs = files(&folder.join("packs"));
    let rows = folder.join("database").join("reads_p1");
    for changed in [&packs[0], &rows] {
        let whole = fs::read(changed).unwrap();
        fs::write(changed, [&whole[..whole.len() - 1], b"?"].concat()).unwrap();
        let (is_well, said) = restore(&depot, &folder);
        assert!(!is_well && said.contains("does not fit its hash"), "{said}");
        fs::write(changed, whole).unwrap();
    }
    let tables = "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace";
    let tables = tokio::task::block_in_place(|| Postgres::shared().unwrap().sql(&name, tables));
    assert_eq!((tables.trim(), Objects::shared().packs(&objects.bucket).len()), ("0", 0), "nothing is left of it");
    fs::remove_file(&depot.config.archive_key).unwrap();
    ArchiveKey::create_file(&depot.config.archive_key).unwrap();
    let (is_well, said) = restore(&depot, &folder);
    assert!(!is_well && said.contains("another key"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_made_while_vehicles_send_has_all_that_was_receipted_before_and_nothing_by_halves() {
    let Some(mut depot) = region().await else { return };
    let folder = depot.dir.path().join("backup");
    let (station, address) = Station::start(&depot);
    for seed in 0..5 {
        send(&depot, address, seed).await;
    }
    let making = {
        let config = depot.dir.path().join("station.toml");
        let words = of_guide("backup", &folder);
        let mut command = Command::new(env!("CARGO_BIN_EXE_plated-station"));
        command.args(words).arg("--config").arg(config).stdout(Stdio::null()).spawn().unwrap()
    };
    let mut making = crate::kit::process::Station(making);
    let mut seed = 5;
    let ended = loop {
        if let Some(ended) = making.0.try_wait().unwrap() {
            break ended;
        }
        send(&depot, address, seed).await;
        seed += 1;
    };
    assert!(ended.success());
    drop(station);
    move_away(&mut depot).await;
    let (is_well, said) = restore(&depot, &folder);
    assert!(is_well && said.contains("everything fits its hash"), "{said}");
    let reads: u32 = said.strip_prefix("reads ").unwrap().lines().next().unwrap().parse().unwrap();
    assert!((5..=seed).contains(&reads), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_that_is_lost_is_named_and_keeps_nothing_else_out_of_the_backup() {
    let Some(mut depot) = region().await else { return };
    let folder = depot.dir.path().join("backup");
    let (station, address) = Station::start(&depot);
    send(&depot, address, 1).await;
    send(&depot, address, 2).await;
    drop(station);
    let lost = Objects::shared().packs(depot.config.archive.bucket.as_deref().unwrap()).remove(0);
    fs::remove_file(&lost).unwrap();
    let (is_well, said) = backup(&depot, &folder);
    let name = lost.file_name().unwrap().to_str().unwrap();
    assert!(!is_well && said.contains("LOST ") && said.contains(name), "{said}");
    move_away(&mut depot).await;
    let (is_well, said) = restore(&depot, &folder);
    assert!(!is_well && said.contains("the archive has 1 problem") && said.contains(name), "{said}");
    assert!(well(&depot, &["status"]).starts_with("reads 2\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_was_killed_is_begun_anew_and_no_station_opens_half_of_it() {
    let Some(mut depot) = region().await else { return };
    let folder = depot.dir.path().join("backup");
    let (station, address) = Station::start(&depot);
    for seed in 0..8 {
        send(&depot, address, seed).await;
    }
    drop(station);
    assert!(backup(&depot, &folder).0);
    let storage: &'static Objects = Box::leak(Box::new(Objects::start()));
    let (url, objects) = (tokio::task::block_in_place(|| Postgres::shared().unwrap().database()), storage.bucket());
    depot.on_postgres(&url, &objects);
    let config = depot.file();
    // The list of the bucket, the mark, and some packs.
    storage.answer(6);
    let mut command = Command::new(env!("CARGO_BIN_EXE_plated-station"));
    command.args(of_guide("restore", &folder)).arg("--config").arg(config);
    let restoring = crate::kit::process::Station(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    tokio::task::block_in_place(|| until("a pack that waits", || (storage.refused() > 0).then_some(())));
    drop(restoring);
    storage.be_busy(false);
    let there = storage.packs(&objects.bucket).len();
    assert!((1..8).contains(&there), "{there}");
    let (is_well, said) = restore(&depot, &folder);
    assert!(is_well && said.contains("reads 8\n") && said.contains("everything fits its hash"), "{said}");
    assert_eq!(storage.packs(&objects.bucket).len(), 8);
}
