//! Vehicle and station together, as real processes over real connections.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test fails by panicking")]

#[path = "../kit/mod.rs"]
mod kit;

#[path = "../../fuzz/sync_entry_points.rs"]
mod sync_entry_points;

mod bad_links;
mod browser;
mod daemon;
mod faults;
mod hotlist_sync;
mod medium;
mod offline;
mod provision;
mod renewal;
mod station_pages;
mod transfer_faults;
