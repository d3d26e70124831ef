//! `plated hotlist check`: what is in a file, what is wrong with it, and whether it would be
//! accepted.

use super::input::{self, Format};
use crate::cli::say;
use plated_core::error::{Error, Kind, Result};
use plated_core::record::Priority;
use plated_hotlist::format;
use plated_hotlist::format::{Count, Detected, Row, Summary};
use plated_hotlist::settings::Limits;
use plated_hotlist::{Problem, Report, import};
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
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What a person is shown of each kind of problem; JSON has all that are kept.
const SHOWN: usize = 10;

pub fn run(args: &Args) -> Result<()> {
    let (detected, file, bar) = input::open(&args.file, &args.format.choice())?;
    let mut importer = input::named(&args.file, format::open(file, &detected.spec, "", Priority::Normal))?;
    let mut categories: BTreeMap<String, u64> = BTreeMap::new();
    for row in importer.by_ref() {
        if let Row::Entry(entry, _) = input::named(&args.file, row)? {
            // A column that is no category must not fill the memory.
            if categories.len() < 1000 || categories.contains_key(&entry.category) {
                *categories.entry(entry.category).or_default() += 1;
            }
        }
    }
    bar.finish_and_clear();
    let summary = importer.summary();
    let accepted = import::check(&summary, None, &Limits::default(), None);
    if args.json {
        let refused: Vec<String> =
            import::refusals(&summary, None, &Limits::default()).iter().map(ToString::to_string).collect();
        let line = json!({
            "file": args.file.display().to_string(),
            "format": detected.spec.to_string(),
            "why": detected.why,
            "accepted": refused.is_empty(),
            "refused": refused,
            "categories": categories,
            "summary": summary,
        });
        say(format_args!("{line}"))?;
    } else {
        print(args, &detected, &summary, &categories)?;
    }
    match accepted {
        Ok(_) => Ok(()),
        Err(why) => {
            let said = format!("{} would be refused: {why}", args.file.display());
            Err(Error::new(Kind::Input, said))
        }
    }
}

fn print(args: &Args, detected: &Detected, summary: &Summary, categories: &BTreeMap<String, u64>) -> Result<()> {
    let report = &summary.report;
    say(format_args!("{}: {} ({})", args.file.display(), detected.spec, detected.why.join("; ")))?;
    if let Some(date) = summary.date {
        say(format_args!("Date of the file: {date}"))?;
    }
    match summary.footer {
        Count::Unused => {}
        Count::Missing => say(format_args!("Footer: missing"))?,
        Count::Of(count) => say(format_args!("Footer: counts {count} records"))?,
    }
    say(format_args!("{report}"))?;
    for (category, count) in categories {
        let category = if category.is_empty() { "(no category)" } else { category };
        say(format_args!("{count:>9}  {category}"))?;
    }
    problems("Mistakes; these lines are left out", &report.bad_lines, report.bad)?;
    problems("Without a plate; these lines are set aside", &report.junk_lines, report.junk)?;
    problems("Remarks; these entries are kept", &report.noted_lines, report.noted)?;
    let Report { entries, .. } = report;
    if import::refusals(summary, None, &Limits::default()).is_empty() {
        say(format_args!("It would be accepted, with {entries} entries."))?;
    }
    Ok(())
}

fn problems(title: &str, problems: &[Problem], count: u64) -> Result<()> {
    if count == 0 {
        return Ok(());
    }
    say(format_args!("{title}:"))?;
    for problem in problems.iter().take(SHOWN) {
        say(format_args!("  - {problem}"))?;
    }
    let more = count - problems.len().min(SHOWN) as u64;
    if more > 0 { say(format_args!("  - and {more} more")) } else { Ok(()) }
}
