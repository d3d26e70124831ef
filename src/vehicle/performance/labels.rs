//! Labelled test sets: photos and recordings, and what is on the plates in them (docs/reference/test-sets.md).

use super::Label;
use plated_core::digest::{Hasher, Sha256};
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::plate::PlateText;
use plated_core::text::visible;
use plated_hotlist::format::{Cut, Separator};
use plated_vision::capture::medium;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Plates of a set at most.
pub const MAX_LABELS: usize = 100_000;
/// Bytes of a file of labels at most.
const MAX_FILE: u64 = 64 << 20;

/// The file of labels for photos, in their folder.
const CSV: &str = "labels.csv";
/// The same as JSON, one object for each picture.
const PICTURES: &str = "labels.jsonl";

/// A labelled test set.
#[derive(Debug)]
pub struct TestSet {
    /// Its name.
    pub name: String,
    /// Over its labels and files, in whatever order they came.
    pub sha256: Sha256,
    /// By name.
    pub items: Vec<Item>,
}

/// A photo or a recording of a test set.
#[derive(Debug)]
pub struct Item {
    /// As the labels name it.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
    /// Plates in it that a person can read; a photo may have none.
    pub labels: Vec<Label>,
}

impl TestSet {
    /// The set in a folder, or a recording with its labels beside it. It is called by the folder or file unless it
    /// is given a name. Takes as long as it takes to read all of it.
    ///
    /// # Errors
    /// `Input` when there are no labels, a line of them is wrong, or a file that they name can't be read.
    pub fn load(path: &Path, name: Option<&str>) -> Result<Self> {
        let by_name = if path.is_dir() { folder(path)? } else { recording(path)? };
        if by_name.values().all(|(_, labels)| labels.is_empty()) {
            return Err(Error::new(Kind::Input, format!("the labels of {} name no plate", visible(path))));
        }
        let mut hasher = Hasher::new().with(b"plated test set 1\n");
        let mut items = Vec::new();
        for (name, (path, mut labels)) in by_name {
            let failed = || format!("could not read {}, which the labels name", visible(&path));
            let sha256 = Sha256::of_file(&path).context(Kind::Input, failed)?;
            labels.sort_unstable();
            hasher.update(format!("{sha256} {}\n{name}\n", name.len()).as_bytes());
            for Label { plate, state, first, last } in &labels {
                hasher.update(format!("{plate} {state} {first:?} {last:?}\n").as_bytes());
            }
            items.push(Item { name, path, labels });
        }
        let own = if path.is_dir() { path.file_name() } else { path.file_stem() };
        let own = own.map(|name| visible(name).to_string()).unwrap_or_default();
        let name = name.map_or_else(|| own.chars().take(64).collect(), str::to_owned);
        Ok(Self { name, sha256: hasher.finish(), items })
    }
}

type Items = BTreeMap<String, (PathBuf, Vec<Label>)>;

fn recording(path: &Path) -> Result<Items> {
    let name = path.file_name().map(|name| visible(name).to_string()).unwrap_or_default();
    let labels = of_lines(&path.with_extension("jsonl"))?;
    Ok(BTreeMap::from([(name, (path.to_owned(), labels))]))
}

fn folder(folder: &Path) -> Result<Items> {
    let mut items = Items::new();
    let mut add = |name: String, path: PathBuf, labels: Vec<Label>| match items.insert(name, (path, labels)) {
        None => Ok(()),
        Some((path, _)) => {
            Err(Error::new(Kind::Input, format!("{} is labelled in two files of labels", visible(&path))))
        }
    };
    for (file, parse) in [(CSV, of_csv as fn(&str) -> _), (PICTURES, of_pictures)] {
        let path = folder.join(file);
        if path.exists() {
            let text = read(&path)?;
            let labels = parse(&text).map_err(|why| Error::new(Kind::Input, format!("{} {why}", visible(&path))))?;
            labels.into_iter().try_for_each(|(name, labels)| add(name.clone(), folder.join(name), labels))?;
        }
    }
    let failed = || format!("could not look into the folder {}", visible(folder));
    for entry in std::fs::read_dir(folder).context(Kind::Input, failed)? {
        let path = entry.context(Kind::Input, failed)?.path();
        let labels = path.with_extension("jsonl");
        // A recording, and its labels beside it.
        if labels != path && labels.file_name().is_some_and(|n| n != PICTURES) && labels.is_file() && is_medium(&path) {
            let name = path.file_name().map(|name| visible(name).to_string()).unwrap_or_default();
            add(name, path, of_lines(&labels)?)?;
        }
    }
    if items.is_empty() {
        let message = format!(
            "{} has no labels: neither {CSV}, with the columns file, plate and state, nor a .jsonl beside a recording",
            visible(folder)
        );
        return Err(Error::new(Kind::Input, message));
    }
    Ok(items)
}

fn is_medium(path: &Path) -> bool {
    path.is_file() && medium(path).is_some()
}

