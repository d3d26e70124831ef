//! Which format a file has, by trying each on its beginning.

use super::decode::Utf8;
use super::delimited::Cut;
use super::field::Field;
use super::map::Separator;
use super::{DojFile, ImportSettings, MAX_LINE, Row, Spec, lines, open};
use plated_core::error::{Error, Kind, Result};
use std::io::{BufReader, Chain, Cursor, Read};
use std::path::{Path, PathBuf};

/// So many bytes of a file are enough to tell its format. Fewer are taken for the whole file.
pub const SAMPLE: usize = MAX_LINE;

/// Out of ten lines, so many must fit a format that has no header to know it by.
const ENOUGH_OF_TEN: u64 = 8;

/// A format, and why it is this one.
#[derive(Clone, Debug, PartialEq)]
pub struct Detected {
    /// The format.
    pub spec: Spec,
    /// The reasons, each a sentence without its end.
    pub why: Vec<String>,
}

/// How the format of a file is decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// By its beginning and its name.
    #[default]
    Detect,
    /// By the name of a format.
    Format(String),
    /// By this column map.
    Map(PathBuf),
}

impl Choice {
    /// What a configuration or a command line says; a map counts before a name.
    pub fn new(format: Option<&str>, map: Option<&Path>) -> Self {
        match (format, map) {
            (_, Some(map)) => Self::Map(map.to_owned()),
            (Some(format), None) => Self::Format(format.to_owned()),
            (None, None) => Self::Detect,
        }
    }
}

/// A file whose beginning has been looked at, again from its first byte.
pub type Whole<R> = BufReader<Chain<Cursor<Vec<u8>>, Utf8<R>>>;

/// Decides the format of a file, unpacked, and gives its text back, unread.
///
/// # Errors
/// As [`detect`] and [`Spec::named`], and `Storage` when the file can't be read.
pub fn choose<R: Read>(input: R, path: &Path, choice: &Choice) -> Result<(Detected, Whole<R>)> {
    let (mut input, mut first) = (Utf8::new(input), Vec::new());
    let name = telling_name(path);
    let given = |spec| Detected { spec, why: vec!["it was given".into()] };
    let detected = match choice {
        Choice::Format(format) => given(Spec::named(format, &name)?),
        Choice::Map(map) => given(Spec::load_map(map)?),
        Choice::Detect => {
            let sample = input.by_ref().take(SAMPLE as u64).read_to_end(&mut first);
            sample.map_err(|e| lines::unreadable(&e, || "its beginning could not be read".into()))?;
            detect(&first, &name)?
        }
    };
    Ok((detected, BufReader::with_capacity(1 << 16, Cursor::new(first).chain(input))))
}

/// The name of a file; of a list in an archive, that of the archive where only it tells which list.
fn telling_name(path: &Path) -> String {
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let archive = path.parent().filter(|p| p.extension().is_some_and(|e| e.eq_ignore_ascii_case("zip"))).map(name);
    archive
        .filter(|archive| DojFile::of_name(archive).is_some() && DojFile::of_name(&name(path)).is_none())
        .unwrap_or_else(|| name(path))
}

/// Tells the format of a file by its first [`SAMPLE`] bytes and its name.
///
/// # Errors
/// `Input` when no format fits or more than one does; the sentence names the closest ones and why
/// they do not fit. It never holds a plate.
pub fn detect(first: &[u8], name: &str) -> Result<Detected> {
    let refuse = |why: String| Error::new(Kind::Input, why);
    if let Some(what) = lines::foreign(first) {
        return Err(refuse(what.into()));
    }
    let sample =
        whole_lines(first).ok_or_else(|| refuse("its first line is longer than 64 KiB; is it a list?".into()))?;
    if sample.iter().all(u8::is_ascii_whitespace) {
        return Err(refuse("it is empty".into()));
    }
    let mut trials: Vec<Trial> = candidates(name).map(|spec| Trial::of(spec, sample)).collect();
    let fits = trials.iter().filter(|t| t.fits).count();
    if fits > 1 {
        let names: Vec<String> = trials.iter().filter(|t| t.fits).map(Trial::name).collect();
        return Err(refuse(format!("it could be {}; say which it is", names.join(" or "))));
    }
    if let Some(at) = trials.iter().position(|t| t.fits) {
        return found(trials.swap_remove(at), name);
    }
    trials.retain(|t| t.share > 0.0);
    trials.sort_by(|a, b| b.share.total_cmp(&a.share));
    let close: Vec<String> = trials.iter().take(3).map(|t| format!("{}: {}", t.name(), t.why)).collect();
    let close = if close.is_empty() { "no line fits any of them".to_owned() } else { close.join("; ") };
    let known = Spec::NAMES.join(", ");
    Err(refuse(format!("its format is none of {known} ({close}). {}", advice(sample))))
}

