//! One entry in few bytes: strings that many entries share stand once in a table.

use super::bytes::{ByteReader, put_number, put_text};
use plated_core::record::{EntryRecord, Priority};
use std::borrow::Cow;
use std::collections::HashMap;

/// String fields besides list and plate.
const FIELDS: usize = 19;
/// Those that are texts; the others are moments.
const TEXTS: usize = FIELDS - 2;
/// Strings of one field that stand in its table, the first that come. A field that differs in
/// every entry (an id) fills its own table only.
const TABLE: usize = 4096;
/// A longer string is hardly shared.
const LONGEST: usize = 64;

/// The plate is written as its key is.
const PLATE_IS_KEY: u8 = 4;

/// The fields in their order in the file. A field that is added to the record has to be added
/// here too, at the end, or this does not compile.
fn fields(entry: &EntryRecord) -> [Cow<'_, str>; FIELDS] {
    #[rustfmt::skip]
    let EntryRecord {
        list: _, plate: _, priority: _, state, category, reason, make, colour, source, date, id, ori, model, style, year,
        plate_year, plate_type, vin, case_number, remarks, valid_from, expires,
    } = entry;
    #[rustfmt::skip]
    let texts = [
        state, category, reason, make, colour, source, date, id, ori, model, style, year, plate_year, plate_type, vin,
        case_number, remarks,
    ];
    let mut out = [const { Cow::Borrowed("") }; FIELDS];
    for (out, text) in out.iter_mut().zip(texts) {
        *out = Cow::Borrowed(text);
    }
    for (out, moment) in out[TEXTS..].iter_mut().zip([valid_from, expires]) {
        if let Some(moment) = moment {
            *out = Cow::Owned(moment.to_string());
        }
    }
    out
}

fn from_fields(list: &str, plate: String, priority: Priority, fields: [String; FIELDS]) -> Option<EntryRecord> {
    let list = list.to_owned();
    #[rustfmt::skip]
    let [
        state, category, reason, make, colour, source, date, id, ori, model, style, year, plate_year, plate_type, vin,
        case_number, remarks, valid_from, expires,
    ] = fields;
    let moment = |text: &str| if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) };
    let (valid_from, expires) = (moment(&valid_from)?, moment(&expires)?);
    #[rustfmt::skip]
    let entry = EntryRecord {
        list, plate, state, category, priority, reason, make, colour, source, date, id, ori, model, style, year,
        plate_year, plate_type, vin, case_number, remarks, valid_from, expires,
    };
    Some(entry)
}

/// Writes entries and gathers their tables.
#[derive(Default)]
pub struct Encoder([HashMap<String, u64>; FIELDS]);

impl Encoder {
    /// Appends `entry`, whose plate has the match key `key`.
    pub fn put(&mut self, out: &mut Vec<u8>, key: &str, entry: &EntryRecord) {
        let same = entry.plate == key;
        out.push(entry.priority as u8 | if same { PLATE_IS_KEY } else { 0 });
        if !same {
            put_text(out, &entry.plate);
        }
        let fields = fields(entry);
        let present = fields.iter().enumerate().fold(0, |bits, (n, f)| bits | u64::from(!f.is_empty()) << n);
        put_number(out, present);
        for (field, table) in fields.iter().zip(&mut self.0).filter(|(f, _)| !f.is_empty()) {
            let known = table.get(&**field).copied().or_else(|| {
                let room = table.len() < TABLE && field.len() <= LONGEST;
                room.then(|| {
                    let number = table.len() as u64 + 1;
                    table.insert(field.to_string(), number);
                    number
                })
            });
            match known {
                Some(number) => put_number(out, number),
                None => {
                    out.push(0);
                    put_text(out, field);
                }
            }
        }
    }

    /// The tables, for [`Decoder::read`].
    pub fn tables(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for table in &self.0 {
            let mut texts: Vec<(&u64, &String)> = table.iter().map(|(text, number)| (number, text)).collect();
            texts.sort_unstable();
            put_number(&mut out, texts.len() as u64);
            texts.iter().for_each(|(_, text)| put_text(&mut out, text));
        }
        out
    }
}

