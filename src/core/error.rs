//! One error type for the whole program.
//!
//! An [`Error`] is written for the person who meets it: what happened, where, and what to do.
//! Its [`Kind`] decides the exit code of the command line and what a caller may retry.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

/// What sort of failure it is, as far as a caller has to tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The command line or the configuration is wrong; a person has to change it.
    Config,
    /// A file or message from outside is not what it should be.
    Input,
    /// Something that has to be there is not (a library, a model, a device).
    Missing,
    /// What was asked for by name is not there (a hit, an entry, a list).
    NotFound,
    /// Stored data is damaged or was made with another key.
    Damaged,
    /// Nobody is logged in, or the session is over; logging in is right.
    Unauthenticated,
    /// Who asks is known and may not; another person may.
    Forbidden,
    /// The other side, or a rule, refused; trying again does not help.
    Refused,
    /// Somebody else uses it at this moment; trying again soon is right.
    Busy,
    /// The disk is full, read-only or failing.
    Storage,
    /// The network or the other side failed; trying again later is right.
    Network,
    /// A defect of this program.
    Internal,
}

impl Kind {
    /// Exit code of the command line, after sysexits(3). Several kinds share one: whoever has to
    /// tell them apart gets the kind itself, as callers of the control socket do.
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Config => 78,
            Kind::Input | Kind::Damaged => 65,
            Kind::NotFound => 66,
            Kind::Missing => 69,
            Kind::Internal => 70,
            Kind::Storage => 74,
            Kind::Network | Kind::Busy => 75,
            Kind::Refused | Kind::Unauthenticated | Kind::Forbidden => 77,
        }
    }

    /// The sort of failure that SQLite reports by a result code, an extended one or the primary one
    /// in its lowest eight bits (<https://sqlite.org/rescode.html>).
    pub fn of_sqlite(extended_code: i32) -> Self {
        match extended_code {
            // IOERR_DATA: a checksum of the page is wrong. IOERR_AUTH, IOERR_CORRUPTFS stay with
            // the disk: it is the file system that can't be relied on.
            8202 => Kind::Damaged,
            code => match code & 0xff {
                5 | 6 | 15 => Kind::Busy, // BUSY, LOCKED, PROTOCOL: locks of others
                // PERM, READONLY, IOERR, FULL, CANTOPEN, NOLFS
                3 | 8 | 10 | 13 | 14 | 22 => Kind::Storage,
                // CORRUPT, FORMAT, NOTADB: SQLCipher reports a page whose authentication code is
                // wrong as "not a database", whichever page it is.
                11 | 24 | 26 => Kind::Damaged,
                // ERROR, INTERNAL, ABORT, NOMEM, INTERRUPT, SCHEMA, TOOBIG, CONSTRAINT, MISMATCH,
                // MISUSE, AUTH, RANGE and what may come: statements and values are ours.
                _ => Kind::Internal,
            },
        }
    }
}

/// A failure, with the chain of what led to it.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
    retry_after: Option<Duration>,
}

