//! The daemon in the vehicle and its command line.

fn main() {
    plated_vehicle::cli::main()
}
