//! The officers' service: every change and every look, each with its event.

mod accounts;
mod arm;
mod audit;
mod canvass;
mod corrections;
mod findings;
mod import;
mod updates;
mod hits;
mod lists;
mod medium;
mod performance;
mod queries;
mod entries;
mod sessions;
mod shift;
mod subscribers;

pub use import::Preview;

use super::sync::{self, UpdaterHandle};
use super::{Expires, Reply, Request};
use crate::alert::{Chime, MutedPairings, VehicleFindings};
use crate::announcement::Published;
use crate::canvass::OpenCanvass;
use crate::config::Config;
use crate::events::Hub;
use crate::health::{Health, Level};
use crate::lists::{IncomingFile, ListFiles};
use crate::store::{By, ListState, ManualEntry, NewManual, Staleness, Store, Wanted};
use crate::transfer::{AgeLimits, Progress, SendNow, When};
use arm::Arming;
use entries::later;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use plated_access::{Accounts, Actor, Breach, Case, Duty, Gate, MachinePermits, Matching, Permit, Transfer};
use plated_core::clock::Clock;
use plated_core::digest::Sha256;
use plated_core::error::{Error, Kind, Result};
use plated_core::shutdown::Shutdown;
use plated_core::wire::{FindingSet, ListVersion};
use plated_hotlist::settings::{Hotlist, ListKind};
use plated_hotlist::{ListSettings, Lists};
use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex, OnceLock, RwLock};
use std::time::Duration;
use tokio::sync::watch;

/// Takes one answer after the other.
pub type Answer<'a> = &'a mut dyn FnMut(Reply) -> Result<()>;

/// Takes a number of hits, and how many of them alerted.
pub type CountHits = Box<dyn Fn(u64, u64) + Send + Sync>;

/// What wants to come into force.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    file: &'a Path,
    /// What the file is called where it comes from; it can tell the format.
    name: &'a Path,
    /// Its date, where it gives itself none.
    dated: Option<Timestamp>,
    /// What the station says of it, of a list in canonical form.
    version: Option<&'a ListVersion>,
    /// Nobody asked for it: it comes again until it is taken.
    by_itself: bool,
    /// It is at the configured path of its list; the settings by which it is judged.
    at_path: Option<Sha256>,
}

/// Where lists and entries are changed and looked at.
pub struct OfficerService {
    store: Store,
    /// Every look of a person passes here.
    gate: Arc<Gate>,
    /// None when they can't be used: then nobody can log in, and all else goes on.
    accounts: Option<Arc<Accounts>>,
    matching: Permit<Matching>,
    /// Until the transfer takes it.
    transfer: Mutex<Option<Permit<Transfer>>>,
    list_files: ListFiles,
    lists: Arc<Lists>,
    /// As configured, and behind them what else the station hands out.
    hotlists: RwLock<Vec<Arc<Hotlist>>>,
    /// So many of them, the first, stand in the configuration.
    configured_hotlists: usize,
    /// Names of the cameras.
    cameras: Vec<String>,
    shift: Duration,
    clock: Arc<dyn Clock>,
    /// Whether the lists in force are in `lists`.
    arming: Mutex<Arming>,
    /// The version of each list that is in `lists`.
    loaded: Mutex<HashMap<String, Sha256>>,
    /// Of each list one change at a time.
    turns: Mutex<HashMap<String, Arc<Mutex<()>>>>,
    /// Lists whose file is being read, and since which monotonic time.
    looking: Mutex<HashMap<String, Duration>>,
    /// Asks the daemon to end.
    stop: OnceLock<Shutdown>,
    /// How many [`StartTask`]s are left.
    start_tasks: (Mutex<usize>, Condvar),
    /// What officers entered and is in force, with the monotonic time at which it is over: a jump
    /// of the wall clock must not end a search for a vehicle (invariant 8).
    officers: Mutex<Vec<(ManualEntry, Duration)>>,
    /// Why nothing that officers entered is in force, if so; it is tried again.
    officers_error: Mutex<Option<String>>,
    /// The clock was not trusted when their ends were last looked at.
    doubted: AtomicBool,
    /// What may be shown of a hit.
    sets: Arc<ListSettings>,
    /// What officers found wrong this shift.
    muted: Arc<MutedPairings>,
    /// Plates that are not the vehicle that an entry wants.
    findings: Arc<VehicleFindings>,
    /// What the station approved as not the wanted vehicle.
    station_findings: Mutex<Option<FindingSet>>,
    /// The canvass whose number reads carry.
    canvass: Arc<OpenCanvass>,
    /// Whether a canvass is open could be read.
    canvass_known: AtomicBool,
    /// The findings in force could be read.
    findings_known: AtomicBool,
    /// What sounds alerts.
    chime: OnceLock<Arc<Chime>>,
    /// What counts hits and alerts of corrected reads.
    counted: OnceLock<CountHits>,
    /// When an alert is repeated.
    alert: crate::alert::Settings,
    /// One disposition at a time, so that what is kept and what is muted don't part.
    disposing: Mutex<()>,
    /// Lists whose version in force can't be read.
    broken: Mutex<HashSet<String>>,
    /// Staleness last reported of each list's age.
    reported: Mutex<HashMap<String, Staleness>>,
    /// The daemon's thread of lists that come by themselves.
    coming: OnceLock<UpdaterHandle>,
    /// How the parts of the daemon are.
    health: OnceLock<Arc<Health>>,
    /// How the transfer of the daemon is getting on.
    link: OnceLock<watch::Receiver<Progress>>,
    /// Has it send what waits.
    send_now: OnceLock<SendNow>,
    /// Where the daemon makes known what is durable.
    events: OnceLock<Hub<Published>>,
    /// A station is configured.
    has_station: bool,
    /// Name of the vehicle.
    vehicle: String,
    /// For what is done seldom, such as an export to a medium.
    config: Box<Config>,
    /// What waits goes when a shift ends.
    sends_at_shift_end: bool,
    /// How old a read may be that waits for it.
    age_limits: AgeLimits,
    store_path: PathBuf,
    /// As many as there are looks for a status, and one.
    status_looks: Arc<()>,
}

