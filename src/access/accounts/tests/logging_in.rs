//! Logging in, and how sessions go on.

use super::*;

// policy: P-20
#[test]
fn a_login_opens_a_session_that_a_token_alone_finds_and_is_on_record_before() {
    let bench = Bench::new();
    let LoggedIn { token, session } = bench.try_login(" Officer ", PASSWORD, None).unwrap();
    assert_eq!(session.account.name.as_str(), "officer");
    let found = bench.accounts.session(&token, Activity::Person).unwrap();
    assert_eq!((found.id, found.locked, found.due), (session.id, false, None));
    let forged = Token::generate().unwrap();
    assert_eq!(bench.accounts.session(&forged, Activity::Person).unwrap_err().kind(), Kind::Unauthenticated);
    let records = bench.records("login");
    assert_eq!((records.len(), &records[0].actor), (1, &session.actor()));
    assert_eq!(bench.user("officer").last_login, Some(bench.clock.wall()));
    *lock(&bench.log.full) = true;
    assert!(matches!(bench.try_login("officer", PASSWORD, None), Err(LoginRefused::Failed(_))));
    assert_eq!(lock(&bench.store.sessions).len(), 1, "no session without a record");
}

// policy: P-20
#[test]
fn an_unknown_name_and_a_wrong_password_are_answered_counted_and_locked_alike() {
    let bench = Bench::new();
    let told = |name: &str| bench.try_login(name, "wrong", None).unwrap_err().to_string();
    for _ in 0..5 {
        assert_eq!(told("officer"), told("nobody"));
    }
    assert!(told("officer").contains("locked"));
    assert_eq!(told("officer"), told("nobody"));
    let kept = |name: &str| lock(&bench.store.failures).get(&login_name(name)).copied();
    assert_eq!(kept("officer"), kept("nobody"));
    let records = bench.records("login_failed");
    assert_eq!(records.len(), 10);
    assert_eq!((&records[0].subject, &records[1].subject), (&json!({"user": "officer"}), &json!({})));
    assert!(records[9].reason.as_str().contains("this locks the account"));
}

// policy: P-20
#[test]
fn five_failures_lock_the_right_password_out_until_ten_minutes_pass_or_an_administrator_releases_it() {
    let bench = Bench::new();
    bench.fail("officer", 5);
    let locked = || matches!(bench.try_login("officer", PASSWORD, None), Err(LoginRefused::Locked(_)));
    assert!(locked());
    for wall in ["2036-01-01T00:00:00Z", "1970-01-01T00:00:00Z"] {
        bench.clock.jump_to(wall.parse().unwrap());
        assert!(locked(), "a clock that was set unlocks nobody");
    }
    bench.clock.jump_to("2026-11-26T06:00:00Z".parse().unwrap());
    bench.pass(599);
    assert!(locked());
    bench.pass(1);
    bench.login("officer");
    bench.fail("officer", 5);
    bench.change("officer", Change::Release).unwrap();
    bench.login("officer");
    assert_eq!(lock(&bench.store.failures).len(), 0);
}

#[test]
fn a_lock_outlasts_a_restart_and_many_attempts_at_once_are_five() {
    let mut bench = Bench::new();
    let wrong = std::thread::scope(|scope| {
        let attempts: Vec<_> = (0..20).map(|_| scope.spawn(|| bench.try_login("officer", "wrong", None))).collect();
        let credentials = |refused: &Result<LoggedIn, LoginRefused>| matches!(refused, Err(LoginRefused::Credentials));
        attempts.into_iter().map(|attempt| attempt.join().unwrap()).filter(credentials).count()
    });
    assert_eq!(wrong, 5, "the others learned nothing of the password");
    bench.restart(1);
    assert!(matches!(bench.try_login("officer", PASSWORD, None), Err(LoginRefused::Locked(_))));
    bench.pass(600);
    bench.login("officer");
}

// policy: P-26
#[test]
fn many_failed_logins_raise_one_security_event_whoevers_they_are() {
    let bench = Bench::with(|settings| settings.failed_logins_alarm = 8);
    for n in 0..7 {
        bench.fail(&format!("x{n}"), 1);
    }
    assert!(lock(&bench.breaches).is_empty());
    bench.fail("not a name", 1);
    assert_eq!(*lock(&bench.breaches), [Breach::FailedLogins { failures: 8, minutes: 15 }]);
    bench.fail("y", 1);
    bench.pass(16 * 60);
    for n in 0..7 {
        bench.fail(&format!("z{n}"), 1);
    }
    assert_eq!(lock(&bench.breaches).len(), 1, "those before are too long ago");
}

