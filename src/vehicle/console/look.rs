//! Purpose and case of whoever looks, on record, and the permits that the gate gave for them.

use super::door::Visitor;
use super::searches::Searches;
use super::{Console, Shared};
use crate::store::{Found, ManualEntry};
use plated_access::{Actor, Case, Duty, Grants, Hits, Live, Permit, Purpose, Reason, Recorded, Session, SessionId};
use plated_core::error::Result;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// Looks that are kept; more sessions than a vehicle has.
const MAX_LOOKS: usize = 200;
/// What goes on record as the reason of whoever watches.
const REASON: &str = "reads and alerts are watched on the console";

/// What an officer said at the start, and what they may see by it.
pub struct Look {
    /// Why, with the purpose.
    pub reason: Reason,
    /// For which case, or none.
    pub case: Case,
    /// Reads as they are made; none for a role that does not have them.
    pub live: Option<Permit<Live>>,
    /// Hits; none for a role that does not have them.
    pub hits: Option<Permit<Hits>>,
    actor: Actor,
    /// What the account could see then. It may have been changed since.
    grants: Grants,
    alerts: Mutex<Alerts>,
    /// What was searched for, so that no plate stands in an address.
    pub searches: Searches,
    searched: Mutex<Option<SearchedBack>>,
    /// Cameras that are aimed, each on record.
    aimed: Mutex<HashMap<String, Arc<Permit<Live>>>>,
}

/// What was just entered, and the reads already made that fit it. They are on record, and shown once.
pub struct SearchedBack {
    /// The entry.
    pub entry: ManualEntry,
    /// So many seconds were searched; none for no search.
    pub window: Option<u64>,
    /// The newest of them.
    pub reads: Vec<Found>,
    /// How many there are.
    pub total: usize,
}

#[derive(Default)]
struct Alerts {
    /// Those that are on record as shown.
    shown: HashSet<Uuid>,
    /// Those whose tone was stopped.
    seen: HashSet<Uuid>,
    /// Whether their tone could be heard, as it was put on record last.
    tones: HashMap<Uuid, Tone>,
}

/// What became of the tone of an alert in a browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// It was played.
    Played,
    /// The browser lets nothing be heard before somebody touches the page.
    Blocked,
    /// Only high alerts are to sound in this browser.
    Muted,
}

impl Tone {
    /// That of this word, as the script has it.
    pub fn of(word: &str) -> Option<Self> {
        [Self::Played, Self::Blocked, Self::Muted].into_iter().find(|tone| tone.as_str() == word)
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Played => "played",
            Self::Blocked => "blocked",
            Self::Muted => "muted",
        }
    }
}

impl Look {
    /// Lets the person see more, for the same purpose and case: from a session, what it is for and what is asked
    /// for, to a permit of any kind. Blocks.
    ///
    /// # Errors
    /// As [`plated_access::Gate::open`]; nothing may be shown then.
    pub fn open<P: Recorded>(&self, console: &Console, subject: Value) -> Result<Permit<P>> {
        console.officers.gate().open(&self.actor, &self.reason, &self.case, subject)
    }

    /// The purpose of the look with other words for why.
    ///
    /// # Errors
    /// When they say nothing.
    pub fn because(&self, words: &str) -> Result<Reason> {
        Ok(Reason::new(words)?.for_purpose(self.reason.purpose().cloned()))
    }

    /// Who looks.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Puts on record that this person was shown this alert, unless it is already. Blocks.
    ///
    /// # Errors
    /// What kept it from being recorded; the alert may not be shown then.
    pub fn show_alert(&self, console: &Console, hit: Uuid, plate: &str, list: &str) -> Result<()> {
        if self.alerts().shown.contains(&hit) {
            return Ok(());
        }
        let subject = json!({"hit": hit, "plate": plate, "list": list});
        let Some(permit) = &self.hits else { return Ok(()) };
        console.officers.gate().alert_shown(permit, subject)?;
        self.alerts().shown.insert(hit);
        Ok(())
    }

    /// Puts on record what became of the tone of an alert that was shown here, unless it is already. Blocks.
    ///
    /// # Errors
    /// What kept it from being recorded.
    pub fn tone(&self, console: &Console, hit: Uuid, tone: Tone) -> Result<()> {
        let (Some(permit), true) = (&self.hits, self.alerts().shown.contains(&hit)) else { return Ok(()) };
        if self.alerts().tones.insert(hit, tone) == Some(tone) {
            return Ok(());
        }
        let recorded = console.officers.gate().alert_tone(permit, json!({"hit": hit, "tone": tone.as_str()}));
        recorded.inspect_err(|_| {
            self.alerts().tones.remove(&hit);
        })
    }

