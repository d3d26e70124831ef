//! States, provinces and authorities that issue plates, by the codes and names that lists use.
//!
//! Sources: USPS Publication 28, appendix B (states, territories, armed forces); Canada Post's symbols
//! of provinces; the codes of the NCIC Code Manual for license plate states (LIS), as the National
//! Information Exchange Model publishes them (`fbi:LISCodeSimpleType`).

/// Our code, and the name. Ours is the postal one and, for the states of Mexico, NCIC's: GU and NL
/// each stand for two.
#[rustfmt::skip]
const STATES: [(&str, &str); 110] = [
    ("AL", "Alabama"), ("AK", "Alaska"), ("AZ", "Arizona"), ("AR", "Arkansas"), ("CA", "California"),
    ("CO", "Colorado"), ("CT", "Connecticut"), ("DE", "Delaware"), ("DC", "District of Columbia"), ("FL", "Florida"),
    ("GA", "Georgia"), ("HI", "Hawaii"), ("ID", "Idaho"), ("IL", "Illinois"), ("IN", "Indiana"), ("IA", "Iowa"),
    ("KS", "Kansas"), ("KY", "Kentucky"), ("LA", "Louisiana"), ("ME", "Maine"), ("MD", "Maryland"),
    ("MA", "Massachusetts"), ("MI", "Michigan"), ("MN", "Minnesota"), ("MS", "Mississippi"), ("MO", "Missouri"),
    ("MT", "Montana"), ("NE", "Nebraska"), ("NV", "Nevada"), ("NH", "New Hampshire"), ("NJ", "New Jersey"),
    ("NM", "New Mexico"), ("NY", "New York"), ("NC", "North Carolina"), ("ND", "North Dakota"), ("OH", "Ohio"),
    ("OK", "Oklahoma"), ("OR", "Oregon"), ("PA", "Pennsylvania"), ("RI", "Rhode Island"), ("SC", "South Carolina"),
    ("SD", "South Dakota"), ("TN", "Tennessee"), ("TX", "Texas"), ("UT", "Utah"), ("VT", "Vermont"),
    ("VA", "Virginia"), ("WA", "Washington"), ("WV", "West Virginia"), ("WI", "Wisconsin"), ("WY", "Wyoming"),
    // Territories, and states in free association.
    ("AS", "American Samoa"), ("GU", "Guam"), ("MP", "Northern Mariana Islands"), ("PR", "Puerto Rico"),
    ("VI", "Virgin Islands"), ("FM", "Micronesia"), ("MH", "Marshall Islands"), ("PW", "Palau"),
    // "US" is NCIC's code for plates of the United States: government, military, diplomats.
    ("US", "United States Government"), ("AA", "Armed Forces Americas"), ("AE", "Armed Forces Europe"),
    ("AP", "Armed Forces Pacific"),
    // Canada.
    ("AB", "Alberta"), ("BC", "British Columbia"), ("MB", "Manitoba"), ("NB", "New Brunswick"),
    ("NL", "Newfoundland and Labrador"), ("NS", "Nova Scotia"), ("NT", "Northwest Territories"), ("NU", "Nunavut"),
    ("ON", "Ontario"), ("PE", "Prince Edward Island"), ("QC", "Quebec"), ("SK", "Saskatchewan"), ("YT", "Yukon"),
    ("CD", "Canada"),
    // Mexico.
    ("AG", "Aguascalientes"), ("BA", "Baja California"), ("BJ", "Baja California Sur"), ("CE", "Campeche"),
    ("CI", "Chiapas"), ("CH", "Chihuahua"), ("CU", "Coahuila"), ("CL", "Colima"), ("DF", "Distrito Federal"),
    ("DO", "Durango"), ("GU", "Guanajuato"), ("GR", "Guerrero"), ("HL", "Hidalgo"), ("JL", "Jalisco"),
    ("MX", "Mexico"), ("MC", "Michoacan"), ("MR", "Morelos"), ("NA", "Nayarit"), ("NL", "Nuevo Leon"),
    ("OA", "Oaxaca"), ("PB", "Puebla"), ("QU", "Queretaro"), ("QR", "Quintana Roo"), ("SL", "San Luis Potosi"),
    ("SI", "Sinaloa"), ("SO", "Sonora"), ("TB", "Tabasco"), ("TA", "Tamaulipas"), ("TL", "Tlaxcala"),
    ("VC", "Veracruz"), ("YU", "Yucatan"), ("ZA", "Zacatecas"), ("MM", "Mexico, state unknown"),
];

/// Where NCIC has another code than the post.
const NCIC: [(&str, &str); 9] = [
    ("NB", "NE"),
    ("NK", "NB"),
    ("SN", "SK"),
    ("PQ", "QC"),
    ("NF", "NL"),
    ("GM", "GU"),
    ("AM", "AS"),
    ("MK", "MP"),
    ("FS", "FM"),
];

/// NCIC's codes for the plates of other countries and of tribes.
const NCIC_ABROAD: &str = "\
AD AF AH AI AJ AN AO AQ AT AU AV AX BB BD BE BF BG BH BI BK BL BM BN BO BP BQ BR BS BT BU BV BW BX BY BZ CB CC CF CG \
CJ CM CP CQ CR CS CV CW CY CZ DA DB DD DG DH DI DJ DK DL DM DN DP DR DS DT DV DW EE EK EL EN EO ER ES ET EU EY EZ FA \
FC FD FG FJ FN FO FP FR FX GB GC GD GE GF GG GI GJ GK GN GO GP GS GT GY GZ HD HE HK HN HO HR HS HT HU IB IC IE II IM \
IO IQ IR IS IT IU IW IX IY JA JE JI JM JN JO JR JU KB KC KE KH KI KK KN KO KP KT KU KW KZ LB LC LD LE LF LH LI LL LN \
LO LP LS LT LU LX LY MF MG MJ ML MQ MU MV MW MY MZ NG NI NN NO NP NQ NR NW NX NZ OC OF OG OI OM OO OS OT PC PD PF PG \
PI PK PL PM PN PO PS PT PU PV QA RA RB RC RE RF RG RH RL RR RS RU RV RW RY SA SB SE SF SG SH SJ SM SP SQ SR SS SU SV \
SW SY SZ TC TD TE TF TG TH TJ TK TM TO TP TR TS TT TU TV TW TY TZ UC UG UK UM UR UV UY UZ VB VL VV VY VZ WB WD WE WF \
WK WL WN WS WT YG YO YY ZB ZC ZD ZI ZM ZO ZR";

