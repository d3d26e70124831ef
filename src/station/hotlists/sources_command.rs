//! `plated-station hotlist fetch`, `update`, `disable`, `enable` and `inactive`.

use super::super::StationConfig;
use super::super::command::print;
use super::command::{hotlist_signer, this_user, with_config};
use super::fetch::{Fetched, Fetcher, watch};
use super::import::told;
use super::inactive::{EntryName, Inactive};
use super::publish::Publication;
use super::source::Source;
use super::update::Increment;
use crate::archive::settings;
use crate::why::Why;
use jiff::Timestamp;
use plated_access::{Actor, Show};
use plated_core::clock::SystemClock;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::service;
use plated_core::text::{count, entries, visible};
use plated_hotlist::import::ForceReason;
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

/// A file that is being published at the end is waited for so long.
const END_TIMEOUT: Duration = Duration::from_secs(10);

/// Fetch lists from their sources
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated-station hotlist fetch --config station.toml
  plated-station hotlist fetch svs --config station.toml
  plated-station hotlist fetch --watch --config station.toml

Where a list is fetched, and how often, stands in [[sources]] of station.toml. With --watch it goes on for ever; that is
what plated-station-lists.service does. A list that was withdrawn is fetched only where it is named.")]
pub struct FetchArgs {
    /// Names of lists [default: all that have a source]
    names: Vec<String>,
    /// Look at each source after its interval, for ever
    #[arg(long, conflicts_with = "names")]
    watch: bool,
    /// The station's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

impl FetchArgs {
    /// The configuration, where it goes on for ever.
    pub fn watches(&self) -> Option<&PathBuf> {
        self.watch.then_some(&self.config)
    }

