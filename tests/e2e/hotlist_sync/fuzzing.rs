//! No bytes from the station panic, and none make a wrong list.

use crate::kit::corpus;
use crate::sync_entry_points;

#[test]
fn no_bytes_from_the_station_panic_or_make_a_wrong_list() {
    for (target, run) in sync_entry_points::TARGETS {
        corpus::run(target, run, 500);
    }
}
