//! What a setup is told.

use plated_core::config_file::parse;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::name::is_plain_name;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Answers; what is none stays as it is.
#[derive(Clone, Debug, Default, clap::Args, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Answers {
    /// Name of the vehicle, as its certificate has it; by default the certificate's
    #[arg(long, value_name = "NAME")]
    pub vehicle: Option<String>,
    /// A camera: front=/dev/plated/…, rear=rtsp://…, left=http://…, or a video file or folder of pictures; give it for
    /// each. Cameras of other names are taken out
    #[arg(long = "camera", value_name = "NAME=CAMERA")]
    pub cameras: Vec<Named>,
    /// Address of the station, https://host:port
    #[arg(long, value_name = "URL")]
    pub station: Option<String>,
    /// Folder with the vehicle's certificates and the station's public keys, as `plated-station vehicle issue` makes it
    #[arg(long, value_name = "DIR")]
    pub certificates: Option<PathBuf>,
    /// A list of wanted plates; give it for each. Lists of other names stay
    #[arg(long = "list", value_name = "NAME=FILE")]
    pub lists: Vec<Named>,
    /// The encrypted database; by default /var/lib/plated/plated.db, or beside a configuration elsewhere
    #[arg(long, value_name = "FILE")]
    pub store: Option<PathBuf>,
    /// Login name of a first administrator, whose password is asked for
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// Their name as on the badge
    #[arg(long, value_name = "TEXT")]
    pub full_name: Option<String>,
    /// The agency that employs them
    #[arg(long, value_name = "TEXT")]
    pub agency: Option<String>,
}

/// Something with a name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Named {
    /// Its name in the configuration.
    pub name: String,
    /// Its device, address or file.
    pub value: String,
}

impl FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, value)) if is_plain_name(name) && !value.is_empty() => {
                Ok(Self { name: name.to_owned(), value: value.to_owned() })
            }
            _ => Err("write NAME=VALUE, the name of letters, digits, '-', '_' or '.'".into()),
        }
    }
}

impl TryFrom<String> for Named {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl Answers {
    /// Those of a file; relative paths in it count from its folder.
    ///
    /// # Errors
    /// `Config` when it can't be read or has another key.
    pub fn load(path: &Path) -> Result<Self> {
        let failed = || format!("could not read the answers {}", path.display());
        let text = std::fs::read_to_string(path).context(Kind::Config, failed)?;
        let mut answers: Self = parse(&text, path)?;
        let base = plated_core::durable::folder_of(path);
        answers.certificates = answers.certificates.map(|folder| base.join(folder));
        Ok(answers)
    }

    /// These, and those of `other` where there is none.
    pub fn or(self, other: Self) -> Self {
        let all = |own: Vec<Named>, other: Vec<Named>| if own.is_empty() { other } else { own };
        Self {
            vehicle: self.vehicle.or(other.vehicle),
            cameras: all(self.cameras, other.cameras),
            station: self.station.or(other.station),
            certificates: self.certificates.or(other.certificates),
            lists: all(self.lists, other.lists),
            store: self.store.or(other.store),
            user: self.user.or(other.user),
            full_name: self.full_name.or(other.full_name),
            agency: self.agency.or(other.agency),
        }
    }

    /// What a first installation can't do without.
    ///
    /// # Errors
    /// `Config` with what to give.
    pub fn require(&self) -> Result<()> {
        let missing = match () {
            () if self.vehicle.is_none() => "--vehicle NAME",
            () if self.cameras.is_empty() => "--camera NAME=CAMERA",
            () if self.certificates.is_some() && self.station.is_none() => "--station https://host:port",
            () => return Ok(()),
        };
        Err(Error::new(Kind::Config, format!("a first installation needs {missing}; on a terminal it is asked for")))
    }

    /// The login name of the account to be added.
    ///
    /// # Errors
    /// `Config` when something of it is missing.
    pub fn new_user(&self) -> Result<Option<String>> {
        let Some(user) = self.user.clone() else { return Ok(None) };
        match (&self.full_name, &self.agency) {
            (Some(_), Some(_)) => Ok(Some(user)),
            _ => Err(Error::new(Kind::Config, "--user needs --full-name and --agency")),
        }
    }
}
