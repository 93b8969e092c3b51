//! The registers of sanctioned suppliers, CEIS and CNEP, as the Portal's bulk files lay them out.
//!
//! No ordinary contract may meet a sanction that bars it. So a sanction that could bar falls on suppliers that
//! have no contract at all; ordinary suppliers only ever carry what ended before the first contract, or a fine.

use std::io;
use std::path::Path;

use crate::bytes::{push_bulk_money, push_number};
use crate::csv::{Csv, Dialect};
use crate::days::Day;
use crate::objects::push_process;
use crate::party::{Party, PartyKind};
use crate::places::UFS;
use crate::rng::Rng;
use crate::world::World;

/// The day on which both lists are dated.
pub(crate) const LISTED_ON: (i32, u32, u32) = (2025, 12, 31);
const SANCTIONS_MIN: u64 = 200;
const SANCTIONS_MAX: u64 = 20_000;

/// Which list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Register {
    Ceis,
    Cnep,
}

impl Register {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ceis => "CEIS",
            Self::Cnep => "CNEP",
        }
    }
}

/// What was imposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Penalty {
    Inidoneidade,
    Impedimento,
    Suspensao,
    /// By a court, under Lei 8.429.
    Proibicao,
    Multa,
    Publicacao,
}

/// How far it reaches, as the register says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Everywhere,
    Sphere,
    SphereAndBranch,
    Body,
    NotStated,
}

impl Scope {
    const fn words(self) -> &'static str {
        match self {
            Self::Everywhere => "Todas as Esferas em todos os Poderes",
            Self::Sphere => "Em todos os Poderes da Esfera do órgão sancionador",
            Self::SphereAndBranch => "Na Esfera e no Poder do órgão sancionador",
            Self::Body => "No órgão sancionador",
            Self::NotStated => "Sem Informação",
        }
    }
}

/// Who imposed it.
#[derive(Debug, Clone)]
pub(crate) struct Authority {
    pub(crate) name: String,
    pub(crate) uf: usize,
    pub(crate) sphere: &'static str,
}

/// One entry of a register.
#[derive(Debug, Clone)]
pub(crate) struct Sanction {
    register: Register,
    /// `CÓDIGO DA SANÇÃO`.
    pub(crate) number: u64,
    party: Party,
    penalty: Penalty,
    scope: Scope,
    by: Authority,
    start: Day,
    end: Option<Day>,
    pub(crate) fine_cents: Option<i64>,
}

impl Sanction {
    pub(crate) fn new(
        register: Register,
        party: Party,
        penalty: Penalty,
        scope: Scope,
        by: Authority,
        start: Day,
        end: Option<Day>,
    ) -> Self {
        Self { register, number: 0, party, penalty, scope, by, start, end, fine_cents: None }
    }

    fn category(&self) -> &'static str {
        match (self.penalty, self.end) {
            (Penalty::Inidoneidade, Some(_)) => "Declaração de Inidoneidade com prazo determinado",
            (Penalty::Inidoneidade, None) => "Declaração de Inidoneidade sem prazo determinado",
            (Penalty::Impedimento | Penalty::Proibicao, Some(_)) => {
                "Impedimento/proibição de contratar com prazo determinado"
            }
            (Penalty::Impedimento | Penalty::Proibicao, None) => {
                "Impedimento/proibição de contratar sem prazo determinado"
            }
            (Penalty::Suspensao, _) => "Suspensão",
            (Penalty::Multa, _) => "Multa - Lei 12846/2013",
            (Penalty::Publicacao, _) => "Publicação extraordinária da decisão condenatória - Lei 12846/2013",
        }
    }

    fn basis(&self) -> &'static str {
        let new_law = self.start >= Day::of(2021, 6, 1);
        match self.penalty {
            Penalty::Inidoneidade if new_law => {
                "LEI 14133 - ART. 156, IV - DECLARAÇÃO DE INIDONEIDADE PARA LICITAR OU CONTRATAR"
            }
            Penalty::Inidoneidade => {
                "LEI 8666 - ART. 87, IV - DECLARAÇÃO DE INIDONEIDADE PARA LICITAR OU CONTRATAR COM A ADMINISTRAÇÃO PÚBLICA"
            }
            Penalty::Impedimento if new_law => "LEI 14133 - ART. 156, III - IMPEDIMENTO DE LICITAR E CONTRATAR",
            Penalty::Impedimento => {
                "LEI 10520 - ART. 7º - FICARÁ IMPEDIDO DE LICITAR E CONTRATAR COM A UNIÃO, ESTADOS, DISTRITO FEDERAL OU MUNICÍPIOS"
            }
            Penalty::Suspensao => {
                "LEI 8666 - ART. 87, III - SUSPENSÃO TEMPORÁRIA DE PARTICIPAÇÃO EM LICITAÇÃO E IMPEDIMENTO DE CONTRATAR COM A ADMINISTRAÇÃO"
            }
            Penalty::Proibicao => "LEI 8429 - ART. 12 - PROIBIÇÃO DE CONTRATAR COM O PODER PÚBLICO",
            Penalty::Multa => "LEI 12846 - ART. 6º, I - MULTA",
            Penalty::Publicacao => "LEI 12846 - ART. 6º, II - PUBLICAÇÃO EXTRAORDINÁRIA DA DECISÃO CONDENATÓRIA",
        }
    }
}

