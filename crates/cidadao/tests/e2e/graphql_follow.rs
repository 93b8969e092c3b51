//! Following by GraphQL: subscriptions over `/graphql/ws`, with graphql-ws of npm as the client, and the protocol's faults one by one.

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{Server, node, python};

use super::investigations::{DAY, ask, follow, judged_house};

/// Follows an operation with graphql-ws until it ends; its answers, and how it ended.
fn followed(server: &Server, request: &Value, params: Option<&Value>) -> (Vec<Value>, Value) {
    let params = params.map_or(String::new(), Value::to_string);
    parted(node::run("follow.mjs", &[server.address(), &request.to_string(), &params]))
}

fn parted(lines: Vec<Value>) -> (Vec<Value>, Value) {
    let mut lines: Vec<Value> = lines.into_iter().filter(|line| line.get("connected").is_none()).collect();
    let mut last = lines.pop().unwrap();
    (lines, last["ended"].take())
}

/// One that follows in the background until so many answers came.
fn following(server: &Server, request: &Value, most: u32) -> Child {
    let before = server.metric("cidadao_ai_live_receivers");
    let child = node::command("follow.mjs", &[server.address(), &request.to_string(), "", &most.to_string()]).spawn();
    let started = Instant::now();
    while server.metric("cidadao_ai_live_receivers") <= before || server.metric("cidadao_ai_live_topics") < 1.0 {
        assert!(started.elapsed() < Duration::from_secs(30), "it does not follow: {}", server.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    // The topic is there; what is told of before is read within moments.
    std::thread::sleep(Duration::from_millis(500));
    child.unwrap()
}

#[test]
fn an_investigation_is_followed_from_its_beginning_or_behind_a_place_until_it_has_ended() {
    let house = judged_house();
    let server = house.serve();
    let id = ask(&server, &json!({"scope": {}, "flags": ["BR05", "BR01"], "as_of": DAY}));
    let query = "subscription A($id: String!, $since: Long) { told: investigation(id: $id, since: $since) {
        seq type at data ...I __typename } } fragment I on InvestigationEvent { investigation { id status } }";
    let request = |since: Option<u64>| json!({"query": query, "variables": {"id": id, "since": since}});
    let (answers, ended) = followed(&server, &request(None), None);
    assert_eq!(ended, json!({"complete": true}));
    let events = follow(&server, &id);
    assert_eq!(answers.len(), events.len());
    for (answer, event) in answers.iter().zip(&events) {
        let told = &answer["data"]["told"];
        assert_eq!((told["seq"].as_u64(), told["type"].as_str()), (Some(event.id), Some(event.kind.as_str())));
        // JavaScript writes 1.0 as 1: names are compared, and what is no number.
        let names = |data: &Value| data.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&told["data"]), names(&event.data), "as by server-sent events");
        assert_eq!((&told["at"], &told["data"]["flag"]), (&event.data["at"], &event.data["flag"]));
        assert_eq!((&told["investigation"]["id"], &told["__typename"]), (&json!(id), &json!("InvestigationEvent")));
    }
    assert_eq!(answers.last().unwrap()["data"]["told"]["investigation"]["status"], "completed");
    let (rest, _) = followed(&server, &request(Some(3)), None);
    // The events are the same; the investigation beside them is as it stands by now.
    let events = |of: &[Value]| of.iter().map(|one| one["data"]["told"]["data"].clone()).collect::<Vec<_>>();
    assert_eq!(events(&rest), events(&answers[3..]));

    for (query, kind, says) in [
        ("subscription { investigation(id: \"x\") { seq } }", "/problems/not-found", "x"),
        ("subscription { agents { seq } findings { seq } }", "/problems/invalid-query", "one field"),
        ("subscription { __typename }", "/problems/invalid-query", "__typename"),
        ("subscription { findings(flag: \"BR99\") { seq } }", "/problems/invalid-parameter", "catalogue"),
        ("subscription { findings(severity: \"worst\") { seq } }", "/problems/invalid-parameter", ""),
        ("subscription { agents { nope } }", "/problems/invalid-query", "nope"),
        (
            "subscription { findings { finding { supplier { contracts(first: 1) { nodes { supplier { contracts(first: 1) { nodes { supplier { contracts(first: 1) { nodes { id } } } } } } } } } } } }",
            "/problems/query-over-limit",
            "depth",
        ),
        (
            "subscription { findings { finding { contracts(first: 100) { nodes { items(first: 100) { nodes { id } } } } } } }",
            "/problems/query-over-limit",
            "complexity",
        ),
        (&format!("subscription {{ agents {{ {} }} }}", "seq ".repeat(6_000)), "/problems/query-over-limit", "tokens"),
    ] {
        let (answers, ended) = followed(&server, &json!({"query": query}), None);
        let error = &ended["errors"][0];
        assert!(answers.is_empty(), "{query}");
        assert_eq!(error["extensions"]["type"], kind, "{query}: {ended}");
        assert!(error["message"].as_str().unwrap().contains(says), "{query}: {ended}");
    }
    // Whoever follows by HTTP is told where to.
    let by_http = server.post("/graphql", &json!({"query": "subscription { agents { seq } }"})).json();
    assert!(by_http["errors"][0]["message"].as_str().unwrap().contains("/graphql/ws"), "{by_http}");
}

