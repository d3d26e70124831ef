//! What errors of PostgreSQL mean. Only the code of five characters is told
//! (<https://www.postgresql.org/docs/current/errcodes-appendix.html>): its own words can hold values of rows.

use deadpool_postgres::PoolError;
use plated_core::error::{Error, Kind, Result};
use std::error::Error as _;

/// Puts an error of PostgreSQL under a sentence of ours.
pub(crate) trait PgContext<T> {
    fn pg(self, what: &str) -> Result<T>;
}

impl<T> PgContext<T> for std::result::Result<T, tokio_postgres::Error> {
    fn pg(self, what: &str) -> Result<T> {
        self.map_err(|e| failure(&e, what))
    }
}

fn failure(e: &tokio_postgres::Error, what: &str) -> Error {
    match e.code() {
        Some(code) => {
            let why = if code.code() == "53100" { ": its disk is full" } else { "" };
            Error::new(kind_of(code.code()), format!("{what}{why} (SQLSTATE {})", code.code()))
        }
        None => {
            let cause = e.source().map_or_else(String::new, |cause| format!(": {cause}"));
            // Values of ours that do not fit their columns, or the other way round.
            let ours = ["error serializing", "error deserializing", "invalid column", "query returned"];
            let text = e.to_string();
            if ours.iter().any(|begin| text.starts_with(begin)) {
                Error::new(Kind::Internal, format!("{what}: a value and its column are of different types"))
            } else {
                Error::new(Kind::Network, format!("{what}: {text}{}", if text.ends_with(&cause) { "" } else { &cause }))
            }
        }
    }
}

/// The sort of failure of a SQLSTATE.
fn kind_of(code: &str) -> Kind {
    match code {
        // Too many connections, locks that were waited for too long, transactions that met.
        "53300" | "55P03" | "40001" | "40P01" | "57014" => Kind::Busy,
        "53100" | "53200" | "53400" => Kind::Storage,
        "XX001" | "XX002" => Kind::Damaged,
        _ => match code.get(..2).unwrap_or_default() {
            // The connection failed, or the server is going down or coming up.
            "08" | "57" => Kind::Network,
            // Its disk.
            "58" => Kind::Storage,
            // Who may log in, which database, what it may do there.
            "28" | "3D" => Kind::Config,
            _ if code == "42501" => Kind::Config,
            // A standby takes no writes.
            "25" if code == "25006" => Kind::Network,
            _ => Kind::Internal,
        },
    }
}

/// An error of the pool of connections.
pub(super) fn of_pool(e: PoolError) -> Error {
    match e {
        PoolError::Backend(e) => failure(&e, "could not connect to the database"),
        PoolError::Timeout(_) => {
            Error::new(Kind::Network, "no connection to the database was free or could be made in time")
        }
        other => Error::new(Kind::Internal, format!("could not connect to the database: {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_told_from_what_a_person_has_to_change_and_from_defects() {
        let all = [
            ("57P01", Kind::Network),
            ("57P03", Kind::Network),
            ("08006", Kind::Network),
            ("40P01", Kind::Busy),
            ("55P03", Kind::Busy),
            ("53100", Kind::Storage),
            ("28P01", Kind::Config),
            ("23505", Kind::Internal),
            ("XX001", Kind::Damaged),
        ];
        for (code, kind) in all {
            assert_eq!(kind_of(code), kind, "{code}");
        }
    }
}
