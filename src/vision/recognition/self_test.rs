//! Whether the reader reads on this processor what it should.
//!
//! Processors without instructions for 8-bit dot products add up in 16 bits, which can overflow
//! with weights of full range: the model then misreads, and is sure of it. So some drawn plates
//! are read at every start. If one is misread, the exact model beside it takes over.

use super::combine;
use super::reader::{Reader, Reading};
use super::sidecar::{Described, ReaderSidecar};
use opencv::core::{Mat, Rect, Vector};
use opencv::imgcodecs;
use opencv::prelude::*;
use plated_core::error::{Context, Error, Kind, Result};
use std::path::Path;

/// The plates one below the other, as upright crops, out of the drawn drive of `fixtures/`.
const SHEET: &[u8] = include_bytes!("self_test.png");
/// What is on them.
const TEXTS: [&str; 6] = ["7VKM482", "4HNU685", "4HNU635", "CJ4M586", "583KWV", "PLATEDX"];
/// A plate of the sheet in pixels.
const SIZE: (i32, i32) = (160, 48);
/// Each must be read with this confidence; all are clear.
const MIN_CONFIDENCE: f32 = 0.6;
/// The sidecar of the exact model, beside that of the 8-bit one.
const EXACT: &str = "reader-fp32.toml";

/// The reader that `path` describes if it reads the drawn plates rightly on this processor, or else
/// the exact one beside it. Readers of other makes are taken as they are.
///
/// # Errors
/// `Missing` or `Damaged` when the model can't be loaded; `Damaged` when it misreads and there is no
/// other, or that one misreads too.
pub fn trusted(path: &Path, library: Option<&Path>) -> Result<Described<ReaderSidecar>> {
    let first = Described::reader(path)?;
    if matches!(first.sidecar, ReaderSidecar::FixedSlots { .. }) {
        return Ok(first);
    }
    let Some(why) = misread(&first, library)? else { return Ok(first) };
    let exact = path.with_file_name(EXACT);
    if exact == path || !exact.is_file() {
        let text = format!("the reader {} fails its self-test on this processor: {why}", path.display());
        return Err(Error::new(Kind::Damaged, text));
    }
    tracing::warn!(
        "The reader {} fails its self-test on this processor ({why}); {EXACT} is used in its place, which is slower.",
        path.display()
    );
    let exact = Described::reader(&exact)?;
    match misread(&exact, library)? {
        None => Ok(exact),
        Some(why) => {
            let text = format!("the reader {EXACT} fails its self-test on this processor too: {why}");
            Err(Error::new(Kind::Damaged, text))
        }
    }
}

/// What is wrong with how it reads the drawn plates.
fn misread(from: &Described<ReaderSidecar>, library: Option<&Path>) -> Result<Option<String>> {
    let failed = || "the plates of the self-test could not be decoded".to_string();
    let mut reader = Reader::open(from, library)?;
    let sheet =
        imgcodecs::imdecode(&Vector::from_slice(SHEET), imgcodecs::IMREAD_COLOR).context(Kind::Internal, failed)?;
    let mut crops = Vec::new();
    for n in 0..TEXTS.len() as i32 {
        let place = Rect::new(0, n * SIZE.1, SIZE.0, SIZE.1);
        let plate = Mat::roi(&sheet, place).and_then(|p| p.try_clone()).context(Kind::Internal, failed)?;
        crops.push(reader.crop_whole(&plate)?);
    }
    let readings = reader.read(&crops)?;
    Ok(TEXTS.iter().zip(&readings).find_map(|(text, reading)| difference(text, reading)))
}

fn difference(text: &str, Reading { slots, .. }: &Reading) -> Option<String> {
    let read = combine(std::iter::once(slots), "");
    if read.text() != text {
        Some(format!("it reads {:?} where {text:?} is drawn", read.text()))
    } else if read.confidence() < MIN_CONFIDENCE {
        Some(format!("it reads {text:?} with a confidence of only {:.2}", read.confidence()))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plated_core::digest::Sha256;
    use std::path::PathBuf;

    fn models() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models")
    }

    /// A folder with a reader that loads and misreads: a part of its weights is gone.
    fn misreading() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let (sidecar, mut model) = (
            std::fs::read_to_string(models().join("reader.toml")).unwrap(),
            std::fs::read(models().join("reader.onnx")).unwrap(),
        );
        let right = Sha256::of(&model).to_string();
        let last_convolutions = model.len() / 100 * 74;
        model[last_convolutions..last_convolutions + 180_000].fill(0);
        let sidecar = sidecar.replace(&right, &Sha256::of(&model).to_string());
        std::fs::write(dir.path().join("reader.toml"), sidecar).unwrap();
        std::fs::write(dir.path().join("reader.onnx"), model).unwrap();
        dir
    }

    #[test]
    fn both_readers_of_the_project_pass_on_this_processor() {
        for name in ["reader.toml", EXACT] {
            let path = models().join(name);
            assert_eq!(trusted(&path, None).unwrap().path, path);
        }
    }

    #[test]
    fn a_reader_that_misreads_gives_way_to_the_exact_one() {
        let dir = misreading();
        for name in [EXACT, "reader-fp32.onnx"] {
            std::fs::copy(models().join(name), dir.path().join(name)).unwrap();
        }
        assert_eq!(trusted(&dir.path().join("reader.toml"), None).unwrap().path, dir.path().join(EXACT));
    }

    #[test]
    fn a_reader_that_misreads_and_has_no_other_is_an_error() {
        let err = trusted(&misreading().path().join("reader.toml"), None).err().unwrap();
        assert!(err.kind() == Kind::Damaged && err.chain().contains("self-test"), "{}", err.chain());
    }
}
