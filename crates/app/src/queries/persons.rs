//! Which pages name natural persons: search engines are asked to leave those alone.
//!
//! What is not known to be about no person counts as about one, so a new kind of page or of id is never open by oversight.

use serde::Serialize;

use crate::{App, Result};

/// Marks of a person in an answer: a masked CPF (also in the name of an individual entrepreneur), a partner who is one, an
/// id whose number is foreign or wrong and may be a person's.
const MARKS: [&str; 4] = ["***", "\"person\"", "\"unv:", "\"ext:"];
/// Legal nature of a person who trades in their own name (empresário individual).
const SOLE_TRADER: &str = "2135";

/// A page for people that shows one thing, or a list of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageAbout {
    /// One finding.
    Finding(String),
    /// One contract.
    Contract(String),
    /// One supplier.
    Supplier(String),
    /// One buyer.
    Buyer(String),
    /// A list with suppliers in it.
    ListOfSuppliers,
    /// What holds no supplier: flags, sources, the list of buyers; and the entrance.
    General,
}

impl App {
    /// Whether a page may name a natural person.
    ///
    /// # Errors
    /// Nothing is held under its id; the database cannot be read.
    pub fn names_a_person(&self, page: &PageAbout) -> Result<bool> {
        match page {
            PageAbout::General => Ok(false),
            PageAbout::ListOfSuppliers => Ok(true),
            PageAbout::Supplier(id) => Ok(self.is_person(id)? || marked(&self.supplier(id)?)?),
            PageAbout::Buyer(id) => marked(&self.buyer(id)?),
            PageAbout::Contract(id) => {
                let contract = self.contract(id)?;
                let supplier = contract.contract.supplier.as_ref();
                Ok(marked(&contract)?
                    || supplier
                        .map_or(Ok(false), |supplier| self.is_person(supplier.id.as_deref().unwrap_or_default()))?)
            }
            PageAbout::Finding(id) => {
                let held = self.store().finding(id)?.ok_or_else(|| crate::Error::not_found("finding", id))?;
                let flag = self.catalogue().flag(&held.flag);
                // Its evidence names partners.
                let of_partners = flag.is_none_or(|flag| flag.needs.iter().any(|need| need.starts_with("partners")));
                let finding: serde_json::Value = serde_json::from_str(&held.body).map_err(store::Error::from)?;
                let supplier = finding["supplier"]["id"].as_str();
                Ok(of_partners || marked(&finding)? || supplier.map_or(Ok(false), |id| self.is_person(id))?)
            }
        }
    }

    /// Whether a supplier may be a natural person, or is one who trades under a CNPJ.
    fn is_person(&self, id: &str) -> Result<bool> {
        let Some(cnpj) = id.strip_prefix("cnpj:").and_then(|cnpj| model::Cnpj::parse(cnpj).ok()) else {
            return Ok(true);
        };
        let register = self.store().registrations_of(&cnpj.to_string(), cnpj.root())?;
        let said = |column: &str| register.iter().filter_map(|row| row.get(column)?.as_str().map(str::to_owned)).next();
        Ok(said("legal_nature").is_some_and(|nature| nature.replace('-', "") == SOLE_TRADER)
            || said("mei_from").is_some())
    }
}

fn marked(answer: &impl Serialize) -> Result<bool> {
    let text = serde_json::to_string(answer).map_err(store::Error::from)?;
    Ok(MARKS.iter().any(|mark| text.contains(mark)))
}
