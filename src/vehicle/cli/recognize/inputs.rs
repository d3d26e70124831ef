//! Which files to recognise.

use plated_core::error::{Context, Error, Kind, Result};
use plated_core::text::visible;
use plated_vision::capture::{Medium, medium};
use std::path::{Path, PathBuf};

/// Endings of files that are taken for a picture or a video though their content does not tell: then
/// they are reported as unreadable.
const PICTURES: [&str; 8] = ["jpg", "jpeg", "jpe", "png", "bmp", "webp", "tif", "tiff"];
const VIDEOS: [&str; 23] = [
    "mp4", "m4v", "mov", "avi", "mkv", "webm", "mpg", "mpeg", "ts", "mts", "m2ts", "m2t", "3gp", "3g2", "dav", "wmv",
    "asf", "flv", "vob", "ogv", "h264", "264", "265",
];

/// A file that is recognised.
#[derive(Debug)]
pub struct InputFile {
    pub path: PathBuf,
    pub medium: Medium,
}

/// What is in the paths that were named.
#[derive(Default)]
pub struct Inputs {
    pub files: Vec<InputFile>,
    /// Folders that could not be looked into.
    pub errors: Vec<Error>,
    /// Folders that were too deep to be looked into.
    pub too_deep: usize,
    /// What is neither file nor folder: pipes, sockets, devices, links to nothing.
    pub odd: u64,
    /// The folder for copies lies in what is searched, and was passed over.
    pub left_out: bool,
}

/// The files named, and the pictures and videos in the folders named, by name. Folders in them are
/// looked into down to `depth` levels; one level is the folder named. Hidden files, links to folders,
/// and the folder `except` are passed over. A file named by itself is taken for a picture whatever it is.
pub fn list(paths: &[PathBuf], depth: usize, except: Option<&Path>) -> Inputs {
    let mut inputs = Inputs::default();
    for path in paths {
        if path.is_dir() {
            inputs.folder(path, depth, except);
        } else {
            inputs.files.push(InputFile { medium: kind(path).unwrap_or(Medium::Picture), path: path.clone() });
        }
    }
    inputs
}

impl Inputs {
    fn folder(&mut self, folder: &Path, depth: usize, except: Option<&Path>) {
        if depth == 0 {
            self.too_deep += 1;
            return;
        }
        let mut entries = match entries(folder) {
            Ok(entries) => entries,
            Err(error) => return self.errors.push(error),
        };
        entries.sort();
        for path in entries {
            let Ok(about) = std::fs::symlink_metadata(&path) else { continue };
            if about.is_dir() {
                let excepted = except.is_some() && path.canonicalize().ok().as_deref() == except;
                if excepted {
                    self.left_out = true;
                } else {
                    self.folder(&path, depth - 1, except);
                }
            } else if path.is_file() {
                if let Some(medium) = kind(&path) {
                    self.files.push(InputFile { path, medium });
                }
            } else if !path.is_dir() {
                self.odd += 1;
            }
        }
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = || format!("could not look into the folder {}", visible(folder));
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).context(Kind::Input, failed)? {
        let entry = entry.context(Kind::Input, failed)?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// The content decides, and where that tells nothing the ending.
fn kind(path: &Path) -> Option<Medium> {
    let by_ending = || {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        let is = |endings: &[&str]| endings.contains(&&*ending);
        is(&PICTURES).then_some(Medium::Picture).or(is(&VIDEOS).then_some(Medium::Video))
    };
    medium(path).or_else(by_ending)
}
