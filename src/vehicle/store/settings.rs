//! `[store]`: the encrypted database.

use plated_core::config_file::within;
use serde::Deserialize;
use std::path::PathBuf;

/// The encrypted database.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The database file.
    pub path: PathBuf,
    /// File of mode 0400 with the key in 64 hex digits. Without it the systemd credential
    /// `store.key` is used.
    pub key_file: Option<PathBuf>,
    /// The database never grows past this many MiB; 0 is no limit but the disk.
    #[serde(default)]
    pub max_mib: u64,
    /// Room on the disk in MiB that is set aside, so that hits are kept when the disk is full;
    /// 0 is none.
    #[serde(default = "reserve_mib")]
    pub reserve_mib: u64,
}

fn reserve_mib() -> u64 {
    4
}

impl Settings {
    /// Rules that the types can't say. The error names the key.
    pub(crate) fn check(&self) -> Result<(), String> {
        within("store.max_mib", self.max_mib, 0..=16 << 20)?;
        within("store.reserve_mib", self.reserve_mib, 0..=1024)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_needs_its_path_only_and_its_sizes_have_bounds() {
        let settings = |more: &str| toml::from_str::<Settings>(&format!("path = \"s.db\"\n{more}")).unwrap();
        assert!(settings("").check().is_ok() && settings("").reserve_mib == 4);
        for (line, key) in [("max_mib = 16777217", "store.max_mib: "), ("reserve_mib = 2000", "store.reserve_mib: ")] {
            assert!(settings(line).check().unwrap_err().starts_with(key), "{line}");
        }
    }
}
