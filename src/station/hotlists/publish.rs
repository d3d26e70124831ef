//! Publishing a version of a list, and withdrawing a list.

use super::canonical::{self, CanonicalList};
use super::source::Source;
use super::table::{Current, HotlistVersion};
use super::{delta_name, file_name, folder};
use crate::audit::{self, Stamp};
use crate::database::Database;
use crate::rows::Rows;
use jiff::{SignedDuration, Timestamp};
use plated_access::{AccessRecord, Actor};
use plated_core::clock::Clock;
use plated_core::digest::Sha256;
use plated_core::durable;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::signing::Signer;
use plated_core::user::SystemUser;
use plated_core::wire::{DeltaFrom, ListVersion, Manifest};
use plated_hotlist::import::{Compared, ForceReason, ImportRefusal, ReplacedList};
use plated_hotlist::manifest::is_list_name;
use plated_hotlist::{ImportReport, Wish, delta, manifest, read_file};
use serde_json::json;
use std::fs::{self, File};
use std::io::BufReader;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

/// A list may be dated so far ahead: clocks differ. Vehicles would take a later one for new for as long, and each
/// version that follows for an older one.
const MAX_AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// A list to be published.
#[derive(Debug)]
pub struct Publication<'a> {
    /// The list, and how its file is read and judged.
    pub source: &'a Source,
    /// The file.
    pub file: &'a Path,
    /// What it is called where it comes from.
    pub file_name: &'a Path,
    /// Date of the file where it gives itself none, if that is known.
    pub file_date: Option<Timestamp>,
    /// Why it is let in whatever is wrong with it.
    pub force: Option<ForceReason>,
    /// Who publishes it.
    pub actor: &'a Actor,
    /// Why.
    pub reason: &'a str,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// There is a new version.
    Published,
    /// It was the same already, and is known to be the newest at a later time than before.
    Confirmed,
    /// Nothing was changed.
    Unchanged,
}

/// What was published.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// The version that is current now.
    pub version: HotlistVersion,
    /// What became of it.
    pub done: Done,
    /// What became of the lines of the file.
    pub report: ImportReport,
    /// Past what it was forced, in words.
    pub forced: Vec<String>,
    /// Entries of the file that repeat another.
    pub duplicates: u64,
    /// Earlier versions from which there is a delta.
    pub deltas: Vec<DeltaFrom>,
}

/// Changes what the station hands out. Holds off others who would do the same.
pub struct Publisher<'a> {
    database: Database,
    folder: PathBuf,
    station: &'a str,
    signer: &'a Signer,
    clock: &'a dyn Clock,
    owner: Owner,
    _lock: File,
}

impl<'a> Publisher<'a> {
    /// Opens the lists of the station `station` in the folder `data`; waits while somebody else
    /// changes them. The station itself may run.
    ///
    /// # Errors
    /// `Refused` for a user whose files the station could not read.
    pub fn open(
        data: &Path,
        database: impl FnOnce() -> Result<Database>,
        station: &'a str,
        signer: &'a Signer,
        clock: &'a dyn Clock,
    ) -> Result<Self> {
        let owner = Owner::of(data)?;
        let folder = folder(data);
        let failed = || format!("could not use the folder {}", folder.display());
        durable::make_folder(&folder).context(Kind::Storage, failed)?;
        let lock = File::options().create(true).truncate(false).write(true).open(folder.join("publish.lock"));
        let lock = lock.context(Kind::Storage, failed)?;
        lock.lock().context(Kind::Storage, failed)?;
        owner.give(&folder).and_then(|()| owner.give(&folder.join("publish.lock"))).context(Kind::Storage, failed)?;
        let database = database()?;
        Ok(Self { database, folder, station, signer, clock, owner, _lock: lock })
    }

