//! LicitaCon, the court of accounts of Rio Grande do Sul.

use model::{Bid, Item, Quantity, Record, Sourced};
use serde_json::json;
use sources::Error;

use super::{brl, contract, day, metadata, read_bytes, tender, text};

fn item(sourced: &Sourced) -> &Item {
    let Record::Item(item) = &sourced.record else { panic!("an item, not {:?}", sourced.record) };
    item
}

fn bid(sourced: &Sourced) -> &Bid {
    let Record::Bid(bid) = &sourced.record else { panic!("a bid, not {:?}", sourced.record) };
    bid
}

const EXTRACT: &str = "id_estado,id_orgao,nr_licitacao,ano_licitacao,tipo_licitacao,permite_subcontratacao,tp_fornecimento,descricao_objeto,vl_estimado_licitacao,data_adjudicacao,vl_homologado,total_concorrentes\n";

#[test]
fn a_tender_of_the_extract_states_how_many_took_part() {
    let row = "43,99900,10,2017,Nao se Aplica,N,Integral,Aquisição de alimentos para merenda,234567.5,2017-03-06,,32\n";
    let outcome = read_bytes("info_licitacoes.csv", format!("{EXTRACT}{row}").as_bytes());
    let row = outcome.only();
    assert_eq!(row.sourced.id, "licitacon-rs:99900-2017-10");
    let found = tender(&row.sourced);
    assert_eq!((&found.number, &found.buyer_id), (&text("10/2017"), &text("licitacon-rs:99900")));
    assert_eq!((found.bidders, found.value_estimated, found.value_awarded), (Some(32), brl("234567.5"), None));
    assert_eq!((found.result_on, found.modality, &found.modality_as_stated), (day("2017-03-06"), None, &None));
    assert_eq!(found.criterion, None);
    assert_eq!(
        metadata(&row.sourced),
        json!({"id_estado": "43", "permite_subcontratacao": "N", "tp_fornecimento": "Integral"})
    );
}

#[test]
fn a_file_put_together_from_two_encodings_is_decoded_field_by_field() {
    let mut bytes = EXTRACT.as_bytes().to_vec();
    for number in 1..=40 {
        bytes.extend(format!("43,99900,{number},2017,").bytes());
        bytes.extend(b"Menor Pre\xE7o,N,Integral,");
        bytes.extend("Aquisição,0,,0,1\n".bytes());
    }
    let mut both = b"43,99900,41,2017,Menor Pre\xE7o e t\xC3\xA9cnica,N,Integral,x,0,,0,1\n".to_vec();
    bytes.append(&mut both);
    let outcome = read_bytes("info_licitacoes.csv", &bytes);
    assert_eq!(outcome.result.as_ref().unwrap().encoding, "utf-8 and windows-1252");
    assert_eq!(outcome.faults(), [(42, "encoding")]);
    let rows = outcome.rows();
    assert_eq!(rows.len(), 40);
    let found = tender(&rows[39].sourced);
    assert_eq!((&found.criterion, &found.object), (&text("Menor Preço"), &text("Aquisição")));
    // Zero says nothing, and stays.
    assert_eq!((found.value_estimated, found.value_awarded), (None, None));
    assert_eq!(metadata(&rows[39].sourced)["vl_estimado_licitacao"], "0");
}

#[test]
fn the_courts_own_tenders_have_a_modality_a_law_and_a_buyers_name() {
    let file = "CD_ORGAO,NM_ORGAO,NR_LICITACAO,ANO_LICITACAO,CD_TIPO_MODALIDADE,NR_PROCESSO,ANO_PROCESSO,TP_LICITACAO,TP_RESULTADO_GLOBAL,DS_OBJETO,DS_LEI,DT_ABERTURA,DT_HOMOLOGACAO,DT_ADJUDICACAO,VL_LICITACAO,VL_HOMOLOGADO\n\
        99900,PM DE EXEMPLO,7,2022,PRE,55,2022,MPR,A,Gêneros alimentícios,Lei 14.133/2021,2022-03-01,2022-03-20,2022-03-19,1500.50,1400.00\n";
    let outcome = read_bytes("LICITACAO.csv", file.as_bytes());
    let row = outcome.only();
    assert_eq!(row.sourced.id, "licitacon-rs:99900-PRE-2022-7");
    let found = tender(&row.sourced);
    assert_eq!((found.modality, &found.modality_as_stated), (Some("pregao"), &text("PRE")));
    assert_eq!((found.regime, &found.process, &found.criterion), (Some("lei_14133"), &text("55/2022"), &text("MPR")));
    assert_eq!((found.opened_on, found.result_on), (day("2022-03-01"), day("2022-03-20")));
    assert_eq!((found.value_estimated, found.value_awarded), (brl("1500.5"), brl("1400")));
    let (id, buyer) = row.buyer.as_ref().unwrap();
    assert_eq!(
        (id.as_str(), buyer.name.as_str(), buyer.state.as_deref()),
        ("licitacon-rs:99900", "PM DE EXEMPLO", Some("RS"))
    );
}

