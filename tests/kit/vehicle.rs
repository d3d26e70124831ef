//! A vehicle's folder: models, key, configuration, pictures and store.

use super::process::{Daemon, Ended};
use super::{Depot, VEHICLE, reading};
use plated_core::clock::SystemClock;
use plated_core::record::ReadRecord;
use plated_station::archive::Query;
use plated_vehicle::store::{Key, Options, Store};
use std::collections::HashMap;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use tempfile::TempDir;
use uuid::Uuid;

pub struct Vehicle {
    pub dir: TempDir,
    pub key: Key,
}

/// What differs from test to test in `plated.toml`.
pub struct Settings {
    pub max_mib: u64,
    pub gone_after_s: f64,
}

impl Default for Settings {
    /// A plate has gone in the next frame that does not show it: every picture is a read.
    fn default() -> Self {
        Self { max_mib: 0, gone_after_s: 0.05 }
    }
}

impl Vehicle {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        reading::models(dir.path());
        std::fs::write(dir.path().join("asound.conf"), "pcm.!default { type null }\n").unwrap();
        let key = Key::create_file(&dir.path().join("store.key")).unwrap();
        Self { dir, key }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Makes a folder of pictures of these plates.
    pub fn pictures(&self, folder: &str, plates: &[String]) {
        reading::pictures(&self.path(folder), plates, false);
    }

    /// Writes `plated.toml`; `tables` are the sources and whatever else the test wants.
    pub fn configure(&self, settings: &Settings, tables: &[String]) {
        let Settings { max_mib, gone_after_s } = settings;
        let text = format!(
            "vehicle = \"{VEHICLE}\"\n{}\n[recognition]\ndetector = \"detector.toml\"\nreader = \"reader.toml\"\n\
             workers = 2\ngone_after_s = {gone_after_s}\n[store]\npath = \"store.db\"\nkey_file = \"store.key\"\n\
             max_mib = {max_mib}\n",
            tables.concat()
        );
        std::fs::write(self.path("plated.toml"), text).unwrap();
    }

    pub fn start(&self, args: &[&str]) -> Daemon {
        Daemon::start(self.dir.path(), args)
    }

    /// Runs until the sources have ended, and waits for the station's receipts.
    pub fn run_to_the_end(&self) -> Ended {
        self.start(&["--until-end", "--drain", "60"]).end().well()
    }

    pub fn store(&self) -> Store {
        let options = Options { path: self.path("store.db"), max_bytes: None, vehicle: "unit-7".into() };
        Store::open(options, &self.key, Arc::new(SystemClock::new())).unwrap().0
    }

    /// Every read in the store. The daemon has ended.
    pub fn stored(&self) -> HashMap<Uuid, ReadRecord> {
        let store = self.store();
        let reads = super::store::reads(&store, usize::MAX);
        assert_eq!(reads.len() as u64, store.stats().unwrap().reads);
        store.close().unwrap();
        reads.into_iter().map(|r| (r.id, r)).collect()
    }

    /// Sees that the store holds every read as it was announced.
    pub fn assert_stored<'a>(&self, announced: impl IntoIterator<Item = &'a ReadRecord>) {
        let stored = self.stored();
        for read in announced {
            assert_eq!(stored.get(&read.id), Some(read), "announced and not in the store, or not so");
        }
    }

    /// `plated status`, and its exit code.
    pub fn status(&self) -> (String, Option<i32>) {
        let config = self.path("plated.toml");
        let output = Command::new(env!("CARGO_BIN_EXE_plated")).args(["status", "--config"]).arg(config).output();
        let output = output.unwrap();
        (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code())
    }

    /// Another command, which is to do well, with this on its standard input. Its session lies in this folder.
    pub fn plated(&self, args: &[&str], input: &str) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plated"));
        command.args(args).arg("--config").arg(self.path("plated.toml")).env("XDG_RUNTIME_DIR", self.dir.path());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A command that reads nothing may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    /// `plated check`
    pub fn check(&self) -> Output {
        Command::new(env!("CARGO_BIN_EXE_plated"))
            .args(["check", "--config"])
            .arg(self.path("plated.toml"))
            .output()
            .unwrap()
    }
}

/// A folder of pictures as a source, each picture a fifteenth of a second after the last, played as fast as the
/// machine can; `repeat` 0 is for ever.
pub fn images(name: &str, folder: &str, repeat: u32) -> String {
    format!(
        "[[sources]]\nname = \"{name}\"\nkind = \"images\"\npath = \"{folder}\"\npace = \"every_frame\"\nrate = 15.0\n\
         repeat = {repeat}\n"
    )
}

/// A video file as a source.
pub fn video(name: &str, path: &Path) -> String {
    format!("[[sources]]\nname = \"{name}\"\nkind = \"video\"\npath = \"{}\"\npace = \"every_frame\"\n", path.display())
}

/// The way to the station, with short waits.
pub fn transfer(depot: &Depot, address: SocketAddr) -> String {
    format!(
        "[transfer]\nstation = \"https://{address}\"\nca = \"{}\"\ncertificate = \"{}\"\nkey = \"{}\"\n\
         receipt_keys = \"{}\"\nbatch_reads = 20\nidle_s = 0.02\nmax_backoff_s = 0.1\ntimeout_s = 20.0\n",
        depot.vehicle.ca.display(),
        depot.vehicle.certificate.display(),
        depot.vehicle.key.display(),
        depot.vehicle.key.with_file_name("receipt.pub").display()
    )
}

/// Sees that the station holds exactly what the vehicle's store holds, each read once.
pub fn assert_at_station(depot: &Depot, vehicle: &Vehicle) {
    let stored = vehicle.stored();
    let (archive, permit) = (depot.archive(), super::store::permit());
    let (mut query, mut at_station) = (Query::default(), HashMap::new());
    let mut pictures = 0;
    loop {
        let page = archive.search(&permit, &query).unwrap();
        for found in page.reads {
            let record = archive.read(&permit, found.id).unwrap().unwrap().record;
            at_station.insert(found.id, serde_json::from_slice::<ReadRecord>(&record).unwrap());
            // Every picture a read names is there too.
            for named in &found.envelope.pictures {
                assert!(archive.picture(&permit, found.id, &named.sha256).unwrap().is_some());
                pictures += 1;
            }
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    assert_eq!(at_station.len(), stored.len(), "the station has as many reads as the vehicle");
    assert_eq!(at_station, stored);
    assert_eq!(pictures, stored.values().map(|read| read.images.len()).sum::<usize>());
}
