//! In what a vehicle that was seen differs from what an entry says of it.
//!
//! Lists write vehicles in the codes of NCIC (style `4D`, colour `SIL`, make `TOYT`) or in words. A difference is named
//! only where both are known and can't be meant alike: a sedan may be entered as an SUV, silver as grey. It never
//! suppresses anything: plates are swapped between vehicles.

use plated_core::appearance::{Appearance, Feature, Seen, VehicleDifference};
use plated_core::record::{EntryRecord, HitRecord};

/// Names in each hit's entries what differs from what was seen.
pub fn mark<'a>(hits: impl IntoIterator<Item = &'a mut HitRecord>, seen: Option<&Appearance>) {
    for entry in hits.into_iter().flat_map(|hit| &mut hit.entries) {
        entry.vehicle_differs = seen.map_or_else(Vec::new, |seen| differences(seen, &entry.entry));
    }
}

/// What differs, the class first.
pub fn differences(seen: &Appearance, entry: &EntryRecord) -> Vec<VehicleDifference> {
    let class = class_of(entry);
    let colours = colours(&entry.colour);
    let differs = |of, seen: &Option<Seen>, listed: &str, fits: &dyn Fn(&str) -> bool| {
        let seen = seen.as_ref().filter(|seen| !fits(&seen.is))?;
        Some(VehicleDifference { of, seen: seen.is.clone(), listed: listed.trim().to_owned() })
    };
    let of_class = class.and_then(|(listed, may_be)| {
        differs(Feature::Class, &seen.class, listed, &|seen| seen == "other" || may_be.contains(&seen))
    });
    // A vehicle of two colours is listed by both, such as WHI/BLU; one of which nothing is known fits everything.
    let any_colour = colours.is_empty() || colours.contains(&None);
    let of_colour = differs(Feature::Colour, &seen.colour, &entry.colour, &|seen| {
        any_colour || colours.iter().flatten().any(|listed| alike(seen, listed))
    });
    let of_make = make(&entry.make).and_then(|listed| {
        differs(Feature::Make, &seen.make, &entry.make, &|seen| seen == "other" || same_maker(seen, listed))
    });
    [of_class, of_colour, of_make].into_iter().flatten().collect()
}

/// As the entry writes it, and the classes that it may be seen as: by its style, or else by the type of its plate.
fn class_of(entry: &EntryRecord) -> Option<(&str, &'static [&'static str])> {
    let style = by_style(&entry.style).map(|may_be| (&*entry.style, may_be));
    style.or_else(|| by_plate(&entry.plate_type).map(|may_be| (&*entry.plate_type, may_be)))
}

fn by_style(style: &str) -> Option<&'static [&'static str]> {
    Some(match &*style.trim().to_ascii_uppercase() {
        "2D" | "3D" | "4D" | "5D" | "2H" | "4H" | "2T" | "4T" | "SD" | "HB" | "CP" | "CV" | "RD" | "SW" | "SEDAN"
        | "COUPE" | "HATCHBACK" | "CONVERTIBLE" | "WAGON" | "STATION WAGON" | "CAR" => &["car", "suv", "van"],
        "UT" | "LL" | "SUV" | "SPORT UTILITY" => &["suv", "car", "van", "pickup"],
        "PK" | "PU" | "CB" | "PICKUP" | "CREW" => &["pickup", "truck", "suv"],
        "VN" | "VAN" | "MINIVAN" | "PV" | "CARGO VAN" => &["van", "suv", "car", "truck"],
        "TK" | "TRUCK" | "TR" | "DP" | "DS" | "FB" | "FT" | "ST" | "SE" | "TT" | "TN" | "WK" | "WRECKER" | "BX" => {
            &["truck", "pickup", "van", "trailer"]
        }
        "BU" | "BUS" => &["bus", "van", "truck"],
        "MC" | "MOTORCYCLE" | "MB" | "MD" | "MK" | "MS" | "MP" | "SCOOTER" | "MOPED" => &["motorcycle"],
        "TL" | "TRAILER" | "CT" | "BT" | "HE" | "UTILITY TRAILER" => &["trailer", "truck", "van"],
        _ => return None,
    })
}

