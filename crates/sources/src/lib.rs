//! One module per foreign format; each maps to canonical records.
