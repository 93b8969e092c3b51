//! What follows from what a mapped row states: the law, the line of activity, a price, a sanction's reach, the
//! partition. The same rules as in the built-in formats.

use chrono::NaiveDate;
use model::activity::activity_of_text;
use model::body::Sphere;
use model::law::Regime;
use model::{Cnpj, Item, Partner, Record, Registration, Sanction, SanctionKind};

use crate::detect::Place;
use crate::error::{Fault, Reason};
use crate::fields::clip;
use crate::portal_compras::Memo;
use crate::sanctions::{Bodies, scope, stated_scope};
use crate::unit::unit_of_text;

/// Completes records.
#[derive(Default)]
pub(crate) struct Completion {
    regimes: Memo<Option<Regime>>,
    bodies: Bodies,
}

impl Completion {
    /// Completes a record; gives the day on which the row shows its buyer and supplier.
    ///
    /// `party` is the kind of the party that the row names: `company`, `person`, `foreign` or `unverified`.
    pub(crate) fn complete(
        &mut self,
        record: &mut Record,
        party: Option<&'static str>,
        place: Place,
    ) -> Result<Option<NaiveDate>, Fault> {
        let month = place.file_month;
        Ok(match record {
            Record::Tender(t) => {
                t.regime = t.regime.or_else(|| self.regime(t.legal_basis.as_deref()));
                (t.activity, t.activity_basis) = activity(t.object.as_deref());
                t.partition_on =
                    t.partition_on.or(t.published_on).or(t.opened_on).or(t.closes_on).or(t.result_on).or(month);
                t.partition_on
            }
            Record::Contract(c) => {
                c.regime = c.regime.or_else(|| self.regime(c.legal_basis.as_deref()));
                (c.activity, c.activity_basis) = activity(c.object.as_deref());
                c.partition_on = c.partition_on.or(c.signed_on).or(c.published_on).or(c.starts_on).or(month);
                c.partition_on
            }
            Record::Item(item) => {
                complete_item(item);
                item.partition_on = item.partition_on.or(month);
                item.partition_on
            }
            Record::Bid(b) => {
                b.partition_on = b.partition_on.or(b.submitted_on).or(month);
                b.partition_on
            }
            Record::Amendment(a) => {
                a.partition_on = a.partition_on.or(a.signed_on).or(a.published_on).or(a.starts_on).or(month);
                a.partition_on
            }
            Record::Payment(p) => {
                p.partition_on = p.partition_on.or(p.issued_on).or(month);
                p.partition_on
            }
            Record::Sanction(sanction) => {
                self.complete_sanction(sanction, place);
                sanction.listed_on
            }
            Record::Registration(registration) => {
                complete_registration(registration)?;
                None
            }
            Record::Partner(partner) => {
                complete_partner(partner, party)?;
                None
            }
            Record::Buyer(_) | Record::Supplier(_) | Record::Term(_) => None,
        })
    }

    fn regime(&mut self, legal_basis: Option<&str>) -> Option<&'static str> {
        self.regimes.get(legal_basis?, Regime::from_legal_basis).map(Regime::code)
    }

    fn complete_sanction(&mut self, s: &mut Sanction, place: Place) {
        let told = s.kind.and_then(SanctionKind::from_code);
        let words = s.kind_as_stated.as_deref().unwrap_or_default();
        let kind = told.or_else(|| SanctionKind::from_words(words, s.legal_basis.as_deref().unwrap_or_default()));
        s.kind = kind.map(SanctionKind::code);
        s.bars_contracting = kind.map(SanctionKind::bars_contracting);
        let (scope_min, scope_max) = scope(stated_scope(s.scope_as_stated.as_deref().unwrap_or_default()), kind);
        (s.scope_min, s.scope_max) = (Some(scope_min), Some(scope_max));
        s.listed_on = s.listed_on.or_else(|| s.starts_on.max(s.published_on).max(place.file_day));
        let stated = s.body_sphere.as_deref().and_then(Sphere::from_code).map_or("", Sphere::label_pt);
        let facts = self.bodies.describe(s.body.as_deref().unwrap_or_default(), s.body_state.take(), stated);
        s.body_key = s.body.as_ref().map(|_| facts.key);
        (s.body_sphere, s.body_sphere_basis, s.body_state) = (facts.sphere, facts.basis, facts.state);
    }
}

fn activity(object: Option<&str>) -> (Option<&'static str>, Option<&'static str>) {
    let found = object.and_then(activity_of_text).map(|activity| activity.code());
    (found, found.map(|_| "text"))
}

/// The price of one from the price of all, and the unit from the detail, each where the row does not state it.
fn complete_item(item: &mut Item) {
    item.price_basis = item.unit_price.map(|_| "stated");
    if item.unit_price.is_none() {
        item.unit_price = item.total.zip(item.quantity).and_then(|(total, quantity)| total.per(quantity));
        item.price_basis = item.unit_price.map(|_| "derived");
    }
    item.unit_basis = item.unit.as_ref().map(|_| "stated");
    if item.unit.is_none() {
        item.unit = item.detail.as_deref().and_then(unit_of_text);
        item.unit_basis = item.unit.as_ref().map(|_| "text");
    }
}

fn complete_registration(registration: &mut Registration) -> Result<(), Fault> {
    if let Some(text) = registration.cnpj.take() {
        let cnpj = Cnpj::parse(&text).map_err(|_| no_cnpj("cnpj", &text))?;
        cnpj.root().clone_into(&mut registration.cnpj_root);
        registration.cnpj = Some(cnpj.to_string());
        return Ok(());
    }
    registration.cnpj_root =
        root_of(&registration.cnpj_root).ok_or_else(|| no_cnpj("cnpj_root", &registration.cnpj_root))?;
    Ok(())
}

fn complete_partner(partner: &mut Partner, party: Option<&'static str>) -> Result<(), Fault> {
    partner.company_root =
        root_of(&partner.company_root).ok_or_else(|| no_cnpj("company_root", &partner.company_root))?;
    if partner.kind.is_empty() {
        partner.kind = party.filter(|kind| *kind != "unverified").ok_or_else(|| {
            Fault::at("kind", Reason::RequiredField, "the partner's number does not tell a company from a person")
        })?;
    }
    Ok(())
}

/// The eight characters of a legal person, from them or from a whole CNPJ.
fn root_of(text: &str) -> Option<String> {
    if let Ok(cnpj) = Cnpj::parse(text) {
        return Some(cnpj.root().to_owned());
    }
    let root: String = text.chars().filter(|c| !matches!(c, '.' | '-' | '/' | ' ')).collect();
    (root.len() == 8 && root.bytes().all(|b| b.is_ascii_alphanumeric())).then(|| root.to_ascii_uppercase())
}

fn no_cnpj(column: &str, text: &str) -> Fault {
    let shown = clip(text, 40);
    Fault::at(column, Reason::Type, format!("`{shown}` is not a CNPJ or the root of one"))
}
