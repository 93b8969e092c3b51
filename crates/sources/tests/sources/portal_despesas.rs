//! Bulk expenses of the Portal: its own layout, and copies in snake case.

use model::{Payment, Record, Sourced};
use serde_json::json;
use sources::Format;

use super::{brl, cp1252, day, metadata, read_bytes, text};

pub fn payment(sourced: &Sourced) -> &Payment {
    let Record::Payment(payment) = &sourced.record else { panic!("a payment, not {:?}", sourced.record) };
    payment
}

const HEADER: &str = "\"Id Empenho\";\"Código Empenho\";\"Código Empenho Resumido\";\"Data Emissão\";\"Espécie Empenho\";\"Código Órgão Superior\";\"Órgão Superior\";\
\"Código Órgão\";\"Órgão\";\"Código Unidade Gestora\";\"Unidade Gestora\";\"Código Favorecido\";\"Favorecido\";\"Observação\";\"Código Elemento de Despesa\";\"Elemento de Despesa\";\
\"Processo\";\"Modalidade de Licitação\";\"Inciso\";\"Amparo\";\"Referência de dispensa ou inexigibilidade\";\"Valor Original do Empenho\";\"Valor do Empenho Convertido pra R$\";\"Valor Utilizado na Conversão\"";

const ROW: &str = "64402270;159999000012024NE000012;2024NE000012;05/02/2024;REFORÇO;26000;Ministério da Educação;26999;Universidade de Exemplo;159999;CAMPUS EXEMPLO;\
00000000000191;EXEMPLO SA;Café para o campus;30;Material de Consumo;23000000012024;Dispensa de Licitação;02;LEI8666;ART24/02 LEI8666/93;1234,56;1234,56;1";

fn file(row: &str) -> Vec<u8> {
    cp1252(&format!("{HEADER}\n\"{}\"\n", row.replace(';', "\";\"")))
}

#[test]
fn a_commitment_of_the_portals_own_layout_maps_exactly() {
    let outcome = read_bytes("20240205_Despesas_Empenho.csv", &file(ROW));
    let header = outcome.result.as_ref().unwrap();
    assert_eq!((header.format, &*header.source), (Format::PortalDespesasEmpenho, "portal-despesas"));
    let row = outcome.only();
    assert_eq!(row.sourced.id, "portal-despesas:commitment:159999000012024NE000012:2024-02-05");
    let found = payment(&row.sourced);
    assert_eq!((found.kind, &found.number), ("commitment", &text("2024NE000012")));
    assert_eq!((&found.buyer_id, &found.buyer_name), (&text("uasg:159999"), &text("CAMPUS EXEMPLO")));
    assert_eq!((&found.supplier_id, &found.supplier_root), (&text("cnpj:00000000000191"), &text("00000000")));
    assert_eq!(
        (found.issued_on, found.value, found.partition_on),
        (day("2024-02-05"), brl("1234.56"), day("2024-02-05"))
    );
    assert_eq!((&found.expense_code, &found.expense_name), (&text("30"), &text("Material de Consumo")));
    assert_eq!((&found.process, &found.note), (&text("23000000012024"), &text("Café para o campus")));
    assert_eq!(
        (&found.modality_as_stated, &found.legal_basis),
        (&text("Dispensa de Licitação"), &text("ART24/02 LEI8666/93"))
    );
    let buyer = &row.buyer.as_ref().unwrap().1;
    assert_eq!((&buyer.parent_code, &buyer.superior_name), (&text("26999"), &text("Ministério da Educação")));
    assert_eq!(
        metadata(&row.sourced),
        json!({
            "Id Empenho": "64402270", "Espécie Empenho": "REFORÇO", "Inciso": "02", "Amparo": "LEI8666",
            "Valor Original do Empenho": "1234,56", "Valor Utilizado na Conversão": "1"
        }),
        "the species stays beside the amount whose sign it gives"
    );
}

#[test]
fn an_annulment_is_negative_and_what_may_go_either_way_has_no_amount() {
    let value_of = |species: &str| {
        let outcome = read_bytes("e.csv", &file(&ROW.replace("REFORÇO", species)));
        let row = outcome.only();
        (payment(&row.sourced).value, metadata(&row.sourced)["Valor do Empenho Convertido pra R$"].clone())
    };
    let null = serde_json::Value::Null;
    assert_eq!(value_of("ORIGINAL"), (brl("1234.56"), null.clone()));
    assert_eq!(value_of("Não se aplica"), (brl("1234.56"), null));
    for species in ["ANULAÇÃO", "CANCELAMENTO"] {
        assert_eq!(value_of(species), (brl("-1234.56"), json!("1234,56")), "{species}");
    }
    for species in ["ESTORNO", "Inválido"] {
        assert_eq!(value_of(species), (None, json!("1234,56")), "{species}");
    }
}

