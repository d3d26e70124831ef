//! Whatever a browser or a program sends: no failure, and no data for whoever is not logged in.

use crate::console_entry_points;
use crate::kit::corpus;

// policy: P-20, P-21
#[test]
fn no_request_fails_and_none_is_answered_with_data_without_a_session() {
    for (target, run) in console_entry_points::TARGETS {
        corpus::run(target, run, 60);
    }
}
