//! Lists from the real station to the vehicle, over real mutual TLS, whatever goes wrong between.

mod bench;
mod commands;
mod downloads;
mod fuzzing;
mod golden;
mod rounds;
mod trust;
mod formats;
mod changes;
mod sources;
