//! How well the bid screens tell rigged bids from others, on data whose answer is known.
//!
//! Every bid has the score of its tender. A tender is scored by a model that has never seen it: tenders are dealt into
//! folds, and the score of one fold comes from what the others teach. The model is a row of small regression trees
//! (gradient boosting on the logistic loss) over the screens alone: no names, no dates, no estimates. Nothing is drawn at
//! random, so the same file gives the same figures.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::screens::{Screens, of_subgroups};

/// Parts into which the tenders are dealt.
const FOLDS: usize = 5;
/// Trees of a model.
const TREES: usize = 120;
/// How much of each tree is believed.
const LEARNING_RATE: f64 = 0.06;
/// Questions from root to leaf.
const DEPTH: usize = 3;
/// The least weight of a leaf, in tenders: this share of all, within these bounds.
const LEAF_SHARE: f64 = 0.04;
const LEAF_BOUNDS: (f64, f64) = (3.0, 8.0);
/// Pulls the value of a leaf to zero.
const RIDGE: f64 = 2.0;
/// Steps into which a screen is cut; 0 stands for a screen that cannot be computed.
const STEPS: usize = 48;
/// Where precision is measured, in bids from the highest score down.
const PRECISION_AT: [usize; 5] = [10, 50, 100, 200, 500];

/// A bid whose answer is known.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledBid {
    /// Its tender.
    pub tender: String,
    /// Who bid, if stated: of several bids of one bidder in a tender the lowest makes the screens.
    pub bidder: Option<String>,
    /// The price, above zero.
    pub value: f64,
    /// Rigged.
    pub rigged: bool,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScreensEvaluation {
    /// The chance that a rigged bid has a higher score than another; ties count half. `None` with one kind of bids only.
    pub auc: Option<f64>,
    /// Bids scored.
    pub n: usize,
    /// The share of rigged bids among the k with the highest scores; bids with one score share their places.
    pub precision_at: BTreeMap<usize, f64>,
    /// Rigged bids among all.
    pub rigged: usize,
    /// Tenders.
    pub tenders: usize,
    /// Tenders with fewer than four prices, which lack a screen: their score rests on what is left.
    pub tenders_under_four_prices: usize,
    /// For comparison: the same model over the number of prices alone.
    pub auc_of_the_number_of_bids: Option<f64>,
    /// For comparison: over the bids of tenders with four prices or more alone.
    pub auc_from_four_prices: Option<f64>,
    /// Folds, by tender.
    pub folds: usize,
}

/// The bids of one tender.
struct Tender {
    prices: Vec<f64>,
    bids: usize,
    rigged: usize,
}

/// Scores every bid out of fold and compares with the answers.
#[must_use]
pub fn evaluate_screens(bids: &[LabelledBid]) -> ScreensEvaluation {
    let tenders = tenders_of(bids);
    let folds = folds_of(&tenders);
    let list: Vec<&Tender> = tenders.values().collect();
    let scores = scores_out_of_fold(&list.iter().map(|t| screens_of(&t.prices)).collect::<Vec<_>>(), &list, &folds);
    let by_number =
        scores_out_of_fold(&list.iter().map(|t| vec![Some(t.prices.len() as f64)]).collect::<Vec<_>>(), &list, &folds);
    let scored = |scores: &[f64], keep: &dyn Fn(&Tender) -> bool| -> Vec<Scored> {
        list.iter()
            .zip(scores)
            .filter(|(tender, _)| keep(tender))
            .map(|(tender, &score)| Scored { score, bids: tender.bids, rigged: tender.rigged })
            .collect()
    };
    let all = scored(&scores, &|_| true);
    ScreensEvaluation {
        auc: auc(&all),
        n: bids.len(),
        precision_at: PRECISION_AT.iter().filter(|k| **k <= bids.len()).map(|&k| (k, precision(&all, k))).collect(),
        rigged: list.iter().map(|t| t.rigged).sum(),
        tenders: list.len(),
        tenders_under_four_prices: list.iter().filter(|t| t.prices.len() < 4).count(),
        auc_of_the_number_of_bids: auc(&scored(&by_number, &|_| true)),
        auc_from_four_prices: auc(&scored(&scores, &|t| t.prices.len() >= 4)),
        folds: FOLDS,
    }
}

