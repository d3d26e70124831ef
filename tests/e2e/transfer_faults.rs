//! Whatever the network or the station does, nothing is marked without a receipt, and in the end
//! every read is at the station exactly once.

use crate::kit::car::options;
use crate::kit::{Depot, VEHICLE, record, seal, seal_text};
use plated_core::clock::SystemClock;
use plated_core::digest::Sha256;
use plated_core::error::{Error, Kind, Result};
use plated_core::record::ReadRecord;
use plated_core::signing::Signer;
use plated_core::tls;
use plated_core::wire::batch::{Durable, SealedDocument, SealedRead, SealedRow, SignedReceipt};
use plated_vehicle::transfer::{
    Answer, Applied, HttpsLink, Link, Options, Outbox, OutboxRead, Portion, Progress, Round, Schedule, Sender, State,
    Waiting, When, run,
};
use proptest::prelude::*;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use uuid::Uuid;

/// An outbox in memory that keeps the promises of the store.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<Contents>>);

#[derive(Default)]
struct Contents {
    reads: Vec<SealedRead>,
    images: HashMap<Sha256, Vec<u8>>,
    documents: Vec<SealedDocument>,
    rows: Vec<SealedRow>,
    transferred: HashSet<Uuid>,
    marked_twice: bool,
}

impl Memory {
    /// Adds a read with its own image; `shared` is an image that several reads have.
    pub fn add(&self, shared: &[u8]) -> SealedRead {
        let images = [Uuid::now_v7().as_bytes().to_vec(), shared.to_vec()];
        let read = seal(&record(&images));
        let mut contents = self.0.lock().unwrap();
        contents.images.extend(images.map(|bytes| (Sha256::of(&bytes), bytes)));
        contents.reads.push(read.clone());
        read
    }

    fn add_sealed(&self, read: &SealedRead) {
        self.0.lock().unwrap().reads.push(read.clone());
    }

    pub fn marked_twice(&self) -> bool {
        self.0.lock().unwrap().marked_twice
    }

    pub fn transferred(&self) -> usize {
        self.0.lock().unwrap().transferred.len()
    }
}

impl Outbox for Memory {
    fn next(&self, wanted: &Portion) -> Result<Waiting> {
        let contents = self.0.lock().unwrap();
        let images = |read: &SealedRead| serde_json::from_slice::<ReadRecord>(&read.record).map(|r| r.images);
        let waiting =
            contents.reads.iter().filter(|r| !contents.transferred.contains(&r.id) && !wanted.held.contains(&r.id));
        let reads = waiting.take(wanted.reads).map(|read| OutboxRead {
            sealed: read.clone(),
            images: images(read).unwrap_or_default(),
            has_hit: false,
        });
        Ok(Waiting {
            reads: reads.collect(),
            documents: contents.documents.iter().take(wanted.others).cloned().collect(),
            rows: contents.rows.iter().take(wanted.others).cloned().collect(),
            ..Waiting::default()
        })
    }

    fn image(&self, sha256: &Sha256) -> Result<Option<Vec<u8>>> {
        Ok(self.0.lock().unwrap().images.get(sha256).cloned())
    }

    fn apply(&self, receipt: &SignedReceipt) -> Result<Applied> {
        let receipt = receipt.content()?;
        let mut contents = self.0.lock().unwrap();
        let mut applied = Applied { refused: receipt.reads.refused.len(), ..Applied::default() };
        for Durable { id, sha256 } in receipt.reads.durable {
            if contents.reads.iter().any(|r| (r.id, r.sha256) == (id, sha256)) {
                contents.marked_twice |= !contents.transferred.insert(id);
                applied.transferred += 1;
            } else {
                applied.unknown += 1;
            }
        }
        for Durable { id, .. } in receipt.documents.durable {
            contents.documents.retain(|document| document.id != id);
        }
        for row in receipt.audit_rows.durable {
            contents.rows.retain(|kept| (kept.log, kept.number) != (row.log, row.number));
        }
        Ok(applied)
    }
}

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug)]
enum Fault {
    None,
    LostOnTheWayThere,
    LostOnTheWayBack,
    Status500,
    Status503WithReceipt,
    CutOff,
    Rubbish,
    EarlierAnswer,
    OtherKey,
    OtherContent,
    SentTwice,
}

