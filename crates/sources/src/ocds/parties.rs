//! Who is who in a release: an organisation is known by its register's number, whatever the publisher calls it.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use chrono::NaiveDate;
use model::{Buyer, Cnpj, Supplier};

use super::Process;
use crate::detect::Stated;
use crate::json_tree::Part;

/// Roles of which the records tell; others stay in the metadata.
const ROLES: &[&str] = &["buyer", "procuringEntity", "supplier", "tenderer", "payer", "payee"];

/// The `parties` of a release, by the id by which it refers to them.
pub(super) struct Parties<'t, 'a> {
    by_id: HashMap<Cow<'a, str>, Part<'t, 'a>>,
    /// The publisher's prefix (`ocds-213czf`): ids that no register gave are its own.
    prefix: String,
    /// Who was meant by a reference written so: winners are named again and again.
    found: RefCell<HashMap<&'a str, Option<Rc<Party>>>>,
}

/// An organisation or person that a release names.
#[derive(Debug, Clone)]
pub(super) struct Party {
    pub id: String,
    pub supplier: Supplier,
}

impl Party {
    pub(super) fn name(&self) -> Option<String> {
        Some(self.supplier.name.clone()).filter(|name| !name.is_empty())
    }
}

impl<'t, 'a> Parties<'t, 'a> {
    pub(super) fn of(release: Part<'t, 'a>, ocid: &str) -> Self {
        let mut by_id = HashMap::new();
        for party in release.objects("parties") {
            if let Some(id) = party.peek("id") {
                by_id.entry(id).or_insert(party);
            }
        }
        let prefix = ocid.match_indices('-').nth(1).map_or(ocid, |(at, _)| &ocid[..at]);
        Self { by_id, prefix: prefix.to_owned(), found: RefCell::default() }
    }

    fn entry(&self, reference: Part<'t, 'a>) -> Option<Part<'t, 'a>> {
        self.by_id.get(reference.peek("id")?.as_ref()).copied()
    }
}

/// Under which it is noted that a buyer was stated, apart from the same party as a supplier.
pub(super) fn buyer_key(id: &str) -> String {
    format!("buyer {id}")
}

/// A register and a number in it, as the standard writes them in one: `GB-COH-11111111`.
fn split_register(id: &str) -> Option<(&str, &str)> {
    let (country, rest) = id.split_once('-')?;
    let (register, number) = rest.split_once('-')?;
    let is_country = country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase());
    let is_register = (2..=12).contains(&register.len())
        && register.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    (is_country && is_register && !number.is_empty()).then(|| (&id[..country.len() + 1 + register.len()], number))
}

impl<'t, 'a> Process<'t, 'a> {
    /// Who is meant by a reference, or by an organisation written out (1.0). Nothing is marked as kept.
    pub(super) fn party(&self, reference: Part<'t, 'a>) -> Option<Rc<Party>> {
        if let Some(found) = self.parties.found.borrow().get(reference.raw()) {
            return found.clone();
        }
        let party = self.find_party(reference).map(Rc::new);
        self.parties.found.borrow_mut().insert(reference.raw(), party.clone());
        party
    }

    fn find_party(&self, reference: Part<'t, 'a>) -> Option<Party> {
        let entry = self.parties.entry(reference);
        let stated = |key: &str| entry.and_then(|e| e.peek(key)).or_else(|| reference.peek(key));
        let identifier = entry.and_then(|e| e.object("identifier")).or_else(|| reference.object("identifier"));
        let name = stated("name")
            .or_else(|| identifier.and_then(|i| i.peek("legalName")))
            .or_else(|| reference.peek("legalName"))
            .unwrap_or_default();
        let found = |(id, supplier): (String, Supplier)| Party { id, supplier };
        // The organisations of a transaction of 1.0 are identifiers themselves.
        for register in [identifier, reference.get("scheme").map(|_| reference)].into_iter().flatten() {
            let (scheme, number) = (register.peek("scheme").unwrap_or_default(), register.peek("id"));
            let Some(number) = number.filter(|n| !model::is_not_stated(n)) else { continue };
            if let Some(party) = self.registered(&scheme, &number, &name) {
                return party.map(found);
            }
        }
        let id = reference.peek("id").filter(|id| !model::is_not_stated(id)).unwrap_or_default();
        if let Some((scheme, number)) = split_register(&id)
            && let Some(party) = self.registered(scheme, number, &name)
        {
            return party.map(found);
        }
        if let Some(party) = self.registered("", &id, &name) {
            return party.map(found);
        }
        model::organization(&self.parties.prefix, &id, &name).map(found)
    }

