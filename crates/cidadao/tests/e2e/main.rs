//! The program from outside: files in, exit codes, bytes on the wire and what is left on the disk.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on fails")]

mod account;
mod accounts;
mod agents;
mod ask;
mod bad_input;
mod batches;
mod browser;
mod bundles;
mod checkup;
mod clock;
mod command_line;
mod configuration;
mod context;
mod crash;
mod deployed;
mod disk;
mod doctor;
mod dossiers;
mod entities;
mod every_format;
mod evidence;
mod explanations;
mod exports;
mod fuzzed;
mod garbage;
mod graphql;
mod graphql_clients;
mod graphql_follow;
mod graphql_kept;
mod incremental;
mod ingests;
mod investigations;
mod keys;
mod limits;
mod live;
mod live_clients;
mod live_sockets;
mod log;
mod mapped;
mod metrics;
mod migration;
mod packages;
mod peers;
mod people;
mod plans;
mod planted;
mod postgres;
mod profiles;
mod quality;
mod quarantine;
mod registry;
mod rest;
mod resume;
mod robots;
mod server;
mod serving;
mod serving_http;
mod settings;
mod settings_seen;
mod streams;
mod sync;
mod traces;
mod two_dates;
mod verdicts;
mod versions;
mod worked_page;

use std::path::PathBuf;

use testkit::{House, Program, house::files_below};

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

/// Such a folder without the files of the years before 2025: fewer segments, so that an ingest of it can be repeated often.
fn short_sample(house: &House, contracts: u32, seed: u32) -> PathBuf {
    let out = sample(house, contracts, seed);
    for path in files_below(&out) {
        let name = path.strip_prefix(&out).unwrap().to_string_lossy().into_owned();
        if (2020..=2024).any(|year| name.contains(&format!("{year}"))) {
            std::fs::remove_file(path).unwrap();
        }
    }
    out
}
