//! The register of companies in bulk: files without a header.

use model::{Partner, Record, Registration, Sourced, Term};
use serde_json::json;
use sha2::{Digest, Sha256};
use sources::{Error, Format};

use super::{Outcome, brl, cp1252, day, metadata, read_bytes, read_hinted, text};

const COMPANY: &str = "12345678|EXEMPLO CAFÉ LTDA|2062|49|000000012000,50|03|";
const ESTABLISHMENT: &str = "00000000|0001|91|1|CAFÉ EXEMPLO|02|20051103|00|||19080112|6422100|6499999,6421200|AVENIDA|PAULISTA|1000|SALA 1|BELA VISTA|01310100|SP|7107|11|33334444|011|91234-5678|11|33334444|Contato@Exemplo.com.br||";
const PARTNER: &str = "12345678|2|JOSÉ DA SILVA|***982247**|49|20200115|105|***000000**|MARIA|05|4";

fn file(rows: &[&str]) -> Vec<u8> {
    let line = |row: &&str| format!("\"{}\"\n", row.replace('|', "\";\""));
    cp1252(&rows.iter().map(line).collect::<String>())
}

fn read_as(name: &str, rows: &[&str]) -> Outcome {
    read_bytes(name, &file(rows))
}

fn registration(sourced: &Sourced) -> &Registration {
    let Record::Registration(registration) = &sourced.record else {
        panic!("a registration, not {:?}", sourced.record)
    };
    registration
}

fn partner(sourced: &Sourced) -> &Partner {
    let Record::Partner(partner) = &sourced.record else { panic!("a partner, not {:?}", sourced.record) };
    partner
}

fn term(sourced: &Sourced) -> &Term {
    let Record::Term(term) = &sourced.record else { panic!("a term, not {:?}", sourced.record) };
    term
}

/// The first 16 hexadecimal digits of SHA-256.
fn key(normal: &str) -> String {
    Sha256::digest(normal.as_bytes())[..8].iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn a_company_maps_exactly_and_is_dated_by_its_file() {
    let outcome = read_as("K3241.K03200Y0.D40914.EMPRECSV", &[COMPANY]);
    let header = outcome.result.as_ref().unwrap();
    assert_eq!((header.format, &*header.source, header.encoding), (Format::ReceitaEmpresas, "receita", "windows-1252"));
    let row = outcome.only();
    assert_eq!((row.sourced.id.as_str(), row.sourced.line), ("receita:company:12345678", 1));
    assert_eq!(row.sourced.updated_at, text("2024-09-14"));
    assert_eq!(metadata(&row.sourced), json!({"Qualificação do responsável": "49"}));
    let due = Registration {
        scope: "company",
        cnpj_root: "12345678".to_owned(),
        name: text("EXEMPLO CAFÉ LTDA"),
        legal_nature: text("2062"),
        size: Some("EPP"),
        capital: brl("12000.50"),
        ..Registration::default()
    };
    assert_eq!(registration(&row.sourced), &due);
    assert!(row.buyer.is_none() && row.supplier.is_none() && row.more.is_empty());
}

#[test]
fn sizes_are_known_codes_or_stay_in_the_metadata() {
    let of_size = |code: &str| {
        let outcome = read_as("e", &[&COMPANY.replace("|03|", &format!("|{code}|"))]);
        let row = outcome.only();
        (registration(&row.sourced).size, metadata(&row.sourced)["Porte"].clone())
    };
    assert_eq!(of_size("01"), (Some("ME"), json!(null)));
    assert_eq!(of_size("05"), (Some("other"), json!(null)));
    assert_eq!(of_size("00"), (None, json!(null)));
    assert_eq!(of_size(""), (None, json!(null)));
    assert_eq!(of_size("07"), (None, json!("07")));
}

#[test]
fn an_establishment_maps_exactly_and_its_contacts_are_keys() {
    let outcome = read_as("K3241.K03200Y0.D40914.ESTABELE", &[ESTABLISHMENT]);
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::ReceitaEstabelecimentos);
    let row = outcome.only();
    assert_eq!(row.sourced.id, "receita:establishment:00000000000191");
    let due = Registration {
        scope: "establishment",
        cnpj: text("00000000000191"),
        cnpj_root: "00000000".to_owned(),
        trade_name: text("CAFÉ EXEMPLO"),
        head_office: Some(true),
        status: Some("active"),
        status_as_stated: text("02"),
        status_on: day("2005-11-03"),
        status_reason: text("00"),
        opened_on: day("1908-01-12"),
        main_activity: text("6422100"),
        other_activities: text("6499999,6421200"),
        state: text("SP"),
        municipality: text("7107"),
        address_key: Some(key("7107|01310100|avenida paulista|1000|sala 1")),
        phone_keys: Some(format!("{},{}", key("1133334444"), key("11912345678"))),
        email_key: Some(key("contato@exemplo.com.br")),
        ..Registration::default()
    };
    assert_eq!(registration(&row.sourced), &due);
    assert_eq!(row.sourced.metadata, None, "no contact is kept");
    for contact in ["PAULISTA", "3333", "01310100", "xemplo.com", "BELA VISTA"] {
        assert!(!format!("{row:?}").contains(contact), "{contact}");
    }
}

