//! The files of the station's models: fetched, compared with their hashes, and tried before they count.

use crate::lists::{Ask, Body, Remote};
use crate::transfer::HttpsLink;
use plated_core::digest::Sha256;
use plated_core::durable;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::wire::{ModelFile, ModelsDocument, Problem, etag};
use plated_vision::recognition::{Models, Recognition, Recognizer};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// The configuration of the recognition with the models in this folder.
pub(super) fn recognition(own: &Recognition, folder: &Path) -> Recognition {
    Recognition { models: Some(folder.to_owned()), detector: None, reader: None, ..own.clone() }
}

/// Fetches what is not there yet of a document's files. A download that was cut off goes on where it was.
pub(super) async fn fetch(link: &HttpsLink, document: &ModelsDocument, folder: &Path) -> Result<()> {
    let made = folder.to_owned();
    blocking(move || {
        durable::make_folder(&made).context(Kind::Storage, || format!("could not make {}", made.display()))
    })
    .await?;
    for file in &document.files {
        let path = folder.join(&file.name);
        let (looked, wanted) = (path.clone(), file.sha256);
        if blocking(move || Ok(hash_of(&looked).ok() == Some(wanted))).await? {
            continue;
        }
        let part = durable::beside(&path, ".part");
        download(link, file, &part).await?;
        let (from, to, wanted) = (part.clone(), path.clone(), file.sha256);
        blocking(move || {
            if hash_of(&from).context(Kind::Storage, || format!("could not read {}", from.display()))? != wanted {
                let _ = durable::remove(&from); // Fetched anew.
                let message =
                    format!("the file {} of the station's models is not of the hash that it names", to.display());
                return Err(Error::new(Kind::Damaged, message));
            }
            durable::put_in_place(&from, &to).context(Kind::Storage, || format!("could not write {}", to.display()))
        })
        .await?;
    }
    Ok(())
}

async fn download(link: &HttpsLink, file: &ModelFile, part: &Path) -> Result<()> {
    let looked = part.to_owned();
    let there = blocking(move || Ok(fs::metadata(looked).map_or(0, |meta| meta.len()))).await?;
    if there == file.bytes && there > 0 {
        return Ok(());
    }
    let from = (there > 0 && there < file.bytes).then(|| (there, etag(&file.sha256)));
    let path = format!("v1/provision/models/{}", file.sha256);
    let mut reply = link.get(&path, &Ask { unless: None, from }).await?;
    let start = match (reply.status, reply.start) {
        (200, _) => 0,
        (206, Some(start)) if start == there => there,
        (status, _) => {
            let body = reply.collect(4096).await.ok().flatten().unwrap_or_default();
            return Err(Problem::sentence(status, &body).after(reply.retry_after));
        }
    };
    // Not durable: it is compared with its hash, and made durable, when it is whole.
    let opened = part.to_owned();
    let mut output = blocking(move || {
        let options = File::options().create(true).write(true).append(start > 0).truncate(start == 0).open(&opened);
        options.context(Kind::Storage, || format!("could not write {}", opened.display()))
    })
    .await?;
    let mut size = start;
    while let Some(piece) = reply.body.next().await? {
        size += piece.len() as u64;
        if size > file.bytes {
            return Err(Error::new(Kind::Input, "a file of the station's models is longer than its document says"));
        }
        output = blocking(move || {
            let written = output.write_all(&piece);
            written.context(Kind::Storage, || "could not write a file of the station's models".into())?;
            Ok(output)
        })
        .await?;
    }
    Ok(())
}

/// Tries the models in a folder on what is known, as at every start.
///
/// # Errors
/// `Damaged` or `Missing` when they can't come into force.
pub(super) fn try_out(own: &Recognition, folder: &Path) -> Result<()> {
    Recognizer::open(&Models::find(&recognition(own, folder))?).map(drop)
}

/// Removes the folders of other models than these.
pub(super) fn clear(keep: &[PathBuf]) {
    let Some(all) = keep.first().and_then(|folder| folder.parent()) else { return };
    for entry in fs::read_dir(all).into_iter().flatten().flatten() {
        if !keep.contains(&entry.path()) {
            // What stays is removed after the next models.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn hash_of(path: &Path) -> std::io::Result<Sha256> {
    let (mut file, mut hasher) = (File::open(path)?, plated_core::digest::Hasher::new());
    let mut piece = vec![0; 64 << 10];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hasher.finish()),
            n => hasher = hasher.with(&piece[..n]),
        }
    }
}

pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.context(Kind::Internal, || "a task of the provisioning failed".into())?
}
