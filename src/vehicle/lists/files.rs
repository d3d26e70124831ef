//! The folder of the lists in force.
//!
//! A list stands there in canonical form (one [`EntryRecord`] as JSON a line, lines sorted by
//! their bytes), in a file named by list and SHA-256. Which of several is in force, the store
//! says: a crash between a new file and that word leaves the old list, and a file that is not what
//! its name says is refused. A list of the station has that form already and is not copied: its
//! file gets a second name here.

use plated_core::digest::Sha256;
use plated_core::durable;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::record::EntryRecord;
use plated_core::sort::{SortKey, Sorter};
use plated_hotlist::INDEX_VERSION;
use plated_hotlist::canonical::CanonicalWriter;
use plated_hotlist::text::clean_entry;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// Begin of the names of folders for files that are still coming.
const INCOMING: &str = "incoming-";

/// Memory for sorting, in bytes.
const SORT_MEMORY: usize = 64 << 20;
/// End of the name of an index.
const INDEX: &str = ".index";

/// Takes one entry after the other.
pub type Each<'a> = &'a mut dyn FnMut(&EntryRecord) -> Result<()>;

/// The folder.
#[derive(Clone, Debug)]
pub struct ListFiles {
    folder: PathBuf,
}

impl ListFiles {
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
        durable::make_folder(&self.folder)
            .context(Kind::Storage, || format!("could not make the folder {}", self.folder.display()))?;
        Ok(&self.folder)
    }

    /// Removes what an import left that was cut off.
    pub fn sweep(&self) {
        durable::sweep(&self.folder);
        for path in std::fs::read_dir(&self.folder).into_iter().flatten().flatten().map(|e| e.path()) {
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
            // It only takes room.
            if name.starts_with(INCOMING) {
                let _ = std::fs::remove_dir_all(&path);
            }
        }
    }

    /// A place for a file that is still coming, under a name of its own.
    ///
    /// # Errors
    /// `Storage` when there can't be one.
    pub fn incoming(&self, name: &OsStr) -> Result<IncomingFile> {
        let folder = self.folder()?.join(format!("{INCOMING}{}", uuid::Uuid::now_v7()));
        durable::make_folder(&folder)
            .context(Kind::Storage, || format!("could not make the folder {}", folder.display()))?;
        Ok(IncomingFile { path: folder.join(name), folder })
    }

    /// Puts the list that `fill` gives, entry by entry. It is durable when this
    /// returns, and not yet in force. Gives what `fill` gives.
    ///
    /// # Errors
    /// What `fill` says, and `Storage` when it can't be written; nothing is kept then.
    pub fn put<T>(&self, list: &str, fill: impl FnOnce(Each<'_>) -> Result<T>) -> Result<(Sha256, T)> {
        self.put_with(SORT_MEMORY, list, fill)
    }

    fn put_with<T>(&self, room: usize, list: &str, fill: impl FnOnce(Each<'_>) -> Result<T>) -> Result<(Sha256, T)> {
        let folder = self.folder()?;
        let failed = || could_not_write(list, folder);
        let (mut sorter, mut line) = (Sorter::new(folder, SortKey::Whole, room), Vec::new());
        let given = fill(&mut |entry| {
            line.clear();
            let written = serde_json::to_writer(&mut line, entry);
            written.context(Kind::Internal, || "an entry can't be written as JSON".into())?;
            sorter.push(&line).context(Kind::Storage, failed)
        })?;
        let mut writer = CanonicalWriter::new(durable::Writer::create(folder, 0o600).context(Kind::Storage, failed)?);
        let mut sorted = sorter.finish().context(Kind::Storage, failed)?;
        while let Some(line) = sorted.advance().context(Kind::Storage, failed)? {
            writer.add(line)?;
        }
        let (file, written) = writer.finish()?;
        file.finish(&self.path(list, &written.sha256)).context(Kind::Storage, failed)?;
        Ok((written.sha256, given))
    }

    /// Puts the file of a list that has the canonical form, and this hash: under a
    /// second name or, where the file system has none, as a copy. It is durable when this returns,
    /// and not yet in force.
    ///
    /// # Errors
    /// `Storage` when that can't be done.
    pub fn share(&self, list: &str, sha256: &Sha256, file: &Path) -> Result<()> {
        let folder = self.folder()?;
        durable::share(file, &self.path(list, sha256)).context(Kind::Storage, || could_not_write(list, folder))
    }

    /// Sees that a list is there, whole.
    ///
    /// # Errors
    /// As [`ListFiles::lines`].
    pub fn check(&self, list: &str, sha256: &Sha256) -> Result<()> {
        self.lines(list, sha256).map(|_| ())
    }

    /// The lines of a list.
    ///
    /// # Errors
    /// `Missing` when it is not there, `Damaged` when it is not what was written.
    pub fn lines(&self, list: &str, sha256: &Sha256) -> Result<impl Iterator<Item = Result<String>> + use<>> {
        let path = self.path(list, sha256);
        let failed = format!("could not read the list {}", path.display());
        let message = failed.clone();
        let file = File::open(&path).context(Kind::Missing, || failed.clone())?;
        if Sha256::of_reader(file).context(Kind::Storage, || failed.clone())? != *sha256 {
            let message = format!("the list {} is not what was written; import it again", path.display());
            return Err(Error::new(Kind::Damaged, message));
        }
        let again = File::open(&path).context(Kind::Missing, || failed)?;
        Ok(BufReader::new(again).lines().map(move |line| line.context(Kind::Storage, || message.clone())))
    }

    /// Gives the entries of a list, one after the other.
    ///
    /// # Errors
    /// As [`ListFiles::lines`], and what `each` says.
    pub fn read(&self, list: &str, sha256: &Sha256, mut each: impl FnMut(EntryRecord) -> Result<()>) -> Result<()> {
        self.lines(list, sha256)?.try_for_each(|line| {
            let mut entry = serde_json::from_str(&line?).context(Kind::Damaged, || {
                format!("the list {list} holds what another version wrote; import it again")
            })?;
            // A list of the station comes here as it was sent.
            clean_entry(&mut entry);
            each(entry)
        })
    }

    /// Removes all versions of a list, and all indexes, but those of the version in force, if there is
    /// one.
    pub fn tidy(&self, list: &str, keep: Option<&Sha256>) {
        let keep = keep.map_or_else(Vec::new, |sha256| vec![self.path(list, sha256), self.index(list, sha256)]);
        for path in std::fs::read_dir(&self.folder).into_iter().flatten().flatten().map(|e| e.path()) {
            if !keep.contains(&path) && is_of(list, &path) {
                // It only takes room; the next import tries again.
                let _ = std::fs::remove_file(path);
            }
        }
    }

    /// Where the index of a list is, as this program writes it.
    pub fn index(&self, list: &str, sha256: &Sha256) -> PathBuf {
        self.folder.join(format!("{list}-{sha256}.{INDEX_VERSION}{INDEX}"))
    }

    fn path(&self, list: &str, sha256: &Sha256) -> PathBuf {
        self.folder.join(format!("{list}-{sha256}.jsonl"))
    }
}

/// True for the files of a list: a version, or an index of one.
fn is_of(list: &str, path: &Path) -> bool {
    let of_list = |name: &str| {
        let rest = name.strip_prefix(list)?.strip_prefix('-')?;
        let (sha256, end) = rest.split_once('.')?;
        sha256.parse::<Sha256>().ok()?;
        Some(end == "jsonl" || end.ends_with(&INDEX[1..]))
    };
    path.file_name().and_then(OsStr::to_str).and_then(of_list).unwrap_or(false)
}

/// A file that is still coming, in a folder of its own, since its name can say its format. Gone when
/// dropped.
#[derive(Debug)]
pub struct IncomingFile {
    folder: PathBuf,
    path: PathBuf,
}

impl IncomingFile {
    /// Where it is to be written.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for IncomingFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder); // It only takes room.
    }
}

