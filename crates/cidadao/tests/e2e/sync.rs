//! Fetching from PNCP, against a source on loopback that answers as the real one does, its bad moods included.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::files::pncp_contract;
use testkit::house::totals;
use testkit::origin::{Origin, Reply};
use testkit::{House, Program};

const CONTRACTS: usize = 1_234;

/// The value of a parameter in a request.
fn parameter<'a>(target: &'a str, name: &str) -> Option<&'a str> {
    target.split(['?', '&']).find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
}

/// What the service answers to a request when it is well: 1,234 contracts of June 2025, and not one tender.
fn well(target: &str) -> Reply {
    if !target.starts_with("/v1/contratos?") || parameter(target, "dataInicial") != Some("20250601") {
        return Reply::status(204);
    }
    let number = |name| parameter(target, name).unwrap().parse::<usize>().unwrap();
    let (page, rows) = (number("pagina"), number("tamanhoPagina"));
    let of_page = (page - 1) * rows..(page * rows).min(CONTRACTS);
    let records: Vec<Value> = of_page
        .map(|at| pncp_contract(u32::try_from(at).unwrap(), "2025-06-24T00:30:04", 1_000.0 + at as f64))
        .collect();
    let pages = CONTRACTS.div_ceil(rows);
    Reply::json(
        json!({"data": records, "totalRegistros": CONTRACTS, "totalPaginas": pages, "numeroPagina": page,
               "paginasRestantes": pages - page, "empty": false})
        .to_string(),
    )
}

fn sync(house: &House, origin: &Origin) -> Program {
    sync_of(house, origin, &["--from", "2025-06-01", "--to", "2025-06-30"])
}

fn sync_of(house: &House, origin: &Origin, days: &[&str]) -> Program {
    house
        .program()
        .args(["sync", "pncp", "--json"])
        .args(days)
        .env("CIDADAO_PNCP_SERVICE", origin.url())
        .env("CIDADAO_OUTBOUND_RATE_PER_S", "1000")
}

fn pages_asked(origin: &Origin) -> Vec<usize> {
    let asked = origin.requests();
    let contracts = asked.iter().filter(|target| target.starts_with("/v1/contratos?"));
    contracts.map(|target| parameter(target, "pagina").unwrap().parse().unwrap()).collect()
}

#[test]
fn a_source_is_read_to_its_end_and_not_asked_again_for_what_is_held() {
    let house = House::new();
    let origin = Origin::start(|target, _| well(target));
    let report = sync(&house, &origin).run().ends_with(0).json();
    assert_eq!(totals(&report["ingest"]), [1_234, 1_234, 0, 0, 0]);
    assert_eq!((&report["windows"], &report["fetched"], &report["failed"]), (&json!(14), &json!(14), &json!([])));
    assert_eq!(pages_asked(&origin), [1, 2, 3]);
    let modalities: std::collections::BTreeSet<_> = origin
        .requests()
        .iter()
        .filter_map(|t| parameter(t, "codigoModalidadeContratacao").map(str::to_owned))
        .collect();
    assert_eq!(modalities.len(), 13, "each modality is asked for");
    assert!(origin.accepted() <= 4, "{} connections for 16 requests", origin.accepted());

    // Where each page came from is kept with its hash.
    let index = std::fs::read_to_string(house.data().join("fetched/pncp/index.jsonl")).unwrap();
    let first: Value = serde_json::from_str(index.lines().next().unwrap()).unwrap();
    assert!(first["url"].as_str().unwrap().contains("/v1/contratos?dataInicial=20250601&dataFinal=20250630&pagina=1"));
    assert!(house.data().join("fetched/pncp").join(first["file"].as_str().unwrap()).is_file());

    let server = house.serve();
    assert_eq!(server.get("/api/v1/contracts?limit=1").json()["data"][0]["source"], "pncp");
    let board = server.get("/api/v1/sources").json();
    let row = board["data"].as_array().unwrap().iter().find(|row| row["source"] == "pncp").unwrap();
    assert_eq!((&row["fetch"]["windows"], &row["fetch"]["rows"]), (&json!(14), &json!(1_234)));
    assert_eq!(row["fetch"]["gaps"], json!({}));
    assert!(row["fetch"]["last_success_at"].as_str().unwrap().ends_with("-03:00"));
    drop(server);

    let asked = origin.requests().len();
    let again = sync(&house, &origin).run().ends_with(0).json();
    assert_eq!((&again["held"], origin.requests().len()), (&json!(14), asked), "what is held is not asked for");
    assert_eq!(totals(&again["ingest"]), [1_234, 0, 1_234, 0, 0]);
    let anew =
        sync_of(&house, &origin, &["--from", "2025-06-01", "--to", "2025-06-30", "--again"]).run().ends_with(0).json();
    assert_eq!(totals(&anew["ingest"]), [1_234, 0, 1_234, 0, 0]);
    assert!(origin.requests().len() > asked);
}

