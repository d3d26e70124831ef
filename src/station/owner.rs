//! To whom new files in the data folder go: root works for the station's user, and nobody else for another.

use plated_core::durable;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::user::SystemUser;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, fchown, lchown};
use std::path::Path;

/// The owner of the data folder, where that is another user than the one of this process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner(Option<(u32, u32)>);

impl Owner {
    /// Of this data folder.
    ///
    /// # Errors
    /// `Missing` when it is not there, `Refused` when it belongs to somebody else and this is not root.
    pub fn of(data: &Path) -> Result<Self> {
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

    /// For root the owner of this data folder, or of the folder that it will be in; nobody for any other user, who can
    /// give nothing away.
    ///
    /// # Errors
    /// `Storage` when it can't be looked at.
    pub fn for_root(data: &Path) -> Result<Self> {
        let Some(folder) = data.ancestors().find(|folder| folder.is_dir()) else { return Ok(Self(None)) };
        if SystemUser::of_this_process().uid != 0 {
            return Ok(Self(None));
        }
        let meta = fs::metadata(folder).context(Kind::Storage, || format!("could not look at {}", folder.display()))?;
        Ok(Self((meta.uid() != 0).then(|| (meta.uid(), meta.gid()))))
    }

    /// Gives them a file that is being written.
    pub fn give_file(self, file: &mut durable::Writer) -> io::Result<()> {
        self.0.map_or(Ok(()), |(user, group)| file.give_to(user, group))
    }

    /// Gives them an open file.
    pub fn give_open(self, file: &File) -> io::Result<()> {
        self.0.map_or(Ok(()), |(user, group)| fchown(file, Some(user), Some(group)))
    }

    /// Gives them what is at `path`.
    pub fn give(self, path: &Path) -> io::Result<()> {
        // Not what a link leads to.
        self.0.map_or(Ok(()), |(user, group)| lchown(path, Some(user), Some(group)))
    }

    /// Gives them a folder with everything in it. Nobody else may be able to write there.
    pub fn give_folder(self, folder: &Path) -> io::Result<()> {
        if self.0.is_none() {
            return Ok(());
        }
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            match entry.file_type()?.is_dir() {
                true => self.give_folder(&entry.path())?,
                false => self.give(&entry.path())?,
            }
        }
        self.give(folder)
    }
}
