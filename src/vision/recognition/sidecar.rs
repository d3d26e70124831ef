//! Sidecars: what a model's file is, what goes in and what comes out.
//!
//! A sidecar is a TOML file beside the ONNX file. `models/detector.toml` and
//! `models/reader.toml` are plated's own; `docs/reference/models.md` shows how the models of the
//! common open families are described.

use super::settings::Recognition;
use plated_core::digest::Sha256;
use plated_core::error::{Context, Error, Kind, Result};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A model file that has been compared with its sidecar's hash. It is read once: what is run is what
/// was compared.
#[derive(Clone)]
pub struct ModelFile {
    /// Where it was read, for messages.
    pub path: PathBuf,
    /// The ONNX model.
    pub bytes: Arc<[u8]>,
    /// Version as the sidecar names it; for models without one, the start of the hash.
    pub version: String,
}

/// A set of data that a model was trained on.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainedOn {
    /// Name of the set.
    pub name: String,
    /// Its licence.
    pub licence: String,
}

/// Describes a detector.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "format", deny_unknown_fields)]
pub enum DetectorSidecar {
    /// plated's own: heat, box and corners on a grid.
    #[serde(rename = "plated-detector-1")]
    Plated {
        /// ONNX file, beside the sidecar.
        file: PathBuf,
        /// Of the ONNX file.
        sha256: Sha256,
        /// Names the training run.
        version: String,
        /// What reached the weights.
        #[serde(default)]
        trained_on: Vec<TrainedOn>,
        /// What goes in.
        input: ImageInput,
        /// What comes out.
        output: DetectorOutput,
        /// How boxes are taken from the outputs.
        decode: Decode,
    },
    /// Detectors exported with non-maximum suppression inside (YOLO "end to end"): one output of
    /// `[boxes, 7]` rows *image, x1, y1, x2, y2, class, score* or `[1, boxes, 6]` rows *x1, y1,
    /// x2, y2, score, class*; input float NCHW RGB from 0 to 1, letterboxed in the middle.
    #[serde(rename = "yolo-end2end")]
    YoloEnd2End {
        /// ONNX file, beside the sidecar.
        file: PathBuf,
        /// Of the ONNX file; checked when given.
        sha256: Option<Sha256>,
        /// Names the model.
        version: Option<String>,
        /// Boxes of a lower score are left out.
        #[serde(default = "forty_percent")]
        threshold: f32,
    },
}

fn forty_percent() -> f32 {
    0.4
}

/// Describes a reader.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "format", deny_unknown_fields)]
pub enum ReaderSidecar {
    /// plated's own: a distribution for each position, and the issuing state.
    #[serde(rename = "plated-reader-1")]
    Plated {
        /// ONNX file, beside the sidecar.
        file: PathBuf,
        /// Of the ONNX file.
        sha256: Sha256,
        /// Names the training run.
        version: String,
        /// What reached the weights.
        #[serde(default)]
        trained_on: Vec<TrainedOn>,
        /// What goes in.
        input: CropInput,
        /// What comes out.
        output: ReaderOutput,
        /// Already applied in the graph; kept for the record.
        #[serde(default)]
        calibration: Calibration,
    },
    /// Readers with a fixed number of character slots, described by a YAML file of alphabet and
    /// input size; input uint8 NHWC, output `[1, slots × alphabet]` or `[1, slots, alphabet]`.
    #[serde(rename = "fixed-slots")]
    FixedSlots {
        /// ONNX file, beside the sidecar.
        file: PathBuf,
        /// Of the ONNX file; checked when given.
        sha256: Option<Sha256>,
        /// Names the model.
        version: Option<String>,
        /// The YAML file that came with the model, beside the sidecar.
        config: PathBuf,
        /// The crop reaches this far past the corners, as shares of width and height.
        #[serde(default)]
        margin: [f32; 2],
    },
}

