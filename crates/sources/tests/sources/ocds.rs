//! Releases, records and packages of OCDS, of 1.0 and 1.1.

use std::io::Write;

use model::{Amendment, Bid, Contract, Item, Payment, Record, Sourced};
use proptest::prelude::*;
use serde_json::{Value, json};
use sources::{Also, Format, Parsed};

use super::{Outcome, brl, day, metadata, read_bytes, read_hinted, tender, text};

const CNPJ: &str = "00000000000191";

/// A release as a Brazilian publisher of 1.1 writes it, with the extensions for lots and bids.
pub fn release() -> Value {
    json!({
        "ocid": "ocds-zz0000-7", "id": "r1", "date": "2025-03-10T23:30:00-03:00", "tag": ["award", "contract"], "language": "pt",
        "parties": [
            {"id": "B", "name": "Prefeitura de Exemplo", "roles": ["buyer"], "identifier": {"scheme": "BR-CNPJ", "id": CNPJ},
             "address": {"streetAddress": "Rua A, 1", "locality": "Exemplo", "region": "SC"}, "contactPoint": {"email": "a@example.org"}},
            {"id": "S1", "name": "Firma Um", "roles": ["tenderer", "supplier"], "identifier": {"scheme": "GB-COH", "id": "111"}},
            {"id": "GB-COH-222", "name": "Firma Dois", "roles": ["tenderer"]}
        ],
        "buyer": {"id": "B", "name": "Prefeitura de Exemplo"},
        "tender": {
            "id": "7/2025", "title": "Pregão 7", "description": "Aquisição de medicamentos", "status": "complete",
            "procurementMethod": "open", "procurementMethodDetails": "Pregão Eletrônico", "awardCriteria": "priceOnly",
            "mainProcurementCategory": "goods", "numberOfTenderers": 2, "value": {"amount": 1000.5, "currency": "BRL"},
            "tenderPeriod": {"startDate": "2025-01-02T08:00:00-03:00", "endDate": "2025-01-20T23:59:00-03:00"},
            "items": [{"id": 1, "description": "Dipirona", "quantity": 10, "relatedLot": "L1", "classification": {"scheme": "CATMAT", "id": "267"},
                       "unit": {"name": "caixa", "value": {"amount": 100.05, "currency": "BRL"}}}]
        },
        "bids": {"details": [
            {"id": "b1", "date": "2025-01-15T10:00:00Z", "status": "valid", "relatedLots": ["L1"], "tenderers": [{"id": "S1"}], "value": {"amount": 900, "currency": "BRL"}},
            {"id": "b2", "status": "disqualified", "relatedLots": ["L1"], "tenderers": [{"id": "GB-COH-222"}], "value": {"amount": 950, "currency": "BRL"}}
        ]},
        "awards": [{"id": "a1", "date": "2025-02-01T00:00:00Z", "status": "active", "relatedLots": ["L1"], "suppliers": [{"id": "S1"}], "value": {"amount": 900, "currency": "BRL"}}],
        "contracts": [{
            "id": "c1", "awardID": "a1", "title": "Contrato 1", "status": "active", "dateSigned": "2025-02-10", "value": {"amount": 900, "currency": "BRL"},
            "period": {"startDate": "2025-02-11", "endDate": "2026-02-10"},
            "items": [{"id": "1", "quantity": "10", "classification": {"scheme": "CPV", "id": "33600000"}, "unit": {"id": "CX", "value": {"amount": 90, "currency": "BRL"}}}],
            "implementation": {"transactions": [{"id": "t1", "date": "2025-03-01", "value": {"amount": 450.25, "currency": "BRL"}, "payer": {"id": "B"}, "payee": {"id": "S1"}}]}
        }]
    })
}

fn bytes(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}

pub fn package(releases: &[Value]) -> Vec<u8> {
    bytes(
        &json!({"uri": "https://example.org", "publisher": {"name": "X"}, "publishedDate": "2025-03-11T00:00:00Z", "releases": releases}),
    )
}