#[test]
fn items_of_tenders_have_estimates_and_prices_and_zero_is_no_price() {
    let file = "id_orgao,ano_licitacao,nr_licitacao,nr_item,ds_item,qt_itens_licitacao,sg_unidade_medida,vl_unitario_homologado,vl_total_homologado\n\
        99900,2017,13,12,PAO CASEIRO,190.00,KG,11.00,2090.00\n99900,2017,13,13,LEITE,1.50,L,0.00,0.00\n";
    let outcome = read_bytes("info_item_licitacao.csv", file.as_bytes());
    let rows = outcome.rows();
    let bread = item(&rows[0].sourced);
    assert_eq!(rows[0].sourced.id, "licitacon-rs:99900-2017-13:item:-12");
    assert_eq!((bread.unit.as_deref(), bread.unit_basis), (Some("KG"), Some("stated")));
    assert_eq!((bread.unit_price, bread.price_basis, bread.total), (brl("11"), Some("stated"), brl("2090")));
    assert_eq!(
        (bread.quantity, &bread.tender_id),
        (Some(Quantity::from_scaled(1_900_000)), &text("licitacon-rs:99900-2017-13"))
    );
    assert_eq!(bread.partition_on, day("2017-01-01"));
    let milk = item(&rows[1].sourced);
    assert_eq!((milk.unit_price, milk.price_basis, milk.total), (None, None, None));
    assert_eq!(metadata(&rows[1].sourced), json!({"vl_unitario_homologado": "0.00", "vl_total_homologado": "0.00"}));

    let file = "CD_ORGAO,NR_LICITACAO,ANO_LICITACAO,CD_TIPO_MODALIDADE,NR_LOTE,NR_ITEM,DS_ITEM,QT_ITENS,SG_UNIDADE_MEDIDA,VL_UNITARIO_ESTIMADO,VL_TOTAL_ESTIMADO,TP_RESULTADO_ITEM,VL_UNITARIO_HOMOLOGADO,VL_TOTAL_HOMOLOGADO\n\
        99900,7,2022,PRE,2,1,ARROZ,10,KG,5.5,55,A,5,50\n";
    let outcome = read_bytes("ITEM.csv", file.as_bytes());
    let rice = item(&outcome.only().sourced);
    assert_eq!((&rice.lot, rice.unit_estimate, rice.unit_price), (&text("2"), brl("5.5"), brl("5")));
    assert_eq!((&rice.tender_id, &rice.status), (&text("licitacon-rs:99900-PRE-2022-7"), &text("A")));
}

#[test]
fn bids_of_losers_are_bids_and_a_code_that_we_do_not_know_decides_nothing() {
    let header = "CD_ORGAO,NR_LICITACAO,ANO_LICITACAO,CD_TIPO_MODALIDADE,TP_DOCUMENTO_LICITANTE,NR_DOCUMENTO_LICITANTE,NR_LOTE,NR_ITEM,VL_UNITARIO,VL_TOTAL_ITEM,TP_RESULTADO_PROPOSTA\n";
    let line = |code: &str, status: &str| format!("{header}99900,7,2022,PRE,J,{code},2,1,5.25,52.50,{status}\n");
    let outcome = read_bytes("ITEM_PROP.csv", line("00000000000191", "Vencedora").as_bytes());
    let row = outcome.only();
    assert_eq!(row.sourced.id, "licitacon-rs:99900-PRE-2022-7:bid:2-1:cnpj:00000000000191");
    let won = bid(&row.sourced);
    assert_eq!((won.won, won.valid, won.value, won.unit_price), (Some(true), Some(true), brl("52.5"), brl("5.25")));
    assert_eq!((&won.lot, &won.item_number, &won.bidder_root), (&text("2"), &text("1"), &text("00000000")));
    let outcome = read_bytes("ITEM_PROP.csv", line("00000000000191", "Desclassificada").as_bytes());
    let lost = bid(&outcome.only().sourced);
    assert_eq!((lost.won, lost.valid, &lost.status), (None, Some(false), &text("Desclassificada")));
    let outcome = read_bytes("ITEM_PROP.csv", line("52998224725", "C").as_bytes());
    let row = outcome.only();
    let coded = bid(&row.sourced);
    assert_eq!((coded.won, coded.valid, &coded.bidder_id), (None, None, &None));
    assert_eq!(metadata(&row.sourced)["NR_DOCUMENTO_LICITANTE"], "***982247**");
    let outcome = read_bytes("ITEM_PROP.csv", line("00000000000191", "C").replace("5.25", "5,25").as_bytes());
    assert_eq!(outcome.faults(), [(2, "field_count")]);
}

