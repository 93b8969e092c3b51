//! The schema: what can be asked for at the root, and what leads from one record to another.

use std::sync::Arc;

use app::App;
use app::queries::{Below, Owner, PageQuery};
use app::views::List;
use async_graphql::dynamic::{InputValue, Schema, SchemaError, TypeRef};
use serde::Serialize;
use serde_json::Value;

use super::build::{Types, field, first};
use super::limits::{Cost, Costs};
use super::load::{Kind, Loaded, Page, json};
use super::refusal::Refusal;
use super::resolve::{Ask, Asking, Names, Resolve, Resolves, one};
use super::run::text_of;
use super::shapes::Shapes;
use super::{mutations, stats, subscriptions};
use crate::params::{FromParams, Params, short_enough};
use crate::problem::Problem;

/// A list at the root: its name, its type, REST's path, and who answers.
type Asks = fn(&App, Params) -> Result<Page, Refusal>;

fn list<Q: FromParams, T: Serialize>(
    app: &App,
    mut params: Params,
    ask: impl FnOnce(&App, &Q, &PageQuery) -> app::Result<List<T>>,
) -> Result<Page, Refusal> {
    let (query, page) = (Q::read(&mut params)?, PageQuery::read(&mut params)?);
    params.finish()?;
    Page::of(&ask(app, &query, &page)?, page.cursor.is_some())
}

const LISTS: [(&str, &str, &str, Asks); 9] = [
    ("contracts", "Contract", "/api/v1/contracts", |app, params| list(app, params, App::contracts)),
    ("tenders", "Tender", "/api/v1/tenders", |app, params| list(app, params, App::tenders)),
    ("suppliers", "Supplier", "/api/v1/suppliers", |app, params| list(app, params, App::suppliers)),
    ("buyers", "Buyer", "/api/v1/buyers", |app, params| list(app, params, App::buyers)),
    ("findings", "Finding", "/api/v1/findings", |app, params| list(app, params, App::findings)),
    ("flags", "Flag", "/api/v1/flags", |app, params| list(app, params, |app, (): &(), page| app.flags(page))),
    ("sources", "Source", "/api/v1/sources", |app, params| list(app, params, |app, (): &(), page| app.sources(page))),
    ("agents", "Agent", "/api/v1/agents", |app, params| list(app, params, |app, (): &(), page| app.agents(page))),
    ("investigations", "Investigation", "/api/v1/investigations", |app, params| list(app, params, App::investigations)),
];

/// What is made at start.
pub struct Made {
    /// The schema, by which the library checks queries.
    pub schema: Schema,
    /// What its fields cost.
    pub costs: Costs,
    /// How they are answered.
    pub resolves: Resolves,
    /// The filters by which findings are followed, as REST names them.
    pub followed_by: Vec<String>,
}

/// The schema of this program.
///
/// # Errors
/// A type names one that is not there.
pub fn schema() -> Result<Made, SchemaError> {
    let shapes = Shapes::of(&crate::openapi::document());
    let mut types = Types::new(&shapes);
    let stated = [("buyer", "buyerStated"), ("supplier", "supplierStated")];
    for name in ["Contract", "Finding"] {
        types.view(name, &stated);
    }
    for name in [
        "Tender",
        "Supplier",
        "Buyer",
        "Item",
        "Amendment",
        "Bid",
        "Flag",
        "Source",
        "Agent",
        "WhoAmI",
        "Totals",
        "Verdict",
    ] {
        types.view(name, &[]);
    }
    add_investigation(&mut types);
    types.add("Query", "What can be asked for.");
    for (name, of, path, ask) in LISTS {
        add_list(&mut types, &shapes, name, of, path, ask);
    }
    add_below(&mut types);
    add_single(&mut types);
    add_relations(&mut types);
    stats::add(&mut types);
    mutations::add(&mut types);
    let filters = shapes.parameters("/api/v1/findings");
    let followed_by = filters.iter().map(|filter| filter.key.clone()).filter(|key| key != "sort").collect();
    let subscription = subscriptions::add(&mut types, filters);
    let builder = Schema::build("Query", Some("Mutation"), Some("Subscription")).register(subscription);
    let (builder, costs, resolves) = types.finish(builder);
    Ok(Made { schema: builder.disable_suggestions().finish()?, costs, resolves, followed_by })
}

fn text(name: &str) -> InputValue {
    InputValue::new(name, TypeRef::named(TypeRef::STRING))
}

fn id(name: &str) -> InputValue {
    InputValue::new(name, TypeRef::named_nn(TypeRef::STRING))
}

fn after() -> InputValue {
    text("after").description("The cursor of the row before the first, of the same list with the same filters.")
}

