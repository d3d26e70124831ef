//! Sessions: who is logged in, until when, and whether the screen is locked (control P-20).
//!
//! Time is counted by the monotonic clock, so that setting the wall clock ends no session and
//! prolongs none. Only over a restart, which no monotonic clock outlasts, does the wall clock say how
//! long it took; when that was long, or the clock went back, the session is locked.

use crate::login_name::LoginName;
use aws_lc_rs::{constant_time, hmac, rand};
use jiff::Timestamp;
use plated_core::digest::{Hasher, Sha256};
use plated_core::error::{Error, Kind, Result};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;
use std::time::Duration;
use zeroize::Zeroizing;

/// What a browser shows to prove that it is logged in, or a program that it may ask for alerts: 32 random
/// bytes, of which only the hash is kept.
pub struct Token(Zeroizing<[u8; 32]>);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

impl Token {
    pub(crate) fn generate() -> Result<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        rand::fill(&mut *bytes).map_err(|_| Error::new(Kind::Internal, "the system gives no random numbers"))?;
        Ok(Self(bytes))
    }

    /// The token in 64 hex digits, as a cookie brings it.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text, &mut *bytes).ok()?;
        Some(Self(bytes))
    }

    /// The 64 hex digits, for a cookie.
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(*self.0))
    }

    /// The session that it opens.
    pub fn session(&self) -> SessionId {
        SessionId(Hasher::new().with(b"plated session 1\n").with(&*self.0).finish())
    }

    /// The hash under which it is kept as the token of a program. It opens no session, nor that of a session a
    /// program's way.
    pub fn subscriber(&self) -> Sha256 {
        Hasher::new().with(b"plated subscriber 1\n").with(&*self.0).finish()
    }

    /// What a form of this session has to bring with it, so that no other site sends one (CSRF).
    pub fn csrf(&self) -> String {
        hex::encode(self.csrf_tag())
    }

    /// True when `given` is what the form was given. Takes as long whatever it is.
    pub fn is_csrf(&self, given: &str) -> bool {
        constant_time::verify_slices_are_equal(self.csrf().as_bytes(), given.as_bytes()).is_ok()
    }

    fn csrf_tag(&self) -> hmac::Tag {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &*self.0), b"plated csrf 1\n")
    }
}

/// Names a session without opening it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(Sha256);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A session as it is kept, so that a restart of the daemon logs nobody out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRecord {
    /// Hash of its token.
    pub id: SessionId,
    /// Whose it is.
    pub user: LoginName,
    /// When it began.
    pub opened: Timestamp,
    /// When this was written.
    pub seen: Timestamp,
    /// How old it was then, in seconds.
    pub age_s: u64,
    /// For how long nobody had used it then, in seconds.
    pub idle_s: u64,
    /// It needs the password before it can go on.
    pub locked: bool,
    /// By what it was opened.
    #[serde(default, skip_serializing_if = "Means::is_password")]
    pub means: Means,
}

/// By what somebody logged in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// The password that is kept here.
    #[default]
    Password,
    /// The agency's own login.
    Provider {
        /// It asked for a second factor that counts here.
        second_factor: bool,
    },
}

impl Means {
    fn is_password(&self) -> bool {
        *self == Self::Password
    }
}

/// How long sessions last.
#[derive(Clone, Copy, Debug)]
pub struct SessionRule {
    /// Locked when nobody used it for so long; `None`: never.
    pub idle: Option<Duration>,
    /// Over after so long, used or not.
    pub lifetime: Duration,
}

/// Whether a request comes from a person, or from a page that asks by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// Somebody did something: keeps the session from being locked.
    Person,
    /// A page asked by itself, as for live events.
    Background,
}

/// A daemon that was down for longer comes back with its sessions locked.
const MAX_DOWN: Duration = Duration::from_secs(600);
/// How often it is kept that a session goes on.
const KEEP_INTERVAL: Duration = Duration::from_secs(60);
/// Most sessions of one person. A further one ends the oldest.
const MAX_SESSIONS: usize = 8;