/// Types of plate that stand for one kind of vehicle.
fn by_plate(kind: &str) -> Option<&'static [&'static str]> {
    Some(match &*kind.trim().to_ascii_uppercase() {
        "MC" => &["motorcycle"],
        "TL" => &["trailer", "truck", "van"],
        "BU" => &["bus", "van", "truck"],
        "PC" => &["car", "suv", "van", "pickup"],
        _ => return None,
    })
}

/// The colours of an entry; none for one that says nothing here.
fn colours(listed: &str) -> Vec<Option<&'static str>> {
    let words = listed.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
    words.map(colour).collect()
}

fn colour(word: &str) -> Option<&'static str> {
    Some(match &*word.to_ascii_uppercase() {
        "WHI" | "WHITE" => "white",
        "BLK" | "BLACK" => "black",
        "SIL" | "SILVER" | "COM" | "CHROME" | "ALUMINUM" => "silver",
        "GRY" | "GRAY" | "GREY" => "grey",
        "BLU" | "BLUE" | "DBL" | "LBL" | "NAVY" | "TRQ" | "TEA" | "TURQUOISE" | "TEAL" => "blue",
        "RED" | "MAR" | "MAROON" | "BURGUNDY" => "red",
        "GRN" | "GREEN" | "DGR" | "LGR" => "green",
        "YEL" | "YELLOW" => "yellow",
        "ONG" | "ORANGE" | "CPR" | "COPPER" => "orange",
        "BRO" | "BROWN" | "BRZ" | "BRONZE" => "brown",
        "BGE" | "BEIGE" | "TAN" | "CRM" | "CREAM" | "GLD" | "GOLD" | "IVORY" => "beige",
        "PLE" | "PURPLE" | "LAV" | "LAVENDER" | "AME" | "MVE" | "PNK" | "PINK" => "purple",
        _ => return None,
    })
}

/// Whether one may be taken for the other in bad light, or be called by the other's name.
fn alike(a: &str, b: &str) -> bool {
    const NEAR: [(&str, &str); 14] = [
        ("white", "silver"),
        ("silver", "grey"),
        ("grey", "black"),
        ("blue", "black"),
        ("blue", "grey"),
        ("blue", "purple"),
        ("blue", "green"),
        ("red", "purple"),
        ("red", "orange"),
        ("orange", "yellow"),
        ("brown", "red"),
        ("brown", "beige"),
        ("beige", "white"),
        ("beige", "silver"),
    ];
    a == b || NEAR.iter().any(|&(x, y)| (x, y) == (a, b) || (y, x) == (a, b))
}

