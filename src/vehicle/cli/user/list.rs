//! `plated user list` and `plated user show`.

use super::{accounts, login_name, print, print_json, state};
use crate::cli::ask::Ask;
use crate::cli::say;
use crate::control::Request;
use plated_access::LoginName;
use plated_core::error::Result;

/// List accounts
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated user list
  plated user list --json")]
pub struct ListArgs {
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    ask: Ask,
}

/// Show an account: role, training, lists, who authorised it
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  plated user show jdoe")]
pub struct ShowArgs {
    /// Login name
    #[arg(value_name = "NAME", value_parser = login_name)]
    name: LoginName,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    ask: Ask,
}

pub fn all(args: &ListArgs) -> Result<()> {
    for account in accounts(&args.ask, &Request::Accounts { name: None })? {
        match args.json {
            true => print_json(&account)?,
            false => {
                let state = state(&account);
                say(format_args!(
                    "{:<16} {:<14} {}; {state}",
                    account.name.as_str(),
                    account.role.as_str(),
                    account.full_name
                ))?;
            }
        }
    }
    Ok(())
}

pub fn one(args: &ShowArgs) -> Result<()> {
    let found = accounts(&args.ask, &Request::Accounts { name: Some(args.name.clone()) })?;
    found.iter().try_for_each(|account| if args.json { print_json(account) } else { print(account) })
}
