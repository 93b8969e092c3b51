//! HTTP as a client sees it: codings in both directions, HTTP/2, TLS, time-outs, other origins, names of requests.

use std::io::{Read as _, Write as _};
use std::process::Command;
use std::time::{Duration, Instant};

use testkit::{House, Server, wire};

use super::serving::{decoded, house_of};

#[test]
fn the_client_chooses_the_coding() {
    let house = house_of(60);
    let server = house.serve();
    // Kept, and made for one answer.
    for path in ["/api/v1/contracts?limit=50", "/openapi.json", "/metrics"] {
        let plain = wire::get(&server, path, &[("accept-encoding", "identity")]);
        assert_eq!((plain.status, plain.header("content-encoding")), (200, ""), "{path}");
        for (accept, coding) in [
            ("gzip", "gzip"),
            ("gzip;q=1.0, br;q=0.5, zstd;q=0.1", "gzip"),
            ("br;q=0, zstd;q=0, *", "gzip"),
            ("zstd", "zstd"),
            ("identity;q=0, br", "br"),
            ("deflate", ""),
            ("gzip;q=0", ""),
            ("", ""),
        ] {
            let answer = wire::get(&server, path, &[("accept-encoding", accept)]);
            assert_eq!((answer.status, answer.header("content-encoding")), (200, coding), "{path} {accept:?}");
            assert!(answer.header("vary").contains("accept-encoding"), "{path} {accept:?}: {:?}", answer.headers);
            if path != "/metrics" {
                assert_eq!(decoded(&answer), plain.body, "{path} {accept:?}");
            }
        }
        for accept in ["identity;q=0", "*;q=0", "identity;q=0, deflate"] {
            let answer = wire::get(&server, path, &[("accept-encoding", accept)]);
            assert_eq!(
                (answer.status, answer.json()["type"].as_str()),
                (406, Some("/problems/not-acceptable")),
                "{path} {accept}"
            );
        }
        let part = wire::get(&server, path, &[("accept-encoding", "br"), ("range", "bytes=0-9")]);
        assert_eq!(part.header("content-encoding"), "", "{path}: parts are left as they are");
    }
    let small = wire::get(&server, "/api/v1/contracts?limit=1&value_min=999999999", &[("accept-encoding", "br")]);
    assert_eq!(small.header("content-encoding"), "", "small bodies are left as they are");
    let small =
        wire::get(&server, "/api/v1/contracts?limit=1&value_min=999999999", &[("accept-encoding", "br, identity;q=0")]);
    assert_eq!(small.header("content-encoding"), "br", "unless the client takes nothing else");
    let secret = wire::get(&server, "/health/live", &[("accept-encoding", "br, identity;q=0")]);
    assert_eq!(secret.header("content-encoding"), "", "what must not be stored is never compressed");
}

#[test]
fn compression_can_be_turned_down_and_off() {
    let house = house_of(60);
    let server = Server::start(house.program().env("COMPRESSION_LEVEL", "0"));
    for path in ["/api/v1/contracts?limit=50", "/openapi.json"] {
        let answer = wire::get(&server, path, &[("accept-encoding", "br, gzip")]);
        assert_eq!((answer.status, answer.header("content-encoding")), (200, ""), "{path}");
    }
    let run = house.program().env("COMPRESSION_LEVEL", "12").arg("doctor").run().ends_with(2);
    assert!(run.stderr.contains("compression_level"), "{}", run.stderr);
}

#[test]
fn both_writers_of_json_write_the_same() {
    let house = house_of(60);
    let bodies = ["sonic", "serde", "orjson"].map(|encoder| {
        let server = Server::start(house.program().env("JSON_ENCODER", encoder).env("CACHE_STRATEGY", "off"));
        assert_eq!(server.log().contains("orjson"), encoder == "orjson", "{}", server.log());
        ["contracts?limit=50", "flags", "sources"].map(|list| server.get(&format!("/api/v1/{list}")).text())
    });
    assert!(bodies[0] == bodies[1] && bodies[1] == bodies[2]);
}

