//! `plated-station user`: the accounts that vehicles get.

use super::publish::Provisioner;
use crate::StationConfig;
use crate::command::print;
use clap::{Args, Subcommand};
use jiff::civil::Date;
use plated_access::{Change, Grants, LoginName, NewUser, Password, Reason, Role, User};
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::text::{count, visible};
use std::io::{BufRead, Read};
use std::path::PathBuf;
use zeroize::Zeroizing;

/// Longest line of a password.
const MAX_PASSWORD_BYTES: u64 = 1024;

/// Accounts that vehicles get: add, list, change, disable. Each change goes to all vehicles of the register
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add an account
    #[command(after_help = "Example:
  systemd-ask-password \"Password of jdoe: \" | sudo plated-station user add jdoe --full-name \"John Doe\" \\
    --title Officer --agency \"Example PD\" --role officer --trained 2026-09-01 --every-list --clets \\
    --reason \"assigned to patrol\" --config /etc/plated-station/station.toml

The password is read from standard input, one line; its owner chooses it. As long as there is no administrator
anybody who may write the station's data can add one; after that only root.")]
    Add {
        #[command(flatten)]
        whose: Whose,
        /// As on the badge
        #[arg(long, value_name = "TEXT")]
        full_name: String,
        /// Title or designation
        #[arg(long, value_name = "TEXT", default_value = "")]
        title: String,
        /// The agency that employs them
        #[arg(long, value_name = "TEXT")]
        agency: String,
        /// officer, supervisor, administrator, auditor or custodian
        #[arg(long, value_name = "ROLE", value_parser = role_of)]
        role: Role,
        /// Day of their last training, e.g. 2026-09-01
        #[arg(long, value_name = "DAY")]
        trained: Option<Date>,
        #[command(flatten)]
        lists: Lists,
    },
    /// Show all accounts
    #[command(after_help = "Example:
  sudo plated-station user list --config /etc/plated-station/station.toml")]
    List {
        /// The station's configuration
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Keep an account from being used; in vehicles its sessions end when they hear of it
    #[command(after_help = "Example:
  sudo plated-station user disable jdoe --reason \"left the agency\" --config /etc/plated-station/station.toml")]
    Disable(Whose),
    /// Let an account be used again
    #[command(after_help = "Example:
  sudo plated-station user enable jdoe --reason \"back from leave\" --config /etc/plated-station/station.toml")]
    Enable(Whose),
    /// Set a password; one line of standard input
    #[command(after_help = "Example:
  systemd-ask-password \"Password of jdoe: \" | sudo plated-station user password jdoe --reason forgotten \\
    --config /etc/plated-station/station.toml")]
    Password(Whose),
    /// Enter the day of somebody's last training
    #[command(after_help = "Example:
  sudo plated-station user training jdoe 2026-09-01 --reason \"yearly training\" --config station.toml")]
    Training {
        #[command(flatten)]
        whose: Whose,
        /// The day
        #[arg(value_name = "DAY")]
        day: Date,
    },
    /// Give somebody another role; in vehicles their sessions end
    #[command(after_help = "Example:
  sudo plated-station user role jdoe supervisor --reason promoted --config station.toml")]
    Role {
        #[command(flatten)]
        whose: Whose,
        /// officer, supervisor, administrator, auditor or custodian
        #[arg(value_name = "ROLE", value_parser = role_of)]
        role: Role,
    },
    /// Say which lists somebody sees, instead of those until now
    #[command(after_help = "Example:
  sudo plated-station user grant jdoe --every-list --clets --reason patrol --config station.toml")]
    Grant {
        #[command(flatten)]
        whose: Whose,
        #[command(flatten)]
        lists: Lists,
    },
}

