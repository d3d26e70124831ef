//! What somebody sees who is logged in.

use super::*;

// policy: P-07
#[test]
fn past_the_training_limit_login_shows_ones_own_status_and_every_alpr_function_is_refused_with_the_reason() {
    let bench = Bench::with(|settings| settings.unused_days = 3650);
    bench.clock.jump_to("2027-02-03T23:00:00Z".parse().unwrap());
    let gate = bench.gate();
    let actor = bench.login("custodian").session.actor();
    assert_eq!(kinds(&gate, &actor).len(), 5, "the 365th day");
    bench.days(1);
    for role in Role::ALL {
        let LoggedIn { token, session } = bench.login(role.as_str());
        let (own, actor) = (bench.accounts.own(&token).unwrap(), session.actor());
        assert_eq!(own.account.trained, Some("2026-02-03".parse().unwrap()));
        assert!(bench.accounts.check_training(&own).unwrap_err().to_string().contains("366 days old"));
        assert_eq!(kinds(&gate, &actor), NONE, "{role}");
        let refused = see::<Search>(&gate, &actor).unwrap_err();
        assert!(
            refused.kind() == Kind::Forbidden && refused.to_string().contains("2026-02-03 is 366 days old"),
            "{refused}"
        );
        for duty in [Duty::Enter, Duty::Approve] {
            assert!(gate.allow(&actor, duty).unwrap_err().to_string().contains("training"), "{role} {duty}");
        }
    }
    let refused = bench.records("search_back").pop().unwrap();
    assert_eq!((refused.outcome, refused.rows), (Outcome::Refused, None), "the attempt is on record");
    bench.change("officer", Change::Training("2027-02-04".parse().unwrap())).unwrap();
    assert_eq!(kinds(&gate, &bench.login("officer").session.actor()).len(), 4);
    bench.clock.jump_to("2026-11-26T06:00:00Z".parse().unwrap());
    let behind = bench.login("auditor").session.actor();
    assert_eq!(kinds(&gate, &behind), NONE, "a clock that is set back makes no training current");
    assert!(bench.change("officer", Change::Training("2030-01-01".parse().unwrap())).is_err());
}

// policy: P-07
#[test]
fn whoever_was_never_trained_sees_nothing() {
    let bench = Bench::new();
    let untrained = NewUser { trained: None, ..new_user("recruit", Role::Officer) };
    bench.accounts.add(&root(), untrained, &password(PASSWORD), &why()).unwrap();
    let actor = bench.login("recruit").session.actor();
    assert!(see::<Live>(&bench.gate(), &actor).unwrap_err().to_string().contains("no ALPR training"));
}

// policy: P-23
#[test]
fn each_role_sees_and_does_what_is_its_own() {
    let bench = Bench::new();
    let gate = bench.gate();
    for (role, sees, does) in [
        (Role::Officer, &["show", "search", "hits", "live"][..], &[Duty::Enter][..]),
        (
            Role::Supervisor,
            &["show", "search", "hits", "live", "export"],
            &[Duty::Enter, Duty::Approve, Duty::ManageLists],
        ),
        (
            Role::Administrator,
            &["live", "audit"],
            &[Duty::ManageLists, Duty::ManageUsers, Duty::ReviewAccounts, Duty::Configure],
        ),
        (Role::Auditor, &["audit"], &[Duty::ReviewAccounts]),
        (Role::Custodian, &["show", "search", "hits", "export", "audit"], &[Duty::ReviewAccounts]),
    ] {
        let actor = bench.login(role.as_str()).session.actor();
        assert_eq!(kinds(&gate, &actor), sees, "{role}");
        let all =
            [Duty::Enter, Duty::Approve, Duty::ManageLists, Duty::ManageUsers, Duty::ReviewAccounts, Duty::Configure];
        let allowed: Vec<Duty> = all.into_iter().filter(|duty| gate.allow(&actor, *duty).is_ok()).collect();
        assert_eq!(allowed, does, "{role}");
        assert!(gate.allow(&actor, Duty::SeeTests).is_ok(), "{role}");
    }
    let record = bench.records("search_back").into_iter().find(|r| r.outcome == Outcome::Done).unwrap();
    let entry = crate::audit::Entry::of(&record, bench.clock.wall(), true).unwrap();
    let who = (entry.actor.name.as_str(), entry.actor.agency.as_deref(), entry.actor.role.as_deref());
    assert_eq!(who, ("officer", Some("Example Police Department"), Some("officer")));
}

