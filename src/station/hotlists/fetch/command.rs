//! The file of a list from a program, such as scp or sftp: no shell, a limit on its time and on what it gives.

use plated_core::durable::Scratch;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::text::visible;
use rustix::process::{Pid, Signal, kill_process_group};
use std::io::{self, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// How often it is looked whether the program has ended, or has written too much.
const LOOK: Duration = Duration::from_millis(20);
/// The last bytes of what it says of itself.
const MAX_SAID: usize = 4 << 10;
/// What of the environment it gets.
const ENVIRONMENT: [&str; 5] = ["PATH", "HOME", "LANG", "TZ", "CREDENTIALS_DIRECTORY"];
/// What stands in its arguments for the file that it is to write.
const FILE: &str = "{file}";
/// What is left of its output is waited for so long once it has ended.
const REST: Duration = Duration::from_secs(5);

/// A running program; it and what it started are ended with this value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(group) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.0.wait();
    }
}

/// Runs `command`, and has what it gives written to `to`. Blocks.
///
/// # Errors
/// `Config` when there is no such program, `Network` when it fails or takes longer than `most`, `Input` when it gives
/// more than `max_mib`.
pub fn run(command: &[String], most: Duration, max_mib: u32, to: &Path) -> Result<()> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(Error::new(Kind::Config, "command: it names no program"));
    };
    let path = to.to_string_lossy();
    let writes_file = arguments.iter().any(|argument| argument.contains(FILE));
    let arguments = arguments.iter().map(|argument| argument.replace(FILE, &path));
    let could_not_write = || format!("could not write to {}", to.display());
    let file = Scratch::create(to).context(Kind::Storage, could_not_write)?;
    let environment = ENVIRONMENT.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
    let name = Path::new(program).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let child = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(environment)
        .stdin(Stdio::null())
        .stdout(if writes_file { Stdio::null() } else { Stdio::piped() })
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .context(Kind::Config, || format!("command: could not start {name}"))?;
    let mut running = Running(child);
    let said = running.0.stderr.take().map(said);
    let max_bytes = u64::from(max_mib) << 20;
    let written = running.0.stdout.take().map(|stdout| write(stdout, file, max_bytes));
    let too_much = || Error::new(Kind::Input, format!("{name} gave more than {max_mib} MiB (max_mib); it was ended"));
    let begun = Instant::now();
    let mut copied = None;
    let status = loop {
        if let Some(status) = running.0.try_wait().context(Kind::Internal, || format!("could not wait for {name}"))? {
            break status;
        }
        if let Some(written) = written.as_ref().filter(|_| copied.is_none()) {
            copied = written.try_recv().ok();
        }
        let over = match &copied {
            Some(copied) => copied.as_ref().is_ok_and(|bytes| *bytes > max_bytes),
            None => writes_file && std::fs::metadata(to).is_ok_and(|meta| meta.len() > max_bytes),
        };
        if over {
            return Err(too_much());
        }
        if begun.elapsed() > most {
            let text = format!("{name} took longer than {} s (timeout_s); it was ended", most.as_secs_f64());
            return Err(Error::new(Kind::Network, text));
        }
        std::thread::sleep(LOOK);
    };
    let said = said.and_then(|said| said.recv_timeout(REST).ok()).unwrap_or_default();
    let bytes = match (copied, written) {
        (Some(copied), _) => copied,
        (None, Some(written)) => written.recv_timeout(REST).unwrap_or_else(|e| Err(io::Error::other(e))),
        (None, None) => std::fs::metadata(to).map(|meta| meta.len()),
    };
    // First, since nobody reads what is too much, and a program whose output is not read fails.
    if bytes.as_ref().is_ok_and(|bytes| *bytes > max_bytes) {
        return Err(too_much());
    }
    if !status.success() {
        return Err(Error::new(Kind::Network, ended(&name, status, &said)));
    }
    match bytes.context(Kind::Storage, || format!("could not keep what {name} gave"))? {
        0 => Err(Error::new(
            Kind::Input,
            format!("{name} gave nothing: it has to write the file to its standard output or to {FILE}"),
        )),
        _ => Ok(()),
    }
}

