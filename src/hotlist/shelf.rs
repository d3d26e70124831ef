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

    /// Puts a list on the shelf. It is durable when this returns, and not yet in force.
    ///
    /// # Errors
    /// `Storage` when it can't be written.
    pub fn put<'a>(&self, list: &str, entries: impl IntoIterator<Item = &'a EntryRecord>) -> Result<Sha256> {
        let folder = self.folder()?;
        let new = folder.join(format!("{list}.new"));
        let doing = || format!("could not write the list {}", new.display());
        let mut lines = entries
            .into_iter()
            .map(serde_json::to_vec)
            .collect::<Result<Vec<_>, _>>()
            .context(Kind::Internal, || format!("an entry of the list {list} can't be written as JSON"))?;
        lines.sort_unstable();
        let write = || {
            let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
            let (mut out, mut hasher) = (BufWriter::new(file), Hasher::new());
            for mut line in lines {
                line.push(b'\n');
                hasher.update(&line);
                out.write_all(&line)?;
            }
            out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
            Ok::<_, std::io::Error>(Sha256(hasher.finalize().into()))
        };
        let sha256 = write().context(Kind::Storage, doing)?;
        std::fs::rename(&new, self.path(list, &sha256))
            .and_then(|()| File::open(folder)?.sync_all())
            .context(Kind::Storage, doing)?;
        Ok(sha256)
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

    /// The entries of a list.
    ///
    /// # Errors
    /// As [`Shelf::lines`].
    pub fn entries(&self, list: &str, sha256: &Sha256) -> Result<Vec<EntryRecord>> {
        let parse = |line: Result<String>| {
            serde_json::from_str(&line?)
                .context(Kind::Damaged, || format!("the list {list} holds what another version wrote; import it again"))
        };
        self.lines(list, sha256)?.map(parse).collect()
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

    fn entry(plate: &str) -> EntryRecord {
        EntryRecord { list: "svs".into(), plate: plate.into(), ..EntryRecord::default() }
    }

    #[test]
    fn a_list_reads_back_in_canonical_order_and_older_versions_go() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::beside(&dir.path().join("store.db"));
        let old = shelf.put("svs", &[entry("1ABC234")]).unwrap();
        let other = shelf.put("svs-night", &[entry("1ABC234")]).unwrap();
        let new = shelf.put("svs", &[entry("9ZZZ999"), entry("1ABC234"), entry("1ABC234")]).unwrap();
        let plates: Vec<_> = shelf.entries("svs", &new).unwrap().into_iter().map(|e| e.plate).collect();
        assert_eq!(plates, ["1ABC234", "1ABC234", "9ZZZ999"], "an entry that stands there twice stays so");
        assert_eq!(shelf.entries("svs", &old).unwrap().len(), 1, "until it is out of force");
        shelf.tidy("svs", &new);
        assert_eq!(shelf.entries("svs", &old).unwrap_err().kind(), Kind::Missing);
        assert!(shelf.entries("svs-night", &other).is_ok());
        assert_eq!(new, shelf.put("svs", &[entry("1ABC234"), entry("9ZZZ999"), entry("1ABC234")]).unwrap());
    }

    #[test]
    fn a_list_that_was_changed_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::beside(&dir.path().join("store.db"));
        let version = shelf.put("svs", &[entry("1ABC234")]).unwrap();
        let path = shelf.path("svs", &version);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("1ABC234", "1ABC235")).unwrap();
        assert_eq!(shelf.entries("svs", &version).unwrap_err().kind(), Kind::Damaged);
    }
}
