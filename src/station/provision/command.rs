//! `plated-station provision`: what vehicles are given beside lists.

use super::publish::{Provisioner, settings_of};
use super::table::{Provision, ProvisionKind};
use crate::StationConfig;
use crate::archive::settings;
use crate::command::print;
use clap::Subcommand;
use plated_core::error::Result;
use plated_core::text::{count, visible};
use std::path::PathBuf;

/// What vehicles are given beside lists: accounts, what the agency sets, models
#[derive(Debug, Subcommand)]
pub enum ProvisionCommand {
    /// Sign the accounts anew for every vehicle of the register; each change of an account does so by itself
    #[command(after_help = "Example:
  sudo plated-station provision publish --reason \"vehicles of before\" --config /etc/plated-station/station.toml")]
    Publish {
        /// Why; it is recorded
        #[arg(long)]
        reason: String,
        /// The station's configuration
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Hand out what the agency sets: the [access] of a TOML file, in the place of that of each vehicle
    #[command(after_help = "Example:
  sudo plated-station provision settings agency.toml --reason \"policy of 2027\" --config station.toml

The file holds [access] as in plated.toml: purposes, purpose_required, case_required, logins_required and
[access.accounts]. A vehicle works by it from the next start of its daemon on.")]
    Settings {
        /// The file
        file: PathBuf,
        /// Why; it is recorded
        #[arg(long)]
        reason: String,
        /// The station's configuration
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Hand out detector and reader: all files of a folder with detector.toml and reader.toml
    #[command(after_help = "Example:
  sudo plated-station provision models models/2027-01 --reason \"reader of January\" --config station.toml

A vehicle tries them on known pictures first. Models that fail are refused there, and its own stay in force. It
works by the new ones from the next start of its daemon on.")]
    Models {
        /// The folder
        folder: PathBuf,
        /// Why; it is recorded
        #[arg(long)]
        reason: String,
        /// The station's configuration
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Show what is handed out; no account is shown
    #[command(after_help = "Example:
  plated-station provision list --config /etc/plated-station/station.toml")]
    List {
        /// The station's configuration
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
}

impl ProvisionCommand {
    /// Does what the command line asks.
    pub fn run(self) -> Result<()> {
        match self {
            Self::Publish { reason, config } => {
                let vehicles = Provisioner::open(&StationConfig::load(&config)?)?.publish_users(None, &reason)?;
                print(&format!("the accounts are handed out to {}", count(vehicles as u64, "vehicle")))
            }
            Self::Settings { file, reason, config } => {
                let access = settings_of(&file)?;
                let serial = Provisioner::open(&StationConfig::load(&config)?)?.publish_settings(access, &reason)?;
                print(&format!("settings number {serial} are handed out"))
            }
            Self::Models { folder, reason, config } => {
                let document = Provisioner::open(&StationConfig::load(&config)?)?.publish_models(&folder, &reason)?;
                let (serial, files) = (document.serial, count(document.files.len() as u64, "file"));
                print(&format!("models number {serial} are handed out: {files}"))
            }
            Self::List { config } => list(&StationConfig::load(&config)?),
        }
    }
}

fn list(config: &StationConfig) -> Result<()> {
    let mut any = false;
    for kind in [ProvisionKind::Users, ProvisionKind::Settings, ProvisionKind::Models] {
        let found = settings::look(config, |rows| rows.provisions(kind))?.unwrap_or_default();
        for Provision { vehicle, serial, made, by, .. } in &found {
            any = true;
            let to = if vehicle.is_empty() { "every vehicle".to_owned() } else { format!("vehicle {vehicle}") };
            print(&format!("{} number {serial} for {to}, made {made:.0} by {}", kind.as_str(), visible(by)))?;
        }
    }
    if any { Ok(()) } else { print("nothing is handed out") }
}