fn tenders_of(bids: &[LabelledBid]) -> BTreeMap<&str, Tender> {
    let mut lowest: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    let mut tenders: BTreeMap<&str, Tender> = BTreeMap::new();
    for bid in bids {
        let tender = tenders.entry(&bid.tender).or_insert(Tender { prices: Vec::new(), bids: 0, rigged: 0 });
        tender.bids += 1;
        tender.rigged += usize::from(bid.rigged);
        match &bid.bidder {
            None => tender.prices.push(bid.value),
            Some(bidder) => {
                let price = lowest.entry((&bid.tender, bidder)).or_insert(bid.value);
                *price = price.min(bid.value);
            }
        }
    }
    for ((tender, _), price) in lowest {
        if let Some(tender) = tenders.get_mut(tender) {
            tender.prices.push(price);
        }
    }
    for tender in tenders.values_mut() {
        tender.prices.sort_by(f64::total_cmp);
    }
    tenders
}

/// The fold of each tender: those with rigged bids and the others are dealt apart, in the order of a hash of their names.
fn folds_of(tenders: &BTreeMap<&str, Tender>) -> Vec<usize> {
    let mut order: Vec<(bool, u64, usize)> = tenders
        .iter()
        .enumerate()
        .map(|(at, (name, tender))| (tender.rigged > 0, xxhash_rust::xxh3::xxh3_64(name.as_bytes()), at))
        .collect();
    order.sort_unstable();
    let mut folds = vec![0; order.len()];
    for (place, (_, _, at)) in order.into_iter().enumerate() {
        folds[at] = place % FOLDS;
    }
    folds
}

/// What the model sees of a tender: its screens, and theirs over subgroups of three and four.
fn screens_of(prices: &[f64]) -> Vec<Option<f64>> {
    let mut seen: Vec<Option<f64>> = Screens::of(prices).values().to_vec();
    for size in [3, 4] {
        seen.extend(of_subgroups(prices, size).into_iter().flatten());
    }
    seen
}

fn scores_out_of_fold(seen: &[Vec<Option<f64>>], tenders: &[&Tender], folds: &[usize]) -> Vec<f64> {
    let mut scores = vec![0.0; tenders.len()];
    for fold in 0..FOLDS {
        let others: Vec<usize> = (0..tenders.len()).filter(|&at| folds[at] != fold).collect();
        let model = Model::learn(&others, seen, tenders);
        for at in (0..tenders.len()).filter(|&at| folds[at] == fold) {
            // The last bits depend on the order of a sum: equal scores stay equal.
            scores[at] = (model.score(&seen[at]) * 1e9).round() / 1e9;
        }
    }
    scores
}

/// A row of regression trees over values cut into steps.
struct Model {
    cuts: Vec<Vec<f64>>,
    trees: Vec<Node>,
}

enum Node {
    Leaf(f64),
    Ask { what: usize, up_to: u8, low: Box<Node>, high: Box<Node> },
}

/// What the training needs of each tender.
struct Lesson<'a> {
    steps: &'a [Vec<u8>],
    slope: &'a [f64],
    curve: &'a [f64],
    weight: &'a [f64],
    leaf_min: f64,
}

impl Model {
    fn learn(of: &[usize], seen: &[Vec<Option<f64>>], tenders: &[&Tender]) -> Self {
        let width = seen.first().map_or(0, Vec::len);
        let cuts: Vec<Vec<f64>> = (0..width).map(|what| cuts(of.iter().filter_map(|&at| seen[at][what]))).collect();
        let mut model = Self { cuts, trees: Vec::new() };
        let steps: Vec<Vec<u8>> = of.iter().map(|&at| model.steps(&seen[at])).collect();
        let bids: f64 = of.iter().map(|&at| tenders[at].bids as f64).sum();
        let answers: Vec<f64> = of.iter().map(|&at| tenders[at].rigged as f64 / tenders[at].bids as f64).collect();
        let weight: Vec<f64> = of.iter().map(|&at| tenders[at].bids as f64 * of.len() as f64 / bids.max(1.0)).collect();
        let leaf_min = (LEAF_SHARE * of.len() as f64).clamp(LEAF_BOUNDS.0, LEAF_BOUNDS.1);
        // The share of rigged bids is where the trees begin, and no part of a score: it differs by fold, and so would
        // tell the tenders of one fold from those of another.
        let rigged: f64 = of.iter().map(|&at| tenders[at].rigged as f64).sum();
        let mut sums = vec![((rigged + 0.5) / (bids - rigged + 0.5)).ln(); of.len()];
        let everyone: Vec<usize> = (0..of.len()).collect();
        for _ in 0..TREES {
            let chance: Vec<f64> = sums.iter().map(|sum: &f64| 1.0 / (1.0 + (-sum).exp())).collect();
            let slope: Vec<f64> = (0..of.len()).map(|at| weight[at] * (answers[at] - chance[at])).collect();
            let curve: Vec<f64> = (0..of.len()).map(|at| weight[at] * chance[at] * (1.0 - chance[at])).collect();
            let lesson = Lesson { steps: &steps, slope: &slope, curve: &curve, weight: &weight, leaf_min };
            let tree = grow(&everyone, &lesson, width, DEPTH);
            for (sum, steps) in sums.iter_mut().zip(&steps) {
                *sum += LEARNING_RATE * tree.value(steps);
            }
            model.trees.push(tree);
        }
        model
    }

