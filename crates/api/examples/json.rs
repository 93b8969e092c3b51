//! Encoding and decoding one JSON document by sonic-rs, over and over: what the bench holds against orjson. `json FILE`
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on stops")]

use std::hint::black_box;
use std::time::Instant;

use sonic_rs::Value;

fn main() {
    let text = std::fs::read(std::env::args().nth(1).unwrap()).unwrap();
    let value: Value = sonic_rs::from_slice(&text).unwrap();
    let rounds = 200;
    let mib = text.len() as f64 * f64::from(rounds) / f64::from(1 << 20);
    let timed = |work: &dyn Fn()| {
        let started = Instant::now();
        (0..rounds).for_each(|_| work());
        mib / started.elapsed().as_secs_f64()
    };
    let encode = timed(&|| drop(black_box(sonic_rs::to_vec(black_box(&value)).unwrap())));
    let decode = timed(&|| drop(black_box(sonic_rs::from_slice::<Value>(black_box(&text)).unwrap())));
    println!("{{\"encode_mib_s\": {encode:.0}, \"decode_mib_s\": {decode:.0}}}");
}
