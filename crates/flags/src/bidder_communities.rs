//! The derived tables `bidder_communities` and `community_members`: rivals that meet again and again, and how their wins
//! follow one another.
//!
//! In each market, bidders are the nodes of a graph; two are linked by the tenders in which both bid for one lot, from two
//! on. Communities come from [`crate::leiden`]. A community's row of wins holds the tenders in which two members or more met for a
//! lot and one member alone won such lots, by day. Repeats are neighbours in that row with one winner. The p-value is
//! the share of [`SHUFFLES`] shuffles of the row, seeded by market and members, with as few repeats or fewer.

use std::collections::{BTreeMap, BTreeSet};

use lake::{Cell, Session, TableWriter, TextRow};

use crate::Result;
use crate::leiden::communities;

/// Bids read at once, about.
const PART_ROWS: i64 = 200_000;
/// Meetings from which two bidders are linked.
const MEETINGS_MIN: usize = 2;
/// For a lot that more bid for than this, nobody is linked: an open contest, and the pairs grow with its square.
const RIVALS_MAX: usize = 60;
/// Shuffles of a row of wins.
const SHUFFLES: u32 = 9_999;

/// One tender of a market: its day, its source and for each lot the bidders and whether they won.
#[derive(Default)]
struct Contest {
    day: Option<String>,
    source: String,
    lots: BTreeMap<String, Vec<(usize, Option<bool>)>>,
}

/// A market: its bidders and its tenders.
#[derive(Default)]
struct Market {
    bidders: Vec<(String, String)>,
    place: BTreeMap<String, usize>,
    contests: BTreeMap<String, Contest>,
}

/// The tables that are filled.
struct Tables<'a> {
    communities: TableWriter<'a>,
    members: TableWriter<'a>,
    tenders: TableWriter<'a>,
}

/// Makes the temporary tables for the markets in `scope`.
pub(crate) fn make(session: &Session) -> Result<()> {
    session.run(
        "create or replace temp table bidder_communities (subject_id varchar, market varchar, source varchar, members integer,
           met integer, undecided integer, undated integer, outside integer, shared integer, wins integer, entropy double,
           repeats integer, expected double, p double, first_on date, last_on date);
         create or replace temp table community_members (subject_id varchar, market varchar, bidder varchar, name varchar, wins integer);
         create or replace temp table community_tenders (subject_id varchar, tender_id varchar)",
    )?;
    let parts = session.count("select count(*) from bids")? / PART_ROWS + 1;
    let select = include_str!("rival_rows.sql").replace("$parts", &parts.to_string());
    session.run(&format!("create or replace temp table rival_rows as {select}"))?;
    let mut tables = Tables {
        communities: session.fill("bidder_communities")?,
        members: session.fill("community_members")?,
        tenders: session.fill("community_tenders")?,
    };
    for part in 0..parts {
        let mut markets: BTreeMap<String, Market> = BTreeMap::new();
        let sql = format!("select * from rival_rows where part = {part} order by market, bidder, tender_id, lot");
        session.rows(&sql, |row| {
            let market = row.get("market").unwrap_or_default();
            if !markets.contains_key(market) {
                markets.insert(market.to_owned(), Market::default());
            }
            if let Some(market) = markets.get_mut(market) {
                market.take(row);
            }
            Ok(())
        })?;
        for (name, market) in &markets {
            market.write(&mut tables, name)?;
        }
    }
    for table in [tables.communities, tables.members, tables.tenders] {
        table.finish()?;
    }
    session.run("drop table rival_rows")?;
    Ok(())
}

impl Market {
    fn take(&mut self, row: &TextRow) {
        let text = |name: &str| row.get(name).unwrap_or_default().to_owned();
        let next = self.bidders.len();
        let at = *self.place.entry(text("bidder")).or_insert(next);
        if at == next {
            self.bidders.push((text("bidder"), text("name")));
        }
        let contest = self.contests.entry(text("tender_id")).or_default();
        contest.day = row.get("day").map(str::to_owned);
        contest.source = text("source");
        contest.lots.entry(text("lot")).or_default().push((at, row.get("won").map(|won| won == "y")));
    }

