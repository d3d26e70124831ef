//! The folder of the lists in force.
//!
//! A list stands there in canonical form (one [`EntryRecord`] as JSON a line, lines sorted by
//! their bytes), in a file named by list and SHA-256. Which of several is in force, the store
//! says: a crash between a new file and that word leaves the old list, and a file that is not what
//! its name says is refused.

use crate::error::{Context, Error, Kind, Result};
use crate::wire::{EntryRecord, Sha256};
use sha2::{Digest, Sha256 as Hasher};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Begin of the names of folders for files that are still coming.
pub const INCOMING: &str = "incoming-";

/// Takes one entry after the other.
pub type Each<'a> = &'a mut dyn FnMut(&EntryRecord) -> Result<()>;

/// The folder.
#[derive(Clone, Debug)]
pub struct Shelf {
    folder: PathBuf,
}

impl Shelf {
    /// The one beside the store at `store`.
    pub fn beside(store: &Path) -> Self {
        let mut folder = store.as_os_str().to_owned();
        folder.push("-lists");
        Self { folder: folder.into() }
    }

    /// The folder, made if it is not there.
    ///
    /// # Errors
    /// `Storage` when it can't be made.
    pub fn folder(&self) -> Result<&Path> {
        let made = DirBuilder::new().mode(0o700).recursive(true).create(&self.folder);
        made.context(Kind::Storage, || format!("could not make the folder {}", self.folder.display()))?;
        Ok(&self.folder)
    }

    /// Removes what an import left that was cut off.
    pub fn sweep(&self) {
        for path in std::fs::read_dir(&self.folder).into_iter().flatten().flatten().map(|e| e.path()) {
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
            // It only takes room.
            if name.starts_with(INCOMING) {
                let _ = std::fs::remove_dir_all(&path);
            } else if name.ends_with(".new") {
                let _ = std::fs::remove_file(&path);
            }
        }
    }

