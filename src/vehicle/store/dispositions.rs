//! What officers found about hits. A pairing found wrong is muted for a while.

use super::connection::Fault;
use super::events::{self, By, What};
use super::hits;
use super::manual::time;
use super::readers::View;
use super::writer::Writer;
use jiff::Timestamp;
use plated_access::{Actor, SessionId, SessionRecord};
use plated_core::error::{Error, Kind};
use plated_core::plate::PlateText;
use plated_core::record::HitRecord;
use rusqlite::params;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

/// What a hit was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// The plate is the listed one; CLETS or dispatch has not answered.
    Correct,
    /// The plate is the listed one, and CLETS or dispatch has confirmed the entry.
    Confirmed,
    /// The plate says something else.
    Misread,
    /// The plate is of another state than the listed one.
    WrongState,
    /// Dispatch has no such entry.
    NotOnFile,
    /// Neither picture nor dispatch could tell.
    CouldNotVerify,
    /// Not looked into.
    Dismissed,
}

impl Finding {
    /// All there are.
    pub const ALL: [Self; 7] = [
        Self::Correct,
        Self::Confirmed,
        Self::Misread,
        Self::WrongState,
        Self::NotOnFile,
        Self::CouldNotVerify,
        Self::Dismissed,
    ];

    /// The word in the store and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Correct => "correct",
            Self::Confirmed => "confirmed",
            Self::Misread => "misread",
            Self::WrongState => "wrong_state",
            Self::NotOnFile => "not_on_file",
            Self::CouldNotVerify => "could_not_verify",
            Self::Dismissed => "dismissed",
        }
    }

    /// That of this word, with hyphens or underscores.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|finding| finding.as_str() == word.replace('-', "_"))
    }

    /// True when the same pairing need not alert again this shift.
    pub fn quiets(self) -> bool {
        matches!(self, Self::Misread | Self::NotOnFile)
    }
}

/// What somebody found about a hit.
#[derive(Clone, Debug, PartialEq)]
pub struct Disposition {
    /// Key of the hit.
    pub hit: Uuid,
    /// What it was.
    pub finding: Finding,
    /// Case or incident, or empty.
    pub case: String,
    /// End of the shift, until which the pairing is muted if the finding says so.
    pub shift_ends: Timestamp,
}

/// Keeps it, with its event.
pub(super) fn add(writer: &mut Writer, new: &Disposition, by: &By) -> Result<(), Fault> {
    let (now, stamp) = (writer.now(), writer.stamp());
    let tx = writer.write()?;
    let Some(kept) = hits::by_id(&tx, new.hit)? else {
        return Err(Error::new(Kind::NotFound, format!("there is no hit {}", new.hit)).into());
    };
    // Of the hit, not of the read: the track may have got another text since.
    let read_key = PlateText::normalise(&kept.hit.text).key();
    let author = by.who.author();
    let quiet_until = new.finding.quiets().then_some(new.shift_ends.as_microsecond());
    tx.execute(
        "INSERT INTO disposition (at, user, uid, read, hit, word, read_key, listed, quiet_until)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            now,
            author.user,
            author.uid,
            kept.read.as_bytes(),
            new.hit.as_bytes(),
            new.finding.as_str(),
            read_key.as_str(),
            kept.hit.listed,
            quiet_until
        ],
    )?;
    let subject = json!({"read": kept.read, "hit": new.hit, "finding": new.finding, "listed": kept.hit.listed,
                         "case": new.case});
    events::write(&tx, &stamp, What::Disposition, by, subject)?;
    tx.commit()?;
    Ok(())
}

/// Keeps that a pairing is muted by hand until then, or alerts again, with its event.
pub(super) fn mute(
    writer: &mut Writer,
    hit: &HitRecord,
    until: Option<Timestamp>,
    case: &str,
    by: &By,
) -> Result<(), Fault> {
    let (now, stamp, key) = (writer.now(), writer.stamp(), PlateText::normalise(&hit.text).key());
    let tx = writer.write()?;
    tx.execute(
        "DELETE FROM mute WHERE until <= ?1 OR (read_key, listed) = (?2, ?3)",
        params![now, key.as_str(), hit.listed],
    )?;
    if let Some(until) = until {
        let session = match &by.who {
            Actor::User(user) => Some(user.session().to_string()),
            Actor::SystemUser(_) | Actor::Machine(_) => None,
        };
        tx.execute(
            "INSERT INTO mute (read_key, listed, hit, session, until) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![key.as_str(), hit.listed, hit.id.as_bytes(), session, until.as_microsecond()],
        )?;
    }
    let subject = json!({"hit": hit.id, "listed": hit.listed, "muted": until.is_some(), "case": case});
    events::write(&tx, &stamp, What::AlertMuted, by, subject)?;
    tx.commit()?;
    Ok(())
}

/// A pairing that was muted by hand.
#[derive(Clone, Debug, PartialEq)]
pub struct HandMute {
    /// The hit on whose card it was muted.
    pub hit: HitRecord,
    /// When it alerts again.
    pub until: Timestamp,
    /// Of the officer who muted it; none for a system user.
    pub session: Option<SessionId>,
}

/// Those whose officer is still logged in.
pub(super) fn muted_by_hand(view: &View<'_>) -> Result<Vec<HandMute>, Fault> {
    let conn = view.conn();
    let mut find = conn.prepare_cached(
        "SELECT mute.hit, until, session.record FROM mute LEFT JOIN session ON session.id = mute.session
         WHERE until > ?1 AND (mute.session IS NULL OR session.id IS NOT NULL)",
    )?;
    let mut rows = find.query([view.now()])?;
    let mut muted = Vec::new();
    while let Some(row) = rows.next()? {
        let session = row.get::<_, Option<String>>(2)?;
        let session = session.map(|json| serde_json::from_str::<SessionRecord>(&json)).transpose();
        let session = session.map_err(|_| Fault::Damaged("a session in it is not what was written".into()))?;
        let (until, session) = (time(row.get(1)?)?, session.map(|record| record.id));
        let hit = hits::by_id(conn, Uuid::from_bytes(row.get(0)?))?;
        muted.extend(hit.map(|kept| HandMute { hit: kept.hit, until, session }));
    }
    Ok(muted)
}

/// The hits whose pairing is muted now, each with the time at which it alerts again. Of a pairing
/// the newest disposition counts, whatever it says.
pub(super) fn muted(view: &View<'_>) -> Result<Vec<(HitRecord, Timestamp)>, Fault> {
    let conn = view.conn();
    let mut find = conn.prepare_cached(
        "SELECT hit, quiet_until FROM disposition AS this WHERE quiet_until > ?1 AND NOT EXISTS
           (SELECT 1 FROM disposition AS later
            WHERE later.number > this.number AND later.read_key = this.read_key AND later.listed = this.listed)
         ORDER BY number",
    )?;
    let mut rows = find.query([view.now()])?;
    let mut muted = Vec::new();
    while let Some(row) = rows.next()? {
        let until = time(row.get(1)?)?;
        // A read that is no more in the store takes its part with it: the pairing alerts.
        muted.extend(hits::by_id(conn, Uuid::from_bytes(row.get(0)?))?.map(|kept| (kept.hit, until)));
    }
    Ok(muted)
}
