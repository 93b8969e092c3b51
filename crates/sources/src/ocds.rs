//! OCDS, the Open Contracting Data Standard, of any publisher: releases and records, 1.0 and 1.1.
//!
//! A release states part of a process at one moment; each becomes one tender and all that it says beside it (items, bids,
//! contracts, amendments, payments, who is who), as parts that a later release may complete. A record says all of a
//! process: it is read from its `compiledRelease`, else put together from what it holds. A part of a release that cannot
//! be used (an amount in words, a bid without an id) does not cost the rest: it stays in the metadata under its path.

mod bids;
mod compile;
mod contracts;
mod parties;
mod tenders;

use std::cell::OnceCell;
use std::collections::HashSet;

use chrono::NaiveDate;
use memchr::memmem;
use model::{Currency, Money, Record};

use crate::detect::{Draft, Place, Stated};
use crate::error::{Fault, Reason};
use crate::fields::hash_text;
use crate::json_fields::Members;
use crate::json_formats::Element;
use crate::json_tree::{Kind, Part, Tree};
use parties::Parties;

/// Members of which a record or release has at least one beside its `ocid`.
const RELEASE_HAS: &[&str] =
    &["tag", "tender", "buyer", "awards", "contracts", "planning", "parties", "initiationType"];
const RECORD_HAS: &[&str] = &["compiledRelease", "versionedRelease", "releases"];

/// Whether it is a record of OCDS.
pub(crate) fn is_record(element: &Members<'_>) -> bool {
    let has = |key: &&str| element.has(key);
    element.has("compiledRelease")
        || element.has("versionedRelease")
        || (element.has("ocid") && RECORD_HAS.iter().any(has) && !RELEASE_HAS.iter().any(has))
}

/// Whether it is a release of OCDS.
pub(crate) fn is_release(element: &Members<'_>) -> bool {
    element.has("ocid") && RELEASE_HAS.iter().any(|key| element.has(key))
}

/// Maps a release or a record.
pub(crate) fn map(element: &Element<'_>) -> Result<Draft, Fault> {
    map_text(element.text, element.place).map(|(draft, _)| draft)
}

/// Maps the text of a release or a record; gives its hash too.
pub(crate) fn map_text(text: &str, place: Place) -> Result<(Draft, String), Fault> {
    let tree = Tree::parse(text)?;
    let draft = map_tree(&tree, place)?;
    Ok((draft, hash_text(&tree.canonical())))
}

fn map_tree(tree: &Tree<'_>, place: Place) -> Result<Draft, Fault> {
    let root = tree.root();
    if let Some(compiled) = root.object("compiledRelease") {
        let ocid = if compiled.get("ocid").is_some() { compiled } else { root };
        return map_release(compiled, ocid, true, place);
    }
    let is_release = RELEASE_HAS.iter().any(|key| root.get(key).is_some());
    if is_release || !RECORD_HAS.iter().any(|key| root.get(key).is_some()) {
        return map_release(root, root, false, place);
    }
    let (text, is_whole) = compile::compiled(root)?;
    let tree = Tree::parse(&text)?;
    map_release(tree.root(), root, is_whole, place)
}

/// Maps one release. `is_whole`: it says all that its process holds.
fn map_release(release: Part<'_, '_>, named_by: Part<'_, '_>, is_whole: bool, place: Place) -> Result<Draft, Fault> {
    let required = |detail: &str| Fault::at("ocid", Reason::RequiredField, detail);
    let ocid = named_by.get("ocid").ok_or_else(|| required("missing, and a release is nothing without it"))?;
    if ocid.kind() != Kind::Text {
        return Err(Fault::at("ocid", Reason::RequiredField, "not a text"));
    }
    let name = ocid.peek_text().ok_or_else(|| required("blank, and a release is nothing without it"))?;
    ocid.keep();
    let is_compiled = |tag: Part<'_, '_>| tag.peek_text().as_deref() == Some("compiled");
    let is_whole = is_whole || release.get("tag").is_some_and(|tags| tags.inner().any(is_compiled));
    let day = release.day("date").or(place.file_month);
    let updated_at = release.text("date");
    let mut process = Process {
        release,
        id: format!("ocds:{name}"),
        day,
        is_whole,
        parties: Parties::of(release, &name),
        is_brazilian: OnceCell::new(),
        currency: Currency::BRL,
        ids: HashSet::new(),
        more: Vec::with_capacity(16),
    };
    let of_tender = release.object("tender").and_then(|tender| tender.object("value")?.peek("currency"));
    let of_tender = of_tender.and_then(|stated| Currency::parse(&stated));
    process.currency = of_tender.or_else(|| first_currency(release)).unwrap_or_default();
    Ok(process.into_draft(updated_at))
}

/// The first currency that a release states anywhere.
fn first_currency(release: Part<'_, '_>) -> Option<Currency> {
    release.everything_inside().filter(|p| p.key() == "currency").find_map(|p| Currency::parse(&p.peek_text()?))
}

/// A contracting process while one of its releases is read.
struct Process<'t, 'a> {
    release: Part<'t, 'a>,
    /// `ocds:` and the process's own number.
    id: String,
    /// The release's day.
    day: Option<NaiveDate>,
    /// The release says all that the process holds.
    is_whole: bool,
    parties: Parties<'t, 'a>,
    is_brazilian: OnceCell<bool>,
    /// Of the tender's value, else the first that is stated; stands in records that state no amount.
    currency: Currency,
    /// Of records and parties that stand in `more`.
    ids: HashSet<String>,
    more: Vec<Stated>,
}

impl Process<'_, '_> {
    fn into_draft(mut self, updated_at: Option<String>) -> Draft {
        let buyer = self.buyer();
        if let Some((id, _)) = &buyer {
            self.is_new(&parties::buyer_key(id));
        }
        let awards = self.awards();
        let tender = self.tender(buyer.as_ref(), &awards);
        self.push_tender_items(buyer.as_ref(), &tender);
        self.push_bids(&awards, &tender);
        self.push_contracts(buyer.as_ref(), &awards, &tender);
        let metadata = self.release.leftovers();
        let record = Record::Tender(tender);
        Draft { buyer, updated_at, metadata, partial: true, more: self.more, ..Draft::of(self.id, record) }
    }

    /// Adds a record. The caller has made sure, by [`Process::is_new`], that no other stands under its id.
    fn push(&mut self, id: String, record: Record) {
        self.more.push(Stated::Record(id, record));
    }

    /// Whether nothing stands under the id yet; from now on something does.
    fn is_new(&mut self, id: &str) -> bool {
        self.ids.insert(id.to_owned())
    }

    /// Whether the publisher is Brazilian: it states reais, or a number of the Brazilian register.
    fn is_brazilian(&self) -> bool {
        let says = |word: &str| memmem::find(self.release.raw().as_bytes(), word.as_bytes()).is_some();
        *self.is_brazilian.get_or_init(|| says("\"BRL\"") || says("BR-CNPJ"))
    }

    /// An amount with its currency. Without a currency it is one of reais where the publisher is Brazilian; elsewhere
    /// it is no amount, and stays in the metadata.
    fn value(&self, value: Option<Part<'_, '_>>) -> Option<(Money, Currency)> {
        let value = value.filter(|part| part.kind() == Kind::Object)?;
        let stated = value.get("currency");
        let currency = match stated.and_then(Part::peek_text) {
            Some(text) => Currency::parse(&text)?,
            None if self.is_brazilian() => Currency::BRL,
            None => return None,
        };
        let amount = value.amount("amount")?;
        if let Some(part) = stated {
            part.keep();
        }
        Some((amount, currency))
    }
}
