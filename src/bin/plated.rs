//! The daemon in the vehicle and its command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    plated_vehicle::cli::main()
}
