//! What the provider says of a person, and whether that counts.

use super::Settings;
use super::provider::refused;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use openidconnect::core::{CoreClient, CoreIdToken, CoreJwsSigningAlgorithm as Algorithm};
use openidconnect::{
    ClaimsVerificationError as Wrong, EndpointMaybeSet, EndpointNotSet, EndpointSet, Nonce, SignatureVerificationError,
};
use plated_access::{LoginName, Role, Vouched};
use plated_core::error::Result;
use plated_core::text::visible;
use serde_json::{Map, Value};

/// Signatures that count: by a key that the provider alone has.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RsaSsaPkcs1V15Sha256,
    Algorithm::RsaSsaPkcs1V15Sha384,
    Algorithm::RsaSsaPkcs1V15Sha512,
    Algorithm::RsaSsaPssSha256,
    Algorithm::RsaSsaPssSha384,
    Algorithm::RsaSsaPssSha512,
    Algorithm::EcdsaP256Sha256,
    Algorithm::EcdsaP384Sha384,
    Algorithm::EdDsa,
];
/// A login at the provider that is asked for anew is at most so old, in seconds.
const MAX_AGE: i64 = 900;
/// Clocks differ by so much, in seconds.
const SKEW: i64 = 300;
/// Longest name of a person at the provider, in bytes, as the standard has it.
const MAX_SUBJECT: usize = 255;

/// Verifies signature, issuer, audience, time and nonce.
///
/// # Errors
/// What is wrong.
pub fn check(
    way: &CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>,
    token: &CoreIdToken,
    nonce: &Nonce,
) -> Result<(), Wrong> {
    token.claims(&way.id_token_verifier().set_allowed_algs(ALGORITHMS), nonce).map(drop)
}

/// In words, without what the token says.
pub fn why(wrong: &Wrong) -> &'static str {
    match wrong {
        Wrong::Expired(_) => "it has expired",
        Wrong::InvalidAudience(_) => "it is for another program",
        Wrong::InvalidIssuer(_) => "it is another provider's",
        Wrong::InvalidNonce(_) => "it belongs to another login",
        Wrong::SignatureVerification(
            SignatureVerificationError::NoSignature | SignatureVerificationError::DisallowedAlg(_),
        ) => "it is not signed as it has to be",
        Wrong::SignatureVerification(_) => "its signature is not the provider's",
        _ => "it is not as the standard asks",
    }
}

/// Claims of a token that was verified.
pub struct Claims(Map<String, Value>);

impl Claims {
    /// # Errors
    /// `Unauthenticated` when they can't be read.
    pub fn of(token: &CoreIdToken) -> Result<Self> {
        let text = token.to_string();
        let part = text.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
        let map = part.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        map.map(Self).ok_or_else(|| refused("what it says of you can't be read".into()))
    }

    fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The words of a claim that has one or several.
    fn words<'a>(&'a self, name: &str) -> Vec<&'a str> {
        match self.0.get(name) {
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(one)) => vec![one],
            _ => Vec::new(),
        }
    }

    /// More has to be asked for.
    pub fn lack(&self, settings: &Settings) -> bool {
        let groups = !settings.groups.is_empty() && !self.0.contains_key(&settings.groups_claim);
        groups || !self.0.contains_key(&settings.claim)
    }

    /// What the provider says besides, as JSON. What the token says stays.
    ///
    /// # Errors
    /// `Unauthenticated` when it is about somebody else.
    pub fn add(&mut self, more: &[u8]) -> Result<()> {
        let more: Option<Map<String, Value>> = serde_json::from_slice(more).ok();
        let more = more.filter(|more| more.get("sub").is_some_and(|sub| Some(sub) == self.0.get("sub")));
        let more = more.ok_or_else(|| refused("what it says besides is about somebody else".into()))?;
        for (name, value) in more {
            self.0.entry(name).or_insert(value);
        }
        Ok(())
    }
}

/// The login at the provider is as new and as sure as is asked for.
///
/// # Errors
/// `Unauthenticated`, with what is missing.
pub fn fresh(claims: &Claims, settings: &Settings, now: Timestamp) -> Result<()> {
    if !settings.acr_values.is_empty() && !settings.acr_values.iter().any(|level| level == claims.text("acr")) {
        return Err(refused("it did not look at you as closely as this station asks".into()));
    }
    if settings.single_sign_on {
        return Ok(());
    }
    let age = claims.0.get("auth_time").and_then(Value::as_i64).map(|at| now.as_second().saturating_sub(at));
    match age {
        Some(age) if (-SKEW..=MAX_AGE).contains(&age) => Ok(()),
        _ => Err(refused("it did not ask you to log in anew, as this station wants it".into())),
    }
}