#[test]
fn a_copy_in_snake_case_has_iso_days_and_decimal_dots() {
    let names = "aaaammdd,codigo_empenho,codigo_empenho_resumido,data_emissao,codigo_unidade_gestora,unidade_gestora,codigo_favorecido,favorecido,processo,amparo,\
                 referencia_de_dispensa_ou_inexigibilidade,valor_do_empenho_convertido_pra_r";
    let rows = "20190109,1599990000120,2019NE1,2019-01-09,159999,CAMPUS,159999,CAMPUS,-8,LEI 10.520 / 2002,-2,5638.4\n\
                20190109,1599990000121,2019NE2,2019-01-09,159999,CAMPUS,***.982.247-**,JOSE DA SILVA,1,SI,SEM INFORMACAO,24723";
    let outcome = read_bytes("e.csv", format!("{names}\n{rows}\n").as_bytes());
    assert_eq!(outcome.faults(), []);
    let rows = outcome.rows();
    let unit = payment(&rows[0].sourced);
    assert_eq!((&unit.supplier_id, &unit.supplier_name), (&None, &text("CAMPUS")), "a unit is no supplier");
    assert_eq!((unit.value, unit.issued_on, &unit.process), (brl("5638.4"), day("2019-01-09"), &None));
    assert_eq!(unit.legal_basis, text("LEI 10.520 / 2002"));
    assert_eq!(metadata(&rows[0].sourced)["codigo_favorecido"], json!("159999"));
    let person = payment(&rows[1].sourced);
    assert_eq!(person.supplier_id, text("cpf:***.982.247-**|jose da silva"));
    assert_eq!((person.value, &person.legal_basis), (brl("24723"), &None));
}

#[test]
fn a_note_written_to_on_two_days_is_two_records() {
    let later = ROW.replace("05/02/2024", "06/02/2024");
    let rows = [ROW, &later].map(|row| format!("\"{}\"\n", row.replace(';', "\";\""))).concat();
    let outcome = read_bytes("e.csv", &cp1252(&format!("{HEADER}\n{rows}")));
    let ids: Vec<_> = outcome.rows().iter().map(|row| row.sourced.id.clone()).collect();
    assert_eq!(ids.len(), 2);
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn settlements_and_payments_are_told_apart() {
    let file = |what: &str, value: &str| {
        cp1252(&format!(
            "\"Código {what}\";\"Código {what} Resumido\";\"Data Emissão\";\"Código Unidade Gestora\";\"Unidade Gestora\";\"Código Favorecido\";\"Favorecido\";\"{value}\"\n\
             \"159999000012024XX000012\";\"2024XX000012\";\"05/02/2024\";\"159999\";\"CAMPUS\";\"00000000000191\";\"EXEMPLO SA\";\"1.000,50\"\n"
        ))
    };
    let outcome = read_bytes("p.csv", &file("Pagamento", "Valor do Pagamento Convertido pra R$"));
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::PortalDespesasPagamento);
    let row = outcome.only();
    assert_eq!(row.sourced.id, "portal-despesas:payment:159999000012024XX000012:2024-02-05");
    assert_eq!((payment(&row.sourced).kind, payment(&row.sourced).value), ("payment", brl("1000.5")));
    let outcome = read_bytes("l.csv", &file("Liquidação", "Valor da Liquidação"));
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::PortalDespesasLiquidacao);
    assert_eq!(payment(&outcome.only().sourced).kind, "settlement");
}

#[test]
fn bad_rows_are_quarantined_with_their_column() {
    for (from, to, reason) in [
        ("159999000012024NE000012", "", "required_field"),
        ("05/02/2024", "30/02/2024", "date"),
        ("1234,56;1234,56", "1234,56;1234.56", "number_style"),
        ("1234,56;1234,56", "1234,56;abc", "amount"),
    ] {
        assert_eq!(read_bytes("e.csv", &file(&ROW.replace(from, to))).faults(), [(2, reason)], "{to}");
    }
}
