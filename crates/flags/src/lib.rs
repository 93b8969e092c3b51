//! The catalogue of red flags, their runner and the evidence.
