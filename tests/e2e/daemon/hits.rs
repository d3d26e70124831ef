//! A wanted plate alerts, and says by which rule; nobody else does, and no plate gets into the log.

use crate::kit::process::{Line, until};
use crate::kit::sound;
use crate::kit::vehicle::{Settings, Vehicle, images};
use plated_core::record::{Difference, Priority, Rule};

fn texts(plates: &[&str]) -> Vec<String> {
    plates.iter().map(|p| (*p).to_owned()).collect()
}

#[test]
fn wanted_plates_hit_before_their_read_with_rule_and_differing_characters_and_others_never() {
    let vehicle = Vehicle::new();
    let road = texts(&["4KLM567", "7ABC123", "8XOY111", "6DEF128", "4KLN567", "6DEF12A"]);
    vehicle.pictures("road", &road);
    std::fs::write(
        vehicle.path("list.csv"),
        "plate,state,category,priority\n7ABC123,CA,stolen_vehicle,high\n8X0Y111,,stolen_plate,normal\n\
         6DEF12B,NV,felony,low\n9ZZZ999,CA,felony,high\n",
    )
    .unwrap();
    let lists = "[[hotlists]]\nname = \"svs\"\npath = \"list.csv\"\nmatch = { keep_probability = 0.0, alert_probability = 0.0 }\n\
         [[hotlists]]\nname = \"gone\"\npath = \"gone.csv\"\n";
    vehicle.configure(&Settings::default(), &[images("front", "road", 1), lists.to_owned()]);
    let ended = vehicle.run_to_the_end();

    let shown: Vec<_> = ended
        .lines
        .iter()
        .filter_map(|line| match line {
            Line::Hit { hit, .. } => Some(format!("hit {}", hit.text)),
            Line::Read(read) => Some(format!("read {}", read.text)),
            Line::Summary(_) => None,
        })
        .collect();
    let order = [
        "read 4KLM567",
        "hit 7ABC123",
        "read 7ABC123",
        "hit 8XOY111",
        "read 8XOY111",
        "hit 6DEF128",
        "read 6DEF128",
        "read 4KLN567",
        "read 6DEF12A",
    ];
    let of = |text: &str| shown.iter().position(|s| s.ends_with(text)).unwrap();
    assert_eq!(shown.len(), order.len(), "{shown:?}");
    for pair in ["7ABC123", "8XOY111", "6DEF128"] {
        assert_eq!(shown[of(pair)], format!("hit {pair}"), "{shown:?}");
    }
    assert!(order.iter().all(|o| shown.contains(&(*o).to_owned())), "{shown:?}");

    let hits: Vec<_> = ended.hits().collect();
    let [(exact, of_exact, true), (folded, _, true), (similar, _, true)] = hits[..] else { panic!("{hits:?}") };
    assert_eq!((exact.rule, &exact.differs[..], &*exact.entries[0].entry.plate), (Rule::Exact, &[][..], "7ABC123"));
    assert_eq!((exact.priority(), &*exact.entries[0].entry.category), (Priority::High, "stolen_vehicle"));
    assert_eq!(
        (folded.rule, &folded.differs[..], &*folded.entries[0].entry.plate),
        (Rule::ZeroOrO, &[Difference { position: 2, read: 'O', listed: '0' }][..], "8X0Y111")
    );
    let difference = Difference { position: 6, read: '8', listed: 'B' };
    assert_eq!((similar.rule, &similar.differs[..]), (Rule::Equivalent, &[difference][..]));
    assert!(exact.probability > 0.99 && similar.probability < 0.01, "{hits:?}");

    let stored = vehicle.stored();
    for (hit, read, _) in &hits {
        assert_eq!(stored[read].hits, [(*hit).clone()]);
    }
    assert_eq!(stored[&of_exact].text, "7ABC123");
    assert_eq!(vehicle.store().stats().unwrap().hits, 3);
    vehicle.assert_stored(ended.reads());

    // The list that isn't there is told, and did not keep the other from its work.
    let errors = ended.at("ERROR");
    assert!(errors.len() == 1 && errors[0].contains("gone.csv") && errors[0].contains("not in force"), "{}", ended.log);
}

#[test]
fn a_high_hit_is_heard() {
    let vehicle = Vehicle::new();
    std::fs::write(vehicle.path("asound.conf"), sound::alsa_configuration(vehicle.dir.path())).unwrap();
    vehicle.pictures("road", &texts(&["4KLM567", "7ABC123"]));
    std::fs::write(vehicle.path("list.csv"), "plate,priority\n7ABC123,high\n").unwrap();
    let list = "[[hotlists]]\nname = \"svs\"\npath = \"list.csv\"\n[alert]\nsound = false\n".to_owned();
    vehicle.configure(&Settings::default(), &[images("front", "road", 1), list]);
    let mut daemon = vehicle.start(&[]);
    daemon.wait_reads(1);
    let played = vehicle.path("default.raw");
    until("the chime", || (sound::melody(&sound::read(&played)) == [1500.0, 1100.0].repeat(6)).then_some(()));
    daemon.terminate().well();
}

#[test]
fn without_a_sound_card_one_line_says_so_and_plates_are_read() {
    let vehicle = Vehicle::new();
    std::fs::write(vehicle.path("asound.conf"), "").unwrap();
    vehicle.pictures("road", &texts(&["4KLM567"]));
    vehicle.configure(&Settings::default(), &[images("front", "road", 1)]);
    let ended = vehicle.run_to_the_end();
    assert_eq!(ended.reads().count(), 1);
    let warnings = ended.at("WARN");
    assert!(warnings.len() == 1 && warnings[0].contains("Alerts are not heard for now"), "{}", ended.log);
    assert!(!ended.log.contains("ALSA lib"), "{}", ended.log);
}

#[test]
fn no_plate_gets_into_the_log() {
    let vehicle = Vehicle::new();
    let road = texts(&["4KLM567", "7ABC123", "6DEF128"]);
    vehicle.pictures("road", &road);
    std::fs::write(vehicle.path("list.csv"), "plate\n7ABC123\n6DEF12B\nBAD PLATE!\n").unwrap();
    let list = "[[hotlists]]\nname = \"svs\"\npath = \"list.csv\"\n".to_owned();
    vehicle.configure(&Settings::default(), &[images("front", "road", 1), list]);
    // Frames are to be written where none can be: what is said about that holds no plate either.
    let ended = vehicle.start(&["--until-end", "--annotate", "/proc/self/fdinfo"]).end().well();
    assert_eq!(ended.reads().count(), 3);
    assert!(ended.log.contains("A frame could not be written"), "{}", ended.log);
    for plate in road.iter().map(String::as_str).chain(["6DEF12B", "BADPLATE", "BAD PLATE"]) {
        assert!(!ended.log.contains(plate), "{}", ended.log);
    }
}
