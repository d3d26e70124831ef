//! Logs: to the terminal, or to the journal under systemd.
//!
//! ERROR means data at risk or an operator needed, WARN something that mends itself. Plates,
//! names and keys never go to a log above DEBUG.
//!
//! Both ways go through stderr and a thread of its own, since both can stand still: a terminal that was
//! stopped, or a journal whose disk hangs, must not hold up those who log, alerts among them.

use crate::text::VisibleLines;
use serde::Deserialize;
use std::io::{self, Write};
use std::panic::PanicHookInfo;
use std::sync::OnceLock;
use tracing::{Level, Metadata};
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::{Format, Json, JsonFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

/// Lines that may wait. What comes when so many wait is lost, and counted.
const MAX_WAITING_LINES: usize = 8192;

static LOST: OnceLock<ErrorCounter> = OnceLock::new();

/// What is still to be written is written when this is dropped, at the end of the program.
#[must_use]
pub struct Logs(#[allow(dead_code, reason = "kept for its end")] WorkerGuard);

/// How lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// An object on each line, for programs that gather logs.
    Json,
}

/// Sets up logging for the process, for people. `PLATED_LOG` sets the level, default `info`.
pub fn init() -> Logs {
    init_as(LogFormat::Text)
}

/// The same in this form.
pub fn init_as(format: LogFormat) -> Logs {
    let filter = EnvFilter::try_from_env("PLATED_LOG").unwrap_or_else(|_| EnvFilter::new("info,ort=warn,hyper=warn"));
    let registry = tracing_subscriber::registry().with(filter);
    let (writer, guard) = hand_over(VisibleLines(io::stderr()));
    let _ = LOST.set(writer.error_counter());
    match (is_journal(), format) {
        (true, LogFormat::Text) => {
            let layer = fmt::layer().with_writer(Journal(writer)).with_ansi(false);
            registry.with(layer.without_time().with_level(false).with_target(false)).init();
        }
        (false, LogFormat::Text) => {
            registry.with(fmt::layer().with_writer(writer).with_ansi(false).with_target(false)).init();
        }
        (true, LogFormat::Json) => registry.with(json().with_writer(Journal(writer))).init(),
        (false, LogFormat::Json) => registry.with(json().with_writer(writer)).init(),
    }
    std::panic::set_hook(Box::new(defect));
    Logs(guard)
}

/// Time, level and fields of each event, and no more.
fn json<S>() -> fmt::Layer<S, JsonFields, Format<Json>> {
    fmt::layer().json().flatten_event(true).with_current_span(false).with_span_list(false).with_target(false)
}

/// Lines lost since the start because the terminal or the journal stood still.
pub fn lost_lines() -> u64 {
    LOST.get().map_or(0, |counter| counter.dropped_lines() as u64)
}

/// Writes to `to` on a thread of its own.
fn hand_over(to: impl Write + Send + 'static) -> (NonBlocking, WorkerGuard) {
    NonBlockingBuilder::default().lossy(true).buffered_lines_limit(MAX_WAITING_LINES).finish(to)
}

/// A panic is a line of the log as any other. What it says may name a plate.
fn defect(panic: &PanicHookInfo<'_>) {
    let at = panic.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current().name().unwrap_or_default().to_owned();
    tracing::error!(at, thread, "The program has a defect; please report this line.");
    tracing::debug!("{panic}");
}

/// True when stderr is the journal: systemd names its device and inode in this variable.
fn is_journal() -> bool {
    let Ok(stderr) = rustix::fs::fstat(io::stderr()) else { return false };
    std::env::var("JOURNAL_STREAM").is_ok_and(|named| named == format!("{}:{}", stderr.st_dev, stderr.st_ino))
}

/// Lines for the journal, each with its priority in front as sd-daemon(3) has it.
struct Journal(NonBlocking);

/// One event of this priority.
struct Entry(&'static [u8], NonBlocking);

impl MakeWriter<'_> for Journal {
    type Writer = Entry;

    fn make_writer(&self) -> Entry {
        Entry(b"<6>", self.0.clone())
    }

    fn make_writer_for(&self, event: &Metadata<'_>) -> Entry {
        let priority: &[u8] = match *event.level() {
            Level::ERROR => b"<3>",
            Level::WARN => b"<4>",
            Level::INFO => b"<6>",
            Level::DEBUG | Level::TRACE => b"<7>",
        };
        Entry(priority, self.0.clone())
    }
}

impl Write for Entry {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let lines: Vec<u8> = text.split_inclusive(|b| *b == b'\n').flat_map(|line| [self.0, line].concat()).collect();
        self.1.write_all(&lines)?;
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.1.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::unix::net::UnixStream;

    fn logging_to(to: UnixStream, work: impl FnOnce()) -> (ErrorCounter, WorkerGuard) {
        let (writer, guard) = hand_over(to);
        let lost = writer.error_counter();
        let layer = fmt::layer().with_writer(Journal(writer)).with_ansi(false);
        let layer = layer.without_time().with_level(false).with_target(false);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), work);
        (lost, guard)
    }

    #[test]
    fn a_journal_that_reads_nothing_holds_up_nobody_and_what_is_lost_is_counted() {
        let (to, reads_nothing) = UnixStream::pair().unwrap();
        let (lost, guard) = logging_to(to, || (0..30_000).for_each(|n| tracing::info!(n, "An alert was given.")));
        assert!(lost.dropped_lines() > 0, "neither the socket nor what may wait holds so many");
        drop(reads_nothing);
        drop(guard);
    }

    #[test]
    fn a_line_of_json_has_time_level_message_and_fields() {
        let (to, mut reader) = UnixStream::pair().unwrap();
        let (writer, guard) = hand_over(to);
        let layer = json().with_writer(writer);
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || tracing::warn!(list = "svs", "two\nlines"));
        drop(guard);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        let line: serde_json::Value = serde_json::from_str(text.trim_end()).unwrap();
        assert_eq!((&line["level"], &line["message"]), (&"WARN".into(), &"two\nlines".into()));
        assert!(line["list"] == "svs" && line["timestamp"].is_string(), "{text}");
        assert_eq!(text.lines().count(), 1);
    }

    #[test]
    fn each_line_in_the_journal_has_its_priority() {
        let (to, mut journal) = UnixStream::pair().unwrap();
        let (lost, guard) = logging_to(to, || {
            tracing::error!(reads = 2, "Reads were lost.");
            tracing::warn!("two\nlines");
            tracing::info!("Reading plates.");
        });
        drop(guard);
        let mut text = String::new();
        journal.read_to_string(&mut text).unwrap();
        assert_eq!(text, "<3>Reads were lost. reads=2\n<4>two\n<4>lines\n<6>Reading plates.\n");
        assert_eq!(lost.dropped_lines(), 0);
    }
}
