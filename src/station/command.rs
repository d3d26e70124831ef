//! The command line of `plated-station`.

use super::archive::command::{self as archive, ArchiveCommand, HoldCommand};
use super::archive::documents_command::{CorrectionsCommand, DispositionsCommand, SearchArgs};
use super::archive::{EngineKind, VehicleCount, VehicleLog, settings};
use super::evidence::command::EvidenceCommand;
use super::findings::command::FindingCommand;
use super::forward;
use super::hotlists::ages;
use super::hotlists::command::{HotlistCommand, make_key};
use super::medium::{self, command::MediumCommand};
use super::provision::command::ProvisionCommand;
use super::register::command::VehicleCommand;
use super::releases::command::PartnerCommand;
use super::security_command::SecurityCommand;
use super::transparency::command::AuditCommand;
use super::user::UserCommand;
use super::{ArchiveKey, ClonedVehicle, ReportedBreach, SecurityEvent, Standing, StationConfig, StationServer, config};
use clap::{CommandFactory, Parser, Subcommand};
use jiff::civil::Date;
use plated_access::SealSecret;
use plated_access::audit::LogReport;
use plated_core::clock::{Clock, SystemClock};
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::logging::LogFormat;
use plated_core::service;
use plated_core::signing::Trust;
use plated_core::text::{count, visible};
use plated_core::tls::authority::Authority;
use plated_core::tls::write_new;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};

/// Signs of a breach that the status names.
const MAX_BREACHES_SHOWN: usize = 20;

/// The department's server of plated: takes in reads from vehicles and keeps them.
#[derive(Debug, Parser)]
#[command(name = "plated-station", version, arg_required_else_help = true)]
pub struct Command {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a development authority, the station's certificate and an annotated station.toml
    Init {
        /// Folder to put them in
        #[arg(long)]
        dir: PathBuf,
        /// Host names or addresses by which vehicles reach the station
        #[arg(long = "name", value_delimiter = ',', default_value = "localhost,127.0.0.1,::1")]
        names: Vec<String>,
        /// Address and port to listen on
        #[arg(long, default_value = "[::]:8443")]
        listen: SocketAddr,
    },
    /// The register of vehicles: make, enter, show and revoke their certificates
    #[command(subcommand)]
    Vehicle(VehicleCommand),
    /// Show when each vehicle was heard of last and which reads it still has, those first that have to come first; a
    /// running station goes on
    #[command(after_help = "Examples:
  plated-station vehicles --config station.toml
  plated-station vehicles --config station.toml --json | jq -r 'select(.standing != \"ok\") | .contact.vehicle'

The exit code is 0 when no vehicle has to come, 1 for a warning, 2 for what is critical or overdue: see [overdue] in the
configuration. What a vehicle still has is what it said with its last batch.")]
    Vehicles {
        /// Print one JSON object for each
        #[arg(long)]
        json: bool,
        /// The station's configuration
        #[arg(long)]
        config: PathBuf,
    },
    /// Take in reads until SIGTERM or SIGINT
    Run {
        /// The station's configuration
        #[arg(long)]
        config: PathBuf,
    },
    /// Show what the station holds, and vehicles whose certificate several computers use; a running
    /// station goes on
    Status {
        /// The station's configuration
        #[arg(long)]
        config: PathBuf,
    },
    /// Delete what its retention is over for; a running station does so by itself
    Purge {
        /// Only say what would be deleted
        #[arg(long)]
        dry_run: bool,
        /// The station's configuration
        #[arg(long)]
        config: PathBuf,
    },
    /// Print the certificates of deletion, one on each line
    Certificates {
        /// Only say whether the one in this file counts
        #[arg(long, value_name = "FILE")]
        verify: Option<PathBuf>,
        /// The station's configuration
        #[arg(long)]
        config: PathBuf,
    },
    /// Search the reads that are here
    Search(Box<SearchArgs>),
    /// What officers say that reads really say
    #[command(subcommand)]
    Corrections(CorrectionsCommand),
    /// What officers found about hits
    #[command(subcommand)]
    Dispositions(DispositionsCommand),
    /// Signs of a breach: show them, and say that somebody looked into one
    #[command(subcommand)]
    Security(SecurityCommand),
    /// Archives of evidence: verify one offline, print the station's key for them
    #[command(subcommand)]
    Evidence(EvidenceCommand),
    /// Accounts of the station and of all its vehicles: add, list, change, disable, enable
    #[command(subcommand)]
    User(UserCommand),
    /// Media of vehicles without a link
    #[command(subcommand)]
    Medium(MediumCommand),
    /// Share reads with the upstream station that were here before [forward] was set
    #[command(after_help = "Example:
  plated-station forward --since 2026-11-01 --reason \"the centre joins on 12/01\" --config station.toml

What is shared is said by [forward]. A running station sends it; `plated-station status` says how much waits.")]
    Forward {
        /// Day from which on they were made, by UTC
        #[arg(long, value_name = "DAY")]
        since: Date,
        /// Why; it is recorded
        #[arg(long)]
        reason: String,
        /// The station's configuration
        #[arg(long)]
        config: PathBuf,
    },
    /// The archive as a whole: move it to PostgreSQL
    #[command(subcommand)]
    Archive(ArchiveCommand),
    /// Agencies that reads may be released to: add, list, review, end
    #[command(subcommand)]
    Partner(PartnerCommand),
    /// Evidence holds: keep reads beyond their retention
    #[command(subcommand)]
    Hold(HoldCommand),
    /// Compare every record, picture and document with its hash; a running station goes on
    Check {
        /// The station's configuration
        #[arg(long)]
        config: PathBuf,
    },
    /// Copy the archive to an empty folder; a running station goes on
    Backup {
        /// The folder
        dir: PathBuf,
        /// The station's configuration
        #[arg(long)]
        config: PathBuf,
    },
    /// Put a backup into the place of the archive, which must be empty, and check it
    Restore {
        /// Folder of the backup
        dir: PathBuf,
        /// The station's configuration
        #[arg(long)]
        config: PathBuf,
    },
    /// What vehicles are given beside lists: accounts, what the agency sets, models
    #[command(subcommand)]
    Provision(ProvisionCommand),
    /// What vehicles are to have: publish, list and withdraw hotlists
    #[command(subcommand)]
    Hotlist(HotlistCommand),
    /// "Not this vehicle": what officers found, approved for all vehicles or refused
    #[command(subcommand)]
    Finding(FindingCommand),
    /// The audit log for everybody: write it without plates and names, verify such a file, print the key
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Verify the audit logs of the station and of its vehicles: no row was changed, left out or put in another place
    AuditVerify {
        /// The station's configuration
        #[arg(long)]
        config: PathBuf,
    },
    /// Print what vehicles can ask of a station, as an OpenAPI document
    Api,
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the manual pages into a folder, one for each subcommand
    Man {
        /// The folder, which is there
        dir: PathBuf,
    },
}