fn record_package(records: &[Value]) -> Vec<u8> {
    bytes(
        &json!({"publisher": {"name": "X"}, "publishedDate": "2025-03-11T00:00:00Z", "packages": [], "records": records}),
    )
}

fn read_one(value: &Value) -> Parsed {
    read_bytes("r.json", &bytes(value)).only().clone()
}

fn find<'p>(row: &'p Parsed, id: &str) -> &'p Sourced {
    let ids = || row.more.iter().filter_map(|also| if let Also::Record(sourced) = also { Some(sourced) } else { None });
    ids().find(|s| s.id == id).unwrap_or_else(|| panic!("{id} in {:?}", ids().map(|s| &s.id).collect::<Vec<_>>()))
}

macro_rules! found {
    ($($name:ident: $kind:ident;)*) => {$(
        fn $name<'p>(row: &'p Parsed, id: &str) -> &'p $kind {
            let Record::$kind(record) = &find(row, id).record else { panic!("{id}") };
            record
        }
    )*};
}
found! { item: Item; bid: Bid; contract: Contract; amendment: Amendment; payment: Payment; }

fn ids(row: &Parsed) -> Vec<&str> {
    row.more.iter().filter_map(|also| if let Also::Record(s) = also { Some(s.id.as_str()) } else { None }).collect()
}

fn suppliers(row: &Parsed) -> Vec<&str> {
    row.more.iter().filter_map(|also| if let Also::Supplier(id, _) = also { Some(id.as_str()) } else { None }).collect()
}

#[test]
fn a_release_maps_exactly() {
    let outcome = read_bytes("r.json", &package(&[release()]));
    let header = outcome.result.as_ref().unwrap();
    assert_eq!((&*header.source, header.format), ("ocds", Format::OcdsRelease));
    let row = outcome.only();
    assert_eq!((row.sourced.id.as_str(), row.sourced.partial), ("ocds:ocds-zz0000-7", true));
    assert_eq!(row.sourced.updated_at, text("2025-03-10T23:30:00-03:00"));
    let found = tender(&row.sourced);
    assert_eq!((&found.number, &found.object), (&text("7/2025"), &text("Aquisição de medicamentos")));
    assert_eq!((found.modality, &found.modality_as_stated), (Some("pregao"), &text("open: Pregão Eletrônico")));
    assert_eq!((&found.status, found.bidders, &found.criterion), (&text("complete"), Some(2), &text("priceOnly")));
    assert_eq!(
        (found.published_on, found.opened_on, found.closes_on),
        (day("2025-01-02"), day("2025-01-02"), day("2025-01-20"))
    );
    assert_eq!((found.result_on, found.partition_on), (day("2025-02-01"), day("2025-01-02")));
    assert_eq!(
        (found.value_estimated, found.value_awarded),
        (brl("1000.5"), None),
        "a part does not say what all awards come to"
    );
    assert_eq!((found.activity, found.activity_basis), (Some("medicamentos"), Some("text")));
    assert_eq!((&found.buyer_id, &found.buyer_name), (&text("cnpj:00000000000191"), &text("Prefeitura de Exemplo")));
    let (_, buyer) = row.buyer.as_ref().unwrap();
    assert_eq!(
        (buyer.cnpj.as_deref(), buyer.state.as_deref(), buyer.municipality.as_deref()),
        (Some(CNPJ), Some("SC"), Some("Exemplo"))
    );
    assert_eq!(buyer.seen_on, day("2025-03-10"), "the day as written");
    assert_eq!(suppliers(row), ["org:GB-COH-111", "org:GB-COH-222"]);
    assert_eq!(
        metadata(&row.sourced),
        json!({
            "id": "r1", "tag": ["award", "contract"], "language": "pt", "tender.title": "Pregão 7", "contracts[0].awardID": "a1",
            "awards[0].id": "a1", "awards[0].status": "active", "awards[0].relatedLots": ["L1"], "awards[0].value": {"amount": 900, "currency": "BRL"}
        }),
        "what no record keeps, without contact data"
    );
}

