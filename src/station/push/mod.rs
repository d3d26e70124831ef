//! Reads pushed on to programs of others, each as the JSON that OpenALPR's agents post for a group of plates
//! (docs/reference/alpr-group.md). What is pushed waits in the queue of the upstream station, under the receiver's name, and
//! leaves it once the receiver has taken it: over failures of the receiver and starts of the station.

mod group;
mod picture;
mod sender;
mod settings;

pub use group::Group;
pub use picture::within;
pub use sender::Pusher;
pub use settings::Settings;
