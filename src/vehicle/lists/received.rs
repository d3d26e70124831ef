//! What the vehicle holds of the station's lists, on its disk.
//!
//! ```text
//! manifest.json                 the newest manifest, as it was signed
//! findings.json                 what was approved as not the wanted vehicle, as it was signed
//! sync.lock                     one round at a time
//! station/NAME/accepted.json    which version was accepted last: wire::ListVersion
//! station/NAME/SHA256.jsonl     a list, whole and of this hash
//! station/NAME/SHA256.part      one on its way
//! ```
//!
//! A file gets its name only once it is whole and synced, so what a crash leaves behind is
//! never taken for more than it is.

use jiff::Timestamp;
use plated_core::digest::Sha256;
use plated_core::durable;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::wire::{ListVersion, Manifest, SignedManifest};
use plated_hotlist::manifest::is_list_name;
use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The folder, while nobody else changes it.
#[derive(Debug)]
pub struct ReceivedLists {
    root: PathBuf,
    lock: Arc<Lock>,
}

/// A file that is locked. It is unlocked by name: a child process that was just begun may have
/// the same file open for a moment, and closing it here would leave it locked.
#[derive(Debug)]
struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

impl ReceivedLists {
    /// Opens or makes the folder, for one round.
    ///
    /// # Errors
    /// `Refused` while another process does the same.
    pub fn open(root: &Path) -> Result<Self> {
        let failed = || format!("could not use the folder of hotlists {}", root.display());
        durable::make_folder(&root.join("station")).context(Kind::Storage, failed)?;
        // Not by `durable`: it holds nothing, and is there for its lock alone.
        let lock = File::options().create(true).truncate(false).write(true).open(root.join("sync.lock"));
        let lock = lock.context(Kind::Storage, failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { root: root.to_owned(), lock: Arc::new(Lock(lock)) }),
            Err(TryLockError::WouldBlock) => Err(Error::new(
                Kind::Refused,
                format!("the lists in {} are being fetched at this moment; try again in a minute", root.display()),
            )),
            Err(TryLockError::Error(e)) => Err(e).context(Kind::Storage, failed),
        }
    }

    /// The newest manifest, as it was signed.
    pub fn manifest(&self) -> Option<Vec<u8>> {
        fs::read(self.root.join("manifest.json")).ok()
    }

    /// Puts a manifest in the place of the last one, durably.
    pub fn put_manifest(&self, text: &[u8]) -> Result<()> {
        durable::write(&self.root.join("manifest.json"), text).context(Kind::Storage, || could_not_write(&self.root))
    }

    /// What the station approved as not the wanted vehicle, as it was signed.
    pub fn findings(&self) -> Option<Vec<u8>> {
        fs::read(self.root.join("findings.json")).ok()
    }

    /// Puts another one in its place, durably.
    pub fn put_findings(&self, text: &[u8]) -> Result<()> {
        durable::write(&self.root.join("findings.json"), text).context(Kind::Storage, || could_not_write(&self.root))
    }

    /// The place of one list, which is made if need be.
    pub fn place(&self, name: &str) -> Result<Place> {
        let place = Place { folder: self.root.join("station").join(name), _lock: Some(self.lock.clone()) };
        durable::make_folder(&place.folder).context(Kind::Storage, || could_not_write(&place.folder))?;
        Ok(place)
    }

    /// Names of the lists that there is a place of.
    pub fn names(&self) -> Vec<String> {
        names(&self.root)
    }
}

/// The lists of the station that were accepted, with their files, in the order of their names.
/// Needs no lock: an accepted file stays until another was accepted.
pub fn accepted(root: &Path) -> Vec<(ListVersion, PathBuf)> {
    let place = |name| Place { folder: root.join("station").join::<String>(name), _lock: None };
    let places = names(root).into_iter().map(place);
    places.filter_map(|place| place.accepted().map(|v| (place.file(&v.sha256), v))).map(|(f, v)| (v, f)).collect()
}

/// When a list of the station was accepted last, by the clock of the wall at that time.
pub fn accepted_at(root: &Path, name: &str) -> Option<Timestamp> {
    let noted = fs::metadata(root.join("station").join(name).join("accepted.json")).ok()?;
    noted.modified().ok()?.try_into().ok()
}

/// Lets the next round hand over this accepted version as if it came for the first time: it is not
/// in force. What is `damaged` is fetched from anew. No round may be under way.
///
/// # Errors
/// `Storage` when that can't be noted.
pub fn offer_again(root: &Path, version: &ListVersion, damaged: bool) -> Result<()> {
    let place = Place { folder: root.join("station").join(&version.name), _lock: None };
    let file = if damaged { durable::remove(&place.file(&version.sha256)) } else { Ok(()) };
    file.and_then(|()| durable::remove(&place.folder.join("accepted.json")))
        .context(Kind::Storage, || could_not_write(&place.folder))
}

