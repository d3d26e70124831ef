//! Searching back: reads already made that a plate or partial plate fits (control P-04).
//!
//! A [`Search`] holds the permit of the gate, which has its record by then; so nothing is found, let
//! alone shown, that is not on record.

use super::connection::Fault;
use super::corrections::{self, KeptRead};
use super::readers::View;
use super::reads::parse;
use jiff::Timestamp;
use plated_access as access;
use plated_access::{Actor, Case, Gate, Permit, Reason, Recorded};
use plated_core::appearance::Looks;
use plated_core::area::Area;
use plated_core::error::{Error, Kind, Result};
use plated_core::officers::Reading;
use plated_core::plate::{MatchKey, PlateText};
use plated_hotlist::Pattern;
use rusqlite::ToSql;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// Most reads in one page.
pub const PAGE: usize = 100;
/// Reads looked at in one turn; the store has other things to do in between.
const STEP: usize = 10_000;
/// A partial plate that begins with so many characters is looked for among the keys that do; with fewer, among
/// all keys in their order of time.
const MIN_PREFIX: usize = 2;

/// What is searched for: reads to which all that is given applies.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    plate: Option<Plate>,
    /// Issuing state, two letters, as read or as corrected.
    pub state: Option<String>,
    /// Incident number of the canvass in which they were made (control P-03).
    pub canvass: Option<String>,
    /// Camera.
    pub camera: Option<String>,
    /// What the vehicle looks like. Reads whose vehicle could not be told are not found by it.
    pub vehicle: Looks,
    /// Made there; reads without a position are not.
    pub area: Option<Area>,
    /// Only those that hit. Whoever shows them leaves out those whose hits may not be seen.
    pub hits_only: bool,
    /// Last seen before then.
    pub until: Option<Timestamp>,
}

#[derive(Clone, Debug)]
enum Plate {
    /// Reads with this match key.
    Whole(MatchKey),
    /// Reads that fit a partial plate, and how it was written.
    Partial(Pattern, String),
}

impl Wanted {
    /// A partial plate when `text` holds `?` or `*`, else a plate.
    ///
    /// # Errors
    /// `Input` when it is neither.
    pub fn parse(text: &str) -> Result<Self> {
        let refuse = |why: String| Error::new(Kind::Input, why);
        let plate = if text.contains(['?', '*']) {
            Plate::Partial(Pattern::parse(text).map_err(refuse)?, text.to_owned())
        } else {
            match PlateText::normalise(text) {
                plate if plate.len() < 2 => return Err(refuse("a plate has at least 2 characters".into())),
                plate => Plate::Whole(plate.key()),
            }
        };
        Ok(Self { plate: Some(plate), ..Self::default() })
    }

    /// What goes on record.
    fn elements(&self, from: Timestamp) -> Value {
        let plate = match &self.plate {
            Some(Plate::Whole(key)) => key.as_str(),
            Some(Plate::Partial(_, text)) => text,
            None => "*",
        };
        let mut elements = json!({"plate": plate, "from": from});
        if let Some(map) = elements.as_object_mut() {
            map.extend(self.canvass.as_ref().map(|incident| ("canvass".into(), json!(incident))));
            map.extend(self.camera.as_ref().map(|camera| ("camera".into(), json!(camera))));
            map.extend(self.state.as_ref().map(|state| ("state".into(), json!(state))));
            map.extend(self.vehicle.class.as_ref().map(|class| ("class".into(), json!(class))));
            map.extend(self.vehicle.colour.as_ref().map(|colour| ("colour".into(), json!(colour))));
            map.extend(self.vehicle.make.as_ref().map(|make| ("make".into(), json!(make))));
            map.extend(self.area.as_ref().map(|area| ("area".into(), area.element())));
            map.extend(self.until.map(|until| ("until".into(), json!(until))));
            map.extend(self.hits_only.then(|| ("hits_only".into(), json!(true))));
        }
        elements
    }
}

/// Kinds of access that search reads.
pub trait Searches: Recorded {}

impl Searches for access::Search {}
impl Searches for access::ExportReads {}

/// A search on record. It is what the next page goes on from.
#[derive(Debug)]
pub struct Search<K: Searches = access::Search> {
    permit: Arc<Permit<K>>,
    wanted: Wanted,
    from: i64,
    /// Time and number of the last read that was looked at.
    last: (i64, i64),
    /// Most reads in one page.
    size: usize,
}

impl<K: Searches> Clone for Search<K> {
    fn clone(&self) -> Self {
        Self { permit: self.permit.clone(), wanted: self.wanted.clone(), ..*self }
    }
}

impl Search {
    /// Lets `actor` search the reads made since `from`, once that is on record: what is on record is
    /// what is searched for.
    ///
    /// # Errors
    /// As [`Gate::open`]; nothing is searched then.
    pub fn begin(
        gate: &Gate,
        actor: &Actor,
        reason: &Reason,
        case: &Case,
        wanted: Wanted,
        from: Timestamp,
    ) -> Result<Self> {
        let permit = gate.open(actor, reason, case, wanted.elements(from))?;
        let (from, last) = (from.as_microsecond(), (i64::MAX, i64::MAX));
        Ok(Self { permit: Arc::new(permit), wanted, from, last, size: PAGE })
    }

