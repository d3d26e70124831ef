//! Vehicle and station as two state machines that a model drives: whatever is done in whatever order, each read is
//! at the station once, none is marked before it is there, receipts are the station's, and hits go first.

use crate::kit::Depot;
use crate::kit::car::{Car, Put, ids, send_all};
use crate::kit::clock::Moved;
use crate::kit::middle::{Middle, Wrong};
use jiff::SignedDuration;
use plated_core::error::{Kind, Result};
use plated_station::archive::SqliteArchive;
use plated_station::{ArchiveKey, Purging, StationServer};
use proptest::prelude::*;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Reads in one batch.
const BATCH: usize = 3;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// A read is made; with a hit?
    Put(bool),
    /// A round of the transfer.
    Round(Wrong),
    /// The daemon crashes and comes back.
    VehicleAgain,
    /// The station ends and comes back.
    StationAgain,
    /// A round while no station is there.
    RoundWithoutStation,
    /// The station looks what is due.
    Purge,
    /// Clocks are set, by so many days.
    VehicleClock(i64),
    StationClock(i64),
}

fn wrong() -> impl Strategy<Value = Wrong> {
    use Wrong::*;
    prop_oneof![
        6 => Just(Nothing),
        1 => Just(FailsBefore),
        1 => Just(FailsAfter),
        1 => Just(LosesReceipt),
        1 => (1usize..900).prop_map(CutsReceipt),
        1 => Just(ReceiptOfBefore),
        1 => Just(OtherContent),
        1 => Just(OtherRead),
        1 => Just(Twice),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    use Step::*;
    prop_oneof![
        6 => any::<bool>().prop_map(Put),
        8 => wrong().prop_map(Round),
        1 => Just(VehicleAgain),
        1 => Just(StationAgain),
        1 => Just(RoundWithoutStation),
        2 => Just(Purge),
        // Not so far that what it made before is over by reads of its own.
        1 => (-170i64..170).prop_map(VehicleClock),
        2 => (-500i64..500).prop_map(StationClock),
    ]
}

/// Tries until nobody else has the archive any more: its lock is let go of without a signal that could be waited for.
async fn until_free<T, F: Future<Output = Result<T>>>(mut open: impl FnMut() -> F) -> T {
    for _ in 0..1000 {
        match open().await {
            Err(e) if e.kind() == Kind::Refused => tokio::time::sleep(Duration::from_millis(10)).await,
            opened => return opened.unwrap(),
        }
    }
    panic!("the archive stays in use");
}

/// A station in this process that can be ended and begun again.
struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

impl Running {
    async fn start(depot: &Depot, clock: &Arc<Moved>) -> Self {
        // The one before may still be at its last look for what is due.
        let server = until_free(|| StationServer::bind(&depot.config, clock.clone())).await;
        let (stop, stopped) = oneshot::channel();
        let address = server.address();
        let ended = tokio::spawn(async move { server.run(async { drop(stopped.await) }).await.unwrap() });
        Self { address, stop, ended }
    }

    async fn end(self) {
        let _ = self.stop.send(());
        self.ended.await.unwrap();
    }
}

/// Both machines, and the model: what was put, and which of it has to go next.
struct World {
    depot: Depot,
    car: Car,
    clock: Arc<Moved>,
    station: Option<Running>,
    middle: Middle,
    /// Days by which the clocks are ahead.
    ahead: (i64, i64),
}

impl World {
    async fn new() -> Self {
        let (depot, clock) = (Depot::new(), Arc::new(Moved::new()));
        let station = Running::start(&depot, &clock).await;
        let middle = Middle::start(&depot, station.address).await;
        Self { depot, car: Car::new(), clock, station: Some(station), middle, ahead: (0, 0) }
    }

    /// What waits, in the order in which it has to go: hits from the newest on, then the others from the oldest on.
    fn expected(&self, waiting: &[Uuid]) -> Vec<Uuid> {
        let waits = |put: &&Put| waiting.contains(&put.id);
        let (mut hits, others): (Vec<&Put>, Vec<&Put>) = self.car.put.iter().filter(waits).partition(|put| put.has_hit);
        hits.reverse();
        hits.into_iter().chain(others).map(|put| put.id).collect()
    }

    async fn round(&mut self, wrong: Wrong) {
        let before = self.car.waiting();
        assert_eq!(before, self.expected(&before));
        let batches = self.middle.batches().len();
        self.middle.plan([wrong]);
        let link = self.depot.link(self.middle.address);
        let result = self.car.sender(&self.depot, link, BATCH).round().await;
        let after = self.car.waiting();
        // Nothing was sent: there was nothing, or the certificate is not valid by the vehicle's clock.
        let sent = self.middle.batches().get(batches).cloned().unwrap_or_default();
        self.middle.forget_plan();
        assert!(before.starts_with(&sent) && sent.len() <= BATCH, "{sent:?} of {before:?}");
        match result {
            Ok(_) => assert_eq!(after, before[sent.len()..], "all that was sent is marked, and nothing else"),
            Err(_) => assert_eq!(after, before, "{wrong:?}"),
        }
    }

    async fn station_again(&mut self) {
        if let Some(running) = self.station.take() {
            running.end().await;
        }
        let running = Running::start(&self.depot, &self.clock).await;
        self.middle.lead_to(&self.depot, running.address);
        self.station = Some(running);
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Put(has_hit) => {
                self.car.put(has_hit, [200, 700]);
            }
            Step::Round(wrong) => self.round(wrong).await,
            Step::VehicleAgain => self.car.reopen(),
            Step::StationAgain => self.station_again().await,
            Step::RoundWithoutStation => {
                self.station.take().unwrap().end().await;
                self.round(Wrong::Nothing).await;
                self.station_again().await;
            }
            Step::Purge => {
                self.station.take().unwrap().end().await;
                let key = ArchiveKey::load(&self.depot.config.archive_key).unwrap();
                let options = self.depot.config.archive(key);
                let archive = Arc::new(until_free(|| std::future::ready(SqliteArchive::open(&options))).await);
                // Refused while the clock is not believed.
                let _ = Purging::new(archive.clone(), self.clock.clone(), Duration::from_secs(900)).unwrap().once();
                drop(archive);
                self.station_again().await;
            }
            Step::VehicleClock(days) => {
                self.car.clock.on(SignedDuration::from_hours(24 * (days - self.ahead.0)), Duration::ZERO);
                self.ahead.0 = days;
            }
            Step::StationClock(days) => {
                self.clock.on(SignedDuration::from_hours(24 * (days - self.ahead.1)), Duration::ZERO);
                self.ahead.1 = days;
            }
        }
    }

    /// What holds at any time.
    fn check(&self) {
        self.car.assert_none_early(&self.depot);
        let mut at_station = ids(&*self.depot.archive());
        let all = at_station.len();
        at_station.sort();
        at_station.dedup();
        assert_eq!(at_station.len(), all, "each once");
    }

    /// All goes well from here on.
    async fn end(&mut self) {
        self.step(Step::VehicleClock(0)).await;
        self.step(Step::StationClock(0)).await;
        let link = self.depot.link(self.middle.address);
        assert_eq!(send_all(&mut self.car.sender(&self.depot, link, BATCH)).await, 0);
        self.car.assert_all_at(&self.depot);
    }
}

// policy: P-12 P-14
#[test]
fn whatever_vehicle_station_link_and_clocks_do_each_read_arrives_once_hits_first_and_none_is_marked_or_deleted_early() {
    let runtime = Runtime::new().unwrap();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 24,
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    });
    runner
        .run(&prop::collection::vec(step(), 1..40), |steps| {
            runtime.block_on(async {
                let mut world = World::new().await;
                for step in steps {
                    world.step(step).await;
                    world.check();
                }
                world.end().await;
            });
            Ok(())
        })
        .unwrap();
}
