//! Bulk purchases of the Portal: contracts, items, amendments, apostilles.

use model::{Modality, Quantity, Record};
use serde_json::json;
use sources::Format;

use super::{brl, contract, cp1252, day, metadata, read_bytes, text};

pub const HEADER: &str = "\"Número do Contrato\";\"Objeto\";\"Fundamento Legal\";\"Modalidade Compra\";\"Situação Contrato\";\
\"Código Órgão Superior\";\"Nome Órgão Superior\";\"Código Órgão\";\"Nome Órgão\";\"Código UG\";\"Nome UG\";\
\"Data Assinatura Contrato\";\"Data Publicação DOU\";\"Data Início Vigência\";\"Data Fim Vigência\";\
\"Código Contratado\";\"Nome Contratado\";\"Valor Inicial Compra\";\"Valor Final Compra\";\"Número Licitação\";\
\"Código UG Licitação\";\"Nome UG Licitação\";\"Código Modalidade Compra Licitação\";\"Modalidade Compra Licitação\"";

pub const ROW: &str = "\"00012/2024\";\"Objeto: Aquisição de papel  A4\";\"Lei 14.133/2021, art. 75, II\";\"Dispensa de Licitação\";\"Publicado\";\
\"26000\";\"Ministério da Educação\";\"26999\";\"Universidade de Exemplo\";\"159999\";\"CAMPUS EXEMPLO\";\
\"05/02/2024\";\"07/02/2024\";\"05/02/2024\";\"04/02/2025\";\
\"00.000.000/0001-91\";\"PAPELARIA EXEMPLO LTDA\";\"6058,6000\";\"1.234.567,89\";\"000072024\";\
\"159998\";\"REITORIA\";\"6\";\"Dispensa de Licitação\"";

/// The row with the `column`-th field (0 is the first) replaced.
pub fn row_with(column: usize, value: &str) -> String {
    let mut fields: Vec<String> = ROW.split(';').map(str::to_owned).collect();
    fields[column] = format!("\"{value}\"");
    fields.join(";")
}

pub fn file_of(rows: &[String]) -> Vec<u8> {
    cp1252(&format!("{HEADER}\n{}\n", rows.join("\n")))
}

#[test]
fn a_contract_maps_exactly() {
    let outcome = read_bytes("202402_Compras.csv", &file_of(&[ROW.to_owned()]));
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::PortalCompras);
    assert_eq!(outcome.result.as_ref().unwrap().encoding, "windows-1252");
    let row = outcome.only();
    assert_eq!(row.sourced.id, "portal-compras:159999-00012/2024");
    assert_eq!(row.sourced.line, 2);
    assert_eq!(row.sourced.row_hash.len(), 32);
    assert_eq!(row.sourced.updated_at, None);
    let found = contract(&row.sourced);
    assert_eq!(found.number, text("00012/2024"));
    assert_eq!(found.object, text("Objeto: Aquisição de papel A4"));
    assert_eq!(found.legal_basis, text("Lei 14.133/2021, art. 75, II"));
    assert_eq!(found.regime, Some("lei_14133"));
    assert_eq!(found.modality, Some("dispensa"));
    assert_eq!(found.modality_as_stated, text("Dispensa de Licitação"));
    assert_eq!(found.status, text("Publicado"));
    assert_eq!((&found.buyer_id, &found.buyer_name), (&text("uasg:159999"), &text("CAMPUS EXEMPLO")));
    assert_eq!(found.supplier_id, text("cnpj:00000000000191"));
    assert_eq!(found.supplier_root, text("00000000"));
    assert_eq!(found.supplier_name, text("PAPELARIA EXEMPLO LTDA"));
    assert_eq!((found.signed_on, found.published_on), (day("2024-02-05"), day("2024-02-07")));
    assert_eq!((found.starts_on, found.ends_on), (day("2024-02-05"), day("2025-02-04")));
    assert_eq!((found.value_initial, found.value_final), (brl("6058.6"), brl("1234567.89")));
    assert_eq!(found.tender_id, text("portal-licitacoes:159998-6-000072024"));
    assert_eq!((found.income, found.partition_on), (false, day("2024-02-05")));
    assert_eq!(
        metadata(&row.sourced),
        json!({"Nome UG Licitação": "REITORIA", "Modalidade Compra Licitação": "Dispensa de Licitação"})
    );
    let (id, buyer) = row.buyer.as_ref().unwrap();
    assert_eq!(
        (id.as_str(), buyer.name.as_str(), buyer.sphere.as_deref()),
        ("uasg:159999", "CAMPUS EXEMPLO", Some("F"))
    );
    assert_eq!((buyer.code.as_deref(), buyer.parent_code.as_deref()), (Some("159999"), Some("26999")));
    assert_eq!((buyer.superior_code.as_deref(), buyer.seen_on), (Some("26000"), day("2024-02-05")));
    assert_eq!(buyer.superior_name, text("Ministério da Educação"));
    let (id, supplier) = row.supplier.as_ref().unwrap();
    assert_eq!((id.as_str(), supplier.kind), ("cnpj:00000000000191", "company"));
}