    fn steps(&self, seen: &[Option<f64>]) -> Vec<u8> {
        let step = |(value, cuts): (&Option<f64>, &Vec<f64>)| {
            value.map_or(0, |value| 1 + u8::try_from(cuts.partition_point(|cut| *cut < value)).unwrap_or(u8::MAX - 1))
        };
        seen.iter().zip(&self.cuts).map(step).collect()
    }

    fn score(&self, seen: &[Option<f64>]) -> f64 {
        let steps = self.steps(seen);
        self.trees.iter().map(|tree| tree.value(&steps)).sum()
    }
}

impl Node {
    fn value(&self, steps: &[u8]) -> f64 {
        match self {
            Self::Leaf(value) => *value,
            Self::Ask { what, up_to, low, high } => {
                if steps[*what] <= *up_to {
                    low.value(steps)
                } else {
                    high.value(steps)
                }
            }
        }
    }
}

/// Where values are cut, so that about equally many lie between two cuts.
fn cuts(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let mut cuts: Vec<f64> = (1..STEPS).filter_map(|step| values.get(values.len() * step / STEPS).copied()).collect();
    cuts.dedup();
    cuts
}

fn grow(of: &[usize], lesson: &Lesson<'_>, width: usize, depth: usize) -> Node {
    let sum = |values: &[f64]| of.iter().map(|&at| values[at]).sum::<f64>();
    let (slope, curve, weight) = (sum(lesson.slope), sum(lesson.curve), sum(lesson.weight));
    let leaf = Node::Leaf(slope / (curve + RIDGE));
    if depth == 0 || weight < 2.0 * lesson.leaf_min {
        return leaf;
    }
    let gain = |slope: f64, curve: f64| slope * slope / (curve + RIDGE);
    let mut best: Option<(f64, usize, u8)> = None;
    for what in 0..width {
        let mut steps = [(0.0, 0.0, 0.0); STEPS + 2];
        for &at in of {
            let step = &mut steps[usize::from(lesson.steps[at][what])];
            step.0 += lesson.slope[at];
            step.1 += lesson.curve[at];
            step.2 += lesson.weight[at];
        }
        let mut low = (0.0, 0.0, 0.0);
        for (up_to, step) in (0u8..).zip(&steps[..=STEPS]) {
            low = (low.0 + step.0, low.1 + step.1, low.2 + step.2);
            if step.2 == 0.0 || low.2 < lesson.leaf_min || weight - low.2 < lesson.leaf_min {
                continue;
            }
            let found = gain(low.0, low.1) + gain(slope - low.0, curve - low.1) - gain(slope, curve);
            // A tie keeps the first, whatever the last bits say.
            if found > best.map_or(1e-9, |(most, _, _)| most + 1e-9) {
                best = Some((found, what, up_to));
            }
        }
    }
    let Some((_, what, up_to)) = best else { return leaf };
    let (low, high): (Vec<usize>, Vec<usize>) = of.iter().partition(|&&at| lesson.steps[at][what] <= up_to);
    let branch = |of: &[usize]| Box::new(grow(of, lesson, width, depth - 1));
    Node::Ask { what, up_to, low: branch(&low), high: branch(&high) }
}

/// The bids of a tender with their score.
struct Scored {
    score: f64,
    bids: usize,
    rigged: usize,
}

