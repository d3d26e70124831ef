#![no_main]
#![allow(dead_code)] // The other entry points.

#[path = "../entry_points.rs"]
mod entry_points;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| entry_points::unpack(bytes));