#[test]
fn statuses_are_known_codes() {
    let of_status = |code: &str| {
        let outcome = read_as("e", &[&ESTABLISHMENT.replace("|02|2005", &format!("|{code}|2005"))]);
        let found = registration(&outcome.only().sourced).clone();
        (found.status, found.status_as_stated.unwrap())
    };
    for (code, status) in
        [("01", Some("null")), ("03", Some("suspended")), ("04", Some("unfit")), ("08", Some("closed")), ("09", None)]
    {
        assert_eq!(of_status(code), (status, code.to_owned()));
    }
}

#[test]
fn what_stands_for_nothing_gives_no_key_and_no_day() {
    let row = "00000000|0001|91|2||08|0|01|PARIS|275|00000000|6422100||RUA||S/N|||00000000|EX|9707|0|00000000||||||SITUACAO|20200101";
    let outcome = read_as("e", &[row]);
    let row = outcome.only();
    let found = registration(&row.sourced);
    assert_eq!((&found.address_key, &found.phone_keys, &found.email_key), (&None, &None, &None));
    assert_eq!((found.status_on, found.opened_on, found.head_office), (None, None, Some(false)));
    assert_eq!(
        metadata(&row.sourced),
        json!({
            "Nome da cidade no exterior": "PARIS", "País": "275", "Situação especial": "SITUACAO",
            "Data da situação especial": "20200101"
        })
    );
}

#[test]
fn an_alphanumeric_cnpj_is_read_and_a_wrong_one_is_quarantined() {
    let alphanumeric = ESTABLISHMENT.replace("00000000|0001|91|", "12ABC345|01DE|35|");
    let wrong = ESTABLISHMENT.replace("|0001|91|", "|0001|92|");
    let outcome = read_as("e", &[&alphanumeric, ESTABLISHMENT, ESTABLISHMENT, &wrong]);
    assert_eq!(outcome.faults(), [(4, "required_field")]);
    assert_eq!(outcome.bad()[0].column.as_deref(), Some("CNPJ básico"));
    let found = registration(&outcome.rows()[0].sourced);
    assert_eq!((found.cnpj.as_deref(), found.cnpj_root.as_str()), (Some("12ABC34501DE35"), "12ABC345"));
}

#[test]
fn partners_map_exactly() {
    let company = "12345678|1|OUTRA SA|00000000000191|22|20200115||||00|0";
    let foreign = "12345678|3|ACME GMBH||37|20200115|023|||00|0";
    let outcome = read_as("K3241.K03200Y0.D40914.SOCIOCSV", &[PARTNER, company, foreign]);
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::ReceitaSocios);
    assert_eq!(outcome.faults(), []);
    let rows = outcome.rows();
    let due = Partner {
        company_root: "12345678".to_owned(),
        kind: "person",
        partner_id: text("cpf:***.982.247-**|jose da silva"),
        name: text("JOSÉ DA SILVA"),
        role: text("49"),
        since_on: day("2020-01-15"),
        age_band: text("4"),
    };
    assert_eq!(partner(&rows[0].sourced), &due);
    assert_eq!(rows[0].sourced.id, "receita:partner:12345678|person|cpf:***.982.247-**|jose da silva|49|2020-01-15");
    assert_eq!(
        metadata(&rows[0].sourced),
        json!({
            "País": "105", "CPF do representante legal": "***000000**", "Nome do representante legal": "MARIA",
            "Qualificação do representante legal": "05"
        })
    );
    let second = partner(&rows[1].sourced);
    assert_eq!((second.kind, &second.partner_id), ("company", &text("cnpj:00000000000191")));
    let third = partner(&rows[2].sourced);
    assert_eq!((third.kind, &third.partner_id, &third.name), ("foreign", &None, &text("ACME GMBH")));
    assert_eq!(rows[2].sourced.id, "receita:partner:12345678|foreign|name:acme gmbh|37|2020-01-15");
}

#[test]
fn simples_maps_exactly() {
    let outcome = read_as("F.K03200$W.SIMPLES.CSV.D40914", &["12345678|N|20070701|20101231|S|20110101|00000000"]);
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::ReceitaSimples);
    let row = outcome.only();
    assert_eq!(row.sourced.id, "receita:simples:12345678");
    assert_eq!(row.sourced.updated_at, text("2024-09-14"));
    let found = registration(&row.sourced);
    assert_eq!((found.scope, found.cnpj_root.as_str()), ("simples", "12345678"));
    assert_eq!((found.simples_from, found.simples_until), (day("2007-07-01"), day("2010-12-31")));
    assert_eq!((found.mei_from, found.mei_until), (day("2011-01-01"), None));
    assert_eq!(metadata(&row.sourced), json!({"Opção pelo Simples": "N", "Opção pelo MEI": "S"}));
}

