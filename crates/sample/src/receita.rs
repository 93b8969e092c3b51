//! The register of companies in bulk, as the Receita lays it out: companies, establishments, partners, Simples.
//!
//! Every company that sells here stands in it, and what is written of an ordinary one follows from its number: opened
//! long before the first contract, active ever since, with partners, an address and a telephone of its own. Some share
//! the e-mail of an accountant or the address of a shared office with many others, as real ones do. What a plot needs
//! otherwise it states in a [`Registered`].

use std::io;
use std::path::{Path, PathBuf};

use crate::FileSummary;
use crate::bytes::{push_number, push_padded};
use crate::csv::{Csv, Dialect};
use crate::days::Day;
use crate::party::{Party, PartyKind, person};
use crate::plan::Plan;
use crate::rng::scramble;
use crate::world::World;

/// Of which day the files speak: 10 January 2026.
const RELEASE: &str = "D60110";
/// Trades that sell none of what is bought here, behind the sixteen activities.
pub(crate) const BAKERY: u8 = 16;
pub(crate) const HAIRDRESSER: u8 = 17;
/// An e-mail address that many ordinary firms share.
pub(crate) const SHARED_EMAIL: u32 = SHARED;
/// Contacts from here on are shared by many.
const SHARED: u32 = 1_000_000_000;

/// CNAE subclasses of the activities, in their order, and of the other trades.
const CNAES: [(&str, &str); 18] = [
    ("4761003", "Comércio varejista de artigos de papelaria"),
    ("4639701", "Comércio atacadista de produtos alimentícios em geral"),
    ("4644301", "Comércio atacadista de medicamentos e drogas de uso humano"),
    ("4645101", "Comércio atacadista de instrumentos e materiais para uso médico, cirúrgico, hospitalar"),
    ("4651601", "Comércio atacadista de equipamentos de informática"),
    ("4731800", "Comércio varejista de combustíveis para veículos automotores"),
    ("4754701", "Comércio varejista de móveis"),
    ("4530703", "Comércio a varejo de peças e acessórios novos para veículos automotores"),
    ("8121400", "Limpeza em prédios e em domicílios"),
    ("8011101", "Atividades de vigilância e segurança privada"),
    ("4321500", "Instalação e manutenção elétrica"),
    ("7711000", "Locação de automóveis sem condutor"),
    ("8599604", "Treinamento em desenvolvimento profissional e gerencial"),
    ("5812301", "Edição de jornais diários"),
    ("8130300", "Atividades paisagísticas"),
    ("4211101", "Construção de rodovias e ferrovias"),
    ("1091102", "Padaria e confeitaria com predominância de produção própria"),
    ("9602501", "Cabeleireiros, manicure e pedicure"),
];
/// Firms among which one accountant, and one shared office, has its clients: a third, and one in twenty-five.
const AROUND_AN_ACCOUNTANT: u32 = 150;
const AROUND_AN_OFFICE: u32 = 1_500;

/// How many accountants and shared offices ordinary firms have; so many that each has many firms.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Clubs {
    accountants: u32,
    offices: u32,
}

/// Whether an establishment may work, as the register says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Active,
    Suspended,
    Unfit,
    Closed,
}

impl Status {
    const fn code(self) -> &'static [u8] {
        match self {
            Self::Active => b"02",
            Self::Suspended => b"03",
            Self::Unfit => b"04",
            Self::Closed => b"08",
        }
    }
}

/// The size that a company states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    NotStated,
    Micro,
    Small,
    Other,
    /// A one-person firm (MEI), which is a micro company in the file of companies.
    Individual,
}

/// What the register says of a company.
#[derive(Debug, Clone)]
pub(crate) struct Registered {
    pub(crate) opened: Day,
    pub(crate) status: Status,
    pub(crate) status_on: Day,
    pub(crate) size: Size,
    /// In reais.
    pub(crate) capital: u64,
    /// The number of an activity here.
    pub(crate) activity: u8,
    /// What it may do besides.
    pub(crate) further: Vec<u8>,
    /// Persons by their numbers (see [`person`]) and the day from which each is a partner; `None` is not stated.
    pub(crate) partners: Vec<(u32, Option<Day>)>,
    /// What makes its address, telephone and e-mail: equal numbers are equal contacts.
    pub(crate) address: u32,
    pub(crate) phone: u32,
    pub(crate) email: u32,
    /// A branch opened on this day, beside the head office.
    pub(crate) branch: Option<Day>,
}

