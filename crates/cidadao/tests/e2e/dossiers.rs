//! Dossiers from outside: what people read is what the data say, each finding leads back to its lines, what a source wrote stays text, and
//! what was tampered with is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use testkit::server::encoded;
use testkit::{Answer, House, Program, Server};

use super::investigations::{ask, ended, judged_house};
use super::short_sample;

const FORMS: [(&str, &str); 6] = [
    ("json", "application/json"),
    ("html", "text/html; charset=utf-8"),
    ("md", "text/markdown; charset=utf-8"),
    ("csv", "text/csv; charset=utf-8; header=present"),
    ("pdf", "application/pdf"),
    ("zip", "application/zip"),
];

/// A server that gathers evidence for half a minute: on a busy machine a quarter of ten seconds may be too little for some findings.
fn patient(house: &House) -> Server {
    Server::start(house.program().env("CIDADAO_HTTP_REQUEST_TIMEOUT_S", "120"))
}

#[track_caller]
fn given(server: &Server, path: &str) -> Answer {
    let answer = server.get(&format!("/api/v1/{path}"));
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer
}

/// Every run of digits with the marks between them.
fn numbers(text: &str) -> BTreeSet<String> {
    let part = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',');
    text.split(|c| !part(c)).map(|run| run.trim_matches(['.', ',']).to_owned()).filter(|run| !run.is_empty()).collect()
}

/// Every text and number of a document, one a line.
fn texts(value: &Value, into: &mut String) {
    match value {
        Value::String(text) => *into += &format!("{text}\n"),
        Value::Number(number) => *into += &format!("{number}\n"),
        // How many rows a table shows is said where it was cut.
        Value::Array(all) => {
            *into += &format!("{}\n", all.len());
            all.iter().for_each(|one| texts(one, into));
        }
        Value::Object(all) => all.values().for_each(|one| texts(one, into)),
        _ => {}
    }
}

/// What stands between the tags of a page, without its style and its drawings.
fn read_of(page: &str) -> String {
    let mut text = page.to_owned();
    for (open, close) in [("<style>", "</style>"), ("<svg", "</svg>")] {
        while let Some(start) = text.find(open) {
            let end = start + text[start..].find(close).unwrap() + close.len();
            text.replace_range(start..end, " ");
        }
    }
    let mut out = String::new();
    let mut inside = false;
    for c in text.chars() {
        match c {
            '<' => inside = true,
            '>' => {
                inside = false;
                out.push(' ');
            }
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out.replace("&#39;", "'").replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

fn blocks<'a>(dossier: &'a Value, kind: &'a str) -> impl Iterator<Item = &'a Value> {
    let sections = dossier["sections"].as_array().unwrap().iter();
    sections.flat_map(|section| section["blocks"].as_array().unwrap()).filter(move |block| block["type"] == kind)
}

fn section<'a>(dossier: &'a Value, id: &str) -> &'a Value {
    dossier["sections"].as_array().unwrap().iter().find(|section| section["id"] == id).unwrap()
}

#[test]
fn every_number_that_people_read_stands_in_the_signed_data() {
    let house = judged_house();
    let server = patient(&house);
    let id = ask(&server, &json!({"scope": {}}));
    let _ = ended(&server, &id);
    for lang in ["pt", "en"] {
        let report = |format: &str| given(&server, &format!("investigations/{id}/report?format={format}&lang={lang}"));
        let dossier = report("json").json();
        let mut data = String::new();
        texts(&dossier, &mut data);
        let known = numbers(&data);
        let findings = dossier["findings"].as_array().unwrap();
        assert!(findings.len() > 10, "{}", findings.len());
        let (page, text) = (report("html").text(), report("md").text());
        for (form, read) in [("html", read_of(&page)), ("md", text.replace('\\', ""))] {
            // When it was made stands in the head as it is read: its seconds have no parts there.
            let made: BTreeSet<String> = numbers(&dossier["made_at"].as_str().unwrap()[..19]);
            let all = numbers(&read);
            let unknown: Vec<&String> =
                all.iter().filter(|n| !known.contains(*n) && !made.contains(*n) && n.len() > 2).collect();
            assert!(unknown.is_empty(), "{lang} {form}: {unknown:?}");
            assert!(all.len() > 200, "{lang} {form}: {}", all.len());
            let title = findings[0]["title"][lang].as_str().unwrap();
            assert!(read.contains(title), "{lang} {form}: {title}");
        }
        assert!(page.contains(if lang == "pt" { "lang=\"pt-BR\"" } else { "lang=\"en\"" }));
        let said = if lang == "pt" { "Não é prova nem acusação" } else { "It is neither proof nor accusation" };
        assert!(page.contains(said) && text.contains(said));
        // The table of findings holds the exact values, in the same order.
        let table = report("csv").body;
        let mut table = csv::Reader::from_reader(table.as_slice());
        let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), findings.len());
        let heads = table.headers().unwrap().clone();
        let at = |name: &str| heads.iter().position(|head| head == name).unwrap();
        for (row, finding) in rows.iter().zip(findings) {
            assert_eq!(&row[at("id")], finding["id"].as_str().unwrap());
            assert_eq!(row[at("amount")].trim_start_matches('\''), finding["amount"].as_str().unwrap_or_default());
        }
    }
}

