//! Files read by a [`Mapping`]: their header is matched with it once, then each row is put together from it.

mod complete;

use std::collections::BTreeMap;

use model::body::Sphere;
use model::text::normal_name;
use model::{Buyer, Cnpj, Kind, Modality, Money, Record, Row as _, Unfit, Value};

use crate::csv_rows::{Rows, Step};
use crate::detect::{Draft, Mapper, Place, read_beginning, separators};
use crate::encoding::Encoding;
use crate::error::{Fault, Reason};
use crate::fields::{Col, Header, Row, clip};
use crate::mapping::{BuyerMap, Day, Field, Filled, Mapping, Take, Wanted, is_state, word_key};
use crate::portal_compras::seen;
use crate::sanctions::sphere_of_words;
use crate::{Error, Input};
use complete::Completion;

/// Different words without a meaning that are counted one by one; what comes later is counted together.
const UNKNOWN_WORDS_MAX: usize = 100;
/// Under which the rest is counted.
const OTHER_WORDS: &str = "…";

/// What was found out about a file before its rows are read.
pub(crate) struct MappedFile {
    pub header: Header,
    pub separator: u8,
    pub encoding: Encoding,
    /// Where each wanted column stands.
    pub columns: Vec<Col>,
    pub place: Place,
}

/// Matches a file with a mapping.
pub(crate) fn sniff(input: &Input, mapping: &Mapping) -> Result<MappedFile, Error> {
    let (beginning, guessed) = read_beginning(input)?;
    let encoding = match mapping.file.encoding {
        // A mark at the beginning says more than the mapping.
        Some(told) if guessed != Encoding::Utf8WithBom => told,
        _ => guessed,
    };
    let (header, separator) = read_header(&beginning, encoding, mapping);
    let columns = bind(input, mapping, &header)?;
    let place = Place::of(input, "mapped", separator);
    Ok(MappedFile { header, separator, encoding, columns, place })
}

/// The header, or the names that the mapping gives to a file without one, and the separator.
fn read_header(beginning: &[u8], encoding: Encoding, mapping: &Mapping) -> (Header, u8) {
    let split_by = |separator: u8| {
        let mut rows = Rows::new(beginning, separator, encoding);
        let found = rows.skip_lines(mapping.file.skip_lines).and_then(|()| rows.step());
        let header = matches!(found, Ok(Step::Row)).then(|| Header::of(rows.cells()));
        (header.unwrap_or_default(), separator)
    };
    let told = mapping.file.separator.map(split_by);
    let (header, separator) = told.unwrap_or_else(|| {
        let all = separators().map(split_by);
        all.into_iter().max_by_key(|(header, _)| header.names.len()).unwrap_or_default()
    });
    if mapping.file.header.is_empty() { (header, separator) } else { (Header::named(&mapping.file.header), separator) }
}

/// Looks up every column that the mapping names.
fn bind(input: &Input, mapping: &Mapping, header: &Header) -> Result<Vec<Col>, Error> {
    let mut columns = Vec::with_capacity(mapping.wanted.len());
    let mut missing = Vec::new();
    for Wanted { names, optional } in &mapping.wanted {
        let found = names.iter().map(|name| normal_name(name)).find_map(|name| {
            let mut places = header.normal.iter().enumerate().filter(|(_, n)| **n == name).map(|(at, _)| at);
            places.next().map(|first| (first, places.next()))
        });
        if let Some((first, Some(_))) = found {
            return Err(Error::MappedColumnTwice {
                name: input.name.clone(),
                mapping: mapping.name().to_owned(),
                column: header.names[first].clone(),
            });
        }
        if found.is_none() && !optional && !missing.contains(&names[0]) {
            missing.push(names[0].clone());
        }
        columns.push(Col(found.map(|(first, _)| first)));
    }
    if missing.is_empty() {
        return Ok(columns);
    }
    let none_found = columns.iter().all(|col| col.0.is_none());
    Err(Error::MappedColumnsMissing {
        name: input.name.clone(),
        mapping: mapping.name().to_owned(),
        missing,
        none_found,
    })
}

/// Maps the rows of a file by a mapping.
pub(crate) struct MapRows<'m> {
    mapping: &'m Mapping,
    columns: Vec<Col>,
    place: Place,
    completion: Completion,
    /// How often a word had no meaning, by column and word.
    pub unknown_words: BTreeMap<String, u64>,
}

impl<'m> MapRows<'m> {
    pub(crate) fn new(mapping: &'m Mapping, columns: Vec<Col>, place: Place) -> Self {
        Self { mapping, columns, place, completion: Completion::default(), unknown_words: BTreeMap::new() }
    }

