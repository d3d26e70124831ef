//! `plated-station user`: the accounts of the station and of all its vehicles. What is changed here is signed and handed
//! out at once; what is changed on the pages, by `plated-station hotlist fetch --watch`, which has the key.

mod change;

use crate::archive::settings;
use crate::command::print;
use crate::provision::Provisioner;
use crate::{StationConfig, accounts};
use change::{ChangeCommand, Lists};
use clap::Subcommand;
use jiff::civil::Date;
use plated_access::{Accounts, Actor, LoginName, NewUser, Password, Reason, Role};
use plated_core::clock::SystemClock;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::text::{count, visible};
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Characters of a first password that is made: five groups of four, without what is easily confused.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Commands about accounts.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add an account; its first password is printed, or read from standard input
    #[command(after_help = "Example:
  plated-station user add chief --full-name 'Ann Smith' --agency 'Example PD' --role administrator \\
    --reason 'first administrator' --config station.toml

The first password must be changed on the pages, and opens no vehicle before that; with --chosen it need not. As long as
there is no administrator the station's own user can add accounts; after that only root, and administrators on the pages.
Who, when and why is on record. The account goes to all vehicles of the register.")]
    Add(Box<Add>),
    /// List accounts
    #[command(after_help = "Example:
  plated-station user list --config station.toml")]
    List {
        /// The station's configuration
        #[arg(long)]
        config: PathBuf,
    },
    #[command(flatten)]
    Change(ChangeCommand),
}

/// A new account.
#[derive(Debug, clap::Args)]
pub struct Add {
    /// Login name
    #[arg(value_parser = login_name)]
    name: LoginName,
    /// As on the badge
    #[arg(long)]
    full_name: String,
    /// Title or designation
    #[arg(long, default_value = "")]
    title: String,
    /// The agency that employs them
    #[arg(long)]
    agency: String,
    /// officer, supervisor, administrator, auditor or custodian
    #[arg(long, value_parser = role)]
    role: Role,
    /// Day of their last training, e.g. 2026-09-01
    #[arg(long)]
    trained: Option<Date>,
    #[command(flatten)]
    lists: Lists,
    /// Read the first password from standard input instead of making one
    #[arg(long)]
    password_stdin: bool,
    /// Its owner chose that password: it need not be changed, and counts in vehicles at once
    #[arg(long, requires = "password_stdin")]
    chosen: bool,
    /// Why
    #[arg(long)]
    reason: String,
    /// The station's configuration
    #[arg(long)]
    config: PathBuf,
}

fn login_name(name: &str) -> Result<LoginName, String> {
    LoginName::new(name).map_err(|e| e.to_string())
}

fn role(word: &str) -> Result<Role, String> {
    Role::of(word).ok_or_else(|| {
        format!(
            "there is no role {word}; give officer, supervisor, administrator, auditor or \
                                          custodian"
        )
    })
}

/// The accounts of a station, beside which it may run.
fn of(config: &Path) -> Result<Arc<Accounts>> {
    let config = StationConfig::load(config)?;
    let archive = settings::beside(&config)?;
    accounts::open(&*archive, &config, Arc::new(SystemClock::new()))
}

impl UserCommand {
    /// Does what the command line asks.
    pub fn run(self) -> Result<()> {
        let me = Actor::of_this_process();
        match self {
            Self::Add(add) => add.run(&me),
            Self::List { config } => {
                let users = of(&config)?.users(&me)?;
                for user in &users {
                    let (account, name) = (&user.account, visible(&user.account.full_name));
                    let state = if account.disabled.is_some() { "; disabled" } else { "" };
                    print(&format!("{:<16} {:<14} {name}{state}", account.name.as_str(), account.role.as_str()))?;
                }
                if users.is_empty() { print("there is no account yet") } else { Ok(()) }
            }
            Self::Change(change) => change.run(&me),
        }
    }
}

impl Add {
    fn run(self, by: &Actor) -> Result<()> {
        let (accounts, reason) = (of(&self.config)?, Reason::new(&self.reason)?);
        let (password, is_made) = first_password(self.password_stdin)?;
        let name = self.name.clone();
        let user = NewUser {
            name: self.name,
            full_name: self.full_name,
            title: self.title,
            agency: self.agency,
            role: self.role,
            trained: self.trained,
            grants: self.lists.grants(),
            must_change_password: !self.chosen,
        };
        accounts.add(by, user, &Password::new(password.as_str()), &reason)?;
        print(&format!("added {name}"))?;
        if is_made {
            print(&format!("first password: {}", *password))?;
        }
        publish(&self.config, &self.reason)
    }
}

/// Signs the accounts anew for all vehicles of the register.
fn publish(config: &Path, reason: &str) -> Result<()> {
    let config = StationConfig::load(config)?;
    let published = Provisioner::open(&config).and_then(|mut provisioner| provisioner.publish_users(None, reason));
    match published {
        Ok(0) => Ok(()),
        Ok(vehicles) => print(&format!("handed out to {}", count(vehicles as u64, "vehicle"))),
        Err(e) => {
            let message = "it counts here, and vehicles do not have it yet; plated-station provision publish";
            Err(Error::new(e.kind(), format!("{message}: {}", e.chain())))
        }
    }
}

/// A password, and whether it was made here.
fn first_password(from_stdin: bool) -> Result<(Zeroizing<String>, bool)> {
    if from_stdin { Ok((line()?, false)) } else { Ok((make()?, true)) }
}

/// A password of 100 bits.
fn make() -> Result<Zeroizing<String>> {
    let mut random = Zeroizing::new([0; 20]);
    getrandom::fill(&mut *random)
        .map_err(|e| Error::new(Kind::Internal, format!("the system gave no random numbers: {e}")))?;
    let mut text = Zeroizing::new(String::with_capacity(24));
    for (n, byte) in random.iter().enumerate() {
        if n > 0 && n % 4 == 0 {
            text.push('-');
        }
        text.push(char::from(ALPHABET[usize::from(byte & 31)]));
    }
    Ok(text)
}

/// The first line of standard input.
fn line() -> Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::with_capacity(1024));
    std::io::stdin()
        .lock()
        .read_line(&mut text)
        .context(Kind::Input, || "could not read the password from standard input".into())?;
    Ok(Zeroizing::new(text.trim_end_matches(['\n', '\r']).to_owned()))
}
