//! Suppliers and buyers, with what was sold, what was bought and which sanctions stand.

use serde::Serialize;
use store::{BuyerRow, SanctionRow, SupplierRow};
use utoipa::ToSchema;

use super::{CURRENCY, Contract, EntityLink, FindingSummary, LineKind, Partner, Provenance, Registration};

/// A supplier.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Supplier {
    /// `cnpj:…`, `cpf:mask|name`, `ext:code|name` or `unv:code|name`.
    pub id: String,
    /// `company`, `person`, `foreign`, or `unverified` for a number whose check digits are wrong.
    pub kind: String,
    /// As its source names it, CPFs masked.
    pub name: String,
    /// Fourteen letters or digits.
    pub cnpj: Option<String>,
    /// `***.456.789-**`.
    pub masked_cpf: Option<String>,
}

/// A supplier with what is held of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SupplierDetail {
    /// The supplier.
    #[serde(flatten)]
    pub supplier: Supplier,
    /// Other ids that are merged with this one; sums, sanctions, findings and contracts are those of all of them.
    pub same_as: Vec<String>,
    /// Links that touch any of its ids: merged, proposed and undone.
    pub links: Vec<EntityLink>,
    /// Sums over its contracts.
    pub totals: Totals,
    /// Sanctions of this supplier, or of another establishment of the same legal person.
    pub sanctions: Vec<Sanction>,
    /// What the register of companies says of it.
    pub registrations: Vec<Registration>,
    /// Who owns or runs it, as that register says; at most 50.
    pub partners: Vec<Partner>,
    /// Open findings, gravest first.
    pub findings: Vec<FindingSummary>,
    /// The newest contracts.
    pub contracts: Vec<Contract>,
}

/// A buyer.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Buyer {
    /// `uasg:…` and the like.
    pub id: String,
    /// As its source names it.
    pub name: String,
    /// The unit's own code.
    pub code: Option<String>,
    /// Of the body, where stated.
    pub cnpj: Option<String>,
    /// `F` federal, `E` state, `M` municipal, `D` Federal District.
    pub sphere: Option<String>,
    /// Two letters.
    pub state: Option<String>,
    /// Name of the municipality.
    pub municipality: Option<String>,
    /// The body above the unit.
    pub parent_name: Option<String>,
    /// The superior body.
    pub superior_name: Option<String>,
}

/// A buyer with what is held of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BuyerDetail {
    /// The buyer.
    #[serde(flatten)]
    pub buyer: Buyer,
    /// Other ids that are merged with this one; sums, findings and contracts are those of all of them.
    pub same_as: Vec<String>,
    /// Links that touch any of its ids: merged, proposed and undone.
    pub links: Vec<EntityLink>,
    /// Sums over its contracts.
    pub totals: Totals,
    /// Open findings, gravest first.
    pub findings: Vec<FindingSummary>,
    /// The newest contracts.
    pub contracts: Vec<Contract>,
}

/// Sums over the contracts of a party, income left out.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Totals {
    /// How many.
    pub contracts: i64,
    /// Sum of the final values that are stated; null when none is.
    pub value: Option<String>,
    /// How many of the contracts state no value, and so are not in the sum.
    pub contracts_without_value: i64,
    /// Of the sum.
    pub currency: &'static str,
    /// Signature of the first.
    pub first_signed_on: Option<String>,
    /// Signature of the last.
    pub last_signed_on: Option<String>,
}

/// A sanction in a public register.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Sanction {
    /// `source:natural-key`.
    pub id: String,
    /// `CEIS`, `CNEP` or `CEPIM`.
    pub register: Option<String>,
    /// Our code; null when the register's words are unknown to us.
    pub kind: Option<String>,
    /// As the register writes it.
    pub kind_as_stated: Option<String>,
    /// Whether it bars contracting at all; null when the kind is unknown.
    pub bars_contracting: Option<bool>,
    /// First day.
    pub starts_on: Option<String>,
    /// Last day; null for no end stated.
    pub ends_on: Option<String>,
    /// The body that sanctions.
    pub body: Option<String>,
    /// As the register writes it.
    pub scope_as_stated: Option<String>,
    /// As the register writes it.
    pub legal_basis: Option<String>,
    /// Where it came from.
    pub provenance: Provenance,
}

impl From<SupplierRow> for Supplier {
    fn from(row: SupplierRow) -> Self {
        Self { id: row.id, kind: row.kind, name: row.name, cnpj: row.cnpj, masked_cpf: row.masked_cpf }
    }
}

impl From<BuyerRow> for Buyer {
    fn from(row: BuyerRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            code: row.code,
            cnpj: row.cnpj,
            sphere: row.sphere,
            state: row.state,
            municipality: row.municipality,
            parent_name: row.parent_name,
            superior_name: row.superior_name,
        }
    }
}

impl From<store::Totals> for Totals {
    fn from(totals: store::Totals) -> Self {
        let none_stated = totals.contracts > 0 && totals.without_value == totals.contracts;
        Self {
            contracts: totals.contracts,
            value: (!none_stated).then(|| decimal(totals.value)),
            contracts_without_value: totals.without_value,
            currency: CURRENCY,
            first_signed_on: totals.first_signed_on,
            last_signed_on: totals.last_signed_on,
        }
    }
}

impl From<SanctionRow> for Sanction {
    fn from(row: SanctionRow) -> Self {
        Self {
            id: row.id,
            register: row.register,
            kind: row.kind,
            kind_as_stated: row.kind_as_stated,
            bars_contracting: row.bars_contracting,
            starts_on: row.starts_on,
            ends_on: row.ends_on,
            body: row.body,
            scope_as_stated: row.scope_as_stated,
            legal_basis: row.legal_basis,
            provenance: Provenance {
                line_kind: Some(LineKind::of(&row.file)),
                file: Some(row.file),
                line: Some(row.line),
                file_sha256: Some(row.file_sha256),
                row_hash: Some(row.row_hash),
                fetched_at: Some(row.fetched_at),
            },
        }
    }
}

/// A sum in ten-thousandths, which may be greater than one amount can be.
fn decimal(scaled: i128) -> String {
    let sign = if scaled < 0 { "-" } else { "" };
    let magnitude = scaled.unsigned_abs();
    format!("{sign}{}.{:04}", magnitude / 10_000, magnitude % 10_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_keeps_its_decimals_and_its_sign() {
        assert_eq!(decimal(876_000_000), "87600.0000");
        assert_eq!(decimal(-5), "-0.0005");
        assert_eq!(decimal(i128::from(i64::MAX) * 10_000), "9223372036854775807.0000");
    }

    #[test]
    fn contracts_without_a_value_do_not_sum_to_nothing() {
        let totals =
            |contracts, without_value| Totals::from(store::Totals { contracts, without_value, ..Default::default() });
        assert_eq!(totals(2, 2).value, None);
        assert_eq!(totals(0, 0).value.as_deref(), Some("0.0000"));
    }
}
