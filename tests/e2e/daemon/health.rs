//! `plated status` says how each part of the running daemon is.

use crate::kit::process::until;
use crate::kit::reading::plates;
use crate::kit::vehicle::{Settings, Vehicle, images};

#[test]
fn the_status_names_every_part_of_a_daemon_that_is_well_and_exits_with_0() {
    let vehicle = Vehicle::new();
    vehicle.pictures("road", &plates(5));
    std::fs::write(vehicle.path("list.csv"), format!("plate\n{}\n", plates(1)[0])).unwrap();
    let list = "[[hotlists]]\nname = \"local\"\npath = \"list.csv\"\n".to_owned();
    let source = images("front", "road", 0).replace("every_frame", "realtime");
    vehicle.configure(&Settings::default(), &[source, list]);
    let mut daemon = vehicle.start(&[]);
    daemon.wait_reads(1);
    let parts = [
        "camera front",
        "chime",
        "control",
        "disk",
        "list local",
        "log",
        "matching",
        "recognition",
        "store",
        "transfer",
    ];
    until("all parts to be well", || {
        let (message, code) = vehicle.status();
        let is_well = |part: &&str| message.lines().any(|l| l.starts_with(&format!("ok        {part}: ")));
        (parts.iter().all(is_well) && code == Some(0)).then_some(())
    });
    daemon.terminate().well();
    let (message, code) = vehicle.status();
    assert!(message.contains("no daemon runs") && message.contains("list local: 1 entry"), "{message}");
    assert_eq!(code, Some(2));
}
