//! Which passwords are taken. Long ones that nobody guesses; no digits or signs are asked for.

use super::Password;
use plated_core::error::{Context, Error, Kind, Result};
use std::collections::HashSet;
use std::path::Path;

/// Commonly used passwords and the words they are made of, one a line.
const COMMON: &str = include_str!("banned.txt");
/// Runs on keyboards, either way.
const ROWS: [&str; 7] =
    ["qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890", "qwertzuiop", "azertyuiop", "1qaz2wsx3edc4rfv5tgb6yhn7ujm"];
/// Shorter words are parts of too many others.
const MIN_WORD: usize = 4;
/// Longer lines of a banned list are compared as far as this.
const MAX_WORD: usize = 64;
/// Characters that must be left without common words, patterns and what is known of the person.
const MIN_LEFT: usize = 8;
/// Largest file of banned passwords in bytes.
const MAX_FILE: u64 = 64 << 20;

/// The rules for new passwords.
#[derive(Debug)]
pub struct PasswordRules {
    min_chars: usize,
    banned: HashSet<String>,
    longest: usize,
}

impl PasswordRules {
    /// So many characters at least, none of the common passwords, nor of those in the file: one on
    /// each line.
    ///
    /// # Errors
    /// `Config` when the file can't be read.
    pub fn new(min_chars: usize, file: Option<&Path>) -> Result<Self> {
        let mut rules = Self { min_chars, banned: HashSet::new(), longest: 0 };
        COMMON.lines().filter(|line| !line.starts_with('#')).for_each(|line| rules.ban(line));
        for row in ROWS {
            let (row, mut back) = (row.as_bytes().to_vec(), row.as_bytes().to_vec());
            back.reverse();
            for text in [row, back] {
                for length in MIN_WORD..=text.len() {
                    text.windows(length).for_each(|run| rules.ban(&String::from_utf8_lossy(run)));
                }
            }
        }
        if let Some(file) = file {
            let failed = || format!("could not read the banned passwords {}", file.display());
            let bytes = std::fs::metadata(file).context(Kind::Config, failed)?.len();
            if bytes > MAX_FILE {
                let message = format!("the banned passwords {} are larger than 64 MiB", file.display());
                return Err(Error::new(Kind::Config, message));
            }
            let text = std::fs::read(file).context(Kind::Config, failed)?;
            String::from_utf8_lossy(&text).lines().for_each(|line| rules.ban(line));
        }
        Ok(rules)
    }

    fn ban(&mut self, line: &str) {
        let word: String = line.trim().to_lowercase().chars().take(MAX_WORD).collect();
        let length = word.chars().count();
        if length >= MIN_WORD {
            self.longest = self.longest.max(length);
            self.banned.insert(word);
        }
    }

    /// Checks a new password. `personal` is what others know of its owner: names, agency.
    ///
    /// # Errors
    /// `Input`, with everything that has to be different.
    pub fn check(&self, password: &Password, personal: &[&str]) -> Result<()> {
        let text = password.as_str();
        let (chars, mut wrong) = (text.chars().count(), Vec::new());
        if chars < self.min_chars {
            wrong.push(format!("it has {chars} characters; use {} or more, such as several words", self.min_chars));
        }
        if text.len() > Password::MAX_BYTES {
            wrong.push(format!("it is longer than {} bytes", Password::MAX_BYTES));
        } else if chars >= self.min_chars && self.left(text, personal) < MIN_LEFT {
            wrong.push(
                "it is little more than common passwords, a pattern of keys, or your name or agency; add words that \
                 nobody would guess"
                    .to_owned(),
            );
        }
        if text.chars().any(char::is_control) {
            wrong.push("it holds characters that can't be typed into every field, such as a tab".to_owned());
        }
        if wrong.is_empty() {
            return Ok(());
        }
        Err(Error::new(Kind::Input, format!("this password can't be used: {}", wrong.join("; "))))
    }

