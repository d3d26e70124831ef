//! Getting the file of one version: whole, going on where it was cut off, or by a delta.

use super::received::{self, Place, could_not_read, could_not_write};
use super::remote::{Ask, Body, Remote};
use plated_core::digest::Sha256;
use plated_core::durable::{self, Scratch};
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::wire::etag;
use plated_core::wire::{ListVersion, Problem};
use plated_hotlist::delta;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;

/// Largest answer that is read when it is no success.
const MAX_PROBLEM: usize = 64 << 10;

/// How a list came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// As a whole file.
    Whole,
    /// As a delta from the version that was there.
    Delta,
    /// It was there already.
    Held,
}

/// Gets the file of `version` to its place. Gives the way, and the bytes that were received.
pub async fn fetch<R: Remote>(remote: &R, place: &Place, version: &ListVersion) -> Result<(Way, u64)> {
    if place.has(version) {
        return Ok((Way::Held, 0));
    }
    let mut received = 0;
    if let Some(held) = place.accepted()
        && let Some(offered) = version.deltas.iter().find(|d| d.from == held.sha256)
    {
        let made = by_delta(remote, place, version, held.sha256, offered.bytes, &mut received).await;
        for path in [place.delta(), place.made()] {
            durable::remove(&path).context(Kind::Storage, || could_not_write(&path))?;
        }
        match made {
            Ok(()) => return Ok((Way::Delta, received)),
            // The whole list has what the delta has not.
            Err(e) if e.kind() == Kind::Input => {
                tracing::warn!(list = version.name, "The whole list is fetched: {}", e.chain());
            }
            Err(e) => return Err(e),
        }
    }
    whole(remote, place, version, &mut received).await?;
    Ok((Way::Whole, received))
}

/// `Input` when there is no delta that can be used.
async fn by_delta<R: Remote>(
    remote: &R,
    place: &Place,
    version: &ListVersion,
    from: Sha256,
    bytes: u64,
    received: &mut u64,
) -> Result<()> {
    let path = format!("v1/hotlists/{}/{}/from/{from}", version.name, version.sha256);
    let mut reply = remote.get(&path, &Ask::default()).await?;
    if reply.status == 404 {
        return Err(Error::new(Kind::Input, "the station has no such delta any more"));
    }
    if reply.status != 200 {
        return Err(problem(reply).await);
    }
    let delta = place.delta();
    let mut file = Scratch::create(&delta).context(Kind::Storage, || could_not_write(&delta))?;
    let mut size = 0;
    while let Some(piece) = reply.body.next().await? {
        size += piece.len() as u64;
        *received += piece.len() as u64;
        if size > bytes {
            return Err(Error::new(Kind::Input, "the delta is longer than the manifest says"));
        }
        file.write_all(&piece).context(Kind::Storage, || could_not_write(&delta))?;
    }
    let (base, made, to) = (place.file(&from), place.made(), version.sha256);
    blocking(place.clone(), move |place| {
        let open = |path: &Path| File::open(path).map(BufReader::new).context(Kind::Storage, || could_not_read(path));
        let output = BufWriter::new(Scratch::create(&made).context(Kind::Storage, || could_not_write(&made))?);
        delta::apply((from, open(&base)?), open(&delta)?, to, output)?;
        place.keep(&made, &to)
    })
    .await
}

async fn whole<R: Remote>(remote: &R, place: &Place, version: &ListVersion, received: &mut u64) -> Result<()> {
    let part = place.part(&version.sha256);
    // What was there from before can be damaged, or of a station that has another file under
    // this name; then it is fetched once more from its beginning.
    if !pieces(remote, place, &part, version, received).await? {
        remove(&part)?;
        if !pieces(remote, place, &part, version, received).await? {
            remove(&part)?;
            return Err(Error::new(
                Kind::Input,
                "what the station sent is not the list of its manifest; the hash differs",
            ));
        }
    }
    place.keep(&part, &version.sha256)
}

