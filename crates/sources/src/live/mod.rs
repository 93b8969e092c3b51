//! Sources that are asked over the network: what to ask for, and when an answer is whole.

pub mod pncp;
