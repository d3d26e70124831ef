//! The daemon as a service manager starts it.

use crate::kit::process::{Daemon, PATIENCE, until};
use crate::kit::reading::plates;
use crate::kit::vehicle::{Settings, Vehicle, images};
use std::os::unix::net::UnixDatagram;

/// What a service manager is told.
struct Manager {
    socket: UnixDatagram,
    said: Vec<String>,
}

impl Manager {
    fn listen(vehicle: &Vehicle) -> Self {
        let socket = UnixDatagram::bind(vehicle.path("notify")).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { socket, said: Vec::new() }
    }

    /// Waits for a message that begins like this.
    fn wait_for(&mut self, beginning: &str) -> String {
        loop {
            let mut bytes = [0; 4096];
            let length = self.socket.recv(&mut bytes).unwrap_or_else(|e| panic!("{beginning} did not come: {e}"));
            self.said.push(String::from_utf8_lossy(&bytes[..length]).trim_end().to_owned());
            let last = self.said.last().unwrap();
            if last.starts_with(beginning) {
                return last.clone();
            }
        }
    }
}

#[test]
fn a_service_manager_hears_when_it_is_ready_that_it_is_alive_how_it_is_and_that_it_ends() {
    let vehicle = Vehicle::new();
    let plate = plates(1).remove(0);
    vehicle.pictures("road", std::slice::from_ref(&plate));
    vehicle.configure(&Settings::default(), &[images("front", "road", 0).replace("every_frame", "realtime")]);
    let mut manager = Manager::listen(&vehicle);
    let mut daemon = Daemon::start_as_service(vehicle.path("").as_path(), &vehicle.path("notify"), &[]);
    manager.wait_for("READY=1");
    manager.wait_for("WATCHDOG=1");
    daemon.wait_reads(1);
    manager.wait_for("STATUS=1 of 1 camera at work");
    daemon.terminate().well();
    manager.wait_for("STOPPING=1");
    assert!(manager.said.iter().all(|line| !line.contains(&plate)), "{:?}", manager.said);
}

#[test]
fn a_camera_that_is_not_plugged_in_keeps_the_daemon_neither_from_being_ready_nor_from_being_alive() {
    let vehicle = Vehicle::new();
    let camera = "[[sources]]\nname = \"front\"\nkind = \"v4l2\"\ndevice = \"not-there\"\n".to_owned();
    vehicle.configure(&Settings::default(), &[camera]);
    let mut manager = Manager::listen(&vehicle);
    let daemon = Daemon::start_as_service(vehicle.path("").as_path(), &vehicle.path("notify"), &[]);
    manager.wait_for("READY=1");
    for _ in 0..3 {
        manager.wait_for("WATCHDOG=1");
    }
    until("the camera to be told of", || vehicle.status().0.contains("CRITICAL  camera front").then_some(()));
    daemon.terminate().well();
}