    fn links(&self) -> Vec<(usize, usize, f64)> {
        let mut meetings: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for contest in self.contests.values() {
            let mut pairs = BTreeSet::new();
            for lot in contest.lots.values().filter(|lot| lot.len() <= RIVALS_MAX) {
                for (at, &(a, _)) in lot.iter().enumerate() {
                    pairs.extend(lot[at + 1..].iter().map(|&(b, _)| (a.min(b), a.max(b))));
                }
            }
            for pair in pairs {
                *meetings.entry(pair).or_default() += 1;
            }
        }
        let linked = meetings.into_iter().filter(|(_, count)| *count >= MEETINGS_MIN);
        linked.map(|((a, b), count)| (a, b, count as f64)).collect()
    }

    fn write(&self, tables: &mut Tables<'_>, name: &str) -> lake::Result<()> {
        let of = communities(self.bidders.len(), &self.links());
        let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (bidder, &community) in of.iter().enumerate() {
            members.entry(community).or_default().push(bidder);
        }
        for members in members.values().filter(|members| members.len() > 1) {
            self.write_community(tables, name, members)?;
        }
        Ok(())
    }

    fn write_community(&self, tables: &mut Tables<'_>, market: &str, members: &[usize]) -> lake::Result<()> {
        let row = self.row_of(members);
        let subject = format!("{}|{market}", self.bidders[members[0]].0);
        let mut wins = vec![0u32; members.len()];
        for (_, _, winner) in &row.wins {
            wins[*winner] += 1;
        }
        let winners: Vec<usize> = row.wins.iter().map(|(_, _, winner)| *winner).collect();
        let seed = xxhash_rust::xxh3::xxh3_64(format!("{subject}\u{1f}{members:?}").as_bytes());
        let chance = shuffled(&winners, seed);
        let n = winners.len() as f64;
        let repeated = wins.iter().map(|w| f64::from(*w) * (f64::from(*w) - 1.0)).sum::<f64>();
        let day = |place: Option<&'_ (String, String, usize)>| place.map(|(day, _, _)| day.clone());
        let (first, last) = (day(row.wins.first()), day(row.wins.last()));
        tables.communities.row(&[
            Cell::Text(&subject),
            Cell::Text(market),
            Cell::Text(&row.source),
            Cell::count(members.len()),
            Cell::count(row.met),
            Cell::count(row.undecided),
            Cell::count(row.undated),
            Cell::count(row.outside),
            Cell::count(row.shared),
            Cell::count(winners.len()),
            Cell::rounded(entropy(&wins), 9),
            Cell::count(repeats(&winners)),
            Cell::rounded(if n > 0.0 { repeated / n } else { 0.0 }, 9),
            Cell::rounded(chance, 9),
            Cell::text(first.as_deref()),
            Cell::text(last.as_deref()),
        ])?;
        for (member, wins) in members.iter().zip(&wins) {
            let (bidder, name) = &self.bidders[*member];
            let cells = [Cell::Text(&subject), Cell::Text(market), Cell::Text(bidder), Cell::Text(name)];
            tables.members.row(&[cells.as_slice(), &[Cell::Whole(i64::from(*wins))]].concat())?;
        }
        for (_, tender, _) in &row.wins {
            tables.tenders.row(&[Cell::Text(&subject), Cell::Text(tender)])?;
        }
        Ok(())
    }