/// `Result` with this program's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A failure first noticed here.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None, retry_after: None }
    }

    /// The sort of failure.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The other side asked that it is not tried again before this time has passed.
    pub fn after(self, wait: Option<Duration>) -> Self {
        Self { retry_after: wait, ..self }
    }

    /// How long the other side asked to wait, if it did.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The whole chain on one line: `what: why: why`.
    pub fn chain(&self) -> String {
        let mut text = self.message.clone();
        let mut next = std::error::Error::source(self);
        while let Some(cause) = next {
            let cause_text = cause.to_string();
            // Libraries often repeat their source in their own text.
            if !text.ends_with(&cause_text) {
                text.push_str(": ");
                text.push_str(&cause_text);
            }
            next = cause.source();
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|s| s as &(dyn std::error::Error + 'static))
    }
}

/// Puts a foreign error under a sentence of ours.
pub trait Context<T> {
    /// Turns the error into ours, with `message` in front; `message` is only made on failure.
    fn context(self, kind: Kind, message: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E> Context<T> for std::result::Result<T, E>
where
    E: std::error::Error + Send + Sync + 'static,
{
    fn context(self, kind: Kind, message: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|e| Error { kind, message: message(), source: Some(Box::new(e)), retry_after: None })
    }
}

/// A file that somebody named was opened, or why not: it is not there, or not what it should be.
///
/// # Errors
/// `NotFound` when nobody can open it, `Input` when it is a pipe or the like.
pub fn opened<T>(outcome: std::io::Result<T>, message: impl FnOnce() -> String) -> Result<T> {
    use std::io::ErrorKind::{NotADirectory, NotFound, PermissionDenied};
    let not_there = |e: &std::io::Error| matches!(e.kind(), NotFound | NotADirectory | PermissionDenied);
    let kind = if outcome.as_ref().is_err_and(not_there) { Kind::NotFound } else { Kind::Input };
    outcome.context(kind, message)
}

/// Ends a program: an error goes to stderr in one line, and its kind decides the exit code.
pub fn exit_code(program: &str, outcome: Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            // stderr may be closed; there is nobody left to tell then.
            let _ = writeln!(std::io::stderr(), "{program}: {}", crate::text::visible(&e.chain()));
            ExitCode::from(e.kind().exit_code())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Kind; 12] = [
        Kind::Config,
        Kind::Input,
        Kind::Missing,
        Kind::NotFound,
        Kind::Damaged,
        Kind::Unauthenticated,
        Kind::Forbidden,
        Kind::Refused,
        Kind::Busy,
        Kind::Storage,
        Kind::Network,
        Kind::Internal,
    ];

    #[test]
    fn results_of_sqlite_have_the_kind_that_says_what_to_do() {
        let table = [
            (Kind::Busy, &[5, 261, 517, 773, 6, 262, 518, 15][..]), // BUSY_*, LOCKED_*, PROTOCOL
            (Kind::Storage, &[13, 3, 22]),                          // FULL, PERM, NOLFS
            (Kind::Storage, &[8, 264, 520, 776, 1032, 1288, 1544]), // READONLY_*, DBMOVED among them
            (Kind::Storage, &[10, 266, 522, 778, 1034, 3338, 8458]), // IOERR_*, CORRUPTFS among them
            (Kind::Storage, &[14, 270, 526, 782, 1038, 1550]),      // CANTOPEN_*
            (Kind::Damaged, &[11, 267, 523, 779, 24, 26, 8202]),    // CORRUPT_*, FORMAT, NOTADB, IOERR_DATA
            (Kind::Internal, &[1, 2, 4, 7, 9, 12, 17, 18, 19, 275, 787, 1555, 2067, 20, 21, 23, 25, -1, 99]),
        ];
        for (kind, codes) in table {
            for code in codes {
                assert_eq!(Kind::of_sqlite(*code), kind, "{code}");
            }
        }
    }

    #[test]
    fn every_exit_code_is_in_the_guide_and_the_guide_has_no_other() {
        let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/operator.md");
        let guide = std::fs::read_to_string(guide).unwrap();
        let rows = guide.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | ")?.0.parse::<u8>().ok());
        let told: std::collections::BTreeSet<u8> = rows.collect();
        let used = ALL.into_iter().map(Kind::exit_code).collect();
        assert_eq!(told, used);
    }

    #[test]
    fn a_kind_travels_by_its_name_and_comes_back_as_itself() {
        for kind in ALL {
            let text = serde_json::to_string(&kind).unwrap();
            assert_eq!(serde_json::from_str::<Kind>(&text).unwrap(), kind, "{text}");
            assert!((64..=78).contains(&kind.exit_code()), "{kind:?}");
        }
        assert_eq!(serde_json::to_string(&Kind::NotFound).unwrap(), "\"not_found\"");
    }

    #[test]
    fn chain_tells_what_and_why_once() {
        let low: std::result::Result<(), _> = Err(std::io::Error::other("no such device"));
        let err = low.context(Kind::Missing, || "could not open camera front".into()).unwrap_err();
        assert_eq!(err.chain(), "could not open camera front: no such device");
        assert_eq!(err.kind().exit_code(), 69);
    }
}
