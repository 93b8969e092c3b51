//! The JSON form and its signature.
//!
//! The bytes that are signed are the document's canonical form (RFC 8785: members in order of their names, no blanks, no
//! needless escapes; a dossier has no number but whole ones) without the member `signature`. The file is that same form with
//! it, so that there is one way only to write a signed dossier: any other byte is refused. Without this program:
//! `jq -jcS 'del(.signature)' dossier.json` gives the signed bytes to `openssl pkeyutl -verify`.

use serde_json::{Map, Value, json};

use super::{DOCUMENT, DOSSIER_FORMAT, Dossier};
use crate::{Broken, Issuer, Seal, hex};

const SIGNATURE: &str = "signature";
const SIGNED_BY: &str = "signed_by";
/// The most bytes of a dossier that is read.
const BYTES_MAX: usize = 64 << 20;

/// A value in its canonical form. Numbers that are not whole are written as JSON writes them, and are in no dossier.
#[must_use]
pub fn canonical(value: &Value) -> Vec<u8> {
    // Texts, whole numbers and maps of them can always be written.
    serde_json::to_vec(&in_order(value)).unwrap_or_default()
}

fn in_order(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut names: Vec<&String> = members.keys().collect();
            names.sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
            Value::Object(names.into_iter().map(|name| (name.clone(), in_order(&members[name]))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(in_order).collect()),
        // What is not whole is text here: no two programs need agree on how it is rounded.
        Value::Number(number) if !(number.is_i64() || number.is_u64()) => number.to_string().into(),
        other => other.clone(),
    }
}

/// The dossier as signed JSON.
#[must_use]
pub fn signed(dossier: &Dossier, seal: &Seal) -> Vec<u8> {
    let mut members = dossier.to_value();
    let issuer = seal.issuer();
    let by = json!({"algorithm": "Ed25519", "public_key": issuer.hex(), "fingerprint": issuer.fingerprint()});
    members.insert(SIGNED_BY.to_owned(), by);
    let signature = hex(&seal.sign(&canonical(&Value::Object(members.clone()))));
    members.insert(SIGNATURE.to_owned(), signature.into());
    canonical(&Value::Object(members))
}

/// Reads a signed dossier; `wanted` is the issuer that must have signed it, if one must.
///
/// # Errors
/// The first thing that is not as it must be: no dossier, another form of its bytes, not signed by the key that it names.
pub fn read_dossier(bytes: &[u8], wanted: Option<&Issuer>) -> Result<(Dossier, Issuer), Broken> {
    let broken = |because: &str| Broken::Dossier(because.to_owned());
    if bytes.len() > BYTES_MAX {
        return Err(Broken::Dossier(format!("{} bytes; at most {BYTES_MAX} are read", bytes.len())));
    }
    let value: Value = serde_json::from_slice(bytes).map_err(|e| Broken::Dossier(e.to_string()))?;
    if value["document"] != DOCUMENT {
        return Err(broken("not a dossier of this program"));
    }
    if value["format"] != DOSSIER_FORMAT {
        return Err(Broken::Dossier(format!("format {}; this program reads format {DOSSIER_FORMAT}", value["format"])));
    }
    let key = value[SIGNED_BY]["public_key"].as_str();
    let issuer = key.and_then(Issuer::parse).ok_or_else(|| broken("signed_by.public_key is no key"))?;
    let whole = canonical(&value);
    let mut members: Map<String, Value> = match value {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    let signature = members.shift_remove(SIGNATURE);
    let signature = signature.as_ref().and_then(Value::as_str).and_then(bytes_of_hex);
    let signature = signature.ok_or_else(|| broken("it has no signature"))?;
    if !issuer.signed(&canonical(&Value::Object(members.clone())), &signature) {
        return Err(broken(
            "the signature is not the public key's over this content: it was changed after it was signed",
        ));
    }
    if whole != bytes {
        return Err(broken(
            "its content is what was signed, but the file was written anew; take the file as it was issued",
        ));
    }
    if members[SIGNED_BY]["fingerprint"] != issuer.fingerprint() {
        return Err(broken("signed_by.fingerprint is not the key's"));
    }
    if let Some(wanted) = wanted.filter(|wanted| **wanted != issuer) {
        return Err(Broken::OtherIssuer { found: issuer.fingerprint(), wanted: wanted.fingerprint() });
    }
    let dossier = serde_json::from_value(Value::Object(members)).map_err(|e| Broken::Dossier(e.to_string()))?;
    Ok((dossier, issuer))
}

fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    let lower = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if !text.len().is_multiple_of(2) || !text.bytes().all(lower) {
        return None;
    }
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()).collect()
}
