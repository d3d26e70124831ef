//! One owner for one store: an exclusive lock on `<store>.lock`.
//!
//! The kernel releases it when the process ends in whatever way, so a lock is never stale. The
//! file itself stays; it holds the owner's process number for the message to the second one. It is not
//! written by `durable`: after a power cut nobody holds it, whatever is in it.

use super::files::{beside, folder};
use plated_core::error::{Context, Error, Kind, Result};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

/// A command that looks at the store has it for less than this: `plated status` while the daemon starts.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often it is tried again.
const RETRY: Duration = Duration::from_millis(50);

/// The right to write a store, for as long as it lives.
pub(super) struct Lock {
    file: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // By name: closing the file is not enough while a process that is just being started from
        // this one still has it too.
        let _ = self.file.unlock();
    }
}

impl Lock {
    /// Sees that the lock is still the one at its path, and takes the one that is there now if not:
    /// whoever removes a store's files removes its lock too, and then another process can own what
    /// is begun there.
    pub(super) fn renew(&mut self, path: &Path) -> Result<()> {
        let here = std::fs::metadata(beside(path, ".lock")).map(|m| (m.dev(), m.ino())).ok();
        let ours = self.file.metadata().map(|m| (m.dev(), m.ino())).ok();
        if here.is_none() || here != ours {
            *self = Self::take(path)?;
        }
        Ok(())
    }
}

/// What came of asking for the lock.
pub(super) enum Asked {
    /// It is ours now.
    Ours(Lock),
    /// A process has it; its number where it could be read.
    Held(Option<u32>),
}

impl Lock {
    /// Takes the lock of the store at `path`, or says who holds it.
    pub(super) fn ask(path: &Path) -> Result<Asked> {
        let name = beside(path, ".lock");
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&name);
        let mut file = match open {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err(Error::new(
                Kind::Storage,
                format!(
                    "the folder {} for the store does not exist; make it, for the daemon's user alone (mode 0700)",
                    folder(path).display()
                ),
            )),
            other => other.context(Kind::Storage, || format!("could not open the store's lock {}", name.display())),
        }?;
        match file.try_lock() {
            Ok(()) => {
                // The number serves a message only; a full disk must not keep the store shut.
                let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
                Ok(Asked::Ours(Lock { file }))
            }
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let _ = file.rewind().and_then(|()| (&file).take(20).read_to_string(&mut text));
                Ok(Asked::Held(text.trim().parse().ok()))
            }
            Err(TryLockError::Error(e)) => {
                Err(e).context(Kind::Storage, || format!("could not lock {}", name.display()))
            }
        }
    }

    /// Takes the lock, or says that it is busy and who holds it. A command that is done at once is waited for.
    pub(super) fn take(path: &Path) -> Result<Lock> {
        let until = Instant::now() + PATIENCE;
        let mut asked = Self::ask(path)?;
        while matches!(asked, Asked::Held(_)) && Instant::now() < until {
            std::thread::sleep(RETRY);
            asked = Self::ask(path)?;
        }
        match asked {
            Asked::Ours(lock) => Ok(lock),
            Asked::Held(pid) => {
                let who = pid.map_or_else(|| "another process".into(), |pid| format!("the process {pid}"));
                Err(Error::new(
                    Kind::Busy,
                    format!("the store {} is in use by {who}; only one daemon may write it", path.display()),
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_looks_at_the_store_while_the_daemon_starts_does_not_keep_it_from_starting() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let looks = Lock::take(&path).unwrap();
        let (begins, begun) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let daemon = scope.spawn(|| {
                begins.send(()).unwrap();
                Lock::take(&path).map(drop)
            });
            begun.recv().unwrap();
            std::thread::sleep(2 * RETRY); // That it meets the lock is what is tried.
            drop(looks);
            daemon.join().unwrap().unwrap();
        });
        let _owner = Lock::take(&path).unwrap();
        let refused = Lock::take(&path).err().unwrap().to_string();
        assert!(refused.contains("in use by the process"), "{refused}");
    }
}
