//! TLS 1.2 and 1.3 by rustls, with ALPN for HTTP/2 and HTTP/1.1.

use std::io;
use std::path::Path;
use std::sync::Arc;

use app::settings::Http;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// What takes TLS connections, if a certificate is set.
///
/// # Errors
/// The files cannot be read, or do not belong together.
pub fn acceptor(http: &Http) -> io::Result<Option<TlsAcceptor>> {
    if http.tls_certificate.as_os_str().is_empty() {
        return Ok(None);
    }
    let told = |setting: &str, path: &Path, error: &dyn std::fmt::Display| {
        io::Error::other(format!("http.{setting} = \"{}\": {error}", path.display()))
    };
    let chain = CertificateDer::pem_file_iter(&http.tls_certificate).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|error| told("tls_certificate", &http.tls_certificate, &error))?;
    let key = PrivateKeyDer::from_pem_file(&http.tls_key).map_err(|error| told("tls_key", &http.tls_key, &error))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(chain, key);
    let mut config = config.map_err(|error| told("tls_certificate", &http.tls_certificate, &error))?;
    if http.http2 {
        config.alpn_protocols.push(b"h2".to_vec());
    }
    config.alpn_protocols.push(b"http/1.1".to_vec());
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}
