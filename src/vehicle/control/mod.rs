//! What officers do with lists and hits: import, look up, enter and remove plates, search back,
//! list hits and say what they were, ask for the status.
//!
//! ```text
//! plated hotlist …, plated hit … ─► call ─► socket ─► OfficerService of the daemon ─► store, list files, lists in force
//!                                   └─ no daemon ─► OfficerService of its own ─► store, list files
//! ```
//!
//! One daemon owns the store, so while it runs the command line asks it, over a Unix socket on
//! which the kernel says who asks (`docs/decisions/0015-control-socket.md`). Without a daemon the
//! command line opens the store itself. Either way it is a [`OfficerService`] that does it, and there is no
//! way to a change or a look but by a [`Request`], which carries a reason. (Fetching what the station
//! has published is no change of theirs: it is what the daemon does by itself, now.)

mod accounts;
mod call;
mod client;
mod pace;
mod service;
mod sync;
mod server;
mod status;

pub use accounts::{AccountChange, AccountLine, NewAccount, OwnSession, Secret};
pub use call::Call;
pub use client::call;
pub use server::Server;
pub use service::{Incoming, OfficerService, Preview};
pub use status::{CanvassLine, ClockLine, ListLine, StatusReport};
pub use sync::{UpdaterHandle, station};

use crate::lists::Outcome;
use crate::performance::Miss;
use crate::store::{
    Applied, Canvass, DriveTest, Finding, Found, KeptFinding, KeptHit, KeptTest, Looks, ManualEntry, NewTest, Reason,
};
use jiff::Timestamp;
use plated_access::audit::Entry;
use plated_access::{LoginName, NewSubscriber, SubscriberAccount};
use plated_core::digest::Sha256;
use plated_core::officers::Correction;
use plated_core::record::{EntryRecord, HitRecord, Priority};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What is asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Enter a plate or partial plate, and search reads already made for it.
    Add {
        /// With `?` and `*` when it is a partial plate.
        plate: String,
        /// Two letters, or empty.
        state: String,
        /// Why it is wanted, e.g. `stolen_vehicle`, or empty.
        category: String,
        /// How urgent it is.
        priority: Priority,
        /// Why it is entered.
        reason: Reason,
        /// Case or incident, or empty.
        case: String,
        /// When it is over; at the end of the shift when not given.
        expires: Option<Expires>,
        /// Seconds of reads already made to search.
        search_back: Option<u64>,
    },
    /// Take an entry out of force.
    Remove {
        /// Which.
        id: i64,
        /// Why.
        reason: Reason,
    },
    /// What officers entered and is in force.
    Entries {
        /// Why it is looked at.
        reason: Reason,
        /// Case or incident, or empty.
        case: String,
    },
    /// All entries of a plate in all lists.
    Show {
        /// The plate.
        plate: String,
        /// Why it is looked up.
        reason: Reason,
        /// Case or incident, or empty.
        case: String,
    },
    /// Reads already made that a plate or partial plate fits.
    Search {
        /// With `?` and `*` when it is a partial plate; empty for all reads of a canvass.
        plate: String,
        /// Incident number of the canvass in which they were made (control P-03).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        canvass: Option<String>,
        /// What the vehicle looks like.
        #[serde(default, skip_serializing_if = "Looks::is_empty")]
        looks: Looks,
        /// Seconds back from now.
        window: u64,
        /// Why it is searched for.
        reason: Reason,
        /// Case or incident, or empty.
        case: String,
    },
    /// What a read says, where it was misread (control P-30).
    Correct {
        /// The read's id, or the end of it.
        read: String,
        /// What the plate says.
        plate: String,
        /// Two letters, or empty; that of the read when not given.
        state: Option<String>,
        /// Why.
        reason: Reason,
        /// Case or incident, or empty.
        case: String,
    },
    /// Reads that were corrected, newest first.
    Corrections {
        /// Seconds back from now.
        window: u64,
        /// Why they are looked at.
        reason: Reason,
        /// Case or incident, or empty.
        case: String,
    },
    /// Propose that the plate of a hit is not the vehicle that its entries want.
    ProposeFinding {
        /// The hit's id, or the end of it.
        hit: String,
        /// Only this entry of the hit, counted from 1.
        entry: Option<usize>,
        /// When it is over.
        until: Expires,
        /// Why.
        reason: Reason,
        /// Case or incident, or empty.
        case: String,
    },
    /// Approve a finding: it is in force.
    ApproveFinding {
        /// Which.
        number: i64,
        /// Why.
        reason: Reason,
        /// Case or incident, or empty.
        case: String,
    },
    /// End a finding.
    WithdrawFinding {
        /// Which.
        number: i64,
        /// Why.
        reason: Reason,
        /// Case or incident, or empty.
        case: String,
    },
    /// All findings, newest first.
    Findings {
        /// Why they are looked at.
        reason: Reason,
        /// Case or incident, or empty.
        case: String,
    },
    /// Start a canvass (control P-03).
    StartCanvass {
        /// Number of the incident.
        incident: String,
        /// Why.
        reason: Reason,
    },
    /// End the canvass that is open.
    EndCanvass {
        /// Why.
        reason: Reason,
    },
    /// Canvasses, newest first.
    Canvasses,
    /// Whether whoever asks may make performance tests (control P-31): asked before a replay, which takes long.
    MayTest,
    /// Keep the result of a replay of a labelled test set.
    KeepTest {
        /// The result.
        test: NewTest,
        /// Why it was made.
        reason: Reason,
    },
    /// Put on record that plates of a replay that were missed are shown. Whoever asks has them.
    ShowMisses {
        /// Name of the test set.
        set: String,
        /// How many are shown.
        misses: u64,
        /// Why they are looked at.
        reason: Reason,
        /// Case or incident, or empty.
        case: String,
    },
    /// Begin a drive test: plates that its tester enters are compared with the camera's reads.
    StartDriveTest {
        /// Camera that is tested.
        camera: String,
        /// What the tester wants to be kept with the result, or empty.
        note: String,
        /// Why it is made.
        reason: Reason,
    },
    /// A plate that the tester saw.
    EnterTestPlate {
        /// What is on it.
        plate: String,
        /// Two letters; empty when not given.
        state: String,
        /// Why it is entered.
        reason: Reason,
    },
    /// Take the plate that was entered last back.
    TakeTestPlateBack {
        /// Why.
        reason: Reason,
    },
    /// End the drive test that is going on, and keep its result.
    EndDriveTest {
        /// Also give the plates that were missed, the worst first.
        misses: bool,
        /// Why.
        reason: Reason,
        /// Case or incident, or empty.
        case: String,
    },
    /// End the drive test that is going on without a result.
    DiscardDriveTest {
        /// Why.
        reason: Reason,
    },
    /// The drive test that is going on, and results of performance tests, newest first.
    PerformanceTests {
        /// So many results at most.
        limit: u64,
    },
    /// Hits, newest first.
    Hits {
        /// Seconds back from now.
        window: u64,
        /// Why they are looked at.
        reason: Reason,
        /// Case or incident, or empty.
        case: String,
    },
    /// What a hit was.
    Disposition {
        /// The hit's id, or the end of it.
        hit: String,
        /// What it was.
        finding: Finding,
        /// Why.
        reason: Reason,
        /// Case or incident, or empty.
        case: String,
    },
    /// Let the pairing of a hit of low or normal priority alert nobody until the shift ends.
    Mute {
        /// The hit's id, or the end of it.
        hit: String,
        /// False: from now on it alerts again.
        muted: bool,
        /// Why.
        reason: Reason,
        /// Case or incident, or empty.
        case: String,
    },
    /// Bring a file into force. On the socket its bytes follow the request.
    Import {
        /// Name of the list.
        list: String,
        /// Name of the file, without folder.
        file: String,
        /// Its size.
        bytes: u64,
        /// When it was changed last.
        modified: Option<Timestamp>,
        /// Take it against its checks.
        force: bool,
        /// Why.
        reason: Reason,
    },
    /// A list in canonical form.
    Export {
        /// Name of the list.
        list: String,
        /// Why.
        reason: Reason,
        /// Case or incident, or empty.
        case: String,
    },
    /// Fetch what is new of the station's lists, now, and bring it into force.
    Sync,
    /// Send what waits for the station now, whatever the configuration says of when.
    TransferNow,
    /// What waits for the station as encrypted files for a medium (control P-11).
    ExportMedium {
        /// Hashes of the files that are on it already.
        present: Vec<Sha256>,
        /// Nor what is on others.
        rest: bool,
        /// Why.
        reason: Reason,
        /// Case or incident, or empty.
        case: String,
    },
    /// A receipt of the station that came back on a medium. On the socket its bytes follow the request.
    BringReceipt {
        /// Name of the file, without folder.
        file: String,
        /// Its size.
        bytes: u64,
        /// Why.
        reason: Reason,
    },
    /// The shift is over: what waits goes, where the configuration says so.
    EndShift {
        /// Why.
        reason: Reason,
    },
    /// Overall status.
    Status,
    /// All accounts, or one.
    Accounts {
        /// Which.
        name: Option<LoginName>,
    },
    /// Add an account.
    AddAccount {
        /// The account.
        account: NewAccount,
        /// Why.
        reason: Reason,
    },
    /// Change an account.
    ChangeAccount {
        /// Which.
        name: LoginName,
        /// What of it.
        change: AccountChange,
        /// Why.
        reason: Reason,
    },
    /// All programs that may ask for alerts.
    Subscribers,
    /// Let a program ask for alerts. The answer has its token.
    AddSubscriber {
        /// The program.
        subscriber: NewSubscriber,
        /// Why.
        reason: Reason,
    },
    /// Let a program ask no more.
    RemoveSubscriber {
        /// Its name.
        name: String,
        /// Why.
        reason: Reason,
    },
    /// Log in. The answer has the token of the session, which later calls bring along.
    Login {
        /// Login name, as it was typed.
        name: String,
        /// The password.
        password: Secret,
        /// A code of the second factor, or a recovery code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<Secret>,
    },
    /// End the session of this call.
    Logout,
    /// Change the password of whose session this is.
    ChangePassword {
        /// The one until now.
        old: Secret,
        /// Another one.
        new: Secret,
    },
    /// Begin to set up a second factor, for whose session this is.
    BeginSecondFactor {
        /// Their password.
        password: Secret,
    },
    /// The second factor counts from now on.
    ConfirmSecondFactor {
        /// A code of it.
        code: Secret,
    },
    /// Other recovery codes instead of those until now.
    RenewRecoveryCodes {
        /// The password of whose session this is.
        password: Secret,
    },
    /// The newest rows of the audit log.
    ShowAudit {
        /// How many.
        last: u64,
        /// Why they are looked at.
        reason: Reason,
        /// Case or incident, or empty.
        case: String,
    },
    /// An audit log as a whole.
    ExportAudit {
        /// Without plates, names, reasons and case numbers.
        redacted: bool,
        /// Which; that of this store when not given.
        log: Option<Uuid>,
        /// Why.
        reason: Reason,
        /// Case or incident, or empty.
        case: String,
    },
}

