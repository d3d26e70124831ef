//! `plated user disable`, `enable`, `password`, `training`, `grant`, `role` and `second-factor`.

use super::{Whose, accounts, add, login_name, own};
use crate::cli::ask::{Ask, reason};
use crate::cli::{password, say};
use crate::control::{AccountChange, Request};
use jiff::civil::Date;
use plated_access::{LoginName, Reason, Role};
use plated_core::error::{Error, Kind, Result};

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

/// Change one's own password, or set that of somebody else, to be changed at the next login; other sessions end
/// at once
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated user password
  plated user password jdoe --reason 'forgotten'
  plated user password jdoe --reason 'forgotten' --password-stdin < file

One's own is changed in one's own session (plated login). With --password-stdin the first line is then the
old password and the second the new one.")]
pub struct PasswordArgs {
    #[command(flatten)]
    whose: OwnOrWhose,
    #[command(flatten)]
    password: password::From,
}

/// One's own account, or whose, why, and whom to ask.
#[derive(Debug, clap::Args)]
struct OwnOrWhose {
    /// Login name; one's own when not given
    #[arg(value_name = "NAME", value_parser = login_name, requires = "reason")]
    name: Option<LoginName>,
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = reason, requires = "name")]
    reason: Option<Reason>,
    #[command(flatten)]
    ask: Ask,
}

impl OwnOrWhose {
    /// Changes the account of somebody else; `None` when it is one's own.
    fn change(&self, make: impl FnOnce(&LoginName) -> Result<AccountChange>, done: &str) -> Option<Result<()>> {
        let (name, reason) = self.name.as_ref().zip(self.reason.as_ref())?;
        let change = make(name).and_then(|change| {
            let request = Request::ChangeAccount { name: name.clone(), change, reason: reason.clone() };
            accounts(&self.ask, &request)
        });
        Some(change.and_then(|_| say(format_args!("{name}: {done}."))))
    }
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

/// Set up one's own second factor, or take somebody else's away, as when the phone is lost
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated user second-factor
  plated user second-factor --new-codes
  plated user second-factor jdoe --remove --reason 'phone lost'

One's own is set up in one's own session (plated login) while the daemon runs: the secret for the authenticator
app is shown once, and counts when a code of it was given; then ten recovery codes are shown, once. With
--password-stdin the first line is the password, the second the code. Whose is taken away is logged out.")]
pub struct SecondFactorArgs {
    #[command(flatten)]
    whose: OwnOrWhose,
    /// Take somebody's away
    #[arg(long, requires = "name")]
    remove: bool,
    /// Other recovery codes instead of one's own until now
    #[arg(long, conflicts_with_all = ["name", "remove"])]
    new_codes: bool,
    #[command(flatten)]
    password: password::From,
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
    let make = |name: &LoginName| Ok(AccountChange::Password(args.password.new_password(name.as_str())?));
    let of_somebody = args.whose.change(make, "another password, to be changed at the next login");
    of_somebody.unwrap_or_else(|| own::password(&args.whose.ask, args.password))
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
    let make = |_: &LoginName| match args.remove {
        true => Ok(AccountChange::RemoveSecondFactor),
        false => Err(Error::new(
            Kind::Config,
            "a second factor is set up by its owner: plated user second-factor, without a name; --remove takes \
             somebody's away",
        )),
    };
    let of_somebody = args.whose.change(make, "has no second factor any more");
    of_somebody.unwrap_or_else(|| own::second_factor(&args.whose.ask, args.password, args.new_codes))
}
