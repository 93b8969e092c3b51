//! A small dossier, fixed, in every form: what people read, and that nothing which a source wrote becomes more than text.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::*;
use crate::Seal;

/// What a source might write to be more than text: markup of every form, formulas, marks that turn or end text.
const HOSTILE: &str = "=HYPERLINK(\"http://evil.example\")<script>alert('1')</script> **x** [l](http://evil.example) ![i](http://evil.example/i) | `c` </svg> #eval(\"1+1\") $x^2$ \u{202e}txet\u{0000} & &lt; \\ www.evil.example @all #set page(width: 1pt)";

fn seal() -> Seal {
    Seal::of_seed(&[7; 32])
}

fn small(language: Language, object: &str) -> Dossier {
    let l = language;
    let mut summary = Section::new("resumo", l.say("Resumo", "Summary"));
    summary.text(l.say("1 achado de 1 sinal.", "1 finding of 1 flag."));
    summary.notice(l.say("Faltam dados.", "Data are missing."));
    summary.facts(vec![
        l.money("87600.0000", "BRL").named(l.say("Soma", "Sum")),
        l.day("2024-03-12").named(l.say("Dia", "Day")),
        Cell::plain(object).named(l.say("Objeto", "What is bought")),
    ]);
    summary.list(vec![l.say("primeiro ponto", "first point").to_owned(), object.to_owned()]);
    let mut table = Section::below("contas", l.say("A conta", "The arithmetic"));
    let rows =
        ["29200.0000", "29400.0000", "29000.0000"].map(|v| vec![Cell::plain(object), l.money(v, "BRL")]).to_vec();
    table.table(
        Table::new(l.say("Parcelas", "Parts"), &[l.say("Objeto", "Object"), l.say("#Valor", "#Value")], rows).of(4),
    );
    let point = |label: &str, value: &str, at: Option<&str>, marked| Point {
        label: label.to_owned(),
        at: at.map(str::to_owned),
        cell: l.number(value),
        marked,
    };
    for (drawn, points) in [
        (Drawn::Columns, vec![point("R$ 10,00", "3", None, false), point(object, "1.5000", None, true)]),
        (Drawn::Bars, vec![point("BR02", "3", None, false)]),
        (Drawn::Timeline, vec![point("a", "10", Some("2024-03-12"), true), point("b", "20", Some("2024-04-02"), true)]),
    ] {
        let title = l.say("Gráfico", "Chart").to_owned();
        let text = l.say("O que mostra.", "What it shows.").to_owned();
        table.chart(Chart { drawn, title, text, axis: l.say("valor", "value").to_owned(), points });
    }
    let finding = json!({
        "id": "fnd_x", "flag": "BR02", "version": 3, "kind": "rule", "severity": "medium", "state": "open",
        "title": {"pt": "Possível fracionamento", "en": "Possible splitting"}, "summary": {"pt": object, "en": object},
        "buyer": {"id": "uasg:1", "name": object}, "supplier": null, "subject": {"type": "buyer_year", "id": "-5"},
        "measure": "-87600.0000", "threshold": "59906.0200", "unit": "BRL", "amount": "87600.0000", "currency": "BRL",
        "as_of": "2024-12-31", "contract_ids": ["c:1", "c:2"], "law": null,
        "evidence": {"basis": "judgement", "rows_total": 1, "rows": [{"table": "contracts", "id": "c:1", "file": "a.csv", "line": 7}]},
    });
    Dossier {
        document: DOCUMENT.to_owned(),
        format: DOSSIER_FORMAT,
        kind: "investigation".to_owned(),
        subject: "inv_x".to_owned(),
        language,
        title: l.say("Dossiê de teste", "Test dossier").to_owned(),
        made_at: "2026-11-23T10:02:11.000000-03:00".to_owned(),
        program_version: "0.1.0".to_owned(),
        catalogue_version: "abc".to_owned(),
        law_version: "2026-01".to_owned(),
        partial: vec![l.say("PARCIAL: falta um sinal.", "PARTIAL: a flag is missing.").to_owned()],
        cut: Vec::new(),
        sections: vec![summary, table],
        findings: vec![finding],
        letters: vec![Letter {
            name: "pedido-lai-1".to_owned(),
            title: "Pedido".to_owned(),
            text: "# Pedido\n\nTexto.\n".to_owned(),
        }],
    }
}

#[test]
fn the_small_dossier_reads_as_it_did() {
    let written = markdown(&small(Language::Pt, "Pães e bolos"));
    if std::env::var_os("CIDADAO_UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/dossier/small.md"), &written).unwrap();
    }
    assert_eq!(written, include_str!("small.md"), "CIDADAO_UPDATE_SNAPSHOTS=1 writes it anew");
}

/// Every run of digits with what may stand between them.
fn numbers(text: &str) -> BTreeSet<String> {
    let part = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',');
    text.split(|c| !part(c)).map(|run| run.trim_matches(['.', ',']).to_owned()).filter(|run| !run.is_empty()).collect()
}

fn texts(value: &Value, into: &mut String) {
    match value {
        Value::String(text) => *into += &format!("{text}\n"),
        Value::Number(number) => *into += &format!("{number}\n"),
        Value::Array(all) => all.iter().for_each(|one| texts(one, into)),
        Value::Object(all) => all.values().for_each(|one| texts(one, into)),
        _ => {}
    }
}

