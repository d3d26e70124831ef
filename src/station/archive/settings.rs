//! `[archive]` of the configuration: where the archive is, and how it is opened.

use super::postgres::{ObjectOptions, PostgresArchive, PostgresOptions};
use super::{Engine, SqliteArchive};
use crate::database::Database;
use crate::postgres::{Server, ServerOptions, read_secret};
use crate::rows::Rows;
use crate::{ArchiveKey, StationConfig};
use plated_core::config_file::{placed, within};
use plated_core::durable;
use plated_core::error::{Context, Error, Kind, Result};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the archive is built on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EngineKind {
    /// Encrypted files in the data folder: one station, nothing to install.
    #[default]
    Sqlite,
    /// PostgreSQL and S3-compatible object storage: any number of stations at the same time.
    Postgresql,
}

/// `[archive]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ArchiveSettings {
    /// What it is built on.
    pub engine: EngineKind,
    /// File or credential with the URL of the database, with its password.
    pub database: Option<PathBuf>,
    /// PEM file of the authority of the database's certificate. Needed unless the database is on this computer.
    pub database_ca: Option<PathBuf>,
    /// Most connections of this station to the database.
    pub connections: u16,
    /// The bucket for pictures.
    pub bucket: Option<String>,
    /// URL of the object storage; that of Amazon when not given.
    pub endpoint: Option<String>,
    /// Its region.
    pub region: String,
    /// File or credential with the access key: its id on the first line, the key itself on the second.
    pub object_key: Option<PathBuf>,
    /// PEM file of the authority of the object storage's certificate, where it is not one that everybody trusts.
    pub object_ca: Option<PathBuf>,
}

impl Default for ArchiveSettings {
    fn default() -> Self {
        Self {
            engine: EngineKind::Sqlite,
            database: None,
            database_ca: None,
            connections: 16,
            bucket: None,
            endpoint: None,
            region: "us-east-1".into(),
            object_key: None,
            object_ca: None,
        }
    }
}

impl ArchiveSettings {
    /// Rules that the types can't say. The error begins with the key.
    pub(crate) fn check(&self) -> std::result::Result<(), String> {
        within("connections", self.connections, 2..=500)?;
        let given = [
            ("database", self.database.is_some()),
            ("bucket", self.bucket.is_some()),
            ("object_key", self.object_key.is_some()),
        ];
        let stray = match self.engine {
            EngineKind::Postgresql => given.iter().find(|(_, is_given)| !is_given).map(|(key, _)| (key, "needs it")),
            EngineKind::Sqlite => given.iter().find(|(_, is_given)| *is_given).map(|(key, _)| (key, "has none")),
        };
        match stray {
            Some((key, how)) => Err(format!("{key}: the engine \"{}\" {how}", self.engine.as_str())),
            None => Ok(()),
        }
    }

    /// Paths count from the configuration's folder.
    pub(crate) fn resolve(&mut self, base: &Path) {
        for path in [&mut self.database, &mut self.database_ca, &mut self.object_key, &mut self.object_ca] {
            *path = path.take().map(|path| placed(base, &path, "plated-station.service"));
        }
    }

    /// How its database is reached.
    ///
    /// # Errors
    /// When a key is missing, or a file can't be read.
    pub fn server(&self) -> Result<ServerOptions> {
        let file = self.database.as_deref().ok_or_else(|| missing("database"))?;
        Ok(ServerOptions {
            url: read_secret(file, "archive.database")?,
            ca: self.database_ca.clone(),
            connections: self.connections.into(),
        })
    }

