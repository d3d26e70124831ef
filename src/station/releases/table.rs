//! Partners and requests in the station's database.

use super::{Decision, GivenOut, Partner, Request};
use crate::rows::{Row, Rows};
use jiff::Timestamp;
use plated_access::{Partners, Permit, Release as Asked};
use plated_core::error::{Context, Error, Kind, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// A request with what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Release {
    /// What was asked for.
    pub request: Request,
    /// What a reviewer said.
    pub decision: Option<Decision>,
    /// What left, the oldest first; more than once where a file was lost.
    pub given_out: Vec<GivenOut>,
}

/// Which requests are looked at.
#[derive(Clone, Debug, Default)]
pub struct Which {
    /// Only those that this person took down.
    pub by: Option<String>,
    /// So many are passed over.
    pub from: usize,
    /// So many at most.
    pub limit: usize,
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).context(Kind::Internal, || "a release can't be written as JSON".into())
}

fn of_json<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).context(Kind::Damaged, || "a release in the station's database can't be read".into())
}

fn release(row: &Row<'_>) -> Result<Release> {
    let (decision, given_out): (Option<String>, Option<String>) = (row.get(1)?, row.get(2)?);
    Ok(Release {
        request: of_json(&row.get::<String>(0)?)?,
        decision: decision.as_deref().map(of_json).transpose()?,
        given_out: given_out.as_deref().map(of_json).transpose()?.unwrap_or_default(),
    })
}

impl Rows<'_> {
    /// The register of agencies, by name. It holds nothing of a read.
    pub fn partners(&self) -> Result<Vec<Partner>> {
        self.all("SELECT partner FROM partners ORDER BY name", &[], |row| of_json(&row.get::<String>(0)?))
    }

    /// Whether an agency can be put in, to be asked before that goes on record.
    ///
    /// # Errors
    /// `Refused` when another one has its name.
    pub fn check_partner(&self, partner: &Partner) -> Result<()> {
        let sql = "SELECT id FROM partners WHERE name = ?1";
        let same: Option<Uuid> = self.one(sql, &[&partner.name], |row| row.get(0))?;
        if same.is_some_and(|id| id != partner.id) {
            let message = format!("the register has an agency of the name \"{}\" already", partner.name);
            return Err(Error::new(Kind::Refused, message));
        }
        Ok(())
    }

    /// Puts an agency into the register, or changes it.
    ///
    /// # Errors
    /// `Refused` when another one has its name.
    pub fn put_partner(&self, _: &Permit<Partners>, partner: &Partner) -> Result<()> {
        self.check_partner(partner)?;
        let sql = "INSERT INTO partners (id, name, partner) VALUES (?1, ?2, ?3)
                   ON CONFLICT (id) DO UPDATE SET name = excluded.name, partner = excluded.partner";
        self.run(sql, &[&partner.id, &partner.name, &json(partner)?]).map(drop)
    }

    /// Keeps a request.
    pub fn put_release(&self, _: &Permit<Asked>, request: &Request) -> Result<()> {
        let sql = "INSERT INTO releases (id, asked, asked_by, request) VALUES (?1, ?2, ?3, ?4)";
        self.run(sql, &[&request.id, &request.at, &request.by, &json(request)?]).map(drop)
    }

    /// Requests, those that wait first and then the newest; and how many there are.
    pub fn releases(&self, _: &Permit<Asked>, which: &Which) -> Result<(Vec<Release>, u64)> {
        let sql = "SELECT request, decision, given_out FROM releases WHERE (asked_by = ?1 OR ?1 IS NULL)
                   ORDER BY (decision IS NULL) DESC, asked DESC, id DESC LIMIT ?2 OFFSET ?3";
        let found = self.all(sql, &[&which.by, &which.limit, &which.from], release)?;
        let sql = "SELECT count(*) FROM releases WHERE (asked_by = ?1 OR ?1 IS NULL)";
        Ok((found, self.one(sql, &[&which.by], |row| row.get(0))?.unwrap_or_default()))
    }

    /// How many requests nobody has decided on. It names none of them.
    pub fn releases_that_wait(&self) -> Result<u64> {
        let sql = "SELECT count(*) FROM releases WHERE decision IS NULL";
        Ok(self.one(sql, &[], |row| row.get(0))?.unwrap_or_default())
    }

    /// When each request since then was taken down, whether it was approved, and how many reads left. No name, no plate.
    pub fn release_counts(&self, since: Timestamp) -> Result<Vec<(Timestamp, bool, u64)>> {
        let sql = "SELECT request, decision, given_out FROM releases WHERE asked >= ?1 ORDER BY asked";
        let all = self.all(sql, &[&since], release)?;
        let count = |of: Release| {
            let approved = of.decision.is_some_and(|decision| decision.approved);
            // What was taken out again is what left before.
            (of.request.at, approved, of.given_out.iter().map(|out| out.reads).max().unwrap_or(0))
        };
        Ok(all.into_iter().map(count).collect())
    }

    /// One request.
    pub fn release(&self, _: &Permit<Asked>, id: Uuid) -> Result<Option<Release>> {
        self.one("SELECT request, decision, given_out FROM releases WHERE id = ?1", &[&id], release)
    }

    /// Keeps what a reviewer said, once.
    ///
    /// # Errors
    /// `Refused` when it is decided already, or is not there.
    pub fn decide_release(&self, _: &Permit<Asked>, id: Uuid, decision: &Decision) -> Result<()> {
        let sql = "UPDATE releases SET decision = ?2 WHERE id = ?1 AND decision IS NULL";
        match self.run(sql, &[&id, &json(decision)?])? {
            0 => Err(Error::new(Kind::Refused, "somebody decided on this request meanwhile; load the page again")),
            _ => Ok(()),
        }
    }

    /// Keeps what left for an approved request, with what left for it before.
    ///
    /// # Errors
    /// `NotFound` when there is no such request.
    pub fn release_given_out(&self, permit: &Permit<Asked>, id: Uuid, given_out: GivenOut) -> Result<()> {
        let found = self.release(permit, id)?;
        let mut all = found.ok_or_else(|| Error::new(Kind::NotFound, "there is no such request"))?.given_out;
        all.push(given_out);
        self.run("UPDATE releases SET given_out = ?2 WHERE id = ?1", &[&id, &json(&all)?]).map(drop)
    }
}
