//! Amendments (*termos aditivos*) and notes (*apostilamentos*), signed months after their contract.

use std::io;

use super::contracts::push_contract_number;
use super::tables::Tables;
use super::{Deal, Portal};
use crate::bytes::{push_bulk_money, push_padded};
use crate::days::{Day, Month};
use crate::rng::Rng;

/// What is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Addition,
    /// The source does not say by how much.
    AdditionWithoutValue,
    Reduction,
    Renewal,
    /// A note on the price, which needs no amendment.
    Adjustment,
}

/// A change still to be written; 24 bytes, for there are many waiting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change {
    cents: i64,
    unit: u32,
    sequence: u32,
    year: i16,
    kind: Kind,
    day: Day,
    /// Which of the contract's amendments, from 1.
    number: u8,
}

impl Change {
    /// A change to a planted contract.
    pub(crate) fn planted(
        (unit, sequence, signed): (usize, u32, Day),
        number: u8,
        kind: Kind,
        day: Day,
        cents: i64,
    ) -> (usize, Self) {
        let year = signed.year() as i16;
        (Month::containing(day).index, Self { cents, unit: unit as u32, sequence, year, kind, day, number })
    }

    /// A change to a contract and the month in which it is signed; `None` when that lies after the last month.
    pub(super) fn draw(rng: &mut Rng, month: Month, unit: usize, deal: &Deal, note: bool) -> Option<(usize, Self)> {
        let day = deal.day.plus(rng.between(30, 330));
        if day > Day::of(2025, 12, 31) {
            return None;
        }
        let day = day.on_a_weekday(Month::containing(day).first);
        // Additions stay within the law's quarter of the initial value.
        let (kind, share) = match (note, rng.below(10)) {
            (true, _) => (Kind::Adjustment, rng.uniform(0.02, 0.06)),
            (false, 0..5) => (Kind::Addition, rng.uniform(0.04, 0.22)),
            (false, 5) => (Kind::Reduction, -rng.uniform(0.03, 0.12)),
            (false, _) => (Kind::Renewal, 0.0),
        };
        let cents = (deal.cents as f64 * share).round() as i64;
        let (unit, sequence, year) = (unit as u32, deal.sequence, month.year as i16);
        Some((Month::containing(day).index, Self { cents, unit, sequence, year, kind, day, number: 1 }))
    }

    /// What it adds to the contract's final value.
    pub(super) fn added(self) -> i64 {
        self.cents
    }
}

impl Portal<'_> {
    /// Writes the changes that fall into a month, in the order of their contracts.
    pub(super) fn write_changes(&mut self, tables: &mut Tables, month: Month) -> io::Result<()> {
        for change in std::mem::take(&mut self.changes[month.index]) {
            let unit = &self.world.units[change.unit as usize];
            let note = change.kind == Kind::Adjustment;
            let csv = if note { &mut tables.notes } else { &mut tables.amendments };
            csv.field(|out| push_contract_number(out, change.sequence, i32::from(change.year)));
            csv.ready(&unit.bodies);
            csv.ready(&unit.unit);
            csv.field(|out| push_padded::<5>(out, u64::from(change.number)));
            csv.plain(match change.kind {
                Kind::Addition | Kind::AdditionWithoutValue => {
                    "Acréscimo de quantitativo ao objeto do contrato".as_bytes()
                }
                Kind::Reduction => "Supressão parcial do objeto do contrato".as_bytes(),
                Kind::Renewal => "Prorrogação do prazo de vigência por doze meses".as_bytes(),
                Kind::Adjustment => "Reajuste de preços pelo índice pactuado".as_bytes(),
            });
            csv.plain(change.day.brazilian());
            if !note {
                csv.plain(change.day.plus(self.rng.between(1, 12)).brazilian());
            }
            match change.kind {
                Kind::AdditionWithoutValue => csv.plain(b""),
                _ => csv.field(|out| push_bulk_money(out, change.cents)),
            }
            csv.end_row()?;
        }
        Ok(())
    }
}
