//! The canonical records: OCDS words, Brazilian fields, one shape in lake and store.
//!
//! Each record is written down once, by `records!`: its struct, the schema of its table and the way its values are
//! visited come from the same list of columns, so lake, store and evidence cannot drift apart.

use chrono::NaiveDate;
use serde::Serialize;

use crate::set::{OfValue, Unfit, codes};
use crate::{Currency, Money, Quantity};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Text.
    Text,
    /// A whole number.
    Int,
    /// Yes or no.
    Bool,
    /// A day.
    Date,
    /// A decimal with four places: money (in BRL) or a quantity.
    Decimal,
}

/// One value on its way to a table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// Not stated by the source.
    Null,
    /// Text.
    Text(&'a str),
    /// A whole number.
    Int(i64),
    /// Yes or no.
    Bool(bool),
    /// A day.
    Date(NaiveDate),
    /// Ten-thousandths.
    Decimal(i64),
}

/// A column of a canonical table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its name, the same everywhere.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
}

/// A canonical table: its name and its own columns (those of [`ENVELOPE`] stand before them).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Table {
    /// Its name, the same everywhere.
    pub name: &'static str,
    /// Its own columns.
    pub columns: &'static [Column],
    /// The column whose month partitions the lake, if any.
    pub partition_by: Option<&'static str>,
}

/// The columns that every record has: what it is and where it came from.
pub const ENVELOPE: &[Column] = &[
    Column { name: "id", kind: Kind::Text },
    Column { name: "source", kind: Kind::Text },
    Column { name: "file_id", kind: Kind::Int },
    Column { name: "line", kind: Kind::Int },
    Column { name: "row_hash", kind: Kind::Text },
    Column { name: "updated_at", kind: Kind::Text },
    Column { name: "ingest_id", kind: Kind::Int },
    Column { name: "metadata", kind: Kind::Text },
];

/// A value that can stand in a column.
pub trait Cell {
    /// What its column holds.
    const KIND: Kind;
    /// The value as it is visited.
    fn value(&self) -> Value<'_>;
}

macro_rules! cells {
    ($($type:ty, $kind:ident, |$v:ident| $value:expr;)*) => {$(
        impl Cell for $type {
            const KIND: Kind = Kind::$kind;
            fn value(&self) -> Value<'_> { let $v = self; $value }
        }
    )*};
}
cells! {
    String, Text, |v| Value::Text(v);
    &'static str, Text, |v| Value::Text(v);
    i64, Int, |v| Value::Int(*v);
    bool, Bool, |v| Value::Bool(*v);
    NaiveDate, Date, |v| Value::Date(*v);
    Money, Decimal, |v| Value::Decimal(v.scaled());
    Quantity, Decimal, |v| Value::Decimal(v.scaled());
    Currency, Text, |v| Value::Text(v.as_str());
}
impl<T: Cell> Cell for Option<T> {
    const KIND: Kind = T::KIND;
    fn value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, Cell::value)
    }
}

