//! No question reads a large table through: every statement that the store's readers and the queue make ready is explained on both
//! databases, over one that is filled. On PostgreSQL reading through is made as dear as can be, so that a plan which still does it
//! says that no index serves.

use events::{Backend, Bell, Event, Fate, NewTask, ReadModels, transact};
use serde_json::json;
use store::{
    Below, BuyerFilter, ContractFilter, ContractSort, Cursor, Db, EntityKind, FindingFilter, FindingSort, GlanceFilter,
    InvestigationFilter, LinkFilter, NameSort, Owner, PoolSettings, QuarantineFilter, Registered, Store,
    SupplierFilter, TenderFilter, VerdictFilter,
};
use testkit::{House, PostgresServer, postgres};

use super::short_sample;

/// Tables that grow with what is ingested or decided.
const LARGE: &[&str] = &[
    "contracts",
    "tenders",
    "items",
    "bids",
    "amendments",
    "payments",
    "suppliers",
    "buyers",
    "partners",
    "registrations",
    "sanctions",
    "versions",
    "quarantine",
    "findings",
    "finding_contracts",
    "events",
    "tasks",
    "investigations",
    "investigation_flags",
    "investigation_findings",
    "verdicts",
    "standing_verdicts",
    "statements",
    "entity_links",
    "entity_link_history",
    "entity_members",
    "contracts_fts",
    "suppliers_fts",
    "buyers_fts",
    "contracts_keys",
];

/// Statements that are asked for a whole table, seldom, or whose table is small where they matter: why.
const WHOLE: &[(&str, &str)] = &[
    ("select distinct municipality", "the vocabulary of places, made once"),
    ("select id, municipality from buyers where cast", "the buyers of no state"),
    ("select id, entity_id from entity_members", "every merged buyer, for a judgement"),
    ("select topic, state, count(*) from tasks", "figures of the queue"),
    ("select f.source, q.reason, count(*)", "figures of the quarantine, for the doctor"),
    ("select flag, count(*) from findings", "figures of the findings, from an index alone"),
    ("select flag, flag_version, verdict, count(*) from standing_verdicts", "figures of the verdicts"),
    ("select q.id, f.source", "the quarantine, in the order of its numbers"),
];

struct Nothing;

impl ReadModels for Nothing {
    fn apply(&self, _: &Db, _: &Event) -> store::Result<()> {
        Ok(())
    }

    fn tables(&self) -> &'static [&'static str] {
        &[]
    }
}

fn after(value: &str) -> Cursor {
    serde_json::from_value(json!({"v": value, "r": 5}))
        .unwrap_or_else(|_| serde_json::from_value(json!({"v": value, "rid": 5})).unwrap())
}

