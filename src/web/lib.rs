//! What the vehicle's console and the station's pages stand on. It knows neither: pages are templates
//! with plain view models, and the parts of HTTP are layers and answers that a router puts together.
//!
//! Pages are complete HTML and work without script. The one script brings live events, tones, copying
//! and keys ([decision](../../docs/decisions/0027-pages.md); [how a page is written](../../docs/guide/pages.md)).

// `askama.toml` names the escaper by this crate's name, here as in the crates that use it.
extern crate self as plated_web;

pub mod html; // text in a page: escaped, visible, cut
pub mod assets; // styles, script, icons: hashed names, cached for ever
pub mod headers; // content security policy and the other headers of each answer
pub mod bearer; // the token of a program
pub mod cookies; // __Host- cookies, read and written
pub mod fields; // the fields of a form
pub mod csrf; // no change without the page's token
pub mod upload; // a form with a file
pub mod theme; // day and night
pub mod limits; // bodies, headers, time
pub mod problem; // errors as a page or as problem+json
pub mod sse; // live events
pub mod range; // parts of a file
pub mod listener; // HTTPS with time-outs and a limit of connections
pub mod plate; // a plate as it is shown, and two of them compared
pub mod ui; // badges, fields, pager, status line: what pages are made of
pub mod chart; // a line chart as SVG
pub mod bars; // a chart of bars as SVG
pub mod map; // a small map as SVG
pub mod qr; // a text as a QR code
pub mod pages; // the templates and their view models

pub use pages::Frame;
