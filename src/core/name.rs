//! Names of vehicles, cameras, lists and stations.

/// True for the names of vehicles, cameras and stations: 1 to 64 letters, digits, `-`, `_` or `.`.
pub fn is_plain_name(s: &str) -> bool {
    !s.is_empty() && s.len() <= 64 && s.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}
