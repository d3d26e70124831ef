//! Where bytes from outside enter accounts and audit logs; one function for each fuzz target.
//!
//! `tests/station/access_fuzzing.rs` runs them too, over the corpus and changes of it.

use plated_access::audit::{Fault, Head, verify_file};
use plated_access::{AgencySettings, LoginName, PasswordHash, SealKey, Token, UserDocument};
use plated_core::signing::{Purpose, Signer, Trust};
use plated_core::tls::request::CheckedRequest;
use plated_core::wire::{CertificateRequest, ModelsDocument};
use std::sync::LazyLock;

/// Takes any bytes.
pub type EntryPoint = fn(&[u8]);

/// The entry points by name.
pub const TARGETS: [(&str, EntryPoint); 7] = [
    ("users", users),
    ("agency_settings", agency_settings),
    ("models_document", models_document),
    ("certificate_request", certificate_request),
    ("audit_log", audit_log),
    ("audit_head", audit_head),
    ("login", login),
];

static SIGNER: LazyLock<Signer> = LazyLock::new(|| Signer::generate().expect("random numbers"));

/// As they came, and signed, since what is not signed is not looked at any further.
pub fn users(bytes: &[u8]) {
    let trust = Trust::only([SIGNER.public_key()]);
    assert!(UserDocument::open(bytes, &trust, "car-12").is_err(), "nobody signed it");
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (key, signature) = (hex::encode(SIGNER.public_key()), hex::encode(SIGNER.sign(Purpose::USERS, bytes)));
    let signed = format!("{{\"key\":\"{key}\",\"signature\":\"{signature}\",\"document\":{text}}}");
    if let Ok(document) = UserDocument::open(signed.as_bytes(), &trust, "car-12") {
        let seal = SealKey::new(&[7; 32]).expect("a key");
        for user in &document.users {
            user.account.check().expect("it was checked");
            let _ = user.open(&seal, None);
        }
    }
}

/// What the agency sets, as it came, and signed.
pub fn agency_settings(bytes: &[u8]) {
    let trust = Trust::only([SIGNER.public_key()]);
    assert!(AgencySettings::open(bytes, &trust).is_err(), "nobody signed it");
    let Ok(document) = serde_json::from_slice::<AgencySettings>(bytes) else { return };
    let signed = document.sign(&SIGNER).expect("what was read can be signed");
    assert_eq!(AgencySettings::open(signed.as_bytes(), &trust).is_ok(), document.check().is_ok());
}

/// The list of a station's models.
pub fn models_document(bytes: &[u8]) {
    let Ok(document) = serde_json::from_slice::<ModelsDocument>(bytes) else { return };
    if document.check().is_ok() {
        assert!(document.files.iter().all(|file| !file.name.contains('/') && !file.name.starts_with('.')));
    }
}

/// A vehicle asks for a certificate: the whole request, and what is in it.
pub fn certificate_request(bytes: &[u8]) {
    let asked = serde_json::from_slice::<CertificateRequest>(bytes).map(|asked| asked.request);
    let text = asked.unwrap_or_else(|_| String::from_utf8_lossy(bytes).into_owned());
    if let Ok(request) = CheckedRequest::parse(&text) {
        let _ = request.name();
    }
}

/// A log, whole or redacted.
pub fn audit_log(bytes: &[u8]) {
    let trust = Trust::only([SIGNER.public_key()]);
    for trust in [None, Some(&trust)] {
        let Ok(report) = verify_file(bytes, trust) else { continue };
        let lines = bytes.split(|b| *b == b'\n').count() as u64;
        assert!(report.rows <= lines && report.signed <= report.last);
        assert!(report.faults.iter().all(|fault| match fault {
            Fault::Unreadable { line } => *line <= lines,
            Fault::Missing { from, to } | Fault::Rewritten { from, to } => from <= to,
            _ => true,
        }));
        assert!(!report.to_string().is_empty());
    }
}

/// The head that a vehicle sends, as it came, and signed; by nobody's key it counts as a trusted one's.
pub fn audit_head(bytes: &[u8]) {
    let trust = Trust::only([SIGNER.public_key()]);
    assert!(Head::open(bytes, &trust).is_err(), "nobody signed it");
    if let Ok((head, key)) = Head::signed_by(bytes) {
        assert!(key != SIGNER.public_key() && head.number >= 0);
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let signature = hex::encode(SIGNER.sign(Purpose::AUDIT_HEAD, bytes));
    let signed = format!(
        "{{\"key\":\"{}\",\"signature\":\"{signature}\",\"document\":{text}}}",
        hex::encode(SIGNER.public_key())
    );
    let Ok(head) = Head::open(signed.as_bytes(), &trust) else { return };
    let (same, key) = Head::signed_by(signed.as_bytes()).expect("it was opened");
    assert!(same == head && key == SIGNER.public_key());
    let again = head.sign(&SIGNER).expect("what was read can be signed");
    assert_eq!(Head::open(again.as_bytes(), &trust).expect("and read"), head);
}

/// What somebody types, and what a cookie brings.
pub fn login(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for line in text.lines() {
        if let Ok(name) = LoginName::new(line) {
            assert!(LoginName::new(name.as_str()).is_ok_and(|again| again == name));
        }
        if let Some(token) = Token::parse(line) {
            assert!(token.is_csrf(&token.csrf()) && !token.is_csrf(line));
        }
        let _ = PasswordHash::try_from(line.to_owned());
    }
}
