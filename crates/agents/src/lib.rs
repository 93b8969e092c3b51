//! Who works on an investigation: pools, parallel strategies, the roster, and the reading of questions.

pub mod plan;
pub mod pool;
pub mod question;
pub mod roster;
pub mod strategy;
