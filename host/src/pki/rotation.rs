//! Another authority in the place of the one that is there.
//!
//! What is left of the former one is its certificate and a *voucher*: the new one's certificate, signed by the former one's key
//! before that was forgotten. The host shows both beside its own. An agent that pins the former authority reaches the host's
//! certificate through the voucher, one that pins the new one directly; each learns the new one with its next certificate.
//! When the last certificate of the former authority has run out, it is forgotten too.
//!
//! A rotation that a crash interrupts is finished, or was never begun: the new key waits in `ca-next.key`, and the rename of
//! `ca.pem` decides.

use std::path::Path;

use rcgen::{KeyPair, PublicKeyData as _};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::parse_x509_certificate;

use super::{AGENT_LIFE, CA_LIFE, Pki, PkiError, authority, read, write};
use crate::clock::Clock;

/// For how long the former authority is known: a certificate's life, and another one for the host that goes on signing with it
/// until it is started again.
const OVERLAP: i64 = 2 * AGENT_LIFE;

/// The authority before the present one.
#[derive(Debug)]
pub(super) struct Former {
    /// Its own certificate.
    pub(super) certificate: CertificateDer<'static>,
    /// The present one's, signed by it.
    pub(super) voucher: CertificateDer<'static>,
    /// Until when it is known, in unix milliseconds; absent: nobody can tell.
    until: Option<i64>,
}

impl Former {
    /// What a rotation left, unless its time is over.
    pub(super) fn load(folder: &Path, clock: &dyn Clock) -> Result<Option<Self>, PkiError> {
        let noted = folder.join("ca-former.until");
        if !noted.exists() {
            return Ok(None);
        }
        let until: Option<i64> = read(&noted)?.trim().parse().ok();
        // A file that says nothing counts: rather known for too long than locked out.
        if until.is_some_and(|until| clock.now_ms() > until) {
            return Ok(None);
        }
        let certificate = |name: &str| {
            let path = folder.join(name);
            let damaged =
                |_| PkiError::Damaged { path: path.clone(), source: rcgen::Error::CouldNotParseCertificate };
            CertificateDer::from_pem_slice(read(&path)?.as_bytes()).map_err(damaged)
        };
        let (former, voucher) = (certificate("ca-former.pem")?, certificate("ca-voucher.pem")?);
        Ok(Some(Self { certificate: former, voucher, until }))
    }
}

impl Pki {
    /// Whether an authority before this one is still known, and until when: unix milliseconds.
    pub fn former_until(&self) -> Option<i64> {
        self.former.as_ref()?.until
    }

    /// Puts another authority in the place of this one. It counts from the next start of the host on. Refused while an authority
    /// before this one is known: whoever pins that would be locked out.
    pub fn rotate(&self, clock: &dyn Clock) -> Result<(), PkiError> {
        if self.former.is_some() {
            return Err(PkiError::Overlap);
        }
        let path = |name: &str| self.folder.join(name);
        let key = KeyPair::generate().map_err(PkiError::Issue)?;
        let certificate = authority(clock, CA_LIFE).self_signed(&key).map_err(PkiError::Issue)?;
        let voucher = authority(clock, OVERLAP).signed_by(&key, &self.issuer).map_err(PkiError::Issue)?;
        // The key first: while it waits, whatever else is there is known to belong to a rotation that may not have come about.
        write(&path("ca-next.key"), &key.serialize_pem(), true)?;
        write(&path("ca-former.pem"), &read(&path("ca.pem"))?, false)?;
        write(&path("ca-voucher.pem"), &voucher.pem(), false)?;
        write(&path("ca-former.until"), &clock.now_ms().saturating_add(OVERLAP).to_string(), false)?;
        write(&path("ca.pem"), &certificate.pem(), false)?;
        finish(&self.folder)
    }
}

