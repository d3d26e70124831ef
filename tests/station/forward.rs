//! A station shares reads with an upstream station, by the protocol of vehicles (control P-17).

use crate::kit::process::{Station, address, until};
use crate::kit::store::permit;
use crate::kit::{Batch, Depot, VEHICLE, batch, body, pictures, pixels, post, receipt, record, seal, seal_text};
use plated_core::clock::SystemClock;
use plated_core::record::ReadRecord;
use plated_core::signing::{Signer, write_public};
use plated_core::wire::batch::{SealedDocument, SealedRead};
use plated_station::archive::{Class, Plate, Query};
use std::net::SocketAddr;
use std::process::Command;

/// Two depots: of a department, and of the regional centre that it shares with.
struct Region {
    centre: Depot,
    department: Depot,
    /// Of the centre.
    address: SocketAddr,
}

impl Region {
    /// What is shared stands in `shared`, further keys of `[forward]`.
    fn new(shared: &str) -> Self {
        let (centre, department, address) = (Depot::new(), Depot::new(), address());
        let files = department.dir.path().join("forward");
        centre.authority.issue_vehicle("example-pd", &files, &SystemClock::new()).unwrap();
        std::fs::copy(centre.dir.path().join("receipt.pub"), files.join("receipt.pub")).unwrap();
        let config = department.file();
        let text = std::fs::read_to_string(&config).unwrap();
        let forward = format!(
            "[forward]\nstation = \"https://{address}\"\nca = \"forward/ca.crt\"\ncertificate = \"forward/vehicle.crt\"\n\
             key = \"forward/vehicle.key\"\nreceipt_keys = \"forward/receipt.pub\"\nidle_s = 0.02\nmax_backoff_s = 0.1\n\
             batch_reads = 3\n{shared}"
        );
        std::fs::write(&config, text + &forward).unwrap();
        Self { centre, department, address }
    }

    /// Starts the department's station.
    fn department(&self) -> (Station, SocketAddr) {
        run(&self.department)
    }

    /// Starts the centre, which takes reads of the department.
    fn centre(&self) -> Station {
        let config = self.centre.file_at(self.address);
        let text = std::fs::read_to_string(&config).unwrap();
        std::fs::write(&config, text + "[[downstream]]\nname = \"example-pd\"\n").unwrap();
        run(&self.centre).0
    }

    /// How often a read is at the centre with exactly this content.
    fn at_centre(&self, read: &SealedRead) -> bool {
        self.centre.config.database().exists() && self.centre.stored(read) == 1
    }

    fn waiting(&self) -> i64 {
        self.department.database().query_row("SELECT count(*) FROM forward_queue", [], |row| row.get(0)).unwrap()
    }
}

fn run(depot: &Depot) -> (Station, SocketAddr) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plated-station"));
    Station::run(command.args(["run", "--config"]).arg(depot.dir.path().join("station.toml")))
}

/// A read with a hit or without one, at a site or on patrol, with two pictures.
fn read(n: u32, has_hit: bool, site: Option<&str>) -> (ReadRecord, Vec<Vec<u8>>) {
    let images = vec![pixels(n, 3000), pixels(1000 + n, 20_000)];
    let mut read = ReadRecord { site: site.map(str::to_owned), canvass: None, ..record(&images) };
    if !has_hit {
        read.hits.clear();
    }
    (read, images)
}

async fn send(depot: &Depot, address: SocketAddr, reads: &[(ReadRecord, Vec<Vec<u8>>)]) -> Vec<SealedRead> {
    let sealed: Vec<_> = reads.iter().map(|(read, _)| seal(read)).collect();
    let all: Vec<_> = reads.iter().flat_map(|(_, images)| images.clone()).collect();
    let sent = Batch { pictures: pictures(&all), ..batch(VEHICLE, sealed.clone()) };
    let receipt = receipt(&post(&depot.link(address), body(&sent)).await.unwrap());
    assert_eq!(receipt.reads.durable.len(), reads.len(), "{receipt:?}");
    sealed
}

// policy: P-17
#[tokio::test(flavor = "multi_thread")]
async fn what_is_shared_reaches_the_upstream_station_whole_and_once_and_nothing_else_does() {
    let region = Region::new("classes = [\"hit\", \"fixed_site\"]\nsites = [\"bridge\"]\n");
    let (department, address) = region.department();
    let all = [
        read(1, true, None),
        read(2, false, None),
        read(3, false, Some("bridge")),
        read(4, false, Some("school")),
        read(5, true, Some("school")),
        read(6, true, Some("bridge")),
        read(7, true, None),
    ];
    let sealed = send(&region.department, address, &all).await;
    send(&region.department, address, &all).await;
    // The centre is not there yet, and the department's station is killed meanwhile.
    assert_eq!(region.waiting(), 4);
    assert!(region.department.well(&["status"]).contains("forward: 4 reads to go, the oldest since "));
    drop(department);
    let (_department, _) = region.department();
    let centre = region.centre();
    until("all that is shared", || (region.waiting() == 0).then_some(()));
    let shared: Vec<bool> = sealed.iter().map(|read| region.at_centre(read)).collect();
    assert_eq!(shared, [true, false, true, false, false, true, true]);
    assert_eq!(region.centre.reads(), 4, "each once");
    for (_, images) in [&all[0], &all[2], &all[5], &all[6]] {
        images.iter().for_each(|image| assert_eq!(region.centre.image(image).as_ref(), Some(image)));
    }
    let page = region.centre.archive().search(&permit(), &Query::default()).unwrap();
    assert!(page.reads.iter().all(|found| found.envelope.vehicle == format!("example-pd/{VEHICLE}")));
    let site = page.reads.iter().find(|found| found.id == all[2].0.id).unwrap();
    assert_eq!((site.envelope.class, site.envelope.site.as_deref()), (Class::FixedSite, Some("bridge")));
    // What was shared with whom is on record.
    let sql = "SELECT entry FROM audit WHERE action = 'forwarded' LIMIT 1";
    let entry: String = region.department.database().query_row(sql, [], |row| row.get(0)).unwrap();
    assert!(entry.contains("127.0.0.1") && entry.contains("fixed_site"), "{entry}");
    drop(centre);
}

