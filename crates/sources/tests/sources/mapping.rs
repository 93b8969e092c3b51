//! Mapping files: what is right is read, what is wrong is an error that names file, line and what is allowed.

use sources::{Error, Format, Mapping, SOURCES};

/// A mapping of contracts with these lines behind its first three.
fn contracts(lines: &str) -> String {
    format!("source = \"exemplo\"\ntable = \"contracts\"\nkey = [\"Contrato\"]\n{lines}")
}

#[track_caller]
fn refused(text: &str, line: usize, words: &[&str]) {
    let error = Mapping::parse("m.toml", text).expect_err(text);
    let Error::Mapping { name, line: found, .. } = &error else { panic!("{error:?}") };
    let said = error.to_string();
    assert_eq!((name.as_str(), *found), ("m.toml", line), "{said}");
    assert!(said.starts_with(&format!("m.toml, line {line}: ")), "{said}");
    for word in words {
        assert!(said.contains(word), "nothing is said of {word}: {said}");
    }
}

#[test]
fn the_annotated_example_is_right() {
    let path = std::env::var("CARGO_MANIFEST_DIR").unwrap() + "/../../docs/examples/mapping.toml";
    let mapping = Mapping::load(path.as_ref()).unwrap();
    assert_eq!(mapping.source(), "exemplo-prefeitura");
    assert_eq!(mapping.format(), Format::Mapped("mapped/contracts"));
    assert!(mapping.name().ends_with("mapping.toml"));
    let manual = std::fs::read_to_string(path.replace("examples/mapping.toml", "mapping.md")).unwrap();
    let example = std::fs::read_to_string(path).unwrap();
    assert!(manual.contains(&example), "the manual shows the example as it is");
}

#[test]
fn a_mapping_file_that_is_not_there_is_an_error_that_names_it() {
    let error = Mapping::load("/nowhere/m.toml".as_ref()).unwrap_err();
    assert!(matches!(error, Error::Io { .. }) && error.to_string().contains("/nowhere/m.toml"), "{error}");
}

#[test]
fn text_that_is_no_toml_is_refused_with_its_line() {
    refused("source = \"exemplo\"\ntable = contracts\n", 2, &[]);
    refused("source = \"a\"\nsource = \"b\"\n", 2, &["duplicate"]);
}

#[test]
fn what_every_mapping_needs_is_asked_for() {
    refused("table = \"contracts\"\nkey = \"a\"", 1, &["`source` is missing"]);
    refused("source = \"exemplo\"\nkey = \"a\"", 1, &["`table` is missing"]);
    refused("source = \"exemplo\"\ntable = \"contracts\"", 1, &["`key` is missing"]);
    refused("source = \"exemplo\"\ntable = \"contracts\"\nkey = []", 3, &["key"]);
    refused("source = \"exemplo\"\ntable = \"contracts\"\nkey = [\"%\"]", 3, &["letter or a digit"]);
    refused("source = \"exemplo\"\ntable = \"contracts\"\nkey = [3]", 3, &["list"]);
}

#[test]
fn a_source_has_a_name_of_its_own() {
    for source in SOURCES {
        refused(&format!("source = \"{source}\""), 1, &[source, "taken"]);
    }
    for source in ["", "Exemplo", "a b", "-a", "a:b", "uasg", "cnpj", &"x".repeat(41)] {
        refused(&format!("source = \"{source}\""), 1, &[]);
    }
}

#[test]
fn only_tables_that_a_mapping_can_fill_are_taken() {
    for table in ["buyers", "suppliers", "contract", ""] {
        refused(&format!("source = \"exemplo\"\ntable = \"{table}\""), 2, &["contracts, items, bids", "terms"]);
    }
}

