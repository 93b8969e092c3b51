//! GraphQL with clients that we did not write: Apollo's, graphql-ws and graphql-js of npm.

use serde_json::{Value, json};
use testkit::{House, Server, node};

use super::short_sample;

const SDL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../api/schema.graphql");

fn filled() -> House {
    let house = House::new();
    let _ = house.ingest(&[&short_sample(&house, 600, 47)]).ends_with(3);
    house
}

#[test]
fn what_introspection_tells_is_the_schema_in_its_file() {
    let house = House::new();
    let server = house.serve();
    let types = node::run("schema.mjs", &[server.address(), SDL]);
    assert!(types[0].as_u64().unwrap() > 40, "{types:?}");
}
