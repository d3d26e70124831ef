//! "Not this vehicle": what is proposed, approved and in force, and what alerts all the same.

use super::*;
use crate::kit::store::hit;
use plated_core::officers::VehicleFinding;
use plated_core::record::HitRecord;
use plated_core::user::Author;
use plated_core::wire::FindingSet;
use plated_vehicle::store::{HitEnd, KeptFinding};

fn supervisor() -> Actor {
    Actor::SystemUser(SystemUser { user: "rvale".into(), uid: 1009 })
}

fn propose(hit: &HitRecord, until: Duration) -> Request {
    let until = Expires::InSeconds(until.as_secs());
    let reason = reason("same plate of Nevada");
    Request::ProposeFinding { hit: hit.short(), entry: None, until, reason, case: "26-1234".into() }
}

fn approve(number: i64) -> Request {
    Request::ApproveFinding { number, reason: reason("seen the registration"), case: String::new() }
}

fn withdraw(number: i64) -> Request {
    Request::WithdrawFinding { number, reason: reason("plates were swapped"), case: String::new() }
}

impl Vehicle {
    /// Keeps a read of 7ABC123 with a hit on this list.
    fn has_hit(&self, list: &str) -> HitRecord {
        let mut new = read("7ABC123");
        let hit = hit(list);
        new.record.hits.push(hit.clone());
        self.store.put_read(&new).unwrap();
        hit
    }

    fn as_other(&self, who: &Actor, request: Request) -> Result<Vec<Reply>> {
        let mut replies = Vec::new();
        self.service.answer(request, who, None, &mut |reply| {
            replies.push(reply);
            Ok(())
        })?;
        Ok(replies)
    }

    fn finding(&self, who: &Actor, request: Request) -> KeptFinding {
        let mut replies = self.as_other(who, request).unwrap();
        let Reply::Finding(kept) = replies.remove(0) else { panic!() };
        *kept
    }

    /// Whether a hit like this would be kept from alerting.
    fn is_found(&self, hit: &HitRecord, state: &str) -> bool {
        let mut hit = hit.clone();
        self.service.findings().mark(&mut hit, state, self.place.clock.monotonic());
        hit.alerting().next().is_none()
    }
}

#[test]
fn a_finding_is_in_force_once_another_person_has_approved_it_and_until_its_end() {
    let vehicle = Vehicle::new("");
    let hit = vehicle.has_hit("svs");
    let proposed = vehicle.finding(&officer(), propose(&hit, 48 * HOUR));
    let finding = &proposed.finding;
    assert_eq!((&*finding.plate, &*finding.state, &finding.entry), ("7ABC123", "CA", &hit.entries[0].entry));
    assert_eq!((finding.hit, &*finding.proposed.by.user, finding.until), (hit.id, "jdoe", start() + 48 * HOUR));
    assert!(!vehicle.is_found(&hit, "CA"), "nobody approved it");
    let refused = vehicle.refusal(approve(proposed.number));
    assert!(refused.contains("the same person"), "{refused}");
    assert!(!vehicle.is_found(&hit, "CA"));
    assert!(vehicle.refusal(propose(&hit, HOUR)).contains("waits for a supervisor"));
    let approved = vehicle.finding(&supervisor(), approve(proposed.number)).finding.approved.unwrap();
    assert_eq!((approved.by, approved.at), (Author { user: "rvale".into(), uid: Some(1009) }, start()));
    assert!(vehicle.is_found(&hit, "CA"));
    let events = vehicle.events();
    assert_eq!(whats(&events)[events.len() - 1], What::FindingApproved);
    assert_eq!(events[events.len() - 1].subject["plate"], "7ABC123");
    // A restart changes nothing, and a jump of the clock neither ends it nor makes it last.
    let vehicle = vehicle.again("");
    assert!(vehicle.is_found(&hit, "CA"));
    vehicle.place.clock.advance(48 * HOUR - Duration::from_secs(1));
    assert!(vehicle.is_found(&hit, "CA"));
    vehicle.place.clock.advance(Duration::from_secs(1));
    assert!(!vehicle.is_found(&hit, "CA"));
}

