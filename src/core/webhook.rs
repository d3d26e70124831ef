//! Posting JSON to a program of somebody else: its token, and what an answer means.

use crate::error::{Context, Error, Kind, Result};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longest token, in bytes.
const MAX_TOKEN: u64 = 4096;

/// What came of posting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It has it.
    Taken,
    /// It does not like the content; the next one may be better.
    Refused(String),
    /// It is to be tried again, after this time where the other side asks for one.
    Again(String, Option<Duration>),
}

impl Answer {
    /// What an answer of this status means.
    pub fn of(status: u16, asked: Option<Duration>) -> Self {
        match status {
            200..300 => Self::Taken,
            400 | 413 | 415 | 422 => Self::Refused(format!("it answered {status}")),
            401 | 403 => Self::Again(format!("it answered {status}: it does not take the token"), asked),
            404 | 405 => Self::Again(format!("it answered {status}: the url may be wrong"), asked),
            _ => Self::Again(format!("it answered {status}"), asked),
        }
    }
}

/// The token of the webhook `name`, from a file that is its owner's alone, or handed over by systemd as the credential
/// `KIND-NAME.token`.
///
/// # Errors
/// `Config` when there is none, or others may read it.
pub fn token(kind: &str, name: &str, file: Option<&Path>) -> Result<String> {
    let handed_over = || {
        let folder = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from)?;
        Some(folder.join(format!("{kind}-{name}.token")))
    };
    match (file, handed_over()) {
        (Some(path), _) => read_token(path, true),
        (None, Some(path)) => read_token(&path, false),
        (None, None) => {
            let message = format!(
                "{kind} {name}: there is no token; name its file as token_file, or hand it over as the systemd credential \
                 {kind}-{name}.token"
            );
            Err(Error::new(Kind::Config, message))
        }
    }
}

fn read_token(path: &Path, is_file: bool) -> Result<String> {
    let failed = || format!("could not read the token {}", path.display());
    let file = std::fs::File::open(path).context(Kind::Config, failed)?;
    let mode = file.metadata().context(Kind::Config, failed)?.permissions().mode();
    if is_file && mode & 0o077 != 0 {
        let message =
            format!("others may read the token {0}; make it the owner's alone: chmod 400 {0}", path.display());
        return Err(Error::new(Kind::Config, message));
    }
    let mut text = String::new();
    file.take(MAX_TOKEN).read_to_string(&mut text).context(Kind::Config, failed)?;
    match text.trim() {
        "" => Err(Error::new(Kind::Config, format!("{} holds no token", path.display()))),
        token => Ok(token.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_for_its_content_holds_up_no_other_and_all_else_is_tried_again() {
        assert!(matches!(Answer::of(204, None), Answer::Taken));
        for status in [400, 413, 415, 422] {
            assert!(matches!(Answer::of(status, None), Answer::Refused(_)), "{status}");
        }
        for status in [301, 401, 403, 404, 408, 409, 429, 500, 503] {
            let asked = Some(Duration::from_secs(7));
            assert!(matches!(Answer::of(status, asked), Answer::Again(_, again) if again == asked), "{status}");
        }
    }

    #[test]
    fn a_token_is_its_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        std::fs::write(&path, "abc\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(token("webhook", "cad", Some(&path)).unwrap_err().chain().contains("chmod 400"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
        assert_eq!(token("webhook", "cad", Some(&path)).unwrap(), "abc");
    }
}
