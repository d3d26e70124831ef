//! The station alone, and the messages that it shares with vehicles.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test fails by panicking")]

#[path = "../kit/mod.rs"]
mod kit;
#[path = "../../fuzz/access_entry_points.rs"]
mod access_entry_points;
#[path = "../../fuzz/batch_entry_points.rs"]
mod batch_entry_points;

mod access;
mod archive;
mod access_fuzzing;
mod agency;
mod audits;
mod backup;
mod batch;
mod computers;
mod displaced;
mod forward;
mod full_database;
mod linked;
mod monitor;
mod openapi;
mod pages;
mod push;
mod security;
mod region;
mod register;
mod releases;
mod service;
mod server_tls;
mod several;
mod shown;
mod track;
mod transparency;
mod wire;
