//! The flags' SQL against a second implementation of the same arithmetic, on random rows.

use std::collections::BTreeMap;

use flags::Catalogue;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::case::judged;

fn row(value: Value) -> Map<String, Value> {
    let Value::Object(map) = value else { panic!("a row is an object") };
    map
}

/// Supplier and amount, in cents, of each contract.
type Spent = Vec<(Option<u8>, u64)>;

fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// Linear between the two nearest ranks.
fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = share * (sorted.len() - 1) as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    sorted[low] + (sorted[high] - sorted[low]) * (place - low as f64)
}

/// Measure and threshold of a price among its peers; `None` when they do not differ.
fn robust_z(price: f64, peers: &[f64]) -> Option<(f64, f64)> {
    let logs: Vec<f64> = peers.iter().map(|p| p.ln()).collect();
    let centre = median(&logs);
    let mad = median(&logs.iter().map(|x| (x - centre).abs()).collect::<Vec<_>>());
    if mad > 0.0 {
        return Some((0.6745 * (price.ln() - centre) / mad, 3.5));
    }
    let (q1, q3) = (quantile(&logs, 0.25), quantile(&logs, 0.75));
    (q3 > q1).then(|| ((price.ln() - q3) / (q3 - q1), 1.5))
}

/// The outcome of a measure; `None` too near to the threshold to tell.
fn outcome(measure: f64, threshold: f64) -> Option<&'static str> {
    if (measure - threshold).abs() < 0.000_2 {
        return None;
    }
    Some(if measure > threshold { "hit" } else { "clear" })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn unit_prices_come_out_as_a_second_arithmetic_says(
        items in prop::collection::vec((0..3u8, 2022..=2024i32, prop_oneof![4 => 900..1_200u32, 2 => Just(1_000u32), 1 => 1..200_000u32]), 1..60)
    ) {
        let mut rows: BTreeMap<String, Vec<Map<String, Value>>> = BTreeMap::new();
        rows.insert("buyers".to_owned(), vec![row(json!({"id": "b", "name": "B", "state": "DF"}))]);
        for (at, (code, year, cents)) in items.iter().enumerate() {
            let price = format!("{}.{:02}", cents / 100, cents % 100);
            rows.entry("contracts".to_owned()).or_default().push(row(json!({"id": format!("c{at}"), "source": "s", "buyer_id": "b", "income": false, "signed_on": format!("{year}-05-01")})));
            rows.entry("items".to_owned()).or_default().push(row(json!({"id": format!("i{at}"), "source": "s", "contract_id": format!("c{at}"), "catalog_code": code.to_string(), "unit": "UN", "quantity": "1", "unit_price": price})));
        }
        let catalogue = Catalogue::embedded().unwrap();
        let got = judged(catalogue.flag("BR05").unwrap(), &rows);
        prop_assert_eq!(got.len(), items.len());
        for (at, (code, year, cents)) in items.iter().enumerate() {
            let found = &got[&format!("i{at}")];
            let of_years = |from: i32| items.iter().filter(|i| i.0 == *code && (from..=*year).contains(&i.1)).map(|i| f64::from(i.2) / 100.0).collect::<Vec<f64>>();
            let mut peers = of_years(*year);
            if peers.len() < 10 {
                peers = of_years(*year - 1);
            }
            if peers.len() < 10 {
                prop_assert_eq!((found.outcome.as_str(), found.missing.as_deref()), ("not_computable", Some("peers")));
                continue;
            }
            let Some((measure, threshold)) = robust_z(f64::from(*cents) / 100.0, &peers) else {
                prop_assert_eq!((found.outcome.as_str(), found.missing.as_deref()), ("not_computable", Some("peers.spread")));
                continue;
            };
            prop_assert!((found.measure.unwrap() - measure).abs() < 0.000_1 * measure.abs().max(1.0), "{found:?} against {measure}");
            prop_assert_eq!(found.threshold, Some(threshold));
            if let Some(outcome) = outcome(measure, threshold) {
                prop_assert_eq!(&found.outcome, outcome);
            }
        }
    }

    #[test]
    fn concentration_comes_out_as_a_second_arithmetic_says(
        contracts in prop::collection::vec((0..3u8, 0..2u8, prop::option::weighted(0.97, 0..5u8), 1..5_000_000u64), 1..80)
    ) {
        let mut rows: BTreeMap<String, Vec<Map<String, Value>>> = BTreeMap::new();
        let mut groups: BTreeMap<(u8, u8), Spent> = BTreeMap::new();
        for (at, (buyer, year, supplier, cents)) in contracts.iter().enumerate() {
            let mut contract = row(json!({
                "id": format!("c{at}"), "source": "s", "buyer_id": format!("b{buyer}"), "activity": "limpeza", "income": false,
                "signed_on": format!("{}-03-01", 2023 + u16::from(*year)), "value_initial": format!("{}.{:02}", cents / 100, cents % 100),
            }));
            if let Some(supplier) = supplier {
                contract.insert("supplier_id".to_owned(), json!(format!("cnpj:{supplier}0000000000000")));
                contract.insert("supplier_root".to_owned(), json!(format!("{supplier}0000000")));
            }
            rows.entry("contracts".to_owned()).or_default().push(contract);
            groups.entry((*buyer, *year)).or_default().push((*supplier, *cents));
        }
        let catalogue = Catalogue::embedded().unwrap();
        let got = judged(catalogue.flag("BR11").unwrap(), &rows);
        prop_assert_eq!(got.len(), groups.len());
        for ((buyer, year), spent) in groups {
            let found = &got[&format!("b{buyer}|{}|limpeza", 2023 + u16::from(year))];
            let total: u64 = spent.iter().map(|(_, v)| v).sum();
            let mut by_supplier: BTreeMap<u8, u64> = BTreeMap::new();
            for (supplier, value) in &spent {
                if let Some(supplier) = supplier {
                    *by_supplier.entry(*supplier).or_default() += value;
                }
            }
            let named: u64 = by_supplier.values().sum();
            // Five per cent, in whole numbers.
            let missing = if spent.len() < 10 { Some("contracts") } else if (total - named) * 20 > total { Some("contracts.supplier_id") } else { None };
            prop_assert_eq!(found.missing.as_deref(), missing);
            if missing.is_some() {
                prop_assert_eq!(found.outcome.as_str(), "not_computable");
                continue;
            }
            let hhi: f64 = by_supplier.values().map(|v| (100.0 * *v as f64 / named as f64).powi(2)).sum();
            prop_assert!((found.measure.unwrap() - hhi).abs() < 0.006, "{found:?} against {hhi}");
            let index = |values: &mut dyn Iterator<Item = u64>| -> f64 { values.map(|v| (100.0 * v as f64 / named as f64).powi(2)).sum() };
            // All are of one day: what a supplier has for one value is one award.
            let mut by_award: BTreeMap<(u8, u64), u64> = BTreeMap::new();
            for (supplier, value) in &spent {
                if let Some(supplier) = supplier {
                    *by_award.entry((*supplier, *value)).or_default() += value;
                }
            }
            let awards = index(&mut by_award.values().copied());
            let share = by_supplier.values().max().copied().unwrap_or_default() as f64 / named as f64;
            if (hhi - 2500.0).abs() > 0.01 && (awards - 2500.0).abs() > 0.01 && (share - 0.6).abs() > 1e-9 {
                let hit = hhi > 2500.0 && awards <= 2500.0 && share > 0.6;
                prop_assert_eq!(found.outcome.as_str(), if hit { "hit" } else { "clear" });
            }
        }
    }
}