#[test]
fn another_entry_a_changed_one_another_plate_and_another_state_alert_all_the_same() {
    let vehicle = Vehicle::new("");
    let hit = vehicle.has_hit("svs");
    let proposed = vehicle.finding(&officer(), propose(&hit, 48 * HOUR));
    vehicle.finding(&supervisor(), approve(proposed.number));
    let with = |change: fn(&mut HitRecord)| {
        let mut other = hit.clone();
        change(&mut other);
        other
    };
    assert!(vehicle.is_found(&hit, "CA") && vehicle.is_found(&hit, ""), "an unread state is no other");
    assert!(!vehicle.is_found(&hit, "NV"));
    assert!(!vehicle.is_found(&with(|h| h.entries[0].entry.list = "bolo".into()), "CA"));
    assert!(!vehicle.is_found(&with(|h| h.entries[0].entry.reason = "armed".into()), "CA"));
    assert!(!vehicle.is_found(&with(|h| h.text = "7A8C123".into()), "CA"));
    let mut both = with(|h| h.entries.push(h.entries[0].clone()));
    both.entries[1].entry.category = "robbery".into();
    vehicle.service.findings().mark(&mut both, "CA", vehicle.place.clock.monotonic());
    let alerting: Vec<_> = both.alerting().map(|e| &*e.entry.category).collect();
    assert_eq!((alerting, both.entries[1].finding), (vec!["robbery"], Some(proposed.finding.id)));
}

#[test]
fn a_withdrawn_finding_and_one_that_cannot_be_read_alert() {
    let vehicle = Vehicle::new("");
    let hit = vehicle.has_hit("svs");
    let first = vehicle.finding(&officer(), propose(&hit, 48 * HOUR)).number;
    vehicle.finding(&supervisor(), approve(first));
    vehicle.finding(&officer(), withdraw(first));
    assert!(!vehicle.is_found(&hit, "CA"));
    assert!(vehicle.refusal(withdraw(first)).contains("was withdrawn"));
    let second = vehicle.finding(&officer(), propose(&hit, 48 * HOUR)).number;
    vehicle.finding(&supervisor(), approve(second));
    assert!(vehicle.is_found(&hit, "CA"));
    vehicle.raw().execute("UPDATE vehicle_finding SET record = '{}' WHERE number = ?1", [second]).unwrap();
    let vehicle = vehicle.again("");
    assert!(!vehicle.is_found(&hit, "CA"));
}

#[test]
fn one_that_another_key_signed_or_nobody_is_not_in_force() {
    let vehicle = Vehicle::new("");
    let hit = vehicle.has_hit("svs");
    let number = vehicle.finding(&officer(), propose(&hit, 48 * HOUR)).number;
    vehicle.finding(&supervisor(), approve(number));
    let record: String = vehicle.raw().query_row("SELECT record FROM vehicle_finding", [], |row| row.get(0)).unwrap();
    let signed: serde_json::Value = serde_json::from_str(&record).unwrap();
    let stranger = plated_core::signing::Signer::generate().unwrap();
    let purpose = plated_core::signing::Purpose::VEHICLE_FINDING;
    let by_stranger = plated_access::signed::sign(&signed["document"], purpose, &stranger).unwrap();
    let until = format!("\"until\":{}", signed["document"]["until"]);
    let prolonged = record.replace(&until, "\"until\":\"2027-03-01T12:00:00Z\"");
    assert_ne!(prolonged, record);
    let mut vehicle = vehicle;
    for (text, in_force) in [(&record, true), (&by_stranger, false), (&prolonged, false), (&record, true)] {
        vehicle.raw().execute("UPDATE vehicle_finding SET record = ?1", [text]).unwrap();
        vehicle = vehicle.again("");
        assert_eq!(vehicle.is_found(&hit, "CA"), in_force);
    }
}

/// What the station hands out.
fn set(serial: u64, findings: Vec<VehicleFinding>, refused: Vec<uuid::Uuid>) -> Change {
    let made = start();
    Change::Findings(Box::new(FindingSet { station: "station-1".into(), serial, made, findings, refused }))
}

