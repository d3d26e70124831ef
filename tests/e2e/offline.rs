//! A vehicle without a link: nothing is lost, nothing is deleted early, and in the end everything is at the station once.

use crate::kit::car::options;
use crate::kit::store::{Place, hit, permit, read, reads};
use crate::kit::{Depot, VEHICLE};
use jiff::{SignedDuration, Timestamp};
use plated_access::{Actor, Gate, Settings as Access};
use plated_core::clock::{Clock, SystemClock, id_at};
use plated_core::error::{Error, Kind, Result};
use plated_core::wire::batch::SealedRead;
use plated_station::archive::Query;
use plated_vehicle::purge::{Purger, Settings};
use plated_vehicle::store::{By, Deleted, NewRead, Reason, Store};
use plated_vehicle::transfer::{
    Answer, HttpsLink, Link, Options, Progress, Round, Schedule, Sender, State, StoreOutbox, When, run,
};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

const DAY: Duration = Duration::from_secs(86_400);

/// A link that loses each third answer.
#[derive(Clone)]
struct Flaky(HttpsLink, Arc<AtomicU32>);

impl Link for Flaky {
    async fn post_batch(&self, body: Vec<u8>, patience: Duration) -> Result<Answer> {
        let answer = self.0.post_batch(body, patience).await?;
        match self.1.fetch_add(1, Ordering::Relaxed) % 3 {
            0 => Err(Error::new(Kind::Network, "the answer was lost")),
            _ => Ok(answer),
        }
    }
}

fn outbox(store: &Store) -> StoreOutbox {
    StoreOutbox::new(store.clone(), Gate::new(Arc::new(store.clone()), Access::default()).1.transfer)
}

fn purger(place: &Place, store: &Store) -> Purger {
    let gate = Arc::new(Gate::new(Arc::new(store.clone()), Access::default()).0);
    Purger::new(store.clone(), gate, place.clock.clone(), Settings::default(), 12)
}

/// Made now, by the vehicle's clock.
fn made(place: &Place, n: usize) -> NewRead {
    let now = place.clock.wall();
    let mut new = read(&format!("7OFF{n:03}"));
    (new.record.id, new.record.vehicle) = (id_at(now), VEHICLE.into());
    (new.record.first_seen, new.record.last_seen, new.record.best.at) = (now, now, now);
    if n.is_multiple_of(7) {
        let mut hit = hit("svs");
        hit.at = now;
        new.record.hits.push(hit);
    }
    if n.is_multiple_of(5) {
        new.record.canvass = Some("26-77".into());
    }
    new
}