    /// The same search again, from its beginning, for reads that leave the system as this: a word on record.
    ///
    /// # Errors
    /// As [`Gate::open`]; nothing is searched then.
    pub fn export(
        &self,
        gate: &Gate,
        actor: &Actor,
        reason: &Reason,
        case: &Case,
        leave_as: &str,
    ) -> Result<Search<access::ExportReads>> {
        let from = Timestamp::from_microsecond(self.from)
            .map_err(|_| Error::new(Kind::Internal, "a search began at no point in time"))?;
        let mut elements = self.wanted.elements(from);
        if let Some(elements) = elements.as_object_mut() {
            elements.insert("as".into(), leave_as.into());
        }
        let permit = gate.open(actor, reason, case, elements)?;
        let (wanted, last) = (self.wanted.clone(), (i64::MAX, i64::MAX));
        Ok(Search { permit: Arc::new(permit), wanted, from: self.from, last, size: PAGE })
    }
}

impl<K: Searches> Search<K> {
    /// What lets it be done.
    pub fn permit(&self) -> &Arc<Permit<K>> {
        &self.permit
    }

    /// Whether only reads that hit are searched for.
    pub fn is_for_hits(&self) -> bool {
        self.wanted.hits_only
    }

    /// In pages of at most so many reads, and at most [`PAGE`].
    pub fn by(self, size: usize) -> Self {
        Self { size: size.clamp(1, PAGE), ..self }
    }
}

/// A read that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// Key of the read.
    pub id: Uuid,
    /// Registration number as read.
    pub text: String,
    /// Issuing state, or empty.
    pub state: String,
    /// Probability that the text is right, 0 to 1.
    pub confidence: f32,
    /// Camera.
    pub camera: String,
    /// First look.
    pub first_seen: Timestamp,
    /// Last look.
    pub last_seen: Timestamp,
    /// Incident number of the canvass in which it was made, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canvass: Option<String>,
    /// What the vehicle looks like, as far as it could be told.
    #[serde(default, skip_serializing_if = "Looks::is_empty")]
    pub looks: Looks,
    /// What it was corrected to, if it was (control P-30).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected: Option<Reading>,
}

/// The next page, with few reads or none in it, and how to go on; `None` after the last.
pub(super) fn page(view: &View<'_>, mut search: Search) -> Result<(Vec<Found>, Option<Search>), Fault> {
    let mut numbers: Vec<i64> = Vec::new();
    if look(view, &mut search, &mut numbers)? == 0 {
        return Ok((Vec::new(), None));
    }
    let mut find = view.conn().prepare_cached(
        "SELECT id, text, state, confidence, camera, first_seen, last_seen, canvass, class, colour, make,
                (SELECT record FROM correction WHERE correction.read = read.id
                 ORDER BY correction.at DESC, correction.number DESC LIMIT 1)
         FROM read WHERE number = ?1",
    )?;
    let time = |row: &rusqlite::Row<'_>, column: usize| -> rusqlite::Result<Timestamp> {
        let micros = row.get(column)?;
        Timestamp::from_microsecond(micros).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, micros))
    };
    let mut found = Vec::new();
    for number in numbers {
        let (read, correction) = find.query_row([number], |row| {
            let word = |n| row.get::<_, Option<String>>(n).map(|word| word.filter(|word| !word.is_empty()));
            let read = Found {
                id: Uuid::from_bytes(row.get(0)?),
                text: row.get(1)?,
                state: row.get(2)?,
                confidence: row.get(3)?,
                camera: row.get(4)?,
                first_seen: time(row, 5)?,
                last_seen: time(row, 6)?,
                canvass: row.get::<_, Option<String>>(7)?.filter(|incident| !incident.is_empty()),
                looks: Looks { class: word(8)?, colour: word(9)?, make: word(10)? },
                corrected: None,
            };
            Ok((read, row.get::<_, Option<String>>(11)?))
        })?;
        let correction = correction.map(|json| corrections::read(&json)).transpose()?;
        found.push(Found { corrected: correction.map(|c| c.corrected), ..read });
    }
    Ok((found, Some(search)))
}

/// The same with all that is kept of each read.
pub(super) fn whole_page<K: Searches>(
    view: &View<'_>,
    mut search: Search<K>,
) -> Result<(Vec<KeptRead>, Option<Search<K>>), Fault> {
    let mut numbers: Vec<i64> = Vec::new();
    if look(view, &mut search, &mut numbers)? == 0 {
        return Ok((Vec::new(), None));
    }
    let mut find = view.conn().prepare_cached("SELECT record FROM read WHERE number = ?1")?;
    let mut found = Vec::new();
    for number in numbers {
        let record = parse(&find.query_row([number], |row| row.get::<_, Vec<u8>>(0))?)?;
        let corrections = corrections::of_read(view.conn(), record.id)?;
        found.push(KeptRead { record, corrections });
    }
    Ok((found, Some(search)))
}

