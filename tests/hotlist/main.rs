//! Lists of wanted plates: each format, any bytes, and the command line.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test fails by panicking")]

mod cli;
mod configured;
#[path = "../support/corpus.rs"]
mod corpus;
#[path = "../../fuzz/entry_points.rs"]
mod entry_points;
mod fuzzing;
mod golden;
mod written;
