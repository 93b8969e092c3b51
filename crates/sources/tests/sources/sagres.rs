//! SAGRES, the court of accounts of Paraíba.

use model::Record;
use serde_json::json;
use sources::Error;

use super::{brl, contract, cp1252, day, metadata, read_bytes, tender, text};

const TENDERS: &str =
    "cd_UGestora,nu_Licitacao,tp_Licitacao,dt_Ano,dt_Homologacao,de_Obs,vl_Licitacao,nu_Propostas,dt_MesAno\n";

#[test]
fn a_tender_keeps_its_kind_as_a_code_and_its_number_of_proposals() {
    let file = format!("{TENDERS}201999,000555016,11,2016,2016-05-03 00:00:00,LOCACAO DE VEICULO,1e+05,3,052016\n");
    let outcome = read_bytes("l.csv", file.as_bytes());
    let row = outcome.only();
    assert_eq!(row.sourced.id, "sagres-pb:201999-11-000555016");
    let found = tender(&row.sourced);
    assert_eq!((found.modality, &found.modality_as_stated), (None, &text("11")));
    assert_eq!((found.bidders, found.value_awarded, found.value_estimated), (Some(3), brl("100000"), None));
    assert_eq!((found.result_on, found.partition_on), (day("2016-05-03"), day("2016-05-03")));
    assert_eq!((&found.buyer_id, &found.object), (&text("sagres-pb:201999"), &text("LOCACAO DE VEICULO")));
    assert_eq!(found.activity, Some("locacao_veiculos"));
    assert_eq!(metadata(&row.sourced), json!({"dt_Ano": "2016", "dt_MesAno": "052016"}));
}

#[test]
fn what_is_not_available_is_not_stated_and_a_value_needs_a_result() {
    let file = format!("{TENDERS}201999,000555016,8,2016,NA,NA,500,NA,052016\n");
    let outcome = read_bytes("l.csv", file.as_bytes());
    let row = outcome.only();
    let found = tender(&row.sourced);
    assert_eq!((found.bidders, found.value_awarded, &found.object), (None, None, &None));
    assert_eq!(metadata(&row.sourced)["vl_Licitacao"], "500");
}

#[test]
fn the_shorter_edition_of_tenders_is_read_too() {
    let file = "\"nu_Licitacao\",\"cd_UGestora\",\"tp_Licitacao\",\"dt_Homologacao\",\"tp_Objeto\",\"vl_Licitacao\",\"de_Obs\"\n\
        \"000012013\",101999,8,\"2013-03-22 00:00:00\",2,25000.5,\"ampliação do painel\"\n";
    let outcome = read_bytes("licitacao.csv", &cp1252(file));
    let row = outcome.only();
    assert_eq!(tender(&row.sourced).value_awarded, brl("25000.5"));
    assert_eq!(metadata(&row.sourced), json!({"tp_Objeto": "2"}));
}

const CONTRACTS: &str = "cd_UGestora,nu_Contrato,nu_Licitacao,de_ObsContrato,dt_AnoContrato,nu_CPFCNPJ,vl_TotalContrato,dt_MesAnoContrato\n";

#[test]
fn a_contract_has_a_company_and_the_month_of_its_report() {
    let file =
        format!("{CONTRACTS}201999,000999016,000888016,CONTRATACAO DE VEICULO,2016,00000000000191,12345.5,072016\n");
    let outcome = read_bytes("c.csv", file.as_bytes());
    let row = outcome.only();
    assert_eq!(row.sourced.id, "sagres-pb:201999:contract:000999016");
    let found = contract(&row.sourced);
    assert_eq!((&found.supplier_id, &found.supplier_root), (&text("cnpj:00000000000191"), &text("00000000")));
    assert_eq!((found.value_initial, found.signed_on, found.partition_on), (brl("12345.5"), None, day("2016-07-01")));
    // The tender's kind is not stated, and numbers repeat among kinds.
    assert_eq!(found.tender_id, None);
    assert_eq!(
        metadata(&row.sourced),
        json!({"dt_AnoContrato": "2016", "nu_Licitacao": "000888016", "dt_MesAnoContrato": "072016"})
    );
}

