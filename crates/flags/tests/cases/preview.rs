//! What is kept of every subject tells the hits at other values of a parameter: over all cases of all flags, the count by
//! the tips is that of judging with the value.

use std::collections::BTreeMap;
use std::path::Path;

use flags::{Catalogue, Flag, Outcomes, Parameter, hits_at, judge, write_tips};
use lake::{Literal, Session};

use super::case::{Case, cases_of};

/// The values worth trying: those at the ends of the range, and tips of the case itself, where a sign matters.
fn values_of(parameter: &Parameter, tips: &[f64]) -> Vec<f64> {
    let mut values = vec![parameter.min, parameter.max];
    let within: Vec<f64> = tips.iter().copied().filter(|t| (parameter.min..=parameter.max).contains(t)).collect();
    values.extend(within.first());
    values.extend(within.last());
    values.sort_by(f64::total_cmp);
    values.dedup();
    values
}

fn hits_of(session: &Session, flag: &Flag, outcomes: &Path) -> u64 {
    judge(session, flag, Outcomes { before: None, after: outcomes }).unwrap().unwrap().hits.len() as u64
}

/// Compares one case; gives how many parameters told one value from another.
fn compare(flag: &Flag, case: &Case) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let session = Session::of_rows(&case.rows).unwrap();
    let (outcomes, again) = (folder.path().join("outcomes.parquet"), folder.path().join("again.parquet"));
    let now = hits_of(&session, flag, &outcomes);
    write_tips(&session, flag, &outcomes).unwrap();
    let file = Literal::Text(outcomes.to_string_lossy().into_owned()).sql();
    let mut moved = 0;
    for parameter in flag.previewable() {
        let told = |values: &[f64]| hits_at(&outcomes, parameter, values).unwrap().unwrap();
        let what = |value: f64| format!("{} {} = {value} in \"{}\"", flag.code, parameter.name, case.name);
        assert_eq!(told(&[parameter.default]), [now], "{}", what(parameter.default));
        let column = parameter.preview.as_deref().unwrap().split(' ').next().unwrap();
        let mut tips = Vec::new();
        let sql = format!("select {column}, 1 from read_parquet({file}) where {column} is not null order by 1");
        let keep = |tip, _| {
            tips.push(tip);
            Ok(())
        };
        session.counts(&sql, keep).unwrap();
        let values = values_of(parameter, &tips);
        let told = told(&values);
        for (value, told) in values.iter().zip(&told) {
            let other = flag.clone().with(&BTreeMap::from([(parameter.name.clone(), *value)])).unwrap();
            assert_eq!(*told, hits_of(&session, &other, &again), "{}", what(*value));
        }
        moved += usize::from(told.iter().any(|n| *n != now));
    }
    moved
}

#[test]
fn what_is_kept_tells_the_hits_at_other_values() {
    let catalogue = Catalogue::embedded().unwrap();
    let mut still = Vec::new();
    for flag in catalogue.flags().iter().filter(|flag| flag.previewable().next().is_some()) {
        let moved: usize = cases_of(&flag.code).iter().map(|case| compare(flag, case)).sum();
        println!("{}: {moved} counts moved", flag.code);
        if moved == 0 {
            still.push(&flag.code);
        }
    }
    assert!(still.is_empty(), "no case of these tells one value from another: {still:?}");
}
