//! What changes something: the same commands under the same authority as by REST.

use app::identity::Account;
use app::{AskInvestigation, CommandKey, GiveVerdict};
use async_graphql::dynamic::{Field, InputValue, TypeRef};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::build::{Types, field};
use super::limits::Cost;
use super::load::json;
use super::refusal::Refusal;
use super::resolve::{Asking, Resolve, one};
use crate::command::key_named;
use crate::problem::Problem;

/// What who calls may do: the account under which it is done, or why not.
pub struct Authority {
    /// Give verdicts and stop investigations.
    pub analyst: Result<Option<Account>, Problem>,
    /// Ask for investigations.
    pub asker: Result<Option<Account>, Problem>,
    /// Under what its use is counted.
    pub payer: String,
}

/// Mutations that cost as much as REST's command does, beyond the one point of a request.
pub const DEAR: [(&str, u32); 1] = [("requestInvestigation", 9)];

/// An argument: its name, REST's name, its type, what it is.
type Argument = (&'static str, &'static str, &'static str, bool, &'static str);

const ASKED: [Argument; 6] = [
    ("question", "question", "String", false, "In Portuguese; its words become filters."),
    ("scope", "scope", "JSON", false, "The filters themselves, as `POST /api/v1/investigations` takes them."),
    ("flags", "flags", "[String!]", false, "Only these flags."),
    ("asOf", "as_of", "String", false, "Judge the facts that stood by this day."),
    ("knownAt", "known_at", "String", false, "Judge what was held at this instant, RFC 3339 with offset."),
    ("who", "who", "String", false, "Who asks, as they say."),
];

const GIVEN: [Argument; 4] = [
    ("verdict", "verdict", "String", true, "`confirmed` or `dismissed`."),
    ("reason", "reason", "String", true, "Why; shown with it."),
    ("who", "who", "String", false, "Who gives it; the account's name, of who has signed in."),
    ("expectedVersion", "expected_version", "Int", false, "How many verdicts the finding had when it was looked at."),
];

/// Adds the root of what changes something.
pub fn add(types: &mut Types<'_>) {
    types.add(
        "Mutation",
        "What changes something. It is done in order; what was done stands when a later one is refused.",
    );
    let request = Resolve::Root(Box::new(|asking| {
        let authority = authority(asking)?;
        let account = authority.asker.clone()?;
        let (asked, key) = read::<AskInvestigation>(asking, &ASKED, "requestInvestigation")?;
        let app = asking.app;
        let answer = app.ask_investigation(asked.signed(account.as_ref())?, key.as_ref())?;
        Ok(one(json(&app.investigation(answer.body["id"].as_str().unwrap_or_default())?)?))
    }));
    let field_of_request = field("requestInvestigation", TypeRef::named("Investigation"))
        .description("Asks for an investigation, by a question or a scope; the work goes on behind the answer.");
    add_one(types, "requestInvestigation", "Investigation", request, with(with_key(field_of_request), &ASKED));
    let cancel = Resolve::Root(Box::new(|asking| {
        authority(asking)?.analyst.clone()?;
        let id = asking.given.text("id").unwrap_or_default();
        let app = asking.app;
        app.cancel_investigation(&id)?;
        Ok(one(json(&app.investigation(&id)?)?))
    }));
    let field_of_cancel = field("cancelInvestigation", TypeRef::named("Investigation"))
        .argument(needed("id"))
        .description("Stops an investigation. It takes an analyst.");
    add_one(types, "cancelInvestigation", "Investigation", cancel, field_of_cancel);
    let give = Resolve::Root(Box::new(|asking| {
        let account = authority(asking)?.analyst.clone()?;
        let finding = asking.given.text("findingId").unwrap_or_default();
        let (given, key) = read::<GiveVerdict>(asking, &GIVEN, &format!("giveVerdict {finding}"))?;
        let answer = asking.app.give_verdict(&finding, &given.signed(account.as_ref())?, key.as_ref())?;
        Ok(one(json(&answer.body)?))
    }));
    let field_of_give = field("giveVerdict", TypeRef::named("Verdict"))
        .argument(needed("findingId"))
        .description("Gives a verdict on a finding. It takes an analyst.");
    add_one(types, "giveVerdict", "Verdict", give, with(with_key(field_of_give), &GIVEN));
}

fn add_one(types: &mut Types<'_>, name: &str, of: &str, answer: Resolve, field: Field) {
    types.field("Mutation", name, Cost::Object(of.to_owned()), answer, field);
}

fn needed(name: &str) -> InputValue {
    InputValue::new(name, TypeRef::named_nn(TypeRef::STRING))
}

fn with(field: Field, arguments: &[Argument]) -> Field {
    arguments.iter().fold(field, |field, (name, _, of, needed, is)| {
        let of = match *of {
            "[String!]" => TypeRef::named_nn_list(TypeRef::STRING),
            of if *needed => TypeRef::named_nn(of),
            of => TypeRef::named(of),
        };
        field.argument(InputValue::new(*name, of).description(*is))
    })
}

fn with_key(field: Field) -> Field {
    let key = InputValue::new("idempotencyKey", TypeRef::named(TypeRef::STRING));
    field.argument(key.description("Names this command: it is done once, however often it comes within 24 hours."))
}

fn authority<'a>(asking: &Asking<'a>) -> Result<&'a Authority, Refusal> {
    asking.by.authority.as_ref().ok_or_else(|| Problem::internal().into())
}

/// The arguments as REST's body, with the key that names the command.
fn read<T: DeserializeOwned>(
    asking: &Asking<'_>,
    arguments: &[Argument],
    command: &str,
) -> Result<(T, Option<CommandKey>), Refusal> {
    let mut body = Map::new();
    for (name, key, ..) in arguments {
        if let Some(value) = asking.given.get(name) {
            let value = value.clone().into_json().unwrap_or_default();
            if !value.is_null() {
                body.insert((*key).to_owned(), value);
            }
        }
    }
    let text = serde_json::to_vec(&body).unwrap_or_default();
    let asked = serde_json::from_value(Value::Object(body)).map_err(|e| Problem::invalid("body", e.to_string()))?;
    let payer = &authority(asking)?.payer;
    let key = asking.given.text("idempotencyKey").map(|key| key_named(&key)).transpose()?;
    let key = key.map(|key| CommandKey {
        command: format!("graphql {command} {payer}"),
        key,
        body_hash: format!("{:032x}", xxhash_rust::xxh3::xxh3_128(&text)),
    });
    Ok((asked, key))
}