/// The make by its NCIC code or its name; none for one that is not known here.
fn make(listed: &str) -> Option<&'static str> {
    const CODES: [(&str, &str); 49] = [
        ("TOYT", "toyota"),
        ("TOYO", "toyota"),
        ("HOND", "honda"),
        ("FORD", "ford"),
        ("CHEV", "chevrolet"),
        ("CHEVY", "chevrolet"),
        ("NISS", "nissan"),
        ("DATS", "datsun"),
        ("BMW", "bmw"),
        ("MERZ", "mercedes"),
        ("MERCEDESBENZ", "mercedes"),
        ("VOLK", "volkswagen"),
        ("VW", "volkswagen"),
        ("AUDI", "audi"),
        ("HYUN", "hyundai"),
        ("KIA", "kia"),
        ("SUBA", "subaru"),
        ("MAZD", "mazda"),
        ("LEXS", "lexus"),
        ("ACUR", "acura"),
        ("DODG", "dodge"),
        ("JEEP", "jeep"),
        ("CHRY", "chrysler"),
        ("GMC", "gmc"),
        ("CADI", "cadillac"),
        ("BUIC", "buick"),
        ("LINC", "lincoln"),
        ("MERC", "mercury"),
        ("MITS", "mitsubishi"),
        ("VOLV", "volvo"),
        ("PORS", "porsche"),
        ("JAGU", "jaguar"),
        ("LNDR", "landrover"),
        ("INFI", "infiniti"),
        ("TESL", "tesla"),
        ("RAM", "ram"),
        ("SUZI", "suzuki"),
        ("ISU", "isuzu"),
        ("MNNI", "mini"),
        ("FIAT", "fiat"),
        ("FERR", "ferrari"),
        ("LAMO", "lamborghini"),
        ("PONT", "pontiac"),
        ("SAA", "saab"),
        ("RENA", "renault"),
        ("PEUG", "peugeot"),
        ("SKOD", "skoda"),
        ("OPEL", "opel"),
        ("MASE", "maserati"),
    ];
    let listed: String = listed.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase();
    let known = CODES.iter().find(|(code, name)| *code == listed || name.to_ascii_uppercase() == listed);
    known.map(|(_, name)| *name)
}

/// Whether vehicles of one may carry the badge of the other, or look the same.
fn same_maker(a: &str, b: &str) -> bool {
    const TWINS: [[&str; 2]; 5] =
        [["dodge", "ram"], ["chevrolet", "gmc"], ["datsun", "nissan"], ["ford", "mercury"], ["toyota", "lexus"]];
    a == b || TWINS.iter().any(|pair| pair.contains(&a) && pair.contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(class: &str, colour: &str, make: &str) -> Appearance {
        let seen = |is: &str| (!is.is_empty()).then(|| Seen { is: is.into(), confidence: 0.9 });
        Appearance { class: seen(class), colour: seen(colour), make: seen(make), ..Appearance::default() }
    }

    fn entry(style: &str, colour: &str, make: &str) -> EntryRecord {
        EntryRecord { style: style.into(), colour: colour.into(), make: make.into(), ..EntryRecord::default() }
    }

    fn told(seen: &Appearance, entry: &EntryRecord) -> Vec<String> {
        differences(seen, entry).iter().map(VehicleDifference::in_words).collect()
    }

    #[test]
    fn a_listed_motorcycle_against_a_car_is_a_difference() {
        let car = seen("car", "", "");
        assert_eq!(told(&car, &entry("MC", "", "")), ["list says MC, seen: car"]);
        let by_plate = EntryRecord { plate_type: "MC".into(), ..EntryRecord::default() };
        assert_eq!(told(&car, &by_plate), ["list says MC, seen: car"]);
        assert_eq!(told(&seen("motorcycle", "", ""), &entry("4D", "", "")), ["list says 4D, seen: motorcycle"]);
        assert!(told(&seen("motorcycle", "", ""), &by_plate).is_empty());
    }

    #[test]
    fn what_may_be_meant_alike_is_no_difference() {
        for (seen, entry) in [
            (seen("suv", "silver", "gmc"), entry("4D", "GRY", "CHEV")),
            (seen("car", "black", "toyota"), entry("4D", "BLU", "TOYT")),
            (seen("car", "white", ""), entry("", "BLU/WHI", "")),
            (seen("car", "white", "toyota"), entry("??", "XXX", "ZZZZ")),
            (seen("", "", ""), entry("MC", "RED", "HOND")),
            (seen("van", "red", "mercedes"), entry("VN", "red", "Mercedes-Benz")),
        ] {
            assert_eq!(told(&seen, &entry), Vec::<String>::new(), "{seen:?} {entry:?}");
        }
    }

    #[test]
    fn colour_and_make_are_named_as_the_list_writes_them() {
        let told = told(&seen("car", "white", "toyota"), &entry("2D", "RED", "FORD"));
        assert_eq!(told, ["list says RED, seen: white", "list says FORD, seen: Toyota"]);
    }
}
