//! What accounts and gate promise together; here what these tests share.

mod changing;
mod logging_in;
mod seeing;
mod subscribing;
mod vouching;

use super::*;
use crate::gate::{Gate, Settings};
use crate::permit::{Audit, Export, Hits, Live, Permit, Recorded, Search, Show};
use crate::second_factor::WrongCode;
use crate::user::{NewUser, ProvisionedUser, SealKey, UserDocument};
use crate::{Duty, Grants, Role, Source, Visibility};
use jiff::Timestamp;
use plated_core::clock::ManualClock;
use plated_core::user::SystemUser;
use std::collections::BTreeMap;

/// A store in memory.
#[derive(Default)]
struct Memory {
    users: Mutex<BTreeMap<LoginName, User>>,
    sessions: Mutex<HashMap<SessionId, SessionRecord>>,
    failures: Mutex<BTreeMap<LoginName, Failures>>,
    subscribers: Mutex<BTreeMap<String, (SubscriberAccount, Sha256)>>,
}

impl AccountStore for Memory {
    fn user(&self, name: &LoginName) -> Result<Option<User>> {
        Ok(lock(&self.users).get(name).cloned())
    }
    fn users(&self) -> Result<Vec<User>> {
        Ok(lock(&self.users).values().cloned().collect())
    }
    fn put_users(&self, users: &[User]) -> Result<()> {
        lock(&self.users).extend(users.iter().map(|user| (user.account.name.clone(), user.clone())));
        Ok(())
    }
    fn sessions(&self) -> Result<Vec<SessionRecord>> {
        Ok(lock(&self.sessions).values().cloned().collect())
    }
    fn put_session(&self, session: &SessionRecord) -> Result<()> {
        lock(&self.sessions).insert(session.id, session.clone());
        Ok(())
    }
    fn remove_sessions(&self, sessions: &[SessionId]) -> Result<()> {
        lock(&self.sessions).retain(|id, _| !sessions.contains(id));
        Ok(())
    }
    fn failures(&self) -> Result<Vec<(LoginName, Failures)>> {
        Ok(lock(&self.failures).iter().map(|(name, failures)| (name.clone(), *failures)).collect())
    }
    fn put_failures(&self, name: &LoginName, failures: Failures) -> Result<()> {
        let mut all = lock(&self.failures);
        all.remove(name);
        all.extend((failures.count > 0).then(|| (name.clone(), failures)));
        Ok(())
    }
    fn subscribers(&self) -> Result<Vec<SubscriberAccount>> {
        Ok(lock(&self.subscribers).values().map(|(account, _)| account.clone()).collect())
    }
    fn subscriber(&self, token: &Sha256) -> Result<Option<SubscriberAccount>> {
        Ok(lock(&self.subscribers).values().find(|(_, hash)| hash == token).map(|(account, _)| account.clone()))
    }
    fn put_subscriber(&self, subscriber: &SubscriberAccount, token: &Sha256) -> Result<()> {
        lock(&self.subscribers).insert(subscriber.subscriber.name.clone(), (subscriber.clone(), *token));
        Ok(())
    }
    fn remove_subscriber(&self, name: &str) -> Result<()> {
        lock(&self.subscribers).remove(name);
        Ok(())
    }
}

/// Records in memory; `full`: none can be kept.
#[derive(Default)]
struct Log {
    records: Mutex<Vec<AccessRecord>>,
    full: Mutex<bool>,
}

impl AuditLog for Log {
    fn append(&self, record: AccessRecord) -> Result<i64> {
        if *lock(&self.full) {
            return Err(Error::new(Kind::Storage, "no room"));
        }
        let mut records = lock(&self.records);
        records.push(record);
        Ok(records.len() as i64)
    }
}

const PASSWORD: &str = "walnut gravel tuesday";
const OTHER: &str = "onion ladder harbour";
const NONE: [&str; 0] = [];

struct Bench {
    store: Arc<Memory>,
    log: Arc<Log>,
    clock: Arc<ManualClock>,
    breaches: Arc<Mutex<Vec<Breach>>>,
    settings: AccountSettings,
    accounts: Arc<Accounts>,
}

