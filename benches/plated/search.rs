//! Searches on the console over HTTPS, with 300,000 reads in the store: from what is posted to the whole page of
//! what was found, both records of the audit log included.

use super::console::{READS, desk, plate};
use super::support::{figure, millis, percentile, stolen};
use crate::kit::console::Browser;
use reqwest::StatusCode;
use std::time::{Duration, Instant};

const SEARCHES: usize = 100;

pub fn run() {
    let desk = desk();
    let browser = desk.watching("jdoe");
    let before = stolen();
    let part = |n: usize, from: usize, to: usize| plate(n * 7)[from..to].to_owned();
    searches(&browser, "by the beginning of a plate", 150.0, |n| format!("{}*", part(n, 0, 3)));
    searches(&browser, "by two characters of the beginning", 150.0, |n| format!("{}*", part(n, 0, 2)));
    searches(&browser, "by a whole plate", 150.0, |n| part(n, 0, 7));
    searches(&browser, "with a wildcard in front", 800.0, |n| format!("*{}", part(n, 3, 7)));
    searches(&browser, "with a wildcard in front, and nothing is found", 800.0, |n| format!("*{:02}QQ", n % 100));
    println!("  of {SEARCHES} searches each, {READS} reads; stolen by the host of this virtual machine: {:.0} ms", {
        millis(stolen() - before)
    });
}

fn searches(browser: &Browser, what: &str, bar_ms: f64, pattern: impl Fn(usize) -> String) {
    let token = browser.get("/search").token();
    let mut found = 0;
    let mut times: Vec<Duration> = (0..SEARCHES)
        .map(|n| {
            let pattern = pattern(n);
            let from = Instant::now();
            let asked = browser.post("/search", &token, &[("plate", &pattern)]);
            let page = browser.get(&asked.to);
            let took = from.elapsed();
            assert_eq!(page.status, StatusCode::OK, "{pattern}: {} {}", asked.body, page.body);
            found += page.body.matches("<li class=\"read").count();
            took
        })
        .collect();
    let (half, most) = (millis(percentile(&mut times, 0.5)), millis(percentile(&mut times, 0.99)));
    figure(&format!("{what}, p99"), most, "ms", most < bar_ms, &format!("< {bar_ms:.0}"));
    println!("    p50 {half:.1} ms, {:.1} reads a page", found as f64 / SEARCHES as f64);
}