/// Fills the registers up to a two-hundredth of the contracts, with sanctions that bar no contract written here.
pub(crate) fn add_ordinary(world: &World, sanctions: &mut Vec<Sanction>) {
    let total = (world.contracts / 200).clamp(SANCTIONS_MIN, SANCTIONS_MAX) as usize;
    let mut rng = world.rng(0x5A_1C);
    for at in sanctions.len()..total.max(sanctions.len() + 20) {
        let mut sanction = ordinary(world, &mut rng, at as u32);
        sanction.number = number_of(at);
        sanctions.push(sanction);
    }
    sanctions.sort_by_key(|sanction| (sanction.start, sanction.number));
}

/// The code of the sanction at a place in the plan.
pub(crate) fn number_of(at: usize) -> u64 {
    700_001 + at as u64
}

fn ordinary(world: &World, rng: &mut Rng, at: u32) -> Sanction {
    let by = authority(world, rng);
    if rng.below(100) < 12 {
        let (party, start) = (world.market.any(rng), Day::of(2017, 1, 1).plus(rng.below(3_200)));
        let penalty = if rng.below(3) == 0 { Penalty::Publicacao } else { Penalty::Multa };
        let mut fine = Sanction::new(Register::Cnep, party, penalty, Scope::NotStated, by, start, None);
        fine.fine_cents = (penalty == Penalty::Multa).then(|| i64::from(rng.between(200_000, 400_000_000)));
        return fine;
    }
    let (penalty, scope) = match rng.below(100) {
        0..40 => {
            (Penalty::Impedimento, rng.pick(&[Scope::Sphere, Scope::SphereAndBranch, Scope::Body, Scope::NotStated]))
        }
        40..65 => (Penalty::Suspensao, rng.pick(&[Scope::Body, Scope::Body, Scope::NotStated])),
        65..80 => (Penalty::Inidoneidade, Scope::Everywhere),
        _ => (Penalty::Proibicao, rng.pick(&[Scope::Everywhere, Scope::NotStated])),
    };
    if rng.below(100) < 20 {
        // An ordinary supplier, free again before the first contract here is signed.
        let end = Day::of(2019, 12, 20).minus(rng.below(900));
        let start = end.minus(rng.between(90, 700));
        return Sanction::new(Register::Ceis, world.market.any(rng), penalty, scope, by, start, Some(end));
    }
    let party = if rng.below(7) == 0 {
        Party::Person { digits: 810_000 + at % 80_000, name: 60_000_000 + at }
    } else {
        Party::Sanctioned(at)
    };
    let start = Day::of(2018, 1, 1).plus(rng.below(2_900));
    let endless = penalty == Penalty::Inidoneidade && rng.below(2) == 0;
    let end = (!endless).then(|| start.plus(rng.between(30, 1_825)));
    Sanction::new(Register::Ceis, party, penalty, scope, by, start, end)
}

fn authority(world: &World, rng: &mut Rng) -> Authority {
    if rng.below(2) == 0 {
        let unit = &world.units[world.unit(rng)];
        Authority { name: unit.superior.to_owned(), uf: 0, sphere: "FEDERAL" }
    } else {
        let local = &world.locals[world.local(rng)];
        let sphere = if local.town { "MUNICIPAL" } else { "ESTADUAL" };
        Authority { name: local.body_name.clone(), uf: local.uf, sphere }
    }
}

