//! Flattened purchases and contracts of IFMS.

use serde_json::json;
use sources::Format;

use super::{brl, contract, day, metadata, read_bytes, tender, text};

const PURCHASES: &str = "\u{FEFF}modulo;arquivo_origem;data_extracao;id_compra;numero_processo;numero_compra;numero_controle_pncp;uasg_codigo;uasg_nome;modalidade_codigo;modalidade_nome;\
lei_14133;amparo_legal;situacao;objeto;valor_estimado;valor_homologado;data_publicacao;data_abertura_proposta;data_encerramento_proposta;data_alteracao";

fn purchases(row: &str) -> Vec<u8> {
    format!("{PURCHASES}\n{row}\n").into_bytes()
}

const PURCHASE: &str = "LEI14133;a.json;2026-03-11 11:46:35;15999906000022024;23000.1/2024;00002/2024;00000000000191-1-000001/2024;159999;CAMPUS EXEMPLO;6;Dispensa;Sim;\
Lei 14.133/2021, Art. 75, II;Divulgada no pncp;Compra de café;1.387,20;1.300,00;12/12/2023;13/12/2023;18/12/2023;20/12/2023";

#[test]
fn a_purchase_maps_exactly() {
    let outcome = read_bytes("compras.csv", &purchases(PURCHASE));
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::IfmsCompras);
    let row = outcome.only();
    assert_eq!((row.sourced.id.as_str(), &row.sourced.updated_at), ("ifms:15999906000022024", &text("2023-12-20")));
    let found = tender(&row.sourced);
    assert_eq!((&found.number, &found.process), (&text("00002/2024"), &text("23000.1/2024")));
    assert_eq!(
        (found.modality, found.regime, &found.status),
        (Some("dispensa"), Some("lei_14133"), &text("Divulgada no pncp"))
    );
    assert_eq!((found.value_estimated, found.value_awarded), (brl("1387.2"), brl("1300")));
    assert_eq!(
        (found.published_on, found.opened_on, found.closes_on),
        (day("2023-12-12"), day("2023-12-13"), day("2023-12-18"))
    );
    assert_eq!((&found.buyer_id, &found.buyer_name), (&text("uasg:159999"), &text("CAMPUS EXEMPLO")));
    assert_eq!(row.buyer.as_ref().unwrap().1.sphere, text("F"));
    let kept = metadata(&row.sourced);
    assert_eq!(
        (&kept["numero_controle_pncp"], &kept["lei_14133"]),
        (&json!("00000000000191-1-000001/2024"), &json!("Sim"))
    );
}

#[test]
fn what_a_purchase_does_not_say_is_none() {
    let row = PURCHASE
        .replace("Lei 14.133/2021, Art. 75, II", "")
        .replace("1.387,20;1.300,00", "0,00;")
        .replace("23000.1/2024", "0")
        .replace("6;Dispensa", "77;Outra");
    let outcome = read_bytes("compras.csv", &purchases(&row));
    let row = outcome.only();
    let found = tender(&row.sourced);
    assert_eq!((found.regime, &found.legal_basis), (Some("lei_14133"), &None), "its column names the law");
    assert_eq!((found.value_estimated, found.value_awarded, &found.process), (None, None, &None));
    assert_eq!((found.modality, &found.modality_as_stated), (None, &text("Outra")));
    assert_eq!(metadata(&row.sourced)["modalidade_codigo"], json!("77"));
    let old = PURCHASE.replace("Sim", "Não").replace("Lei 14.133/2021, Art. 75, II", "");
    assert_eq!(tender(&read_bytes("compras.csv", &purchases(&old)).only().sourced).regime, None);
}

#[test]
fn a_contract_maps_exactly_and_finds_its_tender() {
    let header = "\u{FEFF}arquivo_origem;data_extracao;id_contrato;id_compra;numero;processo;origem_sigla;origem_uasg;tipo;modalidade;codigo_modalidade;licitacao_numero;unidade_compra;\
                  fornecedor_cnpj;fornecedor_nome;valor_global;valor_parcela;vigencia_inicio;vigencia_fim;prorrogavel;link_responsaveis";
    let row = "c.json;2026-03-28 00:58:53;126729;15999906000022024;00001/2024;23000;EX;159999;Contrato;Dispensa;06;00002/2024;159999;00.000.000/0001-91;EXEMPLO SA;61.233,20;1,00;14/12/2023;14/03/2024;Não;x";
    let person = row.replace("00.000.000/0001-91;EXEMPLO SA", "***.982.247-**;JOSE DA SILVA").replace("14/03/2024", "");
    let wrong = row.replace("61.233,20", "61233.20");
    let outcome = read_bytes("contratos.csv", format!("{header}\n{row}\n{person}\n{wrong}\n").as_bytes());
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::IfmsContratos);
    assert_eq!(outcome.faults(), [(4, "number_style")]);
    let rows = outcome.rows();
    assert_eq!(rows[0].sourced.id, "ifms:contrato:126729");
    assert_eq!(rows[0].sourced.updated_at, text("2026-03-28 00:58:53"));
    let found = contract(&rows[0].sourced);
    assert_eq!((&found.tender_id, &found.instrument), (&text("ifms:15999906000022024"), &text("Contrato")));
    assert_eq!((found.value_initial, found.value_final), (None, brl("61233.2")));
    assert_eq!(
        (found.starts_on, found.ends_on, found.modality),
        (day("2023-12-14"), day("2024-03-14"), Some("dispensa"))
    );
    assert_eq!((&found.buyer_id, &found.supplier_root), (&text("uasg:159999"), &text("00000000")));
    let found = contract(&rows[1].sourced);
    assert_eq!((&found.supplier_id, found.ends_on), (&text("cpf:***.982.247-**|jose da silva"), None));
}
