//! Who may log in at the station: accounts, sessions and failed logins in the station's database.

use crate::StationConfig;
use crate::archive::Engine;
use crate::database::Database;
use crate::rows::Rows;
use jiff::Timestamp;
use plated_access::{
    AccountStore, Accounts, Breach, Failures, LoginName, SessionId, SessionRecord, SharedAccounts, SubscriberAccount,
    User,
};
use plated_core::clock::Clock;
use plated_core::digest::Sha256;
use plated_core::error::{Context, Error, Kind, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The schema in the station's database.
pub(super) const SCHEMA: &str = include_str!("accounts.sql");

/// Where accounts are kept.
#[derive(Clone)]
pub struct StationAccounts {
    database: Arc<Mutex<Database>>,
    clock: Arc<dyn Clock>,
    /// Other stations write to the same database.
    is_shared: bool,
}

/// The accounts of this archive's station, whose changes and logins are on record in its log.
///
/// # Errors
/// What keeps them from being read.
pub fn open(archive: &dyn Engine, config: &StationConfig, clock: Arc<dyn Clock>) -> Result<Arc<Accounts>> {
    let store = store(archive, clock.clone());
    let (raised, station, at) = (store.clone(), config.name.clone(), clock.clone());
    let alarm = Box::new(move |breach: Breach| {
        tracing::error!("Security: {breach}.");
        let noted = raised.write(|rows| rows.security_event(&station, breach.as_str(), at.wall()).map(drop));
        if let Err(e) = noted {
            tracing::error!("It is not on record: {}", e.chain());
        }
    });
    let log = Arc::new(archive.audit_log(clock.clone())?);
    Accounts::open(Arc::new(store), log, clock, config.access.accounts.clone(), alarm).map(Arc::new)
}

/// The same store, for whoever asks it beside the accounts.
pub fn store(archive: &dyn Engine, clock: Arc<dyn Clock>) -> StationAccounts {
    let database = archive.database().clone();
    let is_shared = database.lock().unwrap_or_else(PoisonError::into_inner).server().is_some();
    StationAccounts { database, clock, is_shared }
}

impl StationAccounts {
    fn read<T>(&self, look: impl FnOnce(&Rows<'_>) -> Result<T>) -> Result<T> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner).read(look)
    }

    fn write<T>(&self, work: impl FnOnce(&Rows<'_>) -> Result<T>) -> Result<T> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner).transaction(work)
    }
}

impl Rows<'_> {
    /// All accounts, by name.
    pub(crate) fn accounts(&self) -> Result<Vec<User>> {
        all(self, "SELECT account FROM accounts ORDER BY name")
    }
}

impl AccountStore for StationAccounts {
    fn user(&self, name: &LoginName) -> Result<Option<User>> {
        let sql = "SELECT account FROM accounts WHERE name = ?1";
        let text: Option<String> = self.read(|rows| rows.one(sql, &[&name.as_str()], |row| row.get(0)))?;
        text.map(|text| of_json(&text)).transpose()
    }

    fn users(&self) -> Result<Vec<User>> {
        self.read(|rows| rows.accounts())
    }

    fn put_users(&self, users: &[User]) -> Result<()> {
        let sql = "INSERT INTO accounts (name, account) VALUES (?1, ?2)
                   ON CONFLICT (name) DO UPDATE SET account = excluded.account";
        self.write(|rows| {
            users.iter().try_for_each(|user| rows.run(sql, &[&user.account.name.as_str(), &json(user)?]).map(drop))
        })
    }

    fn sessions(&self) -> Result<Vec<SessionRecord>> {
        self.read(|rows| all(rows, "SELECT record FROM sessions ORDER BY id"))
    }

    fn put_session(&self, session: &SessionRecord) -> Result<()> {
        let sql = "INSERT INTO sessions (id, record) VALUES (?1, ?2)
                   ON CONFLICT (id) DO UPDATE SET record = excluded.record";
        let (id, record) = (session.id.to_string(), json(session)?);
        self.write(|rows| rows.run(sql, &[&id, &record]).map(drop))
    }

    fn remove_sessions(&self, sessions: &[SessionId]) -> Result<()> {
        self.write(|rows| {
            let sql = "DELETE FROM sessions WHERE id = ?1";
            sessions.iter().try_for_each(|id| rows.run(sql, &[&id.to_string()]).map(drop))
        })
    }

    fn failures(&self) -> Result<Vec<(LoginName, Failures)>> {
        let sql = "SELECT name, count, locked FROM failed_logins ORDER BY name";
        self.read(|rows| {
            rows.all(sql, &[], |row| {
                let name = LoginName::new(&row.get::<String>(0)?).map_err(|_| damaged())?;
                Ok((name, Failures { count: row.get(1)?, locked: row.get(2)? }))
            })
        })
    }

    fn put_failures(&self, name: &LoginName, failures: Failures) -> Result<()> {
        let Failures { count, locked } = failures;
        self.write(|rows| match count {
            0 => rows.run("DELETE FROM failed_logins WHERE name = ?1", &[&name.as_str()]).map(drop),
            count => rows
                .run(
                    "INSERT INTO failed_logins (name, count, locked, at) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (name) DO UPDATE SET count = excluded.count, locked = excluded.locked, at = excluded.at",
                    &[&name.as_str(), &count, &locked, &self.clock.wall()],
                )
                .map(drop),
        })
    }

    fn shared(&self) -> Option<&dyn SharedAccounts> {
        self.is_shared.then_some(self)
    }

    // No program asks the station for alerts.
    fn subscribers(&self) -> Result<Vec<SubscriberAccount>> {
        Ok(Vec::new())
    }

    fn subscriber(&self, _: &Sha256) -> Result<Option<SubscriberAccount>> {
        Ok(None)
    }

    fn put_subscriber(&self, _: &SubscriberAccount, _: &Sha256) -> Result<()> {
        Err(Error::new(Kind::Refused, "no program asks the station for alerts"))
    }

    fn remove_subscriber(&self, _: &str) -> Result<()> {
        Ok(())
    }
}

impl SharedAccounts for StationAccounts {
    fn session(&self, id: SessionId) -> Result<Option<SessionRecord>> {
        let sql = "SELECT record FROM sessions WHERE id = ?1";
        let text: Option<String> = self.read(|rows| rows.one(sql, &[&id.to_string()], |row| row.get(0)))?;
        text.map(|text| of_json(&text)).transpose()
    }

    fn failures_of(&self, name: &LoginName) -> Result<(Failures, Duration)> {
        let sql = "SELECT count, locked, at FROM failed_logins WHERE name = ?1";
        let found = self.read(|rows| {
            rows.one(sql, &[&name.as_str()], |row| {
                Ok((Failures { count: row.get(0)?, locked: row.get(1)? }, row.get::<Timestamp>(2)?))
            })
        })?;
        let since = |at| Duration::try_from(self.clock.wall().duration_since(at)).unwrap_or_default();
        Ok(found.map_or_else(Default::default, |(failures, at)| (failures, since(at))))
    }
}

fn all<T: DeserializeOwned>(rows: &Rows<'_>, sql: &str) -> Result<Vec<T>> {
    let texts: Vec<String> = rows.all(sql, &[], |row| row.get(0))?;
    texts.iter().map(|text| of_json(text)).collect()
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).context(Kind::Internal, || "an account can't be written as JSON".into())
}

/// What is in it is not told: it may be a secret.
fn of_json<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|_| damaged())
}

fn damaged() -> Error {
    Error::new(Kind::Damaged, "an account in the station's database is not what was written")
}
