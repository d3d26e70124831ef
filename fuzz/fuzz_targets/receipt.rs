#![no_main]
#![allow(dead_code)] // The other entry point.

#[path = "../batch_entry_points.rs"]
mod batch_entry_points;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| batch_entry_points::receipt(bytes));
