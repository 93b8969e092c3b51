//! The schema: what can be asked for at the root, and what leads from one record to another.

use std::sync::Arc;

use app::App;
use app::queries::{Below, Owner, PageQuery};
use app::views::{List, WhoAmI};
use async_graphql::Value as GraphqlValue;
use async_graphql::dynamic::{
    Field, FieldFuture, FieldValue, InputValue, ResolverContext, Schema, SchemaError, TypeRef,
};
use serde::Serialize;
use serde_json::Value;

use super::build::{Types, first};
use super::limits::{Cost, Costs};
use super::load::{Kind, Loaded, Page, json};
use super::refusal::Refusal;
use super::shapes::Shapes;
use super::values::{loads, or_nothing, row, text_of};
use super::{mutations, stats};
use crate::params::{FromParams, Params};
use crate::problem::Problem;

/// What may not be kept for others: it is someone's own, or changes without an event that the kept answers hear.
pub const NEVER_KEPT: [&str; 3] = ["me", "investigations", "investigation"];

/// A list at the root: its name, its type, REST's path, and who answers.
type Asks = fn(&App, Params) -> Result<Page, Refusal>;

/// Who calls, for `me`.
pub struct Me(pub Option<WhoAmI>);

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

/// The schema of this program, and what its fields cost.
///
/// # Errors
/// A type names one that is not there.
pub fn schema() -> Result<(Schema, Costs), SchemaError> {
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
    let (builder, costs) = types.finish(Schema::build("Query", Some("Mutation"), None));
    Ok((builder.disable_suggestions().finish()?, costs))
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

/// An argument, as a parameter is written.
pub fn argument(context: &ResolverContext<'_>, name: &str) -> Option<String> {
    match context.args.get(name)?.as_value() {
        GraphqlValue::String(text) => Some(text.clone()),
        GraphqlValue::Number(number) => Some(number.to_string()),
        GraphqlValue::Boolean(is) => Some(is.to_string()),
        _ => None,
    }
}

/// The arguments as REST's parameters.
fn parameters(context: &ResolverContext<'_>, names: &[(String, String)]) -> Result<Params, Refusal> {
    let pages = [("first", "limit"), ("after", "cursor")].map(|(name, key)| (name.to_owned(), key.to_owned()));
    let given = names.iter().chain(&pages);
    let given = given.filter_map(|(name, key)| argument(context, name).map(|value| (key.clone(), value)));
    Ok(Params::new(given.collect())?)
}

/// The findings that a page shows, told to who keeps answers.
fn speak_of(context: &ResolverContext<'_>, of: &str, page: &Page) -> Result<(), Refusal> {
    if of == "Finding" {
        loads(context)?.speaks_of(page.rows.iter().map(|row| &**row));
    }
    Ok(())
}

/// What was asked stands beside the rest of an investigation in REST, and has no fixed fields.
fn add_investigation(types: &mut Types<'_>) {
    const ASKED: [&str; 7] = ["question", "scope", "flags", "as_of", "known_at", "understood", "not_understood"];
    types.view_as("Investigation", "InvestigationDetail", &[]);
    let field = Field::new("asked", TypeRef::named("JSON"), |context| {
        let asked = row(context.parent_value).map(|row| {
            let given = ASKED.iter().filter_map(|key| Some(((*key).to_owned(), row.get(*key)?.clone())));
            Value::Object(given.collect())
        });
        FieldFuture::from_value(asked.and_then(|asked| GraphqlValue::from_json(asked).ok()))
    });
    let field = field.description("What was asked: question, scope, flags and days, and which words were understood.");
    types.field("Investigation", "asked", Cost::Scalar, field);
}

fn add_list(types: &mut Types<'_>, shapes: &Shapes, name: &str, of: &'static str, path: &str, ask: Asks) {
    let filters = shapes.parameters(path);
    let names: Vec<(String, String)> = filters.iter().map(|f| (super::names::camel(&f.key), f.key.clone())).collect();
    let connection = types.connection(of);
    let mut field = Field::new(name, TypeRef::named(&connection), move |context| {
        let names = names.clone();
        FieldFuture::new(async move {
            let answered = (|| {
                let params = parameters(&context, &names)?;
                let page = ask(loads(&context)?.app(), params)?;
                speak_of(&context, of, &page)?;
                Ok(Some(FieldValue::owned_any(Arc::new(page))))
            })();
            or_nothing(&context, answered)
        })
    });
    for filter in filters {
        field = field.argument(text(&super::names::camel(&filter.key)).description(filter.description));
    }
    types.field("Query", name, Cost::List(connection), field.argument(first()).argument(after()));
}

/// Lists that REST shows only within what they belong to.
fn add_below(types: &mut Types<'_>) {
    let items = types.connection("Item");
    let field = Field::new("items", TypeRef::named(&items), |context| {
        FieldFuture::new(async move {
            let answered = (|| {
                let (below, id) = match (argument(&context, "contractId"), argument(&context, "tenderId")) {
                    (Some(id), None) => (Below::ItemsOfContract, id),
                    (None, Some(id)) => (Below::ItemsOfTender, id),
                    _ => return Err(Problem::invalid("contract_id", "give one of contractId and tenderId").into()),
                };
                let mut params = parameters(&context, &[])?;
                let page = PageQuery::read(&mut params)?;
                let found = loads(&context)?.app().items_below(below, &id, &page)?;
                Ok(Some(FieldValue::owned_any(Arc::new(Page::of(&found, page.cursor.is_some())?))))
            })();
            or_nothing(&context, answered)
        })
    });
    let field = field.description("The items of a contract or of a tender, in the order of their source.");
    let field = field.argument(text("contractId")).argument(text("tenderId")).argument(first()).argument(after());
    types.field("Query", "items", Cost::List(items), field);
    let bids = types.connection("Bid");
    let field = Field::new("bids", TypeRef::named(&bids), |context| {
        FieldFuture::new(async move {
            let answered = (|| {
                let id = argument(&context, "tenderId").unwrap_or_default();
                let mut params = parameters(&context, &[])?;
                let page = PageQuery::read(&mut params)?;
                let found = loads(&context)?.app().bids_below(&id, &page)?;
                Ok(Some(FieldValue::owned_any(Arc::new(Page::of(&found, page.cursor.is_some())?))))
            })();
            or_nothing(&context, answered)
        })
    });
    let field = field.description("The bids of a tender, in the order of their source.");
    types.field("Query", "bids", Cost::List(bids), field.argument(id("tenderId")).argument(first()).argument(after()));
}

/// One record by its id, and who calls.
fn add_single(types: &mut Types<'_>) {
    for (name, of, kind) in [
        ("contract", "Contract", Kind::Contract),
        ("tender", "Tender", Kind::Tender),
        ("supplier", "Supplier", Kind::Supplier),
        ("buyer", "Buyer", Kind::Buyer),
    ] {
        let field = Field::new(name, TypeRef::named(of), move |context| {
            FieldFuture::new(async move {
                let id = argument(&context, "id").unwrap_or_default();
                let answered = match one(&context, kind, id.clone()).await {
                    Ok(None) => Err(Problem::not_found(format!("{name} `{id}` is not held")).into()),
                    answered => answered,
                };
                or_nothing(&context, answered)
            })
        });
        types.field("Query", name, Cost::Object(of.to_owned()), field.argument(id("id")));
    }
    type Shows = fn(&App, &str) -> Result<Value, Refusal>;
    let shown: [(&'static str, &str, &'static str, Shows); 3] = [
        ("finding", "Finding", "id", |app, id| json(&app.finding(id)?)),
        ("flag", "Flag", "code", |app, code| json(&app.flag(code)?)),
        ("investigation", "Investigation", "id", |app, id| json(&app.investigation(id)?)),
    ];
    for (name, of, by, show) in shown {
        let field = Field::new(name, TypeRef::named(of), move |context| {
            FieldFuture::new(async move {
                let answered = (|| {
                    let loads = loads(&context)?;
                    let found = show(loads.app(), &argument(&context, by).unwrap_or_default())?;
                    if of == "Finding" {
                        loads.speaks_of(std::iter::once(&found));
                    }
                    Ok(Some(FieldValue::owned_any(found)))
                })();
                or_nothing(&context, answered)
            })
        });
        types.field("Query", name, Cost::Object(of.to_owned()), field.argument(id(by)));
    }
    let me = Field::new("me", TypeRef::named("WhoAmI"), |context| {
        FieldFuture::new(async move {
            let who = context.ctx.data_opt::<Me>().and_then(|me| me.0.as_ref());
            or_nothing(&context, who.map(|who| json(who).map(FieldValue::owned_any)).transpose())
        })
    });
    types.field(
        "Query",
        "me",
        Cost::Object("WhoAmI".to_owned()),
        me.description("Who calls; null for who gave nothing to be known by."),
    );
}

async fn one<'a>(context: &ResolverContext<'a>, kind: Kind, id: String) -> Result<Option<FieldValue<'a>>, Refusal> {
    Ok(match loads(context)?.ask(kind, id).await? {
        Loaded::One(found) => Some(FieldValue::owned_any(found)),
        Loaded::Page(found) => Some(FieldValue::owned_any(found)),
        Loaded::Rows(found) => Some(FieldValue::list(found.iter().map(|row| FieldValue::owned_any(Arc::clone(row))))),
        Loaded::Nothing => None,
    })
}

