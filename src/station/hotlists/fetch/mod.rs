//! Lists that are fetched from their sources: a look at one source, and the schedule of all.
//!
//! This is done by `plated-station hotlist fetch`, a process of its own: it has the key that signs what vehicles take,
//! and the station that listens to them has not.

mod command;
mod https;
mod increments;
mod schedule;
mod table;

pub use schedule::watch;
pub use table::{IncrementState, SourceState, Tags};

use super::publish::{Publication, Published, Publisher};
use super::source::{Origin, Source};
use super::table::HotlistVersion;
use crate::archive::settings;
use crate::config::StationConfig;
use crate::database::Database;
use crate::owner::Owner;
use crate::provision::Provisioner;
use https::Answer;
use jiff::Timestamp;
use plated_access::Actor;
use plated_core::clock::Clock;
use plated_core::digest::Sha256;
use plated_core::durable;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::signing::Signer;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What became of a look.
#[derive(Debug)]
pub enum Fetched {
    /// A file came, and was published, or was what is handed out already.
    File(Box<Published>),
    /// The source has nothing newer than this version.
    Same(Box<HotlistVersion>),
    /// Somebody withdrew the list: it is not fetched by itself.
    Withdrawn,
}

/// Fetches lists.
pub struct Fetcher {
    config: StationConfig,
    signer: Signer,
    clock: Arc<dyn Clock>,
    actor: Actor,
}

/// What a source gave.
struct Given {
    etag: Option<String>,
    modified: Option<String>,
    date: Option<Timestamp>,
}

impl Fetcher {
    /// Fetches what the configuration names, in this person's name.
    pub fn new(config: StationConfig, signer: Signer, clock: Arc<dyn Clock>, actor: Actor) -> Self {
        Self { config, signer, clock, actor }
    }