impl OfficerService {
    /// Over an open store. What officers entered is in force at once, and lists are once
    /// [`OfficerService::arm`] has put them into the matching.
    pub fn open(config: &Config, store: Store, clock: Arc<dyn Clock>) -> Self {
        // A full disk must not keep the lists of yesterday out of force.
        if let Err(e) = store.configure_lists(&config.hotlists) {
            tracing::error!("Lists that are new in the configuration can't come into force: {}", e.chain());
        }
        let mut hotlists: Vec<_> = config.hotlists.iter().cloned().map(Arc::new).collect();
        let states = store.list_states().unwrap_or_else(|e| {
            tracing::error!("What is in force can't be read: {}", e.chain());
            Vec::new()
        });
        let station = states.iter().filter(|s| s.kind == ListKind::Station && s.in_force.is_some());
        for state in station.filter(|s| config.hotlists.iter().all(|l| l.name != s.name)) {
            hotlists.push(Arc::new(Hotlist { covert: state.covert, ..Hotlist::from_station(&state.name) }));
        }
        // A list that was covert once and is not configured any more stays so.
        let is_configured = |name: &str| config.hotlists.iter().any(|l| l.name == name);
        let once_covert = states.iter().filter(|s| s.covert && !is_configured(&s.name));
        let once_covert = once_covert.map(|s| Hotlist { covert: true, ..Hotlist::from_station(&s.name) });
        let settings: Vec<Hotlist> = config.hotlists.iter().cloned().chain(once_covert).collect();
        // The one place where a gate is made, and with it the permits of what goes on by itself.
        let accounts = open_accounts(config, &store, &clock);
        let mut access = config.access.clone();
        if accounts.is_none() {
            // Whether there are any is not known.
            access.logins_required.get_or_insert(true);
        }
        let (gate, MachinePermits { matching, transfer }) = Gate::new(Arc::new(store.clone()), access);
        let gate = match &accounts {
            Some(accounts) => gate.with_accounts(accounts.clone()),
            None => gate,
        };
        let this = Self {
            store,
            gate: Arc::new(gate),
            accounts,
            matching,
            transfer: Mutex::new(Some(transfer)),
            list_files: ListFiles::beside(&config.store.path),
            lists: Arc::default(),
            hotlists: RwLock::new(hotlists),
            configured_hotlists: config.hotlists.len(),
            cameras: config.sources.iter().map(|source| source.name.clone()).collect(),
            shift: Duration::from_secs(u64::from(config.shift.hours) * 3600),
            clock,
            arming: Mutex::new(Arming::NotBegun),
            loaded: Mutex::default(),
            turns: Mutex::default(),
            looking: Mutex::default(),
            stop: OnceLock::new(),
            start_tasks: Default::default(),
            officers: Mutex::default(),
            officers_error: Mutex::default(),
            doubted: AtomicBool::new(false),
            sets: Arc::new(ListSettings::new(&settings, TimeZone::system())),
            muted: Arc::default(),
            findings: Arc::default(),
            station_findings: Mutex::default(),
            canvass: Arc::default(),
            canvass_known: AtomicBool::new(false),
            findings_known: AtomicBool::new(false),
            chime: OnceLock::new(),
            counted: OnceLock::new(),
            alert: config.alert.clone(),
            disposing: Mutex::default(),
            broken: Mutex::default(),
            reported: Mutex::default(),
            coming: OnceLock::new(),
            health: OnceLock::new(),
            link: OnceLock::new(),
            send_now: OnceLock::new(),
            events: OnceLock::new(),
            has_station: config.transfer.is_some(),
            vehicle: config.vehicle.clone(),
            config: Box::new(config.clone()),
            sends_at_shift_end: config.transfer.as_ref().is_some_and(|transfer| transfer.when == When::ShiftEnd),
            age_limits: config.transfer.as_ref().map(|transfer| transfer.age_limits()).unwrap_or_default(),
            store_path: config.store.path.clone(),
            status_looks: Arc::default(),
        };
        this.prepare();
        this
    }