#[test]
fn request_bodies_come_compressed_and_bombs_are_refused() {
    let house = house_of(10);
    let server = house.serve();
    let body = br#"{"question": "dispensas acima de R$ 50 mil em SP em 2024"}"#;
    let post = |coding: &str, body: &[u8]| {
        let headers = [("content-type", "application/json"), ("content-encoding", coding)];
        wire::ask(&server, "POST", "/api/v1/investigations", &headers, body)
    };
    let gzip = |body: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    };
    let mut br = Vec::new();
    brotli::BrotliCompress(&mut &body[..], &mut br, &brotli::enc::BrotliEncoderParams::default()).unwrap();
    for (coding, body) in [("gzip", gzip(body)), ("zstd", zstd::encode_all(&body[..], 3).unwrap()), ("br", br)] {
        let answer = post(coding, &body);
        assert_eq!(answer.status, 202, "{coding}: {}", answer.text());
    }
    let bomb = gzip(&vec![b' '; 200 << 20]);
    let started = Instant::now();
    let refused = post("gzip", &bomb);
    assert_eq!((refused.status, refused.json()["type"].as_str()), (413, Some("/problems/body-too-large")));
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(post("gzip", b"not gzip").status, 400);
    let unknown = post("compress", body);
    assert_eq!((unknown.status, unknown.header("accept-encoding")), (415, "zstd, br, gzip"));
}

/// What `curl` prints of `-w`, with the body thrown away.
fn curl(args: &[&str]) -> String {
    let mut command = Command::new("curl");
    command.args(["-s", "-k", "-o", "/dev/null", "--max-time", "20"]).args(args);
    let output = command.output().expect("this test needs curl: apt-get install curl");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

const SPOKEN: &str = "%{http_version} %{response_code}";

#[test]
fn both_versions_of_http_are_spoken_on_one_port() {
    let house = house_of(10);
    let server = house.serve();
    for path in ["/api/v1/contracts", "/health/live"] {
        let url = format!("{}{path}", server.address());
        assert_eq!(curl(&["-w", SPOKEN, "--http2-prior-knowledge", &url]), "2 200");
        assert_eq!(curl(&["-w", SPOKEN, "--http1.1", &url]), "1.1 200");
    }
    drop(server);
    let server = Server::start(house.program().env("HTTP2_ENABLED", "false"));
    let url = format!("{}/health/live", server.address());
    assert_eq!(curl(&["-w", SPOKEN, "--http1.1", &url]), "1.1 200");
    assert_ne!(curl(&["-w", SPOKEN, "--http2-prior-knowledge", &url]), "2 200");
}

#[test]
fn with_a_certificate_tls_is_spoken_with_both_versions() {
    let house = house_of(10);
    let (certificate, key) = (house.root().join("c.pem"), house.root().join("k.pem"));
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]);
    openssl.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]);
    let made = openssl.arg("-keyout").arg(&key).arg("-out").arg(&certificate).output();
    assert!(made.expect("this test needs openssl: apt-get install openssl").status.success());
    let program = |house: &House| house.program().env("CIDADAO_HTTP_TLS_CERTIFICATE", &certificate);
    let server = Server::start(program(&house).env("CIDADAO_HTTP_TLS_KEY", &key));
    let url = format!("{}/api/v1/contracts", server.address());
    assert!(url.starts_with("https://"), "{url}");
    assert_eq!(curl(&["-w", SPOKEN, "--http2", &url]), "2 200");
    assert_eq!(curl(&["-w", SPOKEN, "--http1.1", &url]), "1.1 200");
    assert_eq!(curl(&["-w", SPOKEN, &url.replace("https:", "http:")]), "0 000", "nothing else is spoken there");
    assert_eq!(server.stop(), Some(0));
    let run = program(&house).arg("doctor").run().ends_with(2);
    assert!(run.stderr.contains("tls_key"), "{}", run.stderr);
    let run =
        program(&house).env("CIDADAO_HTTP_TLS_KEY", "/nowhere.pem").args(["serve", "--listen", "127.0.0.1:0"]).run();
    assert!(run.code != Some(0) && run.stderr.contains("/nowhere.pem"), "{run:?}");
}

#[test]
fn who_is_slow_is_not_waited_for() {
    let house = house_of(10);
    let program = house.program().env("CIDADAO_HTTP_HEAD_TIMEOUT_S", "1").env("CIDADAO_HTTP_BODY_TIMEOUT_S", "1");
    let server = Server::start(program);
    // A head that comes drop by drop, a connection that says nothing, one that says nothing more.
    for bytes in [
        &b"GET /health/live HTTP/1.1\r\nhost: x\r\nx-a: "[..],
        b"",
        b"PRI",
        b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n",
    ] {
        let mut stream = wire::connect(&server);
        stream.write_all(bytes).unwrap();
        let (started, mut answer) = (Instant::now(), Vec::new());
        let _ = stream.read_to_end(&mut answer);
        let waited = started.elapsed();
        assert!(waited > Duration::from_millis(700) && waited < Duration::from_secs(4), "{bytes:?}: {waited:?}");
    }
    let mut stream = wire::connect(&server);
    let head = b"POST /api/v1/investigations HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 100\r\n\r\n{";
    stream.write_all(head).unwrap();
    let answer = wire::read(&mut stream);
    assert_eq!((answer.status, answer.json()["type"].as_str()), (408, Some("/problems/body-too-slow")));
}

