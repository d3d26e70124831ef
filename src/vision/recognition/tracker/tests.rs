//! What a user notices of the tracker: one read per pass, no hit on one weak look, the frame
//! shown is the frame read.

use super::super::settings::Recognition;
use super::super::{Detection, Sighting};
use super::*;
use opencv::core::Mat;
use plated_core::plate::Slots;
use proptest::prelude::*;

fn frame(sequence: u64) -> Frame {
    Frame {
        source: "front".into(),
        sequence,
        at: "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap() + Duration::from_millis(sequence * 66),
        clock_trusted: true,
        recorded: false,
        monotonic: Duration::from_millis(sequence * 66),
        picture: Mat::default().into(),
    }
}

fn sighting(text: &str, p: f32, x: f32, width: f32) -> Sighting {
    let slots = Slots::reading(text, p);
    let candidates = super::super::combine(std::iter::once(&slots), "").candidates;
    let (text, confidence) = candidates[0].clone();
    let bounds = [x, 300.0, width, width / 2.0];
    Sighting {
        detection: Detection { confidence: 0.9, bounds, corners: [[0.0; 2]; 4] },
        text,
        confidence,
        candidates,
        slots,
        state: "CA".into(),
        state_confidence: 0.9,
    }
}

fn tracker() -> Tracker {
    Tracker::new("front".into(), Recognition::default())
}

fn closed(events: Vec<Event>) -> Vec<TrackRead> {
    events.into_iter().filter_map(|e| if let Event::Closed(r) = e { Some(*r) } else { None }).collect()
}

fn growing(events: Vec<Event>) -> Vec<TrackRead> {
    events.into_iter().filter_map(|e| if let Event::Growing(r) = e { Some(*r) } else { None }).collect()
}

#[test]
fn a_vehicle_passing_gives_one_read_with_all_its_looks() {
    let mut t = tracker();
    for i in 0..20 {
        let s = sighting("7ABC123", 0.97, 100.0 + 25.0 * i as f32, 60.0 + 4.0 * i as f32);
        assert!(closed(t.update(&frame(i), &[s])).is_empty());
    }
    let reads = closed(t.finish());
    assert_eq!(reads.len(), 1);
    assert_eq!((reads[0].text.as_str(), reads[0].looks, reads[0].agreeing), ("7ABC123", 20, 20));
    assert_eq!(reads[0].state, "CA");
}

#[test]
fn a_state_that_is_not_likely_is_not_told() {
    let mut t = tracker();
    for i in 0..4 {
        let doubtful = Sighting { state_confidence: 0.3, ..sighting("7ABC123", 0.97, 300.0, 80.0) };
        t.update(&frame(i), &[doubtful]);
    }
    assert_eq!(closed(t.finish())[0].state, "");
}

#[test]
fn two_vehicles_side_by_side_stay_two() {
    let mut t = tracker();
    for i in 0..10 {
        let x = 20.0 * i as f32;
        t.update(&frame(i), &[sighting("7ABC123", 0.97, x, 80.0), sighting("8XYZ987", 0.97, 600.0 - x, 80.0)]);
    }
    let mut texts: Vec<_> = closed(t.finish()).into_iter().map(|r| r.text).collect();
    texts.sort();
    assert_eq!(texts, ["7ABC123", "8XYZ987"]);
}

#[test]
fn a_different_clear_text_in_the_same_place_is_another_vehicle() {
    let mut t = tracker();
    for i in 0..4 {
        t.update(&frame(i), &[sighting("7ABC123", 0.98, 300.0, 80.0)]);
    }
    for i in 4..8 {
        t.update(&frame(i), &[sighting("6WPR551", 0.98, 300.0, 80.0)]);
    }
    assert_eq!(closed(t.finish()).len(), 2);
}