    /// Whoever has locked this changes the list.
    fn turn(&self, name: &str) -> Arc<Mutex<()>> {
        self.turns.lock().unwrap_or_else(|e| e.into_inner()).entry(name.to_owned()).or_default().clone()
    }

    /// From now on its status says how lists that come by themselves are getting on, and a round with
    /// the station can be asked for.
    pub fn tell_of(&self, coming: UpdaterHandle) {
        // It is told of once, by the daemon.
        let _ = self.coming.set(coming);
    }

    /// From now on its status says how the parts of the daemon are.
    pub fn tell_health(&self, health: Arc<Health>) {
        // It is told of once, by the daemon.
        let _ = self.health.set(health);
    }

    /// From now on its status says how the transfer is getting on, and it can be asked to send now.
    pub fn tell_link(&self, link: watch::Receiver<Progress>, send_now: SendNow) {
        // It is told of once, by the daemon.
        let _ = (self.link.set(link), self.send_now.set(send_now));
    }

    /// From now on it makes known there what officers say of hits.
    pub fn tell_events(&self, events: Hub<Published>) {
        // It is told of once, by the daemon.
        let _ = self.events.set(events);
    }

    /// How the transfer is getting on; none where no station is configured.
    pub fn link(&self) -> Option<Progress> {
        self.link.get().map(|link| link.borrow().clone())
    }

    /// Puts down how a part of the daemon is; without a daemon nobody has a list of parts.
    pub fn report(&self, name: &str, level: Level, text: String) {
        if let Some(health) = self.health.get() {
            health.report(name, level, text, self.clock.wall());
        }
    }

    /// From now on no index is built any more once `stop` is asked for.
    pub fn tell_stop(&self, stop: Shutdown) {
        // It is told of once, by the daemon.
        let _ = self.stop.set(stop);
    }

    /// The gate that every look of a person passes.
    pub fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// Names of the cameras.
    pub fn cameras(&self) -> &[String] {
        &self.cameras
    }

    /// The permit of the transfer; there is one.
    pub fn take_transfer_permit(&self) -> Option<Permit<Transfer>> {
        self.transfer.lock().unwrap_or_else(|e| e.into_inner()).take()
    }

    /// What is set for each list, for the matching and for what is shown.
    pub fn settings(&self) -> &Arc<ListSettings> {
        &self.sets
    }

    /// The lists in force, for the matching.
    pub fn lists(&self) -> &Arc<Lists> {
        &self.lists
    }

    /// From now on hits of corrected reads sound.
    pub fn tell_chime(&self, chime: Arc<Chime>) {
        // It is told of once, by the daemon.
        let _ = self.chime.set(chime);
    }

    /// From now on hits of corrected reads, and how many of them alerted, are counted there.
    pub fn tell_count(&self, count: CountHits) {
        // It is told of once, by the daemon.
        let _ = self.counted.set(count);
    }

    /// The findings in force, for the alerts.
    pub fn findings(&self) -> &Arc<VehicleFindings> {
        &self.findings
    }

