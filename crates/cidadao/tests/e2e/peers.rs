//! What a finding shows of its peers is the group that it was compared with.

use testkit::House;

use super::sample;

#[test]
fn a_small_peer_group_is_shown_whole() {
    let house = House::new();
    let _ = house.ingest(&[&sample(&house, 800, 41)]).ends_with(3);
    let server = house.serve();
    let mut groups = 0;
    for finding in server.walk("findings", 100) {
        let Some(n) = finding["peers"]["n"].as_u64().filter(|n| (1..=200).contains(n)) else { continue };
        let values = finding["peers"]["values"].as_array().map_or(0, Vec::len) as u64;
        // The case itself may stand among its peers without being counted as one (BR22: the other years).
        assert!(values == n || values == n + 1, "{}: {values} values of {n} peers: {}", finding["flag"], finding["id"]);
        groups += 1;
    }
    assert!(groups > 50, "the sample has too few groups: {groups}");
}
