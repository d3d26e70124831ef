//! Vehicle and station killed (SIGKILL) at random moments in the middle of it.

use crate::kit::car::{Car, new_read, open_store, options, send_all};
use crate::kit::process::{Station, address, until};
use crate::kit::random::Random;
use crate::kit::store::machine;
use crate::kit::{Depot, link};
use plated_core::clock::SystemClock;
use plated_core::signing::Trust;
use plated_core::tls::authority::Issued;
use plated_vehicle::store::Key;
use plated_vehicle::transfer::{Options, Progress, StoreOutbox, run};
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use uuid::Uuid;

/// The vehicle's folder, the station's, and the station's address, for the child.
const CHILD: &str = "PLATED_TEST_CAR";
/// Between two reads: how busy the road is.
const PACE: Duration = Duration::from_millis(4);

/// Not a test by itself: the vehicle that is started and killed. Says the id of each read once it is durable.
#[test]
fn child_that_drives_and_transfers() {
    let Ok(text) = std::env::var(CHILD) else { return };
    let [dir, depot, station] = text.split('|').collect::<Vec<_>>()[..] else { panic!("{text}") };
    let (dir, depot, station): (PathBuf, PathBuf, SocketAddr) = (dir.into(), depot.into(), station.parse().unwrap());
    let key = Key::load(&plated_vehicle::store::Settings {
        path: dir.join("store.db"),
        key_file: Some(dir.join("store.key")),
        max_mib: 0,
        reserve_mib: 0,
    });
    let clock = Arc::new(SystemClock::new());
    let store = open_store(&dir, &key.unwrap(), clock.clone());
    let files = depot.join("vehicle");
    let issued =
        Issued { ca: files.join("ca.crt"), certificate: files.join("vehicle.crt"), key: files.join("vehicle.key") };
    let way = link(&issued, crate::kit::VEHICLE, &issued.ca, station);
    let trust = Trust::load(&depot.join("receipt.pub")).unwrap();
    let options = Options { max_backoff: Duration::from_millis(30), ..options(trust, 20) };
    let outbox = StoreOutbox::new(store.clone(), machine().transfer);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.spawn(run(outbox, way, options, clock, watch::Sender::new(Progress::default())));
    let mut out = std::io::stdout();
    for n in 0u32.. {
        let new = new_read(n.is_multiple_of(7), [1_000 << (n % 4), 4_000 << (n % 4)]);
        store.put_read(&new).unwrap();
        writeln!(out, "announced {}", new.record.id).unwrap();
        std::thread::sleep(PACE);
    }
}

/// A running one. Killed when dropped.
struct Driving(Child);

impl Driving {
    fn start(car: &Car, depot: &Depot, station: SocketAddr, announced: &Arc<Mutex<HashSet<Uuid>>>) -> Self {
        let (dir, depot) = (car.dir.path().display(), depot.dir.path().display());
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "faults::kills::child_that_drives_and_transfers", "--nocapture"])
            .env(CHILD, format!("{dir}|{depot}|{station}"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (lines, announced) = (BufReader::new(child.stdout.take().unwrap()).lines(), announced.clone());
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                // A line that a kill cut short was not said.
                let id: Option<Uuid> = line.split_once("announced ").and_then(|(_, id)| id.parse().ok());
                announced.lock().unwrap().extend(id);
            }
        });
        Self(child)
    }
}

impl Drop for Driving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn killed_at(moments: usize, seed: impl Fn() -> Random) {
    for depot in Depot::on_each_engine() {
        killed_on(&depot, moments, seed());
    }
}

fn killed_on(depot: &Depot, moments: usize, mut random: Random) {
    let (mut car, address) = (Car::new(), address());
    car.close();
    let announced = Arc::new(Mutex::new(HashSet::new()));
    let mut station = Some(Station::start_at(depot, address).0);
    let mut driving = Driving::start(&car, depot, address, &announced);
    let (mut cars, mut stations) = (0, 0);
    let begun = Instant::now();
    for _ in 0..moments {
        // Some reads later, and then at a random moment, which is no wait for something.
        let reads = announced.lock().unwrap().len() + random.below(15) as usize;
        until("some more reads", || (announced.lock().unwrap().len() >= reads).then_some(()));
        std::thread::sleep(Duration::from_millis(random.below(60)));
        if random.below(2) == 0 {
            cars += 1;
            drop(driving);
            driving = Driving::start(&car, depot, address, &announced);
        } else {
            stations += 1;
            station = match station.take() {
                Some(running) if random.below(3) == 0 => {
                    drop(running);
                    None
                }
                running => {
                    drop(running);
                    Some(Station::start_at(depot, address).0)
                }
            };
        }
    }
    if station.is_none() {
        station = Some(Station::start_at(depot, address).0);
    }
    let reads = announced.lock().unwrap().len();
    until("some more reads", || (announced.lock().unwrap().len() > reads + 20).then_some(()));
    drop(driving);
    eprintln!("killed {cars} vehicles and {stations} stations in {:.1?}", begun.elapsed());

    car.reopen();
    car.know_all();
    let known: HashSet<Uuid> = car.put.iter().map(|put| put.id).collect();
    let announced = announced.lock().unwrap();
    assert!(announced.len() > moments && announced.is_subset(&known), "{} of {}", known.len(), announced.len());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    car.assert_none_early(depot);
    assert_eq!(runtime.block_on(send_all(&mut car.sender(depot, depot.link(address), 500))), 0);
    car.assert_all_at(depot);
    drop(station);
}

// policy: P-12
#[test]
fn killed_at_thirty_moments_in_the_middle_of_it_all_reads_are_at_the_station_once_and_none_was_marked_early() {
    killed_at(30, || Random::fixed(20_261_126));
}

// policy: P-12
#[test]
#[ignore = "takes minutes; `make test-long` runs it"]
fn killed_at_a_hundred_other_moments_each_time_all_reads_are_at_the_station_once_and_none_was_marked_early() {
    killed_at(100, Random::new);
}
