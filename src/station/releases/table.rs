//! Partners and requests in the station's database.

use super::{Decision, GivenOut, Partner, Request};
use crate::database::{Rows, could_not_read};
use crate::sqlcipher::SqlContext;
use plated_core::error::{Context, Error, Kind, Result};
use rusqlite::{OptionalExtension, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// A request with what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// What was asked for.
    pub request: Request,
    /// What a reviewer said.
    pub decision: Option<Decision>,
    /// What left.
    pub given_out: Option<GivenOut>,
}

fn could_not_write() -> String {
    "a release could not be kept".into()
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).context(Kind::Internal, || "a release can't be written as JSON".into())
}

fn of_json<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).context(Kind::Damaged, || "a release in the station's database can't be read".into())
}

impl Rows<'_> {
    /// The register of agencies.
    pub fn partners(&self) -> Result<Vec<Partner>> {
        let texts: Vec<String> = self
            .0
            .prepare_cached("SELECT partner FROM partners ORDER BY partner ->> 'name'")
            .and_then(|mut s| s.query_map([], |row| row.get(0))?.collect())
            .sql(could_not_read)?;
        texts.iter().map(|text| of_json(text)).collect()
    }

    /// Puts an agency into the register, or changes it.
    pub fn put_partner(&self, partner: &Partner) -> Result<()> {
        let sql = "INSERT INTO partners (id, partner) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET partner = ?2";
        self.0.execute(sql, params![partner.id.as_bytes(), json(partner)?]).map(drop).sql(could_not_write)
    }

    /// Keeps a request.
    pub fn put_release(&self, request: &Request) -> Result<()> {
        let sql = "INSERT INTO releases (id, asked, request) VALUES (?1, ?2, ?3)";
        let values = params![request.id.as_bytes(), request.at.as_microsecond(), json(request)?];
        self.0.execute(sql, values).map(drop).sql(could_not_write)
    }

    /// All requests, the newest first.
    pub fn releases(&self) -> Result<Vec<Release>> {
        type Texts = (String, Option<String>, Option<String>);
        let texts: Vec<Texts> = self
            .0
            .prepare_cached("SELECT request, decision, given_out FROM releases ORDER BY asked DESC, id DESC")
            .and_then(|mut s| s.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect())
            .sql(could_not_read)?;
        let release = |(request, decision, given_out): &Texts| {
            Ok(Release {
                request: of_json(request)?,
                decision: decision.as_deref().map(of_json).transpose()?,
                given_out: given_out.as_deref().map(of_json).transpose()?,
            })
        };
        texts.iter().map(release).collect()
    }

    /// Keeps what a reviewer said, once.
    ///
    /// # Errors
    /// `Refused` when it is decided already, `NotFound` when there is no such request.
    pub fn decide_release(&self, id: Uuid, decision: &Decision) -> Result<()> {
        self.set_once(id, "decision", &json(decision)?, "it is decided already; load the page again")
    }

    /// Keeps what left, once.
    ///
    /// # Errors
    /// As [`decide_release`](Self::decide_release).
    pub fn release_given_out(&self, id: Uuid, given_out: &GivenOut) -> Result<()> {
        self.set_once(id, "given_out", &json(given_out)?, "it was given out already")
    }

    fn set_once(&self, id: Uuid, column: &str, text: &str, otherwise: &str) -> Result<()> {
        let sql = format!("SELECT {column} IS NULL FROM releases WHERE id = ?1");
        let is_open: Option<bool> =
            self.0.query_row(&sql, [id.as_bytes()], |row| row.get(0)).optional().sql(could_not_read)?;
        match is_open {
            None => Err(Error::new(Kind::NotFound, "there is no such request")),
            Some(false) => Err(Error::new(Kind::Refused, otherwise)),
            Some(true) => {
                let sql = format!("UPDATE releases SET {column} = ?2 WHERE id = ?1");
                self.0.execute(&sql, params![id.as_bytes(), text]).map(drop).sql(could_not_write)
            }
        }
    }
}
