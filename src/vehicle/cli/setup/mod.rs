//! `plated setup`: a first installation, question by question or by answers that are given, and later changes of it.
//!
//! All is asked before anything is written. Then come the key and the certificates, each whole or not there at all, and
//! the configuration last: until it is in its place nothing of them counts, and a setup that was cut off is gone on with
//! by the next one.

mod answers;
mod camera;
mod certificates;
mod dialog;
mod edit;

use super::{init, password, say};
use crate::config::Config;
use crate::control::Secret;
use crate::store::Key;
use answers::Answers;
use certificates::Certificates;
use dialog::Dialog;
use nix::unistd::{User, geteuid};
use plated_core::config_file::is_credential;
use plated_core::durable;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::text::visible;
use std::io::Write;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use zeroize::Zeroizing;

/// Where the package has the configuration, and the daemon's user its store.
const PACKAGE_FOLDER: &str = "/etc/plated";
const PACKAGE_STORE: &str = "/var/lib/plated/plated.db";
/// Whom the service runs as.
const DAEMON_USER: &str = "plated";

/// Set a vehicle up: name, cameras, keys, station, lists and the first user, then look whether all works
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sudo plated setup
  sudo plated setup --certificates /media/stick/unit-7 --station https://station.example.org:8443 \\
    --camera front=/dev/plated/serial-1234 --user chief --full-name 'Ann Smith' --agency 'Example PD'
  sudo plated setup --answers fleet.toml --vehicle unit-7 --no-questions
  sudo plated setup --camera front=/dev/video2 --no-questions     changes that camera and nothing else

On a terminal it asks for what is not given; Enter keeps what is there. Nothing is written before the last question, and
keys that exist are never written over. A file of answers has the long names of the options as keys:
  station = \"https://station.example.org:8443\"
  cameras = [\"front=/dev/plated/serial-1234\", \"rear=rtsp://192.168.0.20/stream1\"]
  lists = [\"local=/etc/plated/hotlist.csv\"]")]
pub struct Args {
    /// The configuration that is made or changed; keys and certificates lie beside it
    #[arg(long, value_name = "FILE", default_value = "/etc/plated/plated.toml")]
    config: PathBuf,
    /// A file with answers; options count before it
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    /// Ask nothing: what is not given stays as it is
    #[arg(long)]
    no_questions: bool,
    #[command(flatten)]
    given: Answers,
    #[command(flatten)]
    password: password::From,
}

/// Asks, writes, and looks whether all works.
///
/// # Errors
/// What keeps it from being set up. The configuration is the old one then, or the new one.
pub fn run(args: &Args) -> Result<()> {
    let mut dialog = Dialog::open(args.no_questions);
    let plan = prepare(args, dialog.as_mut())?;
    let password = plan.user.as_deref().map(|user| args.password.new_password(user)).transpose()?;
    if let Some(dialog) = &mut dialog {
        dialog.confirm(&args.config)?;
    }
    let new_key = plan.write()?;
    say(format_args!("{} {}.", if plan.is_new { "Made" } else { "Changed" }, visible(&plan.path)))?;
    if let Some(key) = new_key {
        let key = visible(&key);
        say(format_args!("Made {key}. Keep a copy of it in a safe place: without it nobody can read the store."))?;
    }
    if let (Some(user), Some(password)) = (&plan.user, &password) {
        plan.add_user(user, password)?;
    }
    if plan.is_new && plan.owner.is_some() {
        say(format_args!("Start it with: sudo systemctl enable --now plated"))?;
    }
    say(format_args!("What plated doctor finds:"))?;
    // Its exit code is not ours: before the first start it warns that no daemon runs.
    let mut doctor = plan.as_daemon()?;
    doctor.arg("doctor").arg("--config").arg(&plan.path);
    doctor.status().context(Kind::Internal, || "could not start plated doctor".into()).map(drop)
}

/// All that is to be written.
struct Plan {
    path: PathBuf,
    is_new: bool,
    text: String,
    config: Config,
    answers: Answers,
    certificates: Option<Certificates>,
    user: Option<String>,
    /// Whom keys and store belong to.
    owner: Option<User>,
}

