//! A P-256 certificate for 127.0.0.1 with an authority of its own, so that verified handshakes can be measured too.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use std::path::{Path, PathBuf};

/// Files that were made for one run.
pub(crate) struct Certificate {
    /// The server's certificate.
    pub(crate) chain: PathBuf,
    /// Its key.
    pub(crate) key: PathBuf,
    /// The authority that signed it.
    pub(crate) roots: PathBuf,
}

impl Certificate {
    /// Makes the files in a folder.
    pub(crate) fn make(folder: &Path) -> Result<Certificate, String> {
        let made = make().map_err(|error| format!("no certificate: {error}"))?;
        let files = [
            ("chain.pem", &made.0),
            ("key.pem", &made.1),
            ("roots.pem", &made.2),
        ];
        for (name, text) in files {
            std::fs::write(folder.join(name), text).map_err(|error| error.to_string())?;
        }
        Ok(Certificate {
            chain: folder.join("chain.pem"),
            key: folder.join("key.pem"),
            roots: folder.join("roots.pem"),
        })
    }
}

/// PEM texts of the certificate, its key and the authority. Keys of rcgen are P-256 unless another kind is asked for.
fn make() -> Result<(String, String, String), rcgen::Error> {
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority
        .distinguished_name
        .push(DnType::CommonName, "scn-bench authority");
    let authority_key = KeyPair::generate()?;
    let authority_made = authority.self_signed(&authority_key)?;
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate()?;
    let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
    let made = CertificateParams::new(names)?.signed_by(&key, &issuer)?;
    Ok((made.pem(), key.serialize_pem(), authority_made.pem()))
}

#[cfg(test)]
mod tests {
    use super::make;

    #[test]
    fn three_texts_are_made() {
        let (chain, key, roots) = make().expect("keys can be made");
        assert!(chain.starts_with("-----BEGIN CERTIFICATE"));
        assert!(roots.starts_with("-----BEGIN CERTIFICATE") && roots != chain);
        assert!(key.contains("PRIVATE KEY"));
    }
}