/// Describes a model that tells what the vehicle around a plate looks like.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VehicleSidecar {
    /// Only `plated-vehicle-1`.
    pub format: VehicleFormat,
    /// ONNX file, beside the sidecar.
    pub file: PathBuf,
    /// Of the ONNX file.
    pub sha256: Sha256,
    /// Names the training run.
    pub version: String,
    /// What reached the weights.
    #[serde(default)]
    pub trained_on: Vec<TrainedOn>,
    /// What goes in.
    pub input: SquareInput,
    /// Class of the vehicle.
    pub class: Answers,
    /// Its main colour.
    pub colour: Answers,
    /// Its make.
    pub make: Answers,
    /// Which of its sides is seen.
    pub side: Answers,
    /// Already applied in the graph; kept for the record.
    #[serde(default)]
    pub calibration: VehicleCalibration,
}

impl VehicleSidecar {
    /// What comes out.
    pub fn answers(&self) -> [&Answers; 4] {
        [&self.class, &self.colour, &self.make, &self.side]
    }
}

/// Kinds of vehicle models.
#[derive(Clone, Copy, Debug, Deserialize)]
pub enum VehicleFormat {
    /// plated's own: a square around the plate, four distributions.
    #[serde(rename = "plated-vehicle-1")]
    Plated,
}

/// Input of the vehicle model: a square around the plate. Its unit is the root of the plate's area.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SquareInput {
    /// Name in the graph.
    pub name: String,
    /// Only `uint8`.
    pub dtype: Dtype,
    /// Only `NHWC`.
    pub layout: TensorLayout,
    /// Only `BGR`.
    pub colour: ChannelOrder,
    /// Pixels of each side.
    pub size: usize,
    /// Length of each side, in units.
    pub side: f32,
    /// How far it reaches above the plate's centre, in units.
    pub above: f32,
}

/// A distribution over words.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// Name of the `[N, labels]` output of probabilities.
    pub output: String,
    /// Words of small letters; the empty one is "none of these".
    pub labels: Vec<String>,
    /// Under this probability the answer is "not known".
    pub least: f32,
    /// What the model says of the drawn vehicle of the self-test, and its probability.
    pub drawn: Option<(String, f32)>,
}

/// Temperatures that divided the logits.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VehicleCalibration {
    /// Of the class.
    pub class: f32,
    /// Of the colour.
    pub colour: f32,
    /// Of the make.
    pub make: f32,
    /// Of the side.
    pub side: f32,
}

/// Input of plated's detector.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageInput {
    /// Name in the graph.
    pub name: String,
    /// Only `uint8`.
    pub dtype: Dtype,
    /// Only `NHWC`.
    pub layout: TensorLayout,
    /// Only `BGR`.
    pub colour: ChannelOrder,
    /// Most pixels, a multiple of the stride.
    pub width: usize,
    /// Most pixels, a multiple of the stride.
    pub height: usize,
}

/// Input of plated's reader.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CropInput {
    /// Name in the graph.
    pub name: String,
    /// Only `uint8`.
    pub dtype: Dtype,
    /// Only `NHWC`.
    pub layout: TensorLayout,
    /// Only `BGR`.
    pub colour: ChannelOrder,
    /// Pixels.
    pub width: usize,
    /// Pixels.
    pub height: usize,
    /// The crop reaches this far past the corners, as shares of width and height.
    pub margin: [f32; 2],
}

/// Element type of an input.
#[derive(Clone, Copy, Debug, Deserialize)]
pub enum Dtype {
    /// Bytes.
    #[serde(rename = "uint8")]
    Uint8,
}

/// Order of an input's dimensions.
#[derive(Clone, Copy, Debug, Deserialize)]
pub enum TensorLayout {
    /// Image, row, column, channel.
    #[serde(rename = "NHWC")]
    Nhwc,
}

/// Order of an input's channels.
#[derive(Clone, Copy, Debug, Deserialize)]
pub enum ChannelOrder {
    /// Blue, green, red, as OpenCV has it.
    #[serde(rename = "BGR")]
    Bgr,
}

/// Output of plated's detector.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectorOutput {
    /// `[N, H / stride, W / stride, 13]`. Of each cell: the logit of its heat, the probability that a
    /// plate's centre is here; logarithms of the distances left, top, right and bottom from the cell's
    /// centre, in strides; and the corners from the top left clockwise, x and y as shares of the box.
    pub maps: String,
    /// Input pixels for one cell.
    pub stride: usize,
}