/// Fetches what is missing of the file; false when the whole has another hash.
async fn pieces<R: Remote>(
    remote: &R,
    place: &Place,
    part: &Path,
    version: &ListVersion,
    received: &mut u64,
) -> Result<bool> {
    let failed = || could_not_write(part);
    let mut size = received::size(part)?;
    if size > version.bytes {
        return Ok(false);
    }
    if size < version.bytes || size == 0 {
        let tag = etag(&version.sha256);
        let ask = Ask { unless: None, from: (size > 0).then(|| (size, tag.clone())) };
        let mut reply = remote.get(&format!("v1/hotlists/{}/{}", version.name, version.sha256), &ask).await?;
        let mut file = Scratch::append(part).context(Kind::Storage, failed)?;
        match reply.status {
            200 => {
                file.clear().context(Kind::Storage, failed)?;
                size = 0;
            }
            206 if reply.start == Some(size) && reply.etag.as_ref().is_none_or(|e| *e == tag) => {}
            206 | 416 => return Ok(false),
            404 => {
                return Err(Error::new(
                    Kind::Network,
                    "the station does not have the list any more; a newer one is fetched the next time",
                ));
            }
            _ => return Err(problem(reply).await),
        }
        while let Some(piece) = reply.body.next().await? {
            size += piece.len() as u64;
            *received += piece.len() as u64;
            if size > version.bytes {
                return Ok(false);
            }
            file.write_all(&piece).context(Kind::Storage, failed)?;
        }
        if size < version.bytes {
            return Err(Error::new(Kind::Network, "the list was cut off; it goes on from there the next time"));
        }
    }
    let (part, sha256) = (part.to_owned(), version.sha256);
    blocking(place.clone(), move |_| Ok(received::hash(&part)? == sha256)).await
}

fn remove(path: &Path) -> Result<()> {
    durable::remove(path).context(Kind::Storage, || could_not_write(path))
}

/// What an answer without success says.
pub(super) async fn problem<B: Body>(mut reply: super::remote::Reply<B>) -> Error {
    let body = reply.collect(MAX_PROBLEM).await.ok().flatten().unwrap_or_default();
    Problem::sentence(reply.status, &body).after(reply.retry_after)
}

/// Off the thread that talks to the station. `place` keeps others out until the work has ended,
/// also when nobody waits for it any more.
pub(super) async fn blocking<T: Send + 'static>(
    place: Place,
    work: impl FnOnce(&Place) -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(move || work(&place))
        .await
        .context(Kind::Internal, || "a task of the hotlists failed".into())?
}

#[cfg(test)]
mod tests {
    use super::super::received::ReceivedLists;
    use super::super::remote::Reply;
    use super::*;
    use plated_core::durable::Step;
    use plated_core::durable::fault::Faults;
    use std::io::ErrorKind;

    const LIST: &[u8] = b"{\"plate\":\"7ABC123\"}\n";

    /// Hands out one list, in pieces of a few bytes.
    #[derive(Clone)]
    struct Station;

    struct Pieces(&'static [u8]);

    impl Remote for Station {
        type Body = Pieces;

        async fn get(&self, _: &str, ask: &Ask) -> Result<Reply<Pieces>> {
            let start = ask.from.as_ref().map(|(from, _)| *from);
            let status = if start.is_some() { 206 } else { 200 };
            let body = Pieces(&LIST[start.unwrap_or(0) as usize..]);
            Ok(Reply { status, etag: None, start, retry_after: None, body })
        }
    }

    impl Body for Pieces {
        async fn next(&mut self) -> Result<Option<Vec<u8>>> {
            let (piece, rest) = self.0.split_at(self.0.len().min(5));
            self.0 = rest;
            Ok(Some(piece.to_vec()).filter(|piece| !piece.is_empty()))
        }
    }

    #[tokio::test]
    async fn a_disk_that_fails_at_any_step_of_a_download_is_an_error_and_the_next_round_has_the_list() {
        let dir = tempfile::tempdir().unwrap();
        let version = ListVersion {
            name: "svs".into(),
            version: 1,
            sha256: Sha256::of(LIST),
            bytes: LIST.len() as u64,
            entries: 1,
            published: jiff::Timestamp::UNIX_EPOCH,
            file_date: None,
            confirmed: jiff::Timestamp::UNIX_EPOCH,
            forced: None,
            valid_from: None,
            stale: None,
            deltas: Vec::new(),
        };
        let mut failed = 0;
        for step in 0.. {
            let root = dir.path().join(step.to_string());
            let place = ReceivedLists::open(&root).unwrap().place("svs").unwrap();
            let faults = Faults::in_folder(&root);
            faults.fail_after(step, ErrorKind::StorageFull);
            let fetched = fetch(&Station, &place, &version).await;
            let steps = faults.steps();
            faults.restore_power();
            if let Err(e) = fetched {
                assert_eq!(e.kind(), Kind::Storage, "{}", e.chain());
                failed += 1;
                fetch(&Station, &place, &version).await.unwrap();
                assert_eq!(std::fs::read(place.file(&version.sha256)).unwrap(), LIST);
            } else {
                assert!(steps.contains(&Step::Create) && steps.contains(&Step::Write), "{steps:?}");
                break;
            }
        }
        assert!(failed >= 8, "{failed}");
    }
}