/// Whose account, and why.
#[derive(Debug, Args)]
pub struct Whose {
    /// Login name
    #[arg(value_name = "NAME", value_parser = login_name)]
    name: LoginName,
    /// Why; it is recorded
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// The station's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// Which lists somebody sees.
#[derive(Debug, Args)]
pub struct Lists {
    /// A list they see; can be given several times
    #[arg(long, value_name = "NAME")]
    list: Vec<String>,
    /// They see every list that is not covert
    #[arg(long)]
    every_list: bool,
    /// They see state and federal lists (CLETS, NCIC) among those
    #[arg(long)]
    clets: bool,
}

impl Lists {
    fn grants(self) -> Grants {
        Grants { every_list: self.every_list, lists: self.list.into_iter().collect(), clets: self.clets }
    }
}

fn login_name(name: &str) -> Result<LoginName, String> {
    LoginName::new(name).map_err(|e| e.to_string())
}

fn role_of(word: &str) -> Result<Role, String> {
    let roles = Role::ALL.map(Role::as_str).join(", ");
    Role::of(word).ok_or_else(|| format!("the roles are {roles}"))
}

impl UserCommand {
    /// Does what the command line asks.
    pub fn run(self) -> Result<()> {
        match self {
            Self::Add { whose, full_name, title, agency, role, trained, lists } => {
                let (provisioner, reason) = (open(&whose)?, Reason::new(&whose.reason)?);
                let (name, grants) = (whose.name.clone(), lists.grants());
                let must_change_password = false;
                let user = NewUser { name, full_name, title, agency, role, trained, grants, must_change_password };
                let password = password()?;
                let added = provisioner.accounts()?.add(provisioner.actor(), user, &password, &reason)?;
                print(&format!("added {}, {}", added.account.name, added.account.role))?;
                publish(&provisioner, &whose.reason)
            }
            Self::List { config } => {
                let provisioner = Provisioner::open(&StationConfig::load(&config)?)?;
                let users = provisioner.accounts()?.users(provisioner.actor())?;
                users.iter().try_for_each(|user| print(&as_line(user)))?;
                if users.is_empty() { print("there are no accounts") } else { Ok(()) }
            }
            Self::Disable(whose) => change(&whose, || Ok(Change::Disable), "disabled"),
            Self::Enable(whose) => change(&whose, || Ok(Change::Enable), "enabled"),
            Self::Password(whose) => change(&whose, || password().map(Change::Password), "another password"),
            Self::Training { whose, day } => change(&whose, || Ok(Change::Training(day)), "training entered"),
            Self::Role { whose, role } => change(&whose, || Ok(Change::Role(role)), role.as_str()),
            Self::Grant { whose, lists } => {
                let grants = lists.grants();
                change(&whose, || Ok(Change::Grants(grants)), "sees other lists from now on")
            }
        }
    }
}

fn open(whose: &Whose) -> Result<Provisioner> {
    Provisioner::open(&StationConfig::load(&whose.config)?)
}

fn change(whose: &Whose, make: impl FnOnce() -> Result<Change>, done: &str) -> Result<()> {
    let (provisioner, reason) = (open(whose)?, Reason::new(&whose.reason)?);
    provisioner.accounts()?.change(provisioner.actor(), &whose.name, make()?, &reason)?;
    print(&format!("{}: {done}", whose.name))?;
    publish(&provisioner, &whose.reason)
}

fn publish(provisioner: &Provisioner, reason: &str) -> Result<()> {
    let vehicles = provisioner.publish_users(None, reason)?;
    print(&format!("handed out to {}", count(vehicles as u64, "vehicle")))
}

/// One line of standard input.
fn password() -> Result<Password> {
    let failed = || "could not read the password from standard input".to_owned();
    let mut line = Zeroizing::new(Vec::new());
    let input = std::io::stdin().lock();
    input.take(MAX_PASSWORD_BYTES + 1).read_until(b'\n', &mut line).context(Kind::Input, failed)?;
    let text = line.trim_ascii_end();
    let wrong = |why: &str| Error::new(Kind::Input, format!("the password on standard input {why}"));
    match std::str::from_utf8(text) {
        _ if line.len() as u64 > MAX_PASSWORD_BYTES => Err(wrong("is longer than a line of 1024 bytes")),
        Ok("") => Err(wrong("is missing; one line is expected")),
        Ok(text) => Ok(Password::new(text)),
        Err(_) => Err(wrong("is no text")),
    }
}

fn as_line(user: &User) -> String {
    let account = &user.account;
    let state = match &account.disabled {
        Some(disabled) => format!("DISABLED by {}: {}", visible(&disabled.by), visible(&disabled.why)),
        None => "in use".to_owned(),
    };
    let trained = account.trained.map_or_else(|| "never trained".to_owned(), |day| format!("trained {day}"));
    format!(
        "{} {}, {}, {}, {trained}, {state}",
        account.name,
        account.role,
        visible(&account.full_name),
        visible(&account.agency)
    )
}
