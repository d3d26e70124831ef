//! Signs that somebody tries to get in, or got in (control P-26).

use plated_core::text::{count, visible};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A breach indicator. Whoever meets one raises a security event of it: on record, in the log as an
/// error, and sent to the station.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "indicator", rename_all = "snake_case")]
pub enum Breach {
    /// Many logins failed in a short time, whatever the accounts.
    FailedLogins {
        /// How many.
        failures: u32,
        /// Within how many minutes.
        minutes: u32,
    },
    /// Many programs, or one many times, came with a token that opens nothing.
    RefusedTokens {
        /// How often; more are counted no further until the time is over.
        failures: u32,
        /// Within how many minutes.
        minutes: u32,
    },
    /// The audit log is not what was written.
    AuditChainBroken {
        /// What is wrong, as the verification says it.
        fault: String,
    },
    /// The clock was set back.
    ClockSetBack {
        /// By how many seconds.
        seconds: u64,
    },
    /// The store was made with another key than the one that is there.
    StoreKeyMismatch,
    /// Somebody came with a certificate that the agency's authority did not issue.
    UnknownClientCertificate {
        /// From where.
        address: String,
    },
}

impl Breach {
    /// The word on record.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::FailedLogins { .. } => "failed_logins",
            Self::RefusedTokens { .. } => "refused_tokens",
            Self::AuditChainBroken { .. } => "audit_chain_broken",
            Self::ClockSetBack { .. } => "clock_set_back",
            Self::StoreKeyMismatch => "store_key_mismatch",
            Self::UnknownClientCertificate { .. } => "unknown_client_certificate",
        }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FailedLogins { failures, minutes } => {
                let (logins, minutes) = (count((*failures).into(), "login"), count((*minutes).into(), "minute"));
                write!(f, "{logins} failed within {minutes}")
            }
            Self::RefusedTokens { failures, minutes } => {
                let (tokens, minutes) = (count((*failures).into(), "token"), count((*minutes).into(), "minute"));
                write!(f, "{tokens} of programs refused within {minutes}")
            }
            Self::AuditChainBroken { fault } => write!(f, "the audit log was tampered with: {}", visible(fault)),
            Self::ClockSetBack { seconds } => write!(f, "the clock was set back by {}", count(*seconds, "second")),
            Self::StoreKeyMismatch => f.write_str("the store was made with another key than the one that is there"),
            Self::UnknownClientCertificate { address } => {
                write!(f, "a client at {} has a certificate of another authority", visible(address))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // policy: P-26
    #[test]
    fn an_indicator_travels_by_its_word_and_says_what_happened() {
        let all = [
            Breach::FailedLogins { failures: 20, minutes: 15 },
            Breach::RefusedTokens { failures: 20, minutes: 15 },
            Breach::AuditChainBroken { fault: "row 7 was changed".into() },
            Breach::ClockSetBack { seconds: 3600 },
            Breach::StoreKeyMismatch,
            Breach::UnknownClientCertificate { address: "10.0.0.7:4711".into() },
        ];
        for breach in all {
            let text = serde_json::to_string(&breach).unwrap();
            assert!(text.contains(&format!("\"indicator\":\"{}\"", breach.as_str())), "{text}");
            assert_eq!(serde_json::from_str::<Breach>(&text).unwrap(), breach);
        }
        assert_eq!(
            Breach::FailedLogins { failures: 20, minutes: 15 }.to_string(),
            "20 logins failed within 15 minutes"
        );
    }
}