#[test]
fn keys_that_are_not_known_are_named_with_those_that_are() {
    refused(&contracts("colour = 1"), 4, &["`colour`", "updated_at", "modalities"]);
    refused(&contracts("[file]\nsep = \";\""), 5, &["`sep`", "file", "separator, encoding, skip_lines, header"]);
    refused(&contracts("[style]\ndates = \"%d\""), 5, &["`dates`", "decimal, thousands, date, nothing"]);
    refused(&contracts("[columns]\nobject = { colum = \"x\" }"), 5, &["`colum`", "column, optional"]);
    refused(&contracts("[columns]\nvalue = \"Valor\""), 5, &["contracts have no field `value`", "value_initial"]);
    refused(&contracts("[constants]\ncolour = \"red\""), 5, &["`colour`", "currency", "sphere"]);
    refused(&contracts("[buyer]\ncodigo = \"x\""), 5, &["`codigo`", "code", "uasg"]);
    refused(&contracts("[supplier]\ncnpj = \"x\""), 5, &["`cnpj`", "number, cpf, name"]);
    refused(&contracts("[parent]\ncontract = \"x\""), 5, &["`contract`", "tender"]);
}

#[test]
fn fields_that_others_fill_are_refused_with_who_does() {
    for (field, by) in [
        ("supplier_id", "[supplier]"),
        ("supplier_name", "[supplier]"),
        ("buyer_id", "[buyer]"),
        ("tender_id", "[parent]"),
        ("modality", "[modalities]"),
        ("activity", "`object`"),
    ] {
        refused(&contracts(&format!("[columns]\n{field} = \"x\"")), 5, &[field, by]);
        refused(&contracts(&format!("[constants]\n{field} = \"x\"")), 5, &[field, by]);
    }
    let registrations =
        "source = \"exemplo\"\ntable = \"registrations\"\nkey = \"CNPJ\"\n[columns]\nphone_keys = \"x\"";
    refused(registrations, 5, &["ways to reach people are not kept"]);
}

#[test]
fn values_that_cannot_be_are_refused_with_what_can() {
    refused(&contracts("[file]\nseparator = \";;\""), 5, &["`;;`", "tab"]);
    refused(&contracts("[file]\nencoding = \"utf-16\""), 5, &["utf-8, windows-1252"]);
    refused(&contracts("[file]\nskip_lines = -1"), 5, &["whole number"]);
    refused(&contracts("[file]\nskip_lines = 1001"), 5, &["1000"]);
    refused(&contracts("[file]\nheader = [\"a\", \"Á\"]"), 5, &["two columns"]);
    refused(&contracts("[file]\nheader = [\"a\", \"-\"]"), 5, &["letter or a digit"]);
    refused(&contracts("[style]\ndecimal = \";\""), 5, &["`;`"]);
    refused(&contracts("[style]\nthousands = \".\""), 5, &["needs `decimal`"]);
    refused(&contracts("[style]\ndecimal = \".\"\nthousands = \".\""), 6, &["told apart"]);
    refused(&contracts("[style]\ndecimal = \",\"\nthousands = \"_\""), 6, &["`_`"]);
    refused(&contracts("[style]\ndate = \"DD/MM/AAAA\""), 5, &["DD/MM/AAAA", "%d"]);
    refused(&contracts("[style]\ndate = \"%m/%Y\""), 5, &["whole day"]);
    refused(&contracts("[style]\ndate = []"), 5, &["no form"]);
    refused(&contracts("[columns]\nvalue_initial = \"Valor\""), 5, &["decimal"]);
    refused(&contracts("[columns]\nobject = []"), 5, &["name of a column"]);
    refused(&contracts("[columns]\nobject = 3"), 5, &["a section"]);
    refused(&contracts("[columns]\nobject = { optional = true }"), 5, &["`column` is missing"]);
    refused(&contracts("[columns]\nobject = { column = \"x\", optional = \"yes\" }"), 5, &["true or false"]);
    refused(&contracts("[columns]\nincome = { column = \"x\", values = { a = \"yes\" } }"), 5, &["`yes`"]);
    refused(
        &contracts("[columns]\nregime = { column = \"x\", values = { a = \"8666\" } }"),
        5,
        &["lei_8666, lei_10520"],
    );
    refused(&contracts("[columns]\nsigned_on = { column = \"x\", values = { a = \"hoje\" } }"), 5, &["nothing"]);
    refused(&contracts("[columns]\nobject = { column = \"x\", values = { a = \"1\", \"Á\" = \"2\" } }"), 5, &["twice"]);
    refused(&contracts("[modalities]\n\"Compra\" = \"compra\""), 5, &["`compra`", "pregao, concorrencia"]);
    refused(&contracts("[modalities]\n\"Compra\" = \"dispensa\""), 1, &["modality_as_stated"]);
}