/// Gathers the answers and sees that they make a configuration; writes nothing.
fn prepare(args: &Args, dialog: Option<&mut Dialog>) -> Result<Plan> {
    let folder = durable::folder_of(&args.config);
    let before = match args.config.symlink_metadata() {
        Ok(_) => Some((Config::load(&args.config)?, edit::read(&args.config)?)),
        Err(_) => None,
    };
    let mut answers = args.given.clone();
    if let Some(path) = &args.answers {
        answers = answers.or(Answers::load(path)?);
    }
    if let Some(dialog) = dialog {
        dialog.complete(&mut answers, before.as_ref().map(|(config, _)| config))?;
    }
    let certificates = answers.certificates.as_deref().map(Certificates::read).transpose()?;
    answers.vehicle = answers.vehicle.or_else(|| certificates.as_ref().and_then(Certificates::vehicle));
    let user = answers.new_user()?;
    let is_new = before.is_none();
    let text = match before {
        Some((_, text)) => text,
        None => {
            answers.require()?;
            answers.store = answers.store.or_else(|| Some(default_store(folder)));
            init::configuration(&init::Sections {
                vehicle: answers.vehicle.as_deref().unwrap_or_default(),
                station: answers.station.as_deref().unwrap_or("https://localhost:8443"),
                transfer: certificates.is_some(),
                lists: certificates.as_ref().is_some_and(|c| c.has("hotlist.pub")),
                console: certificates.as_ref().is_some_and(|c| c.has("console.key")),
                provision: certificates.as_ref().is_some_and(|c| c.has("seal.key") && c.has("hotlist.pub")),
            })
        }
    };
    let text = edit::apply(&text, &answers, certificates.as_ref()).map_err(|e| edit::in_file(&args.config, &e))?;
    let config = Config::of_text(&text, &args.config)?;
    let owner = daemon_user(folder);
    Ok(Plan { path: args.config.clone(), is_new, text, config, answers, certificates, user, owner })
}

impl Plan {
    /// Writes it, the configuration last; gives the key of the store that was made.
    fn write(&self) -> Result<Option<PathBuf>> {
        let folder = durable::folder_of(&self.path);
        make_folder(folder)?;
        durable::sweep(folder);
        let key = self.config.store.key_file.as_deref().filter(|key| !is_credential(key));
        let new_key = key.filter(|key| !key.exists());
        if let Some(key) = new_key {
            refuse_lost_key(&self.config, key)?;
            Key::create_file(key)?;
        }
        key.map_or(Ok(()), |key| give(key, self.owner.as_ref()))?;
        if let Some(certificates) = &self.certificates {
            certificates.put(folder, &self.config.vehicle, self.owner.as_ref())?;
        }
        if let Some(store) = self.config.store.path.parent().filter(|store| !store.exists()) {
            make_folder(store)?;
            give(store, self.owner.as_ref())?;
        }
        durable::write(&self.path, self.text.as_bytes())
            .context(Kind::Storage, || format!("could not write {}", self.path.display()))?;
        Ok(new_key.map(Path::to_owned))
    }

    /// This program once more, as the user whom the store belongs to.
    fn as_daemon(&self) -> Result<Command> {
        let program = std::env::current_exe().context(Kind::Internal, || "could not find this program".into())?;
        let Some(owner) = &self.owner else { return Ok(Command::new(program)) };
        // With its groups: cameras are those of the group video.
        let mut command = Command::new("runuser");
        command.args(["-u", &owner.name, "--"]).arg(program).current_dir("/");
        Ok(command)
    }

    fn add_user(&self, user: &str, password: &Secret) -> Result<()> {
        let failed =
            || format!("could not add the user {user}; the configuration is written, go on with: plated user add");
        let Answers { full_name, agency, .. } = &self.answers;
        let mut add = self.as_daemon()?;
        add.args([
            "user",
            "add",
            user,
            "--role",
            "administrator",
            "--reason",
            "first administrator",
            "--password-stdin",
        ]);
        add.arg("--full-name").arg(full_name.as_deref().unwrap_or_default());
        add.arg("--agency").arg(agency.as_deref().unwrap_or_default());
        add.arg("--config").arg(&self.path).stdin(Stdio::piped());
        let mut add = add.spawn().context(Kind::Internal, failed)?;
        if let Some(mut input) = add.stdin.take() {
            let line = Zeroizing::new(format!("{}\n", password.text()));
            // One that has ended says why itself.
            let _ = input.write_all(line.as_bytes());
        }
        match add.wait().context(Kind::Internal, failed)?.success() {
            true => Ok(()),
            false => Err(Error::new(Kind::Refused, failed())),
        }
    }
}

fn default_store(folder: &Path) -> PathBuf {
    if folder == Path::new(PACKAGE_FOLDER) { PACKAGE_STORE.into() } else { "plated.db".into() }
}

/// Whom files belong to that the service is to read: where root sets up the service of this computer.
fn daemon_user(folder: &Path) -> Option<User> {
    let is_service = folder == Path::new(PACKAGE_FOLDER) && geteuid().is_root();
    is_service.then(|| User::from_name(DAEMON_USER).ok().flatten()).flatten()
}

fn make_folder(path: &Path) -> Result<()> {
    durable::make_folder(path).context(Kind::Storage, || format!("could not make the folder {}", path.display()))
}

/// A key that was lost is not replaced: the store that is there could never be read again.
fn refuse_lost_key(config: &Config, key: &Path) -> Result<()> {
    if !config.store.path.exists() {
        return Ok(());
    }
    let (store, key) = (config.store.path.display(), key.display());
    Err(Error::new(Kind::Missing, format!("{key} is not there, and {store} can't be read without it; bring it back")))
}

fn give(path: &Path, owner: Option<&User>) -> Result<()> {
    let Some(owner) = owner else { return Ok(()) };
    chown(path, Some(owner.uid.as_raw()), Some(owner.gid.as_raw()))
        .context(Kind::Storage, || format!("could not give {} to the user {DAEMON_USER}", path.display()))
}

#[cfg(test)]
mod tests;
