//! A vehicle's track: all reads of one plate that the viewer may see (controls P-08, P-21).

use crate::kit::record;
use crate::kit::station_pages::Hall;
use jiff::{Span, Timestamp};
use plated_core::position::Position;
use plated_core::record::{Alerting, ReadRecord};
use reqwest::StatusCode;

/// A read of this plate so many minutes ago, so far north.
fn read(text: &str, minutes: i64, north: f64) -> ReadRecord {
    let at = Timestamp::now() - Span::new().minutes(minutes);
    let golden = record(&[]);
    let position = golden.position.map(|of| Position { lat: of.lat + north, ..of });
    let text = text.to_owned();
    ReadRecord { text, hits: Vec::new(), canvass: None, first_seen: at, last_seen: at, position, ..golden }
}

// policy: P-21
#[test]
fn a_track_shows_all_reads_of_one_plate_as_a_map_and_a_time_line_and_is_on_record_as_a_search_of_its_own() {
    let hall = Hall::new();
    hall.hire("jdoe", "officer");
    let reads = [read("7ABC123", 50, 0.0), read("7ABC123", 20, 0.01), read("7ABC123", 5, 0.02)];
    reads.iter().for_each(|read| hall.receive(read, &[]));
    let other = read("6DEF128", 10, 0.03);
    hall.receive(&other, &[]);
    let officer = hall.looking("jdoe");
    let found = officer.submit("/search", &[("plate", "7ABC123")]).to;
    let track = format!("/reads/{}/track", reads[1].id);
    assert!(officer.get(&format!("/reads/{}", reads[1].id)).body.contains(&track));
    assert!(officer.get(&found).body.contains("/track\""), "the result of a whole plate leads to its track");
    let part = officer.submit("/search", &[("plate", "7ABC*")]).to;
    assert!(!officer.get(&part).body.contains("/track\""), "a part of a plate may be of several vehicles");

    let page = officer.get(&track);
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    let place = |read: &ReadRecord| page.body.find(&format!("id=\"read-{}\"", read.id));
    let places: Vec<_> = reads.iter().map(place).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "the oldest first: {places:?}");
    assert!(place(&other).is_none() && page.body.contains("3 reads, from "), "{}", page.body);
    assert!(page.body.contains("<polyline class=\"way\"") && page.body.matches("<g class=\"place").count() >= 3);
    let searched = hall.on_record("search_back").pop().unwrap();
    assert_eq!((&searched["elements"]["as"], &searched["elements"]["plate"]), (&"track".into(), &"7ABC123".into()));
    assert_eq!((&searched["case"], &searched["actor"]["name"]), (&"26-1234".into(), &"jdoe".into()));
    assert_eq!(hall.on_record("rows_shown").pop().unwrap()["rows"], 3);
    hall.hire("audit", "auditor");
    assert!(!hall.logged_in("audit").get(&track).body.contains("7ABC123"));
    assert_eq!(officer.get("/reads/0199ac00-0000-7000-8000-000000000000/track").status, StatusCode::NOT_FOUND);
}

// policy: P-08
#[test]
fn a_track_gives_no_hit_away_that_may_not_be_seen() {
    let hall = Hall::new();
    hall.hire("jdoe", "officer");
    let covert = {
        let mut read = ReadRecord { hits: record(&[]).hits, ..read("7ABC123", 5, 0.0) };
        read.hits.truncate(1);
        read.hits[0].alert = Alerting::Covert;
        read
    };
    hall.receive(&covert, &[]);
    hall.receive(&read("7ABC123", 20, 0.01), &[]);
    let page = hall.looking("jdoe").get(&format!("/reads/{}/track", covert.id)).body;
    assert!(page.contains("2 reads") && !page.contains("class=\"badge") && !page.contains("place hit"), "{page}");
}
