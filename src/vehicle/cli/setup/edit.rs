//! The configuration's text with what a setup changes; all else, comments too, stays as it is.

use super::answers::{Answers, Named};
use super::certificates::Certificates;
use plated_core::error::{Context, Error, Kind, Result};
use std::path::Path;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, Value, value};

/// Keys of a camera that say where its pictures come from.
const PLACES: [&str; 4] = ["path", "url", "url_file", "device"];
/// Those that only cameras of one kind have, so that they go with the kind.
const OF_KIND: [&str; 8] = ["format", "width", "height", "controls", "pace", "repeat", "rate", "start"];

/// The text of a configuration.
pub fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).context(Kind::Config, || format!("could not read {}", path.display()))
}

/// What is wrong, with the file it is in.
pub fn in_file(path: &Path, why: &str) -> Error {
    Error::new(Kind::Config, format!("{}: {why}", path.display()))
}

/// The text with the answers in it.
///
/// # Errors
/// A sentence for people.
pub fn apply(text: &str, answers: &Answers, certificates: Option<&Certificates>) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|e: toml_edit::TomlError| e.to_string())?;
    let root = document.as_table_mut();
    if let Some(vehicle) = &answers.vehicle {
        set(root, "vehicle", vehicle);
    }
    if !answers.cameras.is_empty() {
        let sources = tables(root, "sources")?;
        sources.retain(|table| answers.cameras.iter().any(|camera| is_named(table, &camera.name)));
        for camera in &answers.cameras {
            put(sources, camera, camera_table(camera));
        }
    }
    if !answers.lists.is_empty() {
        let lists = tables(root, "hotlists")?;
        for list in &answers.lists {
            put(lists, list, list_table(list));
        }
    }
    if let Some(store) = &answers.store {
        set(table(root, "store")?, "path", &store.display().to_string());
    }
    if let Some(certificates) = certificates {
        let folder = certificates.folder();
        let place = |name: &str| folder.join(name).display().to_string();
        let transfer = table(root, "transfer")?;
        for (key, name) in [
            ("ca", "ca.crt"),
            ("certificate", "vehicle.crt"),
            ("key", "vehicle.key"),
            ("receipt_keys", "receipt.pub"),
            ("medium_recipient", "medium.pub"),
        ] {
            if certificates.has(name) {
                set(transfer, key, &place(name));
            }
        }
        if !transfer.contains_key("station") && answers.station.is_none() {
            return Err("give the station's address: --station https://host:port".into());
        }
        if certificates.has("hotlist.pub") {
            set(table(root, "hotlist_sync")?, "key", &place("hotlist.pub"));
            if certificates.has("seal.key") {
                let provision = table(root, "provision")?;
                set(provision, "key", &place("hotlist.pub"));
                set(provision, "seal_key", &place("seal.key"));
            }
        }
        if certificates.has("console.key") {
            let console = table(root, "console")?;
            set(console, "certificate", &place("console.crt"));
            set(console, "key", &place("console.key"));
        }
    }
    if let Some(station) = &answers.station
        && (certificates.is_some() || root.contains_key("transfer"))
    {
        set(table(root, "transfer")?, "station", station);
    }
    Ok(document.to_string())
}

/// A camera as the configuration has it, its kind told from its address.
pub fn camera_table(camera: &Named) -> Table {
    let address = &*camera.value;
    let (kind, key) = match () {
        () if address.starts_with("rtsp://") || address.starts_with("rtsps://") => ("rtsp", "url"),
        () if address.starts_with("http://") || address.starts_with("https://") => ("mjpeg", "url"),
        () if address.starts_with("/dev/") => ("v4l2", "device"),
        () if Path::new(address).is_dir() => ("images", "path"),
        () => ("video", "path"),
    };
    table_of([("name", &camera.name), ("kind", kind), (key, address)])
}

fn list_table(list: &Named) -> Table {
    table_of([("name", &list.name), ("kind", "file"), ("path", &list.value)])
}

fn table_of<const N: usize>(keys: [(&str, &str); N]) -> Table {
    let mut table = Table::new();
    for (key, text) in keys {
        table.insert(key, value(text));
    }
    table
}

fn is_named(table: &Table, name: &str) -> bool {
    table.get("name").and_then(Item::as_str) == Some(name)
}

/// Puts a table in the place of the one of its name, of which other keys stay as far as they fit.
fn put(tables: &mut ArrayOfTables, named: &Named, new: Table) {
    let Some(old) = tables.iter_mut().find(|table| is_named(table, &named.name)) else {
        return tables.push(new);
    };
    let other_kind = old.get("kind").and_then(Item::as_str) != new.get("kind").and_then(Item::as_str);
    for key in PLACES.into_iter().chain(OF_KIND.into_iter().filter(|_| other_kind)) {
        if !new.contains_key(key) {
            old.remove(key);
        }
    }
    for (key, item) in &new {
        set(old, key, item.as_str().unwrap_or_default());
    }
}

/// Sets a key; its comments stay, and so does the line where it says the same already.
fn set(table: &mut Table, key: &str, text: &str) {
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(known) if known.as_str() == Some(text) => {}
        Some(known) => {
            let decor = known.decor().clone();
            *known = Value::from(text);
            *known.decor_mut() = decor;
        }
        None => {
            table.insert(key, value(text));
        }
    }
}

fn table<'a>(root: &'a mut Table, name: &str) -> Result<&'a mut Table, String> {
    let item = root.entry(name).or_insert_with(|| Item::Table(Table::new()));
    item.as_table_mut()
        .ok_or_else(|| format!("{name} is written on one line; write it as [{name}], or change it by hand"))
}

fn tables<'a>(root: &'a mut Table, name: &str) -> Result<&'a mut ArrayOfTables, String> {
    let item = root.entry(name).or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    item.as_array_of_tables_mut()
        .ok_or_else(|| format!("{name} is written on one line; write it as [[{name}]] tables, or change it by hand"))
}
