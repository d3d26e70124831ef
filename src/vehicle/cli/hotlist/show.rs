//! `plated hotlist show`: all that the lists have about a plate.

use crate::cli::ask::{Ask, Why, local, print_json, tell_left_out};
use crate::cli::say;
use crate::control::{Reply, Request, Shown};
use plated_core::error::Result;
use plated_core::record::Priority;
use plated_core::text::age;

/// Look up a plate in all lists
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated hotlist show 7ABC123 --reason 'traffic stop, 5th and Main' --case 26-1234

Every entry of every list, and what officers entered. Of covert lists nothing is shown. The look is on record before anything is
shown. An entry is a lead, not a fact, until dispatch has confirmed it.")]
pub struct Args {
    /// The plate
    #[arg(value_name = "PLATE")]
    plate: String,
    #[command(flatten)]
    why: Why,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    ask: Ask,
}

pub fn run(args: &Args) -> Result<()> {
    let request = Request::Show { plate: args.plate.clone(), reason: args.why.reason(), case: args.why.case.clone() };
    let mut entries = 0;
    args.ask.call(&request, None, &mut |reply| match reply {
        Reply::Entry(shown) => {
            entries += 1;
            if args.json { print_json(&shown) } else { print(&shown) }
        }
        Reply::LeftOut { list, why } => tell_left_out(args.json, &list, &why),
        _ => Ok(()),
    })?;
    match entries {
        0 if !args.json => say(format_args!("On no list in force")),
        _ => Ok(()),
    }
}

fn print(shown: &Shown) -> Result<()> {
    let e = &shown.entry;
    let priority = match e.priority {
        Priority::High => "HIGH",
        Priority::Normal => "normal",
        Priority::Low => "low",
    };
    let age = shown.list_age_s.map_or_else(String::new, |s| format!(" ({} old)", age(s)));
    say(format_args!("{} {}  {priority} {}  [{}{age}]  unverified", e.plate, e.state, e.category, e.list))?;
    let car = [&e.year, &e.colour, &e.make, &e.model, &e.style];
    let car = car.into_iter().filter(|s| !s.is_empty()).cloned().collect::<Vec<_>>().join(" ");
    let moment = |t: Option<jiff::Timestamp>| t.map(local).unwrap_or_default();
    let (valid_from, expires) = (moment(e.valid_from), moment(e.expires));
    let registration = [&e.plate_type, &e.plate_year];
    let registration = registration.into_iter().filter(|s| !s.is_empty()).cloned().collect::<Vec<_>>().join(" ");
    let facts = [
        ("reason", &e.reason),
        ("vehicle", &car),
        ("VIN", &e.vin),
        ("plate", &registration),
        ("case", &e.case_number),
        ("remarks", &e.remarks),
        ("by", &e.source),
        ("ORI", &e.ori),
        ("id", &e.id),
        ("date", &e.date),
        ("from", &valid_from),
        ("until", &expires),
    ];
    for (name, value) in facts.into_iter().filter(|(_, value)| !value.is_empty()) {
        say(format_args!("    {name:<8} {value}"))?;
    }
    Ok(())
}