// policy: P-10, P-12, P-13
#[tokio::test(flavor = "multi_thread")]
async fn after_30_days_without_a_link_each_read_and_picture_is_at_the_station_once_and_nothing_went_early() {
    let depot = Depot::new();
    let address = depot.serve().await;
    let place = Place::new();
    place.clock.jump_to(Timestamp::now() - SignedDuration::from_hours(30 * 24));
    let (mut store, _) = place.open();
    let mut purge = purger(&place, &store);
    let mut kept: HashMap<Uuid, NewRead> = HashMap::new();
    for day in 0..30usize {
        for n in 0..8 {
            let new = made(&place, 8 * day + n);
            store.put_read(&new).unwrap();
            kept.insert(new.record.id, new);
            place.clock.advance(DAY / 8);
        }
        assert_eq!(purge.round(&mut || false).unwrap(), Deleted::default(), "day {day}");
        assert_eq!(store.stats().unwrap().reads, kept.len() as u64, "day {day}");
        if day % 10 == 4 {
            // The computer is started anew.
            drop(purge);
            store.close().unwrap();
            store = place.open().0;
            purge = purger(&place, &store);
        }
    }
    let oldest = store.stats().unwrap().oldest_pending.unwrap();
    assert!(place.clock.wall().duration_since(oldest) >= SignedDuration::from_hours(30 * 24));
    let sealed: HashMap<Uuid, SealedRead> = {
        let all = store.outbox(crate::kit::store::transfer(), usize::MAX).unwrap();
        all.into_iter().map(|read| (read.sealed.id, read.sealed)).collect()
    };
    assert_eq!(sealed.len(), kept.len());

    let link = Flaky(depot.link(address), Arc::default());
    let mut sender = Sender::new(
        outbox(&store),
        link,
        options(depot.trust(), 50),
        place.clock.clone(),
        watch::channel(Progress::default()).0,
    );
    let mut failures = 0;
    loop {
        match sender.round().await {
            Ok(Round::Empty) => break,
            Ok(Round::Sent) => {}
            Err(_) => failures += 1,
        }
        // What was receipted stays for its time.
        assert_eq!(purge.round(&mut || false).unwrap(), Deleted::default());
        assert!(failures < 100);
    }
    assert!(failures > 2, "the link loses answers");
    assert_eq!(store.stats().unwrap().transferred, kept.len() as u64);
    is_at_station(&depot, &kept, &sealed);

    place.clock.advance(Duration::from_secs(36 * 3600 - 60));
    assert_eq!(purge.round(&mut || false).unwrap(), Deleted::default());
    place.clock.advance(Duration::from_secs(120));
    assert_eq!(purge.round(&mut || false).unwrap(), Deleted { reads: 240, pictures: 480 });
    assert!(reads(&store, 9).is_empty());
    assert_eq!(store.stats().unwrap().images, 0);
    is_at_station(&depot, &kept, &sealed);
    store.close().unwrap();
}

fn is_at_station(depot: &Depot, kept: &HashMap<Uuid, NewRead>, sealed: &HashMap<Uuid, SealedRead>) {
    let archive = depot.archive();
    let (mut query, mut found) = (Query::default(), 0);
    loop {
        let page = archive.search(&permit(), &query).unwrap();
        found += page.reads.len();
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    assert_eq!(found, kept.len(), "each read once");
    for (id, new) in kept {
        let stored = archive.read(&permit(), *id).unwrap().unwrap();
        assert_eq!((stored.found.sha256, &stored.record), (sealed[id].sha256, &sealed[id].record));
        for image in &new.images {
            let sha256 = image.reference().unwrap().sha256;
            let picture = archive.picture(&permit(), *id, &sha256).unwrap().unwrap();
            assert_eq!(picture[..], image.jpeg[..]);
        }
    }
}

// policy: P-11
#[tokio::test(flavor = "multi_thread")]
async fn at_the_end_of_a_shift_all_that_waits_goes_also_when_the_computer_is_started_anew_in_between() {
    let depot = Depot::new();
    let address = depot.serve().await;
    let place = Place::new();
    place.clock.jump_to(Timestamp::now());
    let (store, _) = place.open();
    for n in 0..5 {
        store.put_read(&made(&place, n)).unwrap();
    }
    let by = By { who: Actor::of_this_process(), reason: Reason::new("ignition off").unwrap() };
    store.end_shift(true, &by).unwrap();
    store.close().unwrap();

    let (store, _) = place.open();
    let (publish, mut progress) = watch::channel(Progress::default());
    let schedule = Schedule { when: When::ShiftEnd, ..Schedule::default() };
    let options = Options { schedule, ..options(depot.trust(), 2) };
    let send_now = options.send_now.clone();
    let link = depot.link(address);
    let task = tokio::spawn(run(outbox(&store), link, options, Arc::new(SystemClock::new()), publish));
    let waits = |p: &Progress| matches!(p.state, State::Waiting(_));
    progress.wait_for(|p| p.transferred == 5 && waits(p)).await.unwrap();
    assert!(!store.is_to_send_all().unwrap(), "until nothing is left");
    // Within a shift nothing goes by itself.
    store.put_read(&made(&place, 5)).unwrap();
    store.end_shift(true, &by).unwrap();
    send_now.ask();
    progress.wait_for(|p| p.transferred == 6).await.unwrap();
    task.abort();
}
