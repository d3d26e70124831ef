//! A text as a QR code, drawn as SVG in the page: nothing is fetched, and nothing is left in a cache.

use fast_qr::ECL;
use fast_qr::qr::QRBuilder;
use plated_core::error::{Error, Kind, Result};
use std::fmt::Write;

/// Light modules around the code, which readers need.
const MARGIN: usize = 4;

/// A QR code as paths of an SVG, one a line: a value in a page has a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qr {
    /// Modules from edge to edge, the margin included.
    pub size: usize,
    /// What is dark in each line, as the `d` of a path.
    pub paths: Vec<String>,
}

impl Qr {
    /// # Errors
    /// `Internal` for more than some 2 KiB of text.
    pub fn of(text: &str) -> Result<Self> {
        let code = QRBuilder::new(text).ecl(ECL::M).build();
        let code = code.map_err(|e| Error::new(Kind::Internal, format!("a QR code can't be made: {e}")))?;
        let mut paths = Vec::new();
        for y in 0..code.size {
            let (mut x, mut path) = (0, String::new());
            while x < code.size {
                let run = code[y][x..].iter().take_while(|module| module.value()).count();
                if run > 0 {
                    let _ = write!(path, "M{} {}h{run}v1h-{run}z", x + MARGIN, y + MARGIN);
                }
                x += run.max(1);
            }
            paths.push(path);
        }
        Ok(Self { size: code.size + 2 * MARGIN, paths })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_three_finders_and_a_margin() {
        let qr = Qr::of("otpauth://totp/plated:jdoe?secret=ABC").unwrap();
        let path = qr.paths.concat();
        for corner in [(MARGIN, MARGIN), (qr.size - MARGIN - 7, MARGIN), (MARGIN, qr.size - MARGIN - 7)] {
            assert!(path.contains(&format!("M{} {}h7v1h-7z", corner.0, corner.1)), "{corner:?} in {path}");
        }
        assert!(!path.contains("M0 ") && !path.contains("M1 ") && !path.contains(" 3h"));
        assert!(Qr::of(&"x".repeat(5000)).is_err());
    }
}