fn fault() -> impl Strategy<Value = Fault> {
    use Fault::*;
    prop_oneof![
        3 => Just(None),
        1 => Just(LostOnTheWayThere),
        1 => Just(LostOnTheWayBack),
        1 => Just(Status500),
        1 => Just(Status503WithReceipt),
        1 => Just(CutOff),
        1 => Just(Rubbish),
        1 => Just(EarlierAnswer),
        1 => Just(OtherKey),
        1 => Just(OtherContent),
        1 => Just(SentTwice),
    ]
}

/// A real link with a list of faults; once it is used up, all goes well.
#[derive(Clone)]
struct Faulty {
    link: HttpsLink,
    plan: Arc<Mutex<VecDeque<Fault>>>,
    earlier: Arc<Mutex<Option<Answer>>>,
    /// Bytes sent, of each batch.
    sent: Arc<Mutex<Vec<usize>>>,
}

impl Faulty {
    fn new(link: HttpsLink, plan: impl IntoIterator<Item = Fault>) -> Self {
        Self {
            link,
            plan: Arc::new(Mutex::new(plan.into_iter().collect())),
            earlier: Arc::default(),
            sent: Arc::default(),
        }
    }

    async fn answer<F: Future<Output = Result<Answer>>>(&self, call: impl Fn() -> F) -> Result<Answer> {
        let fault = self.plan.lock().unwrap().pop_front().unwrap_or(Fault::None);
        let lost = || Error::new(Kind::Network, "lost");
        if matches!(fault, Fault::LostOnTheWayThere) {
            return Err(lost());
        }
        if matches!(fault, Fault::SentTwice) {
            call().await?;
        }
        let real = call().await?;
        let before = self.earlier.lock().unwrap().replace(real.clone());
        Ok(match fault {
            Fault::LostOnTheWayBack => return Err(lost()),
            Fault::Status500 => Answer { status: 500, ..Answer::default() },
            Fault::Status503WithReceipt => Answer { status: 503, ..real },
            Fault::CutOff => Answer { body: real.body[..real.body.len() / 2].to_vec(), ..real },
            Fault::Rubbish => Answer { status: 200, body: b"<html>Welcome to the depot</html>".to_vec(), ..real },
            Fault::EarlierAnswer => before.unwrap_or(real),
            Fault::OtherKey => resigned(&real),
            Fault::OtherContent => {
                let text = String::from_utf8(real.body.clone()).unwrap();
                Answer { body: text.replace("\"sha256\":\"", "\"sha256\":\"0").into_bytes(), ..real }
            }
            _ => real,
        })
    }
}

/// The same receipt, signed by somebody else.
fn resigned(answer: &Answer) -> Answer {
    let body = match serde_json::from_slice::<SignedReceipt>(&answer.body) {
        Ok(signed) => {
            let other = SignedReceipt::sign(&signed.content().unwrap(), &Signer::generate().unwrap()).unwrap();
            serde_json::to_vec(&other).unwrap()
        }
        Err(_) => answer.body.clone(),
    };
    Answer { body, ..answer.clone() }
}

impl Link for Faulty {
    async fn post_batch(&self, body: Vec<u8>, patience: Duration) -> Result<Answer> {
        self.sent.lock().unwrap().push(body.len());
        self.answer(|| self.link.post_batch(body.clone(), patience)).await
    }
}

pub fn sender<L: Link>(depot: &Depot, outbox: &Memory, link: L, batch_reads: usize) -> Sender<Memory, L> {
    let progress = watch::Sender::new(Progress::default());
    Sender::new(outbox.clone(), link, options(depot.trust(), batch_reads), Arc::new(SystemClock::new()), progress)
}