#[test]
fn no_alert_on_one_weak_look() {
    let mut t = tracker();
    assert!(growing(t.update(&frame(0), &[sighting("7ABC123", 0.9, 300.0, 80.0)])).is_empty());
    let ready = growing(t.update(&frame(1), &[sighting("7ABC123", 0.97, 305.0, 80.0)]));
    assert_eq!(ready.len(), 1, "two looks that agree alert");
}

#[test]
fn a_text_that_became_much_more_probable_is_told_again_so_that_a_match_can_alert_now() {
    let mut t = tracker();
    let mut told = Vec::new();
    for i in 0..30 {
        told.extend(growing(t.update(&frame(i), &[sighting("7ABC123", 0.9, 300.0, 80.0)])));
    }
    assert!((2..=8).contains(&told.len()), "some times, and not with each frame: {}", told.len());
    assert!(told.iter().all(|r| r.text == "7ABC123"));
    assert!(told.windows(2).all(|w| w[1].confidence > w[0].confidence));
}

#[test]
fn looks_that_differ_in_o_and_zero_alone_agree() {
    let mut t = tracker();
    t.update(&frame(0), &[sighting("6K0J318", 0.9, 300.0, 80.0)]);
    let ready = growing(t.update(&frame(1), &[sighting("6KOJ318", 0.9, 305.0, 80.0)]));
    assert_eq!(ready.len(), 1);
    assert_eq!(ready[0].agreeing, 2);
}

#[test]
fn one_very_sure_look_alerts_by_itself() {
    assert_eq!(growing(tracker().update(&frame(0), &[sighting("7ABC123", 0.999, 300.0, 80.0)])).len(), 1);
}

#[test]
fn the_frame_shown_was_read_as_the_text_shown() {
    let mut t = tracker();
    // The widest look is a misread; the text that wins was read on smaller ones.
    for i in 0..6 {
        t.update(&frame(i), &[sighting("7ABC123", 0.97, 300.0, 80.0)]);
    }
    t.update(&frame(6), &[sighting("7A8C123", 0.98, 300.0, 140.0)]);
    let read = &closed(t.finish())[0];
    assert_eq!((read.text.as_str(), read.best.text.as_str()), ("7ABC123", "7ABC123"));
    assert_eq!(read.frame.sequence, read.best.frame);
}

#[test]
fn a_plate_that_has_gone_closes_without_further_frames() {
    let mut t = tracker();
    t.update(&frame(0), &[sighting("7ABC123", 0.97, 300.0, 80.0)]);
    assert!(closed(t.tick(Duration::from_millis(100))).is_empty());
    assert_eq!(closed(t.tick(Duration::from_secs(5))).len(), 1);
}

#[test]
fn two_vehicles_of_one_fleet_with_consecutive_numbers_are_two_reads() {
    // One after the other through the picture, and one where the other has just left it.
    for (gap, x) in [(0, 600.0), (3, 600.0), (3, 150.0), (9, 900.0)] {
        let mut t = tracker();
        let mut reads = Vec::new();
        for i in 0..8 {
            reads.extend(t.update(&frame(i), &[sighting("8F41207", 0.97, 100.0 + 40.0 * i as f32, 80.0)]));
        }
        for i in 0..8 {
            reads.extend(t.update(&frame(8 + gap + i), &[sighting("8F41208", 0.97, x + 40.0 * i as f32, 80.0)]));
        }
        reads.extend(t.finish());
        let reads: Vec<_> = closed(reads).into_iter().map(|r| (r.text, r.looks)).collect();
        assert_eq!(reads, [("8F41207".into(), 8), ("8F41208".into(), 8)], "{gap} {x}");
    }
}

