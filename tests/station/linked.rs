//! What the station's program needs from the machine it is installed on.

use std::process::Command;

#[test]
fn the_station_links_no_part_that_only_a_vehicle_needs() {
    let output = Command::new("ldd").arg(env!("CARGO_BIN_EXE_plated-station")).output().unwrap();
    let linked = String::from_utf8(output.stdout).unwrap().to_lowercase();
    assert!(linked.contains("libc.so"), "ldd says nothing: {linked}");
    for part in ["opencv", "asound", "onnx", "turbojpeg", "libjpeg", "libav", "libgst"] {
        assert!(!linked.contains(part), "{part} is linked: {linked}");
    }
    // The name of a library that is opened later lies in the program itself.
    let mut grep = Command::new("grep");
    grep.args(["-qaE", "libonnxruntime|libasound"]).arg(env!("CARGO_BIN_EXE_plated-station"));
    assert_eq!(grep.status().unwrap().code(), Some(1), "a library of the vehicle is opened at run time");
}
