//! What an agency sets for its vehicles: the purposes, and what it asks of accounts and of each access. The station hands
//! it out as a signed document with a serial.

use crate::gate::Settings;
use crate::signed;
use jiff::Timestamp;
use plated_core::error::{Error, Kind, Result};
use plated_core::signing::{Purpose, Signer, Trust};
use serde::{Deserialize, Serialize};

/// What an agency sets, at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgencySettings {
    /// Name of the station.
    pub station: String,
    /// Grows with every document; one with a smaller number than another is older.
    pub serial: u64,
    /// When it was made.
    pub made: Timestamp,
    /// In the place of `[access]` of a vehicle's configuration.
    pub access: Settings,
}

impl AgencySettings {
    /// Largest signed document, in bytes.
    pub const MAX_BYTES: usize = 256 << 10;

    /// Signs it; gives the JSON text `{"key", "signature", "document"}`.
    ///
    /// # Errors
    /// `Internal` when it can't be written.
    pub fn sign(&self, signer: &Signer) -> Result<String> {
        signed::sign(self, Purpose::AGENCY_SETTINGS, signer)
    }

    /// The document in such a text.
    ///
    /// # Errors
    /// `Refused` when it is not signed by a trusted key, `Input` when it is none or its values can't be.
    pub fn open(text: &[u8], trust: &Trust) -> Result<Self> {
        const WHAT: &str = "the station's document of settings";
        let wrong = |why: &str| Error::new(Kind::Input, format!("{WHAT} can't be used: {why}"));
        if text.len() > Self::MAX_BYTES {
            return Err(wrong("it is larger than 256 KiB"));
        }
        let document: Self = signed::open(text, WHAT, Purpose::AGENCY_SETTINGS, trust)?;
        document.check().map_err(|why| wrong(&why))?;
        Ok(document)
    }

    /// Rules that the types can't say.
    ///
    /// # Errors
    /// What is wrong, beginning with the key.
    pub fn check(&self) -> Result<(), String> {
        if self.access.accounts.banned_passwords.is_some() {
            return Err(
                "access.accounts.banned_passwords: it is a file of each vehicle, and can't be handed out".into()
            );
        }
        self.access.check().map_err(|why| format!("access.{why}"))
    }

    /// What counts in a vehicle whose configuration says `own`: the agency's settings, with the vehicle's own file of
    /// passwords.
    pub fn over(&self, own: &Settings) -> Settings {
        let mut access = self.access.clone();
        access.accounts.banned_passwords.clone_from(&own.accounts.banned_passwords);
        access
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOLDEN: &str = include_str!("../../tests/golden/agency_settings.json");

    fn golden() -> AgencySettings {
        serde_json::from_str(GOLDEN).unwrap()
    }

    #[test]
    fn settings_read_and_write_as_the_golden_file() {
        let text = serde_json::to_value(golden()).unwrap();
        assert_eq!(text, serde_json::from_str::<serde_json::Value>(GOLDEN).unwrap());
        assert_eq!(golden().access.purposes.len(), 2);
    }

    #[test]
    fn settings_count_only_when_the_station_signed_them_and_their_values_can_be() {
        let (station, other) = (Signer::generate().unwrap(), Signer::generate().unwrap());
        let trust = Trust::only([station.public_key()]);
        let text = golden().sign(&station).unwrap();
        assert_eq!(AgencySettings::open(text.as_bytes(), &trust).unwrap(), golden());
        let refused = |text: &str| AgencySettings::open(text.as_bytes(), &trust).unwrap_err().chain();
        assert!(refused(&golden().sign(&other).unwrap()).contains("not trusted"));
        assert!(
            refused(&text.replace("\"training_days\":365", "\"training_days\":999")).contains("signature is wrong")
        );
        let mut wrong = golden();
        wrong.access.accounts.training_days = 0;
        assert!(refused(&wrong.sign(&station).unwrap()).contains("access.accounts.training_days"));
        let mut wrong = golden();
        wrong.access.accounts.banned_passwords = Some("/etc/passwords".into());
        assert!(refused(&wrong.sign(&station).unwrap()).contains("banned_passwords"));
    }

    #[test]
    fn a_vehicle_keeps_its_own_file_of_passwords() {
        let mut own = Settings::default();
        own.accounts.banned_passwords = Some("banned.txt".into());
        let over = golden().over(&own);
        assert_eq!(over.accounts.banned_passwords, own.accounts.banned_passwords);
        assert_eq!(over.purposes, golden().access.purposes);
    }
}
