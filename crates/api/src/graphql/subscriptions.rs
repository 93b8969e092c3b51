//! What can be followed: the same topics as by WebSocket and server-sent events, each event as a tree of what is asked for.

use async_graphql::dynamic::{
    FieldValue, InputValue, Subscription, SubscriptionField, SubscriptionFieldFuture, TypeRef,
};
use futures_util::stream;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::build::{Types, field};
use super::limits::Cost;
use super::load::Kind;
use super::names::camel;
use super::plan::Planned;
use super::refusal::Refusal;
use super::resolve::{Names, Resolve};
use super::run::text_of;
use super::shapes::{Holds, Parameter, ShapeField};
use crate::live::Named;
use crate::problem::Problem;

/// Fields of every event.
const OF_ALL: [(&str, &str, &str); 4] = [
    ("seq", "Long", "Its place: who comes back gives it as `since`."),
    (
        "type",
        "String",
        "What it is. `gap`: what came behind `data.since` up to here is not told, `data.read` says where to read it.",
    ),
    ("at", "String", "When it happened."),
    ("data", "JSON", "What there is to say of it, as the other doors tell it."),
];

/// Adds the events, and gives the root of what can be followed.
pub fn add(types: &mut Types<'_>, filters: Vec<Parameter>) -> Subscription {
    event(types, "InvestigationEvent", "Something that happened to an investigation.", &[]);
    leads(types, "InvestigationEvent", "investigation", "Investigation", Kind::Investigation, |row| {
        text_of(row, "investigation")
    });
    event(types, "FindingEvent", "A finding that was made (`found`), `changed` or `withdrawn`.", &[]);
    leads(types, "FindingEvent", "finding", "Finding", Kind::Finding, |row| text_of(&row["data"], "id"));
    let of_agents = [
        ("agent", "String", "Who."),
        ("investigation", "String", "The investigation's id."),
        ("flag", "String", "Which flag is judged, of work on flags."),
    ];
    event(types, "AgentEvent", "Work that an agent began, ended, or failed at.", &of_agents);
    let mut root = Subscription::new("Subscription").description(
        "What can be followed, over `/graphql/ws` by the protocol graphql-transport-ws; one field at a time.",
    );
    let id = InputValue::new("id", TypeRef::named_nn(TypeRef::STRING));
    let investigation = followed(types, "investigation", "InvestigationEvent")
        .argument(id)
        .description("What happens to an investigation, from its beginning or behind `since`, until it has ended.");
    let mut findings = followed(types, "findings", "FindingEvent")
        .description("Findings of this kind as they are made, changed or withdrawn, from now on or behind `since`.");
    for filter in filters.into_iter().filter(|filter| filter.key != "sort") {
        let argument = InputValue::new(camel(&filter.key), TypeRef::named(TypeRef::STRING));
        findings = findings.argument(argument.description(filter.description));
    }
    let agents = followed(types, "agents", "AgentEvent").description("What agents do, from now on or behind `since`.");
    for field in [investigation, findings, agents] {
        root = root.field(field);
    }
    root
}

fn event(types: &mut Types<'_>, name: &str, description: &str, further: &[(&str, &'static str, &str)]) {
    types.add(name, description);
    for &(key, kind, description) in OF_ALL.iter().chain(further) {
        let shape = ShapeField {
            key: key.to_owned(),
            name: key.to_owned(),
            description: Some(description.to_owned()),
            holds: Holds::Scalar(kind),
            is_list: false,
            is_id: false,
        };
        types.shape_field(name, &shape, Cost::Scalar);
    }
}

fn leads(types: &mut Types<'_>, on: &str, name: &str, of: &str, kind: Kind, names: Names) {
    let field = field(name, TypeRef::named(of)).description("As it stands when the event is told.");
    types.field(on, name, Cost::Object(of.to_owned()), Resolve::Leads(kind, names), field);
}

fn followed(types: &mut Types<'_>, name: &str, of: &str) -> SubscriptionField {
    types.root_of_events(name, of);
    // The library checks subscriptions; ours tells them.
    let field = SubscriptionField::new(name, TypeRef::named(of), |_| {
        SubscriptionFieldFuture::new(async { Ok(stream::empty::<async_graphql::Result<FieldValue<'static>>>()) })
    });
    let since = InputValue::new("since", TypeRef::named("Long"));
    field.argument(since.description("The `seq` of the last event that was seen."))
}

/// The topic that a root follows, and from where on.
///
/// # Errors
/// There is no such topic.
pub fn topic_of(field: &Planned<'_>, name: &str, filters: &[String]) -> Result<(Named, Option<u64>), Refusal> {
    let since = field.given.text("since");
    let since = since.map(|since| since.parse().map_err(|_| Problem::invalid("since", "not a place")));
    let since = since.transpose()?;
    let (named, since) = match name {
        "investigation" => {
            let id = field.given.text("id").unwrap_or_default();
            (Named::parse(&format!("investigation:{id}"))?, Some(since.unwrap_or(0)))
        }
        "findings" => {
            let given = |key: &String| {
                let value = field.given.text(&camel(key))?;
                Some(format!("{key}={}", utf8_percent_encode(&value, NON_ALPHANUMERIC)))
            };
            let filters: Vec<String> = filters.iter().filter_map(given).collect();
            (Named::parse(&format!("findings?{}", filters.join("&")))?, since)
        }
        _ => (Named::parse(name)?, since),
    };
    Ok((named, since))
}

/// An event as a row.
pub fn row_of(named: &Named, seq: u64, kind: &str, data: &Value) -> Value {
    let id = named.name.strip_prefix("investigation:");
    let of = |key: &str| data[key].clone();
    let investigation = id.map_or_else(|| of("investigation"), Value::from);
    json!({"seq": seq, "type": kind, "at": of("at"), "agent": of("agent"), "flag": of("flag"),
        "investigation": investigation, "data": data})
}
