//! A folder of pictures as a source.

use super::Reader;
use super::image::load_picture;
use crate::picture::Picture;
use plated_core::error::{Context, Error, Kind, Result};
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
    /// Lists the folder. Hidden files and folders in it are passed over.
    ///
    /// # Errors
    /// `Missing` when it can't be listed, `Input` when it holds no file.
    pub fn open(folder: &Path, rate: f64) -> Result<Self> {
        let fail = || format!("could not list the folder {}", folder.display());
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).context(Kind::Missing, fail)? {
            let path = entry.context(Kind::Storage, fail)?.path();
            let hidden = path.file_name().is_some_and(|n| n.as_encoded_bytes().starts_with(b"."));
            if path.is_file() && !hidden {
                files.push(path);
            }
        }
        if files.is_empty() {
            return Err(Error::new(Kind::Input, format!("the folder {} holds no pictures", folder.display())));
        }
        files.sort_by(|a, b| natural(&a.to_string_lossy(), &b.to_string_lossy()));
        Ok(Self { files: files.into_iter(), current: None, folder: folder.to_owned(), rate, pictures: 0 })
    }
}

impl Reader for ImageFolder {
    fn advance(&mut self) -> Result<bool> {
        self.current = self.files.next();
        if self.current.is_none() && self.pictures == 0 {
            let text = format!("no file in the folder {} is a picture", self.folder.display());
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
