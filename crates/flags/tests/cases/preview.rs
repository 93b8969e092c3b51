//! What is kept of every subject tells the hits at other values of a parameter: over all cases of all flags, the count by
//! the tips is that of judging with the value.

use std::collections::BTreeMap;

use flags::{Catalogue, Flag, Outcomes, Parameter, hits_at, judge, write_tips};
use lake::{Literal, Session};

use super::case::{Case, cases_of};

/// The values worth trying: those in use and at the ends of the range, and tips of the case itself, where a sign matters.
fn values_of(parameter: &Parameter, tips: &[f64]) -> Vec<f64> {
    let mut values = vec![parameter.default, parameter.min, parameter.max];
    let within: Vec<f64> = tips.iter().copied().filter(|t| (parameter.min..=parameter.max).contains(t)).collect();
    values.extend(within.first());
    values.extend(within.last());
    values.sort_by(f64::total_cmp);
    values.dedup();
    values
}

/// Compares one case; gives how many counts differ between two values.
fn compare(flag: &Flag, case: &Case) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let session = Session::of_rows(&case.rows).unwrap();
    let outcomes = folder.path().join("outcomes.parquet");
    let _ = judge(&session, flag, Outcomes { before: None, after: &outcomes }).unwrap();
    write_tips(&session, flag, &outcomes).unwrap();
    let mut moved = 0;
    for parameter in flag.previewable() {
        let column = parameter.preview.as_deref().unwrap().split(' ').next().unwrap();
        let file = Literal::Text(outcomes.to_string_lossy().into_owned()).sql();
        let mut tips = Vec::new();
        let sql = format!("select {column}, 1 from read_parquet({file}) where {column} is not null order by 1");
        session.counts(&sql, |tip, _| Ok(tips.push(tip))).unwrap();
        let values = values_of(parameter, &tips);
        let told = hits_at(&outcomes, parameter, &values).unwrap().unwrap();
        for (value, told) in values.iter().zip(&told) {
            let other = flag.clone().with(&BTreeMap::from([(parameter.name.clone(), *value)])).unwrap();
            let after = folder.path().join("again.parquet");
            let session = Session::of_rows(&case.rows).unwrap();
            let hits = judge(&session, &other, Outcomes { before: None, after: &after }).unwrap().unwrap().hits.len();
            let what = format!("{} {} = {value} in \"{}\"", flag.code, parameter.name, case.name);
            assert_eq!(*told, hits as u64, "{what}");
        }
        moved += usize::from(told.iter().any(|n| n != &told[0]));
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
