//! Passwords and codes from the terminal, where they are not shown, or from standard input; never from
//! arguments.

use crate::control::Secret;
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use plated_core::error::{Context, Error, Kind, Result};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use zeroize::Zeroizing;

/// Longest line that is taken.
const MAX_CHARS: usize = 1024;

/// Where the password comes from.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct From {
    /// Read passwords and codes from standard input, one a line, instead of asking on the terminal
    #[arg(long)]
    password_stdin: bool,
}

impl From {
    /// One secret after the other, each asked for once.
    ///
    /// # Errors
    /// `Input` when there is no terminal.
    pub fn prompts(&self) -> Result<Prompts> {
        Ok(if self.password_stdin { Prompts::Lines } else { Prompts::Terminal(Terminal::open()?) })
    }

    /// The new password, asked for twice on a terminal.
    ///
    /// # Errors
    /// `Input` when there is no terminal, the two differ, or nothing is given.
    pub fn new_password(&self, whose: &str) -> Result<Secret> {
        if self.password_stdin {
            return line(&mut std::io::stdin().lock());
        }
        Terminal::open()?.ask_twice(&format!("New password for {whose}: "))
    }
}

/// Where secrets are asked for.
pub enum Prompts {
    /// Lines of standard input.
    Lines,
    /// The terminal.
    Terminal(Terminal),
}

impl Prompts {
    /// The next secret.
    ///
    /// # Errors
    /// `Input` when nothing is given.
    pub fn ask(&mut self, prompt: &str) -> Result<Secret> {
        match self {
            Self::Lines => line(&mut std::io::stdin().lock()),
            Self::Terminal(terminal) => terminal.ask(prompt),
        }
    }

    /// A new password, asked for twice on a terminal.
    ///
    /// # Errors
    /// As [`ask`](Self::ask), and `Input` when the two differ.
    pub fn ask_new(&mut self, prompt: &str) -> Result<Secret> {
        match self {
            Self::Lines => line(&mut std::io::stdin().lock()),
            Self::Terminal(terminal) => terminal.ask_twice(prompt),
        }
    }
}

/// One line without its end.
fn line(input: &mut impl BufRead) -> Result<Secret> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_CHARS));
    let failed = || "could not read the password".to_owned();
    std::io::Read::take(input, MAX_CHARS as u64 + 1).read_until(b'\n', &mut bytes).context(Kind::Input, failed)?;
    if bytes.len() > MAX_CHARS {
        return Err(Error::new(Kind::Input, "the password is longer than 1024 bytes"));
    }
    let text = std::str::from_utf8(&bytes).context(Kind::Input, || "the password is not UTF-8 text".into())?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(Error::new(Kind::Input, "no password was given"));
    }
    Ok(Secret::from(text.to_owned()))
}

/// The terminal; it shows again what is typed when this is dropped.
pub struct Terminal {
    file: File,
    before: Termios,
}

impl Terminal {
    fn open() -> Result<Self> {
        let none = || "there is no terminal to ask for the password on; give it with --password-stdin".to_owned();
        let file = OpenOptions::new().read(true).write(true).open("/dev/tty").context(Kind::Input, none)?;
        let before = tcgetattr(&file).context(Kind::Input, none)?;
        let mut silent = before.clone();
        silent.local_flags.remove(LocalFlags::ECHO);
        silent.local_flags.insert(LocalFlags::ECHONL);
        tcsetattr(&file, SetArg::TCSAFLUSH, &silent).context(Kind::Input, none)?;
        Ok(Self { file, before })
    }

    fn ask_twice(&mut self, prompt: &str) -> Result<Secret> {
        let first = self.ask(prompt)?;
        if first.text() != self.ask("The same again: ")?.text() {
            return Err(Error::new(Kind::Input, "the two passwords differ; nothing was changed"));
        }
        Ok(first)
    }

    fn ask(&mut self, prompt: &str) -> Result<Secret> {
        let failed = || "could not ask on the terminal".to_owned();
        self.file.write_all(prompt.as_bytes()).context(Kind::Input, failed)?;
        line(&mut BufReader::new(&self.file))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Nobody could be told otherwise.
        let _ = tcsetattr(&self.file, SetArg::TCSAFLUSH, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // policy: P-20
    #[test]
    fn a_password_is_one_line_without_its_end_and_is_not_shown() {
        for (input, expected) in [("correct horse\n", "correct horse"), ("a b\r\nmore", "a b"), ("ü", "ü")] {
            let secret = line(&mut input.as_bytes()).unwrap();
            assert_eq!(format!("{secret:?}"), "Secret(..)");
            assert_eq!(String::from(secret), expected);
        }
        for wrong in ["", "\n", "\u{0}".repeat(2000).as_str()] {
            assert!(line(&mut wrong.as_bytes()).is_err());
        }
        assert!(line(&mut [0xff, b'\n'].as_slice()).is_err());
    }
}