#[test]
fn new_findings_of_a_kind_and_what_agents_do_are_told_as_they_happen() {
    let house = judged_house();
    let server = house.serve();
    let query = "subscription ($severity: String) { findings(severity: $severity) { seq type finding { id severity state contracts(first: 1) { nodes { id } } } data } }";
    let child = following(&server, &json!({"query": query, "variables": {"severity": "high"}}), 3);
    let _ = house.ingest(&[&super::sample(&house, 900, 5)]).ends_with(3);
    let (answers, ended) = parted(node::lines_of(&child.wait_with_output().unwrap()));
    // What is under way when it lets go still comes.
    assert!(answers.len() >= 3, "{answers:#?}");
    assert_eq!(ended, json!({"complete": true}));
    for answer in &answers {
        let told = &answer["data"]["findings"];
        assert_eq!(answer.get("errors"), None, "{answer}");
        assert_eq!((&told["finding"]["id"], &told["finding"]["severity"]), (&told["data"]["id"], &json!("high")));
        assert!(["found", "changed", "withdrawn"].contains(&told["type"].as_str().unwrap()));
        let held = server.json(&format!("findings/{}", told["finding"]["id"].as_str().unwrap()));
        assert_eq!(held["contract_ids"][0], told["finding"]["contracts"]["nodes"][0]["id"], "{answer}");
    }

    let query = "subscription { agents { type agent flag investigation data } }";
    let child = following(&server, &json!({"query": query}), 2);
    let id = ask(&server, &json!({"scope": {}, "flags": ["BR05"], "as_of": DAY}));
    let (answers, _) = parted(node::lines_of(&child.wait_with_output().unwrap()));
    let of = |at: usize| &answers[at]["data"]["agents"];
    assert_eq!((&of(0)["type"], &of(0)["investigation"]), (&json!("began"), &json!(id)), "{answers:#?}");
    assert_eq!(of(0)["data"]["investigation"], json!(id));
}

#[test]
fn queries_and_commands_go_over_the_same_connection_under_the_same_rights() {
    let house = judged_house();
    let server = house.serve();
    let query =
        json!({"query": "{ contracts(first: 2) { nodes { id supplier { name } } } no: contract(id: \"x\") { id } }"});
    let (answers, ended) = followed(&server, &query, None);
    assert_eq!(ended, json!({"complete": true}));
    assert_eq!(answers, [server.post("/graphql", &query).json()]);
    let ask = json!({"query": "mutation { requestInvestigation(scope: {}, flags: [\"BR05\"], who: \"Ana\") { id } }"});
    let (answers, _) = followed(&server, &ask, None);
    let id = answers[0]["data"]["requestInvestigation"]["id"].as_str().unwrap();
    assert_eq!(server.json(&format!("investigations/{id}"))["user"], "Ana");

    house.json(&["users", "add", "ana", "--role", "analyst"]);
    let key = house.json(&["keys", "create", "--user", "ana", "--scope", "read,verdict"])["key"].take();
    let who = json!({"query": "{ me { name } }"});
    let (answers, _) = followed(&server, &who, Some(&json!({"X-API-Key": key})));
    assert_eq!(answers[0]["data"]["me"]["name"], "ana");
    let (answers, _) = followed(&server, &who, None);
    assert_eq!(answers[0]["data"]["me"], Value::Null);
    for params in
        [json!({"X-API-Key": "cid_wrong"}), json!({"authorization": "Bearer wrong"}), json!({"authorization": "x"})]
    {
        let (_, ended) = followed(&server, &who, Some(&params));
        assert_eq!(ended["code"], 4403, "{params}: {ended}");
    }
    let cancel = json!({"query": format!("mutation {{ cancelInvestigation(id: \"{id}\") {{ id }} }}")});
    let (answers, _) = followed(&server, &cancel, None);
    assert_eq!(answers[0]["errors"][0]["extensions"]["status"], 401, "{answers:?}");
}

/// What breaks the protocol, each with the code by which it is closed, by a client that says what it is told to.
const FAULTS: &str = r#"
import asyncio, json, sys, websockets
address = sys.argv[1].replace("http", "ws") + "/graphql/ws"
AGENTS = {"query": "subscription { agents { seq } }"}
def connect(**more):
    return websockets.connect(address, **{"subprotocols": ["graphql-transport-ws"], "max_size": None, "open_timeout": 30, **more})