/// The formats that have a name. That a `ca_doj` is one can be told without its name.
fn candidates(name: &str) -> impl Iterator<Item = Spec> {
    let doj = Spec::CaDoj(DojFile::of_name(name).unwrap_or(DojFile::Svs));
    [Spec::Csv, doj, Spec::Ncic, Spec::NcicCsv, Spec::NcicCsv12, Spec::JsonLines].into_iter()
}

fn found(trial: Trial, name: &str) -> Result<Detected> {
    let mut why = vec![trial.spec.describe().to_owned(), trial.why];
    if let Spec::CaDoj(_) = trial.spec {
        let file = DojFile::of_name(name).ok_or_else(|| {
            let known = "it is a file of the California DOJ, but its name holds none or several of svs, sfr and slr";
            Error::new(Kind::Input, format!("{known}; give the format as ca_doj:svs, ca_doj:sfr or ca_doj:slr"))
        })?;
        why.push(format!("its name holds {}", file.word()));
    }
    Ok(Detected { spec: trial.spec, why })
}

/// The sample without a last line that may go on behind it.
fn whole_lines(first: &[u8]) -> Option<&[u8]> {
    if first.len() < SAMPLE {
        return Some(first);
    }
    let first = &first[..SAMPLE];
    first.iter().rposition(|b| matches!(b, b'\n' | b'\r')).map(|end| &first[..=end])
}

/// How one format went.
struct Trial {
    spec: Spec,
    fits: bool,
    /// Of the lines looked at.
    share: f64,
    why: String,
}

impl Trial {
    /// The name of the format; which of its lists a `ca_doj` is, is not tried.
    fn name(&self) -> String {
        if let Spec::CaDoj(_) = self.spec { "ca_doj".into() } else { self.spec.to_string() }
    }

    fn of(spec: Spec, sample: &[u8]) -> Self {
        let mut importer = match open(sample, &spec, &ImportSettings::default()) {
            Ok(importer) => importer,
            Err(e) => {
                let share = if spec == Spec::Csv { own_words(sample) } else { 0.0 };
                return Self { spec, fits: false, share, why: e.chain() };
            }
        };
        let mut first = None;
        for row in importer.by_ref() {
            match row {
                Ok(Row::Bad(problem)) if first.is_none() => first = Some(problem),
                Ok(_) => {}
                Err(e) => return Self { spec, fits: false, share: 0.0, why: e.chain() },
            }
        }
        let report = importer.summary().report;
        // A line with a remark is as good a sign that it is another format.
        let (lines, fit) = (report.lines - report.set_aside, report.entries - report.noted);
        let first = first.as_ref().or(report.noted_lines.first());
        let headed = matches!(spec, Spec::Csv | Spec::CaDoj(_));
        let enough = lines > 0 && 10 * fit >= ENOUGH_OF_TEN * lines;
        let mut why = match report.lines {
            0 => "line 1 is its header".to_owned(),
            _ => format!("{fit} of the first {lines} lines with a plate fit"),
        };
        if let Some(problem) = first.filter(|_| fit < lines) {
            why = format!("{why}, the first that does not: {problem}");
        }
        Self { fits: headed || enough, share: fit as f64 / lines.max(1) as f64, spec, why }
    }
}

/// The largest share of known names among the columns that line 1 names, between any marks.
fn own_words(sample: &[u8]) -> f64 {
    let line = sample.split(|b| matches!(b, b'\n' | b'\r')).next().unwrap_or_default();
    let text = String::from_utf8_lossy(line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line));
    let share = |mark| {
        let cut = Cut { separator: Separator::Mark(mark), quotes: true, last: None };
        let names = cut.fields(&text).unwrap_or_default();
        names.iter().filter(|n| Field::of_header(n).is_some()).count() as f64 / names.len().max(1) as f64
    };
    Separator::MARKS.into_iter().map(|(mark, _)| share(mark)).fold(0.0, f64::max)
}

/// What to do with a file of no known format.
fn advice(sample: &[u8]) -> String {
    let map = "describe it in a column map (docs/reference/hotlist-formats.md)";
    let lines: Vec<_> = sample.split(|b| matches!(b, b'\n' | b'\r')).filter(|l| !l.is_empty()).collect();
    let fields = |line: &[u8], c: char| 1 + line.iter().filter(|b| char::from(**b) == c).count();
    let regular = Separator::MARKS.into_iter().find_map(|(c, name)| {
        let count = fields(lines.first()?, c);
        let same = lines.iter().filter(|line| fields(line, c) == count).count();
        (count > 1 && 4 * same >= 3 * lines.len()).then_some((count, name))
    });
    match regular {
        Some((count, name)) => {
            format!("Its lines have {count} fields between {name}: add a first line that names the columns, or {map}")
        }
        None => format!("If it is a list, {map}"),
    }
}