/// Who it is.
///
/// # Errors
/// `Unauthenticated` when it names nobody who can have an account here.
pub fn vouched(claims: &Claims, settings: &Settings) -> Result<Vouched> {
    let (subject, given) = (claims.text("sub"), claims.text(&settings.claim));
    if subject.is_empty() || subject.len() > MAX_SUBJECT || given.is_empty() {
        return Err(refused(format!("it does not say who you are (claim {})", visible(&settings.claim))));
    }
    if settings.claim == "email" && claims.0.get("email_verified") != Some(&Value::Bool(true)) {
        return Err(refused("it has not verified your e-mail address".into()));
    }
    let name = match &settings.domain {
        None => given,
        Some(domain) => match given.rsplit_once('@') {
            Some((name, of)) if of.eq_ignore_ascii_case(domain) => name,
            _ => return Err(refused(format!("your name there is not one of {domain}"))),
        },
    };
    let name = LoginName::new(name).map_err(|_| refused("your name there can't be a login name here".into()))?;
    let (amr, acr) = (claims.words("amr"), claims.text("acr"));
    let second_factor = settings.second_factor.iter().any(|word| word == acr || amr.contains(&word.as_str()));
    let groups = claims.words(&settings.groups_claim);
    let allowed = |role: &Role| {
        settings.groups.get(role.as_str()).is_some_and(|of| of.iter().any(|group| groups.contains(&group.as_str())))
    };
    let roles = (!settings.groups.is_empty()).then(|| Role::ALL.into_iter().filter(allowed).collect());
    Ok(Vouched { name, subject: format!("{} {subject}", settings.issuer), second_factor, roles })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn settings(more: &str) -> Settings {
        let text =
            "agency = \"A\"\nissuer = \"https://i.example\"\nclient_id = \"c\"\nca = \"ca\"\naddress = \"https://s\"\n";
        toml::from_str(&format!("{text}{more}")).unwrap()
    }

    fn of(claims: Value, more: &str) -> Result<Vouched> {
        let Value::Object(map) = claims else { unreachable!() };
        vouched(&Claims(map), &settings(more))
    }

    // policy: P-20
    #[test]
    fn a_name_counts_when_it_is_of_the_agencys_domain_and_an_address_when_it_was_verified() {
        let given = |name: &str| json!({ "sub": "1", "preferred_username": name });
        assert_eq!(of(given("JDoe"), "").unwrap().name.as_str(), "jdoe");
        assert_eq!(of(given("jdoe@pd.gov"), "domain = \"PD.gov\"").unwrap().name.as_str(), "jdoe");
        for other in ["jdoe@evil.example", "jdoe", "@pd.gov", "jdoe@pd.gov@evil.example"] {
            assert!(of(given(other), "domain = \"pd.gov\"").is_err(), "{other}");
        }
        let mail = |verified: Value| json!({ "sub": "1", "email": "jdoe@pd.gov", "email_verified": verified });
        assert_eq!(of(mail(json!(true)), "claim = \"email\"").unwrap().name.as_str(), "jdoe@pd.gov");
        for verified in [json!(false), Value::Null, json!("true")] {
            assert!(of(mail(verified), "claim = \"email\"").is_err());
        }
        assert!(of(json!({ "preferred_username": "jdoe" }), "").is_err());
    }

    #[test]
    fn groups_say_which_roles_somebody_may_have_and_words_whether_a_second_factor_counts() {
        let claims = |groups: Value| json!({ "sub": "1", "preferred_username": "jdoe", "groups": groups, "amr": ["pwd", "mfa"] });
        let map = "groups = { officer = [\"patrol\"], auditor = [\"audit\", \"ia\"] }";
        assert_eq!(of(claims(json!(["ia", "other"])), map).unwrap().roles, Some(vec![Role::Auditor]));
        assert_eq!(of(claims(json!("patrol")), map).unwrap().roles, Some(vec![Role::Officer]));
        assert_eq!(of(claims(Value::Null), map).unwrap().roles, Some(Vec::new()));
        assert_eq!(of(claims(json!(["ia"])), "").unwrap().roles, None);
        assert!(!of(claims(Value::Null), "").unwrap().second_factor);
        assert!(of(claims(Value::Null), "second_factor = [\"mfa\"]").unwrap().second_factor);
    }

    #[test]
    fn a_login_at_the_provider_is_to_be_of_now_unless_the_agency_wants_it_otherwise() {
        let now: Timestamp = "2026-11-27T12:00:00Z".parse().unwrap();
        let at = |second: i64| Claims(Map::from_iter([("auth_time".to_owned(), json!(now.as_second() + second))]));
        fresh(&at(-60), &settings(""), now).unwrap();
        for old in [-3600, 3600] {
            assert!(fresh(&at(old), &settings(""), now).is_err());
            fresh(&at(old), &settings("single_sign_on = true"), now).unwrap();
        }
        assert!(fresh(&Claims(Map::new()), &settings(""), now).is_err());
        assert!(fresh(&at(0), &settings("acr_values = [\"ial2\"]"), now).is_err());
    }
}
