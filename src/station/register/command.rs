//! `plated-station vehicle`: who may talk to this station.

use super::subject;
use super::table::{CertificateState, VehicleCertificate};
use crate::StationConfig;
use crate::archive::settings;
use crate::audit::Stamp;
use crate::command::print;
use crate::database::Database;
use crate::hotlists::command::{hotlist_signer, this_user};
use crate::owner::Owner;
use crate::provision::Provisioner;
use crate::rows::Rows;
use clap::Subcommand;
use jiff::Timestamp;
use plated_access::{AccessRecord, Actor, SealSecret};
use plated_core::clock::{Clock, SystemClock};
use plated_core::digest::Sha256;
use plated_core::durable::{folder_of, make_folder};
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::name::is_plain_name;
use plated_core::signing::give_public_keys;
use plated_core::text::{count, visible};
use plated_core::tls::authority::Authority;
use plated_core::tls::{Facts, certificates};
use serde_json::json;
use std::path::{Path, PathBuf};

/// The register of vehicles: whose certificates count at this station
#[derive(Debug, Subcommand)]
pub enum VehicleCommand {
    /// Make a vehicle's first certificate by the authority of `authority_key`, and enter it
    #[command(after_help = "Example:
  sudo plated-station vehicle issue unit-7 --out unit-7 --config /etc/plated-station/station.toml

From then on the vehicle renews it by itself.")]
    Issue {
        /// Name of the vehicle
        name: String,
        /// Folder for the vehicle's files
        #[arg(long)]
        out: PathBuf,
        /// Why; it is recorded
        #[arg(long, default_value = "a certificate for a vehicle")]
        reason: String,
        /// The station's configuration
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Enter a certificate that the agency's authority made, or one from before there was a register
    #[command(after_help = "Example:
  plated-station vehicle add vehicle.crt --reason \"new patrol car\" --config /etc/plated-station/station.toml

The vehicle's name is the common name of the certificate. A running station takes it within a second.")]
    Add {
        /// The certificate, in PEM form
        certificate: PathBuf,
        /// Put what the vehicle needs beside its certificate into this folder: the station's public keys, seal.key
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Why; it is recorded
        #[arg(long)]
        reason: String,
        /// The station's configuration
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Show the certificates that count; a running station goes on
    #[command(after_help = "Example:
  plated-station vehicle list --all --config /etc/plated-station/station.toml")]
    List {
        /// Those too that don't count any more
        #[arg(long)]
        all: bool,
        /// Print one JSON object for each
        #[arg(long)]
        json: bool,
        /// The station's configuration
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Take a vehicle's certificates back: it gets nothing and sends nothing any more, from the next second on
    #[command(after_help = "Examples:
  plated-station vehicle revoke unit-7 --reason \"the car was stolen\" --config /etc/plated-station/station.toml
  plated-station vehicle revoke unit-7 --certificate 3f9a… --reason \"the old computer\" --config station.toml

A certificate that was revoked never counts again; make a new one with `vehicle issue`.")]
    Revoke {
        /// Name of the vehicle
        name: String,
        /// Only the certificate of this fingerprint (SHA-256 in hex digits), as `vehicle list` shows it
        #[arg(long, value_name = "SHA256")]
        certificate: Option<Sha256>,
        /// Why; it is recorded
        #[arg(long)]
        reason: String,
        /// The station's configuration
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
}

impl VehicleCommand {
    /// Does what the command line asks.
    pub fn run(self) -> Result<()> {
        match self {
            Self::Issue { name, out, reason, config } => issue(&StationConfig::load(&config)?, &name, &out, &reason),
            Self::Add { certificate, out, reason, config } => {
                let config = StationConfig::load(&config)?;
                let name = add(&config, &certificate, &reason)?;
                out.map_or(Ok(()), |out| give(&config, &name, &out)?.iter().try_for_each(|path| say(path)))
            }
            Self::List { all, json, config } => list(&StationConfig::load(&config)?, all, json),
            Self::Revoke { name, certificate, reason, config } => {
                revoke(&StationConfig::load(&config)?, &name, certificate, &reason)
            }
        }
    }
}

fn issue(config: &StationConfig, name: &str, out: &Path, reason: &str) -> Result<()> {
    let Some(key) = &config.authority_key else {
        let message = "authority_key is not set in the station's configuration: have the agency's authority make the \
                       certificate, and enter it with `plated-station vehicle add`";
        return Err(Error::new(Kind::Config, message));
    };
    let authority = Authority::open(&config.ca, key)?;
    // Before its first start the station has no register; it enters what its authority issued at first use.
    let change = if config.data.exists() { Some(Change::begin(config)?) } else { None };
    let issued = authority.issue_vehicle(name, out, &SystemClock::new())?;
    let keys = give(config, name, out)?;
    let facts = Facts::of(&certificates(&issued.certificate, "the certificate")?[0])?;
    if let Some(mut change) = change {
        change.enter(&facts, reason)?;
        drop(change);
        Provisioner::open(config)?.publish_users(Some(name), reason)?;
    }
    [&issued.ca, &issued.certificate, &issued.key].into_iter().chain(&keys).try_for_each(|path| say(path))?;
    if config.data.exists() { others(config, &facts) } else { Ok(()) }
}

fn say(path: &Path) -> Result<()> {
    print(&path.display().to_string())
}

/// Puts the station's public keys and the vehicle's key for second factors into a folder, those that are not there yet.
fn give(config: &StationConfig, name: &str, out: &Path) -> Result<Vec<PathBuf>> {
    make_folder(out).context(Kind::Storage, || format!("could not make the folder {}", out.display()))?;
    let mut keys = give_public_keys(folder_of(&config.hotlist_key), out)?;
    if !config.seal_key.exists() {
        SealSecret::create_file(&config.seal_key)?; // A station from before there was one.
    }
    keys.extend(SealSecret::give(folder_of(&config.seal_key), name, out)?);
    Ok(keys)
}

fn add(config: &StationConfig, path: &Path, reason: &str) -> Result<String> {
    let facts = Facts::of(&certificates(path, "the certificate")?[0])?;
    Change::begin(config)?.enter(&facts, reason)?;
    Provisioner::open(config)?.publish_users(Some(&facts.name), reason)?;
    print(&format!("{} may talk to this station, by the certificate {}", facts.name, facts.fingerprint))?;
    others(config, &facts)?;
    Ok(facts.name)
}

/// Says that a vehicle has other certificates that count.
fn others(config: &StationConfig, facts: &Facts) -> Result<()> {
    let all = read(config, |rows| rows.certificates_of(&facts.name))?;
    let counts =
        |c: &&VehicleCertificate| c.state == CertificateState::Active && c.facts.fingerprint != facts.fingerprint;
    match all.iter().filter(counts).count() {
        0 => Ok(()),
        n => print(&format!(
            "{} has {} more that counts; if its computer is gone, revoke it: plated-station vehicle list",
            facts.name,
            count(n as u64, "certificate")
        )),
    }
}

fn list(config: &StationConfig, all: bool, json: bool) -> Result<()> {
    let mut found = read(config, |rows| rows.vehicle_certificates_after(0))?;
    found.sort_by(|a, b| (&a.facts.name, a.added).cmp(&(&b.facts.name, b.added)));
    let shown: Vec<_> = found.iter().filter(|c| all || c.state == CertificateState::Active).collect();
    let now = SystemClock::new().wall();
    for certificate in &shown {
        print(&if json { as_json(certificate) } else { as_line(certificate, now) })?;
    }
    if shown.is_empty() && !json { print("the register holds no vehicle") } else { Ok(()) }
}

fn revoke(config: &StationConfig, name: &str, only: Option<Sha256>, reason: &str) -> Result<()> {
    if !is_plain_name(name) {
        return Err(Error::new(Kind::Config, "a vehicle's name has 1 to 64 letters, digits, '-', '_' or '.'"));
    }
    let mut change = Change::begin(config)?;
    let (now, by) = (change.clock.wall(), change.actor.to_string());
    let revoked = change.database.transaction(|rows| {
        let mut revoked = 0;
        for mut certificate in rows.certificates_of(name)? {
            let named = only.is_none_or(|only| certificate.facts.fingerprint == only);
            if !named || certificate.state == CertificateState::Revoked {
                continue;
            }
            let record =
                AccessRecord::done(&change.actor, "vehicle_certificate_revoked", reason, subject(&certificate.facts))?;
            rows.record(&Stamp { at: now, station: &config.name, signer: &change.signer }, &record)?;
            certificate.end(CertificateState::Revoked, now, &by, record.reason.as_str());
            rows.put_vehicle_certificate(&certificate)?;
            revoked += 1;
        }
        Ok(revoked)
    })?;
    match revoked {
        0 => {
            let message = format!("there is no such certificate of {name} that counts; plated-station vehicle list");
            Err(Error::new(Kind::NotFound, message))
        }
        n => print(&format!("{} of {name} revoked; a running station knows within a second", count(n, "certificate"))),
    }
}

/// A change of the register by the user of this process.
struct Change {
    database: Database,
    signer: plated_core::signing::Signer,
    station: String,
    actor: Actor,
    clock: SystemClock,
}

impl Change {
    fn begin(config: &StationConfig) -> Result<Self> {
        Owner::of(&config.data)?;
        let signer = hotlist_signer(config)?;
        let database = settings::database(config)?;
        let (actor, clock) = (Actor::SystemUser(this_user()), SystemClock::new());
        Ok(Self { database, signer, station: config.name.clone(), actor, clock })
    }

    fn enter(&mut self, facts: &Facts, reason: &str) -> Result<()> {
        let now = self.clock.wall();
        let record = AccessRecord::done(&self.actor, "vehicle_certificate_added", reason, subject(facts))?;
        let certificate = VehicleCertificate::new(facts.clone(), now, &self.actor.to_string());
        let stamp = Stamp { at: now, station: &self.station, signer: &self.signer };
        self.database.transaction(|rows| {
            if let Some(known) = rows.vehicle_certificate(&facts.fingerprint)? {
                let message = match known.state {
                    CertificateState::Active => "this certificate is in the register already",
                    CertificateState::Retired => "this certificate was renewed; the vehicle has a newer one",
                    CertificateState::Revoked => {
                        "this certificate was revoked and never counts again; make a new one with `plated-station \
                         vehicle issue`"
                    }
                };
                return Err(Error::new(Kind::Refused, message));
            }
            rows.record(&stamp, &record)?;
            rows.put_vehicle_certificate(&certificate).map(drop)
        })
    }
}

fn read<T: Default>(config: &StationConfig, look: impl FnOnce(&Rows<'_>) -> Result<T>) -> Result<T> {
    Ok(settings::look(config, look)?.unwrap_or_default())
}

fn as_line(c: &VehicleCertificate, now: Timestamp) -> String {
    let VehicleCertificate { facts, added, added_by, first_used, .. } = c;
    let state = match (&c.end, c.state) {
        (Some(end), state) => {
            let (by, reason) = (visible(&end.by), visible(&end.reason));
            format!("{} {:.0} by {by}: {reason}", state.as_str().to_uppercase(), end.at)
        }
        (None, _) if facts.not_after < now => "EXPIRED".to_owned(),
        (None, _) => "counts".to_owned(),
    };
    let used = first_used.map_or_else(|| "never used".to_owned(), |at| format!("first used {at:.0}"));
    let how = if c.renewal.is_some() { "renewed" } else { "entered" };
    format!(
        "{} {state}, until {:.0}; {how} {added:.0} by {}, {used}, serial {}, {}",
        facts.name,
        facts.not_after,
        visible(added_by),
        facts.serial,
        facts.fingerprint
    )
}

fn as_json(c: &VehicleCertificate) -> String {
    let VehicleCertificate { facts, end, .. } = c;
    json!({
        "vehicle": facts.name, "certificate": facts.fingerprint, "serial": facts.serial,
        "not_before": facts.not_before, "not_after": facts.not_after,
        "added": c.added, "added_by": c.added_by, "renews": c.renewal.as_ref().map(|renewal| renewal.of),
        "first_used": c.first_used, "state": c.state.as_str(),
        "ended": end.as_ref().map(|end| end.at), "ended_by": end.as_ref().map(|end| &end.by),
        "reason": end.as_ref().map(|end| &end.reason),
    })
    .to_string()
}
