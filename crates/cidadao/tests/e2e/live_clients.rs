//! What happens, told to clients that we did not write: Python's `websockets`, the cases of the Autobahn TestSuite, and a browser's own
//! WebSocket and EventSource.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::json;
use testkit::tab::Tab;
use testkit::{House, Server, python};

use super::investigations::{ask, judged_house};

/// Follows an investigation from its beginning by `websockets`, says whether frames were compressed, and holds every message of both sides
/// against the schema.
const FOLLOW: &str = r##"
import asyncio, json, sys, urllib.request
import jsonschema_rs
from websockets.asyncio.client import connect

address, topic, compression = sys.argv[1:4]
schema = json.load(urllib.request.urlopen(f"http://{address}/api/v1/ws/schema.json"))
of = lambda side: jsonschema_rs.validator_for({"$schema": schema["$schema"], "$ref": f"#/$defs/{side}", "$defs": schema["$defs"]})
client, server = of("client"), of("server")

async def main():
    async with connect(f"ws://{address}/api/v1/ws", compression=compression or None) as ws:
        async def say(message):
            client.validate(message)
            await ws.send(json.dumps(message))
        async def hear():
            message = json.loads(await ws.recv())
            server.validate(message)
            return message
        extensions = [extension.name for extension in ws.protocol.extensions]
        await say({"type": "ping", "id": 1})
        assert await hear() == {"type": "pong", "id": 1}
        await ws.send('{"type":"subscribe","topic":"nothing"}')
        assert (await hear())["type"] == "error"
        for more in ("agents", "sources", "system"):
            await say({"type": "subscribe", "topic": more})
            seen = None
            while seen != "subscribed":
                seen = (await hear())["type"]
        await say({"type": "subscribe", "topic": topic, "since": 0})
        places, ended = [], False
        while not ended:
            message = await hear()
            assert message["type"] != "batch" or message["count"] == len(message["messages"])
            for one in message.get("messages", []):
                if one["topic"] == topic:
                    places.append(one["seq"])
                    ended = one["type"] == "completed"
        await say({"type": "unsubscribe", "topic": topic})
        while (await hear())["type"] != "unsubscribed":
            pass
        print(json.dumps({"places": places, "extensions": extensions}))

asyncio.run(asyncio.wait_for(main(), 120))
"##;

/// All cases of framing, pings, reserved bits, opcodes, fragments, UTF-8 and closing, but those of binary messages.
#[test]
fn the_framing_cases_of_the_autobahn_testsuite_hold() {
    let house = House::new();
    let program =
        house.program().env("CIDADAO_LIVE_MESSAGES_PER_S", "10000").env("CIDADAO_LIMITS_ANONYMOUS", "unlimited");
    let server = Server::start(program.env("CIDADAO_LIVE_MESSAGE_MAX_BYTES", "1048576"));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/framing.py");
    let address = server.address().replace("http:", "ws:");
    let run = Command::new(python::program("python")).args([script, &format!("{address}/api/v1/ws")]).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let cases: BTreeMap<String, (String, String, Option<u16>)> = serde_json::from_slice(&run.stdout).unwrap();
    assert!(cases.len() > 230, "{} cases", cases.len());
    for (name, (behaviour, end, code)) in &cases {
        // A text that is no UTF-8 is refused once it is whole, which the protocol allows: "non-strict".
        let allowed = if name.starts_with("Case6_4_") { &["OK", "NON-STRICT"][..] } else { &["OK", "INFORMATIONAL"] };
        assert!(allowed.contains(&&**behaviour), "{name}: {behaviour}, {end}, {code:?}");
        assert!(["OK", "INFORMATIONAL"].contains(&&**end), "{name}: {behaviour}, {end}, {code:?}");
    }
}

fn followed(server: &Server, id: &str, compression: &str) -> serde_json::Value {
    let address = server.address().strip_prefix("http://").unwrap();
    let run = Command::new(python::program("python"))
        .args(["-c", FOLLOW, address, &format!("investigation:{id}"), compression])
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    serde_json::from_slice(&run.stdout).unwrap()
}

#[test]
fn pythons_websockets_follow_with_and_without_deflate_and_the_schema_holds() {
    let house = judged_house().with("CIDADAO_LIVE_COMPRESSION_THRESHOLD", "0");
    let server = house.serve();
    let id = ask(&server, &json!({"scope": {}, "flags": ["BR01", "BR05"]}));
    let plain = followed(&server, &id, "");
    let deflated = followed(&server, &id, "deflate");
    assert_eq!((&plain["extensions"], &deflated["extensions"]), (&json!([]), &json!(["permessage-deflate"])));
    assert_eq!(plain["places"], deflated["places"]);
    let places = plain["places"].as_array().unwrap();
    assert_eq!(*places, (1..=places.len()).map(|n| json!(n)).collect::<Vec<_>>());
    // A batch is smaller by it: the same messages, to one client after the other.
    let bytes = || server.metric("cidadao_ai_websocket_sent_bytes_total");
    let before = bytes();
    let _ = followed(&server, &id, "");
    let plain = bytes() - before;
    let _ = followed(&server, &id, "deflate");
    let deflated = bytes() - before - plain;
    assert!(deflated < plain * 0.7, "{deflated} bytes of {plain}");
}

#[test]
fn a_browser_follows_by_its_own_websocket_and_its_own_event_source() {
    let house = judged_house();
    let server = house.serve();
    let mut tab = Tab::open(&format!("{}/docs", server.address()));
    let id = ask(&server, &json!({"scope": {}, "flags": ["BR01", "BR05"]}));
    let by_socket = tab.eval(&format!(
        r#"new Promise((done, fail) => {{
            const socket = new WebSocket(location.origin.replace("http", "ws") + "/api/v1/ws"), places = [];
            socket.onerror = () => fail(new Error("the socket failed"));
            socket.onopen = () => socket.send(JSON.stringify({{type: "subscribe", topic: "investigation:{id}", since: 0}}));
            socket.onmessage = event => {{
                const said = JSON.parse(event.data);
                for (const message of said.messages ?? []) {{
                    places.push(message.seq);
                    if (message.type === "completed") done({{places, extensions: socket.extensions}});
                }}
            }};
        }})"#
    ));
    assert!(by_socket["extensions"].as_str().unwrap().contains("permessage-deflate"), "{by_socket}");
    let by_source = tab.eval(&format!(
        r#"new Promise(done => {{
            const source = new EventSource("/api/v1/investigations/{id}/events"), places = [];
            const kinds = ["requested", "planned", "step_started", "step_ended", "flag_started", "flag_judged", "part_started",
                "part_judged", "skipped", "writing", "completed"];
            for (const kind of kinds) source.addEventListener(kind, event => {{
                places.push(Number(event.lastEventId));
                JSON.parse(event.data);
                if (kind === "completed") {{ source.close(); done(places); }}
            }});
        }})"#
    ));
    assert_eq!(by_source, by_socket["places"]);
    let places = by_source.as_array().unwrap();
    assert_eq!(*places, (1..=places.len()).map(|n| json!(n)).collect::<Vec<_>>());
}
