//! What people do with their own account, in their own session.

use crate::cli::ask::Ask;
use crate::cli::{password, say};
use crate::control::{Reply, Request, Secret};
use plated_core::error::Result;

/// Changes one's own password.
pub fn password(ask: &Ask, from: password::From) -> Result<()> {
    let mut prompts = from.prompts()?;
    let old = prompts.ask("Your password until now: ")?;
    let new = prompts.ask_new("New password: ")?;
    ask.call(&Request::ChangePassword { old, new }, None, &mut |_| Ok(()))?;
    say(format_args!("Your password was changed; your other sessions are over."))
}

/// Sets up one's own second factor, or gets `new_codes`.
pub fn second_factor(ask: &Ask, from: password::From, new_codes: bool) -> Result<()> {
    let mut prompts = from.prompts()?;
    let password = prompts.ask("Your password: ")?;
    if new_codes {
        return codes(ask, &Request::RenewRecoveryCodes { password });
    }
    ask.call(&Request::BeginSecondFactor { password }, None, &mut |reply| {
        let Reply::Enrolment { secret, url } = reply else { return Ok(()) };
        say(format_args!("Give this secret to your authenticator app; it is shown only now:"))?;
        say(format_args!("  {}", secret.text()))?;
        say(format_args!("  {}", url.text()))
    })?;
    let code = prompts.ask("Code that the app shows: ")?;
    codes(ask, &Request::ConfirmSecondFactor { code })?;
    say(format_args!("The second factor counts from now on; your other sessions are over."))
}

fn codes(ask: &Ask, request: &Request) -> Result<()> {
    ask.call(request, None, &mut |reply| {
        let Reply::RecoveryCodes(codes) = reply else { return Ok(()) };
        say(format_args!("Recovery codes, each good once when the phone is gone; they are shown only now:"))?;
        codes.iter().map(Secret::text).try_for_each(|code| say(format_args!("  {code}")))
    })
}
