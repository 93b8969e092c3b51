//! The scope of an investigation: which findings belong to it.
//!
//! A finding that lacks what a filter asks for (a day, a buyer) does not lie in the scope and is counted as *unplaced*, under
//! the field that it lacks: it is left out for not knowing, not for being elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use model::{Cnpj, Money};
use serde::{Deserialize, Serialize};
use store::EntityKind;
use utoipa::ToSchema;

use crate::queries::{Words, modality, state};
use crate::{App, Error, Result};

/// The most ids of buyers, or of suppliers, that a scope may name.
const IDS_MAX: usize = 50;

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
}

/// What a scope asks of a finding.
pub(super) struct Facts<'a> {
    pub(super) buyer_id: Option<&'a str>,
    pub(super) supplier_id: Option<&'a str>,
    /// Empty when no day is known.
    pub(super) as_of: &'a str,
    pub(super) amount: i64,
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
        Ok(Self { app, scope, buyers, suppliers, value_min, value_max })
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
        if self.scope.modality.is_none() && self.scope.q.is_none() {
            return Ok(true);
        }
        let mut known = false;
        for id in contracts()? {
            match self.app.store().contract_fits(&id, self.scope.modality.as_deref(), self.scope.q.as_deref())? {
                Some(true) => return Ok(true),
                fits => known |= fits.is_some(),
            }
        }
        if known { Ok(false) } else { lacks("contract") }
    }
}

impl App {
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
