//! Recife, open data of the city's contracts: decimal dots, days with milliseconds, bodies by name only.
//!
//! The file states two values and does not say what tells them apart. `valorcontrato2` always stands and is taken as
//! the contract's; `valorcontrato1`, blank in half of the rows, stays in the metadata.

use model::{Contract, Modality, Record};

use crate::detect::{Draft, Mapper, Place};
use crate::error::Fault;
use crate::fields::{Decimals, Row, columns};
use crate::local::{Home, activity, ids_of, key_of_name, party};

const HOME: Home = Home { source: "recife", sphere: Some("M"), state: "PE", municipality: Some("Recife") };

columns! {
    /// `dados_abertos_contratos.csv`.
    Contracts {
        number required ["numerocontrato"],
        buyer required ["orgaocontratante"],
        object required ["objetocontrato"],
        origin required ["origemcontrato"],
        cnpj required ["cnpjcontratado"],
        cpf required ["cpfcontratado"],
        supplier required ["razaonomecontratado"],
        starts_on required ["datainiciovigencia"],
        ends_on required ["datafimvigencia"],
        value required ["valorcontrato2"],
        status required ["situacaocontrato"],
    }
}

/// Maps contracts.
pub(crate) struct MapContracts {
    columns: Contracts,
    place: Place,
}

impl MapContracts {
    pub(crate) fn new(columns: Contracts, place: Place) -> Self {
        Self { columns, place }
    }
}

impl Mapper for MapContracts {
    fn map(&mut self, row: &Row<'_>) -> Result<Draft, Fault> {
        let c = &self.columns;
        let number = row.text(c.number).filter(|text| !is_waiting(text));
        row.key(c.buyer)?;
        let buyer_name = row.text(c.buyer).unwrap_or_default();
        let buyer_id = HOME.named_body(&buyer_name);
        let starts_on = row.date_of_either_form(c.starts_on)?;
        let partition_on = starts_on.or(self.place.file_month);
        let code = if row.code(c.cnpj).is_empty() { row.code(c.cpf) } else { row.code(c.cnpj) };
        let supplier = party(code, row.code(c.supplier), partition_on);
        let (supplier_id, supplier_root) = ids_of(supplier.as_ref());
        let words = row.text(c.origin);
        let object = row.text(c.object);
        let (activity, activity_basis) = activity(object.as_deref());
        let id = match &number {
            Some(number) => format!("recife:{}", number.replace(' ', "")),
            None => {
                let who = key_of_name(row.code(c.supplier));
                let since = starts_on.map(|day| day.to_string()).unwrap_or_default();
                format!("recife:unnumbered:{}:{who}:{since}", key_of_name(&buyer_name))
            }
        };
        let contract = Contract {
            number,
            modality: words.as_deref().and_then(Modality::from_words).map(Modality::code),
            modality_as_stated: words,
            status: row.text(c.status),
            buyer_id: Some(buyer_id.clone()),
            buyer_name: Some(buyer_name.clone()),
            supplier_id,
            supplier_root,
            supplier_name: row.text(c.supplier),
            starts_on,
            ends_on: row.date_of_either_form(c.ends_on)?,
            value_initial: row.amount_in(c.value, Decimals::Dot)?,
            activity,
            activity_basis,
            object,
            partition_on,
            ..Contract::default()
        };
        Ok(Draft {
            buyer: Some((buyer_id, HOME.buyer(buyer_name, None, partition_on))),
            supplier,
            ..Draft::of(id, Record::Contract(contract))
        })
    }
}

/// Words that stand where a number will.
fn is_waiting(number: &str) -> bool {
    model::text::fold(number).starts_with("aguardando")
}
