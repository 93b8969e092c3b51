//! Contracts, their items, amendments and payments; and awards that stand in for a contract.

use std::collections::HashSet;
use std::rc::Rc;

use model::{Amendment, Buyer, Contract, Payment, Record, Tender};

use super::Process;
use super::bids::{Award, Awards};
use super::parties::{Party, buyer_key};
use super::tenders::{Owner, lots_of, object_of};
use crate::detect::Stated;
use crate::json_tree::{Kind, Part};

impl<'t, 'a> Process<'t, 'a> {
    pub(super) fn push_contracts(&mut self, buyer: Option<&(String, Buyer)>, awards: &Awards<'t, 'a>, tender: &Tender) {
        let mut with_contract = HashSet::new();
        for part in self.release.objects("contracts") {
            let award = part.peek("awardID").and_then(|id| awards.get(&id));
            with_contract.extend(award.map(|award| award.part.place()));
            self.push_contract(part, award, buyer, tender);
        }
        // In a release that tells a part only, the award's contract may come with the next.
        if !self.is_whole {
            return;
        }
        for award in awards.active().filter(|award| !with_contract.contains(&award.part.place())) {
            self.push_award(award, buyer, tender);
        }
    }

    /// What a contract has from its release and not from itself.
    fn contract(&self, suppliers: &[Rc<Party>], buyer: Option<&(String, Buyer)>, tender: &Tender) -> Contract {
        let (supplier_id, supplier_root, supplier_name) = supplier_of(suppliers);
        let category = self.release.object("tender").and_then(|tender| tender.text("mainProcurementCategory"));
        Contract {
            modality: tender.modality,
            modality_as_stated: tender.modality_as_stated.clone(),
            legal_basis: tender.legal_basis.clone(),
            regime: tender.regime,
            category,
            buyer_id: buyer.map(|(id, _)| id.clone()),
            buyer_name: tender.buyer_name.clone(),
            supplier_id,
            supplier_root,
            supplier_name,
            tender_id: Some(self.id.clone()),
            ..Contract::default()
        }
    }

    fn push_contract(
        &mut self,
        part: Part<'t, 'a>,
        award: Option<&Award<'t, 'a>>,
        buyer: Option<&(String, Buyer)>,
        tender: &Tender,
    ) {
        let Some(number) = part.peek("id") else { return };
        let id = format!("{}:contract:{number}", self.id);
        if !self.is_new(&id) {
            return;
        }
        let own = part.objects("suppliers");
        let mut suppliers: Vec<_> = own.filter_map(|s| self.push_supplier(s)).collect();
        if suppliers.is_empty() {
            let awarded = award.map_or(&[][..], |award| award.suppliers.as_slice());
            suppliers = awarded.iter().filter_map(|(s, _)| self.push_supplier(*s)).collect();
        }
        let value = self.value(part.object("value"));
        let amount = value.map(|(amount, _)| amount);
        let period = part.object("period");
        let starts_on = period.and_then(|p| p.day("startDate"));
        let signed_on = part.day("dateSigned");
        let object = object_of(part);
        let activity = self.activity(object.as_deref());
        let is_amended = amendments_of(part).next().is_some();
        let contract = Contract {
            number: part.text("id"),
            activity,
            activity_basis: activity.map(|_| "text"),
            object,
            status: part.text("status"),
            signed_on,
            starts_on,
            ends_on: period.and_then(|p| p.day("endDate")),
            // The standard has one value: at signature first, with its amendments once there are any.
            value_initial: amount.filter(|_| !is_amended),
            value_final: amount.filter(|_| is_amended),
            currency: value.map_or(tender.currency, |(_, currency)| currency),
            partition_on: signed_on.or(starts_on).or(self.day),
            ..self.contract(&suppliers, buyer, tender)
        };
        self.push_contract_items(part, &id, &contract);
        self.push_amendments(part, &id, &contract);
        self.push_payments(part, &id, &contract);
        self.push(id, Record::Contract(contract));
    }

    /// An award in a process that is told to its end without a contract for it.
    fn push_award(&mut self, award: &Award<'t, 'a>, buyer: Option<&(String, Buyer)>, tender: &Tender) {
        let Some(number) = &award.id else { return };
        let id = format!("{}:award:{number}", self.id);
        if !self.is_new(&id) {
            return;
        }
        let part = award.part;
        let suppliers: Vec<_> = award.suppliers.iter().filter_map(|(s, _)| self.push_supplier(*s)).collect();
        let value = self.value(part.object("value"));
        let period = part.object("contractPeriod");
        let object = object_of(part);
        let activity = self.activity(object.as_deref());
        let contract = Contract {
            number: part.text("id"),
            activity,
            activity_basis: activity.map(|_| "text"),
            object,
            status: part.text("status"),
            instrument: Some("award".to_owned()),
            starts_on: period.and_then(|p| p.day("startDate")),
            ends_on: period.and_then(|p| p.day("endDate")),
            value_initial: value.map(|(amount, _)| amount),
            currency: value.map_or(tender.currency, |(_, currency)| currency),
            partition_on: award.date.or(self.day),
            ..self.contract(&suppliers, buyer, tender)
        };
        self.push_contract_items(part, &id, &contract);
        self.push(id, Record::Contract(contract));
    }

