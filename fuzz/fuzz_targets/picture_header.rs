#![no_main]

#[path = "../picture_entry_points.rs"]
mod picture_entry_points;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| picture_entry_points::picture_header(bytes));
