//! An authority for development and trials: one folder that signs stations and vehicles.
//!
//! An agency uses its own authority in service; the programs only see PEM files and don't care
//! who made them. A certificate made here is good for one side: a vehicle's can't pose as a
//! station, nor a station's as a vehicle.

use super::Facts;
use super::files::{certificates, private_key, refuse_existing, write_new};
use super::request::CheckedRequest;
use crate::clock::Clock;
use crate::digest::Sha256;
use crate::durable;
use crate::error::{Context, Error, Kind, Result};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData,
};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const CERTIFICATE: &str = "ca.crt";
const KEY: &str = "ca.key";
/// Folder of what was issued to vehicles, beside the authority.
const ISSUED: &str = "issued";
const AUTHORITY_YEARS: i64 = 10;
const LEAF_YEARS: i64 = 2;

/// The files of one issued certificate.
#[derive(Clone, Debug)]
pub struct Issued {
    /// Copy of the authority's certificate.
    pub ca: PathBuf,
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key, mode 0400.
    pub key: PathBuf,
}

/// A development authority in a folder.
#[derive(Debug)]
pub struct Authority {
    /// Its certificate.
    certificate: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Makes a new authority: `ca.crt` and `ca.key` in `folder`, which is made if need be.
    ///
    /// # Errors
    /// [`Kind::Refused`] when there is one already.
    pub fn create(folder: &Path, clock: &dyn Clock) -> Result<Self> {
        let (certificate, key) = (folder.join(CERTIFICATE), folder.join(KEY));
        refuse_existing(&[key.clone(), certificate.clone()])?;
        make_folder(folder)?;
        let mut params = params(clock.wall(), AUTHORITY_YEARS)?;
        // Two authorities of the same name would confuse whoever looks at their certificates.
        let name = format!("plated development authority {}", &uuid::Uuid::now_v7().simple().to_string()[20..]);
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let pair = new_key()?;
        let signed = params.self_signed(&pair).context(Kind::Internal, could_not_sign)?;
        write_key(&key, &pair)?;
        write_new(&certificate, signed.pem().as_bytes(), 0o444)?;
        Ok(Self { certificate, issuer: Issuer::new(params, pair) })
    }

    /// Opens the authority in `folder`.
    pub fn load(folder: &Path) -> Result<Self> {
        Self::open(&folder.join(CERTIFICATE), &folder.join(KEY))
    }

