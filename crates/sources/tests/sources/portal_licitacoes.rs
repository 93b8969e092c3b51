//! Bulk tenders of the Portal: tenders, items, participants, commitments.

use model::Record;
use serde_json::json;
use sources::Format;

use super::{brl, cp1252, day, metadata, read_bytes, tender, text};

const HEADER: &str = "\"Número Licitação\";\"Código UG\";\"Nome UG\";\"Código Modalidade Compra\";\"Modalidade Compra\";\"Número Processo\";\
\"Objeto\";\"Situação Licitação\";\"Código Órgão Superior\";\"Nome Órgão Superior\";\"Código Órgão\";\"Nome Órgão\";\"UF\";\"Município\";\
\"Data Resultado Compra\";\"Data Abertura\";\"Valor Licitação\"";

fn tender_file(result_on: &str, trailing: &str) -> Vec<u8> {
    let row = format!(
        "\"000072024\";\"159998\";\"REITORIA\";\"-99\";\"Pregão - Registro de Preço\";\"23000000001202411\";\"Objeto: Café\";\"Encerrado\";\
         \"26000\";\"Ministério da Educação\";\"26999\";\"Universidade de Exemplo\";\"df\";\"BRASILIA\";\"{result_on}\";\"02/01/2024\";\"1500,0000\""
    );
    cp1252(&format!("{HEADER}{trailing}\n{row}{trailing}\n"))
}

#[test]
fn a_tender_maps_exactly() {
    let outcome = read_bytes("202401_Licitação.csv", &tender_file("30/01/2024", ";"));
    let row = outcome.only();
    assert_eq!(row.sourced.id, "portal-licitacoes:159998--99-000072024");
    let found = tender(&row.sourced);
    assert_eq!((&found.number, &found.process), (&text("000072024"), &text("23000000001202411")));
    assert_eq!((found.modality, found.price_registration), (Some("pregao"), Some(true)));
    assert_eq!((found.opened_on, found.result_on), (day("2024-01-02"), day("2024-01-30")));
    assert_eq!((found.value_estimated, found.value_awarded), (None, brl("1500")));
    assert_eq!((found.published_on, found.closes_on, &found.legal_basis), (None, None, &None));
    assert_eq!((&found.status, found.partition_on), (&text("Encerrado"), day("2024-01-02")));
    assert_eq!(row.sourced.metadata, None);
    let (id, buyer) = row.buyer.as_ref().unwrap();
    assert_eq!((id.as_str(), buyer.state.as_deref()), ("uasg:159998", Some("DF")));
    assert_eq!((buyer.municipality.as_deref(), buyer.seen_on), (Some("BRASILIA"), day("2024-01-30")));
}

#[test]
fn a_value_without_a_day_of_result_is_no_award_and_stays_in_the_metadata() {
    let outcome = read_bytes("t.csv", &tender_file("", ""));
    let row = outcome.only();
    assert_eq!((tender(&row.sourced).value_awarded, tender(&row.sourced).value_estimated), (None, None));
    assert_eq!(metadata(&row.sourced), json!({"Valor Licitação": "1500,0000"}));
}

#[test]
fn a_won_item_names_its_winner() {
    let file = "\"Número Licitação\";\"Código UG\";\"Nome UG\";\"Código Modalidade Compra\";\"Modalidade Compra\";\"Número Processo\";\"Código Órgão\";\"Nome Órgão\";\
        \"Código Item Compra\";\"Descrição\";\"Quantidade Item\";\"Valor Item\";\"Código Vencedor\";\"Nome Vencedor\"\n\
        \"000072024\";\"159998\";\"REITORIA\";\"5\";\"Pregão\";\"1\";\"26999\";\"Universidade\";\"15999805000072024000001\";\"CAFÉ\";\"4\";\"100,0000\";\"00000000000191\";\"EXEMPLO SA\"\n";
    let outcome = read_bytes("202401_ItemLicitação.csv", &cp1252(file));
    let row = outcome.only();
    assert_eq!(row.sourced.id, "portal-licitacoes:159998-5-000072024:item:15999805000072024000001");
    let Record::Item(item) = &row.sourced.record else { panic!("an item") };
    assert_eq!((&item.tender_id, &item.contract_id), (&text("portal-licitacoes:159998-5-000072024"), &None));
    assert_eq!((&item.supplier_id, item.unit_price, item.total), (&text("cnpj:00000000000191"), brl("25"), brl("100")));
    assert_eq!(row.supplier.as_ref().unwrap().1.seen_on, day("2024-01-01"));
}

#[test]
fn every_participant_is_a_bid_and_sim_is_a_win() {
    for (column, format) in [("CPF/CNPJ Participante", "a.csv"), ("Código Participante", "b.csv")] {
        let file = format!(
            "\"Número Licitação\";\"Código UG\";\"Nome UG\";\"Código Modalidade Compra\";\"Modalidade Compra\";\"Número Processo\";\"Código Órgão\";\"Nome Órgão\";\
             \"Código Item Compra\";\"Descrição Item Compra\";\"{column}\";\"Nome Participante\";\"Flag Vencedor\"\n\
             \"000072024\";\"159998\";\"REITORIA\";\"5\";\"Pregão\";\"1\";\"26999\";\"Universidade\";\"1\";\"CAFÉ\";\"00000000000191\";\"EXEMPLO SA\";\"SIM\"\n\
             \"000072024\";\"159998\";\"REITORIA\";\"5\";\"Pregão\";\"1\";\"26999\";\"Universidade\";\"1\";\"CAFÉ\";\"-11\";\"Sem informação\";\"NÃO\"\n"
        );
        let outcome = read_bytes(format, &cp1252(&file));
        assert_eq!(outcome.result.as_ref().unwrap().format, Format::PortalParticipantes);
        let bids: Vec<_> = outcome
            .rows()
            .iter()
            .map(|row| match &row.sourced.record {
                Record::Bid(bid) => (row.sourced.id.clone(), bid.bidder_id.clone(), bid.won),
                other => panic!("a bid, not {other:?}"),
            })
            .collect();
        let id = "portal-licitacoes:159998-5-000072024:bid:1:";
        assert_eq!(
            bids,
            [
                (format!("{id}cnpj:00000000000191"), text("cnpj:00000000000191"), Some(true)),
                (format!("{id}name:"), None, Some(false)),
            ]
        );
    }
}

#[test]
fn a_commitment_is_a_payment_of_that_kind() {
    let file = "\"Número Licitação\";\"Código UG\";\"Nome UG\";\"Código Modalidade Compra\";\"Modalidade Compra\";\"Número Processo\";\
        \"Código Empenho\";\"Data Emissão Empenho\";\"Observação Empenho\";\"Valor Empenho (R$)\"\n\
        \"000072024\";\"159998\";\"REITORIA\";\"5\";\"Pregão\";\"1\";\"159998269992024NE000012\";\"15/03/2024\";\"CAFÉ PARA CPF 529.982.247-25\";\"1.500,00\"\n";
    let outcome = read_bytes("202403_EmpenhosRelacionados.csv", &cp1252(file));
    let row = outcome.only();
    assert_eq!(row.sourced.id, "portal-licitacoes:159998-5-000072024:commitment:159998269992024NE000012");
    let Record::Payment(found) = &row.sourced.record else { panic!("a payment") };
    assert_eq!((found.kind, found.issued_on, found.value), ("commitment", day("2024-03-15"), brl("1500")));
    assert_eq!(found.tender_id, text("portal-licitacoes:159998-5-000072024"));
    assert_eq!(found.note, text("CAFÉ PARA CPF ***.982.247-**"));
}
