//! The dossier of a supplier.

use report::dossier::{Cell, Dossier, Section, Table};
use serde_json::json;
use store::{EntityKind, FindingFilter};

use super::evidence::Gathering;
use super::party::{cut, links, newest};
use super::{AskDossier, network, what_this_is_not, words};
use crate::views::{Partner, Provenance, Registration, Sanction, SupplierDetail};
use crate::{App, Result};

impl App {
    /// The dossier of a supplier: contracts, shares by buyer, amendments, sanctions, partners, network, findings.
    ///
    /// # Errors
    /// `NotFound`; the database cannot be read.
    pub fn supplier_dossier(&self, id: &str, ask: AskDossier) -> Result<Dossier> {
        let language = ask.language;
        let held = self.supplier(id)?;
        let mut gathering = Gathering::new(self, ask.patience);
        let about = FindingFilter { supplier_id: Some(id.to_owned()), ..FindingFilter::default() };
        let (findings, more) = self.findings_of_party(about, &mut gathering)?;
        let title =
            format!("{}: {}", language.say("Dossiê do fornecedor", "Dossier of the supplier"), held.supplier.name);
        let mut dossier = self.blank_dossier("supplier", id, title, language);
        dossier.cut = cut(&findings, more, gathering.short, language);
        let kind = EntityKind::Supplier;
        dossier.sections = vec![
            who(&held, ask),
            what_this_is_not(language),
            self.along_time(kind, id, language)?,
            self.shares(kind, id, language)?,
            self.modalities(kind, id, language)?,
            self.changes(kind, id, language)?,
            self.sanctions_told(&held, ask)?,
            registered(&held.registrations, ask),
            partners(&held.partners, ask),
            network::section(&held, ask, &mut gathering),
            links(&held.links, &held.same_as, language),
            newest(&held.contracts, held.totals.contracts, language),
        ];
        self.tell_findings(&mut dossier, findings, language)?;
        Ok(dossier)
    }

    fn sanctions_told(&self, held: &SupplierDetail, ask: AskDossier) -> Result<Section> {
        let language = ask.language;
        let t = |pt, en| language.say(pt, en);
        let mut section = Section::new("sancoes", t("Sanções", "Sanctions"));
        let today = crate::today().to_string();
        let mut rows = Vec::new();
        for sanction in &held.sanctions {
            let signed = match &sanction.starts_on {
                Some(from) => {
                    let to = sanction.ends_on.as_deref();
                    language.count(self.store().contracts_signed_within(
                        EntityKind::Supplier,
                        &held.supplier.id,
                        from,
                        to,
                    )?)
                }
                None => Cell::plain("–"),
            };
            rows.push(sanction_row(sanction, &today, signed, ask));
        }
        if rows.is_empty() {
            section.text(t(
                "Nenhuma sanção deste fornecedor consta dos cadastros guardados. Veja em Fontes quais são e de quando.",
                "No sanction of this supplier stands in the registers held. See under Sources which these are and of when.",
            ));
            return Ok(section);
        }
        section.text(t(
            "Se uma sanção impede um contrato depende do tipo e do alcance dela e do órgão: isto julga o sinal BR01. Aqui só se conta quantos contratos foram assinados entre o primeiro e o último dia da sanção.",
            "Whether a sanction bars a contract depends on its kind and scope and on the buyer: flag BR01 judges that. Here is only counted how many contracts were signed from its first to its last day.",
        ));
        let heads = [
            t("Cadastro", "Register"),
            t("Tipo, como consta", "Kind, as stated"),
            t("Órgão que sanciona", "Body that sanctions"),
            t("Alcance, como consta", "Scope, as stated"),
            t("Desde", "From"),
            t("Até", "Until"),
            t("Hoje", "Today"),
            t("#Contratos assinados nesses dias", "#Contracts signed in those days"),
            t("Arquivo e linha", "File and line"),
        ];
        section.table(Table::new(t("Sanções", "Sanctions"), &heads, rows));
        Ok(section)
    }
}

fn place(provenance: &Provenance, ask: AskDossier) -> Cell {
    super::party::place(&json!({"file": provenance.file, "line": provenance.line}), ask.language)
}

fn stated(text: &Option<String>) -> Cell {
    Cell::plain(text.as_deref().unwrap_or_default())
}

