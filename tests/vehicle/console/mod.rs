//! The officer's console over real HTTPS and a real store.

mod aiming;
mod alerts;
mod canvass;
mod doors;
mod entries;
mod findings;
mod import;
mod fuzzing;
mod live;
mod login;
mod office;
mod performance;
mod reads;
mod searches;
mod stream;
mod users;
