//! The scope of an investigation: which findings belong to it.
//!
//! A finding that lacks what a filter asks for (a day, a buyer) does not lie in the scope and is counted as *unplaced*, under
//! the field that it lacks: it is left out for not knowing, not for being elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use model::{Cnpj, Money};
use serde::{Deserialize, Serialize};
use store::{ContractFilter, EntityKind};
use utoipa::ToSchema;

use crate::queries::{Words, modality, state};
use crate::{App, Error, Result};

/// The most ids of buyers, or of suppliers, that a scope may name.
const IDS_MAX: usize = 50;
/// The most contracts that a scope may name.
pub(super) const CONTRACTS_MAX: usize = 1_000;
/// Contracts asked of the store at once, and those looked through at most, to find who lies in a scope.
const CONTRACTS_PAGE: usize = 500;
const LOOKED_AT_MAX: usize = 200_000;

/// Which findings belong to an investigation; what is not said does not narrow it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Scope {
    /// Ids of buyers; one of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub buyers: Vec<String>,
    /// Names of bodies, or of what stands over them; the buyer is one of their units.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bodies: Vec<String>,
    /// Ids of suppliers, or their CNPJs; one of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub suppliers: Vec<String>,
    /// The buyer's state, two letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The buyer's municipality; accents and case do not matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub municipality: Option<String>,
    /// The day of the facts is this one or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub from: Option<NaiveDate>,
    /// The day of the facts is this one or earlier.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub to: Option<NaiveDate>,
    /// Money at stake at least this, BRL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_min: Option<String>,
    /// Money at stake at most this, BRL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_max: Option<String>,
    /// One of its contracts is of this modality.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modality: Option<String>,
    /// One of its contracts holds these words, in its object or the parties' names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// Ids of contracts; it is about one of them (at most 1,000).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contracts: Vec<String>,
}

impl Scope {
    /// Reads every filter, and brings it into one form.
    ///
    /// # Errors
    /// `Invalid` for a filter that cannot be, or that nothing held could ever satisfy.
    pub(super) fn checked(mut self, app: &App) -> Result<Self> {
        if self.buyers.len() > IDS_MAX || self.suppliers.len() > IDS_MAX {
            return Err(Error::invalid("scope", format!("names more than {IDS_MAX} buyers or suppliers")));
        }
        if self.bodies.len() > IDS_MAX {
            return Err(Error::invalid("scope.bodies", format!("names more than {IDS_MAX} bodies")));
        }
        if !self.bodies.is_empty() && app.buyers_of(&self)?.is_none_or(|buyers| buyers.is_empty()) {
            return Err(Error::invalid("scope.bodies", "no buyer of these bodies is held"));
        }
        for id in &self.buyers {
            if app.store().buyer(id)?.is_none() {
                return Err(Error::invalid("scope.buyers", format!("no buyer `{id}` is held")));
            }
        }
        for id in &mut self.suppliers {
            if let Ok(cnpj) = Cnpj::parse(id) {
                *id = format!("cnpj:{cnpj}");
            }
            if app.store().supplier(id)?.is_none() {
                return Err(Error::invalid("scope.suppliers", format!("no supplier `{id}` is held")));
            }
        }
        if self.contracts.len() > CONTRACTS_MAX {
            return Err(Error::invalid("scope.contracts", format!("names more than {CONTRACTS_MAX} contracts")));
        }
        let mut named = BTreeSet::new();
        self.contracts.retain(|id| named.insert(id.clone()));
        for id in &self.contracts {
            if app.store().contract_fits(id, None, None)?.is_none() {
                let id: String = id.chars().take(200).collect();
                return Err(Error::invalid("scope.contracts", format!("no contract `{id}` is held")));
            }
        }
        self.state = self.state.map(|letters| state(&letters).map(str::to_owned)).transpose()?;
        self.modality = self.modality.map(|code| modality(&code).map(str::to_owned)).transpose()?;
        self.q = self.q.map(|words| model::mask_cpfs(&words).into_owned());
        if let Some(words) = &self.q {
            Words::parse(words)?;
        }
        for (name, amount) in [("scope.value_min", &self.value_min), ("scope.value_max", &self.value_max)] {
            if let Some(amount) = amount {
                let plain = amount.bytes().all(|b| b.is_ascii_digit() || b == b'.');
                if !plain || Money::parse(amount).is_err() {
                    return Err(Error::invalid(name, "not an amount such as 50000.00"));
                }
            }
        }
        if self.from.zip(self.to).is_some_and(|(from, to)| from > to) {
            return Err(Error::invalid("scope.from", "lies after scope.to"));
        }
        if let Some(municipality) = &self.municipality
            && app.spellings_of(municipality)?.is_empty()
        {
            return Err(Error::invalid("scope.municipality", "no buyer of this municipality is held"));
        }
        Ok(self)
    }
}