impl Bench {
    /// With one account of each role, by the name of the role.
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl Fn(&mut AccountSettings)) -> Self {
        // Small, so that hashing takes no time; the configuration would refuse it.
        let mut settings = AccountSettings { argon2_memory_kib: 64, argon2_passes: 1, ..AccountSettings::default() };
        change(&mut settings);
        let (store, log, breaches) = (Arc::new(Memory::default()), Arc::new(Log::default()), Arc::default());
        let clock = Arc::new(ManualClock::at("2026-11-26T06:00:00Z".parse().unwrap()));
        let accounts = open(&store, &log, &clock, &breaches, &settings);
        let bench = Self { store, log, clock, breaches, settings, accounts };
        for role in [Role::Administrator, Role::Officer, Role::Supervisor, Role::Auditor, Role::Custodian] {
            bench.add(role.as_str(), role);
        }
        lock(&bench.log.records).clear();
        bench
    }

    fn add(&self, name: &str, role: Role) {
        self.accounts.add(&root(), new_user(name, role), &password(PASSWORD), &why()).unwrap();
    }

    /// The daemon is started again after so long.
    fn restart(&mut self, down_s: u64) {
        let wall = self.clock.wall() + Duration::from_secs(down_s);
        self.clock = Arc::new(ManualClock::at(wall));
        self.accounts = open(&self.store, &self.log, &self.clock, &self.breaches, &self.settings);
    }

    fn login(&self, name: &str) -> LoggedIn {
        self.try_login(name, PASSWORD, None).unwrap()
    }

    fn try_login(&self, name: &str, text: &str, code: Option<&str>) -> Result<LoggedIn, LoginRefused> {
        self.accounts.login(name, &password(text), code)
    }

    fn fail(&self, name: &str, times: usize) {
        for n in 0..times {
            let refused = self.try_login(name, "wrong", None);
            assert!(matches!(refused, Err(LoginRefused::Credentials)), "{n}: {refused:?}");
        }
    }

    fn change(&self, name: &str, change: Change) -> Result<User> {
        self.accounts.change(&root(), &login_name(name), change, &why())
    }

    fn user(&self, name: &str) -> User {
        self.store.user(&login_name(name)).unwrap().unwrap()
    }

    fn gate(&self) -> Gate {
        self.gate_with(|_| {})
    }

    fn gate_with(&self, change: impl Fn(&mut Settings)) -> Gate {
        let mut settings = Settings { logins_required: Some(true), ..Settings::default() };
        change(&mut settings);
        Gate::new(self.log.clone(), settings).0.with_accounts(self.accounts.clone())
    }

    fn records(&self, what: &str) -> Vec<AccessRecord> {
        lock(&self.log.records).iter().filter(|record| record.what == what).cloned().collect()
    }

    fn pass(&self, s: u64) {
        self.clock.advance(Duration::from_secs(s));
    }

    fn days(&self, days: u64) {
        self.pass(days * 24 * 3600);
    }
}

fn open(
    store: &Arc<Memory>,
    log: &Arc<Log>,
    clock: &Arc<ManualClock>,
    breaches: &Arc<Mutex<Vec<Breach>>>,
    settings: &AccountSettings,
) -> Arc<Accounts> {
    let breaches = breaches.clone();
    let alarm: Alarm = Box::new(move |breach| lock(&breaches).push(breach));
    let accounts = Accounts::open(store.clone(), log.clone(), clock.clone(), settings.clone(), alarm);
    Arc::new(accounts.unwrap())
}

fn root() -> Actor {
    Actor::SystemUser(SystemUser { user: "root".into(), uid: 0 })
}

fn password(text: &str) -> Password {
    Password::new(text)
}

fn login_name(name: &str) -> LoginName {
    LoginName::new(name).unwrap()
}

fn why() -> Reason {
    Reason::new("hired").unwrap()
}

fn new_user(name: &str, role: Role) -> NewUser {
    NewUser {
        name: login_name(name),
        full_name: "Jane Doering".into(),
        title: "Sergeant".into(),
        agency: "Example Police Department".into(),
        role,
        trained: Some("2026-02-03".parse().unwrap()),
        grants: Grants { every_list: true, ..Grants::default() },
        must_change_password: false,
    }
}

fn see<P: Recorded>(gate: &Gate, actor: &Actor) -> Result<Permit<P>> {
    gate.open(actor, &why(), &Case::none(), json!({"plate": "7ABC123"}))
}

/// The kinds of access that this actor gets.
fn kinds(gate: &Gate, actor: &Actor) -> Vec<&'static str> {
    let all = [
        ("show", see::<Show>(gate, actor).is_ok()),
        ("search", see::<Search>(gate, actor).is_ok()),
        ("hits", see::<Hits>(gate, actor).is_ok()),
        ("live", see::<Live>(gate, actor).is_ok()),
        ("export", see::<Export>(gate, actor).is_ok()),
        ("audit", see::<Audit>(gate, actor).is_ok()),
    ];
    all.into_iter().filter_map(|(kind, may)| may.then_some(kind)).collect()
}

/// Sets up a second factor; gives its secret and the recovery codes.
fn enrol(bench: &Bench, token: &Token) -> (Secret, Vec<String>) {
    bench.accounts.begin_second_factor(token, &password(PASSWORD)).unwrap();
    let secret = lock(&bench.accounts.enrolling).values().next().unwrap().clone();
    let wrong = bench.accounts.confirm_second_factor(token, "000000");
    assert!(matches!(wrong, Err(LoginRefused::Code(WrongCode::Wrong))), "{wrong:?}");
    let codes = bench.accounts.confirm_second_factor(token, &code(&secret, bench.clock.wall())).unwrap();
    (secret, codes)
}

/// The code that the app shows then.
fn code(secret: &Secret, at: Timestamp) -> String {
    let totp = totp_rs::Builder::new().with_secret(<[u8; 20]>::try_from(secret.as_bytes()).unwrap()).build().unwrap();
    totp.generate(at.as_second() as u64).to_string()
}