fn read(path: &Path) -> Result<String> {
    let failed = || format!("could not read the labels {}", visible(path));
    let size = std::fs::metadata(path).context(Kind::Input, failed)?.len();
    if size > MAX_FILE {
        let message = format!("the labels {} are larger than {} MiB", visible(path), MAX_FILE >> 20);
        return Err(Error::new(Kind::Input, message));
    }
    std::fs::read_to_string(path).context(Kind::Input, failed)
}

/// Labels of a recording: a JSON object for each vehicle and line.
#[derive(Deserialize)]
struct Pass {
    plate: String,
    #[serde(default)]
    state: String,
    first_frame: Option<u64>,
    last_frame: Option<u64>,
}

/// The labels of a recording, one JSON object with the key `plate` on each line, `state` where it is known, and
/// `first_frame` and `last_frame` where it is known when the plate is in view. It may say more.
///
/// # Errors
/// `Input` when it can't be read, names no plate, or a line is no label.
pub fn of_lines(path: &Path) -> Result<Vec<Label>> {
    let text = read(path)?;
    let mut labels = Vec::new();
    for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let at = || format!("{} line {}", visible(path), n + 1);
        let Pass { plate, state, first_frame, last_frame } =
            serde_json::from_str(line).context(Kind::Input, || format!("{}: no label", at()))?;
        let label = label(&plate, &state).map_err(|why| Error::new(Kind::Input, format!("{}: {why}", at())))?;
        labels.push(Label { first: first_frame, last: last_frame, ..label });
    }
    if labels.is_empty() {
        return Err(Error::new(Kind::Input, format!("{} holds no label", visible(path))));
    }
    Ok(labels)
}

type Labelled = BTreeMap<String, Vec<Label>>;

/// The labels of photos as CSV: a line for each plate, and one without a plate for a photo in which nothing can be
/// read. The first line names the columns: `file`, `plate`, and `state` where it is known; others are left out.
///
/// # Errors
/// What is wrong, and in which line.
pub fn of_csv(text: &str) -> Result<Labelled, String> {
    let cut = Cut { separator: Separator::Mark(','), quotes: true, last: None };
    let mut lines = text.trim_start_matches('\u{feff}').lines().enumerate();
    let header = lines.next().map(|(_, line)| line).unwrap_or_default();
    let names = cut.fields(header).map_err(|why| format!("line 1: {why}"))?;
    let column = |name: &str| names.iter().position(|n| n.eq_ignore_ascii_case(name));
    let (Some(file), Some(plate)) = (column("file"), column("plate")) else {
        return Err("line 1: it has to name the columns: file,plate,state".into());
    };
    let state = column("state");
    let mut found = Found::default();
    for (n, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let at = |why: &str| format!("line {}: {why}", n + 1);
        let fields = cut.fields(line).map_err(at)?;
        let field = |column: usize| fields.get(column).map(AsRef::as_ref).unwrap_or_default();
        if fields.len() != names.len() {
            return Err(at("it has more or fewer fields than the first line"));
        }
        found.add(field(file), field(plate), state.map(field).unwrap_or_default()).map_err(|why| at(&why))?;
    }
    Ok(found.labelled)
}

/// A picture with its plates, as a JSON object on a line.
#[derive(Deserialize)]
struct Picture {
    image: String,
    plates: Vec<PictureText>,
}

#[derive(Deserialize)]
struct PictureText {
    /// None of a plate that nobody can read.
    text: Option<String>,
    #[serde(default)]
    state: Option<String>,
}

/// The labels of photos as JSON: an object for each photo and line, with `image` and `plates`, each of these with
/// `text` and `state`. It may say more.
///
/// # Errors
/// What is wrong, and in which line.
pub fn of_pictures(text: &str) -> Result<Labelled, String> {
    let mut found = Found::default();
    for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let at = |why: &str| format!("line {}: {why}", n + 1);
        let Picture { image, plates } = serde_json::from_str(line).map_err(|_| at("no label"))?;
        found.add(&image, "", "").map_err(|why| at(&why))?;
        for PictureText { text, state } in plates {
            let (text, state) = (text.unwrap_or_default(), state.unwrap_or_default());
            found.add(&image, &text, &state).map_err(|why| at(&why))?;
        }
    }
    Ok(found.labelled)
}

#[derive(Default)]
struct Found {
    labelled: Labelled,
    plates: usize,
}

impl Found {
    /// One more plate of a file; an empty one for none.
    fn add(&mut self, file: &str, plate: &str, state: &str) -> Result<(), String> {
        if file.is_empty() {
            return Err("it names no file".into());
        }
        let labels = self.labelled.entry(file.to_owned()).or_default();
        if !plate.is_empty() {
            labels.push(label(plate, state)?);
            self.plates += 1;
        }
        if self.plates > MAX_LABELS {
            return Err(format!("more than {MAX_LABELS} plates; divide the set"));
        }
        Ok(())
    }
}

