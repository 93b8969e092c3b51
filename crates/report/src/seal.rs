//! Who signed: Ed25519 over the bytes of the manifest.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use crate::{hex, sha256_hex};

/// What stands before the 32 bytes of a key in its DER form (RFC 8410).
const DER_HEAD: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// A private key; it is made of 32 random bytes and never leaves its holder.
pub struct Seal(SigningKey);

impl Seal {
    /// The key of a seed.
    #[must_use]
    pub fn of_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The key of a seed written in hex; `None` when it is none.
    #[must_use]
    pub fn of_hex(text: &str) -> Option<Self> {
        bytes_of_hex(text).map(|seed| Self::of_seed(&seed))
    }

    /// Its public half.
    #[must_use]
    pub fn issuer(&self) -> Issuer {
        Issuer(self.0.verifying_key())
    }

    pub(crate) fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        self.0.sign(bytes).to_bytes()
    }
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer(VerifyingKey);

impl Issuer {
    /// The key that a text holds: 64 hex digits, or PEM.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let bytes = match text.strip_prefix("-----BEGIN PUBLIC KEY-----") {
            None => bytes_of_hex(text)?,
            Some(rest) => {
                let body: String = rest.split("-----END").next()?.split_whitespace().collect();
                STANDARD.decode(body).ok()?.strip_prefix(&DER_HEAD)?.try_into().ok()?
            }
        };
        VerifyingKey::from_bytes(&bytes).ok().filter(|key| !key.is_weak()).map(Self)
    }

    /// 64 hex digits.
    #[must_use]
    pub fn hex(&self) -> String {
        hex(self.0.as_bytes())
    }

    /// As `openssl` reads it.
    #[must_use]
    pub fn pem(&self) -> String {
        let der = [&DER_HEAD[..], self.0.as_bytes()].concat();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der))
    }

    /// What people compare: `SHA256:` and the hash of the key's 32 bytes.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        format!("SHA256:{}", sha256_hex(self.0.as_bytes()))
    }

    /// Whether the signature is of this key over these bytes.
    #[must_use]
    pub fn signed(&self, bytes: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.0.verify_strict(bytes, &signature).is_ok())
    }
}

fn bytes_of_hex(text: &str) -> Option<[u8; 32]> {
    let text = text.trim();
    if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_from_both_of_its_forms() {
        let seal = Seal::of_seed(&[7; 32]);
        let issuer = seal.issuer();
        assert_eq!(Issuer::parse(&issuer.hex()), Some(issuer.clone()));
        assert_eq!(Issuer::parse(&issuer.pem()), Some(issuer.clone()));
        assert_eq!(Issuer::parse("nonsense"), None);
        assert_eq!(Issuer::parse(&"é".repeat(32)), None);
        let signature = seal.sign(b"text");
        assert!(issuer.signed(b"text", &signature));
        assert!(!issuer.signed(b"texT", &signature));
        assert!(!issuer.signed(b"text", &signature[1..]));
        assert!(!Seal::of_seed(&[8; 32]).issuer().signed(b"text", &signature));
    }
}
