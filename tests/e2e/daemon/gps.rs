//! Position, heading and speed on every read and hit, from the real gpsd; reads go on without.

use crate::kit::gpsd::{Gpsd, HEADING, SPEED_M_S, Sky};
use crate::kit::process::{Daemon, Line, until};
use crate::kit::vehicle::{Settings, Vehicle, images};
use plated_core::position::Position;
use plated_core::record::ReadRecord;

const HALL: (f64, f64) = (38.1302, 121.2724);
/// 500 m to the north of it.
const BRIDGE: (f64, f64) = (38.1347, 121.2724);

fn fix((north, west): (f64, f64)) -> Sky {
    Sky::Fix(north, west)
}

fn is_at(position: Option<Position>, (north, west): (f64, f64)) -> bool {
    let there = Position { lat: north, lon: -west, heading: None, speed_m_s: None, error_m: None, age_s: 0.0 };
    position.is_some_and(|p| p.metres_to(&there) < 5.0)
}

/// A vehicle that reads two plates again and again as a camera would, with gpsd at this address.
fn vehicle(gpsd: &Gpsd) -> Vehicle {
    let vehicle = Vehicle::new();
    vehicle.pictures("road", &["4KLM567".into(), "7ABC123".into()]);
    let road = images("front", "road", 0).replace("every_frame", "realtime");
    let tables = format!(
        "[[hotlists]]\nname = \"svs\"\npath = \"list.csv\"\n[gps]\naddress = \"{}\"\n[alert]\nrepeat_after_s = 0\n",
        gpsd.address()
    );
    vehicle.configure(&Settings::default(), &[road, tables]);
    std::fs::write(vehicle.path("list.csv"), "plate\n7ABC123\n").unwrap();
    vehicle
}

/// The next read like this.
fn read(daemon: &mut Daemon, wanted: impl Fn(&ReadRecord) -> bool) -> ReadRecord {
    let line = daemon.wait_for(|line| matches!(line, Line::Read(read) if wanted(read)));
    let Line::Read(read) = line else { unreachable!() };
    *read
}

#[test]
fn reads_and_hits_have_the_position_of_the_real_gpsd_and_go_on_without_while_there_is_none() {
    let Some(mut gpsd) = Gpsd::start(fix(HALL)) else { return };
    let vehicle = vehicle(&gpsd);
    let mut daemon = vehicle.start(&[]);

    let at_hall = read(&mut daemon, |read| is_at(read.position, HALL));
    let position = at_hall.position.unwrap();
    assert_eq!(position.heading, Some(HEADING));
    assert!((position.speed_m_s.unwrap() - SPEED_M_S).abs() < 0.05, "{position:?}");
    assert!(position.error_m.is_some_and(|error| error > 0.0) && position.age_s.abs() <= 5.0, "{position:?}");
    let hit = daemon.wait_for(|line| matches!(line, Line::Hit { hit, .. } if is_at(hit.position, HALL)));
    assert!(matches!(hit, Line::Hit { .. }));
    assert!(vehicle.status().0.contains("gps: the position is known, right to about"), "{}", vehicle.status().0);

    gpsd.set(fix(BRIDGE));
    let at_bridge = read(&mut daemon, |read| is_at(read.position, BRIDGE));
    assert!((at_bridge.position.unwrap().metres_to(&position) - 500.0).abs() < 5.0);

    gpsd.set(Sky::Covered);
    read(&mut daemon, |read| read.position.is_none());
    until("the status to say why", || {
        vehicle.status().0.contains("gps: no position: the receiver has no fix").then_some(())
    });

    gpsd.stop();
    let gone = format!("gps: no position from gpsd at {}: ", gpsd.address());
    until("the status to say that gpsd is gone", || vehicle.status().0.contains(&gone).then_some(()));
    read(&mut daemon, |read| read.position.is_none());

    gpsd.set(fix(HALL));
    gpsd.again();
    read(&mut daemon, |read| is_at(read.position, HALL));

    let ended = daemon.terminate().well();
    // What was announced is what is kept, position and all.
    vehicle.assert_stored(ended.reads());
}

#[test]
fn a_recording_has_no_position_of_the_vehicle_that_plays_it() {
    let Some(gpsd) = Gpsd::start(fix(HALL)) else { return };
    let vehicle = vehicle(&gpsd);
    // It is played as fast as it can be: with a plate in each picture there would soon be no room for reads.
    let street = vec![String::new(); 200];
    vehicle.pictures("tape", &[vec!["6DEF128".into()], street].concat());
    let text = std::fs::read_to_string(vehicle.path("plated.toml")).unwrap();
    let tape = images("tape", "tape", 0);
    std::fs::write(vehicle.path("plated.toml"), text.replacen("[[sources]]", &format!("{tape}[[sources]]"), 1))
        .unwrap();
    let mut daemon = vehicle.start(&[]);
    read(&mut daemon, |read| read.camera == "front" && is_at(read.position, HALL));
    let played = read(&mut daemon, |read| read.camera == "tape");
    assert_eq!(played.position, None);
    daemon.terminate().well();
}
