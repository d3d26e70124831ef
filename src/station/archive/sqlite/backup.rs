//! Backups: a copy of the whole archive, as it is at one moment a part, beside a running station; encrypted as the
//! archive is. The key is not in it.

use super::super::contents::{Contents, FileOf, be_empty, copy_file};
use super::unit::{Name, Unit};
use super::{Options, SqliteArchive, pack};
use crate::database::could_not_read;
use crate::key::FileKey;
use crate::owner::Owner;
use crate::sqlcipher::{self, Access, SqlContext};
use jiff::Timestamp;
use plated_core::digest::Sha256;
use plated_core::durable;
use plated_core::error::{Context, Error, Kind, Result};
use std::fs::{self, File};
use std::io;
use std::path::Path;
use uuid::Uuid;

/// Lies in the folder of an archive while a backup is being put there.
const UNFINISHED: &str = "restore.unfinished";

/// Refuses the folder of an archive into which a backup was put in part.
pub(super) fn refuse_unfinished(data: &Path) -> Result<()> {
    if !data.join(UNFINISHED).exists() {
        return Ok(());
    }
    let message = format!(
        "a restore into {} was cut off, and not all of the backup is there; run `plated-station restore` again",
        data.display()
    );
    Err(Error::new(Kind::Refused, message))
}

impl SqliteArchive {
    /// Copies all of it to `to`, which must be empty or not there yet; gives files and bytes. No read is deleted
    /// meanwhile, and vehicles go on sending.
    ///
    /// # Errors
    /// `Refused` when something is there, `Storage` when it can't be written. Only one that returns is a backup.
    pub fn backup(&self, to: &Path, now: Timestamp) -> Result<(u64, u64)> {
        let _changes = self.changing()?;
        be_empty(to)?;
        let mut copy = Copy { from: &self.data, to, files: Vec::new() };
        copy.database(Path::new("station.db"), &self.key.of_database()?)?;
        for unit in self.units.all() {
            copy.unit(&unit)?;
        }
        copy.folder(Path::new("hotlists"))?;
        let contents = Contents { files: copy.files, ..Contents::new(&self.station, now, &self.key) };
        contents.write(to)?;
        Ok((contents.files.len() as u64, contents.files.iter().map(|file| file.bytes).sum()))
    }

    /// Puts a backup into the archive's folder, which must be empty or not there yet, or hold what a restore left that
    /// was cut off, and opens it. Each file is compared with its hash. When it fails, the folder is as it was.
    ///
    /// # Errors
    /// `Refused` when something is there or the key is another one, `Damaged` when the backup is not what was written.
    pub fn restore(options: &Options<'_>, from: &Path) -> Result<Self> {
        let contents = Contents::read(from, &options.key)?;
        if contents.database.is_some() {
            let message = format!("{} is of an archive on PostgreSQL; this one is in files", from.display());
            return Err(Error::new(Kind::Refused, message));
        }
        let (data, is_new) = (options.data, !options.data.exists());
        let owner = Owner::for_root(data)?;
        let into = || format!("could not write to {}", data.display());
        let unfinished = data.join(UNFINISHED);
        if unfinished.exists() {
            clear(data).context(Kind::Storage, into)?;
        } else {
            be_empty(data)?;
            durable::write(&unfinished, b"").context(Kind::Storage, into)?;
            durable::sweep(data);
        }
        if let Err(e) = put(&contents, from, data).and_then(|()| {
            owner.give_folder(data).and_then(|()| durable::remove(&unfinished)).context(Kind::Storage, into)
        }) {
            // As far as it goes: what is left is taken for no archive, and cleared away by the next restore.
            let cleared = clear(data).and_then(|()| durable::remove(&unfinished));
            let _ = cleared.and_then(|()| if is_new { durable::remove_folder(data) } else { Ok(()) });
            return Err(e);
        }
        Self::open(options)
    }
}

/// Copies the files of a backup.
fn put(contents: &Contents, from: &Path, data: &Path) -> Result<()> {
    contents.files.iter().try_for_each(|file| {
        let copied = copy_file(&from.join(&file.path), &data.join(&file.path))?;
        file.compare(from, copied)
    })
}

/// Removes all that a restore has put there, and leaves what says that it was not finished.
fn clear(data: &Path) -> io::Result<()> {
    for entry in fs::read_dir(data)? {
        let path = entry?.path();
        match path.is_dir() && !path.is_symlink() {
            true => durable::remove_folder(&path)?,
            false if path.ends_with(UNFINISHED) => {}
            false => durable::remove(&path)?,
        }
    }
    Ok(())
}

struct Copy<'a> {
    from: &'a Path,
    to: &'a Path,
    files: Vec<FileOf>,
}

impl Copy<'_> {
    /// A database as it is at one moment.
    fn database(&mut self, path: &Path, key: &FileKey) -> Result<()> {
        let (from, to) = (self.from.join(path), self.to.join(path));
        let failed = || format!("could not copy {} to {}", from.display(), to.display());
        durable::make_folder(durable::folder_of(&to)).context(Kind::Storage, failed)?;
        let connection = sqlcipher::connect(&from, key, Access::Read).sql(failed)?;
        connection.execute("VACUUM INTO ?1", [to.to_string_lossy()]).sql(failed)?;
        let file = File::open(&to).context(Kind::Storage, failed)?;
        file.sync_all().and_then(|()| durable::sync_folder(durable::folder_of(&to))).context(Kind::Storage, failed)?;
        let bytes = file.metadata().context(Kind::Storage, failed)?.len();
        let sha256 = Sha256::of_reader(file).context(Kind::Storage, failed)?;
        self.files.push(FileOf { path: path.to_owned(), bytes, sha256 });
        Ok(())
    }

    fn unit(&mut self, unit: &Unit) -> Result<()> {
        let kind = if matches!(unit.name, Name::Hold(_)) { "holds" } else { "reads" };
        let folder = Path::new(kind).join(unit.name.folder());
        self.database(&folder.join("reads.db"), unit.key())?;
        // Written before the rows that name them, so all of those are there.
        let packs: Vec<Uuid> = {
            let copy = sqlcipher::connect(&self.to.join(&folder).join("reads.db"), unit.key(), Access::Read);
            let copy = copy.sql(could_not_read)?;
            let mut all = copy.prepare("SELECT id FROM packs").sql(could_not_read)?;
            all.query_map([], |row| row.get(0).map(Uuid::from_bytes)).and_then(Iterator::collect).sql(could_not_read)?
        };
        packs.into_iter().try_for_each(|id| self.file(&pack::path(&folder, id)))
    }

    fn folder(&mut self, folder: &Path) -> Result<()> {
        for entry in fs::read_dir(self.from.join(folder)).into_iter().flatten().flatten() {
            let path = folder.join(entry.file_name());
            match entry.path() {
                inner if inner.is_dir() => self.folder(&path)?,
                _ if durable::is_unfinished(&entry.file_name().to_string_lossy()) => {}
                _ => self.file(&path)?,
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path) -> Result<()> {
        let (bytes, sha256) = copy_file(&self.from.join(path), &self.to.join(path))?;
        self.files.push(FileOf { path: path.to_owned(), bytes, sha256 });
        Ok(())
    }
}
