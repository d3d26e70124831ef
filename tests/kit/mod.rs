//! What the tests share.
#![allow(dead_code, reason = "each test binary uses its own part")]

pub mod browser;
pub mod car;
pub mod clock;
pub mod console;
pub mod corpus;
pub mod disk;
pub mod gpsd;
pub mod list_server;
pub mod logind;
pub mod matroska;
pub mod middle;
pub mod mjpeg;
pub mod objects;
pub mod onnx;
pub mod postgres;
pub mod provider;
pub mod process;
pub mod proxy;
pub mod radio;
pub mod random;
pub mod reading;
pub mod rtsp;
pub mod sound;
pub mod station_pages;
pub mod store;
pub mod vehicle;

use plated_core::clock::SystemClock;
use plated_core::digest::Sha256;
use plated_core::record::{ImageRef, ImageRole, ReadRecord};
use plated_core::signing::{Signer, write_public};
use plated_core::tls::authority::{Authority, Issued};
use plated_core::wire::Computer;
use plated_core::wire::batch::{
    BatchCounts, BatchHeader, BatchPicture, BatchWriter, Receipt, SealedDocument, SealedRead, SealedRow, SignedReceipt,
    WaitingReport,
};
use plated_station::archive::{
    ArchiveSettings, Engine, EngineKind, ObjectOptions, PostgresArchive, PostgresOptions, Query, Retention,
    SqliteArchive,
};
use plated_station::{ArchiveKey, Overdue, ServerOptions, StationConfig, StationServer};
use plated_vehicle::transfer::{Answer, Link};
use plated_vehicle::transfer::{HttpsLink, Settings};
use rusqlite::Connection;
use serde_json::value::RawValue;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use uuid::Uuid;

pub const VEHICLE: &str = "unit-7";

/// The record of the golden file.
pub fn golden_record() -> ReadRecord {
    serde_json::from_str(include_str!("../golden/read_record.json")).unwrap()
}

/// A new read of [`VEHICLE`] with these images.
pub fn record(images: &[Vec<u8>]) -> ReadRecord {
    let image = |bytes: &Vec<u8>| ImageRef {
        role: ImageRole::Plate,
        sha256: Sha256::of(bytes),
        bytes: bytes.len().try_into().unwrap(),
    };
    ReadRecord { id: Uuid::now_v7(), images: images.iter().map(image).collect(), ..golden_record() }
}

/// Seals a record as the store does.
pub fn seal(record: &ReadRecord) -> SealedRead {
    seal_text(record.id, serde_json::to_string(record).unwrap())
}

/// Seals any text under `id`.
pub fn seal_text(id: Uuid, text: String) -> SealedRead {
    SealedRead { id, sha256: Sha256::of(text.as_bytes()), record: text.into_bytes() }
}

/// A batch to be sent.
pub struct Batch {
    pub batch: Uuid,
    pub vehicle: String,
    pub computer: Option<Computer>,
    pub reads: Vec<SealedRead>,
    pub pictures: Vec<BatchPicture>,
    pub documents: Vec<SealedDocument>,
    pub rows: Vec<SealedRow>,
    pub audit_head: Option<String>,
}

pub fn batch(vehicle: &str, reads: Vec<SealedRead>) -> Batch {
    let (pictures, documents, rows) = Default::default();
    let (batch, vehicle) = (Uuid::now_v7(), vehicle.into());
    Batch { batch, vehicle, computer: None, reads, pictures, documents, rows, audit_head: None }
}

/// Pictures as they travel.
pub fn pictures(all: &[Vec<u8>]) -> Vec<BatchPicture> {
    all.iter().map(|jpeg| BatchPicture { sha256: Sha256::of(jpeg), jpeg: jpeg.clone() }).collect()
}

pub fn body(batch: &Batch) -> Vec<u8> {
    body_with(batch, None)
}

/// The same with what waits beside it.
pub fn body_with(batch: &Batch, waiting: Option<WaitingReport>) -> Vec<u8> {
    let counts = BatchCounts {
        reads: batch.reads.len(),
        pictures: batch.pictures.len(),
        documents: batch.documents.len(),
        audit_rows: batch.rows.len(),
    };
    let header = BatchHeader {
        batch: batch.batch,
        vehicle: batch.vehicle.clone(),
        computer: batch.computer,
        sent: jiff::Timestamp::now(),
        waiting,
        audit_head: batch.audit_head.clone().map(|head| RawValue::from_string(head).unwrap()),
        counts,
    };
    let mut writer = BatchWriter::new(Vec::new(), &header).unwrap();
    batch.reads.iter().for_each(|read| writer.read(read).unwrap());
    batch.documents.iter().for_each(|document| writer.document(document).unwrap());
    batch.rows.iter().for_each(|row| writer.audit_row(row).unwrap());
    batch.pictures.iter().for_each(|picture| writer.picture(picture).unwrap());
    writer.finish().unwrap()
}