#[test]
fn every_number_that_is_read_stands_in_the_data() {
    for language in [Language::Pt, Language::En] {
        let dossier = small(language, "Pães");
        let mut data = String::new();
        texts(&Value::Object(dossier.to_value()), &mut data);
        data += &dossier.language.instant(&dossier.made_at).text;
        data += " 3 4 2 ";
        let known = numbers(&data);
        let unknown: Vec<String> = numbers(&markdown(&dossier)).difference(&known).cloned().collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}

#[test]
fn what_a_source_wrote_is_no_markup_in_html() {
    let page = html(&small(Language::Pt, HOSTILE));
    assert!(!page.contains("<script") && !page.contains("javascript:"), "{page}");
    assert_eq!(page.matches("</svg>").count(), 3, "one for each chart");
    assert!(!page.contains('\u{202e}') && !page.contains('\0'));
    assert!(page.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;"));
    for outside in ["src=", "href=\"http", "url(", "@import", "<link", "<iframe"] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn what_a_source_wrote_is_no_markup_in_markdown() {
    let text = markdown(&small(Language::Pt, HOSTILE));
    assert!(!text.contains("<script") && !text.contains("**x**"), "{text}");
    assert_eq!(text.matches("](").count(), text.matches("\\](").count(), "a bracket is escaped before each: {text}");
    assert!(
        text.contains("\\[l\\](http\\://evil.example)") && text.contains("www\\.evil") && text.contains("\\@all"),
        "{text}"
    );
    assert!(text.contains("\\| \\`c\\`"), "a bar ends no cell");
    for (plain, shown) in
        [("# a", "\\# a"), ("1. a", "1\\. a"), ("- a", "\\- a"), ("R$ 87.600,00", "R$ 87.600,00"), ("$x$", "\\$x$")]
    {
        assert_eq!(markdown_text(plain), shown);
    }
}

#[test]
fn what_a_source_wrote_is_no_formula_in_the_table() {
    let table = findings_csv(&small(Language::Pt, HOSTILE));
    assert!(table.contains("\"'=HYPERLINK"), "{table}");
    assert!(table.contains(",-87600.0000,59906.0200,"), "a number stays one: {table}");
    assert!(table.contains("a.csv:7"));
}

#[test]
fn a_signed_dossier_is_read_back_and_any_other_byte_is_refused() {
    let dossier = small(Language::Pt, HOSTILE);
    let bytes = signed(&dossier, &seal());
    let (read, issuer) = read_dossier(&bytes, None).unwrap();
    assert_eq!((&read, issuer), (&dossier, seal().issuer()));
    assert!(read_dossier(&bytes, Some(&Seal::of_seed(&[8; 32]).issuer())).is_err());
    for at in 0..bytes.len() {
        for bit in [0, 1, 5] {
            let mut other = bytes.clone();
            other[at] ^= 1 << bit;
            assert!(read_dossier(&other, None).is_err(), "byte {at}, bit {bit}");
        }
    }
    for other in [[&bytes[..], b"\n"].concat(), [b" ", &bytes[..]].concat(), bytes[..bytes.len() - 1].to_vec()] {
        assert!(read_dossier(&other, None).is_err());
    }
    let pretty = serde_json::to_vec_pretty(&serde_json::from_slice::<Value>(&bytes).unwrap()).unwrap();
    let because = read_dossier(&pretty, None).unwrap_err().to_string();
    assert!(because.contains("written anew"), "{because}");
}

#[test]
fn an_archive_is_read_back_and_any_other_byte_is_refused() {
    let dossier = small(Language::Pt, "Pães");
    let members = BTreeMap::from([
        ("dossier.json".to_owned(), signed(&dossier, &seal())),
        ("dossier.md".to_owned(), markdown(&dossier).into_bytes()),
        ("letters/pedido-lai-1.md".to_owned(), dossier.letters[0].text.clone().into_bytes()),
    ]);
    let bytes = write_archive(&dossier, &members, &seal()).unwrap();
    assert!(is_archive(&bytes));
    let (read, issuer, manifest) = read_archive(&bytes, None).unwrap();
    assert_eq!((read, issuer, manifest.members.len()), (dossier.clone(), seal().issuer(), 3));
    assert!(crate::Bundle::read(&bytes, None).is_err(), "it is no evidence bundle");
    for at in 0..bytes.len() {
        let mut other = bytes.clone();
        other[at] ^= 1 << (at % 8);
        assert!(read_archive(&other, None).is_err(), "byte {at}");
    }
    assert!(read_archive(&[&bytes[..], b"x"].concat(), None).is_err());
    // Signed by another than the JSON within.
    let mixed = write_archive(&dossier, &members, &Seal::of_seed(&[8; 32])).unwrap();
    assert!(read_archive(&mixed, None).is_err());
    // What packs an archive must go on giving these bytes, or old archives are refused.
    let one = BTreeMap::from([("dossier.json".to_owned(), b"{}".to_vec())]);
    let hash = crate::sha256_hex(&write_archive(&dossier, &one, &seal()).unwrap());
    assert_eq!(hash, include_str!("archive.sha256").trim());
}

#[test]
fn the_canonical_form_is_that_of_the_standard() {
    let value = json!({"b": [1, "é\u{7f}\n\u{1}\"\\"], "a": {"z": null, "é": true, "A": -5}, "": 0.5});
    let expected = "{\"\":\"0.5\",\"a\":{\"A\":-5,\"z\":null,\"é\":true},\"b\":[1,\"é\u{7f}\\n\\u0001\\\"\\\\\"]}";
    assert_eq!(String::from_utf8(canonical(&value)).unwrap(), expected);
}

#[cfg(feature = "pdf")]
#[test]
fn a_pdf_is_made_of_hostile_texts_and_the_same_twice() {
    let dossier = small(Language::Pt, &format!("{HOSTILE} {}", "x".repeat(4_000)));
    let first = pdf(&dossier).unwrap();
    assert!(first.starts_with(b"%PDF-"));
    assert_eq!(first, pdf(&dossier).unwrap());
}
