//! Purchases without bidding in the Federal District, as a study gathered them from PNCP.
//!
//! Two files: purchases in JSON, whose companies are numbered members of one object (`"CNPJ -1"`, `"CNPJ -2"` …), and
//! those companies alone as CSV. A line is one award, so equal lines are several awards (with them the lines of
//! a purchase add up to its value; without, they do not), and it is known by its place in its purchase.

use model::activity::activity_of_text;
use model::text::{fold, normal_name};
use model::{Bid, Buyer, Cnpj, Modality, Money, Record, Supplier, Tender};

use crate::detect::{Draft, Mapper, Place, Stated};
use crate::error::Fault;
use crate::fields::{Row, columns};
use crate::json_fields::{Members, closed};
use crate::json_formats::Element;

columns! {
    /// `x_empresas_contratadas.csv`.
    Awards {
        control_number required ["codigo"],
        name required ["empresa contratada"],
        number required ["cnpj"],
        value required ["valor recebido"],
        description required ["descricao"],
    }
}

fn id_of(control_number: &str) -> String {
    format!("pncp-df:{}", control_number.replace('/', "-"))
}

/// Who was paid. Where there is no number, the files repeat the name in its place.
fn supplier_of(number: &str, name: &str) -> Option<(String, Supplier)> {
    if !number.is_empty() && normal_name(number) == normal_name(name) {
        return None;
    }
    model::supplier(number, name)
}

fn award(tender_id: &str, supplier: Option<&(String, Supplier)>) -> Bid {
    Bid {
        tender_id: Some(tender_id.to_owned()),
        bidder_id: supplier.map(|(id, _)| id.clone()),
        bidder_root: supplier.and_then(|(_, s)| s.cnpj_root.clone()),
        won: Some(true),
        ..Bid::default()
    }
}

fn award_id(tender_id: &str, place: u64) -> String {
    format!("{tender_id}:bid:{place}")
}

/// Maps the companies' file.
pub(crate) struct MapAwards {
    columns: Awards,
    place: Place,
    /// The purchase of the row before, and how many of its rows there were. A purchase's rows stand together.
    purchase: String,
    rows: u64,
}

impl MapAwards {
    pub(crate) fn new(columns: Awards, place: Place) -> Self {
        Self { columns, place, purchase: String::new(), rows: 0 }
    }
}

impl Mapper for MapAwards {
    fn map(&mut self, row: &Row<'_>) -> Result<Draft, Fault> {
        let c = &self.columns;
        let tender_id = id_of(&row.key(c.control_number)?);
        self.rows = if self.purchase == tender_id { self.rows + 1 } else { 1 };
        self.purchase.clone_from(&tender_id);
        let supplier = supplier_of(row.code(c.number), row.code(c.name));
        if supplier.is_none() {
            row.leave_in_metadata(c.number);
        }
        let bid = Bid {
            bidder_name: row.text(c.name),
            item_description: row.text(c.description),
            value: row.amount_with_dot(c.value)?,
            partition_on: self.place.file_month,
            ..award(&tender_id, supplier.as_ref())
        };
        Ok(Draft { supplier, ..Draft::of(award_id(&tender_id, self.rows), Record::Bid(bid)) })
    }
}

/// Whether a record is a purchase with its companies.
pub(crate) fn is_purchase(record: &Members<'_>) -> bool {
    record.has("Código") && record.has("Empresas Contratadas")
}

/// Maps a purchase.
pub(crate) fn map_purchase(element: &Element<'_>) -> Result<Draft, Fault> {
    let record = &element.members;
    let control_number = record.key("Código")?;
    let id = id_of(&control_number);
    let buyer = buyer_of(record, &control_number)?;
    let estimate = record.amount("Valor Total Estimado")?;
    let sealed = estimate == Some(Money::ZERO);
    if sealed {
        record.leave_in_metadata("Valor Total Estimado");
    }
    let modality = record.text("Modalidade")?;
    let object = record.text("Objeto da Compra")?;
    let activity = object.as_deref().and_then(activity_of_text).map(|a| a.code());
    let tender = Tender {
        modality: modality.as_deref().and_then(Modality::from_words).map(Modality::code),
        modality_as_stated: modality,
        buyer_id: buyer.as_ref().map(|(id, _)| id.clone()),
        buyer_name: record.text("Órgão Entidade")?,
        value_estimated: estimate.filter(|_| !sealed),
        value_awarded: record.amount("Valor Total Homologado")?,
        activity,
        activity_basis: activity.map(|_| "text"),
        object,
        partition_on: element.place.file_month,
        ..Tender::default()
    };
    let companies = record.object("Empresas Contratadas", "Empresas Contratadas.")?;
    let (more, mapped_of_companies) = awards_in(&companies, &id, element.place)?;
    let mut metadata = String::new();
    let mapped = [
        "Código",
        "Modalidade",
        "UF",
        "Órgão Entidade",
        "Objeto da Compra",
        "Valor Total Estimado",
        "Valor Total Homologado",
        "Empresas Contratadas",
    ];
    record.push_leftovers(&mapped, &mut metadata);
    let mapped_of_companies: Vec<&str> = mapped_of_companies.iter().map(String::as_str).collect();
    companies.push_leftovers(&mapped_of_companies, &mut metadata);
    let metadata = closed(metadata);
    Ok(Draft { buyer, metadata, more, ..Draft::of(id, Record::Tender(tender)) })
}

/// The body that buys: its CNPJ stands in the number of the purchase.
fn buyer_of(record: &Members<'_>, control_number: &str) -> Result<Option<(String, Buyer)>, Fault> {
    let state = record.text("UF")?;
    let is_district = state.as_deref().is_some_and(|state| fold(state) == "distrito federal");
    if !is_district {
        record.leave_in_metadata("UF");
    }
    let cnpj = control_number.split('-').next().and_then(|number| Cnpj::parse(number).ok());
    let Some((cnpj, name)) = cnpj.zip(record.text("Órgão Entidade")?) else { return Ok(None) };
    let buyer =
        Buyer { name, cnpj: Some(cnpj.to_string()), state: is_district.then(|| "DF".to_owned()), ..Buyer::default() };
    Ok(Some((format!("pncp-df:{cnpj}"), buyer)))
}

/// The awards inside a purchase, and the names of the members that they were read from.
fn awards_in(companies: &Members<'_>, tender_id: &str, place: Place) -> Result<(Vec<Stated>, Vec<String>), Fault> {
    let (mut awards, mut mapped) = (Vec::new(), Vec::new());
    for at in 1.. {
        let [name, number, value, description] =
            ["Empresa Contratada", "CNPJ", "Valor Recebido", "Descrição"].map(|column| format!("{column} -{at}"));
        if !companies.has(&name) {
            break;
        }
        let stated_name = companies.text(&name)?;
        let stated_number = companies.text(&number)?.unwrap_or_default();
        let supplier = supplier_of(&stated_number, stated_name.as_deref().unwrap_or_default());
        if supplier.is_none() {
            companies.leave_in_metadata(&number);
        }
        let bid = Bid {
            bidder_name: stated_name,
            item_description: companies.text(&description)?,
            value: companies.amount(&value)?,
            partition_on: place.file_month,
            ..award(tender_id, supplier.as_ref())
        };
        let draft = Draft { supplier, ..Draft::of(award_id(tender_id, at), Record::Bid(bid)) };
        awards.push(Stated::Inner(Box::new(draft)));
        mapped.extend([name, number, value, description]);
    }
    Ok((awards, mapped))
}
