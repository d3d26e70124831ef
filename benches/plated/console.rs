//! The console's pages over HTTPS on this machine, with 300,000 reads in the store: from the request to the
//! whole answer, access record included.

use super::support::{figure, millis, percentile, stolen};
use crate::kit::console::{Browser, Desk};
use crate::kit::store::{Place, read};
use plated_access::Role;
use reqwest::StatusCode;
use std::time::{Duration, Instant};

pub const READS: usize = 300_000;
/// Stored one by one; the others are copies of these with ids and times of their own.
const STORED: usize = 1_000;
const REQUESTS: usize = 100;

/// A console with [`READS`] reads in its store, and an officer.
pub fn desk() -> Desk {
    let desk = Desk::new();
    for n in 0..STORED {
        desk.store.put_read(&read(&plate(n))).unwrap();
    }
    copy(&desk.place);
    assert_eq!(desk.store.stats().unwrap().reads, READS as u64);
    desk.hire("jdoe", Role::Officer);
    desk
}

pub fn run() {
    let desk = desk();
    let browser = desk.watching("jdoe");
    let before = stolen();
    page(&browser, "the page of live reads", "/", 0.99, 100.0);
    println!("  of {REQUESTS} requests each, {READS} reads; stolen by the host of this virtual machine: {:.0} ms", {
        millis(stolen() - before)
    });
}

/// Different plates that begin with each digit.
pub fn plate(n: usize) -> String {
    let letter = |n: usize| char::from(b'A' + (n % 26) as u8);
    format!("{}{}{}{}{:03}", n % 10, letter(n), letter(n / 7), letter(n / 3), n * 37 % 1000)
}

fn page(browser: &Browser, what: &str, path: &str, share: f64, bar_ms: f64) {
    let mut times: Vec<Duration> = (0..REQUESTS)
        .map(|_| {
            let from = Instant::now();
            let answer = browser.get(path);
            let took = from.elapsed();
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
            took
        })
        .collect();
    let (half, most) = (millis(percentile(&mut times, 0.5)), millis(percentile(&mut times, share)));
    figure(&format!("{what}, p{:.0}", share * 100.0), most, "ms", most < bar_ms, &format!("< {bar_ms:.0}"));
    println!("    p50 {half:.1} ms");
}

/// Copies the reads within the database until there are [`READS`]: what is measured reads them only.
fn copy(place: &Place) {
    let hex = std::fs::read_to_string(place.dir.path().join("store.key")).unwrap();
    let conn = rusqlite::Connection::open(place.path()).unwrap();
    let uuid = "substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-7' || substr(h, 14, 3) || '-8' || substr(h, 18, 3) || '-' || \
                substr(h, 21, 12)";
    let rounds = READS / STORED - 1;
    conn.execute_batch(&format!(
        "PRAGMA key = \"x'{}'\";
         BEGIN;
         CREATE TEMP TABLE copied AS
           WITH RECURSIVE round(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM round WHERE n < {rounds})
           SELECT read.*, lower(hex(randomblob(16))) AS h, round.n AS n FROM round CROSS JOIN read;
         INSERT INTO read (id, camera, text, key, state, class, confidence, has_hit, looks, agreeing, first_seen,
                           last_seen, stored, sha256, record, canvass)
           SELECT unhex(replace({uuid}, '-', '')), camera, text, key, state, class, confidence, has_hit, looks,
                  agreeing, first_seen + n, last_seen + n, stored, sha256,
                  CAST(json_set(CAST(record AS TEXT), '$.id', {uuid}) AS BLOB), canvass
           FROM copied;
         COMMIT;",
        hex.trim()
    ))
    .unwrap();
}