/// Puts a key that waits in force if the certificate is already there, and forgets it if not.
pub(super) fn finish(folder: &Path) -> Result<(), PkiError> {
    let waiting = folder.join("ca-next.key");
    if !waiting.exists() {
        return Ok(());
    }
    let damaged = |source| PkiError::Damaged { path: waiting.clone(), source };
    let key = KeyPair::from_pem(&read(&waiting)?).map_err(damaged)?;
    let certificate = CertificateDer::from_pem_slice(read(&folder.join("ca.pem"))?.as_bytes()).ok();
    let is_its = certificate.is_some_and(|certificate| {
        parse_x509_certificate(&certificate)
            .is_ok_and(|(_, parsed)| parsed.public_key().raw == key.subject_public_key_info())
    });
    let failed = |source| PkiError::File { action: "move", path: waiting.clone(), source };
    if is_its {
        return std::fs::rename(&waiting, folder.join("ca.key")).map_err(failed);
    }
    for left in ["ca-former.until", "ca-voucher.pem", "ca-former.pem", "ca-next.key"] {
        match std::fs::remove_file(folder.join(left)) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => return Err(failed(source)),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{DAY, ManualClock};

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder.join("pki")).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn a_rotated_authority_has_another_pin_and_the_former_one_is_known_for_long_enough() {
        let data = tempfile::tempdir().unwrap();
        let clock = ManualClock::at(1_800_000_000_000);
        let former = Pki::open(data.path(), &*clock).unwrap();
        former.rotate(&*clock).unwrap();
        let present = Pki::open(data.path(), &*clock).unwrap();
        assert_ne!(former.pin(), present.pin());
        assert_eq!(present.former_until(), Some(clock.now_ms() + OVERLAP));
        assert!(matches!(present.rotate(&*clock), Err(PkiError::Overlap)), "two at once lock somebody out");
        clock.advance(OVERLAP + DAY);
        let later = Pki::open(data.path(), &*clock).unwrap();
        assert_eq!((later.pin(), later.former_until()), (present.pin(), None));
        later.rotate(&*clock).unwrap();
    }

    #[test]
    fn a_rotation_that_a_crash_interrupts_is_finished_or_never_was() {
        let data = tempfile::tempdir().unwrap();
        let clock = ManualClock::at(1_800_000_000_000);
        let pki = Pki::open(data.path(), &*clock).unwrap();
        let (before, pin) = (names(data.path()), pki.pin());
        let folder = data.path().join("pki");
        let old_key = std::fs::read(folder.join("ca.key")).unwrap();
        let old_certificate = std::fs::read(folder.join("ca.pem")).unwrap();
        pki.rotate(&*clock).unwrap();
        // As if the last rename had not come.
        std::fs::rename(folder.join("ca.key"), folder.join("ca-next.key")).unwrap();
        std::fs::write(folder.join("ca.key"), &old_key).unwrap();
        let finished = Pki::open(data.path(), &*clock).unwrap();
        assert_ne!(finished.pin(), pin);
        // As if nothing but the key had come.
        std::fs::rename(folder.join("ca.key"), folder.join("ca-next.key")).unwrap();
        std::fs::write(folder.join("ca.key"), &old_key).unwrap();
        std::fs::write(folder.join("ca.pem"), &old_certificate).unwrap();
        for later in ["ca-former.until", "ca-former.pem", "ca-voucher.pem"] {
            std::fs::remove_file(folder.join(later)).unwrap();
        }
        let again = Pki::open(data.path(), &*clock).unwrap();
        assert_eq!((again.pin(), names(data.path())), (pin.clone(), before.clone()));
        again.rotate(&*clock).unwrap();
        // As if the certificate had not come.
        std::fs::rename(folder.join("ca.key"), folder.join("ca-next.key")).unwrap();
        std::fs::write(folder.join("ca.key"), &old_key).unwrap();
        std::fs::write(folder.join("ca.pem"), &old_certificate).unwrap();
        assert_eq!(Pki::open(data.path(), &*clock).unwrap().pin(), pin);
        assert_eq!(names(data.path()), before);
    }
}
