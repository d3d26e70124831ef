//! `plated hotlist check`: what is in a file, what is wrong with it, and whether it would be
//! accepted.

use super::input::{self, Format};
use crate::cli::ask::local;
use crate::cli::{say, say_json};
use jiff::Timestamp;
use plated_core::error::{Error, Kind, Result};
use plated_core::text::{count, entries};
use plated_hotlist::format::{self, Count, Detected, ImportSettings, Row, Summary};
use plated_hotlist::import::{Compared, ImportRefusal};
use plated_hotlist::settings::Limits;
use plated_hotlist::{LineProblem, import};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Read a list as an import would and tell what is wrong with it; nothing is changed
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated hotlist check svs.tbl
  plated hotlist check --format ncic VEHEXTRT.txt
  plated hotlist check --map nevada.toml --json nevada.txt

Lines are counted and mistakes named by line, field and reason; plates are never shown. Exit code
65 when the list would be refused.")]
pub struct Args {
    /// The list
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    format: Format,
    /// Time zone of the dates in it, e.g. America/Los_Angeles [default: the format's or the system's]
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What a person is shown of each kind of problem; JSON has all that are kept.
const SHOWN: usize = 10;

pub fn run(args: &Args) -> Result<()> {
    let settings = ImportSettings { time_zone: args.time_zone.clone(), ..ImportSettings::default() };
    let mut categories: BTreeMap<String, u64> = BTreeMap::new();
    let (detected, summary) = input::read(&args.file, &args.format, |detected, input| {
        let mut importer = format::open(input, &detected.spec, &settings)?;
        for row in importer.by_ref() {
            if let Row::Entry(entry, _) = row? {
                // A column that is no category must not fill the memory.
                if categories.len() < 1000 || categories.contains_key(&entry.category) {
                    *categories.entry(entry.category).or_default() += 1;
                }
            }
        }
        Ok((detected, importer.summary()))
    })?;
    let compared = Compared { now: Some(Timestamp::now()), ..Compared::default() };
    let refusals = import::refusals(&summary, &compared, &Limits::default());
    if args.json {
        let refused: Vec<String> = refusals.iter().map(ToString::to_string).collect();
        let line = json!({
            "file": args.file.display().to_string(),
            "format": detected.spec.to_string(),
            "why": detected.why,
            "accepted": refused.is_empty(),
            "refused": refused,
            "categories": categories,
            "summary": summary,
        });
        say_json(&line.to_string())?;
    } else {
        print(args, &detected, &summary, &categories)?;
        if refusals.is_empty() {
            say(format_args!("It would be accepted, with {}.", entries(summary.report.entries)))?;
        }
    }
    if refusals.is_empty() {
        return Ok(());
    }
    // The lines with mistakes are named above.
    let why: Vec<String> = refusals.into_iter().map(ImportRefusal::brief).collect();
    Err(Error::new(Kind::Input, format!("{} would be refused: {}", args.file.display(), why.join("; "))))
}

fn print(args: &Args, detected: &Detected, summary: &Summary, categories: &BTreeMap<String, u64>) -> Result<()> {
    let report = &summary.report;
    say(format_args!("{}: {} ({})", args.file.display(), detected.spec, detected.why.join("; ")))?;
    if let Some(date) = summary.date {
        say(format_args!("Date of the file: {}", local(date)))?;
    }
    match summary.footer {
        Count::Unused => {}
        Count::Missing => say(format_args!("Footer: missing"))?,
        Count::Of(number) => say(format_args!("Footer: counts {}", count(number, "record")))?,
    }
    say(format_args!("{report}"))?;
    for (category, count) in categories {
        let category = if category.is_empty() { "(no category)" } else { category };
        say(format_args!("{count:>9}  {category}"))?;
    }
    problems("Mistakes; these lines are left out", &report.bad_lines, report.bad)?;
    problems("Set aside; these lines are no mistakes", &report.set_aside_lines, report.set_aside)?;
    problems("Remarks; these entries are kept", &report.noted_lines, report.noted)?;
    Ok(())
}

fn problems(title: &str, problems: &[LineProblem], count: u64) -> Result<()> {
    if count == 0 {
        return Ok(());
    }
    say(format_args!("{title}:"))?;
    for problem in problems.iter().take(SHOWN) {
        say(format_args!("  - {problem}"))?;
    }
    // An entry can have more than one remark.
    let more = count.saturating_sub(problems.len().min(SHOWN) as u64);
    if more > 0 { say(format_args!("  - and {more} more")) } else { Ok(()) }
}