/// Looks at the next reads, newest first, and notes the numbers of those that fit; gives how many
/// it looked at. An index alone answers what is asked of reads, but for the canvass, which has its own, for
/// what they hit and for what the vehicle looks like. A read is found by what it was corrected to as well as by its own text and state.
fn look<K: Searches>(view: &View<'_>, search: &mut Search<K>, numbers: &mut Vec<i64>) -> Result<usize, Fault> {
    let wanted = &search.wanted;
    // Where a row that SQL gives may still not fit, as many are looked at as one turn allows.
    let is_partial = matches!(wanted.plate, Some(Plate::Partial(..)));
    let is_round = matches!(wanted.area, Some(Area::Around { .. }));
    let limit = if is_partial || is_round { STEP } else { search.size } as i64;
    let mut values: Vec<(&str, &dyn ToSql)> =
        vec![(":from", &search.from), (":last", &search.last.0), (":number", &search.last.1), (":limit", &limit)];
    // Of the read; key and state are asked for where they stand.
    let (mut of_read, mut index) = (String::new(), "INDEXED BY read_by_time");
    let until = wanted.until.map(|until| until.as_microsecond());
    if let Some(camera) = &wanted.camera {
        of_read += " AND read.camera = :camera";
        values.push((":camera", camera));
    }
    if let Some(until) = &until {
        of_read += " AND read.last_seen < :until";
        values.push((":until", until));
    }
    let Looks { class, colour, make } = &wanted.vehicle;
    for (column, name, word) in [("class", ":class", class), ("colour", ":colour", colour), ("make", ":make", make)] {
        if let Some(word) = word {
            of_read += &format!(" AND read.{column} = {name}");
            values.push((name, word));
        }
    }
    let bounds = wanted.area.map(|area| area.bounds());
    if let Some(bounds) = &bounds {
        of_read += " AND read.latitude BETWEEN :south AND :north AND read.longitude BETWEEN :west AND :east";
        values.extend([":south", ":west", ":north", ":east"].into_iter().zip(bounds.iter().map(|b| b as &dyn ToSql)));
    }
    if wanted.hits_only {
        of_read += " AND EXISTS (SELECT 1 FROM hit WHERE hit.read = read.number)";
    }
    if let Some(incident) = &wanted.canvass {
        of_read += " AND read.canvass = :canvass AND read.canvass <> ''";
        values.push((":canvass", incident));
        index = "INDEXED BY read_by_canvass";
    }
    let (mut by_text, mut by_correction) = (String::new(), String::new());
    if let Some(state) = &wanted.state {
        by_text += " AND read.state = :state";
        by_correction += " AND json_extract(correction.record, '$.corrected.state') = :state";
        values.push((":state", state));
    }
    let (key, end);
    match &wanted.plate {
        Some(Plate::Whole(whole)) => {
            key = whole.as_str().to_owned();
            by_text += " AND read.key = :key";
            by_correction += " AND correction.key = :key";
            values.push((":key", &key));
            index = "INDEXED BY read_by_key";
        }
        Some(Plate::Partial(pattern, _)) if pattern.prefix().len() >= MIN_PREFIX => {
            // After all letters and digits.
            (key, end) = (pattern.prefix(), format!("{}~", pattern.prefix()));
            by_text += " AND read.key BETWEEN :key AND :end";
            by_correction += " AND correction.key BETWEEN :key AND :end";
            values.extend([(":key", &key as &dyn ToSql), (":end", &end)]);
            index = "INDEXED BY read_by_key";
        }
        Some(Plate::Partial(..)) | None => {}
    }
    let mut sql = format!(
        "SELECT read.last_seen, read.number, read.key, read.latitude, read.longitude FROM read {index}
         WHERE read.last_seen BETWEEN :from AND :last
           AND (read.last_seen, read.number) < (:last, :number){of_read}{by_text}"
    );
    if !by_correction.is_empty() || is_partial {
        sql += &format!(
            " UNION ALL SELECT correction.last_seen, read.number, correction.key, read.latitude, read.longitude
              FROM correction JOIN read ON read.id = correction.read
              WHERE correction.last_seen BETWEEN :from AND :last
                AND (correction.last_seen, read.number) < (:last, :number){of_read}{by_correction}"
        );
    }
    sql += " ORDER BY 1 DESC, 2 DESC LIMIT :limit";
    let mut find = view.conn().prepare_cached(&sql)?;
    let mut rows = find.query(&values[..])?;
    let (mut looked_at, mut last) = (0, search.last);
    while let Some(row) = rows.next()? {
        looked_at += 1;
        last = (row.get(0)?, row.get(1)?);
        let of_plate = match &wanted.plate {
            Some(Plate::Partial(pattern, _)) => pattern.fits(row.get_ref(2)?.as_str().unwrap_or_default()),
            _ => true,
        };
        let in_area = match wanted.area {
            Some(area) => area.holds((row.get(3)?, row.get(4)?)),
            None => true,
        };
        // One that both texts find comes twice, one after the other.
        if of_plate && in_area && numbers.last() != Some(&last.1) {
            numbers.push(last.1);
            if numbers.len() == search.size {
                break;
            }
        }
    }
    drop(rows);
    search.last = last;
    Ok(looked_at)
}
