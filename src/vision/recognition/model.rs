//! One loaded ONNX model on one thread.

use super::runtime;
use super::sidecar::ModelFile;
use ort::session::{Session, SessionOutputs, builder::GraphOptimizationLevel};
use ort::value::{PrimitiveTensorElementType, TensorRef, ValueType};
use plated_core::error::{Context, Error, Kind, Result};
use std::path::Path;

/// A session with the name of its file, for messages.
pub(super) struct Model {
    session: Session,
    name: String,
}

impl Model {
    /// Loads `file`; `library` is the configured onnxruntime.
    pub fn open(file: &ModelFile, library: Option<&Path>) -> Result<Self> {
        let name = file.path.display().to_string();
        let failed = || format!("onnxruntime could not load the model {name}");
        let env = runtime::load(library)?;
        let session = Session::builder(&env)
            .and_then(|b| b.with_optimization_level(GraphOptimizationLevel::All).map_err(ort::Error::from))
            // One thread a session: the workers are the parallelism, and a frame's result does
            // not wait for a busy core.
            .and_then(|b| b.with_intra_threads(1).map_err(ort::Error::from))
            .and_then(|b| b.with_intra_op_spinning(false).map_err(ort::Error::from))
            .and_then(|mut b| b.commit_from_memory(&file.bytes))
            .context(Kind::Damaged, failed)?;
        Ok(Self { session, name })
    }

    /// Shape of the input called `name`; -1 is a free dimension.
    pub fn input_shape(&self, name: &str) -> Result<Vec<i64>> {
        let found = self.session.inputs().iter().find(|i| i.name() == name);
        let known = || self.session.inputs().iter().map(|i| i.name().to_string()).collect::<Vec<_>>().join(", ");
        shape(found.map(|i| i.dtype()))
            .ok_or_else(|| self.unfit(&format!("it has no input \"{name}\" (it has: {})", known())))
    }

    /// Shape of the output called `name`; -1 is a free dimension.
    pub fn output_shape(&self, name: &str) -> Result<Vec<i64>> {
        let found = self.session.outputs().iter().find(|o| o.name() == name);
        let known = || self.session.outputs().iter().map(|o| o.name().to_string()).collect::<Vec<_>>().join(", ");
        shape(found.map(|o| o.dtype()))
            .ok_or_else(|| self.unfit(&format!("it has no output \"{name}\" (it has: {})", known())))
    }

    /// Name of the first input, for models whose sidecar names none.
    pub fn first_input(&self) -> Result<String> {
        self.session.inputs().first().map(|i| i.name().to_string()).ok_or_else(|| self.unfit("it has no input"))
    }

    /// Name of the first output.
    pub fn first_output(&self) -> Result<String> {
        self.session.outputs().first().map(|o| o.name().to_string()).ok_or_else(|| self.unfit("it has no output"))
    }

    /// The model is not what its sidecar says.
    pub fn unfit(&self, why: &str) -> Error {
        Error::new(Kind::Damaged, format!("the model {} does not fit its sidecar: {why}", self.name))
    }

    /// Runs the model on one tensor.
    pub fn run<T>(&mut self, input: &str, shape: &[usize], data: &[T]) -> Result<SessionOutputs<'_>>
    where
        T: PrimitiveTensorElementType + Clone + std::fmt::Debug + 'static,
    {
        let name = &self.name;
        let failed = || format!("the model {name} failed");
        let tensor = TensorRef::from_array_view((shape, data)).context(Kind::Internal, failed)?;
        self.session.run(ort::inputs![input => tensor]).context(Kind::Internal, failed)
    }
}

/// The floats of the output called `name`.
pub(super) fn floats<'a>(outputs: &'a SessionOutputs<'_>, name: &str) -> Result<(&'a [i64], &'a [f32])> {
    let missing = || Error::new(Kind::Damaged, format!("the model gave no output \"{name}\" of floats"));
    let value = outputs.get(name).ok_or_else(missing)?;
    let (shape, data) = value.try_extract_tensor::<f32>().map_err(|_| missing())?;
    Ok((shape, data))
}

fn shape(found: Option<&ValueType>) -> Option<Vec<i64>> {
    match found? {
        ValueType::Tensor { shape, .. } => Some(shape.to_vec()),
        _ => None,
    }
}
