//! The registers of sanctions, CEIS and CNEP, in the layouts that the Portal has published them in.
//!
//! The present bulk layout has a code per sanction and words for its reach; the layout of 2016 (tabs, blanks as
//! NULs) and copies with commas (`NA` for nothing, decimal dots) have neither. What a sanction reaches is kept as
//! the narrowest and the widest reading of what the register states and the law says, so that a judgement can tell
//! "barred here", "not barred here" and "cannot be said" apart.

use std::collections::HashMap;

use model::body::{Sphere, sphere_of_body};
use model::text::normal_name;
use model::{Record, Sanction, SanctionKind};

use crate::detect::{Draft, Mapper, Place};
use crate::error::{Fault, Reason};
use crate::fields::{Row, columns};
use crate::portal_compras::seen;

/// Bodies whose sphere is remembered; beyond it the memory starts afresh.
const BODIES_MAX: usize = 10_000;
/// From the body itself to everywhere: nothing is known.
const ANY_SCOPE: (i64, i64) = (0, 3);

columns! {
    /// CEIS and CNEP, present and past layouts.
    Register {
        register optional ["cadastro"],
        code optional ["codigo da sancao", "codigo sancao"],
        number required ["cpf ou cnpj do sancionado", "cpf cnpj do sancionado"],
        name optional ["nome do sancionado"],
        name_in_registry optional ["razao social cadastro receita"],
        name_informed optional ["nome informado pelo orgao sancionador"],
        process optional ["numero do processo"],
        kind required ["categoria da sancao", "tipo sancao", "tipo da sancao"],
        starts_on required ["data inicio sancao", "data inicio da sancao", "data de inicio da sancao"],
        ends_on required ["data final sancao", "data final da sancao", "data fim sancao", "data de fim da sancao"],
        published_on required ["data publicacao", "data de publicacao"],
        scope optional ["abragencia da sancao", "abrangencia da sancao", "abrangencia definida em decisao judicial"],
        body required ["orgao sancionador"],
        body_state optional ["uf orgao sancionador", "uf do orgao sancionador"],
        body_sphere optional ["esfera orgao sancionador", "esfera do orgao sancionador"],
        legal_basis optional ["fundamentacao legal", "fundamento legal"],
        origin_on optional ["data origem informacao", "data origem informacoes"],
        fine optional ["valor da multa"],
    }
}

/// What the registers state about the sanctioning body, and what follows from its name.
#[derive(Debug, Default)]
pub(crate) struct Bodies {
    known: HashMap<(String, String), Option<Sphere>>,
}

/// A sanctioning body.
pub(crate) struct Body {
    pub key: String,
    pub sphere: Option<String>,
    pub basis: Option<&'static str>,
    pub state: Option<String>,
}

impl Bodies {
    /// The body's sphere as stated, else as its name says.
    pub(crate) fn describe(&mut self, name: &str, state: Option<String>, stated_sphere: &str) -> Body {
        let state = state.map(|s| s.to_ascii_uppercase());
        let key = normal_name(name);
        if let Some(sphere) = sphere_of_words(stated_sphere) {
            return Body { key, sphere: Some(sphere.code().to_owned()), basis: Some("stated"), state };
        }
        if self.known.len() >= BODIES_MAX {
            self.known.clear();
        }
        let asked = (key, state.clone().unwrap_or_default());
        let sphere = match self.known.get(&asked) {
            Some(sphere) => *sphere,
            None => {
                let sphere = sphere_of_body(name, state.as_deref());
                self.known.insert(asked.clone(), sphere);
                sphere
            }
        };
        let basis = sphere.map(|_| "name");
        Body { key: asked.0, sphere: sphere.map(|s| s.code().to_owned()), basis, state }
    }
}

/// The sphere that a register states in words.
pub(crate) fn sphere_of_words(words: &str) -> Option<Sphere> {
    Some(match model::text::fold(words.trim()).as_str() {
        "federal" => Sphere::F,
        "estadual" => Sphere::E,
        "municipal" => Sphere::M,
        "distrital" => Sphere::D,
        _ => return None,
    })
}

/// The reach that a register states in words: 0 body, 1 sphere and power, 2 sphere, 3 everywhere.
pub(crate) fn stated_scope(words: &str) -> Option<i64> {
    let folded = model::text::fold(words.trim());
    let starts = |prefix: &str| folded.starts_with(prefix);
    Some(match () {
        () if starts("todas as esferas em todos os poderes") => 3,
        () if starts("em todos os poderes da esfera") => 2,
        () if starts("na esfera e no poder") => 1,
        () if starts("no orgao sancionador") => 0,
        () => return None,
    })
}

