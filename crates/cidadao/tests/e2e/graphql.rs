//! GraphQL from outside: the same facts as REST, as few statements as the query is deep, and every limit before anything is done.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use testkit::server::encoded;
use testkit::{Answer, House, Server};

use super::short_sample;

/// The media type by which the status says how it went.
const BY_STATUS: [(&str, &str); 1] = [("accept", "application/graphql-response+json")];
const NESTED: &str =
    "query ($n: Int, $m: Int) { buyers(first: $n) { nodes { id contracts(first: $m) { nodes { id valueFinal
    supplier { id name findings(first: 2) { nodes { id flag severity title { pt } } } } } } } } }";

fn filled() -> House {
    let house = House::new();
    let _ = house.ingest(&[&short_sample(&house, 600, 47)]).ends_with(3);
    house
}

fn send(server: &Server, query: &str, variables: &Value) -> Answer {
    server.post("/graphql", &json!({"query": query, "variables": variables}))
}

/// The data of a query that is answered whole.
#[track_caller]
fn data(server: &Server, query: &str, variables: &Value) -> Value {
    let answer = send(server, query, variables);
    let mut body = answer.json();
    assert_eq!((answer.status, body.get("errors")), (200, None), "{query}: {body}");
    body["data"].take()
}

/// The first error of a query, and its extensions.
#[track_caller]
fn refused(server: &Server, query: &str, variables: &Value) -> (u16, Value) {
    let answer = server.post_with("/graphql", &json!({"query": query, "variables": variables}), &BY_STATUS);
    let body = answer.json();
    assert!(body["errors"][0]["message"].is_string(), "{query}: {body}");
    (answer.status, body["errors"][0]["extensions"].clone())
}

#[test]
fn a_walk_over_a_connection_is_the_walk_over_rests_list_by_the_same_cursors() {
    let house = filled();
    let server = house.serve();
    for (list, filters, rest) in [
        ("contracts", "state: \"DF\", sort: \"-value\"", "contracts?state=DF&sort=-value"),
        ("findings", "severity: \"high\"", "findings?severity=high"),
        ("suppliers", "kind: \"company\"", "suppliers?kind=company"),
        ("buyers", "", "buyers"),
        ("tenders", "", "tenders"),
        ("sources", "", "sources"),
    ] {
        let name = if list == "sources" { "source table" } else { "id" };
        let (mut after, mut ids) = (Value::Null, Vec::new());
        loop {
            let query = format!(
                "query ($after: String) {{ {list}(first: 7, after: $after{}{filters}) {{ edges {{ cursor node {{ {name} }} }} pageInfo {{ hasNextPage endCursor hasPreviousPage }} }} }}",
                if filters.is_empty() { "" } else { ", " }
            );
            let page = data(&server, &query, &json!({"after": after}))[list].take();
            let edges = page["edges"].as_array().unwrap().clone();
            assert_eq!(page["pageInfo"]["hasPreviousPage"], !after.is_null());
            ids.extend(edges.iter().map(|edge| edge["node"].clone()));
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
            assert_eq!(page["pageInfo"]["endCursor"], edges[6]["cursor"]);
            // REST's cursor of this page is this page's.
            if after.is_null() {
                let joint = if rest.contains('?') { '&' } else { '?' };
                let page_of_rest = server.json(&format!("{rest}{joint}limit=7"));
                assert_eq!(page_of_rest["page"]["next_cursor"], page["pageInfo"]["endCursor"], "{list}");
            }
            // One may go on behind any row, not only behind the last.
            after = edges[if ids.len() == 7 { 3 } else { 6 }]["cursor"].clone();
            if ids.len() == 7 {
                ids.truncate(4);
            }
        }
        let walked = server.walk(rest, 100);
        let expected: Vec<Value> = walked
            .iter()
            .map(|row| {
                if list == "sources" {
                    json!({"source": row["source"], "table": row["table"]})
                } else {
                    json!({"id": row["id"]})
                }
            })
            .collect();
        assert!(ids.len() > 3, "{list}: too few to say anything");
        assert_eq!(ids, expected, "{list}");
    }
}