#[test]
fn what_a_release_states_beside_its_tender_maps_exactly() {
    let row = read_one(&release());
    let id = |rest: &str| format!("ocds:ocds-zz0000-7:{rest}");
    let wanted =
        ["tender:item:1", "bid:b1", "bid:b2", "contract:c1:item:1", "contract:c1:transaction:t1", "contract:c1"]
            .map(id);
    assert_eq!(ids(&row), wanted);
    let asked = item(&row, &wanted[0]);
    assert_eq!((&asked.tender_id, &asked.contract_id, &asked.lot), (&text("ocds:ocds-zz0000-7"), &None, &text("L1")));
    assert_eq!((&asked.catalog_code, &asked.unit, asked.unit_basis), (&text("267"), &text("caixa"), Some("stated")));
    assert_eq!((asked.unit_estimate, asked.unit_price, &asked.number), (brl("100.05"), None, &text("1")));
    let won = bid(&row, &wanted[1]);
    assert_eq!(
        (won.won, won.valid, won.value, won.submitted_on),
        (Some(true), Some(true), brl("900"), day("2025-01-15"))
    );
    assert_eq!((&won.bidder_id, &won.bidder_name, &won.lot), (&text("org:GB-COH-111"), &text("Firma Um"), &text("L1")));
    let lost = bid(&row, &wanted[2]);
    assert_eq!((lost.won, lost.valid, &lost.status), (Some(false), Some(false), &text("disqualified")));
    let bought = item(&row, &wanted[3]);
    assert_eq!((bought.unit_price, bought.price_basis, bought.unit_estimate), (brl("90"), Some("stated"), None));
    assert_eq!((&bought.catalog_code, &bought.unit), (&text("CPV:33600000"), &text("CX")));
    assert_eq!(bought.quantity, model::Quantity::parse("10").ok());
    let paid = payment(&row, &wanted[4]);
    assert_eq!((paid.kind, paid.value, paid.issued_on), ("payment", brl("450.25"), day("2025-03-01")));
    assert_eq!((&paid.buyer_id, &paid.supplier_id), (&text("cnpj:00000000000191"), &text("org:GB-COH-111")));
    let signed = contract(&row, &wanted[5]);
    assert_eq!((&signed.number, &signed.object, &signed.category), (&text("c1"), &text("Contrato 1"), &text("goods")));
    assert_eq!((signed.value_initial, signed.value_final, &signed.instrument), (brl("900"), None, &None));
    assert_eq!(
        (signed.signed_on, signed.starts_on, signed.ends_on),
        (day("2025-02-10"), day("2025-02-11"), day("2026-02-10"))
    );
    assert_eq!(
        (&signed.supplier_id, &signed.supplier_name),
        (&text("org:GB-COH-111"), &text("Firma Um")),
        "from its award"
    );
    assert_eq!((signed.modality, &signed.tender_id), (Some("pregao"), &text("ocds:ocds-zz0000-7")));
}

