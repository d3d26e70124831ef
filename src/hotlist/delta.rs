//! What changed from one version of a list to another, and making the other out of it.
//!
//! Both work line by line, in bounded memory. What `apply` makes is checked by its hash, so a
//! wrong delta can only fail.

use super::canonical::{CanonicalLines, CanonicalWriter, Written, read_line};
use plated_core::digest::Sha256;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::wire::DeltaHeader;
use std::cmp::Ordering;
use std::io::{BufRead, Write};

const REMOVED: &[u8] = b"{\"removed\":";
const ADDED: &[u8] = b"{\"added\":";

/// Writes the delta from one list to another. Each is opened twice: once to count, since the
/// counts come first.
pub fn diff<A: BufRead, B: BufRead, W: Write>(
    from: &(Sha256, impl Fn() -> Result<A>),
    to: &(Sha256, impl Fn() -> Result<B>),
    mut output: W,
) -> Result<W> {
    let mut header = DeltaHeader { from: from.0, to: to.0, removed: 0, added: 0 };
    changes(from.1()?, to.1()?, |what, _| {
        *(if what == REMOVED { &mut header.removed } else { &mut header.added }) += 1;
        Ok(())
    })?;
    let failed = || "could not write a delta".to_owned();
    serde_json::to_writer(&mut output, &header).context(Kind::Storage, failed)?;
    output.write_all(b"\n").context(Kind::Storage, failed)?;
    changes(from.1()?, to.1()?, |what, line| {
        [what, line, b"}\n"].iter().try_for_each(|part| output.write_all(part)).context(Kind::Storage, failed)
    })?;
    output.flush().context(Kind::Storage, failed)?;
    Ok(output)
}

/// Gives the lines that only one of two lists has, in order.
fn changes(from: impl BufRead, to: impl BufRead, mut each: impl FnMut(&[u8], &[u8]) -> Result<()>) -> Result<()> {
    let (mut from, mut to) = (CanonicalLines::new(from), CanonicalLines::new(to));
    let (mut more_from, mut more_to) = (from.advance()?, to.advance()?);
    while more_from || more_to {
        match order(more_from.then(|| from.line()), more_to.then(|| to.line())) {
            Ordering::Less => {
                each(REMOVED, from.line())?;
                more_from = from.advance()?;
            }
            Ordering::Greater => {
                each(ADDED, to.line())?;
                more_to = to.advance()?;
            }
            Ordering::Equal => (more_from, more_to) = (from.advance()?, to.advance()?),
        }
    }
    Ok(())
}

