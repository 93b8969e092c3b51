//! WebSockets that break the protocol or a limit, by hand: each is refused by name, and the others do not feel it.

use std::time::{Duration, Instant};

use flate2::{Compress, Compression, FlushCompress};
use serde_json::{Value, json};
use testkit::House;
use testkit::socket::{PING, PONG, Socket, TEXT, masked};

use super::live::{house_of_a_sanction, sold};

/// Bytes of a message, of frames that may go on: what is sent, and the code with which it is ended.
type Case = (&'static str, Vec<u8>, u16);

fn text(payload: &[u8]) -> Vec<u8> {
    masked(0x80 | TEXT, payload)
}

/// A head that says so many bytes follow.
fn head(first: u8, length: u64) -> Vec<u8> {
    [&[first, 0x80 | 127][..], &length.to_be_bytes(), &[0; 4]].concat()
}

fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    masked(0x88, &[&code.to_be_bytes(), reason].concat())
}

fn cases() -> Vec<Case> {
    vec![
        ("not masked", b"\x81\x02{}".to_vec(), 1002),
        ("a ping that is not masked", b"\x89\x00".to_vec(), 1002),
        ("the first reserved bit, deflate not agreed on", masked(0xc1, b"{}"), 1002),
        ("the second", masked(0xa1, b"{}"), 1002),
        ("the third", masked(0x91, b"{}"), 1002),
        ("on a ping", masked(0xc9, b""), 1002),
        ("unknown data", masked(0x83, b"{}"), 1002),
        ("unknown control", masked(0x8b, b""), 1002),
        ("a control frame in parts", masked(PING, b""), 1002),
        ("a long control frame", masked(0x80 | PING, &[b'x'; 126]), 1002),
        ("a continuation of nothing", masked(0x80, b"{}"), 1002),
        ("a second message in the first", [masked(TEXT, b"{"), text(b"{}")].concat(), 1002),
        ("a length of 64 bits", head(0x81, u64::MAX), 1002),
        ("no UTF-8", text(b"\xff\xfe"), 1007),
        (
            "no UTF-8, cut between frames",
            [masked(TEXT, b"\xce\xba\xe1"), masked(0x80, b"\xbd\xb9\xed\xa0\x80")].concat(),
            1007,
        ),
        ("binary", masked(0x82, b"{}"), 1003),
        ("too long, said in the head", head(0x81, 16_385), 1009),
        ("far too long", head(0x81, 1 << 40), 1009),
        (
            "too long, in parts",
            (0..5).map(|n| masked(if n == 0 { TEXT } else { 0 }, &[b'x'; 4_000])).collect::<Vec<_>>().concat(),
            1009,
        ),
        (
            "too many parts",
            (0..200).map(|n| masked(if n == 0 { TEXT } else { 0 }, b"")).collect::<Vec<_>>().concat(),
            1008,
        ),
        ("a code of one byte", masked(0x88, b"\x03"), 1002),
        ("a code that is none", close(1005, b""), 1002),
        ("a code out of range", close(999, b""), 1002),
        ("a reason that is no UTF-8", close(1000, b"\xff"), 1007),
        ("closed without a code", masked(0x88, b""), 1000),
        ("closed with one", close(3_000, "até".as_bytes()), 3_000),
        ("closed in the middle of a message", [masked(TEXT, b"{"), close(1000, b"")].concat(), 1000),
    ]
}

#[test]
fn what_breaks_the_protocol_is_ended_with_the_code_that_says_how() {
    let house = House::new();
    let server = house.serve();
    for (what, bytes, code) in cases() {
        let mut socket = Socket::open(&server);
        socket.send_raw(&bytes);
        assert_eq!(socket.code(), code, "{what}");
        // In pieces of one byte it is the same.
        let mut socket = Socket::open(&server);
        for byte in bytes.iter().take(64) {
            socket.send_raw(&[*byte]);
        }
        socket.send_raw(&bytes[bytes.len().min(64)..]);
        assert_eq!(socket.code(), code, "{what}, in pieces");
    }
    assert_eq!(server.metric("cidadao_ai_websocket_connections"), 0.0);
}