    /// Characters that are left of it when all that is easily guessed is taken away.
    fn left(&self, text: &str, personal: &[&str]) -> usize {
        let mut chars: Vec<char> = text.to_lowercase().chars().filter(|c| !c.is_whitespace()).collect();
        chars.truncate(period(&chars));
        let personal: HashSet<String> = personal
            .iter()
            .flat_map(|text| text.split(|c: char| !c.is_alphanumeric()))
            .map(str::to_lowercase)
            .filter(|word| word.chars().count() >= MIN_WORD)
            .collect();
        let longest = personal.iter().map(|word| word.chars().count()).max().unwrap_or(0).max(self.longest);
        let mut guessed = vec![false; chars.len()];
        for read in [chars.clone(), unfolded(&chars, 'l'), unfolded(&chars, 'i')] {
            for from in 0..read.len() {
                for to in from + MIN_WORD..=read.len().min(from + longest) {
                    let word: String = read[from..to].iter().collect();
                    if self.banned.contains(&word) || personal.contains(&word) || is_year(&word) {
                        guessed[from..to].fill(true);
                    }
                }
            }
        }
        // Of `aaaa`, `4567` or `dcba` the first character counts.
        for step in [-1, 0, 1] {
            let mut run = 1;
            for at in 1..chars.len() {
                let next = i64::from(u32::from(chars[at])) - i64::from(u32::from(chars[at - 1])) == step;
                run = if next { run + 1 } else { 1 };
                if run >= 3 {
                    guessed[at - 1..=at].fill(true);
                }
            }
        }
        guessed.iter().filter(|guessed| !**guessed).count()
    }
}

/// Length of the part that the text repeats; of the whole when it repeats none.
fn period(chars: &[char]) -> usize {
    let repeats = |p: &usize| (*p..chars.len()).all(|n| chars[n] == chars[n - p]);
    (1..=chars.len() / 2).find(repeats).unwrap_or(chars.len())
}

/// Digits and signs that stand for letters, as these.
fn unfolded(chars: &[char], one: char) -> Vec<char> {
    let letter = |c: &char| match c {
        '0' => 'o',
        '1' | '!' | '|' => one,
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' | '+' => 't',
        '8' => 'b',
        '9' => 'g',
        c => *c,
    };
    chars.iter().map(letter).collect()
}

fn is_year(word: &str) -> bool {
    word.len() == 4 && (word.starts_with("19") || word.starts_with("20")) && word.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(password: &str) -> Result<(), String> {
        let rules = PasswordRules::new(12, None).unwrap();
        let personal = ["jdoe4711", "Jane Doering", "Lodi Police Department"];
        rules.check(&Password::new(password), &personal).map_err(|e| e.to_string())
    }

    // policy: P-20
    #[test]
    fn a_password_has_twelve_characters_or_more_and_needs_no_digits_or_signs() {
        assert!(check("x7#kQ9pLm2").unwrap_err().contains("it has 10 characters; use 12 or more"));
        for good in [
            "correct horse battery staple",
            "walnut gravel tuesday",
            "xk4vpqmw9zht",
            "Zaun Fluss Ofen Kreide",
            "\u{6771}\u{4eac}\u{90fd}\u{5343}\u{4ee3}\u{7530}\u{533a}\u{970d}\u{30f6}\u{95a2}\u{4e00}\u{4e8c}",
        ] {
            check(good).unwrap();
        }
        assert!(check("walnut\tgravel tuesday").unwrap_err().contains("tab"));
        assert!(check(&"walnut gravel tuesday ".repeat(60)).unwrap_err().contains("longer than 1024 bytes"));
    }

    // policy: P-20
    #[test]
    fn common_passwords_patterns_names_and_the_agency_are_no_passwords() {
        for bad in [
            "password1234",
            "P@ssw0rd2026!",
            "Pa$$w0rdPa$$w0rd",
            "qwertyuiop12",
            "1qaz2wsx3edc",
            "aaaaaaaaaaaaaaaa",
            "abcdefghijklmnop",
            "987654321098",
            "xk4xk4xk4xk4xk4xk4",
            "Lodi-Police-2026",
            "janedoering12",
            "jdoe4711jdoe4711",
            "Welcome2Lodi!!",
            "iloveyou-dragon",
            "letmein letmein!",
            "summer-winter-2026",
        ] {
            assert!(check(bad).unwrap_err().contains("nobody would guess"), "{bad}");
        }
    }

    #[test]
    fn a_file_of_the_agency_bans_more() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("banned");
        std::fs::write(&path, "walnut gravel tuesday\nGravel\n\u{fe}\n").unwrap();
        let rules = PasswordRules::new(12, Some(&path)).unwrap();
        let checked = |text: &str| rules.check(&Password::new(text), &[]);
        assert!(checked("gravel-gravel-xk4").is_err());
        checked("walnut tuesday onion").unwrap();
        let missing = PasswordRules::new(12, Some(&dir.path().join("none"))).unwrap_err();
        assert!(missing.kind() == Kind::Config && missing.chain().contains("none"), "{}", missing.chain());
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_refused_is_told_why(text in "\\PC{0,60}", name in "\\PC{0,20}") {
            let rules = PasswordRules::new(12, None).unwrap();
            if let Err(refused) = rules.check(&Password::new(text.clone()), &[&name]) {
                prop_assert!(refused.to_string().contains("can't be used: "));
                prop_assert!(text.len() < 8 || !refused.to_string().contains(&text), "the password is not shown");
            }
        }
    }
}