#[test]
fn the_object_gives_the_line_of_activity_and_says_so() {
    let outcome = read_bytes("c.csv", &file_of(&[ROW.to_owned()]));
    let found = contract(&outcome.only().sourced);
    let expected = model::activity::activity_of_text("Objeto: Aquisição de papel A4").map(|a| a.code());
    assert_eq!((found.activity, found.activity_basis), (expected, expected.map(|_| "text")));
}

#[test]
fn what_the_portal_does_not_say_is_not_invented() {
    let cases: [(usize, &str); 6] =
        [(1, "Sem informação"), (3, "Sem Informação"), (11, ""), (15, "-11"), (17, "Sem informação"), (19, "-1")];
    for (column, value) in cases {
        let outcome = read_bytes("c.csv", &file_of(&[row_with(column, value)]));
        let found = contract(&outcome.only().sourced).clone();
        match column {
            1 => assert_eq!((found.object, found.activity), (None, None)),
            3 => assert_eq!((found.modality, found.modality_as_stated), (None, None)),
            11 => assert_eq!((found.signed_on, found.partition_on), (None, day("2024-02-07"))),
            15 => assert_eq!((found.supplier_id, found.supplier_root), (None, None)),
            17 => assert_eq!(found.value_initial, None),
            _ => assert_eq!(found.tender_id, None),
        }
    }
}

#[test]
fn without_days_the_month_of_the_files_name_partitions() {
    let mut row = row_with(11, "");
    row = row.replace("\"07/02/2024\"", "\"\"");
    let outcome = read_bytes("202402_Compras.csv", &file_of(std::slice::from_ref(&row)));
    assert_eq!(contract(&outcome.only().sourced).partition_on, day("2024-02-01"));
    let outcome = read_bytes("Compras.csv", &file_of(&[row]));
    assert_eq!(contract(&outcome.only().sourced).partition_on, None);
}

#[test]
fn negative_values_and_persons_are_read_and_persons_masked() {
    let outcome = read_bytes("c.csv", &file_of(&[row_with(18, "- 24.312,82")]));
    assert_eq!(contract(&outcome.only().sourced).value_final, brl("-24312.82"));
    for code in ["529.982.247-25", "52998224725", "***.982.247-**"] {
        let row = row_with(15, code).replace("PAPELARIA EXEMPLO LTDA", "JOSÉ DA SILVA");
        let outcome = read_bytes("c.csv", &file_of(&[row]));
        let found = contract(&outcome.only().sourced);
        assert_eq!(found.supplier_id, text("cpf:***.982.247-**|jose da silva"), "{code}");
        assert!(!format!("{:?}", outcome.events).contains("52998"), "{code}");
    }
}

#[test]
fn a_masked_and_a_whole_cpf_in_a_text_give_one_hash() {
    let whole = read_bytes("c.csv", &file_of(&[row_with(1, "Serviço de 52998224725 e outros")]));
    let masked = read_bytes("c.csv", &file_of(&[row_with(1, "Serviço de ***982247** e outros")]));
    assert_eq!(whole.only().sourced.row_hash, masked.only().sourced.row_hash);
    assert_eq!(contract(&whole.only().sourced).object, text("Serviço de ***982247** e outros"));
}

#[test]
fn an_amount_that_looks_like_a_cpf_is_still_an_amount() {
    let outcome = read_bytes("c.csv", &file_of(&[row_with(18, "52998224725,00")]));
    assert_eq!(contract(&outcome.only().sourced).value_final, brl("52998224725"));
}

#[test]
fn modality_comes_from_words_else_from_the_portals_number() {
    for (words, modality) in [
        ("Pregão - Registro de Preço", Some(Modality::Pregao)),
        ("Tomada de Preços", Some(Modality::TomadaDePrecos)),
        ("-99", Some(Modality::Pregao)),
        ("3", Some(Modality::Concorrencia)),
        ("Outra", None),
    ] {
        let outcome = read_bytes("c.csv", &file_of(&[row_with(3, words)]));
        let found = contract(&outcome.only().sourced);
        assert_eq!(found.modality, modality.map(Modality::code), "{words}");
        assert_eq!(found.modality_as_stated, text(words));
    }
}

