//! Which lists a user may see (control P-08).

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a user may see of lists. By default nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Grants {
    /// Every list that is not covert, those to come included.
    pub every_list: bool,
    /// Lists by name. A covert list is seen only by those to whom it is granted here.
    pub lists: BTreeSet<String>,
    /// Entries of state and federal lists (CLETS, NCIC); without it no list of that kind is seen,
    /// whatever else is granted.
    pub clets: bool,
}

/// Where an entry or a hit comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source<'a> {
    /// Name of the list.
    pub list: &'a str,
    /// It is a state or federal list, for which a CLETS grant is needed.
    pub clets: bool,
    /// It is covert.
    pub covert: bool,
}

/// What somebody may know of an alert or an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// All of it.
    Whole,
    /// That there is one, and nothing of what it says.
    Existence,
    /// Nothing.
    Hidden,
}

impl Grants {
    /// True when `source` may be seen.
    pub fn include(&self, source: Source<'_>) -> bool {
        let named = self.lists.contains(source.list);
        (named || self.every_list && !source.covert) && (self.clets || !source.clets)
    }
}

/// The lists that a permit is good for. Whoever gives out rows against the permit asks it for each.
#[derive(Clone, Debug)]
pub struct Scope {
    /// None: all, which only the machine has.
    grants: Option<Grants>,
    existence: bool,
}

impl Scope {
    pub(crate) fn machine() -> Self {
        Self { grants: None, existence: false }
    }

    pub(crate) fn granted(grants: Grants, existence: bool) -> Self {
        Self { grants: Some(grants), existence }
    }

    /// What may be known of something from `source`. Of a covert list nothing is ever hinted at.
    pub fn visibility(&self, source: Source<'_>) -> Visibility {
        match &self.grants {
            None => Visibility::Whole,
            Some(grants) if grants.include(source) => Visibility::Whole,
            Some(_) if self.existence && !source.covert => Visibility::Existence,
            Some(_) => Visibility::Hidden,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: Source<'_> = Source { list: "local", clets: false, covert: false };
    const SVS: Source<'_> = Source { list: "svs", clets: true, covert: false };
    const COVERT: Source<'_> = Source { list: "watch", clets: false, covert: true };

    fn grants(every_list: bool, lists: &[&str], clets: bool) -> Grants {
        Grants { every_list, lists: lists.iter().map(|l| (*l).to_owned()).collect(), clets }
    }

    // policy: P-08
    #[test]
    fn a_list_is_seen_by_those_to_whom_it_is_granted_and_a_state_list_by_nobody_without_a_clets_grant() {
        for (grants, seen) in [
            (Grants::default(), [false, false, false]),
            (grants(false, &["local"], false), [true, false, false]),
            (grants(false, &["svs"], false), [false, false, false]),
            (grants(false, &["svs"], true), [false, true, false]),
            (grants(true, &[], false), [true, false, false]),
            (grants(true, &[], true), [true, true, false]),
            (grants(true, &["watch"], true), [true, true, true]),
        ] {
            assert_eq!([LOCAL, SVS, COVERT].map(|s| grants.include(s)), seen, "{grants:?}");
        }
    }

    // policy: P-08
    #[test]
    fn others_learn_that_an_alert_exists_only_if_the_agency_allows_it_and_never_of_a_covert_one() {
        let seen = |scope: Scope| [SVS, COVERT].map(|s| scope.visibility(s));
        assert_eq!(seen(Scope::granted(Grants::default(), false)), [Visibility::Hidden; 2]);
        assert_eq!(seen(Scope::granted(Grants::default(), true)), [Visibility::Existence, Visibility::Hidden]);
        assert_eq!(seen(Scope::machine()), [Visibility::Whole; 2]);
    }
}