impl Command {
    /// How the log is written; as people read it where the configuration can't be read, since that is said next.
    pub(super) fn log_format(&self) -> LogFormat {
        let config = match &self.what {
            What::Run { config } => Some(config),
            What::Hotlist(hotlist) => hotlist.watches(),
            _ => None,
        };
        config.and_then(|path| StationConfig::load(path).ok()).map_or(LogFormat::Text, |config| config.log.format)
    }

    /// Does what the command line asks; gives the exit code.
    pub fn run(self) -> Result<ExitCode> {
        match self.what {
            What::Vehicles { json, config } => vehicles(&StationConfig::load(&config)?, json),
            other => other.run().map(|()| ExitCode::SUCCESS),
        }
    }
}

impl What {
    fn run(self) -> Result<()> {
        match self {
            // It has an exit code of its own.
            What::Vehicles { json, config } => vehicles(&StationConfig::load(&config)?, json).map(drop),
            What::Init { dir, names, listen } => init(&dir, &names, listen),
            What::Vehicle(vehicle) => vehicle.run(),
            What::Provision(provision) => provision.run(),
            What::Run { config } => {
                let config = StationConfig::load(&config)?;
                tokio::runtime::Builder::new_multi_thread()
                    .enable_all()
                    .build()
                    .context(Kind::Internal, || "could not start the runtime".into())?
                    .block_on(run(&config))
            }
            What::Hotlist(hotlist) => hotlist.run(),
            What::Finding(finding) => finding.run(),
            What::Purge { dry_run, config } => archive::purge(&StationConfig::load(&config)?, dry_run),
            What::Certificates { verify, config } => {
                archive::certificates(&StationConfig::load(&config)?, verify.as_deref())
            }
            What::Search(search) => search.run(),
            What::Corrections(corrections) => corrections.run(),
            What::Dispositions(dispositions) => dispositions.run(),
            What::Security(security) => security.run(),
            What::Medium(medium) => medium.run(),
            What::Forward { since, reason, config } => {
                forward::command::forward(&StationConfig::load(&config)?, since, &reason)
            }
            What::Archive(archive) => archive.run(),
            What::Hold(hold) => hold.run(),
            What::Audit(audit) => audit.run(),
            What::Partner(partner) => partner.run(),
            What::User(user) => user.run(),
            What::Evidence(evidence) => evidence.run(),
            What::Check { config } => archive::check(&StationConfig::load(&config)?),
            What::Backup { dir, config } => archive::backup(&StationConfig::load(&config)?, &dir),
            What::Restore { dir, config } => archive::restore(&StationConfig::load(&config)?, &dir),
            What::AuditVerify { config } => audit_verify(&StationConfig::load(&config)?),
            What::Status { config } => status(&StationConfig::load(&config)?),
            What::Api => print(super::api::document().trim_end()),
            What::Completions { shell } => {
                // By way of memory, since the generator panics when its output goes away.
                let mut text = Vec::new();
                clap_complete::generate(shell, &mut Command::command(), "plated-station", &mut text);
                print(String::from_utf8_lossy(&text).trim_end())
            }
            What::Man { dir } => clap_mangen::generate_to(Command::command(), &dir)
                .context(Kind::Storage, || format!("could not write the manual pages into {}", visible(&dir))),
        }
    }
}

