//! Communities of a graph by the Leiden method (Traag, Waltman and van Eck 2019), for modularity.
//!
//! Nodes move to the community that gains most, communities are refined so that each hangs together, and the refined ones
//! become the nodes of the next round. What the method draws at random is taken in a fixed order here and the greatest
//! gain is chosen, so the same graph gives the same communities.

use std::collections::{BTreeMap, VecDeque};

/// A gain below this is rounding.
const GAIN_MIN: f64 = 1e-10;
/// Rounds at most; each one ends with fewer nodes, so this is never reached.
const ROUNDS_MAX: usize = 64;

struct Graph {
    /// Neighbours and weights, without loops.
    links: Vec<Vec<(usize, f64)>>,
    /// The weight of all that touches a node, loops counted twice.
    degrees: Vec<f64>,
    /// Twice the weight of all links.
    total: f64,
}

/// The community of each of `nodes` nodes, numbered in the order in which they first appear.
pub(crate) fn communities(nodes: usize, links: &[(usize, usize, f64)]) -> Vec<usize> {
    let mut graph = Graph { links: vec![Vec::new(); nodes], degrees: vec![0.0; nodes], total: 0.0 };
    for &(a, b, weight) in links {
        graph.links[a].push((b, weight));
        graph.links[b].push((a, weight));
        graph.degrees[a] += weight;
        graph.degrees[b] += weight;
        graph.total += 2.0 * weight;
    }
    let mut node_of: Vec<usize> = (0..nodes).collect();
    let mut of: Vec<usize> = (0..nodes).collect();
    for _ in 0..ROUNDS_MAX {
        move_nodes(&graph, &mut of);
        let refined = numbered(&refine(&graph, &of));
        let count = refined.iter().max().map_or(0, |most| most + 1);
        if count == graph.links.len() {
            break;
        }
        let mut parents = vec![0; count];
        for (node, &group) in refined.iter().enumerate() {
            parents[group] = of[node];
        }
        graph = gathered(&graph, &refined, count);
        for node in &mut node_of {
            *node = refined[*node];
        }
        of = numbered(&parents);
    }
    numbered(&node_of.iter().map(|&node| of[node]).collect::<Vec<_>>())
}

fn numbered(groups: &[usize]) -> Vec<usize> {
    let mut numbers = BTreeMap::new();
    groups
        .iter()
        .map(|group| {
            let next = numbers.len();
            *numbers.entry(*group).or_insert(next)
        })
        .collect()
}

/// The weight from a node to each community next to it.
fn weights(graph: &Graph, node: usize, of: &[usize], within: impl Fn(usize) -> bool) -> BTreeMap<usize, f64> {
    let mut weights = BTreeMap::new();
    for &(other, weight) in graph.links[node].iter().filter(|(other, _)| within(*other)) {
        *weights.entry(of[other]).or_insert(0.0) += weight;
    }
    weights
}

fn move_nodes(graph: &Graph, of: &mut [usize]) {
    let mut sums = vec![0.0; of.len()];
    for (node, &group) in of.iter().enumerate() {
        sums[group] += graph.degrees[node];
    }
    let mut waiting: VecDeque<usize> = (0..of.len()).collect();
    let mut waits = vec![true; of.len()];
    while let Some(node) = waiting.pop_front() {
        waits[node] = false;
        let (home, degree) = (of[node], graph.degrees[node]);
        sums[home] -= degree;
        let near = weights(graph, node, of, |_| true);
        let gain = |group: usize, weight: f64| weight - degree * sums[group] / graph.total;
        let mut best = (gain(home, near.get(&home).copied().unwrap_or(0.0)), home);
        for (&group, &weight) in &near {
            let found = gain(group, weight);
            if found > best.0 + GAIN_MIN {
                best = (found, group);
            }
        }
        sums[best.1] += degree;
        of[node] = best.1;
        if best.1 != home {
            for &(other, _) in graph.links[node].iter().filter(|(other, _)| of[*other] != best.1) {
                if !std::mem::replace(&mut waits[other], true) {
                    waiting.push_back(other);
                }
            }
        }
    }
}

