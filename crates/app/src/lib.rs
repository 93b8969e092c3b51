//! Every use case once: commands that write and queries that read.