#[test]
fn what_the_station_approved_is_in_force_until_its_end_and_goes_before_what_was_found_here() {
    // Found in another vehicle, about the same entry.
    let elsewhere = Vehicle::new("");
    let hit = elsewhere.has_hit("svs");
    let number = elsewhere.finding(&officer(), propose(&hit, 48 * HOUR)).number;
    let finding = elsewhere.finding(&supervisor(), approve(number)).finding;
    let vehicle = Vehicle::new("");
    assert!(!vehicle.is_found(&hit, "CA"));
    vehicle.service.take(&set(1, vec![finding.clone()], Vec::new())).unwrap();
    assert!(vehicle.is_found(&hit, "CA") && !vehicle.is_found(&hit, "NV"));
    let mut other = hit.clone();
    other.entries[0].entry.category = "robbery".into();
    assert!(!vehicle.is_found(&other, "CA"), "another entry of the plate");
    vehicle.place.clock.advance(48 * HOUR - Duration::from_secs(1));
    assert!(vehicle.is_found(&hit, "CA"));
    vehicle.place.clock.advance(Duration::from_secs(1));
    assert!(!vehicle.is_found(&hit, "CA"), "it is over");
    vehicle.service.take(&set(2, Vec::new(), Vec::new())).unwrap();
    assert!(!vehicle.is_found(&hit, "CA"));

    // The station refuses what was approved in the vehicle, or gives it an earlier end.
    assert!(elsewhere.is_found(&hit, "CA"));
    elsewhere.service.take(&set(1, Vec::new(), vec![finding.id])).unwrap();
    assert!(!elsewhere.is_found(&hit, "CA"));
    let shorter = VehicleFinding { until: start() + HOUR, ..finding.clone() };
    elsewhere.service.take(&set(2, vec![shorter], Vec::new())).unwrap();
    assert!(elsewhere.is_found(&hit, "CA"));
    elsewhere.place.clock.advance(HOUR);
    assert!(!elsewhere.is_found(&hit, "CA"));
    // Whoever withdraws it in a vehicle need not wait for the station.
    elsewhere.service.take(&set(3, vec![finding], Vec::new())).unwrap();
    assert!(elsewhere.is_found(&hit, "CA"));
    elsewhere.finding(&officer(), withdraw(number));
    assert!(!elsewhere.is_found(&hit, "CA"));
}

#[test]
fn a_finding_survives_an_update_of_its_list_that_leaves_the_entry_as_it_is() {
    let vehicle = Vehicle::new("[[hotlists]]\nname = \"svs\"\n");
    vehicle.import("svs", "plate,state,reason\n7ABC123,CA,stolen\n", false, "new").unwrap();
    let alerts = |vehicle: &Vehicle| {
        let (text, slots) = (PlateText::normalise("7ABC123"), sure("7ABC123"));
        let query = Query { text: &text, state: "CA", candidates: &[], slots: &slots, now: vehicle.place.clock.wall() };
        let found = vehicle.service.lists().matches(&query).remove(0);
        let hit = plated_vehicle::alert::hit(found, "7ABC123", 0.9, start());
        (!vehicle.is_found(&hit, "CA"), hit)
    };
    let (before, hit) = alerts(&vehicle);
    let mut new = read("7ABC123");
    new.record.hits.push(hit.clone());
    vehicle.store.put_read(&new).unwrap();
    let proposed = vehicle.finding(&officer(), propose(&hit, 48 * HOUR));
    vehicle.finding(&supervisor(), approve(proposed.number));
    let found = alerts(&vehicle).0;
    vehicle.import("svs", "plate,state,reason\n7ABC123,CA,stolen\n7DEF456,CA,new\n", false, "new").unwrap();
    let after_update = alerts(&vehicle).0;
    vehicle.import("svs", "plate,state,reason\n7ABC123,CA,armed robbery\n7DEF456,CA,new\n", false, "new").unwrap();
    assert_eq!((before, found, after_update, alerts(&vehicle).0), (true, false, false, true));
    assert!(vehicle.store.find_hit(&crate::kit::store::permit(), &HitEnd::parse(&hit.short()).unwrap()).is_ok());
}
