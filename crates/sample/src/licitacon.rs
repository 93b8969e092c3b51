//! Tables of a state's court of accounts in the layout of LicitaCon: tenders with every bid and its price, losers
//! included, which no federal source publishes; and the contracts that came of them. A folder for each year.
//!
//! The bids of an ordinary lot are drawn around one cost, each lot with a spread of its own. Each case of BR18 is a lot
//! here: its market is a line of activity in the state, so cases are spread over the activities.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::FileSummary;
use crate::bytes::{push_json_money, push_number, push_padded};
use crate::catalog::ItemRef;
use crate::csv::{Csv, Dialect};
use crate::days::{Day, YEAR_MIN};
use crate::lines::typical_price;
use crate::objects::object_about;
use crate::party::Party;
use crate::plan::{CaseKey, Plan, YEARS};
use crate::rng::Rng;
use crate::world::{ACTIVITY_COUNT, World, activity_of};

const TENDERS: &str = "CD_ORGAO,NM_ORGAO,NR_LICITACAO,ANO_LICITACAO,CD_TIPO_MODALIDADE,DS_OBJETO,TP_LICITACAO,NR_PROCESSO,\
    ANO_PROCESSO,DS_LEI,TP_RESULTADO_GLOBAL,DT_ABERTURA,DT_HOMOLOGACAO,VL_LICITACAO,VL_HOMOLOGADO";
const ITEMS: &str = "CD_ORGAO,NR_LICITACAO,ANO_LICITACAO,CD_TIPO_MODALIDADE,NR_LOTE,NR_ITEM,DS_ITEM,QT_ITENS,SG_UNIDADE_MEDIDA,\
    VL_UNITARIO_ESTIMADO,VL_UNITARIO_HOMOLOGADO,VL_TOTAL_HOMOLOGADO,TP_RESULTADO_ITEM,NR_DOCUMENTO_VENCEDOR,NM_VENCEDOR";
const BIDS: &str = "CD_ORGAO,NR_LICITACAO,ANO_LICITACAO,CD_TIPO_MODALIDADE,NR_LOTE,NR_ITEM,NR_DOCUMENTO_LICITANTE,NM_LICITANTE,\
    VL_UNITARIO,VL_TOTAL_ITEM,TP_RESULTADO_PROPOSTA,BL_VENCEDOR";
const CONTRACTS: &str = "CD_ORGAO,NM_ORGAO,NR_LICITACAO,ANO_LICITACAO,CD_TIPO_MODALIDADE,NR_CONTRATO,ANO_CONTRATO,\
    TP_INSTRUMENTO_CONTRATO,NR_DOCUMENTO_CONTRATADO,NM_CONTRATADO,DT_ASSINATURA,DT_INICIO_VIGENCIA,DT_FINAL_VIGENCIA,\
    VL_CONTRATO,DS_OBJETO";
const DIALECT: Dialect = Dialect { latin1: false, crlf: true, trailing: false, separator: b',' };
/// Rio Grande do Sul among the states.
const STATE: usize = 4;
/// Fewest tenders, so that every activity has a market to compare with; a small sample has an eighth of its contracts.
const TENDERS_MIN: u64 = 1_440;

/// How the prices of a lot lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Ordinary,
    /// The winner apart, the others close together behind: bids that cover one.
    Cover,
    /// All close together at even steps: a price that everybody knows.
    Table,
    /// As for a cover, but too few to judge.
    CoverOfThree,
}

const CASES: [(Shape, &str, &str); 3] = [
    (Shape::Cover, "cover_bids", "hit"),
    (Shape::Table, "price_by_table", "clear"),
    (Shape::CoverOfThree, "three_bids_only", "not_computable"),
];

/// A tender of one lot about to be written.
struct Lot {
    body: u32,
    number: u32,
    opened: Day,
    activity: u8,
    shape: Shape,
}

struct Tables {
    tenders: Csv,
    items: Csv,
    bids: Csv,
    contracts: Csv,
}

/// How many contracts come of it: one of each tender.
pub(crate) fn contracts(world: &World) -> u64 {
    let fewest = (world.contracts / 8).clamp(60, TENDERS_MIN);
    (world.contracts / 20).max(fewest) / YEARS as u64 * YEARS as u64
}

