//! The client against a source on loopback that is as slow, as rude and as broken as real ones are.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::Write as _;
use std::time::Duration;

use outbound::{Error, Outbound, Settings};
use testkit::origin::{Origin, Reply};
use tokio::time::Instant;

fn quick() -> Settings {
    Settings {
        backoff: Duration::from_millis(10),
        backoff_max: Duration::from_millis(50),
        rate_per_s: 1_000,
        attempt_timeout: Duration::from_secs(5),
        ..Settings::default()
    }
}

fn client(settings: Settings) -> Outbound {
    Outbound::new(settings).unwrap()
}

fn soon(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds)
}

#[tokio::test]
async fn one_connection_serves_request_after_request() {
    let origin = Origin::start(|target, _| Reply::json(format!("\"{target}\"")));
    let client = client(quick());
    for at in 0..20 {
        let answer = client.get(&format!("{}/a?n={at}", origin.url()), soon(10)).await.unwrap();
        assert_eq!(answer.body, format!("\"/a?n={at}\""));
    }
    assert_eq!((origin.accepted(), client.figures().opened, client.figures().open), (1, 1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_sockets_are_open_than_allowed() {
    let origin = Origin::start(|_, _| Reply::Late(Duration::from_millis(20), Box::new(Reply::json("1"))));
    let client = client(Settings { connections_max: 5, per_origin: 64, ..quick() });
    let asked: Vec<_> = (0..60)
        .map(|at| {
            let (client, url) = (client.clone(), format!("{}/{at}", origin.url()));
            tokio::spawn(async move { client.get(&url, soon(20)).await.map(|answer| answer.status) })
        })
        .collect();
    for answer in asked {
        assert_eq!(answer.await.unwrap().unwrap(), 200);
    }
    assert!(origin.open_most() <= 5, "{} sockets at once", origin.open_most());
}

#[tokio::test(flavor = "multi_thread")]
async fn few_requests_are_under_way_at_one_origin_and_at_its_rate() {
    let origin = Origin::start(|_, _| Reply::Late(Duration::from_millis(50), Box::new(Reply::json("1"))));
    let client = client(Settings { per_origin: 2, rate_per_s: 20, ..quick() });
    let started = Instant::now();
    let asked: Vec<_> = (0..10)
        .map(|_| {
            let (client, url) = (client.clone(), origin.url());
            tokio::spawn(async move { client.get(&url, soon(20)).await.unwrap().status })
        })
        .collect();
    for answer in asked {
        assert_eq!(answer.await.unwrap(), 200);
    }
    assert!(origin.open_most() <= 2, "{} at once", origin.open_most());
    assert!(started.elapsed() >= Duration::from_millis(9 * 50), "faster than 20 a second: {:?}", started.elapsed());
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    let origin = Origin::start(|_, before| match before {
        0 => Reply::status(503),
        1 => Reply::Reset,
        2 => Reply::Half(b"[1,2".to_vec()),
        3 => Reply::status(500),
        _ => Reply::json("[1,2,3]"),
    });
    let client = client(quick());
    assert_eq!(client.get(&origin.url(), soon(10)).await.unwrap().body, "[1,2,3]");
    assert_eq!(origin.requests().len(), 5);
    assert_eq!(client.figures().origins[0].retries, 4);
}

#[tokio::test]
async fn a_pause_that_is_asked_for_is_kept_by_all() {
    let origin = Origin::start(|_, before| match before {
        0 => Reply::Whole(429, vec![("retry-after", "1".to_owned())], Vec::new()),
        _ => Reply::json("1"),
    });
    let client = client(quick());
    let started = Instant::now();
    client.get(&format!("{}/first", origin.url()), soon(10)).await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(client.figures().origins[0].throttled, 1);

    let busy = Origin::start(|target, _| match target {
        "/busy" => Reply::Whole(429, vec![("retry-after", "1".to_owned())], Vec::new()),
        _ => Reply::json("1"),
    });
    let url = format!("{}/busy", busy.url());
    let failed = client.get(&url, Instant::now() + Duration::from_millis(500)).await.unwrap_err();
    assert!(matches!(failed, Error::Deadline { .. }), "{failed}");
    let started = Instant::now();
    client.get(&format!("{}/other", busy.url()), soon(10)).await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(500), "another request did not wait: {:?}", started.elapsed());
}

#[tokio::test]
async fn a_refusal_is_the_last_word() {
    let origin = Origin::start(|_, _| Reply::Whole(422, Vec::new(), b"dataInicial  \n invalida".to_vec()));
    let failed = client(quick()).get(&origin.url(), soon(10)).await.unwrap_err();
    assert!(failed.to_string().ends_with("answered 422: dataInicial invalida"), "{failed}");
    assert_eq!(origin.requests().len(), 1);
}

#[tokio::test]
async fn the_deadline_holds_over_all_attempts() {
    let origin = Origin::start(|_, _| Reply::status(500));
    let client = client(Settings { retries: 1_000, breaker_failures: 1_000, retry_percent: 100_000, ..quick() });
    let started = Instant::now();
    let failed = client.get(&origin.url(), Instant::now() + Duration::from_millis(300)).await.unwrap_err();
    assert!(matches!(failed, Error::Deadline { .. } | Error::Failed { .. }), "{failed}");
    assert!(started.elapsed() < Duration::from_secs(2));
    let silent = Origin::start(|_, _| Reply::Late(Duration::from_secs(3), Box::new(Reply::json("1"))));
    let failed = client.get(&silent.url(), Instant::now() + Duration::from_millis(200)).await.unwrap_err();
    assert!(matches!(failed, Error::Deadline { .. }), "{failed}");
}

#[tokio::test]
async fn the_budget_bounds_what_a_failing_source_is_asked() {
    let origin = Origin::start(|_, _| Reply::status(500));
    let client = client(Settings { breaker_failures: 1_000, ..quick() });
    for _ in 0..20 {
        client.get(&origin.url(), soon(10)).await.unwrap_err();
    }
    // 20 first attempts and the ten again that are always there.
    assert_eq!(origin.requests().len(), 30);
}

#[tokio::test]
async fn a_source_that_is_down_is_left_alone_and_found_well_again() {
    let origin = Origin::start(|_, before| if before < 3 { Reply::status(500) } else { Reply::json("1") });
    let client =
        client(Settings { retries: 0, breaker_failures: 3, breaker_pause: Duration::from_millis(300), ..quick() });
    for _ in 0..3 {
        client.get(&origin.url(), soon(10)).await.unwrap_err();
    }
    let hurried = client.get(&origin.url(), Instant::now() + Duration::from_millis(100)).await.unwrap_err();
    assert!(matches!(hurried, Error::LeftAlone { .. }), "{hurried}");
    assert_eq!(origin.requests().len(), 3, "it was asked while it was left alone");
    assert!(client.figures().origins[0].is_left_alone);
    // Who has time waits for it.
    assert_eq!(client.get(&origin.url(), soon(10)).await.unwrap().body, "1");
    assert!(!client.figures().origins[0].is_left_alone);
}

#[tokio::test]
async fn a_slow_answer_is_overtaken() {
    let origin = Origin::start(|_, before| match before {
        0 => Reply::Late(Duration::from_secs(3), Box::new(Reply::json("\"slow\""))),
        _ => Reply::json("\"quick\""),
    });
    let client = client(Settings { hedge_after: Some(Duration::from_millis(50)), ..quick() });
    let started = Instant::now();
    assert_eq!(client.get(&origin.url(), soon(10)).await.unwrap().body, "\"quick\"");
    assert!(started.elapsed() < Duration::from_secs(2));
    assert_eq!(client.figures().origins[0].hedges, 1);
}

#[tokio::test]
async fn an_answer_too_long_is_refused_packed_or_not() {
    let zipped = |bytes: usize| {
        let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        zip.write_all(&vec![b' '; bytes]).unwrap();
        Reply::Whole(200, vec![("content-encoding", "gzip".to_owned())], zip.finish().unwrap())
    };
    let origin = Origin::start(move |target, _| match target {
        "/plain" => Reply::Whole(200, Vec::new(), vec![b' '; 70_000]),
        "/bomb" => zipped(10_000_000),
        _ => zipped(60_000),
    });
    let client = client(Settings { body_max: 65_536, ..quick() });
    for path in ["plain", "bomb"] {
        let failed = client.get(&format!("{}/{path}", origin.url()), soon(10)).await.unwrap_err();
        assert!(matches!(failed, Error::TooLong { .. }), "{failed}");
    }
    assert_eq!(client.get(&format!("{}/fits", origin.url()), soon(10)).await.unwrap().body.len(), 60_000);
}

#[tokio::test]
async fn what_is_no_address_is_not_asked() {
    for url in ["", "ftp://127.0.0.1/", "/relative", "http//127.0.0.1"] {
        assert!(matches!(client(quick()).get(url, soon(1)).await, Err(Error::Address { .. })), "{url}");
    }
}
