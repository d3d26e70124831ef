//! How accounts are changed, and by whom.

use super::*;

#[test]
fn recovery_codes_are_renewed_by_their_owner_and_the_second_factor_taken_away_by_an_administrator() {
    let bench = Bench::new();
    let token = bench.login("officer").token;
    let (_, old) = enrol(&bench, &token);
    let new = bench.accounts.renew_recovery_codes(&token, &password(PASSWORD)).unwrap();
    assert!(matches!(bench.try_login("officer", PASSWORD, Some(&old[0])), Err(LoginRefused::Code(WrongCode::Wrong))));
    bench.try_login("officer", PASSWORD, Some(&new[0])).unwrap();
    bench.change("officer", Change::RemoveSecondFactor).unwrap();
    assert!(bench.accounts.session(&token, Activity::Person).is_err());
    bench.login("officer");
}

// policy: P-20
#[test]
fn an_agency_can_ask_for_a_second_factor_and_nothing_is_seen_before_it_is_there() {
    let bench = Bench::with(|settings| settings.second_factor_required = true);
    let LoggedIn { token, session } = bench.login("officer");
    assert_eq!(session.due, Some(Due::SecondFactor));
    let refused = see::<Show>(&bench.gate(), &session.actor()).unwrap_err();
    assert!(refused.kind() == Kind::Forbidden && refused.to_string().contains("second factor"), "{refused}");
    enrol(&bench, &token);
    see::<Show>(&bench.gate(), &session.actor()).unwrap();
}

#[test]
fn a_password_that_somebody_else_chose_must_be_changed_before_anything_is_seen() {
    let bench = Bench::new();
    let before = bench.login("officer").token;
    bench.change("officer", Change::Password(password(OTHER))).unwrap();
    assert!(bench.accounts.session(&before, Activity::Person).is_err(), "sessions of the old password are over");
    bench.fail("officer", 1);
    let other = bench.try_login("officer", OTHER, None).unwrap().token;
    let LoggedIn { token, session } = bench.try_login("officer", OTHER, None).unwrap();
    assert_eq!(session.due, Some(Due::Password));
    assert!(see::<Show>(&bench.gate(), &session.actor()).unwrap_err().to_string().contains("change it first"));
    let change = |old: &str, new: &str| {
        bench.accounts.change_password(&token, &password(old), &password(new)).map_err(|e| e.to_string())
    };
    assert!(change("wrong", PASSWORD).unwrap_err().contains("is wrong"));
    assert!(change(OTHER, "short").unwrap_err().contains("use 12 or more"));
    assert!(change(OTHER, "jane-doering-example").unwrap_err().contains("nobody would guess"));
    assert!(change(OTHER, OTHER).unwrap_err().contains("is the old one"));
    change(OTHER, PASSWORD).unwrap();
    see::<Show>(&bench.gate(), &session.actor()).unwrap();
    assert!(bench.accounts.session(&other, Activity::Person).is_err(), "other sessions are over");
    bench.login("officer");
}

#[test]
fn a_disabled_account_is_out_at_once_and_is_told_why_only_to_who_knows_the_password() {
    let mut bench = Bench::new();
    let LoggedIn { token, session } = bench.login("officer");
    bench.change("officer", Change::Disable).unwrap();
    assert!(bench.accounts.session(&token, Activity::Person).is_err());
    assert!(see::<Show>(&bench.gate(), &session.actor()).is_err());
    let refused = bench.try_login("officer", PASSWORD, None).unwrap_err();
    assert!(refused.to_string().contains("disabled on 2026-11-26 by root"), "{refused}");
    bench.fail("officer", 1);
    bench.restart(1);
    assert!(bench.accounts.session(&token, Activity::Person).is_err());
    bench.change("officer", Change::Enable).unwrap();
    bench.login("officer");
}

#[test]
fn an_account_that_was_not_used_for_ninety_days_is_refused_until_it_is_enabled() {
    let bench = Bench::new();
    bench.days(90);
    bench.login("officer");
    bench.days(91);
    let refused = bench.try_login("officer", PASSWORD, None).unwrap_err();
    assert!(refused.to_string().contains("not used for 91 days"), "{refused}");
    assert!(bench.try_login("officer", PASSWORD, None).unwrap_err().to_string().contains("not used"), "nor locked");
    bench.change("officer", Change::Enable).unwrap();
    bench.login("officer");
}

