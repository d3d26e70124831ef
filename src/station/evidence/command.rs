//! `plated-station evidence`.

use super::verify;
use crate::command::print;
use crate::{ArchiveKey, StationConfig};
use clap::Subcommand;
use plated_core::error::{Error, Kind, Result};
use plated_core::signing::{Purpose, Trust};
use plated_core::text::{count, visible};
use std::path::PathBuf;

/// Commands about archives of evidence.
#[derive(Debug, Subcommand)]
pub enum EvidenceCommand {
    /// Say whether an archive is as the station made it; needs no station and no connection
    #[command(after_help = "Example:
  plated-station evidence verify evidence-20261126.zip --key evidence.pub

Ends with 0 when it is. What was changed, added or left out is named.")]
    Verify {
        /// The archive
        file: PathBuf,
        /// The station's public key for evidence, as `plated-station evidence key` prints it; may hold several
        #[arg(long)]
        key: PathBuf,
    },
    /// Print the public key by which this station's archives verify
    #[command(after_help = "Example:
  plated-station evidence key --config station.toml > evidence.pub")]
    Key {
        /// The station's configuration
        #[arg(long)]
        config: PathBuf,
    },
}

impl EvidenceCommand {
    /// Does what the command line asks.
    pub fn run(self) -> Result<()> {
        match self {
            Self::Key { config } => {
                let config = StationConfig::load(&config)?;
                let signer = ArchiveKey::load(&config.archive_key)?.signer(Purpose::EVIDENCE)?;
                print(&hex::encode(signer.public_key()))
            }
            Self::Verify { file, key } => {
                let report = verify(&file, &Trust::load(&key)?)?;
                if let Some(manifest) = &report.manifest {
                    let (by, station) = (visible(&manifest.by.name), visible(&manifest.station));
                    print(&format!(
                        "{}: {}, taken out of {station} {:.0} by {by}",
                        file.display(),
                        count(manifest.reads.len() as u64, "read"),
                        manifest.at
                    ))?;
                }
                if report.is_genuine() {
                    return print("it is as the station made it");
                }
                report.faults.iter().try_for_each(|fault| print(&format!("NOT as it was made: {fault}")))?;
                Err(Error::new(Kind::Damaged, format!("{} is not as the station made it", file.display())))
            }
        }
    }
}
