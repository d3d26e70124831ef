//! Room on the disk that is set aside in advance, so that hits can be kept when the disk is full.

use plated_core::durable::{self, Scratch};
use plated_core::error::{Context, Kind, Result};
use std::path::{Path, PathBuf};

/// A file without content. It is removed when the disk is full, and made again when there is room.
pub struct Reserve {
    path: PathBuf,
    bytes: u64,
    there: bool,
    /// It was removed for hits, and could not be made again yet.
    freed: bool,
    /// It was freed and that did not help: the trouble is not room on the disk.
    useless: bool,
}

impl Reserve {
    /// Sets `bytes` aside beside the store; 0 is none. A disk without that much room is a warning.
    pub fn beside(store: &Path, bytes: u64) -> Self {
        let path = durable::beside(store, ".reserve");
        let mut reserve = Self { path, bytes, there: false, freed: false, useless: false };
        if let Err(e) = reserve.make() {
            tracing::warn!("No room is set aside for hits on a full disk: {}", e.chain());
        }
        reserve
    }

    /// It was freed and not made again yet: what room there is belongs to hits.
    pub fn is_freed(&self) -> bool {
        self.freed
    }

    /// There is room to be given back, and it did not fail to help before.
    pub fn can_help(&self) -> bool {
        self.there && !self.useless
    }

    /// Gives the room back to the disk. False when there was none, or when it would not help.
    pub fn free(&mut self) -> bool {
        if !self.can_help() {
            return false;
        }
        // Not `durable::remove`: whether it is there after a power cut is looked at then.
        let freed = std::fs::remove_file(&self.path).is_ok();
        if freed {
            (self.there, self.freed) = (false, true);
        }
        freed
    }

    /// It was freed in vain.
    pub fn did_not_help(&mut self) {
        (self.useless, self.freed) = (true, false);
        let _ = self.make();
    }

    /// Something could be written.
    pub fn written(&mut self) {
        self.useless = false;
    }

    /// Sets the room aside again, if there is as much.
    pub fn restore(&mut self) {
        if !self.there {
            let _ = self.make();
        }
    }

    fn make(&mut self) -> Result<()> {
        if self.bytes == 0 {
            // Room of a configuration that asked for some.
            let _ = std::fs::remove_file(&self.path);
            return Ok(());
        }
        let present = std::fs::metadata(&self.path).is_ok_and(|m| m.is_file() && m.len() == self.bytes);
        let take = || Scratch::create(&self.path)?.allocate(self.bytes);
        if !present && let Err(e) = take() {
            let _ = std::fs::remove_file(&self.path);
            let what = || format!("could not write {} of {} MiB", self.path.display(), self.bytes >> 20);
            return Err(e).context(Kind::Storage, what);
        }
        (self.there, self.freed) = (true, false);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plated_core::durable::Step;
    use plated_core::durable::fault::Faults;
    use std::io::ErrorKind;

    #[test]
    fn the_room_is_taken_freed_once_and_taken_again() {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("store.db");
        let size = || std::fs::metadata(dir.path().join("store.db.reserve")).map(|m| m.len()).ok();
        let mut reserve = Reserve::beside(&store, 200_000);
        assert_eq!((size(), reserve.is_freed()), (Some(200_000), false));
        assert!(reserve.free() && !reserve.free() && reserve.is_freed());
        assert_eq!(size(), None);
        reserve.restore();
        assert_eq!((size(), reserve.is_freed()), (Some(200_000), false));
        // Where freeing it does not help it is kept for a time when it does.
        assert!(reserve.free());
        reserve.did_not_help();
        assert!(size().is_some() && !reserve.free());
        reserve.written();
        assert!(reserve.free());
        // Nothing is set aside where nothing is asked for, and what was is given back.
        Reserve::beside(&store, 100);
        Reserve::beside(&store, 0);
        assert_eq!(size(), None);
    }

    #[test]
    fn what_can_not_be_taken_whole_is_given_back_and_taken_once_there_is_room() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("store.db.reserve");
        let faults = Faults::in_folder(dir.path());
        for step in [Step::Create, Step::Write, Step::Sync] {
            faults.fail_each(step, ErrorKind::StorageFull);
            let mut reserve = Reserve::beside(&dir.path().join("store.db"), 1000);
            assert!(!file.exists() && !reserve.free(), "{step:?}");
            faults.restore_power();
            reserve.restore();
            assert!(file.exists() && reserve.free(), "{step:?}");
        }
    }

    #[test]
    fn a_place_where_nothing_can_be_written_is_no_reason_not_to_start() {
        let mut reserve = Reserve::beside(Path::new("/proc/nowhere/store.db"), 1000);
        assert!(!reserve.free());
        reserve.restore();
        // Reads without a hit are kept all the same.
        assert!(!reserve.is_freed());
    }
}
