//! Helpers for tests: temporary houses, child processes, records.
