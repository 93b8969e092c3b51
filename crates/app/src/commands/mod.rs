//! What writes: ingest, judge, demo; what packs evidence; and what checks: doctor, verify.

pub(crate) mod audit;
pub(crate) mod bundle;
pub(crate) mod database;
pub(crate) mod decide;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod entities;
pub(crate) mod evaluate;
pub(crate) mod evaluate_sample;
pub(crate) mod fetched;
pub(crate) mod ingest;
pub(crate) mod ingest_jobs;
pub(crate) mod investigations;
pub(crate) mod issuer;
pub(crate) mod judge;
pub(crate) mod keys;
pub(crate) mod letters;
pub(crate) mod quality;
pub(crate) mod quarantine;
mod said;
pub(crate) mod sessions;
pub(crate) mod statements;
pub(crate) mod sync;
pub(crate) mod users;
pub(crate) mod verdicts;
pub(crate) mod verify;
pub(crate) mod work;
