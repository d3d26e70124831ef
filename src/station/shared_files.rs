//! Files that every station hands out, lists and models. Several stations on one database have them there, and each keeps a
//! copy in its data folder of what it was asked for; for a station alone there is only the folder.
//!
//! ```text
//! data/hotlists/NAME/SHA256.jsonl     the file `hotlists/NAME/SHA256.jsonl` of the database
//! data/sharing/                       files on their way from there
//! ```
//!
//! Their names have the hashes of their content in them, so a copy that is there is the file, but for what was left out of
//! a version of a list (`….left_out`), which only those who change lists look at; [`SharedFiles::mirror`] is for them.

use crate::database::Database;
use crate::owner::Owner;
use crate::postgres::{Server, Tx};
use plated_core::digest::{Hasher, Sha256};
use plated_core::durable::{self, Writer};
use plated_core::error::{Context, Error, Kind, Result};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// What only PostgreSQL has.
pub(crate) const SCHEMA: &str = include_str!("shared_files.sql");
const PIECE_BYTES: u64 = 1 << 20;
/// Where they lie in the data folder.
const FOLDERS: [&str; 2] = ["hotlists", "models"];
/// Files that are shared, by how their names end; a model's has only its hash.
const ENDINGS: [Option<&str>; 4] = [Some("jsonl"), Some("left_out"), Some("delta"), None];

/// The files in a data folder that other stations have too.
#[derive(Debug)]
pub(crate) struct SharedFiles {
    /// Where they are shared; none where one station has them for itself.
    server: Option<Arc<Server>>,
    data: PathBuf,
    /// One file comes at a time: hundreds of vehicles ask for the same new list at once.
    coming: Mutex<()>,
}

/// A file as the database has it, or as it lies in the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct About {
    bytes: u64,
    /// Of one whose name does not say it.
    sha256: Option<Sha256>,
}

impl SharedFiles {
    /// Those of the station with this database and data folder.
    pub fn of(database: &Database, data: &Path) -> Self {
        Self { server: database.server().cloned(), data: data.to_owned(), coming: Mutex::default() }
    }

    /// Brings a file that another station shared, where it is not in the folder yet; false when none did.
    ///
    /// # Errors
    /// What keeps it from being brought.
    pub fn fetch(&self, file: &Path) -> Result<bool> {
        let (Some(server), Ok(path)) = (&self.server, file.strip_prefix(&self.data)) else { return Ok(true) };
        let _alone = self.coming.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(file.exists() || self.bring(server, &path.to_string_lossy())?)
    }

    /// Makes what lies in a folder the same as what is shared of it. Whoever does so must have it for themselves.
    ///
    /// # Errors
    /// What keeps files from being brought.
    pub fn mirror(&self, folder: &Path) -> Result<()> {
        let Some(server) = &self.server else { return Ok(()) };
        let (there, here) = (self.shared(server, folder)?, self.here(folder)?);
        for (path, about) in &there {
            if here.get(path) != Some(about) {
                self.bring(server, path)?;
            }
        }
        for path in here.keys().filter(|path| !there.contains_key(*path)) {
            durable::remove(&self.data.join(path)).context(Kind::Storage, || could_not_write(&self.data))?;
        }
        Ok(())
    }

    /// Shares what lies in a folder and is not shared yet. Durable on return.
    ///
    /// # Errors
    /// What keeps it from being shared.
    pub fn push(&self, folder: &Path) -> Result<()> {
        let Some(server) = &self.server else { return Ok(()) };
        let there = self.shared(server, folder)?;
        self.here(folder)?
            .iter()
            .filter(|(path, about)| there.get(*path) != Some(about))
            .try_for_each(|(path, _)| server.transaction(|tx| put(tx, &self.data, path)))
    }

    /// Shares all files of the data folder that are for all stations.
    ///
    /// # Errors
    /// What keeps them from being shared.
    pub fn push_all(&self) -> Result<()> {
        FOLDERS.iter().try_for_each(|folder| self.push(&self.data.join(folder)))
    }

    /// Shares no more what does not lie in a folder any more.
    ///
    /// # Errors
    /// What keeps it from being removed.
    pub fn prune(&self, folder: &Path) -> Result<()> {
        let Some(server) = &self.server else { return Ok(()) };
        let here = self.here(folder)?;
        let gone = self.shared(server, folder)?.into_keys().filter(|path| !here.contains_key(path));
        let gone: Vec<String> = gone.collect();
        server.transaction(|tx| tx.run("DELETE FROM shared_files WHERE path = ANY($1)", &[&gone]).map(drop))
    }

