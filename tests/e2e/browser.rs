//! The console in a real browser: Debian's Chromium, driven by playwright-core. What is done in it stands in
//! tests/browser, a file for each scenario. `.ci/browser` brings what they need; without it they are skipped.

use crate::kit::browser::{self, Cab};
use crate::kit::process::Ended;
use crate::kit::vehicle::Vehicle;
use std::io::Write;

/// Plates that the camera sees, one after the other, again and again.
const PLATES: [&str; 4] = ["7ABC123", "4XYZ987", "6QRS455", "8TUV016"];

/// Does what is written in `tests/browser/<name>.mjs` with a vehicle whose camera sees [`PLATES`].
fn scenario(name: &str) {
    let Some(browser) = browser::installed() else {
        // Not by `eprintln`, which the test runner keeps to itself.
        let _ = writeln!(std::io::stderr(), "SKIPPED: no browser for the console's tests; .ci/browser installs it");
        return;
    };
    let vehicle = Vehicle::new();
    vehicle.pictures("street", &PLATES.map(String::from));
    let street = "[[sources]]\nname = \"front\"\nkind = \"images\"\npath = \"street\"\npace = \"realtime\"\n\
                  rate = 2.0\nrepeat = 0\n";
    let mut cab = Cab::start(browser, vehicle, &[street.into()]);
    let done = cab.script(name).output().unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut daemon = cab.daemon.take().unwrap();
    assert!(
        done.status.success(),
        "{}\n{}\nthe daemon's log:\n{}",
        said(&done.stdout),
        said(&done.stderr),
        daemon.log()
    );
    let ended: Ended = daemon.terminate();
    ended.well();
}

// policy: P-20
#[test]
fn five_wrong_passwords_lock_the_account_and_the_page_says_so() {
    scenario("wrong_password");
}

// policy: P-20
#[test]
fn a_second_factor_is_set_up_and_asked_for() {
    scenario("second_factor");
}

// policy: P-07
#[test]
fn lapsed_training_shows_the_own_status_and_nothing_else() {
    scenario("training");
}

// policy: P-01
#[test]
fn without_a_purpose_nothing_is_shown_and_with_one_the_live_reads_come() {
    scenario("purpose");
}

// policy: P-06
#[test]
fn an_alert_fills_the_screen_and_is_answered_in_two_steps() {
    scenario("alert");
}

// policy: P-06
#[test]
fn not_this_vehicle_is_proposed_approved_by_another_person_and_another_entry_still_alerts() {
    scenario("not_this_vehicle");
}

// policy: P-06
#[test]
fn a_normal_alert_is_muted_for_the_shift_and_a_high_one_can_not_be() {
    scenario("mute");
}

// policy: P-04
#[test]
fn a_partial_plate_that_an_officer_enters_alerts_when_the_vehicle_passes() {
    scenario("partial_plate");
}

#[test]
fn a_shift_is_possible_by_touch_alone_and_every_target_is_large_enough_for_a_finger() {
    scenario("touch");
}

// policy: P-01, P-04
#[test]
fn a_search_asks_for_its_purpose_finds_by_a_partial_plate_and_its_export_asks_for_another() {
    scenario("search");
}

// policy: P-30
#[test]
fn a_misread_is_corrected_and_the_alert_comes() {
    scenario("correction");
}

#[test]
fn two_officers_take_turns_and_each_sees_their_own_name() {
    scenario("two_officers");
}

#[test]
fn a_shift_is_possible_with_the_keyboard_alone() {
    scenario("keyboard");
}

#[test]
fn the_page_goes_on_by_itself_after_a_lost_connection_and_says_so_meanwhile() {
    scenario("lost_connection");
}

// policy: P-31
#[test]
fn a_drive_test_is_begun_its_plates_entered_and_its_result_compared_with_others() {
    scenario("performance");
}

#[test]
fn every_page_fits_the_screen_by_day_and_night_and_axe_finds_nothing() {
    scenario("pages");
}
