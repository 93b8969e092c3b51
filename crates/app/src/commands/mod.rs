//! What writes: ingest, judge, demo; and what checks: doctor.

pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod entities;
pub(crate) mod evaluate;
pub(crate) mod evaluate_sample;
pub(crate) mod ingest;
pub(crate) mod ingest_jobs;
pub(crate) mod judge;
pub(crate) mod quality;
pub(crate) mod quarantine;