#[test]
fn only_an_administrator_changes_accounts_and_the_last_one_stays() {
    let bench = Bench::new();
    let (admin, officer) = (bench.login("administrator").session, bench.login("officer").session);
    let add = |by: &Actor, name| bench.accounts.add(by, new_user(name, Role::Officer), &password(PASSWORD), &why());
    assert_eq!(add(&officer.actor(), "new").unwrap_err().kind(), Kind::Forbidden);
    assert!(bench.accounts.users(&officer.actor()).is_err());
    let made = add(&admin.actor(), "new").unwrap();
    assert_eq!(made.account.authorised_by, "administrator");
    assert!(add(&admin.actor(), "NEW").unwrap_err().to_string().contains("already"));
    let weak = bench.accounts.add(&admin.actor(), new_user("weak", Role::Officer), &password("password1234"), &why());
    assert!(weak.unwrap_err().to_string().contains("nobody would guess"));
    assert_eq!(bench.accounts.users(&admin.actor()).unwrap().len(), 6);
    let known = Actor::SystemUser(SystemUser { user: "jdoe".into(), uid: 1007 });
    assert_eq!(add(&known, "other").unwrap_err().kind(), Kind::Unauthenticated);
    for change in [Change::Disable, Change::Role(Role::Officer)] {
        assert!(bench.change("administrator", change).unwrap_err().to_string().contains("last administrator"));
    }
    bench.change("supervisor", Change::Role(Role::Administrator)).unwrap();
    let disable = bench.accounts.change(&admin.actor(), &login_name("administrator"), Change::Disable, &why());
    assert_eq!(disable.unwrap().account.disabled.unwrap().why, "hired");
    assert!(add(&admin.actor(), "more").is_err(), "and is out at once");
    assert_eq!(bench.change("none", Change::Enable).unwrap_err().kind(), Kind::NotFound);
    let words: Vec<_> = lock(&bench.log.records).iter().map(|r| r.what).filter(|w| w.starts_with("user_")).collect();
    assert_eq!(words, ["user_added", "user_role_changed", "user_disabled"]);
}

#[test]
fn the_first_administrator_is_added_by_whoever_runs_the_program() {
    let bench = Bench::new();
    lock(&bench.store.users).clear();
    let anybody = Actor::SystemUser(SystemUser { user: "plated".into(), uid: 990 });
    let add = |name, role| bench.accounts.add(&anybody, new_user(name, role), &password(PASSWORD), &why());
    add("first", Role::Administrator).unwrap();
    assert!(add("second", Role::Administrator).is_err());
}

fn provisioned(bench: &Bench, names: &[&str], serial: u64) -> UserDocument {
    let user = |name: &&str| ProvisionedUser::seal(&bench.user(name), &seal_key()).unwrap();
    let (station, vehicle) = ("station-1".into(), "car-12".into());
    UserDocument { station, vehicle, serial, made: bench.clock.wall(), users: names.iter().map(user).collect() }
}

fn seal_key() -> SealKey {
    SealKey::new(&[3; 32]).unwrap()
}

// policy: P-20
#[test]
fn accounts_of_the_station_log_in_at_a_vehicle_are_changed_there_and_end_when_they_are_withdrawn() {
    let (station, mut vehicle) = (Bench::new(), Bench::new());
    lock(&vehicle.store.users).retain(|name, _| name.as_str() == "administrator");
    let (secret, codes) = enrol(&station, &station.login("officer").token);
    let document = provisioned(&station, &["officer", "supervisor"], 1);
    vehicle.accounts.provision(&document, &seal_key()).unwrap();
    vehicle.pass(30);
    let code = code(&secret, vehicle.clock.wall());
    let officer = vehicle.try_login("officer", PASSWORD, Some(&code)).unwrap();
    let supervisor = vehicle.login("supervisor");
    vehicle.try_login("officer", PASSWORD, Some(&codes[0])).unwrap();
    vehicle.accounts.provision(&document, &seal_key()).unwrap();
    let again = vehicle.try_login("officer", PASSWORD, Some(&codes[0]));
    assert!(matches!(again, Err(LoginRefused::Code(WrongCode::Used))), "a new document gives no code back");
    let refused = vehicle.change("officer", Change::Training("2026-11-01".parse().unwrap())).unwrap_err();
    assert!(refused.to_string().contains("the station manages"), "{refused}");
    let own = vehicle.accounts.change_password(&supervisor.token, &password(PASSWORD), &password(OTHER));
    assert!(own.unwrap_err().to_string().contains("the station manages"), "changed there");
    vehicle.accounts.session(&officer.token, Activity::Person).unwrap();
    station.change("officer", Change::Password(password(OTHER))).unwrap();
    let newer = provisioned(&station, &["officer"], 2);
    vehicle.accounts.provision(&newer, &seal_key()).unwrap();
    assert!(vehicle.accounts.session(&officer.token, Activity::Person).is_err(), "another password");
    assert!(vehicle.accounts.session(&supervisor.token, Activity::Person).is_err(), "withdrawn");
    assert!(vehicle.try_login("supervisor", PASSWORD, None).unwrap_err().to_string().contains("by station-1"));
    vehicle.pass(30);
    let due = vehicle.try_login("officer", OTHER, Some(&codes[1])).unwrap().session;
    let refused = see::<Show>(&vehicle.gate(), &due.actor()).unwrap_err();
    assert!(refused.to_string().contains("change it at the station"), "{refused}");
    vehicle.login("administrator");
    vehicle.restart(1);
    let other = SealKey::new(&[4; 32]).unwrap();
    assert!(vehicle.accounts.provision(&provisioned(&station, &["officer"], 3), &other).is_err());
}