/// Writes one register; gives the number of its rows.
pub(crate) fn write(path: &Path, register: Register, world: &World, sanctions: &[Sanction]) -> io::Result<u64> {
    const START: &str = "CADASTRO;CÓDIGO DA SANÇÃO;TIPO DE PESSOA;CPF OU CNPJ DO SANCIONADO;NOME DO SANCIONADO;\
        NOME INFORMADO PELO ÓRGÃO SANCIONADOR;RAZÃO SOCIAL - CADASTRO RECEITA;NOME FANTASIA - CADASTRO RECEITA;\
        NÚMERO DO PROCESSO;CATEGORIA DA SANÇÃO";
    const REST: &str = "DATA INÍCIO SANÇÃO;DATA FINAL SANÇÃO;DATA PUBLICAÇÃO;PUBLICAÇÃO;\
        DETALHAMENTO DO MEIO DE PUBLICAÇÃO;DATA DO TRÂNSITO EM JULGADO;ABRANGÊNCIA DA SANÇÃO;ÓRGÃO SANCIONADOR;\
        UF ÓRGÃO SANCIONADOR;ESFERA ÓRGÃO SANCIONADOR;FUNDAMENTAÇÃO LEGAL;DATA ORIGEM INFORMAÇÃO;\
        ORIGEM INFORMAÇÕES;OBSERVAÇÕES";
    let fine = if register == Register::Cnep { ";VALOR DA MULTA" } else { "" };
    let dialect = Dialect { latin1: true, crlf: true, trailing: false, separator: b';' };
    let mut csv = Csv::create(path, dialect, &format!("{START}{fine};{REST}"))?;
    let mut rng = world.rng(0x5A_1D + register as u64);
    for sanction in sanctions.iter().filter(|sanction| sanction.register == register) {
        write_row(&mut csv, &mut rng, sanction)?;
    }
    csv.finish()
}

fn write_row(csv: &mut Csv, rng: &mut Rng, sanction: &Sanction) -> io::Result<()> {
    let person = sanction.party.kind() == PartyKind::Person;
    // Registers write names in capitals, whatever the contract's file does.
    let name = sanction.party.name().to_uppercase();
    let published = sanction.start.plus(rng.below(12));
    let date = |csv: &mut Csv, day: Option<Day>| csv.plain(day.map_or(&b""[..], |day| day.brazilian()));
    csv.plain(sanction.register.name().as_bytes());
    csv.field(|out| push_number(out, sanction.number));
    csv.plain(if person { b"F" } else { b"J" });
    csv.field(|out| sanction.party.push_code(out));
    csv.text(name.as_bytes());
    csv.text(name.as_bytes());
    csv.text(if person { b"" } else { name.as_bytes() });
    csv.plain(if person || rng.below(3) > 0 { b"" } else { "Sem informação".as_bytes() });
    csv.field(|out| push_process(out, b"", rng, sanction.start.year()));
    csv.plain(sanction.category().as_bytes());
    if sanction.register == Register::Cnep {
        csv.field(|out| match sanction.fine_cents {
            Some(cents) => push_bulk_money(out, cents),
            None => out.extend_from_slice(b"0,0000"),
        });
    }
    date(csv, Some(sanction.start));
    date(csv, sanction.end);
    date(csv, (rng.below(3) > 0).then_some(published));
    csv.plain(
        rng.pick(&["Diário Oficial da União Seção 3 Página 95", "Sem informação", "Diário Oficial do Município"])
            .as_bytes(),
    );
    csv.plain(b"");
    let judged = matches!(sanction.penalty, Penalty::Proibicao).then(|| sanction.start.minus(rng.below(60)));
    date(csv, judged);
    csv.plain(sanction.scope.words().as_bytes());
    csv.text(sanction.by.name.as_bytes());
    csv.plain(UFS[sanction.by.uf].code.as_bytes());
    csv.plain(sanction.by.sphere.as_bytes());
    csv.plain(sanction.basis().as_bytes());
    date(csv, Some(published.plus(rng.below(20))));
    csv.text(sanction.by.name.as_bytes());
    csv.plain("DADO FICTÍCIO".as_bytes());
    csv.end_row().map(|_| ())
}
