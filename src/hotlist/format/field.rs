//! The fields of an entry, as column maps and headers name them.

use serde::Deserialize;
use std::borrow::Cow;

/// A field of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub enum Field {
    /// The registration number.
    Plate,
    /// The state, two letters.
    State,
    /// Why it is wanted: a word, or a code that the map's `[categories]` turns into one.
    Category,
    /// `high`, `normal` or `low`.
    Priority,
    /// Free text.
    Reason,
    /// Make of the vehicle.
    Make,
    /// Colour of the vehicle.
    Colour,
    /// Who made the entry.
    Source,
    /// Date of the entry.
    Date,
    /// The source's id of the record.
    Id,
    /// Agency that made the entry, by its NCIC identifier.
    Ori,
    /// Model of the vehicle.
    Model,
    /// Body style of the vehicle.
    Style,
    /// Year of the vehicle.
    Year,
    /// Year in which the registration ends.
    PlateYear,
    /// Type of plate.
    PlateType,
    /// When the entry ends.
    Expires,
    /// When the entry begins.
    ValidFrom,
    /// Vehicle identification number.
    Vin,
    /// Case number of the agency that made the entry.
    CaseNumber,
    /// Further free text.
    Remarks,
}

const WORDS: [(Field, &str); 21] = [
    (Field::Plate, "plate"),
    (Field::State, "state"),
    (Field::Category, "category"),
    (Field::Priority, "priority"),
    (Field::Reason, "reason"),
    (Field::Make, "make"),
    (Field::Colour, "colour"),
    (Field::Source, "source"),
    (Field::Date, "date"),
    (Field::Id, "id"),
    (Field::Ori, "ori"),
    (Field::Model, "model"),
    (Field::Style, "style"),
    (Field::Year, "year"),
    (Field::PlateYear, "plate_year"),
    (Field::PlateType, "plate_type"),
    (Field::Expires, "expires"),
    (Field::ValidFrom, "valid_from"),
    (Field::Vin, "vin"),
    (Field::CaseNumber, "case_number"),
    (Field::Remarks, "remarks"),
];

/// Names that columns have in the headers of real lists, without case, spaces and signs. NCIC's
/// field codes (LIC, LIS, …) are among them.
const HEADER_NAMES: [(Field, &[&str]); 21] = [
    (
        Field::Plate,
        &[
            "platenumber",
            "plateno",
            "license",
            "licenseplate",
            "licenseplatenumber",
            "licenseno",
            "licensenumber",
            "lic",
            "tag",
            "tagnumber",
            "registration",
            "registrationnumber",
            "lpn",
        ],
    ),
    (Field::State, &["stateprovince", "province", "platestate", "licensestate", "issuingstate", "lis", "region"]),
    (Field::Category, &["alerttype", "listtype"]),
    (Field::Priority, &[]),
    (Field::Reason, &["description", "alertreason"]),
    (Field::Make, &["vehiclemake", "vma"]),
    (Field::Colour, &["color", "vehiclecolor", "vehiclecolour", "vco"]),
    (Field::Source, &["agency", "sourceagency"]),
    (Field::Date, &["entrydate", "dateentered", "dateofentry"]),
    (Field::Id, &["recordid", "nic", "nicnumber"]),
    (Field::Ori, &[]),
    (Field::Model, &["vehiclemodel", "vmo"]),
    (Field::Style, &["bodystyle", "vehiclestyle", "vst"]),
    (Field::Year, &["vehicleyear", "modelyear", "vyr"]),
    (Field::PlateYear, &["registrationyear", "licenseyear", "liy"]),
    (Field::PlateType, &["licensetype", "registrationtype", "lit"]),
    (Field::Expires, &["expiry", "expiration", "expirationdate", "expirydate", "enddate", "validto", "validuntil"]),
    (Field::ValidFrom, &["startdate", "begindate", "effectivedate", "activefrom"]),
    (Field::Vin, &["vehicleidentificationnumber", "vinnumber"]),
    (Field::CaseNumber, &["case", "caseno", "agencycasenumber", "oca"]),
    (Field::Remarks, &["remark", "notes", "note", "comments", "comment", "miscellaneous", "mis"]),
];

impl Field {
    /// The field's word in headers, maps and JSON.
    pub fn word(self) -> &'static str {
        WORDS[self as usize].1
    }

    /// The field of a word; upper and lower case are the same, and `color` is `colour`.
    pub fn of(word: &str) -> Option<Self> {
        let word = if word.eq_ignore_ascii_case("color") { "colour" } else { word };
        WORDS.iter().find(|(_, w)| w.eq_ignore_ascii_case(word)).map(|(field, _)| *field)
    }

    /// The field that a column of a header holds, by our word or a name that lists use for it.
    pub fn of_header(name: &str) -> Option<Self> {
        let plain: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        let ours = Self::all().find(|field| field.word().replace('_', "") == plain);
        ours.or_else(|| HEADER_NAMES.iter().find(|(_, names)| names.contains(&plain.as_str())).map(|(field, _)| *field))
    }

    /// All fields.
    pub fn all() -> impl Iterator<Item = Field> {
        WORDS.iter().map(|(field, _)| *field)
    }

    /// All words, for messages.
    pub fn words() -> String {
        WORDS.map(|(_, word)| word).join(", ")
    }
}

impl TryFrom<String> for Field {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        Self::of(&word).ok_or_else(|| format!("there is no field \"{word}\"; the fields are {}", Self::words()))
    }
}

/// What one line holds in each field; empty where it holds nothing.
#[derive(Debug, Default)]
pub struct Values<'a>([Cow<'a, str>; WORDS.len()]);

impl<'a> Values<'a> {
    /// The text of a field.
    pub fn get(&self, field: Field) -> &str {
        &self.0[field as usize]
    }

    /// Sets the text of a field.
    pub fn set(&mut self, field: Field, text: Cow<'a, str>) {
        self.0[field as usize] = text;
    }

    /// Moves the text of a field out.
    pub fn take(&mut self, field: Field) -> String {
        std::mem::take(&mut self.0[field as usize]).into_owned()
    }
}

/// A line that is not what it should be: the field and what is wrong. Never holds the plate.
#[derive(Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The field, or `line` when it is of the line as a whole.
    pub field: &'static str,
    /// What is wrong.
    pub reason: String,
}

impl Mistake {
    /// Of one field.
    pub fn of(field: Field, reason: impl Into<String>) -> Self {
        Self { field: field.word(), reason: reason.into() }
    }

    /// Of the line as a whole.
    pub fn line(reason: impl Into<String>) -> Self {
        Self { field: "line", reason: reason.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_has_its_own_word_and_place() {
        for (at, field) in Field::all().enumerate() {
            assert_eq!((field as usize, Field::of(field.word())), (at, Some(field)));
            assert_eq!((HEADER_NAMES[at].0, Field::of_header(field.word())), (field, Some(field)));
        }
        assert_eq!((Field::of("COLOR"), Field::of("colr")), (Some(Field::Colour), None));
    }

    #[test]
    fn columns_are_known_by_the_names_that_real_lists_use() {
        for (name, field) in [
            ("Plate Number", Field::Plate),
            ("LICENSE_PLATE", Field::Plate),
            ("State/Province", Field::State),
            ("Description", Field::Reason),
            ("Expiration Date", Field::Expires),
            ("Valid From", Field::ValidFrom),
            ("Case #", Field::CaseNumber),
            ("VIN", Field::Vin),
        ] {
            assert_eq!(Field::of_header(name), Some(field), "{name}");
        }
        assert_eq!((Field::of_header(""), Field::of_header("Officer")), (None, None));
    }
}