#[test]
fn a_request_in_flight_is_finished_when_the_server_stops() {
    let house = house_of(10);
    let server = house.serve();
    let mut stream = wire::connect(&server);
    let body = br#"{"question": "dispensas em SP em 2024"}"#;
    let whole = wire::request("POST", "/api/v1/investigations", &[("content-type", "application/json")], body);
    let (first, rest) = whole.split_at(whole.len() - 5);
    stream.write_all(first).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    let rest = rest.to_vec();
    let answered = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(500));
        stream.write_all(&rest).unwrap();
        wire::read(&mut stream).status
    });
    assert_eq!(server.stop(), Some(0));
    assert_eq!(answered.join().unwrap(), 202);
}

#[test]
fn only_named_origins_may_read() {
    let house = house_of(10);
    let named = "https://exemplo.org, https://outro.org:8443";
    let server = Server::start(house.program().env("CIDADAO_HTTP_CORS_ORIGINS", named));
    let path = "/api/v1/contracts";
    for _ in 0..2 {
        for (origin, told) in [
            ("https://exemplo.org", "https://exemplo.org"),
            ("https://outro.org:8443", "https://outro.org:8443"),
            ("https://exemplo.org.mau.org", ""),
            ("http://exemplo.org", ""),
            ("null", ""),
        ] {
            let answer = wire::get(&server, path, &[("origin", origin)]);
            assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, told), "{origin}");
            let vary: Vec<&str> = answer.headers.iter().filter(|(n, _)| n == "vary").map(|(_, v)| v.as_str()).collect();
            assert!(vary.join(",").contains("origin"), "{:?}", answer.headers);
        }
        assert!(
            wire::get(&server, path, &[]).header("vary").contains("origin"),
            "caches must know, whoever asks first"
        );
    }
    let headers = [("origin", "https://exemplo.org"), ("access-control-request-method", "POST")];
    let asked = wire::ask(&server, "OPTIONS", path, &headers, b"");
    assert_eq!((asked.status, asked.header("access-control-allow-methods")), (204, "GET, HEAD, POST"));
    for wrong in ["*", "exemplo.org", "https://exemplo.org/", "https://*.org"] {
        let run = house.program().env("CIDADAO_HTTP_CORS_ORIGINS", wrong).arg("doctor").run().ends_with(2);
        assert!(run.stderr.contains("cors_origins"), "{wrong}: {}", run.stderr);
    }
    let server = house.serve();
    assert_eq!(
        wire::get(&server, path, &[("origin", "https://exemplo.org")]).header("access-control-allow-origin"),
        ""
    );
}

#[test]
fn every_answer_bears_its_requests_name() {
    let house = house_of(10);
    let server = house.serve();
    for path in ["/api/v1/contracts", "/api/v1/contracts", "/nowhere", "/health/live"] {
        let named = wire::get(&server, path, &[("x-request-id", "pedido-1.a")]);
        assert_eq!(named.header("x-request-id"), "pedido-1.a", "{path}");
        let own = [0, 1].map(|_| wire::get(&server, path, &[]).header("x-request-id").to_owned());
        assert!(!own[0].is_empty() && own[0] != own[1], "{path}: {own:?}");
        let refused = wire::get(&server, path, &[("x-request-id", "a b<script>")]);
        assert!(!refused.header("x-request-id").contains('<'));
    }
}

#[test]
fn events_are_sent_as_they_happen_compressed_too() {
    let house = house_of(10);
    let server = house.serve();
    let asked = server.post("/api/v1/investigations", &serde_json::json!({"scope": {}, "flags": ["BR05"]})).json();
    let path = format!("/api/v1/investigations/{}/events", asked["id"].as_str().unwrap());
    let plain = wire::get(&server, &path, &[]);
    let packed = wire::get(&server, &path, &[("accept-encoding", "gzip")]);
    assert_eq!(packed.header("content-encoding"), "gzip");
    let events = |text: &str| text.matches("event: ").count();
    assert!(events(&plain.text()) > 2);
    assert_eq!(events(&String::from_utf8(decoded(&packed)).unwrap()), events(&plain.text()));
}