/// All sessions.
#[derive(Debug)]
pub(crate) struct Sessions {
    rule: SessionRule,
    live: HashMap<SessionId, Live>,
}

#[derive(Clone, Debug)]
struct Live {
    record: SessionRecord,
    /// Monotonic times: since when `record` counts, when somebody used it last, when it was kept last.
    begun: Duration,
    used: Option<Duration>,
    kept: Duration,
    /// As it was kept last.
    written: SessionRecord,
}

impl Live {
    fn age(&self, now: Duration) -> Duration {
        Duration::from_secs(self.record.age_s) + now.saturating_sub(self.begun)
    }

    fn idle(&self, now: Duration) -> Duration {
        match self.used {
            Some(used) => now.saturating_sub(used),
            None => Duration::from_secs(self.record.idle_s) + now.saturating_sub(self.begun),
        }
    }

    /// As it is to be kept now.
    fn record(&mut self, wall: Timestamp, now: Duration) -> SessionRecord {
        self.kept = now;
        let (age_s, idle_s) = (self.age(now).as_secs(), self.idle(now).as_secs());
        self.written = SessionRecord { seen: wall, age_s, idle_s, ..self.record.clone() };
        self.written.clone()
    }
}

/// What became of a session that was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// There is none.
    None,
    /// It is over; to be removed from where it is kept.
    Over,
    /// It goes on; `keep` is what has changed and is to be kept.
    Live { user: LoginName, locked: bool, means: Means, keep: Option<SessionRecord> },
}

impl Sessions {
    /// Those that were kept before the restart.
    pub fn new(rule: SessionRule, kept: Vec<SessionRecord>, wall: Timestamp, now: Duration) -> Self {
        let restore = |mut record: SessionRecord| {
            let written = record.clone();
            let down = Duration::try_from(wall.duration_since(record.seen)).ok();
            record.locked |= down.is_none_or(|down| down > MAX_DOWN);
            let down = down.unwrap_or_default().as_secs();
            record.age_s = record.age_s.saturating_add(down);
            record.idle_s = record.idle_s.saturating_add(down);
            (record.id, Live { record, begun: now, used: None, kept: now, written })
        };
        Self { rule, live: kept.into_iter().map(restore).collect() }
    }

    /// A new session, and those that had to end for it.
    pub fn open(
        &mut self,
        id: SessionId,
        user: LoginName,
        means: Means,
        wall: Timestamp,
        now: Duration,
    ) -> (SessionRecord, Vec<SessionId>) {
        let mut own: Vec<_> = self.live.iter().filter(|(_, live)| live.record.user == user).collect();
        own.sort_by_key(|(_, live)| live.age(now));
        let ended: Vec<_> = own.into_iter().skip(MAX_SESSIONS - 1).map(|(id, _)| *id).collect();
        ended.iter().for_each(|id| drop(self.live.remove(id)));
        let record = SessionRecord { id, user, opened: wall, seen: wall, age_s: 0, idle_s: 0, locked: false, means };
        let written = record.clone();
        self.live.insert(id, Live { record: record.clone(), begun: now, used: Some(now), kept: now, written });
        (record, ended)
    }

    /// Takes over what others have written of a session that they share; none: they ended it. The wall clock says how long
    /// ago they did.
    pub fn adopt(&mut self, id: SessionId, kept: Option<SessionRecord>, wall: Timestamp, now: Duration) {
        let Some(written) = kept else {
            self.live.remove(&id);
            return;
        };
        let here = self.live.get(&id);
        if here.is_some_and(|live| live.written == written) {
            return;
        }
        // Clocks differ a little; what was written in the future was written just now.
        let since = Duration::try_from(wall.duration_since(written.seen)).unwrap_or_default().as_secs();
        let mut record = written.clone();
        record.age_s = record.age_s.saturating_add(since);
        record.idle_s = record.idle_s.saturating_add(since);
        let there = now.checked_sub(Duration::from_secs(record.idle_s));
        let used = here.and_then(|live| live.used).max(there);
        self.live.insert(id, Live { record, begun: now, used, kept: now, written });
    }