#[test]
fn who_took_part_is_a_bid_without_an_amount() {
    let file = "CD_ORGAO;NR_LICITACAO;ANO_LICITACAO;CD_TIPO_MODALIDADE;TP_DOCUMENTO_LICITANTE;NR_DOCUMENTO_LICITANTE;TP_RESULTADO_HABILITACAO\n\
        99900;7;2022;PRE;J;00000000000191;Inabilitado\n";
    let outcome = read_bytes("LICITANTE.csv", file.as_bytes());
    let row = outcome.only();
    assert_eq!(row.sourced.id, "licitacon-rs:99900-PRE-2022-7:bidder:cnpj:00000000000191");
    let found = bid(&row.sourced);
    assert_eq!((found.valid, found.won, found.value, &found.item_number), (Some(false), None, None, &None));
}

#[test]
fn contracts_and_their_items_meet() {
    let contracts = "id_estado,id_orgao,nr_licitacao,ano_licitacao,nr_contrato,ano_contrato,tipo_instrumento_contrato,nr_processo,ano_processo,tp_documento_contratado,nr_documento_contratado,dt_inicio_vigencia,dt_final_vigencia,vl_contrato,contrato_possui_garantia,vigencia_original_do_contrato,descricao_objeto_contrato,justificativa_contratacao,obs_contrato\n\
        43,99900,1,2017,28,2017,Contrato,379,2017,J,00000000000191,2017-05-31,2017-12-27,4321.00,N,210,Merenda escolar,\"\",\"\"\n\
        43,99900,1,2017,29,2017,Contrato,379,2017,F,***982247**,,,0.00,N,210,Merenda escolar,\"\",\"\"\n";
    let outcome = read_bytes("info_contratos.csv", contracts.as_bytes());
    let rows = outcome.rows();
    assert_eq!(rows[0].sourced.id, "licitacon-rs:99900:contract:2017-28");
    let found = contract(&rows[0].sourced);
    assert_eq!(
        (&found.number, &found.process, &found.instrument),
        (&text("28/2017"), &text("379/2017"), &text("Contrato"))
    );
    assert_eq!(
        (found.starts_on, found.ends_on, found.value_initial),
        (day("2017-05-31"), day("2017-12-27"), brl("4321"))
    );
    assert_eq!(
        (&found.tender_id, &found.supplier_id),
        (&text("licitacon-rs:99900-2017-1"), &text("cnpj:00000000000191"))
    );
    let of_a_person = contract(&rows[1].sourced);
    assert_eq!((&of_a_person.supplier_id, of_a_person.partition_on), (&None, day("2017-01-01")));
    assert_eq!(metadata(&rows[1].sourced)["nr_documento_contratado"], "***982247**");

    let items = "id_estado,cd_orgao,nr_lote,nr_licitacao,ano_licitacao,nr_contrato,ano_contrato,nr_item,qt_itens_contrato,vl_item_contrato,vl_total_item_contrato\n\
        43,99900,1,1,2017,28,2017,2,60,2.5,150\n";
    let outcome = read_bytes("info_item_contrato.csv", items.as_bytes());
    let row = outcome.only();
    assert_eq!(row.sourced.id, "licitacon-rs:99900:contract:2017-28:item:1-2");
    let found = item(&row.sourced);
    assert_eq!(found.contract_id.as_deref(), Some(rows[0].sourced.id.as_str()));
    assert_eq!((found.unit_price, found.total, &found.lot), (brl("2.5"), brl("150"), &text("1")));
}

#[test]
fn tables_joined_for_a_page_are_no_records() {
    for header in [
        "id_estado,nm_municipio,contratos,descricao_objeto_contrato,dt_inicio_vigencia,dt_final_vigencia,vl_contrato,tp_documento_contratado,nr_documento_contratado,razao_social",
        "id_estado,nm_municipio,licitacao_ano,nr_item,ds_item,qt_itens_licitacao,vl_unitario_estimado,vl_total_estimado,contrato_ano,qt_itens_contrato,vl_item_contrato,vl_total_item_contrato",
    ] {
        let outcome = read_bytes("tb.csv", format!("{header}\n").as_bytes());
        assert!(matches!(outcome.result, Err(Error::UnknownFormat { .. })), "{header}");
    }
}
