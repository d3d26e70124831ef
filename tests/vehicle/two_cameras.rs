//! Several cameras of one vehicle.

use crate::kit::vehicle::{Settings, Vehicle, images};
use plated_core::record::{Alerting, CameraPosition};

/// A camera of this position and its pictures.
fn camera(name: &str, position: &str) -> String {
    format!("{}position = \"{position}\"\n", images(name, "road", 1))
}

#[test]
fn two_cameras_that_see_the_same_vehicle_make_one_alert_and_each_read_says_where_its_camera_looks() {
    let vehicle = Vehicle::new();
    vehicle.pictures("road", &["7ABC123".to_owned()]);
    std::fs::write(vehicle.path("list.csv"), "plate,priority\n7ABC123,high\n").unwrap();
    let list = "[[hotlists]]\nname = \"svs\"\npath = \"list.csv\"\n".to_owned();
    vehicle.configure(&Settings::default(), &[camera("cam1", "front"), camera("cam2", "rear"), list]);
    let ended = vehicle.run_to_the_end();
    let mut cameras: Vec<_> = ended.reads().map(|read| (read.camera_label(), read.camera_position)).collect();
    cameras.sort_by(|a, b| a.0.cmp(&b.0));
    let expected = [("cam1 (front)", CameraPosition::Front), ("cam2 (rear)", CameraPosition::Rear)];
    assert_eq!(cameras, expected.map(|(label, position)| (label.to_owned(), Some(position))));
    let mut alerts: Vec<_> = vehicle.stored().values().flat_map(|read| &read.hits).map(|hit| hit.alert).collect();
    alerts.sort_by_key(|alert| *alert != Alerting::Sounded);
    assert_eq!(alerts, [Alerting::Sounded, Alerting::Repeat]);
}
