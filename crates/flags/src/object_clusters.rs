//! The derived table `object_clusters`: contracts of one buyer and supplier, made without a tender, that buy much the same.
//!
//! The contracts of a pair are taken in order of signature; each joins the first cluster whose first contract reads like
//! it (exact Jaccard index of five-letter shingles), or begins one. So a cluster is known by its first contract, and later
//! contracts never change to which cluster an earlier one belongs.

use lake::{Cell, Session};

use crate::Result;
use crate::near_pairs::{jaccard, shingles};

/// Objects at least this alike are of one cluster.
const ALIKE_FROM: f64 = 0.6;
/// A pair with more clusters than this compares no further: what comes then begins clusters of its own.
const CLUSTERS_MAX: usize = 500;

/// Makes the temporary table `object_clusters (id, cluster)` for the pairs in `scope`.
pub(crate) fn make(session: &Session) -> Result<()> {
    session.run("create or replace temp table object_clusters (id varchar, cluster varchar)")?;
    let mut pair = String::new();
    let mut leaders: Vec<(String, Vec<u64>)> = Vec::new();
    let mut clusters = session.fill("object_clusters")?;
    session.rows(include_str!("object_rows.sql"), |row| {
        let (Some(of), Some(id), Some(object)) = (row.get("pair"), row.get("id"), row.get("object")) else {
            return Ok(());
        };
        if of != pair {
            of.clone_into(&mut pair);
            leaders.clear();
        }
        let set = shingles(object);
        let known = leaders.iter().find(|(_, first)| jaccard(first, &set) >= ALIKE_FROM).map(|(id, _)| id.clone());
        let cluster = known.unwrap_or_else(|| {
            if leaders.len() < CLUSTERS_MAX {
                leaders.push((id.to_owned(), set));
            }
            id.to_owned()
        });
        clusters.row(&[Cell::Text(id), Cell::Text(&cluster)])
    })?;
    Ok(clusters.finish()?)
}
