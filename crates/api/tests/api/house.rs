//! A small data folder with a router over it.

use std::path::Path;

use app::{App, Settings};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use model::{Contract, Money, Record, Sourced};
use serde_json::Value;
use store::{NewFile, Progress, Store};
use tower::ServiceExt as _;

/// Contracts in the house; one of them is a person's.
pub const CONTRACTS: usize = 25;

/// A data folder, gone when dropped.
pub struct House {
    folder: tempfile::TempDir,
    app: App,
    router: Router,
}

/// An answer, read to its end.
pub struct Answered {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub size: usize,
    pub text: String,
    pub json: Value,
}

impl Answered {
    /// A header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The parameter that a problem names, or nothing.
    pub fn field(&self) -> &str {
        self.json["field"].as_str().unwrap_or_default()
    }
}

impl House {
    /// Makes the folder and fills it.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fill(&Store::open(&folder.path().join("cidadao.db"), 1).unwrap());
        let variables = [
            ("CIDADAO_DATA_DIR".to_owned(), folder.path().to_str().unwrap().to_owned()),
            ("CIDADAO_LIMITS_ANONYMOUS".to_owned(), "unlimited".to_owned()),
        ];
        let app = App::open(Settings::load(None, variables.into_iter()).unwrap()).unwrap();
        Self { router: api::router(app.clone()), app, folder }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn app(&self) -> App {
        self.app.clone()
    }

    pub async fn get(&self, path: &str) -> Answered {
        self.send("GET", path, &[]).await
    }

    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answered {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 1 << 24).await.unwrap();
        Answered {
            status: parts.status,
            headers: parts.headers,
            size: bytes.len(),
            text: String::from_utf8_lossy(&bytes).into_owned(),
            json: serde_json::from_slice(&bytes).unwrap_or_default(),
        }
    }
}

fn fill(store: &Store) {
    let mut ingest = store.begin_ingest("2026-11-23T10:00:00-03:00", 1).unwrap();
    let file = NewFile {
        name: "a.csv",
        sha256: &"ab".repeat(32),
        member: "",
        source: "test",
        format: "test",
        head: "",
        mapping: "",
        reader: "",
    };
    ingest.begin_file(&file).unwrap();
    for n in 0..CONTRACTS {
        let (number, name) =
            if n == 0 { ("***.982.247-**", "Maria da Silva") } else { ("00.000.000/0001-91", "Banco X") };
        let (supplier_id, supplier) = model::supplier(number, name).unwrap();
        let contract = Contract {
            object: Some("Serviço de limpeza".to_owned()),
            supplier_id: Some(supplier_id.clone()),
            supplier_name: Some(name.to_owned()),
            // Some without a date, some with the same one: both must be walked without gap.
            signed_on: (n % 4 != 0).then(|| model::dates::parse_iso("2024-03-12").unwrap()),
            value_final: (n % 3 != 0).then(|| Money::parse(&format!("{n}000.5")).unwrap()),
            ..Contract::default()
        };
        let mut sourced = Sourced {
            id: format!("test:{n}~|/ *"),
            line: n as u64 + 2,
            row_hash: format!("{n:032x}"),
            updated_at: None,
            metadata: None,
            partial: false,
            record: Record::Contract(contract),
        };
        ingest.see_supplier(&supplier_id, "test", n as u64 + 2, supplier).unwrap();
        ingest.put("test", &mut sourced).unwrap();
    }
    ingest.end_file(&Progress::default(), None).unwrap();
    ingest.finish_rows().unwrap();
    ingest.commit("2026-11-23T10:00:01-03:00").unwrap();
}