    /// The columns whose values the records hold; a column that is only part of the key goes to the metadata too.
    pub(crate) fn held_columns(&self) -> Vec<Col> {
        let m = self.mapping;
        let buyer = m.buyer.iter().flat_map(|b| &b.fields).filter_map(|(_, filled)| match filled {
            Filled::Column(take) => Some(take),
            Filled::Constant(_) => None,
        });
        let party = m.party.iter().flat_map(|p| p.number.iter().chain(&p.cpf).chain(&p.name));
        let fields = m.fields.iter().map(|field| &field.take);
        let all = fields.chain(buyer).chain(party).chain(&m.updated_at).chain(&m.contract_key).chain(&m.tender_key);
        all.map(|take| self.col(take)).collect()
    }

    fn col(&self, take: &Take) -> Col {
        self.columns[take.at]
    }

    /// The field as it stands there; empty where it, or the mapping, says that nothing is stated.
    fn stated<'a>(&self, row: &Row<'a>, take: &Take) -> &'a str {
        let text = row.code(self.col(take));
        if text.is_empty() || (self.mapping.nothing.is_empty() && take.values.is_empty()) {
            return text;
        }
        let word = word_key(text);
        let nothing = self.mapping.nothing.contains(&word) || take.values.get(&word).is_some_and(String::is_empty);
        if nothing { "" } else { text }
    }

    /// The field's text, translated where the mapping translates it.
    fn text(&self, row: &Row<'_>, take: &Take) -> Option<String> {
        if self.stated(row, take).is_empty() {
            return None;
        }
        let text = row.text(self.col(take))?;
        Some(take.values.get(&word_key(&text)).cloned().unwrap_or(text))
    }

    fn filled(&self, row: &Row<'_>, filled: &Filled) -> Option<String> {
        match filled {
            Filled::Column(take) => self.text(row, take),
            Filled::Constant(text) => Some(text.clone()),
        }
    }

    /// Counts a word without a meaning and sends it to the metadata.
    fn note_unknown(&mut self, row: &Row<'_>, column: &str, take: &Take, word: &str) {
        row.leave_in_metadata(self.col(take));
        self.count_unknown(column, word);
    }

    fn count_unknown(&mut self, column: &str, word: &str) {
        let mut word = format!("{column}: {}", clip(word, 80));
        if !self.unknown_words.contains_key(&word) && self.unknown_words.len() >= UNKNOWN_WORDS_MAX {
            OTHER_WORDS.clone_into(&mut word);
        }
        *self.unknown_words.entry(word).or_default() += 1;
    }

    fn set_field(&mut self, record: &mut Record, row: &Row<'_>, field: &Field) -> Result<(), Fault> {
        let (take, col) = (&field.take, self.col(&field.take));
        let stated = self.stated(row, take);
        if stated.is_empty() {
            return if field.needed { Err(blank(row.name(col))) } else { Ok(()) };
        }
        let text = if matches!(field.kind, Kind::Text | Kind::Bool) { self.text(row, take) } else { None };
        let value = match field.kind {
            Kind::Text if field.column == "body_sphere" => {
                text.as_deref().and_then(sphere_of).map(|sphere| Value::Text(sphere.code()))
            }
            Kind::Text => text.as_deref().map(Value::Text),
            Kind::Bool => text.as_deref().and_then(yes_or_no).map(Value::Bool),
            Kind::Int => Some(Value::Int(whole(row, take, col)?)),
            Kind::Date => day(row, take, col)?.map(Value::Date),
            Kind::Decimal => amount(row, take, col, field.column)?.map(|amount| Value::Decimal(amount.scaled())),
        };
        let set = match value {
            Some(value) => record.set(field.column, value),
            // A day that cannot be meant, an estimate of nothing: seen to already.
            None if matches!(field.kind, Kind::Date | Kind::Decimal) => return Ok(()),
            None => Err(Unfit::Code),
        };
        match set {
            Ok(()) => Ok(()),
            Err(_) if field.nullable => {
                self.note_unknown(row, field.column, take, text.as_deref().unwrap_or(stated));
                Ok(())
            }
            Err(_) => {
                let shown = clip(stated, 40);
                Err(Fault::at(
                    row.name(col),
                    Reason::Type,
                    format!("`{shown}` is none of the words of `{}`", field.column),
                ))
            }
        }
    }

    /// `source:kind:key`, the parts of the key joined by `|`.
    fn id(&self, row: &Row<'_>, kind: &str, key: &[Take]) -> Result<String, Fault> {
        let mut id = format!("{}:{kind}:", self.mapping.source());
        for (at, take) in key.iter().enumerate() {
            if at > 0 {
                id.push('|');
            }
            if self.stated(row, take).is_empty() {
                return Err(blank(row.name(self.col(take))));
            }
            let part = row.key(self.col(take))?;
            // Two keys must not become one id.
            if part.contains(['|', '%']) {
                id.push_str(&part.replace('%', "%25").replace('|', "%7C"));
            } else {
                id.push_str(&part);
            }
        }
        Ok(id)
    }

    /// The contract or tender that the row belongs to, when it states all parts of its key.
    fn set_parent(&self, record: &mut Record, row: &Row<'_>, column: &str, kind: &str, key: &[Take]) {
        if key.is_empty() {
            return;
        }
        match self.id(row, kind, key) {
            Ok(id) => put(record, column, Value::Text(&id)),
            Err(_) => key.iter().for_each(|take| row.leave_in_metadata(self.col(take))),
        }
    }

    fn set_modality(&mut self, record: &mut Record) {
        let words = match record {
            Record::Tender(tender) => tender.modality_as_stated.clone(),
            Record::Contract(contract) => contract.modality_as_stated.clone(),
            _ => None,
        };
        let Some(words) = words else { return };
        let told = self.mapping.modalities.get(&word_key(&words)).copied();
        match told.unwrap_or_else(|| Modality::from_words(&words)) {
            Some(modality) => put(record, "modality", Value::Text(modality.code())),
            None if told.is_none() => self.count_unknown("modality", &words),
            None => {}
        }
    }

    /// The buyer's id, and the buyer where the row names it.
    fn buyer(&mut self, row: &Row<'_>, map: &BuyerMap) -> Option<(String, Buyer)> {
        let mut buyer = Buyer::default();
        for (column, filled) in &map.fields {
            let Some(text) = self.filled(row, filled) else { continue };
            let value = match *column {
                "cnpj" => Cnpj::parse(&text).ok().map(|cnpj| cnpj.to_string()),
                "sphere" => sphere_of(&text).map(|sphere| sphere.code().to_owned()),
                "branch" => Some(text.to_uppercase()).filter(|b| ["E", "L", "J", "N"].contains(&b.as_str())),
                "state" => Some(text.to_uppercase()).filter(|state| is_state(state)),
                "code" => Some(text.split_whitespace().collect()),
                _ => Some(text.clone()),
            };
            match (value, filled) {
                (Some(value), _) => {
                    // Every name in the list is a column of text.
                    let set = buyer.set(column, Value::Text(&value));
                    debug_assert_eq!(set, Ok(()), "{column}");
                }
                (None, Filled::Column(take)) => self.note_unknown(row, &format!("buyer.{column}"), take, &text),
                (None, Filled::Constant(_)) => {}
            }
        }
        let source = self.mapping.source();
        let id = match (&buyer.code, &buyer.cnpj) {
            (Some(code), _) if map.uasg => format!("uasg:{code}"),
            (Some(code), Some(cnpj)) => format!("{source}:{cnpj}-{code}"),
            (None, Some(cnpj)) => format!("{source}:{cnpj}"),
            (Some(code), None) => format!("{source}:{code}"),
            (None, None) => {
                let name = normal_name(&buyer.name).replace(' ', "_");
                if name.is_empty() {
                    return None;
                }
                format!("{source}:ug:{name}")
            }
        };
        Some((id, buyer))
    }

    /// Who sells, bids, is sanctioned or is a partner; the record gets the id and the name.
    fn party(&self, record: &mut Record, row: &Row<'_>) -> Result<Option<(String, model::Supplier)>, Fault> {
        let (Some(map), Some(columns)) = (&self.mapping.party, self.mapping.target.party()) else { return Ok(None) };
        let numbers = map.number.iter().chain(&map.cpf);
        let stated = numbers.map(|take| (take, self.stated(row, take))).find(|(_, number)| !number.is_empty());
        let (number_take, number) = stated.map_or((None, ""), |(take, number)| (Some(take), number));
        let name = map.name.as_ref().and_then(|take| self.text(row, take)).unwrap_or_default();
        let nobody = number.is_empty() && name.is_empty();
        if nobody && self.mapping.target.needs_sections.contains(&"supplier") {
            let take = map.number.as_ref().or(map.name.as_ref());
            let column = take.map_or("", |take| row.name(self.col(take)));
            return Err(Fault::at(column, Reason::RequiredField, "neither a number nor a name: it is nobody's"));
        }
        if !name.is_empty() {
            put(record, columns.name, Value::Text(&name));
        }
        let party = model::supplier(number, &name);
        if let Some((id, supplier)) = &party {
            put(record, columns.id, Value::Text(id));
            if let (Some(column), Some(root)) = (columns.root, &supplier.cnpj_root) {
                put(record, column, Value::Text(root));
            }
        } else if let Some(take) = number_take {
            // A masked number without a name, a `0`: nobody, but not lost.
            row.leave_in_metadata(self.col(take));
        }
        Ok(party)
    }

    fn updated_at(&self, row: &Row<'_>) -> Result<Option<String>, Fault> {
        let Some(take) = &self.mapping.updated_at else { return Ok(None) };
        let text = self.stated(row, take);
        if text.is_empty() {
            return Ok(None);
        }
        let due = || fault_of_day(row, take, self.col(take), text);
        take.style.moment(text).map(Some).ok_or_else(due)
    }
}

