//! Who works on an investigation: pools, parallel strategies, the roster, and the reading of questions.
pub mod question;
