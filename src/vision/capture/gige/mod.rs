//! GigE Vision cameras, by libaravis (`docs/decisions/0064-gige-vision.md`).

mod camera;
mod library;
mod settings;

pub use camera::{GigeCamera, discover};
pub use library::Found;
pub use settings::{Gige, Which};