#[test]
fn a_message_may_come_in_parts_with_pings_between_them() {
    let house = House::new();
    let server = house.serve();
    let mut socket = Socket::open(&server);
    let message = br#"{"type":"ping","id":"x"}"#;
    socket.send(TEXT, &message[..5]);
    socket.send(0x80 | PING, b"here?");
    let pong = socket.frame().unwrap();
    assert_eq!((pong.first, &pong.payload[..]), (0x80 | PONG, &b"here?"[..]));
    socket.send(0, b"");
    socket.send(0x80, &message[5..]);
    assert_eq!(socket.hear(), json!({"type": "pong", "id": "x"}));
    socket.send(0x80 | PONG, b"unasked");
    for (wrong, field) in [
        ("[]", "message"),
        ("{", "message"),
        (r#"{"type":"dance"}"#, "message"),
        (r#"{"type":"ping","more":1}"#, "message"),
        (r#"{"type":"subscribe","topic":"agents","since":-1}"#, "message"),
        (r#"{"type":"subscribe","topic":"weather"}"#, "topic"),
        (r#"{"type":"subscribe","topic":"findings?limit=3"}"#, "limit"),
        (r#"{"type":"subscribe","topic":"findings?flag=NONE"}"#, "flag"),
        (r#"{"type":"unsubscribe","topic":"agents"}"#, "topic"),
    ] {
        socket.send(0x80 | TEXT, wrong.as_bytes());
        let answer = socket.hear();
        assert_eq!(
            (&answer["type"], &answer["error"]["type"]),
            (&json!("error"), &json!("/problems/invalid-parameter")),
            "{wrong}"
        );
        assert_eq!(answer["error"]["field"], field, "{wrong}: {answer}");
    }
    let none = socket.asks(&json!({"type": "subscribe", "topic": "investigation:none"}));
    assert_eq!((&none["error"]["type"], &none["topic"]), (&json!("/problems/not-found"), &json!("investigation:none")));
}

fn deflated(plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(plain.len() / 100 + 1_000);
    Compress::new(Compression::best(), false).compress_vec(plain, &mut out, FlushCompress::Sync).unwrap();
    out.truncate(out.len() - 4);
    out
}

#[test]
fn a_deflate_bomb_is_put_out() {
    let house = House::new();
    let server = house.serve();
    let open = || {
        let socket =
            Socket::ask(&server, &[("sec-websocket-extensions", "permessage-deflate; client_max_window_bits")]);
        assert!(socket.head.contains("permessage-deflate; server_no_context_takeover"), "{}", socket.head);
        socket
    };
    let mut socket = open();
    socket.send(0xc1, &deflated(br#"{"type":"ping"}"#));
    assert_eq!(socket.hear(), json!({"type": "pong"}));
    // 16 KiB on the wire, 16 MiB within.
    let bomb = deflated(&vec![b' '; 16 << 20]);
    assert!(bomb.len() < 17_000, "{}", bomb.len());
    let before = server.memory_mib();
    for _ in 0..30 {
        let mut socket = open();
        socket.send(0xc1, &bomb[..bomb.len().min(16_384)]);
        assert_eq!(socket.code(), 1009);
    }
    assert!(server.memory_mib() < before + 30, "{} MiB, {before} before", server.memory_mib());
    let mut socket = open();
    socket.send(0xc1, b"this is no deflate");
    assert_eq!(socket.code(), 1007);
    // Both windows must be the largest: such an offer is left, and the connection is one without.
    let socket = Socket::ask(&server, &[("sec-websocket-extensions", "permessage-deflate; server_max_window_bits=9")]);
    assert!(socket.head.starts_with("HTTP/1.1 101") && !socket.head.contains("deflate"), "{}", socket.head);
}

#[test]
fn a_handshake_that_is_none_is_refused_with_words() {
    let house = House::new().with("CIDADAO_HTTP_CORS_ORIGINS", "https://exemplo.org");
    let server = house.serve();
    let status = |headers: &[(&str, &str)]| Socket::ask(&server, headers).head[9..12].to_owned();
    assert_eq!(status(&[("origin", "https://exemplo.org")]), "101");
    assert_eq!(status(&[("origin", "http://127.0.0.1")]), "101", "its own page");
    assert_eq!(status(&[("origin", "https://alheio.org")]), "403");
    assert_eq!(status(&[("origin", "null")]), "403");
    assert_eq!(status(&[("sec-websocket-version", "8")]), "426");
    assert_eq!(status(&[("sec-websocket-key", "short")]), "400");
    assert_eq!(server.get("/api/v1/ws").status, 400);
    assert_eq!(status(&[("x-api-key", "cid_wrong")]), "401");
}

#[test]
fn limits_on_connections_topics_and_messages_are_said_when_they_are_met() {
    let house = House::new()
        .with("CIDADAO_LIVE_CONNECTIONS_PER_ADDRESS", "3")
        .with("CIDADAO_LIVE_TOPICS_PER_CONNECTION", "4")
        .with("CIDADAO_LIVE_TOPICS_MAX", "6")
        .with("CIDADAO_LIVE_MESSAGES_PER_S", "10")
        .with("CIDADAO_LIVE_MESSAGE_MAX_BYTES", "300");
    let server = house.serve();
    let (mut first, mut second, mut third) = (Socket::open(&server), Socket::open(&server), Socket::open(&server));
    assert!(Socket::ask(&server, &[]).head.starts_with("HTTP/1.1 503"));
    assert_eq!(server.get("/api/v1/findings/events").status, 503, "streams are counted with them");
    assert_eq!(server.metric("cidadao_ai_websocket_refused_total{limit=\"address\"}"), 2.0);
    let topic = |n: u32| format!("findings?buyer_id=b{n}");
    for n in 0..4 {
        first.follow(&topic(n), None);
    }
    let more = first.asks(&json!({"type": "subscribe", "topic": topic(4)}));
    assert_eq!(more["error"]["detail"], "one connection follows at most 4 topics");
    second.follow(&topic(4), None);
    second.follow(&topic(5), None);
    // What is followed already is nothing new.
    second.follow(&topic(0), None);
    let full = second.asks(&json!({"type": "subscribe", "topic": topic(6)}));
    assert_eq!((&full["error"]["type"], &full["error"]["status"]), (&json!("/problems/too-many"), &json!(503)));
    assert_eq!(server.metric("cidadao_ai_live_topics"), 6.0);
    assert_eq!(first.asks(&json!({"type": "unsubscribe", "topic": topic(3)}))["type"], "unsubscribed");
    second.follow(&topic(6), None);
    third.send(0x80 | TEXT, &[b'x'; 301]);
    assert_eq!(third.code(), 1009);
    drop(third);
    for _ in 0..40 {
        second.say(&json!({"type": "ping"}));
    }
    assert_eq!(second.code(), 1008);
    until(|| server.metric("cidadao_ai_websocket_connections") == 1.0);
    assert_eq!(server.metric("cidadao_ai_live_topics"), 3.0, "who is gone follows nothing");
    let _ = Socket::open(&server);
    let narrow = House::new().with("CIDADAO_LIVE_CONNECTIONS_MAX", "1");
    let server = narrow.serve();
    let _first = Socket::open(&server);
    assert!(Socket::ask(&server, &[]).head.starts_with("HTTP/1.1 503"));
    assert_eq!(server.metric("cidadao_ai_websocket_refused_total{limit=\"all\"}"), 1.0);
}

#[test]
fn one_address_takes_no_more_topics_than_the_settings_say_and_others_find_room() {
    let house = House::new().with("CIDADAO_LIMITS_TRUSTED_PROXIES", "127.0.0.1");
    let house = house.with("CIDADAO_LIVE_TOPICS_PER_ADDRESS", "2");
    let server = house.serve();
    let from = |address: &str| Socket::ask(&server, &[("x-forwarded-for", address)]);
    let (mut first, mut second, mut other) = (from("203.0.113.9"), from("203.0.113.9"), from("203.0.113.7"));
    let topic = |n: u32| format!("findings?buyer_id=b{n}");
    first.follow(&topic(0), None);
    second.follow(&topic(1), None);
    let full = first.asks(&json!({"type": "subscribe", "topic": topic(2)}));
    assert_eq!(full["error"]["type"], "/problems/too-many", "{full}");
    other.follow(&topic(2), None);
    // What someone follows already takes no room of its own.
    first.follow(&topic(2), None);
    drop(second);
    until(|| first.asks(&json!({"type": "subscribe", "topic": topic(3)}))["type"] == "subscribed");
}

#[test]
fn what_is_kept_for_those_who_come_back_stays_within_its_bytes() {
    let kept = |mib: &str| {
        let house = house_of_a_sanction().with("CIDADAO_LIVE_RINGS_MIB", mib);
        let server = house.serve();
        let topics = ["", "&state=open", "&state=all", "&verdict=none"].map(|more| format!("findings?flag=BR01{more}"));
        let mut sockets = topics.map(|topic| {
            let mut socket = Socket::open(&server);
            socket.follow(&topic, None);
            socket
        });
        sold(&house, "a.csv", 1..=900, "01/01/2024");
        for socket in &mut sockets {
            let mut told = 0;
            let _ = socket.messages(|message| {
                assert_ne!(message["type"], "gap", "{message}");
                told += 1;
                told == 900
            });
        }
        server.metric("cidadao_ai_live_ring_bytes")
    };
    let mib = f64::from(1 << 20);
    let (narrow, wide) = (kept("1"), kept("64"));
    assert!(narrow > 0.0 && narrow <= mib && wide > mib, "{narrow} of 1 MiB, {wide} of 64");
}

#[test]
fn a_topic_costs_what_a_request_costs_and_so_does_an_operation_that_is_refused() {
    let house = House::new().with("CIDADAO_LIMITS_ANONYMOUS", "anonymous");
    let house = house.with("CIDADAO_LIMITS_TIER_ANONYMOUS", "1/s burst 5, 60/min");
    let server = house.serve();
    let mut socket = Socket::open(&server);
    let answers: Vec<Value> =
        (0..20).map(|_| socket.asks(&json!({"type": "subscribe", "topic": "findings?flag=NONE"}))).collect();
    assert!(answers.iter().any(|answer| answer["error"]["type"] == "/problems/rate-limited"), "{answers:?}");
    // At another process nothing was used up.
    drop((server, socket));
    let server = house.serve();
    let mut socket = Socket::graphql(&server, &[]);
    let nonsense = json!({"type": "subscribe", "id": "1", "payload": {"query": "{ nonsense"}});
    let answers: Vec<Value> = (0..20).map(|_| socket.asks(&nonsense)).collect();
    let limited = |answer: &Value| answer["payload"][0]["extensions"]["type"] == "/problems/rate-limited";
    assert!(answers.iter().any(limited), "{answers:?}");
}

#[test]
fn whose_key_is_revoked_opens_no_topic_and_gives_no_command_over_what_is_open() {
    let house = House::new().with("CIDADAO_LIVE_MESSAGES_PER_S", "1000");
    let server = house.serve();
    let asked =
        server.post("/api/v1/admin/ingests", &json!({"paths": [house.file("a.csv", testkit::files::purchases(&[]))]}));
    assert_eq!(asked.status, 202, "{}", asked.text());
    house.json(&["users", "add", "ana", "--role", "admin"]);
    let made = house.json(&["keys", "create", "--user", "ana", "--scope", "read,verdict,admin"]);
    let key = made["key"].as_str().unwrap();
    let (mut said, mut shown) = (Socket::open(&server), Socket::ask(&server, &[("x-api-key", key)]));
    let mut graphql = Socket::graphql(&server, &[("x-api-key", key)]);
    assert_eq!(said.asks(&json!({"type": "authenticate", "key": key}))["user"], "ana");
    let subscribe = json!({"type": "subscribe", "topic": "ingest:1"});
    // From its beginning: of what is told then, nothing is left when it is followed no longer.
    let follows = |socket: &mut Socket| {
        let answer = socket.asks(&subscribe);
        if answer["type"] == "subscribed" {
            socket.say(&json!({"type": "unsubscribe", "topic": "ingest:1"}));
            while socket.hear()["type"] != "unsubscribed" {}
        }
        answer
    };
    let cancel = json!({"type": "subscribe", "id": "1", "payload": {"query": "mutation { cancelInvestigation(id: \"none\") { id } }"}});
    let commands = |socket: &mut Socket| {
        let mut errors = Value::Null;
        socket.say(&cancel);
        loop {
            let answer = socket.hear();
            match answer["type"].as_str() {
                Some("next") => errors = answer["payload"]["errors"].clone(),
                Some("error") => return answer["payload"][0]["extensions"]["type"].clone(),
                _ => return errors[0]["extensions"]["type"].clone(),
            }
        }
    };
    for socket in [&mut said, &mut shown] {
        assert_eq!(follows(socket)["type"], "subscribed");
    }
    assert_eq!(commands(&mut graphql), "/problems/not-found", "an admin may");
    let _ = house.json(&["keys", "revoke", made["id"].as_str().unwrap()]);
    for socket in [&mut said, &mut shown] {
        // Who was known just now is for a moment.
        until(|| follows(socket)["error"]["type"] == "/problems/unauthorized");
    }
    until(|| commands(&mut graphql) == "/problems/unauthorized");
}

#[test]
fn who_comes_back_to_many_topics_at_once_is_told_all_of_them() {
    let house = house_of_a_sanction().with("CIDADAO_LIVE_MAX_BATCH_SIZE", "1").with("CIDADAO_LIVE_QUEUE_MAX", "2");
    sold(&house, "a.csv", 1..=300, "01/01/2024");
    let server = house.serve();
    let mut socket = Socket::open(&server);
    let topics = ["findings?flag=BR01", "findings?flag=BR01&state=open", "findings?flag=BR01&state=all"];
    let said = |topic: &&str| {
        masked(0x80 | TEXT, json!({"type": "subscribe", "topic": topic, "since": 1}).to_string().as_bytes())
    };
    socket.send_raw(&topics.iter().flat_map(said).collect::<Vec<u8>>());
    let told: Vec<Value> = (0..903).map(|_| socket.hear()).collect();
    let of = |topic: &str| told.iter().filter(|batch| batch["messages"][0]["topic"] == topic).count();
    assert!(told.iter().all(|batch| batch["messages"][0]["type"] != "gap"));
    assert_eq!(topics.map(of), [300; 3]);
    assert_eq!(server.metric("cidadao_ai_live_messages_dropped_total"), 0.0);
}

fn until(mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn ten_thousand_topics_are_refused_one_by_one_and_leave_nothing_behind() {
    let house = House::new().with("CIDADAO_LIVE_MESSAGES_PER_S", "100000");
    let server = house.serve();
    let mut socket = Socket::open(&server);
    let before = server.memory_mib();
    let mut refused = 0;
    for n in 0..10_000 {
        let answer = socket.asks(&json!({"type": "subscribe", "topic": format!("findings?buyer_id=b{n}")}));
        refused += u32::from(answer["type"] == "error");
    }
    assert_eq!((refused, server.metric("cidadao_ai_live_topics")), (9_900, 100.0));
    assert!(server.memory_mib() < before + 30, "{} MiB, {before} before", server.memory_mib());
    drop(socket);
    until(|| server.metric("cidadao_ai_live_topics") == 0.0);
}

#[test]
fn who_is_silent_is_pinged_and_then_let_go() {
    let house = House::new().with("CIDADAO_LIVE_HEARTBEAT_S", "1");
    let server = house.serve();
    let (mut silent, mut there) = (Socket::open(&server), Socket::open(&server));
    assert_eq!(silent.frame().unwrap().first, 0x80 | PING);
    for _ in 0..3 {
        let ping = there.frame().unwrap();
        assert_eq!(ping.first, 0x80 | PING);
        there.send(0x80 | PONG, &ping.payload);
    }
    assert_eq!(silent.code(), 4009);
    assert_eq!(there.asks(&json!({"type": "ping"}))["type"], "pong");
    // Half-open: the other side is gone without a word, and its place comes back all the same.
    drop(silent);
    until(|| server.metric("cidadao_ai_websocket_connections") == 1.0);
}

#[test]
fn who_reads_too_slowly_is_told_of_the_gap_and_ended_the_second_time() {
    let of = |queue: &str| {
        house_of_a_sanction().with("CIDADAO_LIVE_MAX_BATCH_SIZE", "1").with("CIDADAO_LIVE_QUEUE_MAX", queue)
    };
    // 900 findings of one run become 900 batches at once: more than wait, unless they are read as fast as they come.
    let is_slow = || {
        let house = of("460");
        let server = house.serve();
        let mut socket = Socket::open(&server);
        socket.follow("findings?flag=BR01", None);
        sold(&house, "a.csv", 1..=900, "01/01/2024");
        let (mut told, mut missed) = (0, 0);
        let messages = socket.messages(|message| {
            let n = message["data"]["missed"].as_u64().unwrap_or(0);
            (missed, told) = (missed + n, told + u64::from(n == 0));
            missed + told == 900
        });
        assert_eq!(server.metric("cidadao_ai_live_messages_dropped_total") as u64, missed);
        let gaps: Vec<usize> = (0..messages.len()).filter(|at| messages[*at]["type"] == "gap").collect();
        if let [gap] = gaps[..] {
            let place = |at: usize| messages[at]["seq"].as_u64().unwrap();
            assert!(place(gap + 1) > place(gap) && messages[gap]["data"]["to"] == messages[gap]["seq"]);
        }
        gaps.len() == 1
    };
    assert!((0..20).any(|_| is_slow()), "nobody ever missed anything");
    let house = of("20");
    let server = house.serve();
    // They never read, and the server does not grow by it.
    let before = server.memory_mib();
    let slow: Vec<Socket> = (0..60)
        .map(|_| {
            let mut socket = Socket::open(&server);
            socket.follow("findings?flag=BR01", None);
            socket
        })
        .collect();
    sold(&house, "a.csv", 1..=900, "01/01/2024");
    for mut socket in slow {
        assert_eq!(socket.code(), 4008);
    }
    assert!(server.memory_mib() < before + 60, "{} MiB, {before} before", server.memory_mib());
    assert_eq!(server.metric("cidadao_ai_websocket_closed_total{code=\"4008\"}"), 60.0);
}

#[test]
fn what_is_the_installations_own_takes_an_admin() {
    let house = House::new();
    let server = house.serve();
    let asked =
        server.post("/api/v1/admin/ingests", &json!({"paths": [house.file("a.csv", testkit::files::purchases(&[]))]}));
    assert_eq!(asked.status, 202, "{}", asked.text());
    let subscribe = json!({"type": "subscribe", "topic": "ingest:1", "since": 0});
    let mut socket = Socket::open(&server);
    assert_eq!(socket.asks(&subscribe)["type"], "subscribed", "there is no account, and it is this machine");
    let free = house.json(&["keys", "create", "--tier", "free"]);
    let mut keyed = Socket::open(&server);
    let known = keyed.asks(&json!({"type": "authenticate", "key": free["key"]}));
    assert_eq!((&known["type"], &known["tier"]), (&json!("authenticated"), &json!("free")));
    let refused = keyed.asks(&subscribe);
    assert_eq!(refused["error"]["type"], "/problems/forbidden", "{refused}");
    assert_eq!(keyed.asks(&json!({"type": "subscribe", "topic": "agents"}))["type"], "subscribed");
    let _state: Value = keyed.hear();
    for wrong in [
        json!({"type": "authenticate", "key": "cid_x"}),
        json!({"type": "authenticate"}),
        json!({"type": "authenticate", "key": free["key"], "token": "x"}),
        json!({"type": "authenticate", "token": "a\nb"}),
    ] {
        assert_eq!(keyed.asks(&wrong)["error"]["type"], "/problems/unauthorized", "{wrong}");
    }
    let mut from_outside = Socket::ask(&server, &[("x-forwarded-for", "203.0.113.9")]);
    assert_eq!(from_outside.asks(&subscribe)["error"]["type"], "/problems/forbidden");
}