    /// Publishes the list that a file holds, in whatever format, packed or not. Durable on return.
    ///
    /// # Errors
    /// `Input` when it may not come into force, with the reasons, `Config` for a date in the future or a format that
    /// is none; what was published before stays.
    pub fn publish(&mut self, what: &Publication<'_>) -> Result<Published> {
        let name = what.source.name.as_str();
        if !is_list_name(name) {
            let message = "--name: use 1 to 64 letters, digits, '-', '_' or '.', and no '.' at the beginning";
            return Err(Error::new(Kind::Config, message));
        }
        let now = self.clock.wall();
        if let Some(date) = what.file_date.filter(|date| date.duration_since(now) > MAX_AHEAD) {
            let message = format!(
                "--file-date: {date:.0} lies more than a day ahead; this computer's clock says {now:.0}. Correct the one \
                 that is wrong"
            );
            return Err(Error::new(Kind::Config, message));
        }
        let place = self.place(name)?;
        let failed = || format!("could not write to {}", place.display());
        let before = self.versions(name)?;
        let current = before.iter().find(|v| v.current);
        let compared = Compared {
            in_force: current.map(|v| ReplacedList { entries: v.entries, date: v.file_date }),
            file_date: what.file_date,
            now: Some(now),
        };
        let wish = Wish { compared, force: what.force.clone() };
        let output = durable::Writer::create(&place, 0o600).context(Kind::Storage, failed)?;
        let list = what.source.hotlist();
        let (mut output, CanonicalList { written, duplicates }, passed) =
            canonical::make(&place, output, |each| read_file(&list, what.file, what.file_name, wish, each))?;
        let report = passed.summary.report;
        let sha256 = written.sha256;
        let confirmed = passed.dated.unwrap_or(now).min(now);
        let forced: Vec<String> =
            passed.forced.iter().flat_map(|f| f.refusals.clone()).map(ImportRefusal::brief).collect();
        if let Some(same) = current.filter(|v| v.sha256 == sha256) {
            let done = self.confirm(same, confirmed, passed.dated, what)?;
            let mut version = same.clone();
            version.confirmed = version.confirmed.max(confirmed);
            let deltas = deltas(&place, &before, &sha256);
            return Ok(Published { version, done, report, forced, duplicates, deltas });
        }
        self.owner.give_file(&mut output).context(Kind::Storage, failed)?;
        output.finish(&place.join(file_name(&sha256))).context(Kind::Storage, failed)?;
        let keep = usize::from(what.source.keep);
        for from in before.iter().filter(|v| v.kept && v.sha256 != sha256).take(keep.saturating_sub(1)) {
            write_delta(&place, &from.sha256, &sha256, written.bytes, &self.owner)?;
        }

        let version = HotlistVersion {
            name: name.to_owned(),
            version: before.first().map_or(0, |v| v.version) + 1,
            sha256,
            bytes: written.bytes,
            entries: written.entries,
            published: now,
            by: what.actor.to_string(),
            file_date: passed.dated,
            confirmed,
            forced: passed.forced.as_ref().map(|f| f.reason.as_str().to_owned()),
            kept: true,
            current: true,
        };
        let subject = json!({
            "list": name, "version": version.version, "sha256": sha256, "entries": version.entries,
            "file_date": version.file_date, "forced": (!forced.is_empty()).then(|| forced.join("; ")),
        });
        let record = audit::done(what.actor, "hotlist_published", what.reason, subject)?;
        let why = format!("published {} version {}", version.name, version.version);
        self.change(&record, &why, |rows| {
            rows.add_list_version(&version)?;
            rows.let_go_of_lists(name, keep)?;
            Ok(true)
        })?;
        let now = self.versions(name)?;
        let kept = |name: &str| {
            now.iter()
                .filter(|v| v.kept)
                .any(|v| name == file_name(&v.sha256) || name == delta_name(&v.sha256, &sha256))
        };
        clear(&place, |name| !kept(name));
        let deltas = deltas(&place, &now, &sha256);
        Ok(Published { version, done: Done::Published, report, forced, duplicates, deltas })
    }

    /// The folder of a list, made if need be and cleared of what was left half done.
    fn place(&self, name: &str) -> Result<PathBuf> {
        let place = self.folder.join(name);
        durable::make_folder(&place)
            .and_then(|()| self.owner.give(&place))
            .context(Kind::Storage, || format!("could not write to {}", place.display()))?;
        durable::sweep(&place); // Nobody else writes there while this has the lock.
        Ok(place)
    }

    /// Notes that the current version is still the newest: its age counts from then, in vehicles too.
    fn confirm(
        &mut self,
        same: &HotlistVersion,
        confirmed: Timestamp,
        dated: Option<Timestamp>,
        what: &Publication<'_>,
    ) -> Result<Done> {
        if confirmed <= same.confirmed && dated <= same.file_date {
            return Ok(Done::Unchanged);
        }
        let subject = json!({ "list": same.name, "version": same.version, "confirmed": confirmed });
        let record = audit::done(what.actor, "hotlist_confirmed", what.reason, subject)?;
        let why = format!("confirmed {} version {}", same.name, same.version);
        self.change(&record, &why, |rows| rows.confirm_list(&same.name, confirmed, dated).map(|()| true))?;
        Ok(Done::Confirmed)
    }

    /// Stops handing a list out. Vehicles drop it at their next round.
    ///
    /// # Errors
    /// `NotFound` when no list of this name is handed out.
    pub fn withdraw(&mut self, name: &str, actor: &Actor, reason: &str) -> Result<()> {
        let record = audit::done(actor, "hotlist_withdrawn", reason, json!({ "list": name }))?;
        let changed = self.change(&record, &format!("withdrew {name}: {reason}"), |rows| rows.withdraw_list(name))?;
        match changed {
            true => Ok(()),
            false => Err(Error::new(Kind::NotFound, format!("the station hands out no list \"{name}\""))),
        }
    }

    fn versions(&mut self, name: &str) -> Result<Vec<HotlistVersion>> {
        let mut all = self.database.read(|rows| rows.list_versions())?;
        all.retain(|v| v.name == name);
        Ok(all)
    }

