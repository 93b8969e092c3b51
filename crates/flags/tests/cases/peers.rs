//! What is drawn of a peer group is the group.

use super::each_flag;

#[test]
fn a_small_peer_group_is_given_whole() {
    let (mut groups, mut faults) = (0, Vec::new());
    for (flag, cases) in each_flag() {
        for case in &cases {
            for finding in case.findings(&flag) {
                let Some(n) = finding["peers"]["n"].as_u64().filter(|n| (1..=200).contains(n)) else { continue };
                let values = finding["peers"]["values"].as_array().map_or(0, Vec::len) as u64;
                groups += 1;
                // The case itself may stand among its peers without being counted as one (BR22: the other years).
                if values != n && values != n + 1 {
                    faults.push(format!("{} \"{}\": {values} values of {n} peers", flag.code, case.name));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{} of {groups}:\n{}", faults.len(), faults.join("\n"));
    assert!(groups > 100, "the cases hold too few groups: {groups}");
}
