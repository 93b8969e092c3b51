//! How long the store takes to answer, on whichever database: look-ups of one contract, filtered lists, full text.
//!
//! `lookups DATABASE SECONDS THREADS [PER_SECOND]`: a file, or `postgres://…`. With a number of requests a second they come at that
//! pace, each timed from when it was due; without, each thread asks again as soon as it is answered.

#![allow(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a bench that cannot go on fails"
)]

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use store::{ContractFilter, ContractSort, PoolSettings, Store};

type Ask<'a> = Box<dyn Fn(&Store, usize) + Sync + 'a>;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [database, seconds, threads, ..] = arguments.as_slice() else {
        panic!("lookups DATABASE SECONDS THREADS [PER_SECOND]")
    };
    let (seconds, threads): (f64, usize) = (seconds.parse().unwrap(), threads.parse().unwrap());
    let pace: Option<f64> = arguments.get(3).map(|pace| pace.parse().unwrap());
    let store = open(database, threads);
    let (ids, buyers, suppliers) = store
        .read(|db| {
            let texts = |sql: &str| -> store::Result<Vec<String>> {
                let mut statement = db.prepare(sql)?;
                let rows = statement.query_map([], |row| row.get(0))?;
                Ok(rows.collect::<Result<_, _>>()?)
            };
            Ok((
                texts("select id from contracts where rid % 997 = 3 limit 5000")?,
                texts("select id from buyers order by id limit 500")?,
                texts("select id from suppliers where rid % 97 = 3 limit 2000")?,
            ))
        })
        .unwrap();
    println!("{} contracts' ids of {database}", ids.len());
    let some = |all: &[String], n: usize| Some(all[n % all.len()].clone());
    let list = |store: &Store, filter: &ContractFilter, sort| drop(store.contracts(filter, sort, None, 20).unwrap());
    let words = [
        "aquisicao de material",
        "limpeza predial",
        "servicos de manutencao",
        "medicamentos",
        "obra de pavimentacao",
        "aluguel de veiculos",
    ];
    let asks: Vec<(&str, Ask<'_>)> = vec![
        ("one contract", Box::new(|store, n| assert!(store.contract(&ids[n % ids.len()]).unwrap().is_some()))),
        (
            "of a buyer",
            Box::new(|store, n| {
                list(
                    store,
                    &ContractFilter { buyer_id: some(&buyers, n), ..ContractFilter::default() },
                    ContractSort::NewestFirst,
                );
            }),
        ),
        (
            "of a supplier, dearest",
            Box::new(|store, n| {
                list(
                    store,
                    &ContractFilter { supplier_id: some(&suppliers, n), ..ContractFilter::default() },
                    ContractSort::DearestFirst,
                );
            }),
        ),
        (
            "of a modality and period",
            Box::new(|store, n| {
                let day = format!("202{}-0{}-01", n % 4 + 1, n % 9 + 1);
                list(
                    store,
                    &ContractFilter {
                        modality: Some("pregao".into()),
                        signed_from: Some(day),
                        ..ContractFilter::default()
                    },
                    ContractSort::NewestFirst,
                );
            }),
        ),
        (
            "full text",
            Box::new(|store, n| {
                list(
                    store,
                    &ContractFilter { q: Some(words[n % words.len()].into()), ..ContractFilter::default() },
                    ContractSort::NewestFirst,
                );
            }),
        ),
    ];
    for (name, ask) in &asks {
        let (next, took) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        for n in 0..50 {
            ask(&store, n);
        }
        let started = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    let mut own = Vec::new();
                    loop {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        let due =
                            pace.map_or_else(Instant::now, |pace| started + Duration::from_secs_f64(n as f64 / pace));
                        if due > started + Duration::from_secs_f64(seconds) {
                            break;
                        }
                        std::thread::sleep(due.saturating_duration_since(Instant::now()));
                        ask(&store, n);
                        own.push(due.elapsed());
                    }
                    took.lock().unwrap().extend(own);
                });
            }
        });
        let mut took = took.into_inner().unwrap();
        took.sort();
        let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
        println!(
            "{name}: {:.0}/s, p50 {:.2} ms, p90 {:.2} ms, p99 {:.2} ms",
            took.len() as f64 / started.elapsed().as_secs_f64(),
            at(0.5),
            at(0.9),
            at(0.99)
        );
    }
}

fn open(database: &str, threads: usize) -> Store {
    if !database.starts_with("postgres") {
        return Store::open(std::path::Path::new(database), threads).unwrap();
    }
    let second = Duration::from_secs(1);
    let settings = PoolSettings {
        url: database.to_owned(),
        size: threads.max(2) * 3,
        statement_timeout: 30 * second,
        lock_timeout: 5 * second,
    };
    Store::connect(settings, Vec::new()).unwrap()
}
