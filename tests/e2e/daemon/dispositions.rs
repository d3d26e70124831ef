//! What an officer finds about a hit, by the real command line: the pairing is quiet for the shift.

use crate::kit::clock::Moved;
use crate::kit::process::{Line, PATIENCE, until};
use crate::kit::sound;
use crate::kit::vehicle::{Settings, Vehicle, images};
use jiff::SignedDuration;
use plated_core::clock::Clock;
use plated_core::record::Alerting;
use plated_vehicle::config::Config;
use plated_vehicle::events::Next;
use plated_vehicle::pipeline::{Announcement, Daemon};
use plated_vehicle::store::What;
use serde_json::Value;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

/// Read as a plate that looks like the listed 7ABC123, and as the other listed one itself.
const ROAD: [&str; 3] = ["4KLM567", "7A8C123", "6DEF128"];

fn configure(vehicle: &Vehicle, repeat: u32) {
    let list = "[[hotlists]]\nname = \"svs\"\npath = \"list.csv\"\n\
                match = { keep_probability = 0.0, alert_probability = 0.0 }\n[alert]\nrepeat_after_s = 0\n\
                [shift]\nhours = 8\n";
    let source = images("front", "road", repeat);
    // A camera does not wait until the lists are in the matching; what is played once has to.
    let source = if repeat == 0 { source.replace("every_frame", "realtime") } else { source };
    vehicle.configure(&Settings::default(), &[source, list.to_owned()]);
}

fn vehicle() -> Vehicle {
    let vehicle = Vehicle::new();
    vehicle.pictures("road", &ROAD.map(String::from));
    std::fs::write(vehicle.path("list.csv"), "plate,priority\n7ABC123,high\n6DEF128,low\n").unwrap();
    configure(&vehicle, 0);
    vehicle
}