/// Rounds until the outbox is empty; returns how many failed.
pub async fn until_empty<L: Link>(sender: &mut Sender<Memory, L>) -> usize {
    let mut failed = 0;
    for _ in 0..200 {
        match sender.round().await {
            Ok(Round::Empty) => return failed,
            Ok(Round::Sent) => {}
            Err(_) => failed += 1,
        }
    }
    panic!("the transfer did not end");
}

#[tokio::test]
async fn a_picture_of_several_reads_travels_once_in_a_batch() {
    let depot = Depot::new();
    let outbox = Memory::default();
    let overview: Vec<u8> = (0..100_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for _ in 0..6 {
        outbox.add(&overview);
    }
    let link = Faulty::new(depot.link(depot.serve().await), []);
    let mut sender = sender(&depot, &outbox, link.clone(), 3);
    assert_eq!(until_empty(&mut sender).await, 0);
    assert_eq!((outbox.transferred(), depot.reads()), (6, 6));
    let sent = link.sent.lock().unwrap().clone();
    assert!(sent.len() == 2 && sent.iter().all(|bytes| (100_000..130_000).contains(bytes)), "{sent:?}");
}

// policy: P-22, P-30
#[tokio::test]
async fn what_officers_put_down_and_the_audit_log_go_up_once_and_never_hold_up_a_read() {
    let depot = Depot::new();
    let outbox = Memory::default();
    let (log, row) = (Uuid::now_v7(), include_str!("../golden/audit.jsonl").lines().nth(1).unwrap());
    let correction = include_str!("../golden/correction.json").replace("car-12", VEHICLE).into_bytes();
    {
        let mut contents = outbox.0.lock().unwrap();
        contents.documents.push(SealedDocument::new("correction", correction.clone()));
        contents.documents.push(SealedDocument::new("of_a_newer_vehicle", b"{\"new\":1}".to_vec()));
        contents.rows.push(SealedRow::new(log, 1, row.as_bytes().to_vec()));
        // The station will not have this one.
        contents.documents.push(SealedDocument::new("correction", b"{\"vehicle\":\"unit-8\"}".to_vec()));
    }
    let read = outbox.add(b"overview");
    let link = Faulty::new(depot.link(depot.serve().await), [Fault::LostOnTheWayBack]);
    let mut sender = sender(&depot, &outbox, link, 10);
    assert!(sender.round().await.is_err());
    assert_eq!(sender.round().await.unwrap(), Round::Sent);
    assert_eq!((outbox.transferred(), depot.stored(&read)), (1, 1));
    let left: Vec<_> = outbox.0.lock().unwrap().documents.iter().map(|d| d.body.clone()).collect();
    assert_eq!(left, [b"{\"vehicle\":\"unit-8\"}".to_vec()]);
    assert!(outbox.0.lock().unwrap().rows.is_empty());
    let count = |sql: &str| depot.database().query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!((count("SELECT count(*) FROM documents"), count("SELECT count(*) FROM vehicle_audit")), (2, 1));
}

// policy: P-12
#[tokio::test]
async fn no_wrong_answer_marks_anything_and_later_all_arrives_once() {
    use Fault::*;
    let depot = Depot::new();
    let address = depot.serve().await;
    for fault in [
        LostOnTheWayThere,
        LostOnTheWayBack,
        Status500,
        Status503WithReceipt,
        CutOff,
        Rubbish,
        EarlierAnswer,
        OtherKey,
        OtherContent,
    ] {
        let outbox = Memory::default();
        // The first batch leaves an earlier answer to be repeated, and images at the station.
        outbox.add(b"overview");
        let link = Faulty::new(depot.link(address), []);
        let mut sender = sender(&depot, &outbox, link.clone(), 10);
        assert_eq!(until_empty(&mut sender).await, 0);
        let before = depot.reads();

        let image_free = seal(&record(&[]));
        outbox.add_sealed(&image_free);
        link.plan.lock().unwrap().push_back(fault);
        assert!(sender.round().await.is_err(), "{fault:?}");
        assert_eq!(outbox.transferred(), 1, "{fault:?}");
        assert_eq!(until_empty(&mut sender).await, 0);
        assert_eq!((outbox.transferred(), depot.stored(&image_free), depot.reads()), (2, 1, before + 1), "{fault:?}");
    }
}

#[test]
fn any_order_of_faults_ends_with_every_read_at_the_station_once() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let depot = Depot::new();
    let address = runtime.block_on(depot.serve());
    let plan = prop::collection::vec(fault(), 0..40);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(24));
    runner
        .run(&(plan, 1usize..12, 1usize..5), |(plan, count, batch_reads)| {
            let outbox = Memory::default();
            let reads: Vec<SealedRead> = (0..count).map(|_| outbox.add(b"overview")).collect();
            let link = Faulty::new(depot.link(address), plan);
            runtime.block_on(until_empty(&mut sender(&depot, &outbox, link, batch_reads)));
            prop_assert_eq!(outbox.transferred(), count);
            prop_assert!(!outbox.0.lock().unwrap().marked_twice);
            for read in &reads {
                prop_assert_eq!(depot.stored(read), 1);
            }
            Ok(())
        })
        .unwrap();
}