    /// One transaction: the change, its row of the audit log, and the signed manifest of what is handed out after it.
    fn change(
        &mut self,
        record: &AccessRecord,
        why: &str,
        change: impl FnOnce(&Rows<'_>) -> Result<bool>,
    ) -> Result<bool> {
        let made = self.clock.wall();
        let (folder, station, signer) = (&self.folder, self.station, self.signer);
        self.database.transaction(|rows| {
            if !change(rows)? {
                return Ok(false);
            }
            rows.record(&Stamp { at: made, station, signer }, record)?;
            let versions = rows.list_versions()?;
            let lists = versions.iter().filter(|v| v.current).map(|v| {
                let of_list: Vec<_> = versions.iter().filter(|o| o.name == v.name).cloned().collect();
                ListVersion {
                    name: v.name.clone(),
                    version: v.version,
                    sha256: v.sha256,
                    bytes: v.bytes,
                    entries: v.entries,
                    published: v.published,
                    file_date: v.file_date,
                    confirmed: v.confirmed,
                    forced: v.forced.clone(),
                    deltas: deltas(&folder.join(&v.name), &of_list, &v.sha256),
                }
            });
            // Seconds, so that a station which was set up anew from an old copy of its data does
            // not fall behind what vehicles have seen.
            let seconds = u64::try_from(made.as_second()).unwrap_or(0);
            let serial = rows.manifest()?.map_or(0, |m| m.serial + 1).max(seconds);
            let manifest = Manifest { station: station.to_owned(), serial, made, lists: lists.collect() };
            let signed = manifest::sign(&manifest, signer)?;
            rows.add_manifest(&Current { serial, signed }, made, &record.actor.to_string(), why)?;
            Ok(true)
        })
    }
}

/// To whom new files go: root works for the station's user.
#[derive(Debug)]
struct Owner(Option<(u32, u32)>);

impl Owner {
    fn of(data: &Path) -> Result<Self> {
        let meta = fs::metadata(data).context(Kind::Missing, || {
            format!("the station's data folder {} is not there; start the station once first", data.display())
        })?;
        let who = SystemUser::of_this_process();
        match (who.uid, meta.uid()) {
            (a, b) if a == b => Ok(Self(None)),
            (0, _) => Ok(Self(Some((meta.uid(), meta.gid())))),
            (_, owner) => {
                let owner = SystemUser::of_uid(owner);
                let name = if owner.user.is_empty() { format!("#{}", owner.uid) } else { owner.user };
                let remedy = format!("{0} belongs to {name}; do this as that user, by sudo -u {name}", data.display());
                Err(Error::new(Kind::Refused, remedy))
            }
        }
    }

    fn give_file(&self, file: &mut durable::Writer) -> std::io::Result<()> {
        self.0.map_or(Ok(()), |(user, group)| file.give_to(user, group))
    }

    fn give(&self, path: &Path) -> std::io::Result<()> {
        self.0.map_or(Ok(()), |(user, group)| chown(path, Some(user), Some(group)))
    }
}

/// Deltas that are there, from versions that are kept.
fn deltas(place: &Path, versions: &[HotlistVersion], to: &Sha256) -> Vec<DeltaFrom> {
    let mut found: Vec<DeltaFrom> = Vec::new();
    for v in versions.iter().filter(|v| v.kept && v.sha256 != *to) {
        if let Ok(meta) = fs::metadata(place.join(delta_name(&v.sha256, to)))
            && !found.iter().any(|d| d.from == v.sha256)
        {
            found.push(DeltaFrom { from: v.sha256, bytes: meta.len() });
        }
    }
    found
}

/// Writes the delta between two versions, unless it is hardly smaller than the whole list.
fn write_delta(place: &Path, from: &Sha256, to: &Sha256, whole: u64, owner: &Owner) -> Result<()> {
    let failed = || format!("could not write a delta in {}", place.display());
    let open = |sha256: &Sha256| {
        let path = place.join(file_name(sha256));
        File::open(&path).map(BufReader::new).context(Kind::Storage, || format!("could not read {}", path.display()))
    };
    if !place.join(file_name(from)).exists() {
        return Ok(()); // A crash or a person took it away; vehicles fetch the whole list then.
    }
    let output = durable::Writer::create(place, 0o600).context(Kind::Storage, failed)?;
    let mut output = delta::diff(&(*from, || open(from)), &(*to, || open(to)), output)?;
    if output.size().context(Kind::Storage, failed)? > whole / 2 {
        return Ok(());
    }
    owner
        .give_file(&mut output)
        .and_then(|()| output.finish(&place.join(delta_name(from, to))))
        .context(Kind::Storage, failed)
}

/// Removes files by their names, as far as it can.
fn clear(place: &Path, goes: impl Fn(&str) -> bool) {
    for file in fs::read_dir(place).into_iter().flatten().flatten() {
        if file.file_name().to_str().is_some_and(&goes) {
            let _ = fs::remove_file(file.path());
        }
    }
}