/// Bids and rigged bids of each score, highest first.
fn by_score(scored: &[Scored]) -> Vec<(f64, f64)> {
    let mut sorted: Vec<&Scored> = scored.iter().collect();
    sorted.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut groups: Vec<(f64, f64)> = Vec::new();
    let mut last = None;
    for one in sorted {
        let (bids, rigged) = (one.bids as f64, one.rigged as f64);
        match groups.last_mut().filter(|_| last == Some(one.score)) {
            Some(group) => *group = (group.0 + bids, group.1 + rigged),
            None => groups.push((bids, rigged)),
        }
        last = Some(one.score);
    }
    groups
}

fn auc(scored: &[Scored]) -> Option<f64> {
    let groups = by_score(scored);
    let (bids, rigged) = groups.iter().fold((0.0, 0.0), |sum, group| (sum.0 + group.0, sum.1 + group.1));
    let mut others_below = bids - rigged;
    let mut pairs = 0.0;
    for (bids, rigged) in groups {
        others_below -= bids - rigged;
        pairs += rigged * (others_below + (bids - rigged) / 2.0);
    }
    let all = rigged * (bids - rigged);
    (all > 0.0).then(|| round(pairs / all))
}

fn precision(scored: &[Scored], k: usize) -> f64 {
    let (mut left, mut found) = (k as f64, 0.0);
    for (bids, rigged) in by_score(scored) {
        let taken = bids.min(left);
        found += rigged * taken / bids;
        left -= taken;
        if left <= 0.0 {
            break;
        }
    }
    round(found / k as f64)
}

fn round(share: f64) -> f64 {
    (share * 1e4).round() / 1e4
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(all: &[(f64, usize, usize)]) -> Vec<Scored> {
        all.iter().map(|&(score, bids, rigged)| Scored { score, bids, rigged }).collect()
    }

    #[test]
    fn the_area_under_the_curve_counts_pairs_and_half_of_ties() {
        assert_eq!(auc(&scored(&[(2.0, 3, 3), (1.0, 2, 0)])), Some(1.0));
        assert_eq!(auc(&scored(&[(1.0, 3, 3), (2.0, 2, 0)])), Some(0.0));
        assert_eq!(auc(&scored(&[(1.0, 3, 3), (1.0, 2, 0)])), Some(0.5));
        // 2 rigged against 2 others: above one, beside one (half) each.
        assert_eq!(auc(&scored(&[(1.0, 3, 2), (0.0, 1, 0)])), Some(0.75));
        assert_eq!(auc(&scored(&[(1.0, 3, 3)])), None);
    }

    #[test]
    fn precision_shares_the_places_of_a_tie() {
        let all = scored(&[(3.0, 4, 4), (2.0, 12, 6), (1.0, 4, 0)]);
        assert_eq!(precision(&all, 4), 1.0);
        assert_eq!(precision(&all, 10), 0.7);
    }

    /// Tenders of five prices: rigged ones lie close together behind a winner that stands apart.
    fn market(tenders: usize, marked: bool) -> Vec<LabelledBid> {
        let mut state = 7u64;
        let mut draw = || {
            state = xxhash_rust::xxh3::xxh3_64(&state.to_le_bytes());
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        (0..tenders * 5)
            .map(|at| {
                let (tender, place) = (at / 5, at % 5);
                let rigged = tender % 4 == 0;
                let value = match (rigged && marked, place) {
                    (true, 0) => 95.0,
                    (true, _) => 100.0 + draw(),
                    _ => 90.0 + 20.0 * draw(),
                };
                LabelledBid { tender: format!("t{tender}"), bidder: Some(place.to_string()), value, rigged }
            })
            .collect()
    }

    #[test]
    fn rigged_tenders_are_told_by_their_prices() {
        let found = evaluate_screens(&market(200, true));
        assert!(found.auc.unwrap() > 0.99, "{found:?}");
        assert_eq!((found.n, found.tenders, found.rigged, found.precision_at[&100]), (1000, 200, 250, 1.0));
        assert_eq!(found, evaluate_screens(&market(200, true)));
    }

    #[test]
    fn where_prices_say_nothing_nothing_is_learnt() {
        let found = evaluate_screens(&market(400, false));
        assert!((found.auc.unwrap() - 0.5).abs() < 0.1, "{found:?}");
        assert_eq!(found.auc_of_the_number_of_bids, Some(0.5));
    }

    #[test]
    fn a_file_of_one_kind_or_of_nothing_has_no_curve() {
        assert_eq!(evaluate_screens(&[]).auc, None);
        let one = LabelledBid { tender: "t".into(), bidder: None, value: 1.0, rigged: true };
        assert_eq!(evaluate_screens(&[one]).auc, None);
    }
}
