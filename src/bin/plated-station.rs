//! The department's server.

use std::process::ExitCode;

fn main() -> ExitCode {
    plated_station::main()
}