    /// By the number of a register; `None` where the scheme does not say which register that is.
    fn registered(&self, scheme: &str, number: &str, name: &str) -> Option<Option<(String, Supplier)>> {
        let is = |names: &[&str]| names.iter().any(|n| n.eq_ignore_ascii_case(scheme));
        if is(&["BR-CNPJ", "CNPJ", "BR-CPF", "CPF"]) {
            return Some(model::supplier(number, name));
        }
        if !scheme.is_empty() {
            return Some(model::organization(&scheme.to_uppercase(), number, name));
        }
        (number.len() >= 14 && Cnpj::parse(number).is_ok() && self.is_brazilian())
            .then(|| model::supplier(number, name))
    }

    /// Marks what [`Process::party`] read.
    pub(super) fn keep_party(&self, reference: Part<'t, 'a>, party: &Party) {
        let entry = self.parties.entry(reference);
        for part in [Some(reference), entry].into_iter().flatten() {
            for key in ["id", "scheme"] {
                part.get(key).inspect(|p| p.keep());
            }
            keep_name(part, "name", party);
            keep_name(part, "legalName", party);
            if let Some(identifier) = part.object("identifier") {
                identifier.get("scheme").inspect(|p| p.keep());
                identifier.get("id").inspect(|p| p.keep());
                keep_name(identifier, "legalName", party);
            }
            let roles = part.get("roles").into_iter().flat_map(Part::inner);
            roles.filter(|role| role.peek_text().is_some_and(|r| ROLES.contains(&r.as_ref()))).for_each(Part::keep);
        }
    }

    /// Who is meant, as someone who sells or bids; stated once.
    pub(super) fn push_supplier(&mut self, reference: Part<'t, 'a>) -> Option<Rc<Party>> {
        let party = self.party(reference)?;
        self.keep_party(reference, &party);
        if self.is_new(&party.id) {
            let supplier = Supplier { seen_on: self.day, ..party.supplier.clone() };
            self.more.push(Stated::Supplier(party.id.clone(), supplier));
        }
        Some(party)
    }

    /// Who buys: the release's `buyer`, else the tender's `procuringEntity`.
    pub(super) fn buyer(&self) -> Option<(String, Buyer)> {
        let entity = self.release.object("tender").and_then(|tender| tender.object("procuringEntity"));
        let stated = self.release.object("buyer");
        let (reference, party) = [stated, entity].into_iter().flatten().find_map(|r| Some((r, self.party(r)?)))?;
        self.keep_party(reference, &party);
        if let Some(entity) = entity
            && let Some(same) = self.party(entity).filter(|other| other.id == party.id)
        {
            self.keep_party(entity, &same);
        }
        Some(self.buyer_of(reference, &party, self.day))
    }

    /// The party as one that buys.
    pub(super) fn buyer_of(
        &self,
        reference: Part<'t, 'a>,
        party: &Party,
        seen_on: Option<NaiveDate>,
    ) -> (String, Buyer) {
        let entry = self.parties.entry(reference).unwrap_or(reference);
        let address = entry.object("address");
        let region = address.and_then(|a| a.peek("region"));
        let is_state = |text: &Cow<'_, str>| text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase());
        let state = region.filter(|r| is_state(r) && self.is_brazilian());
        if state.is_some() {
            address.and_then(|a| a.get("region")).inspect(|p| p.keep());
        }
        let buyer = Buyer {
            name: party.supplier.name.clone(),
            cnpj: party.supplier.cnpj.clone(),
            state: state.map(Cow::into_owned),
            municipality: address.and_then(|a| a.text("locality")),
            seen_on,
            ..Buyer::default()
        };
        (party.id.clone(), buyer)
    }
}

fn keep_name(part: Part<'_, '_>, key: &str, party: &Party) {
    if let Some(name) = part.get(key)
        && name.peek_text().is_some_and(|text| text == party.supplier.name)
    {
        name.keep();
    }
}
