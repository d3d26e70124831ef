//! The daemon in the vehicle and its command line: frames become reads, reads become hits, and
//! everything is kept, encrypted, until the department's server has it.
//!
//! Data flows one way, in the order of this list; a module knows only those above it.

pub mod memory; // how the C library hands out memory
pub mod events; // what is made known: a bounded, numbered broadcast
pub mod health; // how each part is
pub mod power; // recognition slows when the computer is hot or its supply weak
pub mod metrics; // numbers for a monitoring system
pub mod gps; // where the vehicle is, by gpsd
pub mod canvass; // the canvass that is open, as reads carry its number
pub mod alert; // hits to tones
pub mod performance; // performance tests: labelled sets, replay, score
pub mod store; // the encrypted database, one writer
pub mod visible; // who sees which entries and hits
pub mod announcement; // what is durable and made known
pub mod lists; // lists that come from the station, from folders and by hand
pub mod transfer; // outbox to station, receipts back
pub mod config; // the one configuration file
pub mod control; // what officers do with lists and hits, and the daemon's socket for it
pub mod purge; // deletes what the station holds when its time is over
pub mod provision; // accounts, settings and models from the station
pub mod subscribers; // alerts for other programs
pub mod console; // the officer's console: pages over HTTPS
pub mod pipeline; // the parts put together: `plated run`

pub mod cli; // one file per subcommand
