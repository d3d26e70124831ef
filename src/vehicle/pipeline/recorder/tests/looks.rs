//! What the vehicle looks like stands in the read and its hits, whatever it is.

use super::*;
use opencv::core::Rect;
use plated_core::appearance::{Appearance, Feature, Seen};

/// Sees a car, and counts how often it looked. Where it is broken it sees nothing.
struct Sees {
    looks: Arc<AtomicU64>,
    broken: bool,
}

impl Describes for Sees {
    fn reach(&self, _: &[[f32; 2]; 4]) -> Rect {
        Rect::new(-50, -50, 400, 400)
    }

    fn look(&mut self, _: &Mat, _: [f32; 2], _: &[[f32; 2]; 4]) -> Result<Appearance> {
        self.looks.fetch_add(1, Ordering::Relaxed);
        if self.broken {
            return Err(Error::new(Kind::Internal, "the fault of the test"));
        }
        let class = Some(Seen { is: "car".into(), confidence: 0.9 });
        Ok(Appearance { class, ..Appearance::default() })
    }
}

fn bench(broken: bool) -> (Bench, Arc<AtomicU64>) {
    let looks = Arc::new(AtomicU64::new(0));
    let bench = Bench::looking(Sees { looks: looks.clone(), broken });
    let motorcycle = EntryRecord { plate_type: "MC".into(), ..entry(WANTED, "svs", Priority::High) };
    bench.lists.put(Source::memory("svs", [motorcycle].into_iter(), Rules::default()));
    (bench, looks)
}

#[test]
fn a_listed_motorcycle_that_is_a_car_alerts_all_the_same_and_its_hit_names_the_difference() {
    let (mut bench, looks) = bench(false);
    let id = Uuid::now_v7();
    bench.grow(id, WANTED);
    bench.wait_sounded(1);
    match &*bench.next() {
        Announcement::Hit { hit, read, .. } => {
            let [differs] = &hit.entries[0].vehicle_differs[..] else { panic!("{hit:?}") };
            assert_eq!((differs.of, &*differs.seen, &*differs.listed), (Feature::Class, "car", "MC"));
            assert_eq!(hit.alert, Alerting::Sounded);
            assert_eq!(read.hits[0].entries, hit.entries);
        }
        other => panic!("{other:?}"),
    }
    bench.close(id, WANTED);
    let read = bench.next_read();
    assert_eq!(read.appearance.unwrap().class.unwrap().is, "car");
    assert_eq!(read.hits[0].entries[0].vehicle_differs.len(), 1);
    assert_eq!(looks.load(Ordering::Relaxed), 1, "the best frame is the same");
    bench.end();
}

#[test]
fn a_model_that_fails_costs_no_read_no_picture_and_no_alert() {
    let (mut bench, _) = bench(true);
    bench.pass(WANTED);
    bench.wait_sounded(1);
    let read = bench.next_read();
    assert_eq!((read.appearance, read.images.len(), read.hits.len()), (None, 2, 1));
    assert!(read.hits[0].entries[0].vehicle_differs.is_empty());
    bench.end();
}
