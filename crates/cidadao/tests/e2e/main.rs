//! The program from outside: files in, exit codes, bytes on the wire and what is left on the disk.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on fails")]

mod account;
mod bad_input;
mod browser;
mod command_line;
mod crash;
mod disk;
mod doctor;
mod evidence;
mod incremental;
mod people;
mod planted;
mod rest;
mod server;
mod settings;
mod versions;

use std::path::PathBuf;

use testkit::{House, Program};

/// A folder of fictitious files made by the program itself.
fn sample(house: &House, contracts: u32, seed: u32) -> PathBuf {
    let out = house.root().join(format!("sample-{contracts}-{seed}"));
    let run = Program::new()
        .args(["sample", "--contracts", &contracts.to_string(), "--seed", &seed.to_string(), "--out"])
        .arg(&out)
        .run();
    let _ = run.ends_with(0);
    out
}