/// The narrowest and the widest reading of a sanction's reach.
pub(crate) fn scope(stated: Option<i64>, kind: Option<SanctionKind>) -> (i64, i64) {
    match (stated, kind.and_then(SanctionKind::reach_by_law)) {
        (Some(stated), Some(legal)) => (stated.min(legal), stated.max(legal)),
        (Some(one), None) | (None, Some(one)) => (one, one),
        (None, None) => ANY_SCOPE,
    }
}

/// The first of several names that has a letter: registers put masked numbers into columns of names.
pub(crate) fn name_of<'a>(candidates: impl IntoIterator<Item = &'a str>) -> &'a str {
    candidates.into_iter().find(|name| name.chars().any(char::is_alphabetic)).unwrap_or_default()
}

/// Maps the rows of a register.
pub(crate) struct MapRegister {
    columns: Register,
    place: Place,
    bodies: Bodies,
}

impl MapRegister {
    pub(crate) fn new(columns: Register, place: Place) -> Self {
        Self { columns, place, bodies: Bodies::default() }
    }
}

impl Mapper for MapRegister {
    fn map(&mut self, row: &Row<'_>) -> Result<Draft, Fault> {
        let c = &self.columns;
        let name = name_of([c.name, c.name_in_registry, c.name_informed].map(|col| row.code(col)));
        let number = row.code(c.number);
        if number.is_empty() && name.is_empty() {
            return Err(Fault::at(
                row.name(c.number),
                Reason::RequiredField,
                "neither a number nor a name: nobody is sanctioned",
            ));
        }
        let kind_words = row.text(c.kind);
        let legal_basis = row.text(c.legal_basis);
        let kind = SanctionKind::from_words(kind_words.as_deref().unwrap_or(""), legal_basis.as_deref().unwrap_or(""));
        let (starts_on, published_on) = (row.date(c.starts_on)?, row.date(c.published_on)?);
        let listed_on = starts_on.max(published_on).max(row.date(c.origin_on)?).max(self.place.file_day);
        let supplier = seen(model::supplier(number, name), listed_on);
        let body = row.text(c.body);
        let facts =
            self.bodies.describe(body.as_deref().unwrap_or(""), row.text(c.body_state), row.code(c.body_sphere));
        let (scope_min, scope_max) = scope(stated_scope(row.code(c.scope)), kind);
        let process = row.text(c.process);
        // Copies with commas are made by programs that write decimal dots.
        let fine = if self.place.separator == b',' { row.amount_with_dot(c.fine)? } else { row.amount(c.fine)? };
        let source = self.place.source;
        let code = row.code(c.code);
        let id = if code.is_empty() {
            let who = match &supplier {
                Some((id, _)) => id.clone(),
                None => format!("name:{}", normal_name(name)),
            };
            let process = process.as_deref().unwrap_or("");
            let kind = kind.map_or("", SanctionKind::code);
            let start = starts_on.map(|d| d.to_string()).unwrap_or_default();
            format!("{source}:{who}|{process}|{kind}|{start}")
        } else {
            format!("{source}:{code}")
        };
        let register = match row.text(c.register) {
            Some(register) => register.to_uppercase(),
            None => source.trim_start_matches("portal-").to_uppercase(),
        };
        let sanction = Sanction {
            register: Some(register),
            kind: kind.map(SanctionKind::code),
            kind_as_stated: kind_words,
            bars_contracting: kind.map(SanctionKind::bars_contracting),
            supplier_id: supplier.as_ref().map(|(id, _)| id.clone()),
            supplier_root: supplier.as_ref().and_then(|(_, s)| s.cnpj_root.clone()),
            supplier_name: Some(model::text::squeeze(name)).filter(|n| !n.is_empty()),
            starts_on,
            ends_on: row.date(c.ends_on)?,
            published_on,
            body_key: body.as_ref().map(|_| facts.key),
            body,
            body_sphere: facts.sphere,
            body_sphere_basis: facts.basis,
            body_state: facts.state,
            scope_as_stated: row.text(c.scope),
            scope_min: Some(scope_min),
            scope_max: Some(scope_max),
            legal_basis,
            process,
            fine,
            listed_on,
        };
        Ok(Draft { supplier, ..Draft::of(id, Record::Sanction(sanction)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sanctions_reach_is_between_what_is_stated_and_what_the_law_says() {
        let impediment = Some(SanctionKind::Impedimento);
        assert_eq!(scope(stated_scope("Todas as Esferas em todos os Poderes"), impediment), (2, 3));
        assert_eq!(scope(stated_scope("No órgão sancionador"), impediment), (0, 2));
        assert_eq!(
            scope(stated_scope("Na Esfera e no Poder do órgão sancionador"), Some(SanctionKind::Proibicao)),
            (1, 1)
        );
        assert_eq!(scope(stated_scope("Sem Informação"), impediment), (2, 2));
        assert_eq!(scope(None, None), (0, 3));
    }
}