/// A scope with its ids found, ready to be asked of findings.
pub(super) struct Placed<'a> {
    app: &'a App,
    scope: &'a Scope,
    buyers: Option<BTreeSet<String>>,
    suppliers: Option<BTreeSet<String>>,
    value_min: Option<i64>,
    value_max: Option<i64>,
    /// The contracts that are named, and their places.
    contracts: BTreeMap<&'a str, usize>,
}

/// What a scope asks of a finding.
pub(super) struct Facts<'a> {
    pub(super) buyer_id: Option<&'a str>,
    pub(super) supplier_id: Option<&'a str>,
    /// Empty when no day is known.
    pub(super) as_of: &'a str,
    pub(super) amount: i64,
}

impl<'a> Facts<'a> {
    pub(super) fn of(row: &'a store::PlacedFinding) -> Self {
        Self {
            buyer_id: row.buyer_id.as_deref(),
            supplier_id: row.supplier_id.as_deref(),
            as_of: &row.as_of,
            amount: row.amount,
        }
    }
}

/// Findings that were left out for lacking a field, by field.
pub(super) type Unplaced = BTreeMap<&'static str, u64>;

impl<'a> Placed<'a> {
    pub(super) fn new(app: &'a App, scope: &'a Scope) -> Result<Self> {
        let store = app.store();
        let mut buyers = app.buyers_of(scope)?;
        if scope.state.is_some() || scope.municipality.is_some() {
            let spellings = scope.municipality.as_deref().map(|name| app.spellings_of(name)).transpose()?;
            let placed = store.buyers_in(scope.state.as_deref(), spellings.as_deref())?;
            buyers = Some(match buyers {
                Some(named) => named.intersection(&placed).cloned().collect(),
                None => placed,
            });
        }
        let suppliers = if scope.suppliers.is_empty() {
            None
        } else {
            Some(store.all_ids_of(EntityKind::Supplier, &scope.suppliers)?)
        };
        let amount =
            |text: &Option<String>| text.as_deref().and_then(|text| Money::parse(text).ok()).map(Money::scaled);
        let (value_min, value_max) = (amount(&scope.value_min), amount(&scope.value_max));
        let contracts = scope.contracts.iter().enumerate().map(|(at, id)| (id.as_str(), at)).collect();
        Ok(Self { app, scope, buyers, suppliers, value_min, value_max, contracts })
    }

    /// Whether, of the contracts that a finding is about, the first that the scope names is one of `these`: so that each finding is of
    /// one part of them alone.
    pub(super) fn is_first_of(&self, these: &[String], about: &[String]) -> bool {
        let first = about.iter().filter_map(|id| self.contracts.get(id.as_str()).map(|at| (*at, id))).min();
        first.is_some_and(|(_, id)| these.contains(id))
    }

    /// Whether a finding lies in the scope; its contracts are asked for when all else says so.
    pub(super) fn holds(
        &self,
        facts: &Facts<'_>,
        contracts: impl FnOnce() -> Result<Vec<String>>,
        unplaced: &mut Unplaced,
    ) -> Result<bool> {
        let mut lacks = |field| {
            *unplaced.entry(field).or_default() += 1;
            Ok(false)
        };
        for (asked, stated, field) in
            [(&self.buyers, facts.buyer_id, "buyer"), (&self.suppliers, facts.supplier_id, "supplier")]
        {
            match (asked, stated) {
                (Some(_), None) => return lacks(field),
                (Some(ids), Some(id)) if !ids.contains(id) => return Ok(false),
                _ => {}
            }
        }
        if self.scope.from.is_some() || self.scope.to.is_some() {
            let Ok(day) = facts.as_of.parse::<NaiveDate>() else { return lacks("as_of") };
            if self.scope.from.is_some_and(|from| day < from) || self.scope.to.is_some_and(|to| day > to) {
                return Ok(false);
            }
        }
        if self.value_min.is_some() || self.value_max.is_some() {
            // No finding is about nothing: zero stands for an amount that is not known.
            if facts.amount == 0 {
                return lacks("amount");
            }
            if self.value_min.is_some_and(|min| facts.amount < min)
                || self.value_max.is_some_and(|max| facts.amount > max)
            {
                return Ok(false);
            }
        }
        if self.scope.modality.is_none() && self.scope.q.is_none() && self.contracts.is_empty() {
            return Ok(true);
        }
        let mut about = contracts()?;
        if !self.contracts.is_empty() {
            about.retain(|id| self.contracts.contains_key(id.as_str()));
            if about.is_empty() || (self.scope.modality.is_none() && self.scope.q.is_none()) {
                return Ok(!about.is_empty());
            }
        }
        let mut known = false;
        for id in about {
            match self.app.store().contract_fits(&id, self.scope.modality.as_deref(), self.scope.q.as_deref())? {
                Some(true) => return Ok(true),
                fits => known |= fits.is_some(),
            }
        }
        if known { Ok(false) } else { lacks("contract") }
    }
}