// policy: P-17
#[tokio::test(flavor = "multi_thread")]
async fn a_correction_that_comes_later_follows_its_read() {
    let region = Region::new("classes = [\"hit\"]\n");
    let ((_department, address), _centre) = (region.department(), region.centre());
    let shared = read(1, true, None);
    let sealed = send(&region.department, address, std::slice::from_ref(&shared)).await;
    until("the read", || region.at_centre(&sealed[0]).then_some(()));
    let mut correction: plated_core::officers::Correction =
        serde_json::from_str(include_str!("../golden/correction.json")).unwrap();
    (correction.read, correction.corrected.text) = (shared.0.id, "8XYZ999".into());
    let document = SealedDocument::new("correction", serde_json::to_vec(&correction).unwrap());
    let sent = Batch { documents: vec![document], ..batch(VEHICLE, Vec::new()) };
    receipt(&post(&region.department.link(address), body(&sent)).await.unwrap());
    let query = Query { plate: Some(Plate::parse("8XYZ999").unwrap()), ..Query::default() };
    let found = || region.centre.archive().search(&permit(), &query).unwrap().reads.pop();
    let found = until("the correction", found);
    assert_eq!((found.id, region.centre.reads()), (shared.0.id, 1));
}

// policy: P-17
#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_that_another_key_signed_marks_nothing_and_a_station_that_is_not_named_is_refused() {
    let region = Region::new("classes = [\"hit\"]\n");
    let trusted = region.department.dir.path().join("forward/receipt.pub");
    let right = std::fs::read(&trusted).unwrap();
    std::fs::remove_file(&trusted).unwrap();
    write_public(&trusted, &Signer::generate().unwrap().public_key()).unwrap();
    let ((department, address), centre) = (region.department(), region.centre());
    let sealed = send(&region.department, address, &[read(1, true, None)]).await;
    until("the read at the centre", || region.at_centre(&sealed[0]).then_some(()));
    assert_eq!(region.waiting(), 1);
    drop((department, centre));

    // With the right key, and a centre that does not know the department.
    std::fs::remove_file(&trusted).unwrap();
    std::fs::write(&trusted, right).unwrap();
    region.centre.file_at(region.address);
    let ((department, address), centre) = (region.department(), run(&region.centre).0);
    let more = send(&region.department, address, &[read(2, true, None)]).await;
    let refused = "SELECT count(*) FROM forward_queue WHERE reason IS NOT NULL";
    let refused = || region.department.database().query_row(refused, [], |row| row.get::<_, i64>(0)).unwrap();
    until("the refusals", || (refused() == 2).then_some(()));
    assert!(!region.at_centre(&more[0]) && region.at_centre(&sealed[0]));
    drop((department, centre));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vehicle_can_not_send_reads_of_others_where_only_a_station_may() {
    let region = Region::new("classes = [\"hit\"]\n");
    let _centre = region.centre();
    let other = ReadRecord { vehicle: "unit-8".into(), ..record(&[]) };
    let sealed = seal_text(other.id, serde_json::to_string(&other).unwrap());
    let sent = body(&batch(VEHICLE, vec![sealed]));
    let receipt = receipt(&post(&region.centre.link(region.address), sent).await.unwrap());
    assert!(receipt.reads.refused[0].reason.contains("names another vehicle"), "{receipt:?}");
}

// policy: P-17
#[tokio::test(flavor = "multi_thread")]
async fn reads_from_before_go_when_somebody_says_so_and_only_those_that_are_shared() {
    let region = Region::new("classes = [\"hit\"]\n");
    let config = region.department.dir.path().join("station.toml");
    let whole = std::fs::read_to_string(&config).unwrap();
    // Before anything was shared.
    std::fs::write(&config, whole.split("[forward]").next().unwrap()).unwrap();
    let (department, address) = region.department();
    let all = [read(1, true, None), read(2, false, None), read(3, true, None)];
    let sealed = send(&region.department, address, &all).await;
    let args = ["forward", "--since", "2026-01-01", "--reason", "the centre joins"];
    let command = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plated-station"));
        command.args(args).arg("--config").arg(&config).output().unwrap()
    };
    let none = command(&args);
    assert!(String::from_utf8_lossy(&none.stderr).contains("[forward] is not set"), "{none:?}");
    drop(department);
    std::fs::write(&config, whole).unwrap();
    let ((_department, _), _centre) = (region.department(), region.centre());
    let later = command(&["forward", "--since", "2126-01-01", "--reason", "the centre joins"]);
    assert!(String::from_utf8_lossy(&later.stdout).starts_with("0 reads from 2126-01-01 on"), "{later:?}");
    let asked = command(&args);
    assert!(String::from_utf8_lossy(&asked.stdout).starts_with("2 reads from 2026-01-01 on"), "{asked:?}");
    until("what is shared", || (region.at_centre(&sealed[0]) && region.at_centre(&sealed[2])).then_some(()));
    until("the empty queue", || (region.waiting() == 0).then_some(()));
    assert_eq!(region.centre.reads(), 2);
    let sql = "SELECT entry FROM audit WHERE action = 'past_reads_shared' AND entry LIKE '%2026-01-01%'";
    let entry: String = region.department.database().query_row(sql, [], |row| row.get(0)).unwrap();
    assert!(entry.contains("the centre joins"), "{entry}");
}