const ITEM_HEADER: &str = "\"Código Órgão\";\"Nome Órgão\";\"Código UG\";\"Nome UG\";\"Número Contrato\";\"Código Item Compra\";\
\"Descrição Item Compra\";\"Descrição Complementar Item Compra\";\"Quantidade Item\";\"Valor Item\"";

fn item_file(code: &str, detail: &str, quantity: &str, total: &str) -> Vec<u8> {
    cp1252(&format!(
        "{ITEM_HEADER}\n\"26999\";\"Universidade de Exemplo\";\"159999\";\"CAMPUS EXEMPLO\";\"00012/2024\";\"{code}\";\"PAPEL A4\";\"{detail}\";\"{quantity}\";\"{total}\"\n"
    ))
}

#[test]
fn an_item_maps_exactly_and_says_what_is_derived() {
    let file = item_file("461733", "COR BRANCA | UNIDADE DE FORNECIMENTO: Resma | MARCA X", "3", "100,0000");
    let outcome = read_bytes("202402_ItemCompra.csv", &file);
    let row = outcome.only();
    assert_eq!(row.sourced.id, "portal-compras:159999-00012/2024:item:461733");
    let Record::Item(item) = &row.sourced.record else { panic!("an item") };
    assert_eq!(item.contract_id, text("portal-compras:159999-00012/2024"));
    assert_eq!(item.buyer_id, text("uasg:159999"));
    assert_eq!((&item.number, &item.catalog_code), (&None, &text("461733")));
    assert_eq!(item.description, text("PAPEL A4"));
    assert_eq!(item.detail, text("COR BRANCA | UNIDADE DE FORNECIMENTO: Resma | MARCA X"));
    assert_eq!((&item.unit, item.unit_basis), (&text("RESMA"), Some("text")));
    assert_eq!(item.quantity, Some(Quantity::parse("3").unwrap()));
    assert_eq!((item.unit_price, item.price_basis, item.total), (brl("33.3333"), Some("derived"), brl("100")));
    assert_eq!(item.partition_on, day("2024-02-01"));
    assert_eq!(row.sourced.metadata, None);
}

#[test]
fn a_long_item_code_is_a_number_and_no_catalogue_code() {
    let outcome = read_bytes("i.csv", &item_file("15999905000012024000001", "", "0", "10,00"));
    let Record::Item(item) = &outcome.only().sourced.record else { panic!("an item") };
    assert_eq!((&item.number, &item.catalog_code), (&text("15999905000012024000001"), &None));
    assert_eq!((item.unit_price, item.price_basis), (None, None), "nothing is divided by zero");
    assert_eq!((&item.unit, item.unit_basis, item.partition_on), (&None, None, None));
}

#[test]
fn amendments_and_apostilles_map_to_their_contract() {
    let amendment = "\"Número Contrato\";\"Código Órgão\";\"Nome Órgão\";\"Código UG\";\"Nome UG\";\"Número Termo Aditivo\";\"Data Publicação\";\"Objeto\";\"Valor\"\n\
        \"00012/2024\";\"26999\";\"Universidade\";\"159999\";\"CAMPUS\";\"00001/2024\";\"10/08/2024\";\"Supressão\";\"- 1.000,50\"\n";
    let outcome = read_bytes("202408_TermoAditivo.csv", &cp1252(amendment));
    let row = outcome.only();
    assert_eq!(row.sourced.id, "portal-compras:159999-00012/2024:amendment:00001/2024");
    let Record::Amendment(found) = &row.sourced.record else { panic!("an amendment") };
    assert_eq!((found.kind, &found.contract_id), ("amendment", &text("portal-compras:159999-00012/2024")));
    assert_eq!(
        (found.value, found.published_on, found.partition_on),
        (brl("-1000.5"), day("2024-08-10"), day("2024-08-10"))
    );
    let apostille = amendment.replace("Termo Aditivo", "Apostilamento");
    let outcome = read_bytes("202408_Apostilamento.csv", &cp1252(&apostille));
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::PortalApostilamento);
    assert_eq!(outcome.only().sourced.id, "portal-compras:159999-00012/2024:apostille:00001/2024");
}
