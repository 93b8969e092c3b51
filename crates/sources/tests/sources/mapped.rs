//! Files read by a mapping: as exact as those of the built-in formats.

use model::{Money, Record, mask_cpfs};
use serde_json::json;
use sources::{Error, Format, How, Mapping, identify};

use super::{Outcome, brl, contract, cp1252, day, metadata, read_how, sanction, tender, text, the_input};

const HEADER: &str = "Nº do Contrato;Exercício;Processo;Objeto;Modalidade;Fundamento;Situação;Assinatura;Início;Término;Valor Inicial (R$);\
Valor Atualizado;Tipo;Parcelas;Cód. Secretaria;Secretaria;CNPJ/CPF do Contratado;Contratado;Nº da Licitação;Atualizado em;Fiscal;Telefone";
const ROW: &str = "12/2024;2024;P-7;Aquisição de papel A4;Compra Direta;Lei 14.133/2021, art. 75, II;Vigente;05/02/2024;2024-02-06;04/02/2025;1.234,56;\
1300.5;Despesa;12;03;Secretaria de Educação;00.000.000/0001-91;PAPELARIA LTDA;7|24;01/03/2024 10:30;JOÃO 529.982.247-25;(11) 99999-0000";

fn example() -> Mapping {
    let path = std::env::var("CARGO_MANIFEST_DIR").unwrap() + "/../../docs/examples/mapping.toml";
    Mapping::load(path.as_ref()).unwrap()
}

fn read_mapped(name: &str, bytes: &[u8], mapping: &Mapping) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let how = How { mapping: Some(mapping), source: None };
    let outcome = read_how(&the_input(&path), how);
    if let Ok(header) = &outcome.result {
        let found = identify(&the_input(&path), how).unwrap();
        assert_eq!((found.source, found.format), (header.source.clone(), header.format));
    }
    outcome
}

/// A file of the example's city: two lines above the header.
fn city(rows: &[&str]) -> Outcome {
    let text = format!("Prefeitura de Exemplo\nEmitido em 01/03/2024;;\n{HEADER}\n{}\n", rows.join("\n"));
    read_mapped("contratos.csv", &cp1252(&text), &example())
}

/// Reads lines by a small mapping.
fn small(mapping: &str, lines: &str) -> Outcome {
    read_mapped("202403_arquivo.csv", lines.as_bytes(), &Mapping::parse("m.toml", mapping).unwrap())
}

