//! A list's file as the command line names it.

use indicatif::{ProgressBar, ProgressStyle};
use plated_core::error::{Context, Error, Kind, Result, opened};
use plated_hotlist::format::{self, Choice, Detected, Packing, open_plain, unpacked};
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
    #[command(flatten)]
    packed: Packed,
}

/// How to open it where it is packed.
#[derive(Debug, Default, clap::Args)]
pub struct Packed {
    /// File of mode 0400 with the password of a ZIP archive
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Name of the list in a ZIP archive of several files
    #[arg(long, value_name = "NAME")]
    archive_member: Option<String>,
}

impl Format {
    /// What was reported about the format.
    pub fn choice(&self) -> Choice {
        Choice::new(self.format.as_deref(), self.map.as_deref())
    }
}

/// A shorter file is read before a bar could be seen.
const LONG: u64 = 16 << 20;

/// Opens a list, unpacks it and decides its format, and gives its text to `read`. Reading it moves a
/// bar. Errors get the name of the file in front.
///
/// # Errors
/// As [`unpacked`] and [`format::choose`], and what `read` says.
pub fn read<T>(path: &Path, format: &Format, read: impl FnOnce(Detected, &mut dyn BufRead) -> Result<T>) -> Result<T> {
    read_as(path, &format.choice(), &format.packed, read)
}

/// As [`read`], where the format may be given or not.
pub fn read_as<T>(
    path: &Path,
    choice: &Choice,
    packed: &Packed,
    read: impl FnOnce(Detected, &mut dyn BufRead) -> Result<T>,
) -> Result<T> {
    let file = opened(open_plain(path), || format!("could not open {}", path.display()))?;
    let bar = progress(file.metadata().map_or(0, |m| m.len()));
    let packing = named(path, Packing::new(packed.password_file.as_deref(), packed.archive_member.as_deref()))?;
    let result = unpacked(bar.wrap_read(file), path, &packing, |input, within| {
        let (detected, mut input) = format::choose(input, within, choice)?;
        read(detected, &mut input)
    });
    bar.finish_and_clear();
    named(path, result)
}

/// Puts the name of the file before what is wrong with it.
fn named<T>(path: &Path, result: Result<T>) -> Result<T> {
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
