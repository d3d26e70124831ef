//! The vehicle alone: cameras, recognition, store, lists, officers, alerts.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test fails by panicking")]

#[path = "../kit/mod.rs"]
mod kit;

#[path = "../../fuzz/console_entry_points.rs"]
mod console_entry_points;
#[path = "../../fuzz/control_entry_points.rs"]
mod control_entry_points;
#[path = "../../fuzz/entry_points.rs"]
mod entry_points;
#[path = "../../fuzz/picture_entry_points.rs"]
mod picture_entry_points;

mod accounts;
mod alert_chime;
mod alerts_json;
mod audit;
mod camera_alarms;
mod capture_gige;
mod capture_network;
mod capture_rtsp;
mod capture_sources;
mod check_models;
mod command_line;
mod computer;
mod console;
mod doctor;
mod guide;
mod hotlist;
mod officers;
mod overview;
mod performance;
mod pictures;
mod purge;
mod recognize;
mod access;
mod sessions;
mod setup;
mod store_faults;
mod store_outbox;
mod store_readers;
mod store_salvage;
mod two_cameras;
mod units;