#[test]
fn a_contract_maps_exactly() {
    let outcome = city(&[ROW]);
    let header = outcome.result.as_ref().unwrap();
    assert_eq!((&*header.source, header.format), ("exemplo-prefeitura", Format::Mapped("mapped/contracts")));
    assert_eq!((header.format.code(), header.encoding), ("mapped/contracts", "windows-1252"));
    assert!(header.unknown_words.is_empty());
    let row = outcome.only();
    assert_eq!(row.sourced.id, "exemplo-prefeitura:contract:12/2024|2024");
    assert_eq!(row.sourced.line, 4);
    assert_eq!(row.sourced.updated_at.as_deref(), Some("2024-03-01T10:30:00"));
    assert_eq!(row.sourced.row_hash.len(), 32);
    let found = contract(&row.sourced);
    assert_eq!((&found.number, &found.process), (&text("12/2024"), &text("P-7")));
    assert_eq!(found.object, text("Aquisição de papel A4"));
    assert_eq!((found.activity, found.activity_basis), (Some("expediente"), Some("text")));
    assert_eq!((found.modality, &found.modality_as_stated), (Some("dispensa"), &text("Compra Direta")));
    assert_eq!((&found.legal_basis, found.regime), (&text("Lei 14.133/2021, art. 75, II"), Some("lei_14133")));
    assert_eq!(found.status, text("Vigente"));
    assert_eq!((found.signed_on, found.starts_on), (day("2024-02-05"), day("2024-02-06")));
    assert_eq!((found.ends_on, found.partition_on), (day("2025-02-04"), day("2024-02-05")));
    assert_eq!((found.value_initial, found.value_final), (brl("1234.56"), brl("1300.5")));
    assert_eq!((found.income, found.installments, found.currency.as_str()), (false, Some(12), "BRL"));
    assert_eq!((&found.buyer_id, &found.buyer_name), (&text("exemplo-prefeitura:03"), &text("Secretaria de Educação")));
    assert_eq!((&found.supplier_id, &found.supplier_root), (&text("cnpj:00000000000191"), &text("00000000")));
    assert_eq!(found.supplier_name, text("PAPELARIA LTDA"));
    assert_eq!(found.tender_id, text("exemplo-prefeitura:tender:7%7C24"));
    let (id, buyer) = row.buyer.as_ref().unwrap();
    assert_eq!(
        (id, &buyer.code, buyer.name.as_str()),
        (found.buyer_id.as_ref().unwrap(), &text("03"), "Secretaria de Educação")
    );
    assert_eq!((&buyer.sphere, &buyer.branch, &buyer.state), (&text("M"), &text("E"), &text("SP")));
    assert_eq!((&buyer.municipality, &buyer.parent_name), (&text("Exemplo"), &text("Prefeitura Municipal de Exemplo")));
    assert_eq!(buyer.seen_on, day("2024-02-05"));
    let (_, supplier) = row.supplier.as_ref().unwrap();
    assert_eq!((supplier.kind, supplier.seen_on), ("company", day("2024-02-05")));
    // What is not mapped is kept, CPFs masked and ways to reach people left out; so is what only the key holds.
    assert_eq!(metadata(&row.sourced), json!({"Exercício": "2024", "Fiscal": "JOÃO ***.982.247-**"}));
}

#[test]
fn nothing_is_filled_in() {
    let bare = "13/2024;2024;-;s/i;;Sem informação;;-;;;;a apurar;;;;;;;;;;";
    let row = city(&[bare]);
    let found = contract(&row.only().sourced).clone();
    let expected = model::Contract { number: text("13/2024"), ..model::Contract::default() };
    assert_eq!(found, expected);
    assert!(row.only().buyer.is_none() && row.only().supplier.is_none());
    assert_eq!(row.only().sourced.updated_at, None);
}

#[test]
fn words_without_a_meaning_stay_as_stated_and_are_counted() {
    let with = |number: &str, modality: &str| ROW.replace("12/2024", number).replace("Compra Direta", modality);
    let rows = [
        with("1", "COMPRA  DIRETA"),
        with("2", "Pregão Eletrônico"),
        with("3", "Adesão a Ata"),
        with("4", "Carona"),
        with("5", "Carona"),
    ];
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let outcome = city(&rows);
    let modalities: Vec<_> = outcome.rows().iter().map(|row| contract(&row.sourced).modality).collect();
    assert_eq!(modalities, [Some("dispensa"), Some("pregao"), None, None, None]);
    assert_eq!(contract(&outcome.rows()[4].sourced).modality_as_stated, text("Carona"));
    let words: Vec<_> = outcome.result.as_ref().unwrap().unknown_words.clone().into_iter().collect();
    assert_eq!(words, [("modality: Carona".to_owned(), 2)]);
}

