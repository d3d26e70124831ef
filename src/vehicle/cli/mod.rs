//! The command line of `plated`: one file per subcommand, no logic here.
//!
//! Results go to stdout, everything else to stderr; the exit code follows sysexits(3) by
//! [`plated_core::error::Kind`].

mod annotate;
mod ask;
mod audit;
mod camera;
mod canvass;
mod check;
mod doctor;
mod finding;
mod hit;
mod hotlist;
mod init;
mod login;
mod medium;
mod password;
mod performance;
mod read;
mod recognize;
mod run;
mod session;
mod setup;
mod shift;
mod status;
mod store;
mod subscriber;
mod transfer;
mod user;

use clap::{CommandFactory, Parser, Subcommand};
use plated_core::error::{Context, Kind, Result, exit_code};
use plated_core::text::{visible, visible_json};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Reads license plates in a patrol car, tells about wanted ones, and brings every read to the
/// department's server.
#[derive(Parser)]
#[command(name = "plated", version, about, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Init(init::Args),
    Setup(Box<setup::Args>),
    Run(run::Args),
    Recognize(recognize::Args),
    Check(check::Args),
    Camera(camera::Args),
    Doctor(doctor::Args),
    Hit(hit::Args),
    Hotlist(hotlist::Args),
    Login(login::LoginArgs),
    Medium(medium::Args),
    Logout(login::LogoutArgs),
    Read(read::Args),
    Canvass(canvass::Args),
    Finding(finding::Args),
    Performance(performance::Args),
    Shift(shift::Args),
    Status(status::Args),
    Store(store::Args),
    Transfer(transfer::Args),
    Subscriber(subscriber::Args),
    User(user::Args),
    Audit(audit::Args),
    /// Print shell completions, e.g. `plated completions bash > /etc/bash_completion.d/plated`
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write the manual pages into a folder, one for each subcommand, e.g. `plated man /usr/share/man/man1`
    Man {
        /// The folder, which is there.
        dir: PathBuf,
    },
}

/// The command line as it is parsed, so that others can walk it.
pub fn command() -> clap::Command {
    Arguments::command()
}

/// Parses the command line, does what it says, and ends the process with its exit code.
pub fn main() -> ! {
    let code = run_command();
    end((0..=u8::MAX).find(|n| ExitCode::from(*n) == code).unwrap_or(Kind::Internal.exit_code()))
}

/// Ends the process. What libraries tidy up then (OpenSSL, onnxruntime, OpenCV) is left out: a thread that a failed
/// start or a hung driver left behind would still be using it, and crash. All that lasts is durable by then.
/// Nothing is flushed either: lines are whole, and a terminal that stands still would hold up the end.
fn end(code: u8) -> ! {
    // SAFETY: it takes a number and does not return.
    #[allow(unsafe_code, reason = "only the C library can end a process without tidying up")]
    unsafe {
        libc::_exit(code.into())
    }
}

fn run_command() -> ExitCode {
    let arguments = Arguments::parse();
    if matches!(arguments.command, Command::Run(_)) {
        // SAFETY: the program begins here and has no other thread yet.
        #[allow(unsafe_code, reason = "the environment of the process is changed")]
        unsafe {
            plated_vision::capture::limit_silence();
        }
    }
    let _logs = plated_core::logging::init();
    let outcome = match arguments.command {
        Command::Status(args) => return status::run(&args),
        Command::Doctor(args) => return doctor::run(&args),
        Command::Init(args) => init::run(&args),
        Command::Setup(args) => setup::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Recognize(args) => recognize::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Camera(args) => camera::run(&args),
        Command::Hit(args) => hit::run(&args),
        Command::Read(args) => read::run(&args),
        Command::Finding(args) => finding::run(&args),
        Command::Canvass(args) => canvass::run(&args),
        Command::Performance(args) => performance::run(&args),
        Command::Hotlist(args) => hotlist::run(&args),
        Command::Login(args) => login::login(&args),
        Command::Logout(args) => login::logout(&args),
        Command::Medium(args) => medium::run(&args),
        Command::Shift(args) => shift::run(&args),
        Command::Store(args) => store::run(&args),
        Command::Transfer(args) => transfer::run(&args),
        Command::Subscriber(args) => subscriber::run(&args),
        Command::User(args) => user::run(&args),
        Command::Audit(args) => audit::run(&args),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "plated", &mut script);
            written(std::io::stdout().lock().write_all(&script))
        }
        Command::Man { dir } => clap_mangen::generate_to(command(), &dir)
            .context(Kind::Storage, || format!("could not write the manual pages into {}", visible(&dir))),
    };
    exit_code("plated", outcome)
}

/// Writes one line of results for people. Nothing in it acts on the terminal.
fn say(line: std::fmt::Arguments<'_>) -> Result<()> {
    written(write_line(line))
}

/// Writes one line of JSON.
fn say_json(json: &str) -> Result<()> {
    written(write_json(json))
}

/// A reader that went away (`| head`) ends the program quietly.
fn written(outcome: std::io::Result<()>) -> Result<()> {
    match outcome {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => end(0),
        other => other.context(Kind::Storage, || "could not write to standard output".into()),
    }
}

/// Writes one line of results for people, at once.
fn write_line(line: std::fmt::Arguments<'_>) -> std::io::Result<()> {
    let line = line.to_string();
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", visible(&line).at_most(usize::MAX))?;
    out.flush()
}

/// Writes one line of JSON, at once.
fn write_json(json: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", visible_json(json))?;
    out.flush()
}
