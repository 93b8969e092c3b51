//! The Portal's list of sanctions as its page shows it, saved row by row with the details behind each link.
//!
//! One list holds rows of CEIS, CNEP and CEPIM, so the register is a column and not a property of the file. Days come
//! as `DD/MM/AAAA` or `AAAA/MM/DD`, nothing as `**`. A sanction is known by the number at the end of its link.

use model::text::{normal_name, squeeze};
use model::{Record, Sanction, SanctionKind};

use crate::detect::{Draft, Mapper, Place};
use crate::error::{Fault, Reason};
use crate::fields::{Row, columns};
use crate::portal_compras::seen;
use crate::sanctions::{Bodies, name_of, scope, stated_scope};

columns! {
    /// The list's header.
    List {
        register required ["cadastro"],
        number required ["cnpjcpf sancionado"],
        name required ["nome sancionado"],
        name_informed optional ["nome informado pelo orgao sancionador"],
        link required ["details link"],
        body required ["orgao entidade sancionadora"],
        body_state optional ["uf do orgao sancionador"],
        kind required ["categoria da sancao", "categoria sancao"],
        published_on required ["data de publicacao da sancao"],
        fine optional ["valor da multa"],
        starts_on required ["data de inicio da sancao"],
        ends_on required ["data de fim da sancao"],
        process optional ["numero do processo"],
        scope required ["abrangencia da sancao"],
        legal_basis optional ["fundamento legal"],
    }
}

/// Maps the rows of a list.
pub(crate) struct MapList {
    columns: List,
    place: Place,
    bodies: Bodies,
}

impl MapList {
    pub(crate) fn new(columns: List, place: Place) -> Self {
        Self { columns, place, bodies: Bodies::default() }
    }
}

/// The digits at the end of a link.
fn number_of_link(link: &str) -> Option<&str> {
    let link = link.trim_end_matches('/');
    let digits = link.len() - link.bytes().rev().take_while(u8::is_ascii_digit).count();
    Some(&link[digits..]).filter(|n| !n.is_empty())
}

impl Mapper for MapList {
    fn map(&mut self, row: &Row<'_>) -> Result<Draft, Fault> {
        let c = &self.columns;
        let Some(code) = number_of_link(row.code(c.link)) else {
            return Err(Fault::at(row.name(c.link), Reason::RequiredField, "no number at the end of the link"));
        };
        let name = name_of([c.name, c.name_informed].map(|col| row.code(col)));
        let kind_words = row.text(c.kind);
        let legal_basis = row.text(c.legal_basis);
        let kind = SanctionKind::from_words(kind_words.as_deref().unwrap_or(""), legal_basis.as_deref().unwrap_or(""));
        let starts_on = row.date_of_either_form(c.starts_on)?;
        let published_on = row.date_of_either_form(c.published_on)?;
        let listed_on = starts_on.max(published_on);
        let supplier = seen(model::supplier(row.code(c.number), name), listed_on);
        let body = row.text(c.body);
        let facts = self.bodies.describe(body.as_deref().unwrap_or(""), row.text(c.body_state), "");
        let (scope_min, scope_max) = scope(stated_scope(row.code(c.scope)), kind);
        let sanction = Sanction {
            register: row.text(c.register).map(|r| r.to_uppercase()),
            kind: kind.map(SanctionKind::code),
            kind_as_stated: kind_words,
            bars_contracting: kind.map(SanctionKind::bars_contracting),
            supplier_id: supplier.as_ref().map(|(id, _)| id.clone()),
            supplier_root: supplier.as_ref().and_then(|(_, s)| s.cnpj_root.clone()),
            supplier_name: Some(squeeze(name)).filter(|n| !n.is_empty()),
            starts_on,
            ends_on: row.date_of_either_form(c.ends_on)?,
            published_on,
            body_key: body.as_deref().map(normal_name),
            body,
            body_sphere: facts.sphere,
            body_sphere_basis: facts.basis,
            body_state: facts.state,
            scope_as_stated: row.text(c.scope),
            scope_min: Some(scope_min),
            scope_max: Some(scope_max),
            legal_basis,
            process: row.text(c.process),
            fine: row.amount(c.fine)?,
            listed_on,
        };
        let id = format!("{}:{code}", self.place.source);
        Ok(Draft { supplier, ..Draft::of(id, Record::Sanction(sanction)) })
    }
}

#[cfg(test)]
mod tests {
    use super::number_of_link;

    #[test]
    fn a_sanction_is_known_by_the_end_of_its_link() {
        assert_eq!(number_of_link("https://example.org/sancoes/consulta/303033"), Some("303033"));
        assert_eq!(number_of_link("https://example.org/sancoes/consulta/303033/"), Some("303033"));
        assert_eq!(number_of_link("https://example.org/sancoes"), None);
    }
}
