//! The units: what systemd itself says of their sandbox.

use std::process::Command;

/// The exposure that `systemd-analyze security` reckons, from 0 (least) to 10; none where it is not installed.
fn exposure(unit: &str) -> Option<f64> {
    let path = format!("{}/systemd/{unit}", env!("CARGO_MANIFEST_DIR"));
    let answer = Command::new("systemd-analyze").args(["security", "--offline=yes", "--no-pager"]).arg(path).output();
    let text = answer.ok().map(|answer| String::from_utf8_lossy(&answer.stdout).into_owned())?;
    // `→ Overall exposure level for plated.service: 1.8 OK :-)`
    text.lines().last()?.split(": ").nth(1)?.split(' ').next()?.parse().ok()
}

#[test]
fn the_sandbox_of_the_units_is_as_tight_as_cameras_network_and_a_clock_that_is_asked_allow() {
    // What is left is told in docs/decisions/0042-the-service.md.
    for (unit, limit) in
        [("plated.service", 1.8), ("plated-station.service", 1.5), ("plated-station-lists.service", 1.5)]
    {
        match exposure(unit) {
            Some(exposure) => assert!(exposure <= limit, "{unit}: {exposure}"),
            None => eprintln!("SKIPPED: systemd-analyze is not installed, or knows no --offline"),
        }
    }
}
