//! Real files of states and cities, where `CIDADAO_REAL_DATA` says that they are. Rows were counted by other means.

use model::Value;
use sources::{Also, Error, Format, Parsed};

use super::real_data::{assert_whole, read_real, real_data};

const UTF8: &str = "utf-8";
const CP1252: &str = "windows-1252";

#[test]
fn sagres_is_read_whole() {
    assert_whole("pb-sagres/licitacao.csv", Format::SagresLicitacoes, CP1252, 9771);
    assert_whole("pb-sagres/transporte_escolar_licitacoes_total.csv", Format::SagresLicitacoes, UTF8, 8186);
    assert_whole("pb-sagres/transporte_escolar_contratos.csv", Format::SagresContratos, "ascii", 328);
    assert_whole("pb-sagres/aditivos.csv", Format::SagresAditivos, UTF8, 18984);
    assert_whole("pb-sagres/aditivos_v2_latin1.csv", Format::SagresAditivos, CP1252, 18984);
    assert_whole("pb-sagres/transporte_escolar_empenhos.csv", Format::SagresEmpenhos, "ascii", 2183);
    assert_whole("pb-sagres/transporte_escolar_pagamentos.csv", Format::SagresPagamentos, "ascii", 2348);
    assert_whole("pb-sagres/codigo_ugestora.csv", Format::SagresUnidades, UTF8, 7999);
    assert_whole("pb-sagres/ugestora.csv", Format::SagresUnidades, CP1252, 670);
    assert_whole("pb-sagres/transporte_escolar_unidades_gestoras.csv", Format::SagresUnidades, UTF8, 824);
}

#[test]
fn licitacon_is_read_but_for_one_row_in_another_encoding() {
    let folder = "rs-licitacon-merenda";
    let both = "utf-8 and windows-1252";
    assert_whole(&format!("{folder}/info_licitacoes.csv"), Format::LicitaconLicitacoes, both, 953);
    assert_whole(&format!("{folder}/info_item_licitacao.csv"), Format::LicitaconItens, UTF8, 27708);
    assert_whole(&format!("{folder}/info_item_contrato.csv"), Format::LicitaconItensContrato, "ascii", 18610);
    let Some(data) = real_data() else { return };
    let outcome = read_real(&data, &format!("{folder}/info_contratos.csv"));
    // Its `Termo de colaboração` is cp1252; the 4,316 others are UTF-8.
    assert_eq!(outcome.faults(), [(1446, "encoding")]);
    assert_eq!(outcome.rows().len(), 4316);
}

#[test]
fn minas_gerais_is_read_whole() {
    assert_whole("mg-empenhos/empenho2022.csv", Format::MgEmpenhos, UTF8, 50720);
    assert_whole("mg-empenhos/empenho2026.csv", Format::MgEmpenhos, "utf-8-bom", 12687);
    assert_whole("mg-covid/compras-coronavirus.csv", Format::MgComprasItens, "utf-8-bom", 290);
    assert_whole("mg-covid/contratacaocoronavirus.csv", Format::MgComprasItens, UTF8, 290);
    let awards = "mg-covid/_Compras - Programa de enfrentamento COVID-19.csv";
    assert_whole(awards, Format::MgComprasResultados, "utf-8-bom", 484);
}

#[test]
fn both_editions_of_items_of_minas_gerais_give_the_same_items() {
    let Some(data) = real_data() else { return };
    let dots = read_real(&data, "mg-covid/compras-coronavirus.csv");
    let commas = read_real(&data, "mg-covid/contratacaocoronavirus.csv");
    let prices = |row: &Parsed| {
        let mut numbers = Vec::new();
        row.sourced
            .record
            .visit(&mut |value| numbers.extend(if let Value::Decimal(n) = value { Some(n) } else { None }));
        (row.sourced.id.clone(), numbers)
    };
    let (mut dots, mut commas): (Vec<_>, Vec<_>) =
        (dots.rows().into_iter().map(prices).collect(), commas.rows().into_iter().map(prices).collect());
    dots.sort();
    commas.sort();
    assert_eq!(dots, commas);
}

#[test]
fn cities_are_read_whole() {
    for (year, rows) in [(2008, 1547), (2009, 1590), (2010, 8850), (2011, 11045)] {
        let file = format!("sp-capital-contratos/Contratos-{year}.csv");
        assert_whole(&file, Format::SpCapitalContratos, CP1252, rows);
    }
    assert_whole("recife-contratos/dados_abertos_contratos.csv", Format::RecifeContratos, UTF8, 8202);
}

#[test]
fn statistics_labels_and_dictionaries_are_not_recognised() {
    let Some(data) = real_data() else { return };
    for file in [
        "pb-sagres/coparticipacoes.csv",
        "pb-sagres/coparticipacoes_5k.csv",
        "pb-sagres/coparticipacoes_10k.csv",
        "pb-sagres/participantes_stats.csv",
        "pb-sagres/fornecedores.csv",
        "pb-rescisoes-labels/treino_up.csv",
        "rs-licitacon-merenda/tb1.csv",
        "rs-licitacon-merenda/tb2.csv",
        "rs-licitacon-merenda/tb3.csv",
        "rs-licitacon-merenda/tb4.csv",
        "mg-covid/compras-coronavirus-controle.csv",
        "mg-covid/dicionario-dados.csv",
        "recife-contratos/anomalias_detectadas.csv",
    ] {
        let outcome = read_real(&data, file);
        assert!(matches!(outcome.result, Err(Error::UnknownFormat { .. })), "{file}: {:?}", outcome.result);
    }
}

#[test]
fn no_row_of_states_and_cities_holds_a_whole_cpf() {
    let Some(data) = real_data() else { return };
    for file in [
        "mg-empenhos/empenho2022.csv",
        "mg-empenhos/empenho2026.csv",
        "pb-sagres/aditivos.csv",
        "pb-sagres/licitacao.csv",
        "sp-capital-contratos/Contratos-2011.csv",
        "recife-contratos/dados_abertos_contratos.csv",
        "rs-licitacon-merenda/info_contratos.csv",
    ] {
        for row in read_real(&data, file).rows() {
            let mut texts = vec![row.sourced.id.clone(), row.sourced.metadata.clone().unwrap_or_default()];
            let mut keep =
                |value: Value<'_>| texts.extend(if let Value::Text(t) = value { Some(t.to_owned()) } else { None });
            row.sourced.record.visit(&mut keep);
            for also in &row.more {
                if let Also::Record(sourced) = also {
                    sourced.record.visit(&mut keep);
                }
            }
            for text in texts {
                assert_eq!(model::mask_cpfs(&text), text, "{file}");
            }
        }
    }
}