#[test]
fn a_release_of_1_0_has_its_organisations_written_out() {
    let row = read_one(&json!({
        "ocid": "ocds-213czf-1", "id": "x", "date": "2016-01-01T00:00:00Z", "tag": ["implementation"],
        "buyer": {"identifier": {"scheme": "GB-LAC", "id": "E1", "legalName": "Borough"}, "name": "Borough", "address": {"locality": "London", "region": "LD"}},
        "tender": {"id": 5, "tenderers": [{"name": "Loser Ltd"}, {"id": "p9", "name": "Winner Ltd"}]},
        "awards": [{"id": "a", "status": "active", "suppliers": [{"id": "p9", "name": "Winner Ltd"}]}],
        "contracts": [{
            "id": "c", "awardID": "a", "value": {"amount": "11000000", "currency": "gbp"}, "amendment": {"date": "2015-06-01T00:00:00Z", "rationale": "More", "changes": []},
            "implementation": {"transactions": [{"id": "t", "date": "2015-08-01", "amount": {"amount": 5, "currency": "GBP"},
                "providerOrganization": {"scheme": "GB-LAC", "id": "E1", "legalName": "Borough"}, "receiverOrganization": {"scheme": "GB-COH", "id": "9", "legalName": "Winner Ltd"}}]}
        }]
    }));
    assert_eq!(tender(&row.sourced).number, text("5"));
    assert_eq!(tender(&row.sourced).buyer_id, text("org:GB-LAC-E1"));
    assert_eq!(row.buyer.as_ref().unwrap().1.state, None, "a region abroad is no state");
    assert_eq!(suppliers(&row), ["org:name|loser ltd", "org:ocds-213czf-p9", "org:GB-COH-9"]);
    assert_eq!(bid(&row, "ocds:ocds-213czf-1:tenderer:org:name|loser ltd").won, Some(false));
    let won = bid(&row, "ocds:ocds-213czf-1:tenderer:org:ocds-213czf-p9");
    assert_eq!((won.won, won.value, won.currency.as_str()), (Some(true), None, "GBP"));
    let signed = contract(&row, "ocds:ocds-213czf-1:contract:c");
    assert_eq!(
        (signed.value_initial, signed.value_final, signed.currency.as_str()),
        (None, brl("11000000"), "GBP"),
        "it is amended"
    );
    assert_eq!(signed.supplier_id, text("org:ocds-213czf-p9"));
    let change = amendment(&row, "ocds:ocds-213czf-1:contract:c:amendment:2015-06-01T00:00:00Z");
    assert_eq!((change.kind, &change.object, change.signed_on), ("amendment", &text("More"), day("2015-06-01")));
    let paid = payment(&row, "ocds:ocds-213czf-1:contract:c:transaction:t");
    assert_eq!(
        (&paid.buyer_id, &paid.supplier_id, paid.value),
        (&text("org:GB-LAC-E1"), &text("org:GB-COH-9"), brl("5"))
    );
}

#[test]
fn amendments_of_1_1_are_known_by_their_ids_and_empty_ones_are_none() {
    let mut value = release();
    value["contracts"][0]["amendments"] =
        json!([{"id": "x1", "date": "2025-05-01", "description": "Prazo", "rationale": "Chuva"}, {"releaseID": null}]);
    value["contracts"][0]["amendment"] = json!({"changes": []});
    let row = read_one(&value);
    let change = amendment(&row, "ocds:ocds-zz0000-7:contract:c1:amendment:x1");
    assert_eq!((&change.number, &change.object), (&text("x1"), &text("Prazo")));
    assert_eq!(metadata(&row.sourced)["contracts[0].amendments[0].rationale"], json!("Chuva"));
    assert_eq!(ids(&row).iter().filter(|id| id.contains("amendment")).count(), 1);
}

#[test]
fn a_record_is_read_from_its_compiled_release() {
    let mut compiled = release();
    compiled["tag"] = json!(["compiled"]);
    let record = json!({"ocid": "ocds-zz0000-7", "releases": [{"url": "https://example.org/1", "date": "2025-01-01T00:00:00Z", "tag": ["tender"]}], "compiledRelease": compiled});
    let outcome = read_bytes("p.json", &record_package(std::slice::from_ref(&record)));
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::OcdsRecord);
    let row = outcome.only();
    assert_eq!(tender(&row.sourced).value_awarded, brl("900"), "a record tells of all awards");
    assert_eq!(ids(row), ids(&read_one(&release())));
    let alone = read_one(&record);
    assert_eq!((&alone.sourced, &alone.more), (&row.sourced, &row.more), "a record without a package is read alike");
    assert_eq!(
        read_one(&json!({"compiledRelease": record["compiledRelease"], "releases": []})).more,
        row.more,
        "its ocid may stand inside only"
    );
}

