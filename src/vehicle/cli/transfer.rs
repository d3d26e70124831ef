//! `plated transfer`: send what waits now, and how the transfer is getting on.

use super::ask::Ask;
use super::say;
use crate::control::{Reply, Request};
use plated_core::error::Result;

/// Send what waits for the station now, and show how the transfer is getting on
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Have the daemon send all that waits now, whatever transfer.when says
    Now {
        #[command(flatten)]
        ask: Ask,
    },
    /// Show how much waits, how old it is, and how the way to the station is
    Status {
        #[command(flatten)]
        ask: Ask,
    },
}

/// Does what is asked.
///
/// # Errors
/// `Missing` when no daemon transfers.
pub fn run(args: &Args) -> Result<()> {
    match &args.what {
        What::Now { ask } => {
            ask.call(&Request::TransferNow, None, &mut |_| Ok(()))?;
            say(format_args!("the daemon sends what waits; `plated transfer status` shows how it goes"))
        }
        What::Status { ask } => ask.call(&Request::Status, None, &mut |reply| {
            let Reply::Status(report) = reply else { return Ok(()) };
            match report.parts.iter().find(|part| part.name == "transfer") {
                Some(part) => say(format_args!("{}", part.text)),
                None => say(format_args!("the store does not answer")),
            }
        }),
    }
}
