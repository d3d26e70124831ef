//! Publishing accounts, settings and models.

use super::models;
use super::table::{Provision, ProvisionKind};
use crate::StationConfig;
use crate::archive::settings;
use crate::audit::Stamp;
use crate::database::Database;
use crate::hotlists::command::{hotlist_signer, this_user};
use crate::owner::Owner;
use crate::register::CertificateState;
use crate::rows::Rows;
use crate::shared_files::SharedFiles;
use jiff::Timestamp;
use plated_access::{AccessRecord, Actor, AgencySettings, ProvisionedUser, SealSecret, Settings, UserDocument, signed};
use plated_core::clock::{Clock, SystemClock};
use plated_core::digest::Sha256;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::signing::{Purpose, Signer};
use plated_core::wire::ModelsDocument;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Changes what is handed out. A running station hands it out from then on.
pub struct Provisioner {
    database: Database,
    maker: Maker,
    seal_key: PathBuf,
    data: PathBuf,
    owner: Owner,
}

/// Who makes documents of which station.
struct Maker {
    station: String,
    signer: Signer,
    actor: Actor,
    clock: SystemClock,
}

impl Provisioner {
    /// Opens the station with this configuration.
    ///
    /// # Errors
    /// `Refused` for a user whose files the station could not read, and what keeps keys or database from being read.
    pub fn open(config: &StationConfig) -> Result<Self> {
        let owner = Owner::of(&config.data)?;
        let (signer, clock) = (hotlist_signer(config)?, SystemClock::new());
        let database = settings::database(config)?;
        let maker = Maker { station: config.name.clone(), signer, actor: Actor::SystemUser(this_user()), clock };
        Ok(Self { database, maker, seal_key: config.seal_key.clone(), data: config.data.clone(), owner })
    }

    /// Signs the accounts anew for each vehicle of the register, or for one; gives how many.
    ///
    /// # Errors
    /// What keeps them from being kept; all vehicles have the new ones then, or none.
    pub fn publish_users(&mut self, only: Option<&str>, reason: &str) -> Result<usize> {
        self.publish_users_to(only, false, reason)
    }

    /// The same for those vehicles that were handed other accounts than there are now.
    ///
    /// # Errors
    /// As [`publish_users`](Self::publish_users).
    pub fn publish_changed_users(&mut self, reason: &str) -> Result<usize> {
        self.publish_users_to(None, true, reason)
    }

    fn publish_users_to(&mut self, only: Option<&str>, only_changed: bool, reason: &str) -> Result<usize> {
        let (maker, made, path) = (&self.maker, self.maker.clock.wall(), &self.seal_key);
        self.database.transaction(|rows| {
            let users = rows.accounts()?;
            let digest = UserDocument::digest(&users)?;
            let mut vehicles = BTreeSet::new();
            for certificate in rows.vehicle_certificates_after(0)? {
                let name = certificate.facts.name;
                if certificate.state == CertificateState::Active && only.is_none_or(|only| only == name) {
                    let before = rows.provision(ProvisionKind::Users, &name)?;
                    // Nothing for a vehicle that never had accounts, as long as there are none.
                    let (is_due, was) = (before.is_some() || !users.is_empty(), before.and_then(|p| p.digest));
                    if is_due && !(only_changed && was == Some(digest)) {
                        vehicles.insert(name);
                    }
                }
            }
            if vehicles.is_empty() {
                return Ok(0);
            }
            let secret = match path.exists() {
                true => SealSecret::load(path)?,
                false => SealSecret::create_file(path)?, // A station from before there was one.
            };
            let subject = json!({ "accounts": users.len(), "vehicles": vehicles.len() });
            maker.record(rows, made, "users_published", reason, subject)?;
            for vehicle in &vehicles {
                let serial = serial(rows, ProvisionKind::Users, vehicle, made)?;
                let key = secret.of_vehicle(vehicle)?;
                let sealed: Result<Vec<_>> = users.iter().map(|user| ProvisionedUser::seal(user, &key)).collect();
                let (station, vehicle) = (maker.station.clone(), vehicle.clone());
                let document = UserDocument { station, vehicle, serial, made, users: sealed? };
                let (kind, signed) = (ProvisionKind::Users, document.sign(&maker.signer)?);
                maker.put(rows, kind, &document.vehicle, (serial, made), signed, Some(digest))?;
            }
            Ok(vehicles.len())
        })
    }