    /// The sources that are fetched.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.config.sources.iter().filter(|source| source.origin().is_some())
    }

    /// Looks at a source once, and publishes what is new. One whose list was withdrawn is looked at only where that is
    /// `asked_for`. How it went is noted.
    ///
    /// # Errors
    /// Why it failed; what is handed out stays.
    pub async fn once(self: &Arc<Self>, source: &Source, asked_for: bool) -> Result<Fetched> {
        let begun = self.clock.wall();
        let fetched = self.look(source, asked_for, begun).await;
        if let Err(e) = &fetched {
            let (this, name, why) = (self.clone(), source.name.clone(), e.chain());
            let noted = blocking(move || this.database()?.transaction(|rows| rows.source_failed(&name, begun, &why)));
            if let Err(e) = noted.await {
                tracing::error!(list = source.name, error = %e.chain(), "That a list could not be fetched can't be noted");
            }
        }
        fetched
    }

    async fn look(self: &Arc<Self>, source: &Source, asked_for: bool, begun: Timestamp) -> Result<Fetched> {
        let (this, name) = (self.clone(), source.name.clone());
        let (state, versions) = blocking(move || this.known(&name)).await?;
        let current = versions.iter().find(|v| v.current);
        if current.is_none() && !versions.is_empty() && versions.iter().all(|v| !v.coming) && !asked_for {
            return Ok(Fetched::Withdrawn);
        }
        let folder = self.folder()?;
        let _alone = alone(&folder.join(format!("{}.lock", source.name)), &source.name)?;
        let path = folder.join(format!("{}.part", source.name));
        let _gone_after = Gone(path.clone());
        let settings = source.digest();
        let is_own = state.as_ref().is_some_and(|state| current.is_some_and(|v| state.is_own(&v.sha256)));
        let (tags, increments) = state.map(|state| (state.tags, state.increments)).unwrap_or_default();
        let tags = tags.filter(|tags| tags.settings == settings && is_own);
        let most = Duration::from_secs_f64(source.timeout_s);
        let given = match source.origin() {
            Some(Origin::Https(url)) => {
                let known = tags.as_ref().map(|tags| (tags.etag.as_deref(), tags.modified.as_deref()));
                let fetching = https::fetch(source, url, known, &path, begun);
                let late =
                    |_| Error::new(Kind::Network, format!("it took longer than {} s (timeout_s)", most.as_secs_f64()));
                match tokio::time::timeout(most, fetching).await.map_err(late)?? {
                    Answer::File { etag, modified, date } => Given { etag, modified, date },
                    Answer::Same => {
                        let (this, source) = (self.clone(), source.clone());
                        let (current, tags) = (current.cloned(), tags);
                        return blocking(move || this.confirm(&source, current, tags, begun)).await;
                    }
                }
            }
            Some(Origin::Command(command)) => {
                let (command, to, max_mib) = (command.to_vec(), path.clone(), source.max_mib);
                blocking(move || command::run(&command, most, max_mib, &to)).await?;
                Given { etag: None, modified: None, date: None }
            }
            None => {
                let message =
                    format!("[[sources]] {}: it has no url and no command by which it is fetched", source.name);
                return Err(Error::new(Kind::Config, message));
            }
        };
        let (this, source, current) = (self.clone(), source.clone(), current.cloned());
        blocking(move || {
            let failed = || format!("could not read {}", path.display());
            let whole = Some(Sha256::of_file(&path).context(Kind::Storage, failed)?);
            // An older list does not take the place of what increments made of it.
            if tags.is_some() && increments.whole == whole && increments.made.is_some() {
                return this.confirm(&source, current, tags, begun);
            }
            let fetched = this.publish(&source, &path, &given, begun)?;
            let state = IncrementState { whole, made: None, ..increments };
            this.database()?.transaction(|rows| rows.increment_answered(&source.name, begun, &state))?;
            Ok(fetched)
        })
        .await
    }

    fn publish(&self, source: &Source, file: &Path, given: &Given, begun: Timestamp) -> Result<Fetched> {
        let name = match source.origin() {
            // The name within the address can tell the format.
            Some(Origin::Https(url)) => url.split(['?', '#']).next().and_then(|url| url.rsplit('/').next()),
            _ => None,
        };
        let file_name = name.filter(|name| !name.is_empty()).unwrap_or(&source.name);
        let what = Publication {
            source,
            file,
            file_name: Path::new(file_name),
            file_date: given.date.map(|date| date.min(begun)),
            asked: Some(begun),
            valid_from: None,
            force: None,
            actor: &self.actor,
            reason: "fetched from its source",
        };
        let published = self.publisher()?.publish(&what)?;
        let tags = Tags {
            settings: source.digest(),
            etag: given.etag.clone(),
            modified: given.modified.clone(),
            own_date: published.own_date,
            sha256: published.version.sha256,
        };
        self.database()?.transaction(|rows| rows.source_answered(&source.name, begun, Some(&tags)))?;
        Ok(Fetched::File(Box::new(published)))
    }

    /// Nothing is newer at the source. A list with a date of its own is as old as that says all the same.
    fn confirm(
        &self,
        source: &Source,
        current: Option<HotlistVersion>,
        tags: Option<Tags>,
        asked: Timestamp,
    ) -> Result<Fetched> {
        let (Some(current), Some(tags)) = (current, tags) else {
            return Err(Error::new(Kind::Internal, "a source has nothing newer than nothing"));
        };
        if !tags.own_date {
            self.publisher()?.confirm_asked(&current, asked, &self.actor)?;
        }
        self.database()?.transaction(|rows| rows.source_answered(&source.name, asked, Some(&tags)))?;
        Ok(Fetched::Same(Box::new(current)))
    }

    /// Brings versions into force whose time has come, and stops handing out findings that vehicles withdrew.
    fn promote(&self) -> Result<()> {
        let now = self.clock.wall();
        let due = |rows: &crate::rows::Rows<'_>| {
            let lists = rows.list_versions()?;
            let due = lists.iter().any(|v| v.coming && v.valid_from.is_none_or(|from| from <= now));
            Ok(due || rows.findings_changed(now)?)
        };
        match self.database()?.transaction(due)? {
            true => self.publisher()?.refresh_findings(),
            false => Ok(()),
        }
    }

    /// Hands out accounts that were changed on the station's pages.
    fn publish_accounts(&self) -> Result<()> {
        let handed_out =
            Provisioner::open(&self.config)?.publish_changed_users("accounts were changed on the pages")?;
        if handed_out > 0 {
            tracing::info!(vehicles = handed_out, "Changed accounts are handed out");
        }
        Ok(())
    }

    fn known(&self, name: &str) -> Result<(Option<SourceState>, Vec<HotlistVersion>)> {
        self.database()?.transaction(|rows| {
            let state = rows.source_states()?.into_iter().find(|state| state.name == name);
            Ok((state, rows.list_versions()?.into_iter().filter(|v| v.name == name).collect()))
        })
    }

    fn database(&self) -> Result<Database> {
        settings::database(&self.config)
    }

    fn publisher(&self) -> Result<Publisher<'_>> {
        let StationConfig { data, name, .. } = &self.config;
        Publisher::open(data, || self.database(), name, &self.signer, &*self.clock)
    }

    /// Where files lie while they come.
    fn folder(&self) -> Result<PathBuf> {
        let folder = self.config.data.join("fetching");
        let owner = Owner::of(&self.config.data)?;
        durable::make_folder(&folder)
            .and_then(|()| owner.give(&folder))
            .context(Kind::Storage, || format!("could not use the folder {}", folder.display()))?;
        Ok(folder)
    }
}

/// Of each list, one process fetches at a time.
fn alone(path: &Path, list: &str) -> Result<File> {
    let failed = || format!("could not lock {}", path.display());
    let file = File::options().create(true).truncate(false).write(true).open(path).context(Kind::Storage, failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::new(
            Kind::Busy,
            format!("the list {list} is being fetched at this moment; try again in a minute"),
        )),
        Err(TryLockError::Error(e)) => Err(e).context(Kind::Storage, failed),
    }
}

/// A file that goes with this value.
struct Gone(PathBuf);

impl Drop for Gone {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.context(Kind::Internal, || "a task of the lists failed".into())?
}
