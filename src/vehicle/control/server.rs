//! The daemon's socket. The kernel says who is at the other end; the socket's mode says who may
//! come at all.

use super::{OfficerService, Reply, Request};
use crate::lists::INCOMING;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::thread::Service;
use plated_core::user::SystemUser;
use serde::{Deserialize, Serialize};
use std::fs::{File, Permissions};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::oneshot;

/// Callers at the same time; the next one is told to come again.
const CALLERS: usize = 8;
/// Longest request, without the file that may follow it.
const MOST_REQUEST: u64 = 64 << 10;
/// Largest file of a list.
const MOST_FILE: u64 = 4 << 30;
/// A caller that says nothing for so long is let go.
const PATIENCE: Duration = Duration::from_secs(30);

/// A line of an answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Frame {
    /// One of the replies.
    Reply(Reply),
    /// It was not done.
    Error {
        /// The sort of failure.
        kind: Kind,
        /// The sentence.
        said: String,
    },
    /// There are no more replies.
    End,
}

/// The socket at work; dropping it ends it.
pub struct Server {
    _service: Service<oneshot::Sender<()>>,
}

impl Server {
    /// Listens at `path`. The caller owns the store, so a socket that lies there is of a daemon
    /// that is gone.
    ///
    /// # Errors
    /// `Storage` when the socket can't be made there.
    pub fn start(path: &Path, desk: Arc<OfficerService>) -> Result<Self> {
        let failed = || format!("could not listen for the command line at {}", path.display());
        if std::fs::symlink_metadata(path).is_ok_and(|m| m.file_type().is_socket()) {
            std::fs::remove_file(path).context(Kind::Storage, failed)?;
        }
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().context(Kind::Internal, failed)?;
        let listener = {
            let _in = runtime.enter();
            tokio::net::UnixListener::bind(path).context(Kind::Storage, failed)?
        };
        std::fs::set_permissions(path, Permissions::from_mode(0o660)).context(Kind::Storage, failed)?;
        let (stop, mut stopped) = oneshot::channel::<()>();
        let socket = path.to_owned();
        let run = move || {
            let callers = Arc::new(AtomicUsize::new(0));
            runtime.block_on(async {
                loop {
                    tokio::select! {
                        _ = &mut stopped => return,
                        come = listener.accept() => match come {
                            Ok((stream, _)) => {
                                if let Err(e) = receive(stream, &desk, &callers) {
                                    tracing::warn!("A caller of the command line could not be served: {e}");
                                }
                            }
                            Err(e) => {
                                tracing::warn!("The socket for the command line failed: {e}");
                                // It fails again at once while the process is out of file handles.
                                tokio::time::sleep(Duration::from_secs(1)).await;
                            }
                        },
                    }
                }
            });
            let _ = std::fs::remove_file(socket); // The next daemon does it otherwise.
        };
        Ok(Self { _service: Service::start("control", "The socket for the command line", stop, run)? })
    }
}

/// Gives a caller a thread of its own.
fn receive(
    stream: tokio::net::UnixStream,
    desk: &Arc<OfficerService>,
    callers: &Arc<AtomicUsize>,
) -> std::io::Result<()> {
    let who = SystemUser::of_uid(stream.peer_cred()?.uid());
    let stream = stream.into_std()?;
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    if callers.fetch_add(1, Ordering::AcqRel) >= CALLERS {
        callers.fetch_sub(1, Ordering::AcqRel);
        let said = "too many others are asking; try again".to_owned();
        return send(&stream, &Frame::Error { kind: Kind::Busy, said });
    }
    let (desk, place) = (Arc::clone(desk), Place(Arc::clone(callers)));
    std::thread::Builder::new().name("caller".into()).spawn(move || {
        let _place = place;
        let last = match serve(&stream, &who, &desk) {
            Ok(()) => Frame::End,
            Err(e) => Frame::Error { kind: e.kind(), said: e.chain() },
        };
        // A caller that went away has nothing to hear.
        let _ = send(&stream, &last);
    })?;
    Ok(())
}

/// A caller's place, free again however its thread ends.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn serve(stream: &UnixStream, who: &SystemUser, desk: &OfficerService) -> Result<()> {
    let mut input = BufReader::new(stream);
    let mut line = Vec::new();
    let said = || "the request did not arrive whole".to_owned();
    (&mut input).take(MOST_REQUEST).read_until(b'\n', &mut line).context(Kind::Network, said)?;
    let request: Request = serde_json::from_slice(&line).context(Kind::Input, || {
        "the request is not one that this daemon knows; is the program of the same version?".into()
    })?;
    let file = match &request {
        Request::Import { file, bytes, .. } => Some(Spooled::take(&mut input, desk.folder()?, file, *bytes)?),
        _ => None,
    };
    let mut answer =
        |reply| send(stream, &Frame::Reply(reply)).context(Kind::Network, || "the caller went away".to_owned());
    desk.answer(request, who, file.as_ref().map(|f| f.path.as_path()), &mut answer)
}

fn send(mut stream: &UnixStream, frame: &Frame) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(frame)?;
    line.push(b'\n');
    stream.write_all(&line)
}

/// A file that came over the socket, in a folder of its own, since its name can say its format.
/// Gone when dropped.
struct Spooled {
    folder: PathBuf,
    path: PathBuf,
}

impl Spooled {
    fn take(input: &mut impl Read, lists: &Path, name: &str, bytes: u64) -> Result<Self> {
        if bytes > MOST_FILE {
            return Err(Error::new(Kind::Input, "the list is larger than 4 GiB"));
        }
        let failed = || "could not take in the list's file".to_owned();
        let name = Path::new(name).file_name().filter(|n| *n == name).ok_or_else(|| {
            Error::new(Kind::Input, "the name of the list's file must be a plain one, without folder")
        })?;
        let folder = lists.join(format!("{INCOMING}{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&folder).context(Kind::Storage, failed)?;
        let this = Self { path: folder.join(name), folder };
        let mut file = File::create(&this.path).context(Kind::Storage, failed)?;
        let copied = std::io::copy(&mut input.take(bytes), &mut file).context(Kind::Storage, failed)?;
        if copied < bytes {
            return Err(Error::new(Kind::Network, "the list's file did not arrive whole"));
        }
        Ok(this)
    }
}

impl Drop for Spooled {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder); // It only takes room.
    }
}