#[test]
fn a_list_is_told_by_its_name_or_by_the_width_of_its_codes() {
    for (name, row, format, list) in [
        ("F.K03200$Z.D40914.CNAECSV", "0111301|Cultivo de arroz", Format::ReceitaCnaes, "cnae"),
        ("F.K03200$Z.D40914.MOTICSV", "01|Extinção", Format::ReceitaMotivos, "status_reason"),
        ("F.K03200$Z.D40914.MUNICCSV", "7107|SAO PAULO", Format::ReceitaMunicipios, "municipality"),
        ("F.K03200$Z.D40914.NATJUCSV", "2062|Limitada", Format::ReceitaNaturezas, "legal_nature"),
        ("F.K03200$Z.D40914.PAISCSV", "105|BRASIL", Format::ReceitaPaises, "country"),
        ("F.K03200$Z.D40914.QUALSCSV", "49|Sócio-Administrador", Format::ReceitaQualificacoes, "role"),
        ("sem-nome", "0111301|Cultivo de arroz", Format::ReceitaCnaes, "cnae"),
    ] {
        let outcome = read_as(name, &[row]);
        assert_eq!(outcome.result.as_ref().unwrap().format, format, "{name}");
        let (code, meaning) = row.split_once('|').unwrap();
        let found = outcome.only();
        assert_eq!(found.sourced.id, format!("receita:term:{list}:{code}"));
        let due = Term { list, code: code.to_owned(), meaning: meaning.to_owned() };
        assert_eq!(term(&found.sourced), &due);
    }
    for row in ["7107|SAO PAULO", "49|Administrador", "código|descrição", "12|"] {
        assert!(matches!(read_as("sem-nome", &[row]).result, Err(Error::UnknownFormat { .. })), "{row}");
    }
    let misnamed = read_as("F.D40914.CNAECSV", &["7107|SAO PAULO"]);
    assert!(misnamed.result.is_err(), "name and codes contradict each other");
}

#[test]
fn persons_in_names_are_masked() {
    let company = COMPANY.replace("EXEMPLO CAFÉ LTDA", "JOSE DA SILVA 52998224725");
    let partner_row = PARTNER.replace("***982247**", "52998224725").replace("MARIA", "529.982.247-25");
    for row in [&company, &partner_row] {
        let outcome = read_as("e", &[row]);
        assert!(!format!("{:?}", outcome.only()).contains("52998"), "{row}");
    }
    let outcome = read_as("e", &[&company]);
    assert_eq!(registration(&outcome.only().sourced).name, text("JOSE DA SILVA ***982247**"));
}

#[test]
fn a_bad_row_is_quarantined_with_its_column_and_the_rest_goes_on() {
    let wrong_day = PARTNER.replace("20200115", "20200230");
    let wrong_kind = PARTNER.replace("|2|", "|7|");
    let wrong_root = PARTNER.replace("12345678", "1234567");
    let far_off = PARTNER.replace("20200115", "30200115");
    let rows = [
        PARTNER,
        PARTNER,
        PARTNER,
        PARTNER,
        PARTNER,
        PARTNER,
        PARTNER,
        PARTNER,
        PARTNER,
        &wrong_day,
        &wrong_kind,
        &wrong_root,
        &far_off,
    ];
    let mut bytes = file(&rows);
    bytes.extend_from_slice(b"\"12345678\";\"2\"\n");
    let outcome = read_bytes("socios.csv", &bytes);
    assert_eq!(outcome.faults(), [(10, "date"), (11, "type"), (12, "required_field"), (14, "field_count")]);
    let columns: Vec<_> = outcome.bad().iter().map(|b| b.column.as_deref()).collect();
    let due = [Some("Data de entrada na sociedade"), Some("Identificador de sócio"), Some("CNPJ básico"), None];
    assert_eq!(columns, due);
    let last = *outcome.rows().last().unwrap();
    assert_eq!(partner(&last.sourced).since_on, None);
    assert_eq!(metadata(&last.sourced)["Data de entrada na sociedade"], json!("30200115"));
}

#[test]
fn an_archive_is_read_by_the_name_of_its_member_and_hints_are_checked() {
    let outcome = read_hinted("e", &file(&[COMPANY]), Some("receita"));
    assert!(outcome.result.is_ok());
    assert!(matches!(read_hinted("e", &file(&[COMPANY]), Some("pncp")).result, Err(Error::WrongSource { .. })));
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.start_file("F.K03200$Z.D40914.MUNICCSV", zip::write::SimpleFileOptions::default()).unwrap();
    std::io::Write::write_all(&mut writer, &file(&["7107|SAO PAULO"])).unwrap();
    let outcome = read_bytes("Municipios.zip", &writer.finish().unwrap().into_inner());
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::ReceitaMunicipios);
    assert_eq!(outcome.only().sourced.updated_at, text("2024-09-14"));
}