#[test]
fn a_person_in_fourteen_places_is_masked_and_without_a_name_unknown() {
    let file = format!("{CONTRACTS}201999,000999016,000888016,VEICULO,2016,00052998224725,100,002016\n");
    let outcome = read_bytes("c.csv", file.as_bytes());
    let row = outcome.only();
    let found = contract(&row.sourced);
    assert_eq!((&found.supplier_id, found.partition_on), (&None, None));
    assert_eq!(metadata(&row.sourced)["nu_CPFCNPJ"], "000***982247**");
    assert!(!format!("{row:?}").contains("52998224725"));
}

const AMENDMENTS: &str =
    "cd_UGestora;dt_Ano;nu_Contrato;nu_Aditivo;dt_Assinatura;de_Motivo;vl_Aditivo;dt_MesAno;dt_Aditado\n";

#[test]
fn amendments_may_take_away_and_days_have_no_zeros_before_them() {
    let file = format!(
        "{AMENDMENTS}201999;2013;000666008;\u{A0}0012013;9/7/2013 00:00:00;Supressão;-1520,7000;072013;31/12/2013 00:00:00\n"
    );
    let outcome = read_bytes("a.csv", &cp1252(&file));
    let row = outcome.only();
    assert_eq!(row.sourced.id, "sagres-pb:201999:contract:000666008:amendment:0012013");
    let Record::Amendment(found) = &row.sourced.record else { panic!("an amendment") };
    assert_eq!((found.value, &found.object), (brl("-1520.7"), &text("Supressão")));
    assert_eq!((found.signed_on, found.ends_on), (day("2013-07-09"), day("2013-12-31")));
    assert_eq!(found.contract_id, text("sagres-pb:201999:contract:000666008"));
    assert_eq!(metadata(&row.sourced), json!({"dt_Ano": "2013", "dt_MesAno": "072013"}));
}

#[test]
fn an_edition_with_a_column_of_row_numbers_gives_the_same_ids() {
    let file = format!(";{AMENDMENTS}7;201999;2013;000666008;;9/7/2013 00:00:00;Prazo;0,0000;2013.0;\n");
    let outcome = read_bytes("a.csv", file.as_bytes());
    let row = outcome.only();
    assert_eq!(row.sourced.id, "sagres-pb:201999:contract:000666008:amendment:of-2013-07-09");
    let Record::Amendment(found) = &row.sourced.record else { panic!("an amendment") };
    assert_eq!((&found.number, found.value, found.ends_on), (&None, brl("0"), None));
}

#[test]
fn an_amendment_with_a_dot_may_mean_two_amounts_and_is_quarantined() {
    for value in ["1.520", "1.520,70", "1520.70"] {
        let file = format!("{AMENDMENTS}201999;2013;000666008;1;9/7/2013 00:00:00;Prazo;{value};072013;\n");
        assert_eq!(read_bytes("a.csv", file.as_bytes()).faults(), [(2, "number_style")], "{value}");
    }
    let file = format!("{AMENDMENTS}201999;2013;000666008;1;31/2/2013 00:00:00;Prazo;1,0000;072013;\n");
    assert_eq!(read_bytes("a.csv", file.as_bytes()).faults(), [(2, "date")]);
}