    /// Opens the authority of this certificate and key. Of several certificates the first counts.
    ///
    /// # Errors
    /// [`Kind::Config`] when one of them can't be used, or they don't belong together.
    pub fn open(certificate: &Path, key: &Path) -> Result<Self> {
        let found = certificates(certificate, "the authority's certificate")?;
        let pair = KeyPair::try_from(&private_key(key)?)
            .context(Kind::Config, || format!("{} can't be used", key.display()))?;
        let of_others = || {
            let (key, certificate) = (key.display(), certificate.display());
            Error::new(Kind::Config, format!("the key {key} is not that of the authority {certificate}"))
        };
        let (_, parsed) = x509_parser::parse_x509_certificate(&found[0]).map_err(|_| of_others())?;
        if parsed.public_key().raw != pair.subject_public_key_info() {
            return Err(of_others());
        }
        // Certificates are signed in the authority's name exactly as it stands in its certificate.
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, authority_name(&found[0], certificate)?);
        Ok(Self { certificate: certificate.to_owned(), issuer: Issuer::new(params, pair) })
    }

    /// Makes `station.crt` and `station.key` beside the authority's own files, for a server
    /// reached by `names` (host names or addresses, the first of them its common name).
    pub fn issue_station(&self, names: &[String], clock: &dyn Clock) -> Result<Issued> {
        self.issue(self.folder(), "station", names, ExtendedKeyUsagePurpose::ServerAuth, clock)
    }

    /// Makes `ca.crt`, `vehicle.crt` and `vehicle.key` in `folder`, for the vehicle `name`. A copy of the certificate is
    /// kept beside the authority: by that the station knows it ([`issued`]).
    pub fn issue_vehicle(&self, name: &str, folder: &Path, clock: &dyn Clock) -> Result<Issued> {
        let files = self.issue(folder, "vehicle", &[name.to_owned()], ExtendedKeyUsagePurpose::ClientAuth, clock)?;
        let certificate = &certificates(&files.certificate, "the certificate")?[0];
        let copy = issued(&self.certificate, &Sha256::of(certificate));
        let folder = durable::folder_of(&copy);
        make_folder(folder)?;
        // The station may be another user than whoever issues; certificates are no secret.
        let failed = || format!("could not open {} for the station", folder.display());
        std::fs::set_permissions(folder, Permissions::from_mode(0o755)).context(Kind::Storage, failed)?;
        let failed = || format!("could not read {}", files.certificate.display());
        write_new(&copy, &std::fs::read(&files.certificate).context(Kind::Storage, failed)?, 0o444)?;
        Ok(files)
    }

    /// A certificate for the vehicle `name` over the key of a request, as a PEM text, and what it says. Of the
    /// request nothing but the key is taken.
    ///
    /// # Errors
    /// [`Kind::Input`] when the request asks for another name.
    pub fn sign_vehicle(&self, name: &str, asked: &CheckedRequest, clock: &dyn Clock) -> Result<(String, Facts)> {
        if asked.name().as_deref() != Some(name) {
            let message = "the request for a certificate names another vehicle than the certificate it came with";
            return Err(Error::new(Kind::Input, message));
        }
        let signed = self.sign(&[name.to_owned()], ExtendedKeyUsagePurpose::ClientAuth, &asked.0.public_key, clock)?;
        Ok((signed.pem(), Facts::of(signed.der())?))
    }

    /// Makes `ca.crt`, `console.crt` and `console.key` in `folder`, for a vehicle's console that browsers reach
    /// by `names` (host names or addresses, the first of them its common name).
    pub fn issue_console(&self, names: &[String], folder: &Path, clock: &dyn Clock) -> Result<Issued> {
        self.issue(folder, "console", names, ExtendedKeyUsagePurpose::ServerAuth, clock)
    }

    fn issue(
        &self,
        folder: &Path,
        stem: &str,
        names: &[String],
        usage: ExtendedKeyUsagePurpose,
        clock: &dyn Clock,
    ) -> Result<Issued> {
        common_name(names)?;
        let issued = Issued {
            ca: folder.join(CERTIFICATE),
            certificate: folder.join(format!("{stem}.crt")),
            key: folder.join(format!("{stem}.key")),
        };
        refuse_existing(&[issued.key.clone(), issued.certificate.clone()])?;
        make_folder(folder)?;
        let pair = new_key()?;
        let signed = self.sign(names, usage, &pair, clock)?;
        write_key(&issued.key, &pair)?;
        write_new(&issued.certificate, signed.pem().as_bytes(), 0o444)?;
        if issued.ca.symlink_metadata().is_err() {
            let pem = std::fs::read(&self.certificate)
                .context(Kind::Config, || format!("could not read {}", self.certificate.display()))?;
            write_new(&issued.ca, &pem, 0o444)?;
        }
        Ok(issued)
    }

    fn sign(
        &self,
        names: &[String],
        usage: ExtendedKeyUsagePurpose,
        key: &impl PublicKeyData,
        clock: &dyn Clock,
    ) -> Result<Certificate> {
        let mut params = params(clock.wall(), LEAF_YEARS)?;
        params.subject_alt_names = CertificateParams::new(names)
            .context(Kind::Config, || format!("these can't be names in a certificate: {}", names.join(", ")))?
            .subject_alt_names;
        params.distinguished_name.push(DnType::CommonName, common_name(names)?);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![usage];
        params.signed_by(key, &self.issuer).context(Kind::Internal, could_not_sign)
    }

    fn folder(&self) -> &Path {
        durable::folder_of(&self.certificate)
    }
}

/// Where the copy of a certificate is that the authority of the certificate `authority` issued to a vehicle.
pub fn issued(authority: &Path, fingerprint: &Sha256) -> PathBuf {
    durable::folder_of(authority).join(ISSUED).join(format!("{fingerprint}.crt"))
}

fn common_name(names: &[String]) -> Result<&str> {
    let name = names.first().filter(|name| crate::name::is_plain_name(name)).map(String::as_str);
    name.ok_or_else(|| Error::new(Kind::Config, "a name needs 1 to 64 letters, digits, '-', '_' or '.'"))
}

fn authority_name(certificate: &[u8], path: &Path) -> Result<String> {
    x509_parser::parse_x509_certificate(certificate)
        .ok()
        .and_then(|(_, c)| c.subject().iter_common_name().next().and_then(|n| n.as_str().ok()).map(str::to_owned))
        .ok_or_else(|| {
            let message = format!("{} is not an authority that has a common name", path.display());
            Error::new(Kind::Config, message)
        })
}

