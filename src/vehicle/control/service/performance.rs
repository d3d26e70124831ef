//! Performance tests (control P-31): results of replays, and drives whose tester enters what is on the plates.

use super::corrections::reading;
use super::{Answer, OfficerService};
use crate::control::Reply;
use crate::performance::{Axis, Label, MAX_MISSES, Seen, score};
use crate::store::{By, DriveTest, Found, KeptTest, NewTest, ReadEnd, Search, Wanted};
use jiff::Timestamp;
use plated_access::{Case, Permit, Search as Access};
use plated_core::error::{Error, Kind, Result};
use plated_core::performance::Method;
use plated_core::record::MadeBy;
use serde_json::json;
use std::time::Duration;

/// Reads of a drive at most: more than two cameras make in a shift.
const MAX_READS: usize = 100_000;
/// A clock has no instant after this one that it can show: what was seen now is in the drive.
const NOW: Duration = Duration::from_millis(1);

impl OfficerService {
    /// Keeps the result of a replay. A drive's is made here.
    pub(super) fn keep_test(&self, test: NewTest, by: &By) -> Result<KeptTest> {
        if matches!(test.method, Method::Drive { .. }) {
            return Err(Error::new(Kind::Input, "the result of a drive comes of the drive: plated performance end"));
        }
        if !test.camera.is_empty() {
            self.camera(&test.camera)?;
        }
        self.store.add_performance_test(test, by)
    }

    /// Puts on record that misses of a replay, which whoever asks has at hand, are about to be shown.
    pub(super) fn show_misses(&self, set: &str, misses: u64, case: &str, by: &By) -> Result<()> {
        let subject = json!({"set": set, "as": "performance_test"});
        let permit: Permit<Access> = self.gate.open(&by.who, &by.reason, &Case::new(case)?, subject)?;
        self.gate.shown(&permit, misses)
    }

    pub(super) fn start_drive_test(&self, camera: &str, note: &str, by: &By) -> Result<DriveTest> {
        self.camera(camera)?;
        self.store.start_drive_test(camera, note, by)
    }

    pub(super) fn enter_test_plate(&self, plate: &str, state: &str, by: &By) -> Result<DriveTest> {
        let entered = reading(plate, state.trim())?;
        self.store.enter_test_plate(&entered.text, &entered.state, by)
    }

    /// Compares what the tester entered with what the camera read meanwhile, and keeps the result.
    pub(super) fn end_drive_test(&self, misses: bool, case: &str, by: &By, answer: Answer<'_>) -> Result<()> {
        let Some(drive) = self.store.drive_test()? else {
            return Err(Error::new(Kind::Input, "no drive test is going on; begin one first"));
        };
        if drive.plates == 0 {
            let message = "no plate was entered, so there is nothing to compare; enter what you see, or discard the \
                           test";
            return Err(Error::new(Kind::Input, message));
        }
        let (from, until) = (drive.started, self.clock.wall());
        let mut wanted = Wanted::default();
        (wanted.camera, wanted.until) = (Some(drive.camera), Some(until + NOW));
        let search = Search::begin(&self.gate, &by.who, &by.reason, &Case::new(case)?, wanted, from)?;
        let permit = search.permit().clone();
        let found = self.all(search)?;
        let since = |at: Timestamp| u64::try_from(at.duration_since(from).as_millis()).unwrap_or(0);
        let seen = |read: &Found| Seen {
            text: read.text.clone(),
            state: read.state.clone(),
            span: (since(read.first_seen), since(read.last_seen)),
        };
        let reads: Vec<Seen> = found.iter().map(seen).collect();
        let entered = self.store.test_plates(&permit)?;
        let labels: Vec<Label> = entered
            .into_iter()
            .map(|e| Label { plate: e.plate, state: e.state, first: Some(since(e.at)), last: Some(since(e.at)) })
            .collect();
        let score = score(&labels, &reads, Axis::DRIVE);
        let made_by = self.made_by(&permit, found.first())?;
        let counts = score.counts;
        let worst = if misses { score.worst(MAX_MISSES) } else { Vec::new() };
        self.gate.shown(&permit, worst.len() as u64)?;
        let kept = self.store.end_drive_test(counts, made_by, until, by)?;
        answer(Reply::Test(Box::new(kept)))?;
        worst.into_iter().try_for_each(|miss| answer(Reply::Miss(Box::new(miss))))
    }

    /// The drive test that is going on, if one is, and the newest results.
    pub(super) fn performance_tests(&self, limit: u64, answer: Answer<'_>) -> Result<()> {
        if let Some(drive) = self.store.drive_test()? {
            answer(Reply::DriveTest(Box::new(drive)))?;
        }
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        self.store.performance_tests(limit)?.into_iter().try_for_each(|test| answer(Reply::Test(Box::new(test))))
    }

    fn all(&self, search: Search) -> Result<Vec<Found>> {
        let (mut all, mut next) = (Vec::new(), Some(search));
        while let Some(search) = next {
            let (found, more) = self.store.search_page(search)?;
            all.extend(found);
            if all.len() > MAX_READS {
                let message = format!("the camera made more than {MAX_READS} reads in this drive; discard the test");
                return Err(Error::new(Kind::Input, message));
            }
            next = more;
        }
        Ok(all)
    }

    /// What made the reads; of the models nothing is known where none was made.
    fn made_by(&self, permit: &Permit<Access>, read: Option<&Found>) -> Result<MadeBy> {
        let read = match read {
            Some(found) => self.store.find_read(permit, &ReadEnd::parse(&found.id.to_string())?)?,
            None => None,
        };
        let here = MadeBy { plated: env!("CARGO_PKG_VERSION").into(), detector: String::new(), reader: String::new() };
        Ok(read.map_or(here, |read| read.record.made_by))
    }

    fn camera(&self, name: &str) -> Result<()> {
        if self.cameras.iter().any(|camera| camera == name) {
            return Ok(());
        }
        let message = format!("there is no camera {name:?}; there are: {}", self.cameras.join(", "));
        Err(Error::new(Kind::NotFound, message))
    }
}
