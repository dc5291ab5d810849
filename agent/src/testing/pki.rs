//! A CA as the host has one, and as a TLS-inspecting firewall has one.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, CertifiedIssuer, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use rustls::pki_types::{CertificateDer, CertificateSigningRequestDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::version::TLS13;
use rustls::{RootCertStore, ServerConfig, crypto};
use time::OffsetDateTime;

use crate::tls::Pin;

pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

fn name(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}

fn at(unix_ms: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(unix_ms / 1000).unwrap()
}

impl Authority {
    pub(crate) fn new(common_name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name = name(common_name);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn certificate(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    pub(crate) fn pin(&self) -> Pin {
        Pin::of(self.0.der()).unwrap()
    }

    /// A server certificate for `localhost`, with this CA behind it, asking for clients that `clients` signed.
    pub(crate) fn server(&self, clients: &Self, subject: &str) -> Arc<ServerConfig> {
        self.config(clients, subject, self)
    }

    /// The same with another CA behind it, which did not sign.
    pub(crate) fn forged(&self, shown: &Self, subject: &str) -> Arc<ServerConfig> {
        self.config(shown, subject, shown)
    }

    fn config(&self, clients: &Self, subject: &str, shown: &Self) -> Arc<ServerConfig> {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.distinguished_name = name(subject);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate().unwrap();
        let leaf = params.signed_by(&key, &self.0).unwrap();
        let chain = vec![leaf.der().clone(), shown.0.der().clone()];
        let provider = Arc::new(crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(clients.0.der().clone()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()
            .unwrap();
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, PrivateKeyDer::Pkcs8(key.serialize_der().into()))
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        Arc::new(config)
    }

    /// A client certificate for a request, the CA behind it.
    pub(crate) fn client(&self, request: &[u8], subject: &str, life: (i64, i64)) -> Vec<Vec<u8>> {
        let request = CertificateSigningRequestDer::from(request);
        let mut request = CertificateSigningRequestParams::from_der(&request).unwrap();
        request.params.distinguished_name = name(subject);
        request.params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        (request.params.not_before, request.params.not_after) = (at(life.0), at(life.1));
        let leaf = request.signed_by(&self.0).unwrap();
        vec![leaf.der().to_vec(), self.0.der().to_vec()]
    }
}

/// Whom a client certificate names.
pub(crate) fn subject(certificate: &CertificateDer<'_>) -> String {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).unwrap();
    parsed.subject().iter_common_name().next().unwrap().as_str().unwrap().to_owned()
}