#[test]
fn a_record_without_a_compiled_release_is_put_together() {
    let first = json!({"ocid": "ocds-1-1", "id": "1", "date": "2025-01-01T23:00:00-03:00", "tag": ["tender"], "buyer": {"name": "B"},
        "tender": {"id": "t", "title": "Old", "status": "active", "value": {"amount": "AMOUNT", "currency": "EUR"}, "items": [{"id": "1", "description": "A"}, {"id": "2", "description": "B"}]}});
    let later = json!({"ocid": "ocds-1-1", "id": "2", "date": "2025-01-02T03:00:00Z", "tag": ["award"],
        "tender": {"title": "New", "status": null, "items": [{"id": "2", "description": "B2"}]}, "awards": [{"id": "a", "status": "active", "suppliers": [{"name": "S"}]}]});
    // A number that no float holds.
    let record = json!({"ocid": "ocds-1-1", "releases": [later, first]})
        .to_string()
        .replace("\"AMOUNT\"", "90071992547409.9312");
    let outcome = read_bytes("r.json", record.as_bytes());
    let row = outcome.only();
    let found = tender(&row.sourced);
    assert_eq!((&found.object, &found.status, found.currency.as_str()), (&text("New"), &None, "EUR"));
    assert_eq!(found.value_estimated, brl("90071992547409.9312"));
    assert_eq!(row.sourced.updated_at, text("2025-01-02T03:00:00Z"));
    assert_eq!(item(row, "ocds:ocds-1-1:tender:item:1").description, text("A"));
    assert_eq!(item(row, "ocds:ocds-1-1:tender:item:2").description, text("B2"));
    assert_eq!(contract(row, "ocds:ocds-1-1:award:a").instrument, text("award"), "it is told to its end");
}

#[test]
fn the_newest_of_all_versions_counts() {
    let version = |id: &str, date: &str, value: Value| json!({"releaseID": id, "releaseDate": date, "releaseTag": ["tender"], "value": value});
    let versioned = json!({
        "ocid": "ocds-1-1", "buyer": {"id": "b", "name": [version("1", "2025-01-01T00:00:00Z", json!("B"))]},
        "tender": {"id": "t", "title": [version("2", "2025-02-01T00:00:00Z", json!("New")), version("1", "2025-01-01T00:00:00Z", json!("Old"))],
            "status": [version("1", "2025-01-01T00:00:00Z", json!("active")), version("2", "2025-02-01T00:00:00Z", json!(null))],
            "items": [{"id": "1", "description": [version("1", "2025-01-01T00:00:00Z", json!("A"))]}]}
    });
    let row = read_one(
        &json!({"ocid": "ocds-1-1", "releases": [{"url": "https://example.org"}], "versionedRelease": versioned}),
    );
    let found = tender(&row.sourced);
    assert_eq!((&found.object, &found.status, &found.buyer_name), (&text("New"), &None, &text("B")));
    assert_eq!(row.sourced.updated_at, text("2025-02-01T00:00:00Z"));
    assert_eq!(item(&row, "ocds:ocds-1-1:tender:item:1").description, text("A"));
}

#[test]
fn a_record_that_names_its_releases_by_address_only_is_quarantined() {
    let outcome = read_bytes(
        "p.json",
        &record_package(&[
            json!({"ocid": "ocds-1-1", "releases": [{"url": "https://example.org", "date": "2025-01-01T00:00:00Z", "tag": ["tender"]}]}),
        ]),
    );
    assert_eq!(outcome.faults(), [(1, "required_field")]);
    assert_eq!(outcome.bad()[0].column.as_deref(), Some("releases"));
}

#[test]
fn a_release_without_an_ocid_is_quarantined_and_the_rest_goes_on() {
    let mut nameless = release();
    nameless["ocid"] = json!(7);
    let mut blank = release();
    blank["ocid"] = json!(" ");
    let mut missing = release();
    missing.as_object_mut().unwrap().remove("ocid");
    let outcome = read_bytes("p.json", &package(&[release(), nameless, blank, missing, json!([1]), release()]));
    assert_eq!(outcome.faults(), [(2, "required_field"), (3, "required_field"), (4, "required_field"), (5, "type")]);
    assert_eq!(outcome.bad()[0].column.as_deref(), Some("ocid"));
    assert_eq!(outcome.rows().len(), 2);
}

