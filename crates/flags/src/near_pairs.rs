//! The derived table `near_pairs`: contracts of one buyer and supplier whose objects read almost the same.
//!
//! Candidates come from SQL (same source and pair, value within 1 %, at most 90 days apart; value buckets keep the join
//! small). Their similarity is the exact Jaccard index of the sets of five-letter shingles of the folded text: with so
//! few candidates there is nothing to gain from estimating it.

use lake::{Literal, Session};

use crate::Result;

/// Letters of a shingle.
const SHINGLE_LENGTH: usize = 5;
/// Pairs less alike than this are not kept.
const KEPT_FROM: f64 = 0.5;
/// Pairs are written in lots of this many.
const LOT: usize = 2_000;

/// Makes the temporary table `near_pairs (earlier, later, days, similarity)` for the pairs in `scope`.
pub(crate) fn make(session: &Session) -> Result<()> {
    session.run("create or replace temp table near_pairs (earlier varchar, later varchar, days integer, similarity double)")?;
    let mut lot: Vec<String> = Vec::new();
    let mut memo = Shingled::default();
    session.rows(include_str!("near_candidates.sql"), |row| {
        let text = |name: &str| row.get(name).unwrap_or_default();
        let similarity = memo.similarity(text("earlier_object"), text("later_object"));
        if similarity >= KEPT_FROM {
            let id = |name: &str| Literal::Text(text(name).to_owned()).sql();
            lot.push(format!("({}, {}, {}, {similarity:.6})", id("earlier"), id("later"), text("days")));
            if lot.len() >= LOT {
                write(session, &mut lot)?;
            }
        }
        Ok(())
    })?;
    write(session, &mut lot)?;
    Ok(())
}

fn write(session: &Session, lot: &mut Vec<String>) -> lake::Result<()> {
    if lot.is_empty() {
        return Ok(());
    }
    session.run(&format!("insert into near_pairs values {}", lot.join(",")))?;
    lot.clear();
    Ok(())
}

/// Remembers the shingles of the last left text: candidates come sorted by it.
#[derive(Default)]
struct Shingled {
    text: String,
    shingles: Vec<u64>,
}

impl Shingled {
    fn similarity(&mut self, left: &str, right: &str) -> f64 {
        if left == right {
            return 1.0;
        }
        if self.text != left {
            left.clone_into(&mut self.text);
            self.shingles = shingles(left);
        }
        jaccard(&self.shingles, &shingles(right))
    }
}

fn shingles(text: &str) -> Vec<u64> {
    let folded = model::text::normal_name(text);
    let letters = folded.as_bytes();
    let mut hashes: Vec<u64> = if letters.len() <= SHINGLE_LENGTH {
        vec![xxhash_rust::xxh3::xxh3_64(letters)]
    } else {
        letters.windows(SHINGLE_LENGTH).map(xxhash_rust::xxh3::xxh3_64).collect()
    };
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

/// |A ∩ B| / |A ∪ B| of two sorted sets.
fn jaccard(a: &[u64], b: &[u64]) -> f64 {
    let (mut i, mut j, mut common) = (0, 0, 0usize);
    while i < a.len() && j < b.len() {
        match a[i].cmp(&b[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                common += 1;
                i += 1;
                j += 1;
            }
        }
    }
    let union = a.len() + b.len() - common;
    if union == 0 { 0.0 } else { common as f64 / union as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similarity_is_the_jaccard_index_of_shingles() {
        let mut memo = Shingled::default();
        assert_eq!(memo.similarity("Serviço de LIMPEZA", "servico de limpeza"), 1.0);
        assert_eq!(memo.similarity("abcdef", "uvwxyz"), 0.0);
        // abcde bcdef | bcdef cdefg: one of three.
        assert!((memo.similarity("abcdef", "bcdefg") - 1.0 / 3.0).abs() < 1e-12);
    }
}
