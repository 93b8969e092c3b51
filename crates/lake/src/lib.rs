//! Parquet segments, their manifest and the DuckDB session over them.