    /// The canvass that is open, for the reads.
    pub fn canvass(&self) -> &Arc<OpenCanvass> {
        &self.canvass
    }

    /// The pairings that alert nobody, for the alerts.
    pub fn muted(&self) -> &Arc<MutedPairings> {
        &self.muted
    }

    /// Does what is asked, for `who`, who is known: the console's way, and by [`call`](Self::call) the
    /// command line's. `file` is what an import brings.
    ///
    /// # Errors
    /// What keeps it from being done; a sentence for who asked.
    pub fn answer(&self, request: Request, who: &Actor, file: Option<&Path>, answer: Answer<'_>) -> Result<()> {
        let by = |reason| By { who: who.clone(), reason };
        if let Some(duty) = duty(&request) {
            self.gate.allow(who, duty)?;
        }
        match request {
            Request::Add { plate, state, category, priority, reason, case, expires, search_back } => {
                let is_span = !matches!(expires, Some(Expires::At(_)));
                let expires = match expires {
                    Some(Expires::At(expires)) => expires,
                    Some(Expires::InSeconds(seconds)) => later(self.clock.wall(), Duration::from_secs(seconds))?,
                    None => later(self.clock.wall(), self.shift)?,
                };
                let by = by(reason);
                if search_back.is_some() {
                    // Before anything is entered: the search would be refused after it.
                    self.gate.check(&by.reason, &Case::new(&case)?)?;
                }
                let new = NewManual { plate, state, category, priority, case, expires, is_span };
                let entry = self.add(new, &by)?;
                answer(Reply::Added(entry.clone()))?;
                match search_back {
                    Some(window) => {
                        self.search(Wanted::parse(&entry.entry.plate)?, window, &entry.entry.case, &by, answer)
                    }
                    None => Ok(()),
                }
            }
            Request::Entries { reason, case } => self.list_entries(&case, &by(reason), answer),
            Request::Remove { id, reason } => answer(Reply::Removed(self.remove(id, &by(reason))?)),
            Request::Show { plate, reason, case } => self.show(&plate, &case, &by(reason), answer),
            Request::Search { plate, canvass, looks, window, reason, case } => {
                let mut wanted = match &canvass {
                    Some(_) if plate.is_empty() => Wanted::default(),
                    None if plate.is_empty() && !looks.is_empty() => Wanted::default(),
                    _ => Wanted::parse(&plate)?,
                };
                (wanted.canvass, wanted.vehicle) = (canvass, looks.checked()?);
                self.search(wanted, window, &case, &by(reason), answer)
            }
            Request::Correct { read, plate, state, reason, case } => {
                answer(Reply::Corrected(Box::new(self.correct(&read, &plate, state.as_deref(), case, &by(reason))?)))
            }
            Request::Corrections { window, reason, case } => self.corrections(window, &case, &by(reason), answer),
            Request::ProposeFinding { hit, entry, until, reason, case } => {
                let until = match until {
                    Expires::At(until) => until,
                    Expires::InSeconds(seconds) => later(self.clock.wall(), Duration::from_secs(seconds))?,
                };
                self.propose_finding(&hit, entry, until, &case, &by(reason), answer)
            }
            Request::ApproveFinding { number, reason, case } => {
                answer(Reply::Finding(Box::new(self.approve_finding(number, &case, &by(reason))?)))
            }
            Request::WithdrawFinding { number, reason, case } => {
                answer(Reply::Finding(Box::new(self.withdraw_finding(number, &case, &by(reason))?)))
            }
            Request::Findings { reason, case } => self.list_findings(&case, &by(reason), answer),
            Request::StartCanvass { incident, reason } => {
                answer(Reply::Canvass(self.start_canvass(&incident, &by(reason))?))
            }
            Request::EndCanvass { reason } => answer(Reply::Canvass(self.end_canvass(&by(reason))?)),
            Request::Canvasses => self.canvasses(answer),
            // The duty was looked at.
            Request::MayTest => Ok(()),
            Request::KeepTest { test, reason } => answer(Reply::Test(Box::new(self.keep_test(test, &by(reason))?))),
            Request::ShowMisses { set, misses, reason, case } => self.show_misses(&set, misses, &case, &by(reason)),
            Request::StartDriveTest { camera, note, reason } => {
                answer(Reply::DriveTest(Box::new(self.start_drive_test(&camera, &note, &by(reason))?)))
            }
            Request::EnterTestPlate { plate, state, reason } => {
                answer(Reply::DriveTest(Box::new(self.enter_test_plate(&plate, &state, &by(reason))?)))
            }
            Request::TakeTestPlateBack { reason } => {
                answer(Reply::DriveTest(Box::new(self.store.take_test_plate_back(&by(reason))?)))
            }
            Request::EndDriveTest { misses, reason, case } => self.end_drive_test(misses, &case, &by(reason), answer),
            Request::DiscardDriveTest { reason } => {
                answer(Reply::DriveTest(Box::new(self.store.discard_drive_test(&by(reason))?)))
            }
            Request::PerformanceTests { limit } => self.performance_tests(limit, answer),
            Request::Hits { window, reason, case } => self.hits(window, &case, &by(reason), answer),
            Request::Disposition { hit, finding, reason, case } => {
                answer(Reply::Disposed(Box::new(self.dispose(&hit, finding, case, &by(reason))?)))
            }
            Request::Mute { hit, muted, reason, case } => {
                answer(Reply::Muted(Box::new(self.mute(&hit, muted, case, &by(reason))?)))
            }
            Request::Import { list, modified, force, reason, .. } => {
                let file =
                    file.ok_or_else(|| Error::new(Kind::Input, "the list's file did not come with the request"))?;
                answer(Reply::Imported(self.import(&list, Incoming::file(file, modified), force, &by(reason))?))
            }
            Request::Export { list, reason, case } => self.export(&list, &case, &by(reason), answer),
            Request::Sync => match self.coming.get() {
                Some(coming) => sync::tell(coming.round()?, answer),
                None => Err(sync::no_station()),
            },
            Request::ExportMedium { present, rest, reason, case } => {
                self.export_medium(&present, rest, &case, &by(reason), answer)
            }
            Request::BringReceipt { reason, .. } => {
                let file = file.ok_or_else(|| Error::new(Kind::Input, "the receipt did not come with the request"))?;
                self.bring_receipt(file, &by(reason), answer)
            }
            Request::EndShift { reason } => self.end_shift(&by(reason)),
            Request::TransferNow => match self.send_now.get() {
                Some(send_now) => {
                    // It is asked for in any case; kept, it is gone on with after a restart.
                    if let Err(e) = self.store.send_all(true) {
                        tracing::warn!("After a restart not all is sent: {}", e.chain());
                    }
                    send_now.ask();
                    Ok(())
                }
                None => Err(Error::new(
                    Kind::Missing,
                    "no daemon transfers; start it with `plated run`, with [transfer] in its configuration",
                )),
            },
            Request::Status => {
                let enters = self.gate.allow(who, Duty::Enter).is_ok();
                answer(Reply::Status(Box::new(self.status()?.seen_with(&self.gate.scope(who), enters))))
            }
            Request::Accounts { name } => self.list_accounts(who, name.as_ref(), answer),
            Request::AddAccount { account, reason } => self.add_account(who, &account, &reason, answer),
            Request::ChangeAccount { name, change, reason } => {
                self.change_account(who, &name, &change, &reason, answer)
            }
            Request::Subscribers => self.list_subscribers(who, answer),
            Request::AddSubscriber { subscriber, reason } => self.add_subscriber(who, subscriber, &reason, answer),
            Request::RemoveSubscriber { name, reason } => self.remove_subscriber(who, &name, &reason, answer),
            Request::Login { .. }
            | Request::Logout
            | Request::ChangePassword { .. }
            | Request::BeginSecondFactor { .. }
            | Request::ConfirmSecondFactor { .. }
            | Request::RenewRecoveryCodes { .. } => Err(sessions::not_by_a_call()),
            Request::ShowAudit { last, reason, case } => self.show_audit(last, &case, &by(reason), answer),
            Request::ExportAudit { redacted, log, reason, case } => {
                self.export_audit(redacted, log, &case, &by(reason), answer)
            }
        }
    }