impl Mapper for MapRows<'_> {
    fn map(&mut self, row: &Row<'_>) -> Result<Draft, Fault> {
        let mapping = self.mapping;
        let id = self.id(row, mapping.target.kind, &mapping.key)?;
        let mut record = mapping.blank.clone();
        for field in &mapping.fields {
            self.set_field(&mut record, row, field)?;
        }
        self.set_parent(&mut record, row, "contract_id", "contract", &mapping.contract_key);
        self.set_parent(&mut record, row, "tender_id", "tender", &mapping.tender_key);
        self.set_modality(&mut record);
        let party = self.party(&mut record, row)?;
        let buyer = mapping.buyer.as_ref().and_then(|map| self.buyer(row, map));
        if let Some((id, buyer)) = &buyer {
            put(&mut record, "buyer_id", Value::Text(id));
            if mapping.target.has("buyer_name") && !buyer.name.is_empty() {
                put(&mut record, "buyer_name", Value::Text(&buyer.name));
            }
        }
        let seen_on = self.completion.complete(&mut record, party.as_ref().map(|(_, party)| party.kind), self.place)?;
        // A partner sells nothing.
        let supplier = if matches!(record, Record::Partner(_)) { None } else { seen(party, seen_on) };
        let buyer = buyer.filter(|(_, buyer)| !buyer.name.is_empty());
        let buyer = buyer.map(|(id, buyer)| (id, Buyer { seen_on, ..buyer }));
        let updated_at = self.updated_at(row)?;
        Ok(Draft { buyer, supplier, updated_at, ..Draft::of(id, record) })
    }
}

