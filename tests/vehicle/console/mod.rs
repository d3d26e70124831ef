//! The officer's console over real HTTPS and a real store.

mod alerts;
mod doors;
mod live;
mod login;
mod performance;
mod reads;
mod searches;
mod users;
