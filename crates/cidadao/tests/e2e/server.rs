//! The server as an operator and a browser see it: health, metrics, caching, policy, stopping.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use testkit::files::{self, Purchase};
use testkit::house::totals;
use testkit::{House, Server};

fn answering() -> (House, Server) {
    let house = House::new();
    let rows: Vec<Purchase> = (1..=40).map(|n| Purchase::new(n, "100,0000")).collect();
    let _ = house.ingested(&[&house.file("c.csv", files::purchases(&rows))], 0);
    let server = house.serve();
    (house, server)
}

#[test]
fn health_metrics_and_documents_are_there() {
    let (_house, server) = answering();
    assert_eq!((server.get("/health/live").status, server.get("/health/ready").status), (200, 200));
    let _ = server.json("contracts?limit=1");
    let metrics = server.get("/metrics");
    assert!(metrics.header("content-type").starts_with("text/plain"), "{:?}", metrics.headers);
    let text = metrics.text();
    for name in [
        "cidadao_ai_build_info",
        "cidadao_ai_request_duration_seconds_count",
        "cidadao_ai_rows{source=\"portal-compras\",table=\"contracts\"} 40",
    ] {
        assert!(text.contains(name), "{name} is not in:\n{text}");
    }
    assert!(text.contains("/api/v1/contracts"), "requests are counted by route");
    let openapi = server.get("/openapi.json").json();
    assert!(openapi["openapi"].as_str().unwrap().starts_with('3'));
    for path in [
        "contracts",
        "contracts/{id}",
        "suppliers",
        "suppliers/{id}",
        "buyers",
        "buyers/{id}",
        "flags",
        "flags/{code}",
        "findings",
        "findings/{id}",
        "findings/{id}/evidence",
        "sources",
    ] {
        assert!(openapi["paths"][format!("/api/v1/{path}")]["get"].is_object(), "{path} is not described");
    }
    assert_eq!(server.get("/docs").status, 200);
}

#[test]
fn an_answer_that_the_client_holds_is_not_sent_again() {
    let (_house, server) = answering();
    for path in ["/api/v1/contracts", "/api/v1/flags", "/", "/openapi.json"] {
        for encoding in ["identity", "gzip", "br", "zstd"] {
            let first = server.get_with(path, &[("accept-encoding", encoding)]);
            let etag = first.header("etag").to_owned();
            assert!(first.status == 200 && etag.starts_with('"'), "{path} {encoding}: {etag:?}");
            let again = server.get_with(path, &[("accept-encoding", encoding), ("if-none-match", &etag)]);
            assert_eq!((again.status, again.body.len()), (304, 0), "{path} {encoding}");
            let other = server.get_with(path, &[("if-none-match", "\"other\"")]);
            assert_eq!(other.status, 200, "{path}");
        }
    }
}

#[test]
fn an_ingest_changes_the_answers_of_a_running_server() {
    let (house, server) = answering();
    let before = server.get("/api/v1/contracts?limit=100");
    let rows: Vec<Purchase> = (41..=45).map(|n| Purchase::new(n, "100,0000")).collect();
    assert_eq!(totals(&house.ingested(&[&house.file("d.csv", files::purchases(&rows))], 0))[1], 5);
    let after = server.get_with("/api/v1/contracts?limit=100", &[("if-none-match", before.header("etag"))]);
    assert_eq!((after.status, after.json()["data"].as_array().unwrap().len()), (200, 45));
}

#[test]
fn the_page_is_served_under_a_policy_that_names_no_other_host() {
    let (_house, server) = answering();
    for path in ["/", "/achados", "/contratos/portal-compras%3A1"] {
        let page = server.get_with(path, &[("accept", "text/html")]);
        assert_eq!(page.status, 200, "{path}");
        assert!(page.header("content-type").starts_with("text/html"));
        let policy = page.header("content-security-policy");
        assert!(
            policy.contains("default-src")
                && !policy.contains("http:")
                && !policy.contains("https:")
                && !policy.contains('*'),
            "{policy}"
        );
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        let html = page.text();
        for attribute in ["src=\"http", "href=\"http", "src=\"//", "href=\"//", "url(http"] {
            assert!(!html.contains(attribute), "{path} asks another host: {html}");
        }
    }
    assert_eq!(server.get("/assets/nothing.js").status, 404);
    assert_eq!(server.get("/api/v1/contracts").header("x-robots-tag"), "noindex");
}

#[test]
fn a_server_that_is_told_to_stop_finishes_and_ends_well() {
    let (house, server) = answering();
    let _ = server.json("contracts");
    // A client that is silent does not keep it.
    let address = server.address().trim_start_matches("http://").to_owned();
    let _silent = TcpStream::connect(&address).unwrap();
    assert_eq!(server.stop(), Some(0));
    assert!(TcpStream::connect(&address).is_err(), "nobody listens any more");
    assert_eq!(house.problems(), Vec::<String>::new());
}

#[test]
fn a_port_that_is_taken_is_said_so() {
    let (house, server) = answering();
    let address = server.address().trim_start_matches("http://").to_owned();
    let run = house.program().args(["serve", "--listen", &address]).run();
    assert!(run.code != Some(0) && run.stderr.contains(&address), "{run:?}");
    let run = house.program().args(["serve", "--listen", "nowhere"]).run();
    assert!(run.code != Some(0) && run.stderr.contains("nowhere"), "{run:?}");
}

#[test]
fn bytes_that_are_no_request_do_not_hurt() {
    let (_house, server) = answering();
    let address = server.address().trim_start_matches("http://");
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"GET /%zz HTTP/1.1\r\nhost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(std::time::Duration::from_secs(5))).unwrap();
        stream.write_all(bytes).unwrap();
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(!answer.starts_with(b"HTTP/1.1 5"), "{}", String::from_utf8_lossy(&answer));
    }
    assert_eq!(server.get("/health/live").status, 200);
    assert!(!server.log().contains("panicked"), "{}", server.log());
}