#[test]
fn a_tree_of_records_says_what_rest_says_of_each() {
    let house = filled();
    let server = house.serve();
    let tree = data(&server, NESTED, &json!({"n": 10, "m": 5}));
    let mut findings = 0;
    for buyer in tree["buyers"]["nodes"].as_array().unwrap() {
        let id = encoded(buyer["id"].as_str().unwrap());
        let contracts = server.json(&format!("contracts?buyer_id={id}&limit=5"));
        let of_rest: Vec<_> = contracts["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| (c["id"].clone(), c["value_final"].clone(), c["supplier"]["id"].clone()))
            .collect();
        let here = buyer["contracts"]["nodes"].as_array().unwrap();
        let of_tree: Vec<_> =
            here.iter().map(|c| (c["id"].clone(), c["valueFinal"].clone(), c["supplier"]["id"].clone())).collect();
        assert_eq!(of_tree, of_rest);
        for supplier in here.iter().map(|contract| &contract["supplier"]) {
            let id = encoded(supplier["id"].as_str().unwrap());
            let of_rest = server.json(&format!("findings?supplier_id={id}&limit=2"));
            let of_rest: Vec<_> =
                of_rest["data"].as_array().unwrap().iter().map(|f| (&f["id"], &f["title"]["pt"])).collect();
            let of_tree: Vec<_> = supplier["findings"]["nodes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|f| (&f["id"], &f["title"]["pt"]))
                .collect();
            assert_eq!(of_tree, of_rest);
            findings += of_tree.len();
        }
    }
    assert!(findings > 0, "no finding was seen");

    // One record of each kind, field by field.
    let bid = &server.json("tenders?limit=100")["data"];
    let tender =
        bid.as_array().unwrap().iter().map(|t| server.json(&format!("tenders/{}", encoded(t["id"].as_str().unwrap()))));
    let tender = tender.into_iter().find(|t| !t["bids"].as_array().unwrap().is_empty()).unwrap();
    let query = "query ($id: String!) { tender(id: $id) { object publishedOn items(first: 100) { nodes { id description unitPrice } }
        bids(first: 100) { nodes { id value won bidder { id name } provenance { file line } } } }
        bids(tenderId: $id, first: 100) { nodes { id } } items(tenderId: $id, first: 1) { nodes { id } pageInfo { hasNextPage } } }";
    let here = data(&server, query, &json!({"id": tender["id"]}));
    assert_eq!(here["tender"]["object"], tender["object"]);
    let ids = |rows: &Value| rows.as_array().unwrap().iter().map(|row| row["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&here["tender"]["bids"]["nodes"]), ids(&tender["bids"]));
    assert_eq!(ids(&here["bids"]["nodes"]), ids(&tender["bids"]));
    assert_eq!(ids(&here["tender"]["items"]["nodes"]), ids(&tender["items"]));
    assert_eq!(here["tender"]["bids"]["nodes"][0]["provenance"]["line"], tender["bids"][0]["provenance"]["line"]);
    assert_eq!(here["tender"]["bids"]["nodes"][0]["bidder"]["id"], tender["bids"][0]["bidder_id"]);

    let finding = server.json("findings?limit=1")["data"][0].clone();
    let query = "query ($id: String!) { finding(id: $id) { measure threshold asOf law { article } arithmetic { expression result } counterfactual { en }
        contractIds contracts(first: 100) { nodes { id buyer { totals { contracts value } } buyerStated { name } } } } }";
    let here = data(&server, query, &json!({"id": finding["id"]}))["finding"].take();
    for (field, of_rest) in
        [("measure", "measure"), ("threshold", "threshold"), ("asOf", "as_of"), ("contractIds", "contract_ids")]
    {
        assert_eq!(here[field], finding[of_rest], "{field}");
    }
    assert_eq!(here["arithmetic"][0]["result"], finding["arithmetic"][0]["result"]);
    assert_eq!(json!(ids(&here["contracts"]["nodes"])), finding["contract_ids"]);
    let contract = server.json(&format!("contracts/{}", encoded(finding["contract_ids"][0].as_str().unwrap())));
    let buyer = server.json(&format!("buyers/{}", encoded(contract["buyer"]["id"].as_str().unwrap())));
    let shown = &here["contracts"]["nodes"][0]["buyer"]["totals"];
    assert_eq!((&shown["contracts"], &shown["value"]), (&buyer["totals"]["contracts"], &buyer["totals"]["value"]));
}

