//! The station's pages in a real browser. What is done in it stands in tests/browser/station.mjs.

use crate::kit::browser::{self, node, trust};
use crate::kit::process::address;
use crate::kit::provider::{self, Provider};
use crate::kit::station_pages::{CHOSEN, Hall};
use crate::kit::{Depot, record};
use plated_core::record::{ImageRef, ImageRole, ReadRecord};
use std::io::Write;
use std::path::Path;

/// Reads that a vehicle has sent, one after the other; the gallery has their pictures.
const PLATES: [&str; 4] = ["4HNU635", "5RWE907", "6KOJ318", "8XBR815"];

fn picture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web/gallery/pictures");
    std::fs::read(folder.join(format!("{name}.jpg"))).unwrap()
}

/// A station with people of each role, and reads with the pictures of the gallery.
fn hall() -> Hall {
    let hall = Hall::with("[pages.policy.published]\nfigures = true\naudit_log = true\ndeletions = true\n");
    for (name, role) in [
        ("jdoe", "officer"),
        ("sarge", "supervisor"),
        ("clerk", "custodian"),
        ("chief", "administrator"),
        ("audit", "auditor"),
    ] {
        hall.hire(name, role);
    }
    for plate in PLATES {
        let now = jiff::Timestamp::now();
        let name = plate.to_lowercase();
        let pictures = [picture(&name), picture(&format!("{name}-overview"))];
        let image = |role, jpeg: &Vec<u8>| ImageRef { role, ..record(std::slice::from_ref(jpeg)).images[0] };
        let images = vec![image(ImageRole::Plate, &pictures[0]), image(ImageRole::Overview, &pictures[1])];
        let read =
            ReadRecord { text: plate.into(), hits: Vec::new(), first_seen: now, last_seen: now, images, ..record(&[]) };
        hall.receive(&read, &pictures);
    }
    hall
}

/// Runs tests/browser/NAME.mjs against it.
fn run(hall: &Hall, name: &str) {
    let Some(installed) = browser::installed() else {
        let _ = writeln!(std::io::stderr(), "SKIPPED: no browser for the station's tests; .ci/browser installs it");
        return;
    };
    let home = hall.depot.dir.path().join("home");
    trust(&home, &hall.depot.config.ca);
    let done = node(&installed, &home, name, hall.pages).env("CHOSEN", CHOSEN).output().unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(done.status.success(), "{}\n{}", said(&done.stdout), said(&done.stderr));
}

// policy: P-01, P-15, P-20, P-24
#[test]
fn the_day_of_each_role_at_the_station_in_a_browser() {
    run(&hall(), "station");
}

// policy: P-32
#[test]
fn an_auditors_day_by_the_keyboard_alone_from_login_to_the_signed_report() {
    let hall = hall();
    let officer = hall.looking("jdoe");
    for plate in PLATES {
        officer.submit("/search", &[("plate", plate)]);
    }
    run(&hall, "station_auditor");
}

// policy: P-20
#[test]
fn an_administrator_comes_in_by_the_agencys_own_login_and_out_of_both_in_a_browser() {
    let Some(modules) = provider::installed() else { return };
    let (at, pages, depot) = (address(), address(), Depot::new());
    let table = Provider::table(depot.dir.path(), at, pages, "");
    let hall = Hall::at(depot, pages, &table);
    hall.hire("chief", "administrator");
    let _provider = Provider::start(&modules, hall.depot.dir.path(), at, pages);
    run(&hall, "station_agency");
}
