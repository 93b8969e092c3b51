//! GraphQL with clients that we did not write: Apollo's and graphql-js of npm.

use testkit::{House, node};

use super::short_sample;

/// The schema, as it was agreed to.
const SDL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../api/schema.graphql");

#[test]
fn what_introspection_tells_is_the_schema_in_its_file() {
    let house = House::new();
    let server = house.serve();
    let types = node::run("schema.mjs", &[server.address(), SDL]);
    assert!(types[0].as_u64().unwrap() > 40, "{types:?}");
}

#[test]
fn apollos_client_walks_pages_names_queries_by_their_hash_and_follows() {
    let house = House::new();
    let _ = house.ingest(&[&short_sample(&house, 600, 47)]).ends_with(3);
    let server = house.serve();
    let said = node::run("apollo.mjs", &[server.address()]);
    assert_eq!(said[0]["contracts"], 10);
    assert!(said[0]["events"].as_u64().unwrap() > 3);
}
