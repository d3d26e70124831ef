//! `plated init`: a vehicle's folder with key, certificates and an annotated configuration.

use crate::store::Key;
use plated_access::SealSecret;
use plated_core::clock::SystemClock;
use plated_core::durable;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::name::is_plain_name;
use plated_core::signing::give_public_keys;
use plated_core::tls::authority::Authority;
use plated_core::tls::{refuse_existing, write_new};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Make a vehicle's folder: the store's key, an annotated plated.toml, and certificates
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder to put them in
    #[arg(long)]
    pub dir: PathBuf,
    /// Name of the vehicle, as its certificate will carry it
    #[arg(long, default_value = "unit-1")]
    pub vehicle: String,
    /// Folder of a development authority made by `plated-station init`; the vehicle's
    /// certificate is issued from it
    #[arg(long)]
    pub station_dir: Option<PathBuf>,
    /// Address of the station
    #[arg(long, default_value = "https://localhost:8443")]
    pub station: String,
    /// Host name or address by which browsers reach the console; give it for each
    #[arg(long = "console-name", value_name = "NAME", default_values = ["localhost", "127.0.0.1"])]
    pub console_names: Vec<String>,
}

/// Makes the folder. What is there already is never written over.
///
/// # Errors
/// [`Kind::Refused`] when one of the files exists, before any is made.
pub fn run(args: &Args) -> Result<()> {
    if !is_plain_name(&args.vehicle) {
        return Err(Error::new(Kind::Config, "--vehicle: use 1 to 64 letters, digits, '-', '_' or '.'"));
    }
    let own = [
        "plated.toml",
        "store.key",
        "vehicle.crt",
        "vehicle.key",
        "console.crt",
        "console.key",
        "hotlist.pub",
        "receipt.pub",
        "medium.pub",
        "seal.key",
    ];
    refuse_existing(&own.map(|name| args.dir.join(name)))?;
    durable::make_folder(&args.dir)
        .context(Kind::Storage, || format!("could not make the folder {}", args.dir.display()))?;

    if let Some(station) = &args.station_dir {
        let (authority, clock) = (Authority::load(station)?, SystemClock::new());
        authority.issue_vehicle(&args.vehicle, &args.dir, &clock)?;
        authority.issue_console(&args.console_names, &args.dir, &clock)?;
        give_public_keys(station, &args.dir)?;
        SealSecret::give(station, &args.vehicle, &args.dir)?;
    }
    Key::create_file(&args.dir.join("store.key"))?;
    let config = args.dir.join("plated.toml");
    // Without certificates or the key the sections would keep the daemon from starting.
    let sections = Sections {
        vehicle: &args.vehicle,
        station: &args.station,
        transfer: args.station_dir.is_some(),
        lists: args.dir.join("hotlist.pub").exists(),
        console: args.station_dir.is_some(),
        provision: args.dir.join("seal.key").exists(),
    };
    write_new(&config, configuration(&sections).as_bytes(), 0o644)?;

    let mut out = std::io::stdout();
    writeln!(out, "{}", next_steps(args, &config)).context(Kind::Storage, || "could not write to the terminal".into())
}

/// What is in a configuration.
pub struct Sections<'a> {
    /// Name of the vehicle.
    pub vehicle: &'a str,
    /// Address of the station.
    pub station: &'a str,
    /// Whether there are certificates for the way to the station,
    pub transfer: bool,
    /// the key of its lists,
    pub lists: bool,
    /// certificates of the console,
    pub console: bool,
    /// and the key for what the station hands out; what there is not is set off as comments.
    pub provision: bool,
}

/// The annotated configuration.
pub fn configuration(sections: &Sections<'_>) -> String {
    let transfer = section(&TRANSFER.replace("{station}", sections.station), sections.transfer);
    let sync = section(HOTLIST_SYNC, sections.lists);
    let console = section(CONSOLE, sections.console);
    let provision = section(PROVISION, sections.provision);
    VEHICLE.replace("{vehicle}", sections.vehicle) + &console + &transfer + &sync + &provision
}

/// The text, with its keys set off as comments unless it counts.
fn section(text: &str, counts: bool) -> String {
    let set_off = |line: &str| !counts && !line.is_empty() && !line.starts_with('#');
    text.lines().map(|line| if set_off(line) { format!("#{line}\n") } else { format!("{line}\n") }).collect()
}

fn next_steps(args: &Args, config: &Path) -> String {
    let (dir, config) = (args.dir.display(), config.display());
    let certificates = match args.station_dir {
        Some(_) => String::new(),
        None => format!(
            "For the transfer to the station, have the agency's authority sign a client certificate with the \
             common name \"{}\", put ca.crt, vehicle.crt and vehicle.key (chmod 400) into {dir}, and take the # from \
             the keys of [transfer]. The same for [console] with a server certificate for the names by which \
             browsers reach it.\n",
            args.vehicle
        ),
    };
    format!(
        "Made {config} and {dir}/store.key. Keep a copy of the key in a safe place: without it the store can't be \
         read.\n{certificates}Set the camera in {config}, then: plated run --config {config}"
    )
}

