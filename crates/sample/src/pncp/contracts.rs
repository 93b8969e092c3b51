//! A record of `/contratos`: its 37 keys, in PNCP's order.

use std::io;

use super::pages::Pages;
use super::{Breakage, Pncp, push_moment};
use crate::bytes::{push_json_money, push_number, push_padded};
use crate::days::Day;
use crate::objects::push_process;
use crate::party::{Party, PartyKind};

/// A contract about to be written; its object lies in the writer.
#[derive(Debug, Clone)]
pub(super) struct Agreement {
    pub(super) buyer: usize,
    pub(super) sequence: u32,
    pub(super) day: Day,
    pub(super) party: Party,
    pub(super) cents: i64,
    pub(super) category: (u32, &'static str),
    pub(super) income: bool,
    /// Running number of its purchase, where that is written too.
    pub(super) purchase: Option<u32>,
    /// How often it was corrected.
    pub(super) correction: u32,
    pub(super) breakage: Option<Breakage>,
    /// The day of publication and the days of its term, where a plot says so.
    pub(super) published: Option<Day>,
    pub(super) term_days: Option<u32>,
}

impl Default for Agreement {
    fn default() -> Self {
        Self {
            buyer: 0,
            sequence: 0,
            day: Day::of(2021, 1, 1),
            party: Party::NotStated,
            cents: 0,
            category: (2, "Compras"),
            income: false,
            purchase: None,
            correction: 0,
            breakage: None,
            published: None,
            term_days: None,
        }
    }
}

/// Appends `"{cnpj}-{kind}-{number}/{year}"`, a control number.
pub(super) fn push_control(out: &mut Vec<u8>, cnpj: &str, kind: u8, number: u32, year: &[u8]) {
    out.push(b'"');
    out.extend_from_slice(cnpj.as_bytes());
    out.extend_from_slice(&[b'-', kind, b'-']);
    push_padded::<6>(out, u64::from(number));
    out.push(b'/');
    out.extend_from_slice(year);
    out.push(b'"');
}

/// Appends a text as JSON; the texts of this crate hold no control characters.
pub(super) fn push_text(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    out.extend_from_slice(text);
    out.push(b'"');
}

impl Pncp<'_> {
    pub(super) fn write_contract(&mut self, pages: &mut Pages, deal: &Agreement) -> io::Result<()> {
        let (local, rng, object) = (&self.world.locals[deal.buyer], &mut self.rng, &self.object);
        let year = &deal.day.iso()[..4];
        let bits = rng.next();
        let published = deal.published.unwrap_or_else(|| deal.day.plus(1 + (bits % 9) as u32));
        let second = (bits >> 8) as u32 % 86_400;
        let updated = published.plus(deal.correction * (20 + (bits >> 40) as u32 % 30));
        let purchase = deal.purchase.unwrap_or(800_000 + (bits >> 32) as u32 % 100_000);
        let kind = deal.party.kind();
        pages.add(|out| {
            let raw = |out: &mut Vec<u8>, text: &str| out.extend_from_slice(text.as_bytes());
            raw(out, "{\"numeroControlePncpCompra\":");
            push_control(out, &local.cnpj, b'1', purchase, year);
            raw(
                out,
                match kind {
                    PartyKind::Foreign => ",\"codigoPaisFornecedor\":\"DEU\",\"numeroControlePNCP\":",
                    _ if bits >> 60 == 0 => ",\"codigoPaisFornecedor\":null,\"numeroControlePNCP\":",
                    _ => ",\"codigoPaisFornecedor\":\"BRA\",\"numeroControlePNCP\":",
                },
            );
            match deal.breakage {
                Some(Breakage::NoControlNumber) => raw(out, "null"),
                _ => push_control(out, &local.cnpj, b'2', deal.sequence, year),
            }
            raw(out, if deal.income { ",\"receita\":true" } else { ",\"receita\":false" });
            raw(out, ",\"numeroParcelas\":1,\"numeroRetificacao\":");
            push_number(out, u64::from(deal.correction));
            raw(out, ",\"tipoPessoaSubContratada\":null,\"objetoContrato\":");
            push_text(out, object);
            raw(out, ",\"valorInicial\":");
            push_json_money(out, deal.cents);
            raw(out, ",\"valorParcela\":");
            push_json_money(out, deal.cents);
            raw(out, ",\"valorGlobal\":");
            match deal.breakage {
                Some(Breakage::NotANumber) => raw(out, "\"a apurar\""),
                _ => push_json_money(out, deal.cents),
            }
            raw(out, ",\"valorAcumulado\":");
            if bits >> 59 == 1 {
                raw(out, "null");
            } else {
                push_json_money(out, deal.cents);
            }
            raw(out, ",\"dataAtualizacaoGlobal\":");
            push_moment(out, updated, second);
            raw(out, ",\"identificadorCipi\":null,\"urlCipi\":null,\"anoContrato\":");
            out.extend_from_slice(year);
            raw(
                out,
                match bits >> 62 {
                    0 => ",\"tipoContrato\":{\"id\":1,\"nome\":\"Contrato (termo inicial)\"}",
                    1 => ",\"tipoContrato\":{\"id\":7,\"nome\":\"Empenho\"}",
                    _ => ",\"tipoContrato\":{\"id\":8,\"nome\":\"Outros\"}",
                },
            );
            raw(out, ",\"numeroContratoEmpenho\":\"");
            push_padded::<6>(out, u64::from(deal.sequence));
            out.push(b'/');
            out.extend_from_slice(year);
            raw(out, "\",\"dataAssinatura\":");
            match deal.breakage {
                Some(Breakage::ZeroDate) => raw(out, "\"0000-00-00\""),
                _ => push_text(out, deal.day.iso()),
            }
            raw(out, ",\"dataVigenciaInicio\":");
            push_text(out, deal.day.iso());
            raw(out, ",\"dataVigenciaFim\":");
            push_text(out, deal.day.plus(deal.term_days.unwrap_or(60 + (bits >> 20) as u32 % 400)).iso());
            raw(out, ",\"niFornecedor\":\"");
            deal.party.push_pncp_code(out);
            raw(
                out,
                match kind {
                    PartyKind::Person => "\",\"tipoPessoa\":\"PF\",",
                    PartyKind::Foreign => "\",\"tipoPessoa\":\"PE\",",
                    PartyKind::Company | PartyKind::NotStated => "\",\"tipoPessoa\":\"PJ\",",
                },
            );
            out.extend_from_slice(&local.body_json);
            raw(out, ",\"categoriaProcesso\":{\"id\":");
            push_number(out, u64::from(deal.category.0));
            raw(out, ",\"nome\":\"");
            raw(out, deal.category.1);
            raw(out, "\"},\"dataPublicacaoPncp\":");
            push_moment(out, published, second);
            raw(out, ",\"dataAtualizacao\":");
            push_moment(out, updated, second);
            raw(out, ",\"sequencialContrato\":");
            push_number(out, u64::from(deal.sequence));
            out.push(b',');
            out.extend_from_slice(&local.unit_json);
            raw(out, ",\"informacaoComplementar\":null,\"processo\":");
            push_process(out, b"\"", rng, deal.day.year());
            raw(out, "\",\"unidadeSubRogada\":null,\"orgaoSubRogado\":null,\"nomeRazaoSocialFornecedor\":\"");
            deal.party.push_name(out);
            raw(out, "\",\"niFornecedorSubContratado\":null,\"nomeFornecedorSubContratado\":null,");
            raw(out, "\"usuarioNome\":\"Sistema Fictício de Compras\"}");
        })
    }
}
