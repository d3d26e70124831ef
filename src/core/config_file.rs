//! TOML files written by people: an error names the file, the line and the key.

use crate::error::{Error, Kind, Result};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};

/// Parses TOML; the error names file, line and key.
pub fn parse<T: serde::de::DeserializeOwned>(text: &str, path: &Path) -> Result<T> {
    toml::from_str(text).map_err(|e| {
        let place = match e.span() {
            Some(span) => format!("{} line {}", path.display(), line_at(text, span.start)),
            None => path.display().to_string(),
        };
        let key = e.span().and_then(|span| key_before(text, span.start)).map(|key| format!("{key}: "));
        let message = e.message().trim_end();
        let key = key.filter(|key| !message.contains(key.trim_end_matches(": "))).unwrap_or_default();
        Error::new(Kind::Config, format!("{place}: {key}{message}"))
    })
}

/// The error of a rule that the types can't say. `message` begins with the key, such as
/// `sources[0].rate: must be …`; where the key stands in the file, its line is named.
pub fn wrong(text: &str, path: &Path, message: &str) -> Error {
    let line = message.split_once(':').and_then(|(key, _)| line_of(text, key));
    let line = line.map_or_else(String::new, |line| format!(" line {line}"));
    Error::new(Kind::Config, format!("{}{line}: {message}", path.display()))
}

/// A path as a configuration has it: counted from the file's folder `base`, or, where it begins with `%d/`, in the
/// folder of the credentials that systemd hands to `unit`.
pub fn placed(base: &Path, path: &Path, unit: &str) -> PathBuf {
    match path.strip_prefix("%d") {
        Err(_) => base.join(path),
        Ok(name) => {
            let given = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
            // Whoever looks beside the service, as root, sees the same ones.
            given.unwrap_or_else(|| Path::new("/run/credentials").join(unit)).join(name)
        }
    }
}

/// True for what systemd handed over: it guards that itself, partly by access lists, which show as a mode of the group.
pub fn is_credential(path: &Path) -> bool {
    let given = std::env::var_os("CREDENTIALS_DIRECTORY");
    path.starts_with("/run/credentials") || given.is_some_and(|folder| path.starts_with(folder))
}

/// Refuses a number outside its bounds, by its key. Not-a-number is outside.
///
/// # Errors
/// A sentence for [`wrong`].
#[allow(clippy::needless_pass_by_value, reason = "a range is written at each call")]
pub fn within<N: PartialOrd + Display>(key: &str, value: N, bounds: RangeInclusive<N>) -> Result<(), String> {
    if bounds.contains(&value) {
        Ok(())
    } else {
        Err(format!("{key}: must be from {} to {}", bounds.start(), bounds.end()))
    }
}

/// A time as a person writes it: an instant such as `2026-11-26T14:30:00-08:00`, or a time of this computer's
/// time zone.
///
/// # Errors
/// A sentence that goes behind the key or the flag.
pub fn moment(text: &str) -> Result<Timestamp, String> {
    let local = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::system()).ok();
    let moment = text.parse().ok().or_else(|| Some(local()?.timestamp()));
    moment.ok_or_else(|| "it must be a time like 2026-11-26T14:30:00-08:00".into())
}

/// The line of a key such as `transfer.idle_s` or `sources[0].rate`, from 1; of its table where the key
/// itself is not written.
fn line_of(text: &str, key: &str) -> Option<usize> {
    let table = DeTable::parse(text).ok()?;
    let (mut here, mut at) = (DeValue::Table(table.get_ref().clone()), None);
    for step in key.split('.') {
        let (name, indices) = step.split_once('[').map_or((step, ""), |(name, rest)| (name, rest));
        let DeValue::Table(table) = &here else { break };
        let Some((key, value)) = table.iter().find(|(k, _)| k.get_ref().as_ref() == name) else { break };
        at = Some(key.span().start);
        let mut next = value.get_ref().clone();
        for index in indices.split('[').filter_map(|i| i.trim_end_matches(']').parse::<usize>().ok()) {
            let DeValue::Array(array) = &next else { break };
            let element = array.get(index)?;
            at = Some(element.span().start);
            next = element.get_ref().clone();
        }
        here = next;
    }
    at.map(|at| line_at(text, at))
}

fn line_at(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|b| **b == b'\n').count() + 1
}

/// The key whose value begins at `at`, if it stands on the same line.
fn key_before(text: &str, at: usize) -> Option<&str> {
    let line = text.get(..at)?.rsplit('\n').next()?;
    let key = line.split_once('=')?.0.trim();
    (!key.is_empty()).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "read only by name")]
    struct Small {
        rate: f64,
    }

    const TEXT: &str =
        "vehicle = \"x\"\n\n[[sources]]\nname = \"a\"\n[[sources]]\nname = \"b\"\nrate = 5\n[transfer]\nidle_s = 1\n";

    #[test]
    fn a_path_counts_from_its_file_and_one_of_a_credential_from_what_systemd_hands_over() {
        let at = |path: &str| placed(Path::new("/etc/plated"), Path::new(path), "plated.service");
        assert_eq!(at("store.key"), Path::new("/etc/plated/store.key"));
        assert_eq!(at("/a/store.key"), Path::new("/a/store.key"));
        assert!(is_credential(&at("%d/store.key")) && !is_credential(&at("store.key")));
        assert_eq!(at("%do/store.key"), Path::new("/etc/plated/%do/store.key"));
        if std::env::var_os("CREDENTIALS_DIRECTORY").is_none() {
            assert_eq!(at("%d/store.key"), Path::new("/run/credentials/plated.service/store.key"));
        }
    }

    #[test]
    fn an_error_of_the_type_names_line_and_key() {
        let error = parse::<Small>("\nrate = \"fast\"\n", Path::new("x.toml")).unwrap_err().chain();
        assert!(error.starts_with("x.toml line 2: rate: "), "{error}");
    }

    #[test]
    fn a_rule_of_ours_names_the_line_of_its_key_or_of_the_table_around_it() {
        let message = |message: &str| wrong(TEXT, Path::new("x.toml"), message).chain();
        assert_eq!(message("sources[1].rate: too fast"), "x.toml line 7: sources[1].rate: too fast");
        assert_eq!(message("sources[0].rate: missing"), "x.toml line 3: sources[0].rate: missing");
        assert_eq!(message("transfer.idle_s: no"), "x.toml line 9: transfer.idle_s: no");
        assert_eq!(message("shift.hours: no"), "x.toml: shift.hours: no");
    }

    #[test]
    fn not_a_number_is_outside_every_bound() {
        assert!(within("a", f64::NAN, 0.0..=1.0).is_err() && within("a", f64::INFINITY, 0.0..=1.0).is_err());
        assert_eq!(within("a.b", 65, 1..=64), Err("a.b: must be from 1 to 64".into()));
        assert!(within("a", 0.5, 0.0..=1.0).is_ok());
    }
}
