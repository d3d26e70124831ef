//! What vehicle and station share. Nothing in here links C but aws-lc.

pub mod appearance; // what the vehicle behind a plate looks like
pub mod area; // a part of the earth, to search in
pub mod clock; // time, so that tests can set it
pub mod config_file; // TOML files of people: an error names file, line and key
pub mod digest; // SHA-256
pub mod durable; // files that a power cut leaves old or new
pub mod error; // the one error type: what happened, where, what to do
pub mod inode; // files that are removed or replaced while they are open
pub mod logging; // tracing to the terminal or the journal
pub mod name; // names of vehicles, cameras, lists and stations
pub mod officers; // what officers put down beside reads: corrections, findings
pub mod performance; // performance tests: counts and rates
pub mod plain_http; // answers to monitoring systems
pub mod plate; // plate text: normal form, match key, syntax prior, distribution over characters
pub mod position; // where the vehicle was
pub mod record; // reads, hits and entries
pub mod retry; // how long to wait before trying again
pub mod runtime; // the one async runtime, and tasks that end when asked
pub mod sealing; // small secrets, encrypted
pub mod service; // what the service manager is told
pub mod shutdown; // one way to stop, for threads and futures
pub mod signing; // who made a file: Ed25519
pub mod sort; // more records than memory holds
pub mod text; // text from outside, safe to show
pub mod thread; // threads, their end, and defects in them
pub mod tls; // certificates and the two ends of mutual TLS
pub mod webhook; // posting to programs of somebody else
pub mod user; // the system user who does something
pub mod wire; // the messages vehicle and station share
pub mod medium; // the same in encrypted files