/// Writes all years and notes the cases.
pub(crate) fn write(out: &Path, world: &World, plan: &mut Plan, files: &mut Vec<FileSummary>) -> io::Result<()> {
    let mut rng = world.rng(0x11_C17);
    let bodies = (world.contracts / 4_000).clamp(12, 400) as u32;
    let count = contracts(world) / YEARS as u64;
    for year_index in 0..YEARS {
        let year = YEAR_MIN + year_index as i32;
        let mut tables = Tables::create(out, year)?;
        // A case of each kind goes to each of as many activities as there are cases, and another year begins elsewhere.
        let mut cases: Vec<(usize, u8)> = (0..world.cases)
            .flat_map(|at| {
                (0..CASES.len()).map(move |kind| (kind, ((at + year_index * 3 + kind * 5) % ACTIVITY_COUNT) as u8))
            })
            .collect();
        let every = (count / (cases.len() as u64 + 1)).max(1);
        for at in 0..count {
            let case = if at % every == every - 1 { cases.pop() } else { None };
            let (shape, activity) = match case {
                Some((kind, activity)) => (CASES[kind].0, activity),
                None => (Shape::Ordinary, World::activity(&mut rng, None)),
            };
            let first = Day::of(year, 1, 10);
            let opened = first.plus(rng.below(310)).on_a_weekday(first);
            let lot = Lot { body: 90_001 + rng.below(bodies), number: at as u32 + 1, opened, activity, shape };
            let subject = lot.write(&mut tables, world, &mut rng, year_index)?;
            if let Some((kind, _)) = case {
                let (_, case, expect) = CASES[kind];
                let facts = json!({"subject_id": subject, "activity": activity_of(activity).key});
                plan.note_in(CaseKey { flag: "BR18", year, case, expect }, "licitacon-rs", facts);
            }
        }
        tables.finish(year, files)?;
    }
    Ok(())
}

fn path_of(year: i32, name: &str) -> PathBuf {
    PathBuf::from(format!("licitacon/{year}/{name}.csv"))
}

impl Tables {
    fn create(out: &Path, year: i32) -> io::Result<Self> {
        fs::create_dir_all(out.join(format!("licitacon/{year}")))?;
        let create =
            |name, header: &str| Csv::create(&out.join(path_of(year, name)), DIALECT, &header.replace(',', ";"));
        Ok(Self {
            tenders: create("LICITACAO", TENDERS)?,
            items: create("ITEM", ITEMS)?,
            bids: create("ITEM_PROP", BIDS)?,
            contracts: create("CONTRATO", CONTRACTS)?,
        })
    }

    fn finish(self, year: i32, files: &mut Vec<FileSummary>) -> io::Result<()> {
        let all =
            [("LICITACAO", self.tenders), ("ITEM", self.items), ("ITEM_PROP", self.bids), ("CONTRATO", self.contracts)];
        for (name, csv) in all {
            files.push(FileSummary { path: path_of(year, name), source: "licitacon-rs", rows: csv.finish()? });
        }
        Ok(())
    }
}

impl Shape {
    /// Prices of all bids as parts of the cost, the lowest first.
    fn prices(self, rng: &mut Rng) -> Vec<f64> {
        let mut prices: Vec<f64> = match self {
            Self::Ordinary => {
                let spread = rng.uniform(0.05, 0.16);
                (0..rng.between(4, 8)).map(|_| (spread * rng.normal_within(2.2)).exp()).collect()
            }
            Self::Cover => {
                let behind = rng.uniform(1.018, 1.024);
                let others = rng.between(4, 6);
                (0..others).map(|at| behind + 0.0004 * f64::from(at) * rng.uniform(0.6, 1.4)).chain([1.0]).collect()
            }
            Self::Table => {
                let step = rng.uniform(0.004, 0.006);
                (0..rng.between(5, 7)).map(|at| 1.0 + step * f64::from(at)).collect()
            }
            Self::CoverOfThree => vec![1.0, 1.02, 1.0204],
        };
        prices.sort_by(f64::total_cmp);
        prices
    }
}

impl Lot {
    /// Writes the tender and gives the lot's name in the lake.
    fn write(&self, tables: &mut Tables, world: &World, rng: &mut Rng, year_index: usize) -> io::Result<String> {
        let goods = activity_of(self.activity).goods.len();
        let item = ItemRef { activity: self.activity, item: rng.below(goods as u32) as u8 };
        let typical = typical_price(item, false, year_index, STATE) * rng.uniform(0.9, 1.1);
        let target = World::target_cents(rng, self.activity, 0.5) as f64 / 100.0;
        let quantity = (target / typical).round().clamp(10.0, 900_000.0) as i64;
        let shape = self.shape.prices(rng);
        // Differences of a hundredth must show: dear enough a price.
        let cost = (typical * 100.0).max(20_000.0);
        let prices: Vec<i64> = shape.iter().map(|part| (part * cost).round() as i64).collect();
        let estimate = (prices[0] as f64 * rng.uniform(1.06, 1.3)).round() as i64;
        let mut parties: Vec<Party> = Vec::with_capacity(prices.len());
        while parties.len() < prices.len() {
            let party = world.market.supplier(rng, self.activity);
            if !parties.contains(&party) && party.kind() == crate::party::PartyKind::Company {
                parties.push(party);
            }
        }
        let cores = activity_of(self.activity).cores;
        // Texts of an activity may be read as neighbouring ones; most lots stay together, and so have a market.
        let plain = self.shape != Shape::Ordinary || rng.below(3) > 0;
        let core = if plain { cores[0] } else { rng.pick(cores) };
        let text = object_about(rng, core, self.opened.year());
        self.write_tender(tables, rng, &text, estimate * quantity, prices[0] * quantity)?;
        self.write_item(tables, item, (estimate, prices[0], quantity), parties[0])?;
        for (at, (price, party)) in prices.iter().zip(&parties).enumerate() {
            let csv = &mut tables.bids;
            self.key(csv);
            csv.plain(b"1");
            csv.plain(b"1");
            csv.field(|out| party.push_code(out));
            csv.field(|out| party.push_name(out));
            csv.field(|out| push_json_money(out, *price));
            csv.field(|out| push_json_money(out, price * quantity));
            csv.plain(b"Classificado");
            csv.plain(if at == 0 { b"S" } else { b"N" });
            csv.end_row()?;
        }
        self.write_contract(tables, rng, &text, parties[0], prices[0] * quantity)?;
        Ok(format!("licitacon-rs:{}-PRE-{}-{}|1|1", self.body, self.opened.year(), self.number))
    }

