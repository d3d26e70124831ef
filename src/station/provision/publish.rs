//! Publishing accounts, settings and models.

use super::accounts::StationAccounts;
use super::models;
use super::table::{Provision, ProvisionKind};
use crate::audit::done;
use crate::database::{Database, Rows};
use crate::hotlists::Owner;
use crate::hotlists::command::{hotlist_signer, this_user};
use crate::register::CertificateState;
use crate::{ArchiveKey, StationConfig};
use jiff::Timestamp;
use plated_access::{
    AccountSettings, Accounts, Actor, AgencySettings, Breach, ProvisionedUser, SealSecret, Settings, User,
    UserDocument, signed,
};
use plated_core::clock::SystemClock;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::signing::Purpose;
use plated_core::wire::ModelsDocument;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Changes what is handed out. A running station hands it out from then on.
pub struct Provisioner {
    accounts: Arc<StationAccounts>,
    secret: SealSecret,
    actor: Actor,
    data: PathBuf,
    owner: Owner,
}

impl Provisioner {
    /// Opens the station with this configuration.
    ///
    /// # Errors
    /// `Refused` for a user whose files the station could not read, and what keeps keys or database from being read.
    pub fn open(config: &StationConfig) -> Result<Self> {
        let owner = Owner::of(&config.data)?;
        let signer = hotlist_signer(config)?;
        let secret = match config.seal_key.exists() {
            true => SealSecret::load(&config.seal_key)?,
            false => SealSecret::create_file(&config.seal_key)?,
        };
        let database = Database::open(&config.database(), &ArchiveKey::load(&config.archive_key)?)?;
        let (station, clock) = (config.name.clone(), Arc::new(SystemClock::new()));
        let accounts = Arc::new(StationAccounts { database: database.into(), station, signer, clock });
        Ok(Self { accounts, secret, actor: Actor::SystemUser(this_user()), data: config.data.clone(), owner })
    }

    /// Who does this.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The rules for accounts, over those of the station.
    ///
    /// # Errors
    /// What keeps them from being read.
    pub fn accounts(&self) -> Result<Accounts> {
        let alarm = Box::new(|_: Breach| ());
        let (store, log, clock) = (self.accounts.clone(), self.accounts.clone(), self.accounts.clock.clone());
        Accounts::open(store, log, clock, AccountSettings::default(), alarm)
    }

    /// Signs the accounts anew for each vehicle of the register, or for one; gives how many.
    ///
    /// # Errors
    /// What keeps them from being kept; all vehicles have the new ones then, or none.
    pub fn publish_users(&self, only: Option<&str>, reason: &str) -> Result<usize> {
        let (now, signer) = (self.accounts.clock.wall(), &self.accounts.signer);
        self.accounts.rows(|rows| {
            let users = rows.accounts()?;
            let mut vehicles = BTreeSet::new();
            for certificate in rows.vehicle_certificates_after(0)? {
                if certificate.state == CertificateState::Active
                    && only.is_none_or(|only| only == certificate.facts.name)
                {
                    vehicles.insert(certificate.facts.name);
                }
            }
            if vehicles.is_empty() {
                return Ok(0);
            }
            let subject = json!({ "accounts": users.len(), "vehicles": vehicles.len() });
            self.record(rows, "users_published", reason, subject)?;
            for vehicle in &vehicles {
                let serial = self.serial(rows, ProvisionKind::Users, vehicle, now)?;
                let key = self.secret.of_vehicle(vehicle)?;
                let users = users.iter().map(|user| ProvisionedUser::seal(&handed_out(user), &key));
                let (station, vehicle) = (self.accounts.station.clone(), vehicle.clone());
                let users = users.collect::<Result<Vec<_>>>()?;
                let document = UserDocument { station, vehicle, serial, made: now, users };
                self.put(rows, ProvisionKind::Users, &document.vehicle, (serial, now), document.sign(signer)?)?;
            }
            Ok(vehicles.len())
        })
    }

    /// Hands out from now on what the agency sets; gives the number of the document.
    ///
    /// # Errors
    /// `Config` when a value can't be, with its key.
    pub fn publish_settings(&self, access: Settings, reason: &str) -> Result<u64> {
        let (made, signer) = (self.accounts.clock.wall(), &self.accounts.signer);
        self.accounts.rows(|rows| {
            let serial = self.serial(rows, ProvisionKind::Settings, "", made)?;
            let document = AgencySettings { station: self.accounts.station.clone(), serial, made, access };
            document.check().map_err(|why| Error::new(Kind::Config, why))?;
            self.record(rows, "settings_published", reason, json!({ "serial": serial }))?;
            self.put(rows, ProvisionKind::Settings, "", (serial, made), document.sign(signer)?)?;
            Ok(serial)
        })
    }

    /// Hands out from now on the models in a folder; gives their document.
    ///
    /// # Errors
    /// `Config` when it lacks a file or has one that can't be handed out.
    pub fn publish_models(&self, from: &Path, reason: &str) -> Result<ModelsDocument> {
        let (made, signer) = (self.accounts.clock.wall(), &self.accounts.signer);
        let folder = super::folder(&self.data);
        let files = models::take_in(from, &folder, &self.owner)?;
        let document = self.accounts.rows(|rows| {
            let serial = self.serial(rows, ProvisionKind::Models, "", made)?;
            let document = ModelsDocument { station: self.accounts.station.clone(), serial, made, files };
            document.check().map_err(|why| Error::new(Kind::Config, format!("{}: {why}", from.display())))?;
            let files: Vec<_> =
                document.files.iter().map(|file| json!({ "name": file.name, "sha256": file.sha256 })).collect();
            self.record(rows, "models_published", reason, json!({ "serial": serial, "files": files }))?;
            let signed = signed::sign(&document, Purpose::MODELS, signer)?;
            self.put(rows, ProvisionKind::Models, "", (serial, made), signed)?;
            Ok(document)
        })?;
        models::clear(&folder, &document);
        Ok(document)
    }

    fn record(&self, rows: &Rows<'_>, what: &'static str, reason: &str, subject: Value) -> Result<()> {
        rows.record(&self.accounts.stamp(), &done(&self.actor, what, reason, subject)?).map(drop)
    }

    /// Seconds, so that a station which was set up anew from an old copy of its data does not fall behind what vehicles
    /// have seen.
    fn serial(&self, rows: &Rows<'_>, kind: ProvisionKind, vehicle: &str, now: Timestamp) -> Result<u64> {
        let seconds = u64::try_from(now.as_second()).unwrap_or(0);
        Ok(rows.provision(kind, vehicle)?.map_or(0, |before| before.serial + 1).max(seconds))
    }

    fn put(
        &self,
        rows: &Rows<'_>,
        kind: ProvisionKind,
        vehicle: &str,
        (serial, made): (u64, Timestamp),
        signed: String,
    ) -> Result<()> {
        let by = self.actor.to_string();
        rows.put_provision(&Provision { kind, vehicle: vehicle.to_owned(), serial, made, by, signed })
    }
}

/// The account as a vehicle is to have it. Its password can't be changed there, so nothing is due.
fn handed_out(user: &User) -> User {
    let mut user = user.clone();
    user.account.must_change_password = false;
    user
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
