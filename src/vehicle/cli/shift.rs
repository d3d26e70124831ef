//! `plated shift`: the end of a shift.

use super::ask::{self, Ask};
use super::say;
use crate::control::Request;
use crate::store::Reason;
use plated_core::error::Result;

/// Say that the shift is over
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    End(End),
}

/// Put the end of the shift on record, and send what waits where transfer.when is "shift_end"
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated shift end
  plated shift end --reason 'ignition off'

For officers, and for scripts that are told of the ignition. To log out says the same. What waits is sent until nothing is
left, also after the computer was started anew.")]
struct End {
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = ask::reason)]
    reason: Option<Reason>,
    #[command(flatten)]
    ask: Ask,
}

/// Does what the subcommand says.
///
/// # Errors
/// What keeps it from being put on record.
pub fn run(args: &Args) -> Result<()> {
    let Command::End(End { reason, ask }) = &args.command;
    let reason = reason.clone().map_or_else(|| Reason::new("the shift is over"), Ok)?;
    ask.call(&Request::EndShift { reason }, None, &mut |_| Ok(()))?;
    say(format_args!("the end of the shift is on record"))
}
