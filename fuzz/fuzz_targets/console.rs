#![no_main]
#![allow(dead_code)] // The other entry point.

#[path = "../console_entry_points.rs"]
mod console_entry_points;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| console_entry_points::console(bytes));