/// Asks everything that can be asked.
fn ask_everything(store: &Store) {
    let some = |text: &str| Some(text.to_owned());
    let contracts = |filter: ContractFilter, sort| {
        for cursor in [None, Some(after("2024-01-01"))] {
            let page = store.contracts(&filter, sort, cursor.as_ref(), 20);
            // A cursor of another kind is refused by one of the two, and understood by its plan.
            let _ = page;
        }
    };
    for sort in
        [ContractSort::NewestFirst, ContractSort::OldestFirst, ContractSort::DearestFirst, ContractSort::CheapestFirst]
    {
        contracts(ContractFilter::default(), sort);
        contracts(ContractFilter { q: some("aquisicao de material"), ..ContractFilter::default() }, sort);
        contracts(ContractFilter { buyer_id: some("uasg:1"), ..ContractFilter::default() }, sort);
        contracts(ContractFilter { supplier_id: some("cnpj:1"), ..ContractFilter::default() }, sort);
        contracts(ContractFilter { modality: some("direct"), ..ContractFilter::default() }, sort);
        contracts(ContractFilter { source: some("pncp"), ..ContractFilter::default() }, sort);
        contracts(ContractFilter { state: some("SP"), ..ContractFilter::default() }, sort);
        let between = ContractFilter {
            signed_from: some("2024-01-01"),
            signed_to: some("2024-02-01"),
            value_min: Some(1),
            ..ContractFilter::default()
        };
        contracts(between, sort);
    }
    store.contract("x").unwrap();
    for newest in [true, false] {
        for filter in [
            TenderFilter::default(),
            TenderFilter { buyer_id: some("uasg:1"), ..TenderFilter::default() },
            TenderFilter { source: some("pncp"), ..TenderFilter::default() },
            TenderFilter { modality: some("pregao"), published_from: some("2024-01-01"), ..TenderFilter::default() },
        ] {
            store.tenders(&filter, newest, None, 20).unwrap();
            store.tenders(&filter, newest, Some(&after("2024-01-01")), 20).unwrap();
        }
    }
    let ids = ["x".to_owned(), "y".to_owned()];
    store.suppliers_by_id(&ids).unwrap();
    store.buyers_by_id(&ids).unwrap();
    store.contracts_by_id(&ids).unwrap();
    for owner in [Owner::Buyer, Owner::Supplier] {
        store.contracts_of_each(owner, &ids, 5).unwrap();
    }
    for owner in [Owner::Buyer, Owner::Supplier, Owner::Contract] {
        store.findings_of_each(owner, &ids, 5).unwrap();
    }
    for owner in [Owner::Buyer, Owner::Supplier] {
        store.totals_of_each(owner, &ids).unwrap();
    }
    for below in [Below::ItemsOfContract, Below::AmendmentsOfContract, Below::ItemsOfTender, Below::BidsOfTender] {
        store.rows_of_each(below, &ids, 0, 5).unwrap();
    }
    store.tenders_by_id(&ids).unwrap();
    store.sanctions_of_each(&ids).unwrap();
    for listed in [Registered::Partners, Registered::Registrations] {
        store.registered_of_each(listed, &ids).unwrap();
    }
    for table in ["items", "bids"] {
        store.rows_of_tender(table, "x", 10).unwrap();
    }
    for table in ["items", "amendments"] {
        store.rows_of_contract(table, "x", 10).unwrap();
    }
    for table in ["contracts", "tenders", "suppliers", "sanctions", "bids"] {
        store.row(table, "x").unwrap();
        store.versions(table, "x").unwrap();
    }
    store.registrations_of("1", "2").unwrap();
    store.partners_of("1", 10).unwrap();
    store.files_numbered([1, 2].into_iter()).unwrap();
    for sort in [NameSort::Ascending, NameSort::Descending] {
        for filter in [
            SupplierFilter::default(),
            SupplierFilter { q: some("comercio"), ..SupplierFilter::default() },
            SupplierFilter { cnpj: some("1"), ..SupplierFilter::default() },
            SupplierFilter { kind: some("person"), ..SupplierFilter::default() },
        ] {
            store.suppliers(&filter, sort, None, 20).unwrap();
            store.suppliers(&filter, sort, Some(&after("M")), 20).unwrap();
        }
        for filter in [
            BuyerFilter::default(),
            BuyerFilter { q: some("municipio"), ..BuyerFilter::default() },
            BuyerFilter { state: some("SP"), ..BuyerFilter::default() },
        ] {
            store.buyers(&filter, sort, None, 20).unwrap();
        }
    }
    store.supplier("x").unwrap();
    store.buyer("x").unwrap();
    store.sanctions_of("x", Some("y")).unwrap();
    store.totals_of_supplier("x").unwrap();
    store.totals_of_buyer("x").unwrap();
    store.merged_buyers().unwrap();
    store.holds(EntityKind::Buyer, "x").unwrap();
    for filter in [
        LinkFilter::default(),
        LinkFilter { kind: some("buyer"), ..LinkFilter::default() },
        LinkFilter { state: some("merged"), ..LinkFilter::default() },
        LinkFilter { kind: some("buyer"), state: some("merged") },
    ] {
        store.entity_links(&filter, None, 20).unwrap();
    }
    store.link_history(EntityKind::Buyer, &["x".to_owned()], 10).unwrap();
    store.link_between(EntityKind::Buyer, "x", "y").unwrap();
    for sort in [FindingSort::GravestFirst, FindingSort::DearestFirst, FindingSort::NewestFirst] {
        let open = || FindingFilter { state: some("open"), ..FindingFilter::default() };
        for filter in [
            open(),
            FindingFilter { flag: some("BR05"), ..open() },
            FindingFilter { buyer_id: some("x"), ..open() },
            FindingFilter { supplier_id: some("x"), ..open() },
            FindingFilter { contract_id: some("x"), ..open() },
            FindingFilter { verdict: Some(VerdictFilter::Confirmed), ..open() },
            FindingFilter { verdict: Some(VerdictFilter::None), ..open() },
        ] {
            store.findings(&filter, sort, None, 20).unwrap();
        }
    }
    store.finding("x").unwrap();
    store.open_findings().unwrap();
    store.placed_findings("BR05", (5, 5), 10).unwrap();
    store.contracts_of_finding("x").unwrap();
    store.contract_fits("x", Some("direct"), Some("material")).unwrap();
    store.buyers_in(Some("SP"), None).unwrap();
    store.buyers_in(None, None).unwrap();
    store.municipalities().unwrap();
    store.each_buyer(5, |_| ()).unwrap();
    store.each_supplier(5, |_, _| ()).unwrap();
    store.some_contract_holds("material").unwrap();
    store.some_contract_of_others_holds("material", "cnpj:1").unwrap();
    store.supplier_of_hash(1).unwrap();
    store.contracts_of_rows(&[1, 2]).unwrap();
    let ids = || Some(std::collections::BTreeSet::from(["x".to_owned()]));
    for filter in [
        GlanceFilter::default(),
        GlanceFilter { buyers: ids(), words: some("material"), ..GlanceFilter::default() },
        GlanceFilter { suppliers: ids(), from: some("2024-01-01"), ..GlanceFilter::default() },
        GlanceFilter { words: some("material"), ..GlanceFilter::default() },
        GlanceFilter { modality: some("pregao"), ..GlanceFilter::default() },
        GlanceFilter { to: some("2024-01-01"), ..GlanceFilter::default() },
    ] {
        store.glance(&filter, true, std::time::Instant::now() + std::time::Duration::from_secs(5), |_| ()).unwrap();
    }
    for filter in [
        InvestigationFilter::default(),
        InvestigationFilter { status: some("active"), ..InvestigationFilter::default() },
        InvestigationFilter { user: some("Ana"), ..InvestigationFilter::default() },
        InvestigationFilter { status: some("active"), user: some("Ana") },
    ] {
        store.investigations(&filter, None, 20).unwrap();
    }
    store.investigation("x").unwrap();
    store.investigation_flags("x").unwrap();
    store.investigation_findings("x", None, 20).unwrap();
    store.read(store::investigations::count_active).unwrap();
    store.quarantined(&QuarantineFilter::default(), 0, 10).unwrap();
    store.quarantine_counts().unwrap();
    store.verdicts("x", 10).unwrap();
    store.verdict_counts().unwrap();
    store.statements("x", 10).unwrap();
    store.ingest_jobs(10).unwrap();
    store.file_seen("x", "", None).unwrap();
    let bell = Bell::default();
    work(&*events::open(store, &Nothing, &bell, None));
}

