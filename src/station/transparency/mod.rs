//! What the agency shows to everybody, where it turned that on: figures by month, its audit log without plates and
//! names, and the certificates of what was deleted.

pub(crate) mod command;
mod figures;
mod log;
mod settings;

pub use figures::{Figures, Month};
pub use log::{Publisher, write_redacted};
pub use settings::Published;
