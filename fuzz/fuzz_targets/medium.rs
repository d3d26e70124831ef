#![no_main]
#![allow(dead_code)] // The other entry points.

#[path = "../batch_entry_points.rs"]
mod batch_entry_points;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| batch_entry_points::medium(bytes));
