//! What the subcommands share: the way to the daemon, reasons, spans of time, a found read.

use crate::cli::{say, say_json, session};
use crate::config::Config;
use crate::control::{self, Call, Expires, Reply, Request, Secret};
use crate::store::{Found, Reason};
use jiff::Timestamp;
use plated_access::Purpose;
use plated_core::appearance::shown;
use plated_core::clock::{Clock, SystemClock};
use plated_core::error::{Context, Kind, Result};
use plated_core::plate::PlateText;
use plated_core::record::Priority;
pub use plated_core::text::local;
use plated_hotlist::format::Dates;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Whom to ask.
#[derive(Debug, clap::Args)]
pub struct Ask {
    /// The vehicle's configuration
    #[arg(long, value_name = "FILE", default_value = "/etc/plated/plated.toml")]
    config: PathBuf,
}

impl Ask {
    /// Asks the daemon, or does it on the store when none runs.
    pub fn call(
        &self,
        request: &Request,
        file: Option<&Path>,
        answer: &mut dyn FnMut(Reply) -> Result<()>,
    ) -> Result<()> {
        let config = Config::load(&self.config)?;
        let session = session::load(&config)?;
        self::call(&config, session, request, file, answer)
    }

    /// The configuration of the vehicle.
    pub fn config(&self) -> Result<Config> {
        Config::load(&self.config)
    }
}

/// Asks in this session.
pub fn call(
    config: &Config,
    session: Option<Secret>,
    request: &Request,
    file: Option<&Path>,
    answer: &mut dyn FnMut(Reply) -> Result<()>,
) -> Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    control::call(config, &clock, &Call { session, request: request.clone() }, file, answer)
}

/// Tells of a list into which nobody could look.
pub fn tell_left_out(json: bool, list: &str, why: &str) -> Result<()> {
    match json {
        true => print_json(&json!({"left_out": {"list": list, "why": why}})),
        false => say(format_args!("Without the list {list}: {why}")),
    }
}

/// Why, which goes on record.
#[derive(Debug, clap::Args)]
pub struct Why {
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: Reason,
    /// Which of the purposes that the agency authorises, e.g. locate_vehicle
    #[arg(long, value_name = "PURPOSE", value_parser = purpose)]
    purpose: Option<Purpose>,
    /// Case or incident
    #[arg(long, value_name = "NUMBER", default_value = "")]
    pub case: String,
}

impl Why {
    /// The reason, with its purpose.
    pub fn reason(&self) -> Reason {
        self.reason.clone().for_purpose(self.purpose.clone())
    }
}

/// For clap: one of the agency's purposes, by its name.
pub fn purpose(name: &str) -> Result<Purpose, String> {
    Purpose::new(name).map_err(|e| e.to_string())
}

/// For clap: how urgent something is.
pub fn priority(word: &str) -> Result<Priority, String> {
    match word {
        "low" => Ok(Priority::Low),
        "normal" => Ok(Priority::Normal),
        "high" => Ok(Priority::High),
        _ => Err("use low, normal or high".into()),
    }
}

/// For clap: why somebody does something.
pub fn reason(text: &str) -> Result<Reason, String> {
    Reason::new(text).map_err(|e| e.to_string())
}

/// For clap: a span of time such as `90m`, `24h`, `7d` or `1d 12h`, in seconds; a day has 24 hours.
pub fn span(text: &str) -> Result<u64, String> {
    let wrong = || "write it as 90m, 24h, 7d or 1d 12h, up to 366 days".to_owned();
    let span: jiff::Span = text.parse().map_err(|_| wrong())?;
    let seconds = span.total((jiff::Unit::Second, jiff::SpanRelativeTo::days_are_24_hours())).map_err(|_| wrong())?;
    if (1.0..=366.0 * 86_400.0).contains(&seconds) { Ok(seconds as u64) } else { Err(wrong()) }
}

/// For clap: when something is over, in any form that lists have dates in, by the clock here. A span begins when
/// it is entered, whatever this clock shows.
pub fn expiry(text: &str) -> Result<Expires, String> {
    let now = Timestamp::now();
    let written: String = text.to_ascii_lowercase().split_whitespace().collect();
    if let Ok(seconds) = span(&written) {
        return Ok(Expires::InSeconds(seconds));
    }
    let (number, unit) = written.split_at(written.trim_end_matches(|c: char| c.is_ascii_alphabetic()).len());
    if !unit.is_empty() && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) {
        return Err("a span is from 1m to 366d, in minutes (m), hours (h) or days (d)".into());
    }
    match Dates::new(&[], None)?.end(text) {
        Some(end) if end <= now => Err(format!("{} has passed already", local(end))),
        Some(end) => Ok(Expires::At(end)),
        None => {
            Err("write a span such as 8h or 2d, or a time such as 2026-11-21T22:00:00-08:00, \"11/21/2026 22:00\" or \
                     \"11/21/2026 10:00 PM\" by the clock here"
                .into())
        }
    }
}

/// Prints a read that was found.
pub fn found(read: &Found, json: bool) -> Result<()> {
    if json {
        return print_json(&json!({ "read": read }));
    }
    let state = if read.state.is_empty() { "--" } else { &read.state };
    let text = PlateText::normalise(&read.text).display();
    let at = local(read.last_seen);
    let corrected = read.corrected.as_ref().map(|to| format!("  corrected to {} {}", to.text, to.state));
    let canvass = read.canvass.as_ref().map(|incident| format!("  canvass {incident}"));
    let looks = [&read.looks.colour, &read.looks.make, &read.looks.class].into_iter().flatten();
    let looks: String = looks.map(|word| format!(" {}", shown(word))).collect();
    let looks = if looks.is_empty() { looks } else { format!(" {looks}") };
    let more = corrected.unwrap_or_default() + &canvass.unwrap_or_default() + &looks;
    say(format_args!("{at}  {text:<9} {state}  {:3.0} %  {}  {}{more}", read.confidence * 100.0, read.camera, read.id))
}

/// Prints one JSON value on a line.
pub fn print_json(value: &impl serde::Serialize) -> Result<()> {
    let line = serde_json::to_string(value).context(Kind::Internal, || "an answer can't be written as JSON".into())?;
    say_json(&line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_time_are_numbers_with_a_unit() {
        assert_eq!((span("90m"), span("24h"), span("7d")), (Ok(5400), Ok(86_400), Ok(604_800)));
        assert_eq!((span("1d 12h"), span("PT90M"), span("30s")), (Ok(129_600), Ok(5400), Ok(30)));
        for wrong in ["", "h", "24", "-1h", "0h", "1 month", "400d", "1é", "99999999999999999999d"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_form_of_expires_that_a_message_names_is_taken() {
        for text in [
            "8h",
            "2d",
            "90m",
            " 8 H",
            "2199-11-21T22:00:00-08:00",
            "11/21/2199 22:00",
            "11/21/2199 10:00 PM",
            "11/1/2199",
        ] {
            let is_ahead = |end| match end {
                Expires::At(end) => end > Timestamp::now(),
                Expires::InSeconds(seconds) => seconds > 0,
            };
            assert!(expiry(text).is_ok_and(is_ahead), "{text}");
        }
        for (text, message) in [
            ("400d", "from 1m to 366d"),
            ("0h", "from 1m to 366d"),
            ("60w", "from 1m to 366d"),
            ("2020-11-21T22:00:00-08:00", "has passed already"),
            ("tomorrow", "8h or 2d"),
            ("", "8h or 2d"),
        ] {
            let why = expiry(text).unwrap_err();
            assert!(why.contains(message), "{text}: {why}");
        }
    }
}
