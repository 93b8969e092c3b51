//! Everything that can be asked: lists with filters, one thing by its id, the board of sources, the state of health.
//!
//! Questions come in already parsed ([`ContractQuery`] holds a CNPJ, not a text), so nothing here re-checks them.
//! Functions are synchronous because the database is; a door that serves many at once runs them on blocking threads.
//! Every list is bounded by [`PageLimit`] and walked by keyset, so the last page costs what the first did.

mod ask;
mod ask_missing;
mod ask_text;
mod contracts;
mod counts;
pub(crate) mod coverage;
mod cursor;
mod dossier;
mod entities;
mod figures;
mod findings;
mod flags;
mod health;
mod investigations;
mod live;
pub(crate) mod moment;
mod page;
mod parties;
mod persons;
mod preview;
mod quality;
mod several;
mod sources;
mod tenders;
mod verdicts;
mod vocabulary;

pub use ask::Ask;
pub use contracts::{ContractQuery, ContractSort};
pub use counts::Counts;
pub use dossier::{AskDossier, Dossier, DossierForm, Language};
pub use entities::{LinkQuery, LinkState, LinkedKind};
pub use figures::{DatabasePool, Figures, HeldFigures, ModelFigures, OutsideFigures, RecallFigures};
pub use findings::{FindingKind, FindingQuery, FindingSort, FindingState, Severity};
pub use health::Readiness;
pub use investigations::{InvestigationQuery, InvestigationStatus, Told};
pub use live::{Follow, News, Stretch, Topic, is_end, now_text};
pub use moment::{MomentQuery, Parameters};
pub(crate) use page::Walk;
pub use page::{Marks, PageLimit, PageQuery};
pub use parties::{BuyerQuery, NameSort, SupplierKind, SupplierQuery};
pub use persons::PageAbout;
pub use preview::PreviewQuery;
pub use several::{Below, Owner};
pub use tenders::{TenderQuery, TenderSort};
pub(crate) use verdicts::STATEMENTS_MAX;
pub use verdicts::VerdictGiven;
pub use vocabulary::{Sphere, Words, modality, state};

/// The most findings that stand under a contract or a party.
const FINDINGS_SHOWN_MAX: usize = 50;
/// The contracts that stand under a party.
const CONTRACTS_SHOWN: usize = 20;
