//! What the formats of states and cities have in common: how a body becomes a buyer, and who a party is.

use chrono::NaiveDate;
use model::activity::activity_of_text;
use model::text::normal_name;
use model::{Buyer, Supplier};

/// A source whose bodies all belong to one state, or one town.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Home {
    pub source: &'static str,
    pub sphere: Option<&'static str>,
    pub state: &'static str,
    pub municipality: Option<&'static str>,
}

impl Home {
    /// A body by its code.
    pub(crate) fn body(&self, code: &str) -> String {
        format!("{}:{code}", self.source)
    }

    /// A body that has a name and no code: the name, made comparable, is the code.
    pub(crate) fn named_body(&self, name: &str) -> String {
        self.body(&key_of_name(name))
    }

    /// What such a body is.
    pub(crate) fn buyer(&self, name: String, code: Option<String>, seen_on: Option<NaiveDate>) -> Buyer {
        Buyer {
            name,
            code,
            sphere: self.sphere.map(str::to_owned),
            state: Some(self.state.to_owned()),
            municipality: self.municipality.map(str::to_owned),
            seen_on,
            ..Buyer::default()
        }
    }
}

/// A name as part of an id.
pub(crate) fn key_of_name(name: &str) -> String {
    normal_name(name).replace(' ', "_")
}

/// Who is meant by a number and a name; zeros only (`000.000.000-00`) stand for nobody.
pub(crate) fn party(code: &str, name: &str, seen_on: Option<NaiveDate>) -> Option<(String, Supplier)> {
    if !code.bytes().any(|b| matches!(b, b'1'..=b'9') || b.is_ascii_alphabetic()) {
        return None;
    }
    let (id, mut supplier) = model::supplier(code, name)?;
    supplier.seen_on = seen_on;
    Some((id, supplier))
}

/// A party's id, root of its CNPJ included: the two fields that records hold.
pub(crate) fn ids_of(party: Option<&(String, Supplier)>) -> (Option<String>, Option<String>) {
    (party.map(|(id, _)| id.clone()), party.and_then(|(_, s)| s.cnpj_root.clone()))
}

/// The line of activity that a text names, and what it was taken from.
pub(crate) fn activity(object: Option<&str>) -> (Option<&'static str>, Option<&'static str>) {
    let found = object.and_then(activity_of_text).map(|a| a.code());
    (found, found.map(|_| "text"))
}