#[test]
fn a_part_that_cannot_be_used_stays_in_the_metadata_and_costs_nothing_else() {
    let mut value = release();
    value["tender"]["value"]["amount"] = json!("1.000,50");
    value["tender"]["tenderPeriod"]["endDate"] = json!("next week");
    value["tender"]["numberOfTenderers"] = json!("many");
    value["tender"]["items"][0]["quantity"] = json!(0.00001);
    value["bids"]["details"][1]["id"] = json!(null);
    value["contracts"][0]["value"] = json!({"amount": 1.5, "currency": "R$"});
    let row = read_one(&value);
    let left = metadata(&row.sourced);
    assert_eq!(
        (left["tender.value"].clone(), left["tender.numberOfTenderers"].clone()),
        (json!({"amount": "1.000,50", "currency": "BRL"}), json!("many"))
    );
    assert_eq!(
        (left["tender.tenderPeriod.endDate"].clone(), left["tender.items[0].quantity"].to_string()),
        (json!("next week"), "0.00001".to_owned())
    );
    assert_eq!(left["bids.details[1]"]["value"], json!({"amount": 950, "currency": "BRL"}));
    assert_eq!(left["contracts[0].value"], json!({"amount": 1.5, "currency": "R$"}));
    let found = tender(&row.sourced);
    assert_eq!((found.value_estimated, found.closes_on, found.bidders), (None, None, None));
    assert_eq!(contract(&row, "ocds:ocds-zz0000-7:contract:c1").value_initial, None);
}

#[test]
fn an_amount_without_a_currency_is_of_reais_in_brazil_only() {
    let release = |currency: &str| {
        let text = r#"{"ocid":"ocds-1-1","tag":["tender"],"tender":{"id":"1","value":{"amount":10}},"contracts":[{"id":"c","value":{"amount":5,"currency":"CUR"}}]}"#;
        read_bytes("r.json", text.replace("CUR", currency).as_bytes()).only().clone()
    };
    let brazilian = release("BRL");
    assert_eq!(tender(&brazilian.sourced).value_estimated, brl("10"));
    let other = release("USD");
    assert_eq!((tender(&other.sourced).value_estimated, tender(&other.sourced).currency.as_str()), (None, "USD"));
    assert_eq!(metadata(&other.sourced)["tender.value"], json!({"amount": 10}));
}

#[test]
fn an_estimate_of_zero_is_none() {
    let mut value = release();
    value["tender"]["value"]["amount"] = json!(0);
    let row = read_one(&value);
    assert_eq!(tender(&row.sourced).value_estimated, None);
    assert_eq!(metadata(&row.sourced)["tender.value.amount"], json!(0));
}

#[test]
fn of_two_parts_with_one_id_the_second_stays_in_the_metadata() {
    let mut value = release();
    let twin = json!({"id": "c1", "title": "Outro"});
    value["contracts"].as_array_mut().unwrap().push(twin.clone());
    let row = read_one(&value);
    assert_eq!(ids(&row).iter().filter(|id| id.ends_with("contract:c1")).count(), 1);
    assert_eq!(metadata(&row.sourced)["contracts[1]"], twin);
}

#[test]
fn a_bid_handed_in_together_has_its_value_once() {
    let mut value = release();
    value["bids"]["details"][0]["tenderers"] = json!([{"id": "S1"}, {"id": "GB-COH-222"}]);
    let row = read_one(&value);
    let (first, second) =
        (bid(&row, "ocds:ocds-zz0000-7:bid:b1"), bid(&row, "ocds:ocds-zz0000-7:bid:b1:org:GB-COH-222"));
    assert_eq!((first.value, second.value), (brl("900"), None));
    assert_eq!((&first.bidder_id, &second.bidder_id), (&text("org:GB-COH-111"), &text("org:GB-COH-222")));
}

