//! One error type for the whole program.
//!
//! An [`Error`] is written for the person who meets it: what happened, where, and what to do.
//! Its [`Kind`] decides the exit code of the command line and what a caller may retry.

use std::fmt;

/// What sort of failure it is, as far as a caller has to tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The command line or the configuration is wrong; a person has to change it.
    Config,
    /// A file or message from outside is not what it should be.
    Input,
    /// Something that has to be there is not (a library, a model, a device).
    Missing,
    /// Stored data is damaged or was made with another key.
    Damaged,
    /// Another process holds it, or the other side refused.
    Refused,
    /// The disk is full, read-only or failing.
    Storage,
    /// The network or the other side failed; trying again later is right.
    Network,
    /// A defect of this program.
    Internal,
}

impl Kind {
    /// Exit code of the command line, after sysexits(3).
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Config => 78,
            Kind::Input => 65,
            Kind::Missing => 69,
            Kind::Damaged => 65,
            Kind::Refused => 77,
            Kind::Storage => 74,
            Kind::Network => 75,
            Kind::Internal => 70,
        }
    }

    /// The sort of failure that a process or a daemon said by its exit code, as far as that tells.
    pub fn of_exit_code(code: u8) -> Self {
        let all = [Kind::Config, Kind::Input, Kind::Missing, Kind::Refused, Kind::Storage, Kind::Network];
        all.into_iter().find(|k| k.exit_code() == code).unwrap_or(Kind::Internal)
    }
}

/// A failure, with the chain of what led to it.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// `Result` with this program's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A failure first noticed here.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// The sort of failure.
    pub fn kind(&self) -> Kind {
        self.kind
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
        self.map_err(|e| Error { kind, message: message(), source: Some(Box::new(e)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chain_tells_what_and_why_once() {
        let low: std::result::Result<(), _> = Err(std::io::Error::other("no such device"));
        let err = low.context(Kind::Missing, || "could not open camera front".into()).unwrap_err();
        assert_eq!(err.chain(), "could not open camera front: no such device");
        assert_eq!(err.kind().exit_code(), 69);
    }
}