/// Where a row names what it leads to.
type Names = fn(&Value) -> Option<String>;

fn key(of: &Value, at: &str) -> Option<String> {
    text_of(Some(of), at)
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
        let field = Field::new(name, TypeRef::named(to), move |context| {
            let Some(id) = row(context.parent_value).and_then(names) else { return FieldFuture::Value(None) };
            FieldFuture::new(async move {
                let found = one(&context, kind, id).await;
                or_nothing(&context, found)
            })
        });
        types.field(of, name, Cost::Object(to.to_owned()), field);
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
        let field = Field::new(name, TypeRef::named(&connection), move |context| {
            let id = row(context.parent_value).and_then(|row| key(row, "id"));
            FieldFuture::new(async move {
                let found = match (id, how_many(&context)) {
                    (Some(id), Ok(n)) => one(&context, many(n), id).await,
                    (None, _) => Ok(None),
                    (_, Err(refusal)) => Err(refusal),
                };
                or_nothing(&context, found)
            })
        });
        types.field(of, name, Cost::List(connection), field.argument(first()).description(first_page_of(to)));
    }
    add_contracts_of_finding(types);
    for (name, of, kind, description) in [
        ("sanctions", "Sanction", Kind::Sanctions, "In public registers: its own, or of the same legal person."),
        ("registrations", "Registration", Kind::Registrations, "What the register of companies says of it."),
        ("partners", "Partner", Kind::Partners, "Who owns or runs it, as that register says; at most 50."),
    ] {
        types.view(of, &[]);
        let field = Field::new(name, TypeRef::named_nn_list(of), move |context| {
            let Some(id) = row(context.parent_value).and_then(|row| key(row, "id")) else {
                return FieldFuture::Value(None);
            };
            FieldFuture::new(async move {
                let found = one(&context, kind, id).await;
                or_nothing(&context, found)
            })
        });
        types.field("Supplier", name, Cost::Object(of.to_owned()), field.description(description));
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

/// How many rows are asked for, refused as REST refuses it.
fn how_many(context: &ResolverContext<'_>) -> Result<usize, Refusal> {
    let page = PageQuery::read(&mut parameters(context, &[])?)?;
    Ok(page.limit.unwrap_or_default().get())
}

fn add_contracts_of_finding(types: &mut Types<'_>) {
    let connection = types.connection("Contract");
    let field = Field::new("contracts", TypeRef::named(&connection), |context| {
        let ids: Vec<String> = row(context.parent_value)
            .and_then(|row| row["contract_ids"].as_array())
            .into_iter()
            .flatten()
            .filter_map(|id| id.as_str().map(str::to_owned))
            .collect();
        FieldFuture::new(async move {
            let found = contracts_named(&context, ids).await;
            or_nothing(&context, found)
        })
    });
    let field = field
        .description("The contracts that it speaks of, without cursors: all their ids are in `contractIds`.")
        .argument(first());
    types.field("Finding", "contracts", Cost::List(connection), field);
}

async fn contracts_named<'a>(
    context: &ResolverContext<'a>,
    ids: Vec<String>,
) -> Result<Option<FieldValue<'a>>, Refusal> {
    let (n, loads) = (how_many(context)?, loads(context)?);
    let has_next = ids.len() > n;
    let asked = ids.into_iter().take(n).map(|id| loads.ask(Kind::Contract, id));
    let mut page = Page { has_next, ..Page::default() };
    for found in futures_util::future::join_all(asked).await {
        if let Loaded::One(contract) = found? {
            page.rows.push(contract);
        }
    }
    Ok(Some(FieldValue::owned_any(Arc::new(page))))
}
