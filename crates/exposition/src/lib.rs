//! Reads what `/metrics` says (Prometheus text 0.0.4), for those who look at a running program from outside.
//!
//! What a program does not tell is `None`, never zero: a metric that is missing was not measured.

pub mod promises;

/// A line of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The metric's name, `_bucket` and the like included.
    pub name: String,
    /// Its labels.
    pub labels: Vec<(String, String)>,
    /// Its value.
    pub value: f64,
}

impl Sample {
    /// A label's value; empty when it has none.
    #[must_use]
    pub fn label(&self, name: &str) -> &str {
        self.labels.iter().find(|(label, _)| label == name).map_or("", |(_, value)| value)
    }
}

/// All of it.
#[derive(Debug, Clone, Default)]
pub struct Exposition(Vec<Sample>);

impl Exposition {
    /// Reads a text. Comments, and lines that cannot be read, are passed over.
    #[must_use]
    pub fn read(text: &str) -> Self {
        Self(text.lines().filter(|line| !line.starts_with('#')).filter_map(sample).collect())
    }

    /// Whether there is anything in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The samples of a metric with these labels.
    pub fn of<'a>(&'a self, name: &'a str, labels: &'a [(&'a str, &'a str)]) -> impl Iterator<Item = &'a Sample> {
        self.0.iter().filter(move |sample| {
            sample.name == name && labels.iter().all(|(label, value)| sample.label(label) == *value)
        })
    }

    /// Their sum.
    #[must_use]
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        self.of(name, labels).map(|sample| sample.value).reduce(|a, b| a + b)
    }

    /// A histogram over all series of `name` that `counts`.
    #[must_use]
    pub fn histogram(&self, name: &str, counts: impl Fn(&Sample) -> bool) -> Option<Histogram> {
        let bucket = format!("{name}_bucket");
        let mut buckets: Vec<(f64, f64)> = Vec::new();
        for sample in self.of(&bucket, &[]).filter(|sample| counts(sample)) {
            let bound = sample.label("le").parse().unwrap_or(f64::INFINITY);
            match buckets.iter_mut().find(|(held, _)| *held == bound) {
                Some((_, sum)) => *sum += sample.value,
                None => buckets.push((bound, sample.value)),
            }
        }
        buckets.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        (!buckets.is_empty()).then_some(Histogram(buckets))
    }
}

/// Upper bounds with how many were at most that.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram(Vec<(f64, f64)>);

impl Histogram {
    /// How many were observed.
    #[must_use]
    pub fn count(&self) -> f64 {
        self.0.last().map_or(0.0, |(_, count)| *count)
    }

    /// What was observed since `earlier`, of the same histogram.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let before = |bound: f64| earlier.0.iter().find(|(held, _)| *held == bound).map_or(0.0, |(_, count)| *count);
        Self(self.0.iter().map(|(bound, count)| (*bound, count - before(*bound))).collect())
    }

    /// The quantile `q` (0 to 1), evenly spread within its bucket as `histogram_quantile` does; of the last bucket its lower bound.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let rank = self.count() * q;
        if self.count() <= 0.0 {
            return None;
        }
        let at = self.0.iter().position(|(_, count)| *count >= rank)?;
        let (low, below) = if at == 0 { (0.0, 0.0) } else { self.0[at - 1] };
        let (high, upto) = self.0[at];
        if high.is_infinite() || upto <= below {
            return Some(low);
        }
        Some(low + (high - low) * (rank - below) / (upto - below))
    }
}

fn sample(line: &str) -> Option<Sample> {
    let (name, labels, rest) = match line.split_once('{') {
        Some((name, rest)) => {
            let (labels, rest) = labels(rest)?;
            (name, labels, rest)
        }
        None => {
            let (name, rest) = line.split_once(' ')?;
            (name, Vec::new(), rest)
        }
    };
    let value = match rest.split_whitespace().next()? {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        number => number.parse().ok()?,
    };
    Some(Sample { name: name.to_owned(), labels, value })
}

/// The labels behind `{`, and what stands behind `}`.
fn labels(mut rest: &str) -> Option<(Vec<(String, String)>, &str)> {
    let mut labels = Vec::new();
    loop {
        rest = rest.trim_start_matches([',', ' ']);
        if let Some(behind) = rest.strip_prefix('}') {
            return Some((labels, behind));
        }
        let (name, quoted) = rest.split_once("=\"")?;
        let (mut value, mut chars) = (String::new(), quoted.char_indices());
        let end = loop {
            match chars.next()? {
                (at, '"') => break at + 1,
                (_, '\\') => value.push(match chars.next()?.1 {
                    'n' => '\n',
                    other => other,
                }),
                (_, other) => value.push(other),
            }
        };
        labels.push((name.to_owned(), value));
        rest = &quoted[end..];
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    const TEXT: &str = "# HELP a b\n# TYPE a counter\na{x=\"1\",y=\"q\\\"{}\"} 3\na{x=\"2\"} 4 1700000000\nb 0.5\nbroken{x=\"1\" 3\n\
        h_bucket{r=\"p\",le=\"0.1\"} 5\nh_bucket{r=\"p\",le=\"0.2\"} 9\nh_bucket{r=\"p\",le=\"+Inf\"} 10\nh_bucket{r=\"q\",le=\"0.1\"} 0\n\
        h_bucket{r=\"q\",le=\"0.2\"} 0\nh_bucket{r=\"q\",le=\"+Inf\"} 10\n";

    #[test]
    fn what_is_told_is_summed_and_what_is_not_is_no_zero() {
        let told = Exposition::read(TEXT);
        assert_eq!(told.sum("a", &[]), Some(7.0));
        assert_eq!(told.sum("a", &[("x", "2")]), Some(4.0));
        assert_eq!(told.of("a", &[("x", "1")]).next().unwrap().label("y"), "q\"{}");
        assert_eq!((told.sum("b", &[]), told.sum("c", &[]), told.sum("a", &[("x", "3")])), (Some(0.5), None, None));
        assert!(Exposition::read("<html>no metrics</html>").is_empty());
    }

    #[test]
    fn quantiles_lie_within_their_bucket() {
        let told = Exposition::read(TEXT);
        let of_p = told.histogram("h", |sample| sample.label("r") == "p").unwrap();
        assert_eq!(of_p.quantile(0.5), Some(0.1));
        assert!((of_p.quantile(0.7).unwrap() - 0.15).abs() < 1e-9);
        assert_eq!(of_p.quantile(0.99), Some(0.2), "what lies beyond the last bound is told as that");
        let all = told.histogram("h", |_| true).unwrap();
        assert_eq!((all.count(), all.quantile(0.9)), (20.0, Some(0.2)));
        assert_eq!(all.since(&of_p).count(), 10.0);
        assert!(told.histogram("missing", |_| true).is_none() && all.since(&all).quantile(0.5).is_none());
    }
}
