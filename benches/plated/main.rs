//! The figures of the README: `cargo bench --bench plated [-- archive chain console consoles end false_alerts hotlist latency memory search shift
//! standing start transfer]`.
//!
//! An own harness, because what counts here are whole runs, percentiles and resident memory.
//! Every figure names what it covers; a bar that is missed is printed as missed.
#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a bench fails by panicking"
)]

mod archive;
mod chain;
mod console;
mod consoles;
mod end;
mod false_alerts;
mod hotlist;
mod latency;
mod memory;
mod pages;
mod search;
mod shift;
mod standing;
mod start;
mod support;
mod transfer;

#[path = "../../tests/kit/mod.rs"]
mod kit;

fn main() {
    if let Ok(part) = std::env::var(hotlist::PART) {
        return hotlist::part(&part);
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let all: &[(&str, fn())] = &[
        ("chain", chain::run),
        ("start", start::run),
        ("end", end::run),
        ("latency", latency::run),
        ("console", console::run),
        ("search", search::run),
        ("consoles", consoles::run),
        ("shift", shift::run),
        ("standing", standing::run),
        ("memory", memory::run),
        ("transfer", transfer::run),
        ("archive", archive::run),
        ("hotlist", hotlist::run),
        ("false_alerts", false_alerts::run),
    ];
    println!("machine: {}", support::machine());
    for (name, run) in all {
        if wanted.is_empty() || wanted.iter().any(|w| w == name) {
            println!("\n{name}");
            run();
        }
    }
}
