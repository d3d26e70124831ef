//! `plated-station audit`.

use super::write_redacted;
use crate::archive::settings;
use crate::command::print;
use crate::why::Why;
use crate::{ArchiveKey, StationConfig};
use clap::Subcommand;
use plated_access::Audit;
use plated_access::audit::verify_file;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::signing::{Purpose, Trust};
use plated_core::text::count;
use serde_json::json;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::PathBuf;

/// Commands about the station's audit log as a file for everybody.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Write the log without plates, names, reasons and case numbers; it can be published, and still be verified
    #[command(after_help = "Example:
  plated-station audit export audit.jsonl --reason 'records request 26-12' --config station.toml")]
    Export {
        /// The file, which is not there yet
        file: PathBuf,
        #[command(flatten)]
        why: Why,
        /// The station's configuration
        #[arg(long)]
        config: PathBuf,
    },
    /// Say whether such a file is as the station wrote it; needs no station and no connection
    #[command(after_help = "Example:
  plated-station audit verify audit.jsonl --key audit.pub")]
    Verify {
        /// The file
        file: PathBuf,
        /// The station's public key for its audit log, as `plated-station audit key` and its pages give it
        #[arg(long)]
        key: PathBuf,
    },
    /// Print the public key by which this station's audit log verifies
    Key {
        /// The station's configuration
        #[arg(long)]
        config: PathBuf,
    },
}

impl AuditCommand {
    /// Does what the command line asks.
    pub fn run(self) -> Result<()> {
        match self {
            Self::Export { file, why, config } => {
                let config = StationConfig::load(&config)?;
                let archive = settings::beside(&config)?;
                let failed = || format!("could not write {}", file.display());
                let out = File::create_new(&file).context(Kind::Storage, failed)?;
                let (_, permit) = why.open::<Audit>(&config, &*archive, json!({"as": "redacted"}))?;
                let mut out = BufWriter::new(out);
                write_redacted(archive.database(), &permit, &mut out)?;
                out.flush().context(Kind::Storage, failed)?;
                print(&format!("{}: the audit log without plates and names", file.display()))
            }
            Self::Key { config } => {
                let config = StationConfig::load(&config)?;
                let signer = ArchiveKey::load(&config.archive_key)?.signer(Purpose::AUDIT_HEAD)?;
                print(&hex::encode(signer.public_key()))
            }
            Self::Verify { file, key } => {
                let input =
                    File::open(&file).context(Kind::NotFound, || format!("could not read {}", file.display()))?;
                let report = verify_file(BufReader::new(input), Some(&Trust::load(&key)?))?;
                print(&format!("{}: {}", file.display(), count(report.rows, "row")))?;
                report.faults.iter().try_for_each(|fault| print(&format!("FAULT {fault}")))?;
                match report.is_whole() {
                    true => print("it is as the station wrote it"),
                    false => {
                        let message = format!("{} is not as the station wrote it", file.display());
                        Err(Error::new(Kind::Damaged, message))
                    }
                }
            }
        }
    }
}
