//! The real `plated run` and `plated-station run`, as a user meets them: pictures in, announced
//! reads and hits out, and whatever goes wrong in between.

mod access;
mod clock;
mod console;
mod dispositions;
mod findings;
mod gps;
mod health;
mod hits;
mod kill;
mod lists;
mod metrics;
mod officers;
mod security;
mod service;
mod sources;
mod sparing;
mod station;
mod webhook;
mod store;
mod wrong_station;