async def acknowledged(ws):
    await ws.send('{"type":"connection_init"}')
    assert json.loads(await ws.recv()) == {"type": "connection_ack"}
async def code_after(*messages, ack=True):
    async with connect() as ws:
        if ack:
            await acknowledged(ws)
        for message in messages:
            await ws.send(message if isinstance(message, (str, bytes)) else json.dumps(message))
        try:
            while True:
                await asyncio.wait_for(ws.recv(), 30)
        except websockets.ConnectionClosed as closed:
            return closed.rcvd.code
async def status(**more):
    try:
        async with connect(**more) as ws:
            return ws.subprotocol
    except websockets.InvalidStatus as refused:
        return refused.response.status_code
async def main():
    subscribe = lambda id: {"type": "subscribe", "id": id, "payload": AGENTS}
    assert await code_after(subscribe("1"), ack=False) == 4401
    assert await code_after({"type": "connection_init"}) == 4429
    assert await code_after(subscribe("1"), subscribe("1")) == 4409
    for wrong in ["x", "{}", '{"type":"nope"}', '{"type":"subscribe","id":"1"}', '{"type":"subscribe","id":"","payload":{}}', subscribe("x" * 200), b"{}"]:
        assert await code_after(wrong) == 4400, wrong
    assert await code_after("x" * 5_000) == 1009
    assert await code_after(*['{"type":"pong"}'] * 60) == 1008
    assert await code_after(ack=False) == 4408, "who says nothing is closed"
    assert await status() == "graphql-transport-ws"
    assert await status(subprotocols=None) == 400
    assert await status(subprotocols=["graphql-ws"]) == 400
    assert await status(origin="https://elsewhere.example") == 403
    assert await status(origin=sys.argv[1]) == "graphql-transport-ws"
    async with connect() as ws:
        await ws.send('{"type":"ping","payload":{"a":1}}')
        assert json.loads(await ws.recv()) == {"type": "pong", "payload": {"a": 1}}
        await acknowledged(ws)
        await ws.send('{"type":"pong"}')
        for n in range(4):
            await ws.send(json.dumps(subscribe(str(n))))
        told = json.loads(await asyncio.wait_for(ws.recv(), 30))
        assert (told["id"], told["type"]) == ("3", "error"), told
        extensions = told["payload"][0]["extensions"]
        assert (extensions["limit"], extensions["max"], extensions["cost"]) == ("subscriptions", 3, 4), told
        # What is let go makes room, and its name is free.
        await ws.send('{"type":"complete","id":"1"}')
        await ws.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": "{ stats { contracts } }"}}))
        told = [json.loads(await asyncio.wait_for(ws.recv(), 30)) for _ in range(2)]
        assert [(one["id"], one["type"]) for one in told] == [("1", "next"), ("1", "complete")], told
        # Beside it another finds no place.
        async with connect() as second:
            assert await status() == 503
asyncio.run(main())
"#;

#[test]
fn what_breaks_the_protocol_or_a_limit_is_closed_by_its_code() {
    let house = judged_house();
    let program =
        house.program().env("CIDADAO_GRAPHQL_SUBSCRIPTIONS_MAX", "3").env("CIDADAO_LIVE_CONNECTIONS_MAX", "2");
    let program = program.env("CIDADAO_GRAPHQL_QUERY_BYTES_MAX", "1024");
    let server = Server::start(program.env("CIDADAO_GRAPHQL_INIT_TIMEOUT_S", "2"));
    let run = Command::new(python::program("python")).args(["-c", FAULTS, server.address()]).output().unwrap();
    assert!(run.status.success(), "{}\n{}", String::from_utf8_lossy(&run.stderr), server.log());
    let meters = ["messages_received", "received_bytes", "messages_sent", "sent_bytes"];
    let counted = meters.map(|meter| server.metric(&format!("cidadao_ai_websocket_{meter}_total")));
    assert!(
        counted[0] > 60.0 && counted[1] > counted[0] && counted[2] > 10.0 && counted[3] > counted[2],
        "{counted:?}"
    );
    // All of them are gone, with what they followed.
    let started = Instant::now();
    while server.metric("cidadao_ai_live_receivers") > 0.0 {
        assert!(started.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn who_follows_is_told_that_the_program_stops() {
    let house = judged_house();
    let server = house.serve();
    let child = following(&server, &json!({"query": "subscription { agents { seq } }"}), 1);
    let _ = server.stop();
    let (_, ended) = parted(node::lines_of(&child.wait_with_output().unwrap()));
    assert_eq!(ended["code"], 1001, "{ended}");
}
