//! Publishing a version of a list, and withdrawing a list.

use super::canonical::{self, CanonicalList};
use super::table::{Current, HotlistVersion};
use super::{delta_name, file_name, folder};
use crate::database::{Database, Rows};
use crate::key::ArchiveKey;
use jiff::{SignedDuration, Timestamp};
use plated_core::clock::Clock;
use plated_core::digest::Sha256;
use plated_core::durable;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::signing::Signer;
use plated_core::user::SystemUser;
use plated_core::wire::{DeltaFrom, ListVersion, Manifest};
use plated_hotlist::delta;
use plated_hotlist::manifest;
use plated_hotlist::manifest::is_list_name;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

/// A list may be dated so far ahead: clocks differ. Vehicles would take a later one for new for as long, and each
/// version that follows for an older one.
const MAX_AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// A list to be published.
#[derive(Debug)]
pub struct Publication<'a> {
    /// Name of the list.
    pub name: &'a str,
    /// Date of the file it was made of, if that is known.
    pub file_date: Option<Timestamp>,
    /// Who publishes it.
    pub by: &'a str,
    /// So many versions are kept, the new one among them.
    pub keep: usize,
}

/// What was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The version that is current now.
    pub version: HotlistVersion,
    /// False when the list was the same already, and nothing was changed.
    pub changed: bool,
    /// Lines of the file that repeat another.
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
        key: &ArchiveKey,
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
        let database = Database::open(&data.join("station.db"), key)?;
        Ok(Self { database, folder, station, signer, clock, owner, _lock: lock })
    }

    /// Publishes the entries that `input` holds, one JSON object on each line. Durable on return.
    ///
    /// # Errors
    /// `Input` with the line that is no entry, `Config` for a date in the future; what was published before stays.
    pub fn publish(&mut self, input: impl BufRead, what: &Publication<'_>) -> Result<Published> {
        if !is_list_name(what.name) {
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
        let place = self.folder.join(what.name);
        let failed = || format!("could not write to {}", place.display());
        durable::make_folder(&place).and_then(|()| self.owner.give(&place)).context(Kind::Storage, failed)?;
        durable::sweep(&place); // Nobody else writes there while this has the lock.
        let output = durable::Writer::create(&place, 0o600).context(Kind::Storage, failed)?;
        let (mut output, CanonicalList { written, duplicates }) = canonical::make(input, what.name, &place, output)?;
        if written.entries == 0 {
            let message =
                "the file holds no entries, and vehicles would match nothing; to take a list back, withdraw it";
            return Err(Error::new(Kind::Input, message));
        }
        self.owner.give_file(&mut output).context(Kind::Storage, failed)?;
        let before = self.versions(what.name)?;
        let sha256 = written.sha256;
        if let Some(same) = before.iter().find(|v| v.current && v.sha256 == sha256) {
            let deltas = deltas(&place, &before, &sha256);
            return Ok(Published { version: same.clone(), changed: false, duplicates, deltas });
        }
        output.finish(&place.join(file_name(&sha256))).context(Kind::Storage, failed)?;
        let earlier = before.iter().filter(|v| v.kept && v.sha256 != sha256).take(what.keep.saturating_sub(1));
        for from in earlier {
            write_delta(&place, &from.sha256, &sha256, written.bytes, &self.owner)?;
        }

        let version = HotlistVersion {
            name: what.name.to_owned(),
            version: before.first().map_or(0, |v| v.version) + 1,
            sha256,
            bytes: written.bytes,
            entries: written.entries,
            published: self.clock.wall(),
            by: what.by.to_owned(),
            file_date: what.file_date,
            kept: true,
            current: true,
        };
        let why = format!("published {} version {}", version.name, version.version);
        self.change(what.by, &why, |rows| {
            rows.add_list_version(&version)?;
            rows.let_go_of_lists(what.name, what.keep)?;
            Ok(true)
        })?;
        let now = self.versions(what.name)?;
        let kept = |name: &str| {
            now.iter()
                .filter(|v| v.kept)
                .any(|v| name == file_name(&v.sha256) || name == delta_name(&v.sha256, &sha256))
        };
        clear(&place, |name| !kept(name));
        let deltas = deltas(&place, &now, &sha256);
        Ok(Published { version, changed: true, duplicates, deltas })
    }

    /// Stops handing a list out. Vehicles drop it at their next round.
    ///
    /// # Errors
    /// `NotFound` when no list of this name is handed out.
    pub fn withdraw(&mut self, name: &str, by: &str, reason: &str) -> Result<()> {
        let changed = self.change(by, &format!("withdrew {name}: {reason}"), |rows| rows.withdraw_list(name))?;
        match changed {
            true => Ok(()),
            false => Err(Error::new(Kind::NotFound, format!("the station hands out no list \"{name}\""))),
        }
    }

    fn versions(&mut self, name: &str) -> Result<Vec<HotlistVersion>> {
        let mut all = self.database.transaction(|rows| rows.list_versions())?;
        all.retain(|v| v.name == name);
        Ok(all)
    }

    /// One transaction: the change, and the signed manifest of what is handed out after it.
    fn change(&mut self, by: &str, why: &str, change: impl FnOnce(&Rows<'_>) -> Result<bool>) -> Result<bool> {
        let made = self.clock.wall();
        let (folder, station, signer) = (&self.folder, self.station, self.signer);
        self.database.transaction(|rows| {
            if !change(rows)? {
                return Ok(false);
            }
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
                    deltas: deltas(&folder.join(&v.name), &of_list, &v.sha256),
                }
            });
            // Seconds, so that a station which was set up anew from an old copy of its data does
            // not fall behind what vehicles have seen.
            let seconds = u64::try_from(made.as_second()).unwrap_or(0);
            let serial = rows.manifest()?.map_or(0, |m| m.serial + 1).max(seconds);
            let manifest = Manifest { station: station.to_owned(), serial, made, lists: lists.collect() };
            let signed = manifest::sign(&manifest, signer)?;
            rows.add_manifest(&Current { serial, signed }, made, by, why)?;
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