    /// The session as it is now.
    pub fn find(&mut self, id: SessionId, activity: Activity, wall: Timestamp, now: Duration) -> Found {
        let Some(live) = self.live.get_mut(&id) else { return Found::None };
        if live.age(now) >= self.rule.lifetime {
            self.live.remove(&id);
            return Found::Over;
        }
        let idle = self.rule.idle.is_some_and(|limit| live.idle(now) >= limit);
        let locks = idle && !live.record.locked;
        live.record.locked |= idle;
        // After a restart its first use is kept at once: a command line without a daemon begins anew each time.
        let resumed = live.used.is_none() && !live.record.locked && activity == Activity::Person;
        if !live.record.locked && activity == Activity::Person {
            live.used = Some(now);
        }
        let due = locks || resumed || now.saturating_sub(live.kept) >= KEEP_INTERVAL;
        let keep = due.then(|| live.record(wall, now));
        Found::Live { user: live.record.user.clone(), locked: live.record.locked, means: live.record.means, keep }
    }

    /// Locks or unlocks it; gives what is to be kept.
    pub fn set_locked(&mut self, id: SessionId, locked: bool, wall: Timestamp, now: Duration) -> Option<SessionRecord> {
        let live = self.live.get_mut(&id)?;
        live.record.locked = locked;
        if !locked {
            live.used = Some(now);
        }
        Some(live.record(wall, now))
    }

    /// Ends it. False: there was none.
    pub fn end(&mut self, id: SessionId) -> bool {
        self.live.remove(&id).is_some()
    }

    /// Ends all of this person but one.
    pub fn end_of(&mut self, user: &LoginName, but: Option<SessionId>) -> Vec<SessionId> {
        let ends = |(id, live): (&SessionId, &Live)| (live.record.user == *user && Some(*id) != but).then_some(*id);
        let ended: Vec<_> = self.live.iter().filter_map(ends).collect();
        ended.iter().for_each(|id| drop(self.live.remove(id)));
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RULE: SessionRule =
        SessionRule { idle: Some(Duration::from_secs(1800)), lifetime: Duration::from_secs(16 * 3600) };

    fn jdoe() -> LoginName {
        LoginName::new("jdoe").unwrap()
    }

    fn wall(second: u64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second as i64).unwrap()
    }

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn id() -> SessionId {
        Token::generate().unwrap().session()
    }

    fn one(rule: SessionRule) -> (Sessions, SessionId, SessionRecord) {
        let (mut sessions, id) = (Sessions::new(rule, Vec::new(), wall(0), s(0)), id());
        let (record, _) = sessions.open(id, jdoe(), Means::Password, wall(0), s(0));
        (sessions, id, record)
    }

    /// Whether the session is locked then; none when it is over.
    fn locked(sessions: &mut Sessions, id: SessionId, activity: Activity, at: u64) -> Option<bool> {
        match sessions.find(id, activity, wall(at), s(at)) {
            Found::Live { locked, .. } => Some(locked),
            _ => None,
        }
    }

