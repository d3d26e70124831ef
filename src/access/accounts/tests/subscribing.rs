//! Programs that may ask for alerts.

use super::*;
use crate::subscriber::NewSubscriber;
use plated_core::record::Priority;

fn cad() -> NewSubscriber {
    let lists = ["svs".to_owned()].into();
    NewSubscriber { name: "cad".into(), lists, clets: false, priority: Priority::Normal, purpose: None }
}

// policy: P-20, P-23
#[test]
fn a_program_is_known_by_its_token_until_it_is_removed_and_who_authorised_it_is_on_record() {
    let bench = Bench::new();
    let by = bench.login("administrator").session.actor();
    let (account, token) = bench.accounts.add_subscriber(&by, cad(), &why()).unwrap();
    assert_eq!((&*account.authorised_by, &account.subscriber), ("administrator", &cad()));
    assert_eq!(bench.accounts.subscriber(Some(&token), "10.0.0.7").unwrap(), account);
    bench.accounts.still_subscribed(&token, &account).unwrap();
    let kept = serde_json::to_string(&account).unwrap();
    assert!(!kept.contains(&**token.to_hex()), "{kept}");
    let twice = bench.accounts.add_subscriber(&by, cad(), &why()).unwrap_err();
    assert!(twice.to_string().contains("remove it first"), "{twice}");

    bench.accounts.remove_subscriber(&by, "cad", &why()).unwrap();
    assert_eq!(bench.accounts.subscriber(Some(&token), "10.0.0.7").unwrap_err().kind(), Kind::Unauthenticated);
    bench.accounts.still_subscribed(&token, &account).unwrap_err();
    assert_eq!(bench.accounts.remove_subscriber(&by, "cad", &why()).unwrap_err().kind(), Kind::NotFound);
    // Another one of that name has another token.
    let (_, other) = bench.accounts.add_subscriber(&by, cad(), &why()).unwrap();
    assert!(bench.accounts.subscriber(Some(&token), "10.0.0.7").is_err());
    assert!(bench.accounts.subscriber(Some(&other), "10.0.0.7").is_ok());
    let words: Vec<_> = lock(&bench.log.records).iter().map(|row| row.what).collect();
    let changes: Vec<_> = words.iter().filter(|word| word.starts_with("subscriber_")).collect();
    assert_eq!(changes, [&"subscriber_added", &"subscriber_removed", &"subscriber_added"]);
}

// policy: P-23
#[test]
fn only_an_administrator_adds_and_removes_programs() {
    let bench = Bench::new();
    for role in ["officer", "supervisor", "auditor", "custodian"] {
        let by = bench.login(role).session.actor();
        assert_eq!(bench.accounts.add_subscriber(&by, cad(), &why()).unwrap_err().kind(), Kind::Forbidden, "{role}");
        assert!(bench.accounts.remove_subscriber(&by, "cad", &why()).is_err(), "{role}");
    }
    let by = bench.login("administrator").session.actor();
    for wrong in [
        NewSubscriber { name: "a b".into(), ..cad() },
        NewSubscriber { name: String::new(), ..cad() },
        NewSubscriber { lists: Default::default(), ..cad() },
    ] {
        assert_eq!(bench.accounts.add_subscriber(&by, wrong, &why()).unwrap_err().kind(), Kind::Input);
    }
    for n in 0..16 {
        let new = NewSubscriber { name: format!("cad-{n}"), ..cad() };
        bench.accounts.add_subscriber(&by, new, &why()).unwrap();
    }
    assert!(bench.accounts.add_subscriber(&by, cad(), &why()).unwrap_err().to_string().contains("16 programs"));
}

// policy: P-20
#[test]
fn the_token_of_a_session_is_not_one_of_a_program_nor_the_other_way_round() {
    let bench = Bench::new();
    let administrator = bench.login("administrator");
    let (_, token) = bench.accounts.add_subscriber(&administrator.session.actor(), cad(), &why()).unwrap();
    assert!(bench.accounts.session(&token, Activity::Person).is_err());
    assert!(bench.accounts.subscriber(Some(&administrator.token), "10.0.0.7").is_err());
}

// policy: P-26
#[test]
fn many_refused_tokens_are_a_sign_of_a_breach_and_fill_no_disk() {
    let bench = Bench::new();
    let limit = bench.settings.failed_logins_alarm as usize;
    let try_all = || {
        for n in 0..limit * 10 {
            let token = (n % 2 == 0).then(|| Token::generate().unwrap());
            bench.accounts.subscriber(token.as_ref(), "10.0.0.7").unwrap_err();
        }
    };
    try_all();
    let expected = Breach::RefusedTokens {
        failures: bench.settings.failed_logins_alarm,
        minutes: bench.settings.failure_window_minutes,
    };
    assert_eq!(*lock(&bench.breaches), std::slice::from_ref(&expected));
    let rows = || lock(&bench.log.records).iter().filter(|row| row.what == "token_refused").count();
    assert_eq!(rows(), limit);
    assert_eq!(lock(&bench.log.records)[0].subject, json!({"address": "10.0.0.7"}));
    bench.clock.advance(Duration::from_secs(60 * u64::from(bench.settings.failure_window_minutes)));
    try_all();
    assert_eq!(*lock(&bench.breaches), [expected.clone(), expected]);
    assert_eq!(rows(), 2 * limit);
}
