//! A folder of pictures as a source, and which files are in a folder.

use super::FrameReader;
use super::image::load_picture;
use crate::picture::Picture;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::text::visible;
use std::cmp::Ordering;
use std::path::{Path, PathBuf};
use tracing::warn;

/// The files of a folder, in the natural order of their names: `frame9` before `frame10`.
pub struct ImageFolder {
    files: std::vec::IntoIter<PathBuf>,
    current: Option<PathBuf>,
    folder: PathBuf,
    rate: f64,
    pictures: u64,
}

impl ImageFolder {
    /// Lists the folder, as [`list`] does.
    ///
    /// # Errors
    /// `Missing` when it can't be listed, `Input` when it holds no file.
    pub fn open(folder: &Path, rate: f64) -> Result<Self> {
        let Listing { mut files, unreadable, odd } = list(folder)?;
        for (_, error) in unreadable {
            warn!("Left out of the folder: {}", plated_core::text::sentence(&error.chain()));
        }
        if odd > 0 {
            warn!(count = odd, "Left out of the folder {}: pipes, devices and links to nothing.", visible(folder));
        }
        if files.is_empty() {
            return Err(Error::new(Kind::Input, format!("the folder {} holds no pictures", visible(folder))));
        }
        files.sort_by(|a, b| natural(&a.to_string_lossy(), &b.to_string_lossy()));
        Ok(Self { files: files.into_iter(), current: None, folder: folder.to_owned(), rate, pictures: 0 })
    }
}

/// What is in a folder.
pub struct Listing {
    /// Its files and those of the folders in it, in no order.
    pub files: Vec<PathBuf>,
    /// Folders in it that can't be listed.
    pub unreadable: Vec<(PathBuf, Error)>,
    /// What is neither file nor folder: pipes, sockets, devices, links to nothing.
    pub odd: u64,
}

/// The files in a folder and in all folders in it, by the rule of `plated recognize`: what is hidden is passed
/// over, and so are links to folders.
///
/// # Errors
/// `Missing` when the folder itself can't be listed.
pub fn list(folder: &Path) -> Result<Listing> {
    let mut listing = Listing { files: Vec::new(), unreadable: Vec::new(), odd: 0 };
    let mut folders = entries(folder, &mut listing)?;
    while let Some(folder) = folders.pop() {
        match entries(&folder, &mut listing) {
            Ok(more) => folders.extend(more),
            // One that vanished meanwhile holds nothing.
            Err(_) if !folder.exists() => {}
            Err(error) => listing.unreadable.push((folder, error)),
        }
    }
    Ok(listing)
}

/// Adds what is in one folder to `listing`, and gives the folders in it.
fn entries(folder: &Path, listing: &mut Listing) -> Result<Vec<PathBuf>> {
    let failed = || format!("could not list the folder {}", visible(folder));
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(folder).context(Kind::Missing, failed)? {
        let entry = entry.context(Kind::Missing, failed)?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            folders.push(path);
        } else if path.is_file() {
            listing.files.push(path);
        } else if !path.is_dir() {
            listing.odd += 1;
        }
    }
    Ok(folders)
}

impl FrameReader for ImageFolder {
    fn advance(&mut self) -> Result<bool> {
        self.current = self.files.next();
        if self.current.is_none() && self.pictures == 0 {
            let text = format!("no file in the folder {} is a picture", visible(&self.folder));
            return Err(Error::new(Kind::Input, text));
        }
        Ok(self.current.is_some())
    }

    fn fetch(&mut self) -> Result<Option<Picture>> {
        let Some(path) = &self.current else { return Ok(None) };
        match load_picture(path) {
            Ok(picture) => {
                self.pictures += 1;
                Ok(Some(picture))
            }
            Err(error) => {
                warn!("Left out of the folder: {}", plated_core::text::sentence(&error.chain()));
                Ok(None)
            }
        }
    }

    fn rate(&self) -> f64 {
        self.rate
    }
}

/// Compares names as a person sorts them: runs of digits by their number.
pub fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.as_bytes(), b.as_bytes());
    loop {
        let (la, lb) = (digits(left), digits(right));
        if la > 0 && lb > 0 {
            let (na, nb) = (strip_zeros(&left[..la]), strip_zeros(&right[..lb]));
            match na.len().cmp(&nb.len()).then_with(|| na.cmp(nb)) {
                Ordering::Equal => (left, right) = (&left[la..], &right[lb..]),
                other => return other,
            }
        } else {
            match (left.split_first(), right.split_first()) {
                (Some((x, l)), Some((y, r))) if x == y => (left, right) = (l, r),
                (Some((x, _)), Some((y, _))) => return x.cmp(y),
                // `01` and `1` are the same number but not the same name.
                (x, y) => return x.is_some().cmp(&y.is_some()).then_with(|| a.cmp(b)),
            }
        }
    }
}

fn digits(s: &[u8]) -> usize {
    s.iter().take_while(|c| c.is_ascii_digit()).count()
}

fn strip_zeros(s: &[u8]) -> &[u8] {
    &s[s.iter().take_while(|c| **c == b'0').count()..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_in_names_count_as_numbers() {
        let mut names = ["f10.jpg", "f9.jpg", "f1.jpg", "f01.jpg", "e2", "f"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["e2", "f", "f01.jpg", "f1.jpg", "f9.jpg", "f10.jpg"]);
    }

    proptest! {
        #[test]
        fn the_order_of_names_is_an_order(mut names in proptest::collection::vec("[a01-9.]{0,6}", 0..12)) {
            names.sort_by(|a, b| natural(a, b)); // Panics where it is none.
            for pair in names.windows(2) {
                let expected = if pair[0] == pair[1] { Ordering::Equal } else { Ordering::Less };
                prop_assert_eq!(natural(&pair[0], &pair[1]), expected);
            }
        }
    }
}