/// Sends a body as a batch.
pub async fn post(link: &HttpsLink, body: Vec<u8>) -> plated_core::error::Result<Answer> {
    link.post_batch(body, Duration::from_secs(60)).await
}

/// The receipt in an answer, whoever signed it.
pub fn receipt(answer: &Answer) -> Receipt {
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    serde_json::from_slice::<SignedReceipt>(&answer.body).unwrap().content().unwrap()
}

/// A folder with an authority, a station's configuration and a vehicle's certificate.
pub struct Depot {
    pub dir: TempDir,
    pub config: StationConfig,
    pub authority: Authority,
    pub vehicle: Issued,
    /// More tables of `station.toml`.
    pub tables: String,
    /// Its database and bucket, where it is not in files.
    region: Option<(String, ObjectOptions)>,
}

impl Depot {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = SystemClock::new();
        let authority = Authority::create(dir.path(), &clock).unwrap();
        let own = authority.issue_station(&["localhost".into(), "127.0.0.1".into()], &clock).unwrap();
        let vehicle = authority.issue_vehicle(VEHICLE, &dir.path().join("vehicle"), &clock).unwrap();
        ArchiveKey::create_file(&dir.path().join("archive.key")).unwrap();
        let config = StationConfig {
            listen: "127.0.0.1:0".parse().unwrap(),
            name: "station-1".into(),
            data: dir.path().join("data"),
            ca: own.ca,
            authority_key: Some(dir.path().join("ca.key")),
            certificate: own.certificate,
            key: own.key,
            hotlist_key: dir.path().join("hotlist.key"),
            receipt_key: dir.path().join("receipt.key"),
            archive_key: dir.path().join("archive.key"),
            medium_key: dir.path().join("medium.key"),
            seal_key: dir.path().join("seal.key"),
            retention: Retention::default(),
            overdue: Overdue::default(),
            archive: ArchiveSettings::default(),
            sources: Vec::new(),
            metrics: None,
            log: plated_station::Log::default(),
            forward: None,
            push: Vec::new(),
            downstream: Vec::new(),
            pages: None,
            audits: Default::default(),
            release: Default::default(),
            access: Default::default(),
        };
        let signer = Signer::create_file(&config.receipt_key).unwrap();
        write_public(&dir.path().join("receipt.pub"), &signer.public_key()).unwrap();
        write_public(&dir.path().join("vehicle/receipt.pub"), &signer.public_key()).unwrap();
        Self { dir, config, authority, vehicle, tables: String::new(), region: None }
    }

    /// One for each engine that is there: files, and PostgreSQL with object storage. Blocks.
    pub fn on_each_engine() -> Vec<Self> {
        let mut all = vec![Self::new()];
        if let Some(server) = postgres::Postgres::shared() {
            let mut depot = Self::new();
            depot.on_postgres(&server.database(), &objects::Objects::shared().bucket());
            all.push(depot);
        }
        all
    }

    /// Starts a station in this process; it lives as long as the runtime.
    pub async fn serve(&self) -> SocketAddr {
        let server = StationServer::bind(&self.config, Arc::new(SystemClock::new())).await.unwrap();
        let address = server.address();
        tokio::spawn(server.run(std::future::pending()));
        address
    }

    /// The file `station.toml` for the real binary.
    pub fn file(&self) -> PathBuf {
        self.file_at("127.0.0.1:0".parse().unwrap())
    }

    /// The same for a station that listens on this address.
    pub fn file_at(&self, address: SocketAddr) -> PathBuf {
        let path = self.dir.path().join("station.toml");
        let text = format!(
            "listen = \"{address}\"\nname = \"station-1\"\ndata = \"data\"\nca = \"ca.crt\"\n\
             certificate = \"station.crt\"\nkey = \"station.key\"\nauthority_key = \"ca.key\"\n{}",
            self.tables
        );
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Puts its archive into a database and a bucket.
    pub fn on_postgres(&mut self, url: &str, objects: &ObjectOptions) {
        let secret = |name: &str, text: &str| {
            let path = self.dir.path().join(name);
            let _ = std::fs::remove_file(&path);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o400)).unwrap();
            Some(path)
        };
        self.config.archive = ArchiveSettings {
            engine: EngineKind::Postgresql,
            database: secret("database.url", url),
            bucket: Some(objects.bucket.clone()),
            endpoint: objects.endpoint.clone(),
            object_key: secret("object.key", &format!("{}\n{}\n", objects.key_id, objects.secret)),
            ..ArchiveSettings::default()
        };
        self.region = Some((url.to_owned(), objects.clone()));
        self.tables = format!(
            "[archive]\nengine = \"postgresql\"\ndatabase = \"database.url\"\nbucket = \"{}\"\nendpoint = \"{}\"\n\
             object_key = \"object.key\"\n",
            objects.bucket,
            objects.endpoint.as_deref().unwrap_or_default()
        );
    }

    /// Whose receipts a vehicle of this station trusts.
    pub fn trust(&self) -> plated_core::signing::Trust {
        plated_core::signing::Trust::load(&self.dir.path().join("receipt.pub")).unwrap()
    }

    pub fn link(&self, address: SocketAddr) -> HttpsLink {
        link(&self.vehicle, VEHICLE, &self.vehicle.ca, address)
    }

    /// `plated-station …` with this station's configuration.
    pub fn command(&self, args: &[&str]) -> std::process::Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plated-station"));
        command.args(args).arg("--config").arg(self.dir.path().join("station.toml")).output().unwrap()
    }

    /// The same, which is to do well; what it prints.
    pub fn well(&self, args: &[&str]) -> String {
        let done = self.command(args);
        assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    /// What `plated-station status` prints.
    pub fn status(&self) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plated-station"));
        let output = command.args(["status", "--config"]).arg(self.file()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The station's database, read from outside.
    pub fn database(&self) -> Connection {
        self.database_at(&self.config.data.join("station.db"))
    }

    /// The same of a copy.
    pub fn database_at(&self, path: &Path) -> Connection {
        let key = ArchiveKey::load(&self.config.archive_key).unwrap().of_database().unwrap();
        let connection = Connection::open(path).unwrap();
        connection.pragma_update(None, "key", format!("x'{}'", hex::encode(*key))).unwrap();
        connection
    }

    /// The archive, beside a station that may be running.
    pub fn archive(&self) -> Box<dyn Engine> {
        let key = ArchiveKey::load(&self.config.archive_key).unwrap();
        let Some((url, objects)) = &self.region else {
            return Box::new(SqliteArchive::beside(&self.config.archive(key)).unwrap());
        };
        let options = PostgresOptions {
            server: ServerOptions { url: url.clone(), ca: None, connections: 4 },
            objects: objects.clone(),
            key,
            station: &self.config.name,
            retention: self.config.retention,
        };
        Box::new(PostgresArchive::open(&options).unwrap())
    }

    /// How often a read is at the station with exactly this content.
    pub fn stored(&self, read: &SealedRead) -> u64 {
        let stored = self.archive().read(&store::permit(), read.id).unwrap();
        u64::from(stored.is_some_and(|stored| stored.found.sha256 == read.sha256 && stored.record == read.record))
    }

    pub fn reads(&self) -> i64 {
        if self.region.is_none() && !self.config.database().exists() {
            return 0;
        }
        self.archive().statistics(jiff::civil::Date::MIN, jiff::civil::Date::MIN).unwrap().reads.cast_signed()
    }

    /// The picture of these bytes, if it is there with a read.
    pub fn image(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let (archive, permit, sha256) = (self.archive(), store::permit(), Sha256::of(bytes));
        let page = archive.search(&permit, &Query::default()).unwrap();
        let id = page.reads.iter().find(|f| f.envelope.pictures.iter().any(|p| p.sha256 == sha256))?.id;
        archive.picture(&permit, id, &sha256).unwrap().map(|bytes| bytes.to_vec())
    }
}

/// So many bytes that do not compress, other ones for each seed, in the place of a picture.
pub fn pixels(seed: u32, bytes: u32) -> Vec<u8> {
    let byte = |n: u32| (n.wrapping_add(seed.wrapping_mul(7_919)).wrapping_mul(2_654_435_761) >> 13) as u8;
    (0..bytes).map(byte).collect()
}

/// A link of the depot's vehicle, with other settings.
pub fn link_to(depot: &Depot, address: SocketAddr, change: impl FnOnce(&mut Settings)) -> HttpsLink {
    let mut settings = settings(&depot.vehicle, &depot.vehicle.ca, address);
    change(&mut settings);
    HttpsLink::new(VEHICLE, &settings, Arc::new(SystemClock::new())).unwrap()
}

pub fn link(files: &Issued, vehicle: &str, ca: &Path, address: SocketAddr) -> HttpsLink {
    HttpsLink::new(vehicle, &settings(files, ca, address), Arc::new(SystemClock::new())).unwrap()
}

fn settings(files: &Issued, ca: &Path, address: SocketAddr) -> Settings {
    Settings {
        station: format!("https://{address}"),
        ca: ca.to_owned(),
        certificate: files.certificate.clone(),
        key: files.key.clone(),
        receipt_keys: files.key.with_file_name("receipt.pub"),
        medium_recipient: "medium.pub".into(),
        batch_reads: 50,
        idle_s: 0.01,
        max_backoff_s: 0.01,
        timeout_s: 20.0,
        bandwidth_kbit_s: None,
        when: plated_vehicle::transfer::When::Immediate,
        windows: Vec::new(),
        station_interface: None,
        station_ssid: None,
        station_route: None,
        warn_days: 20,
        critical_days: 27,
        limit_days: 30,
    }
}
