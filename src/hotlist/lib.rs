//! Lists of wanted plates, and matching reads against them.
//!
//! A file becomes rows ([`format`](self::format)), the list as a whole is checked against the one in force
//! ([`import`]) ; an [`Index`] is built of it and never changed after; an
//! update builds another and puts it in its place in [`Lists`] while reads are matched (invariant 7
//! of `docs/design.md`).

pub mod canonical;
mod code;
pub mod delta;
mod entry;
pub mod format;
pub mod import;
mod index;
mod lists;
mod load;
pub mod manifest;
mod matcher;
pub mod settings;
pub mod text;
pub mod vehicle;

pub use entry::{ImportReport, LineProblem};
pub use index::{Builder, Index, IndexSummary, Meta, PublicKey, Signer, Trust, VERSION as INDEX_VERSION};
pub use lists::{InForce, Lists, MAX_PARTIALS, Partial, Source};
pub use load::{Passed, Wish, read_file, read_version};
pub use matcher::{LISTED, Match, Pattern, Query, Rules};
pub use settings::ListSettings;
