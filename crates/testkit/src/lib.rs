//! Helpers for tests: temporary houses, the program as a child process, files of fictitious sources.
//!
//! Everything here looks at the program from outside, as people do: what it prints, its exit code, the bytes on the wire
//! and the files that it leaves. What cannot go on panics and says where.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc, missing_docs, reason = "a test that cannot go on fails")]

pub mod canonical;
pub mod clock;
pub mod files;
pub mod group;
pub mod house;
pub mod node;
pub mod origin;
pub mod page;
pub mod postgres;
pub mod program;
pub mod prometheus;
pub mod proxy;
pub mod python;
pub mod recorder;
pub mod redis;
pub mod seed;
pub mod server;
pub mod socket;
pub mod state;
pub mod tab;
pub mod wire;

pub use clock::SetClock;
pub use house::House;
pub use postgres::PostgresServer;
pub use program::{Program, Run};
pub use prometheus::{Prometheus, promtool};
pub use recorder::Recorder;
pub use redis::RedisServer;
pub use server::{Answer, Server, Told};
pub use state::{State, state_of};
