//! Rows of tenders, their items, bidders and budget commitments.

use std::io;

use super::contracts::push_contract_number;
use super::tables::Tables;
use super::terms::Terms;
use super::{Deal, Portal};
use crate::buyers::Unit;
use crate::bytes::{push_bulk_money, push_number, push_padded};
use crate::days::{Day, Month};
use crate::objects::{push_object, push_process};
use crate::party::Party;
use crate::places::UFS;
use crate::plan::Contest;
use crate::rng::Rng;
use crate::world::activity_of;

impl Portal<'_> {
    /// A tender of each unit that came to nothing, so that every unit's state is known from the first month on.
    pub(super) fn open_unit(&mut self, tables: &mut Tables, month: Month, unit: usize) -> io::Result<()> {
        self.tender_numbers[unit][month.year_index()] += 1;
        let number = self.tender_numbers[unit][month.year_index()];
        let terms = Terms::of_a_tender(&mut self.rng, month);
        let result = month.first.plus(self.rng.between(10, 24)).on_a_weekday(month.first);
        self.object.clear();
        let activity = self.rng.below(16) as u8;
        push_object(&mut self.object, &mut self.rng, Some(activity_of(activity)), month.year);
        self.start_prefix(month, unit, &terms, number);
        let unit = &self.world.units[unit];
        let situation = if self.rng.below(2) == 0 { "Deserta" } else { "Fracassada" };
        write_tender_row(tables, &self.prefix, &self.object, unit, situation, result, &mut self.rng, 0, None)
    }

    /// The tender from which `group` was contracted.
    #[allow(clippy::too_many_arguments, reason = "they are the facts of one tender")]
    pub(super) fn write_tender(
        &mut self,
        tables: &mut Tables,
        month: Month,
        unit: usize,
        terms: &Terms,
        result: Day,
        group: &[Deal],
        number: u32,
        activity: u8,
    ) -> io::Result<()> {
        self.start_prefix(month, unit, terms, number);
        let unit = &self.world.units[unit];
        let sum = group.iter().map(|deal| deal.cents).sum();
        write_tender_row(tables, &self.prefix, &self.object, unit, "Encerrado", result, &mut self.rng, sum, None)?;
        self.prefix.extend_from_slice(&unit.body);
        let losers = self.draw_losers(terms, group, activity);
        self.write_bids(tables, month, unit, group, losers)
    }

    /// A planted tender: its days and bidders are the plot's.
    pub(super) fn write_contest(
        &mut self,
        tables: &mut Tables,
        month: Month,
        unit: usize,
        terms: &Terms,
        contest: &Contest,
        group: &[Deal],
    ) -> io::Result<()> {
        self.start_prefix(month, unit, terms, contest.number);
        let unit = &self.world.units[unit];
        let sum = group.iter().map(|deal| deal.cents).sum();
        let (object, opened) = (&self.object, Some(contest.opened));
        let rng = &mut self.rng;
        write_tender_row(tables, &self.prefix, object, unit, "Encerrado", contest.result, rng, sum, opened)?;
        self.prefix.extend_from_slice(&unit.body);
        for (at, party) in contest.losers.iter().enumerate() {
            let (slot, columns) = &mut self.bidders[at];
            *slot = *party;
            write_bidder(columns, *party);
        }
        self.write_bids(tables, month, unit, group, contest.losers.len())
    }

    /// Items, bids and commitments of a tender whose columns and losers are ready.
    fn write_bids(
        &mut self,
        tables: &mut Tables,
        month: Month,
        unit: &Unit,
        group: &[Deal],
        losers: usize,
    ) -> io::Result<()> {
        for deal in group {
            for line in &deal.lines {
                let csv = &mut tables.tender_items;
                csv.ready(&self.prefix);
                csv.field(|out| push_number(out, u64::from(line.item.code())));
                csv.plain(line.item.good().name.as_bytes());
                csv.field(|out| push_number(out, u64::from(line.quantity)));
                csv.field(|out| push_bulk_money(out, line.cents));
                csv.field(|out| deal.party.push_code(out));
                csv.field(|out| deal.party.push_name(out));
                csv.end_row()?;
                let csv = &mut tables.bidders;
                // The winner stands anywhere among the bidders.
                let place = self.rng.below(losers as u32 + 1) as usize;
                for at in 0..=losers {
                    csv.ready(&self.prefix);
                    csv.field(|out| push_number(out, u64::from(line.item.code())));
                    csv.plain(line.item.good().name.as_bytes());
                    if at == place {
                        csv.field(|out| deal.party.push_code(out));
                        csv.field(|out| deal.party.push_name(out));
                        csv.plain(b"SIM");
                    } else {
                        csv.ready(&self.bidders[at - usize::from(at > place)].1);
                        csv.plain("NÃO".as_bytes());
                    }
                    csv.end_row()?;
                }
            }
            if self.rng.below(10) < 6 {
                let csv = &mut tables.commitments;
                csv.ready(&self.prefix);
                csv.field(|out| {
                    push_number(out, u64::from(unit.code));
                    out.extend_from_slice(b"00001");
                    push_number(out, month.year as u64);
                    out.extend_from_slice(b"NE");
                    push_padded::<6>(out, u64::from(deal.sequence));
                });
                csv.plain(deal.day.plus(self.rng.below(6)).brazilian());
                csv.plain("EMPENHO FICTÍCIO PARA ATENDER A DESPESA DO CONTRATO".as_bytes());
                csv.field(|out| push_bulk_money(out, deal.cents));
                csv.end_row()?;
            }
        }
        Ok(())
    }

    /// The columns that all rows of a tender begin with.
    fn start_prefix(&mut self, month: Month, unit: usize, terms: &Terms, number: u32) {
        let (prefix, rng) = (&mut self.prefix, &mut self.rng);
        prefix.clear();
        prefix.push(b'"');
        push_contract_number(prefix, number, month.year);
        prefix.extend_from_slice(b"\";");
        prefix.extend_from_slice(&self.world.units[unit].unit);
        for part in [terms.modality.code, terms.modality.name] {
            prefix.push(b'"');
            prefix.extend_from_slice(part.as_bytes());
            prefix.extend_from_slice(b"\";");
        }
        push_process(prefix, b"\"", rng, month.year);
        prefix.extend_from_slice(b"\";");
    }

    /// Draws who bid and lost, each another, none a winner; their columns are kept ready in `self.bidders`.
    fn draw_losers(&mut self, terms: &Terms, group: &[Deal], activity: u8) -> usize {
        // A tender with one bidder is no chance here: whoever evaluates BR06 must know each of them.
        const HOW_MANY: [u32; 5] = [30, 34, 20, 10, 6];
        if !terms.modality.competitive {
            return 0;
        }
        let count = self.rng.weighted(&HOW_MANY) + 1;
        for at in 0..count {
            let party = loop {
                let party = self.world.market.supplier(&mut self.rng, activity);
                let known = group.iter().any(|deal| deal.party == party)
                    || self.bidders[..at].iter().any(|(other, _)| *other == party);
                if !known {
                    break party;
                }
            };
            let (slot, columns) = &mut self.bidders[at];
            *slot = party;
            write_bidder(columns, party);
        }
        count
    }
}

