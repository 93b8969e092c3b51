//! What is not held, and which public source would have it: by level of government and period.

use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::{App, Result, Scope};

/// A source that could be fetched: for which spheres it has what is asked, and since when.
struct Known {
    code: &'static str,
    name: &'static str,
    /// `F` federal, `E` state, `M` municipal.
    spheres: &'static str,
    /// The one state of which it has it; empty for all.
    state: &'static str,
    since_year: i32,
}

const fn known(
    code: &'static str,
    name: &'static str,
    spheres: &'static str,
    state: &'static str,
    since_year: i32,
) -> Known {
    Known { code, name, spheres, state, since_year }
}

const CONTRACTS: &[Known] = &[
    known("portal-compras", "Portal da Transparência (arquivos mensais de compras)", "F", "", 2013),
    known("comprasgov-v1", "Compras.gov.br / Contratos.gov.br", "F", "", 2000),
    known("pncp", "PNCP (Portal Nacional de Contratações Públicas)", "FEM", "", 2021),
    known("sagres-pb", "TCE-PB (SAGRES)", "EM", "PB", 2003),
    known("licitacon-rs", "TCE-RS (LicitaCon)", "EM", "RS", 2016),
    known("mg-compras", "Portal de Compras de Minas Gerais", "E", "MG", 2009),
    known("sp-capital", "Prefeitura de São Paulo (contratos)", "M", "SP", 2005),
    known("recife", "Prefeitura do Recife (dados abertos)", "M", "PE", 2013),
];

/// What is missing, and where it would be.
pub(super) fn entry(what_pt: &str, what_en: &str, sources: &[(&str, &str)]) -> Value {
    let sources: Vec<Value> = sources.iter().map(|(code, name)| json!({"source": code, "name": name})).collect();
    json!({"what": {"pt": what_pt, "en": what_en}, "sources": sources})
}

/// Registers of sanctions.
pub(super) fn sanctions() -> Value {
    entry(
        "registros de sanções (nenhum foi ingerido)",
        "registers of sanctions (none was ingested)",
        &[("portal-ceis", "Portal da Transparência: CEIS"), ("portal-cnep", "Portal da Transparência: CNEP")],
    )
}

impl App {
    /// The sources that would have the contracts of a scope of which none is held.
    pub(super) fn sources_of(&self, scope: &Scope, today: NaiveDate) -> Result<Value> {
        let mut spheres = String::new();
        for id in &scope.buyers {
            spheres.extend(self.store().buyer(id)?.and_then(|buyer| buyer.sphere));
        }
        if !scope.bodies.is_empty() {
            for id in self.buyers_of(scope)?.into_iter().flatten().take(20) {
                spheres.extend(self.store().buyer(&id)?.and_then(|buyer| buyer.sphere));
            }
        }
        if spheres.is_empty() {
            spheres.push_str(if scope.municipality.is_some() { "M" } else { "FEM" });
        }
        let until = chrono::Datelike::year(&scope.to.unwrap_or(today).min(today));
        let fits = |source: &&Known| {
            let place = source.state.is_empty() || scope.state.as_deref().is_some_and(|state| state == source.state);
            let city = match source.code {
                "sp-capital" => scope.municipality.as_deref().map(model::text::fold).as_deref() == Some("sao paulo"),
                "recife" => scope.municipality.as_deref().map(model::text::fold).as_deref() == Some("recife"),
                _ => place,
            };
            city && source.spheres.chars().any(|sphere| spheres.contains(sphere)) && source.since_year <= until
        };
        let sources: Vec<(&str, &str)> =
            CONTRACTS.iter().filter(fits).map(|source| (source.code, source.name)).collect();
        let future = scope.from.is_some_and(|from| from > today);
        Ok(if future {
            entry("contratos de um período que ainda não começou", "contracts of a period that has not begun", &[])
        } else {
            entry("contratos deste escopo", "contracts of this scope", &sources)
        })
    }
}