#[test]
fn statements_grow_with_the_depth_of_a_query_and_not_with_its_rows() {
    let house = filled();
    let server = Server::start(house.program().env("CACHE_STRATEGY", "off"));
    let taken = |variables: Value| {
        let before = server.metric("cidadao_ai_graphql_statements_total");
        let tree = data(&server, NESTED, &variables);
        let contracts: usize = tree["buyers"]["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|b| b["contracts"]["nodes"].as_array().unwrap().len())
            .sum();
        (contracts, server.metric("cidadao_ai_graphql_statements_total") - before)
    };
    let (few, small) = taken(json!({"n": 2, "m": 2}));
    let (many, large) = taken(json!({"n": 10, "m": 10}));
    assert!(few <= 4 && many > 20, "{few}, {many}");
    assert!(small > 2.0, "{small}");
    assert_eq!(small, large);
    let before = server.metric("cidadao_ai_db_statements_total");
    let _ = server.get("/api/v1/contracts?limit=1");
    assert!(server.metric("cidadao_ai_db_statements_total") > before);
}

#[test]
fn a_list_within_a_record_goes_on_at_the_root() {
    let house = filled();
    let server = house.serve();
    let query = "{ buyers(first: 100) { nodes { id contracts(first: 2) { nodes { id } pageInfo { hasNextPage endCursor } } } } }";
    let buyers = data(&server, query, &json!({}))["buyers"]["nodes"].take();
    let buyer = buyers.as_array().unwrap().iter().find(|b| b["contracts"]["pageInfo"]["hasNextPage"] == true).unwrap();
    let query =
        "query ($id: String, $after: String) { contracts(buyerId: $id, after: $after, first: 100) { nodes { id } } }";
    let after = &buyer["contracts"]["pageInfo"]["endCursor"];
    let rest = data(&server, query, &json!({"id": buyer["id"], "after": after}))["contracts"]["nodes"].take();
    let seen: Vec<&Value> =
        buyer["contracts"]["nodes"].as_array().unwrap().iter().chain(rest.as_array().unwrap()).collect();
    let all = server.walk(&format!("contracts?buyer_id={}", encoded(buyer["id"].as_str().unwrap())), 100);
    assert_eq!(seen.iter().map(|c| &c["id"]).collect::<Vec<_>>(), all.iter().map(|c| &c["id"]).collect::<Vec<_>>());
}

#[test]
fn what_is_too_much_is_refused_before_anything_is_done_and_told_what_it_comes_to() {
    let house = filled();
    let server = house.serve();
    let before = server.metric("cidadao_ai_graphql_statements_total");
    let levels = |n: usize| {
        format!(
            "{{ contract(id: \"x\") {{ {}id{} }} }}",
            "supplier { contracts(first: 1) { nodes { ".repeat(n),
            " } } }".repeat(n)
        )
    };
    let doubling: String =
        (0..27).map(|n| format!(" fragment F{n} on Stats {{ ...F{} ...F{} }}", n + 1, n + 1)).collect();
    let cases = [
        (levels(4), "depth", 10, 13),
        (
            "{ contracts(first: 100) { nodes { supplier { contracts { nodes { id } } } } } }".to_owned(),
            "complexity",
            1_000,
            2_200,
        ),
        (
            format!("{{ {} }}", (0..3_000).map(|n| format!("a{n}: __typename ")).collect::<String>()),
            "aliases",
            50,
            3_000,
        ),
        (format!("{{ stats {{ {} }} }}", "contracts @include(if: true) ".repeat(40)), "directives", 30, 40),
        (format!("{{ stats {{ {} }} }}", "contracts ".repeat(6_000)), "tokens", 5_000, 6_005),
        (format!("{{ __typename }}{}", " ".repeat(1_000_000)), "bytes", 65_536, 1_000_014),
        (format!("{{ contracts(q: {}) {{ nodes {{ id }} }} }}", "[".repeat(2_000)), "nesting", 64, 2_003),
        (
            format!("{{ stats {{ ...F0 }} }}{doubling} fragment F27 on Stats {{ __typename }}"),
            "values",
            100_000,
            (1 << 27) + 1,
        ),
        ("{ __schema { types { fields { type { fields { name } } } } } }".to_owned(), "introspection-lists", 1, 2),
    ];
    for (query, limit, max, cost) in cases {
        let (status, told) = refused(&server, &query, &json!({}));
        assert_eq!((status, told["type"].as_str()), (400, Some("/problems/query-over-limit")), "{limit}");
        assert_eq!((&told["limit"], &told["max"], &told["cost"]), (&json!(limit), &json!(max), &json!(cost)));
    }
    let (status, told) =
        refused(&server, "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }", &json!({}));
    assert_eq!((status, told["type"].as_str()), (400, Some("/problems/invalid-query")));
    assert_eq!(server.metric("cidadao_ai_graphql_statements_total"), before, "something was asked of the database");
    let eleven: Vec<Value> = (0..11).map(|_| json!({"query": "{ stats { contracts } }"})).collect();
    let answer = server.post_with("/graphql", &json!(eleven), &BY_STATUS);
    assert_eq!(answer.json()["errors"][0]["extensions"]["limit"], "batch");
    assert!(server.memory_mib() < 400, "{} MiB", server.memory_mib());
}

#[test]
fn errors_are_of_rests_types_and_leave_the_rest_answered() {
    let house = filled();
    let server = house.serve();
    for (query, rest) in [
        ("{ no: contract(id: \"x\") { id } stats { contracts } }", "contracts/x"),
        ("{ no: finding(id: \"x\") { id } stats { contracts } }", "findings/x"),
        ("{ no: contracts(first: 101) { nodes { id } } stats { contracts } }", "contracts?limit=101"),
        (
            "{ no: contracts(signedFrom: \"2024-13-01\") { nodes { id } } stats { contracts } }",
            "contracts?signed_from=2024-13-01",
        ),
        ("{ no: findings(after: \"x\") { nodes { id } } stats { contracts } }", "findings?cursor=x"),
        ("{ no: findings(flag: \"BR99\") { nodes { id } } stats { contracts } }", "findings?flag=BR99"),
    ] {
        let answer = send(&server, query, &json!({})).json();
        assert!(answer["data"]["stats"]["contracts"].as_i64().unwrap() > 0, "{answer}");
        assert_eq!(answer["data"]["no"], Value::Null);
        let (error, problem) = (&answer["errors"][0], server.get(&format!("/api/v1/{rest}")).json());
        assert_eq!(error["path"], json!(["no"]));
        for (here, there) in [("type", "type"), ("status", "status"), ("title", "title")] {
            assert_eq!(error["extensions"][here], problem[there], "{query}");
        }
        assert_eq!(error["message"], problem["detail"], "{query}");
    }
    let (status, told) = refused(&server, "{ contracts(signedFrm: \"2024-01-01\") { nodes { id } } }", &json!({}));
    assert_eq!((status, &told["type"]), (400, &json!("/problems/invalid-query")));
    let as_json = send(&server, "{ nope }", &json!({}));
    assert_eq!((as_json.status, as_json.json().get("data")), (200, None));
    assert_eq!(server.post_bytes("/graphql", b"{", &[]).status, 400);
    assert_eq!(status_of_text(&server), "HTTP/1.1 415");
}

/// The start of the answer to a query that says to be plain text, as a form of another origin could send it.
fn status_of_text(server: &Server) -> String {
    let address = server.address().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!("POST /graphql HTTP/1.1\r\nhost: {address}\r\ncontent-type: text/plain\r\nconnection: close");
    write!(stream, "{head}\r\ncontent-length: 2\r\n\r\n{{}}").unwrap();
    let mut start = [0; 12];
    stream.read_exact(&mut start).unwrap();
    String::from_utf8_lossy(&start).into_owned()
}

#[test]
fn a_query_may_come_by_get_by_its_hash_or_with_others() {
    let house = filled();
    let server = house.serve();
    let query = "query A($n: Int) { contracts(first: $n) { nodes { id } } }";
    let expected = data(&server, query, &json!({"n": 2}));
    let path = format!("/graphql?query={}&variables={}", encoded(query), encoded("{\"n\":2}"));
    let by_get = server.get(&path);
    assert_eq!(by_get.json()["data"], expected);
    assert_eq!(by_get.header("cache-status"), "cidadao; hit; detail=l1", "it is the answer that POST was given");
    let again = server.get_with(&path, &[("if-none-match", by_get.header("etag"))]);
    assert_eq!(again.status, 304);

    let hash = "2d1b9b6cb6d1f5e63b6b3ba5ea0dd4d6d0f1be4a4bd14f0c4c2f0de1b6f8b9aa";
    let named = |hash: &str| encoded(&json!({"persistedQuery": {"version": 1, "sha256Hash": hash}}).to_string());
    let answer = server.get(&format!("/graphql?extensions={}", named(hash))).json();
    assert_eq!(answer["errors"][0]["message"], "PersistedQueryNotFound");
    assert_eq!(answer["errors"][0]["extensions"]["code"], "PERSISTED_QUERY_NOT_FOUND");
    let wrong = json!({"query": query, "extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash}}});
    assert!(server.post("/graphql", &wrong).json()["errors"][0]["message"].as_str().unwrap().contains("not the hash"));
    let plain = "{ stats { contracts } }";
    let hash = sha256(plain);
    let sent = json!({"query": plain, "extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash}}});
    let whole = server.post("/graphql", &sent).json();
    assert_eq!(server.get(&format!("/graphql?extensions={}", named(&hash))).json(), whole);

    let several = json!([{"query": plain}, {"query": "{ nope }"}, {"query": query, "variables": {"n": 1}}]);
    let answers = server.post("/graphql", &several).json();
    assert_eq!(answers[0], whole);
    assert_eq!(answers[1]["errors"][0]["extensions"]["type"], "/problems/invalid-query");
    assert_eq!(answers[2]["data"]["contracts"]["nodes"].as_array().unwrap().len(), 1);

    let change = encoded("mutation { cancelInvestigation(id: \"x\") { id } }");
    let refused = server.get(&format!("/graphql?query={change}"));
    assert_eq!((refused.status, refused.header("allow")), (405, "POST"));
    let page = server.get_with("/graphql", &[("accept", "text/html,*/*;q=0.8")]);
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(!page.text().contains("//"), "a page without outside scripts");
    assert_eq!(server.get("/graphql/explorer.js").status, 200);
}

/// The hash of a text, by a program that we did not write.
fn sha256(text: &str) -> String {
    let said = Command::new("sh").args(["-c", "printf %s \"$0\" | sha256sum", text]).output().unwrap();
    String::from_utf8(said.stdout).unwrap()[..64].to_owned()
}

#[test]
fn who_may_not_by_rest_may_not_here_and_what_is_decided_is_seen_at_once() {
    let house = filled();
    let server = house.serve();
    let finding = server.json("findings?limit=1")["data"][0]["id"].as_str().unwrap().to_owned();
    // The query asks for no id: what was kept of it is dropped all the same.
    let standing = format!("{{ finding(id: \"{finding}\") {{ verdict {{ verdict reason }} }} }}");
    assert_eq!(data(&server, &standing, &json!({}))["finding"]["verdict"], Value::Null);
    let give = "mutation ($id: String!) { giveVerdict(findingId: $id, verdict: \"dismissed\", reason: \"preço de tabela\", who: \"Ana\", idempotencyKey: \"k1\") { verdict reason who } }";
    let given = data(&server, give, &json!({"id": finding}))["giveVerdict"].take();
    assert_eq!((&given["verdict"], &given["who"]), (&json!("dismissed"), &json!("Ana")));
    assert_eq!(data(&server, &standing, &json!({}))["finding"]["verdict"]["reason"], "preço de tabela");
    let _ = data(&server, give, &json!({"id": finding}));
    let history = server.json(&format!("findings/{finding}"))["verdict_history"].as_array().unwrap().len();
    assert_eq!(history, 1, "one key, one verdict");

    let ask = "mutation { requestInvestigation(scope: {state: \"DF\"}, flags: [\"BR05\"], who: \"Ana\") { id status asked } }";
    let answer = send(&server, ask, &json!({})).json();
    let id = answer["data"]["requestInvestigation"]["id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
    assert_eq!(server.json(&format!("investigations/{id}"))["user"], "Ana");
    let listed =
        data(&server, "{ investigations { nodes { id user } } }", &json!({}))["investigations"]["nodes"].take();
    assert_eq!(listed[0]["id"], id.as_str());
    let none = send(&server, "mutation { cancelInvestigation(id: \"x\") { id } }", &json!({})).json();
    assert_eq!(none["errors"][0]["extensions"]["type"], "/problems/not-found");

    // Once there is an account, it takes one.
    house.json(&["users", "add", "ana", "--role", "analyst"]);
    let body = json!({"query": give, "variables": {"id": finding}});
    let here = server.post("/graphql", &body).json();
    let there = server
        .post(
            &format!("/api/v1/findings/{finding}/verdict"),
            &json!({"verdict": "dismissed", "reason": "x", "who": "y"}),
        )
        .json();
    assert_eq!(here["errors"][0]["extensions"]["type"], there["type"]);
    let key =
        house.json(&["keys", "create", "--user", "ana", "--scope", "read,verdict"])["key"].as_str().unwrap().to_owned();
    let me =
        server.post_with("/graphql", &json!({"query": "{ me { name role scopes } }"}), &[("x-api-key", &key)]).json();
    assert_eq!(me["data"]["me"]["name"], "ana");
    assert_eq!(data(&server, "{ me { name } }", &json!({}))["me"], Value::Null, "one's own is not kept for others");
    let by_key = server.post_with("/graphql", &json!({"query": give.replace("who: \"Ana\", idempotencyKey: \"k1\"", "who: \"\""), "variables": {"id": finding}}), &[("x-api-key", &key)]).json();
    assert_eq!(by_key["data"]["giveVerdict"]["who"], "ana", "{by_key}");
}

#[test]
fn a_query_costs_what_it_comes_to_and_nothing_when_it_is_at_hand() {
    let house = filled();
    let rate = "10/s burst 60, 1000/min";
    let server = Server::start(
        house.program().env("CIDADAO_LIMITS_ANONYMOUS", "anonymous").env("CIDADAO_LIMITS_TIER_ANONYMOUS", rate),
    );
    let left = |answer: &Answer| {
        answer
            .header("ratelimit")
            .split("\"minute\";r=")
            .nth(1)
            .unwrap()
            .split(';')
            .next()
            .unwrap()
            .parse::<u64>()
            .unwrap()
    };
    let query = "{ buyers(first: 10) { nodes { contracts(first: 10) { nodes { supplier { findings(first: 2) { nodes { id } } } } } } } }";
    let first = send(&server, "{ stats { contracts } }", &json!({}));
    let dear = send(&server, query, &json!({}));
    assert_eq!(left(&first) - left(&dear), 1 + 410 / 100);
    let kept = send(&server, &format!("# the same\n{query}"), &json!({}));
    assert_eq!(kept.headers.iter().find(|(name, _)| name == "ratelimit"), None, "what is at hand costs nothing");
}

#[test]
fn tools_that_we_did_not_write_read_the_schema_and_get_no_5xx() {
    let house = filled();
    let server = house.serve();
    let script = "
import json, sys, urllib.request
from graphql import build_client_schema, get_introspection_query, validate_schema, parse, validate
def ask(query):
    body = json.dumps({'query': query}).encode()
    request = urllib.request.Request(sys.argv[1] + '/graphql', body, {'content-type': 'application/json'})
    return json.load(urllib.request.urlopen(request))
answer = ask(get_introspection_query(descriptions=True, input_value_deprecation=True, specified_by_url=True))
assert 'errors' not in answer, answer['errors']
schema = build_client_schema(answer['data'])
assert validate_schema(schema) == []
assert validate(schema, parse('{ contracts(first: 1, cnpj: \"x\") { edges { cursor node { signedOn supplier { name } } } } }')) == []
print(len(schema.type_map))
";
    let run = Command::new(testkit::python::program("python")).args(["-c", script, server.address()]).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let examples = std::env::var("CIDADAO_FUZZ_EXAMPLES").unwrap_or_else(|_| "10".to_owned());
    let run = Command::new(testkit::python::program("schemathesis"))
        .args(["run", &format!("{}/graphql", server.address()), "--max-examples", &examples])
        .args(["--checks", "not_a_server_error", "--request-timeout", "30", "--continue-on-failure", "--seed", "7"])
        .current_dir(house.root())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    println!("{said}");
    assert!(run.status.success(), "{said}\n{}", server.log());
    assert_eq!(server.get("/health/ready").status, 200);
}

#[test]
fn each_limit_is_the_settings() {
    let house = filled();
    let fields = "id source number process object modality regime status category signedOn publishedOn startsOn endsOn";
    let many: String = (0..9).map(|n| format!("c{n}: contract(id: \"x\") {{ {fields} }} ")).collect();
    for (setting, value, query, limit) in [
        ("DEPTH_MAX", "2", "{ contracts { nodes { buyer { id } } } }", "depth"),
        ("COMPLEXITY_MAX", "10", "{ contracts(first: 11) { nodes { id } } }", "complexity"),
        ("ALIASES_MAX", "1", "{ a: stats { items } b: stats { bids } }", "aliases"),
        ("DIRECTIVES_MAX", "0", "{ stats { items @include(if: true) } }", "directives"),
        ("TOKENS_MAX", "100", &format!("{{ {many} }}"), "tokens"),
        ("QUERY_BYTES_MAX", "1024", &format!("{{ stats {{ items }} }}{}", " ".repeat(1_100)), "bytes"),
    ] {
        let usual = send(&house.serve(), query, &json!({})).text();
        assert!(!usual.contains("query-over-limit"), "{setting}: {usual}");
        let server = Server::start(house.program().env(format!("CIDADAO_GRAPHQL_{setting}").as_str(), value));
        let (_, told) = refused(&server, query, &json!({}));
        assert_eq!((told["limit"].as_str(), told["max"].to_string().as_str()), (Some(limit), value), "{told}");
    }
    let server = Server::start(house.program().env("CIDADAO_GRAPHQL_BATCH_MAX", "1"));
    let two = json!([{"query": "{ stats { items } }"}, {"query": "{ stats { bids } }"}]);
    assert_eq!(server.post("/graphql", &two).json()["errors"][0]["extensions"]["limit"], "batch");
}

#[test]
fn a_command_is_given_once_and_what_is_refused_is_paid() {
    let house = filled();
    let server = house.serve();
    let spreads = "...F ".repeat(20);
    let ask = "requestInvestigation(question: \"sobrepreço em 2024\") { id }";
    let (status, told) =
        refused(&server, &format!("mutation {{ {spreads} }} fragment F on Mutation {{ {ask} }}"), &json!({}));
    assert_eq!((status, told["type"].as_str()), (400, Some("/problems/invalid-query")), "{told}");
    assert_eq!(server.json("investigations")["data"], json!([]), "nothing was asked for");
    let many = "...F ".repeat(26);
    let query = format!("{{ {many} }} fragment F on Query {{ buyers(first: 1) {{ nodes {{ id }} }} }}");
    let (_, told) = refused(&server, &query, &json!({}));
    assert_eq!((told["limit"].as_str(), &told["cost"]), (Some("root-fields"), &json!(26)));
    let (_, told) = refused(
        &server,
        "{ investigation(id: \"x\") { findings { supplier { contracts(first: 60) { nodes { id } } } } } }",
        &json!({}),
    );
    assert_eq!(told["limit"], "complexity", "as many findings as it may hold are counted: {told}");
    let keyless =
        json!({"query": format!("mutation {{ {} }}", ask.replace("(question", "(idempotencyKey: \"\", question"))});
    assert_eq!(server.post("/graphql", &keyless).json()["errors"][0]["extensions"]["field"], "Idempotency-Key");
    let names = send(&server, "{ agents { nodes { name does { pt } } } }", &json!({})).json();
    assert!(names["data"]["agents"]["nodes"].as_array().unwrap().len() > 5, "{names}");
    drop(server);
    let server = Server::start(house.program().env("CIDADAO_LIMITS_ANONYMOUS", "anonymous"));
    let last = (0..80).fold(0, |_, _| server.post_bytes("/graphql", b"{", &[]).status);
    assert_eq!(last, 429, "what cannot be read is paid too");
}