/// A record of one canonical table.
pub trait Row {
    /// Its table.
    const TABLE: Table;
    /// Visits its own columns in order.
    fn visit<'a>(&'a self, visitor: &mut dyn FnMut(Value<'a>));
    /// Sets one of its own columns by name.
    ///
    /// # Errors
    /// The table has no such column, or the column does not take the value; nothing is changed then.
    fn set(&mut self, column: &str, value: Value<'_>) -> Result<(), Unfit>;
}

macro_rules! records {
    ($($(#[$doc:meta])* $name:ident in $table:literal $(by $by:literal)? { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Default, Serialize)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }

        impl Row for $name {
            const TABLE: Table = Table {
                name: $table,
                columns: &[$(Column { name: stringify!($field), kind: <$type as Cell>::KIND },)*],
                partition_by: { #[allow(unused_mut, unused_assignments)] let mut by: Option<&'static str> = None; $(by = Some($by);)? by },
            };
            fn visit<'a>(&'a self, visitor: &mut dyn FnMut(Value<'a>)) {
                $(visitor(self.$field.value());)*
            }
            fn set(&mut self, column: &str, value: Value<'_>) -> Result<(), Unfit> {
                match column {
                    $(stringify!($field) => self.$field = OfValue::of_value(value, codes($table, column))?,)*
                    _ => return Err(Unfit::NoColumn),
                }
                Ok(())
            }
        }
    )*};
}

records! {
    /// Who buys: a managing unit.
    Buyer in "buyers" {
        /// As its source names it.
        name: String,
        /// The unit's own code (UASG, PNCP unit).
        code: Option<String>,
        /// Of the body, where stated.
        cnpj: Option<String>,
        /// `F`, `E`, `M` or `D`.
        sphere: Option<String>,
        /// Power: `E`, `L`, `J` or `N` (none), as PNCP codes it.
        branch: Option<String>,
        /// Two letters.
        state: Option<String>,
        /// Name of the municipality.
        municipality: Option<String>,
        /// Code of the body above the unit.
        parent_code: Option<String>,
        /// Name of the body above the unit.
        parent_name: Option<String>,
        /// Code of the superior body (SIAFI: 26000 education, 36000 health).
        superior_code: Option<String>,
        /// Name of the superior body.
        superior_name: Option<String>,
        /// The newest date on which a row showed it.
        seen_on: Option<NaiveDate>,
    }

    /// Who sells: a company, a person (masked) or a foreigner.
    Supplier in "suppliers" {
        /// `company`, `person`, `foreign`, `unverified` (a number whose check digits are wrong) or `organization` (of
        /// any register).
        kind: &'static str,
        /// As its source names it, CPFs masked.
        name: String,
        /// Fourteen characters.
        cnpj: Option<String>,
        /// Eight characters: the legal person.
        cnpj_root: Option<String>,
        /// `***.456.789-**`.
        masked_cpf: Option<String>,
        /// The newest date on which a row showed it.
        seen_on: Option<NaiveDate>,
    }

    /// A purchasing procedure.
    Tender in "tenders" by "partition_on" {
        /// As stated.
        number: Option<String>,
        /// Administrative process.
        process: Option<String>,
        /// What is bought.
        object: Option<String>,
        /// One of [`crate::Modality`]'s codes; null when unknown.
        modality: Option<&'static str>,
        /// As the source writes it.
        modality_as_stated: Option<String>,
        /// As the source writes it.
        legal_basis: Option<String>,
        /// The law of the tender, from its legal basis.
        regime: Option<&'static str>,
        /// As the source writes it.
        status: Option<String>,
        /// The buyer's id.
        buyer_id: Option<String>,
        /// As this row names the buyer.
        buyer_name: Option<String>,
        /// Publication of the notice.
        published_on: Option<NaiveDate>,
        /// Opening: proposals are received from (PNCP), or the session opens (Portal).
        opened_on: Option<NaiveDate>,
        /// Deadline of proposals.
        closes_on: Option<NaiveDate>,
        /// Result.
        result_on: Option<NaiveDate>,
        /// Estimate, BRL; null when secret or zero.
        value_estimated: Option<Money>,
        /// Awarded, BRL.
        value_awarded: Option<Money>,
        /// For price registration.
        price_registration: Option<bool>,
        /// How many took part, where the source states a number.
        bidders: Option<i64>,
        /// What decides the award, as the source writes it.
        criterion: Option<String>,
        /// Of every amount in this row (ISO 4217).
        currency: Currency,
        /// Line of activity.
        activity: Option<&'static str>,
        /// What the line of activity was taken from: `text`.
        activity_basis: Option<&'static str>,
        /// The day whose month partitions the lake.
        partition_on: Option<NaiveDate>,
    }

    /// A signed contract (or what stands in for one).
    Contract in "contracts" by "partition_on" {
        /// As stated.
        number: Option<String>,
        /// Administrative process.
        process: Option<String>,
        /// What is bought.
        object: Option<String>,
        /// One of [`crate::Modality`]'s codes; null when unknown.
        modality: Option<&'static str>,
        /// As the source writes it.
        modality_as_stated: Option<String>,
        /// As the source writes it.
        legal_basis: Option<String>,
        /// The law of the tender, from its legal basis.
        regime: Option<&'static str>,
        /// As the source writes it.
        status: Option<String>,
        /// As the source writes it (Serviços, Obras …).
        category: Option<String>,
        /// The buyer's id.
        buyer_id: Option<String>,
        /// As this row names the buyer.
        buyer_name: Option<String>,
        /// The supplier's id; null when the source does not say (`-11`).
        supplier_id: Option<String>,
        /// Eight characters: the legal person.
        supplier_root: Option<String>,
        /// As this row names the supplier, CPFs masked.
        supplier_name: Option<String>,
        /// Signature.
        signed_on: Option<NaiveDate>,
        /// Publication.
        published_on: Option<NaiveDate>,
        /// In force from.
        starts_on: Option<NaiveDate>,
        /// In force until.
        ends_on: Option<NaiveDate>,
        /// At signature, BRL.
        value_initial: Option<Money>,
        /// With amendments, BRL.
        value_final: Option<Money>,
        /// Income, not spending (PNCP `receita`).
        income: bool,
        /// Contract, commitment note, letter … as the source writes it.
        instrument: Option<String>,
        /// In how many instalments it is paid.
        installments: Option<i64>,
        /// Of every amount in this row (ISO 4217).
        currency: Currency,
        /// The tender it came from.
        tender_id: Option<String>,
        /// Line of activity.
        activity: Option<&'static str>,
        /// What the line of activity was taken from: `text`.
        activity_basis: Option<&'static str>,
        /// The day whose month partitions the lake.
        partition_on: Option<NaiveDate>,
    }

    /// One thing bought in a contract or tender.
    Item in "items" by "partition_on" {
        /// The contract, if the item is a contract's.
        contract_id: Option<String>,
        /// The tender, if the item is a tender's.
        tender_id: Option<String>,
        /// The buyer's id.
        buyer_id: Option<String>,
        /// As the source writes it.
        number: Option<String>,
        /// Its lot, where items come in lots.
        lot: Option<String>,
        /// Material or service, as the source writes it.
        category: Option<String>,
        /// What it is.
        description: Option<String>,
        /// More of it.
        detail: Option<String>,
        /// CATMAT or CATSER code.
        catalog_code: Option<String>,
        /// Unit of supply.
        unit: Option<String>,
        /// `stated`, or `text` when read from the detail.
        unit_basis: Option<&'static str>,
        /// How many.
        quantity: Option<Quantity>,
        /// BRL each.
        unit_price: Option<Money>,
        /// `stated`, or `derived` from total and quantity.
        price_basis: Option<&'static str>,
        /// BRL for all.
        total: Option<Money>,
        /// The estimate for one.
        unit_estimate: Option<Money>,
        /// As the source writes it.
        status: Option<String>,
        /// Of every amount in this row (ISO 4217).
        currency: Currency,
        /// Who supplies it, where the row says.
        supplier_id: Option<String>,
        /// As this row names the supplier.
        supplier_name: Option<String>,
        /// The day whose month partitions the lake.
        partition_on: Option<NaiveDate>,
    }

    /// Someone took part in a tender.
    Bid in "bids" by "partition_on" {
        /// The tender.
        tender_id: Option<String>,
        /// The item or lot.
        item_number: Option<String>,
        /// The lot, where items come in lots.
        lot: Option<String>,
        /// As the source writes it.
        item_description: Option<String>,
        /// Who.
        bidder_id: Option<String>,
        /// Eight characters: the legal person.
        bidder_root: Option<String>,
        /// As this row names the bidder.
        bidder_name: Option<String>,
        /// Won this item.
        won: Option<bool>,
        /// BRL, where published.
        value: Option<Money>,
        /// How many are offered.
        quantity: Option<Quantity>,
        /// The price of one.
        unit_price: Option<Money>,
        /// Place among the bids; 1 is the first.
        rank: Option<i64>,
        /// As the source writes it.
        status: Option<String>,
        /// Counted in the contest; null when not stated.
        valid: Option<bool>,
        /// Day on which it was handed in.
        submitted_on: Option<NaiveDate>,
        /// Of every amount in this row (ISO 4217).
        currency: Currency,
        /// The day whose month partitions the lake.
        partition_on: Option<NaiveDate>,
    }

    /// A change of a contract.
    Amendment in "amendments" by "partition_on" {
        /// The contract.
        contract_id: Option<String>,
        /// As stated.
        number: Option<String>,
        /// `amendment`, `apostille`, or `termination` (the contract was ended before its time).
        kind: &'static str,
        /// What changes.
        object: Option<String>,
        /// Term, value, price adjustment … as the source writes it.
        nature: Option<String>,
        /// The contract's buyer.
        buyer_id: Option<String>,
        /// Signature.
        signed_on: Option<NaiveDate>,
        /// Publication.
        published_on: Option<NaiveDate>,
        /// BRL, negative for a reduction.
        value: Option<Money>,
        /// The contract's value with this change.
        value_after: Option<Money>,
        /// In force from.
        starts_on: Option<NaiveDate>,
        /// The contract's new end.
        ends_on: Option<NaiveDate>,
        /// Of every amount in this row (ISO 4217).
        currency: Currency,
        /// The day whose month partitions the lake.
        partition_on: Option<NaiveDate>,
    }

    /// Money committed or paid.
    Payment in "payments" by "partition_on" {
        /// The tender.
        tender_id: Option<String>,
        /// The contract.
        contract_id: Option<String>,
        /// The buyer's id.
        buyer_id: Option<String>,
        /// As this row names the buyer.
        buyer_name: Option<String>,
        /// Who is paid.
        supplier_id: Option<String>,
        /// Eight characters: the legal person.
        supplier_root: Option<String>,
        /// As this row names who is paid, CPFs masked.
        supplier_name: Option<String>,
        /// As stated.
        number: Option<String>,
        /// `commitment`, `settlement`, `payment`, or `invoice` (a bill, which says nothing of its payment).
        kind: &'static str,
        /// Day of issue.
        issued_on: Option<NaiveDate>,
        /// BRL.
        value: Option<Money>,
        /// Of it, accepted as due so far.
        value_settled: Option<Money>,
        /// Of it, paid so far.
        value_paid: Option<Money>,
        /// Code of the element of expense.
        expense_code: Option<String>,
        /// Name of the element of expense.
        expense_name: Option<String>,
        /// Administrative process.
        process: Option<String>,
        /// Modality of the tender, as the source writes it.
        modality_as_stated: Option<String>,
        /// As the source writes it.
        legal_basis: Option<String>,
        /// Of every amount in this row (ISO 4217).
        currency: Currency,
        /// As the source writes it.
        note: Option<String>,
        /// The day whose month partitions the lake.
        partition_on: Option<NaiveDate>,
    }

    /// A sanction in a public register.
    Sanction in "sanctions" {
        /// `CEIS`, `CNEP` or `CEPIM`.
        register: Option<String>,
        /// One of [`crate::SanctionKind`]'s codes; null when unknown.
        kind: Option<&'static str>,
        /// As the source writes it.
        kind_as_stated: Option<String>,
        /// Bars contracting at all; null when the kind is unknown.
        bars_contracting: Option<bool>,
        /// The supplier's id.
        supplier_id: Option<String>,
        /// Eight characters: the legal person.
        supplier_root: Option<String>,
        /// As the register names it.
        supplier_name: Option<String>,
        /// First day.
        starts_on: Option<NaiveDate>,
        /// Last day; null for no end stated.
        ends_on: Option<NaiveDate>,
        /// Publication.
        published_on: Option<NaiveDate>,
        /// The body that sanctions.
        body: Option<String>,
        /// That name folded, for comparison.
        body_key: Option<String>,
        /// Its sphere: `F`, `E`, `M` or `D`.
        body_sphere: Option<String>,
        /// `stated`, or `name` when read from the body's name.
        body_sphere_basis: Option<&'static str>,
        /// Its state, two letters.
        body_state: Option<String>,
        /// As the source writes it.
        scope_as_stated: Option<String>,
        /// The narrowest reading of the scope: 0 body, 1 sphere and power, 2 sphere, 3 everywhere.
        scope_min: Option<i64>,
        /// The widest reading of the scope, same codes.
        scope_max: Option<i64>,
        /// As the source writes it.
        legal_basis: Option<String>,
        /// Process.
        process: Option<String>,
        /// Fine, BRL.
        fine: Option<Money>,
        /// The newest day that the list it stands in speaks of.
        listed_on: Option<NaiveDate>,
    }

    /// What the register of companies (Receita) says of a legal person or one of its establishments.
    Registration in "registrations" {
        /// `company` (the legal person), `establishment` (one CNPJ) or `simples` (its tax regime).
        scope: &'static str,
        /// Fourteen characters; null for a legal person as a whole.
        cnpj: Option<String>,
        /// Eight characters: the legal person.
        cnpj_root: String,
        /// Registered name, CPFs masked.
        name: Option<String>,
        /// Trade name, CPFs masked.
        trade_name: Option<String>,
        /// Head office; false for a branch.
        head_office: Option<bool>,
        /// `active`, `null`, `suspended`, `unfit` or `closed`; null when the code is unknown.
        status: Option<&'static str>,
        /// As the source writes it.
        status_as_stated: Option<String>,
        /// The day from which that status holds.
        status_on: Option<NaiveDate>,
        /// Code of the reason of that status.
        status_reason: Option<String>,
        /// Beginning of activity.
        opened_on: Option<NaiveDate>,
        /// Code of the legal nature.
        legal_nature: Option<String>,
        /// `ME`, `EPP`, `other` or null.
        size: Option<&'static str>,
        /// Share capital, BRL.
        capital: Option<Money>,
        /// CNAE of the main activity, seven digits.
        main_activity: Option<String>,
        /// CNAEs of the other activities, joined by commas.
        other_activities: Option<String>,
        /// Two letters.
        state: Option<String>,
        /// The register's code of the municipality.
        municipality: Option<String>,
        /// Hash of the address: compared, never shown.
        address_key: Option<String>,
        /// Hashes of the telephones, joined by commas: compared, never shown.
        phone_keys: Option<String>,
        /// Hash of the e-mail: compared, never shown.
        email_key: Option<String>,
        /// In Simples from.
        simples_from: Option<NaiveDate>,
        /// In Simples until.
        simples_until: Option<NaiveDate>,
        /// MEI from.
        mei_from: Option<NaiveDate>,
        /// MEI until.
        mei_until: Option<NaiveDate>,
    }

    /// Who owns or runs a company.
    Partner in "partners" {
        /// Eight characters: the company.
        company_root: String,
        /// `company`, `person` or `foreign`.
        kind: &'static str,
        /// Who, keyed as suppliers are: `cnpj:…`, `cpf:***.456.789-**|name`, `ext:…`.
        partner_id: Option<String>,
        /// CPFs masked.
        name: Option<String>,
        /// Code of the role.
        role: Option<String>,
        /// In the company since.
        since_on: Option<NaiveDate>,
        /// Band of age, as the source codes it.
        age_band: Option<String>,
    }

    /// A code and its meaning, as a source lists them.
    Term in "terms" {
        /// `cnae`, `municipality`, `legal_nature`, `role`, `status_reason`, `country` or `managing_unit`.
        list: &'static str,
        /// The code.
        code: String,
        /// What it means.
        meaning: String,
    }
}

/// Every canonical table, in the order in which they are written.
pub const TABLES: &[Table] = &[
    Buyer::TABLE,
    Supplier::TABLE,
    Tender::TABLE,
    Contract::TABLE,
    Item::TABLE,
    Bid::TABLE,
    Amendment::TABLE,
    Payment::TABLE,
    Sanction::TABLE,
    Registration::TABLE,
    Partner::TABLE,
    Term::TABLE,
];

/// A record of any table.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "each variant is the record it names")]
#[allow(clippy::large_enum_variant, reason = "records travel in batches; a box each would cost more")]
pub enum Record {
    Buyer(Buyer),
    Supplier(Supplier),
    Tender(Tender),
    Contract(Contract),
    Item(Item),
    Bid(Bid),
    Amendment(Amendment),
    Payment(Payment),
    Sanction(Sanction),
    Registration(Registration),
    Partner(Partner),
    Term(Term),
}

macro_rules! on_record {
    ($record:expr, $r:ident => $body:expr) => {
        match $record {
            Record::Buyer($r) => $body,
            Record::Supplier($r) => $body,
            Record::Tender($r) => $body,
            Record::Contract($r) => $body,
            Record::Item($r) => $body,
            Record::Bid($r) => $body,
            Record::Amendment($r) => $body,
            Record::Payment($r) => $body,
            Record::Sanction($r) => $body,
            Record::Registration($r) => $body,
            Record::Partner($r) => $body,
            Record::Term($r) => $body,
        }
    };
}

impl Record {
    /// A record of a table, of which nothing is stated yet.
    #[must_use]
    pub fn blank(table: &str) -> Option<Self> {
        Some(match table {
            "buyers" => Self::Buyer(Buyer::default()),
            "suppliers" => Self::Supplier(Supplier::default()),
            "tenders" => Self::Tender(Tender::default()),
            "contracts" => Self::Contract(Contract::default()),
            "items" => Self::Item(Item::default()),
            "bids" => Self::Bid(Bid::default()),
            "amendments" => Self::Amendment(Amendment::default()),
            "payments" => Self::Payment(Payment::default()),
            "sanctions" => Self::Sanction(Sanction::default()),
            "registrations" => Self::Registration(Registration::default()),
            "partners" => Self::Partner(Partner::default()),
            "terms" => Self::Term(Term::default()),
            _ => return None,
        })
    }

    /// Sets one of its own columns by name.
    ///
    /// # Errors
    /// The table has no such column, or the column does not take the value; nothing is changed then.
    pub fn set(&mut self, column: &str, value: Value<'_>) -> Result<(), Unfit> {
        on_record!(self, r => r.set(column, value))
    }

    /// Its table.
    #[must_use]
    pub fn table(&self) -> Table {
        fn table<R: Row>(_: &R) -> Table {
            R::TABLE
        }
        on_record!(self, r => table(r))
    }

    /// Visits its own columns in order.
    pub fn visit<'a>(&'a self, visitor: &mut dyn FnMut(Value<'a>)) {
        on_record!(self, r => r.visit(visitor));
    }

    /// What partitions it in the lake: its month (`AAAA-MM`), or `undated`; for what the register of companies says, the
    /// first two characters of the company's number; `all` for tables without.
    #[must_use]
    pub fn partition(&self) -> String {
        let on = match self {
            Self::Buyer(_) | Self::Supplier(_) | Self::Sanction(_) | Self::Term(_) => return "all".to_owned(),
            Self::Registration(r) => return root_partition(&r.cnpj_root),
            Self::Partner(r) => return root_partition(&r.company_root),
            Self::Tender(r) => r.partition_on,
            Self::Contract(r) => r.partition_on,
            Self::Item(r) => r.partition_on,
            Self::Bid(r) => r.partition_on,
            Self::Amendment(r) => r.partition_on,
            Self::Payment(r) => r.partition_on,
        };
        on.map_or_else(|| "undated".to_owned(), |d| d.format("%Y-%m").to_string())
    }
}

fn root_partition(root: &str) -> String {
    root.get(..2).unwrap_or("00").to_owned()
}

/// A record with what it is and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Sourced {
    /// `source:natural-key`; differing rows under one key in one file get `~` and the start of their hash behind it.
    pub id: String,
    /// Line of the file (1 is the first), or ordinal of the record in a JSON page.
    pub line: u64,
    /// The first 16 bytes, in hex, of SHA-256 over the row's decoded fields (CPFs masked) joined by U+001F.
    pub row_hash: String,
    /// When the source says it last changed the record (ISO 8601, as written), if it does.
    pub updated_at: Option<String>,
    /// What we do not map, as a JSON object.
    pub metadata: Option<String>,
    /// The row states only part of the record (an OCDS release): what others stated before stays where this is silent.
    pub partial: bool,
    /// The record.
    pub record: Record,
}
