//! Logs: to the terminal, or to journald under systemd.
//!
//! ERROR means data at risk or an operator needed, WARN something that mends itself. Plates,
//! names and keys never go to a log above DEBUG.

use std::io::IsTerminal;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

/// Lines that may wait for the terminal. What comes when so many wait is lost: a terminal that stands
/// still must not hold up those who log, alerts among them.
const MAX_WAITING_LINES: usize = 8192;

/// What is still to be written is written when this is dropped, at the end of the program.
#[must_use]
pub struct Logs(#[allow(dead_code, reason = "kept for its end")] Option<WorkerGuard>);

/// Sets up logging for the process. `PLATED_LOG` sets the level, default `info`.
pub fn init() -> Logs {
    let filter = EnvFilter::try_from_env("PLATED_LOG").unwrap_or_else(|_| EnvFilter::new("info,ort=warn,hyper=warn"));
    let registry = tracing_subscriber::registry().with(filter);
    // systemd names the journal's socket in this variable when stderr goes there.
    if std::env::var_os("JOURNAL_STREAM").is_some()
        && let Ok(journal) = tracing_journald::layer()
    {
        registry.with(journal).init();
        return Logs(None);
    }
    let colour = std::io::stderr().is_terminal();
    let lossy = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(MAX_WAITING_LINES);
    let (writer, guard) = lossy.finish(std::io::stderr());
    registry.with(fmt::layer().with_writer(writer).with_ansi(colour).with_target(false)).init();
    Logs(Some(guard))
}
