//! Finding and loading `libonnxruntime.so` at run time.
//!
//! The engine is not linked in: an agency updates it, or brings one built for its accelerator,
//! without rebuilding `plated`.

use ort::environment::Environment;
use plated_core::error::{Context, Error, Kind, Result};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Where the library is looked for when the configuration names none.
const PLACES: [&str; 4] = [
    "/usr/local/lib/plated/libonnxruntime.so",
    "/usr/lib/plated/libonnxruntime.so",
    "/usr/local/lib/libonnxruntime.so",
    "/usr/lib/libonnxruntime.so",
];

static LOADED: Mutex<Option<Environment>> = Mutex::new(None);

/// The library that would be loaded: the configured one, `ORT_DYLIB_PATH`, or the first of the
/// usual places that exists.
pub fn locate(configured: Option<&Path>) -> Result<PathBuf> {
    let named = configured.map(Path::to_path_buf).or_else(|| std::env::var_os("ORT_DYLIB_PATH").map(PathBuf::from));
    if let Some(path) = named {
        if path.is_file() {
            return Ok(path);
        }
        return Err(Error::new(
            Kind::Missing,
            format!(
                "there is no onnxruntime library at {}; put libonnxruntime.so there or correct recognition.runtime",
                path.display()
            ),
        ));
    }
    PLACES.iter().map(PathBuf::from).find(|p| p.is_file()).ok_or_else(|| {
        Error::new(
            Kind::Missing,
            format!(
                "libonnxruntime.so (1.24 or newer) was not found; run `make setup`, or put it at {} or name it in recognition.runtime",
                PLACES[0]
            ),
        )
    })
}

/// Loads the library once for the process; later calls give the same environment.
pub fn load(configured: Option<&Path>) -> Result<Environment> {
    let mut loaded = LOADED.lock().unwrap_or_else(|e| e.into_inner());
    if let Some(env) = loaded.as_ref() {
        return Ok(env.clone());
    }
    let path = locate(configured)?;
    let failed = || {
        format!(
            "{} could not be loaded as onnxruntime 1.24 or newer; run `make setup` for one that fits",
            path.display()
        )
    };
    let env = ort::init_from(&path).context(Kind::Missing, failed)?.build().context(Kind::Missing, failed)?;
    *loaded = Some(env.clone());
    Ok(env)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_library_is_one_sentence_that_says_what_to_do() {
        let err = locate(Some(Path::new("/nowhere/libonnxruntime.so"))).unwrap_err();
        assert_eq!(err.kind(), Kind::Missing);
        assert!(err.chain().contains("/nowhere/libonnxruntime.so") && err.chain().contains("recognition.runtime"));
    }
}
