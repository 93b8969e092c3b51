//! The export of the Portal's page of contracts.

use serde_json::json;

use super::{brl, contract, day, metadata, read_bytes, text};

const HEADER: &str = "\u{FEFF}\"DATA ASSINATURA CONTRATO\";\"DATA PUBLICAÇÃO DOU\";\"DATA INÍCIO VIGÊNCIA\";\"DATA FIM VIGÊNCIA\";\
\"ORGÃO SUPERIOR CONTRATANTE\";\"ÓRGÃO / ENTIDADE VINCULADA CONTRATANTE\";\"UNIDADE GESTORA CONTRATANTE\";\"FORMA DE CONTRATAÇÃO\";\
\"GRUPO DE OBJETO DE CONTRATAÇÃO\";\"NÚMERO DO CONTRATO\";\"NOME DO FORNECEDOR\";\"CPF / CNPJ DO FORNECEDOR\";\"SITUAÇÃO\";\"VALOR CONTRATADO\";";

fn file(published_on: &str, code: &str, name: &str, value: &str) -> String {
    format!(
        "{HEADER}\n\"11/01/2023\";\"{published_on}\";\"11/01/2023\";\"22/01/2024\";\"Ministério da Defesa\";\"Comando do Exército\";\"COMISSAO DE OBRAS/5\";\
         \"Pregão - Registro de Preço\";\"Serviços\";\"00020/2022\";\"{name}\";\"{code}\";\"Não se aplica\";\"{value}\";\n"
    )
}

#[test]
fn a_contract_of_the_page_maps_exactly() {
    let outcome =
        read_bytes("contratos.csv", file("20/06/2023", "00.000.000/0001-91", "EXEMPLO SA", "- 24.312,82").as_bytes());
    assert_eq!(outcome.result.as_ref().unwrap().encoding, "utf-8-bom");
    let row = outcome.only();
    assert_eq!(row.sourced.id, "portal-ui:comissao_de_obras_5-00020/2022");
    let found = contract(&row.sourced);
    assert_eq!(
        (&found.buyer_id, &found.buyer_name),
        (&text("portal-ui:ug:comissao_de_obras_5"), &text("COMISSAO DE OBRAS/5"))
    );
    assert_eq!((found.modality, &found.modality_as_stated), (Some("pregao"), &text("Pregão - Registro de Preço")));
    assert_eq!((&found.object, &found.category, &found.status), (&None, &text("Serviços"), &None));
    assert_eq!((found.value_initial, found.value_final), (brl("-24312.82"), None));
    assert_eq!(
        (found.signed_on, found.published_on, found.ends_on),
        (day("2023-01-11"), day("2023-06-20"), day("2024-01-22"))
    );
    assert_eq!(found.supplier_id, text("cnpj:00000000000191"));
    let (_, buyer) = row.buyer.as_ref().unwrap();
    assert_eq!((buyer.sphere.as_deref(), &buyer.code), (Some("F"), &None));
    assert_eq!(buyer.parent_name, text("Comando do Exército"));
    assert_eq!(buyer.superior_name, text("Ministério da Defesa"));
    assert_eq!(row.sourced.metadata, None);
}

#[test]
fn foreigners_persons_and_the_secret_are_told_apart() {
    let cases = [
        ("ESTRANG0000000", "ACME GMBH", Some("ext:ESTRANG0000000|acme gmbh")),
        ("***.982.247-**", "MARIA  SOUZA", Some("cpf:***.982.247-**|maria souza")),
        ("025581570", "ACME INC", Some("unv:025581570|acme inc")),
        ("-11", "Sigiloso", None),
    ];
    for (code, name, id) in cases {
        let outcome = read_bytes("contratos.csv", file("20/06/2023", code, name, "1,00").as_bytes());
        let found = contract(&outcome.only().sourced);
        assert_eq!(found.supplier_id.as_deref(), id, "{code}");
    }
}

#[test]
fn a_day_in_a_year_that_cannot_be_meant_is_not_stated_and_stays_in_the_metadata() {
    let outcome =
        read_bytes("contratos.csv", file("03/02/3023", "00.000.000/0001-91", "EXEMPLO SA", "1,00").as_bytes());
    let row = outcome.only();
    assert_eq!(contract(&row.sourced).published_on, None);
    assert_eq!(metadata(&row.sourced), json!({"DATA PUBLICAÇÃO DOU": "03/02/3023"}));
}