#[test]
fn two_vehicles_of_one_fleet_side_by_side_stay_two_though_looks_are_missing() {
    let mut t = tracker();
    for i in 0..12 {
        let (a, b) = (sighting("8F41207", 0.97, 100.0, 80.0), sighting("8F41208", 0.97, 500.0, 80.0));
        let seen = match i % 3 {
            0 => vec![a, b],
            1 => vec![b],
            _ => vec![a],
        };
        t.update(&frame(i), &seen);
    }
    let mut reads: Vec<_> = closed(t.finish()).into_iter().map(|r| (r.text, r.looks)).collect();
    reads.sort();
    assert_eq!(reads, [("8F41207".into(), 8), ("8F41208".into(), 8)]);
}

#[test]
fn a_fast_vehicle_and_a_jolt_of_the_camera_do_not_split_a_read() {
    // Three widths a frame from the first look on; then one jolt of two widths.
    for step in [240.0, 20.0] {
        let mut t = tracker();
        for i in 0..6 {
            let jolt = if i == 3 { 160.0 } else { 0.0 };
            t.update(&frame(i), &[sighting("7ABC123", 0.97, 100.0 + step * i as f32 + jolt, 80.0)]);
        }
        assert_eq!(closed(t.finish()).iter().map(|r| r.looks).collect::<Vec<_>>(), [6]);
    }
}

#[test]
fn a_misread_look_on_the_way_of_a_vehicle_is_a_look_at_it() {
    let mut t = tracker();
    for i in 0..8 {
        let text = if i == 4 { "7ABC128" } else { "7ABC123" };
        t.update(&frame(i), &[sighting(text, 0.97, 100.0 + 60.0 * i as f32, 80.0)]);
    }
    let reads = closed(t.finish());
    assert_eq!(reads.iter().map(|r| (&*r.text, r.looks, r.agreeing)).collect::<Vec<_>>(), [("7ABC123", 8, 7)]);
}

/// A frame in the given second.
fn at_second(seconds: f64) -> Frame {
    let monotonic = Duration::from_secs_f64(seconds);
    Frame { at: frame(0).at + monotonic, monotonic, ..frame((seconds * 10.0) as u64) }
}

#[test]
fn a_vehicle_that_stands_in_view_is_one_read_until_it_leaves_and_the_read_says_so() {
    let mut t = tracker();
    let (mut told, mut over) = (0, Vec::new());
    for i in 0..6000 {
        let mut events = t.update(&at_second(f64::from(i) / 5.0), &[sighting("7ABC123", 0.97, 300.0, 80.0)]);
        over.extend(closed(events.extract_if(.., |e| matches!(e, Event::Closed(_))).collect()));
        told += growing(events).len();
    }
    assert!(over.is_empty(), "it is still there after twenty minutes");
    // When it is sure, when its confidence grows, and once a minute.
    assert!((20..30).contains(&told), "{told}");
    // It drives off.
    for i in 0..5 {
        let s = sighting("7ABC123", 0.97, 300.0 + 60.0 * i as f32, 80.0);
        assert!(closed(t.update(&at_second(1200.0 + f64::from(i) / 5.0), &[s])).is_empty());
    }
    let reads = closed(t.tick(Duration::from_secs(1203)));
    assert_eq!(reads.len(), 1);
    assert_eq!((reads[0].looks, reads[0].in_view), (6005, Duration::from_millis(1_200_800)));
    assert!((reads[0].stood.as_secs_f32() - 1200.0).abs() < 1.0, "{:?}", reads[0].stood);
    assert!(reads[0].sightings.len() <= 8);
}

#[test]
fn a_vehicle_that_passes_did_not_stand() {
    let mut t = tracker();
    for i in 0..20 {
        t.update(&frame(i), &[sighting("7ABC123", 0.97, 100.0 + 25.0 * i as f32, 80.0)]);
    }
    assert_eq!(closed(t.finish())[0].stood, Duration::ZERO);
}

