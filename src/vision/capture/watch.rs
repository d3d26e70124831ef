//! A folder into which a camera drops pictures, also into folders in it: each is taken once, when it is whole.

use super::FrameReader;
use super::folder::{Listing, list, natural};
use super::image::load_picture;
use crate::picture::Picture;
use jiff::Timestamp;
use plated_core::error::Result;
use std::collections::{HashMap, HashSet, VecDeque};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tracing::warn;

/// How often the folder is listed,
const MIN_INTERVAL: Duration = Duration::from_millis(200);
/// and how many times longer than a listing takes nothing is listed then: many files, or a slow network share, don't
/// keep the computer busy.
const REST_FACTOR: u32 = 10;
/// A file that did not change for so long is written to its end, most likely.
const SETTLED: Duration = Duration::from_millis(100);
/// A file that grew no more for so long and still is no picture never will be one.
const MAX_UNFINISHED: Duration = Duration::from_secs(10);
/// Files remembered; over this those are forgotten that are not in the folder any more.
const MAX_SEEN: usize = 200_000;

/// What tells one content of a file from another, and stays when a file gets its final name: a camera
/// may write each picture over the last one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Stamp {
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

/// What is known of a file.
#[derive(Clone, Copy)]
struct File {
    /// When it was first seen like this.
    since: Instant,
    /// It was taken, or given up.
    done: bool,
}

/// The files that were seen. It outlives the folder, so that one that vanishes for a moment, as a
/// network share does, brings nothing twice.
#[derive(Clone, Default)]
pub struct SeenFiles(Arc<Mutex<HashMap<Stamp, File>>>);

/// The pictures of a folder, those that are there and those that arrive.
pub struct WatchedFolder {
    folder: PathBuf,
    seen: SeenFiles,
    ready: VecDeque<(PathBuf, Stamp)>,
    /// How long the last listing took.
    listing_took: Duration,
    /// Folders in it that can't be listed, and were reported.
    unreadable: HashSet<PathBuf>,
    picture: Option<Picture>,
    taken: Option<Timestamp>,
}

impl WatchedFolder {
    /// Begins to watch.
    ///
    /// # Errors
    /// `Missing` when the folder can't be listed.
    pub fn open(folder: &Path, seen: SeenFiles) -> Result<Self> {
        let (ready, unreadable) = (VecDeque::new(), HashSet::new());
        let (folder, listing_took) = (folder.to_owned(), Duration::ZERO);
        let mut watched = Self { folder, seen, ready, listing_took, unreadable, picture: None, taken: None };
        watched.find()?;
        Ok(watched)
    }

    /// Finds files that have not changed for a moment.
    fn find(&mut self) -> Result<()> {
        let began = Instant::now();
        let Listing { files, unreadable, .. } = list(&self.folder)?;
        for (folder, error) in &unreadable {
            if !self.unreadable.contains(folder) {
                warn!("Left out of the folder: {}", plated_core::text::sentence(&error.chain()));
            }
        }
        self.unreadable = unreadable.into_iter().map(|(folder, _)| folder).collect();
        let mut seen = self.seen.0.lock().unwrap_or_else(|e| e.into_inner());
        let mut here = Vec::new();
        for path in files {
            // One that vanished meanwhile is none.
            let Ok(about) = std::fs::metadata(&path) else { continue };
            let stamp = Stamp { inode: about.ino(), size: about.len(), changed: (about.mtime(), about.mtime_nsec()) };
            let known = seen.entry(stamp).or_insert_with(|| File { since: Instant::now(), done: false });
            if !known.done && stamp.size > 0 && known.since.elapsed() >= SETTLED {
                self.ready.push_back((path, stamp));
            }
            here.push(stamp);
        }
        if seen.len() > MAX_SEEN {
            here.sort();
            seen.retain(|stamp, _| here.binary_search(stamp).is_ok());
        }
        self.ready.make_contiguous().sort_by(|(a, _), (b, _)| natural(&a.to_string_lossy(), &b.to_string_lossy()));
        self.listing_took = began.elapsed();
        Ok(())
    }

    /// Takes a file, if it is a whole picture by now.
    fn take(&mut self, path: &Path, stamp: Stamp) {
        let outcome = load_picture(path);
        let mut seen = self.seen.0.lock().unwrap_or_else(|e| e.into_inner());
        let Some(file) = seen.get_mut(&stamp) else { return };
        match outcome {
            Ok(picture) => {
                file.done = true;
                self.picture = Some(picture);
                self.taken = Timestamp::new(stamp.changed.0, stamp.changed.1 as i32).ok();
            }
            // It may still be written: a network share shows a file before its content.
            Err(_) if file.since.elapsed() < MAX_UNFINISHED => {}
            Err(error) => {
                file.done = true;
                warn!("Left out of the folder: {}", plated_core::text::sentence(&error.chain()));
            }
        }
    }
}

impl FrameReader for WatchedFolder {
    fn advance(&mut self) -> Result<bool> {
        if self.ready.is_empty() {
            self.find()?;
        }
        while self.picture.is_none()
            && let Some((path, stamp)) = self.ready.pop_front()
        {
            self.take(&path, stamp);
        }
        Ok(self.picture.is_some())
    }

    fn fetch(&mut self) -> Result<Option<Picture>> {
        Ok(self.picture.take())
    }

    fn rate(&self) -> f64 {
        1.0
    }

    fn again_after(&self) -> Option<Duration> {
        Some(MIN_INTERVAL.max(self.listing_took * REST_FACTOR))
    }

    fn taken_at(&self) -> Option<Timestamp> {
        self.taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_takes_long_to_list_is_listed_less_often() {
        let folder = tempfile::tempdir().unwrap();
        let mut watched = WatchedFolder::open(folder.path(), SeenFiles::default()).unwrap();
        watched.listing_took = Duration::from_secs(3);
        assert_eq!(watched.again_after(), Some(Duration::from_secs(30)));
        // It is measured anew.
        assert!(!watched.advance().unwrap());
        assert!(watched.again_after() < Some(Duration::from_secs(30)));
        watched.listing_took = Duration::ZERO;
        assert_eq!(watched.again_after(), Some(MIN_INTERVAL));
    }
}