#[test]
fn a_file_of_many_unknown_words_counts_the_first_hundred_by_name() {
    let rows: Vec<String> = (0..300)
        .map(|n| ROW.replace("12/2024", &n.to_string()).replace("Compra Direta", &format!("Forma {n}")))
        .collect();
    let outcome = city(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    let words = &outcome.result.as_ref().unwrap().unknown_words;
    assert_eq!((words.len(), words["…"]), (101, 200));
}

#[test]
fn bad_rows_are_quarantined_with_column_and_reason() {
    let cases = [
        ("12/2024;2024", "12/2024;-", "required_field", "Exercício"),
        ("05/02/2024;", "30/02/2024;", "date", "Assinatura"),
        ("05/02/2024;", "05/02/24;", "date", "Assinatura"),
        ("1.234,56", "1234.56", "number_style", "Valor Inicial (R$)"),
        ("1.234,56", "1,23456", "amount", "Valor Inicial (R$)"),
        ("1300.5", "1.300,5", "number_style", "Valor Atualizado"),
        ("Despesa;12", "Despesa;doze", "amount", "Parcelas"),
        ("Despesa;12", "Talvez;12", "type", "Tipo"),
        ("01/03/2024 10:30", "ontem", "date", "Atualizado em"),
    ];
    for (right, wrong, reason, column) in cases {
        let outcome = city(&[&ROW.replace(right, wrong), &ROW.replace("12/2024", "14/2024")]);
        assert_eq!(outcome.faults(), [(4, reason)], "{wrong}");
        assert_eq!(outcome.bad()[0].column.as_deref(), Some(column));
        assert!(!outcome.bad()[0].raw.contains("529.982"), "{:?}", outcome.bad());
        assert_eq!(outcome.rows().len(), 1);
    }
    assert_eq!(city(&["1;2"]).faults(), [(4, "field_count")]);
}

#[test]
fn a_day_in_a_year_that_cannot_be_meant_stays_in_the_metadata() {
    let outcome = city(&[&ROW.replace("05/02/2024;", "05/02/3024;")]);
    let row = outcome.only();
    assert_eq!(contract(&row.sourced).signed_on, None);
    assert_eq!(contract(&row.sourced).partition_on, day("2024-02-06"));
    assert_eq!(metadata(&row.sourced)["Assinatura"], "05/02/3024");
}

#[test]
fn columns_may_be_optional_and_may_have_several_names() {
    let header = HEADER.replace("Situação;", "").replace("Processo;", "Nº DO PROCESSO;");
    let text = format!("\n\n{header}\n{}\n", ROW.replace("Vigente;", ""));
    let outcome = read_mapped("c.csv", &cp1252(&text), &example());
    let found = contract(&outcome.only().sourced);
    assert_eq!((&found.process, &found.status), (&super::text("P-7"), &None));
}

#[test]
fn a_header_that_lacks_columns_is_an_error_that_names_them() {
    let header = HEADER.replace("Objeto;", "Assunto;").replace("Contratado;Nº", "Credor;Nº");
    let text = format!("\n\n{header}\n{ROW}\n");
    let outcome = read_mapped("c.csv", &cp1252(&text), &example());
    let Err(Error::MappedColumnsMissing { missing, none_found, .. }) = &outcome.result else {
        panic!("{:?}", outcome.result)
    };
    assert_eq!((missing.as_slice(), *none_found), (&["Objeto".to_owned(), "Contratado".to_owned()][..], false));
    let said = outcome.result.unwrap_err().to_string();
    assert!(said.contains("c.csv") && said.contains("mapping.toml") && said.contains("Objeto, Contratado"), "{said}");
    for other in ["nothing like it", "{\"data\": []}", "\u{1}\u{2};;"] {
        let outcome = read_mapped("c.csv", other.as_bytes(), &example());
        assert!(matches!(outcome.result, Err(Error::MappedColumnsMissing { none_found: true, .. })), "{other}");
    }
    assert!(matches!(read_mapped("c.csv", b" \n", &example()).result, Err(Error::Empty { .. })));
}

#[test]
fn a_column_that_stands_twice_is_not_chosen_between() {
    let mapping = "source = \"exemplo\"\ntable = \"contracts\"\nkey = \"n\"\n[columns]\nobject = \"Valor\"\n";
    let outcome = small(mapping, "n;VALOR;valor\n1;a;b\n");
    assert!(outcome.result.unwrap_err().to_string().contains("`VALOR` stands twice"));
    let named = mapping.to_owned() + "[file]\nskip_lines = 1\nheader = [\"n\", \"outro\", \"valor\"]\n";
    let outcome = small(&named, "n;VALOR;valor\n1;a;b\n");
    assert_eq!(contract(&outcome.only().sourced).object, text("b"));
    assert_eq!(metadata(&outcome.only().sourced), json!({"n": "1", "outro": "a"}));
}

#[test]
fn a_file_without_a_header_is_read_by_the_names_it_is_told() {
    let mapping = "source = \"exemplo\"\ntable = \"contracts\"\nkey = \"n\"\n[file]\nseparator = \"tab\"\nencoding = \"utf-8\"\n\
                   header = [\"n\", \"objeto\"]\n[columns]\nobject = \"Objeto\"\n";
    let outcome = small(mapping, "\u{FEFF}1\tpão; café\n2\tx\t\n3\n");
    assert_eq!(outcome.rows().len(), 2);
    assert_eq!(outcome.faults(), [(3, "field_count")]);
    let first = outcome.rows()[0];
    assert_eq!((contract(&first.sourced).object.clone(), first.sourced.line), (text("pão; café"), 1));
    assert_eq!(contract(&first.sourced).partition_on, day("2024-03-01"), "the month of the file's name");
}

#[test]
fn keys_that_differ_give_ids_that_differ() {
    let mapping = "source = \"exemplo\"\ntable = \"contracts\"\nkey = [\"a\", \"b\"]\n";
    let outcome = small(mapping, "a;b\n1|2;3\n1;2|3\n1%7C2;3\n 1 2 ; 3\n");
    let ids: Vec<_> = outcome.rows().iter().map(|row| row.sourced.id.as_str()).collect();
    assert_eq!(
        ids,
        ["exemplo:contract:1%7C2|3", "exemplo:contract:1|2%7C3", "exemplo:contract:1%257C2|3", "exemplo:contract:12|3"]
    );
}

#[test]
fn buyers_are_known_by_the_best_that_is_stated() {
    let mapping = "source = \"exemplo\"\ntable = \"contracts\"\nkey = \"n\"\n[buyer]\ncode = \"ug\"\ncnpj = \"cnpj\"\nname = \"nome\"\n\
                   sphere = \"esfera\"\nstate = \"uf\"\n";
    let lines = "n;ug;cnpj;nome;esfera;uf\n1;0 7;00.000.000/0001-91;Saúde;Municipal;sp\n2;;00000000000191;Saúde;M;\n3;07;;Saúde;;\n\
                 4;;;Secretaria da Saúde;;\n5;;;;;\n6;;11111111111111;Saúde;regional;São Paulo\n7;07;;;;\n";
    let outcome = small(mapping, lines);
    let ids: Vec<_> = outcome.rows().iter().map(|row| contract(&row.sourced).buyer_id.clone()).collect();
    let expected = [
        text("exemplo:00000000000191-07"),
        text("exemplo:00000000000191"),
        text("exemplo:07"),
        text("exemplo:ug:secretaria_da_saude"),
        None,
        text("exemplo:ug:saude"),
        text("exemplo:07"),
    ];
    assert_eq!(ids, expected);
    let first = &outcome.rows()[0].buyer.as_ref().unwrap().1;
    assert_eq!((&first.sphere, &first.state, &first.cnpj), (&text("M"), &text("SP"), &text("00000000000191")));
    let odd = outcome.rows()[5];
    assert_eq!(odd.buyer.as_ref().unwrap().1.cnpj, None);
    let left = metadata(&odd.sourced);
    assert_eq!(
        (&left["cnpj"], &left["esfera"], &left["uf"]),
        (&json!("11111111111111"), &json!("regional"), &json!("São Paulo"))
    );
    assert!(outcome.rows()[6].buyer.is_none(), "a code alone names nobody");
    let federal = mapping.to_owned() + "uasg = true\n";
    assert_eq!(contract(&small(&federal, lines).rows()[0].sourced).buyer_id, text("uasg:07"));
}

#[test]
fn a_persons_number_may_have_a_column_of_its_own() {
    let mapping = "source = \"exemplo\"\ntable = \"contracts\"\nkey = \"n\"\n[supplier]\nnumber = \"cnpj\"\ncpf = \"cpf\"\nname = \"nome\"\n";
    let outcome = small(mapping, "n;cnpj;cpf;nome\n1;00000000000191;;A\n2;;***982247**;JOÃO\n3;;***982247**;\n4;;;B\n");
    let ids: Vec<_> = outcome.rows().iter().map(|row| contract(&row.sourced).supplier_id.clone()).collect();
    assert_eq!(ids, [text("cnpj:00000000000191"), text("cpf:***.982.247-**|joao"), None, None]);
    assert_eq!(metadata(&outcome.rows()[2].sourced), json!({"n": "3", "cpf": "***982247**"}));
}

#[test]
fn tenders_take_the_rules_of_tenders() {
    let mapping = "source = \"exemplo\"\ntable = \"tenders\"\nkey = \"n\"\n[style]\ndecimal = \".\"\nthousands = \",\"\n[columns]\n\
                   modality_as_stated = \"modo\"\nvalue_estimated = \"estimado\"\nvalue_awarded = \"valor\"\npublished_on = \"data\"\n\
                   price_registration = \"srp\"\nbidders = \"licitantes\"\n";
    let outcome = small(
        mapping,
        "n;modo;estimado;valor;data;srp;licitantes\n1;Pregão;0.00;1,234.5;2024-05-06T08:00:00;Sim;3\n2;;;;;talvez;\n",
    );
    let found = tender(&outcome.rows()[0].sourced);
    assert_eq!((found.modality, found.price_registration, found.bidders), (Some("pregao"), Some(true), Some(3)));
    assert_eq!((found.value_estimated, found.value_awarded), (None, brl("1234.5")));
    assert_eq!((found.published_on, found.partition_on), (day("2024-05-06"), day("2024-05-06")));
    assert_eq!(metadata(&outcome.rows()[0].sourced), json!({"n": "1", "estimado": "0.00"}));
    let second = &outcome.rows()[1].sourced;
    assert_eq!((tender(second).price_registration, tender(second).partition_on), (None, day("2024-03-01")));
    assert_eq!(metadata(second), json!({"n": "2", "srp": "talvez"}));
    assert_eq!(outcome.result.unwrap().unknown_words["price_registration: talvez"], 1);
}

#[test]
fn items_bids_amendments_and_payments_hang_on_their_parents() {
    let mapping = "source = \"exemplo\"\ntable = \"items\"\nkey = [\"contrato\", \"item\"]\n[style]\ndecimal = \",\"\n[columns]\nnumber = \"item\"\n\
                   description = \"nome\"\ndetail = \"detalhe\"\nquantity = \"qtd\"\ntotal = \"total\"\nunit_price = \"preço\"\n\
                   [supplier]\nnumber = \"cnpj\"\n[parent]\ncontract = \"contrato\"\n";
    let lines = "contrato;item;nome;detalhe;qtd;total;preço;cnpj\n9;1;Café;UNIDADE: kg;3;10,00;;00000000000191\n9;2;Chá;;3;10,00;3,40;\n";
    let outcome = small(mapping, lines);
    let items: Vec<_> = outcome.rows().iter().map(|row| row.sourced.record.clone()).collect();
    let [Record::Item(first), Record::Item(second)] = items.as_slice() else { panic!("{items:?}") };
    assert_eq!(outcome.rows()[0].sourced.id, "exemplo:item:9|1");
    assert_eq!(first.contract_id, text("exemplo:contract:9"));
    assert_eq!((first.unit_price, first.price_basis), (brl("3.3333"), Some("derived")));
    assert_eq!((&first.unit, first.unit_basis), (&text("KG"), Some("text")));
    assert_eq!(first.supplier_id, text("cnpj:00000000000191"));
    assert_eq!((second.unit_price, second.price_basis, second.unit_basis), (brl("3.4"), Some("stated"), None));

    let mapping = "source = \"exemplo\"\ntable = \"bids\"\nkey = [\"edital\", \"cnpj\"]\n[columns]\nwon = { column = \"r\", values = { V = \"true\" } }\n\
                   [supplier]\nnumber = \"cnpj\"\nname = \"nome\"\n[parent]\ntender = [\"edital\"]\n";
    let outcome = small(mapping, "edital;cnpj;nome;r\n5;00000000000191;A;V\n-;00000000000191;A;N\n");
    let Record::Bid(bid) = &outcome.rows()[0].sourced.record else { panic!() };
    assert_eq!(
        (bid.won, &bid.bidder_id, &bid.bidder_root),
        (Some(true), &text("cnpj:00000000000191"), &text("00000000"))
    );
    assert_eq!((&bid.tender_id, &bid.bidder_name), (&text("exemplo:tender:5"), &text("A")));

    let mapping = "source = \"exemplo\"\ntable = \"amendments\"\nkey = [\"contrato\", \"termo\"]\n[style]\ndecimal = \",\"\n[columns]\nvalue = \"valor\"\n\
                   signed_on = \"data\"\n[constants]\nkind = \"amendment\"\n[parent]\ncontract = \"contrato\"\n";
    let outcome = small(mapping, "contrato;termo;valor;data\n9;1;- 5,00;01/02/2024\n");
    let Record::Amendment(amendment) = &outcome.only().sourced.record else { panic!() };
    assert_eq!((amendment.kind, amendment.value, amendment.partition_on), ("amendment", brl("-5"), day("2024-02-01")));

    let mapping = "source = \"exemplo\"\ntable = \"payments\"\nkey = \"n\"\n[style]\ndecimal = \",\"\n[columns]\nvalue = \"valor\"\n\
                   kind = { column = \"fase\", values = { Empenho = \"commitment\", Pagamento = \"payment\" } }\n[supplier]\nname = \"credor\"\n";
    let outcome =
        small(mapping, "n;fase;valor;credor\n1;PAGAMENTO;5,00;529.982.247-25 JOÃO\n2;estorno;1,00;X\n3;;1,00;X\n");
    assert_eq!(outcome.faults(), [(3, "type"), (4, "required_field")]);
    let Record::Payment(payment) = &outcome.rows()[0].sourced.record else { panic!() };
    assert_eq!((payment.kind, payment.value), ("payment", Some(Money::from_scaled(50_000))));
    assert_eq!((&payment.supplier_name, &payment.supplier_id), (&text("***.982.247-** JOÃO"), &None));
}

#[test]
fn sanctions_take_the_rules_of_the_registers() {
    let mapping = "source = \"exemplo-sancoes\"\ntable = \"sanctions\"\nkey = \"processo\"\n[columns]\nkind_as_stated = \"sanção\"\nstarts_on = \"início\"\n\
                   body = \"órgão\"\nbody_state = \"uf\"\nlegal_basis = \"base\"\n[constants]\nregister = \"EXEMPLO\"\n\
                   [supplier]\nnumber = \"cnpj\"\nname = \"nome\"\n";
    let lines = "processo;cnpj;nome;sanção;início;órgão;uf;base\n1;00000000000191;A;Declaração de Inidoneidade;01/02/2024;Prefeitura de Exemplo;sp;Lei 14.133\n\
                 2;;;Multa;;;;\n3;52998224725;JOÃO;Advertência;;;;\n";
    let outcome = small(mapping, lines);
    assert_eq!(outcome.faults(), [(3, "required_field")]);
    let found = sanction(&outcome.rows()[0].sourced);
    assert_eq!(
        (&found.register, found.kind, found.bars_contracting),
        (&text("EXEMPLO"), Some("inidoneidade"), Some(true))
    );
    assert_eq!(
        (&found.body_sphere, found.body_sphere_basis, &found.body_state),
        (&text("M"), Some("name"), &text("SP"))
    );
    assert_eq!((found.scope_min, found.scope_max, found.listed_on), (Some(3), Some(3), day("2024-02-01")));
    assert_eq!(found.body_key, text("prefeitura de exemplo"));
    let other = sanction(&outcome.rows()[1].sourced);
    assert_eq!((other.kind, other.bars_contracting, &other.kind_as_stated), (None, None, &text("Advertência")));
    assert_eq!(other.supplier_id, text("cpf:***.982.247-**|joao"));
}

#[test]
fn partners_registrations_and_terms_are_mapped_too() {
    let mapping = "source = \"exemplo\"\ntable = \"partners\"\nkey = [\"empresa\", \"sócio\"]\n[columns]\ncompany_root = \"empresa\"\nsince_on = \"desde\"\n\
                   [supplier]\nnumber = \"sócio\"\nname = \"nome\"\n";
    let lines = "empresa;sócio;nome;desde\n00.000.000/0001-91;529.982.247-25;JOÃO;01/02/2020\n00000000;11111111111111;X;\n123;52998224725;JOÃO;\n";
    let outcome = small(mapping, lines);
    assert_eq!(outcome.faults(), [(3, "required_field"), (4, "type")]);
    let row = outcome.rows()[0];
    let Record::Partner(partner) = &row.sourced.record else { panic!() };
    assert_eq!((partner.company_root.as_str(), partner.kind), ("00000000", "person"));
    assert_eq!((&partner.partner_id, &partner.name), (&text("cpf:***.982.247-**|joao"), &text("JOÃO")));
    assert_eq!(row.sourced.id, "exemplo:partner:00.000.000/0001-91|***.982.247-**");
    assert!(row.supplier.is_none(), "a partner sells nothing");

    let mapping = "source = \"exemplo\"\ntable = \"registrations\"\nkey = \"cnpj\"\n[columns]\ncnpj = \"cnpj\"\nname = \"nome\"\n\
                   status = { column = \"situação\", values = { ATIVA = \"active\" } }\n[constants]\nscope = \"establishment\"\n";
    let outcome = small(
        mapping,
        "cnpj;nome;situação\n00.000.000/0001-91;EXEMPLO;Ativa\n00000000000191;EXEMPLO;Paralisada\n1;X;\n",
    );
    assert_eq!(outcome.faults(), [(4, "type")]);
    let Record::Registration(found) = &outcome.rows()[0].sourced.record else { panic!() };
    assert_eq!(
        (&found.cnpj, found.cnpj_root.as_str(), found.status),
        (&text("00000000000191"), "00000000", Some("active"))
    );
    assert_eq!(outcome.result.unwrap().unknown_words["status: Paralisada"], 1);

    let mapping = "source = \"exemplo\"\ntable = \"terms\"\nkey = \"c\"\n[columns]\ncode = \"c\"\nmeaning = \"m\"\n[constants]\nlist = \"role\"\n";
    let outcome = small(mapping, "c;m\n05;Administrador\n");
    let Record::Term(term) = &outcome.only().sourced.record else { panic!() };
    assert_eq!((term.list, term.code.as_str(), term.meaning.as_str()), ("role", "05", "Administrador"));
}

#[test]
fn no_cpf_passes_through_a_mapping() {
    let mapping = "source = \"exemplo\"\ntable = \"contracts\"\nkey = \"cpf\"\n[columns]\nobject = { column = \"cpf\", values = { x = \"529.982.247-25\" } }\n\
                   status = \"s\"\n[constants]\nnumber = \"52998224725\"\n[buyer]\nname = { value = \"529.982.247-25\" }\ncode = \"cpf\"\n\
                   [supplier]\nnumber = \"cpf\"\nname = \"s\"\n";
    let outcome = small(mapping, "cpf;s;t\n529.982.247-25;JOÃO 52998224725;52998224725\nx;;\n");
    assert_eq!(outcome.rows().len(), 2);
    for row in outcome.rows() {
        let mut row = row.clone();
        row.sourced.row_hash.clear();
        let shown = format!("{row:?}");
        assert_eq!(mask_cpfs(&shown), shown);
    }
}

#[test]
fn a_mapping_reads_also_a_file_that_a_built_in_format_knows() {
    let mapping =
        "source = \"exemplo\"\ntable = \"contracts\"\nkey = \"Número do Contrato\"\n[columns]\nobject = \"Objeto\"\n";
    let file = super::portal_compras::file_of(&[super::portal_compras::ROW.to_owned()]);
    let outcome = read_mapped("c.csv", &file, &Mapping::parse("m.toml", mapping).unwrap());
    assert!(outcome.only().sourced.id.starts_with("exemplo:contract:"));
}
