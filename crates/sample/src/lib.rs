//! Writes fictitious files in the layouts of real sources, with planted cases.