    /// Hands out from now on what the agency sets; gives the number of the document.
    ///
    /// # Errors
    /// `Config` when a value can't be, with its key.
    pub fn publish_settings(&mut self, access: Settings, reason: &str) -> Result<u64> {
        let (maker, made) = (&self.maker, self.maker.clock.wall());
        self.database.transaction(|rows| {
            let serial = serial(rows, ProvisionKind::Settings, "", made)?;
            let document = AgencySettings { station: maker.station.clone(), serial, made, access };
            document.check().map_err(|why| Error::new(Kind::Config, why))?;
            maker.record(rows, made, "settings_published", reason, json!({ "serial": serial }))?;
            maker.put(rows, ProvisionKind::Settings, "", (serial, made), document.sign(&maker.signer)?, None)?;
            Ok(serial)
        })
    }

    /// Hands out from now on the models in a folder; gives their document.
    ///
    /// # Errors
    /// `Config` when it lacks a file or has one that can't be handed out.
    pub fn publish_models(&mut self, from: &Path, reason: &str) -> Result<ModelsDocument> {
        let (maker, made) = (&self.maker, self.maker.clock.wall());
        let folder = super::folder(&self.data);
        let files = models::take_in(from, &folder, self.owner)?;
        let shared = SharedFiles::of(&self.database, &self.data);
        shared.push(&folder)?;
        let document = self.database.transaction(|rows| {
            let serial = serial(rows, ProvisionKind::Models, "", made)?;
            let document = ModelsDocument { station: maker.station.clone(), serial, made, files };
            document.check().map_err(|why| Error::new(Kind::Config, format!("{}: {why}", from.display())))?;
            let files: Vec<_> =
                document.files.iter().map(|file| json!({ "name": file.name, "sha256": file.sha256 })).collect();
            maker.record(rows, made, "models_published", reason, json!({ "serial": serial, "files": files }))?;
            let signed = signed::sign(&document, Purpose::MODELS, &maker.signer)?;
            maker.put(rows, ProvisionKind::Models, "", (serial, made), signed, None)?;
            Ok(document)
        })?;
        models::clear(&folder, &document);
        shared.prune(&folder)?;
        Ok(document)
    }
}

impl Maker {
    fn record(&self, rows: &Rows<'_>, at: Timestamp, what: &'static str, reason: &str, subject: Value) -> Result<()> {
        let stamp = Stamp { at, station: &self.station, signer: &self.signer };
        rows.record(&stamp, &AccessRecord::done(&self.actor, what, reason, subject)?)
    }

    fn put(
        &self,
        rows: &Rows<'_>,
        kind: ProvisionKind,
        vehicle: &str,
        (serial, made): (u64, Timestamp),
        signed: String,
        digest: Option<Sha256>,
    ) -> Result<()> {
        let by = self.actor.to_string();
        rows.put_provision(&Provision { kind, vehicle: vehicle.to_owned(), serial, made, by, signed, digest })
    }
}

/// Seconds, so that a station which was set up anew from an old copy of its data does not fall behind what vehicles
/// have seen.
fn serial(rows: &Rows<'_>, kind: ProvisionKind, vehicle: &str, now: Timestamp) -> Result<u64> {
    let seconds = u64::try_from(now.as_second()).unwrap_or(0);
    Ok(rows.provision(kind, vehicle)?.map_or(0, |before| before.serial + 1).max(seconds))
}

/// The `[access]` of a TOML file.
pub(super) fn settings_of(path: &Path) -> Result<Settings> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        access: Settings,
    }
    let text = std::fs::read_to_string(path).context(Kind::Config, || format!("could not read {}", path.display()))?;
    let file: File = plated_core::config_file::parse(&text, path)?;
    Ok(file.access)
}
