//! `plated camera show`: what a camera offers, and its controls.

use super::Which;
use crate::cli::ask::print_json;
use crate::cli::say;
use plated_core::error::Result;
use plated_vision::capture::v4l2::{Control, Device, table};
use serde_json::json;

/// What a camera offers: formats, sizes, rates, and its controls with their values
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated camera show /dev/video0
  plated camera show front

Also while the daemon streams from it.")]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Prints it.
pub fn run(args: &Args) -> Result<()> {
    let wanted = args.which.find()?;
    let device = Device::open(&wanted.device)?;
    let (identity, offers, controls) = (device.identity()?, device.offers(), device.controls());
    let mode = wanted.wish.choose(&offers);
    if args.json {
        let object = json!({
            "device": wanted.device, "identity": identity, "offers": offers, "asked": mode, "controls": controls
        });
        return print_json(&object);
    }
    say(format_args!("{}: {} ({}, {})", wanted.device.display(), identity.card, identity.driver, identity.bus))?;
    table(&offers).lines().try_for_each(|line| say(format_args!("{line}")))?;
    match &mode {
        Some(mode) => {
            let unmet = wanted.wish.unmet(mode).map(|unmet| format!("; {unmet}")).unwrap_or_default();
            say(format_args!("plated asks it for {mode}{unmet}"))?;
        }
        None => say(format_args!("It offers no format that plated reads."))?,
    }
    if controls.is_empty() {
        return say(format_args!("It has no controls."));
    }
    say(format_args!("{:<36}{:<26}takes", "control", "value"))?;
    controls.iter().try_for_each(|control| say(format_args!("{}", line(control))))
}

fn line(control: &Control) -> String {
    let value = control.value.map(|value| control.shown(value)).unwrap_or_default();
    let note = match (control.read_only, control.inactive) {
        (true, _) => " (can't be set)",
        (_, true) => " (without effect now)",
        _ => "",
    };
    let usual = if control.value == Some(control.default) { "" } else { " *" };
    format!("{:<36}{:<26}{}{note}", control.name, value + usual, control.range())
}
