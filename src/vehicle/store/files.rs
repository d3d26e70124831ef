//! The files of a store beside each other.

pub(super) use plated_core::durable::{beside, folder_of as folder};
use plated_core::error::{Context, Kind, Result};
use std::path::Path;

/// Size of a file in bytes, or `None` if it isn't there.
pub(super) fn size(path: &Path) -> Result<Option<u64>> {
    match std::fs::metadata(path) {
        Ok(m) => Ok(Some(m.len())),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e).context(Kind::Storage, || format!("could not look at {}", path.display())),
    }
}