/// Sets a column that the mapping's checks have seen to exist and to take the value.
fn put(record: &mut Record, column: &str, value: Value<'_>) {
    let set = record.set(column, value);
    debug_assert_eq!(set, Ok(()), "{column}");
}

fn blank(column: &str) -> Fault {
    Fault::at(column, Reason::RequiredField, "blank, and the row is nothing without it")
}

fn yes_or_no(word: &str) -> Option<bool> {
    match word_key(word).as_str() {
        "true" | "sim" | "s" => Some(true),
        "false" | "nao" | "n" => Some(false),
        _ => None,
    }
}

/// By its letter or its word.
fn sphere_of(text: &str) -> Option<Sphere> {
    Sphere::from_code(&text.to_uppercase()).or_else(|| sphere_of_words(text))
}

fn whole(row: &Row<'_>, take: &Take, col: Col) -> Result<i64, Fault> {
    let exact = row.exact(col);
    take.style
        .whole(exact)
        .ok_or_else(|| Fault::at(row.name(col), Reason::Amount, format!("`{}` is not a whole number", row.shown(col))))
}

/// A number; an estimate of zero is no estimate.
fn amount(row: &Row<'_>, take: &Take, col: Col, column: &str) -> Result<Option<Money>, Fault> {
    let amount = row.number(col, |text| take.style.number(text))?;
    if column == "value_estimated" && amount == Some(Money::ZERO) {
        row.leave_in_metadata(col);
        return Ok(None);
    }
    Ok(amount)
}

fn day(row: &Row<'_>, take: &Take, col: Col) -> Result<Option<chrono::NaiveDate>, Fault> {
    match take.style.day(row.exact(col)) {
        Day::On(day) => Ok(Some(day)),
        Day::FarOff => {
            row.leave_in_metadata(col);
            Ok(None)
        }
        Day::No => Err(fault_of_day(row, take, col, &row.shown(col))),
    }
}

fn fault_of_day(row: &Row<'_>, take: &Take, col: Col, text: &str) -> Fault {
    let (shown, forms) = (clip(text, 40), clip(&take.style.forms(), 100));
    Fault::at(row.name(col), Reason::Date, format!("`{shown}` is not a day in the form {forms}"))
}
