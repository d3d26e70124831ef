//! Canvasses (control P-03).

use super::*;
use crate::kit::store::{hit, transfer};
use plated_vehicle::store::Canvass;

fn begin_canvass(incident: &str) -> Request {
    Request::StartCanvass { incident: incident.into(), reason: reason("homicide at 5th and Main") }
}

fn end_canvass() -> Request {
    Request::EndCanvass { reason: reason("done") }
}

fn canvasses(vehicle: &Vehicle) -> Vec<Canvass> {
    let canvass = |reply| if let Reply::Canvass(canvass) = reply { canvass } else { panic!("{reply:?}") };
    vehicle.ask(Request::Canvasses).unwrap().into_iter().map(canvass).collect()
}

// policy: P-03
#[test]
fn a_canvass_is_started_once_survives_a_restart_and_is_ended_each_with_who_and_why() {
    let vehicle = Vehicle::new("");
    vehicle.ask(begin_canvass("26-1234")).unwrap();
    let refused = vehicle.refusal(begin_canvass("26-9999"));
    assert!(refused.contains("26-1234 is open") && refused.contains("end it first"), "{refused}");
    let vehicle = vehicle.again("");
    assert_eq!(vehicle.service.canvass().incident().as_deref(), Some("26-1234"));
    vehicle.place.clock.advance(HOUR);
    vehicle.ask(end_canvass()).unwrap();
    assert_eq!(vehicle.service.canvass().incident(), None);
    assert!(vehicle.refusal(end_canvass()).contains("no canvass is open"));
    vehicle.ask(begin_canvass("26-9999")).unwrap();
    let [second, first] = &canvasses(&vehicle)[..] else { panic!() };
    assert_eq!((&*second.incident, second.ended), ("26-9999", None));
    assert_eq!((&*first.incident, first.started, first.ended), ("26-1234", start(), Some(start() + HOUR)));
    assert_eq!((&*first.by.user, &*first.reason), ("jdoe", "homicide at 5th and Main"));
    let events = vehicle.events();
    assert_eq!(whats(&events), [What::CanvassStarted, What::CanvassEnded, What::CanvassStarted]);
    assert_eq!((&events[0].subject["case"], &*events[0].reason), (&"26-1234".into(), "homicide at 5th and Main"));
}

// policy: P-03
#[test]
fn the_status_says_which_canvass_is_open() {
    let vehicle = Vehicle::new("");
    let status = || vehicle.service.status().unwrap().canvass;
    assert_eq!(status(), None);
    vehicle.ask(begin_canvass("26-1234")).unwrap();
    let open = status().unwrap();
    assert_eq!((&*open.incident, open.since), ("26-1234", Some(start())));
    vehicle.ask(end_canvass()).unwrap();
    assert_eq!(status(), None);
}

#[test]
fn a_canvass_without_a_number_is_refused() {
    let vehicle = Vehicle::new("");
    assert!(vehicle.refusal(begin_canvass(" ")).contains("number of the incident"));
    assert!(vehicle.refusal(begin_canvass(&"9".repeat(65))).contains("64 characters"));
    assert!(canvasses(&vehicle).is_empty());
}

// policy: P-03
#[test]
fn reads_of_a_canvass_are_searched_by_its_number_and_go_before_others_without_a_hit() {
    let vehicle = Vehicle::new("");
    let keep = |plate: &str, canvass: Option<&str>, has_hit: bool| {
        let mut new = read(plate);
        new.record.canvass = canvass.map(str::to_owned);
        new.record.hits.extend(has_hit.then(|| hit("svs")));
        vehicle.store.put_read(&new).unwrap().id
    };
    let before = keep("7AAA111", None, false);
    let made_in_it = keep("7AAA222", Some("26-1234"), false);
    keep("7AAA333", Some("26-9999"), false);
    let wanted = keep("7AAA444", None, true);
    let order: Vec<_> = vehicle.store.outbox(transfer(), 10).unwrap().iter().map(|r| r.sealed.id).collect();
    assert_eq!((order[0], order[1], order[3]), (wanted, made_in_it, before));
    let of = |plate: &str, canvass: &str| {
        let request = match search(plate, HOUR) {
            Request::Search { plate, looks, window, reason, case, .. } => {
                Request::Search { plate, canvass: Some(canvass.into()), looks, window, reason, case }
            }
            _ => unreachable!(),
        };
        found(&vehicle.ask(request).unwrap())
    };
    assert_eq!(of("", "26-1234"), ["7AAA222"]);
    assert_eq!((of("7AAA*", "26-9999"), of("7AAA222", "26-9999").len()), (vec!["7AAA333".to_owned()], 0));
    assert_eq!(vehicle.events().pop().unwrap().subject["canvass"], "26-9999");
    assert!(vehicle.refusal(search("", HOUR)).contains("at least 2 characters"));
}
