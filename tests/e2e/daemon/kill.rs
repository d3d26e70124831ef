//! Ended at any moment without warning, the daemon loses nothing it has shown.

use crate::kit::Depot;
use crate::kit::process::{Station, address};
use crate::kit::random::Random;
use crate::kit::reading::plates;
use crate::kit::vehicle::{Settings, Vehicle, assert_at_station, images, transfer};
use std::time::{Duration, Instant};

/// Moments at which the daemon is killed.
const MOMENTS: usize = 50;

// policy: P-12
#[test]
fn killed_at_fifty_moments_every_announced_read_is_stored_and_reaches_the_station_exactly_once() {
    let mut random = Random::new();
    let (depot, vehicle, address) = (Depot::new(), Vehicle::new(), address());
    vehicle.pictures("road", &plates(60));
    vehicle.pictures("last", &plates(1));
    let wanted = std::iter::once("plate".to_owned()).chain(plates(60).into_iter().step_by(7));
    std::fs::write(vehicle.path("list.csv"), wanted.collect::<Vec<_>>().join("\n")).unwrap();
    let list = "[[hotlists]]\nname = \"local\"\npath = \"list.csv\"\n[alert]\nsound = false\n".to_owned();
    let on = |source| vehicle.configure(&Settings::default(), &[source, list.clone(), transfer(&depot, address)]);

    on(images("front", "road", 0));
    let (mut reads, mut hits) = (Vec::new(), Vec::new());
    let mut station: Option<Station> = None;
    let started = Instant::now();
    for moment in 0..MOMENTS {
        if random.below(4) == 0 {
            station = match station {
                Some(running) => {
                    drop(running); // SIGKILL too
                    None
                }
                None => Some(Station::start_at(&depot, address).0),
            };
        }
        let mut daemon = vehicle.start(&[]);
        // One in five doesn't live to read anything: the store is killed while it is opened.
        if random.below(5) > 0 {
            daemon.wait_reads(random.below(30) as usize);
            std::thread::sleep(Duration::from_millis(random.below(60)));
        } else {
            std::thread::sleep(Duration::from_millis(random.below(400)));
        }
        let ended = daemon.kill();
        assert!(!ended.log.contains(" ERROR "), "moment {moment}: {}", ended.log);
        reads.extend(ended.reads().cloned());
        hits.extend(ended.hits().map(|(hit, read, _)| (hit.id, read)));
    }
    eprintln!("{} reads, {} hits announced in {:.0?}", reads.len(), hits.len(), started.elapsed());
    assert!(reads.len() > MOMENTS && hits.len() > 3, "{} reads, {} hits", reads.len(), hits.len());

    drop(station);
    let _station = Station::start_at(&depot, address);
    on(images("front", "last", 1));
    let last = vehicle.run_to_the_end();
    assert_eq!(last.summary()["pending"], 0);
    reads.extend(last.reads().cloned());

    vehicle.assert_stored(&reads);
    let stored = vehicle.stored();
    for (hit, read) in hits {
        assert!(stored[&read].hits.iter().any(|h| h.id == hit), "an announced hit is not in the store");
    }
    assert_at_station(&depot, &vehicle);
    let check = vehicle.check();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout));
}
