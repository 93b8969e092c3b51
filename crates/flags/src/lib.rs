//! The catalogue of red flags, their runner and the evidence.
//!
//! A flag is a folder of data (`flags/BR05-…`): `flag.toml` says what it is in words and numbers, `flag.sql` judges every
//! subject, `peers.sql` (where the flag compares) gives the peer group, `rows.sql` the rows behind one finding, and
//! `cases/` what must come out. What SQL cannot say is computed here and joined as a table ([`near_pairs`],
//! [`bid_screens`], [`bidder_communities`], [`object_clusters`], [`spending_periods`]), and so are the dated limits of the law ([`law_tables`]).
//!
//! A finding's judgement can be redone by a stranger: [`gather_inputs`] says what it reads, [`redo`] judges one subject
//! anew and [`differences`] compares.
//!
//! A judgement has three outcomes: `hit`, `clear`, `not_computable` with the field that is missing. A missing field
//! never makes a hit.

mod bid_screens;
mod bidder_communities;
mod catalogue;
mod error;
mod evaluate;
mod finding;
mod inputs;
mod judge;
mod law_tables;
mod leiden;
mod near_pairs;
mod object_clusters;
mod preview;
mod redo;
mod screens;
mod spending_periods;
mod template;

pub use catalogue::{Bilingual, Catalogue, Explanation, Flag, Parameter, files_of};
pub use error::{Error, Result};
pub use evaluate::{LabelledBid, ScreensEvaluation, evaluate_screens};
pub use finding::{Hit, finding_id};
pub use inputs::{Inputs, gather_inputs};
pub use judge::{Coverage, Judged, Outcomes, evidence_rows, judge, judge_in_parts, outcomes_of};
pub use law_tables::{LawTables, is_law_table, law_tables};
pub use preview::{hits_at, tips_path, write_tips};
pub use redo::{Difference, Redone, differences, redo};