    /// All lists in their order, each with its state.
    fn states(&self) -> Result<Vec<(Arc<Hotlist>, ListState)>> {
        Ok(self.in_order(self.store.list_states()?))
    }

    fn in_order(&self, states: Vec<ListState>) -> Vec<(Arc<Hotlist>, ListState)> {
        let mut states: HashMap<String, ListState> = states.into_iter().map(|s| (s.name.clone(), s)).collect();
        self.hotlists().into_iter().filter_map(|list| states.remove(&list.name).map(|state| (list, state))).collect()
    }

    /// How stale a list is; one that can't be read is as bad as none.
    fn staleness(&self, state: &ListState, now: Timestamp) -> Staleness {
        if self.is_broken(&state.name) { Staleness::Critical } else { state.staleness(now) }
    }

    /// Its version in force can't be read.
    fn is_broken(&self, name: &str) -> bool {
        self.broken.lock().unwrap_or_else(|e| e.into_inner()).contains(name)
    }

    fn hotlists(&self) -> Vec<Arc<Hotlist>> {
        self.hotlists.read().unwrap_or_else(|e| e.into_inner()).clone()
    }

    fn configured(&self, name: &str) -> Result<Arc<Hotlist>> {
        let lists = self.hotlists();
        lists.iter().find(|l| l.name == name).cloned().ok_or_else(|| {
            let names: Vec<&str> = lists.iter().map(|l| l.name.as_str()).collect();
            let known = if names.is_empty() { "none is configured".to_owned() } else { names.join(", ") };
            Error::new(Kind::NotFound, format!("no list {name:?} is configured in [[hotlists]]; there are: {known}"))
        })
    }

