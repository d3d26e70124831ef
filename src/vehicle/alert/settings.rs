//! `[alert]`: sound.

use plated_core::config_file::within;
use serde::Deserialize;

/// Sound.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Off silences low and normal alerts; high priority always sounds.
    pub sound: bool,
    /// ALSA device as the sound library lists it, or empty for the default.
    pub device: String,
    /// The same plate does not alert again for this many seconds.
    pub repeat_after_s: u64,
    /// Unless it is seen again so many metres from where it alerted, and was out of view for a minute; 0: the
    /// distance does not count.
    pub repeat_distance_m: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { sound: true, device: String::new(), repeat_after_s: 600, repeat_distance_m: 300 }
    }
}

impl Settings {
    /// Rules that the types can't say. The error names the key.
    pub(crate) fn check(&self) -> Result<(), String> {
        within("alert.repeat_after_s", self.repeat_after_s, 0..=86_400)?;
        within("alert.repeat_distance_m", self.repeat_distance_m, 0..=100_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_sound_if_nothing_is_said_and_the_time_without_a_repeat_has_a_bound() {
        let settings: Settings = toml::from_str("").unwrap();
        assert!(settings.sound && settings.device.is_empty() && settings.check().is_ok());
        let settings: Settings = toml::from_str("repeat_after_s = 86401").unwrap();
        assert!(settings.check().unwrap_err().starts_with("alert.repeat_after_s: "));
    }
}
