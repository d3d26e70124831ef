//! Publishing a version of a list, and withdrawing a list.

use super::canonical::{self, CanonicalList};
use super::inactive::Marks;
use super::source::Source;
use super::table::{Current, HotlistVersion};
use super::{delta_name, file_name, folder, left_out_name};
use crate::audit::Stamp;
use crate::database::Database;
use crate::owner::Owner;
use crate::postgres::{HeldLock, Lock};
use crate::rows::Rows;
use crate::shared_files::SharedFiles;
use jiff::{SignedDuration, Timestamp};
use plated_access::{AccessRecord, Actor};
use plated_core::clock::Clock;
use plated_core::digest::Sha256;
use plated_core::durable;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::record::EntryRecord;
use plated_core::signing::Signer;
use plated_core::wire::{DeltaFrom, Manifest, StaleAfter};
use plated_hotlist::canonical::read_line;
use plated_hotlist::import::{Compared, ForceReason, ImportRefusal, ReplacedList};
use plated_hotlist::manifest::is_list_name;
use plated_hotlist::{ImportReport, Passed, Wish, delta, manifest, read_file};
use serde_json::json;
use std::fs::{self, File};
use std::io::{BufReader, ErrorKind};
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
    /// Its source was asked then, and has nothing newer. A list without a date of its own is as young as that.
    pub asked: Option<Timestamp>,
    /// From when on it counts; at once without it.
    pub valid_from: Option<Timestamp>,
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
    /// The version that is current now, or that comes.
    pub version: HotlistVersion,
    /// What became of it.
    pub done: Done,
    /// What became of the lines of the file.
    pub report: ImportReport,
    /// The list gives itself a date.
    pub own_date: bool,
    /// Past what it was forced, in words.
    pub forced: Vec<String>,
    /// Entries of the file that repeat another.
    pub duplicates: u64,
    /// Entries that were left out, since they were made inactive.
    pub inactive: u64,
    /// Earlier versions from which there is a delta.
    pub deltas: Vec<DeltaFrom>,
}

/// Takes entries one by one.
pub(super) type Each<'a> = &'a mut dyn FnMut(EntryRecord) -> Result<()>;

/// Changes what the station hands out. Holds off others who would do the same.
pub struct Publisher<'a> {
    pub(crate) database: Database,
    folder: PathBuf,
    station: &'a str,
    signer: &'a Signer,
    pub(crate) clock: &'a dyn Clock,
    owner: Owner,
    shared: SharedFiles,
    _lock: File,
    /// Of those at other stations.
    _others: Option<HeldLock>,
}

/// A version that is written, and has no name yet.
pub(super) struct Draft<T> {
    output: durable::Writer,
    /// What was written.
    pub list: CanonicalList,
    /// What was left out of it.
    pub marks: Marks,
    /// What whoever gave the entries said of them.
    pub given: T,
}

/// What is known of a version beside its entries.
pub(super) struct About {
    pub file_date: Option<Timestamp>,
    pub confirmed: Timestamp,
    pub forced: Option<String>,
    pub valid_from: Option<Timestamp>,
    pub stale: Option<StaleAfter>,
    pub keep: usize,
}