/// One task from its beginning to its end, and one that fails for good.
fn work(log: &dyn Backend) {
    for key in ["1", "2", "3"] {
        let task = NewTask { topic: "t".into(), key: key.into(), lane: Some("l".into()), body: json!({}) };
        transact(log, |unit| {
            unit.version("s")?;
            unit.stream_after("s", 0)?;
            unit.snapshot("s", 1)?;
            unit.log(0, 10)?;
            unit.enqueue(&task)
        })
        .unwrap();
    }
    let lease = std::time::Duration::from_secs(60);
    let task = log.take(&["t"], "w", lease).unwrap().unwrap();
    assert!(log.renew(&task, "w", lease).unwrap() && log.is_held(&task, "w").unwrap() && log.ack(&task, "w").unwrap());
    let task = log.take(&["t"], "w", lease).unwrap().unwrap();
    assert!(log.fail(&task, "w", "x", Fate::Dead).unwrap());
    assert_eq!(log.dead(0, 10).unwrap().len(), 1);
    assert!(log.replay(task.id).unwrap());
    transact(log, |unit| unit.withdraw("t", "")).unwrap();
    log.stream("s", 0, 10).unwrap();
    log.rows(0, 10).unwrap();
    log.counts().unwrap();
    log.lag("relay").unwrap();
}