#[test]
fn every_finding_leads_back_to_lines_of_files() {
    let house = House::new();
    let sample = short_sample(&house, 800, 41);
    let _ = house.ingest(&[&sample]).ends_with(3);
    let server = patient(&house);
    let id = ask(&server, &json!({"scope": {}}));
    let _ = ended(&server, &id);
    let dossier = given(&server, &format!("investigations/{id}/report")).json();
    // By the hash of the file on the disk, and the name within it where it is an archive.
    let mut files: BTreeMap<(String, String), Vec<Vec<u8>>> = BTreeMap::new();
    for path in testkit::house::files_below(&sample) {
        let bytes = std::fs::read(&path).unwrap();
        let hash: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
        let lines = |bytes: &[u8]| bytes.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
        if let Ok(mut archive) = zip::ZipArchive::new(std::io::Cursor::new(&bytes)) {
            for at in 0..archive.len() {
                let mut member = archive.by_index(at).unwrap();
                let mut unpacked = Vec::new();
                std::io::copy(&mut member, &mut unpacked).unwrap();
                files.insert((hash.clone(), member.name().to_owned()), lines(&unpacked));
            }
        }
        files.insert((hash, String::new()), lines(&bytes));
    }
    let told: Vec<&Value> =
        dossier["findings"].as_array().unwrap().iter().filter(|finding| finding["evidence"].is_object()).collect();
    assert_eq!(told.len(), dossier["findings"].as_array().unwrap().len().min(40));
    let (mut lines, mut judged) = (0, 0);
    for finding in told {
        let rows = finding["evidence"]["rows"].as_array().unwrap();
        assert!(!rows.is_empty(), "{} {}", finding["flag"], finding["id"]);
        judged += u32::from(finding["evidence"]["basis"] == "judgement");
        for row in rows {
            if row["line_kind"] != "line" {
                continue;
            }
            let member = row["file"].as_str().unwrap().split_once('!').map_or("", |(_, member)| member);
            let file = (row["file_sha256"].as_str().unwrap().to_owned(), member.to_owned());
            let line = &files[&file][usize::try_from(row["line"].as_i64().unwrap()).unwrap() - 1];
            let text: String = line.iter().map(|b| char::from(*b)).collect();
            let fields = row["fields"].as_object().unwrap();
            let named =
                ["number", "process", "object", "description"].iter().filter_map(|name| fields.get(*name)?.as_str());
            assert!(named.clone().count() == 0 || named.clone().any(|n| text.contains(n)), "{row:#}\n{text}");
            lines += 1;
        }
    }
    assert!(lines > 20 && judged > 10, "{lines} lines, {judged} judged");
    // The same rows stand in the document, with their files under Sources.
    let sources = section(&dossier, "fontes").to_string();
    for row in dossier["findings"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|f| f["evidence"]["rows"].as_array().cloned().unwrap_or_default())
    {
        assert!(sources.contains(row["file_sha256"].as_str().unwrap()), "{row}");
    }
}