#[test]
fn constants_are_checked_like_values() {
    refused(&contracts("[constants]\ncurrency = \"R$\""), 5, &["`R$`", "BRL"]);
    refused(&contracts("[constants]\nsigned_on = \"01/02/2024\""), 5, &["AAAA-MM-DD"]);
    refused(&contracts("[constants]\nvalue_initial = \"1,5\""), 5, &["decimal dot"]);
    refused(&contracts("[constants]\nincome = \"sim\""), 5, &["true or false"]);
    refused(&contracts("[constants]\nregime = \"lei\""), 5, &["lei_14133"]);
    refused(&contracts("[constants]\nobject = \"\""), 5, &["a text"]);
    refused(&contracts("[columns]\nobject = \"x\"\n[constants]\nobject = \"y\""), 7, &["[columns] too"]);
    refused(&contracts("[constants]\nsphere = \"M\""), 5, &["no section [buyer]"]);
    refused(&contracts("[buyer]\nname = \"x\"\n[constants]\nsphere = \"X\""), 7, &["F, E, M or D"]);
    refused(&contracts("[buyer]\nname = \"x\"\n[constants]\nstate = \"sp\""), 7, &["capital letters"]);
    refused(
        &contracts("[buyer]\nname = \"x\"\nsphere = { value = \"M\" }\n[constants]\nsphere = \"M\""),
        8,
        &["[buyer] too"],
    );
    refused(&contracts("[buyer]\nname = { value = \"\" }"), 5, &["empty"]);
    refused(&contracts("[buyer]\ncnpj = { value = \"123\" }"), 5, &["CNPJ"]);
    refused(&contracts("[buyer]\nsphere = \"x\""), 4, &["`code`, `cnpj` or `name`"]);
    refused(&contracts("[supplier]"), 4, &["`number` and `name`"]);
    refused(&contracts("[supplier]\ncpf = \"a\""), 4, &["`cpf` stands beside `number`"]);
    refused(&contracts("[parent]"), 4, &["tender"]);
}

#[test]
fn a_table_asks_for_what_its_records_are_nothing_without() {
    let of = |table: &str, lines: &str| format!("source = \"exemplo\"\ntable = \"{table}\"\nkey = \"a\"\n{lines}");
    refused(&of("items", ""), 1, &["[parent]"]);
    refused(&of("bids", "[parent]\ntender = \"a\""), 1, &["[supplier]"]);
    refused(&of("amendments", "[parent]\ncontract = \"a\""), 1, &["`kind`"]);
    refused(&of("payments", ""), 1, &["`kind`"]);
    refused(&of("sanctions", "[constants]\nregister = \"X\""), 1, &["[supplier]"]);
    refused(&of("registrations", "[constants]\nscope = \"company\""), 1, &["`cnpj`"]);
    refused(&of("partners", "[supplier]\nname = \"a\""), 1, &["company_root"]);
    refused(&of("terms", "[constants]\nlist = \"cnae\""), 1, &["`code`"]);
    refused(&of("terms", "[buyer]\nname = \"a\""), 4, &["name no buyer"]);
    refused(&of("terms", "[supplier]\nname = \"a\""), 4, &["name no supplier"]);
    refused(&of("terms", "[modalities]\na = \"pregao\""), 4, &["no modality"]);
    refused(&of("terms", "[parent]\ntender = \"a\""), 4, &["no contract and no tender"]);
}