#[test]
fn who_won_is_said_only_where_the_release_decides_it() {
    let mut value = release();
    value["bids"]["details"][1]["relatedLots"] = json!(["L2"]);
    let row = read_one(&value);
    assert_eq!(bid(&row, "ocds:ocds-zz0000-7:bid:b2").won, None, "its lot is not awarded yet");
    value["awards"][0]["status"] = json!("pending");
    let row = read_one(&value);
    assert_eq!(bid(&row, "ocds:ocds-zz0000-7:bid:b1").won, None);
    value["bids"]["details"][0]["status"] = json!("invited");
    assert!(!ids(&read_one(&value)).contains(&"ocds:ocds-zz0000-7:bid:b1"), "an invitation is no bid");
}

#[test]
fn a_contract_of_several_suppliers_names_all_and_points_at_none() {
    let mut value = release();
    value["awards"][0]["suppliers"] = json!([{"id": "S1"}, {"id": "GB-COH-222"}]);
    let row = read_one(&value);
    let signed = contract(&row, "ocds:ocds-zz0000-7:contract:c1");
    assert_eq!((&signed.supplier_id, &signed.supplier_name), (&None, &text("Firma Um / Firma Dois")));
}

#[test]
fn an_award_stands_in_for_a_contract_only_where_all_is_told() {
    let mut value = release();
    value.as_object_mut().unwrap().remove("contracts");
    assert!(
        !ids(&read_one(&value)).iter().any(|id| id.contains(":award:")),
        "its contract may come with the next release"
    );
    value["tag"] = json!(["compiled"]);
    let row = read_one(&value);
    let stands_in = contract(&row, "ocds:ocds-zz0000-7:award:a1");
    assert_eq!(
        (stands_in.value_initial, &stands_in.instrument, stands_in.signed_on),
        (brl("900"), &text("award"), None)
    );
    assert_eq!(stands_in.supplier_id, text("org:GB-COH-111"));
    value["awards"][0]["status"] = json!("cancelled");
    assert!(!ids(&read_one(&value)).iter().any(|id| id.contains(":award:")));
}

#[test]
fn numbers_of_the_brazilian_register_are_known_wherever_they_stand() {
    for party in [
        json!({"id": "BR-CNPJ-00.000.000/0001-91", "name": "X"}),
        json!({"id": CNPJ, "name": "X"}),
        json!({"id": "9", "name": "X", "identifier": {"scheme": "br-cnpj", "id": CNPJ}}),
        json!({"id": "9", "name": "X", "identifier": {"id": CNPJ}}),
    ] {
        let mut value = release();
        value["bids"]["details"][0]["tenderers"] = json!([party]);
        assert!(suppliers(&read_one(&value)).contains(&"cnpj:00000000000191"), "{party}");
    }
}

#[test]
fn persons_are_masked_everywhere() {
    let mut value = release();
    value["bids"]["details"][0]["tenderers"] =
        json!([{"id": "BR-CPF-52998224725", "name": "José da Silva 529.982.247-25"}]);
    value["tender"]["extra"] = json!({"cpf": [52998224725_u64], "52998224725": "x"});
    value["contracts"][0]["id"] = json!("52998224725");
    let text = value.to_string().replace("Dipirona", "5299\\u0038224725");
    let outcome = read_bytes("r.json", text.as_bytes());
    let row = outcome.only();
    assert_eq!(
        bid(row, "ocds:ocds-zz0000-7:bid:b1").bidder_id,
        super::text("cpf:***.982.247-**|jose da silva 982 247")
    );
    assert!(!format!("{row:?}").contains("52998"));
    value["ocid"] = json!(52998224725_u64);
    let outcome = read_bytes("r.json", &bytes(&value));
    assert_eq!(outcome.faults().len(), 1);
    assert!(!format!("{:?}", outcome.events).contains("52998"));
}

