//! Whatever happens between a vehicle's real store and a real station, in the end every read and every picture is at the
//! station exactly once, byte for byte, and nothing was marked or deleted in the vehicle before that.

mod clocks;
mod disk;
mod kills;
mod model;
mod newer;
mod receipts;
mod slow;
