//! `plated hotlist search`: reads already made.

use crate::cli::ask;
use crate::cli::ask::{Ask, Why};
use crate::cli::say;
use crate::control::{Reply, Request};
use crate::store::Looks;
use plated_core::error::Result;
use plated_core::text::count;

/// Search reads already made for a plate, a partial plate or what the vehicle looks like
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated hotlist search 7ABC123 --reason 'robbery at 5th and Main' --case 26-1234
  plated hotlist search '7A?C*' --window 4h --reason 'witness saw a part of the plate'
  plated hotlist search '7A*' --class pickup --colour white --reason 'witness saw a white pickup'
  plated hotlist search --canvass 26-1234 --window 30d --reason 'who was near' --case 26-1234

What a vehicle looks like is a model's guess, and of many it can't tell: a read that is not found so may be of
such a vehicle all the same. The search is on record before anything is shown.")]
pub struct Args {
    /// The plate; ? is one character, * any run of them
    #[arg(value_name = "PLATE|PATTERN", required_unless_present_any = ["canvass", "class", "colour", "make"], default_value = "")]
    plate: String,
    /// Only reads that were made in the canvass for this incident
    #[arg(long, value_name = "NUMBER")]
    canvass: Option<String>,
    /// Only vehicles seen as: car, suv, pickup, van, truck, bus, motorcycle, trailer
    #[arg(long, value_name = "CLASS")]
    class: Option<String>,
    /// Only vehicles seen in this colour, such as white
    #[arg(long, value_name = "COLOUR", visible_alias = "color")]
    colour: Option<String>,
    /// Only vehicles seen as of this make, such as toyota
    #[arg(long, value_name = "MAKE")]
    make: Option<String>,
    #[command(flatten)]
    why: Why,
    /// How far back
    #[arg(long, value_name = "SPAN", value_parser = ask::span, default_value = "24h")]
    window: u64,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    ask: Ask,
}

pub fn run(args: &Args) -> Result<()> {
    let (plate, reason, case) = (args.plate.clone(), args.why.reason(), args.why.case.clone());
    let looks = Looks { class: args.class.clone(), colour: args.colour.clone(), make: args.make.clone() };
    let request = Request::Search { plate, canvass: args.canvass.clone(), looks, window: args.window, reason, case };
    let mut reads = 0;
    args.ask.call(&request, None, &mut |reply| match reply {
        Reply::Read(read) => {
            reads += 1;
            ask::found(&read, args.json)
        }
        _ => Ok(()),
    })?;
    if args.json { Ok(()) } else { say(format_args!("{} already made", count(reads, "fitting read"))) }
}