#[test]
fn a_hash_with_smaller_parameters_is_made_anew_at_the_next_login() {
    let mut bench = Bench::new();
    let old = bench.login("officer");
    let before = bench.user("officer").account.password;
    bench.settings.argon2_passes = 2;
    bench.restart(1);
    bench.login("officer");
    let after = bench.user("officer").account.password;
    assert!(before != after && String::from(after.clone()).contains("t=2"));
    bench.login("officer");
    assert_eq!(bench.user("officer").account.password, after);
    bench.accounts.session(&old.token, Activity::Person).unwrap();
}

/// Sets up a second factor; gives its secret and the recovery codes.
/// The code that the app shows then.
// policy: P-20
#[test]
fn with_a_second_factor_the_password_alone_is_not_enough_and_no_code_counts_twice() {
    let mut bench = Bench::new();
    let (secret, codes) = enrol(&bench, &bench.login("officer").token);
    let login = |bench: &Bench, code: Option<&str>| bench.try_login("officer", PASSWORD, code);
    assert!(matches!(login(&bench, None), Err(LoginRefused::CodeNeeded)));
    let used = code(&secret, bench.clock.wall());
    assert!(matches!(login(&bench, Some(&used)), Err(LoginRefused::Code(WrongCode::Used))), "used for setting up");
    bench.pass(30);
    let next = code(&secret, bench.clock.wall());
    login(&bench, Some(&next)).unwrap();
    bench.restart(1);
    assert!(matches!(login(&bench, Some(&next)), Err(LoginRefused::Code(WrongCode::Used))));
    login(&bench, Some(&codes[0].to_lowercase())).unwrap();
    assert!(matches!(login(&bench, Some(&codes[0])), Err(LoginRefused::Code(WrongCode::Used))));
    bench.clock.jump_to("2026-11-25T06:00:00Z".parse().unwrap());
    let behind = login(&bench, Some(&code(&secret, bench.clock.wall()))).unwrap_err();
    assert!(behind.to_string().contains("clock is behind"), "{behind}");
}

#[test]
fn wrong_codes_lock_as_wrong_passwords_do_and_a_missing_one_does_not() {
    let bench = Bench::new();
    enrol(&bench, &bench.login("officer").token);
    for _ in 0..10 {
        assert!(matches!(bench.try_login("officer", PASSWORD, None), Err(LoginRefused::CodeNeeded)));
    }
    for _ in 0..5 {
        assert!(matches!(bench.try_login("officer", PASSWORD, Some("000000")), Err(LoginRefused::Code(_))));
    }
    assert!(matches!(bench.try_login("officer", PASSWORD, Some("000000")), Err(LoginRefused::Locked(_))));
}

#[test]
fn an_idle_session_is_locked_and_wrong_passwords_at_the_lock_lock_the_account() {
    let bench = Bench::new();
    let LoggedIn { token, session } = bench.login("officer");
    bench.pass(30 * 60);
    assert!(bench.accounts.session(&token, Activity::Person).unwrap().locked);
    assert!(see::<Show>(&bench.gate(), &session.actor()).is_err());
    for _ in 0..5 {
        assert!(matches!(bench.accounts.unlock(&token, &password("wrong")), Err(LoginRefused::Credentials)));
    }
    assert!(matches!(bench.accounts.unlock(&token, &password(PASSWORD)), Err(LoginRefused::Locked(_))));
    bench.pass(600);
    assert!(!bench.accounts.unlock(&token, &password(PASSWORD)).unwrap().locked);
}

#[test]
fn a_restart_of_the_daemon_logs_nobody_out_and_who_was_logged_out_stays_so() {
    let mut bench = Bench::with(|settings| settings.idle_lock_minutes = 0);
    let (stays, goes) = (bench.login("officer"), bench.login("supervisor"));
    bench.accounts.logout(&goes.token).unwrap();
    bench.restart(20);
    let found = bench.accounts.session(&stays.token, Activity::Person).unwrap();
    assert!(!found.locked);
    see::<Show>(&bench.gate(), &stays.session.actor()).unwrap();
    assert!(bench.accounts.session(&goes.token, Activity::Person).is_err());
    bench.pass(16 * 3600);
    assert!(bench.accounts.session(&stays.token, Activity::Person).is_err(), "over after its lifetime");
    assert!(lock(&bench.store.sessions).is_empty());
}
