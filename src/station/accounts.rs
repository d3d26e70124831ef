//! Who may log in at the station: accounts, sessions and failed logins in the station's database.

use crate::StationConfig;
use crate::archive::SqliteArchive;
use crate::database::{Database, Rows, could_not_read};
use crate::sqlcipher::SqlContext;
use plated_access::{
    AccountStore, Accounts, Breach, Failures, LoginName, SessionId, SessionRecord, SubscriberAccount, User,
};
use plated_core::clock::Clock;
use plated_core::digest::Sha256;
use plated_core::error::{Context, Error, Kind, Result};
use rusqlite::{OptionalExtension, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::{Arc, Mutex, PoisonError};

/// The schema in the station's database.
pub(super) const SCHEMA: &str = include_str!("accounts.sql");

/// Where accounts are kept.
#[derive(Clone)]
pub struct StationAccounts(Arc<Mutex<Database>>);

/// The accounts of this archive's station, whose changes and logins are on record in its log.
///
/// # Errors
/// What keeps them from being read.
pub fn open(archive: &SqliteArchive, config: &StationConfig, clock: Arc<dyn Clock>) -> Result<Arc<Accounts>> {
    let store = StationAccounts(archive.database().clone());
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
pub fn store(archive: &SqliteArchive) -> StationAccounts {
    StationAccounts(archive.database().clone())
}

impl StationAccounts {
    fn write<T>(&self, work: impl FnOnce(&Rows<'_>) -> Result<T>) -> Result<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).transaction(work)
    }
}

impl Rows<'_> {
    /// All accounts, by name.
    pub(crate) fn accounts(&self) -> Result<Vec<User>> {
        all(self, "SELECT user FROM accounts ORDER BY name")
    }
}

fn could_not_write() -> String {
    "the station's accounts could not be written".into()
}

impl AccountStore for StationAccounts {
    fn user(&self, name: &LoginName) -> Result<Option<User>> {
        let text: Option<String> = self.write(|rows| {
            let sql = "SELECT user FROM accounts WHERE name = ?1";
            rows.0.query_row(sql, [name.as_str()], |row| row.get(0)).optional().sql(could_not_read)
        })?;
        text.map(|text| of_json(&text)).transpose()
    }

    fn users(&self) -> Result<Vec<User>> {
        self.write(|rows| rows.accounts())
    }

    fn put_users(&self, users: &[User]) -> Result<()> {
        self.write(|rows| {
            users.iter().try_for_each(|user| {
                let sql =
                    "INSERT INTO accounts (name, user) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET user = ?2";
                let user_json = json(user)?;
                rows.0.execute(sql, [user.account.name.as_str(), user_json.as_str()]).map(drop).sql(could_not_write)
            })
        })
    }

    fn sessions(&self) -> Result<Vec<SessionRecord>> {
        self.write(|rows| all(rows, "SELECT record FROM sessions ORDER BY id"))
    }

    fn put_session(&self, session: &SessionRecord) -> Result<()> {
        let sql = "INSERT INTO sessions (id, record) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET record = ?2";
        let values = [session.id.to_string(), json(session)?];
        self.write(|rows| rows.0.execute(sql, values).map(drop).sql(could_not_write))
    }

    fn remove_sessions(&self, sessions: &[SessionId]) -> Result<()> {
        self.write(|rows| {
            sessions.iter().try_for_each(|id| {
                let removed = rows.0.execute("DELETE FROM sessions WHERE id = ?1", [id.to_string()]);
                removed.map(drop).sql(could_not_write)
            })
        })
    }

    fn failures(&self) -> Result<Vec<(LoginName, Failures)>> {
        let found: Vec<(String, u32, bool)> = self.write(|rows| {
            rows.0
                .prepare("SELECT name, count, locked FROM failed_logins ORDER BY name")
                .and_then(|mut s| s.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect())
                .sql(could_not_read)
        })?;
        let failures = |(name, count, locked): (String, u32, bool)| {
            Ok((LoginName::new(&name).map_err(|_| damaged())?, Failures { count, locked }))
        };
        found.into_iter().map(failures).collect()
    }

    fn put_failures(&self, name: &LoginName, failures: Failures) -> Result<()> {
        self.write(|rows| {
            let kept = match failures.count {
                0 => rows.0.execute("DELETE FROM failed_logins WHERE name = ?1", [name.as_str()]),
                count => rows.0.execute(
                    "INSERT INTO failed_logins (name, count, locked) VALUES (?1, ?2, ?3)
                     ON CONFLICT (name) DO UPDATE SET count = ?2, locked = ?3",
                    params![name.as_str(), count, failures.locked],
                ),
            };
            kept.map(drop).sql(could_not_write)
        })
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

fn all<T: DeserializeOwned>(rows: &Rows<'_>, sql: &str) -> Result<Vec<T>> {
    let texts: Vec<String> =
        rows.0.prepare(sql).and_then(|mut s| s.query_map([], |row| row.get(0))?.collect()).sql(could_not_read)?;
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