#[test]
fn charts_carry_the_data_that_they_draw() {
    let house = judged_house();
    let server = patient(&house);
    let id = ask(&server, &json!({"scope": {}}));
    let shown = ended(&server, &id);
    let dossier = given(&server, &format!("investigations/{id}/report")).json();
    let sum = |chart: &Value| -> i64 {
        let points = chart["points"].as_array().unwrap().iter();
        points.map(|p| p["value"].as_str().or(p["text"].as_str()).unwrap().parse::<i64>().unwrap()).sum()
    };
    let by_flag = blocks(&dossier, "chart").find(|chart| chart["drawn"] == "bars").unwrap();
    assert_eq!(sum(by_flag), shown["findings_total"].as_i64().unwrap());
    let peers = |finding: &&Value| finding["peers"]["values"].as_array().map_or(0, Vec::len);
    let findings = dossier["findings"].as_array().unwrap();
    let mut drawn = 0;
    for (n, finding) in findings.iter().take(40).enumerate().map(|(n, finding)| (n + 1, finding)) {
        let part = section(&dossier, &format!("achado-{n}"));
        let histogram = part["blocks"].as_array().unwrap().iter().find(|block| block["drawn"] == "columns");
        let Some(histogram) = histogram else { continue };
        assert_eq!(usize::try_from(sum(histogram)).unwrap(), peers(&finding), "{n}: {histogram:#}");
        if finding["peers"]["marked"].is_string() {
            let marked = histogram["points"].as_array().unwrap().iter().filter(|p| p["marked"] == true).count();
            assert_eq!(marked, 1, "{n}");
        }
        assert!(!histogram["text"].as_str().unwrap().is_empty());
        drawn += 1;
    }
    assert!(drawn > 0, "no finding has peers");
    let page = given(&server, &format!("investigations/{id}/report?format=html")).text();
    assert_eq!(page.matches("<svg ").count(), page.matches("<figcaption>").count());
    assert_eq!(page.matches("<svg ").count(), blocks(&dossier, "chart").count());
}

#[test]
fn one_that_did_not_come_to_its_end_says_that_it_is_partial() {
    let house = judged_house();
    // Nobody works here: what is asked stays active.
    let server = Server::start_as(house.program(), "api");
    let id = ask(&server, &json!({"scope": {"state": "SP"}}));
    let report = |lang: &str| given(&server, &format!("investigations/{id}/report?format=md&lang={lang}")).text();
    assert!(report("pt").contains("PARCIAL: a investigação ainda está em curso"), "{}", report("pt"));
    assert!(report("en").contains("PARTIAL: the investigation is still active"));
    let _ = server.post(&format!("/api/v1/investigations/{id}/cancel"), &json!({}));
    assert!(report("pt").contains("PARCIAL: a investigação foi cancelada"), "{}", report("pt"));
    let whole = given(&server, &format!("investigations/{id}/report")).json();
    assert_eq!(whole["partial"].as_array().unwrap().len(), 1);
    assert_eq!(server.get("/api/v1/investigations/inv_none/report").status, 404);
    assert_eq!(server.get(&format!("/api/v1/investigations/{id}/report?format=doc")).json()["field"], "format");
    assert_eq!(server.get(&format!("/api/v1/investigations/{id}/report?lang=fr")).json()["field"], "lang");
}

fn verify(folder: &Path, name: &str, more: &[&str]) -> (i32, Value) {
    let run = Program::new().args(["verify", name, "--json"]).args(more).current_dir(folder).run();
    (run.code.unwrap(), run.json())
}

#[test]
fn a_stranger_verifies_it_and_is_not_fooled() {
    let house = judged_house();
    let server = patient(&house);
    let id = ask(&server, &json!({"scope": {}, "flags": ["BR05"]}));
    let _ = ended(&server, &id);
    let key = server.json("evidence/key");
    let stranger = tempfile::tempdir().unwrap();
    for form in ["json", "zip"] {
        let bytes = given(&server, &format!("investigations/{id}/report?format={form}")).body;
        let name = format!("d.{form}");
        let write = |bytes: &[u8]| std::fs::write(stranger.path().join(&name), bytes).unwrap();
        write(&bytes);
        let (code, found) = verify(stranger.path(), &name, &[]);
        assert_eq!((code, &found["verdict"], &found["form"]), (0, &json!("intact"), &json!(form)), "{found:#}");
        assert_eq!(found["signature"]["fingerprint"], key["fingerprint"]);
        assert_eq!((&found["dossier"]["subject"], &found["signature"]["key"]), (&json!(id), &json!("own")));
        let demanded = verify(stranger.path(), &name, &["--key", key["public_key"].as_str().unwrap()]);
        assert_eq!((demanded.0, &demanded.1["signature"]["key"]), (0, &json!("demanded")));
        let other = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        assert_eq!(verify(stranger.path(), &name, &["--key", other]).0, 1);
        // A byte here and there, at the start, at the end.
        let at = (0..24).map(|n| bytes.len() * n / 24).chain([bytes.len() - 1]);
        for at in at {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            write(&changed);
            let (code, found) = verify(stranger.path(), &name, &[]);
            assert_eq!((code, &found["verdict"]), (1, &json!("broken")), "{form}: byte {at}: {found:#}");
        }
    }
    // The archive by `Accept`, with every form in it.
    let accept = [("accept", "application/zip")];
    let zip = server.get_with(&format!("/api/v1/investigations/{id}/report"), &accept);
    assert_eq!(zip.header("content-type"), "application/zip");
    std::fs::write(stranger.path().join("all.zip"), &zip.body).unwrap();
    let members = verify(stranger.path(), "all.zip", &[]).1["members"].clone();
    for name in ["dossier.csv", "dossier.html", "dossier.json", "dossier.md", "dossier.pdf"] {
        assert!(members.as_array().unwrap().iter().any(|member| member == name), "{members}");
    }
}

