#![no_main]
#![allow(dead_code)] // The other entry point.

#[path = "../control_entry_points.rs"]
mod control_entry_points;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| control_entry_points::labels(bytes));
