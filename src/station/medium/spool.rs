//! The folder by which a command hands files of a medium to the running station: `NAME.age` comes, `NAME.done` says what
//! became of it. The files are as they lie on the medium, encrypted.

use super::{Importer, Taken};
use crate::StationConfig;
use crate::archive::Engine;
use plated_core::clock::Clock;
use plated_core::durable;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::medium::{MAX_FILE_BYTES, PART_SUFFIX, is_part};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How often the station looks for files.
const INTERVAL: Duration = Duration::from_millis(500);
/// How the name of an answer ends.
const DONE_SUFFIX: &str = ".done";

/// What became of a file, as the station says it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Answer(Result<Taken, (Kind, String)>);

impl Answer {
    pub fn into_result(self) -> Result<Taken> {
        self.0.map_err(|(kind, message)| Error::new(kind, message))
    }
}

/// The folder.
pub(crate) struct Spool {
    folder: PathBuf,
    config: StationConfig,
}

impl Spool {
    pub fn of(config: &StationConfig) -> Self {
        Self { folder: config.data.join("media"), config: config.clone() }
    }

    /// Takes in what is handed over, for ever.
    pub async fn serve(self, archive: Arc<dyn Engine>, clock: Arc<dyn Clock>) {
        let this = Arc::new(self);
        loop {
            let (spool, archive, clock) = (this.clone(), archive.clone(), clock.clone());
            match tokio::task::spawn_blocking(move || spool.once(&*archive, &clock)).await {
                Ok(Ok(())) => {}
                Ok(Err(e)) => tracing::error!(error = %e.chain(), "Media can't be taken in"),
                Err(_) => tracing::error!("A defect was caught while a medium was taken in"),
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    fn once(&self, archive: &dyn Engine, clock: &Arc<dyn Clock>) -> Result<()> {
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return Ok(()) };
        let mut importer = None;
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if !is_part(&name) {
                continue;
            }
            let taken = (|| {
                let importer = match &importer {
                    Some(importer) => importer,
                    None => importer.insert(Importer::load(&self.config)?),
                };
                importer.take(archive, &read(&entry.path())?, clock)
            })();
            let answer = Answer(taken.map_err(|e| (e.kind(), e.chain())));
            let json = serde_json::to_vec(&answer).context(Kind::Internal, || "an answer can't be written".into())?;
            let failed = || format!("could not answer in {}", self.folder.display());
            durable::write(&self.folder.join(done_of(&name)), &json).context(Kind::Storage, failed)?;
            durable::remove(&entry.path()).context(Kind::Storage, failed)?;
        }
        Ok(())
    }

    /// Hands a file over.
    pub fn hand_over(&self, name: &str, file: &[u8]) -> Result<()> {
        let failed = || format!("could not hand a file to the station by {}", self.folder.display());
        durable::make_folder(&self.folder).context(Kind::Storage, failed)?;
        durable::remove(&self.folder.join(done_of(name))).context(Kind::Storage, failed)?;
        durable::write(&self.folder.join(name), file).context(Kind::Storage, failed)
    }

    /// The station's answer, once it is there.
    pub(super) fn answer(&self, name: &str) -> Result<Option<Answer>> {
        let path = self.folder.join(done_of(name));
        let Ok(json) = std::fs::read(&path) else { return Ok(None) };
        let answer = serde_json::from_slice(&json)
            .context(Kind::Internal, || "the station is of another version than this program".into())?;
        durable::remove(&path).context(Kind::Storage, || format!("could not remove {}", path.display()))?;
        Ok(Some(answer))
    }

    /// Takes a file back that nobody took in.
    pub fn take_back(&self, name: &str) {
        // The station may have taken it at this moment; it keeps each read once.
        let _ = durable::remove(&self.folder.join(name));
    }
}

fn done_of(name: &str) -> String {
    format!("{}{DONE_SUFFIX}", name.strip_suffix(PART_SUFFIX).unwrap_or(name))
}

/// A file of a medium.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    let failed = || format!("could not read {}", path.display());
    let bytes = std::fs::metadata(path).context(Kind::Storage, failed)?.len();
    if bytes > MAX_FILE_BYTES as u64 {
        return Err(Error::new(Kind::Input, "it is too large to be a part of a medium"));
    }
    std::fs::read(path).context(Kind::Storage, failed)
}