    fn push_contract_items(&mut self, part: Part<'t, 'a>, id: &str, contract: &Contract) {
        let owner = Owner {
            prefix: id,
            contract_id: Some(id),
            tender_id: None,
            buyer_id: contract.buyer_id.as_deref(),
            supplier_id: contract.supplier_id.as_deref(),
            supplier_name: contract.supplier_name.as_deref(),
            currency: contract.currency,
            partition_on: contract.partition_on,
            lots: lots_of(part),
        };
        self.push_items(part, &owner);
    }

    fn push_amendments(&mut self, part: Part<'t, 'a>, contract_id: &str, contract: &Contract) {
        for amendment in amendments_of(part) {
            let date = amendment.peek("date");
            // Without an id (1.0 has none) an amendment is known by its date; without both it is not known again.
            let Some(known_by) = amendment.peek("id").or(date) else { continue };
            let id = format!("{contract_id}:amendment:{known_by}");
            if !self.is_new(&id) {
                continue;
            }
            let signed_on = amendment.day("date");
            let record = Amendment {
                contract_id: Some(contract_id.to_owned()),
                number: amendment.text("id"),
                kind: "amendment",
                object: amendment.text("description").or_else(|| amendment.text("rationale")),
                buyer_id: contract.buyer_id.clone(),
                signed_on,
                currency: contract.currency,
                partition_on: signed_on.or(self.day),
                ..Amendment::default()
            };
            self.push(id, Record::Amendment(record));
        }
    }

    fn push_payments(&mut self, part: Part<'t, 'a>, contract_id: &str, contract: &Contract) {
        let implementation = part.object("implementation");
        for transaction in implementation.into_iter().flat_map(|i| i.objects("transactions")) {
            let Some(number) = transaction.peek("id") else { continue };
            let id = format!("{contract_id}:transaction:{number}");
            if !self.is_new(&id) {
                continue;
            }
            // 1.0 has `amount`, `providerOrganization` and `receiverOrganization`.
            let value = self.value(transaction.object("value").or_else(|| transaction.object("amount")));
            let payee = transaction.object("payee").or_else(|| transaction.object("receiverOrganization"));
            let payer = transaction.object("payer").or_else(|| transaction.object("providerOrganization"));
            let payee = payee.and_then(|p| self.push_supplier(p));
            let payer = payer.and_then(|p| self.push_payer(p));
            let issued_on = transaction.day("date");
            let record = Payment {
                tender_id: Some(self.id.clone()),
                contract_id: Some(contract_id.to_owned()),
                buyer_name: payer.as_deref().and_then(Party::name),
                buyer_id: payer.map(|p| p.id.clone()),
                supplier_name: payee.as_deref().and_then(Party::name),
                supplier_root: payee.as_ref().and_then(|p| p.supplier.cnpj_root.clone()),
                supplier_id: payee.map(|p| p.id.clone()),
                number: transaction.text("id"),
                kind: "payment",
                issued_on,
                value: value.map(|(amount, _)| amount),
                currency: value.map_or(contract.currency, |(_, currency)| currency),
                partition_on: issued_on.or(self.day),
                ..Payment::default()
            };
            self.push(id, Record::Payment(record));
        }
    }

    fn push_payer(&mut self, reference: Part<'t, 'a>) -> Option<Rc<Party>> {
        let party = self.party(reference)?;
        self.keep_party(reference, &party);
        if self.is_new(&buyer_key(&party.id)) {
            let (id, buyer) = self.buyer_of(reference, &party, self.day);
            self.more.push(Stated::Buyer(id, buyer));
        }
        Some(party)
    }
}

/// The one supplier of a contract. Of several, none is the one: their names stand together, their ids in bids.
fn supplier_of(suppliers: &[Rc<Party>]) -> (Option<String>, Option<String>, Option<String>) {
    if let [party] = suppliers {
        return (Some(party.id.clone()), party.supplier.cnpj_root.clone(), party.name());
    }
    let names: Vec<_> = suppliers.iter().filter_map(|party| party.name()).collect();
    (None, None, (!names.is_empty()).then(|| names.join(" / ")))
}

/// Amendments of 1.1 and the one of 1.0, where they say anything.
fn amendments_of<'t, 'a>(contract: Part<'t, 'a>) -> impl Iterator<Item = Part<'t, 'a>> {
    let says = |part: &Part<'t, 'a>| {
        part.inner().any(|p| !matches!(p.kind(), Kind::Null | Kind::Object | Kind::Array) && p.peek_text().is_some())
    };
    contract.objects("amendments").chain(contract.objects("amendment")).filter(says)
}
