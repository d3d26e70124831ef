//! The command line of `plated`: one file per subcommand.

pub mod init;