#[test]
fn forms_and_languages_are_as_they_are_asked_for() {
    let house = judged_house();
    let server = patient(&house);
    let supplier = server.walk("suppliers", 100)[0]["id"].as_str().unwrap().to_owned();
    let path = format!("suppliers/{}/dossier", encoded(&supplier));
    for (form, kind) in FORMS {
        let answer = given(&server, &format!("{path}?format={form}&lang=en"));
        assert_eq!((answer.header("content-type"), answer.body.is_empty()), (kind, false));
    }
    assert!(given(&server, &format!("{path}?format=pdf")).body.starts_with(b"%PDF-"));
    let full = format!("/api/v1/{path}");
    let browser = [("accept", "text/html,*/*;q=0.8"), ("accept-language", "en-US,en;q=0.9,pt;q=0.5")];
    let page = server.get_with(&full, &browser);
    assert!(page.header("content-type").starts_with("text/html") && page.text().contains("Dossier of the supplier"));
    assert!(page.header("vary").contains("accept-language"), "{}", page.header("vary"));
    // What is kept is of one language and form.
    let kept = |lang: &str| server.get(&format!("{full}?format=json&lang={lang}"));
    assert_eq!(kept("pt").json()["language"], "pt");
    assert_eq!(kept("en").json()["language"], "en");
    assert!(kept("pt").header("cache-status").contains("hit"), "{}", kept("pt").header("cache-status"));
    assert_eq!(server.get_with(&full, &[("accept-language", "en")]).json()["language"], "en");
    assert_eq!(server.get(&full).json()["language"], "pt");
}

/// An amount in ten-thousandths.
fn scaled(text: &str) -> i128 {
    text.replace('.', "").parse().unwrap()
}

