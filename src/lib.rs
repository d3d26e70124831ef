//! `plated` reads license plates in a patrol car: frames become reads, reads become hits, and
//! everything is kept, encrypted, until the department's server has it.
//!
//! Data flows one way, in the order of this list; a module knows only those above it.
//! `docs/design.md` is the map and holds the invariants.

pub mod clock; // time, so that tests can set it
pub mod error; // the one error type: what happened, where, what to do
pub mod logging; // tracing to the terminal or journald
pub mod thread; // threads that end when their handle is dropped
pub mod who; // the system user who does something
pub mod plate; // plate text: normal form, match key, syntax prior
pub mod wire; // the messages vehicle and station share
pub mod signing; // who made a file: Ed25519
pub mod config; // the one configuration file of the vehicle

pub mod frame; // one picture from one camera
pub mod capture; // cameras and files to frames, newest frame wins
pub mod recognition; // frames to sightings to reads
pub mod hotlist; // lists of wanted plates, and matching against them
pub mod alert; // hits to tones
pub mod store; // the vehicle's encrypted database, one writer
pub mod tls; // certificates and the two ends of mutual TLS
pub mod transfer; // outbox to station, receipts back
pub mod control; // what officers do with lists and hits, and the daemon's socket for it
pub mod station; // the department's server
pub mod daemon; // the parts put together: `plated run`

pub mod cli; // one file per subcommand
