//! What lies in a scope, at a glance: its open findings and the contracts, within a given time and without judging anything.

use std::collections::BTreeSet;
use std::time::Instant;

use model::Money;
use store::{EntityKind, GlanceFilter};

use super::Scope;
use super::scope::{Facts, Placed, Unplaced};
use crate::{App, Result};

/// Findings looked at in one question.
const LOT: usize = 1_000;

/// Open findings of a scope.
#[derive(Debug, Default)]
pub(crate) struct FindingsSeen {
    pub(crate) total: u64,
    /// The gravest: gravity, row and id.
    pub(crate) gravest: Vec<(i64, i64, String)>,
    /// Flags that have some.
    pub(crate) flags: BTreeSet<String>,
    /// Left out for not knowing a field.
    pub(crate) unplaced: u64,
    pub(crate) cut: bool,
}

impl App {
    /// The open findings of a scope, of these flags (all, if none), and the `most` gravest of them.
    pub(crate) fn see_findings(
        &self,
        scope: &Scope,
        flags: &[String],
        most: usize,
        until: Instant,
    ) -> Result<FindingsSeen> {
        let placed = Placed::new(self, scope)?;
        let all: Vec<String> = self.catalogue().flags().iter().map(|flag| flag.code.clone()).collect();
        let (mut seen, mut unplaced) = (FindingsSeen::default(), Unplaced::new());
        for flag in if flags.is_empty() { &all } else { flags } {
            let mut after = (i64::MAX, i64::MAX);
            'flag: loop {
                let lot = self.store().placed_findings(flag, after, LOT)?;
                let Some(last) = lot.last() else { break };
                after = (last.gravity, last.rid);
                for row in &lot {
                    if Instant::now() >= until {
                        seen.cut = true;
                        break 'flag;
                    }
                    let facts = Facts::of(row);
                    let contracts = || Ok(self.store().contracts_of_finding(&row.id)?);
                    if placed.holds(&facts, contracts, &mut unplaced)? {
                        seen.total += 1;
                        seen.flags.insert(flag.clone());
                        seen.gravest.push((row.gravity, row.rid, row.id.clone()));
                    }
                }
                if lot.len() < LOT {
                    break;
                }
            }
            seen.gravest.sort_by(|a, b| b.cmp(a));
            seen.gravest.truncate(most);
        }
        seen.unplaced = unplaced.values().sum();
        Ok(seen)
    }

    /// A scope as the store takes it.
    pub(crate) fn glance_filter(&self, scope: &Scope) -> Result<GlanceFilter> {
        let mut buyers = self.buyers_of(scope)?;
        if scope.state.is_some() || scope.municipality.is_some() {
            let spellings = scope.municipality.as_deref().map(|name| self.spellings_of(name)).transpose()?;
            let placed = self.store().buyers_in(scope.state.as_deref(), spellings.as_deref())?;
            buyers = Some(match buyers {
                Some(named) => named.intersection(&placed).cloned().collect(),
                None => placed,
            });
        }
        let suppliers = match scope.suppliers.is_empty() {
            true => None,
            false => Some(self.store().all_ids_of(EntityKind::Supplier, &scope.suppliers)?),
        };
        let amount =
            |text: &Option<String>| text.as_deref().and_then(|text| Money::parse(text).ok()).map(Money::scaled);
        Ok(GlanceFilter {
            buyers,
            suppliers,
            words: scope.q.clone(),
            modality: scope.modality.clone(),
            from: scope.from.map(|day| day.to_string()),
            to: scope.to.map(|day| day.to_string()),
            value_min: amount(&scope.value_min),
            value_max: amount(&scope.value_max),
        })
    }

    /// A scope that was read, with every filter checked.
    pub(crate) fn checked_scope(&self, scope: Scope) -> Result<Scope> {
        scope.checked(self)
    }
}