const VEHICLE: &str = include_str!("init.plated.toml");
const CONSOLE: &str = include_str!("init.console.toml");
const TRANSFER: &str = include_str!("init.transfer.toml");
const HOTLIST_SYNC: &str = include_str!("init.hotlist_sync.toml");
const PROVISION: &str = include_str!("init.provision.toml");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use plated_core::tls::{Files, Identity};
    use std::os::unix::fs::PermissionsExt;

    fn args(dir: &Path, station_dir: Option<PathBuf>) -> Args {
        Args {
            dir: dir.join("vehicle"),
            vehicle: "unit-7".into(),
            station_dir,
            station: "https://station.example:8443".into(),
            console_names: vec!["localhost".into(), "10.1.1.7".into()],
        }
    }

    #[test]
    fn the_folder_made_with_a_development_authority_is_ready_to_run() {
        let dir = tempfile::tempdir().unwrap();
        Authority::create(&dir.path().join("station"), &SystemClock::new()).unwrap();
        let args = args(dir.path(), Some(dir.path().join("station")));
        run(&args).unwrap();
        let config = Config::load(&args.dir.join("plated.toml")).unwrap();
        assert!(config.hotlist_sync.is_none(), "this station has no key for hotlists");
        let console = config.console.unwrap();
        let identity = Identity::load_for_pages(&console.certificate, &console.key).unwrap();
        assert_eq!(identity.name, "localhost");
        let transfer = config.transfer.unwrap();
        let files = Files { ca: &transfer.ca, certificate: &transfer.certificate, key: &transfer.key };
        assert_eq!(Identity::load(&files).unwrap().name, config.vehicle);
        let key = config.store.key_file.unwrap();
        assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o400);
        assert_eq!(std::fs::read_to_string(key).unwrap().trim().len(), 64);
    }

    #[test]
    fn a_station_with_a_key_for_hotlists_gives_its_public_part_to_the_vehicle() {
        let dir = tempfile::tempdir().unwrap();
        let station = dir.path().join("station");
        Authority::create(&station, &SystemClock::new()).unwrap();
        std::fs::write(station.join("hotlist.pub"), format!("{}\n", "a1".repeat(32))).unwrap();
        let args = args(dir.path(), Some(station));
        run(&args).unwrap();
        let sync = Config::load(&args.dir.join("plated.toml")).unwrap().hotlist_sync.unwrap();
        assert!(plated_core::signing::Trust::load(&sync.key).is_ok());
    }

    #[test]
    fn without_an_authority_the_file_loads_and_the_transfer_waits_for_certificates() {
        let dir = tempfile::tempdir().unwrap();
        let args = args(dir.path(), None);
        run(&args).unwrap();
        let config = Config::load(&args.dir.join("plated.toml")).unwrap();
        assert!(config.transfer.is_none() && config.console.is_none());
    }

    #[test]
    fn a_second_run_is_refused_and_leaves_the_key_alone() {
        let dir = tempfile::tempdir().unwrap();
        let args = args(dir.path(), None);
        run(&args).unwrap();
        let key = std::fs::read(args.dir.join("store.key")).unwrap();
        assert_eq!(run(&args).unwrap_err().kind(), Kind::Refused);
        assert_eq!(std::fs::read(args.dir.join("store.key")).unwrap(), key);
    }

    #[test]
    fn every_key_that_is_explained_is_a_key_that_counts() {
        // Taking away the # from every key gives a file that loads.
        let dir = tempfile::tempdir().unwrap();
        let args = args(dir.path(), None);
        let (vehicle, station) = (&*args.vehicle, &*args.station);
        let text = configuration(&Sections {
            vehicle,
            station,
            transfer: false,
            lists: false,
            console: false,
            provision: false,
        });
        let all: String = text.lines().map(|line| uncomment(line).to_owned() + "\n").collect();
        let path = dir.path().join("all.toml");
        std::fs::write(&path, all).unwrap();
        let config = Config::load(&path).unwrap();
        assert_eq!((config.sources.len(), config.hotlists.len(), config.transfer.is_some()), (7, 1, true));
        assert!(config.hotlist_sync.is_some() && config.console.is_some() && config.provision.is_some());
    }

    /// Comments have a space after the `#`, keys set off have none.
    fn uncomment(line: &str) -> &str {
        line.strip_prefix('#').filter(|rest| !rest.is_empty() && !rest.starts_with(' ')).unwrap_or(line)
    }
}
