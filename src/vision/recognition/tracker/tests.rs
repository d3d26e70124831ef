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
    assert!(growing(t.update(&frame(2), &[sighting("7ABC123", 0.97, 310.0, 80.0)])).is_empty(), "and only once");
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