    /// What is shared of a folder.
    fn shared(&self, server: &Server, folder: &Path) -> Result<BTreeMap<String, About>> {
        let prefix = format!("{}/", folder.strip_prefix(&self.data).unwrap_or(folder).display());
        let sql = "SELECT path, bytes, sha256 FROM shared_files WHERE starts_with(path, $1)";
        let rows = server.read(|tx| tx.all(sql, &[&prefix]))?;
        let about = |row: &tokio_postgres::Row| {
            let (path, bytes, sha256): (String, i64, &[u8]) = (row.get(0), row.get(1), row.get(2));
            let sha256 = sha256.try_into().ok().map(Sha256).filter(|_| !is_named_by_content(&path));
            (path, About { bytes: bytes.unsigned_abs(), sha256 })
        };
        Ok(rows.iter().map(about).collect())
    }

    /// What lies in a folder and is for all stations.
    fn here(&self, folder: &Path) -> Result<BTreeMap<String, About>> {
        let mut found = BTreeMap::new();
        self.look(folder, &mut found).context(Kind::Storage, || format!("could not read {}", folder.display()))?;
        Ok(found)
    }

    fn look(&self, folder: &Path, found: &mut BTreeMap<String, About>) -> io::Result<()> {
        if !folder.exists() {
            return Ok(());
        }
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                self.look(&path, found)?;
                continue;
            }
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if durable::is_unfinished(&name) || !ENDINGS.contains(&path.extension().and_then(|ending| ending.to_str()))
            {
                continue;
            }
            let shared = path.strip_prefix(&self.data).unwrap_or(&path).to_string_lossy().into_owned();
            let sha256 = if is_named_by_content(&shared) { None } else { Some(Sha256::of_file(&path)?) };
            found.insert(shared, About { bytes: fs::metadata(&path)?.len(), sha256 });
        }
        Ok(())
    }

    /// Brings a file from the database; false when it has none of this name.
    fn bring(&self, server: &Server, path: &str) -> Result<bool> {
        let (owner, to, coming) = (Owner::of(&self.data)?, self.data.join(path), self.data.join("sharing"));
        let failed = || could_not_write(&self.data);
        for folder in [&coming, durable::folder_of(&to)] {
            durable::make_folder(folder).and_then(|()| owner.give(folder)).context(Kind::Storage, failed)?;
        }
        // Commands bring files into the same folder. Whoever has it for itself throws away what a kill left there.
        let alone = File::open(&coming).context(Kind::Storage, failed)?;
        alone.lock().context(Kind::Storage, failed)?;
        durable::sweep(&coming);
        let mut file = Writer::create(&coming, 0o600).context(Kind::Storage, failed)?;
        let is_there = server.read(|tx| {
            let sql = "SELECT bytes, sha256 FROM shared_files WHERE path = $1";
            let Some(about) = tx.all(sql, &[&path])?.pop() else { return Ok(false) };
            let (bytes, sha256): (i64, &[u8]) = (about.get(0), about.get(1));
            let mut hash = Hasher::new();
            for number in 0..bytes.unsigned_abs().div_ceil(PIECE_BYTES) {
                let sql = "SELECT bytes FROM shared_pieces WHERE path = $1 AND number = $2";
                let piece = tx.one(sql, &[&path, &i32::try_from(number).unwrap_or(i32::MAX)])?;
                let piece: &[u8] = piece.get(0);
                hash.update(piece);
                file.write_all(piece).context(Kind::Storage, failed)?;
            }
            if hash.finish().0 != sha256 {
                let message = format!("{path} in the database does not fit its hash; publish it again");
                return Err(Error::new(Kind::Damaged, message));
            }
            Ok(true)
        })?;
        if is_there {
            let finished = owner.give_file(&mut file).and_then(|()| file.finish(&to));
            finished.context(Kind::Storage, failed)?;
        }
        Ok(is_there)
    }
}

/// Puts a file into the database, in the place of one of the same name.
fn put(tx: &Tx<'_>, data: &Path, path: &str) -> Result<()> {
    let whole = data.join(path);
    let failed = || format!("could not read {}", whole.display());
    let sha256 = Sha256::of_file(&whole).context(Kind::Storage, failed)?;
    let bytes = fs::metadata(&whole).context(Kind::Storage, failed)?.len().cast_signed();
    tx.run("DELETE FROM shared_files WHERE path = $1", &[&path])?;
    let sql = "INSERT INTO shared_files (path, bytes, sha256) VALUES ($1, $2, $3)";
    tx.run(sql, &[&path, &bytes, &sha256.0.as_slice()])?;
    let (file, mut piece) = (File::open(&whole).context(Kind::Storage, failed)?, Vec::new());
    for number in 0.. {
        piece.clear();
        if (&file).take(PIECE_BYTES).read_to_end(&mut piece).context(Kind::Storage, failed)? == 0 {
            break;
        }
        let sql = "INSERT INTO shared_pieces (path, number, bytes) VALUES ($1, $2, $3)";
        tx.run(sql, &[&path, &number, &piece.as_slice()])?;
    }
    Ok(())
}

fn is_named_by_content(path: &str) -> bool {
    !path.ends_with(".left_out")
}

fn could_not_write(data: &Path) -> String {
    format!("could not write to {}", data.display())
}