#[tokio::test]
async fn a_read_the_station_will_not_take_does_not_block_the_others() {
    let depot = Depot::new();
    let outbox = Memory::default();
    // Refused by the receipt.
    outbox.add_sealed(&seal_text(Uuid::now_v7(), "{\"no\":\"read\"}".into()));
    // Its image is lost in the vehicle.
    outbox.add_sealed(&seal(&record(&[b"lost".to_vec()])));
    // Too large for any batch.
    outbox.add_sealed(&seal_text(Uuid::now_v7(), format!("\"{}\"", "x".repeat(5 << 20))));
    let good: Vec<SealedRead> = (0..5).map(|_| outbox.add(b"overview")).collect();
    let mut sender = sender(&depot, &outbox, depot.link(depot.serve().await), 3);
    assert_eq!(until_empty(&mut sender).await, 0);
    assert_eq!((outbox.transferred(), depot.reads()), (5, 5));
    assert!(good.iter().all(|read| depot.stored(read) == 1));
}

/// Rejects every batch that holds the poisoned picture.
#[derive(Clone)]
struct Rejecting(HttpsLink, Vec<u8>);

impl Link for Rejecting {
    async fn post_batch(&self, body: Vec<u8>, patience: Duration) -> Result<Answer> {
        if body.windows(self.1.len()).any(|part| part == self.1) {
            return Ok(Answer { status: 400, ..Answer::default() });
        }
        self.0.post_batch(body, patience).await
    }
}

#[tokio::test]
async fn a_read_that_spoils_its_batch_is_found_and_set_aside() {
    let depot = Depot::new();
    let outbox = Memory::default();
    outbox.add(b"overview");
    let poison = outbox.add(b"overview");
    outbox.add(b"overview");
    let named: ReadRecord = serde_json::from_slice(&poison.record).unwrap();
    let picture = outbox.image(&named.images[0].sha256).unwrap().unwrap();
    let mut sender = sender(&depot, &outbox, Rejecting(depot.link(depot.serve().await), picture), 10);
    assert_eq!(until_empty(&mut sender).await, 0);
    assert_eq!((outbox.transferred(), depot.reads(), depot.stored(&poison)), (2, 2, 0));
}