    /// How its object storage is reached.
    ///
    /// # Errors
    /// When a key is missing, or a file can't be read.
    pub fn objects(&self) -> Result<ObjectOptions> {
        let file = self.object_key.as_deref().ok_or_else(|| missing("object_key"))?;
        let text = read_secret(file, "archive.object_key")?;
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let (Some(key_id), Some(secret), None) = (lines.next(), lines.next(), lines.next()) else {
            let message = format!(
                "archive.object_key: {} has to hold two lines: the id of the access key, and the key",
                file.display()
            );
            return Err(Error::new(Kind::Config, message));
        };
        Ok(ObjectOptions {
            bucket: self.bucket.clone().ok_or_else(|| missing("bucket"))?,
            endpoint: self.endpoint.clone(),
            region: self.region.clone(),
            key_id: key_id.to_owned(),
            secret: secret.to_owned(),
            ca: self.object_ca.clone(),
        })
    }
}

impl EngineKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgresql => "postgresql",
        }
    }
}

fn missing(key: &str) -> Error {
    Error::new(Kind::Config, format!("archive.{key}: the engine \"postgresql\" needs it"))
}

/// The archive of a station that runs.
///
/// # Errors
/// As of the engine.
pub(crate) fn open(config: &StationConfig) -> Result<Arc<dyn Engine>> {
    let key = ArchiveKey::load(&config.archive_key)?;
    match config.archive.engine {
        EngineKind::Sqlite => Ok(Arc::new(SqliteArchive::open(&config.archive(key))?)),
        EngineKind::Postgresql => {
            // For lists, and what else is of this station alone.
            let failed = || format!("could not use the data folder {}", config.data.display());
            durable::make_folder(&config.data).context(Kind::Storage, failed)?;
            Ok(Arc::new(postgres(config, key)?))
        }
    }
}

/// The archive beside a station that runs or not.
///
/// # Errors
/// As of the engine.
pub(crate) fn beside(config: &StationConfig) -> Result<Arc<dyn Engine>> {
    let key = ArchiveKey::load(&config.archive_key)?;
    match config.archive.engine {
        EngineKind::Sqlite => Ok(Arc::new(SqliteArchive::beside(&config.archive(key))?)),
        EngineKind::Postgresql => Ok(Arc::new(postgres(config, key)?)),
    }
}

/// How the one on PostgreSQL is opened.
pub(super) fn postgres_options(config: &StationConfig, key: ArchiveKey) -> Result<PostgresOptions<'_>> {
    Ok(PostgresOptions {
        server: config.archive.server()?,
        objects: config.archive.objects()?,
        key,
        station: &config.name,
        retention: config.retention,
    })
}

fn postgres(config: &StationConfig, key: ArchiveKey) -> Result<PostgresArchive> {
    PostgresArchive::open(&postgres_options(config, key)?)
}

/// What the station knows besides reads, to be changed beside a station that runs or not.
pub(crate) fn database(config: &StationConfig) -> Result<Database> {
    match config.archive.engine {
        EngineKind::Sqlite => Database::open(&config.database(), &ArchiveKey::load(&config.archive_key)?),
        EngineKind::Postgresql => Ok(Database::on(Arc::new(Server::connect(&config.archive.server()?)?))),
    }
}

/// A look at that; none when nothing has been made yet.
pub(crate) fn look<T>(config: &StationConfig, look: impl FnOnce(&Rows<'_>) -> Result<T>) -> Result<Option<T>> {
    match config.archive.engine {
        EngineKind::Sqlite => Database::read_only(&config.database(), &ArchiveKey::load(&config.archive_key)?, look),
        EngineKind::Postgresql => database(config)?.read(look).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_engine_has_its_keys_and_no_others() {
        let of = |text: &str| toml::from_str::<ArchiveSettings>(text).unwrap().check();
        assert_eq!(of(""), Ok(()));
        let whole = "engine = \"postgresql\"\ndatabase = \"a\"\nbucket = \"b\"\nobject_key = \"c\"\n";
        assert_eq!(of(whole), Ok(()));
        assert!(of(&whole.replace("postgresql", "sqlite")).unwrap_err().starts_with("database: "));
        assert!(of(&whole.replace("bucket = \"b\"\n", "")).unwrap_err().starts_with("bucket: "));
        assert!(of("connections = 1").unwrap_err().starts_with("connections: "));
    }
}