#[test]
fn a_standing_vehicle_that_is_covered_for_a_moment_stays_one_read_and_another_in_its_place_is_another() {
    let mut t = tracker();
    let mut reads = Vec::new();
    let mut see = |t: &mut Tracker, seconds: f64, text: &str| {
        reads.extend(closed(t.update(&at_second(seconds), &[sighting(text, 0.97, 300.0, 80.0)])));
    };
    (0..50).for_each(|i| see(&mut t, f64::from(i) / 5.0, "8F41207"));
    (0..50).for_each(|i| see(&mut t, 14.0 + f64::from(i) / 5.0, "8F41207"));
    (0..50).for_each(|i| see(&mut t, 28.0 + f64::from(i) / 5.0, "8F41208"));
    reads.extend(closed(t.finish()));
    let reads: Vec<_> = reads.iter().map(|r| (&*r.text, r.looks)).collect();
    assert_eq!(reads, [("8F41207", 100), ("8F41208", 50)]);
}

#[test]
fn what_each_look_reads_differently_is_no_plate() {
    let mut t = tracker();
    for (i, (text, p)) in [("1", 0.9), ("LL", 0.94), ("H", 0.9), ("IL1", 0.9), ("T7", 0.9)].iter().enumerate() {
        t.update(&frame(i as u64), &[sighting(text, *p, 300.0, 80.0)]);
    }
    assert!(closed(t.finish()).is_empty());
    assert!(t.suppressed() > 0);
}

#[test]
fn a_plate_of_one_or_two_characters_that_looks_agree_on_is_a_read_and_may_alert() {
    for text in ["7", "LL", "X1"] {
        let mut t = tracker();
        let mut told = 0;
        for i in 0..5 {
            told += growing(t.update(&frame(i), &[sighting(text, 0.95, 300.0, 80.0)])).len();
        }
        let reads = closed(t.finish());
        assert!(reads.len() == 1 && told > 0, "{text}: {} reads, told {told} times", reads.len());
        assert_eq!((&*reads[0].text, reads[0].agreeing), (text, 5));
    }
}

#[test]
fn a_plate_that_is_clear_only_when_it_is_near_is_a_read() {
    let mut t = tracker();
    for (i, text) in ["1ABC12", "7A8C723", "7ABC1Z3", "TABC123", "7ABC12"].iter().enumerate() {
        t.update(&frame(i as u64), &[sighting(text, 0.85, 300.0, 40.0)]);
    }
    for i in 5..9 {
        t.update(&frame(i), &[sighting("7ABC123", 0.98, 300.0, 60.0)]);
    }
    assert_eq!(closed(t.finish()).into_iter().map(|r| (r.text, r.looks)).collect::<Vec<_>>(), [("7ABC123".into(), 9)]);
}

#[test]
fn what_is_too_unsure_is_no_read_and_is_counted() {
    let mut t = tracker();
    t.update(&frame(0), &[sighting("7ABC123", 0.6, 300.0, 80.0)]);
    assert!(closed(t.finish()).is_empty());
    assert_eq!(t.suppressed(), 1);
}

proptest! {
    #[test]
    fn every_look_is_in_exactly_one_track(
        frames in prop::collection::vec(prop::collection::vec(("[A-C1-3]{5,7}", 0.5_f32..0.999, 0_u16..1200), 0..4), 0..30)
    ) {
        let config = Recognition { keep_confidence: 0.0, ..Default::default() };
        let mut t = Tracker::new("front".into(), config);
        let mut reads = Vec::new();
        for (i, f) in frames.iter().enumerate() {
            let sightings: Vec<_> = f.iter().map(|(text, p, x)| sighting(text, *p, f32::from(*x), 80.0)).collect();
            reads.extend(closed(t.update(&frame(i as u64), &sightings)));
        }
        reads.extend(closed(t.finish()));
        let looks: u32 = reads.iter().map(|r| r.looks).sum();
        prop_assert_eq!(looks as usize, frames.iter().map(Vec::len).sum::<usize>());
        prop_assert!(reads.iter().all(|r| r.agreeing <= r.looks && r.first_seen <= r.last_seen && !r.text.is_empty()));
    }
}