/// True when the newest manifest, which was trusted when it came, does not name this list.
pub fn was_withdrawn(root: &Path, name: &str) -> bool {
    let manifest = fs::read(root.join("manifest.json")).ok().and_then(|text| {
        let signed: SignedManifest = serde_json::from_slice(&text).ok()?;
        serde_json::from_str::<Manifest>(signed.manifest.get()).ok()
    });
    manifest.is_some_and(|m| m.lists.iter().chain(&m.coming).all(|list| list.name != name))
}

fn names(root: &Path) -> Vec<String> {
    let folders = fs::read_dir(root.join("station")).into_iter().flatten().flatten();
    let folders = folders.filter(|f| f.file_type().is_ok_and(|t| t.is_dir()));
    let mut names: Vec<String> = folders.filter_map(|f| f.file_name().into_string().ok()).collect();
    names.retain(|name| is_list_name(name));
    names.sort();
    names
}

/// The place of one list. Work on it that goes on after its round was dropped keeps others out.
#[derive(Clone, Debug)]
pub struct Place {
    folder: PathBuf,
    _lock: Option<Arc<Lock>>,
}

impl Place {
    /// The version that was accepted last, if its file is there.
    pub fn accepted(&self) -> Option<ListVersion> {
        let text = fs::read(self.folder.join("accepted.json")).ok()?;
        let version: ListVersion = serde_json::from_slice(&text).ok()?;
        self.has(&version).then_some(version)
    }

    /// True when the file of this version is there, whole.
    pub fn has(&self, version: &ListVersion) -> bool {
        fs::metadata(self.file(&version.sha256)).is_ok_and(|m| m.is_file() && m.len() == version.bytes)
    }

    /// Where a whole list is.
    pub fn file(&self, sha256: &Sha256) -> PathBuf {
        self.folder.join(format!("{sha256}.jsonl"))
    }

    /// Where a list on its way is.
    pub fn part(&self, sha256: &Sha256) -> PathBuf {
        self.folder.join(format!("{sha256}.part"))
    }

    /// Where a delta on its way is.
    pub fn delta(&self) -> PathBuf {
        self.folder.join("delta")
    }

    /// Where the list is that a delta makes.
    pub fn made(&self) -> PathBuf {
        self.folder.join("made")
    }

    /// Gives a list that is whole its name, durably.
    pub fn keep(&self, from: &Path, sha256: &Sha256) -> Result<()> {
        durable::put_in_place(from, &self.file(sha256)).context(Kind::Storage, || could_not_write(&self.folder))
    }

    /// Notes that this version was accepted, durably, and lets go of all others but these.
    pub fn accept(&self, version: &ListVersion, coming: &[Sha256]) -> Result<()> {
        let text = serde_json::to_vec(version).context(Kind::Internal, || could_not_write(&self.folder))?;
        durable::write(&self.folder.join("accepted.json"), &text)
            .context(Kind::Storage, || could_not_write(&self.folder))?;
        self.keep_only(&[&[version.sha256], coming].concat());
        Ok(())
    }

    /// Lets go of all files but those of these versions. One that can't be removed is tried
    /// again the next time.
    pub fn keep_only(&self, versions: &[Sha256]) {
        let wanted = |name: &str| name == "accepted.json" || versions.iter().any(|v| name.starts_with(&v.to_string()));
        for file in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if !file.file_name().to_str().is_some_and(wanted) {
                let _ = fs::remove_file(file.path());
            }
        }
    }

    /// Lets go of the list: it is no longer handed out.
    pub fn remove(&self) -> Result<()> {
        // First that it counts, so that a crash in between leaves no half list that does.
        durable::remove(&self.folder.join("accepted.json"))
            .and_then(|()| durable::remove_folder(&self.folder))
            .context(Kind::Storage, || could_not_write(&self.folder))
    }
}

/// Size of a file; none counts as empty.
pub(super) fn size(path: &Path) -> Result<u64> {
    match fs::metadata(path) {
        Ok(meta) => Ok(meta.len()),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(0),
        Err(e) => Err(e).context(Kind::Storage, || could_not_read(path)),
    }
}

/// Hash of a file.
pub(super) fn hash(path: &Path) -> Result<Sha256> {
    Sha256::of_file(path).context(Kind::Storage, || could_not_read(path))
}

pub(super) fn could_not_write(path: &Path) -> String {
    format!("could not write to {}", path.display())
}

pub(super) fn could_not_read(path: &Path) -> String {
    format!("could not read {}", path.display())
}
