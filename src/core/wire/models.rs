//! The models that a station hands out: a signed list of files, and each file by its hash.

use crate::digest::Sha256;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Largest signed document of models, in bytes.
pub const MAX_MODELS_DOCUMENT_BYTES: usize = 64 << 10;
/// Most files.
pub const MAX_MODEL_FILES: usize = 32;
/// Largest file, in bytes.
pub const MAX_MODEL_BYTES: u64 = 512 << 20;

/// Detector and reader, as files of one folder: `detector.toml`, `reader.toml`, and what these name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelsDocument {
    /// Name of the station.
    pub station: String,
    /// Grows with every document; one with a smaller number than another is older.
    pub serial: u64,
    /// When it was made.
    pub made: Timestamp,
    /// The files, by name.
    pub files: Vec<ModelFile>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelFile {
    /// A plain name: 1 to 64 letters, digits, `-`, `_` or `.`, and no `.` at its beginning.
    pub name: String,
    /// Over its bytes.
    pub sha256: Sha256,
    /// Its size.
    pub bytes: u64,
}

impl ModelsDocument {
    /// Rules that the types can't say.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn check(&self) -> Result<(), String> {
        if self.files.len() > MAX_MODEL_FILES {
            return Err(format!("it names more than {MAX_MODEL_FILES} files"));
        }
        let plain = |name: &str| crate::name::is_plain_name(name) && !name.starts_with('.');
        if !self.files.iter().all(|file| plain(&file.name)) {
            return Err("a file in it has no plain name".into());
        }
        if self.files.iter().any(|file| file.bytes > MAX_MODEL_BYTES) {
            return Err("a file in it is larger than 512 MiB".into());
        }
        let mut names: Vec<_> = self.files.iter().map(|file| file.name.as_str()).collect();
        names.sort_unstable();
        if names.windows(2).any(|two| two[0] == two[1]) {
            return Err("it names a file twice".into());
        }
        match ["detector.toml", "reader.toml"].into_iter().find(|needed| !names.contains(needed)) {
            Some(missing) => Err(format!("{missing} is missing")),
            None => Ok(()),
        }
    }
}
