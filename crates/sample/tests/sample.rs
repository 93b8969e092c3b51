//! What a sample promises, seen from its files.
#![allow(clippy::unwrap_used, reason = "a test that cannot read its files has failed")]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use sample::{Error, Options, Summary, write};
use serde_json::Value;
use tempfile::TempDir;

const CONTRACTS: u64 = 20_000;

struct Written {
    folder: TempDir,
    summary: Summary,
}

fn written(contracts: u64, seed: u64) -> Written {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { contracts, seed, out: folder.path().to_owned() };
    let summary = write(&options, &mut |_| ()).unwrap();
    Written { folder, summary }
}

fn all_files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(inside) = open.pop() {
        for entry in fs::read_dir(inside).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                files.insert(path.strip_prefix(folder).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    files
}

fn latin1(bytes: &[u8]) -> String {
    encoding_rs::mem::decode_latin1(bytes).into_owned()
}

/// Rows by column name; rows with a wrong number of fields are left out.
fn rows(text: &str) -> Vec<HashMap<String, String>> {
    let mut reader = csv::ReaderBuilder::new().delimiter(b';').flexible(true).from_reader(text.as_bytes());
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let records = reader.records().map(Result::unwrap).filter(|record| record.len() == header.len());
    records.map(|record| header.iter().cloned().zip(record.iter().map(str::to_owned)).collect()).collect()
}

fn rows_of(sample: &Written, ending: &str) -> Vec<HashMap<String, String>> {
    let files = all_files(sample.folder.path());
    files
        .iter()
        .filter(|(path, _)| path.to_string_lossy().ends_with(ending))
        .flat_map(|(_, b)| rows(&latin1(b)))
        .collect()
}

fn records_of(sample: &Written, start: &str) -> Vec<Value> {
    let files = all_files(sample.folder.path());
    let pages = files.iter().filter(|(path, _)| path.to_string_lossy().starts_with(start));
    pages
        .flat_map(|(_, bytes)| {
            let mut page: Value = serde_json::from_slice(bytes).unwrap();
            assert_eq!(page["empty"], page["data"].as_array().unwrap().is_empty());
            std::mem::take(page["data"].as_array_mut().unwrap())
        })
        .collect()
}

/// Rows of a table of LicitaCon, of all years.
fn licitacon(sample: &Written, name: &str) -> Vec<HashMap<String, String>> {
    let files = all_files(sample.folder.path());
    let tables = files.iter().filter(|(path, _)| path.starts_with("licitacon") && path.ends_with(name));
    tables
        .flat_map(|(_, bytes)| {
            let mut reader =
                csv::Reader::from_reader(std::str::from_utf8(bytes).unwrap().trim_start_matches('\u{FEFF}').as_bytes());
            reader.deserialize().map(Result::unwrap).collect::<Vec<HashMap<String, String>>>()
        })
        .collect()
}

fn truth(sample: &Written) -> Vec<Value> {
    let text = fs::read_to_string(sample.folder.path().join("truth.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Canonical ids of all whole contracts, with the day of signature (ISO) and the supplier's number.
fn contracts(sample: &Written) -> HashMap<String, (String, String)> {
    let mut found = HashMap::new();
    for row in rows_of(sample, "_Compras.csv") {
        let broken =
            row["Data Assinatura Contrato"].starts_with("00") || row["Valor Inicial Compra"].contains("apurar");
        if !broken {
            let day: Vec<&str> = row["Data Assinatura Contrato"].split('/').collect();
            let id = format!("portal-compras:{}-{}", row["Código UG"], row["Número Contrato"]);
            found.insert(id, (format!("{}-{}-{}", day[2], day[1], day[0]), row["Código Contratado"].clone()));
        }
    }
    for record in records_of(sample, "pncp/contratos_") {
        let text = |key: &str| record[key].as_str().unwrap_or_default().to_owned();
        let whole = !text("numeroControlePNCP").is_empty()
            && !text("dataAssinatura").starts_with("0000")
            && record["valorGlobal"].is_number();
        if whole {
            let id = format!("pncp:{}", text("numeroControlePNCP").replace('/', "-"));
            found.insert(id, (text("dataAssinatura"), text("niFornecedor")));
        }
    }
    found
}

#[test]
fn one_seed_gives_the_same_bytes_and_another_gives_others() {
    let [first, again, other] = [(3_000, 5), (3_000, 5), (3_000, 6)].map(|(n, seed)| written(n, seed));
    assert_eq!(first.summary, again.summary);
    assert!(all_files(first.folder.path()) == all_files(again.folder.path()), "the bytes differ");
    assert!(all_files(first.folder.path()) != all_files(other.folder.path()), "the seed does nothing");
}

#[test]
fn as_many_contracts_are_written_as_asked_for() {
    for asked in [12_000, CONTRACTS] {
        let sample = written(asked, 1);
        assert_eq!(sample.summary.contracts, asked);
        let found = contracts(&sample);
        let of_licitacon = licitacon(&sample, "CONTRATO.csv").len() as u64;
        assert_eq!(found.len() as u64 + of_licitacon, asked);
        let portal = found.keys().filter(|id| id.starts_with("portal")).count() as u64;
        assert_eq!(portal, asked * 3 / 5);
    }
}

#[test]
fn every_file_is_listed_with_its_rows() {
    let sample = written(CONTRACTS, 2);
    let files = all_files(sample.folder.path());
    let listed: HashSet<PathBuf> = sample
        .summary
        .files
        .iter()
        .map(|file| PathBuf::from(file.path.to_string_lossy().split('!').next().unwrap()))
        .collect();
    let found: HashSet<PathBuf> = files.keys().filter(|path| !path.ends_with("LEIA-ME.txt")).cloned().collect();
    assert_eq!(listed, found);
    for file in sample.summary.files.iter().filter(|file| file.path.to_string_lossy().ends_with("ItemCompra.csv")) {
        let written = rows(&latin1(&files[&file.path])).len() as u64;
        assert_eq!(written, file.rows, "{}", file.path.display());
    }
    for month in 0..72 {
        let label = format!("{}{:02}", 2020 + month / 12, month % 12 + 1);
        assert!(files.contains_key(Path::new(&format!("compras/{label}_Compras.csv"))), "{label}");
        // PNCP began in 2021.
        let page = format!("pncp/contratos_{label}_p001.json");
        assert_eq!(files.contains_key(Path::new(&page)), month >= 12, "{page}");
    }
}

#[test]
fn an_archive_holds_the_four_tables_of_its_month() {
    let sample = written(CONTRACTS, 2);
    let path = sample.folder.path().join("licitacoes/202403_Licitacoes.zip");
    let mut archive = zip::ZipArchive::new(fs::File::open(path).unwrap()).unwrap();
    let mut tables = HashMap::new();
    for at in 0..archive.len() {
        let mut member = archive.by_index(at).unwrap();
        let name = member.name().to_owned();
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).unwrap();
        tables.insert(name, rows(&latin1(&bytes)));
    }
    let tender_key = |row: &HashMap<String, String>| format!("{}-{}", row["Código UG"], row["Número Licitação"]);
    let tenders: HashSet<String> = tables["202403_Licitação.csv"].iter().map(tender_key).collect();
    let bidders = &tables["202403_ParticipantesLicitação.csv"];
    assert!(!bidders.is_empty() && bidders.iter().all(|row| tenders.contains(&tender_key(row))));
    assert!(bidders.iter().any(|row| row["Flag Vencedor"] == "NÃO"));
    assert!(tables["202403_ItemLicitação.csv"].iter().all(|row| tenders.contains(&tender_key(row))));
    assert!(tables["202403_EmpenhosRelacionados.csv"].iter().all(|row| tenders.contains(&tender_key(row))));
    let linked = rows_of(&sample, "202403_Compras.csv");
    let known = linked.iter().filter(|row| tenders.contains(&tender_key(row))).count();
    assert!(known * 2 > linked.len(), "most contracts come from a tender of the files");
}

#[test]
fn the_truth_names_contracts_that_exist_in_every_year() {
    let sample = written(CONTRACTS, 3);
    let found = contracts(&sample);
    let mut checked = 0;
    let mut years: HashMap<(String, String), HashSet<i64>> = HashMap::new();
    for line in truth(&sample).iter().filter(|line| line["flag"] != "quarantine") {
        let mut ids: Vec<&str> = Vec::new();
        ids.extend(line["contracts"].as_array().into_iter().flatten().filter_map(Value::as_str));
        ids.extend(line["subject"]["contracts"].as_array().into_iter().flatten().filter_map(Value::as_str));
        ids.extend(line["subject_ids"].as_array().into_iter().flatten().filter_map(Value::as_str));
        ids.extend(line["subject_id"].as_str());
        let of_contracts =
            |id: &&&str| id.starts_with("portal-compras:") || (id.starts_with("pncp:") && id.contains("-2-"));
        for id in ids.iter().filter(of_contracts) {
            checked += 1;
            assert!(found.contains_key(*id), "{id} of {line}");
        }
        let kind = (line["flag"].to_string(), line["case"].to_string());
        years.entry(kind).or_default().insert(line["year"].as_i64().unwrap());
    }
    assert!(checked > 800, "{checked}");
    // Series of several years, and what only some years can hold, are fewer.
    assert!(years.values().filter(|years| years.len() >= 3).count() >= 90, "{years:?}");
    for flag in (1..=28).map(|number| format!("\"BR{number:02}\"")) {
        assert!(years.keys().any(|(planted, _)| *planted == flag), "nothing is planted for {flag}");
    }
    let told: u64 = sample.summary.planted.iter().map(|planted| planted.count).sum();
    assert_eq!(told as usize, truth(&sample).len());
}

#[test]
fn the_truth_names_the_broken_rows() {
    let sample = written(CONTRACTS, 4);
    let broken: Vec<Value> = truth(&sample).into_iter().filter(|line| line["flag"] == "quarantine").collect();
    assert!((7..=12).contains(&broken.len()), "{}", broken.len());
    for line in broken {
        let bytes = fs::read(sample.folder.path().join(line["file"].as_str().unwrap())).unwrap();
        if let Some(at) = line["line"].as_u64() {
            let text = latin1(&bytes);
            let row = text.split('\n').nth(at as usize - 1).unwrap();
            let fields = row.matches("\";\"").count() + 1;
            let told = match line["case"].as_str().unwrap() {
                "wrong_field_count" => fields < 10,
                "impossible_date" => row.contains("00/00/0000"),
                _ => row.contains("a apurar") || row.contains("várias"),
            };
            assert!(told, "{line}: {row}");
        } else {
            let page: Value = serde_json::from_slice(&bytes).unwrap();
            let record = &page["data"][line["record"].as_u64().unwrap() as usize];
            let told = record["numeroControlePNCP"].is_null()
                || record["dataAssinatura"] == "0000-00-00"
                || record["valorGlobal"].is_string();
            assert!(told, "{line}: {record}");
        }
    }
}

#[test]
fn no_ordinary_contract_meets_a_sanction_that_bars() {
    let sample = written(CONTRACTS, 5);
    let digits = |text: &str| text.chars().filter(|c| c.is_ascii_digit() || *c == '*').collect::<String>();
    let iso = |text: &str| format!("{}-{}-{}", &text[6..], &text[3..5], &text[..2]);
    let mut barred: HashMap<String, Vec<(String, String)>> = HashMap::new();
    let sanctions = rows_of(&sample, "_CEIS.csv");
    assert!(sanctions.len() + rows_of(&sample, "_CNEP.csv").len() >= 200);
    for row in sanctions {
        let end = &row["DATA FINAL SANÇÃO"];
        let end = if end.is_empty() { "9999-12-31".to_owned() } else { iso(end) };
        let span = (iso(&row["DATA INÍCIO SANÇÃO"]), end);
        barred.entry(digits(&row["CPF OU CNPJ DO SANCIONADO"])).or_default().push(span);
    }
    let planted: HashSet<String> =
        truth(&sample).iter().filter_map(|line| Some(line["subject_id"].as_str()?.to_owned())).collect();
    let mut met = 0;
    for (id, (signed, supplier)) in contracts(&sample) {
        let spans = barred.get(&digits(&supplier)).map(Vec::as_slice).unwrap_or_default();
        let meets = spans.iter().any(|(start, end)| *start <= signed && signed <= *end);
        assert!(!meets || planted.contains(&id), "{id} {signed} {supplier}");
        met += usize::from(meets);
    }
    assert!(met > 30, "{met}");
}

#[test]
fn a_contracts_value_is_the_sum_of_its_items() {
    let sample = written(CONTRACTS, 6);
    let cents = |text: &str| (text.replace(',', ".").parse::<f64>().unwrap() * 100.0).round() as i64;
    let mut sums: HashMap<String, i64> = HashMap::new();
    for row in rows_of(&sample, "_ItemCompra.csv").iter().filter(|row| row["Quantidade Item"] != "várias") {
        let key = format!("{}-{}", row["Código UG"], row["Número Contrato"]);
        *sums.entry(key).or_default() += cents(&row["Valor Item"]);
    }
    let mut checked = 0;
    for row in rows_of(&sample, "_Compras.csv") {
        let key = format!("{}-{}", row["Código UG"], row["Número Contrato"]);
        if let Some(sum) = sums.get(&key).filter(|_| row["Valor Inicial Compra"] != "0,0000") {
            assert_eq!(*sum, cents(&row["Valor Inicial Compra"]), "{key}");
            checked += 1;
        }
    }
    assert!(checked > 5_000, "{checked}");
}

#[test]
fn the_quirks_of_the_sources_are_there() {
    let sample = written(CONTRACTS, 7);
    let contracts = rows_of(&sample, "_Compras.csv");
    let share = |is: &dyn Fn(&HashMap<String, String>) -> bool| {
        contracts.iter().filter(|row| is(row)).count() as f64 / contracts.len() as f64
    };
    let between = |name: &str, low: f64, high: f64, is: &dyn Fn(&HashMap<String, String>) -> bool| {
        let found = share(is);
        assert!((low..high).contains(&found), "{name}: {found}");
    };
    between("no supplier", 0.0005, 0.02, &|row| row["Código Contratado"] == "-11");
    between("masked persons", 0.003, 0.05, &|row| row["Código Contratado"].starts_with("***."));
    between("no basis", 0.01, 0.06, &|row| row["Fundamento Legal"].is_empty());
    between("basis unknown", 0.003, 0.03, &|row| row["Fundamento Legal"] == "Sem informação");
    between("negative", 0.0001, 0.01, &|row| row["Valor Final Compra"].starts_with('-'));
    between("zero", 0.0001, 0.01, &|row| row["Valor Inicial Compra"] == "0,0000");
    between("no end", 0.002, 0.03, &|row| row["Data Fim Vigência"].is_empty());
    between("padded", 0.001, 0.02, &|row| row["Nome Contratado"].ends_with("  "));
    between("quoted", 0.0003, 0.01, &|row| row["Objeto"].contains('"'));
    let in_overlap = |law: &str| {
        contracts
            .iter()
            .any(|row| row["Data Assinatura Contrato"].ends_with("2022") && row["Fundamento Legal"].contains(law))
    };
    assert!(in_overlap("14.133") && in_overlap("8.666") && in_overlap("10.520"));
    let items = rows_of(&sample, "_ItemCompra.csv");
    let without =
        items.iter().filter(|row| !row["Descrição Complementar Item Compra"].contains("UNIDADE DE FORN")).count();
    assert!((0.06..0.14).contains(&(without as f64 / items.len() as f64)));
    let page = fs::read_to_string(sample.folder.path().join("portal-ui/contratos_2024.csv")).unwrap();
    for quirk in ["\u{FEFF}\"DATA ASSINATURA", "\"- ", "\"-11\"", "ESTRANG", "\"0,00\";\n"] {
        assert!(page.contains(quirk), "{quirk}");
    }
    let files = all_files(sample.folder.path());
    let lines = |path: &str| latin1(&files[Path::new(path)]);
    assert!(lines("compras/202102_Compras.csv").lines().all(|line| line.ends_with("\";")));
    assert!(
        lines("compras/202102_Compras.csv").contains("\r\n") && !lines("compras/202101_Compras.csv").contains('\r')
    );
    let income = records_of(&sample, "pncp/contratos_");
    let share = income.iter().filter(|record| record["receita"] == true).count() as f64 / income.len() as f64;
    assert!((0.015..0.05).contains(&share), "{share}");
    let purchases = records_of(&sample, "pncp/contratacoes_");
    assert!(purchases.iter().any(|p| p["valorTotalEstimado"] == 0.0));
    assert!(purchases.iter().any(|p| p["valorTotalHomologado"].is_null()));
    let announced = truth(&sample)
        .iter()
        .filter(|line| line["flag"] == "BR07" || line["flag"] == "BR10" || line["flag"] == "BR23")
        .count();
    assert_eq!(purchases.len(), CONTRACTS as usize / 10 + announced);
}

#[test]
fn december_is_the_highest_month_and_january_the_lowest() {
    let sample = written(CONTRACTS, 8);
    let mut months = [0; 12];
    contracts(&sample).values().for_each(|(day, _)| months[day[5..7].parse::<usize>().unwrap() - 1] += 1);
    assert_eq!(months.iter().max(), Some(&months[11]), "{months:?}");
    assert_eq!(months.iter().min(), Some(&months[0]), "{months:?}");
}

#[test]
fn records_have_the_keys_of_pncp() {
    let sample = written(2_500, 9);
    assert!(records_of(&sample, "pncp/contratos_").iter().all(|record| record.as_object().unwrap().len() == 37));
    assert!(records_of(&sample, "pncp/contratacoes_").iter().all(|record| record.as_object().unwrap().len() == 35));
}

#[test]
fn nothing_is_mixed_with_files_that_are_there() {
    let sample = written(100, 1);
    let options = Options { contracts: 100, seed: 1, out: sample.folder.path().to_owned() };
    assert!(matches!(write(&options, &mut |_| ()), Err(Error::NotEmpty(_))));
    let none = Options { contracts: 0, seed: 1, out: sample.folder.path().join("x") };
    assert!(matches!(write(&none, &mut |_| ()), Err(Error::Contracts(0))));
}

#[test]
fn progress_ends_at_the_number_of_contracts() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { contracts: CONTRACTS, seed: 1, out: folder.path().to_owned() };
    let (mut told, mut last) = (0, 0);
    write(&options, &mut |done| {
        assert!(done >= last);
        (last, told) = (done, told + 1);
    })
    .unwrap();
    assert!(last.abs_diff(CONTRACTS) <= 10 && told > 1, "{last} {told}");
}

/// Ten times the contracts must not take more than the larger tables over buyers and suppliers.
#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_the_contracts() {
    let peak_kib = || {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap().to_owned();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    drop(written(30_000, 1));
    let before = peak_kib();
    let large = written(300_000, 1);
    let grown = peak_kib().saturating_sub(before);
    assert_eq!(large.summary.contracts, 300_000);
    assert!(grown < 96 * 1024, "{grown} KiB");
}
