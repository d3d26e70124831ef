//! A vehicle without a link: its reads go to the station on a medium, and the receipts come back.

use crate::kit::car::{options, send_all};
use crate::kit::disk::SmallDisk;
use crate::kit::process::{Station, until};
use crate::kit::store::{Place, events, hit, permit, read, reads};
use crate::kit::{Depot, VEHICLE, batch, body, record, seal};
use jiff::{SignedDuration, Timestamp};
use plated_access::{Gate, Settings as Access};
use plated_core::clock::{SystemClock, id_at};
use plated_core::medium::{self, MediumKey, MediumRecipient, is_part, receipt_of};
use plated_core::signing::Signer;
use plated_core::tls::authority::Authority;
use plated_core::tls::{Files, Identity};
use plated_station::archive::Query;
use plated_vehicle::purge::{Purger, Settings};
use plated_vehicle::store::{NewImage, NewRead, Store, What, check};
use plated_vehicle::transfer::{Progress, Sender, StoreOutbox};
use std::collections::{BTreeSet, HashMap};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use tempfile::TempDir;
use uuid::Uuid;

/// A vehicle with its certificates, a station, and a stick that goes between them.
struct Trip {
    depot: Depot,
    place: Place,
    stick: TempDir,
    kept: HashMap<Uuid, NewRead>,
}

impl Trip {
    fn new() -> Self {
        let depot = Depot::new();
        let key = MediumKey::create_file(&depot.config.medium_key).unwrap();
        key.recipient().write(&depot.vehicle.key.with_file_name("medium.pub")).unwrap();
        depot.file();
        let place = Place::new();
        place.clock.jump_to(Timestamp::now());
        let text = format!(
            "vehicle = \"{VEHICLE}\"\nsources = [{{ name = \"a\", kind = \"video\", path = \"a\" }}]\n[store]\n\
             path = \"store.db\"\nkey_file = \"store.key\"\n[transfer]\nstation = \"https://localhost:1\"\n\
             ca = \"{0}/ca.crt\"\ncertificate = \"{0}/vehicle.crt\"\nkey = \"{0}/vehicle.key\"\n\
             receipt_keys = \"{0}/receipt.pub\"\nmedium_recipient = \"{0}/medium.pub\"\nwhen = \"manual\"\n",
            depot.vehicle.key.parent().unwrap().display()
        );
        std::fs::write(place.dir.path().join("plated.toml"), text).unwrap();
        Self { depot, place, stick: tempfile::tempdir().unwrap(), kept: HashMap::new() }
    }

    fn store(&self) -> Store {
        self.place.open().0
    }

    /// Keeps so many reads, each with a picture of so many bytes.
    fn drive(&mut self, count: usize, picture: usize) {
        let store = self.store();
        for n in 0..count {
            let now = Timestamp::now();
            let mut new = read(&format!("7MED{n:03}"));
            (new.record.id, new.record.first_seen, new.record.last_seen) = (id_at(now), now, now);
            if n.is_multiple_of(9) {
                new.record.hits.push(hit("svs"));
            }
            let jpeg = crate::kit::store::picture(new.record.id.as_u128() as u64, picture);
            new.images[1] = NewImage { jpeg, ..new.images[1].clone() };
            store.put_read(&new).unwrap();
            self.kept.insert(new.record.id, new);
        }
        store.close().unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plated"));
        command.args(args).arg("--config").arg(self.place.dir.path().join("plated.toml"));
        command.env("XDG_RUNTIME_DIR", self.place.dir.path());
        command
    }

