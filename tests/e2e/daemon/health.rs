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

#[test]
fn a_control_socket_that_was_removed_or_replaced_under_the_daemon_is_made_anew() {
    let vehicle = Vehicle::new();
    vehicle.pictures("road", &plates(1));
    vehicle.configure(&Settings::default(), &[images("front", "road", 1)]);
    let mut daemon = vehicle.start(&[]);
    daemon.wait_reads(1);
    let socket = vehicle.path("store.db.control");
    let made_anew = |what: &str| {
        until(what, || {
            let (message, _) = vehicle.status();
            message.contains("daemon running").then_some(message)
        })
    };
    std::fs::remove_file(&socket).unwrap();
    assert!(made_anew("a socket in the place of the removed one").contains("ok        control: "));
    // Another program's left-over socket.
    std::fs::remove_file(&socket).unwrap();
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    made_anew("a socket in the place of another");
    let log = daemon.terminate().well().log;
    assert_eq!(log.matches("was made anew").count(), 2, "{log}");
    assert!(!socket.exists());
}