impl Registered {
    /// The entry that a plot begins with: ordinary, and with contacts that nobody else has.
    pub(crate) fn of_a_case(number: u32, activity: u8) -> Self {
        let own = 500_000_000 + number;
        let mut entry = Self::ordinary(own, activity, Clubs::default());
        (entry.size, entry.address, entry.email) = (Size::Other, own, own);
        entry.partners = vec![(10_000_000 + number, Some(entry.opened))];
        entry
    }

    /// An ordinary company of this root, which sells this activity.
    pub(crate) fn ordinary(root: u32, activity: u8, clubs: Clubs) -> Self {
        let bits = scramble(u64::from(root) ^ 0x2E_CE17A);
        let opened = Day::of(1990, 1, 2).plus((bits % 9_000) as u32);
        let people = 1 + (bits >> 14) as u32 % 3;
        let partners = (0..people).map(|at| (root % 1_000_000 * 4 + at, Some(opened))).collect();
        let shares = |one_in: u64, shift: u32| (bits >> shift).is_multiple_of(one_in);
        Self {
            opened,
            status: Status::Active,
            status_on: opened.max(Day::of(2005, 11, 3)),
            size: if shares(12, 20) { Size::NotStated } else { Size::Other },
            capital: 20_000 + (bits >> 30) % 400 * 5_000,
            activity,
            further: Vec::new(),
            partners,
            address: if shares(25, 24) && clubs.offices > 0 { SHARED + root % clubs.offices } else { root },
            phone: root,
            email: if shares(3, 28) && clubs.accountants > 0 { SHARED + root % clubs.accountants } else { root },
            branch: None,
        }
    }
}

/// The four files being written.
struct Files {
    companies: Csv,
    establishments: Csv,
    partners: Csv,
    simples: Csv,
}

const NAMES: [&str; 4] = ["EMPRECSV", "ESTABELE", "SOCIOCSV", "SIMPLES.CSV"];

fn path_of(name: &str) -> PathBuf {
    match name {
        "SIMPLES.CSV" => PathBuf::from(format!("receita/F.K03200$W.{name}.{RELEASE}")),
        _ => PathBuf::from(format!("receita/K3241.K03200Y0.{RELEASE}.{name}")),
    }
}

/// Writes the register.
pub(crate) fn write(out: &Path, world: &World, plan: &Plan, files: &mut Vec<FileSummary>) -> io::Result<()> {
    let dialect = Dialect { latin1: true, crlf: false, trailing: false, separator: b';' };
    let create = |name: &str| Csv::create_bare(&out.join(path_of(name)), dialect);
    let mut tables = Files {
        companies: create(NAMES[0])?,
        establishments: create(NAMES[1])?,
        partners: create(NAMES[2])?,
        simples: create(NAMES[3])?,
    };
    let market = &world.market;
    let clubs = Clubs {
        accountants: (market.suppliers() / AROUND_AN_ACCOUNTANT).max(1),
        offices: (market.suppliers() / AROUND_AN_OFFICE).max(1),
    };
    for at in 0..market.suppliers() {
        let party = Party::Ordinary(at);
        if party.kind() == PartyKind::Company {
            let mut registered = Registered::ordinary(party.root(), market.trade_of(at), clubs);
            registered.branch = (party.branch() == 2).then(|| registered.opened.plus(400));
            tables.write(party, &registered)?;
        }
    }
    for number in 1..=plan.parties {
        let party = Party::Planted(number);
        match plan.registered.get(&number) {
            Some(Some(registered)) => tables.write(party, registered)?,
            Some(None) => {}
            None => {
                let trades = plan.trades_of_party(world, number);
                let mut registered = Registered::ordinary(party.root(), trades[0], Clubs::default());
                registered.further = trades[1..].to_vec();
                tables.write(party, &registered)?;
            }
        }
    }
    let Files { companies, establishments, partners, simples } = tables;
    for (name, csv) in NAMES.into_iter().zip([companies, establishments, partners, simples]) {
        files.push(FileSummary { path: path_of(name), source: "receita", rows: csv.finish()? });
    }
    let path = path_of("CNAECSV");
    let mut csv = Csv::create_bare(&out.join(&path), dialect)?;
    for (code, meaning) in CNAES {
        csv.plain(code.as_bytes());
        csv.plain(meaning.as_bytes());
        csv.end_row()?;
    }
    files.push(FileSummary { path, source: "receita", rows: csv.finish()? });
    Ok(())
}

fn compact(csv: &mut Csv, day: Option<Day>) {
    csv.field(|out| match day {
        Some(day) => out.extend(day.iso().iter().filter(|byte| **byte != b'-')),
        None => out.push(b'0'),
    });
}