    #[test]
    fn a_token_opens_its_session_only_and_nothing_kept_or_shown_gives_it_away() {
        let (one, other) = (Token::generate().unwrap(), Token::generate().unwrap());
        assert_ne!(one.session(), other.session());
        let again = Token::parse(&one.to_hex()).unwrap();
        assert_eq!(again.session(), one.session());
        assert_ne!(one.session().to_string(), *one.to_hex());
        assert_eq!(format!("{one:?}"), "Token(..)");
        for wrong in ["", "00", &"g".repeat(64), &one.to_hex()[2..], &format!("{}00", *one.to_hex())] {
            assert!(Token::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_form_token_is_of_one_session_and_does_not_open_it() {
        let (one, other) = (Token::generate().unwrap(), Token::generate().unwrap());
        assert!(one.is_csrf(&one.csrf()));
        for wrong in [other.csrf(), String::new(), one.to_hex().to_string(), one.csrf()[1..].to_owned()] {
            assert!(!one.is_csrf(&wrong), "{wrong}");
        }
        assert_ne!(Token::parse(&one.csrf()).unwrap().session(), one.session());
    }

    // policy: P-20
    #[test]
    fn an_idle_session_is_locked_a_page_that_asks_by_itself_does_not_keep_it_open() {
        let (mut sessions, id, _) = one(RULE);
        assert_eq!(locked(&mut sessions, id, Activity::Person, 1799), Some(false));
        for at in (1800..3590).step_by(10) {
            assert_eq!(locked(&mut sessions, id, Activity::Background, at), Some(false), "{at}");
        }
        assert_eq!(locked(&mut sessions, id, Activity::Background, 3599), Some(true));
        assert_eq!(locked(&mut sessions, id, Activity::Person, 3600), Some(true), "using it does not unlock it");
        assert!(!sessions.set_locked(id, false, wall(3601), s(3601)).unwrap().locked);
        assert_eq!(locked(&mut sessions, id, Activity::Background, 3601 + 1799), Some(false));
    }

    #[test]
    fn without_an_idle_time_a_session_stays_open_until_its_lifetime_ends() {
        let (mut sessions, id, _) = one(SessionRule { idle: None, ..RULE });
        assert_eq!(locked(&mut sessions, id, Activity::Background, 16 * 3600 - 1), Some(false));
        assert_eq!(sessions.find(id, Activity::Person, wall(0), s(16 * 3600)), Found::Over);
        assert_eq!(sessions.find(id, Activity::Person, wall(0), s(16 * 3600)), Found::None);
    }

    #[test]
    fn a_jump_of_the_wall_clock_neither_ends_nor_locks_nor_prolongs_a_session() {
        let (mut sessions, id, _) = one(RULE);
        for jumped in [wall(1_000_000_000), Timestamp::UNIX_EPOCH] {
            assert!(matches!(
                sessions.find(id, Activity::Background, jumped, s(1799)),
                Found::Live { locked: false, .. }
            ));
        }
        assert!(matches!(
            sessions.find(id, Activity::Background, Timestamp::UNIX_EPOCH, s(1800)),
            Found::Live { locked: true, .. }
        ));
    }

    #[test]
    fn a_short_restart_logs_nobody_out_and_a_long_one_or_a_clock_set_back_locks() {
        let (mut sessions, id, _) = one(SessionRule { idle: None, ..RULE });
        let Found::Live { keep: Some(kept), .. } = sessions.find(id, Activity::Person, wall(90), s(90)) else {
            panic!("it is kept once a minute")
        };
        assert_eq!((kept.age_s, kept.idle_s), (90, 0));
        let restarted = |wall| Sessions::new(SessionRule { idle: None, ..RULE }, vec![kept.clone()], wall, s(0));
        let find = |sessions: &mut Sessions, at| sessions.find(id, Activity::Background, wall(0), s(at));
        let mut soon = restarted(wall(100));
        assert!(matches!(find(&mut soon, 0), Found::Live { locked: false, .. }));
        assert!(matches!(find(&mut soon, 16 * 3600 - 101), Found::Live { .. }));
        assert_eq!(find(&mut soon, 16 * 3600 - 100), Found::Over, "what was before the restart counts");
        assert!(matches!(find(&mut restarted(wall(90 + 601)), 0), Found::Live { locked: true, .. }));
        assert!(matches!(find(&mut restarted(wall(80)), 0), Found::Live { locked: true, .. }));
        assert_eq!(find(&mut restarted(wall(16 * 3600)), 0), Found::Over);
    }

    // policy: P-20
    #[test]
    fn of_a_session_that_two_share_each_knows_what_the_other_wrote() {
        let (mut one, id, opened) = one(RULE);
        let mut other = Sessions::new(RULE, Vec::new(), wall(0), s(5000));
        assert_eq!(other.find(id, Activity::Person, wall(0), s(5000)), Found::None);
        // Used at the other one for an hour, it is not idle at the first.
        let mut kept = opened;
        for at in (60..=3600).step_by(60) {
            other.adopt(id, Some(kept.clone()), wall(at), s(5000 + at));
            let Found::Live { locked: false, keep, .. } = other.find(id, Activity::Person, wall(at), s(5000 + at))
            else {
                panic!("it is not idle: {at}")
            };
            kept = keep.unwrap_or(kept);
        }
        one.adopt(id, Some(kept.clone()), wall(3600), s(3600));
        assert_eq!(locked(&mut one, id, Activity::Background, 3600), Some(false));
        // Locked at one, it is locked at the other; unlocked there, it is open here.
        let record = one.set_locked(id, true, wall(3601), s(3601)).unwrap();
        other.adopt(id, Some(record), wall(3601), s(8601));
        assert!(matches!(other.find(id, Activity::Person, wall(3601), s(8601)), Found::Live { locked: true, .. }));
        let record = other.set_locked(id, false, wall(3602), s(8602)).unwrap();
        one.adopt(id, Some(record.clone()), wall(3602), s(3602));
        assert_eq!(locked(&mut one, id, Activity::Person, 3602), Some(false));
        // Nobody uses it: it is locked when it is time, wherever it is asked for.
        other.adopt(id, Some(record.clone()), wall(3602 + 1800), s(8602 + 1800));
        assert!(matches!(
            other.find(id, Activity::Background, wall(3602 + 1800), s(8602 + 1800)),
            Found::Live { locked: true, .. }
        ));
        // Its time is over, and ended at one it is gone at the other.
        let mut third = Sessions::new(RULE, Vec::new(), wall(0), s(0));
        third.adopt(id, Some(record), wall(16 * 3600), s(0));
        assert_eq!(third.find(id, Activity::Person, wall(16 * 3600), s(0)), Found::Over);
        one.adopt(id, None, wall(3603), s(3603));
        assert_eq!(one.find(id, Activity::Person, wall(3603), s(3603)), Found::None);
    }

    #[test]
    fn commands_without_a_daemon_keep_a_session_open_as_long_as_no_two_are_ten_minutes_apart() {
        let (_, id, mut kept) = one(RULE);
        // Each command opens the store anew, asks once and ends.
        let command = |kept: SessionRecord, at: u64| {
            let mut sessions = Sessions::new(RULE, vec![kept.clone()], wall(at), s(0));
            match sessions.find(id, Activity::Person, wall(at), s(0)) {
                Found::Live { locked, keep, .. } => (locked, keep.unwrap_or(kept)),
                other => panic!("{other:?}"),
            }
        };
        for at in (500..3600).step_by(500) {
            let (locked, now) = command(kept, at);
            assert!(!locked && now.idle_s == 0 && now.age_s == at, "{at}: {now:?}");
            kept = now;
        }
        assert!(command(kept, 3500 + 601).0, "unused for longer");
    }

    #[test]
    fn a_ninth_session_of_one_person_ends_their_oldest() {
        let (mut sessions, first, _) = one(RULE);
        for n in 1..8 {
            assert!(sessions.open(id(), jdoe(), Means::Password, wall(n), s(n)).1.is_empty());
        }
        sessions.open(id(), LoginName::new("asmith").unwrap(), Means::Password, wall(8), s(8));
        assert_eq!(sessions.open(id(), jdoe(), Means::Password, wall(9), s(9)).1, [first]);
        assert_eq!(sessions.end_of(&jdoe(), None).len(), 8);
    }

    proptest! {
        #[test]
        fn no_text_panics_as_a_token(text in "\\PC{0,70}") {
            prop_assert_eq!(Token::parse(&text).is_some(), text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()));
        }
    }
}