fn init(dir: &Path, names: &[String], listen: SocketAddr) -> Result<()> {
    let clock = SystemClock::new();
    let file = dir.join("station.toml");
    let made = [
        "station.toml",
        "station.crt",
        "station.key",
        "hotlist.key",
        "hotlist.pub",
        "receipt.key",
        "receipt.pub",
        "archive.key",
        "console.crt",
        "console.key",
        "medium.key",
        "medium.pub",
        "seal.key",
    ];
    plated_core::tls::refuse_existing(&made.map(|name| dir.join(name)))?;
    let authority = Authority::create(dir, &clock)?;
    authority.issue_station(names, &clock)?;
    authority.issue_console(names, dir, &clock)?;
    make_key(&dir.join("hotlist.key"))?;
    make_key(&dir.join("receipt.key"))?;
    ArchiveKey::create_file(&dir.join("archive.key"))?;
    medium::make_key(&dir.join("medium.key"))?;
    SealSecret::create_file(&dir.join("seal.key"))?;
    let name = names.first().map_or("station", String::as_str);
    write_new(&file, config::template(name, listen).as_bytes(), 0o644)?;
    print(&format!(
        "Made a development authority and {0}. Next:\n  \
         plated-station vehicle issue NAME --out FOLDER --config {0}    for each vehicle\n  \
         plated-station run --config {0}",
        file.display()
    ))
}

async fn run(config: &StationConfig) -> Result<()> {
    let failed = || "could not watch for signals".into();
    let mut terminate = signal(SignalKind::terminate()).context(Kind::Internal, failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).context(Kind::Internal, failed)?;
    let server = StationServer::bind(config, Arc::new(SystemClock::new())).await?;
    print(&format!("listening on https://{}", server.address()))?;
    if let Some(metrics) = server.metrics_address() {
        print(&format!("metrics at http://{metrics}/metrics"))?;
    }
    if let Some(pages) = server.pages_address() {
        print(&format!("pages at https://{pages}"))?;
    }
    service::ready();
    service::status(&format!("Listening on {}", server.address()));
    server
        .run(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!("Stopping");
            service::stopping();
        })
        .await
}

fn status(config: &StationConfig) -> Result<()> {
    let now = SystemClock::new().wall();
    let look = |rows: &crate::rows::Rows<'_>| {
        let breaches = rows.breaches(MAX_BREACHES_SHOWN)?;
        let (lists, waiting) = (ages(rows, &config.sources, now)?, rows.forward_waiting(forward::UPSTREAM)?);
        Ok((rows.cloned_vehicles()?, rows.security_events()?, breaches, lists, waiting))
    };
    let (cloned, events, (breaches, all), lists, waiting) = settings::look(config, look)?.unwrap_or_default();
    let counts = settings::beside(config)?.statistics(Date::MIN, Date::MIN)?;
    let mut text = format!("reads {}\nimages {} ({} bytes)", counts.reads, counts.pictures, counts.picture_bytes);
    for VehicleCount { vehicle, reads, last_received: last } in &counts.vehicles {
        let (vehicle, reads) = (visible(vehicle), count(*reads, "read"));
        text.push_str(&format!("\nvehicle {vehicle}: {reads}, last received {last:.0}"));
    }
    for list in &lists {
        text.push_str(&format!("\n{list}"));
    }
    if config.forward.is_some() || waiting.reads > 0 {
        let oldest = waiting.oldest.map_or_else(String::new, |at| format!(", the oldest since {at:.0}"));
        let refused = if waiting.refused > 0 { format!(", {} refused", waiting.refused) } else { String::new() };
        text.push_str(&format!("\nforward: {} to go{oldest}{refused}", count(waiting.reads, "read")));
    }
    for SecurityEvent { vehicle, indicator, first_seen, last_seen, times } in &events {
        let (vehicle, indicator, times) = (visible(vehicle), visible(indicator), count(*times, "time"));
        text.push_str(&format!(
            "\nSECURITY vehicle {vehicle}: {indicator}; noticed {times}, first {first_seen:.0}, last {last_seen:.0}"
        ));
    }
    for ReportedBreach { vehicle, at, received, text: what } in &breaches {
        let (vehicle, what) = (visible(vehicle), visible(what).at_most(1000));
        text.push_str(&format!("\nSECURITY vehicle {vehicle}: {what}; noticed {at:.0}, received {received:.0}"));
    }
    if all > breaches.len() as u64 {
        text.push_str(&format!(
            "\nSECURITY {} more of vehicles, older ones",
            count(all - breaches.len() as u64, "sign")
        ));
    }
    for ClonedVehicle { vehicle, first_seen, last_seen, times } in &cloned {
        let (vehicle, times) = (visible(vehicle), count(*times, "time"));
        text.push_str(&format!(
            "\nSECURITY vehicle {vehicle}: several computers use its certificate; noticed {times}, first \
             {first_seen:.0}, last {last_seen:.0}"
        ));
    }
    print(&text)
}