fn could_not_write(list: &str, folder: &Path) -> String {
    format!("could not write the list {list} to {}", folder.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(files: &ListFiles, list: &str, plates: &[&str]) -> Sha256 {
        let entry = |plate: &str| EntryRecord { plate: plate.into(), ..EntryRecord::default() };
        files.put(list, |each| plates.iter().try_for_each(|plate| each(&entry(plate)))).unwrap().0
    }

    fn plates(files: &ListFiles, list: &str, version: &Sha256) -> Result<Vec<String>> {
        let mut plates = Vec::new();
        let mut each = |entry: EntryRecord| {
            plates.push(entry.plate);
            Ok(())
        };
        files.read(list, version, &mut each)?;
        Ok(plates)
    }

    #[test]
    fn a_list_reads_back_in_canonical_order_and_older_versions_go() {
        let dir = tempfile::tempdir().unwrap();
        let files = ListFiles::beside(&dir.path().join("store.db"));
        let old = put(&files, "svs", &["1ABC234"]);
        let other = put(&files, "svs-night", &["1ABC234"]);
        let new = put(&files, "svs", &["9ZZZ999", "1ABC234", "1ABC234"]);
        let read = plates(&files, "svs", &new).unwrap();
        assert_eq!(read, ["1ABC234", "1ABC234", "9ZZZ999"], "an entry that stands there twice stays so");
        assert_eq!(plates(&files, "svs", &old).unwrap().len(), 1, "until it is out of force");
        files.tidy("svs", Some(&new));
        assert_eq!(plates(&files, "svs", &old).unwrap_err().kind(), Kind::Missing);
        assert!(plates(&files, "svs-night", &other).is_ok());
        assert_eq!(new, put(&files, "svs", &["1ABC234", "9ZZZ999", "1ABC234"]));
        files.tidy("svs", None);
        assert_eq!(plates(&files, "svs", &new).unwrap_err().kind(), Kind::Missing);
    }

    #[test]
    fn a_list_that_does_not_fit_into_memory_is_the_same_list_and_leaves_nothing_beside() {
        let dir = tempfile::tempdir().unwrap();
        let files = ListFiles::beside(&dir.path().join("store.db"));
        let entry = |n: u32| EntryRecord { plate: format!("{}ABC{n:03}", n % 7), ..EntryRecord::default() };
        let put = |room| files.put_with(room, "svs", |each| (0..900).try_for_each(|n| each(&entry(n)))).unwrap().0;
        let whole = put(SORT_MEMORY);
        assert_eq!(put(5000), whole);
        assert_eq!(plates(&files, "svs", &whole).unwrap().len(), 900);
        assert_eq!(std::fs::read_dir(&files.folder).unwrap().count(), 1);
        let refused = |each: Each<'_>| {
            (0..900).try_for_each(|n| each(&entry(n)))?;
            Err::<(), _>(Error::new(Kind::Input, "cut off"))
        };
        assert!(files.put_with(5000, "svs", refused).is_err());
        assert_eq!(std::fs::read_dir(&files.folder).unwrap().count(), 1);
    }

    #[test]
    fn a_file_in_canonical_form_is_shared_and_each_of_its_names_can_go_alone() {
        use std::os::unix::fs::MetadataExt;
        let dir = tempfile::tempdir().unwrap();
        let files = ListFiles::beside(&dir.path().join("store.db"));
        let version = put(&files, "made", &["1ABC234"]);
        let theirs = dir.path().join("theirs.jsonl");
        std::fs::rename(files.path("made", &version), &theirs).unwrap();
        for _ in 0..2 {
            files.share("svs", &version, &theirs).unwrap();
            assert_eq!(std::fs::metadata(files.path("svs", &version)).unwrap().nlink(), 2);
            assert_eq!(std::fs::read_dir(&files.folder).unwrap().count(), 1);
        }
        put(&files, "svs", &["9ZZZ999"]);
        std::fs::remove_file(&theirs).unwrap();
        assert_eq!(plates(&files, "svs", &version).unwrap(), ["1ABC234"]);
        // A file system without second names, such as that of a medium.
        let elsewhere = Path::new("/dev/shm").join(format!("plated-{}", uuid::Uuid::now_v7()));
        std::fs::copy(files.path("svs", &version), &elsewhere).unwrap();
        files.tidy("svs", None);
        let shared = files.share("svs", &version, &elsewhere);
        std::fs::remove_file(&elsewhere).unwrap();
        shared.unwrap();
        assert_eq!(plates(&files, "svs", &version).unwrap(), ["1ABC234"]);
    }

    #[test]
    fn what_an_import_left_that_was_cut_off_is_swept_and_lists_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let files = ListFiles::beside(&dir.path().join("store.db"));
        let version = put(&files, "svs", &["1ABC234"]);
        for left in [".a1b2c3.unfinished", ".d4e5f6.unfinished"] {
            std::fs::write(files.folder.join(left), "half a l").unwrap();
        }
        files.sweep();
        assert_eq!(std::fs::read_dir(&files.folder).unwrap().count(), 1);
        assert!(plates(&files, "svs", &version).is_ok());
    }

    #[test]
    fn text_that_a_station_sent_is_made_safe_before_it_is_matched_or_shown() {
        let dir = tempfile::tempdir().unwrap();
        let files = ListFiles::beside(&dir.path().join("store.db"));
        let sent =
            EntryRecord { plate: "7ABC123".into(), reason: "\u{202e}red\u{1b}[2J".into(), ..EntryRecord::default() };
        let version = files.put("svs", |each| each(&sent)).unwrap().0;
        let mut reasons = Vec::new();
        let mut each = |entry: EntryRecord| {
            reasons.push(entry.reason);
            Ok(())
        };
        files.read("svs", &version, &mut each).unwrap();
        assert_eq!(reasons, ["red[2J"]);
    }

    #[test]
    fn a_list_that_was_changed_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let files = ListFiles::beside(&dir.path().join("store.db"));
        let version = put(&files, "svs", &["1ABC234"]);
        let path = files.path("svs", &version);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("1ABC234", "1ABC235")).unwrap();
        assert_eq!(plates(&files, "svs", &version).unwrap_err().kind(), Kind::Damaged);
    }
}