#[test]
fn half_pages_refusals_for_now_resets_and_wrong_pages_are_overcome() {
    let house = House::new();
    let origin = Origin::start(|target, before| match before {
        0 => Reply::Whole(429, vec![("retry-after", "1".to_owned())], Vec::new()),
        2 => Reply::Half(b"{\"data\":[{\"numero".to_vec()),
        4 => Reply::status(503),
        6 => Reply::Reset,
        // A proxy's page, half a page that claims to be whole, another page than the one asked for.
        8 => Reply::Whole(200, Vec::new(), b"<html>manutencao</html>".to_vec()),
        10 => Reply::json("{\"data\":[{\"numeroControle"),
        12 => Reply::json(json!({"data": [{}], "totalPaginas": 9, "numeroPagina": 8}).to_string()),
        _ => well(target),
    });
    let report = sync(&house, &origin).run().ends_with(0).json();
    assert_eq!(totals(&report["ingest"]), [1_234, 1_234, 0, 0, 0]);
    assert_eq!(report["failed"], json!([]));
    assert!(report["requests"]["again"].as_u64().unwrap() >= 4, "{report}");
    assert_eq!(report["requests"]["pauses"], 1);
}

#[test]
fn a_window_that_fails_is_named_and_the_others_are_kept() {
    let house = House::new();
    let well_again = Arc::new(AtomicBool::new(false));
    let mend = Arc::clone(&well_again);
    let origin = Origin::start(move |target, _| {
        let broken = !well_again.load(Ordering::SeqCst);
        if broken && parameter(target, "codigoModalidadeContratacao") == Some("8") {
            return Reply::Whole(422, Vec::new(), b"modalidade em manutencao".to_vec());
        }
        if broken && target.starts_with("/v1/contratos") && parameter(target, "pagina") == Some("3") {
            return Reply::json("{\"data\": nothing");
        }
        well(target)
    });
    let report = sync(&house, &origin).run().ends_with(1).json();
    assert_eq!(totals(&report["ingest"])[1], 1_000, "the pages that came are kept: {report}");
    let failed: Vec<&str> =
        report["failed"].as_array().unwrap().iter().map(|f| f["window"].as_str().unwrap()).collect();
    assert!(failed.contains(&"contratos_20250601_20250630") && failed.contains(&"contratacoes_20250601_20250630_m08"));
    let server = house.serve();
    let board = server.get("/api/v1/sources").json();
    let fetch = &board["data"].as_array().unwrap().iter().find(|row| row["source"] == "pncp").unwrap()["fetch"];
    let gaps = fetch["gaps"].as_object().unwrap();
    assert!(
        gaps["contratacoes_20250601_20250630_m08"].as_str().unwrap().contains("422: modalidade em manutencao"),
        "{fetch}"
    );
    assert!(gaps["contratos_20250601_20250630"].as_str().unwrap().contains("no whole page"), "{fetch}");
    drop(server);

    // It goes on at the page that failed.
    mend.store(true, Ordering::SeqCst);
    let asked = pages_asked(&origin).len();
    let report = sync(&house, &origin).run().ends_with(0).json();
    assert_eq!(pages_asked(&origin)[asked..], [3]);
    assert_eq!((totals(&report["ingest"])[1], &report["failed"]), (234, &json!([])));
}

