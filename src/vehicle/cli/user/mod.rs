//! `plated user`: who may log in, and what they may see.

mod add;
mod change;
mod list;
mod own;

use super::ask::{Ask, local, print_json, reason};
use super::say;
use crate::control::{AccountLine, Reply, Request};
use plated_access::{LoginName, ManagedBy, Reason};
use plated_core::error::Result;

/// Accounts: add, list, change, disable
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Add(Box<add::Args>),
    List(list::ListArgs),
    Show(list::ShowArgs),
    Disable(change::DisableArgs),
    Enable(change::EnableArgs),
    Password(change::PasswordArgs),
    Training(change::TrainingArgs),
    Grant(change::GrantArgs),
    Role(change::RoleArgs),
    SecondFactor(change::SecondFactorArgs),
}

/// Does what the subcommand says.
pub fn run(args: &Args) -> Result<()> {
    match &args.command {
        Command::Add(args) => add::run(args),
        Command::List(args) => list::all(args),
        Command::Show(args) => list::one(args),
        Command::Disable(args) => change::disable(args),
        Command::Enable(args) => change::enable(args),
        Command::Password(args) => change::password(args),
        Command::Training(args) => change::training(args),
        Command::Grant(args) => change::grant(args),
        Command::Role(args) => change::role(args),
        Command::SecondFactor(args) => change::second_factor(args),
    }
}

/// Whose account, why, and whom to ask.
#[derive(Debug, clap::Args)]
struct Whose {
    /// Login name
    #[arg(value_name = "NAME", value_parser = login_name)]
    name: LoginName,
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: Reason,
    #[command(flatten)]
    ask: Ask,
}

fn login_name(name: &str) -> Result<LoginName, String> {
    LoginName::new(name).map_err(|e| e.to_string())
}

/// Asks, and gives the accounts that come back.
fn accounts(ask: &Ask, request: &Request) -> Result<Vec<AccountLine>> {
    let mut accounts = Vec::new();
    ask.call(request, None, &mut |reply| {
        if let Reply::Account(account) = reply {
            accounts.push(*account);
        }
        Ok(())
    })?;
    Ok(accounts)
}

/// What keeps the account from being used, or that nothing does.
fn state(account: &AccountLine) -> String {
    match &account.disabled {
        Some(disabled) => format!("disabled by {}: {}", disabled.by, disabled.why),
        None if account.must_change_password => "in use, password to be changed".to_owned(),
        None => "in use".to_owned(),
    }
}

/// All that is known of an account, for people.
fn print(account: &AccountLine) -> Result<()> {
    let grants = &account.grants;
    let mut lists: Vec<&str> = grants.lists.iter().map(String::as_str).collect();
    if grants.every_list {
        lists.insert(0, "every list that is not covert");
    }
    let lists = if lists.is_empty() { "none".to_owned() } else { lists.join(", ") };
    let when = |at: Option<jiff::Timestamp>| at.map_or_else(|| "never".to_owned(), local);
    say(format_args!("{}", account.name))?;
    for (what, text) in [
        ("name", account.full_name.clone()),
        ("title", account.title.clone()),
        ("agency", account.agency.clone()),
        ("role", account.role.to_string()),
        ("state", state(account)),
        ("trained", account.trained.map_or_else(|| "never".to_owned(), |day| day.to_string())),
        ("lists", lists),
        ("state and federal lists", if grants.clets { "yes" } else { "no" }.to_owned()),
        ("second factor", if account.second_factor { "yes" } else { "no" }.to_owned()),
        ("last login", when(account.last_login)),
        ("authorised by", format!("{}, {}", account.authorised_by, local(account.authorised_at))),
        ("set up", if account.managed_by == ManagedBy::Station { "at the station" } else { "here" }.to_owned()),
    ] {
        say(format_args!("  {what:<24} {text}"))?;
    }
    Ok(())
}
