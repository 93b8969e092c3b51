//! Agents from outside: who they are, how their pools stand, how an investigation is planned, spread over workers, changed by
//! a person, and ends in a true state whatever breaks.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::files::pncp_contract;
use testkit::origin::{Origin, Reply};
use testkit::{House, Program, Server};

use super::investigations::{ASK, DAY, ask, ended, follow, ids_of, judged_house};

fn pool_of(server: &Server, agent: &str) -> Value {
    let pools = server.walk("agents/pool", 100);
    pools.into_iter().find(|pool| pool["agent"] == agent).unwrap()
}

/// Looks again until it is so.
fn until<T: std::fmt::Debug>(look: impl Fn() -> T, is_so: impl Fn(&T) -> bool) -> T {
    let started = Instant::now();
    loop {
        let seen = look();
        if is_so(&seen) {
            return seen;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "{seen:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn step<'a>(shown: &'a Value, agent: &str) -> &'a Value {
    let steps = shown["plan"]["steps"].as_array().unwrap();
    steps.iter().find(|step| step["agent"] == agent).unwrap_or_else(|| panic!("no step of {agent}: {steps:?}"))
}

fn found(server: &Server, id: &str) -> Vec<String> {
    ids_of(&server.walk(&format!("investigations/{id}/findings"), 100))
}

/// Contracts that findings are about, most talked about first, and then others: 100.
fn a_hundred_contracts(server: &Server) -> Vec<String> {
    let mut ids = Vec::new();
    let about = server
        .walk("findings", 100)
        .into_iter()
        .flat_map(|finding| finding["contract_ids"].as_array().cloned().unwrap());
    let others = server.walk("contracts", 100).into_iter().map(|contract| contract["id"].clone());
    for id in about.chain(others) {
        let id = id.as_str().unwrap().to_owned();
        if !ids.contains(&id) && ids.len() < 100 {
            ids.push(id);
        }
    }
    assert_eq!(ids.len(), 100);
    ids
}

#[test]
fn the_roster_holds_who_works_here_and_each_flag_is_of_one_of_them() {
    let house = House::new();
    let server = house.serve();
    let roster = server.walk("agents", 100);
    let mut of: BTreeMap<String, u32> = BTreeMap::new();
    for agent in &roster {
        assert!(!agent["does"]["pt"].as_str().unwrap().is_empty() && !agent["actions"].as_array().unwrap().is_empty());
        let judges = agent["actions"][0]["name"] == "judge";
        assert_eq!(judges, !agent["flags"].as_array().unwrap().is_empty(), "{agent}");
        for flag in agent["flags"].as_array().unwrap() {
            *of.entry(flag.as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    let flags: Vec<String> =
        server.walk("flags", 100).iter().map(|flag| flag["code"].as_str().unwrap().to_owned()).collect();
    assert_eq!(of.keys().cloned().collect::<Vec<_>>(), flags);
    assert!(of.values().all(|n| *n == 1));
    assert_eq!(server.json("agents/Obaluai%C3%AA")["key"], "obaluaie", "by name, accents or not");
    for nobody in ["lampiao", "drummond"] {
        assert_eq!(server.get(&format!("/api/v1/agents/{nobody}")).status, 404, "{nobody} has no flags here");
    }
    assert_eq!(house.json(&["agents"])["agents"], json!(roster));
    assert_eq!(house.json(&["agents", "zumbi"])["name"], "Zumbi");
    let _ = house.program().args(["agents", "lampiao"]).run().ends_with(1);
}

#[test]
fn pools_are_as_large_as_the_settings_say_and_warm_before_anyone_asks() {
    let house = House::new();
    let server = house.serve();
    let sizes = |pool: &Value| (pool["min_size"].clone(), pool["max_size"].clone());
    let pool = until(|| pool_of(&server, "zumbi"), |pool| pool["idle"] == 2);
    assert_eq!(sizes(&pool), (json!(2), json!(10)));
    assert_eq!((&pool["in_use"], &pool["waiting"]), (&json!(0), &json!(0)));
    assert_eq!(server.metric("cidadao_ai_agent_pool_instances{agent=\"zumbi\",state=\"idle\"}"), 2.0);
    assert!(server.get("/metrics").text().contains("cidadao_ai_agent_pool_utilization{agent=\"zumbi\"} 0"));
    drop(server);
    let file = house.file("c.toml", "[agents]\nmin_size = 3\n");
    let server = Server::start(house.program().env("AGENT_POOL_SIZE", "4").env("CIDADAO_CONFIG", file));
    let pool = until(|| pool_of(&server, "nana"), |pool| pool["idle"] == 3);
    assert_eq!(sizes(&pool), (json!(3), json!(4)));
    drop(server);
    // Less than the least is all there is.
    let server = Server::start(house.program().env("AGENT_POOL_SIZE", "1"));
    assert_eq!(sizes(&until(|| pool_of(&server, "anita"), |pool| pool["idle"] == 1)), (json!(1), json!(1)));
    drop(server);
    let refused = house.program().env("AGENT_POOL_SIZE", "0").arg("doctor").run().ends_with(2);
    assert!(refused.stderr.contains("agents.max_size"), "{}", refused.stderr);
    let server = Server::start_as(house.program(), "api");
    assert_eq!(pool_of(&server, "zumbi")["running"], false, "who only answers has no agents at work");
}

#[test]
fn instances_are_replaced_for_their_uses_and_age_and_let_go_when_idle() {
    let house = judged_house();
    let server = Server::start(house.program().env("CIDADAO_AGENTS_USES_MAX", "1"));
    let id = ask(&server, &json!({"scope": {}, "flags": ["BR05", "BR10", "BR19"]}));
    let shown = ended(&server, &id);
    let pool = until(|| pool_of(&server, "zumbi"), |pool| pool["recycled"] == 3);
    assert_eq!(pool["uses"], 3);
    assert_eq!(shown["status"], "completed");
    drop(server);
    let server = Server::start(house.program().env("CIDADAO_AGENTS_AGE_MAX_S", "1"));
    let _ = until(|| pool_of(&server, "zumbi"), |pool| pool["recycled"].as_u64().unwrap() >= 4);
    drop(server);
    // None is made before someone waits, and none stays for long.
    let program = house.program().env("CIDADAO_AGENTS_MIN_SIZE", "0").env("CIDADAO_AGENTS_MAX_IDLE_TIME_S", "1");
    let server = Server::start(program);
    assert_eq!(pool_of(&server, "zumbi")["idle"], 0);
    let id = ask(&server, &json!({"scope": {}, "flags": ["BR05", "BR10"]}));
    assert_eq!(ended(&server, &id)["status"], "completed");
    let pool = until(|| pool_of(&server, "zumbi"), |pool| pool["let_go"].as_u64().unwrap() > 0 && pool["idle"] == 0);
    assert!(pool["made"].as_u64().unwrap() > 0 && pool["waited_ms"].as_f64().unwrap() > 0.0, "{pool}");
}

#[test]
fn agents_that_cannot_work_are_kept_apart_until_they_can() {
    let house = judged_house();
    let program = house.program().env("CIDADAO_AGENTS_HEALTH_CHECK_INTERVAL_S", "1");
    let server = Server::start(program);
    let _ = until(|| pool_of(&server, "zumbi"), |pool| pool["idle"] == 2);
    let (lake, aside) = (house.data().join("lake"), house.root().join("lake-aside"));
    std::fs::rename(&lake, &aside).unwrap();
    let _ = until(|| pool_of(&server, "zumbi"), |pool| pool["failed_probes"].as_u64().unwrap() >= 2);
    std::fs::rename(&aside, &lake).unwrap();
    let pool =
        until(|| pool_of(&server, "zumbi"), |pool| pool["idle"].as_u64().unwrap() >= 2 && pool["quarantined"] == 0);
    assert!(pool["idle"].as_u64().unwrap() <= 10, "{pool}");
    let id = ask(&server, &json!({"scope": {}, "flags": ["BR05"]}));
    assert_eq!(ended(&server, &id)["status"], "completed");
}

#[test]
fn a_hundred_contracts_by_five_workers_come_to_the_same_whatever_the_strategy() {
    let house = judged_house();
    let server = house.serve();
    let contracts = a_hundred_contracts(&server);
    let asked = json!({"scope": {"contracts": contracts}, "split": "flags"});
    let whole = ask(&server, &asked);
    let by_flags = ended(&server, &whole);
    let wanted = found(&server, &whole);
    assert!(wanted.len() > 10, "{by_flags}");
    let about: BTreeSet<&String> = contracts.iter().collect();
    let held: Vec<Value> = server
        .walk("findings", 100)
        .into_iter()
        .filter(|finding| {
            finding["contract_ids"]
                .as_array()
                .unwrap()
                .iter()
                .any(|id| about.contains(&id.as_str().unwrap().to_owned()))
        })
        .collect();
    assert_eq!(wanted, ids_of(&held), "what is found is what is held of these contracts");
    drop(server);
    for strategy in ["scatter_gather", "round_robin", "map_reduce", "pipeline"] {
        let args = [
            "investigate",
            "--strategy",
            strategy,
            "--max-workers",
            "5",
            "--contracts",
            &contracts.join(","),
            "--json",
        ];
        let run = house.program().args(args).run().ends_with(0);
        let shown = run.json();
        assert_eq!(ids_of(shown["findings"].as_array().unwrap()), wanted, "{strategy}");
        let of_zumbi = step(&shown, "zumbi");
        let spread = json!({"strategy": strategy, "max_workers": 5, "policy": "best_effort", "parts": 10});
        assert_eq!((&of_zumbi["spread"], &of_zumbi["units"]["done"]), (&spread, &json!(10)), "{of_zumbi}");
        let workers = of_zumbi["account"]["workers"].as_array().unwrap();
        assert!(workers.iter().all(|w| w["thread"].as_str().unwrap().starts_with("worker-") && w["process"].is_u64()));
        assert!(workers.len() <= 5, "{workers:?}");
        for flag in by_flags["coverage"].as_array().unwrap() {
            let same =
                shown["coverage"].as_array().unwrap().iter().find(|other| other["flag"] == flag["flag"]).unwrap();
            assert_eq!((&same["findings"], &same["state"]), (&flag["findings"], &json!("judged")), "{strategy}");
        }
        assert!(
            run.stderr.contains(&format!("Zumbi: julga BR05 BR10 BR19 BR24 BR25 · {strategy}, até 5 de uma vez")),
            "{}",
            run.stderr
        );
        assert!(run.stderr.contains("Zumbi julga a parte 1 (processo "), "{}", run.stderr);
    }
    let refused = house.program().args(["investigate", "--contracts", "x:1"]).run().ends_with(2);
    assert!(refused.stderr.contains("x:1"), "{}", refused.stderr);
    let refused = house.program().args(["investigate", "--strategy", "luck"]).run().ends_with(2);
    assert!(refused.stderr.contains("scatter_gather"), "{}", refused.stderr);
}

#[test]
fn filters_can_be_split_into_their_contracts() {
    let house = judged_house();
    let run = house.program().args([
        "investigate",
        "--scope",
        "state=SP",
        "--split",
        "contracts",
        "--flag",
        "BR05",
        "--json",
    ]);
    let shown = run.run().ends_with(0).json();
    let contracts = shown["scope"]["contracts"].as_array().unwrap().len();
    assert_eq!(contracts, house.serve().walk("contracts?state=SP", 100).len());
    assert_eq!(step(&shown, "zumbi")["spread"]["parts"], 16);
}

#[test]
fn what_a_finding_is_worth_is_not_asked_of_its_contracts_one_by_one() {
    let house = judged_house();
    let server = house.serve();
    let amount = |finding: &Value| finding["amount"].as_str().and_then(|text| text.parse::<f64>().ok());
    let dearest = server
        .walk("findings", 100)
        .into_iter()
        .filter(|finding| finding["contract_ids"].as_array().is_some_and(|all| all.len() > 1))
        .max_by(|a, b| amount(a).unwrap_or(0.0).total_cmp(&amount(b).unwrap_or(0.0)))
        .expect("a finding about several contracts");
    let scope = json!({"value_min": dearest["amount"]});
    let of = |split: &str| {
        let id = ask(&server, &json!({"scope": scope, "flags": [dearest["flag"]], "split": split}));
        let _ = ended(&server, &id);
        found(&server, &id)
    };
    let by_flags = of("flags");
    assert!(!by_flags.is_empty());
    assert_eq!(of("contracts"), by_flags);
}

#[test]
fn a_plan_that_is_held_can_be_read_and_changed_before_it_begins() {
    let house = judged_house();
    let server = house.serve();
    let id = ask(&server, &json!({"scope": {}, "hold": true, "max_workers": 3}));
    let path = format!("{ASK}/{id}");
    let shown = until(|| server.json(&format!("investigations/{id}")), |shown| !shown["plan"].is_null());
    assert_eq!((&shown["status"], &shown["phase"]), (&json!("active"), &json!("planned")));
    assert_eq!(step(&shown, "zumbi")["state"], "waiting");
    assert_eq!(step(&shown, "abaporu")["account"]["agent"], "abaporu");
    let n = |agent: &str| step(&shown, agent)["n"].clone();
    // Only Zumbi and Obaluaiê, in another order, one with fewer flags and another strategy.
    let edit = json!({"steps": [
        {"n": n("obaluaie"), "flags": ["BR15", "BR01"], "strategy": "pipeline", "max_workers": 1},
        {"n": n("zumbi"), "policy": "all"}, {"n": n("nana")}]});
    let edited = server.put(&format!("{path}/plan"), &edit);
    assert_eq!(edited.status, 200, "{}", edited.text());
    let edited = edited.json();
    let agents: Vec<&str> =
        edited["plan"]["steps"].as_array().unwrap().iter().map(|step| step["agent"].as_str().unwrap()).collect();
    assert_eq!(agents, ["ayrton_senna", "abaporu", "obaluaie", "zumbi", "nana", "tiradentes"]);
    for refused in
        [json!({"steps": []}), json!({"steps": [{"n": 99}]}), json!({"steps": [{"n": n("zumbi"), "flags": ["BR01"]}]})]
    {
        let refused = server.put(&format!("{path}/plan"), &refused);
        assert_eq!((refused.status, refused.json()["field"].as_str()), (400, Some("steps")), "{}", refused.text());
    }
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(server.json(&format!("investigations/{id}"))["progress"]["done"], 0, "it waits");
    assert_eq!(server.post(&format!("{path}/start"), &json!({})).status, 200);
    let shown = ended(&server, &id);
    assert_eq!((&shown["status"], &shown["partial"]), (&json!("completed"), &json!(false)));
    let judged: Vec<String> = follow(&server, &id)
        .iter()
        .filter(|event| event.kind == "flag_judged")
        .map(|event| event.data["flag"].as_str().unwrap().to_owned())
        .collect();
    let of_obaluaie: Vec<&str> =
        judged.iter().map(String::as_str).filter(|flag| ["BR01", "BR15"].contains(flag)).collect();
    assert_eq!(of_obaluaie, ["BR15", "BR01"], "one after the other, in the order that was asked for");
    assert_eq!(judged.iter().cloned().collect::<BTreeSet<_>>().len(), 7, "{judged:?}");
    let late = server.put(&format!("{path}/plan"), &edit);
    assert_eq!(late.status, 409, "{}", late.text());
    assert_eq!(server.put(&format!("{ASK}/inv_none/plan"), &edit).status, 404);
}

#[test]
fn each_step_says_what_it_did_and_what_was_remembered() {
    let house = judged_house();
    let server = house.serve();
    let body = json!({"scope": {}, "flags": ["BR05", "BR06"]});
    let first = ask(&server, &body);
    let shown = ended(&server, &first);
    let more = json!({"investigations": false, "verdicts": false, "statements": false});
    assert_eq!(
        shown["memory"],
        json!({"investigations": [], "verdicts": [], "statements": [], "more": more, "looked_back": 50})
    );
    let finding = shown["findings"][0]["id"].as_str().unwrap();
    let verdict = json!({"verdict": "dismissed", "reason": "caixa com 100", "who": "Ana"});
    assert!(server.post(&format!("/api/v1/findings/{finding}/verdict"), &verdict).status < 300);
    let second = ask(&server, &body);
    let shown = ended(&server, &second);
    let memory = &shown["memory"];
    assert_eq!(memory["investigations"][0]["id"], json!(first));
    assert_eq!(
        (&memory["investigations"][0]["same_scope"], &memory["investigations"][0]["findings_in_common"]),
        (&json!(true), &shown["findings_total"])
    );
    let said = memory["verdicts"].as_array().unwrap().iter().find(|verdict| verdict["finding"] == finding).unwrap();
    assert_eq!(
        (&said["verdict"], &said["who"], &said["about"]),
        (&json!("dismissed"), &json!("Ana"), &json!("this finding"))
    );
    assert!(
        shown["summary"]["text"]["pt"].as_str().unwrap().contains("1 investigação(ões) anterior(es)"),
        "{}",
        shown["summary"]
    );
    for agent in ["abaporu", "zumbi", "anita", "nana", "tiradentes"] {
        let step = step(&shown, agent);
        assert_eq!((&step["state"], &step["account"]["agent"]), (&json!("done"), &json!(agent)), "{step}");
    }
    assert!(step(&shown, "zumbi")["account"]["cost"]["rows_read"].as_u64().unwrap() > 0);
    let judged = follow(&server, &second).into_iter().find(|event| event.kind == "flag_judged").unwrap();
    let account = &judged.data["account"];
    assert!(
        account["worker"]["process"].is_u64() && account["instance"].is_u64() && account["started_at"].is_string(),
        "{account}"
    );
}

#[test]
fn a_policy_says_when_it_is_enough_and_when_it_is_lost() {
    let house = judged_house();
    let server = Server::start(house.program().env("CIDADAO_WORK_ATTEMPTS_MAX", "1"));
    let flags = json!(["BR05", "BR10", "BR19", "BR24", "BR25"]);
    let body = json!({"scope": {}, "flags": flags, "policy": "first_success", "max_workers": 1});
    let shown = ended(&server, &ask(&server, &body));
    let states: Vec<&str> =
        shown["coverage"].as_array().unwrap().iter().map(|flag| flag["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["judged", "skipped", "skipped", "skipped", "skipped"]);
    assert_eq!((&shown["status"], &shown["partial"]), (&json!("completed"), &json!(false)), "{shown}");
    assert!(shown["summary"]["text"]["pt"].as_str().unwrap().contains("4 sinal(is) não foram verificados"));
    let body = json!({"scope": {}, "flags": flags, "policy": "quorum:2", "max_workers": 1});
    let shown = ended(&server, &ask(&server, &body));
    let judged = shown["coverage"].as_array().unwrap().iter().filter(|flag| flag["state"] == "judged").count();
    assert_eq!((judged, &shown["status"]), (2, &json!("completed")), "two are enough");
    assert_eq!(server.post(ASK, &json!({"scope": {}, "nope": 1})).json()["field"], "body");
    for policy in ["quorum:0", "some"] {
        assert_eq!(server.post(ASK, &json!({"scope": {}, "policy": policy})).status, 400, "{policy}");
    }
    // A source file of the analysis is gone: what needs it fails.
    for path in house.data_files() {
        let name = path.to_string_lossy().into_owned();
        if name.contains("/lake/") && name.contains("contracts") && name.ends_with(".parquet") {
            std::fs::remove_file(path).unwrap();
        }
    }
    let body = json!({"scope": {}, "flags": ["BR05", "BR06"], "as_of": DAY, "policy": "all", "max_workers": 1});
    let shown = ended(&server, &ask(&server, &body));
    assert_eq!(shown["status"], "failed");
    let states: Vec<&Value> = shown["coverage"].as_array().unwrap().iter().map(|flag| &flag["state"]).collect();
    assert_eq!(states, ["failed", "left"], "nobody will try the second any more");
    assert!(shown["error"].as_str().unwrap().contains("did not come to all"), "{}", shown["error"]);
    assert!(
        shown["plan"]["steps"].as_array().unwrap().iter().all(|s| s["state"] != "running" && s["state"] != "waiting"),
        "{}",
        shown["plan"]
    );
}

#[test]
fn at_its_deadline_what_there_is_is_written_up_and_named_partial() {
    let house = judged_house();
    let server = Server::start(house.program().env("CIDADAO_WORK_WORKERS", "1"));
    let shown = ended(&server, &ask(&server, &json!({"scope": {}, "as_of": DAY, "deadline_s": 1})));
    assert_eq!((&shown["status"], &shown["partial"]), (&json!("completed"), &json!(true)), "{}", shown["coverage"]);
    let coverage = shown["coverage"].as_array().unwrap();
    let left_out: Vec<&Value> = coverage.iter().filter(|flag| flag["state"] == "skipped").collect();
    assert!(!left_out.is_empty() && left_out.iter().all(|flag| flag["error"] == "deadline"), "{coverage:?}");
    assert_eq!(shown["progress"]["done"], shown["progress"]["total"]);
    let because = shown["summary"]["partial_because"].as_array().unwrap();
    assert!(because.iter().filter(|missing| missing["because"] == "deadline").count() >= left_out.len(), "{because:?}");
    // Whoever was at it is free.
    assert_eq!(ended(&server, &ask(&server, &json!({"scope": {}, "flags": ["BR01"]})))["status"], "completed");
}

#[test]
fn two_cancels_at_once_are_one() {
    let house = judged_house();
    let server = house.serve();
    let id = ask(&server, &json!({"scope": {}, "as_of": DAY}));
    let _ = server.follow(&format!("investigations/{id}/events"), 0, |event| event.kind == "flag_started");
    let answers: Vec<u16> = std::thread::scope(|threads| {
        let cancels: Vec<_> =
            (0..4).map(|_| threads.spawn(|| server.post(&format!("{ASK}/{id}/cancel"), &json!({})).status)).collect();
        cancels.into_iter().map(|cancel| cancel.join().unwrap()).collect()
    });
    assert_eq!(answers, [200; 4]);
    let events = follow(&server, &id);
    assert_eq!(events.iter().filter(|event| event.kind == "cancelled").count(), 1);
    let shown = server.json(&format!("investigations/{id}"));
    assert!(
        shown["plan"]["steps"]
            .as_array()
            .unwrap()
            .iter()
            .all(|step| ["done", "cancelled"].contains(&step["state"].as_str().unwrap()))
    );
    // One that is held can be cancelled, and not started afterwards.
    let id = ask(&server, &json!({"scope": {}, "hold": true}));
    assert_eq!(server.post(&format!("{ASK}/{id}/cancel"), &json!({})).json()["status"], "cancelled");
    let _ = server.post(&format!("{ASK}/{id}/start"), &json!({}));
    assert_eq!(server.json(&format!("investigations/{id}"))["status"], "cancelled");
}

#[test]
fn parts_of_a_worker_that_was_killed_are_done_by_another() {
    let house = judged_house();
    let start =
        || Server::start(house.program().env("CIDADAO_WORK_LEASE_S", "1").env("CIDADAO_WORK_ATTEMPTS_MAX", "50"));
    let first = start();
    let contracts = a_hundred_contracts(&first);
    let whole = ask(&first, &json!({"scope": {"contracts": contracts}, "split": "flags"}));
    let _ = ended(&first, &whole);
    let wanted = found(&first, &whole);
    let second = start();
    let id = ask(&first, &json!({"scope": {"contracts": contracts}, "max_workers": 2}));
    let _ = first.follow(&format!("investigations/{id}/events"), 0, |event| event.kind == "part_judged");
    // Dropped, it is killed with -9.
    drop(first);
    let shown = ended(&second, &id);
    assert_eq!((&shown["status"], &shown["partial"]), (&json!("completed"), &json!(false)), "{shown}");
    assert_eq!(found(&second, &id), wanted);
    let judged = follow(&second, &id).into_iter().filter(|event| event.kind == "part_judged");
    let parts: Vec<(Value, Value)> =
        judged.map(|event| (event.data["step"].clone(), event.data["part"].clone())).collect();
    let once: BTreeSet<String> = parts.iter().map(|part| format!("{part:?}")).collect();
    assert_eq!(once.len(), parts.len(), "each part is judged once");
}

/// PNCP with 30 contracts of June 2025.
fn june(target: &str) -> Reply {
    if !target.starts_with("/v1/contratos?") || !target.contains("dataInicial=20250601") {
        return Reply::status(204);
    }
    let records: Vec<Value> = (0..30).map(|at| pncp_contract(at, "2025-06-24T00:30:04", 1_000.0)).collect();
    let page = json!({"data": records, "totalRegistros": 30, "totalPaginas": 1, "numeroPagina": 1, "paginasRestantes": 0, "empty": false});
    Reply::json(page.to_string())
}

fn investigating(house: &House, origin: &Origin, more: &[&str]) -> Program {
    house
        .program()
        .args([
            "investigate",
            "--scope",
            "from=2025-06-01",
            "--scope",
            "to=2025-06-30",
            "--flag",
            "BR01,BR05",
            "--json",
        ])
        .args(more)
        .env("CIDADAO_PNCP_SERVICE", origin.url())
        .env("CIDADAO_OUTBOUND_RATE_PER_S", "1000")
        .env("CIDADAO_OUTBOUND_PATIENCE_S", "1")
}

#[test]
fn what_is_not_held_is_said_and_fetched_when_the_settings_allow_it() {
    let house = House::new();
    let origin = Origin::start(|target, _| june(target));
    let shown = investigating(&house, &origin, &[]).run().ends_with(0).json();
    assert_eq!(
        (origin.requests().len(), &shown["partial"]),
        (0, &json!(true)),
        "nobody asks unless the settings say so"
    );
    assert_eq!(
        (&shown["plan"]["missing"]["source"], &shown["plan"]["missing"]["from"]),
        (&json!("pncp"), &json!("2025-06-01"))
    );
    let note = shown["plan"]["notes"].to_string();
    assert!(note.contains("cidadao sync pncp --from 2025-06-01 --to 2025-06-30"), "{note}");
    assert_eq!(shown["summary"]["partial_because"][0]["because"], "not_held");
    let shown = investigating(&house, &origin, &[])
        .env("CIDADAO_AGENTS_FETCH", "true")
        .env("CIDADAO_AGENTS_FETCH_DAYS_MAX", "29");
    assert!(shown.run().ends_with(0).json()["plan"]["notes"].to_string().contains("29 dias"));
    assert_eq!(origin.requests().len(), 0);

    let run = investigating(&house, &origin, &[]).env("CIDADAO_AGENTS_FETCH", "true").run().ends_with(0);
    let shown = run.json();
    let fetch = step(&shown, "oxossi");
    assert_eq!(
        (&fetch["state"], &fetch["result"]["rows"], &shown["partial"]),
        (&json!("done"), &json!(30), &json!(false)),
        "{fetch}"
    );
    assert_eq!(fetch["account"]["cost"]["rows_read"], 30);
    let judged_after = run.stderr.find("Oxóssi começa").unwrap() < run.stderr.find("julga BR05 (").unwrap();
    assert!(judged_after, "{}", run.stderr);
    assert_eq!(house.serve().walk("contracts", 100).len(), 30);
    // Held by now: nobody asks again.
    let asked = origin.requests().len();
    let shown = investigating(&house, &origin, &[]).env("CIDADAO_AGENTS_FETCH", "true").run().ends_with(0).json();
    assert_eq!((origin.requests().len(), &shown["plan"]["missing"]), (asked, &Value::Null));
    // None of them holds such a word: that is an answer, and no lack of data.
    let wordless = investigating(&house, &origin, &["--scope", "q=quimbembeque"]).run().ends_with(0).json();
    assert_eq!((&wordless["plan"]["missing"], &wordless["partial"]), (&Value::Null, &json!(false)));
}

#[test]
fn a_source_that_is_down_or_says_nothing_ends_in_a_partial_answer() {
    let house = House::new();
    let down = Origin::start(|_, _| Reply::Reset);
    let shown = investigating(&house, &down, &[]).env("CIDADAO_AGENTS_FETCH", "true").run().ends_with(1).json();
    let fetch = step(&shown, "oxossi");
    assert_eq!(
        (&fetch["state"], &shown["status"], &shown["partial"]),
        (&json!("failed"), &json!("completed"), &json!(true))
    );
    assert!(fetch["error"].as_str().unwrap().contains("windows could not be had"), "{fetch}");
    assert_eq!(shown["summary"]["partial_because"][0]["agent"], "oxossi");
    // It goes silent after the first page.
    let silent = Origin::start(|target, before| {
        if before == 0 { june(target) } else { Reply::Late(Duration::from_secs(60), Box::new(june(target))) }
    });
    for (setting, said) in
        [("fetch_timeout", "had not given all after 2 s"), ("task_deadline", "deadline for one task")]
    {
        let house = House::new();
        let program =
            investigating(&house, &silent, if setting == "task_deadline" { &["--task-deadline", "1"] } else { &[] })
                .env("CIDADAO_OUTBOUND_PATIENCE_S", "100")
                .env("CIDADAO_AGENTS_FETCH", "true")
                .env("CIDADAO_AGENTS_FETCH_TIMEOUT_S", if setting == "fetch_timeout" { "2" } else { "100" });
        let started = Instant::now();
        let shown = program.run().ends_with(1).json();
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
        let fetch = step(&shown, "oxossi");
        assert_eq!((&fetch["state"], &shown["partial"]), (&json!("failed"), &json!(true)), "{fetch}");
        assert!(fetch["error"].as_str().unwrap().contains(said), "{fetch}");
    }
}

#[test]
fn an_agent_that_takes_too_long_is_written_off_and_its_task_done_again() {
    let house = judged_house();
    let program = house
        .program()
        .env("CIDADAO_AGENTS_USE_MAX_S", "3")
        .env("CIDADAO_AGENTS_FETCH_TIMEOUT_S", "3")
        .env("CIDADAO_WORK_LEASE_S", "1")
        .env("CIDADAO_WORK_ATTEMPTS_MAX", "50");
    let server = Server::start(program);
    let flags = json!(["BR01", "BR05", "BR06", "BR11", "BR19"]);
    let id = ask(&server, &json!({"scope": {}, "as_of": DAY, "flags": flags}));
    let _ = server.follow(&format!("investigations/{id}/events"), 0, |event| event.kind == "flag_started");
    // Another program holds the database: whoever wants to record what came out waits, longer than one use may take.
    let db = rusqlite::Connection::open(house.data().join("cidadao.db")).unwrap();
    db.busy_timeout(Duration::from_secs(30)).unwrap();
    db.execute_batch("begin immediate").unwrap();
    std::thread::sleep(Duration::from_secs(8));
    db.execute_batch("rollback").unwrap();
    let shown = ended(&server, &id);
    assert_eq!((&shown["status"], &shown["partial"]), (&json!("completed"), &json!(false)), "{}", shown["coverage"]);
    let written_off: u64 =
        server.walk("agents/pool", 100).iter().map(|pool| pool["written_off"].as_u64().unwrap()).sum();
    assert!(written_off > 0, "{}", server.log());
    let judged: Vec<Value> = follow(&server, &id)
        .into_iter()
        .filter(|event| event.kind == "flag_judged")
        .map(|event| event.data["flag"].clone())
        .collect();
    assert_eq!(judged.len(), shown["coverage"].as_array().unwrap().len(), "each flag is judged once");
}