/// How plated's detector is decoded.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decode {
    /// Cells of a lower heat are left out.
    pub threshold: f32,
    /// Of two boxes that overlap by more, the better one stays.
    pub nms_iou: f32,
}

/// Outputs of plated's reader.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReaderOutput {
    /// Name of the `[N, length, alphabet]` output of probabilities.
    pub slots: String,
    /// Name of the `[N, states]` output of probabilities.
    pub state: String,
    /// Positions.
    pub length: usize,
    /// Its first character stands for "no character here".
    pub alphabet: String,
    /// Two letters each; the empty one is "not known".
    pub states: Vec<String>,
}

/// How the reader's probabilities were calibrated.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Calibration {
    /// Divides the logits.
    pub temperature: f32,
}

/// The YAML file of a fixed-slots reader. Other keys in it are of no concern here.
#[derive(Clone, Debug, Deserialize)]
pub struct FixedSlotsConfig {
    /// Positions.
    pub max_plate_slots: usize,
    /// One character for each class.
    pub alphabet: String,
    /// The class that stands for "no character here".
    pub pad_char: char,
    /// Pixels.
    pub img_height: usize,
    /// Pixels.
    pub img_width: usize,
    /// Letterbox instead of stretching.
    #[serde(default)]
    pub keep_aspect_ratio: bool,
    /// `grayscale` (default) or `rgb`.
    #[serde(default)]
    pub image_color_mode: ColourMode,
}

/// Channels of a fixed-slots reader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColourMode {
    /// One channel.
    #[default]
    Grayscale,
    /// Three channels.
    Rgb,
}

/// The sidecars in force.
#[derive(Clone, Debug)]
pub struct Paths {
    /// Of the detector.
    pub detector: PathBuf,
    /// Of the reader.
    pub reader: PathBuf,
    /// Of the vehicle model; none where there is none, which stops nothing else.
    pub vehicle: Option<PathBuf>,
}

/// Folders that are looked in for `detector.toml` when the configuration names none.
fn places() -> Vec<PathBuf> {
    let mut all = Vec::new();
    if let Some(dir) = std::env::var_os("PLATED_MODELS") {
        all.push(PathBuf::from(dir));
    }
    // Beside the program; a build lies in target/<profile>/ of the source tree, where models/ is.
    // Never in the current folder, which may be a stranger's.
    if let Ok(exe) = std::env::current_exe() {
        all.extend(exe.ancestors().skip(1).take(4).map(|a| a.join("models")));
    }
    all.extend(["/usr/local/share/plated/models", "/usr/share/plated/models"].map(PathBuf::from));
    all
}

impl Paths {
    /// The configured sidecars, or plated's own beside the program.
    pub fn find(config: &Recognition) -> Result<Self> {
        let dirs = config.models.clone().map_or_else(places, |dir| vec![dir]);
        let own = |name: &str| -> Result<PathBuf> {
            dirs.iter().map(|d| d.join(name)).find(|p| p.is_file()).ok_or_else(|| {
                let looked: Vec<_> = dirs.iter().map(|d| d.display().to_string()).collect();
                Error::new(
                    Kind::Missing,
                    format!(
                        "no model: {name} was not found in {}; name its folder in recognition.models",
                        looked.join(", ")
                    ),
                )
            })
        };
        Ok(Self {
            detector: config.detector.clone().map_or_else(|| own("detector.toml"), Ok)?,
            reader: config.reader.clone().map_or_else(|| own("reader.toml"), Ok)?,
            vehicle: config.vehicle.clone().or_else(|| own("vehicle.toml").ok()),
        })
    }
}

/// A sidecar and its model, read and compared.
#[derive(Clone)]
pub struct Described<T> {
    /// Of the sidecar.
    pub path: PathBuf,
    /// What it says.
    pub sidecar: T,
    /// The model that it describes.
    pub file: ModelFile,
}

