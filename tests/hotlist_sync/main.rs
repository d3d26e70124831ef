//! Lists from the real station to the vehicle, over real mutual TLS, whatever goes wrong between.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

#[path = "../../fuzz/sync_entry_points.rs"]
mod sync_entry_points;

mod bench;
mod commands;
#[path = "../support/corpus.rs"]
mod corpus;
mod downloads;
mod fuzzing;
mod golden;
mod rounds;
mod trust;
