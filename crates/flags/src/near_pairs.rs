//! The derived table `near_pairs`: contracts of one buyer and supplier whose objects read almost the same.
//!
//! Contracts of a pair are sorted by value and compared with those whose value lies within 1 % and whose signature at
//! most 90 days away. Their similarity is the exact Jaccard index of the sets of five-letter shingles of the folded text:
//! with so few candidates there is nothing to gain from estimating it. Rows come in lots, so memory stays flat.

use chrono::NaiveDate;
use lake::{Cell, Session, TableWriter, TextRow};
use model::Money;

use crate::Result;

/// Letters of a shingle.
const SHINGLE_LENGTH: usize = 5;
/// Pairs less alike than this are not kept.
const KEPT_FROM: f64 = 0.5;

/// Contracts read at once, about.
const LOT_ROWS: i64 = 100_000;
/// The greatest distance between two signatures.
const DAYS_MAX: i64 = 90;

/// A contract that could have a near-duplicate.
struct Candidate {
    id: String,
    object: String,
    value: Money,
    signed_on: NaiveDate,
}

/// Makes the temporary table `near_pairs (earlier, later, days, similarity)` for the pairs in `scope`.
pub(crate) fn make(session: &Session) -> Result<()> {
    session.run(
        "create or replace temp table near_pairs (earlier varchar, later varchar, days integer, similarity double)",
    )?;
    let rows = session.count(
        "select count(*) from contracts where in_scope(buyer_id || '|' || coalesce(supplier_root, supplier_id))",
    )?;
    let parts = rows / LOT_ROWS + 1;
    let select = include_str!("near_rows.sql").replace("$parts", &parts.to_string());
    session.run(&format!("create or replace temp table near_rows as {select}"))?;
    let mut pairs = session.fill("near_pairs")?;
    for part in 0..parts {
        let mut pair = String::new();
        let mut group: Vec<Candidate> = Vec::new();
        session.rows(
            &format!(
                "select pair, id, object, signed_on, value from near_rows where part = {part} order by pair, value, id"
            ),
            |row| {
                if row.get("pair") != Some(pair.as_str()) {
                    compare(&group, &mut pairs)?;
                    group.clear();
                    row.get("pair").unwrap_or_default().clone_into(&mut pair);
                }
                group.extend(candidate(row));
                Ok(())
            },
        )?;
        compare(&group, &mut pairs)?;
    }
    pairs.finish()?;
    session.run("drop table near_rows")?;
    Ok(())
}

fn candidate(row: &TextRow) -> Option<Candidate> {
    Some(Candidate {
        id: row.get("id")?.to_owned(),
        object: row.get("object")?.to_owned(),
        value: Money::parse(row.get("value")?).ok()?,
        signed_on: model::dates::parse_iso(row.get("signed_on")?).ok()?,
    })
}

/// Compares the contracts of one pair, which come sorted by value.
fn compare(group: &[Candidate], pairs: &mut TableWriter<'_>) -> lake::Result<()> {
    let mut memo = Shingled::default();
    for (at, low) in group.iter().enumerate() {
        // Of two values within 1 % of either, the greater is the wider bound.
        let near =
            |high: &&Candidate| (high.value.scaled() - low.value.scaled()).saturating_mul(100) <= high.value.scaled();
        for high in group[at + 1..].iter().take_while(near) {
            let (earlier, later) =
                if (low.signed_on, &low.id) < (high.signed_on, &high.id) { (low, high) } else { (high, low) };
            let days = (later.signed_on - earlier.signed_on).num_days();
            let gap = (later.value.scaled() - earlier.value.scaled()).abs().saturating_mul(100);
            if days > DAYS_MAX || gap > earlier.value.scaled() {
                continue;
            }
            let similarity = memo.similarity(&low.object, &high.object);
            if similarity >= KEPT_FROM {
                pairs.row(&[
                    Cell::Text(&earlier.id),
                    Cell::Text(&later.id),
                    Cell::Whole(days),
                    Cell::rounded(similarity, 6),
                ])?;
            }
        }
    }
    Ok(())
}

/// Remembers the shingles of the last left text: it is compared with several.
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

pub(crate) fn shingles(text: &str) -> Vec<u64> {
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
pub(crate) fn jaccard(a: &[u64], b: &[u64]) -> f64 {
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