impl Described<DetectorSidecar> {
    /// Reads both.
    ///
    /// # Errors
    /// `Missing` when one is not there, `Damaged` when the model is another one than described.
    pub fn detector(path: &Path) -> Result<Self> {
        let sidecar = load(path)?;
        let file = match &sidecar {
            DetectorSidecar::Plated { file, sha256, version, .. } => verify(path, file, Some(*sha256), Some(version)),
            DetectorSidecar::YoloEnd2End { file, sha256, version, .. } => {
                verify(path, file, *sha256, version.as_deref())
            }
        }?;
        Ok(Self { path: path.to_owned(), sidecar, file })
    }
}

impl Described<ReaderSidecar> {
    /// Reads both.
    ///
    /// # Errors
    /// As of [`Described::detector`].
    pub fn reader(path: &Path) -> Result<Self> {
        let sidecar = load(path)?;
        let file = match &sidecar {
            ReaderSidecar::Plated { file, sha256, version, .. } => verify(path, file, Some(*sha256), Some(version)),
            ReaderSidecar::FixedSlots { file, sha256, version, .. } => verify(path, file, *sha256, version.as_deref()),
        }?;
        Ok(Self { path: path.to_owned(), sidecar, file })
    }
}

impl Described<VehicleSidecar> {
    /// Reads both.
    ///
    /// # Errors
    /// As of [`Described::detector`].
    pub fn vehicle(path: &Path) -> Result<Self> {
        let sidecar: VehicleSidecar = load(path)?;
        let file = verify(path, &sidecar.file, Some(sidecar.sha256), Some(&sidecar.version))?;
        Ok(Self { path: path.to_owned(), sidecar, file })
    }
}

/// Reads a sidecar.
pub fn load<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let text = std::fs::read_to_string(path)
        .context(Kind::Missing, || format!("could not read the model sidecar {}", path.display()))?;
    plated_core::config_file::parse(&text, path)
}

/// Compares the ONNX file beside `sidecar` with its hash.
pub fn verify(sidecar: &Path, file: &Path, sha256: Option<Sha256>, version: Option<&str>) -> Result<ModelFile> {
    let path = sidecar.parent().unwrap_or(Path::new(".")).join(file);
    let bytes = std::fs::read(&path).context(Kind::Missing, || {
        format!("could not read the model {} that {} names", path.display(), sidecar.display())
    })?;
    let found = Sha256::of(&bytes);
    if let Some(want) = sha256
        && want != found
    {
        return Err(Error::new(
            Kind::Damaged,
            format!(
                "{} is not the model that {} describes: its SHA-256 is {found}, not {want}",
                path.display(),
                sidecar.display()
            ),
        ));
    }
    let version = version.map_or_else(|| found.to_string()[..12].to_string(), str::to_string);
    Ok(ModelFile { path, bytes: bytes.into(), version })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_is_not_the_one_described_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("m.onnx"), b"abc").unwrap();
        let sidecar = dir.path().join("m.toml");
        let right = Sha256::of(b"abc");
        assert!(verify(&sidecar, Path::new("m.onnx"), Some(right), None).is_ok());
        let err = verify(&sidecar, Path::new("m.onnx"), Some(Sha256::of(b"abd")), None).err().unwrap();
        assert_eq!(err.kind(), Kind::Damaged);
    }

    #[test]
    fn what_was_compared_is_what_is_run() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("m.onnx"), b"abc").unwrap();
        let file = verify(&dir.path().join("m.toml"), Path::new("m.onnx"), Some(Sha256::of(b"abc")), None).unwrap();
        std::fs::write(dir.path().join("m.onnx"), b"another").unwrap();
        assert_eq!(*file.bytes, *b"abc");
    }

    #[test]
    fn models_are_never_looked_for_in_the_current_folder() {
        assert!(!places().is_empty() && places().iter().all(|p| p.is_absolute()), "{:?}", places());
    }

    #[test]
    fn a_missing_model_says_where_to_put_it() {
        let config = Recognition { models: Some("/nowhere".into()), ..Default::default() };
        let err = Paths::find(&config).unwrap_err();
        assert!(err.chain().contains("/nowhere") && err.chain().contains("recognition.models"), "{}", err.chain());
    }
}
