//! What the crate promises, seen from outside: every format maps exactly, and every bad input ends where it should.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bad_input;
mod cities;
mod comprasgov;
mod contratosgov;
mod discovering;
mod identifying;
mod ifms;
mod licitacon;
mod mapped;
mod mapping;
mod minas;
mod ocds;
mod pncp;
mod pncp_df;
mod pncp_items;
mod portal_api;
mod portal_compras;
mod portal_despesas;
mod portal_licitacoes;
mod portal_ui;
mod properties;
mod real_data;
mod real_federal;
mod real_local;
mod receita;
mod sagres;
mod sanctions;

use std::path::Path;

use model::{Contract, Money, Record, Sanction, Sourced, Tender};
use sources::{Error, Event, Header, How, Input, Parsed, Quarantined, discover, read};

/// What reading one file gave.
struct Outcome {
    events: Vec<Event>,
    result: Result<Header, Error>,
}

impl Outcome {
    fn rows(&self) -> Vec<&Parsed> {
        self.events.iter().filter_map(|e| if let Event::Row(row) = e { Some(&**row) } else { None }).collect()
    }

    fn bad(&self) -> Vec<&Quarantined> {
        self.events.iter().filter_map(|e| if let Event::Bad(bad) = e { Some(bad) } else { None }).collect()
    }

    /// Line and reason of everything quarantined.
    fn faults(&self) -> Vec<(u64, &'static str)> {
        self.bad().iter().map(|b| (b.line, b.reason.code())).collect()
    }

    fn only(&self) -> &Parsed {
        assert_eq!(self.faults(), [], "nothing is quarantined");
        assert!(self.result.is_ok(), "{:?}", self.result);
        let rows = self.rows();
        assert_eq!(rows.len(), 1, "one row");
        rows[0]
    }
}

/// Reads bytes as a file of that name.
fn read_bytes(name: &str, bytes: &[u8]) -> Outcome {
    read_hinted(name, bytes, None)
}

fn read_hinted(name: &str, bytes: &[u8], hint: Option<&str>) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    read_input(&the_input(&path), hint)
}

fn the_input(path: &Path) -> Input {
    let inputs = discover(&[path.to_owned()]).unwrap();
    assert_eq!(inputs.len(), 1);
    inputs.into_iter().next().unwrap()
}

fn read_input(input: &Input, hint: Option<&str>) -> Outcome {
    read_how(input, How { source: hint, mapping: None })
}

fn read_how(input: &Input, how: How<'_>) -> Outcome {
    let mut events = Vec::new();
    let result = read(input, how, &mut |event| {
        events.push(event);
        Ok(())
    });
    Outcome { events, result }
}

fn day(text: &str) -> Option<chrono::NaiveDate> {
    Some(text.parse().unwrap())
}

fn brl(text: &str) -> Option<Money> {
    Some(Money::parse(text).unwrap())
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn contract(sourced: &Sourced) -> &Contract {
    let Record::Contract(contract) = &sourced.record else { panic!("a contract, not {:?}", sourced.record) };
    contract
}

fn tender(sourced: &Sourced) -> &Tender {
    let Record::Tender(tender) = &sourced.record else { panic!("a tender, not {:?}", sourced.record) };
    tender
}

fn sanction(sourced: &Sourced) -> &Sanction {
    let Record::Sanction(sanction) = &sourced.record else { panic!("a sanction, not {:?}", sourced.record) };
    sanction
}

/// The metadata as a JSON value.
fn metadata(sourced: &Sourced) -> serde_json::Value {
    sourced.metadata.as_deref().map_or(serde_json::Value::Null, |m| serde_json::from_str(m).unwrap())
}

/// Text as the Portal writes it: cp1252, CRLF.
fn cp1252(text: &str) -> Vec<u8> {
    let text = text.replace('\n', "\r\n");
    encoding_rs::WINDOWS_1252.encode(&text).0.into_owned()
}