/// Reads entries back. The tables stand one behind the other: most are small, and an entry needs a
/// string of nearly each.
#[derive(Debug)]
pub struct Decoder {
    texts: String,
    /// Where each string ends.
    ends: Vec<usize>,
    /// Each table's first string, and the end of the last.
    tables: [usize; FIELDS + 1],
}

impl Decoder {
    /// Takes the tables.
    pub fn read(tables: &[u8]) -> Option<Self> {
        let mut reader = ByteReader(tables);
        let mut out = Self { texts: String::new(), ends: Vec::new(), tables: [0; FIELDS + 1] };
        for next in &mut out.tables[1..] {
            for _ in 0..reader.number()? {
                out.texts.push_str(reader.text()?);
                out.ends.push(out.texts.len());
            }
            *next = out.ends.len();
        }
        reader.0.is_empty().then_some(out)
    }

    /// The string with this number, from 1 on, in the table of `field`.
    fn shared(&self, field: usize, number: u64) -> Option<&str> {
        let at = self.tables[field].checked_add(usize::try_from(number).ok()?.checked_sub(1)?)?;
        let end = *self.ends[..self.tables[field + 1]].get(at)?;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.texts.get(start..end)
    }

    /// The entry in `bytes`, of the list `list`; `key` is the match key it stands under.
    pub fn entry(&self, bytes: &[u8], list: &str, key: &str) -> Option<EntryRecord> {
        let mut reader = ByteReader(bytes);
        let first = *reader.take(1)?.first()?;
        let priority = match first & 3 {
            0 => Priority::Low,
            1 => Priority::Normal,
            2 => Priority::High,
            _ => return None,
        };
        let plate = if first & PLATE_IS_KEY != 0 { key } else { reader.text()? };
        let present = reader.number()?;
        let mut fields: [String; FIELDS] = Default::default();
        for (n, field) in fields.iter_mut().enumerate() {
            if present >> n & 1 == 1 {
                *field = match reader.number()? {
                    0 => reader.text()?.to_owned(),
                    number => self.shared(n, number)?.to_owned(),
                };
            }
        }
        reader.0.is_empty().then(|| from_fields(list, plate.to_owned(), priority, fields))?
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Any entry of the list `svs` with a plate.
    pub fn any_entry() -> impl Strategy<Value = EntryRecord> {
        let texts = proptest::collection::vec(prop_oneof!["", "[A-Z]{1,4}", "\\PC{0,80}"], TEXTS);
        let moment = || {
            let seconds = proptest::option::of(-1_000_000_000_i64..4_000_000_000);
            seconds.prop_map(|s| s.map(|s| jiff::Timestamp::from_second(s).unwrap()))
        };
        ("[A-Z0-9]{1,12}[ -]?", 0..3u8, texts, moment(), moment()).prop_map(
            |(plate, priority, texts, valid_from, expires)| {
                let priority = [Priority::Low, Priority::Normal, Priority::High][usize::from(priority)];
                let mut fields: [String; FIELDS] = Default::default();
                fields.iter_mut().zip(texts).for_each(|(field, text)| *field = text);
                EntryRecord { valid_from, expires, ..from_fields("svs", plate, priority, fields).unwrap() }
            },
        )
    }

    proptest! {
        #[test]
        fn an_entry_reads_back_as_it_was(entries in proptest::collection::vec(any_entry(), 1..20)) {
            let mut encoder = Encoder::default();
            let bytes: Vec<Vec<u8>> = entries
                .iter()
                .map(|entry| {
                    let mut out = Vec::new();
                    encoder.put(&mut out, "7ABC123", entry);
                    out
                })
                .collect();
            let decoder = Decoder::read(&encoder.tables()).unwrap();
            for (bytes, entry) in bytes.iter().zip(&entries) {
                prop_assert_eq!(decoder.entry(bytes, "svs", "7ABC123"), Some(entry.clone()));
            }
        }

        #[test]
        fn no_bytes_panic(tables in proptest::collection::vec(0..4u8, FIELDS..40), bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Some(decoder) = Decoder::read(&tables) {
                let _ = decoder.entry(&bytes, "svs", "7ABC123");
            }
        }
    }
}