// policy: P-12
#[tokio::test]
async fn a_station_that_closes_the_connection_mid_answer_marks_nothing() {
    let depot = Depot::new();
    let files = tls::Files { ca: &depot.config.ca, certificate: &depot.config.certificate, key: &depot.config.key };
    let identity = tls::Identity::load(&files).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls::server(&identity, &["http/1.1"]).unwrap()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = acceptor.accept(stream).await.unwrap();
            let mut some = [0; 4096];
            assert!(stream.read(&mut some).await.unwrap() > 0);
            let half = "HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n{\"batch\":\"";
            stream.write_all(half.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    let outbox = Memory::default();
    let read = outbox.add(b"overview");
    let mut broken = sender(&depot, &outbox, depot.link(address), 10);
    let error = broken.round().await.unwrap_err().chain();
    assert!(error.contains("cut off"), "{error}");
    assert_eq!(outbox.transferred(), 0);

    assert_eq!(until_empty(&mut sender(&depot, &outbox, depot.link(depot.serve().await), 10)).await, 0);
    assert_eq!((outbox.transferred(), depot.stored(&read)), (1, 1));
}

#[tokio::test]
async fn progress_tells_of_the_failure_and_of_its_end() {
    let depot = Depot::new();
    let outbox = Memory::default();
    outbox.add(b"overview");
    let link = Faulty::new(depot.link(depot.serve().await), [Fault::Status500; 3]);
    let (publish, mut progress) = watch::channel(Progress::default());
    let options = options(depot.trust(), 10);
    let task = tokio::spawn(run(outbox.clone(), link, options, Arc::new(SystemClock::new()), publish));
    let failing = progress.wait_for(|p| matches!(p.state, State::BackingOff { .. })).await.unwrap().clone();
    assert!(failing.last_error.unwrap().contains("500"));
    let well = progress.wait_for(|p| p.state == State::Idle && p.transferred == 1).await.unwrap().clone();
    assert_eq!((well.last_error, well.receipts), (None, 1));
    let ahead = well.station_clock_ahead.unwrap().as_secs_f64();
    assert!(ahead.abs() < 5.0 && well.station.as_deref() == Some("station-1"), "{ahead}");
    task.abort();
}

// policy: P-11
#[tokio::test]
async fn by_hand_nothing_goes_before_somebody_says_so_and_then_all_of_it() {
    let depot = Depot::new();
    let outbox = Memory::default();
    let (first, second) = (outbox.add(b"overview"), outbox.add(b"overview"));
    let link = Faulty::new(depot.link(depot.serve().await), [Fault::Status500]);
    let (publish, mut progress) = watch::channel(Progress::default());
    let schedule = Schedule { when: When::Manual, ..Schedule::default() };
    let options = Options { schedule, ..options(depot.trust(), 1) };
    let send_now = options.send_now.clone();
    let task = tokio::spawn(run(outbox.clone(), link.clone(), options, Arc::new(SystemClock::new()), publish));
    progress.wait_for(|p| matches!(p.state, State::Waiting(_))).await.unwrap();
    assert!(link.sent.lock().unwrap().is_empty());
    send_now.ask();
    progress.wait_for(|p| p.transferred == 2).await.unwrap();
    progress.wait_for(|p| matches!(p.state, State::Waiting(_))).await.unwrap();
    let third = outbox.add(b"overview");
    assert_eq!((depot.stored(&first), depot.stored(&second), depot.stored(&third)), (1, 1, 0));
    task.abort();
}

#[test]
fn a_certificate_of_another_vehicle_is_told_at_start() {
    let depot = Depot::new();
    let config = plated_vehicle::transfer::Settings {
        station: "https://localhost:1".into(),
        ca: depot.vehicle.ca.clone(),
        certificate: depot.vehicle.certificate.clone(),
        key: depot.vehicle.key.clone(),
        receipt_keys: depot.vehicle.key.with_file_name("receipt.pub"),
        medium_recipient: "medium.pub".into(),
        batch_reads: 1,
        idle_s: 1.0,
        max_backoff_s: 1.0,
        timeout_s: 1.0,
        bandwidth_kbit_s: None,
        when: When::Immediate,
        windows: Vec::new(),
        station_interface: None,
        station_ssid: None,
        station_route: None,
        warn_days: 20,
        critical_days: 27,
        limit_days: 30,
    };
    let error = HttpsLink::new("unit-8", &config, Arc::new(SystemClock::new())).err().unwrap().chain();
    assert!(error.contains("unit-7") && error.contains("unit-8"), "{error}");
}
