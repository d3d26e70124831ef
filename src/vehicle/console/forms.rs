//! What the forms of the pages share.

use super::look::Look;
pub use plated_portal::forms::{Wrong, done, line, pager};

/// A reason that was typed, for the purpose of the look.
///
/// # Errors
/// What is wrong with the field `reason`.
pub fn reason(look: &Look, text: &str) -> Result<plated_access::Reason, Wrong> {
    Ok(plated_portal::forms::reason(text)?.for_purpose(look.reason.purpose().cloned()))
}