impl Request {
    /// Name and size of the file that follows it on the socket, if one does.
    pub(crate) fn file(&self) -> Option<(&str, u64)> {
        match self {
            Self::Import { file, bytes, .. } | Self::BringReceipt { file, bytes, .. } => Some((file, *bytes)),
            _ => None,
        }
    }
}

/// When an entry is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expires {
    /// At this time.
    At(Timestamp),
    /// After so many seconds, whatever the clock shows.
    InSeconds(u64),
}

/// What is answered; some requests have many answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// It was entered.
    Added(ManualEntry),
    /// It is out of force.
    Removed(ManualEntry),
    /// Something that an officer entered.
    Entered(ManualEntry),
    /// An entry of the plate.
    Entry(Box<Shown>),
    /// A list that was left out, whatever was asked for.
    LeftOut {
        /// Its name.
        list: String,
        /// Why.
        why: String,
    },
    /// A read that was found.
    Read(Found),
    /// A hit.
    Hit(Box<KeptHit>),
    /// What a hit was is kept.
    Disposed(Box<Disposed>),
    /// A pairing is muted, or is not any more.
    Muted(Box<Muted>),
    /// A correction was kept; with the hits of it that may be shown.
    Corrected(Box<Correction>),
    /// A correction.
    Correction(Box<Correction>),
    /// A finding.
    Finding(Box<KeptFinding>),
    /// A canvass.
    Canvass(Canvass),
    /// The drive test that is going on, or was.
    DriveTest(Box<DriveTest>),
    /// The result of a performance test.
    Test(Box<KeptTest>),
    /// A plate that was missed or misread in a drive test.
    Miss(Box<Miss>),
    /// What became of an import.
    Imported(Import),
    /// A line of a list, or of an audit log.
    Line(String),
    /// What became of a list of the station.
    Synced {
        /// Its name.
        list: String,
        /// What was done, or why the version before stays in force.
        outcome: Result<Outcome, String>,
    },
    /// Overall status.
    Status(Box<StatusReport>),
    /// An account.
    Account(Box<AccountLine>),
    /// A program that may ask for alerts, or did so until now.
    Subscriber(Box<SubscriberAccount>),
    /// A program may ask for alerts from now on.
    SubscriberAdded {
        /// The program.
        subscriber: Box<SubscriberAccount>,
        /// Its token, given once.
        token: Secret,
    },
    /// The password is right, and a code of the second factor is needed too.
    CodeNeeded,
    /// Somebody is logged in.
    LoggedIn(Box<OwnSession>),
    /// What the authenticator app is given, once.
    Enrolment {
        /// The secret, to be typed in.
        secret: Secret,
        /// The same as an address, for a picture of it.
        url: Secret,
    },
    /// Codes for when the phone is gone, shown once.
    RecoveryCodes(Vec<Secret>),
    /// How much is to be exported to a medium.
    MediumBegins {
        /// Reads.
        reads: u64,
        /// Their bytes, with pictures.
        bytes: u64,
    },
    /// Bytes of the next file for a medium, as hex digits.
    MediumPiece(String),
    /// The file is complete.
    MediumPart {
        /// Over its bytes.
        sha256: Sha256,
        /// Reads in it.
        reads: u64,
        /// Their bytes, with pictures.
        bytes: u64,
    },
    /// What the receipt of a medium changed.
    ReceiptBrought(Applied),
    /// Reads that could not be exported as they are; the log names them.
    NotExported(u64),
    /// So many hits are of lists that this person may not see, where the agency lets them know that.
    Concealed {
        /// How many.
        hits: u64,
    },
    /// A row of the audit log.
    AuditRow {
        /// Its number.
        number: i64,
        /// What it says.
        entry: Box<Entry>,
    },
}

/// An entry as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// The entry.
    pub entry: EntryRecord,
    /// Age of its list in seconds; none for what officers entered.
    pub list_age_s: Option<u64>,
}

/// A disposition that was kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Disposed {
    /// The hit.
    pub hit: HitRecord,
    /// What it was.
    pub finding: Finding,
    /// Its pairing alerts nobody until then; none when the finding does not quiet it.
    pub quiet_until: Option<Timestamp>,
}

/// A pairing that an officer muted, or that alerts again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Muted {
    /// Key of the hit.
    pub hit: Uuid,
    /// Its pairing alerts nobody until then; none when it alerts.
    pub until: Option<Timestamp>,
}

/// What became of an import.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Import {
    /// Name of the list.
    pub list: String,
    /// Entries in force now.
    pub entries: u64,
    /// The same file was in force already.
    pub unchanged: bool,
    /// What became of its lines, in words.
    pub report: String,
    /// What it was forced past, in words.
    pub forced: Vec<String>,
}
