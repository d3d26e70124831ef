//! `plated user add`.

use super::{Whose, accounts};
use crate::cli::{password, say};
use crate::control::{NewAccount, Request};
use jiff::civil::Date;
use plated_access::{Grants, Role};
use plated_core::error::Result;

/// Add an account
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated user add chief --full-name 'Ann Smith' --agency 'Example PD' --role administrator --reason 'first administrator'
  plated user add jdoe --full-name 'John Doe' --title Officer --agency 'Example PD' --role officer \\
    --trained 2026-09-01 --every-list --clets --reason 'assigned to patrol'

The password is asked for on the terminal and must be changed at the first login. As long as there is no
administrator anybody who may reach the daemon can add one; after that only root. Who, when and why is on
record.")]
pub struct Args {
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
    #[arg(long, value_name = "ROLE", value_parser = super::change::role_of)]
    role: Role,
    /// Day of their last training, e.g. 2026-09-01
    #[arg(long, value_name = "DAY")]
    trained: Option<Date>,
    #[command(flatten)]
    lists: Lists,
    #[command(flatten)]
    password: password::From,
}

/// Which lists somebody sees.
#[derive(Debug, clap::Args)]
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
    pub fn grants(&self) -> Grants {
        Grants { every_list: self.every_list, lists: self.list.iter().cloned().collect(), clets: self.clets }
    }
}

pub fn run(args: &Args) -> Result<()> {
    let name = args.whose.name.clone();
    let account = NewAccount {
        password: args.password.new_password(name.as_str())?,
        name,
        full_name: args.full_name.clone(),
        title: args.title.clone(),
        agency: args.agency.clone(),
        role: args.role,
        trained: args.trained,
        grants: args.lists.grants(),
    };
    let request = Request::AddAccount { account, reason: args.whose.reason.clone() };
    let added = accounts(&args.whose.ask, &request)?;
    added.iter().try_for_each(|account| say(format_args!("Added {}, {}.", account.name, account.role)))
}