#[test]
fn a_killed_fetch_goes_on_where_it_was() {
    let house = House::new();
    let slow = Arc::new(AtomicBool::new(true));
    let quick = Arc::clone(&slow);
    let origin = Origin::start(move |target, _| {
        let last = target.starts_with("/v1/contratos") && parameter(target, "pagina") == Some("3");
        match last && slow.load(Ordering::SeqCst) {
            true => Reply::Late(Duration::from_secs(30), Box::new(well(target))),
            false => well(target),
        }
    });
    let mut command = sync(&house, &origin).into_command();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let started = Instant::now();
    while pages_asked(&origin).last() != Some(&3) {
        assert!(started.elapsed() < Duration::from_secs(30), "the third page was never asked for");
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    quick.store(false, Ordering::SeqCst);
    let report = sync(&house, &origin).run().ends_with(0).json();
    assert_eq!(pages_asked(&origin), [1, 2, 3, 3], "only the page that was not there is asked for again");
    assert_eq!(totals(&report["ingest"]), [1_234, 1_234, 0, 0, 0]);
}

#[test]
fn what_changed_at_the_source_replaces_what_is_held() {
    let house = House::new();
    let origin = Origin::start(|target, _| {
        if !target.starts_with("/v1/contratos/atualizacao?") {
            return well(target);
        }
        let changed = pncp_contract(7, "2025-07-02T10:00:00", 77_777.0);
        Reply::json(json!({"data": [changed], "totalRegistros": 1, "totalPaginas": 1, "numeroPagina": 1}).to_string())
    });
    let _ = sync(&house, &origin).run().ends_with(0);
    let updated = sync_of(&house, &origin, &["--from", "2025-07-01", "--to", "2025-07-31", "--updated"]);
    let report = updated.run().ends_with(0).json();
    assert_eq!(totals(&report["ingest"]), [1, 0, 0, 1, 0]);
    let asked = origin.requests();
    assert!(asked.iter().any(|t| t.starts_with("/v1/contratacoes/atualizacao?")), "{asked:?}");
    let server = house.serve();
    let held = server.get("/api/v1/contracts?value_min=77777&limit=5").json();
    assert_eq!(held["data"].as_array().unwrap().len(), 1, "{held}");
}

#[test]
fn no_cpf_is_kept_of_what_was_fetched() {
    let house = House::new();
    let origin = Origin::start(|target, _| {
        if !target.starts_with("/v1/contratos?") {
            return Reply::status(204);
        }
        let mut contract = pncp_contract(1, "2025-06-24T00:30:04", 5_000.0);
        contract["tipoPessoa"] = json!("PF");
        contract["niFornecedor"] = json!("52998224725");
        contract["nomeRazaoSocialFornecedor"] = json!("MARIA FICTÍCIA 52998224725");
        Reply::json(json!({"data": [contract], "totalRegistros": 1, "totalPaginas": 1, "numeroPagina": 1}).to_string())
    });
    let report = sync(&house, &origin).run().ends_with(0).json();
    assert_eq!(totals(&report["ingest"]), [1, 1, 0, 0, 0]);
    for file in house.data_files() {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(11).any(|window| window == b"52998224725"), "{} holds a CPF", file.display());
    }
    let suppliers = house.serve().get("/api/v1/suppliers?limit=5").json();
    assert!(suppliers.to_string().contains("***.982.247-**"), "{suppliers}");
}

#[test]
fn days_that_cannot_be_and_a_source_that_is_not_there_are_told() {
    let house = House::new();
    let origin = Origin::start(|target, _| well(target));
    let run = sync_of(&house, &origin, &["--from", "2025-07-01", "--to", "2025-06-01"]).run().ends_with(2);
    assert!(run.stderr.contains("2025-07-01 is after 2025-06-01"), "{}", run.stderr);
    let _ = sync_of(&house, &origin, &["--from", "2025-13-01"]).run().ends_with(2);
    assert!(origin.requests().is_empty());

    // Nobody listens on port 9.
    let run = sync(&house, &origin)
        .env("CIDADAO_PNCP_SERVICE", "http://127.0.0.1:9")
        .env("CIDADAO_OUTBOUND_PATIENCE_S", "2")
        .run()
        .ends_with(1);
    let report = run.json();
    assert_eq!(report["failed"].as_array().unwrap().len(), 14);
    assert_eq!((&report["rows"], &report["ingest"]), (&json!(0), &Value::Null));
    let refused =
        house.program().args(["sync", "pncp", "--from", "2025-06-01"]).env("CIDADAO_PNCP_SERVICE", "pncp.gov.br").run();
    assert!(refused.stderr.contains("pncp.service"), "{}", refused.stderr);
}

#[test]
fn where_hedging_is_set_a_silent_answer_is_asked_for_a_second_time_and_only_then() {
    for (hedge_after_ms, again) in [("100", true), ("0", false)] {
        let house = House::new();
        let silent = AtomicBool::new(true);
        let origin = Origin::start(move |target, _| {
            let first = target.starts_with("/v1/contratos?") && silent.swap(false, Ordering::AcqRel);
            if first { Reply::Late(Duration::from_secs(2), Box::new(well(target))) } else { well(target) }
        });
        let program = sync(&house, &origin).env("CIDADAO_OUTBOUND_HEDGE_AFTER_MS", hedge_after_ms);
        let report = program.run().ends_with(0).json();
        assert_eq!(totals(&report["ingest"]), [1_234, 1_234, 0, 0, 0], "what came twice counts once");
        let first_page = pages_asked(&origin).iter().filter(|page| **page == 1).count();
        assert_eq!((first_page > 1, report["requests"]["again"].as_u64() > Some(0)), (again, again), "{report}");
    }
}
