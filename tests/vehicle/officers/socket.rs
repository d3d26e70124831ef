//! Where the daemon listens for the command line.

use super::*;
use plated_core::runtime::Runtime;
use plated_vehicle::control::Server;
use plated_vehicle::health::{Health, Level};
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;

/// What a caller hears who asks how all is.
fn status(socket: &Path) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.write_all(b"{\"do\":\"status\"}\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_second_server_at_the_same_path_refuses_and_the_first_still_answers() {
    let Vehicle { place, store, service } = Vehicle::new("");
    let (service, socket, runtime) = (Arc::new(service), place.dir.path().join("control"), Runtime::start().unwrap());
    let health = Arc::new(Health::default());
    service.tell_health(health.clone());
    let start = || Server::start(&socket, service.clone(), runtime.handle(), &Default::default());
    let first = start().unwrap();
    let error = start().err().unwrap();
    assert_eq!(error.kind(), Kind::Refused);
    assert!(error.chain().contains("another program listens"), "{}", error.chain());
    assert!(status(&socket).contains("\"status\""));
    let part = health.parts().into_iter().find(|part| part.name == "control").unwrap();
    assert!(part.level == Level::Ok && part.text.contains(socket.to_str().unwrap()), "{part:?}");
    drop(first);
    assert!(!socket.exists(), "nothing is left of it");
    drop(service);
    store.close().unwrap();
}

#[test]
fn a_socket_whose_daemon_is_gone_is_replaced() {
    let Vehicle { place, store, service } = Vehicle::new("");
    let (socket, runtime) = (place.dir.path().join("control"), Runtime::start().unwrap());
    drop(UnixListener::bind(&socket).unwrap());
    let server = Server::start(&socket, Arc::new(service), runtime.handle(), &Default::default()).unwrap();
    assert!(status(&socket).contains("\"status\""));
    drop(server);
    store.close().unwrap();
}

#[test]
fn the_status_shows_lists_and_transfer_as_the_daemons_list_of_parts_has_them() {
    let Vehicle { place, store, service } = Vehicle::new("[[hotlists]]\nname = \"svs\"\n");
    let health = Arc::new(Health::default());
    service.tell_health(health.clone());
    let vehicle = Vehicle { place, store, service };
    let named = |name: &str| health.parts().into_iter().find(|part| part.name == name);
    vehicle.service.report_parts();
    assert_eq!(named("list svs").unwrap().level, Level::Failed, "nothing is in force");
    vehicle.import("svs", "plate\n7ABC123\n", false, "x").unwrap();
    let report = vehicle.service.status().unwrap();
    assert_eq!(report.parts, health.parts());
    let list = named("list svs").unwrap();
    assert!(list.level == Level::Ok && list.text.starts_with("1 entry, 0 min old"), "{list:?}");
    vehicle.place.clock.advance(24 * HOUR);
    vehicle.service.report_parts();
    assert_eq!(named("list svs").unwrap().level, Level::Degraded);
    assert!(named("transfer").unwrap().text.contains("no station is configured"));
    assert!(named("disk").is_some());
}