impl App {
    /// The ids of up to `limit` contracts that lie in a scope, and whether the search for them reached its end or the limit.
    pub(super) fn contracts_in(&self, scope: &Scope, limit: usize) -> Result<(Vec<String>, bool)> {
        let placed = Placed::new(self, scope)?;
        let day = |day: Option<NaiveDate>| day.map(|day| day.to_string());
        let filter = ContractFilter {
            q: scope.q.clone(),
            modality: scope.modality.clone(),
            state: scope.state.clone(),
            signed_from: day(scope.from),
            signed_to: day(scope.to),
            value_min: placed.value_min,
            value_max: placed.value_max,
            ..ContractFilter::default()
        };
        // A state is asked for as such; of other buyers each, and else of the suppliers each, by its index.
        let by_state_alone = scope.buyers.is_empty() && scope.bodies.is_empty() && scope.municipality.is_none();
        let buyers = placed.buyers.as_ref().filter(|_| !by_state_alone);
        let filters: Vec<ContractFilter> = match (buyers, &placed.suppliers) {
            (Some(buyers), _) => {
                buyers.iter().map(|id| ContractFilter { buyer_id: Some(id.clone()), ..filter.clone() }).collect()
            }
            (None, Some(suppliers)) => {
                suppliers.iter().map(|id| ContractFilter { supplier_id: Some(id.clone()), ..filter.clone() }).collect()
            }
            (None, None) => vec![filter],
        };
        let fits = |supplier: Option<&String>| {
            let asked = placed.suppliers.as_ref();
            asked.is_none_or(|asked| supplier.is_some_and(|id| asked.contains(id)))
        };
        let (mut ids, mut seen, mut looked) = (Vec::new(), BTreeSet::new(), 0);
        for filter in &filters {
            let mut after = None;
            while ids.len() < limit && looked < LOOKED_AT_MAX {
                let lot = CONTRACTS_PAGE.min(limit.max(20));
                let page = self.store().contracts(filter, store::ContractSort::NewestFirst, after.as_ref(), lot)?;
                looked += page.rows.len();
                for row in page.rows {
                    if fits(row.supplier_id.as_ref()) && seen.insert(row.id.clone()) {
                        ids.push(row.id);
                    }
                }
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        let whole = ids.len() >= limit || looked < LOOKED_AT_MAX;
        ids.truncate(limit);
        Ok((ids, whole))
    }

    /// How the buyers write a municipality.
    pub(super) fn spellings_of(&self, municipality: &str) -> Result<Vec<String>> {
        let asked = model::text::fold(municipality);
        let held = self.store().municipalities()?.into_iter().map(|(name, _)| name);
        let mut spellings: Vec<String> = held.filter(|name| model::text::fold(name) == asked).collect();
        spellings.dedup();
        Ok(spellings)
    }

    /// The ids of the units and bodies that a scope names: of any of them; none when it names none.
    pub(crate) fn buyers_of(&self, scope: &Scope) -> Result<Option<BTreeSet<String>>> {
        if scope.buyers.is_empty() && scope.bodies.is_empty() {
            return Ok(None);
        }
        let mut ids = self.store().all_ids_of(EntityKind::Buyer, &scope.buyers)?;
        if !scope.bodies.is_empty() {
            let normal: Vec<String> = scope.bodies.iter().map(|name| model::text::normal_name(name)).collect();
            ids.extend(self.store().buyers_of_bodies(&normal)?);
        }
        Ok(Some(ids))
    }
}