// policy: P-08
#[test]
fn a_permit_is_good_for_the_lists_that_are_granted_and_an_export_of_another_is_refused() {
    let bench = Bench::new();
    let svs = Source { list: "svs", clets: true, covert: false };
    let local = Source { list: "local", clets: false, covert: false };
    let actor = bench.login("supervisor").session.actor();
    let gate = bench.gate();
    let permit = see::<Hits>(&gate, &actor).unwrap();
    assert_eq!([svs, local].map(|s| permit.scope().visibility(s)), [Visibility::Hidden, Visibility::Whole]);
    let telling = bench.gate_with(|settings| settings.alert_existence_shown = true);
    let told = see::<Hits>(&telling, &actor).unwrap();
    assert_eq!(told.scope().visibility(svs), Visibility::Existence);
    let export = |list| gate.open_list::<Export>(&actor, &why(), &Case::none(), json!({}), list).map(drop);
    export(local).unwrap();
    let refused = export(svs).unwrap_err();
    assert!(refused.kind() == Kind::Forbidden && refused.to_string().contains("svs"), "{refused}");
    assert_eq!(bench.records("list_exported").pop().unwrap().outcome, Outcome::Refused);
    let grants = Grants { every_list: true, clets: true, ..Grants::default() };
    bench.change("supervisor", Change::Grants(grants)).unwrap();
    export(svs).unwrap();
}

// policy: P-21
#[test]
fn nothing_is_seen_with_a_session_that_is_locked_or_over_nor_when_it_cannot_be_put_on_record() {
    let bench = Bench::new();
    let (gate, LoggedIn { token, session }) = (bench.gate(), bench.login("officer"));
    let permit = see::<Search>(&gate, &session.actor()).unwrap();
    gate.shown(&permit, 3).unwrap();
    let shown = bench.records(Gate::ROWS_SHOWN).pop().unwrap();
    assert_eq!((shown.about, shown.rows), (permit.record(), Some(3)));
    bench.accounts.lock(&token).unwrap();
    let locked = see::<Show>(&gate, &session.actor()).unwrap_err();
    assert!(locked.kind() == Kind::Unauthenticated && locked.to_string().contains("locked"), "{locked}");
    assert!(gate.shown(&permit, 3).is_err());
    assert!(matches!(bench.accounts.unlock(&token, &password("wrong")), Err(LoginRefused::Credentials)));
    bench.accounts.unlock(&token, &password(PASSWORD)).unwrap();
    see::<Show>(&gate, &session.actor()).unwrap();
    *lock(&bench.log.full) = true;
    assert_eq!(see::<Show>(&gate, &session.actor()).unwrap_err().kind(), Kind::Storage);
    assert!(gate.shown(&permit, 3).is_err());
    *lock(&bench.log.full) = false;
    bench.accounts.logout(&token).unwrap();
    assert_eq!(see::<Show>(&gate, &session.actor()).unwrap_err().kind(), Kind::Unauthenticated);
    assert_eq!(bench.records("logout").len(), 1);
    bench.accounts.logout(&token).unwrap();
}

// policy: P-20
#[test]
fn a_system_user_passes_the_gate_until_there_is_an_account_and_by_then_only_where_the_agency_says_so() {
    let bench = Bench::new();
    let by_default = bench.gate_with(|settings| settings.logins_required = None);
    assert!(by_default.logins_required().unwrap());
    assert_eq!(see::<Show>(&by_default, &root()).unwrap_err().kind(), Kind::Unauthenticated);
    assert_eq!(by_default.scope(&root()).visibility(LOCAL), Visibility::Hidden);
    lock(&bench.store.users).clear();
    see::<Show>(&by_default, &root()).unwrap();
    assert_eq!(by_default.scope(&root()).visibility(LOCAL), Visibility::Whole);
}

const LOCAL: Source<'_> = Source { list: "local", clets: false, covert: false };

#[test]
fn a_system_user_does_not_pass_the_gate_where_logins_are_required() {
    let bench = Bench::new();
    let refused = see::<Show>(&bench.gate(), &root()).unwrap_err();
    assert!(refused.kind() == Kind::Unauthenticated && refused.to_string().contains("log in"), "{refused}");
    let open = bench.gate_with(|settings| settings.logins_required = Some(false));
    see::<Show>(&open, &root()).unwrap();
    let session = bench.login("officer").session.actor();
    let without = Gate::new(bench.log.clone(), Settings::default()).0;
    assert_eq!(see::<Show>(&without, &session).unwrap_err().kind(), Kind::Unauthenticated);
}
