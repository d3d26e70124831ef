//! Logs: to the terminal, or to journald under systemd.
//!
//! ERROR means data at risk or an operator needed, WARN something that mends itself. Plates,
//! names and keys never go to a log above DEBUG.

use std::io::IsTerminal;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

/// Sets up logging for the process. `PLATED_LOG` sets the level, default `info`.
pub fn init() {
    let filter = EnvFilter::try_from_env("PLATED_LOG").unwrap_or_else(|_| EnvFilter::new("info,ort=warn,hyper=warn"));
    let registry = tracing_subscriber::registry().with(filter);
    // systemd names the journal's socket in this variable when stderr goes there.
    if std::env::var_os("JOURNAL_STREAM").is_some()
        && let Ok(journal) = tracing_journald::layer()
    {
        registry.with(journal).init();
        return;
    }
    let colour = std::io::stderr().is_terminal();
    registry.with(fmt::layer().with_writer(std::io::stderr).with_ansi(colour).with_target(false)).init();
}
