//! What changes are put on record, each in its own transaction, as rows of the audit log.

use super::audit::{self, Stamp};
use super::connection::Fault;
use plated_access::{AccessRecord, Actor, Case, Outcome, Reason};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// Who does it, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    /// The person, or the part of the program.
    pub who: Actor,
    /// As given.
    pub reason: Reason,
}

/// What the store and the gate put on record, as words. Others come from the accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A list came into force.
    ListImported,
    /// A list came into force against its checks.
    ListForced,
    /// A list did not come into force.
    ListRefused,
    /// The station does not hand out a list any more.
    ListWithdrawn,
    /// A list was written out.
    ListExported,
    /// Reads that a search found were written out.
    ReadsExported,
    /// A plate was entered.
    EntryAdded,
    /// A partial plate was entered (control P-04).
    PatternAdded,
    /// An entry or a partial plate was taken out.
    EntryRemoved,
    /// A plate was looked up in the lists.
    PlateShown,
    /// Reads already made were searched (control P-04).
    SearchBack,
    /// Hits were listed.
    HitsShown,
    /// An officer's disposition of a hit.
    Disposition,
    /// An officer muted the alerts of a pairing for the shift, or ended that.
    AlertMuted,
    /// A read was corrected (control P-30).
    ReadCorrected,
    /// A canvass was started (control P-03).
    CanvassStarted,
    /// It was ended.
    CanvassEnded,
    /// It was proposed that a plate is not the vehicle that an entry wants.
    FindingProposed,
    /// That was approved, and is in force.
    FindingApproved,
    /// It was ended.
    FindingWithdrawn,
    /// The result of a performance test was kept (control P-31).
    PerformanceTest,
    /// A drive test was begun.
    DriveTestStarted,
    /// Its tester entered a plate, or took one back.
    DriveTestPlate,
    /// It was ended without a result.
    DriveTestDiscarded,
    /// Reads and hits were shown as they were made.
    LiveShown,
    /// Events were listed.
    EventsShown,
    /// Reads were deleted.
    Purged,
    /// A shift ended.
    ShiftEnded,
    /// Reads went to a medium for the station, encrypted.
    MediumExported,
    /// A receipt of the station came back on a medium.
    ReceiptBrought,
    /// The system's clock jumped, or is trusted or not trusted from here on (control P-26).
    ClockChanged,
}

impl What {
    const ALL: [Self; 31] = [
        Self::ListImported,
        Self::ListForced,
        Self::ListRefused,
        Self::ListWithdrawn,
        Self::ListExported,
        Self::ReadsExported,
        Self::EntryAdded,
        Self::PatternAdded,
        Self::EntryRemoved,
        Self::PlateShown,
        Self::SearchBack,
        Self::HitsShown,
        Self::Disposition,
        Self::AlertMuted,
        Self::ReadCorrected,
        Self::CanvassStarted,
        Self::CanvassEnded,
        Self::FindingProposed,
        Self::FindingApproved,
        Self::FindingWithdrawn,
        Self::PerformanceTest,
        Self::DriveTestStarted,
        Self::DriveTestPlate,
        Self::DriveTestDiscarded,
        Self::LiveShown,
        Self::EventsShown,
        Self::Purged,
        Self::ShiftEnded,
        Self::MediumExported,
        Self::ReceiptBrought,
        Self::ClockChanged,
    ];

    /// The word on record.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ListImported => "list_imported",
            Self::ListForced => "list_forced",
            Self::ListRefused => "list_refused",
            Self::ListWithdrawn => "list_withdrawn",
            Self::ListExported => "list_exported",
            Self::ReadsExported => "reads_exported",
            Self::EntryAdded => "entry_added",
            Self::PatternAdded => "pattern_added",
            Self::EntryRemoved => "entry_removed",
            Self::PlateShown => "plate_shown",
            Self::SearchBack => "search_back",
            Self::HitsShown => "hits_shown",
            Self::Disposition => "disposition",
            Self::AlertMuted => "alert_muted",
            Self::ReadCorrected => "read_corrected",
            Self::CanvassStarted => "canvass_started",
            Self::CanvassEnded => "canvass_ended",
            Self::FindingProposed => "finding_proposed",
            Self::FindingApproved => "finding_approved",
            Self::FindingWithdrawn => "finding_withdrawn",
            Self::PerformanceTest => "performance_test",
            Self::DriveTestStarted => "drive_test_started",
            Self::DriveTestPlate => "drive_test_plate",
            Self::DriveTestDiscarded => "drive_test_discarded",
            Self::LiveShown => "live_shown",
            Self::EventsShown => "events_shown",
            Self::Purged => "purged",
            Self::ShiftEnded => "shift_ended",
            Self::MediumExported => "medium_exported",
            Self::ReceiptBrought => "receipt_brought",
            Self::ClockChanged => "clock_changed",
        }
    }

    /// That of this word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|w| w.as_str() == word)
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Writes a change into the transaction that `tx` is in, and gives the number of its row. A `case` among
/// the elements is that of the row.
pub(super) fn write(tx: &Connection, stamp: &Stamp, what: What, by: &By, mut subject: Value) -> Result<i64, Fault> {
    let case = subject.as_object_mut().and_then(|subject| subject.remove("case"));
    let case = Case::new(case.as_ref().and_then(Value::as_str).unwrap_or_default())?;
    let outcome = if what == What::ListRefused { Outcome::Refused } else { Outcome::Done };
    let record = AccessRecord {
        actor: by.who.clone(),
        what: what.as_str(),
        reason: by.reason.clone(),
        case,
        subject,
        outcome,
        rows: None,
        about: None,
    };
    audit::write(tx, stamp, &record)
}

#[cfg(test)]
mod tests {
    use super::*;
    use plated_access::{Access, Audit, Export, ExportMedium, ExportReads, Hits, Live, Purge, Search, Show};

    #[test]
    fn every_kind_of_access_has_a_word_on_record() {
        let looks = [Audit::WORD, Hits::WORD, Live::WORD, Search::WORD, Show::WORD];
        for word in looks.into_iter().chain([Export::WORD, ExportMedium::WORD, ExportReads::WORD, Purge::WORD]) {
            assert_eq!(What::of(word).unwrap().as_str(), word);
        }
    }
}
