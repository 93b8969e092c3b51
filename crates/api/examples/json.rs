//! Encoding and decoding one JSON document by sonic-rs, over and over: what the bench holds against orjson. `json FILE`
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on stops")]

use std::hint::black_box;
use std::time::Instant;

use serde::{Deserialize, Serialize};

/// As the program holds it before it is written.
#[derive(Serialize, Deserialize)]
struct List {
    data: Vec<Contract>,
}

#[derive(Serialize, Deserialize)]
struct Contract {
    id: String,
    source: String,
    number: Option<String>,
    process: Option<String>,
    object: Option<String>,
    modality: Option<String>,
    modality_as_stated: Option<String>,
    legal_basis: Option<String>,
    regime: Option<String>,
    status: Option<String>,
    category: Option<String>,
    buyer: Option<Party>,
    supplier: Option<Party>,
    signed_on: Option<String>,
    published_on: Option<String>,
    starts_on: Option<String>,
    ends_on: Option<String>,
    value_initial: Option<String>,
    value_final: Option<String>,
    currency: String,
    income: bool,
    activity: Option<String>,
    activity_basis: Option<String>,
    tender_id: Option<String>,
    provenance: Provenance,
}

#[derive(Serialize, Deserialize)]
struct Party {
    id: Option<String>,
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Provenance {
    file: Option<String>,
    line: Option<i64>,
    line_kind: Option<String>,
    file_sha256: Option<String>,
    row_hash: Option<String>,
    fetched_at: Option<String>,
}

fn main() {
    let text = std::fs::read(std::env::args().nth(1).unwrap()).unwrap();
    let value: List = sonic_rs::from_slice(&text).unwrap();
    let rounds = 200;
    let mib = text.len() as f64 * f64::from(rounds) / f64::from(1 << 20);
    let timed = |work: &dyn Fn()| {
        let started = Instant::now();
        (0..rounds).for_each(|_| work());
        mib / started.elapsed().as_secs_f64()
    };
    let encode = timed(&|| drop(black_box(sonic_rs::to_vec(black_box(&value)).unwrap())));
    let decode = timed(&|| drop(black_box(sonic_rs::from_slice::<List>(black_box(&text)).unwrap())));
    println!("{{\"encode_mib_s\": {encode:.0}, \"decode_mib_s\": {decode:.0}}}");
}
