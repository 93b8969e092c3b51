//! The operational database: rows, full-text search, manifest, findings.
