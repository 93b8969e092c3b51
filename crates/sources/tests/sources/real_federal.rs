//! Real files of the federal sources, where `CIDADAO_REAL_DATA` says that they are.

use std::collections::{BTreeMap, HashSet};

use model::{Record, Sourced, Value};
use sources::{Also, Format};

use super::Outcome;
use super::real_data::{assert_whole, read_real, real_data};

/// How many records of each table the rows of a file state.
fn tables(outcome: &Outcome) -> BTreeMap<&'static str, usize> {
    let mut tables = BTreeMap::new();
    let mut count = |record: &Record| *tables.entry(record.table().name).or_insert(0) += 1;
    for row in outcome.rows() {
        count(&row.sourced.record);
        for also in &row.more {
            if let Also::Record(sourced) = also {
                count(&sourced.record);
            }
        }
    }
    tables
}

fn ids(outcome: &Outcome) -> HashSet<String> {
    outcome.rows().iter().map(|row| row.sourced.id.clone()).collect()
}

#[test]
fn commitments_of_the_portal_are_read_whole() {
    assert_whole("pt-empenhos/empenhos_2019.csv", Format::PortalDespesasEmpenho, "utf-8", 2096);
    let Some(folder) = real_data() else { return };
    let outcome = read_real(&folder, "pt-empenhos/empenhos_2019.csv");
    assert_eq!(ids(&outcome).len(), 2096, "one note that is written to again has one row a day");
}

#[test]
fn an_answer_of_the_portal_is_read_whole() {
    assert_whole("pt-api-rest/licitacoes_unifei_2016.json", Format::PortalApiLicitacoes, "utf-8", 2);
}

#[test]
fn pages_of_purchases_are_read_whole_and_their_items_find_them() {
    let Some(folder) = real_data() else { return };
    for (kind, rows, purchases) in [("compras", 4407, 3789), ("licitacoes", 4409, 969)] {
        let mut known = HashSet::new();
        let mut read = 0;
        for page in 0..9 {
            let outcome = read_real(&folder, &format!("comprasgov-v1-api/paginas/{kind}_servico3239_{page}.json"));
            assert!(outcome.result.is_ok());
            assert_eq!(outcome.faults(), []);
            read += outcome.rows().len();
            known.extend(ids(&outcome));
        }
        assert_eq!((read, known.len()), (rows, purchases), "{kind}");
        let (file, lines, items) = if kind == "compras" { ("compra", 3789, 4998) } else { ("licitacao", 211, 367) };
        let outcome = read_real(&folder, &format!("comprasgov-v1-api/itens_{file}_servico3239.jsonl"));
        assert!(outcome.result.is_ok());
        assert_eq!(outcome.faults(), []);
        assert_eq!(outcome.rows().len(), lines);
        assert_eq!(tables(&outcome), BTreeMap::from([("items", items)]));
        let found = |record: &Record| match record {
            Record::Item(item) => item.tender_id.as_ref().is_some_and(|id| known.contains(id)),
            _ => false,
        };
        let orphans = outcome.rows().iter().filter(|row| !found(&row.sourced.record)).count();
        println!("{kind}: {orphans} answers of items without their purchase");
        assert_eq!(orphans, 0);
    }
}

#[test]
fn contracts_of_the_first_api_are_read_whole_in_both_forms() {
    let json = "comprasgov-v1-contratos/contratos_mojibake.json";
    assert_whole(json, Format::ComprasgovContratos, "utf-8", 500);
    assert_whole("comprasgov-v1-contratos/contratos_export.csv", Format::ComprasgovContratosCsv, "utf-8", 500);
    let Some(folder) = real_data() else { return };
    for row in read_real(&folder, json).rows() {
        let Record::Contract(contract) = &row.sourced.record else { panic!("a contract") };
        let shown = format!("{contract:?}{:?}{:?}", row.buyer, row.supplier);
        for mojibake in ["Ãƒ", "Ã§", "Ã‡", "Ã£", "Ã©", "Ãš"] {
            assert!(!shown.contains(mojibake), "mojibake is repaired: {shown}");
        }
        assert!(!shown.contains('\u{1A}'));
    }
}

#[test]
fn the_tables_of_contratosgov_are_read_whole() {
    assert_whole("contratosgov-anp/opendata_contratos.json", Format::ContratosgovContratos, "utf-8", 865);
    assert_whole("contratosgov-anp/opendata_Teste_itens.json", Format::ContratosgovItens, "utf-8", 1389);
    assert_whole("contratosgov-anp/opendata_Teste_faturas.json", Format::ContratosgovFaturas, "utf-8", 2404);
    assert_whole("contratosgov-anp/opendata_historico.json", Format::ContratosgovHistorico, "utf-8", 1599);
    let Some(folder) = real_data() else { return };
    let history = read_real(&folder, "contratosgov-anp/opendata_historico.json");
    assert_eq!(tables(&history), BTreeMap::from([("amendments", 815), ("contracts", 784)]));
    let guarantees = read_real(&folder, "contratosgov-anp/opendata_Teste_garantias.json");
    assert!(guarantees.result.is_err(), "guarantees have no record of ours");
}

/// 152 rows say that a contract has no commitment: every text blank, every amount zero.
#[test]
fn commitments_of_contratosgov_are_read_but_for_the_rows_that_say_there_are_none() {
    let Some(folder) = real_data() else { return };
    let outcome = read_real(&folder, "contratosgov-anp/opendata_empenhos.json");
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::ContratosgovEmpenhos);
    assert_eq!((outcome.rows().len(), outcome.bad().len()), (2175, 152));
    assert!(outcome.bad().iter().all(|bad| bad.reason.code() == "required_field"));
}

#[test]
fn the_files_of_ifms_are_read_whole() {
    assert_whole("ifms-comprasgov/compras.csv", Format::IfmsCompras, "utf-8-bom", 2353);
    assert_whole("ifms-comprasgov/contratos.csv", Format::IfmsContratos, "utf-8-bom", 1546);
}

#[test]
fn no_row_of_the_federal_files_holds_a_whole_cpf() {
    let Some(folder) = real_data() else { return };
    for file in [
        "pt-empenhos/empenhos_2019.csv",
        "comprasgov-v1-api/itens_compra_servico3239.jsonl",
        "comprasgov-v1-contratos/contratos_mojibake.json",
        "comprasgov-v1-contratos/contratos_export.csv",
        "contratosgov-anp/opendata_contratos.json",
        "ifms-comprasgov/contratos.csv",
    ] {
        for row in read_real(&folder, file).rows() {
            // Amounts and hashes may hold eleven digits that look like a CPF; texts may not.
            let mut texts = format!("{:?}{:?}{:?}", row.sourced.metadata, row.buyer, row.supplier);
            let mut collect = |sourced: &Sourced| {
                texts.push_str(&sourced.id);
                sourced.record.visit(&mut |value| {
                    if let Value::Text(text) = value {
                        texts.push(' ');
                        texts.push_str(text);
                    }
                });
            };
            collect(&row.sourced);
            for also in &row.more {
                if let Also::Record(sourced) = also {
                    collect(sourced);
                }
            }
            assert_eq!(model::mask_cpfs(&texts), texts, "{file}");
        }
    }
}
