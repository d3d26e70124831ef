//! Which files to recognise.

use plated_core::error::{Context, Error, Kind};
use std::path::{Path, PathBuf};

const IMAGES: [&str; 7] = ["jpg", "jpeg", "png", "bmp", "webp", "tif", "tiff"];
const VIDEOS: [&str; 9] = ["mp4", "m4v", "mov", "avi", "mkv", "webm", "mpg", "mpeg", "ts"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    Image,
    Video,
}

#[derive(Debug)]
pub struct Input {
    pub path: PathBuf,
    pub medium: Medium,
}

/// The files named, and those in the folders named whose ending says picture or video, by name.
/// A file named by itself is taken for a picture whatever its ending.
pub fn list(paths: &[PathBuf]) -> (Vec<Input>, Vec<Error>) {
    let (mut inputs, mut errors) = (Vec::new(), Vec::new());
    for path in paths {
        if !path.is_dir() {
            inputs.push(Input { path: path.clone(), medium: medium(path).unwrap_or(Medium::Image) });
            continue;
        }
        match std::fs::read_dir(path)
            .context(Kind::Input, || format!("could not look into the folder {}", path.display()))
        {
            Ok(entries) => {
                let mut found: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
                found.sort();
                inputs.extend(found.into_iter().filter_map(|path| medium(&path).map(|medium| Input { path, medium })));
            }
            Err(e) => errors.push(e),
        }
    }
    (inputs, errors)
}

fn medium(path: &Path) -> Option<Medium> {
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    if IMAGES.contains(&ending.as_str()) {
        Some(Medium::Image)
    } else if VIDEOS.contains(&ending.as_str()) {
        Some(Medium::Video)
    } else {
        None
    }
}
