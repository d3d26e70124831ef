#![no_main]
#![allow(dead_code)] // The other entry point.

#[path = "../sync_entry_points.rs"]
mod sync_entry_points;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sync_entry_points::findings(bytes));
