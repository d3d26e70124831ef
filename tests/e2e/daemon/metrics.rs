//! What a monitoring system gets of the running daemon.

use crate::kit::process::{address, until};
use crate::kit::reading::plates;
use crate::kit::vehicle::{Settings, Vehicle, images};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

fn get(at: SocketAddr, request: &str) -> Option<String> {
    let mut stream = TcpStream::connect(at).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

#[test]
fn a_monitoring_system_gets_numbers_and_neither_plates_nor_names_of_lists() {
    let vehicle = Vehicle::new();
    let plates = plates(2);
    vehicle.pictures("road", &plates);
    std::fs::write(vehicle.path("list.csv"), format!("plate\n{}\n", plates[0])).unwrap();
    let at = address();
    let tables = [
        images("front", "road", 1),
        "[[hotlists]]\nname = \"secret\"\npath = \"list.csv\"\n".to_owned(),
        format!("[metrics]\nlisten = \"{at}\"\n"),
    ];
    vehicle.configure(&Settings::default(), &tables);
    let mut daemon = vehicle.start(&[]);
    daemon.wait_reads(2);
    let numbers = until("the numbers", || {
        let answer = get(at, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")?;
        (answer.contains("plated_reads_total 2\n") && answer.contains("kind=\"list\"")).then_some(answer)
    });
    assert!(numbers.starts_with("HTTP/1.1 200 ") && numbers.contains("plated_camera_frames_total{camera=\"front\"} "));
    assert!(plates.iter().all(|plate| !numbers.contains(plate)) && !numbers.contains("secret"), "{numbers}");
    assert!(get(at, "GET / HTTP/1.1\r\n\r\n").unwrap().starts_with("HTTP/1.1 404 "));
    assert!(get(at, "POST /metrics HTTP/1.1\r\n\r\n").unwrap().starts_with("HTTP/1.1 405 "));
    daemon.terminate().well();
}