/// A plate as a person reads it.
///
/// # Errors
/// What is wrong with it.
pub fn label(plate: &str, state: &str) -> Result<Label, String> {
    let text = PlateText::normalise(plate);
    if text.as_str().is_empty() {
        return Err("the plate has neither letters nor digits".into());
    }
    let state = state.trim().to_ascii_uppercase();
    if !(state.is_empty() || state.len() == 2 && state.bytes().all(|b| b.is_ascii_uppercase())) {
        return Err("the state is not two letters".into());
    }
    Ok(Label { plate: text.as_str().to_owned(), state, ..Label::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plates(labels: &[Label]) -> Vec<String> {
        labels.iter().map(|l| format!("{} {}", l.plate, l.state)).collect()
    }

    #[test]
    fn labels_of_photos_are_a_line_for_each_plate_and_spreadsheets_may_add_to_it() {
        let text = "\u{feff}State,FILE,note,Plate\r\nca,\"a, b.jpg\",\"with \"\"quotes\"\"\",7abc-123\r\n\r\n,c.jpg,,\nNV,\"a, b.jpg\",,812 X\n";
        let labels = of_csv(text).unwrap();
        assert_eq!(plates(&labels["a, b.jpg"]), ["7ABC123 CA", "812X NV"]);
        assert_eq!((labels.len(), labels["c.jpg"].len()), (2, 0), "a photo without a plate that can be read");
    }

    #[test]
    fn a_line_that_is_wrong_is_named() {
        for (text, why) in [
            ("", "line 1: it has to name the columns"),
            ("plate,state\n7ABC123,CA\n", "line 1: it has to name the columns"),
            ("file,plate\na.jpg,7ABC123\nb.jpg\n", "line 3: it has more or fewer"),
            ("file,plate\n,7ABC123\n", "line 2: it names no file"),
            ("file,plate,state\na.jpg,7ABC123,Calif\n", "line 2: the state is not two letters"),
            ("file,plate\na.jpg,--\n", "line 2: the plate has neither"),
            ("file,plate\n\"a.jpg,7ABC123\n", "line 2: a quote is not closed"),
        ] {
            let said = of_csv(text).unwrap_err();
            assert!(said.contains(why), "{text:?}: {said}");
        }
        assert!(of_pictures("{\"image\":\"a.jpg\"}\n").unwrap_err().contains("line 1"));
    }

    #[test]
    fn labels_of_photos_as_json_may_say_more_and_leave_out_what_nobody_can_read() {
        let line = r#"{"image":"a.jpg","plates":[{"box":[0,0,9,9],"text":"FUW999","state":"AK"},{"box":[1,1,2,2]}]}"#;
        assert_eq!(plates(&of_pictures(line).unwrap()["a.jpg"]), ["FUW999 AK"]);
    }

    #[test]
    fn a_set_is_the_same_whatever_the_order_of_its_labels_and_another_one_when_a_picture_or_label_differs() {
        let dir = tempfile::tempdir().unwrap();
        let sha256 = |labels: &str, picture: &str| {
            std::fs::write(dir.path().join("labels.csv"), format!("file,plate,state\n{labels}")).unwrap();
            std::fs::write(dir.path().join("a.jpg"), picture).unwrap();
            std::fs::write(dir.path().join("b.jpg"), "b").unwrap();
            TestSet::load(dir.path(), Some("autumn")).unwrap().sha256
        };
        let set = sha256("a.jpg,7ABC123,CA\nb.jpg,8XYZ987,\n", "a");
        assert_eq!(sha256("b.jpg,8XYZ987,\na.jpg,7abc 123,ca\n", "a"), set);
        assert_ne!(sha256("a.jpg,7ABC123,CA\nb.jpg,8XYZ987,\n", "A"), set);
        assert_ne!(sha256("a.jpg,7ABC124,CA\nb.jpg,8XYZ987,\n", "a"), set);
    }

    #[test]
    fn a_set_without_labels_or_with_a_file_missing_is_refused_and_says_which() {
        let dir = tempfile::tempdir().unwrap();
        let refused = || TestSet::load(dir.path(), None).unwrap_err().chain();
        assert!(refused().contains("has no labels"), "{}", refused());
        std::fs::write(dir.path().join("labels.csv"), "file,plate\ngone.jpg,7ABC123\n").unwrap();
        assert!(refused().contains("gone.jpg"), "{}", refused());
        std::fs::write(dir.path().join("labels.csv"), "file,plate\ngone.jpg,\n").unwrap();
        assert!(refused().contains("name no plate"), "{}", refused());
    }

    proptest! {
        #[test]
        fn whatever_a_file_of_labels_holds_it_is_read_or_refused_with_a_line(text in "(file,plate,state\n)?[a-c7,\"\n -]{0,60}") {
            match of_csv(&text) {
                Ok(found) => prop_assert!(found.values().flatten().all(|l| !l.plate.is_empty())),
                Err(why) => prop_assert!(why.starts_with("line ")),
            }
            let _ = of_pictures(&text);
        }
    }
}