    /// A place for a file that comes over the socket.
    pub(crate) fn incoming(&self, name: &OsStr) -> Result<IncomingFile> {
        self.list_files.incoming(name)
    }
}

/// What a request changes; whatever shows data passes the gate anyway, and accounts have rules of their own.
fn duty(request: &Request) -> Option<Duty> {
    match request {
        Request::Add { .. }
        | Request::Remove { .. }
        | Request::Disposition { .. }
        | Request::Mute { .. }
        | Request::Correct { .. }
        | Request::StartCanvass { .. }
        | Request::EndCanvass { .. }
        | Request::Canvasses
        | Request::MayTest
        | Request::KeepTest { .. }
        | Request::StartDriveTest { .. }
        | Request::EnterTestPlate { .. }
        | Request::TakeTestPlateBack { .. }
        | Request::EndDriveTest { .. }
        | Request::DiscardDriveTest { .. }
        | Request::ProposeFinding { .. } => Some(Duty::Enter),
        Request::PerformanceTests { .. } => Some(Duty::SeeTests),
        Request::ApproveFinding { .. } | Request::WithdrawFinding { .. } => Some(Duty::Approve),
        Request::Import { .. } => Some(Duty::ManageLists),
        Request::Entries { .. }
        | Request::Show { .. }
        | Request::Search { .. }
        | Request::Hits { .. }
        | Request::Corrections { .. }
        | Request::Findings { .. }
        | Request::ShowMisses { .. }
        | Request::Export { .. }
        | Request::Sync
        | Request::TransferNow
        | Request::EndShift { .. }
        | Request::ExportMedium { .. }
        | Request::BringReceipt { .. }
        | Request::Status
        | Request::Accounts { .. }
        | Request::AddAccount { .. }
        | Request::ChangeAccount { .. }
        | Request::Subscribers
        | Request::AddSubscriber { .. }
        | Request::RemoveSubscriber { .. }
        | Request::Login { .. }
        | Request::Logout
        | Request::ChangePassword { .. }
        | Request::BeginSecondFactor { .. }
        | Request::ConfirmSecondFactor { .. }
        | Request::RenewRecoveryCodes { .. }
        | Request::ShowAudit { .. }
        | Request::ExportAudit { .. } => None,
    }
}

/// The accounts in the store. What keeps them from being used must not keep plates from being matched.
fn open_accounts(config: &Config, store: &Store, clock: &Arc<dyn Clock>) -> Option<Arc<Accounts>> {
    let store = Arc::new(store.clone());
    let records = store.clone();
    let alarm = Box::new(move |breach: Breach| {
        tracing::error!("Security: {breach}.");
        if let Err(e) = records.raise(&breach) {
            tracing::error!("It is not on record: {}", e.chain());
        }
    });
    let accounts = Accounts::open(store.clone(), store, clock.clone(), config.access.accounts.clone(), alarm);
    match accounts {
        Ok(accounts) => Some(Arc::new(accounts)),
        Err(e) => {
            tracing::error!("Nobody can log in, nor can accounts be changed: {}", e.chain());
            None
        }
    }
}

#[cfg(test)]
mod tests;