    /// Does it.
    pub fn run(self) -> Result<()> {
        let config = StationConfig::load(&self.config)?;
        let signer = hotlist_signer(&config)?;
        let actor = Actor::SystemUser(this_user());
        let fetcher = Arc::new(Fetcher::new(config, signer, Arc::new(SystemClock::new()), actor));
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.context(Kind::Internal, || "could not start the runtime".into())?;
        if self.watch {
            return watch_until_stopped(runtime, fetcher);
        }
        let known: Vec<Source> = fetcher.sources().cloned().collect();
        if let Some(other) = self.names.iter().find(|name| known.iter().all(|source| source.name != **name)) {
            let message = format!("{other}: [[sources]] of {} has no url or command for it", self.config.display());
            return Err(Error::new(Kind::Config, message));
        }
        let by_name = !self.names.is_empty();
        let wanted: Vec<_> = known.iter().filter(|source| !by_name || self.names.contains(&source.name)).collect();
        if wanted.is_empty() {
            return print("[[sources]] names no list that is fetched");
        }
        let (mut failed, mut kind) = (0, Kind::Network);
        for source in &wanted {
            match runtime.block_on(fetcher.once(source, by_name)) {
                Ok(Fetched::File(published)) => print(&told(&published))?,
                Ok(Fetched::Same(v)) => {
                    print(&format!("{} version {} is the newest that its source has", v.name, v.version))?;
                }
                Ok(Fetched::Withdrawn) => {
                    let name = &source.name;
                    print(&format!("{name} was withdrawn; `plated-station hotlist fetch {name}` brings it again"))?;
                }
                Err(e) => {
                    (failed, kind) = (failed + 1, e.kind());
                    print(&format!("{} was not fetched, the version before stays: {}", source.name, e.chain()))?;
                }
            }
        }
        match failed {
            0 => Ok(()),
            _ => Err(Error::new(
                kind,
                format!("{failed} of {} could not be fetched", count(wanted.len() as u64, "list")),
            )),
        }
    }
}

fn watch_until_stopped(runtime: Runtime, fetcher: Arc<Fetcher>) -> Result<()> {
    let sources = fetcher.sources().count() as u64;
    let stopped: Result<()> = runtime.block_on(async {
        let failed = || "could not watch for signals".into();
        let mut terminate = signal(SignalKind::terminate()).context(Kind::Internal, failed)?;
        let mut interrupt = signal(SignalKind::interrupt()).context(Kind::Internal, failed)?;
        print(&format!("fetching {}", count(sources, "list")))?;
        service::ready();
        tokio::select! {
            never = watch(fetcher) => match never {},
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("Stopping");
        service::stopping();
        Ok(())
    });
    // What is being published is published or not; a program that fetches is ended with this one.
    runtime.shutdown_timeout(END_TIMEOUT);
    stopped
}

/// Add entries to a list that is handed out, and remove entries
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated-station hotlist update svs --base 12 --add adds.txt --remove deletes.txt --config station.toml

The files are read as those of the list. --base says against which version they were made: where another one is handed
out by now, or they are older than it, they are refused, and so are removals of entries that the list does not have. An
entry with the id of one that is there takes its place. The result is a version as any other.")]
pub struct UpdateArgs {
    /// Name of the list
    name: String,
    /// Version of the list that the files were made against: its number, or at least 8 digits of its hash
    #[arg(long, value_name = "VERSION")]
    base: String,
    /// File of entries that come
    #[arg(long, value_name = "FILE", required_unless_present = "remove")]
    add: Option<PathBuf>,
    /// File of entries that go: those of its plates and states, and of its ids where it gives any
    #[arg(long, value_name = "FILE")]
    remove: Option<PathBuf>,
    /// Date of the files, where they give themselves none
    #[arg(long, value_name = "TIME")]
    file_date: Option<Timestamp>,
    /// Why; it is recorded
    #[arg(long, default_value = "brought by hand")]
    reason: String,
    /// Take it even where its checks say no; not against another base
    #[arg(long, requires = "reason")]
    force: bool,
    /// The station's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

impl UpdateArgs {
    /// Does it.
    pub fn run(self) -> Result<()> {
        let config = StationConfig::load(&self.config)?;
        let configured = config.sources.iter().find(|source| source.name == self.name).cloned();
        let source = configured.unwrap_or_else(|| Source::by_hand(&self.name));
        let actor = Actor::SystemUser(this_user());
        let file = self.add.as_ref().or(self.remove.as_ref()).cloned().unwrap_or_default();
        let what = Publication {
            source: &source,
            file: &file,
            file_name: &file,
            file_date: self.file_date,
            asked: None,
            valid_from: None,
            force: self.force.then(|| ForceReason::new(&self.reason)).transpose()?,
            actor: &actor,
            reason: self.reason.trim(),
        };
        let files = Increment { base: &self.base, add: self.add.as_deref(), remove: self.remove.as_deref() };
        let published = with_config(&config, |publisher| publisher.update(&what, &files))?;
        print(&told(&published))
    }
}

/// Make an entry inactive
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated-station hotlist disable svs --plate 7ABC123 --state CA --reason 'recovered, not cleared yet' --config station.toml

Vehicles drop the entry at their next round. It stays out of each version that is imported or fetched after this, until
`plated-station hotlist enable` makes it active again.")]
pub struct DisableArgs {
    /// Name of the list
    list: String,
    /// The plate, or partial plate, as the list has it
    #[arg(long)]
    plate: String,
    /// Its state [default: any]
    #[arg(long, default_value = "", hide_default_value = true)]
    state: String,
    /// The source's own id of the record [default: any]
    #[arg(long, default_value = "", hide_default_value = true)]
    id: String,
    #[command(flatten)]
    why: Why,
    /// The station's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

impl DisableArgs {
    /// Does it.
    pub fn run(self) -> Result<()> {
        let config = StationConfig::load(&self.config)?;
        let entry = EntryName::new(&self.plate, &self.state, &self.id)?;
        let subject = json!({"list": self.list, "plate": entry.plate, "state": entry.state, "as": "inactive"});
        // Whoever is told how many entries there are has looked them up.
        let (_, _permit) = self.why.open::<Show>(&config, &*settings::beside(&config)?, subject)?;
        let (reason, actor) = (self.why.reason(), Actor::SystemUser(this_user()));
        let (made, found) =
            with_config(&config, |publisher| publisher.make_inactive(&self.list, entry, &actor, reason.as_str()))?;
        print(&format!(
            "{} of {} made inactive as number {}; vehicles drop it at their next round",
            entries(found),
            made.list,
            made.number
        ))
    }
}

/// Make an entry active again
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated-station hotlist enable 3 --reason 'stolen again' --config station.toml")]
pub struct EnableArgs {
    /// Its number, as `plated-station hotlist inactive` shows it
    number: i64,
    #[command(flatten)]
    why: Why,
    /// The station's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

impl EnableArgs {
    /// Does it.
    pub fn run(self) -> Result<()> {
        let config = StationConfig::load(&self.config)?;
        let (_, _permit) = self.why.open::<Show>(
            &config,
            &*settings::beside(&config)?,
            json!({"inactive": self.number, "as": "active"}),
        )?;
        let (reason, actor) = (self.why.reason(), Actor::SystemUser(this_user()));
        let was = with_config(&config, |publisher| publisher.make_active(self.number, &actor, reason.as_str()))?;
        print(&format!("number {} of {} is active again; vehicles have it at their next round", was.number, was.list))
    }
}

/// Show the entries that were made inactive
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated-station hotlist inactive --reason 'weekly review' --config station.toml

Those that are active again are shown too. The look is on record before anything is shown.")]
pub struct InactiveArgs {
    #[command(flatten)]
    why: Why,
    /// The station's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

impl InactiveArgs {
    /// Does it.
    pub fn run(self) -> Result<()> {
        let config = StationConfig::load(&self.config)?;
        let (gate, permit) = self.why.open::<Show>(&config, &*settings::beside(&config)?, json!({"inactive": true}))?;
        let all = settings::look(&config, |rows| rows.inactive_entries(&permit))?.unwrap_or_default();
        gate.shown(&permit, all.len() as u64)?;
        for Inactive { number, list, entry, made: (at, by, why), ended } in &all {
            let state = if entry.state.is_empty() { "any state" } else { &entry.state };
            let id = if entry.id.is_empty() { String::new() } else { format!(" id {}", visible(&entry.id)) };
            let ended = ended.as_ref().map_or_else(String::new, |(at, by, why)| {
                format!("; active again {at:.0} by {}: {}", visible(by), visible(why))
            });
            print(&format!(
                "{number} {list} {} {state}{id}: inactive since {at:.0} by {}: {}{ended}",
                visible(&entry.plate),
                visible(by),
                visible(why)
            ))?;
        }
        if all.is_empty() { print("no entry was made inactive") } else { Ok(()) }
    }
}