fn sanction_row(sanction: &Sanction, today: &str, signed: Cell, ask: AskDossier) -> Vec<Cell> {
    let language = ask.language;
    let t = |pt, en| language.say(pt, en);
    let day = |day: &Option<String>| day.as_deref().map_or_else(|| Cell::plain("–"), |day| language.day(day));
    let begun = sanction.starts_on.as_deref().map(|from| from <= today);
    let over = sanction.ends_on.as_deref().is_some_and(|to| to < today);
    let stands = match (begun, over) {
        (_, true) => t("terminada", "over"),
        (Some(true), false) => t("vigente", "in force"),
        (Some(false), false) => t("ainda não começou", "not begun yet"),
        (None, false) => t("sem data de início", "no first day stated"),
    };
    vec![
        stated(&sanction.register),
        stated(&sanction.kind_as_stated),
        stated(&sanction.body),
        stated(&sanction.scope_as_stated),
        day(&sanction.starts_on),
        day(&sanction.ends_on),
        Cell::plain(stands),
        signed,
        place(&sanction.provenance, ask),
    ]
}

fn who(held: &SupplierDetail, ask: AskDossier) -> Section {
    let language = ask.language;
    let t = |pt, en| language.say(pt, en);
    let mut section = Section::new("quem", t("Quem é", "Who it is"));
    let supplier = &held.supplier;
    let mut facts = vec![
        Cell::plain(supplier.name.as_str()).named(t("Nome", "Name")),
        language.party(&supplier.id).named(t("Identificação", "Id")),
        Cell::of(words::party(&supplier.kind, language), supplier.kind.as_str()).named(t("Espécie", "Kind")),
    ];
    let totals = &held.totals;
    facts.push(language.count(totals.contracts).named(t("Contratos guardados", "Contracts held")));
    if let Some(value) = &totals.value {
        facts.push(language.money(value, totals.currency).named(t("Valor dos contratos", "Value of the contracts")));
    }
    facts.push(language.count(totals.contracts_without_value).named(t("Sem valor informado", "Without a value")));
    for (day, label) in [
        (&totals.first_signed_on, t("Primeira assinatura", "First signature")),
        (&totals.last_signed_on, t("Última assinatura", "Last signature")),
    ] {
        facts.extend(day.as_deref().map(|day| language.day(day).named(label)));
    }
    section.facts(facts);
    section
}

fn registered(registrations: &[Registration], ask: AskDossier) -> Section {
    let language = ask.language;
    let t = |pt, en| language.say(pt, en);
    let mut section = Section::new("cadastro", t("Cadastro da Receita", "Register of companies"));
    let rows = registrations.iter().map(|row| {
        let day = |day: &Option<String>| day.as_deref().map_or_else(Cell::default, |day| language.day(day));
        vec![
            stated(&row.scope),
            stated(&row.name),
            stated(&row.status),
            day(&row.status_on),
            day(&row.opened_on),
            stated(&row.main_activity),
            stated(&row.size),
            row.capital.as_deref().map_or_else(Cell::default, |value| language.money(value, "BRL")),
            stated(&row.state),
            place(&row.provenance, ask),
        ]
    });
    let heads = [
        t("De", "Of"),
        t("Nome", "Name"),
        t("Situação", "Status"),
        t("Desde", "Since"),
        t("Início de atividade", "Opened"),
        t("CNAE principal", "Main activity (CNAE)"),
        t("Porte", "Size"),
        t("#Capital social", "#Share capital"),
        t("UF", "State"),
        t("Arquivo e linha", "File and line"),
    ];
    section.table(Table::new(t("O que consta", "What it says"), &heads, rows.collect()));
    if section.blocks.is_empty() {
        section.text(t(
            "O cadastro guardado nada diz deste fornecedor.",
            "The register held says nothing of this supplier.",
        ));
    }
    section
}

fn partners(partners: &[Partner], ask: AskDossier) -> Section {
    let language = ask.language;
    let t = |pt, en| language.say(pt, en);
    let mut section = Section::new("socios", t("Sócios e administradores", "Partners"));
    let rows = partners.iter().map(|partner| {
        vec![
            stated(&partner.name),
            partner.id.as_deref().map_or_else(Cell::default, |id| language.party(id)),
            partner.kind.as_deref().map_or_else(Cell::default, |kind| Cell::of(words::party(kind, language), kind)),
            stated(&partner.role),
            partner.since_on.as_deref().map_or_else(Cell::default, |day| language.day(day)),
            place(&partner.provenance, ask),
        ]
    });
    let heads = [
        t("Nome", "Name"),
        t("Identificação", "Id"),
        t("Espécie", "Kind"),
        t("Código da qualificação", "Code of the role"),
        t("Desde", "Since"),
        t("Arquivo e linha", "File and line"),
    ];
    section.table(Table::new(t("Quadro societário, no máximo 50", "Partners, at most 50"), &heads, rows.collect()));
    if section.blocks.is_empty() {
        section.text(t(
            "O cadastro guardado não traz sócios deste fornecedor.",
            "The register held names no partners of this supplier.",
        ));
    }
    section
}
