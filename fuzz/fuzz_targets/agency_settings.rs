#![no_main]
#![allow(dead_code)] // The other entry points.

#[path = "../access_entry_points.rs"]
mod access_entry_points;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| access_entry_points::agency_settings(bytes));