#[test]
fn commitments_name_their_tender_and_payments_their_commitment() {
    let commitments = "cd_UGestora,dt_AnoEmpenho,nu_Licitacao,nu_Empenho,cd_UnidOrcamentaria,tp_Licitacao,vl_Empenho,cd_Funcao,cd_Subfuncao,cd_SubElemento,dt_MesAnoEmpenho,dt_Empenho\n\
        201999,2016,000777016,0009999,02060,11,3000,12,361,61,042016,2016-04-28T00:00:00Z\n";
    let outcome = read_bytes("e.csv", commitments.as_bytes());
    let row = outcome.only();
    assert_eq!(row.sourced.id, "sagres-pb:201999:commitment:2016-02060-0009999");
    let Record::Payment(found) = &row.sourced.record else { panic!("a payment") };
    assert_eq!((found.kind, found.value, found.issued_on), ("commitment", brl("3000"), day("2016-04-28")));
    assert_eq!((&found.tender_id, &found.expense_code), (&text("sagres-pb:201999-11-000777016"), &None));
    assert_eq!(metadata(&row.sourced)["cd_SubElemento"], "61");

    let payments = "cd_UGestora,dt_Ano,cd_UnidOrcamentaria,nu_Empenho,nu_Parcela,tp_Lancamento,vl_Pagamento,dt_Pagamento\n\
        201999,2016,02060,0009999,0000002,1,1500.25,2016-05-04 00:00:00\n";
    let outcome = read_bytes("p.csv", payments.as_bytes());
    let row = outcome.only();
    assert_eq!(row.sourced.id, "sagres-pb:201999:commitment:2016-02060-0009999:payment:0000002");
    let Record::Payment(found) = &row.sourced.record else { panic!("a payment") };
    assert_eq!((found.kind, found.value, found.issued_on), ("payment", brl("1500.25"), day("2016-05-04")));
}

#[test]
fn a_managing_unit_is_a_term_and_names_a_buyer() {
    let by_year = "\"cd_Ugestora\",\"dt_Ano\",\"de_Ugestora\",\"nu_CNPJ\",\"cd_Ibge\",\"cd_Municipio\"\n\
        \"101999\",\"2009\",\"Câmara  de Exemplo\",\"00000000000191\",\"2500000\",\"999\"\n";
    let outcome = read_bytes("u.csv", by_year.as_bytes());
    let row = outcome.only();
    let Record::Term(term) = &row.sourced.record else { panic!("a term") };
    assert_eq!((row.sourced.id.as_str(), term.list), ("sagres-pb:unit:101999-2009", "managing_unit"));
    assert_eq!((term.code.as_str(), term.meaning.as_str()), ("101999", "Câmara de Exemplo"));
    let (id, buyer) = row.buyer.as_ref().unwrap();
    assert_eq!((id.as_str(), buyer.name.as_str()), ("sagres-pb:101999", "Câmara de Exemplo"));
    assert_eq!((buyer.state.as_deref(), &buyer.sphere, buyer.seen_on), (Some("PB"), &None, day("2009-01-01")));
    assert_eq!(buyer.cnpj, text("00000000000191"));

    let outcome = read_bytes("u.csv", &cp1252("\"cd_UGestora\",\"de_Ugestora\"\n101999,\"Câmara de Exemplo\"\n"));
    assert_eq!(outcome.only().sourced.id, "sagres-pb:unit:101999");
}

#[test]
fn a_table_of_something_else_that_names_units_is_no_list_of_units() {
    let file = "cd_UGestora,de_UGestora,nu_Empenho,vl_Outro\n201999,Prefeitura,1,2\n";
    let outcome = read_bytes("x.csv", file.as_bytes());
    assert!(matches!(outcome.result, Err(Error::UnknownFormat { .. })), "{:?}", outcome.result);
}

#[test]
fn statistics_that_an_author_made_are_no_records() {
    for header in [
        "p1.cpfCnpj,p2.cpfCnpj,frequency",
        "nu_cpfcnpj,nome,n_licitacoes,n_vencedora",
        "cd_Credor,de_Municipio,ganhou,valor_total_emp,valor_mediana_emp,valor_total_pag,no_Credor",
        "\"tp_licitacao\",\"vl_total_contrato\",\"n_licitacoes_part\",\"n_propostas\",\"total_ganho\",\"status_tramita\"",
    ] {
        let outcome = read_bytes("x.csv", format!("{header}\n1,2,3,4,5,6,7\n").as_bytes());
        assert!(matches!(outcome.result, Err(Error::UnknownFormat { .. })), "{header}");
    }
}