fn write_bidder(columns: &mut Vec<u8>, party: Party) {
    columns.clear();
    columns.push(b'"');
    party.push_code(columns);
    columns.extend_from_slice(b"\";\"");
    party.push_name(columns);
    columns.extend_from_slice(b"\";");
}

#[allow(clippy::too_many_arguments, reason = "they are the columns of one row")]
fn write_tender_row(
    tables: &mut Tables,
    prefix: &[u8],
    object: &[u8],
    unit: &Unit,
    situation: &str,
    result: Day,
    rng: &mut Rng,
    cents: i64,
    opened: Option<Day>,
) -> io::Result<()> {
    let stated = opened.is_some();
    let csv = &mut tables.tenders;
    csv.ready(prefix);
    csv.plain(object);
    csv.plain(situation.as_bytes());
    csv.ready(&unit.bodies);
    csv.plain(UFS[unit.uf].code.as_bytes());
    csv.plain(unit.town.as_bytes());
    csv.plain(result.brazilian());
    let opened = opened.unwrap_or_else(|| result.minus(rng.between(8, 45)));
    csv.plain(if rng.below(20) == 0 && !stated { b"" } else { opened.brazilian() });
    csv.field(|out| push_bulk_money(out, cents));
    csv.end_row().map(|_| ())
}