/// Writes at most one byte more than may come.
fn write(mut from: impl Read + Send + 'static, mut to: Scratch, max_bytes: u64) -> Receiver<io::Result<u64>> {
    let (send, receive) = channel();
    std::thread::spawn(move || {
        let copied = io::copy(&mut (&mut from).take(max_bytes + 1), &mut to);
        let _ = send.send(copied);
    });
    receive
}

/// The end of what it says.
fn said(mut from: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (send, receive) = channel();
    std::thread::spawn(move || {
        let (mut last, mut bytes) = (Vec::new(), [0; 1024]);
        while let Ok(length @ 1..) = from.read(&mut bytes) {
            last.extend_from_slice(&bytes[..length]);
            let surplus = last.len().saturating_sub(MAX_SAID);
            last.drain(..surplus);
        }
        let _ = send.send(last);
    });
    receive
}

fn ended(name: &str, status: ExitStatus, said: &[u8]) -> String {
    let how = match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "no exit code".into(),
    };
    let said = String::from_utf8_lossy(said);
    match said.lines().map(str::trim).rfind(|line| !line.is_empty()) {
        Some(line) => format!("{name} failed with {how}: {}", visible(line).at_most(300)),
        None => format!("{name} failed with {how} and said nothing"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, most: f64, max_mib: u32) -> (Result<()>, Vec<u8>) {
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("list");
        let command = ["/bin/sh", "-c", script, "sh", FILE].map(str::to_owned);
        let command = if script.contains("$1") { &command[..] } else { &command[..4] };
        let done = run(command, Duration::from_secs_f64(most), max_mib, &to);
        (done, std::fs::read(&to).unwrap_or_default())
    }

    #[test]
    fn what_it_writes_to_its_output_or_to_its_file_is_the_list() {
        let (done, list) = sh("echo plate; echo 7ABC123", 60.0, 1);
        done.unwrap();
        assert_eq!(list, b"plate\n7ABC123\n");
        let (done, list) = sh("echo plate >\"$1\"", 60.0, 1);
        done.unwrap();
        assert_eq!(list, b"plate\n");
    }

    #[test]
    fn one_that_fails_says_why_and_one_that_hangs_or_gives_too_much_is_ended_with_all_it_started() {
        let why = |script: &str, most, max_mib| sh(script, most, max_mib).0.unwrap_err().chain();
        let failed = why("echo hello >&2; echo 'no route to host' >&2; exit 3", 60.0, 1);
        assert!(failed.contains("sh failed with exit code 3: no route to host"), "{failed}");
        assert!(why("true", 60.0, 1).contains("gave nothing"));
        assert!(why("sleep 600 & sleep 600", 0.2, 1).contains("longer than 0.2 s"));
        assert!(why("yes 7ABC123", 60.0, 1).contains("more than 1 MiB"));
        assert!(why("yes 7ABC123 >\"$1\"", 60.0, 1).contains("more than 1 MiB"));
        let none = run(&["/nowhere/scp".to_owned()], REST, 1, &tempfile::tempdir().unwrap().path().join("list"));
        assert_eq!(none.unwrap_err().kind(), Kind::Config);
    }

    #[test]
    fn it_gets_nothing_of_the_environment_but_what_it_needs() {
        let (done, list) = sh("env", 60.0, 1);
        done.unwrap();
        let names: Vec<_> = list.split(|b| *b == b'\n').filter_map(|line| line.split(|b| *b == b'=').next()).collect();
        let shell: [&[u8]; 4] = [b"PWD", b"SHLVL", b"_", b"OLDPWD"];
        let allowed = |name: &&[u8]| ENVIRONMENT.iter().any(|n| n.as_bytes() == *name) || shell.contains(name);
        assert!(names.iter().filter(|name| !name.is_empty()).all(allowed), "{}", String::from_utf8_lossy(&list));
    }
}