fn is_explained(sql: &str) -> bool {
    let reads = ["select", "update", "delete", "insert"].iter().any(|verb| sql.trim_start().starts_with(verb));
    reads && !WHOLE.iter().any(|(begin, _)| sql.trim_start().starts_with(begin))
}

#[test]
fn no_question_reads_a_large_table_of_sqlite_through() {
    let house = House::new();
    let _ = house.ingest(&[&short_sample(&house, 800, 41)]).ends_with(3);
    let path = house.data().join("cidadao.db");
    let store = Store::open(&path, 2).unwrap();
    let heard = store::db::listen::while_doing(|| ask_everything(&store));
    assert!(heard.len() > 80, "{} statements", heard.len());
    let db = rusqlite::Connection::open(&path).unwrap();
    let mut faults = Vec::new();
    for sql in heard.iter().filter(|sql| is_explained(sql)) {
        let mut statement = db.prepare(&format!("explain query plan {sql}")).unwrap();
        let steps: Vec<String> =
            statement.raw_query().mapped(|row| row.get("detail")).map(|step| step.unwrap()).collect();
        for step in steps {
            let scanned = step.strip_prefix("SCAN ").map(|rest| rest.split(' ').next().unwrap().to_owned());
            let Some(alias) = scanned else { continue };
            let by_index = step.contains("USING") || step.contains("VIRTUAL TABLE");
            let table = table_of(sql, &alias);
            if LARGE.contains(&table.as_str()) && !by_index {
                faults.push(format!("{step}: {sql}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The table that goes by this name in a statement.
fn table_of(sql: &str, alias: &str) -> String {
    let words: Vec<&str> = sql.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty()).collect();
    let named = words.windows(2).find(|pair| pair[1] == alias && LARGE.contains(&pair[0]));
    named.map_or_else(|| alias.to_owned(), |pair| pair[0].to_owned())
}

#[test]
fn no_question_reads_a_large_table_of_postgresql_through() {
    let url = PostgresServer::shared().database();
    let house = House::on(&url);
    let _ = house.ingest(&[&short_sample(&house, 800, 41)]).ends_with(3);
    let second = std::time::Duration::from_secs(1);
    let settings = PoolSettings { url: url.clone(), size: 4, statement_timeout: 30 * second, lock_timeout: 5 * second };
    let store = Store::connect(settings, Vec::new()).unwrap();
    let heard = store::db::listen::while_doing(|| ask_everything(&store));
    assert!(heard.len() > 80, "{} statements", heard.len());
    let _ = postgres::ask(&url, "analyze");
    let mut faults = Vec::new();
    for sql in heard.iter().filter(|sql| is_explained(sql)) {
        let text = store::db::dialect::postgres(sql);
        let parameters = (1..40).rev().find(|n| text.contains(&format!("${n}"))).unwrap_or(0);
        let values = if parameters == 0 { String::new() } else { format!("({})", vec!["null"; parameters].join(", ")) };
        let explained = postgres::ask(
            &url,
            &format!(
                "set enable_seqscan = off; set plan_cache_mode = force_generic_plan; prepare p as {text}; explain execute p{values}"
            ),
        );
        assert!(explained.contains("cost="), "not explained: {text}");
        for line in explained.lines().filter(|line| line.contains("Seq Scan on ")) {
            let table = line.split("Seq Scan on ").nth(1).unwrap().split(' ').next().unwrap();
            if LARGE.contains(&table) || table.starts_with("events_") {
                faults.push(format!("{}: {sql}", line.trim()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