/// The order of two lines; one that is not there comes last.
fn order(a: Option<&[u8]>, b: Option<&[u8]>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => a.cmp(b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}

/// Makes the list `to` out of the list `from` and a delta between the two, and writes it.
///
/// # Errors
/// `Input` when the delta is not one between these two, or does not fit the list. What was
/// written up to then is of no use.
pub fn apply<W: Write>(
    from: (Sha256, impl BufRead),
    delta: impl BufRead,
    to: Sha256,
    output: W,
) -> Result<(W, Written)> {
    let mut base = CanonicalLines::new(from.1);
    let mut changes = Changes::open(delta)?;
    if (changes.header.from, changes.header.to) != (from.0, to) {
        return Err(wrong("it is one between other versions"));
    }
    let mut writer = CanonicalWriter::new(output);
    let (mut more_base, mut more) = (base.advance()?, changes.advance()?);
    while more_base || more {
        match order(more_base.then(|| base.line()), more.then(|| changes.entry())) {
            Ordering::Less => {
                writer.add(base.line())?;
                more_base = base.advance()?;
            }
            Ordering::Equal if changes.removes() => (more_base, more) = (base.advance()?, changes.advance()?),
            Ordering::Greater if !changes.removes() => {
                writer.add(changes.entry())?;
                more = changes.advance()?;
            }
            Ordering::Equal => return Err(wrong("it adds an entry that is there already")),
            Ordering::Greater => return Err(wrong("it removes an entry that is not there")),
        }
    }
    let (output, written) = writer.finish()?;
    if written.sha256 != to {
        return Err(wrong("what it makes has another hash"));
    }
    Ok((output, written))
}

fn wrong(why: &str) -> Error {
    Error::new(Kind::Input, format!("the delta can't be used: {why}"))
}

/// The lines of a delta.
struct Changes<R> {
    header: DeltaHeader,
    input: R,
    number: u64,
    line: Vec<u8>,
    before: Vec<u8>,
    removed: u64,
    added: u64,
}

impl<R: BufRead> Changes<R> {
    fn open(mut input: R) -> Result<Self> {
        let mut line = Vec::new();
        if !read_line(&mut input, &mut line, 1)? {
            return Err(wrong("it is empty"));
        }
        let header = serde_json::from_slice(&line).map_err(|_| wrong("its first line is no header"))?;
        Ok(Self { header, input, number: 1, line: Vec::new(), before: Vec::new(), removed: 0, added: 0 })
    }

    /// Goes on to the next change; false at the end.
    fn advance(&mut self) -> Result<bool> {
        std::mem::swap(&mut self.line, &mut self.before);
        let first = self.number == 1;
        self.number += 1;
        if !read_line(&mut self.input, &mut self.line, self.number)? {
            if (self.removed, self.added) != (self.header.removed, self.header.added) {
                return Err(wrong("it has not as many lines as it says"));
            }
            return Ok(false);
        }
        match split(&self.line) {
            Some((true, _)) => self.removed += 1,
            Some((false, _)) => self.added += 1,
            None => return Err(wrong(&format!("line {} is no change", self.number))),
        }
        if !first && entry(&self.line) <= entry(&self.before) {
            return Err(wrong(&format!("line {} is not in order", self.number)));
        }
        Ok(true)
    }

    fn removes(&self) -> bool {
        split(&self.line).is_some_and(|(removes, _)| removes)
    }

    fn entry(&self) -> &[u8] {
        entry(&self.line)
    }
}

/// A change: whether it removes, and the entry.
fn split(line: &[u8]) -> Option<(bool, &[u8])> {
    let line = line.strip_suffix(b"}")?;
    line.strip_prefix(REMOVED).map(|e| (true, e)).or_else(|| line.strip_prefix(ADDED).map(|e| (false, e)))
}

fn entry(line: &[u8]) -> &[u8] {
    split(line).map_or(b"", |(_, entry)| entry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn text(lines: &BTreeSet<String>) -> Vec<u8> {
        lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect()
    }

    fn between(a: &[u8], b: &[u8]) -> Vec<u8> {
        diff(&(Sha256::of(a), || Ok(a)), &(Sha256::of(b), || Ok(b)), Vec::new()).unwrap()
    }

    fn applied(a: &[u8], delta: &[u8], b: &[u8]) -> Result<Vec<u8>> {
        apply((Sha256::of(a), a), delta, Sha256::of(b), Vec::new()).map(|(made, _)| made)
    }

    fn lines() -> impl Strategy<Value = BTreeSet<String>> {
        // Few different lines, so that many are in both lists.
        proptest::collection::btree_set("[{}ab\"]{1,3}|\\{\"plate\":\"[0-9A-Z]{1,7}\"\\}", 0..40)
    }

    proptest! {
        #[test]
        fn the_delta_of_two_lists_makes_the_second_of_the_first(a in lines(), b in lines()) {
            let (a_text, b_text) = (text(&a), text(&b));
            let delta = between(&a_text, &b_text);
            prop_assert_eq!(applied(&a_text, &delta, &b_text).unwrap(), b_text);
            let changed = a.symmetric_difference(&b).count();
            prop_assert_eq!(delta.iter().filter(|c| **c == b'\n').count(), 1 + changed);
        }

        #[test]
        fn a_damaged_delta_makes_the_right_list_or_none(
            a in lines(), b in lines(), at: prop::sample::Index, byte: u8, cut: bool,
        ) {
            let (a, b) = (text(&a), text(&b));
            let mut delta = between(&a, &b);
            let at = at.index(delta.len());
            if cut { delta.truncate(at) } else { delta[at] = byte }
            if let Ok(made) = applied(&a, &delta, &b) {
                prop_assert_eq!(made, b);
            }
        }

        #[test]
        fn any_bytes_are_refused_without_a_panic(delta: Vec<u8>) {
            prop_assert!(applied(b"a\n", &delta, b"b\n").is_err());
        }
    }

    #[test]
    fn a_delta_that_does_not_fit_says_why() {
        let (a, b) = (&b"a\nb\n"[..], &b"b\nc\n"[..]);
        let good = String::from_utf8(between(a, b)).unwrap();
        for (delta, expected) in [
            (good.replace("{\"removed\":a}", "{\"removed\":aa}"), "removes an entry that is not there"),
            (good.replace("{\"added\":c}", "{\"added\":b}"), "adds an entry that is there already"),
            (good.replace("{\"added\":c}", "{\"added\":d}"), "another hash"),
            (good.replace("\"added\":1", "\"added\":2"), "not as many lines"),
            (good.replace("{\"added\":c}", "c"), "line 3 is no change"),
            (good.replace("{\"removed\":a}\n{\"added\":c}", "{\"added\":c}\n{\"removed\":a}"), "not in order"),
            (String::new(), "empty"),
            ("{}\n".into(), "no header"),
        ] {
            let why = applied(a, delta.as_bytes(), b).unwrap_err();
            assert!(why.to_string().contains(expected), "{expected}: {why}");
        }
        let why = applied(b, good.as_bytes(), a).unwrap_err();
        assert!(why.to_string().contains("other versions"), "{why}");
    }
}