#[test]
fn the_dossiers_of_parties_count_what_the_lists_hold() {
    let house = judged_house();
    let server = patient(&house);
    for (list, filter, other, id_of) in
        [("suppliers", "supplier_id", "buyer", "fornecedor"), ("buyers", "buyer_id", "supplier", "orgao")]
    {
        let _ = id_of;
        let finding = server
            .walk("findings", 100)
            .into_iter()
            .find(|f| f[filter.trim_end_matches("_id")]["id"].is_string())
            .unwrap();
        let id = finding[filter.trim_end_matches("_id")]["id"].as_str().unwrap().to_owned();
        let contracts = server.walk(&format!("contracts?{filter}={}", encoded(&id)), 100);
        let contracts: Vec<&Value> = contracts.iter().filter(|c| c["income"] == false).collect();
        let dossier = given(&server, &format!("{list}/{}/dossier", encoded(&id))).json();
        let table = |section_id: &str| {
            let blocks = section(&dossier, section_id)["blocks"].as_array().unwrap();
            blocks.iter().find(|block| block["type"] == "table").unwrap().clone()
        };
        let exact = |cell: &Value| cell["value"].as_str().or(cell["text"].as_str()).unwrap().to_owned();
        let value =
            |contract: &&&Value| contract["value_final"].as_str().filter(|_| contract["currency"] == "BRL").map(scaled);
        let years = table("tempo");
        let count: i128 =
            years["rows"].as_array().unwrap().iter().map(|row| exact(&row[1]).parse::<i128>().unwrap()).sum();
        assert_eq!(count, contracts.len() as i128, "{list}");
        let sum: i128 = years["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| exact(&row[3]))
            .filter(|v| !v.is_empty())
            .map(|v| scaled(&v))
            .sum();
        assert_eq!(sum, contracts.iter().filter_map(|c| value(&c)).sum::<i128>(), "{list}");
        // Shares: each other party with its sum.
        let mut sums: BTreeMap<String, i128> = BTreeMap::new();
        for contract in &contracts {
            let id = contract[other]["id"].as_str().unwrap_or_default().to_owned();
            *sums.entry(id).or_default() += value(&contract).unwrap_or_default();
        }
        let shares = table("parcelas");
        assert_eq!(shares["total"].as_u64().unwrap() as usize, sums.len(), "{list}");
        for row in shares["rows"].as_array().unwrap() {
            let id = exact(&row[0]);
            let said = exact(&row[4]);
            assert_eq!(if said.is_empty() { 0 } else { scaled(&said) }, sums[&id], "{list} {id}");
        }
        if list == "buyers" {
            let whole: i128 = sums.values().map(|v| v.max(&0)).sum::<i128>() / 10_000;
            let squares: i128 = sums.values().map(|v| (v.max(&0) / 10_000).pow(2)).sum();
            let hhi = (squares * 10_000 / (whole * whole)).to_string();
            let said = section(&dossier, "parcelas")["blocks"][0]["text"].as_str().unwrap().replace('.', "");
            assert!(said.contains(&format!("(HHI): {hhi}")), "{hhi}: {said}");
        }
        let open = server.walk(&format!("findings?{filter}={}&sort=-gravity", encoded(&id)), 100);
        let ids = |all: &[Value]| all.iter().map(|f| f["id"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(ids(dossier["findings"].as_array().unwrap()), ids(&open), "{list}");
    }
    assert_eq!(server.get("/api/v1/buyers/uasg%3Anope/dossier").status, 404);
}

#[test]
fn the_letter_asks_for_what_is_missing_and_names_what_is_held() {
    let house = judged_house();
    let server = patient(&house);
    let buyer =
        server.walk("findings", 100).into_iter().find(|f| f["buyer"]["id"].is_string()).unwrap()["buyer"].clone();
    let id = ask(&server, &json!({"scope": {"buyers": [buyer["id"]]}}));
    let _ = ended(&server, &id);
    let letter = given(&server, &format!("investigations/{id}/lai"));
    assert_eq!(letter.header("content-type"), "text/markdown; charset=utf-8");
    let text = letter.text();
    for words in ["Lei nº 12.527", "art. 10", "Requerente:** ____", buyer["name"].as_str().unwrap()] {
        assert!(text.replace('\\', "").contains(words), "{words}: {text}");
    }
    // Every record that it names is held.
    let plain = text.replace('\\', "");
    let records: Vec<&str> =
        plain.split("registro: ").skip(1).map(|rest| rest.split(['\n', ';']).next().unwrap()).collect();
    assert!(!records.is_empty(), "{text}");
    for record in records.iter().take(10) {
        let held = server.get(&format!("/api/v1/contracts/{}", encoded(record))).status == 200;
        assert!(held || record.contains("licit") || record.contains(':'), "{record}");
    }
    let dossier = given(&server, &format!("investigations/{id}/report")).json();
    assert_eq!(dossier["letters"][0]["text"], text);
    let none = server.get(&format!("/api/v1/investigations/{id}/lai?buyer=uasg%3Anope"));
    assert_eq!(none.status, 404);
}

#[test]
fn what_a_source_wrote_stays_text_in_every_form() {
    let house = House::new();
    let sample = short_sample(&house, 400, 43);
    // Objects of every contract begin with what would be markup.
    const EVIL: &str = "<script>alert(1)</script> **b** [l](http://evil.example)";
    let mut changed = 0;
    for path in testkit::house::files_below(&sample) {
        if path.extension().is_none_or(|ending| ending != "csv") {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let text: String = bytes.iter().map(|b| char::from(*b)).collect();
        let evil = text.replace("\"Aquisi", &format!("\"{EVIL} Aquisi"));
        changed += u32::from(evil != text);
        std::fs::write(&path, evil.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect::<Vec<u8>>()).unwrap();
    }
    assert!(changed > 0, "the sample writes its objects otherwise");
    let _ = house.ingest(&[&sample]);
    let server = patient(&house);
    let id = ask(&server, &json!({"scope": {}}));
    let _ = ended(&server, &id);
    let report = |form: &str| given(&server, &format!("investigations/{id}/report?format={form}"));
    let data = report("json").text();
    assert!(data.contains("<script>alert(1)</script>"), "the data are as they came");
    let page = report("html").text();
    assert!(!page.contains("<script") && page.contains("&lt;script&gt;alert(1)"), "{}", &page[..200]);
    let text = report("md").text();
    assert!(!text.contains("<script") && !text.contains("](http://evil"));
    assert!(report("pdf").body.starts_with(b"%PDF-"));
}
