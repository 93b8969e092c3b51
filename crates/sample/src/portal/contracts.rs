//! Rows of contracts and their items.

use std::io;

use super::changes::Change;
use super::tables::Tables;
use super::terms::Terms;
use super::{Breakage, Deal, Portal};
use crate::bytes::{push_bulk_money, push_number, push_padded};
use crate::days::Month;

/// Appends a contract's number as the Portal writes it: `000012024`.
pub(super) fn push_contract_number(out: &mut Vec<u8>, sequence: u32, year: i32) {
    push_padded::<5>(out, u64::from(sequence));
    push_number(out, year as u64);
}

impl Portal<'_> {
    pub(super) fn write_contract(
        &mut self,
        tables: &mut Tables,
        month: Month,
        unit_at: usize,
        terms: &Terms,
        deal: &Deal,
        tender: Option<u32>,
    ) -> io::Result<()> {
        let added =
            if deal.planted || deal.breakage.is_some() { deal.added } else { self.draw_changes(month, unit_at, deal) };
        // One draw decides which quirk an ordinary row has, if any.
        let quirk = if deal.planted || deal.breakage.is_some() { u32::MAX } else { self.rng.below(10_000) };
        let (unit, rng, csv) = (&self.world.units[unit_at], &mut self.rng, &mut tables.contracts);
        csv.field(|out| push_contract_number(out, deal.sequence, month.year));
        match quirk {
            0..20 => csv.text(&[&self.object[..], " (tipo \"A\")".as_bytes()].concat()),
            20..25 => csv.text(&[&self.object[..], "\nconforme anexo".as_bytes()].concat()),
            25..75 => csv.text(&[b"  ", &self.object[..], b"   "].concat()),
            _ => csv.plain(&self.object),
        }
        csv.plain(match quirk {
            100..400 => b"",
            400..500 => "Sem informação".as_bytes(),
            _ => terms.basis.as_bytes(),
        });
        csv.plain(if (500..650).contains(&quirk) {
            "Sem informação".as_bytes()
        } else {
            terms.modality.name.as_bytes()
        });
        csv.plain(if deal.day.plus(400) < month.last { b"Encerrado" } else { b"Publicado" });
        if deal.breakage == Some(Breakage::FieldCount) {
            csv.plain(b"");
            let line = csv.end_row()?;
            self.note_broken(month, Breakage::FieldCount, "Compras", line);
            return Ok(());
        }
        csv.ready(&unit.bodies);
        csv.ready(&unit.unit);
        let signed = if deal.breakage == Some(Breakage::ZeroDate) { b"00/00/0000" } else { deal.day.brazilian() };
        csv.plain(signed);
        csv.plain(if (650..800).contains(&quirk) { b"" } else { deal.day.plus(rng.between(1, 14)).brazilian() });
        csv.plain(deal.day.plus(rng.below(10)).brazilian());
        csv.plain(if (800..880).contains(&quirk) {
            b""
        } else {
            deal.day.plus(deal.term_days.unwrap_or_else(|| rng.between(90, 540))).brazilian()
        });
        csv.field(|out| deal.party.push_code(out));
        csv.field(|out| {
            deal.party.push_name(out);
            if (900..950).contains(&quirk) {
                out.extend_from_slice(b"      ");
            }
        });
        let initial = if (950..960).contains(&quirk) { 0 } else { deal.cents };
        let last = if (960..968).contains(&quirk) { -deal.cents } else { deal.cents + added };
        match deal.breakage {
            Some(Breakage::NotANumber) => csv.plain("a apurar".as_bytes()),
            _ => csv.field(|out| push_bulk_money(out, initial)),
        }
        csv.field(|out| push_bulk_money(out, last));
        match tender {
            Some(number) => {
                csv.field(|out| push_contract_number(out, number, month.year));
                csv.ready(&unit.unit);
                csv.plain(terms.modality.code.as_bytes());
                csv.plain(terms.modality.name.as_bytes());
            }
            None => {
                csv.ready(b"\"\";\"-1\";\"");
                csv.ready("Sem informação".as_bytes());
                csv.ready(b"\";\"\";\"\";");
            }
        }
        // The same row twice, as the source has it now and then; a row with a line end inside never is.
        let line = if (970..975).contains(&quirk) { csv.end_row_twice()? } else { csv.end_row()? };
        match deal.breakage {
            Some(breakage @ (Breakage::ZeroDate | Breakage::NotANumber)) => {
                self.note_broken(month, breakage, "Compras", line);
                Ok(())
            }
            Some(Breakage::ItemNotANumber) => self.write_items(tables, month, deal, unit_at, true),
            Some(Breakage::FieldCount) | None => self.write_items(tables, month, deal, unit_at, false),
        }
    }

    /// One row for each item; `spoil` writes the first once more with a quantity that is no number.
    fn write_items(
        &mut self,
        tables: &mut Tables,
        month: Month,
        deal: &Deal,
        unit: usize,
        spoil: bool,
    ) -> io::Result<()> {
        let unit = &self.world.units[unit];
        for (at, line) in deal.lines.iter().enumerate() {
            for spoilt in [false, true] {
                if spoilt && !(spoil && at == 0) {
                    continue;
                }
                let csv = &mut tables.items;
                csv.ready(&unit.body);
                csv.ready(&unit.unit);
                csv.field(|out| push_contract_number(out, deal.sequence, month.year));
                csv.field(|out| push_number(out, u64::from(line.item.code())));
                csv.plain(line.item.good().name.as_bytes());
                csv.field(|out| line.push_details(out));
                if spoilt {
                    csv.plain("várias".as_bytes());
                } else {
                    csv.field(|out| push_number(out, u64::from(line.quantity)));
                }
                csv.field(|out| push_bulk_money(out, line.cents));
                let row = csv.end_row()?;
                if spoilt {
                    self.note_broken(month, Breakage::ItemNotANumber, "ItemCompra", row);
                }
            }
        }
        Ok(())
    }

    /// Decides on the amendments and notes that will follow; gives what they add to the value.
    fn draw_changes(&mut self, month: Month, unit: usize, deal: &Deal) -> i64 {
        let mut added = 0;
        let draw = self.rng.below(1_000);
        if draw >= 170 {
            return 0;
        }
        let change = Change::draw(&mut self.rng, month, unit, deal, draw >= 120);
        if let Some((at, change)) = change {
            added = change.added();
            self.changes[at].push(change);
        }
        added
    }
}
