//! Reads files and throws their records away: what reading alone costs, for measuring beside a peer.
//!
//!     cargo run --release -p sources --example read_only -- releases.jsonl

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use sources::{Also, Error, Event, discover, read};

/// As the program itself has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Error> {
    let paths: Vec<_> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let started = Instant::now();
    let (mut rows, mut bad) = (0u64, 0u64);
    let mut tables: BTreeMap<&str, u64> = BTreeMap::new();
    for input in discover(&paths)? {
        let header = read(&input, sources::How::default(), &mut |event| {
            match event {
                Event::Bad(_) => bad += 1,
                Event::Row(row) => {
                    rows += 1;
                    *tables.entry(row.sourced.record.table().name).or_default() += 1;
                    for also in &row.more {
                        let table = match also {
                            Also::Record(sourced) => sourced.record.table().name,
                            Also::Buyer(..) => "buyers",
                            Also::Supplier(..) => "suppliers",
                        };
                        *tables.entry(table).or_default() += 1;
                    }
                }
            }
            Ok(())
        });
        if let Err(error) = header {
            println!("{error}");
        }
    }
    println!("{rows} rows, {bad} quarantined, {tables:?}, {:.2} s", started.elapsed().as_secs_f64());
    Ok(())
}
