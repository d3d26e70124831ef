//! What comes from the station beside lists: accounts, what the agency sets, and models (controls P-01, P-07, P-20 to
//! P-23). Each is a signed document with a serial. It is fetched by the schedule of the transfer, verified, put on record
//! and into force durably. An older one is refused, and one that can't be used leaves the one before in force; the health
//! of the daemon says so.
//!
//! Accounts count at once: sessions of whoever was disabled end. Settings and models count from the next start of the
//! daemon on, so that nothing changes under way.

mod fetch;
mod held;
mod models;
mod settings;

pub use fetch::{Parts, Provisioning};
pub use settings::Settings;

use crate::config::Config;
use crate::store::Key;
use held::Held;
use plated_access::{AgencySettings, signed};
use plated_core::error::Result;
use plated_core::signing::{Purpose, Trust};
use plated_core::wire::ModelsDocument;
use plated_vision::recognition::{Models, Recognition};
use std::borrow::Cow;

/// What comes from the station.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The accounts of this vehicle.
    Users,
    /// What the agency sets.
    Settings,
    /// Detector and reader.
    Models,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Users, Self::Settings, Self::Models];

    /// The word in the call, and the name of the file.
    fn as_str(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Settings => "settings",
            Self::Models => "models",
        }
    }

    /// The name of the part in the health.
    fn part(self) -> &'static str {
        match self {
            Self::Users => "accounts of the station",
            Self::Settings => "settings of the station",
            Self::Models => "models of the station",
        }
    }
}

/// The configuration with what the agency sets in the place of its own `[access]`, where the station handed that out.
pub fn in_force<'a>(config: &'a Config, key: &Key) -> Cow<'a, Config> {
    match agency_settings(config, key) {
        Ok(Some(agency)) => {
            let mut config = config.clone();
            config.access = agency.over(&config.access);
            Cow::Owned(config)
        }
        Ok(None) => Cow::Borrowed(config),
        Err(e) => {
            tracing::error!(error = %e.chain(), "The station's settings can't be used; [access] of the configuration counts");
            Cow::Borrowed(config)
        }
    }
}

fn agency_settings(config: &Config, key: &Key) -> Result<Option<AgencySettings>> {
    let Some(provision) = &config.provision else { return Ok(None) };
    let Some(text) = Held::of(config, key)?.read(Kind::Settings)? else { return Ok(None) };
    AgencySettings::open(&text, &Trust::load(&provision.key)?).map(Some)
}

/// The models of the station where there are some and they can be used, or else the configured ones.
///
/// # Errors
/// As [`Models::find`], of the configured ones.
pub fn models(config: &Config, key: &Key) -> Result<Models> {
    let found = provided_models(config, key).and_then(|recognition| recognition.map(|r| Models::find(&r)).transpose());
    match found {
        Ok(Some(models)) => Ok(models),
        Ok(None) => Models::find(&config.recognition),
        Err(e) => {
            tracing::error!(error = %e.chain(), "The station's models can't be used; those of the configuration are");
            Models::find(&config.recognition)
        }
    }
}

fn provided_models(config: &Config, key: &Key) -> Result<Option<Recognition>> {
    let Some(provision) = &config.provision else { return Ok(None) };
    let held = Held::of(config, key)?;
    let Some(text) = held.read(Kind::Models)? else { return Ok(None) };
    let document = open_models(&text, &Trust::load(&provision.key)?)?;
    Ok(Some(models::recognition(&config.recognition, &held.models(document.serial))))
}

/// The document in such a text.
fn open_models(text: &[u8], trust: &Trust) -> Result<ModelsDocument> {
    use plated_core::error::{Error, Kind};
    const WHAT: &str = "the station's document of models";
    let document: ModelsDocument = signed::open(text, WHAT, Purpose::MODELS, trust)?;
    document.check().map_err(|why| Error::new(Kind::Input, format!("{WHAT} can't be used: {why}")))?;
    Ok(document)
}
