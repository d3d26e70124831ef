//! TOML files written by people.

use crate::error::{Error, Kind, Result};
use std::path::Path;

/// Parses TOML; the error names file, line and key.
pub fn parse<T: serde::de::DeserializeOwned>(text: &str, path: &Path) -> Result<T> {
    toml::from_str(text).map_err(|e| {
        let line = e.span().map(|s| text[..s.start].matches('\n').count() + 1);
        let place = line.map_or_else(|| path.display().to_string(), |l| format!("{} line {l}", path.display()));
        Error::new(Kind::Config, format!("{place}: {}", e.message().trim_end()))
    })
}