    /// The permit to see what this camera sees, on record from its first picture on. Blocks.
    ///
    /// # Errors
    /// As [`plated_access::Gate::open`]; no picture may be shown then.
    pub fn aim(&self, console: &Console, camera: &str) -> Result<Arc<Permit<Live>>> {
        let mut aimed = self.aimed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(permit) = aimed.get(camera) {
            console.officers.gate().still_open(permit)?;
            return Ok(permit.clone());
        }
        let permit = Arc::new(self.open::<Live>(console, json!({"camera": camera, "as": "aiming"}))?);
        aimed.insert(camera.to_owned(), permit.clone());
        Ok(permit)
    }

    /// Puts on record that this camera is aimed otherwise from here on. Blocks.
    ///
    /// # Errors
    /// What kept it from being recorded; nothing may be changed then.
    pub fn aimed_anew(&self, console: &Console, camera: &str) -> Result<()> {
        self.open::<Live>(console, json!({"camera": camera, "as": "aimed anew"})).map(drop)
    }

    /// The tone of this alert was stopped here.
    pub fn see(&self, hit: Uuid) {
        self.alerts().seen.insert(hit);
    }

    /// Whether it was.
    pub fn has_seen(&self, hit: Uuid) -> bool {
        self.alerts().seen.contains(&hit)
    }

    /// Whether this person's role has a duty.
    pub fn may(&self, duty: Duty) -> bool {
        matches!(&self.actor, Actor::User(user) if duty.roles().contains(&user.role()))
    }

    /// For the page that is shown next.
    pub fn searched(&self, searched: SearchedBack) {
        *self.searched.lock().unwrap_or_else(PoisonError::into_inner) = Some(searched);
    }

    /// What [`searched`](Self::searched) left.
    pub fn take_searched(&self) -> Option<SearchedBack> {
        self.searched.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn alerts(&self) -> MutexGuard<'_, Alerts> {
        self.alerts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The looks of all sessions. They end with the daemon: after that an officer says the purpose again.
#[derive(Default)]
pub struct Looks(Mutex<HashMap<SessionId, Arc<Look>>>);

impl Looks {
    /// That of a session, unless role or grants were changed since.
    pub fn of(&self, session: &Session) -> Option<Arc<Look>> {
        let look = self.lock().get(&session.id).cloned()?;
        (look.grants == session.account.grants && look.actor == session.actor()).then_some(look)
    }

    /// The session is over, or another purpose is to be given.
    pub fn end(&self, session: SessionId) {
        self.lock().remove(&session);
    }

    fn begin(&self, session: SessionId, look: Look) {
        let mut looks = self.lock();
        if looks.len() >= MAX_LOOKS {
            looks.clear(); // Whoever goes on says the purpose again.
        }
        looks.insert(session, Arc::new(look));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Arc<Look>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Begins to look, once purpose and case are on record. Blocks.
///
/// # Errors
/// As [`plated_access::Gate::open`]; nothing may be shown then.
pub fn begin(console: &Shared, visitor: &Visitor, purpose: Purpose, case: Case) -> Result<()> {
    let (session, role) = (&visitor.session, visitor.role());
    let actor = session.actor();
    let reason = Reason::new(REASON)?.for_purpose(Some(purpose));
    let gate = console.officers.gate();
    let from = console.clock.wall() - console.shift;
    let live = if Live::ROLES.contains(&role) { Some(gate.open(&actor, &reason, &case, json!({}))?) } else { None };
    let hits = match Hits::ROLES.contains(&role) {
        true => Some(gate.open(&actor, &reason, &case, json!({"from": from, "as": "alerts"}))?),
        false => None,
    };
    let (grants, alerts, searches) = (session.account.grants.clone(), Mutex::default(), Searches::default());
    let look = Look {
        reason,
        case,
        live,
        hits,
        actor,
        grants,
        alerts,
        searches,
        searched: Mutex::default(),
        aimed: Mutex::default(),
    };
    console.looks.begin(session.id, look);
    Ok(())
}
