//! `plated user disable`, `enable`, `password`, `training`, `grant`, `role` and `second-factor`.

use super::{Whose, accounts, add, password};
use crate::cli::say;
use crate::control::{AccountChange, Request};
use jiff::civil::Date;
use plated_access::Role;
use plated_core::error::Result;

/// Keep an account from being used; sessions end at once
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  plated user disable jdoe --reason 'left the agency'")]
pub struct DisableArgs {
    #[command(flatten)]
    whose: Whose,
}

/// Let an account be used again that was disabled, locked, or unused for too long
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  plated user enable jdoe --reason 'back from leave'")]
pub struct EnableArgs {
    #[command(flatten)]
    whose: Whose,
}

/// Set another password, to be changed at the next login; sessions end at once
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated user password jdoe --reason 'forgotten'
  plated user password jdoe --reason 'forgotten' --password-stdin < file")]
pub struct PasswordArgs {
    #[command(flatten)]
    whose: Whose,
    #[command(flatten)]
    password: password::From,
}

/// Enter the day of somebody's last training
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  plated user training jdoe 2026-09-01 --reason 'yearly training'")]
pub struct TrainingArgs {
    #[command(flatten)]
    whose: Whose,
    /// The day
    #[arg(value_name = "DAY")]
    day: Date,
}

/// Say which lists somebody sees, instead of those until now
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated user grant jdoe --every-list --clets --reason 'assigned to patrol'
  plated user grant jdoe --list local --list watch --reason 'task force'
  plated user grant jdoe --reason 'no list any more'")]
pub struct GrantArgs {
    #[command(flatten)]
    whose: Whose,
    #[command(flatten)]
    lists: add::Lists,
}

/// Give somebody another role; sessions end at once
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  plated user role jdoe supervisor --reason 'promoted'

The roles are officer, supervisor, administrator, auditor and custodian. The last administrator stays one.")]
pub struct RoleArgs {
    #[command(flatten)]
    whose: Whose,
    /// The role
    #[arg(value_name = "ROLE", value_parser = role_of)]
    role: Role,
}

/// Take somebody's second factor away, as when the phone is lost; sessions end at once
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  plated user second-factor jdoe --remove --reason 'phone lost'

Its owner sets up another one.")]
pub struct SecondFactorArgs {
    #[command(flatten)]
    whose: Whose,
    /// Take it away
    #[arg(long, required = true)]
    remove: bool,
}

/// For clap: a role by its word.
pub fn role_of(word: &str) -> Result<Role, String> {
    let roles = Role::ALL.map(Role::as_str).join(", ");
    Role::of(word).ok_or_else(|| format!("the roles are {roles}"))
}

fn change(whose: &Whose, change: AccountChange, done: &str) -> Result<()> {
    let request = Request::ChangeAccount { name: whose.name.clone(), change, reason: whose.reason.clone() };
    accounts(&whose.ask, &request)?;
    say(format_args!("{}: {done}.", whose.name))
}

pub fn disable(args: &DisableArgs) -> Result<()> {
    change(&args.whose, AccountChange::Disable, "disabled")
}

pub fn enable(args: &EnableArgs) -> Result<()> {
    change(&args.whose, AccountChange::Enable, "enabled")
}

pub fn password(args: &PasswordArgs) -> Result<()> {
    let secret = args.password.new_password(args.whose.name.as_str())?;
    change(&args.whose, AccountChange::Password(secret), "another password, to be changed at the next login")
}

pub fn training(args: &TrainingArgs) -> Result<()> {
    change(&args.whose, AccountChange::Training(args.day), &format!("trained on {}", args.day))
}

pub fn grant(args: &GrantArgs) -> Result<()> {
    change(&args.whose, AccountChange::Grants(args.lists.grants()), "sees other lists from now on")
}

pub fn role(args: &RoleArgs) -> Result<()> {
    change(&args.whose, AccountChange::Role(args.role), args.role.as_str())
}

pub fn second_factor(args: &SecondFactorArgs) -> Result<()> {
    debug_assert!(args.remove, "clap asks for it");
    change(&args.whose, AccountChange::RemoveSecondFactor, "has no second factor any more")
}