/// `plated hit …`
fn hit(vehicle: &Vehicle, args: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plated"));
    let done = command.arg("hit").args(args).arg("--config").arg(vehicle.path("plated.toml")).output().unwrap();
    assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

fn of(line: &Line, text: &str, alert: Alerting) -> bool {
    matches!(line, Line::Hit { hit, sounded, .. }
        if hit.text == text && hit.alert == alert && *sounded == (alert == Alerting::Sounded))
}

// policy: P-06
#[test]
fn a_pairing_found_misread_is_kept_and_silent_also_after_a_restart_until_it_is_found_correct() {
    let vehicle = vehicle();
    let mut daemon = vehicle.start(&[]);
    let Line::Hit { hit: first, .. } = daemon.wait_for(|line| of(line, "7A8C123", Alerting::Sounded)) else { panic!() };
    let listed = hit(&vehicle, &["list", "--since", "1h", "--reason", "which was it", "--json"]);
    let mut listed = listed.lines().map(|l| serde_json::from_str::<Value>(l).unwrap());
    let of_first = listed.find(|l| l["hit"]["id"] == first.id.to_string()).unwrap();
    assert_eq!((&of_first["hit"]["text"], &of_first["disposition"]), (&"7A8C123".into(), &Value::Null));

    let message = hit(&vehicle, &["disposition", &first.short(), "misread", "--reason", "looked at it"]);
    assert!(message.contains("alerts nobody until") && !message.contains("wanted vehicle"), "{message}");
    daemon.wait_for(|line| of(line, "7A8C123", Alerting::Quieted));
    daemon.wait_for(|line| of(line, "6DEF128", Alerting::Sounded));
    daemon.wait_for(|line| of(line, "7A8C123", Alerting::Quieted));
    let ended = daemon.terminate().well();
    let quiet_from = ended.lines.iter().position(|line| of(line, "7A8C123", Alerting::Quieted)).unwrap();
    assert!(!ended.lines[quiet_from..].iter().any(|line| of(line, "7A8C123", Alerting::Sounded)));
    assert!(!ended.log.contains("7A8C123") && !ended.log.contains("7ABC123"), "{}", ended.log);

    // After a restart the low chime of the other plate is all that is heard.
    std::fs::write(vehicle.path("asound.conf"), sound::alsa_configuration(vehicle.dir.path())).unwrap();
    configure(&vehicle, 1);
    let mut daemon = vehicle.start(&["--until-end"]);
    let played = vehicle.path("default.raw");
    until("the chime", || sound::melody(&sound::read(&played)).contains(&440.0).then_some(()));
    daemon.wait_reads(3);
    let ended = daemon.end().well();
    let high = [1500.0, 1100.0];
    assert!(!sound::melody(&sound::read(&played)).iter().any(|tone| high.contains(tone)));
    let (quieted, ..) = ended.hits().find(|(hit, ..)| hit.text == "7A8C123").unwrap();
    assert_eq!(quieted.alert, Alerting::Quieted);
    let stored = vehicle.stored();
    assert!(stored.values().any(|read| read.hits.contains(quieted)), "kept with its read");

    // Without a daemon the same command works on the store itself.
    let message = hit(&vehicle, &["disposition", &quieted.short(), "correct"]);
    assert!(
        message.contains("read 7A8C123, listed 7ABC123: correct") && !message.contains("alerts nobody"),
        "{message}"
    );
    let message = hit(&vehicle, &["list", "--reason", "end of shift"]);
    assert!(message.contains("7A8C123   correct (") && message.contains("7A8C123   misread ("), "{message}");
    assert!(message.contains("6DEF128   unverified") && message.contains("without a disposition"), "{message}");
    let ended = vehicle.start(&["--until-end"]).end().well();
    assert!(ended.lines.iter().any(|line| of(line, "7A8C123", Alerting::Sounded)));

    let events = crate::kit::store::events_but_live(&vehicle.store());
    let on_record: Vec<_> = events.iter().filter(|e| e.what != What::ListImported).collect();
    let whys: Vec<_> = on_record.iter().map(|e| (e.what, &*e.reason)).collect();
    let expected = [
        (What::HitsShown, "which was it"),
        (What::HitsShown, "looked at it"),
        (What::Disposition, "looked at it"),
        (What::HitsShown, "found correct"),
        (What::Disposition, "found correct"),
        (What::HitsShown, "end of shift"),
    ];
    assert_eq!(whys, expected);
    let me = plated_access::Actor::of_this_process().author();
    assert!(on_record.iter().all(|e| e.who == me));
}

#[test]
fn a_word_that_is_no_finding_and_a_list_without_a_reason_are_refused_before_anything_is_asked() {
    let vehicle = vehicle();
    for args in [&["disposition", "9f3a21c4", "stolen"][..], &["disposition", "9f3a21c4"], &["list"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plated"));
        let done = command.arg("hit").args(args).arg("--config").arg(vehicle.path("plated.toml")).output().unwrap();
        assert_eq!(done.status.code(), Some(2), "{args:?}");
    }
    assert!(!vehicle.path("store.db").exists());
}

// policy: P-06
#[test]
fn at_the_end_of_the_shift_a_pairing_found_wrong_sounds_again_and_a_jump_of_the_clock_is_no_end() {
    let vehicle = vehicle();
    let clock = Arc::new(Moved::new());
    let config = Config::load(&vehicle.path("plated.toml")).unwrap();
    let daemon = Daemon::start(&config, clock.clone(), &Default::default()).unwrap();
    let mut events = daemon.events().resume(0);
    let live = daemon.live(None, None, plated_access::Case::none());
    let mut next = || loop {
        match events.next(PATIENCE) {
            Next::Event(number, event) => match live.admit(number, &event) {
                Some(Announcement::Hit { hit, .. }) if hit.text == "7A8C123" => return *hit,
                _ => {}
            },
            Next::Lagged(_) => {}
            other => panic!("{other:?}"),
        }
    };
    let first = next();
    assert_eq!(first.alert, Alerting::Sounded);
    hit(&vehicle, &["disposition", &first.short(), "not-on-file"]);
    while next().alert != Alerting::Quieted {}
    // Less than a day, which is believed.
    let day = Duration::from_secs(23 * 3600);
    clock.on(day.try_into().unwrap(), Duration::ZERO);
    let jumped = clock.wall();
    loop {
        let hit = next();
        assert_eq!(hit.alert, Alerting::Quieted);
        if hit.at >= jumped {
            break;
        }
    }
    clock.on(SignedDuration::ZERO, day / 2);
    while next().alert != Alerting::Sounded {}
    daemon.stop().unwrap();
}
