//! Bounded fuzzing of every parser, from a printed seed.
//!
//! Seeds are whole files; each round flips bits, splices, cuts, repeats and injects what breaks parsers (quotes,
//! separators, NULs, numbers, brackets). What must hold in every round: no panic, no more events than the file has
//! lines or brackets, the same events twice, quarantined texts within their bound, no whole CPF anywhere.
//! `CIDADAO_FUZZ_SECONDS` is the time for all parsers together (default 5), `CIDADAO_FUZZ_SEED` repeats a run.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod local_seeds;
mod seeds;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sources::{Error, Event, How, Mapping, discover, read};

const PARSERS: u64 = 51;
const INJECTED: &[&[u8]] = &[
    b"\"",
    b"\"\"",
    b";",
    b",",
    b"\t",
    b"\n",
    b"\r\n",
    b"\0",
    b"\x1A",
    b"\x1F",
    b"\xE7",
    b"\xC3",
    b"\xEF\xBB\xBF",
    b"52998224725",
    b"529.982.247-25",
    b"- 1,00",
    b"1e999",
    b"99999999999999999999",
    b"00/00/0000",
    b"31/12/9999",
    b"[",
    b"]",
    b"{",
    b"}",
    b"},{",
    b"\\",
    b"\\u0000",
    b"null",
    b"true",
    b"-11",
    b"Sem informa\xE7\xE3o",
    b"NaN",
    b"PK\x03\x04",
];

fn mutate(rng: &mut StdRng, seed: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..rng.random_range(1..8) {
        if bytes.is_empty() {
            break;
        }
        let at = rng.random_range(0..bytes.len());
        let length = rng.random_range(0..=(bytes.len() - at).min(200));
        match rng.random_range(0..7) {
            0 => bytes[at] ^= 1 << rng.random_range(0..8),
            1 => bytes.truncate(at),
            2 => drop(bytes.drain(at..at + length)),
            3 => {
                let piece = bytes[at..at + length].to_vec();
                let times = rng.random_range(1..20);
                bytes.splice(at..at, piece.repeat(times));
            }
            4 => {
                let from = rng.random_range(0..other.len());
                let to = rng.random_range(from..=other.len().min(from + 400));
                bytes.splice(at..at + length, other[from..to].iter().copied());
            }
            5 => {
                let what = INJECTED[rng.random_range(0..INJECTED.len())];
                bytes.splice(at..at, what.repeat(rng.random_range(1..4)));
            }
            _ => bytes[at..at + length].rotate_left(length / 2),
        }
    }
    bytes
}

/// Reads the bytes and returns its events; an error of the file is well.
fn events_of(path: &std::path::Path, how: How<'_>) -> Vec<Event> {
    let mut events = Vec::new();
    for input in discover(&[path.to_owned()]).unwrap() {
        let _ = read(&input, how, &mut |event| {
            events.push(event);
            Ok(())
        });
    }
    events
}

fn judge(bytes: &[u8], events: &[Event]) {
    let lines = 2 + bytes.iter().filter(|b| matches!(b, b'\n' | b',' | b'{' | b'[')).count();
    assert!(events.len() <= lines, "{} events of {lines} lines", events.len());
    for event in events {
        match event {
            Event::Bad(bad) => {
                assert!(bad.raw.len() <= sources::RAW_BYTES_MAX && bad.detail.len() <= 400);
                let shown = format!("{} {}", bad.raw, bad.detail);
                assert_eq!(model::mask_cpfs(&shown), shown);
            }
            Event::Row(row) => {
                assert!(!row.sourced.id.is_empty() && row.sourced.row_hash.len() == 32);
                if let Some(metadata) = &row.sourced.metadata {
                    serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(metadata).unwrap();
                    assert_eq!(model::mask_cpfs(metadata), *metadata);
                }
            }
        }
    }
}