/// Prints how it is with each vehicle; the exit code tells a monitoring system the worst.
fn vehicles(config: &StationConfig, json: bool) -> Result<ExitCode> {
    let now = SystemClock::new().wall();
    let all = settings::look(config, |rows| rows.contacts())?.unwrap_or_default();
    let mut worst = Standing::Ok;
    for contact in &all {
        let standing = contact.standing(now, &config.overdue);
        worst = worst.max(standing);
        if json {
            let line = serde_json::json!({"standing": standing, "contact": contact});
            print(&line.to_string())?;
        } else {
            print(&format!("{:<9} {}: {}", standing.word(), visible(&contact.vehicle), contact.sentence(now)))?;
        }
    }
    if all.is_empty() && !json {
        print("no vehicle was heard of yet")?;
    }
    Ok(match worst {
        Standing::Ok => ExitCode::SUCCESS,
        Standing::Warning => ExitCode::from(1),
        Standing::Critical | Standing::Overdue => ExitCode::from(2),
    })
}

fn audit_verify(config: &StationConfig) -> Result<()> {
    if config.archive.engine == EngineKind::Sqlite && !config.database().exists() {
        return print("the station has no audit log yet");
    }
    let mut logs = LogsTold::default();
    // A station that never published anything has no key and no log of its commands.
    let keys = config.hotlist_key.with_extension("pub");
    let trust = if keys.exists() { Trust::load(&keys)? } else { Trust::only([]) };
    let commands = settings::look(config, |rows| rows.verify_log(&trust))?;
    commands.unwrap_or_default().iter().try_for_each(|log| logs.tell("commands, log", log, None))?;
    let archive = settings::beside(config)?;
    archive.verify_own_logs()?.iter().try_for_each(|log| logs.tell("archive, log", log, None))?;
    for VehicleLog { vehicle, log, to_come } in &archive.verify_vehicle_logs()? {
        logs.tell(&format!("vehicle {}, log", visible(vehicle)), log, *to_come)?;
    }
    match (logs.all, logs.faulty) {
        (0, _) => print("the station has no audit log yet"),
        (_, 0) => Ok(()),
        (all, faulty) => {
            let message =
                format!("{faulty} of {all} audit logs are not as they were written; keep a copy and find out why");
            Err(Error::new(Kind::Damaged, message))
        }
    }
}

/// How many logs were told of.
#[derive(Default)]
struct LogsTold {
    all: usize,
    faulty: usize,
}

impl LogsTold {
    /// Prints what the verification of a log found.
    fn tell(&mut self, whose: &str, log: &LogReport, to_come: Option<i64>) -> Result<()> {
        self.all += 1;
        let (rows, ended) = (count(log.rows.rows, "row"), if log.ended { ", ended" } else { "" });
        let more = to_come.map_or_else(String::new, |signed| {
            format!("; it signed row {signed}, and those after row {} are not here yet", log.rows.last)
        });
        match log.fault() {
            None => print(&format!("{whose} {}: {rows}{ended}, as it was written{more}", log.log)),
            Some(why) => {
                self.faulty += 1;
                print(&format!("{whose} {}: {rows}{ended}, NOT as it was written: {why}{more}", log.log))
            }
        }
    }
}

/// Writes results. A reader that went away (`| head`) ends the program without a message.
pub(super) fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        written => written.context(Kind::Storage, || "could not write to standard output".into()),
    }
}