/// From yesterday, because clocks of vehicles and stations differ, for `years`.
fn params(now: Timestamp, years: i64) -> Result<CertificateParams> {
    let today = now.to_zoned(TimeZone::UTC).date();
    let day = |span: Span| -> Result<_> {
        let date = today
            .checked_add(span)
            .context(Kind::Config, || format!("this machine's clock can't be right, it says {now}"))?;
        Ok(rcgen::date_time_ymd(date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs()))
    };
    let mut params = CertificateParams::default();
    params.not_before = day(Span::new().days(-1))?;
    params.not_after = day(Span::new().years(years))?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    Ok(params)
}

fn new_key() -> Result<KeyPair> {
    KeyPair::generate().context(Kind::Internal, || "could not make a key".into())
}

fn write_key(path: &Path, pair: &KeyPair) -> Result<()> {
    write_new(path, Zeroizing::new(pair.serialize_pem()).as_bytes(), 0o400)
}

fn could_not_sign() -> String {
    "could not make a certificate".into()
}

fn make_folder(folder: &Path) -> Result<()> {
    durable::make_folder(folder).context(Kind::Storage, || format!("could not make the folder {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::super::{Files, Identity};
    use super::*;
    use crate::clock::{ManualClock, SystemClock};

    fn load(files: &Issued) -> Result<Identity> {
        Identity::load(&Files { ca: &files.ca, certificate: &files.certificate, key: &files.key })
    }

    #[test]
    fn an_issued_certificate_carries_the_name_and_its_key_is_the_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        Authority::create(dir.path(), &SystemClock::new()).unwrap();
        let authority = Authority::load(dir.path()).unwrap();
        let issued = authority.issue_vehicle("unit-7", &dir.path().join("v"), &SystemClock::new()).unwrap();
        let identity = load(&issued).unwrap();
        assert_eq!(identity.name, "unit-7");
        assert_eq!(std::fs::metadata(&issued.key).unwrap().permissions().mode() & 0o777, 0o400);
    }

    #[test]
    fn nothing_is_ever_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let clock = SystemClock::new();
        let authority = Authority::create(dir.path(), &clock).unwrap();
        let before = std::fs::read(dir.path().join("ca.key")).unwrap();
        assert_eq!(Authority::create(dir.path(), &clock).unwrap_err().kind(), Kind::Refused);
        authority.issue_vehicle("unit-7", &dir.path().join("v"), &clock).unwrap();
        let again = authority.issue_vehicle("unit-8", &dir.path().join("v"), &clock).unwrap_err();
        assert!(again.chain().contains("exists already"), "{}", again.chain());
        assert_eq!(std::fs::read(dir.path().join("ca.key")).unwrap(), before);
    }

    #[test]
    fn files_that_do_not_fit_are_named_in_the_error() {
        let dir = tempfile::tempdir().unwrap();
        let clock = SystemClock::new();
        let authority = Authority::create(dir.path(), &clock).unwrap();
        let a = authority.issue_vehicle("a", &dir.path().join("a"), &clock).unwrap();
        let b = authority.issue_vehicle("b", &dir.path().join("b"), &clock).unwrap();
        let says = |files: Issued, text: &str| {
            let error = load(&files).unwrap_err().chain();
            assert!(error.contains(text), "{error}");
        };
        says(Issued { key: b.key.clone(), ..a.clone() }, "does not belong to the certificate");
        says(Issued { key: dir.path().join("none"), ..a.clone() }, "could not read the key");
        says(Issued { certificate: a.key.clone(), ..a.clone() }, "holds no certificate");
        std::fs::set_permissions(&b.key, std::fs::Permissions::from_mode(0o440)).unwrap();
        says(b, "chmod 400");
    }

    #[test]
    fn an_expired_certificate_is_told_with_its_date() {
        let dir = tempfile::tempdir().unwrap();
        let clock = ManualClock::at("2026-03-01T12:00:00Z".parse().unwrap());
        let authority = Authority::create(dir.path(), &clock).unwrap();
        let identity = load(&authority.issue_vehicle("a", &dir.path().join("a"), &clock).unwrap()).unwrap();
        assert!(identity.validity.check(clock.wall()).is_ok());
        let later = identity.validity.check("2030-01-01T00:00:00Z".parse().unwrap()).unwrap_err().chain();
        assert!(later.contains("expired on 2028-03-01"), "{later}");
        assert!(
            identity.validity.check("1970-01-02T00:00:00Z".parse().unwrap()).unwrap_err().chain().contains("clock")
        );
    }
}
