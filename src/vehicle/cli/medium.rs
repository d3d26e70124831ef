//! `plated medium`: the way to the station without a link.

use super::ask::{Ask, Why};
use super::say;
use crate::control::{Reply, Request};
use crate::store::Applied;
use indicatif::{ProgressBar, ProgressStyle};
use plated_core::digest::{Hasher, Sha256};
use plated_core::durable;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::medium::{MAX_FILE_BYTES, RECEIPT_SUFFIX, is_part, new_name};
use plated_core::text::{count, visible};
use plated_core::wire::batch::SignedReceipt;
use std::fs::File;
use std::io::{ErrorKind, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// Bring reads to the station on a medium, encrypted, and the station's receipts back
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Export(Export),
    Receipts(Receipts),
}

/// Write what waits for the station to a folder, such as that of a USB stick
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated medium export /media/stick --reason 'no link since Monday'

Only the station can read the files (transfer.medium_recipient); their names tell nothing. Nothing is deleted here, and
reads go over the network too where there is a link: the station keeps each once. An export that was cut off is gone on
with by the same command: what is whole on the medium is not written again. At the station:
  plated-station medium import /media/stick --reason 'unit-7' --config station.toml
and then, in the vehicle:
  plated medium receipts /media/stick")]
struct Export {
    /// The folder
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Only what is on no other medium, as when the one before is full. What is on one that was lost waits on
    #[arg(long)]
    rest: bool,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    ask: Ask,
}

/// Take the station's receipts from a medium: what they name is deleted here when its time is over ([purge])
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated medium receipts /media/stick

Receipts of other vehicles on the same medium, and those that were taken before, are passed over. Afterwards the medium can
be emptied.")]
struct Receipts {
    /// The folder
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = super::ask::reason, default_value = "receipts came back on a medium")]
    reason: crate::store::Reason,
    #[command(flatten)]
    ask: Ask,
}

/// Does what the subcommand says.
///
/// # Errors
/// What keeps it from being done; what is on the medium until then counts.
pub fn run(args: &Args) -> Result<()> {
    match &args.command {
        Command::Export(args) => export(args),
        Command::Receipts(args) => receipts(args),
    }
}

/// The names in the folder.
fn names(dir: &Path) -> Result<Vec<String>> {
    let failed = || format!("could not look through {}", dir.display());
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir).context(Kind::Missing, failed)? {
        names.extend(entry.context(Kind::Storage, failed)?.file_name().into_string().ok());
    }
    names.sort();
    Ok(names)
}

/// Hashes of the parts that are there, whole or not: one that was cut off is nobody's.
fn present(dir: &Path) -> Result<Vec<Sha256>> {
    let mut all = Vec::new();
    for name in names(dir)?.iter().filter(|name| is_part(name)) {
        let path = dir.join(name);
        let failed = || format!("could not read {}", path.display());
        let mut file = File::open(&path).context(Kind::Storage, failed)?.take(MAX_FILE_BYTES as u64);
        let (mut hasher, mut piece) = (Hasher::new(), vec![0; 256 << 10]);
        loop {
            match file.read(&mut piece) {
                Ok(0) => break,
                Ok(n) => hasher.update(&piece[..n]),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                // It is written again under another name.
                Err(_) => break,
            }
        }
        all.push(hasher.finish());
    }
    Ok(all)
}

fn export(Export { dir, rest, why, ask }: &Export) -> Result<()> {
    durable::sweep(dir);
    let present = present(dir)?;
    let request = Request::ExportMedium { present, rest: *rest, reason: why.reason(), case: why.case.clone() };
    let failed = || {
        format!(
            "could not write to {}; what is whole there counts: go on with another medium and --rest",
            dir.display()
        )
    };
    let progress = ProgressBar::hidden();
    let (mut out, mut files, mut all, mut stuck) = (None, 0, 0, 0);
    ask.call(&request, None, &mut |reply| {
        match reply {
            Reply::MediumBegins { bytes, .. } => show(&progress, bytes),
            Reply::MediumPiece(piece) => {
                let bytes = hex::decode(piece).context(Kind::Internal, || "the daemon sent no bytes".into())?;
                let writer = match &mut out {
                    Some(writer) => writer,
                    none => none.insert(durable::Writer::create(dir, 0o600).context(Kind::Storage, failed)?),
                };
                writer.write_all(&bytes).context(Kind::Storage, failed)?;
            }
            Reply::MediumPart { reads, bytes, .. } => {
                let writer = out.take().ok_or_else(|| Error::new(Kind::Internal, "the daemon sent an empty file"))?;
                writer.finish(&dir.join(new_name())).context(Kind::Storage, failed)?;
                (files, all) = (files + 1, all + reads);
                progress.inc(bytes);
            }
            Reply::NotExported(reads) => stuck = reads,
            _ => {}
        }
        Ok(())
    })?;
    durable::sync_folder(dir).context(Kind::Storage, failed)?;
    progress.finish_and_clear();
    let reads = count(all, "read");
    match files {
        0 => say(format_args!("nothing waits that is not on the medium"))?,
        _ => say(format_args!("{reads} in {} on the medium; take it to the station", count(files, "file")))?,
    }
    match stuck {
        0 => Ok(()),
        _ => {
            let message = format!("{} could not be exported; run `plated check`", count(stuck, "read"));
            Err(Error::new(Kind::Damaged, message))
        }
    }
}

/// A bar of so many bytes, where somebody looks.
fn show(progress: &ProgressBar, bytes: u64) {
    progress.set_length(bytes);
    let template = "{bar:40} {bytes} of {total_bytes}, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template)
        && std::io::stderr().is_terminal()
    {
        progress.set_style(style);
        progress.set_draw_target(indicatif::ProgressDrawTarget::stderr());
    }
}

fn receipts(Receipts { dir, reason, ask }: &Receipts) -> Result<()> {
    let names = names(dir)?;
    let (mut all, mut passed, mut failures) = (Applied::default(), 0, Vec::new());
    let mut found: Vec<_> = names.iter().filter(|name| name.ends_with(RECEIPT_SUFFIX)).collect();
    // In the order of their batches: rows of the audit log count as far as they follow each other.
    found.sort_by_cached_key(|name| batch_of(&dir.join(name)));
    for name in found {
        let path = dir.join(name);
        let bytes = std::fs::metadata(&path).map_or(0, |m| m.len());
        let request = Request::BringReceipt { file: name.clone(), bytes, reason: reason.clone() };
        let done = ask.call(&request, Some(&path), &mut |reply| {
            if let Reply::ReceiptBrought(applied) = reply {
                all.transferred += applied.transferred;
                all.already += applied.already;
                all.refused += applied.refused;
            }
            Ok(())
        });
        match done {
            Ok(()) => {}
            Err(e) if e.kind() == Kind::Refused => passed += 1,
            Err(e) => failures.push(format!("{}: {}", visible(name), e.chain())),
        }
    }
    let confirmed = count((all.transferred + all.already) as u64, "read");
    say(format_args!("the station has {confirmed}; {} passed over", count(passed, "receipt")))?;
    if all.refused > 0 {
        say(format_args!(
            "the station would not take {}; `plated transfer status` says more",
            count(all.refused as u64, "read")
        ))?;
    }
    match failures.is_empty() {
        true => Ok(()),
        false => Err(Error::new(Kind::Storage, failures.join("; "))),
    }
}

/// The batch that a receipt answers; its id begins with the time.
fn batch_of(path: &Path) -> Option<Uuid> {
    let json = std::fs::read(path).ok()?;
    serde_json::from_slice::<SignedReceipt>(&json).ok()?.content().ok().map(|receipt| receipt.batch)
}
