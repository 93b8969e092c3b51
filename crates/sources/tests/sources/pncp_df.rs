//! Purchases without bidding in the Federal District, reshaped from PNCP.

use model::{Bid, Record, Sourced};
use serde_json::{Value, json};
use sources::{Also, Format};

use super::{brl, metadata, read_bytes, tender, text};

fn purchase() -> Value {
    json!({
        "Modalidade": "Dispensa", "Código": "00000000000191-1-000001/2021", "UF": "Distrito Federal",
        "Órgão Entidade": "MINISTERIO DE EXEMPLO", "Objeto da Compra": "Aquisição de medicamentos", "Ano da Compra": 2021,
        "Valor Total Estimado": 99.5, "Valor Total Homologado": 87.0,
        "Empresas Contratadas": {
            "Empresa Contratada -1": "EXEMPLO SA", "CNPJ -1": "00000000000191", "Valor Recebido -1": 80.0, "Descrição -1": "Café",
            "Empresa Contratada -2": "SEM NUMERO", "CNPJ -2": "SEM NUMERO", "Valor Recebido -2": 7.0, "Descrição -2": "Chá"
        }
    })
}

fn bid(sourced: &Sourced) -> &Bid {
    let Record::Bid(bid) = &sourced.record else { panic!("a bid, not {:?}", sourced.record) };
    bid
}

#[test]
fn a_purchase_maps_exactly_with_its_companies() {
    let outcome = read_bytes("c.json", &serde_json::to_vec(&[purchase()]).unwrap());
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::PncpDfDispensas);
    let row = outcome.only();
    assert_eq!(row.sourced.id, "pncp-df:00000000000191-1-000001-2021");
    let found = tender(&row.sourced);
    assert_eq!((found.modality, &found.modality_as_stated), (Some("dispensa"), &text("Dispensa")));
    assert_eq!((found.value_estimated, found.value_awarded), (brl("99.5"), brl("87")));
    assert_eq!(found.object, text("Aquisição de medicamentos"));
    assert_eq!((&found.buyer_id, &found.buyer_name), (&text("pncp-df:00000000000191"), &text("MINISTERIO DE EXEMPLO")));
    assert_eq!((found.published_on, found.partition_on), (None, None));
    assert_eq!(metadata(&row.sourced), json!({"Ano da Compra": 2021, "Empresas Contratadas.CNPJ -2": "SEM NUMERO"}));
    let (_, buyer) = row.buyer.as_ref().unwrap();
    assert_eq!((buyer.cnpj.as_deref(), buyer.state.as_deref()), (Some("00000000000191"), Some("DF")));
    let bids: Vec<_> = row
        .more
        .iter()
        .filter_map(|a| if let Also::Record(s) = a { Some((s.id.as_str(), bid(s))) } else { None })
        .collect();
    assert_eq!(bids.len(), 2);
    assert_eq!(bids[0].0, "pncp-df:00000000000191-1-000001-2021:bid:1");
    assert_eq!((&bids[0].1.bidder_id, bids[0].1.won), (&text("cnpj:00000000000191"), Some(true)));
    assert_eq!((bids[0].1.value, &bids[0].1.item_description), (brl("80"), &text("Café")));
    assert_eq!((&bids[1].1.bidder_id, &bids[1].1.bidder_name), (&None, &text("SEM NUMERO")));
}

#[test]
fn a_zero_estimate_is_none() {
    let mut record = purchase();
    record["Valor Total Estimado"] = json!(0.0);
    let outcome = read_bytes("c.json", &serde_json::to_vec(&[record]).unwrap());
    assert_eq!(tender(&outcome.only().sourced).value_estimated, None);
    assert_eq!(metadata(&outcome.only().sourced)["Valor Total Estimado"], json!(0.0));
}

#[test]
fn a_missing_brace_costs_its_purchase_only() {
    let whole = serde_json::to_string_pretty(&purchase()).unwrap();
    let broken = whole.strip_suffix('}').unwrap();
    let outcome = read_bytes("c.json", format!("[\n{whole},\n{broken},\n{whole}\n]").as_bytes());
    assert_eq!(outcome.faults(), [(2, "json")]);
    assert_eq!(outcome.rows().len(), 2);
    let outcome = read_bytes("c.json", format!("[\n{whole},\n{broken}\n").as_bytes());
    assert_eq!(outcome.faults(), [(2, "truncated")]);
    assert!(outcome.result.is_err(), "the file says that it is cut");
}

#[test]
fn each_line_of_a_company_is_an_award_even_where_lines_are_equal() {
    let line = "00000000000191-1-000001/2021,EXEMPLO SA,00000000000191,8790.0,\"Café, torrado\"";
    let other = "00000000000191-1-000002/2021,JOSE DA SILVA,***982247**,1.2345,Chá";
    let file = format!("Código,Empresa Contratada,CNPJ,Valor Recebido,Descrição\n{line}\n{line}\n{other}\n");
    let outcome = read_bytes("x.csv", file.as_bytes());
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::PncpDfEmpresas);
    assert_eq!(outcome.faults(), []);
    let ids: Vec<_> = outcome.rows().iter().map(|r| r.sourced.id.clone()).collect();
    let tender = "pncp-df:00000000000191-1-000001-2021";
    assert_eq!(
        ids,
        [format!("{tender}:bid:1"), format!("{tender}:bid:2"), "pncp-df:00000000000191-1-000002-2021:bid:1".to_owned()]
    );
    let rows = outcome.rows();
    assert_eq!((bid(&rows[0].sourced).value, bid(&rows[2].sourced).value), (brl("8790"), brl("1.2345")));
    assert_eq!(bid(&rows[2].sourced).bidder_id, text("cpf:***.982.247-**|jose da silva"));
    assert_eq!(rows[0].sourced.metadata, None);
}

#[test]
fn a_bad_value_is_quarantined_and_the_next_award_keeps_its_place() {
    let line = |value: &str| format!("00000000000191-1-000001/2021,EXEMPLO SA,00000000000191,{value},Café\n");
    let file = format!(
        "Código,Empresa Contratada,CNPJ,Valor Recebido,Descrição\n{}{}{}",
        line("1.0"),
        line("\"1,50\""),
        line("3.0")
    );
    let outcome = read_bytes("x.csv", file.as_bytes());
    assert_eq!(outcome.faults(), [(3, "number_style")]);
    assert!(outcome.rows()[1].sourced.id.ends_with(":bid:3"));
}
