//! The terminal's bell, for when no sound device works.

use std::fs::File;
use std::io::{IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;

/// Does not wait for a terminal that was stopped or is gone.
const O_NONBLOCK: i32 = 0o4000;

/// Rings the bell of the terminal that the program was started from. False when there is none.
pub fn ring() -> bool {
    let terminal = File::options().write(true).custom_flags(O_NONBLOCK).open("/dev/tty");
    terminal.is_ok_and(|mut t| t.is_terminal() && t.write_all(b"\x07").is_ok())
}
