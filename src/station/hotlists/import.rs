//! `plated-station hotlist import`: a file becomes a version of a list.

use super::super::StationConfig;
use super::super::command::print;
use super::command::{this_user, with_config};
use super::publish::{Done, Publication, Published};
use super::source::Source;
use jiff::Timestamp;
use plated_access::Actor;
use plated_core::config_file::moment;
use plated_core::durable::Scratch;
use plated_core::error::{Context, Error, Kind, Result, opened};
use plated_core::record::Priority;
use plated_core::text::entries;
use plated_hotlist::LineProblem;
use plated_hotlist::format::{MAX_UNPACKED, open_plain};
use plated_hotlist::import::ForceReason;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Mistakes and lines set aside that are shown.
const MAX_SHOWN: usize = 5;

/// Publish a version of a list from a file; vehicles take it at their next round
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated-station hotlist import svs.zip --name svs --format ca_doj:svs --config station.toml
  plated-station hotlist import parade.csv --name parade --valid-from '2026-11-28 06:00' --config station.toml
  plated hotlist export --list watch | ssh station plated-station hotlist import - --name watch

All formats of `plated hotlist import`, also packed with gzip or ZIP. Where [[sources]] of station.toml names the
list, it says how the file is read; what is given here goes before it. A file that is refused leaves the list that is
handed out. Who imported it, when and why, is on record.")]
pub struct ImportArgs {
    /// The file; - reads standard input
    file: PathBuf,
    /// Name of the list
    #[arg(long)]
    name: String,
    /// Date of the source's file, from which vehicles count the list's age, where the file gives itself none; a day
    /// ahead at most [default: when the file changed]
    #[arg(long, value_name = "TIME")]
    file_date: Option<Timestamp>,
    /// Name of its format: csv, ca_doj:svs (or sfr, slr), ncic, ncic_csv, ncic_csv_12 or json_lines [default: told
    /// from the file]
    #[arg(long, value_name = "NAME", conflicts_with = "map")]
    format: Option<String>,
    /// Column map of its format, a TOML file
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// IANA name of the time zone of its dates
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Priority of entries that name none: high, normal or low
    #[arg(long, value_parser = priority)]
    priority: Option<Priority>,
    /// File of mode 0400 with the password of a ZIP archive
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Name of the list in a ZIP archive of several files
    #[arg(long, value_name = "NAME")]
    archive_member: Option<String>,
    /// It comes into force then, in vehicles without a link too; until then the version before counts
    #[arg(long, value_name = "TIME", value_parser = moment)]
    valid_from: Option<Timestamp>,
    /// Why; it is recorded
    #[arg(long, default_value = "brought by hand")]
    reason: String,
    /// Take it even where its checks say no, an empty list too; vehicles take it then as well
    #[arg(long, requires = "reason")]
    force: bool,
    /// So many versions are kept, so that vehicles which have one of them fetch only what changed
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=1000))]
    keep: Option<u16>,
    /// The station's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

fn priority(text: &str) -> std::result::Result<Priority, String> {
    serde_json::from_value(text.into()).map_err(|_| "say high, normal or low".into())
}

impl ImportArgs {
    /// Does it.
    pub fn run(self) -> Result<()> {
        let config = StationConfig::load(&self.config)?;
        let source = self.source(&config);
        let force = self.force.then(|| ForceReason::new(&self.reason)).transpose()?;
        let input = Input::open(&self.file, &config.data)?;
        let actor = Actor::SystemUser(this_user());
        let what = Publication {
            source: &source,
            file: input.path(),
            file_name: &self.file,
            file_date: self.file_date.or(input.changed()),
            asked: None,
            valid_from: self.valid_from,
            force,
            actor: &actor,
            reason: self.reason.trim(),
        };
        let published = with_config(&config, |publisher| publisher.publish(&what))?;
        print(&told(&published))
    }

    fn source(&self, config: &StationConfig) -> Source {
        let configured = config.sources.iter().find(|source| source.name == self.name).cloned();
        let mut source = configured.unwrap_or_else(|| Source::by_hand(&self.name));
        if self.format.is_some() || self.map.is_some() {
            (source.format, source.map) = (self.format.clone(), self.map.clone());
        }
        let Self { time_zone, priority, password_file, archive_member, keep, .. } = self;
        source.time_zone = time_zone.clone().or(source.time_zone);
        source.priority = priority.or(source.priority);
        source.zip_password_file = password_file.clone().or(source.zip_password_file);
        source.archive_member = archive_member.clone().or(source.archive_member);
        source.keep = keep.unwrap_or(source.keep);
        source
    }
}

/// The file, or a copy of standard input, which goes with this value.
enum Input {
    File(PathBuf),
    Copy(PathBuf),
}

impl Input {
    fn open(file: &Path, data: &Path) -> Result<Self> {
        if file != Path::new("-") {
            opened(open_plain(file), || format!("could not read {}", file.display()))?;
            return Ok(Self::File(file.to_owned()));
        }
        let path = data.join(format!("incoming-{}", uuid::Uuid::now_v7().simple()));
        let failed = || format!("could not keep standard input in {}", data.display());
        let mut copy = Scratch::create_new(&path).context(Kind::Storage, failed)?;
        let input = Self::Copy(path);
        let bytes = io::copy(&mut io::stdin().take(MAX_UNPACKED + 1), &mut copy).context(Kind::Storage, failed)?;
        if bytes > MAX_UNPACKED {
            return Err(Error::new(Kind::Input, format!("a list has at most {MAX_UNPACKED} bytes")));
        }
        Ok(input)
    }

    fn path(&self) -> &Path {
        let (Self::File(path) | Self::Copy(path)) = self;
        path
    }

    fn changed(&self) -> Option<Timestamp> {
        let Self::File(path) = self else { return None };
        std::fs::metadata(path).and_then(|meta| meta.modified()).ok().and_then(|time| Timestamp::try_from(time).ok())
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        if let Self::Copy(path) = self {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// What was done, in lines.
pub(super) fn told(published: &Published) -> String {
    let Published { version: v, done, report, own_date: _, forced, duplicates, inactive, deltas } = published;
    let mut text = match done {
        Done::Published if v.coming => {
            let from = v.valid_from.unwrap_or(v.published);
            format!("{} version {} comes into force at {from:.0}: {}", v.name, v.version, entries(v.entries))
        }
        Done::Published => {
            format!("published {} version {}: {}, {} bytes", v.name, v.version, entries(v.entries), v.bytes)
        }
        Done::Confirmed => {
            format!(
                "{} is the same as version {}, which is known to be the newest at {:.0}",
                v.name, v.version, v.confirmed
            )
        }
        Done::Unchanged => format!("{} is the same as version {}; nothing was changed", v.name, v.version),
    };
    for past in forced {
        text.push_str(&format!("\nFORCED: {past}"));
    }
    text.push_str(&format!("\n{report}"));
    let mut show = |what: &str, problems: &[LineProblem]| {
        for problem in problems.iter().take(MAX_SHOWN) {
            text.push_str(&format!("\n{what} {problem}"));
        }
    };
    show("mistake in", &report.bad_lines);
    show("set aside", &report.set_aside_lines);
    if *duplicates > 0 {
        text.push_str(&format!("\n{} left out that repeat another", entries(*duplicates)));
    }
    if *inactive > 0 {
        text.push_str(&format!("\n{} left out that were made inactive", entries(*inactive)));
    }
    for delta in deltas {
        text.push_str(&format!("\ndelta from {} has {} bytes", delta.from, delta.bytes));
    }
    text
}
