//! A list's file as the command line names it.

use indicatif::{ProgressBar, ProgressStyle};
use plated_core::error::{Context, Error, Kind, Result};
use plated_hotlist::format;
use plated_hotlist::format::{Choice, Detected};
use std::fs::File;
use std::io::BufRead;
use std::path::{Path, PathBuf};

/// Which format the file has.
#[derive(Debug, clap::Args)]
pub struct Format {
    /// Name of the format: csv, ca_doj:svs (or sfr, slr), ncic, ncic_csv, ncic_csv_12 or
    /// json_lines [default: told from the file]
    #[arg(long, value_name = "NAME", conflicts_with = "map")]
    format: Option<String>,
    /// Column map of the format, a TOML file
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
}

impl Format {
    /// What was said about the format.
    pub fn choice(&self) -> Choice {
        Choice::new(self.format.as_deref(), self.map.as_deref())
    }
}

/// A shorter file is read before a bar could be seen.
const LONG: u64 = 16 << 20;

/// Opens a list and decides its format. Reading it moves the bar.
///
/// # Errors
/// As [`format::choose`], under the name of the file.
pub fn open(path: &Path, choice: &Choice) -> Result<(Detected, impl BufRead + use<>, ProgressBar)> {
    let file = File::open(path).context(Kind::Missing, || format!("could not open {}", path.display()))?;
    let bar = progress(file.metadata().map_or(0, |m| m.len()));
    let chosen = format::choose(bar.wrap_read(file), path, choice);
    let (detected, input) = named(path, chosen)?;
    Ok((detected, input, bar))
}

/// Puts the name of the file before what is wrong with it.
pub fn named<T>(path: &Path, result: Result<T>) -> Result<T> {
    let kind = result.as_ref().err().map_or(Kind::Internal, Error::kind);
    result.context(kind, || path.display().to_string())
}

/// Shown only on a terminal, and only when there is something to wait for.
fn progress(bytes: u64) -> ProgressBar {
    if bytes < LONG {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(bytes).with_style(style)
}
