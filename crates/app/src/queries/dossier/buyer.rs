//! The dossier of a buyer.

use report::dossier::{Cell, Dossier, Section, Table};
use store::{EntityKind, FindingFilter};

use super::evidence::Gathering;
use super::party::{cut, links, newest};
use super::{AskDossier, what_this_is_not};
use crate::views::BuyerDetail;
use crate::{App, Result};

/// The columns of a contract whose presence is told.
const FIELDS: &[(&str, &str, &str)] = &[
    ("number", "número do contrato", "contract's number"),
    ("process", "processo administrativo", "administrative process"),
    ("object", "objeto", "what is bought"),
    ("modality", "modalidade", "modality"),
    ("legal_basis", "amparo legal", "legal basis"),
    ("supplier_id", "CNPJ ou CPF do contratado", "supplier's number"),
    ("signed_on", "data de assinatura", "day of signature"),
    ("published_on", "data de publicação", "day of publication"),
    ("ends_on", "fim da vigência", "last day"),
    ("value_initial", "valor inicial", "initial value"),
    ("value_final", "valor final", "final value"),
    ("activity", "ramo de atividade", "line of activity"),
];

impl App {
    /// The dossier of a buyer: contracts, shares by supplier with concentration, modalities, amendments, findings, coverage.
    ///
    /// # Errors
    /// `NotFound`; the database cannot be read.
    pub fn buyer_dossier(&self, id: &str, ask: AskDossier) -> Result<Dossier> {
        let language = ask.language;
        let held = self.buyer(id)?;
        let mut gathering = Gathering::new(self, ask.patience);
        let about = FindingFilter { buyer_id: Some(id.to_owned()), ..FindingFilter::default() };
        let (findings, more) = self.findings_of_party(about, &mut gathering)?;
        let title = format!("{}: {}", language.say("Dossiê do órgão", "Dossier of the buyer"), held.buyer.name);
        let mut dossier = self.blank_dossier("buyer", id, title, language);
        dossier.cut = cut(&findings, more, gathering.short, language);
        let kind = EntityKind::Buyer;
        dossier.sections = vec![
            who(&held, ask),
            what_this_is_not(language),
            self.along_time(kind, id, language)?,
            self.shares(kind, id, language)?,
            self.modalities(kind, id, language)?,
            self.changes(kind, id, language)?,
            self.fields_told(id, ask)?,
            links(&held.links, &held.same_as, language),
            newest(&held.contracts, held.totals.contracts, language),
        ];
        self.tell_findings(&mut dossier, findings, language)?;
        Ok(dossier)
    }

    /// How many of its contracts state what flags need.
    fn fields_told(&self, id: &str, ask: AskDossier) -> Result<Section> {
        let language = ask.language;
        let t = |pt, en| language.say(pt, en);
        let mut section = Section::new("cobertura", t("O que os contratos informam", "What the contracts state"));
        section.text(t(
            "O que falta num contrato deixa sinais sem cálculo: não é achado nem ausência de achado.",
            "What a contract lacks leaves flags not computable: that is neither a finding nor the absence of one.",
        ));
        let columns: Vec<&str> = FIELDS.iter().map(|(column, ..)| *column).collect();
        let (all, counts) = self.store().contract_fields(EntityKind::Buyer, id, &columns)?;
        let rows = FIELDS.iter().zip(counts).map(|((column, pt, en), n)| {
            vec![
                Cell::of(t(pt, en), *column),
                language.count(n),
                language.count(all - n),
                language.share(n.into(), all.into()).unwrap_or_default(),
            ]
        });
        let heads = [
            t("Campo", "Field"),
            t("#Informam", "#State it"),
            t("#Não informam", "#Do not"),
            t("#Parcela que informa", "#Share that does"),
        ];
        let caption = match language {
            report::dossier::Language::Pt => format!("Campos de {} contratos", language.count(all).text),
            report::dossier::Language::En => format!("Fields of {} contracts", language.count(all).text),
        };
        section.table(Table::new(caption, &heads, rows.collect()));
        Ok(section)
    }
}

fn who(held: &BuyerDetail, ask: AskDossier) -> Section {
    let language = ask.language;
    let t = |pt, en| language.say(pt, en);
    let mut section = Section::new("quem", t("Quem é", "Who it is"));
    let buyer = &held.buyer;
    let mut facts = vec![
        Cell::plain(buyer.name.as_str()).named(t("Nome", "Name")),
        Cell::plain(buyer.id.as_str()).named(t("Identificação", "Id")),
    ];
    for (value, label) in [
        (&buyer.code, t("Código", "Code")),
        (&buyer.cnpj, "CNPJ"),
        (&buyer.sphere, t("Esfera", "Sphere")),
        (&buyer.state, t("UF", "State")),
        (&buyer.municipality, t("Município", "Municipality")),
        (&buyer.parent_name, t("Órgão", "Body")),
        (&buyer.superior_name, t("Órgão superior", "Superior body")),
    ] {
        facts.extend(value.as_deref().map(|value| Cell::plain(value).named(label)));
    }
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
