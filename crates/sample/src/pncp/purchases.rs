//! A record of `/contratacoes/publicacao`: its 35 keys, in PNCP's order, and the contracts that follow from it.

use std::io;

use super::contracts::{Agreement, push_control, push_text};
use super::pages::Pages;
use super::{Pncp, push_moment};
use crate::bytes::{push_json_money, push_number};
use crate::days::Month;
use crate::objects::{push_object, push_process};
use crate::plan::Announced;
use crate::rng::Rng;
use crate::world::{World, activity_of};

/// The activity that is works.
const WORKS: u8 = 15;

/// How a purchase is made, in PNCP's numbers and words.
#[derive(Debug, Clone, Copy)]
struct Terms {
    modality: (u32, &'static str),
    basis: (u32, &'static str, &'static str),
    dispute: (u32, &'static str),
    call: (u32, &'static str),
    /// The waiver limit in reais, when it is waived by its value.
    limit: Option<f64>,
}

const PREGAO: (u32, &str) = (6, "Pregão - Eletrônico");
const COMMON: (u32, &str, &str) = (
    1,
    "Lei 14.133/2021, Art. 28, I",
    "pregão: modalidade de licitação obrigatória para aquisição de bens e serviços comuns",
);

impl Terms {
    fn draw(rng: &mut Rng, month: Month, activity: u8) -> Self {
        const OPEN: (u32, &str) = (1, "Aberto");
        const NONE: (u32, &str) = (5, "Não se aplica");
        const NOTICE: (u32, &str) = (1, "Edital");
        let old = month.is_before_the_new_law();
        let works = activity == WORKS;
        let tendered = |modality, basis, dispute| Self { modality, basis, dispute, call: NOTICE, limit: None };
        let competitive = (
            2,
            "Lei 14.133/2021, Art. 28, II",
            "concorrência: modalidade de licitação para bens e serviços especiais e obras",
        );
        match rng.below(100) {
            0..16 => {
                let basis = match (old, works) {
                    (true, true) => (201, "Lei 8.666/1993, Art. 24, I", "dispensa em razão do valor"),
                    (true, false) => (202, "Lei 8.666/1993, Art. 24, II", "dispensa em razão do valor"),
                    (false, true) => (
                        18,
                        "Lei 14.133/2021, Art. 75, I",
                        "dispensa em razão do valor: obras e serviços de engenharia",
                    ),
                    (false, false) => {
                        (19, "Lei 14.133/2021, Art. 75, II", "dispensa em razão do valor: outros serviços e compras")
                    }
                };
                let limit = match month.year {
                    _ if old => 17_600.0,
                    2021 => 50_000.0,
                    2022 => 54_020.41,
                    2023 => 57_208.33,
                    2024 => 59_906.02,
                    _ => 62_725.59,
                };
                Self {
                    modality: (8, "Dispensa"),
                    basis,
                    dispute: (4, "Dispensa Com Disputa"),
                    call: (2, "Aviso de Contratação Direta"),
                    limit: Some(limit),
                }
            }
            16..23 => {
                let basis = if old {
                    (204, "Lei 8.666/1993, Art. 24, IV", "emergência ou calamidade pública")
                } else {
                    (25, "Lei 14.133/2021, Art. 75, VIII", "emergência ou calamidade pública")
                };
                Self {
                    modality: (8, "Dispensa"),
                    basis,
                    dispute: NONE,
                    call: (3, "Ato que autoriza a Contratação Direta"),
                    limit: None,
                }
            }
            23..32 => {
                let basis = if old {
                    (205, "Lei 8.666/1993, Art. 25, I", "fornecedor exclusivo")
                } else {
                    (6, "Lei 14.133/2021, Art. 74, I", "fornecedor exclusivo")
                };
                Self {
                    modality: (9, "Inexigibilidade"),
                    basis,
                    dispute: NONE,
                    call: (3, "Ato que autoriza a Contratação Direta"),
                    limit: None,
                }
            }
            32..36 if !old => tendered((4, "Concorrência - Eletrônica"), competitive, OPEN),
            36..38 if !old => tendered((5, "Concorrência - Presencial"), competitive, OPEN),
            38..40 if !old => tendered((7, "Pregão - Presencial"), COMMON, OPEN),
            40..42 if !old => {
                let basis =
                    (49, "Lei 14.133/2021, Art. 79, I", "credenciamento: contratações paralelas e não excludentes");
                tendered((12, "Credenciamento"), basis, NONE)
            }
            draw => Self::auction(old, draw),
        }
    }

    fn emergency() -> Self {
        Self {
            modality: (8, "Dispensa"),
            basis: (25, "Lei 14.133/2021, Art. 75, VIII", "emergência ou calamidade pública"),
            dispute: (5, "Não se aplica"),
            call: (3, "Ato que autoriza a Contratação Direta"),
            limit: None,
        }
    }

    fn auction(old: bool, draw: u32) -> Self {
        let basis =
            if old { (210, "Lei 10.520/2002, Art. 1º", "pregão para bens e serviços comuns") } else { COMMON };
        let dispute = if draw.is_multiple_of(4) { (1, "Aberto") } else { (3, "Aberto-Fechado") };
        Self { modality: PREGAO, basis, dispute, call: (1, "Edital"), limit: None }
    }
}

impl Pncp<'_> {
    /// Writes a purchase and its contracts, at most `most`; gives how many those are.
    pub(super) fn write_purchase(
        &mut self,
        contracts: &mut Pages,
        purchases: &mut Pages,
        month: Month,
        most: u64,
    ) -> io::Result<u64> {
        const HOW_MANY: [u32; 4] = [28, 42, 20, 10];
        let world = self.world;
        let buyer = world.local(&mut self.rng);
        let local = &world.locals[buyer];
        let activity = World::activity(&mut self.rng, local.reserved);
        let mut terms = Terms::draw(&mut self.rng, month, activity);
        let count = (self.rng.weighted(&HOW_MANY) as u64).min(most) as usize;
        let amounts: [i64; 3] = std::array::from_fn(|_| match terms.limit {
            Some(limit) => (limit * self.rng.uniform(0.08, 0.5) * 100.0) as i64,
            None => World::target_cents(&mut self.rng, activity, local.scale * 0.6),
        });
        let sum: i64 = amounts[..count.max(1)].iter().sum();
        if let Some(limit) = terms.limit {
            // The year's waivers of a unit in one activity stay below the limit; what does not fit is tendered.
            let waived = &mut self.waived[buyer][usize::from(activity)];
            if f64::from(*waived) + sum as f64 / 100.0 < 0.9 * limit {
                *waived += (sum / 100) as f32;
            } else {
                terms = Terms::auction(month.is_before_the_new_law(), 1);
            }
        }
        self.object.clear();
        let vague = self.rng.below(10) == 0;
        push_object(&mut self.object, &mut self.rng, (!vague).then(|| activity_of(activity)), month.year);
        let number = &mut self.purchase_numbers[local.body][month.year_index()];
        *number += 1;
        let number = *number;
        let published = month.first.plus(self.rng.below(8)).on_a_weekday(month.first);
        let closed = published.plus(self.rng.between(15, 16));
        let amounts_of = |estimate| (count, estimate, sum);
        let sealed = self.rng.below(100) < 15;
        let estimate = if sealed { 0 } else { (sum as f64 / self.rng.uniform(0.78, 0.97)).round() as i64 };
        self.write_purchase_record(purchases, buyer, number, &terms, (published, closed), amounts_of(estimate))?;
        let mut parties = Vec::with_capacity(count);
        for cents in amounts.into_iter().take(count) {
            let party = loop {
                let party = self.draw_party(activity);
                if !parties.contains(&party) {
                    break party;
                }
            };
            parties.push(party);
            let room = month.last.since(closed);
            let agreement = Agreement {
                buyer,
                sequence: self.next_contract(buyer, month),
                day: closed.plus(self.rng.between(1, room)).on_a_weekday(closed.plus(1)),
                party,
                cents,
                category: activity_of(activity).category,
                purchase: Some(number),
                ..Agreement::default()
            };
            self.write_ordinary(contracts, &agreement)?;
        }
        Ok(count as u64)
    }

    /// A planted purchase, whose object lies in `self.object`.
    pub(super) fn write_announced(&mut self, pages: &mut Pages, buyer: usize, it: &Announced) -> io::Result<()> {
        let terms = if it.tendered { Terms::auction(false, 1) } else { Terms::emergency() };
        self.write_purchase_record(
            pages,
            buyer,
            it.number,
            &terms,
            (it.published, it.closed),
            (1, it.estimate, it.awarded),
        )
    }

    fn write_purchase_record(
        &mut self,
        pages: &mut Pages,
        buyer: usize,
        number: u32,
        terms: &Terms,
        (published, closed): (crate::days::Day, crate::days::Day),
        (count, estimate, sum): (usize, i64, i64),
    ) -> io::Result<()> {
        let (local, rng, object) = (&self.world.locals[buyer], &mut self.rng, &self.object);
        let bits = rng.next();
        let second = (bits >> 8) as u32 % 86_400;
        let year = &published.iso()[..4];
        let situation = match (count, (bits >> 24) % 12) {
            (0, 0) => (2, "Revogada"),
            (0, 1) => (3, "Anulada"),
            (0, 2) => (4, "Suspensa"),
            _ => (1, "Divulgada no PNCP"),
        };
        let open = terms.modality.0 != 9;
        pages.add(|out| {
            let raw = |out: &mut Vec<u8>, text: &str| out.extend_from_slice(text.as_bytes());
            let pair = |out: &mut Vec<u8>, id: &str, name: &str, (code, words): (u32, &str)| {
                raw(out, id);
                push_number(out, u64::from(code));
                raw(out, name);
                push_text(out, words.as_bytes());
            };
            pair(out, "{\"amparoLegal\":{\"codigo\":", ",\"descricao\":", (terms.basis.0, terms.basis.2));
            raw(out, ",\"nome\":");
            push_text(out, terms.basis.1.as_bytes());
            raw(out, "},\"anoCompra\":");
            out.extend_from_slice(year);
            raw(out, ",\"dataAberturaProposta\":");
            if open {
                push_moment(out, published.plus(1), 8 * 3_600);
            } else {
                raw(out, "null");
            }
            raw(out, ",\"dataAtualizacao\":");
            push_moment(out, published, second);
            raw(out, ",\"dataAtualizacaoGlobal\":");
            push_moment(out, closed.plus(4), second);
            raw(out, ",\"dataEncerramentoProposta\":");
            if open {
                push_moment(out, closed, 9 * 3_600);
            } else {
                raw(out, "null");
            }
            raw(out, ",\"dataInclusao\":");
            push_moment(out, published, second);
            raw(out, ",\"dataPublicacaoPncp\":");
            push_moment(out, published, second);
            raw(out, ",\"emendaParlamentar\":null,\"fontesOrcamentarias\":[],\"informacaoComplementar\":null,");
            raw(out, "\"justificativaPresencial\":null,\"linkProcessoEletronico\":null,\"linkSistemaOrigem\":null,");
            pair(out, "\"modalidadeId\":", ",\"modalidadeNome\":", terms.modality);
            pair(out, ",\"modoDisputaId\":", ",\"modoDisputaNome\":", terms.dispute);
            raw(out, ",\"numeroCompra\":\"");
            push_number(out, u64::from(number));
            raw(out, "\",\"numeroControlePNCP\":");
            push_control(out, &local.cnpj, b'1', number, year);
            raw(out, ",\"objetoCompra\":");
            push_text(out, object);
            out.push(b',');
            out.extend_from_slice(&local.body_json);
            raw(out, ",\"orgaoSubRogado\":null,\"processo\":");
            push_process(out, b"\"", rng, published.year());
            raw(out, "\",\"sequencialCompra\":");
            push_number(out, u64::from(number));
            pair(out, ",\"situacaoCompraId\":", ",\"situacaoCompraNome\":", situation);
            raw(out, if bits >> 63 == 1 { ",\"srp\":true" } else { ",\"srp\":false" });
            let call = (",\"tipoInstrumentoConvocatorioCodigo\":", ",\"tipoInstrumentoConvocatorioNome\":");
            pair(out, call.0, call.1, terms.call);
            out.push(b',');
            out.extend_from_slice(&local.unit_json);
            raw(
                out,
                ",\"unidadeSubRogada\":null,\"usuarioNome\":\"Sistema Fictício de Compras\",\"valorTotalEstimado\":",
            );
            push_json_money(out, estimate);
            raw(out, ",\"valorTotalHomologado\":");
            if count == 0 {
                raw(out, "null");
            } else {
                push_json_money(out, sum);
            }
            out.push(b'}');
        })
    }
}