    fn plated(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    fn transferred(&self) -> u64 {
        let store = self.store();
        let transferred = store.stats().unwrap().transferred;
        store.close().unwrap();
        transferred
    }

    /// Empties the stick; gives its parts.
    fn take_parts(&self) -> Vec<(String, Vec<u8>)> {
        let parts = self.parts().into_iter();
        let parts = parts.map(|p| (p.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(p).unwrap()));
        let parts = parts.collect();
        for entry in std::fs::read_dir(self.stick.path()).unwrap() {
            std::fs::remove_file(entry.unwrap().path()).unwrap();
        }
        parts
    }

    fn export(&self) -> String {
        well(&self.plated(&["medium", "export", self.dir(), "--reason", "no link"]))
    }

    fn receipts(&self) -> String {
        well(&self.plated(&["medium", "receipts", self.dir()]))
    }

    fn import(&self, more: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plated-station"));
        command.args(["medium", "import", self.dir(), "--reason", "from unit-7", "--config"]);
        command.arg(self.depot.dir.path().join("station.toml")).args(more).output().unwrap()
    }

    fn dir(&self) -> &str {
        self.stick.path().to_str().unwrap()
    }

    fn parts(&self) -> Vec<PathBuf> {
        let mut parts: Vec<_> = std::fs::read_dir(self.stick.path()).unwrap().map(|e| e.unwrap().path()).collect();
        parts.retain(|path| is_part(&path.file_name().unwrap().to_string_lossy()));
        parts.sort();
        parts
    }

    /// Each read and picture is there once, as it was made.
    fn all_at_station(&self) {
        let archive = self.depot.archive();
        let (mut query, mut found) = (Query::default(), BTreeSet::new());
        loop {
            let page = archive.search(&permit(), &query).unwrap();
            for read in page.reads {
                assert!(found.insert(read.id), "once");
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
        assert_eq!(found, self.kept.keys().copied().collect());
        for (id, new) in &self.kept {
            for image in &new.images {
                let sha256 = image.reference().unwrap().sha256;
                assert_eq!(archive.picture(&permit(), *id, &sha256).unwrap().unwrap()[..], image.jpeg[..]);
            }
        }
    }
}

fn well(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

// policy: P-11, P-12, P-13
#[test]
fn what_goes_out_on_a_medium_is_at_the_station_once_and_goes_from_the_vehicle_after_its_receipt() {
    let mut trip = Trip::new();
    trip.drive(60, 400_000);
    let told = trip.export();
    assert!(told.starts_with("60 reads in ") && trip.parts().len() >= 2, "{told}");
    // Nothing on the stick tells of a plate or a vehicle.
    for part in trip.parts() {
        let (name, bytes) = (part.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&part).unwrap());
        assert!(bytes.len() < 17 << 20, "{name} has {}", bytes.len());
        for telling in [&b"7MED"[..], VEHICLE.as_bytes(), b"JFIF"] {
            assert!(!bytes.windows(telling.len()).any(|w| w == telling) && !name.contains(VEHICLE));
        }
    }
    let store = trip.store();
    assert_eq!(store.stats().unwrap().transferred, 0, "an export marks nothing");
    let exported = events(&store).into_iter().filter(|e| e.what == What::MediumExported);
    let exported: Vec<_> = exported.collect();
    assert!(exported.len() == 1 && exported[0].reason == "no link" && exported[0].subject["waiting"] == "60");
    store.close().unwrap();

    let taken = well(&trip.import(&[]));
    assert!(taken.contains("60 reads in") && !taken.contains("7MED"), "{taken}");
    trip.all_at_station();
    let told = trip.receipts();
    assert!(told.contains("the station has 60 reads"), "{told}");
    let store = trip.store();
    let stats = store.stats().unwrap();
    assert_eq!((stats.transferred, stats.reads, stats.pending), (60, 60, 0));
    assert_eq!(events(&store).iter().filter(|e| e.what == What::ReceiptBrought).count(), trip.parts().len());
    let gate = Arc::new(Gate::new(Arc::new(store.clone()), Access::default()).0);
    let mut purger = Purger::new(store.clone(), gate, trip.place.clock.clone(), Settings::default(), 12);
    assert_eq!(purger.round(&mut || false).unwrap().reads, 0);
    trip.place.clock.jump_to(Timestamp::now() + SignedDuration::from_hours(37));
    assert_eq!(purger.round(&mut || false).unwrap().reads, 60);
    assert!(reads(&store, 9).is_empty());
    store.close().unwrap();
    assert_eq!(check(&trip.place.path(), &trip.place.key).unwrap().problems(), 0);
    trip.all_at_station();
    // The receipts again, and those of others, change nothing.
    let told = trip.receipts();
    assert!(told.contains("the station has 0 reads"), "{told}");
}

// policy: P-11, P-12
#[test]
fn a_file_that_was_cut_off_is_named_the_others_count_and_the_next_export_brings_what_is_missing() {
    let mut trip = Trip::new();
    trip.drive(60, 400_000);
    trip.export();
    let largest = trip.parts().into_iter().max_by_key(|part| std::fs::metadata(part).unwrap().len()).unwrap();
    let bytes = std::fs::read(&largest).unwrap();
    std::fs::write(&largest, &bytes[..bytes.len() / 2]).unwrap();
    let import = trip.import(&[]);
    let told = said(&import);
    let name = largest.file_name().unwrap().to_string_lossy().into_owned();
    assert!(!import.status.success() && told.contains(&format!("{name}: NOT TAKEN IN: it was cut off")), "{told}");
    assert!(!trip.stick.path().join(receipt_of(&name)).exists());
    trip.receipts();
    let store = trip.store();
    let waiting = store.stats().unwrap().pending;
    store.close().unwrap();
    assert!((1..60).contains(&waiting), "{waiting}");
    let told = trip.export();
    assert!(told.starts_with(&format!("{waiting} read")), "{told}");
    std::fs::remove_file(&largest).unwrap();
    well(&trip.import(&[]));
    trip.all_at_station();
    trip.receipts();
    let store = trip.store();
    assert_eq!(store.stats().unwrap().transferred, 60);
    store.close().unwrap();
}

// policy: P-11
#[test]
fn an_export_that_was_cut_off_goes_on_and_an_import_that_comes_again_does_no_harm() {
    let mut trip = Trip::new();
    trip.drive(60, 400_000);
    trip.export();
    let before = trip.parts();
    // As it was when the stick was pulled: one file less.
    let lost = before.iter().max_by_key(|part| std::fs::metadata(part).unwrap().len()).unwrap();
    std::fs::remove_file(lost).unwrap();
    let told = trip.export();
    let again: usize = told.split(' ').next().unwrap().parse().unwrap();
    assert!((1..60).contains(&again), "only what is missing: {told}");
    well(&trip.import(&[]));
    trip.all_at_station();
    let told = well(&trip.import(&[]));
    assert!(told.contains("0 reads in 0 files") && told.contains("had their receipts already"), "{told}");
    let told = well(&trip.import(&["--again"]));
    assert!(told.contains("it came before"), "{told}");
    trip.all_at_station();
    let told = trip.receipts();
    assert!(told.contains("the station has 60 reads"), "{told}");
}

// policy: P-11, P-25
#[test]
fn a_file_of_another_vehicle_of_a_stranger_or_for_another_station_is_named_and_left_alone() {
    let trip = Trip::new();
    let clock = SystemClock::new();
    let recipient = MediumRecipient::load(&trip.depot.vehicle.key.with_file_name("medium.pub")).unwrap();
    let write = |identity: &Identity, to: &MediumRecipient, vehicle: &str| {
        let sealed = medium::seal(to, identity, &body(&batch(vehicle, vec![seal(&record(&[]))]))).unwrap();
        let name = medium::new_name();
        std::fs::write(trip.stick.path().join(&name), sealed).unwrap();
        name
    };
    let load = |issued: &plated_core::tls::authority::Issued| {
        Identity::load(&Files { ca: &issued.ca, certificate: &issued.certificate, key: &issued.key }).unwrap()
    };
    let (own, elsewhere) = (load(&trip.depot.vehicle), tempfile::tempdir().unwrap());
    let nine = trip.depot.authority.issue_vehicle("unit-9", &elsewhere.path().join("9"), &clock).unwrap();
    let stranger = Authority::create(elsewhere.path(), &clock).unwrap();
    let stranger = stranger.issue_vehicle(VEHICLE, &elsewhere.path().join("7"), &clock).unwrap();
    let good = write(&own, &recipient, VEHICLE);
    for (name, why) in [
        (write(&load(&nine), &recipient, VEHICLE), "it names another vehicle than its certificate"),
        (write(&load(&stranger), &recipient, VEHICLE), "the certificate of who made it does not count here"),
        (write(&own, &MediumKey::generate().recipient(), VEHICLE), "it is encrypted for another station"),
    ] {
        let told = said(&trip.import(&[]));
        assert!(told.contains(&format!("{name}: NOT TAKEN IN: {why}")), "{told}");
        assert!(!trip.stick.path().join(receipt_of(&name)).exists());
        std::fs::remove_file(trip.stick.path().join(name)).unwrap();
    }
    assert!(trip.stick.path().join(receipt_of(&good)).exists(), "the good one was taken in beside the others");
    assert_eq!(trip.depot.reads(), 1);
    // Its receipt answers nothing that this vehicle exported.
    let told = trip.receipts();
    assert!(told.contains("the station has 0 reads; 1 receipt passed over"), "{told}");
}

// policy: P-11
#[test]
fn a_running_station_takes_a_medium_in_and_goes_on() {
    let mut trip = Trip::new();
    trip.drive(5, 10_000);
    trip.export();
    trip.depot.tables = "[metrics]\nlisten = \"127.0.0.1:0\"\n".into();
    let mut command = Command::new(env!("CARGO_BIN_EXE_plated-station"));
    command.args(["run", "--config"]).arg(trip.depot.file()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut station = Station(command.spawn().unwrap());
    let mut said = BufReader::new(station.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let metrics = said.find_map(|line| Some(line.strip_prefix("metrics at http://")?.to_owned())).unwrap();
    let listed = trip.depot.well(&["vehicle", "list"]);
    assert!(!listed.contains(VEHICLE), "it never came: {listed}");
    let told = well(&trip.import(&[]));
    assert!(told.contains("5 reads in"), "{told}");
    // It counts as contact and as use of the certificate, and is in the numbers.
    let listed = trip.depot.well(&["vehicle", "list"]);
    assert!(listed.contains(VEHICLE) && !listed.contains("never used"), "{listed}");
    assert!(trip.depot.well(&["vehicles"]).contains(VEHICLE));
    let (address, path) = metrics.split_once('/').unwrap();
    until("the numbers of the medium", || {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET /{path} HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let is_there = |line: &str| text.contains(&format!("\nplated_station_{line}"));
        (is_there("medium_reads_total 5\n") && is_there("medium_last_import_seconds ")).then_some(())
    });
    let left = std::fs::read_dir(trip.depot.config.data.join("media")).unwrap().count();
    assert_eq!(left, 0, "nothing stays behind");
    drop(station);
    trip.all_at_station();
    trip.receipts();
    let store = trip.store();
    assert_eq!(store.stats().unwrap().transferred, 5);
    store.close().unwrap();
}

#[test]
fn a_folder_that_is_not_there_and_a_key_that_is_missing_are_told_with_what_to_do() {
    let trip = Trip::new();
    let none = trip.plated(&["medium", "export", "/no/such/stick", "--reason", "test"]);
    assert!(!none.status.success() && said(&none).contains("could not look through /no/such/stick"), "{}", said(&none));
    std::fs::remove_file(trip.depot.vehicle.key.with_file_name("medium.pub")).unwrap();
    let none = trip.plated(&["medium", "export", trip.dir(), "--reason", "test"]);
    assert!(!none.status.success() && said(&none).contains("medium.pub"), "{}", said(&none));
    assert!(trip.parts().is_empty() && Path::new(trip.dir()).exists());
}

// policy: P-11, P-12
#[test]
fn on_a_medium_that_fills_up_what_is_whole_counts_and_the_next_one_takes_the_rest() {
    let mut trip = Trip::new();
    trip.drive(100, 400_000);
    let small = trip.stick.path().join("small");
    let Some(disk) = SmallDisk::mount(&small, 30) else {
        eprintln!("skipped: only root can mount a small disk");
        return;
    };
    let full = trip.plated(&["medium", "export", small.to_str().unwrap(), "--reason", "no link"]);
    let told = said(&full);
    assert!(!full.status.success() && told.contains("No space left") && told.contains("--rest"), "{told}");
    let names: Vec<String> =
        std::fs::read_dir(&small).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert!(names.len() == 2 && names.iter().all(|name| is_part(name)), "whole parts and nothing else: {names:?}");
    let told = well(&trip.plated(&["medium", "export", trip.dir(), "--rest", "--reason", "no link"]));
    let rest: usize = told.split(' ').next().unwrap().parse().unwrap();
    assert!((1..100).contains(&rest), "{told}");
    for name in &names {
        std::fs::copy(small.join(name), trip.stick.path().join(name)).unwrap();
    }
    drop(disk);
    well(&trip.import(&[]));
    trip.all_at_station();
    trip.receipts();
    assert_eq!(trip.transferred(), 100);
}

// policy: P-11, P-12
#[test]
fn a_medium_that_is_pulled_out_while_it_is_written_holds_whole_files_only_and_the_next_export_goes_on() {
    let mut trip = Trip::new();
    trip.drive(100, 400_000);
    for files in [1, 2] {
        let mut export = trip.command(&["medium", "export", trip.dir(), "--reason", "no link"]);
        let mut export = export.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        until("files on the medium", || {
            (trip.parts().len() >= files || export.try_wait().unwrap().is_some()).then_some(())
        });
        export.kill().unwrap();
        export.wait().unwrap();
    }
    let key = MediumKey::load(&trip.depot.config.medium_key).unwrap();
    for part in trip.parts() {
        medium::Part::open(&key, &std::fs::read(part).unwrap()).unwrap();
    }
    let told = trip.export();
    let rest: usize = told.split(' ').next().unwrap().parse().unwrap();
    assert!((1..100).contains(&rest), "{told}");
    let hidden = std::fs::read_dir(trip.stick.path()).unwrap();
    let hidden: Vec<_> =
        hidden.map(|e| e.unwrap().file_name()).filter(|n| n.to_string_lossy().starts_with('.')).collect();
    assert!(hidden.is_empty(), "what was never finished is swept away: {hidden:?}");
    well(&trip.import(&[]));
    trip.all_at_station();
    trip.receipts();
    assert_eq!(trip.transferred(), 100);
}

// policy: P-11, P-22, P-26
#[tokio::test(flavor = "multi_thread")]
async fn media_beside_a_link_in_any_order_and_twice_are_kept_once_and_are_no_sign_of_a_breach() {
    let mut trip = Trip::new();
    let (station, address) = Station::start(&trip.depot);
    let link = trip.depot.link(address);
    let mut media = Vec::new();
    for n in 0..3 {
        trip.drive(4, 5_000);
        trip.export();
        media.push(trip.take_parts());
        let store = trip.store();
        let outbox = StoreOutbox::new(store.clone(), crate::kit::store::machine().transfer);
        let progress = tokio::sync::watch::Sender::new(Progress::default());
        let options = options(trip.depot.trust(), 50);
        let mut sender = Sender::new(outbox, link.clone(), options, trip.place.clock.clone(), progress);
        send_all(&mut sender).await;
        assert_eq!(store.stats().unwrap().transferred, 4 * (n + 1));
        drop(sender);
        store.close().unwrap();
    }
    for medium in [2, 0, 1, 0, 2] {
        for (name, bytes) in &media[medium] {
            std::fs::write(trip.stick.path().join(name), bytes).unwrap();
        }
        well(&trip.import(&["--again"]));
        trip.take_parts();
    }
    drop(station);
    trip.all_at_station();
    let database = trip.depot.database();
    let count = |table: &str| -> i64 {
        database.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    assert_eq!((count("cloned_vehicles"), count("security_events")), (0, 0));
}

// policy: P-11, P-26
#[test]
fn a_file_of_a_vehicle_whose_certificate_was_revoked_is_left_alone_and_noted() {
    let mut trip = Trip::new();
    trip.drive(3, 1_000);
    trip.export();
    Signer::create_file(&trip.depot.config.hotlist_key).unwrap();
    let certificate = trip.depot.vehicle.certificate.to_str().unwrap();
    drop(Station::start(&trip.depot));
    trip.depot.well(&["vehicle", "add", certificate, "--reason", "a test"]);
    trip.depot.well(&["vehicle", "revoke", VEHICLE, "--reason", "the car was stolen"]);
    let told = said(&trip.import(&[]));
    assert!(told.contains("NOT TAKEN IN") && told.contains("was revoked"), "{told}");
    assert_eq!(trip.depot.reads(), 0);
    assert!(trip.depot.status().contains("revoked_certificate"), "{}", trip.depot.status());
}
