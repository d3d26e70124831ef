//! `plated-station`, the department's server.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    plated::logging::init();
    match plated::station::command::Command::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            tracing::error!("{}", e.chain());
            ExitCode::from(e.kind().exit_code())
        }
    }
}