/// For all parsers together.
fn seconds() -> f64 {
    std::env::var("CIDADAO_FUZZ_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(5.0)
}

fn first_seed() -> u64 {
    std::env::var("CIDADAO_FUZZ_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or_else(rand::random::<u64>)
}

fn fuzz(parser: &str, seed: &[u8], other: &[u8], how: How<'_>) {
    let (seconds, start) = (seconds(), first_seed());
    println!("{parser}: CIDADAO_FUZZ_SEED={start}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("202402_arquivo");
    std::fs::write(&path, seed).unwrap();
    let whole = events_of(&path, how);
    assert!(!whole.is_empty() && whole.iter().all(|e| matches!(e, Event::Row(_))), "{parser}: {whole:?}");
    let deadline = Instant::now() + Duration::from_secs_f64(seconds / PARSERS as f64);
    let mut rng = StdRng::seed_from_u64(start);
    let mut rounds = 0;
    while Instant::now() < deadline {
        let bytes = mutate(&mut rng, seed, other);
        std::fs::write(&path, &bytes).unwrap();
        let judged = catch_unwind(AssertUnwindSafe(|| {
            let events = events_of(&path, how);
            judge(&bytes, &events);
            assert_eq!(events, events_of(&path, how), "reading twice gives the same");
        }));
        if let Err(panic) = judged {
            println!("{parser}: round {rounds}, file: {}", String::from_utf8_lossy(&bytes));
            std::panic::resume_unwind(panic);
        }
        rounds += 1;
    }
    println!("{parser}: {rounds} rounds");
}

macro_rules! fuzz_parsers {
    ($($name:ident: $seed:expr;)*) => {$(
        #[test]
        fn $name() {
            fuzz(stringify!($name), &$seed, &seeds::pncp_contracts(), How::default());
        }
    )*};
}

fuzz_parsers! {
    contracts_of_the_portal: seeds::compras();
    items_of_contracts: seeds::item_compra();
    amendments: seeds::termo_aditivo();
    tenders_of_the_portal: seeds::licitacao();
    items_of_tenders: seeds::item_licitacao();
    participants: seeds::participantes();
    commitments: seeds::empenhos();
    the_page_of_contracts: seeds::ui();
    registers_of_sanctions: seeds::ceis();
    lists_of_sanctions: seeds::lista();
    contracts_of_pncp: seeds::pncp_contracts();
    archives: seeds::archive();
    expenses_of_the_portal: seeds::despesas();
    answers_of_the_portal: seeds::portal_api_contracts();
    items_of_compras_gov: seeds::comprasgov_items();
    contracts_of_compras_gov: seeds::comprasgov_contracts();
    tables_of_contratos_gov: seeds::contratosgov();
    contracts_of_ifms: seeds::ifms();
    tenders_of_sagres: local_seeds::sagres_tenders();
    contracts_of_sagres: local_seeds::sagres_contracts();
    amendments_of_sagres: local_seeds::sagres_amendments();
    commitments_of_sagres: local_seeds::sagres_commitments();
    payments_of_sagres: local_seeds::sagres_payments();
    units_of_sagres: local_seeds::sagres_units();
    participants_of_sagres: local_seeds::sagres_participants();
    proposals_of_sagres: local_seeds::sagres_proposals();
    tenders_of_licitacon: local_seeds::licitacon_tenders();
    items_of_licitacon: local_seeds::licitacon_items();
    bids_of_licitacon: local_seeds::licitacon_bids();
    bidders_of_licitacon: local_seeds::licitacon_bidders();
    contracts_of_licitacon: local_seeds::licitacon_contracts();
    items_of_contracts_of_licitacon: local_seeds::licitacon_contract_items();
    commitments_of_minas: local_seeds::mg_commitments();
    items_of_minas: local_seeds::mg_items();
    awards_of_minas: local_seeds::mg_awards();
    extracts_of_sao_paulo: local_seeds::sao_paulo();
    contracts_of_recife: local_seeds::recife();
    items_and_results_of_pncp: seeds::pncp_items();
    terms_of_pncp: seeds::pncp_terms();
    purchases_of_the_federal_district: seeds::pncp_df_purchases();
    awards_of_the_federal_district: seeds::pncp_df_awards();
    companies_of_the_receita: seeds::receita_companies();
    establishments_of_the_receita: seeds::receita_establishments();
    partners_of_the_receita: seeds::receita_partners();
    simples_of_the_receita: seeds::receita_simples();
    activities_of_the_receita: seeds::receita_activities();
    releases_of_ocds: seeds::ocds_releases();
    lines_of_ocds: seeds::ocds_lines();
    records_of_ocds: seeds::ocds_records();
}

#[test]
fn mapped_files() {
    let mapping = Mapping::parse("m.toml", seeds::MAPPING).unwrap();
    fuzz("mapped_files", &seeds::mapped(), &seeds::compras(), How { mapping: Some(&mapping), source: None });
}

/// What must hold of any text: no panic, an error names a line of the text, and what is taken can read a file.
#[test]
fn mapping_files() {
    let (seconds, start) = (seconds(), first_seed());
    println!("mapping_files: CIDADAO_FUZZ_SEED={start}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("202402_arquivo");
    std::fs::write(&path, seeds::mapped()).unwrap();
    let deadline = Instant::now() + Duration::from_secs_f64(seconds / PARSERS as f64);
    let mut rng = StdRng::seed_from_u64(start);
    let (mut rounds, mut taken) = (0, 0);
    while Instant::now() < deadline {
        let bytes = mutate(&mut rng, seeds::MAPPING.as_bytes(), b"[[x]]\nsource = { a = [1, 2.5e3], b.c = true }\n");
        let text = String::from_utf8_lossy(&bytes);
        let judged = catch_unwind(AssertUnwindSafe(|| match Mapping::parse("m.toml", &text) {
            Ok(mapping) => {
                judge(&seeds::mapped(), &events_of(&path, How { mapping: Some(&mapping), source: None }));
                true
            }
            Err(Error::Mapping { line, because, .. }) => {
                assert!((1..=1 + text.matches('\n').count()).contains(&line) && !because.is_empty());
                false
            }
            Err(other) => panic!("{other}"),
        }));
        match judged {
            Ok(ok) => taken += u64::from(ok),
            Err(panic) => {
                println!("mapping_files: round {rounds}, mapping: {text}");
                std::panic::resume_unwind(panic);
            }
        }
        rounds += 1;
    }
    println!("mapping_files: {rounds} rounds, {taken} taken");
}
