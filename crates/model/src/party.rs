//! Who is who: ids of buyers and suppliers, the same whatever file named them.

use crate::text::normal_name;
use crate::{Cnpj, MaskedCpf, Supplier, mask_cpfs};

/// What a source writes where it does not know the supplier.
const NOT_STATED: &[&str] =
    &["", "-1", "-11", "-2", "-3", "0", "NA", "N/A", "SEM INFORMACAO", "SEM INFORMAÇÃO", "SIGILOSO", "NULL", "**"];

/// Whether a source's text says that it does not know.
#[must_use]
pub fn is_not_stated(text: &str) -> bool {
    const LONGEST: usize = "SEM INFORMAÇÃO".len();
    let trimmed = text.trim();
    trimmed.len() <= LONGEST
        && (NOT_STATED.iter().any(|n| n.eq_ignore_ascii_case(trimmed)) || trimmed.to_lowercase() == "sem informação")
}

/// A supplier as a row names it, with its id.
///
/// The id is `cnpj:…` for a legal person, `cpf:***.456.789-**|name` for a natural person (a mask alone names up to
/// 100,000 people), `ext:code|name` for a foreigner and `unv:code|name` for a number that is no CNPJ or CPF.
/// A number that is not stated, or a person without a name, gives `None`: we do not know who it is.
#[must_use]
pub fn supplier(code: &str, name: &str) -> Option<(String, Supplier)> {
    let code = code.trim();
    if is_not_stated(code) {
        return None;
    }
    let name = if is_not_stated(name) { String::new() } else { mask_cpfs(name.trim()).into_owned() };
    if let Ok(cnpj) = Cnpj::parse(code) {
        let supplier = Supplier {
            kind: "company",
            name,
            cnpj: Some(cnpj.to_string()),
            cnpj_root: Some(cnpj.root().to_owned()),
            ..Supplier::default()
        };
        return Some((format!("cnpj:{cnpj}"), supplier));
    }
    let key = normal_name(&name);
    if let Some(cpf) = MaskedCpf::parse(code) {
        if key.is_empty() {
            return None;
        }
        let supplier = Supplier { kind: "person", name, masked_cpf: Some(cpf.to_string()), ..Supplier::default() };
        return Some((format!("cpf:{cpf}|{key}"), supplier));
    }
    let foreign = code.as_bytes()[0].is_ascii_alphabetic();
    let (kind, prefix) = if foreign { ("foreign", "ext") } else { ("unverified", "unv") };
    let code = mask_cpfs(code).to_ascii_uppercase();
    Some((format!("{prefix}:{code}|{key}"), Supplier { kind, name, ..Supplier::default() }))
}

/// An organisation of any country as a row names it, with its id.
///
/// The id is `org:SCHEME-ID` for a number in the register (or list of the publisher) that `scheme` names, and
/// `org:name|normal name` where there is no number. Without both we do not know who it is: `None`.
#[must_use]
pub fn organization(scheme: &str, id: &str, name: &str) -> Option<(String, Supplier)> {
    let name = if is_not_stated(name) { String::new() } else { mask_cpfs(name.trim()).into_owned() };
    let id = id.trim();
    let id = if is_not_stated(id) {
        let key = normal_name(&name);
        if key.is_empty() {
            return None;
        }
        format!("org:name|{key}")
    } else {
        format!("org:{}-{}", scheme.trim(), mask_cpfs(id))
    };
    Some((id, Supplier { kind: "organization", name, ..Supplier::default() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_supplier_is_known_by_its_number_or_not_at_all() {
        let id = |code: &str, name: &str| supplier(code, name).map(|(id, _)| id);
        assert_eq!(id("00.000.000/0001-91", "X").as_deref(), Some("cnpj:00000000000191"));
        assert_eq!(id("***.982.247-**", "José  da Silva").as_deref(), Some("cpf:***.982.247-**|jose da silva"));
        assert_eq!(id("529.982.247-25", "JOSÉ DA SILVA").as_deref(), Some("cpf:***.982.247-**|jose da silva"));
        assert_eq!(id("***.982.247-**", ""), None);
        assert_eq!(id("ESTRANG0000000", "ACME GMBH").as_deref(), Some("ext:ESTRANG0000000|acme gmbh"));
        assert_eq!(id("12345678000100", "ERRADA").as_deref(), Some("unv:12345678000100|errada"));
        for code in ["-11", "-1", "Sem informação", ""] {
            assert_eq!(id(code, "X"), None, "{code}");
        }
    }

    #[test]
    fn an_organisation_is_known_by_its_register_or_its_name() {
        let id = |scheme: &str, id: &str, name: &str| organization(scheme, id, name).map(|(id, _)| id);
        assert_eq!(id("GB-COH", " 111 ", "X").as_deref(), Some("org:GB-COH-111"));
        assert_eq!(id("", "", "José & Cia.").as_deref(), Some("org:name|jose cia"));
        assert_eq!(id("PUB", "52998224725", "X").as_deref(), Some("org:PUB-***982247**"));
        assert_eq!((id("GB-COH", "-1", ""), id("", "", "N/A")), (None, None));
    }
}
