//! Logging in by the agency's own login.

use super::*;

fn vouched(subject: &str) -> Vouched {
    let name = LoginName::new("officer").unwrap();
    Vouched { name, subject: subject.into(), second_factor: false, roles: None }
}

// policy: P-20
#[test]
fn who_is_vouched_for_gives_the_second_factor_that_they_have_here_unless_that_of_the_provider_counts() {
    let bench = Bench::new();
    let (secret, _) = enrol(&bench, &bench.login("officer").token);
    bench.pass(30);
    let person = vouched("1");
    assert!(matches!(bench.accounts.login_vouched(&person, None), Err(LoginRefused::CodeNeeded)));
    assert!(matches!(bench.accounts.login_vouched(&person, Some("000000")), Err(LoginRefused::Code(_))));
    let next = code(&secret, bench.clock.wall());
    bench.accounts.login_vouched(&person, Some(&next)).unwrap();
    let sure = Vouched { second_factor: true, ..person };
    bench.accounts.login_vouched(&sure, None).unwrap();
    assert!(bench.accounts.login_vouched(&Vouched { subject: "2".into(), ..sure }, None).is_err());
}

// policy: P-20
#[test]
fn an_account_that_failed_logins_locked_is_locked_for_the_agencys_login_too() {
    let bench = Bench::new();
    for _ in 0..bench.settings.max_failures {
        bench.try_login("officer", OTHER, None).unwrap_err();
    }
    assert!(matches!(bench.accounts.login_vouched(&vouched("1"), None), Err(LoginRefused::Locked(_))));
}

// policy: P-20
#[test]
fn the_first_who_is_vouched_for_is_the_one_until_an_administrator_says_otherwise_and_roles_stay_those_kept_here() {
    let bench = Bench::new();
    let chief = bench.login("administrator").session.actor();
    let token = bench.accounts.login_vouched(&vouched("1"), None).unwrap().token;
    let other = vouched("2");
    let refused = bench.accounts.login_vouched(&other, None).unwrap_err();
    assert!(refused.to_string().contains("somebody else"), "{refused}");
    bench.accounts.change(&chief, &other.name, Change::Unbind, &why()).unwrap();
    assert!(bench.accounts.session(&token, Activity::Person).is_err(), "the other's session has ended");
    let session = bench.accounts.login_vouched(&other, None).unwrap().session;
    assert_eq!((session.account.role, session.means), (Role::Officer, Means::Provider { second_factor: false }));
    let lesser = Vouched { roles: Some(vec![Role::Auditor]), ..other };
    assert!(
        bench.accounts.login_vouched(&lesser, None).unwrap_err().to_string().contains("does not let you be officer")
    );
}
