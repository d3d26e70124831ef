//! Making the canonical form of a list out of entries in any order.

use plated_core::error::{Context, Kind, Result};
use plated_core::record::EntryRecord;
use plated_core::sort::{SortKey, Sorter};
use plated_hotlist::canonical::{CanonicalWriter, Written};
use std::io::Write;
use std::path::Path;

/// Memory for sorting, in bytes.
const SORT_MEMORY: usize = 128 << 20;

/// What became of the entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CanonicalList {
    /// What was written.
    pub written: Written,
    /// Entries that repeat another in every field; one of each was kept.
    pub duplicates: u64,
}

/// Takes the entries that `read` gives, and writes them in canonical form to `output`. `scratch` is a folder for
/// what does not fit into memory. Gives also what `read` gave.
///
/// # Errors
/// What `read` says, and `Storage` when there is no room.
pub fn make<W: Write, T>(
    scratch: &Path,
    output: W,
    read: impl FnOnce(&mut dyn FnMut(EntryRecord) -> Result<()>) -> Result<T>,
) -> Result<(W, CanonicalList, T)> {
    let failed = || format!("could not sort a list in {}", scratch.display());
    let mut sorter = Sorter::new(scratch, SortKey::Whole, SORT_MEMORY);
    let mut line = Vec::new();
    let given = read(&mut |entry| {
        line.clear();
        serde_json::to_writer(&mut line, &entry).context(Kind::Internal, || "an entry can't be written".into())?;
        sorter.push(&line).context(Kind::Storage, failed)
    })?;
    let mut writer = CanonicalWriter::new(output);
    let (mut last, mut duplicates) = (Vec::new(), 0);
    let mut sorted = sorter.finish().context(Kind::Storage, failed)?;
    while let Some(line) = sorted.advance().context(Kind::Storage, failed)? {
        if last == line {
            duplicates += 1;
            continue;
        }
        last.clear();
        last.extend_from_slice(line);
        writer.add(line)?;
    }
    let (output, written) = writer.finish()?;
    Ok((output, CanonicalList { written, duplicates }, given))
}

#[cfg(test)]
mod tests {
    use super::*;
    use plated_core::digest::Sha256;

    fn canonical(plates: &[&str]) -> (Vec<u8>, CanonicalList) {
        let dir = tempfile::tempdir().unwrap();
        let entry =
            |plate: &&str| EntryRecord { list: "svs".into(), plate: (*plate).to_owned(), ..EntryRecord::default() };
        let (bytes, made, ()) =
            make(dir.path(), Vec::new(), |each| plates.iter().try_for_each(|plate| each(entry(plate)))).unwrap();
        (bytes, made)
    }

    #[test]
    fn the_same_entries_in_any_order_make_the_same_bytes() {
        let (one, made) = canonical(&["8ABC123", "7ABC123"]);
        let (other, again) = canonical(&["7ABC123", "8ABC123", "8ABC123"]);
        assert_eq!(one, other);
        assert_eq!((made.written.entries, made.duplicates, again.duplicates), (2, 0, 1));
        assert_eq!(made.written.sha256, Sha256::of(&one));
        assert!(one.starts_with(b"{\"list\":\"svs\",\"plate\":\"7ABC123\""));
        assert_eq!(canonical(&[]).1.written.entries, 0);
    }
}
