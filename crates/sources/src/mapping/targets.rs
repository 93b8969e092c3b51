//! The tables that a mapping can fill, and who fills which of their columns.

use model::{Column, TABLES, Table};

/// A table that a mapping can fill.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    pub table: &'static str,
    /// Its code in reports.
    pub code: &'static str,
    /// The kind of its records, as it stands in their ids.
    pub kind: &'static str,
    /// Columns without which a record is nothing.
    pub needs: &'static [&'static str],
    /// Sections without which a record is nothing.
    pub needs_sections: &'static [&'static str],
}

/// Every table but those of buyers and suppliers, which the records of the others name.
pub(crate) const TARGETS: &[Target] = &[
    Target { table: "tenders", code: "mapped/tenders", kind: "tender", needs: &[], needs_sections: &[] },
    Target { table: "contracts", code: "mapped/contracts", kind: "contract", needs: &[], needs_sections: &[] },
    Target { table: "items", code: "mapped/items", kind: "item", needs: &[], needs_sections: &["parent"] },
    Target { table: "bids", code: "mapped/bids", kind: "bid", needs: &[], needs_sections: &["parent", "supplier"] },
    Target {
        table: "amendments",
        code: "mapped/amendments",
        kind: "amendment",
        needs: &["kind"],
        needs_sections: &["parent"],
    },
    Target { table: "payments", code: "mapped/payments", kind: "payment", needs: &["kind"], needs_sections: &[] },
    Target {
        table: "sanctions",
        code: "mapped/sanctions",
        kind: "sanction",
        needs: &["register"],
        needs_sections: &["supplier"],
    },
    Target {
        table: "registrations",
        code: "mapped/registrations",
        kind: "registration",
        needs: &["scope"],
        needs_sections: &[],
    },
    Target {
        table: "partners",
        code: "mapped/partners",
        kind: "partner",
        needs: &["company_root"],
        needs_sections: &["supplier"],
    },
    Target {
        table: "terms",
        code: "mapped/terms",
        kind: "term",
        needs: &["list", "code", "meaning"],
        needs_sections: &[],
    },
];

/// The columns in which a table names the party of `[supplier]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PartyColumns {
    pub id: &'static str,
    pub root: Option<&'static str>,
    pub name: &'static str,
}

impl Target {
    pub(crate) fn of(table: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|target| target.table == table)
    }

    fn columns(&self) -> &'static [Column] {
        TABLES.iter().find(|table: &&Table| table.name == self.table).map_or(&[], |table| table.columns)
    }

    pub(crate) fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns().iter().find(|column| column.name == name)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.column(name).is_some()
    }

    pub(crate) fn party(&self) -> Option<PartyColumns> {
        let party = match self.table {
            "bids" => PartyColumns { id: "bidder_id", root: Some("bidder_root"), name: "bidder_name" },
            "partners" => PartyColumns { id: "partner_id", root: None, name: "name" },
            _ => PartyColumns { id: "supplier_id", root: Some("supplier_root"), name: "supplier_name" },
        };
        let root = party.root.filter(|root| self.has(root));
        self.has(party.id).then_some(PartyColumns { root, ..party })
    }

    /// What fills a column that `[columns]` must not name.
    pub(crate) fn filled_by(&self, column: &str) -> Option<&'static str> {
        let party = self.party();
        Some(match column {
            "buyer_id" | "buyer_name" => "the section [buyer]",
            _ if party.is_some_and(|p| p.id == column || p.name == column || p.root == Some(column)) => {
                "the section [supplier]"
            }
            "contract_id" | "tender_id" => "the section [parent]",
            "modality" => "`modality_as_stated` and the section [modalities]",
            "activity" | "activity_basis" => "the program, from `object`",
            "unit_basis" | "price_basis" | "body_sphere_basis" => "the program: whether the column was stated",
            "bars_contracting" | "scope_min" | "scope_max" => {
                "the program, from `kind_as_stated`, `scope_as_stated` and `legal_basis`"
            }
            "body_key" => "the program, from `body`",
            "address_key" | "phone_keys" | "email_key" => "the program alone: ways to reach people are not kept",
            _ => return None,
        })
    }

    /// The columns that `[columns]` may name.
    pub(crate) fn open_columns(&self) -> Vec<&'static str> {
        self.columns().iter().map(|c| c.name).filter(|name| self.filled_by(name).is_none()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_but_buyers_and_suppliers_can_be_filled() {
        for table in TABLES.iter().filter(|t| !["buyers", "suppliers"].contains(&t.name)) {
            let target = Target::of(table.name).unwrap();
            assert_eq!(target.code, format!("mapped/{}", table.name));
            for need in target.needs {
                assert!(target.open_columns().contains(need), "{}.{need}", table.name);
            }
        }
        assert_eq!(TARGETS.len(), TABLES.len() - 2);
    }
}