    /// Body, number, year and modality.
    fn key(&self, csv: &mut Csv) {
        csv.field(|out| push_number(out, u64::from(self.body)));
        csv.field(|out| push_number(out, u64::from(self.number)));
        csv.field(|out| push_number(out, self.opened.year() as u64));
        csv.plain(b"PRE");
    }

    fn name(&self) -> String {
        format!("PM FICTÍCIA DE NÚMERO {}", self.body - 90_000)
    }

    fn write_tender(&self, tables: &mut Tables, rng: &mut Rng, text: &str, estimate: i64, won: i64) -> io::Result<()> {
        let csv = &mut tables.tenders;
        csv.field(|out| push_number(out, u64::from(self.body)));
        csv.plain(self.name().as_bytes());
        csv.field(|out| push_number(out, u64::from(self.number)));
        csv.field(|out| push_number(out, self.opened.year() as u64));
        csv.plain(b"PRE");
        csv.text(text.as_bytes());
        csv.plain("Menor Preço".as_bytes());
        csv.field(|out| push_padded::<5>(out, u64::from(rng.below(90_000))));
        csv.field(|out| push_number(out, self.opened.year() as u64));
        csv.plain(if self.opened.year() >= 2022 { "Lei 14.133/2021" } else { "Lei 10.520/2002" }.as_bytes());
        csv.plain(b"Adjudicado");
        csv.plain(self.opened.iso());
        csv.plain(self.opened.plus(rng.between(9, 28)).iso());
        csv.field(|out| push_json_money(out, estimate));
        csv.field(|out| push_json_money(out, won));
        csv.end_row().map(|_| ())
    }

    fn write_item(
        &self,
        tables: &mut Tables,
        item: ItemRef,
        (estimate, won, quantity): (i64, i64, i64),
        winner: Party,
    ) -> io::Result<()> {
        let csv = &mut tables.items;
        self.key(csv);
        csv.plain(b"1");
        csv.plain(b"1");
        csv.text(item.good().name.as_bytes());
        csv.field(|out| push_number(out, quantity as u64));
        csv.plain(item.good().unit.as_bytes());
        csv.field(|out| push_json_money(out, estimate));
        csv.field(|out| push_json_money(out, won));
        csv.field(|out| push_json_money(out, won * quantity));
        csv.plain(b"Adjudicado");
        csv.field(|out| winner.push_code(out));
        csv.field(|out| winner.push_name(out));
        csv.end_row().map(|_| ())
    }

    fn write_contract(
        &self,
        tables: &mut Tables,
        rng: &mut Rng,
        text: &str,
        party: Party,
        cents: i64,
    ) -> io::Result<()> {
        let csv = &mut tables.contracts;
        csv.field(|out| push_number(out, u64::from(self.body)));
        csv.plain(self.name().as_bytes());
        csv.field(|out| push_number(out, u64::from(self.number)));
        csv.field(|out| push_number(out, self.opened.year() as u64));
        csv.plain(b"PRE");
        csv.field(|out| push_number(out, u64::from(self.number)));
        csv.field(|out| push_number(out, self.opened.year() as u64));
        csv.plain(b"Contrato");
        csv.field(|out| party.push_code(out));
        csv.field(|out| party.push_name(out));
        let last = Day::of(self.opened.year(), 12, 31);
        let signed = self.opened.plus(rng.between(29, 40)).min(last);
        csv.plain(signed.iso());
        csv.plain(signed.iso());
        csv.plain(signed.plus(rng.between(60, 364)).iso());
        csv.field(|out| push_json_money(out, cents));
        csv.text(text.as_bytes());
        csv.end_row().map(|_| ())
    }
}