    /// Puts the list that `fill` gives, entry by entry, on the shelf. It is durable when this
    /// returns, and not yet in force. Gives what `fill` gives.
    ///
    /// # Errors
    /// What `fill` says, and `Storage` when it can't be written; nothing is on the shelf then.
    pub fn put<T>(&self, list: &str, fill: impl FnOnce(Each<'_>) -> Result<T>) -> Result<(Sha256, T)> {
        let folder = self.folder()?;
        let new = folder.join(format!("{list}.new"));
        let doing = || format!("could not write the list {}", new.display());
        let mut lines = Vec::new();
        let given = fill(&mut |entry| {
            let line = serde_json::to_vec(entry);
            lines.push(line.context(Kind::Internal, || "an entry can't be written as JSON".into())?.into_boxed_slice());
            Ok(())
        })?;
        lines.sort_unstable();
        let write = || {
            let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
            let (mut out, mut hasher) = (BufWriter::new(file), Hasher::new());
            for line in lines {
                for part in [&line[..], b"\n"] {
                    hasher.update(part);
                    out.write_all(part)?;
                }
            }
            out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
            Ok::<_, std::io::Error>(Sha256(hasher.finalize().into()))
        };
        let sha256 = write().context(Kind::Storage, doing)?;
        std::fs::rename(&new, self.path(list, &sha256))
            .and_then(|()| File::open(folder)?.sync_all())
            .context(Kind::Storage, doing)?;
        Ok((sha256, given))
    }

    /// The lines of a list.
    ///
    /// # Errors
    /// `Missing` when it is not there, `Damaged` when it is not what was written.
    pub fn lines(&self, list: &str, sha256: &Sha256) -> Result<impl Iterator<Item = Result<String>> + use<>> {
        let path = self.path(list, sha256);
        let failed = format!("could not read the list {}", path.display());
        let said = failed.clone();
        let mut file = File::open(&path).context(Kind::Missing, || failed.clone())?;
        let (mut hasher, mut buffer) = (Hasher::new(), vec![0; 64 << 10]);
        loop {
            match file.read(&mut buffer).context(Kind::Storage, || failed.clone())? {
                0 => break,
                n => hasher.update(&buffer[..n]),
            }
        }
        if Sha256(hasher.finalize().into()) != *sha256 {
            let said = format!("the list {} is not what was written; import it again", path.display());
            return Err(Error::new(Kind::Damaged, said));
        }
        let again = File::open(&path).context(Kind::Missing, || failed)?;
        Ok(BufReader::new(again).lines().map(move |line| line.context(Kind::Storage, || said.clone())))
    }

    /// Gives the entries of a list, one after the other.
    ///
    /// # Errors
    /// As [`Shelf::lines`], and what `each` says.
    pub fn read(&self, list: &str, sha256: &Sha256, mut each: impl FnMut(EntryRecord) -> Result<()>) -> Result<()> {
        self.lines(list, sha256)?.try_for_each(|line| {
            let entry = serde_json::from_str(&line?);
            each(entry.context(Kind::Damaged, || {
                format!("the list {list} holds what another version wrote; import it again")
            })?)
        })
    }

    /// Removes all versions of a list but the one in force.
    pub fn tidy(&self, list: &str, keep: &Sha256) {
        let keep = self.path(list, keep);
        let of_list = |path: &Path| {
            let name = path.file_name().and_then(|n| n.to_str()).and_then(|n| n.strip_suffix(".jsonl"));
            name.and_then(|n| n.strip_prefix(list)?.strip_prefix('-')?.parse::<Sha256>().ok()).is_some()
        };
        for path in std::fs::read_dir(&self.folder).into_iter().flatten().flatten().map(|e| e.path()) {
            if path != keep && of_list(&path) {
                // It only takes room; the next import tries again.
                let _ = std::fs::remove_file(path);
            }
        }
    }

    fn path(&self, list: &str, sha256: &Sha256) -> PathBuf {
        self.folder.join(format!("{list}-{sha256}.jsonl"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(shelf: &Shelf, list: &str, plates: &[&str]) -> Sha256 {
        let entry = |plate: &str| EntryRecord { plate: plate.into(), ..EntryRecord::default() };
        shelf.put(list, |each| plates.iter().try_for_each(|plate| each(&entry(plate)))).unwrap().0
    }

    fn plates(shelf: &Shelf, list: &str, version: &Sha256) -> Result<Vec<String>> {
        let mut plates = Vec::new();
        let mut each = |entry: EntryRecord| {
            plates.push(entry.plate);
            Ok(())
        };
        shelf.read(list, version, &mut each)?;
        Ok(plates)
    }

    #[test]
    fn a_list_reads_back_in_canonical_order_and_older_versions_go() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::beside(&dir.path().join("store.db"));
        let old = put(&shelf, "svs", &["1ABC234"]);
        let other = put(&shelf, "svs-night", &["1ABC234"]);
        let new = put(&shelf, "svs", &["9ZZZ999", "1ABC234", "1ABC234"]);
        let read = plates(&shelf, "svs", &new).unwrap();
        assert_eq!(read, ["1ABC234", "1ABC234", "9ZZZ999"], "an entry that stands there twice stays so");
        assert_eq!(plates(&shelf, "svs", &old).unwrap().len(), 1, "until it is out of force");
        shelf.tidy("svs", &new);
        assert_eq!(plates(&shelf, "svs", &old).unwrap_err().kind(), Kind::Missing);
        assert!(plates(&shelf, "svs-night", &other).is_ok());
        assert_eq!(new, put(&shelf, "svs", &["1ABC234", "9ZZZ999", "1ABC234"]));
    }

    #[test]
    fn a_list_that_was_changed_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::beside(&dir.path().join("store.db"));
        let version = put(&shelf, "svs", &["1ABC234"]);
        let path = shelf.path("svs", &version);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("1ABC234", "1ABC235")).unwrap();
        assert_eq!(plates(&shelf, "svs", &version).unwrap_err().kind(), Kind::Damaged);
    }
}
