//! Where the command line keeps the token of its session: in a file of the person's own, until they log
//! out or the computer is switched off.
//!
//! `$XDG_RUNTIME_DIR/plated/`, else `/run/user/UID/plated/`, else `plated-UID` in the folder for temporary
//! files; a file of mode 0600 for each vehicle's socket.

use crate::config::Config;
use crate::control::Secret;
use nix::unistd::getuid;
use plated_core::digest::Sha256;
use plated_core::durable;
use plated_core::error::{Context, Error, Kind, Result};
use std::ffi::OsStr;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Longest token that is read, in bytes.
const MAX_TOKEN: u64 = 256;

/// The token of this person's session at this vehicle; none when they have not logged in.
///
/// # Errors
/// `Refused` when others could have put it there or read it.
pub fn load(config: &Config) -> Result<Option<Secret>> {
    load_from(&path(config))
}

/// Keeps the token.
///
/// # Errors
/// `Storage` when it can't be written, `Refused` when the folder is not this person's alone.
pub fn save(config: &Config, token: &Secret) -> Result<()> {
    save_to(&path(config), token)
}

/// Forgets the token; that there is none is fine.
///
/// # Errors
/// `Storage` when it can't be removed.
pub fn forget(config: &Config) -> Result<()> {
    let path = path(config);
    durable::remove(&path).context(Kind::Storage, || format!("could not remove {}", path.display()))
}

fn path(config: &Config) -> PathBuf {
    let socket = config.control_socket();
    let socket = socket.canonicalize().or_else(|_| std::path::absolute(&socket)).unwrap_or(socket);
    let digest = Sha256::of(socket.as_os_str().as_bytes()).to_string();
    let runtime = std::env::var_os("XDG_RUNTIME_DIR");
    folder(runtime.as_deref()).join(format!("session-{}", &digest[..16]))
}

fn folder(runtime: Option<&OsStr>) -> PathBuf {
    let uid = getuid();
    let of_login = PathBuf::from(format!("/run/user/{uid}"));
    match runtime.map(Path::new).filter(|path| path.is_absolute()) {
        Some(runtime) => runtime.join("plated"),
        None if of_login.is_dir() => of_login.join("plated"),
        None => std::env::temp_dir().join(format!("plated-{uid}")),
    }
}

fn load_from(path: &Path) -> Result<Option<Secret>> {
    let failed = || format!("could not read the session {}", path.display());
    let file = match OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path) {
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        file => file.context(Kind::Storage, failed)?,
    };
    let metadata = file.metadata().context(Kind::Storage, failed)?;
    if !metadata.is_file() || metadata.uid() != getuid().as_raw() || metadata.mode() & 0o077 != 0 {
        let message = format!("{} is not a file of yours alone; remove it and log in again", path.display());
        return Err(Error::new(Kind::Refused, message));
    }
    let mut token = String::new();
    file.take(MAX_TOKEN).read_to_string(&mut token).context(Kind::Storage, failed)?;
    Ok(Some(Secret::from(token.trim().to_owned())).filter(|token| !token.text().is_empty()))
}

fn save_to(path: &Path, token: &Secret) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let failed = || format!("could not keep the session in {}", folder.display());
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
        made => made.context(Kind::Storage, failed)?,
    }
    let metadata = std::fs::symlink_metadata(folder).context(Kind::Storage, failed)?;
    if !metadata.is_dir() || metadata.uid() != getuid().as_raw() || metadata.mode() & 0o077 != 0 {
        let message =
            format!("{} is not a folder of yours alone (mode 0700); the session is not kept", folder.display());
        return Err(Error::new(Kind::Refused, message));
    }
    let new = path.with_extension("new");
    durable::remove(&new).context(Kind::Storage, failed)?;
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(&new).context(Kind::Storage, failed)?;
    file.write_all(token.text().as_bytes()).context(Kind::Storage, failed)?;
    // A session that a power cut takes away is one to log in for again.
    std::fs::rename(&new, path).context(Kind::Storage, failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    // policy: P-20
    #[test]
    fn a_session_is_kept_for_its_owner_alone_and_one_that_others_could_read_or_place_does_not_count() {
        let dir = tempfile::tempdir().unwrap();
        let path = folder(Some(dir.path().as_os_str())).join("session-1");
        assert!(load_from(&path).unwrap().is_none());
        save_to(&path, &Secret::from("ab12".to_owned())).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(load_from(&path).unwrap().unwrap().text(), "ab12");
        save_to(&path, &Secret::from("cd34".to_owned())).unwrap();
        assert_eq!(load_from(&path).unwrap().unwrap().text(), "cd34");
        set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert_eq!(load_from(&path).unwrap_err().kind(), Kind::Refused);
        let linked = path.with_file_name("session-2");
        symlink(&path, &linked).unwrap();
        assert!(load_from(&linked).is_err());
        set_permissions(path.parent().unwrap(), Permissions::from_mode(0o755)).unwrap();
        assert_eq!(save_to(&path, &Secret::from("ef56".to_owned())).unwrap_err().kind(), Kind::Refused);
    }

    #[test]
    fn without_a_folder_of_the_login_the_session_lies_in_one_with_the_users_number() {
        assert!(folder(Some(OsStr::new("relative"))).is_absolute());
        let own = folder(None);
        assert!(own.to_string_lossy().contains(&getuid().to_string()), "{}", own.display());
    }
}
