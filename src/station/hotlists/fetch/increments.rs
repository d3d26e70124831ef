//! Increments that are fetched between looks at a whole list: files of entries that come and that go.
//!
//! They go on from the version that is handed out, as long as that is what the source gave. Where somebody brought another
//! list by hand, they wait for the whole list. A file that was applied is not applied again.

use super::super::publish::{Publication, Published};
use super::super::source::{Origin, Place, Source};
use super::super::table::HotlistVersion;
use super::super::update::Increment;
use super::https::Answer;
use super::table::{FileState, IncrementState};
use super::{Fetcher, Gone, alone, blocking, command, https};
use jiff::Timestamp;
use plated_core::digest::Sha256;
use plated_core::error::{Context, Error, Kind, Result};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A file that came, and was not applied yet.
struct New {
    path: PathBuf,
    state: FileState,
    date: Option<Timestamp>,
    _gone_after: Gone,
}

impl Fetcher {
    /// Looks for an increment of a list once, and publishes what it makes of the list; none when there is nothing new. How
    /// it went is noted.
    ///
    /// # Errors
    /// Why it failed; what is handed out stays.
    pub async fn increment(self: &Arc<Self>, source: &Source) -> Result<Option<Box<Published>>> {
        let begun = self.clock.wall();
        let done = self.look_for_increment(source, begun).await;
        if let Err(e) = done.as_ref()
            && e.kind() != Kind::Busy
        {
            let (this, name, why) = (self.clone(), source.name.clone(), format!("increment: {}", e.chain()));
            let noted = blocking(move || this.database()?.transaction(|rows| rows.source_failed(&name, begun, &why)));
            if let Err(e) = noted.await {
                tracing::error!(list = source.name, error = %e.chain(), "That an increment could not be fetched can't be noted");
            }
        }
        done
    }

    async fn look_for_increment(self: &Arc<Self>, source: &Source, begun: Timestamp) -> Result<Option<Box<Published>>> {
        let Some(places) = &source.increments else { return Ok(None) };
        let (this, name) = (self.clone(), source.name.clone());
        let (state, versions) = blocking(move || this.known(&name)).await?;
        let (Some(state), Some(current)) = (state, versions.into_iter().find(|v| v.current)) else { return Ok(None) };
        if !state.is_own(&current.sha256) {
            tracing::debug!(list = source.name, "Another list is handed out; increments wait for the whole list");
            return Ok(None);
        }
        let folder = self.folder()?;
        let _alone = alone(&folder.join(format!("{}.lock", source.name)), &source.name)?;
        let known = &state.increments;
        let to = |what: &str| folder.join(format!("{}.{what}.part", source.name));
        let add = self.file(source, places.add.as_ref(), known.add.as_ref(), to("add"), begun).await?;
        let remove = self.file(source, places.remove.as_ref(), known.remove.as_ref(), to("remove"), begun).await?;
        let own_date = state.tags.as_ref().is_some_and(|tags| tags.own_date);
        let (this, source, known) = (self.clone(), source.clone(), known.clone());
        blocking(move || {
            if add.is_none() && remove.is_none() {
                if !own_date {
                    this.publisher()?.confirm_asked(&current, begun, &this.actor)?;
                }
                this.database()?.transaction(|rows| rows.increment_answered(&source.name, begun, &known))?;
                return Ok(None);
            }
            this.apply(&source, &current, add, remove, known, begun).map(Some)
        })
        .await
    }

    fn apply(
        &self,
        source: &Source,
        current: &HotlistVersion,
        add: Option<New>,
        remove: Option<New>,
        known: IncrementState,
        begun: Timestamp,
    ) -> Result<Box<Published>> {
        let path = |new: &Option<New>| new.as_ref().map(|new| new.path.clone());
        let (added, removed, base) = (path(&add), path(&remove), current.sha256.to_string());
        let file = added.clone().or_else(|| removed.clone()).unwrap_or_default();
        let date = [&add, &remove].into_iter().flatten().filter_map(|new| new.date).max();
        let what = Publication {
            source,
            file: &file,
            file_name: Path::new(&source.name),
            file_date: date.map(|date| date.min(begun)),
            asked: Some(begun),
            valid_from: None,
            force: None,
            actor: &self.actor,
            reason: "an increment from its source",
        };
        let files = Increment { base: &base, add: added.as_deref(), remove: removed.as_deref() };
        let published = self.publisher()?.update(&what, &files)?;
        let state = IncrementState {
            whole: known.whole,
            made: Some(published.version.sha256),
            add: add.map(|new| new.state).or(known.add),
            remove: remove.map(|new| new.state).or(known.remove),
        };
        self.database()?.transaction(|rows| rows.increment_answered(&source.name, begun, &state))?;
        Ok(Box::new(published))
    }

    /// The file of this place, unless it was applied already.
    async fn file(
        &self,
        source: &Source,
        place: Option<&Place>,
        known: Option<&FileState>,
        path: PathBuf,
        begun: Timestamp,
    ) -> Result<Option<New>> {
        let Some(place) = place else { return Ok(None) };
        let gone_after = Gone(path.clone());
        let most = Duration::from_secs_f64(source.timeout_s);
        let (etag, modified, date) = match place.origin() {
            Origin::Https(url) => {
                let tags = known.map(|known| (known.etag.as_deref(), known.modified.as_deref()));
                let late =
                    |_| Error::new(Kind::Network, format!("it took longer than {} s (timeout_s)", most.as_secs_f64()));
                let fetching = https::fetch(source, url, tags, &path, begun);
                match tokio::time::timeout(most, fetching).await.map_err(late)?? {
                    Answer::Same => return Ok(None),
                    Answer::File { etag, modified, date } => (etag, modified, date),
                }
            }
            Origin::Command(command) => {
                let (command, to, max_mib) = (command.to_vec(), path.clone(), source.max_mib);
                blocking(move || command::run(&command, most, max_mib, &to)).await?;
                (None, None, None)
            }
        };
        let hashed = path.clone();
        let sha256 = blocking(move || {
            Sha256::of_file(&hashed).context(Kind::Storage, || format!("could not read {}", hashed.display()))
        })
        .await?;
        if known.is_some_and(|known| known.sha256 == sha256) {
            return Ok(None);
        }
        Ok(Some(New { path, state: FileState { etag, modified, sha256 }, date, _gone_after: gone_after }))
    }
}