/// Within each community, nodes that stand alone join what they are tied to: a part with no tie stays apart.
fn refine(graph: &Graph, of: &[usize]) -> Vec<usize> {
    let mut refined: Vec<usize> = (0..of.len()).collect();
    let mut sums = graph.degrees.clone();
    let mut alone = vec![true; of.len()];
    for node in 0..of.len() {
        if !alone[node] {
            continue;
        }
        let near = weights(graph, node, &refined, |other| of[other] == of[node]);
        let mut best = (GAIN_MIN, node);
        for (&group, &weight) in near.iter().filter(|(group, _)| **group != node) {
            let found = weight - graph.degrees[node] * sums[group] / graph.total;
            if found > best.0 {
                best = (found, group);
            }
        }
        if best.1 != node {
            sums[node] -= graph.degrees[node];
            sums[best.1] += graph.degrees[node];
            refined[node] = best.1;
            (alone[node], alone[best.1]) = (false, false);
        }
    }
    refined
}

fn gathered(graph: &Graph, group_of: &[usize], count: usize) -> Graph {
    let mut links: Vec<BTreeMap<usize, f64>> = vec![BTreeMap::new(); count];
    let mut degrees = vec![0.0; count];
    for (node, &group) in group_of.iter().enumerate() {
        degrees[group] += graph.degrees[node];
        for &(other, weight) in graph.links[node].iter().filter(|(other, _)| group_of[*other] != group) {
            *links[group].entry(group_of[other]).or_insert(0.0) += weight;
        }
    }
    Graph { links: links.into_iter().map(|l| l.into_iter().collect()).collect(), degrees, total: graph.total }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clique(from: usize, size: usize) -> Vec<(usize, usize, f64)> {
        (from..from + size).flat_map(|a| (a + 1..from + size).map(move |b| (a, b, 1.0))).collect()
    }

    #[test]
    fn two_cliques_with_one_link_are_two_communities() {
        let mut links = clique(0, 5);
        links.extend(clique(5, 5));
        links.push((4, 5, 1.0));
        assert_eq!(communities(10, &links), [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
    }

    #[test]
    fn a_ring_of_cliques_falls_into_its_cliques() {
        let mut links: Vec<_> = (0..6).flat_map(|at| clique(at * 5, 5)).collect();
        links.extend((0..6).map(|at| (at * 5 + 4, (at * 5 + 5) % 30, 1.0)));
        assert_eq!(communities(30, &links), (0..30).map(|at| at / 5).collect::<Vec<_>>());
    }

    #[test]
    fn what_has_no_link_stands_alone_and_parts_stay_apart() {
        assert_eq!(communities(3, &[]), [0, 1, 2]);
        assert_eq!(communities(5, &[(0, 1, 3.0), (3, 4, 1.0)]), [0, 0, 1, 2, 2]);
    }

    #[test]
    fn every_community_hangs_together() {
        // Random graphs: from any member every other is reached without leaving the community.
        for seed in 0..40u64 {
            let draw = |a: usize, b: usize| xxhash_rust::xxh3::xxh3_64(format!("{seed} {a} {b}").as_bytes()) % 100;
            let links: Vec<_> = (0..40)
                .flat_map(|a| (a + 1..40).map(move |b| (a, b)))
                .filter(|&(a, b)| draw(a, b) < 7)
                .map(|(a, b)| (a, b, 1.0))
                .collect();
            let of = communities(40, &links);
            for start in 0..40 {
                let (mut reached, mut edge) = (vec![start], vec![start]);
                while let Some(node) = edge.pop() {
                    for &(a, b, _) in &links {
                        let next = if a == node {
                            b
                        } else if b == node {
                            a
                        } else {
                            continue;
                        };
                        if of[next] == of[start] && !reached.contains(&next) {
                            reached.push(next);
                            edge.push(next);
                        }
                    }
                }
                assert_eq!(reached.len(), of.iter().filter(|group| **group == of[start]).count());
            }
        }
    }
}