impl<'a> Publisher<'a> {
    /// Opens the lists of the station `station` in the folder `data`; waits while somebody else
    /// changes them. The station itself may run. Versions whose time has come are in force on return.
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
        let others = database.server().map(|server| server.hold_lock(Lock::Lists)).transpose()?;
        let shared = SharedFiles::of(&database, data);
        shared.mirror(&folder)?;
        let mut this = Self { database, folder, station, signer, clock, owner, shared, _lock: lock, _others: others };
        this.promote()?;
        Ok(this)
    }

    /// Publishes the list that a file holds, in whatever format, packed or not. Durable on return.
    ///
    /// # Errors
    /// `Input` when it may not come into force, with the reasons, `Config` for a date in the future or a format that
    /// is none; what was published before stays.
    pub fn publish(&mut self, what: &Publication<'_>) -> Result<Published> {
        let list = what.source.hotlist();
        self.bring(what, |wish, each| read_file(&list, what.file, what.file_name, wish, each))
    }

    /// Publishes what `read` gives.
    pub(super) fn bring(
        &mut self,
        what: &Publication<'_>,
        read: impl FnOnce(Wish, Each<'_>) -> Result<Passed>,
    ) -> Result<Published> {
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
        let before = self.versions(name)?;
        let current = before.iter().find(|v| v.current);
        let compared = Compared {
            in_force: current.map(|v| ReplacedList { entries: v.entries, date: v.file_date }),
            file_date: what.file_date,
            now: Some(now),
        };
        let wish = Wish { compared, force: what.force.clone() };
        let draft = self.draft(name, &place, |each| read(wish, each))?;
        let passed = &draft.given;
        let report = passed.summary.report.clone();
        let own_date = passed.summary.date.is_some();
        let forced: Vec<String> =
            passed.forced.iter().flat_map(|f| f.refusals.clone()).map(ImportRefusal::brief).collect();
        let confirmed = match what.asked {
            Some(asked) => passed.summary.date.unwrap_or(asked),
            None => passed.dated.unwrap_or(now),
        };
        let about = About {
            file_date: passed.dated,
            confirmed: confirmed.min(now),
            forced: passed.forced.as_ref().map(|f| f.reason.as_str().to_owned()),
            valid_from: what.valid_from.filter(|from| *from > now),
            stale: Some(what.source.stale_after()),
            keep: usize::from(what.source.keep),
        };
        let (inactive, duplicates) = (draft.marks.caught(), draft.list.duplicates);
        let sha256 = draft.list.written.sha256;
        let same = before.iter().find(|v| match about.valid_from {
            None => v.current && v.sha256 == sha256,
            from => v.coming && v.sha256 == sha256 && v.valid_from == from,
        });
        if let Some(same) = same {
            let (done, version) = self.confirm(same, &about, &draft.marks, what)?;
            let deltas = deltas(&place, &before, &sha256);
            return Ok(Published { version, done, report, own_date, forced, duplicates, inactive, deltas });
        }
        let number = next_number(&before);
        let subject = json!({
            "list": name, "version": number, "sha256": sha256, "entries": draft.list.written.entries,
            "file_date": about.file_date, "forced": (!forced.is_empty()).then(|| forced.join("; ")),
            "valid_from": about.valid_from, "inactive": (inactive > 0).then_some(inactive),
        });
        let record = AccessRecord::done(what.actor, "hotlist_published", what.reason, subject)?;
        let version = self.commit(name, &place, draft, about, &record, |_| Ok(()))?;
        let now = self.versions(name)?;
        let deltas = deltas(&place, &now, &sha256);
        let done = Done::Published;
        Ok(Published { version, done, report, own_date, forced, duplicates, inactive, deltas })
    }

    /// Writes what `read` gives in canonical form, without the entries that were made inactive.
    pub(super) fn draft<T>(
        &mut self,
        name: &str,
        place: &Path,
        read: impl FnOnce(Each<'_>) -> Result<T>,
    ) -> Result<Draft<T>> {
        let marks = self.database.transaction(|rows| rows.marks(name))?;
        self.draft_with(marks, place, read)
    }

    /// The same without the entries that `marks` leave out.
    pub(super) fn draft_with<T>(
        &self,
        mut marks: Marks,
        place: &Path,
        read: impl FnOnce(Each<'_>) -> Result<T>,
    ) -> Result<Draft<T>> {
        let output = durable::Writer::create(place, 0o600)
            .context(Kind::Storage, || format!("could not write to {}", place.display()))?;
        let (output, list, given) = canonical::make(place, output, |each| {
            read(&mut |entry| match marks.catches(&entry)? {
                true => Ok(()),
                false => each(entry),
            })
        })?;
        Ok(Draft { output, list, marks, given })
    }

    /// Gives a draft its name and makes it a version, in one transaction with what `also` does.
    pub(super) fn commit<T>(
        &mut self,
        name: &str,
        place: &Path,
        draft: Draft<T>,
        about: About,
        record: &AccessRecord,
        also: impl FnOnce(&Rows<'_>) -> Result<()>,
    ) -> Result<HotlistVersion> {
        let failed = || format!("could not write to {}", place.display());
        let Draft { mut output, list: CanonicalList { written, .. }, marks, .. } = draft;
        let sha256 = written.sha256;
        self.owner.give_file(&mut output).context(Kind::Storage, failed)?;
        self.keep_left_out(place, &sha256, &marks)?;
        output.finish(&place.join(file_name(&sha256))).context(Kind::Storage, failed)?;
        let before = self.versions(name)?;
        for from in before.iter().filter(|v| v.kept && v.sha256 != sha256).take(about.keep.saturating_sub(1)) {
            write_delta(place, &from.sha256, &sha256, written.bytes, self.owner)?;
        }
        self.shared.push(place)?;
        let version = HotlistVersion {
            name: name.to_owned(),
            version: next_number(&before),
            sha256,
            bytes: written.bytes,
            entries: written.entries,
            published: self.clock.wall(),
            by: record.actor.to_string(),
            file_date: about.file_date,
            confirmed: about.confirmed,
            forced: about.forced,
            kept: true,
            current: about.valid_from.is_none(),
            valid_from: about.valid_from,
            coming: about.valid_from.is_some(),
            stale: about.stale,
            keep: about.keep,
        };
        let why = format!("published {} version {}", version.name, version.version);
        self.change(record, &why, |rows| {
            also(rows)?;
            rows.add_list_version(&version)?;
            rows.let_go_of_lists(name, about.keep)?;
            Ok(true)
        })?;
        let now = self.versions(name)?;
        let wanted: Vec<Sha256> = now.iter().filter(|v| v.current || v.coming).map(|v| v.sha256).collect();
        let kept = |name: &str| {
            now.iter().filter(|v| v.kept).any(|v| {
                [file_name(&v.sha256), left_out_name(&v.sha256)].contains(&name.to_owned())
                    || wanted.iter().any(|to| name == delta_name(&v.sha256, to))
            })
        };
        clear(place, |name| !kept(name));
        self.shared.prune(place)?;
        Ok(version)
    }

    /// Brings versions into force whose time has come.
    fn promote(&mut self) -> Result<()> {
        let now = self.clock.wall();
        let due = |v: &HotlistVersion| v.coming && v.valid_from.is_none_or(|from| from <= now);
        let due: Vec<_> = self.database.transaction(|rows| rows.list_versions())?.into_iter().filter(due).collect();
        if due.is_empty() {
            return Ok(());
        }
        let lists: Vec<_> = due.iter().map(|v| json!({ "list": v.name, "version": v.version })).collect();
        let (actor, subject) = (Actor::of_this_process(), json!({ "lists": lists }));
        let record =
            AccessRecord::done(&actor, "hotlist_in_force", "the time has come from which on it counts", subject)?;
        self.change(&record, "brought into force what was published for now", |rows| {
            rows.promote_lists(now).map(|names| !names.is_empty())
        })?;
        Ok(())
    }

    /// Keeps what was left out of a version beside it, so that it can be given back.
    fn keep_left_out(&self, place: &Path, sha256: &Sha256, marks: &Marks) -> Result<()> {
        let path = place.join(left_out_name(sha256));
        let kept = match marks.lines() {
            none if none.is_empty() => durable::remove(&path),
            lines => durable::write(&path, lines.as_bytes()).and_then(|()| self.owner.give(&path)),
        };
        kept.context(Kind::Storage, || format!("could not write to {}", place.display()))
    }

    /// Hands out what is approved of findings as it is now: one that its vehicle withdrew goes.
    pub(super) fn refresh_findings(&mut self) -> Result<()> {
        let now = self.clock.wall();
        if !self.database.transaction(|rows| rows.findings_changed(now))? {
            return Ok(());
        }
        let reason = "a finding is over or was withdrawn in its vehicle";
        let record = AccessRecord::done(&Actor::of_this_process(), "findings_handed_out", reason, json!({}))?;
        self.change(&record, reason, |_| Ok(true)).map(drop)
    }

    /// The folder of a list that is there.
    pub(super) fn folder_of(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The folder of a list, made if need be and cleared of what was left half done.
    pub(super) fn place(&self, name: &str) -> Result<PathBuf> {
        let place = self.folder.join(name);
        durable::make_folder(&place)
            .and_then(|()| self.owner.give(&place))
            .context(Kind::Storage, || format!("could not write to {}", place.display()))?;
        durable::sweep(&place); // Nobody else writes there while this has the lock.
        Ok(place)
    }

    /// Notes that a version is still the newest: its age counts from then, in vehicles too.
    fn confirm(
        &mut self,
        same: &HotlistVersion,
        about: &About,
        marks: &Marks,
        what: &Publication<'_>,
    ) -> Result<(Done, HotlistVersion)> {
        let mut now = same.clone();
        now.confirmed = now.confirmed.max(about.confirmed);
        now.file_date = now.file_date.max(about.file_date);
        now.stale = about.stale;
        let place = self.place(&same.name)?;
        self.keep_left_out(&place, &same.sha256, marks)?;
        self.shared.push(&place)?;
        if now == *same || same.coming {
            return Ok((Done::Unchanged, same.clone()));
        }
        let subject = json!({ "list": same.name, "version": same.version, "confirmed": now.confirmed });
        let record = AccessRecord::done(what.actor, "hotlist_confirmed", what.reason, subject)?;
        let why = format!("confirmed {} version {}", same.name, same.version);
        self.change(&record, &why, |rows| rows.confirm_list(&now).map(|()| true))?;
        Ok((Done::Confirmed, now))
    }

    /// Notes that the source of a list was asked at `asked`, and has nothing newer than `same`.
    pub(super) fn confirm_asked(&mut self, same: &HotlistVersion, asked: Timestamp, actor: &Actor) -> Result<()> {
        let now = HotlistVersion { confirmed: same.confirmed.max(asked), ..same.clone() };
        let subject = json!({ "list": same.name, "version": same.version, "confirmed": now.confirmed });
        let record = AccessRecord::done(actor, "hotlist_confirmed", "its source has nothing newer", subject)?;
        let why = format!("confirmed {} version {}", same.name, same.version);
        self.change(&record, &why, |rows| rows.confirm_list(&now).map(|()| true)).map(drop)
    }

    /// Stops handing a list out. Vehicles drop it at their next round.
    ///
    /// # Errors
    /// `NotFound` when no list of this name is handed out.
    pub fn withdraw(&mut self, name: &str, actor: &Actor, reason: &str) -> Result<()> {
        let record = AccessRecord::done(actor, "hotlist_withdrawn", reason, json!({ "list": name }))?;
        let changed = self.change(&record, &format!("withdrew {name}: {reason}"), |rows| rows.withdraw_list(name))?;
        match changed {
            true => Ok(()),
            false => Err(Error::new(Kind::NotFound, format!("the station hands out no list \"{name}\""))),
        }
    }

    pub(super) fn versions(&mut self, name: &str) -> Result<Vec<HotlistVersion>> {
        let mut all = self.database.transaction(|rows| rows.list_versions())?;
        all.retain(|v| v.name == name);
        Ok(all)
    }

    /// One transaction: the change, its row of the audit log, and the signed manifest of what is handed out after it.
    pub(crate) fn change(
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
            let stamp = Stamp { at: made, station, signer };
            rows.record(&stamp, record)?;
            rows.sign_findings(&stamp)?;
            let versions = rows.list_versions()?;
            let listed = |v: &HotlistVersion| {
                let of_list: Vec<_> = versions.iter().filter(|o| o.name == v.name).cloned().collect();
                v.as_listed(deltas(&folder.join(&v.name), &of_list, &v.sha256))
            };
            let lists = versions.iter().filter(|v| v.current).map(listed).collect();
            let coming = versions.iter().filter(|v| v.coming).map(listed).collect();
            // Seconds, so that a station which was set up anew from an old copy of its data does
            // not fall behind what vehicles have seen.
            let seconds = u64::try_from(made.as_second()).unwrap_or(0);
            let serial = rows.manifest()?.map_or(0, |m| m.serial + 1).max(seconds);
            let manifest = Manifest { station: station.to_owned(), serial, made, lists, coming };
            let signed = manifest::sign(&manifest, signer)?;
            rows.add_manifest(&Current { serial, signed }, made, &record.actor.to_string(), why)?;
            Ok(true)
        })
    }
}

/// Gives all entries of a version in the folder `place`, and those that were left out of it.
pub(super) fn whole(place: &Path, sha256: &Sha256, each: Each<'_>) -> Result<()> {
    for (name, is_optional) in [(file_name(sha256), false), (left_out_name(sha256), true)] {
        let path = place.join(name);
        let failed = || format!("could not read {}", path.display());
        let file = match File::open(&path) {
            Err(e) if is_optional && e.kind() == ErrorKind::NotFound => continue,
            file => file.context(Kind::Damaged, failed)?,
        };
        let (mut input, mut line) = (BufReader::new(file), Vec::new());
        for number in 1.. {
            if !read_line(&mut input, &mut line, number)? {
                break;
            }
            each(serde_json::from_slice(&line).context(Kind::Damaged, failed)?)?;
        }
    }
    Ok(())
}

/// The number of the next version.
pub(super) fn next_number(before: &[HotlistVersion]) -> u64 {
    before.first().map_or(0, |v| v.version) + 1
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
fn write_delta(place: &Path, from: &Sha256, to: &Sha256, whole: u64, owner: Owner) -> Result<()> {
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
