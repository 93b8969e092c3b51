//! The words of the domain: records, money, CNPJ, persons, dates and dated law.
//!
//! Nothing here does I/O. What is parsed here is right for good: inner code never checks a [`Cnpj`] or a [`Money`]
//! again. Every formula and legal limit names its source.

pub mod activity;
pub mod body;
pub mod calendar;
mod cnpj;
mod currency;
pub mod dates;
pub mod law;
mod money;
mod party;
mod person;
mod records;
mod set;
pub mod text;
mod words;

pub use cnpj::{Cnpj, CnpjError};
pub use currency::Currency;
pub use money::{Money, MoneyError, Quantity};
pub use party::{is_not_stated, organization, supplier};
pub use person::{MaskedCpf, mask_cpfs};
pub use records::{
    Amendment, Bid, Buyer, Cell, Column, Contract, ENVELOPE, Item, Kind, Partner, Payment, Record, Registration, Row,
    Sanction, Sourced, Supplier, TABLES, Table, Tender, Term, Value,
};
pub use set::{Unfit, codes};
pub use words::{Modality, SanctionKind};