/// Which codes a list uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Codes {
    /// Those of the post.
    #[default]
    Postal,
    /// NCIC's for states and provinces.
    Ncic,
    /// NCIC's, other countries and tribes included.
    NcicWorld,
}

/// The code of a state that a list names; `Some("")` where it says that the state is not known, and
/// `None` for a text that names no state. Case does not matter, `US-CA` and full names are
/// understood, and NCIC's zero for the letter O is put right.
pub fn code_of(text: &str, codes: Codes) -> Option<&'static str> {
    if text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase()) {
        return plain(text, codes); // Nearly every line of a list.
    }
    let folded: String = text.chars().filter_map(fold).collect();
    let none = folded.is_empty() || text.trim().eq_ignore_ascii_case("n/a");
    if none || ["UNK", "UNKN", "UNKNOWN", "NONE", "NULL"].contains(&folded.as_str()) {
        return Some("");
    }
    let code = folded.replace('0', "O");
    if code.len() == 2 {
        return plain(&code, codes);
    }
    let by_country = || {
        // "US-CA" and the like, where a country stands in front: US, USA, MX, MEX, CA (Canada), CAN.
        let (country, state) = text.split_once(['-', '_', ' ', '/', '.'])?;
        let known = ["US", "USA", "MX", "MEX", "CA", "CAN"].iter().any(|c| country.trim().eq_ignore_ascii_case(c));
        let state = state.trim().to_ascii_uppercase().replace('0', "O");
        known.then(|| plain(&state, codes)).flatten()
    };
    let by_name = || STATES.iter().find(|(_, name)| name.chars().filter_map(fold).eq(folded.chars())).map(|(c, _)| *c);
    by_country().or_else(by_name)
}

/// A code of two capital letters.
fn plain(code: &str, codes: Codes) -> Option<&'static str> {
    if codes != Codes::Postal
        && let Some((_, ours)) = NCIC.iter().find(|(theirs, _)| *theirs == code)
    {
        return Some(*ours);
    }
    let known = STATES.iter().find(|(ours, _)| *ours == code).map(|(ours, _)| *ours);
    let abroad = || NCIC_ABROAD.split(' ').find(|known| codes == Codes::NcicWorld && *known == code);
    known.or_else(abroad)
}

/// Letters in upper case and digits; accents as Mexico's states have them go.
fn fold(c: char) -> Option<char> {
    let plain = match c {
        'á' | 'Á' => 'A',
        'é' | 'É' => 'E',
        'í' | 'Í' => 'I',
        'ó' | 'Ó' => 'O',
        'ú' | 'Ú' => 'U',
        c => c,
    };
    plain.is_alphanumeric().then(|| plain.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_known_by_code_by_name_and_with_their_country_in_front() {
        let code = |text| code_of(text, Codes::Postal);
        for (text, expected) in [
            ("CA", "CA"),
            ("ca", "CA"),
            ("us-ca", "CA"),
            ("US_TX", "TX"),
            ("usa ny", "NY"),
            ("California", "CA"),
            ("NEW  MEXICO", "NM"),
            ("D.C.", "DC"),
            ("PR", "PR"),
            ("ca-on", "ON"),
            ("Québec", "QC"),
            ("Nuevo León", "NL"),
            ("BJ", "BJ"),
            ("US", "US"),
            ("0H", "OH"),
            ("c0", "CO"),
            ("NB", "NB"),
            ("", ""),
            ("--", ""),
            ("N/A", ""),
            ("NA", "NA"),
            ("unknown", ""),
        ] {
            assert_eq!(code(text), Some(expected), "{text}");
        }
        for no in ["ZZ", "XX", "QQ", "AO", "A0", "7A", "C", "CAL", "us-zz", "Bavaria", "stolen_vehicle", "NK"] {
            assert_eq!(code(no), None, "{no}");
        }
    }

    #[test]
    fn ncic_has_codes_of_its_own_and_knows_other_countries() {
        for (theirs, ours) in [("NB", "NE"), ("NK", "NB"), ("SN", "SK"), ("PQ", "QC"), ("N0", "NO"), ("GT", "GT")] {
            assert_eq!(code_of(theirs, Codes::NcicWorld), Some(ours), "{theirs}");
        }
        assert_eq!((code_of("NB", Codes::Ncic), code_of("GT", Codes::Ncic)), (Some("NE"), None));
        assert_eq!(code_of("ZZ", Codes::NcicWorld), None);
    }

    #[test]
    fn each_code_is_two_letters_and_each_name_stands_once() {
        let all = STATES.iter().map(|(code, _)| *code).chain(NCIC.iter().flat_map(|(a, b)| [*a, *b]));
        for code in all.chain(NCIC_ABROAD.split(' ')) {
            assert!(code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase()), "{code}");
        }
        let names: std::collections::BTreeSet<&str> = STATES.iter().map(|(_, name)| *name).collect();
        assert_eq!(names.len(), STATES.len());
    }
}
