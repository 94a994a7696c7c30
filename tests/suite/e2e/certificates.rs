//! Certificates for the tests: an authority of our own, and what can be wrong with a server's.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use scn_tests::folder::Folder;
use std::path::PathBuf;

/// A certificate and its key in files.
#[derive(Debug)]
pub struct Identity {
    /// The certificate, PEM.
    pub cert: PathBuf,
    /// The key, PEM.
    pub key: PathBuf,
}

/// An authority that signs.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate, PEM.
    pub cert: PathBuf,
}

impl Authority {
    /// A new authority with its certificate in the folder.
    pub fn new(name: &str, folder: &Folder) -> Authority {
        let mut params = CertificateParams::new(Vec::new()).expect("no names are valid names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("keys can be made");
        let cert = params.self_signed(&key).expect("an authority signs itself");
        let path = folder.write(&format!("{name}.pem"), cert.pem());
        Authority {
            issuer: Issuer::new(params, key),
            cert: path,
        }
    }

    /// A certificate for these names.
    pub fn sign(&self, file: &str, names: &[&str], folder: &Folder) -> Identity {
        self.sign_params(file, params(names), folder)
    }

    /// A certificate whose time is over.
    pub fn sign_expired(&self, file: &str, names: &[&str], folder: &Folder) -> Identity {
        let mut params = params(names);
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
        self.sign_params(file, params, folder)
    }

    fn sign_params(&self, file: &str, params: CertificateParams, folder: &Folder) -> Identity {
        let key = KeyPair::generate().expect("keys can be made");
        let cert = params
            .signed_by(&key, &self.issuer)
            .expect("the authority signs");
        write(file, &cert.pem(), &key, folder)
    }
}

/// A certificate that vouches for itself.
pub fn self_signed(file: &str, names: &[&str], folder: &Folder) -> Identity {
    let key = KeyPair::generate().expect("keys can be made");
    let cert = params(names)
        .self_signed(&key)
        .expect("a key signs its own certificate");
    write(file, &cert.pem(), &key, folder)
}

fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names.clone()).expect("the tests' names are valid");
    params
        .distinguished_name
        .push(DnType::CommonName, names[0].as_str());
    params
}

fn write(file: &str, cert: &str, key: &KeyPair, folder: &Folder) -> Identity {
    Identity {
        cert: folder.write(&format!("{file}.pem"), cert),
        key: folder.write(&format!("{file}.key"), key.serialize_pem()),
    }
}
