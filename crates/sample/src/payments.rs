//! Payments of the federal budget, as the Portal's bulk files lay them out, month by month.
//!
//! Ordinary ones are many small and few large, as payments are: their logarithms are normal and wide, so their digits
//! follow Benford's law well enough. Those of plots come from the plan.

use std::io;
use std::path::{Path, PathBuf};

use crate::FileSummary;
use crate::bytes::{push_bulk_money, push_number, push_padded};
use crate::csv::{Csv, Dialect};
use crate::days::{Day, MONTHS, Month, allot};
use crate::party::Party;
use crate::plan::Plan;
use crate::rng::Rng;
use crate::world::World;

const HEADER: &str = "Código Pagamento;Código Pagamento Resumido;Data Emissão;Código Órgão Superior;Órgão Superior;\
    Código Órgão;Órgão;Código Unidade Gestora;Unidade Gestora;Código Favorecido;Favorecido;Observação;Processo;\
    Valor do Pagamento Convertido pra R$";

/// A payment of a plot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Payment {
    pub(crate) unit: usize,
    pub(crate) day: Day,
    pub(crate) party: Party,
    pub(crate) cents: i64,
}

/// Writes one payment for every ten contracts, and the planned ones.
pub(crate) fn write(out: &Path, world: &World, plan: &Plan, files: &mut Vec<FileSummary>) -> io::Result<()> {
    let months = allot(world.contracts / 10, [1.0; MONTHS / 12]);
    let mut planned: Vec<Payment> = plan.payments.clone();
    planned.sort_by_key(|payment| payment.day);
    let (mut rng, mut left, mut number) = (world.rng(0x9A7), &planned[..], 0);
    for (index, ordinary) in months.into_iter().enumerate() {
        let month = Month::at(index);
        let path = PathBuf::from(format!("despesas/{}{:02}_Despesas_Pagamento.csv", month.label(), month.length()));
        let dialect = Dialect { latin1: true, crlf: true, trailing: false, separator: b';' };
        let mut csv = Csv::create(&out.join(&path), dialect, HEADER)?;
        let due = left.partition_point(|payment| payment.day <= month.last);
        for payment in &left[..due] {
            number += 1;
            write_row(&mut csv, &mut rng, world, payment, number)?;
        }
        left = &left[due..];
        for _ in 0..ordinary {
            number += 1;
            let payment = draw(world, &mut rng, month);
            write_row(&mut csv, &mut rng, world, &payment, number)?;
        }
        files.push(FileSummary { path, source: "portal-despesas", rows: csv.finish()? });
    }
    Ok(())
}

fn draw(world: &World, rng: &mut Rng, month: Month) -> Payment {
    let unit = world.unit(rng);
    let activity = World::activity(rng, None);
    let day = month.first.plus(rng.below(month.length())).on_a_weekday(month.first);
    let cents = (8_000.0 * (1.9 * rng.normal_within(3.5)).exp() * 100.0).round() as i64;
    Payment { unit, day, party: world.market.supplier(rng, activity), cents: cents.max(1_000) }
}

fn write_row(csv: &mut Csv, rng: &mut Rng, world: &World, payment: &Payment, number: u64) -> io::Result<()> {
    let unit = &world.units[payment.unit];
    let code = |out: &mut Vec<u8>| {
        push_number(out, payment.day.year() as u64);
        out.extend_from_slice(b"OB");
        push_padded::<7>(out, number);
    };
    csv.field(|out| {
        push_number(out, u64::from(unit.code));
        out.extend_from_slice(b"00001");
        code(out);
    });
    csv.field(code);
    csv.plain(payment.day.brazilian());
    csv.ready(&unit.bodies);
    csv.ready(&unit.unit);
    csv.field(|out| payment.party.push_code(out));
    csv.field(|out| payment.party.push_name(out));
    csv.plain("PAGAMENTO FICTÍCIO".as_bytes());
    csv.field(|out| push_padded::<9>(out, rng.next() % 1_000_000_000));
    csv.field(|out| push_bulk_money(out, payment.cents));
    csv.end_row().map(|_| ())
}