#[test]
fn an_empty_package_is_read_as_such() {
    for bytes in [package(&[]), record_package(&[])] {
        let outcome = read_bytes("p.json", &bytes);
        assert_eq!(outcome.result.as_ref().unwrap().format, Format::OcdsEmpty);
        assert!(outcome.events.is_empty());
    }
    assert!(read_hinted("p.json", &package(&[release()]), Some("pncp")).result.is_err());
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn zip_of(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap().into_inner()
}

fn assert_same(one: &Outcome, other: &Outcome) {
    assert!(one.result.is_ok() && other.result.is_ok(), "{:?} {:?}", one.result, other.result);
    assert_eq!(one.events, other.events);
}

#[test]
fn packed_files_are_read_by_what_is_inside() {
    let plain = read_bytes("r.json", &package(&[release()]));
    assert_same(&plain, &read_bytes("r.json.gz", &gzip(&package(&[release()]))));
    assert_same(&plain, &read_bytes("r", &[gzip(b""), gzip(&package(&[release()]))].concat()));
    assert_same(&plain, &read_bytes("r.zip", &zip_of("a/r.json", &package(&[release()]))));
    assert_same(&plain, &read_bytes("r.zip", &zip_of("r.json.gz", &gzip(&package(&[release()])))));
    let whole = gzip(&package(&vec![release(); 500]));
    let cut = read_bytes("r.json.gz", &whole[..whole.len() / 2]);
    assert!(cut.result.is_err(), "a cut file says so");
}

#[test]
fn a_broken_line_costs_itself_only() {
    let good = release().to_string();
    let lines = format!("{good}\n{}\n{good}\n{{\"ocid\":\"x\n{good}\n", &good[..good.len() - 40]);
    let outcome = read_bytes("r.jsonl", lines.as_bytes());
    assert_eq!(outcome.faults().iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 4]);
    assert_eq!(outcome.rows().len(), 3);
    let deep = format!("{good}\n{{\"ocid\":\"x\",\"tag\":{}{}}}\n{good}\n", "[".repeat(100_000), "]".repeat(100_000));
    let outcome = read_bytes("r.jsonl", deep.as_bytes());
    assert_eq!(outcome.faults(), [(2, "json")]);
    assert_eq!(outcome.rows().len(), 2);
}

#[test]
fn a_line_among_packages_that_is_none_is_counted() {
    let lines =
        [package(&[release()]), b"{\"ocid\":\"a\",\"tag\":[]}".to_vec(), package(&[release(), release()])].join(&b'\n');
    let outcome = read_bytes("p.jsonl", &lines);
    assert_eq!(outcome.faults(), [(2, "json")]);
    assert_eq!(outcome.rows().len(), 3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn releases_are_the_same_however_they_are_laid_out(
        titles in proptest::collection::vec("[a-zç \\n{}\",\\\\]{0,12}", 2..6), amounts in proptest::collection::vec(0i64..10_000_000, 6), split in 1usize..5
    ) {
        let releases: Vec<Value> = titles.iter().zip(&amounts).enumerate().map(|(at, (title, amount))| {
            let mut value = release();
            value["ocid"] = json!(format!("ocds-zz0000-{at}"));
            value["tender"]["description"] = json!(title);
            value["tender"]["value"]["amount"] = json!(*amount as f64 / 100.0);
            value
        }).collect();
        let whole = read_bytes("p.json", &package(&releases));
        prop_assert_eq!(whole.rows().len(), releases.len());
        let lines = releases.iter().map(|r| r.to_string()).collect::<Vec<_>>().join("\n");
        let pretty = releases.iter().map(|r| serde_json::to_string_pretty(r).unwrap()).collect::<Vec<_>>().join("\n");
        let (first, rest) = releases.split_at(split.min(releases.len() - 1));
        let packages = [package(first), package(rest)].join(&b'\n');
        for bytes in [lines.as_bytes(), pretty.as_bytes(), &serde_json::to_vec(&releases).unwrap(), &packages] {
            let other = read_bytes("p.jsonl", bytes);
            prop_assert!(other.result.is_ok());
            prop_assert_eq!(&other.events, &whole.events);
        }
    }
}
