//! Reads are found by what the vehicle looks like.

use super::*;
use plated_core::appearance::{Appearance, Seen};
use plated_core::officers::Correction;
use uuid::Uuid;

fn seen(is: &str) -> Option<Seen> {
    Some(Seen { is: is.into(), confidence: 0.9 })
}

fn keep(vehicle: &Vehicle, text: &str, appearance: Option<Appearance>) -> Uuid {
    let mut new = read(text);
    new.record.appearance = appearance;
    vehicle.store.put_read(&new).unwrap().id
}

fn asked(plate: &str, class: &str, colour: &str, make: &str) -> Request {
    let word = |word: &str| (!word.is_empty()).then(|| word.to_owned());
    match search(plate, HOUR) {
        Request::Search { plate, canvass, window, reason, case, .. } => {
            let looks = Looks { class: word(class), colour: word(colour), make: word(make) };
            Request::Search { plate, canvass, looks, window, reason, case }
        }
        _ => unreachable!(),
    }
}

#[test]
fn a_search_by_class_colour_and_make_finds_what_was_seen_so_and_not_what_could_not_be_told() {
    let vehicle = Vehicle::new("");
    let white_pickup = Appearance { class: seen("pickup"), colour: seen("white"), ..Appearance::default() };
    keep(&vehicle, "7AAA111", Some(white_pickup.clone()));
    keep(&vehicle, "7AAA222", Some(Appearance { make: seen("ford"), ..white_pickup }));
    keep(&vehicle, "7AAA333", Some(Appearance { class: seen("car"), ..Appearance::default() }));
    keep(&vehicle, "7AAA444", None);
    let of = |plate: &str, class: &str, colour: &str, make: &str| {
        let mut texts = found(&vehicle.ask(asked(plate, class, colour, make)).unwrap());
        texts.sort();
        texts
    };
    assert_eq!(of("", "pickup", "", ""), ["7AAA111", "7AAA222"]);
    assert_eq!(of("", "Pickup", "White", "Ford"), ["7AAA222"]);
    assert_eq!(of("7AAA1*", "", "white", ""), ["7AAA111"]);
    assert_eq!(of("7AAA*", "car", "", ""), ["7AAA333"]);
    assert!(of("", "", "white", "toyota").is_empty());
    let subject = vehicle.events().pop().unwrap().subject;
    assert_eq!(
        (&subject["colour"], &subject["make"]),
        (&"white".into(), &"toyota".into()),
        "what is asked is on record"
    );
    assert!(vehicle.refusal(asked("", "4x4", "", "")).contains("class"));
}

// policy: P-30
#[test]
fn a_hit_of_a_corrected_read_names_what_was_seen_of_the_vehicle() {
    let vehicle = Vehicle::new("");
    let motorcycle = EntryRecord {
        list: "svs".into(),
        plate: "7BBB111".into(),
        plate_type: "MC".into(),
        priority: Priority::High,
        ..EntryRecord::default()
    };
    vehicle.service.lists().put(plated_hotlist::Source::memory(
        "svs",
        [motorcycle].into_iter(),
        plated_hotlist::Rules::default(),
    ));
    let id = keep(&vehicle, "7BBB117", Some(Appearance { class: seen("car"), ..Appearance::default() }));
    let (read, plate, case) = (id.simple().to_string(), "7BBB111".into(), String::new());
    let request = Request::Correct { read, plate, state: None, reason: reason("the last one is a 1"), case };
    let replies = vehicle.ask(request).unwrap();
    let corrected: Vec<&Correction> =
        replies.iter().filter_map(|r| if let Reply::Corrected(c) = r { Some(&**c) } else { None }).collect();
    let differs = &corrected[0].hits[0].entries[0].vehicle_differs;
    assert_eq!(differs[0].in_words(), "list says MC, seen: car");
}
