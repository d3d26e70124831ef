//! Where accounts, sessions and failed logins are kept.

use super::Store;
use super::connection::Fault;
use plated_access::{AccountStore, Failures, LoginName, SessionId, SessionRecord, SubscriberAccount, User};
use plated_core::digest::Sha256;
use plated_core::error::{Context, Error, Kind, Result};
use rusqlite::{OptionalExtension, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

impl AccountStore for Store {
    fn user(&self, name: &LoginName) -> Result<Option<User>> {
        self.look("could not look for an account", |view| {
            let mut find = view.conn().prepare_cached("SELECT user FROM account WHERE name = ?1")?;
            find.query_row([name.as_str()], |row| row.get(0)).optional()?.map(|text: String| of_json(&text)).transpose()
        })
    }

    fn users(&self) -> Result<Vec<User>> {
        self.look("could not list the accounts", |view| {
            let mut all = view.conn().prepare_cached("SELECT user FROM account ORDER BY name")?;
            let texts = all.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
            texts.iter().map(|text| of_json(text)).collect()
        })
    }

    fn put_users(&self, users: &[User]) -> Result<()> {
        let rows = users.iter().map(|user| Ok((user.account.name.to_string(), json(user)?)));
        let rows = rows.collect::<Result<Vec<_>>>()?;
        self.ask("could not keep an account", move |w| {
            let tx = w.write()?;
            for (name, user) in &rows {
                tx.execute(
                    "INSERT INTO account (name, user) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET user = ?2",
                    [name, user],
                )?;
            }
            Ok(tx.commit()?)
        })
    }

    fn sessions(&self) -> Result<Vec<SessionRecord>> {
        self.look("could not list the sessions", |view| {
            let mut all = view.conn().prepare_cached("SELECT record FROM session ORDER BY id")?;
            let texts = all.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
            texts.iter().map(|text| of_json(text)).collect()
        })
    }

    fn put_session(&self, session: &SessionRecord) -> Result<()> {
        let (id, record) = (session.id.to_string(), json(session)?);
        self.ask("could not keep a session", move |w| {
            let tx = w.write()?;
            tx.execute(
                "INSERT INTO session (id, record) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET record = ?2",
                [&id, &record],
            )?;
            Ok(tx.commit()?)
        })
    }

    fn remove_sessions(&self, sessions: &[SessionId]) -> Result<()> {
        let ids: Vec<String> = sessions.iter().map(ToString::to_string).collect();
        self.ask("could not end a session", move |w| {
            // May use all the room: it makes some.
            let tx = w.write_receipt()?;
            for id in &ids {
                tx.execute("DELETE FROM session WHERE id = ?1", [id])?;
            }
            Ok(tx.commit()?)
        })
    }

    fn failures(&self) -> Result<Vec<(LoginName, Failures)>> {
        self.look("could not list failed logins", |view| {
            let mut all = view.conn().prepare_cached("SELECT name, count, locked FROM failed_login ORDER BY name")?;
            let mut rows = all.query([])?;
            let mut failures = Vec::new();
            while let Some(row) = rows.next()? {
                let name = LoginName::new(&row.get::<_, String>(0)?).map_err(|_| wrong())?;
                failures.push((name, Failures { count: row.get(1)?, locked: row.get(2)? }));
            }
            Ok(failures)
        })
    }

    fn put_failures(&self, name: &LoginName, failures: Failures) -> Result<()> {
        let name = name.to_string();
        self.ask("could not keep failed logins", move |w| {
            let tx = w.write()?;
            match failures.count {
                0 => tx.execute("DELETE FROM failed_login WHERE name = ?1", [&name])?,
                count => tx.execute(
                    "INSERT INTO failed_login (name, count, locked) VALUES (?1, ?2, ?3)
                     ON CONFLICT (name) DO UPDATE SET count = ?2, locked = ?3",
                    params![name, count, failures.locked],
                )?,
            };
            Ok(tx.commit()?)
        })
    }

    fn subscribers(&self) -> Result<Vec<SubscriberAccount>> {
        self.look("could not list the programs that may ask for alerts", |view| {
            let mut all = view.conn().prepare_cached("SELECT record FROM subscriber ORDER BY name")?;
            let texts = all.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
            texts.iter().map(|text| of_json(text)).collect()
        })
    }

    fn subscriber(&self, token: &Sha256) -> Result<Option<SubscriberAccount>> {
        self.look("could not look for a program", |view| {
            let mut find = view.conn().prepare_cached("SELECT record FROM subscriber WHERE token = ?1")?;
            find.query_row([token.0], |row| row.get(0)).optional()?.map(|text: String| of_json(&text)).transpose()
        })
    }

    fn put_subscriber(&self, subscriber: &SubscriberAccount, token: &Sha256) -> Result<()> {
        let (name, record, token) = (subscriber.subscriber.name.clone(), json(subscriber)?, *token);
        self.ask("could not keep a program that may ask for alerts", move |w| {
            let tx = w.write()?;
            tx.execute(
                "INSERT INTO subscriber (name, token, record) VALUES (?1, ?2, ?3)",
                params![name, token.0, record],
            )?;
            Ok(tx.commit()?)
        })
    }

    fn remove_subscriber(&self, name: &str) -> Result<()> {
        let name = name.to_owned();
        self.ask("could not remove a program", move |w| {
            let tx = w.write_receipt()?; // It makes room.
            tx.execute("DELETE FROM subscriber WHERE name = ?1", [&name])?;
            Ok(tx.commit()?)
        })
    }
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).context(Kind::Internal, || "an account can't be written as JSON".into())
}

/// What is in it is not told: it may be a secret.
fn of_json<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|_| wrong())
}

fn wrong() -> Fault {
    Error::new(Kind::Damaged, "an account or session in the store is not what was written").into()
}