/// A question at a root.
fn root(ask: impl Fn(&Asking<'_>) -> Result<Loaded, Refusal> + Send + Sync + 'static) -> Resolve {
    let ask: Ask = Box::new(ask);
    Resolve::Root(ask)
}

/// What was asked stands beside the rest of an investigation in REST, and has no fixed fields.
fn add_investigation(types: &mut Types<'_>) {
    const ASKED: [&str; 7] = ["question", "scope", "flags", "as_of", "known_at", "understood", "not_understood"];
    types.view_as("Investigation", "InvestigationDetail", &[]);
    let asked = Resolve::Made(|row| {
        let given = ASKED.iter().filter_map(|key| Some(((*key).to_owned(), row.get(*key)?.clone())));
        Value::Object(given.collect())
    });
    let field = field("asked", TypeRef::named("JSON"))
        .description("What was asked: question, scope, flags and days, and which words were understood.");
    types.field("Investigation", "asked", Cost::Scalar, asked, field);
}

fn add_list(types: &mut Types<'_>, shapes: &Shapes, name: &str, of: &str, path: &str, ask: Asks) {
    let filters = shapes.parameters(path);
    let names: Vec<(String, String)> = filters.iter().map(|f| (super::names::camel(&f.key), f.key.clone())).collect();
    let connection = types.connection(of);
    let mut field = field(name, TypeRef::named(&connection));
    let answer = root(move |asking| Ok(Loaded::Page(Arc::new(ask(asking.app, asking.given.parameters(&names)?)?))));
    for filter in filters {
        field = field.argument(text(&super::names::camel(&filter.key)).description(filter.description));
    }
    types.field("Query", name, Cost::List(connection), answer, field.argument(first()).argument(after()));
}

/// Lists that REST shows only within what they belong to.
fn add_below(types: &mut Types<'_>) {
    let items = types.connection("Item");
    let answer = root(|asking| {
        let (below, id) = match (asking.given.text("contractId"), asking.given.text("tenderId")) {
            (Some(id), None) => (Below::ItemsOfContract, short_enough(id)?),
            (None, Some(id)) => (Below::ItemsOfTender, short_enough(id)?),
            _ => return Err(Problem::invalid("contract_id", "give one of contractId and tenderId").into()),
        };
        let page = PageQuery::read(&mut asking.given.parameters(&[])?)?;
        let found = asking.app.items_below(below, &id, &page)?;
        Ok(Loaded::Page(Arc::new(Page::of(&found, page.cursor.is_some())?)))
    });
    let field_of_items = field("items", TypeRef::named(&items))
        .description("The items of a contract or of a tender, in the order of their source.")
        .argument(text("contractId"))
        .argument(text("tenderId"));
    let field_of_items = field_of_items.argument(first()).argument(after());
    types.field("Query", "items", Cost::List(items), answer, field_of_items);
    let bids = types.connection("Bid");
    let answer = root(|asking| {
        let id = asking.given.id("tenderId")?;
        let page = PageQuery::read(&mut asking.given.parameters(&[])?)?;
        let found = asking.app.bids_below(&id, &page)?;
        Ok(Loaded::Page(Arc::new(Page::of(&found, page.cursor.is_some())?)))
    });
    let field = field("bids", TypeRef::named(&bids)).description("The bids of a tender, in the order of their source.");
    let field = field.argument(id("tenderId")).argument(first()).argument(after());
    types.field("Query", "bids", Cost::List(bids), answer, field);
}

/// One record by its id, and who calls.
fn add_single(types: &mut Types<'_>) {
    for (name, of, kind) in [
        ("contract", "Contract", Kind::Contract),
        ("tender", "Tender", Kind::Tender),
        ("supplier", "Supplier", Kind::Supplier),
        ("buyer", "Buyer", Kind::Buyer),
    ] {
        let field = field(name, TypeRef::named(of)).argument(id("id"));
        types.field("Query", name, Cost::Object(of.to_owned()), Resolve::ById(kind, name), field);
    }
    type Shows = fn(&App, &str) -> Result<Value, Refusal>;
    let shown: [(&str, &str, &'static str, Shows); 3] = [
        ("finding", "Finding", "id", |app, id| json(&app.finding(id)?)),
        ("flag", "Flag", "code", |app, code| json(&app.flag(code)?)),
        ("investigation", "Investigation", "id", |app, id| json(&app.investigation(id)?)),
    ];
    for (name, of, by, show) in shown {
        let answer = root(move |asking| Ok(one(show(asking.app, &asking.given.id(by)?)?)));
        let field = field(name, TypeRef::named(of)).argument(id(by));
        types.field("Query", name, Cost::Object(of.to_owned()), answer, field);
    }
    let me = field("me", TypeRef::named("WhoAmI")).description("Who calls; null for who gave nothing to be known by.");
    let answer = root(|asking| match &asking.by.me {
        Some(who) => Ok(one(json(who)?)),
        None => Ok(Loaded::Nothing),
    });
    types.field("Query", "me", Cost::Object("WhoAmI".to_owned()), answer, me);
}

fn key(of: &Value, at: &str) -> Option<String> {
    text_of(of, at)
}

fn add_relations(types: &mut Types<'_>) {
    let ones: [(&str, &str, &str, Kind, Names); 9] = [
        ("Contract", "buyer", "Buyer", Kind::Buyer, |row| key(&row["buyer"], "id")),
        ("Contract", "supplier", "Supplier", Kind::Supplier, |row| key(&row["supplier"], "id")),
        ("Contract", "tender", "Tender", Kind::Tender, |row| key(row, "tender_id")),
        ("Tender", "buyer", "Buyer", Kind::Buyer, |row| key(row, "buyer_id")),
        ("Bid", "bidder", "Supplier", Kind::Supplier, |row| key(row, "bidder_id")),
        ("Bid", "tender", "Tender", Kind::Tender, |row| key(row, "tender_id")),
        ("Finding", "buyer", "Buyer", Kind::Buyer, |row| key(&row["buyer"], "id")),
        ("Finding", "supplier", "Supplier", Kind::Supplier, |row| key(&row["supplier"], "id")),
        ("Supplier", "totals", "Totals", Kind::Totals(Owner::Supplier), |row| key(row, "id")),
    ];
    let totals: (&str, &str, &str, Kind, Names) =
        ("Buyer", "totals", "Totals", Kind::Totals(Owner::Buyer), |row| key(row, "id"));
    for (of, name, to, kind, names) in ones.into_iter().chain([totals]) {
        let field = field(name, TypeRef::named(to));
        types.field(of, name, Cost::Object(to.to_owned()), Resolve::Leads(kind, names), field);
    }
    type Many = fn(usize) -> Kind;
    let lists: [(&str, &str, &str, Many); 9] = [
        ("Contract", "findings", "Finding", |n| Kind::Findings(Owner::Contract, n)),
        ("Contract", "items", "Item", |n| Kind::Rows(Below::ItemsOfContract, n)),
        ("Contract", "amendments", "Amendment", |n| Kind::Rows(Below::AmendmentsOfContract, n)),
        ("Tender", "items", "Item", |n| Kind::Rows(Below::ItemsOfTender, n)),
        ("Tender", "bids", "Bid", |n| Kind::Rows(Below::BidsOfTender, n)),
        ("Supplier", "contracts", "Contract", |n| Kind::Contracts(Owner::Supplier, n)),
        ("Supplier", "findings", "Finding", |n| Kind::Findings(Owner::Supplier, n)),
        ("Buyer", "contracts", "Contract", |n| Kind::Contracts(Owner::Buyer, n)),
        ("Buyer", "findings", "Finding", |n| Kind::Findings(Owner::Buyer, n)),
    ];
    for (of, name, to, many) in lists {
        let connection = types.connection(to);
        let field = field(name, TypeRef::named(&connection)).argument(first()).description(first_page_of(to));
        types.field(of, name, Cost::List(connection), Resolve::Below(many), field);
    }
    add_contracts_of_finding(types);
    for (name, of, kind, description) in [
        ("sanctions", "Sanction", Kind::Sanctions, "In public registers: its own, or of the same legal person."),
        ("registrations", "Registration", Kind::Registrations, "What the register of companies says of it."),
        ("partners", "Partner", Kind::Partners, "Who owns or runs it, as that register says; at most 50."),
    ] {
        types.view(of, &[]);
        let field = field(name, TypeRef::named_nn_list(of)).description(description);
        let answer = Resolve::Leads(kind, |row| key(row, "id"));
        types.field("Supplier", name, Cost::Object(of.to_owned()), answer, field);
    }
}

fn first_page_of(of: &str) -> &'static str {
    match of {
        "Contract" => "The newest; `endCursor` goes on at the root's list with this id as its filter.",
        "Finding" => "The gravest open ones; `endCursor` goes on at the root's list with this id as its filter.",
        "Amendment" => "The first, in the order of their source.",
        _ => {
            "The first, in the order of their source; `endCursor` goes on at the root's list with this id as its filter."
        }
    }
}

fn add_contracts_of_finding(types: &mut Types<'_>) {
    let connection = types.connection("Contract");
    let field = field("contracts", TypeRef::named(&connection))
        .description("The contracts that it speaks of, without cursors: all their ids are in `contractIds`.")
        .argument(first());
    types.field("Finding", "contracts", Cost::List(connection), Resolve::ContractsNamed, field);
}
