//! Changes of accounts that are there.

use super::{first_password, login_name, of, publish, role};
use crate::command::print;
use clap::{Args, Subcommand};
use jiff::civil::Date;
use plated_access::{Actor, Change, Grants, LoginName, Password, Reason, Role};
use plated_core::error::Result;
use std::path::PathBuf;

/// Commands that change an account. Each goes to all vehicles of the register.
#[derive(Debug, Subcommand)]
pub enum ChangeCommand {
    /// An account is not to be used any more; its sessions end, in vehicles when they hear of it
    #[command(after_help = "Example:
  plated-station user disable jdoe --reason 'left the agency' --config station.toml")]
    Disable(Whose),
    /// A disabled account may be used again
    #[command(after_help = "Example:
  plated-station user enable jdoe --reason 'back from leave' --config station.toml")]
    Enable(Whose),
    /// Set another password, which is printed or read from standard input; its owner has to change it on the pages
    #[command(after_help = "Example:
  plated-station user password jdoe --reason forgotten --config station.toml")]
    Password {
        #[command(flatten)]
        whose: Whose,
        /// Read the password from standard input instead of making one
        #[arg(long)]
        password_stdin: bool,
    },
    /// Enter the day of somebody's last training
    #[command(after_help = "Example:
  plated-station user training jdoe 2026-09-01 --reason 'yearly training' --config station.toml")]
    Training {
        #[command(flatten)]
        whose: Whose,
        /// The day
        #[arg(value_name = "DAY")]
        day: Date,
    },
    /// Give somebody another role; their sessions end
    #[command(after_help = "Example:
  plated-station user role jdoe supervisor --reason promoted --config station.toml")]
    Role {
        #[command(flatten)]
        whose: Whose,
        /// officer, supervisor, administrator, auditor or custodian
        #[arg(value_parser = role)]
        role: Role,
    },
    /// Say which lists somebody sees, instead of those until now
    #[command(after_help = "Example:
  plated-station user grant jdoe --every-list --clets --reason patrol --config station.toml")]
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
    #[arg(value_parser = login_name)]
    name: LoginName,
    /// Why
    #[arg(long)]
    reason: String,
    /// The station's configuration
    #[arg(long)]
    config: PathBuf,
}

/// Which lists somebody sees.
#[derive(Debug, Args)]
pub struct Lists {
    /// A list they see; can be given several times
    #[arg(long)]
    list: Vec<String>,
    /// They see every list that is not covert
    #[arg(long)]
    every_list: bool,
    /// They see state and federal lists (CLETS, NCIC) among those
    #[arg(long)]
    clets: bool,
}

impl Lists {
    pub(super) fn grants(self) -> Grants {
        Grants { every_list: self.every_list, lists: self.list.into_iter().collect(), clets: self.clets }
    }
}

impl ChangeCommand {
    /// Does what the command line asks.
    pub fn run(self, me: &Actor) -> Result<()> {
        match self {
            Self::Disable(whose) => whose.change(me, Change::Disable, "is disabled"),
            Self::Enable(whose) => whose.change(me, Change::Enable, "may be used again"),
            Self::Password { whose, password_stdin } => {
                let (password, made) = first_password(password_stdin)?;
                let done = match made {
                    true => format!("has another password, to be changed on the pages: {}", *password),
                    false => "has another password, to be changed on the pages".to_owned(),
                };
                whose.change(me, Change::Password(Password::new(password.as_str())), &done)
            }
            Self::Training { whose, day } => whose.change(me, Change::Training(day), &format!("was trained on {day}")),
            Self::Role { whose, role } => {
                whose.change(me, Change::Role(role), &format!("is {} from now on", role.as_str()))
            }
            Self::Grant { whose, lists } => {
                whose.change(me, Change::Grants(lists.grants()), "sees other lists from now on")
            }
        }
    }
}

impl Whose {
    fn change(&self, me: &Actor, change: Change, done: &str) -> Result<()> {
        of(&self.config)?.change(me, &self.name, change, &Reason::new(&self.reason)?)?;
        print(&format!("{} {done}", self.name))?;
        publish(&self.config, &self.reason)
    }
}
