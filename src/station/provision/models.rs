//! The files of the models that are handed out: `data/models/SHA256`.

use crate::owner::Owner;
use plated_core::digest::Sha256;
use plated_core::durable;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::name::is_plain_name;
use plated_core::wire::{MAX_MODEL_BYTES, MAX_MODEL_FILES, ModelFile, ModelsDocument};
use std::fs;
use std::io::Write;
use std::path::Path;

/// Copies the files of the folder `from` to `to`, durably; gives them by name.
pub(super) fn take_in(from: &Path, to: &Path, owner: Owner) -> Result<Vec<ModelFile>> {
    let failed = || format!("could not read the folder {}", from.display());
    let wrong = |name: &str, why: &str| Error::new(Kind::Config, format!("{}/{name}: {why}", from.display()));
    durable::make_folder(to)
        .and_then(|()| owner.give(to))
        .context(Kind::Storage, || format!("could not use the folder {}", to.display()))?;
    durable::sweep(to);
    let mut files = Vec::new();
    for entry in fs::read_dir(from).context(Kind::Config, failed)? {
        let entry = entry.context(Kind::Config, failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let meta = fs::metadata(entry.path()).context(Kind::Config, failed)?;
        if meta.is_dir() || name.starts_with('.') {
            continue;
        }
        if !is_plain_name(&name) {
            return Err(wrong(&name, "use 1 to 64 letters, digits, '-', '_' or '.' for the name of a file"));
        }
        if meta.len() > MAX_MODEL_BYTES {
            return Err(wrong(&name, "it is larger than 512 MiB"));
        }
        if files.len() >= MAX_MODEL_FILES {
            return Err(wrong("", &format!("it has more than {MAX_MODEL_FILES} files")));
        }
        let bytes = fs::read(entry.path()).context(Kind::Config, || format!("could not read {name}"))?;
        let sha256 = Sha256::of(&bytes);
        let (place, failed) = (to.join(sha256.to_string()), || format!("could not write to {}", to.display()));
        if !place.exists() {
            let mut file = durable::Writer::create(to, 0o600).context(Kind::Storage, failed)?;
            file.write_all(&bytes)
                .and_then(|()| owner.give_file(&mut file))
                .and_then(|()| file.finish(&place))
                .context(Kind::Storage, failed)?;
        }
        files.push(ModelFile { name, sha256, bytes: bytes.len() as u64 });
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

/// Removes what the document does not name. A vehicle that is fetching it begins anew with the new one.
pub(super) fn clear(folder: &Path, document: &ModelsDocument) {
    let names: Vec<String> = document.files.iter().map(|file| file.sha256.to_string()).collect();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if !names.iter().any(|name| entry.file_name().to_string_lossy() == name.as_str()) {
            // It is tried again with the next publication.
            let _ = durable::remove(&entry.path());
        }
    }
}