    /// The row of wins of a community, by day, and what does not stand in it.
    fn row_of(&self, members: &[usize]) -> WinRow {
        let mut row = WinRow::default();
        let member = |bidder: usize| members.binary_search(&bidder).ok();
        for (tender, contest) in &self.contests {
            let met: Vec<_> = contest
                .lots
                .values()
                .filter(|lot| lot.iter().filter(|(bidder, _)| member(*bidder).is_some()).count() > 1)
                .collect();
            if met.is_empty() {
                continue;
            }
            row.met += 1;
            row.source.clone_from(&contest.source);
            let bids = || met.iter().flat_map(|lot| lot.iter());
            let winners: BTreeSet<usize> =
                bids().filter(|(_, won)| *won == Some(true)).filter_map(|(bidder, _)| member(*bidder)).collect();
            let outside = bids().any(|(bidder, won)| *won == Some(true) && member(*bidder).is_none());
            let unknown = bids().any(|(bidder, won)| won.is_none() && member(*bidder).is_some());
            match (winners.len(), unknown, &contest.day) {
                (_, true, _) => row.undecided += 1,
                (1, false, Some(day)) => row.wins.extend(winners.first().map(|w| (day.clone(), tender.clone(), *w))),
                (1, false, None) => row.undated += 1,
                (0, false, _) if outside => row.outside += 1,
                (0, false, _) => {}
                _ => row.shared += 1,
            }
        }
        row.wins.sort();
        row
    }
}

/// The wins of a community in order, and what is left out of them.
#[derive(Default)]
struct WinRow {
    source: String,
    met: usize,
    undecided: usize,
    undated: usize,
    /// Tenders that only others won.
    outside: usize,
    /// Tenders that several members won lots of.
    shared: usize,
    /// Day, tender, winner's place among the members.
    wins: Vec<(String, String, usize)>,
}

/// −Σ p ln p ÷ ln(members); 1 where all won alike.
fn entropy(wins: &[u32]) -> f64 {
    let n: f64 = wins.iter().map(|w| f64::from(*w)).sum();
    if n == 0.0 || wins.len() < 2 {
        return 0.0;
    }
    let sum: f64 = wins.iter().filter(|w| **w > 0).map(|w| f64::from(*w) / n).map(|p| -p * p.ln()).sum();
    sum / (wins.len() as f64).ln()
}

fn repeats(winners: &[usize]) -> usize {
    winners.windows(2).filter(|two| two[0] == two[1]).count()
}

/// The chance of as few repeats or fewer, were the same wins to come in any order.
fn shuffled(winners: &[usize], seed: u64) -> f64 {
    let seen = repeats(winners);
    let mut row = winners.to_vec();
    let mut state = seed;
    let mut as_few = 0u32;
    for _ in 0..SHUFFLES {
        for at in (1..row.len()).rev() {
            row.swap(at, draw(&mut state, at + 1));
        }
        as_few += u32::from(repeats(&row) <= seen);
    }
    f64::from(as_few + 1) / f64::from(SHUFFLES + 1)
}

/// A number below `below` (SplitMix64).
fn draw(state: &mut u64, below: usize) -> usize {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^= mixed >> 31;
    usize::try_from((u128::from(mixed) * below as u128) >> 64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wins_shared_alike_have_full_entropy() {
        assert!((entropy(&[4, 4, 4]) - 1.0).abs() < 1e-12);
        assert!((entropy(&[2, 2, 0, 0]) - 0.5).abs() < 1e-12);
        assert_eq!(entropy(&[5, 0]), 0.0);
        assert_eq!(entropy(&[0, 0]), 0.0);
    }

    #[test]
    fn the_chance_of_taking_turns_is_near_the_exact_one() {
        // Six wins each, never twice in a row: 2 of C(12, 6) = 924 orders.
        let turns: Vec<usize> = (0..12).map(|at| at % 2).collect();
        let p = shuffled(&turns, 1);
        assert!((p - 2.0 / 924.0).abs() < 0.002, "{p}");
        assert_eq!(p, shuffled(&turns, 1));
        // One after the other in blocks: as many repeats as there can be.
        let blocks: Vec<usize> = (0..12).map(|at| at / 6).collect();
        assert_eq!(shuffled(&blocks, 1), 1.0);
        assert_eq!(shuffled(&[], 1), 1.0);
    }
}
