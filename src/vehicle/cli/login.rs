//! `plated login` and `plated logout`: whose session the other commands are made in.

use super::ask::{self, Ask};
use super::{password, say, session};
use crate::control::{OwnSession, Reply, Request};
use nix::unistd::{User, getuid};
use plated_access::Due;
use plated_core::error::Result;

/// Log in; the commands that follow are made in this session
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated login jdoe
  plated login jdoe --code
  plated login jdoe --password-stdin < file

The password is asked for on the terminal, and the code of the second factor where there is one. With
--password-stdin the first line is the password, the second the code. The session is kept in a file of
yours alone, in $XDG_RUNTIME_DIR; `plated logout` ends it, and so do idle time and the end of its hours. Where no
daemon runs, it is locked ten minutes later.")]
pub struct LoginArgs {
    /// Login name; that of the system user when not given
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Ask for the code at once
    #[arg(long)]
    code: bool,
    #[command(flatten)]
    password: password::From,
    #[command(flatten)]
    ask: Ask,
}

/// Log out; the session is over at once
#[derive(Debug, clap::Args)]
pub struct LogoutArgs {
    #[command(flatten)]
    ask: Ask,
}

/// Logs in and keeps the session.
pub fn login(args: &LoginArgs) -> Result<()> {
    let config = args.ask.config()?;
    let name = match &args.name {
        Some(name) => name.clone(),
        None => User::from_uid(getuid()).ok().flatten().map(|user| user.name).unwrap_or_default(),
    };
    let mut prompts = args.password.prompts()?;
    let password = prompts.ask(&format!("Password for {name}: "))?;
    // One that can't be used is not gone on with, and must not keep anybody from logging in.
    let before = session::load(&config).unwrap_or_default();
    let mut code = None;
    if args.code {
        code = Some(prompts.ask("Code: ")?);
    }
    loop {
        let request = Request::Login { name: name.clone(), password: password.clone(), code: code.clone() };
        let mut own: Option<OwnSession> = None;
        ask::call(&config, before.clone(), &request, None, &mut |reply| {
            if let Reply::LoggedIn(session) = reply {
                own = Some(*session);
            }
            Ok(())
        })?;
        if let Some(own) = own {
            session::save(&config, &own.token)?;
            return tell(&own);
        }
        code = Some(prompts.ask("Code of the second factor: ")?);
    }
}

fn tell(own: &OwnSession) -> Result<()> {
    say(format_args!("Logged in: {}, {} ({}).", own.name, own.full_name, own.role))?;
    match own.due {
        Some(Due::Password) => {
            say(format_args!("Your password was chosen by somebody else; change it first: plated user password"))?;
        }
        Some(Due::SecondFactor) => {
            say(format_args!("The agency asks for a second factor; set it up first: plated user second-factor"))?;
        }
        None => {}
    }
    own.training.iter().try_for_each(|why| say(format_args!("Nothing is shown to you: {why}.")))
}

/// Ends the session and forgets it.
pub fn logout(args: &LogoutArgs) -> Result<()> {
    let config = args.ask.config()?;
    let Some(token) = session::load(&config).or_else(|e| session::forget(&config).and(Err(e)))? else {
        return say(format_args!("Nobody is logged in."));
    };
    // Forgotten whatever the daemon says; it is over there too, or soon.
    session::forget(&config)?;
    ask::call(&config, Some(token), &Request::Logout, None, &mut |_| Ok(()))?;
    say(format_args!("Logged out."))
}
