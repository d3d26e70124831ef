//! What a file is: one of the formats with a name, or what a column map says.

use super::field::Field;
use super::map::Map;
use plated_core::error::{Context, Error, Kind, Result};
use std::fmt;
use std::path::Path;

/// What a file is.
#[derive(Clone, Debug, PartialEq)]
pub enum Spec {
    /// The project's own CSV.
    Csv,
    /// California Department of Justice, one file for each category.
    CaDoj(DojFile),
    /// NCIC in fixed columns.
    Ncic,
    /// NCIC as CSV with 11 columns.
    NcicCsv,
    /// NCIC as CSV with 12 columns, with the type of the plate.
    NcicCsv12,
    /// One JSON object a line, with our words as keys.
    JsonLines,
    /// What a column map says.
    Map(Box<Map>),
}

/// Which of the files of the California Department of Justice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DojFile {
    /// Stolen vehicles.
    Svs,
    /// Felony vehicles.
    Sfr,
    /// Stolen plates.
    Slr,
}

impl DojFile {
    const ALL: [(Self, &'static str, &'static str); 3] =
        [(Self::Svs, "svs", "stolen_vehicle"), (Self::Sfr, "sfr", "felony"), (Self::Slr, "slr", "stolen_plate")];

    /// By a word in the name of the file, if there is exactly one.
    pub fn of_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let mut found = Self::ALL.iter().filter(|(_, word, _)| name.contains(word));
        found.next().filter(|_| found.next().is_none()).map(|(file, ..)| *file)
    }

    /// The word in the name of the file.
    pub fn word(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    fn category(self) -> &'static str {
        Self::ALL[self as usize].2
    }
}

impl Spec {
    /// The names of formats.
    pub const NAMES: [&str; 6] = ["csv", "ca_doj", "ncic", "ncic_csv", "ncic_csv_12", "json_lines"];

    /// The format of this name; which of its files a `ca_doj` is, is written as in `ca_doj:svs`, or
    /// by the file's name.
    ///
    /// # Errors
    /// `Config` with the names that there are.
    pub fn named(name: &str, file: &str) -> Result<Self> {
        match name {
            "csv" => Ok(Self::Csv),
            "ncic" => Ok(Self::Ncic),
            "ncic_csv" => Ok(Self::NcicCsv),
            "ncic_csv_12" => Ok(Self::NcicCsv12),
            "json_lines" => Ok(Self::JsonLines),
            "ca_doj" => DojFile::of_name(file).map(Self::CaDoj).ok_or_else(|| {
                let why = "the name of the file does not say which list of ca_doj it is";
                Error::new(Kind::Config, format!("{why}; write ca_doj:svs, ca_doj:sfr or ca_doj:slr"))
            }),
            _ => {
                let file =
                    name.strip_prefix("ca_doj:").and_then(|word| DojFile::ALL.iter().find(|(_, w, _)| *w == word));
                file.map(|(file, ..)| Self::CaDoj(*file)).ok_or_else(|| {
                    let known = Self::NAMES.join(", ");
                    Error::new(Kind::Config, format!("there is no list format \"{name}\"; the formats are {known}"))
                })
            }
        }
    }

    /// Reads a column map.
    ///
    /// # Errors
    /// `Config`, with the line or the key that is wrong.
    pub fn load_map(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .context(Kind::Config, || format!("could not read the column map {}", path.display()))?;
        Self::parse_map(&text, path)
    }

    /// The column map in a text; `path` names it in errors.
    ///
    /// # Errors
    /// As [`Spec::load_map`].
    pub fn parse_map(text: &str, path: &Path) -> Result<Self> {
        let map: Map = plated_core::config_file::parse(text, path)?;
        map.check().map_err(|why| Error::new(Kind::Config, format!("{}: {why}", path.display())))?;
        Ok(Self::Map(Box::new(map)))
    }

    /// What the format looks like, in a sentence.
    pub fn describe(&self) -> &'static str {
        match self {
            Self::Csv => "CSV whose first line names the columns",
            Self::CaDoj(_) => {
                "California DOJ: DATEmm/dd/yyyy hh:mm in line 1, then plate, state, code and date at \
                               fixed places, TOTAL RECORD at the end"
            }
            Self::Ncic => "NCIC at fixed places: category letter, record id, ORI, date, plate, state, vehicle",
            Self::NcicCsv => "NCIC as CSV without a header: 11 columns from the record id to the colour",
            Self::NcicCsv12 => {
                "NCIC as CSV without a header: 12 columns from the record id to the colour, with the \
                                type of the plate"
            }
            Self::JsonLines => "one JSON object a line",
            Self::Map(_) => "what its column map says",
        }
    }

    /// The format as a column map; `None` when lines are JSON.
    pub(super) fn map(&self) -> Result<Option<Map>> {
        let text = match self {
            Self::Csv => include_str!("presets/csv.toml"),
            Self::CaDoj(_) => include_str!("presets/ca_doj.toml"),
            Self::Ncic => include_str!("presets/ncic.toml"),
            Self::NcicCsv => include_str!("presets/ncic_csv.toml"),
            Self::NcicCsv12 => include_str!("presets/ncic_csv_12.toml"),
            Self::JsonLines => return Ok(None),
            Self::Map(map) => return Ok(Some(map.as_ref().clone())),
        };
        let mut map: Map =
            toml::from_str(text).context(Kind::Internal, || format!("the built-in column map {self} is wrong"))?;
        if let Self::CaDoj(file) = self {
            map.defaults.insert(Field::Category, file.category().into());
            map.defaults.insert(Field::Source, format!("CA DOJ {}", file.word().to_ascii_uppercase()));
        }
        Ok(Some(map))
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Csv => f.write_str("csv"),
            Self::CaDoj(file) => write!(f, "ca_doj:{}", file.word()),
            Self::Ncic => f.write_str("ncic"),
            Self::NcicCsv => f.write_str("ncic_csv"),
            Self::NcicCsv12 => f.write_str("ncic_csv_12"),
            Self::JsonLines => f.write_str("json_lines"),
            Self::Map(_) => f.write_str("map"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_a_format_whose_map_holds() {
        for name in Spec::NAMES {
            let spec = Spec::named(name, "svs.tbl").unwrap();
            assert_eq!(Spec::named(&spec.to_string(), "").unwrap(), spec);
            if let Some(map) = spec.map().unwrap() {
                map.check().unwrap();
            }
        }
        assert!(Spec::named("ncic_tsv", "").unwrap_err().chain().contains("csv, ca_doj, ncic"));
    }

    #[test]
    fn the_list_of_a_ca_doj_file_comes_from_the_name_or_must_be_given() {
        assert_eq!(Spec::named("ca_doj", "/in/SFR_20261121.TBL").unwrap(), Spec::CaDoj(DojFile::Sfr));
        assert_eq!(Spec::named("ca_doj:slr", "svs.tbl").unwrap(), Spec::CaDoj(DojFile::Slr));
        for unclear in ["hotlist.tbl", "svs-and-sfr.tbl"] {
            assert!(Spec::named("ca_doj", unclear).unwrap_err().chain().contains("ca_doj:svs"));
        }
    }
}