impl Files {
    fn write(&mut self, party: Party, it: &Registered) -> io::Result<()> {
        let mut cnpj = Vec::with_capacity(14);
        party.push_code(&mut cnpj);
        let root = cnpj[..8].to_vec();
        self.write_company(party, &root, it)?;
        self.write_establishment(party, 1, it)?;
        if it.branch.is_some() {
            self.write_establishment(party, 2, it)?;
        }
        for (number, since) in &it.partners {
            let csv = &mut self.partners;
            csv.plain(&root);
            csv.plain(b"2");
            csv.text(person(*number).name().to_uppercase().as_bytes());
            csv.field(|out| person(*number).push_pncp_code(out));
            csv.plain(b"49");
            compact(csv, *since);
            for blank in [&b""[..], b"***000000**", b"", b"00", b"5"] {
                csv.plain(blank);
            }
            csv.end_row()?;
        }
        if it.size == Size::Individual {
            let csv = &mut self.simples;
            csv.plain(&root);
            for _ in 0..2 {
                csv.plain(b"S");
                compact(csv, Some(it.opened));
                csv.plain(b"00000000");
            }
            csv.end_row()?;
        }
        Ok(())
    }

    fn write_company(&mut self, party: Party, root: &[u8], it: &Registered) -> io::Result<()> {
        let csv = &mut self.companies;
        csv.plain(root);
        csv.field(|out| party.push_name(out));
        csv.plain(if it.size == Size::Individual { b"2135" } else { b"2062" });
        csv.plain(b"49");
        csv.field(|out| {
            push_number(out, it.capital);
            out.extend_from_slice(b",00");
        });
        csv.plain(match it.size {
            Size::NotStated => b"00",
            Size::Micro | Size::Individual => b"01",
            Size::Small => b"03",
            Size::Other => b"05",
        });
        csv.plain(b"");
        csv.end_row().map(|_| ())
    }

    fn write_establishment(&mut self, party: Party, branch: u32, it: &Registered) -> io::Result<()> {
        let csv = &mut self.establishments;
        let mut cnpj = Vec::with_capacity(14);
        crate::bytes::push_cnpj(&mut cnpj, party.root(), branch);
        let opened = if branch == 1 { it.opened } else { it.branch.unwrap_or(it.opened) };
        csv.plain(&cnpj[..8]);
        csv.plain(&cnpj[8..12]);
        csv.plain(&cnpj[12..]);
        csv.plain(if branch == 1 { b"1" } else { b"2" });
        csv.plain(b"");
        csv.plain(it.status.code());
        compact(csv, Some(it.status_on.max(opened)));
        csv.plain(if it.status == Status::Active { b"00" } else { b"01" });
        csv.plain(b"");
        csv.plain(b"");
        compact(csv, Some(opened));
        csv.plain(CNAES[usize::from(it.activity)].0.as_bytes());
        let further: Vec<&str> = it.further.iter().map(|trade| CNAES[usize::from(*trade)].0).collect();
        csv.plain(further.join(",").as_bytes());
        let address = scramble(u64::from(it.address) ^ 0xADD2);
        csv.plain(b"RUA");
        csv.field(|out| {
            out.extend_from_slice("FICTÍCIA ".as_bytes());
            push_number(out, u64::from(it.address));
        });
        csv.field(|out| push_number(out, 1 + address % 3_000 + if branch == 1 { 0 } else { 3_000 }));
        csv.plain(b"");
        csv.plain(b"CENTRO");
        csv.field(|out| push_padded::<8>(out, 10_000_000 + address % 80_000_000));
        csv.plain(b"DF");
        csv.plain(b"9701");
        csv.plain(b"61");
        // Of the numbers that are given to nobody.
        csv.field(|out| push_padded::<8>(out, u64::from(it.phone)));
        for _ in 0..4 {
            csv.plain(b"");
        }
        csv.field(|out| {
            out.extend_from_slice(b"contato");
            push_number(out, u64::from(it.email));
            out.extend_from_slice(b"@ficticia.example");
        });
        csv.plain(b"");
        csv.plain(b"");
        csv.end_row().map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_company_is_old_active_and_alone() {
        let (one, other) = (
            Registered::ordinary(99_000_001, 0, Clubs::default()),
            Registered::ordinary(99_000_002, 0, Clubs::default()),
        );
        assert!(one.opened < Day::of(2016, 1, 1) && one.status == Status::Active);
        assert!(one.partners.iter().all(|(person, _)| other.partners.iter().all(|(other, _)| other != person)));
        assert!(one.capital >= 20_000);
    }
}
